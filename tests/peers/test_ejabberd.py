"""The same scene with a real ejabberd as the partner, once by each method."""

import unittest

from scene import Scene


class EjabberdByCertificate(Scene):
    row = {"tls": "required", "sasl": "required", "dialback": "true"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_ejabberd(starttls="required")

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("Shown with a certificate.")
        self.sip_to_xmpp("Likewise.")
        self.assertEqual(self.methods_used(), {"sasl_tls"})

    def test_a_resumed_session_is_as_good_as_a_new_one(self):
        self.resumes()  # each of them must open; whether one resumes is ejabberd's choice


class EjabberdByTlsDialback(Scene):
    row = {"tls": "required", "sasl": "not-supported", "dialback": "true"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_ejabberd(starttls="optional", trusts_us=False)

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("A key inside TLS.")
        self.sip_to_xmpp("Likewise.")
        self.assertEqual(self.methods_used(), {"tls_dialback"})


class EjabberdByTcpDialback(Scene):
    row = {"tls": "not-supported", "sasl": "not-supported", "dialback": "true"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_ejabberd(starttls="false")

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("A key in clear.")
        self.sip_to_xmpp("Likewise.")
        self.assertEqual(self.methods_used(), {"tcp_dialback"})


class EjabberdByDirectTls(Scene):
    row = {"tls": "required", "sasl": "required", "dialback": "true"}
    wire = {"direct_tls": True}

    @classmethod
    def start_partner(cls):
        cls.lab.start_ejabberd(starttls="required")

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("Without a word in clear.")
        self.sip_to_xmpp("Likewise.")
        self.assertEqual(self.methods_used(), {"sasl_tls"})


class EjabberdOverIpv6(Scene):
    row = {"tls": "required", "sasl": "required", "dialback": "true"}
    wire = {"s2s_ip": "::1"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_ejabberd(starttls="required")

    def test_messages_cross_in_both_directions(self):
        self.xmpp_to_sip("By the sixth version.")
        self.sip_to_xmpp("Likewise.")
        self.assertEqual(self.methods_used(), {"sasl_tls"})


if __name__ == "__main__":
    unittest.main(verbosity=2)
