"""gatehousectl test sip: what it tells of next hops that are right, and of those that are wrong in one way each."""

import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "deploy" / "lab")]

import lab  # noqa: E402
from gatehouse import Gatehouse  # noqa: E402
from name_server import NameServer  # noqa: E402

CONFIG = """\
domains:
{domains}
listen:
  xmpp: ["127.0.0.1:0"]
  sip: ["tls:127.0.0.1:0", "tcp:127.0.0.1:0"]
tls:
  chain_file: {chain}
  key_file: {key}
  trust: {trust}
sip:
  trusted_peers: ["good.pool.example", "127.0.0.1/32"]
dns:
  servers: ["{dns}"]
  allow_loopback_targets: true
workers:
  - plugin: tls_listener
  - plugin: dialback_verifier
  - plugin: policy_engine
  - plugin: sip_translator
"""


class SipServer:
    """Answers every request with `status`; None: never. `tls`: chain and key file. `ca`: whose certificates it asks for.
    `hangs_up`: once it has seen ours it closes, without a word; `closes`: once it has read a request."""

    def __init__(self, status=200, tls=None, ca=None, newest=None, hangs_up=False, closes=False):
        self.status, self.tls, self.hangs_up, self.closes = status, None, hangs_up, closes
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*tls)
            if newest:
                self.tls.maximum_version = newest
            if ca:
                self.tls.load_verify_locations(ca)
                self.tls.verify_mode = ssl.CERT_REQUIRED
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                if self.hangs_up:
                    return
            bytes_ = b""
            while part := connection.recv(4096):
                bytes_ += part
                while b"\r\n\r\n" in bytes_:
                    head, bytes_ = bytes_.split(b"\r\n\r\n", 1)
                    if self.closes:
                        return
                    if head.strip() and self.status is not None:
                        connection.sendall(self._answer(head.decode()))
        except OSError:
            pass
        finally:
            connection.close()

    def _answer(self, head):
        kept = [line for line in head.split("\r\n")[1:]
                if line.split(":")[0].lower() in ("via", "from", "call-id", "cseq", "to")]
        kept = [line + ";tag=1" if line.lower().startswith("to:") else line for line in kept]
        return ("\r\n".join([f"SIP/2.0 {self.status} Whatever", *kept, "Content-Length: 0"]) + "\r\n\r\n").encode()


class SipSide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="gatehouse-sip-")
        cls.addClassCleanup(cls.scratch.cleanup)
        folder = pathlib.Path(cls.scratch.name)
        authority = lab.Authority(folder / "ca")
        ours = authority.issue("edge.corp.example", "corp.example")
        good = authority.issue("good.pool.example", "by-dns.example")

        def server(**words):
            made = SipServer(**words)
            cls.addClassCleanup(made.close)
            return made.port
        cls.port = server(tls=good, ca=authority.ca_file)
        with socket.create_server(("127.0.0.1", 0)) as gone:
            refused = gone.getsockname()[1]
        expired = authority.issue("expired.pool.example", days=-1)
        other = lab.Authority(folder / "other-ca", "Another CA")
        stranger = other.issue("stranger.pool.example")
        refusing = {"no-ca": {"ca": other.ca_file}, "no-ca-12": {"ca": other.ca_file, "newest": ssl.TLSVersion.TLSv1_2},
                    "hangs-up": {"ca": authority.ca_file, "hangs_up": True}}
        hops = {
            "good.example": f"sip:good.pool.example:{cls.port};transport=tls",
            "by-dns.example": "",
            "wrong-name.example": f"sip:other.pool.example:{cls.port};transport=tls",
            "expired.example": f"sip:expired.pool.example:{server(tls=expired)};transport=tls",
            "stranger.example": f"sip:stranger.pool.example:{server(tls=stranger)};transport=tls",
            "refused.example": f"sip:good.pool.example:{refused};transport=tls",
            "no-tls.example": f"sip:good.pool.example:{server()};transport=tls",
            "no-dns.example": "sip:nowhere.pool.example:5061;transport=tls",
            "tcp.example": f"sip:127.0.0.1:{server(status=404)};transport=tcp",
            "forbidden.example": f"sip:127.0.0.1:{server(status=403)};transport=tcp",
            "login.example": f"sip:127.0.0.1:{server(status=401)};transport=tcp",
            "closes.example": f"sip:127.0.0.1:{server(closes=True)};transport=tcp",
            "closes-tls.example": f"sip:good.pool.example:{server(tls=good, closes=True)};transport=tls",
            "silent.example": f"sip:127.0.0.1:{server(status=None)};transport=tcp",
        }
        for name, words in refusing.items():
            hops[f"{name}.example"] = f"sip:good.pool.example:{server(tls=good, **words)};transport=tls"
        hosts = "\n".join(f"{name} A 127.0.0.1" for name in ("good", "other", "expired", "stranger"))
        dns = NameServer(folder / "dns", {
            "pool.example": hosts,
            "by-dns.example": f"_sips._tcp SRV 1 2 {cls.port} good.pool.example.",
        })
        cls.addClassCleanup(dns.stop)
        domains = "\n".join(f"  - name: {name}" + (f'\n    next_hop: "{hop}"' if hop else "")
                            for name, hop in hops.items())
        cls.authority, cls.ours, cls.good = authority, ours, good
        cls.config = CONFIG.format(domains=domains, chain=ours[0], key=ours[1], trust=authority.ca_file, dns=dns.address)
        cls.gatehouse = Gatehouse(cls.config)
        cls.gatehouse.start()
        cls.addClassCleanup(cls.gatehouse.close)
        cls.gatehouse.wait_ready()

    def probe(self, domain):
        """The exit code, the report, and the details of its steps by name."""
        code, report = self.gatehouse.ctl("test", "sip", "--domain", domain)
        steps = {}
        for step in report["steps"]:
            steps[step["step"]] = (steps[step["step"]] + "; " if step["step"] in steps else "") + step["detail"]
        return code, report, steps

    def test_a_good_next_hop_is_told_step_by_step(self):
        code, report, steps = self.probe("good.example")
        self.assertEqual(code, 0, report)
        self.assertEqual([step["step"] for step in report["steps"]],
                         ["next-hop", "dns", "tcp", "tls", "certificate", "own-certificate", "options", "result"])
        self.assertIn("A/AAAA good.pool.example: 127.0.0.1", steps["dns"])
        self.assertIn("TLSv1.3", steps["tls"])
        self.assertIn("names: good.pool.example", steps["certificate"])
        self.assertRegex(steps["certificate"], r"1\d\d days left")
        self.assertIn("asked for ours", steps["own-certificate"])
        self.assertRegex(steps["options"], r"200 after \d+ ms by TLS")
        times = [step["at_us"] for step in report["steps"]]
        self.assertEqual(times, sorted(times))

    def test_without_a_next_hop_the_records_are_told(self):
        code, report, steps = self.probe("by-dns.example")
        self.assertIn("NAPTR by-dns.example: none", steps["dns"])
        self.assertIn(f"SRV _sips._tcp.by-dns.example: 1 2 {self.port} good.pool.example.", steps["dns"])
        self.assertEqual(code, 0, report)

    def test_any_answer_to_options_is_a_sign_of_life(self):
        code, report, steps = self.probe("tcp.example")
        self.assertEqual(code, 0, report)
        self.assertIn("404 after", steps["options"])

    def test_each_fault_is_named_with_its_remedy(self):
        for domain, step, reason, remedy in (
                ("wrong-name.example", "certificate", "does not name other.pool.example", "next_hop"),
                ("expired.example", "certificate", "expired", "renew"),
                ("stranger.example", "certificate", "not trusted", "tls.trust"),
                ("refused.example", "tcp", "no connection", "firewall"),
                ("no-tls.example", "tls", "TLS failed", "TLS 1.2"),
                ("no-dns.example", "dns", "DNS names no server", "next_hop"),
                ("forbidden.example", "options", "403", "trusted"),
                ("login.example", "options", "401", "log in"),
                ("silent.example", "options", "no answer to OPTIONS", "log"),
                ("nobody.example", "result", "none of our domains", "gatehouse.yaml")):
            with self.subTest(domain):
                code, report, steps = self.probe(domain)
                self.assertEqual(code, 1, report)
                self.assertFalse(report["ok"])
                self.assertIn(step, steps)
                self.assertIn(reason, report["reason"])
                self.assertIn(remedy, report["remedy"])
                self.assertFalse(report["steps"][-1]["ok"])

    def test_a_next_hop_that_closes_instead_of_an_answer_is_told_apart(self):
        for domain in ("closes.example", "closes-tls.example"):
            with self.subTest(domain):
                code, report, steps = self.probe(domain)
                self.assertEqual((code, report["code"]), (1, "next-hop-closed"), report)
                self.assertIn("took the OPTIONS and closed the connection", steps["options"])
                self.assertIn("next hop's log", report["remedy"])

    def test_a_next_hop_that_refuses_our_certificate_is_told_apart(self):
        for domain, step, reason in (
                ("no-ca.example", "options", "the next hop refused our certificate (unknown CA)"),
                ("no-ca-12.example", "tls", "the next hop refused our certificate (unknown CA)"),
                ("hangs-up.example", "options", "the next hop ended the connection after it saw our certificate")):
            for attempt in ("the first", "the next, while connections wait after a failure"):
                with self.subTest(domain, attempt=attempt):
                    code, report, steps = self.probe(domain)
                    self.assertEqual(code, 1, report)
                    self.assertEqual(report["code"], "own-certificate-refused")
                    self.assertEqual(report["reason"], reason)
                    self.assertIn(step, steps)
                    for word in ("clientAuth", "authority the next hop trusts", "name it expects"):
                        self.assertIn(word, report["remedy"])

    def test_a_certificate_for_servers_only_is_refused_by_its_purpose(self):
        chain, key = self.authority.issue("server-only.corp.example", "corp.example", purposes="serverAuth")
        with Gatehouse(self.config.replace(str(self.ours[0]), str(chain)).replace(str(self.ours[1]), str(key))) as edge:
            edge.wait_ready()
            code, report = edge.ctl("test", "sip", "--domain", "good.example")
        self.assertEqual(code, 1, report)
        self.assertEqual(report["code"], "own-certificate-refused")
        self.assertIn("unsupported certificate", report["reason"])

    def test_a_next_hop_whose_certificate_is_revoked_is_left_at_the_reload(self):
        with Gatehouse(self.config) as edge:
            edge.wait_ready()
            self.assertEqual(edge.ctl("test", "sip", "--domain", "good.example")[0], 0)
            crl = self.authority.revoke(self.good[0])
            edge.write_config(self.config.replace("  trust:", f"  crl_file: {crl}\n  trust:"))
            self.assertEqual(edge.ctl("reload")[0], 0)
            told = edge.wait_event("sip-peer-distrusted")
            self.assertEqual(told["name"], "good.pool.example")
            self.assertIn("revoked", told["why"])
            edge.wait_event("sip-connection-closed", peer=told["peer"])
            code, report = edge.ctl("test", "sip", "--domain", "good.example")
        self.assertEqual((code, report["code"]), (1, "next-hop-untrusted"), report)
        self.assertIn("revoked", report["reason"])

    def test_for_people_the_remedy_stands_below_the_steps(self):
        done = subprocess.run([self.gatehouse.command[0].parent / "gatehousectl", "--runtime-dir", self.gatehouse.runtime_dir,
                               "test", "sip", "--domain", "refused.example"], check=False, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED", done.stdout)
        self.assertIn("firewall", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
