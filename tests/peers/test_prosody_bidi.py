"""Prosody's mod_s2s_bidi and our streams that carry the stanzas of both ends (XEP-0288): one stream where there were two."""

import unittest

from scene import Scene, lab

BY_CERTIFICATE = {"tls": "required", "sasl": "required", "dialback": "true", "bidi": "true"}
BY_KEY = {"tls": "required", "sasl": "not-supported", "dialback": "true", "bidi": "true"}


class OneStream(Scene):
    """Whoever speaks first opens the stream; the other answers on it."""

    edge = {"listeners": 1}  # the one that Prosody's stream comes to is the one that sends
    secure_auth = True

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody(secure_auth=cls.secure_auth, bidi=True)

    def assert_one_stream(self):
        self.assertEqual(int(self.lab.status()["streams"]), 1)

    def log_lines(self, event):
        return [line for line in self.lab.gatehouse.text().splitlines() if event in line]

    def prosody_speaks_first(self):
        self.xmpp_to_sip("I open the door.")
        self.sip_to_xmpp("And I answer through it.")
        self.xmpp_to_sip("Once more.")
        self.assert_one_stream()
        self.assertTrue(self.log_lines("stream-out-lent"))
        self.assertFalse(self.log_lines("stream-out-open"))

    def gatehouse_speaks_first(self):
        self.sip_to_xmpp("I open the door.")
        self.xmpp_to_sip("And I answer through it.")
        self.sip_to_xmpp("Once more.")
        self.assert_one_stream()
        self.assertTrue(self.log_lines("stream-out-open"))
        self.assertFalse(self.log_lines("direction=in peer"))

    def many_both_ways(self):
        for number in range(20):
            self.romeo.send(f"ann@{lab.SIP_DOMAIN}", f"there {number}")
            self.ann.say(f"chat sip:romeo@{lab.XMPP_DOMAIN} back {number}")
        self.assertEqual([self.romeo.receive(40)["body"] for _ in range(20)], [f"back {n}" for n in range(20)])
        self.ann.wait_for(": there 19", 40)
        self.assert_one_stream()
        self.assertNotIn("stream:error", self.lab.partner.text())


class ProsodyOpensByCertificate(OneStream):
    row = BY_CERTIFICATE

    def test_it_takes_our_stanzas_on_its_stream(self):
        self.prosody_speaks_first()
        self.many_both_ways()
        self.assertEqual(self.methods_used(), {"sasl_tls"})
        self.assertIn("Received ack", self.lab.partner.text())


class GatehouseOpensByCertificate(OneStream):
    row = BY_CERTIFICATE

    def test_it_sends_its_stanzas_on_our_stream(self):
        self.gatehouse_speaks_first()
        self.many_both_ways()
        self.assertEqual(self.methods_used(), {"sasl_tls"})

    def test_switched_off_there_are_two_streams_again(self):
        self.sip_to_xmpp("Before.")
        self.lab.ctl("partner", "set", lab.XMPP_DOMAIN, "--bidi", "false")
        self.addCleanup(self.lab.ctl, "partner", "set", lab.XMPP_DOMAIN, "--bidi", "true")
        lab.wait_until(lambda: int(self.lab.status()["streams"]) == 0, 20, "the stream of both ends ends")
        self.sip_to_xmpp("After.")
        self.xmpp_to_sip("After, too.")
        self.assertEqual(int(self.lab.status()["streams"]), 2)


class ProsodyOpensByKey(OneStream):
    row = BY_KEY
    secure_auth = False

    def test_it_takes_our_stanzas_on_its_stream(self):
        self.prosody_speaks_first()
        self.assertEqual(self.methods_used(), {"tls_dialback"})


class GatehouseOpensByKey(OneStream):
    row = BY_KEY
    secure_auth = False

    def test_the_stream_prosody_opens_for_verifying_is_the_one_that_is_left(self):
        self.sip_to_xmpp("I knock.")
        self.xmpp_to_sip("And I open.")
        self.sip_to_xmpp("Once more.")
        self.assert_one_stream()
        self.assertEqual(self.methods_used(), {"tls_dialback"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
