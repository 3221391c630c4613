"""Scenes with a real Prosody as the partner, a real Kamailio as the SIP server and linphone as the SIP user."""

import unittest

from scene import Scene, lab


class ProsodyByCertificate(Scene):
    row = {"tls": "required", "sasl": "required", "dialback": "true"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lab.assign_certificate("public", purposes="serverAuth")  # as public authorities issue them, for both directions

    def test_the_certificate_for_servers_is_the_one_that_is_shown(self):
        self.assertIn(self.shown_sha256(), self.lab.ctl("cert", "show", "public"))

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("Lunch at one?")
        self.sip_to_xmpp("At one, downstairs.")
        self.assertEqual(self.methods_used(), {"sasl_tls"})

    def test_a_resumed_session_is_as_good_as_a_new_one(self):
        self.resumes()  # each of them must open; whether one resumes is Prosody's choice

    def test_letters_of_every_script_and_markup_arrive_as_they_were(self):
        self.xmpp_to_sip("Grüße <b>&amp; ]]> 你好 🦉")
        self.sip_to_xmpp("Жду в 13:00 <i>&lt; \"quoted\" 你好 🦉")

    def test_a_message_to_nobody_comes_back_as_an_error(self):
        self.romeo.send(f"nobody@{lab.SIP_DOMAIN}", "Is anyone there?")
        answer = self.romeo.receive(40)
        self.assertEqual(answer["type"], "error")
        self.assertEqual(answer["error"]["condition"], "item-not-found")

    def test_the_status_shows_both_streams(self):
        self.xmpp_to_sip("One for the status.")
        self.sip_to_xmpp("And one back.")
        self.assertGreaterEqual(int(self.lab.status()["streams"]), 2)


class ProsodyByDialback(Scene):
    """One that turns away, as Debian's does, whoever shows no certificate it trusts, also on a stream that only asks for a verdict."""

    row = {"tls": "required", "sasl": "not-supported", "dialback": "true"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody()

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("Proven by a key.")
        self.sip_to_xmpp("So is this.")
        self.assertEqual(self.methods_used(), {"tls_dialback"})


class ProsodyByDirectTls(Scene):
    row = {"tls": "required", "sasl": "required", "dialback": "true"}
    wire = {"direct_tls": True}

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody()

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("Without a word in clear.")
        self.sip_to_xmpp("Likewise.")
        self.assertEqual(self.methods_used(), {"sasl_tls"})


class ProsodyDirectTlsDialback(Scene):
    row = {"tls": "required", "sasl": "not-supported", "dialback": "true"}
    wire = {"direct_tls": True}

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody(secure_auth=False)

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("A key behind direct TLS.")
        self.sip_to_xmpp("Likewise.")
        self.assertEqual(self.methods_used(), {"tls_dialback"})


class ProsodyOverIpv6(Scene):
    row = {"tls": "required", "sasl": "required", "dialback": "true"}
    wire = {"s2s_ip": "::1"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody()

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("By the sixth version.")
        self.sip_to_xmpp("Likewise.")
        self.assertEqual(self.methods_used(), {"sasl_tls"})


class ProsodyByDirectTlsOverIpv6(Scene):
    row = {"tls": "required", "sasl": "required", "dialback": "true"}
    wire = {"s2s_ip": "::1", "direct_tls": True}

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody()

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("Both at once.")
        self.sip_to_xmpp("Likewise.")
        self.assertEqual(self.methods_used(), {"sasl_tls"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
