"""A partner's row changes while its streams are up: who came by a method it has no more is told reset at once (2.10),
nobody else is touched."""

import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from test_certificates import THEM, Peer, Scene  # noqa: E402

AUTH = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"


class ChangedRow(Scene):
    def set_row(self, tls, sasl, dialback):
        self.lab.ctl("partner", "set", THEM, "--tls", tls, "--sasl", sasl, "--dialback", dialback)

    def authenticated(self):
        peer, features = self.starttls_features(self.certificates.issue(names=f"DNS:{THEM}"))
        self.assertIn("EXTERNAL", features)
        peer.say(AUTH, "success")
        peer.open()
        return peer

    def settle(self, offered):
        """Until every listener offers newcomers what the row in force says."""
        end = time.monotonic() + 20
        seen = 0
        while seen < 8:
            peer = Peer(self.lab.ports["xmpp"])
            features = peer.open()
            peer.close()
            seen = seen + 1 if offered in features else 0
            self.assertLess(time.monotonic(), end, features)

    def test_a_stream_by_external_outlives_rows_that_permit_it(self):
        self.set_row("required", "optional", "true")
        peer = self.authenticated()
        self.set_row("optional", "required", "true")
        self.settle("urn:xmpp:features:dialback")
        peer.socket.settimeout(1)
        with self.assertRaises(TimeoutError):
            peer.hear("<stream:error>")
        peer.socket.settimeout(15)
        self.set_row("required", "not-supported", "true")
        self.assertIn("<reset ", peer.hear("</stream:stream>"))

    def test_a_stream_without_proof_is_reset_when_what_it_was_offered_is_no_more(self):
        self.set_row("optional", "optional", "true")
        self.settle("urn:xmpp:features:dialback")
        peer = Peer(self.lab.ports["xmpp"])
        self.addCleanup(peer.close)
        peer.open()
        self.set_row("required", "optional", "true")
        self.assertIn("<reset ", peer.hear("</stream:stream>"))

    def test_strict_sasl_refuses_the_row_that_has_no_method_left(self):
        self.set_row("optional", "required", "true")
        self.lab.ctl("partner", "set", THEM, "--strict-sasl", "true")
        self.addCleanup(self.lab.ctl, "partner", "set", THEM, "--strict-sasl", "false")
        self.settle("<required/>")
        answer = self.lab.ctl("partner", "set", THEM, "--tls", "not-supported", check=False)
        self.assertNotIn("is set", answer)
        self.assertIn("row                 3 of 18", self.lab.ctl("partner", "explain", THEM))


if __name__ == "__main__":
    unittest.main(verbosity=2)
