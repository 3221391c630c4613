"""Prosody's mod_smacks and our acknowledgements (XEP-0198): what one side has not handled the other sends again."""

import os
import queue
import re
import signal
import unittest

from scene import Scene, lab


class ProsodyWithAcks(Scene):
    row = {"tls": "required", "sasl": "required", "dialback": "true"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody()

    def setUp(self):
        self.xmpp_to_sip(f"Hello of {self.id()}")
        self.sip_to_xmpp(f"And back of {self.id()}")
        self.assertEqual(self.methods_used(), {"sasl_tls"})

    def arrived_at_ann(self, word):
        return [int(number) for number in re.findall(rf": {word} (\d+)\b", self.ann.text())]

    def signal_listeners(self, what):
        for worker in self.lab.status()["workers"]:
            if worker["plugin"] == "tls_listener":
                os.kill(int(worker["pid"]), what)

    def test_both_streams_are_acknowledged(self):
        log = self.lab.partner.text()
        self.assertIn("Enabling stream management", log)  # on the stream we opened
        lab.wait_until(lambda: "Received ack" in self.lab.partner.text() or
                       re.search(r"#queue = 0", self.lab.partner.text()), 10, "Prosody got an acknowledgement of ours")

    def test_a_killed_listener_loses_nothing_of_what_came(self):
        count = 60
        for number in range(count // 2):
            self.romeo.send(f"ann@{lab.SIP_DOMAIN}", f"flow {number}")
        lab.wait_until(lambda: self.arrived_at_ann("flow"), 20, "the flow has begun")
        # What Prosody writes from here on the kernel takes, and nobody reads it.
        self.signal_listeners(signal.SIGSTOP)
        requests = self.lab.partner.text().count("Sending <r>")
        for number in range(count // 2, count):
            self.romeo.send(f"ann@{lab.SIP_DOMAIN}", f"flow {number}")
        lab.wait_until(lambda: self.lab.partner.text().count("Sending <r>") > requests or
                       f"#queue={count // 2}" in self.lab.partner.text(), 10, "Prosody has written them")
        self.signal_listeners(signal.SIGKILL)
        lab.wait_until(lambda: set(self.arrived_at_ann("flow")) == set(range(count)), 60,
                       "every message arrives all the same")
        print(f"{len(self.arrived_at_ann('flow')) - count} of {count} arrived twice")

    def test_a_killed_listener_loses_nothing_of_what_was_to_go(self):
        count = 30
        for number in range(count):
            self.ann.say(f"chat sip:romeo@{lab.XMPP_DOMAIN} back {number}")
        bodies = [self.romeo.receive(20)["body"]]
        self.signal_listeners(signal.SIGKILL)
        expected = {f"back {number}" for number in range(count)}
        while not expected <= set(bodies):
            try:
                bodies.append(self.romeo.receive(40)["body"])
            except queue.Empty:
                self.fail(f"these never came: {sorted(expected - set(bodies))}")

    def test_closing_is_graceful_on_both_sides(self):
        before = len(self.lab.partner.text())
        self.lab.ctl("gateway", "set", "--stream-inactivity-timeout", "2")
        self.addCleanup(self.lab.ctl, "gateway", "set", "--stream-inactivity-timeout", "600")
        lab.wait_until(lambda: int(self.lab.status()["streams"]) == 0, 20, "idle streams close")
        self.assertNotIn("stream:error", self.lab.partner.text()[before:])
        self.lab.ctl("gateway", "set", "--stream-inactivity-timeout", "600")
        self.sip_to_xmpp("After the silence.")


if __name__ == "__main__":
    unittest.main(verbosity=2)
