"""What sslscan and testssl.sh find at our ports: nothing above "info" but what is explained here."""

import json
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

from scene import BUILD, lab

# testssl's findings that are not ours to mend.
EXPLAINED = {
    "engine_problem": "of the scanner's own OpenSSL: it lacks the GOST engine",
    "service": "it looks for HTTP and finds XMPP",
    "cert_revocation": "the lab's authority is a file: it has nowhere to publish revocations",
    "secure_renego": "asked without a server name, which direct TLS demands (2.15); asked with one below",
}
HARMLESS = {"OK", "INFO"}
GOOD_STRENGTH = {"strong", "acceptable"}  # "acceptable": sslscan's word for the suites of TLS 1.3
SCAN_SECONDS = 500


class Scanners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab(tempfile.mkdtemp(prefix="gatehouse-scanners-"), BUILD)
        cls.addClassCleanup(cls.lab.stop)
        cls.lab.start_dns()
        cls.lab.start_gatehouse(limits=("connections_per_minute: 100000", "unauthenticated_per_address: 1000"))
        cls.lab.add_partner()

    def starttls_scan(self):
        """The XML of a scan by STARTTLS. sslscan looks the name it asks for up in /etc/hosts only: a mount namespace has
        one of ours there."""
        hosts = self.lab.folder / "hosts"
        hosts.write_text(f"127.0.0.1 {lab.SIP_DOMAIN}\n")
        result = self.lab.folder / "sslscan.xml"
        done = subprocess.run(
            [*lab.in_namespace_with(hosts), "sslscan", "--no-colour", "--starttls-xmpp", "--xmpp-server", f"--xml={result}",
             f"{lab.SIP_DOMAIN}:{self.lab.ports['xmpp']}"],
            cwd=self.lab.folder, capture_output=True, text=True, timeout=SCAN_SECONDS)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        scan = xml.etree.ElementTree.parse(result).find("ssltest")
        self.assertIsNotNone(scan, done.stdout)
        return scan

    def test_sslscan_finds_nothing_weak_behind_starttls(self):
        scan = self.starttls_scan()
        enabled = {f"{found.get('type')} {found.get('version')}" for found in scan.iter("protocol")
                   if found.get("enabled") == "1"}
        self.assertEqual(enabled, {"tls 1.2", "tls 1.3"})
        self.assertEqual({found.get("supported") for found in scan.iter("renegotiation")}, {"0"})
        self.assertNotIn("1", {found.get("supported") for found in scan.iter("compression")})
        self.assertEqual({found.get("vulnerable") for found in scan.iter("heartbleed")}, {"0"})
        ciphers = list(scan.iter("cipher"))
        self.assertEqual({found.get("sslversion") for found in ciphers}, {"TLSv1.2", "TLSv1.3"})
        self.assertEqual([found.attrib for found in ciphers if found.get("strength") not in GOOD_STRENGTH], [])
        groups = list(scan.iter("group"))
        self.assertTrue(groups)
        self.assertEqual([found.attrib for found in groups if int(found.get("bits")) < 112], [])
        certificate = scan.find("certificates/certificate")
        self.assertEqual(certificate.findtext("signature-algorithm"), "ecdsa-with-SHA256")
        self.assertEqual(certificate.find("pk").get("error"), "false")
        self.assertEqual(certificate.findtext("self-signed"), "false")
        self.assertEqual(certificate.findtext("expired"), "false")

    def test_testssl_finds_nothing_weak_at_the_direct_port(self):
        result = self.lab.folder / "testssl.json"
        done = subprocess.run(
            ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", "127.0.0.1", "--add-ca",
             self.lab.authority.ca_file, "--jsonfile", result, f"{lab.SIP_DOMAIN}:{self.lab.ports['xmpps']}"],
            cwd=self.lab.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SCAN_SECONDS)
        findings = json.loads(result.read_text())
        seen = {finding["id"]: finding for finding in findings}
        self.assertEqual(seen["scanTime"]["severity"], "INFO", done.stdout)  # it came to its end
        for offered in ("TLS1_2", "TLS1_3", "PFS"):
            self.assertTrue(seen[offered]["finding"].startswith("offered") or seen[offered]["severity"] == "OK",
                            seen[offered])
        unexplained = [finding for finding in findings
                       if finding["severity"] not in HARMLESS and finding["id"] not in EXPLAINED]
        self.assertEqual(unexplained, [])

    def openssl(self, *words, said=b""):
        """What OpenSSL tells of a TLS 1.2 connection that it ends after `said`."""
        done = subprocess.run(
            ["openssl", "s_client", "-tls1_2", *words, "-connect", f"127.0.0.1:{self.lab.ports['xmpps']}",
             "-servername", lab.SIP_DOMAIN, "-CAfile", self.lab.authority.ca_file],
            input=said, capture_output=True, timeout=60)
        return (done.stdout + done.stderr).decode()

    def test_renegotiation_is_safe_by_its_extension_and_refused(self):
        calm = self.openssl()
        self.assertIn("Secure Renegotiation IS supported", calm)
        self.assertIn("Verify return code: 0", calm)
        self.assertIn("alert no renegotiation", self.openssl(said=b"R\n").replace("_", " "))

    def test_the_order_of_the_suites_is_ours(self):
        ours, other = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
        self.assertIn(f"Cipher is {ours}", self.openssl("-cipher", f"{other}:{ours}"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
