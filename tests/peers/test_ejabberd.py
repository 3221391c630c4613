"""The same scene with a real ejabberd as the partner, once by each method."""

import unittest

from scene import Scene, lab


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


    # COMPAT(ejabberd 23.01): takes such a certificate from whom it connects to, but not for EXTERNAL from whom connects to it
    # ("unsupported certificate purpose"); a key does there.
    def test_one_for_servers_only_is_enough_where_a_key_may_follow(self):
        self.lab.ctl("partner", "set", lab.XMPP_DOMAIN, "--enabled", "false")  # its streams end
        self.lab.assign_certificate("public", purposes="serverAuth")  # as public authorities issue them
        self.lab.ctl("partner", "set", lab.XMPP_DOMAIN, "--enabled", "true", "--sasl", "optional")
        self.assertIn(self.shown_sha256(), self.lab.ctl("cert", "show", "public"))
        before = len(self.lab.gatehouse.text())
        self.xmpp_to_sip("Proven by what servers have.")
        self.sip_to_xmpp("By that and a key.")
        opened = [line for line in self.lab.gatehouse.text()[before:].splitlines() if " stream-open " in line]
        self.assertTrue(any("direction=in" in line and "method=sasl_tls" in line for line in opened), opened)
        self.assertIn("tls_dialback", self.methods_used())


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
