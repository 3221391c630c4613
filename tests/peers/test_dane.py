"""DNSSEC and DANE with a zone that is really signed, served by NSD and validated by Unbound, and Prosody in it."""

import json
import pathlib
import re
import tempfile
import unittest

from scene import BUILD, XmppUser, lab
from signed_dns import SignedDns, key_record

WRONG = "3 1 1 " + "77" * 32


class DaneScene(unittest.TestCase):
    """Prosody's certificate is its own or the lab authority's; the row permits SASL EXTERNAL only."""

    self_signed = True
    dane = "enforce"

    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab(pathlib.Path(tempfile.mkdtemp(prefix=f"gatehouse-{cls.__name__}-")), BUILD)
        cls.addClassCleanup(cls.lab.stop)
        issue = cls.lab.authority.self_signed if cls.self_signed else cls.lab.authority.issue
        certificate = issue(lab.XMPP_DOMAIN)
        cls.key, cls.chain = key_record(certificate[0]), certificate[0]
        cls.zone = SignedDns(cls.lab)
        cls.zone.publish(tlsa=cls.key)
        cls.lab.start_prosody(certificate=certificate)
        cls.lab.start_kamailio()
        cls.lab.start_gatehouse(dnssec="trust-ad")
        cls.lab.add_partner(tls="required", sasl="required", dialback="false", dane=cls.dane)

    def try_stream(self):
        return json.loads(self.lab.ctl("test", "stream", lab.XMPP_DOMAIN, "--json", check=False))

    def steps(self, report, name):
        return [step["detail"] for step in report["steps"] if step["step"] == name]

    def counted(self, result, mode):
        return sum(counter.get("value", 0) for worker in self.lab.status()["workers"]
                   for counter in worker.get("counters", [])
                   if counter["name"] == "gatehouse_dane_total" and f'result="{result}"' in counter["labels"]
                   and f'mode="{mode}"' in counter["labels"])


class ASelfSignedServerInASignedZone(DaneScene):
    def test_it_federates_by_sasl_and_its_key_is_the_proof(self):
        ann = self.lab.sip_user("ann")
        romeo = XmppUser(f"romeo@{lab.XMPP_DOMAIN}/laptop", lab.PASSWORD, self.lab.ports["c2s"], self.chain)
        self.addCleanup(romeo.close)
        ann.say(f"chat sip:romeo@{lab.XMPP_DOMAIN} Known by its key.")
        self.assertEqual(romeo.receive(40)["body"], "Known by its key.")
        log = self.lab.gatehouse.text()
        self.assertIn("method=sasl_tls", log)
        self.assertRegex(log, r"stream-out-dane.*mode=enforce.*result=matched")
        self.assertIn(f"{self.key[:22]}", self.steps(self.try_stream(), "dane")[-1])
        lab.wait_until(lambda: self.counted("matched", "enforce") > 0, 10, "it is counted")

    def test_with_another_key_in_the_zone_it_is_refused(self):
        self.zone.publish(tlsa=WRONG)
        self.addCleanup(self.zone.publish, tlsa=self.key)
        report = self.try_stream()
        self.assertFalse(report["ok"], report)
        self.assertIn("dane-mismatch", report["reason"])

    def test_without_a_record_it_is_what_it_was_before(self):
        self.zone.publish()
        self.addCleanup(self.zone.publish, tlsa=self.key)
        report = self.try_stream()
        self.assertFalse(report["ok"], report)
        self.assertIn("certificate does not prove its domain", report["reason"])

    def test_in_an_unsigned_zone_the_record_proves_nothing(self):
        self.zone.publish(tlsa=self.key, signed=False)
        self.addCleanup(self.zone.publish, tlsa=self.key)
        report = self.try_stream()
        self.assertFalse(report["ok"], report)
        self.assertIn("certificate does not prove its domain", report["reason"])
        self.assertIn("not secured by DNSSEC", self.steps(report, "dane")[0])


class ATrustedServerWithAWrongRecord(DaneScene):
    self_signed = False

    def test_enforced_it_is_refused_and_the_sender_is_told(self):
        self.zone.publish(tlsa=WRONG)
        self.addCleanup(self.zone.publish, tlsa=self.key)
        said = self.lab.ctl("test", "im", "--from", f"sip:ann@{lab.SIP_DOMAIN}", "--to", f"romeo@{lab.XMPP_DOMAIN}",
                            check=False)
        self.assertIn("matches no TLSA record", said)
        self.assertRegex(self.lab.gatehouse.text(), r"stream-out-failed.*failure=dane-mismatch")

    def test_a_broken_signature_of_the_record_rules_the_server_out(self):
        self.zone.publish(tlsa=self.key, spoil=(self.key.split()[-1], "77" * 32))
        self.addCleanup(self.zone.publish, tlsa=self.key)
        report = self.try_stream()
        self.assertFalse(report["ok"], report)
        self.assertIn("dns-trouble: TLSA lookup failed", report["reason"])
        self.assertEqual(self.steps(report, "tcp"), [])

    def test_a_broken_signature_of_the_srv_record_is_no_reason_to_look_elsewhere(self):
        port = self.lab.ports["s2s"]
        self.zone.publish(tlsa=self.key, spoil=(f"0 0 {port} ", f"0 1 {port} "))
        self.addCleanup(self.zone.publish, tlsa=self.key)
        report = self.try_stream()
        self.assertFalse(report["ok"], report)
        self.assertIn("dns-trouble", report["reason"])
        self.assertEqual(self.steps(report, "tcp"), [])

    def test_in_an_unsigned_zone_all_is_as_before(self):
        self.zone.publish(tlsa=WRONG, signed=False)
        self.addCleanup(self.zone.publish, tlsa=self.key)
        self.assertTrue(self.try_stream()["ok"])

        def is_told():  # by a stream that a message opens, once no failure of before holds it back
            self.lab.ctl("test", "im", "--from", f"sip:ann@{lab.SIP_DOMAIN}", "--to", f"romeo@{lab.XMPP_DOMAIN}", check=False)
            return re.search(r"stream-out-dane.*mode=enforce.*result=insecure", self.lab.gatehouse.text())
        lab.wait_until(is_told, 30, "the log says that nothing could be enforced")


class AWrongRecordThatIsOnlyReported(DaneScene):
    self_signed = False
    dane = "report"

    def test_the_authority_decides_and_the_mismatch_is_logged(self):
        self.zone.publish(tlsa=WRONG)
        self.addCleanup(self.zone.publish, tlsa=self.key)
        self.lab.ctl("test", "im", "--from", f"sip:ann@{lab.SIP_DOMAIN}", "--to", f"romeo@{lab.XMPP_DOMAIN}", check=False)
        self.assertIn("method=sasl_tls", self.lab.gatehouse.text())
        self.assertRegex(self.lab.gatehouse.text(), r"stream-out-dane.*mode=report.*result=mismatched")
        self.assertIn("reported only", self.steps(self.try_stream(), "dane")[-1])


if __name__ == "__main__":
    unittest.main(verbosity=2)
