"""Who may speak to whom, with a real Prosody as the partner and linphone behind a real Kamailio: the three types of
partner and one of the operator's own, both ways."""

import re
import unittest

from scene import Scene, lab

ANN, ROMEO = f"ann@{lab.SIP_DOMAIN}", f"romeo@{lab.XMPP_DOMAIN}"


class EachType(Scene):
    row = {"tls": "required", "sasl": "required", "dialback": "true"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody()

    def snapshots(self):
        return sum("sip_translator/0 policy-snapshot" in line for line in self.lab.gatehouse.text().splitlines())

    def change(self, *words):
        """A command that changes the policy, and the translator judges by it when this returns."""
        before = self.snapshots()
        self.lab.ctl(*words)
        lab.wait_until(lambda: self.snapshots() > before, 20, f"a snapshot after {words}")

    def test_each_type_lets_through_what_it_should(self):
        self.xmpp_to_sip("federated: hello")
        self.sip_to_xmpp("federated: hello back")
        self.change("partner", "set", lab.XMPP_DOMAIN, "--type", "public-verified")
        self.xmpp_to_sip("verified: hello")
        self.sip_to_xmpp("verified: hello back")
        self.lab.ctl("partner", "type", "new", "supplier", "--may-message-unlisted", "true")
        self.change("partner", "set", lab.XMPP_DOMAIN, "--type", "supplier")
        self.xmpp_to_sip("supplier: hello")
        self.sip_to_xmpp("supplier: hello back")
        self.change("partner", "set", lab.XMPP_DOMAIN, "--type", "public-unverified")
        self.romeo.send(ANN, "unverified: hello")
        answer = self.romeo.receive(40)
        self.assertEqual((answer["type"], answer["error"]["condition"]), ("error", "forbidden"))
        identity = re.fullmatch(r"contact not authorised \(([0-9a-z]{8})\)", answer["error"]["text"])[1]
        self.assertIn("contact-not-authorised", self.lab.ctl("why", identity))
        self.ann.say(f"chat sip:{ROMEO} unverified: hello")
        lab.wait_until(lambda: re.search(r"message-refused .*status=403 reason=contact-not-authorised",
                                         self.lab.gatehouse.text()), 40, "Ann's message is refused")
        self.change("contact", "allow", ANN, ROMEO)
        self.xmpp_to_sip("unverified, added: hello")
        self.sip_to_xmpp("unverified, added: hello back")
        self.change("contact", "block", ANN, ROMEO)
        self.romeo.send(ANN, "blocked: hello")
        self.assertEqual(self.romeo.receive(40)["error"]["condition"], "forbidden")


if __name__ == "__main__":
    unittest.main(verbosity=2)
