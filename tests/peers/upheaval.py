"""What may happen in the middle of a conversation, played with either XMPP server over either version of IP."""

import re
import ssl
import subprocess
import tempfile
import time
import unittest
from collections import Counter

from conversation import Conversation
from scene import BUILD, lab


class Upheaval:
    """Mixed into a TestCase with `start_partner`, `partner_log` and `s2s_ip`; `taken_log`: what the partner has read. Every accepted message arrives, or its sender is told."""

    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab(tempfile.mkdtemp(prefix=f"gatehouse-{cls.__name__}-"), BUILD, s2s_ip=cls.s2s_ip, own_clocks=True)
        cls.addClassCleanup(cls.lab.stop)
        cls.lab.start_dns()
        cls.start_partner()
        cls.lab.start_gatehouse(limits=("connections_per_minute: 1000",))
        cls.lab.add_partner(tls="required", sasl="required", dialback="true")

    def setUp(self):
        self.talk = Conversation(self.lab)
        self.addCleanup(self.talk.close)
        self.talk.start()
        self.talk.goes_on(3)

    def end(self, **settings):
        fault, told, twice = self.talk.end(**settings)
        counts = {name: dict(Counter(found.values())) for name, found in told.items()}
        print(f"{self.id().rpartition('.')[2]}: sent {self.talk.sent}; {counts}; twice {twice}", flush=True)
        self.assertEqual(fault, {})
        return told, twice

    def end_straight(self):
        """As `end`, where nothing happened that anybody had to be told of."""
        told, twice = self.end()
        self.assertEqual(told, {"Romeo's came back": {}, "Ann's refused": {}})
        self.assertEqual(twice, {"at Ann": 0, "at Romeo": 0})

    def certificate_at(self, port, domain):
        """The one a new stream is shown, PEM."""
        ip = f"[{self.s2s_ip}]" if ":" in self.s2s_ip else self.s2s_ip
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{ip}:{self.lab.ports[port]}", "-starttls", "xmpp-server", "-xmpphost", domain,
             "-servername", domain], input=b"", capture_output=True, timeout=60)
        found = re.search(r"-----BEGIN CERT.*?END CERTIFICATE-----", done.stdout.decode(errors="replace"), re.DOTALL)
        return ssl.PEM_cert_to_DER_cert(found.group()) if found else None

    def renewed(self, port, domain, act):
        """Waits until `act` has brought another certificate to that port."""
        before = self.certificate_at(port, domain)
        self.assertIsNotNone(before)
        self.lab.authority.issue(domain)  # in place of the files that were read
        act()
        lab.wait_until(lambda: self.certificate_at(port, domain) not in (None, before), 20, "the new certificate is shown")

    def streams_ended(self):
        return [line for line in self.lab.gatehouse.text().splitlines()
                if re.search(r"stream-(closed|out-\w*(closed|ended|failed))", line) and lab.XMPP_DOMAIN in line]

    def renew_streams(self):
        for number in range(sum(worker["plugin"] == "tls_listener" for worker in self.lab.status()["workers"])):
            self.lab.ctl("worker", "restart", f"tls_listener/{number}")

    # --- the scenes

    def test_the_partner_changes_its_certificate(self):
        self.renewed("s2s", lab.XMPP_DOMAIN, self.lab.reload_partner)
        self.talk.goes_on()
        self.renew_streams()  # both ways, and so with the new one
        self.talk.goes_on()
        self.end()

    def test_our_certificate_changes_and_no_stream_is_dropped(self):
        before = self.streams_ended()
        self.renewed("xmpp", lab.SIP_DOMAIN, lambda: self.lab.ctl("reload"))
        self.talk.goes_on()
        self.assertEqual(self.streams_ended(), before)
        self.end_straight()

    def test_the_partner_restarts(self):
        self.talk.romeo_goes()
        self.lab.restart_partner()
        self.talk.romeo_comes()
        self.talk.goes_on()
        self.end(log_of_taken=self.taken_log)

    def test_gatehouse_restarts(self):
        self.assertEqual(self.lab.gatehouse.stop(30), 0)
        self.lab.gatehouse.start()
        self.lab.wait_gatehouse()
        self.talk.goes_on()
        self.end()

    def clock_steps(self, whose, log):
        for hours in (2, -2, 0):
            self.lab.step_clock(whose, hours)

            def is_there():
                hour, minute, second = map(int, re.findall(r"(\d\d):(\d\d):(\d\d)", log())[-1])
                ahead = hour * 3600 + minute * 60 + second - time.time() - hours * 3600
                return abs((ahead + 43200) % 86400 - 43200) < 600
            lab.wait_until(is_there, 30, f"the clock of the {whose} stepped to {hours:+} h")
            self.talk.goes_on()
        self.end_straight()

    def test_our_clock_steps(self):
        def log():
            self.certificate_at("xmpp", lab.SIP_DOMAIN)  # a line is written of that
            return self.lab.gatehouse.text()
        self.clock_steps("gatehouse", log)

    def test_the_clock_of_the_partner_steps(self):
        self.clock_steps("partner", self.partner_log)


class Over4(Upheaval):
    s2s_ip = "127.0.0.1"


class Over6(Upheaval):
    s2s_ip = "::1"


def main():
    unittest.main(verbosity=2)
