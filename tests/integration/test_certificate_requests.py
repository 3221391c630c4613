"""Scenes of `gatehousectl cert request` without a supervisor: by its words, and asked at a terminal. What it makes is read by
the openssl command."""

import os
import pathlib
import pty
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from gatehouse import GATEHOUSECTL, PATIENCE_S

CONFIG = """\
domains:
  - name: contoso.example
    next_hop: "sip:pool.contoso.example:5061;transport=tls"
  - name: bücher.example
listen:
  xmpp: ["[::]:5269"]
tls:
  certificate: external-edge
sip:
  host: edge.contoso.example
workers:
  - plugin: tls_listener
"""


class Terminal:
    """A program with a terminal of its own, and its operator."""

    def __init__(self, command, folder):
        self.shown = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execv(command[0], [str(word) for word in command])

    def wait_for(self, text):
        """Until `text` is shown; all that was shown since the last time."""
        end = time.monotonic() + PATIENCE_S
        while text not in self.shown:
            ready, _, _ = select.select([self.fd], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise TimeoutError(f"never shown: {text!r}; but: {self.shown!r}")
            self.shown += self._read()
        before, _, self.shown = self.shown.partition(text)
        return before + text

    def answer(self, question, line):
        self.wait_for(question)
        os.write(self.fd, line.encode() + b"\n")

    def end_of_input(self):
        os.write(self.fd, b"\x04")

    def end(self):
        """Its exit code, and what was shown last."""
        while True:
            try:
                part = self._read()
            except OSError:  # nobody is at the other end any more
                break
            if not part:
                break
            self.shown += part
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status), self.shown.replace("\r\n", "\n")

    def _read(self):
        return os.read(self.fd, 65536).decode()


class CertificateRequests(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "gatehouse.yaml").write_text(CONFIG, encoding="utf-8")

    def words(self, *words):
        return [GATEHOUSECTL, "--runtime-dir", self.folder / "run", "cert", "request", *words, "--config",
                self.folder / "gatehouse.yaml"]

    def run_ctl(self, *words):
        done = subprocess.run(self.words(*words), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=PATIENCE_S, cwd=self.folder)
        return done.returncode, done.stdout, done.stderr

    def openssl(self, *words):
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, cwd=self.folder, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def check_request(self, request, *names):
        text = self.openssl("req", "-in", request, "-verify", "-noout", "-text")
        self.assertIn("self-signature verify OK", text)
        for name in names:
            self.assertIn(name, text)
        return text

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())

    def test_offline_request_has_the_names_of_the_configuration(self):
        code, out, err = self.run_ctl("external", "--offline", "--key-out", "edge.key", "--srv-id", "--san",
                                      "www.contoso.example", "--organization", "Contoso", "--out", "edge.csr")
        self.assertEqual((code, err), (0, ""), out)
        self.check_request("edge.csr", "O = Contoso, CN = contoso.example", "DNS:contoso.example, DNS:sip.contoso.example",
                           "DNS:xn--bcher-kva.example", "DNS:edge.contoso.example", "DNS:www.contoso.example",
                           "SRVName::_xmpp-server.contoso.example", "TLS Web Client Authentication")
        self.assertEqual((self.folder / "edge.key").stat().st_mode & 0o7777, 0o600)
        self.assertEqual(self.openssl("pkey", "-in", "edge.key", "-pubout"),
                         self.openssl("req", "-in", "edge.csr", "-noout", "-pubkey"))
        self.assertIn("ASN1 OID: prime256v1", self.openssl("pkey", "-in", "edge.key", "-noout", "-text"))

    def test_offline_request_can_be_piped(self):
        code, out, err = self.run_ctl("external", "--offline", "--key-out", "edge.key", "--key", "rsa-2048")
        self.assertEqual(code, 0, err)
        self.assertTrue(out.startswith("-----BEGIN CERTIFICATE REQUEST-----\n"), out)
        self.assertTrue(out.endswith("-----END CERTIFICATE REQUEST-----\n"), out)
        (self.folder / "edge.csr").write_text(out)
        self.check_request("edge.csr", "Public-Key: (2048 bit)")

    def test_a_key_is_never_written_over(self):
        (self.folder / "edge.key").write_text("precious")
        code, out, err = self.run_ctl("external", "--offline", "--key-out", "edge.key", "--out", "edge.csr")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("'edge.key' is there already and may hold a key", err)
        self.assertEqual((self.folder / "edge.key").read_text(), "precious")
        self.assertEqual(self.files(), ["edge.key", "gatehouse.yaml"])

    def test_a_ca_of_the_laboratory_signs_at_once(self):
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "30",
                     "-subj", "/CN=lab", "-addext", "keyUsage=keyCertSign")
        code, _, err = self.run_ctl("external", "--offline", "--key-out", "edge.key", "--out", "edge.pem", "--ca",
                                    "ca.pem,ca.key", "--days", "20")
        self.assertEqual(code, 0, err)
        self.assertIn("partners will not trust this certificate", err)
        self.assertIn("OK", self.openssl("verify", "-x509_strict", "-CAfile", "ca.pem", "-verify_hostname",
                                         "sip.contoso.example", "edge.pem"))

    def test_without_a_supervisor_says_how_it_is_done(self):
        done = subprocess.run([GATEHOUSECTL, "--runtime-dir", self.folder / "run", "cert", "request", "external"],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 3)
        self.assertIn("--offline --key-out FILE", done.stderr)

    def test_without_a_name_and_a_terminal_is_wrong_usage(self):
        code, out, err = self.run_ctl("--offline", "--key-out", "edge.key")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("a NAME is missing, and there is no terminal to ask at", err)

    def ask_up_to_the_end(self):
        """All answers but the last."""
        terminal = Terminal(self.words("--offline"), self.folder)
        terminal.answer("(self)? [request]: ", "")
        terminal.answer("Name of the certificate [external-edge]: ", "edge")
        terminal.answer("Key: rsa-2048, rsa-3072, rsa-4096, p-256, p-384 [p-256]: ", "p-521")
        self.assertIn("write one of rsa-2048", terminal.wait_for("p-384 [p-256]: "))
        os.write(terminal.fd, b"p-384\n")
        terminal.answer("Organization [none]: ", "Söhne & Co")
        terminal.answer("Organizational unit [none]: ", "")
        terminal.answer("Country, two letters [none]: ", "de")
        terminal.answer("State or province [none]: ", "")
        terminal.answer("City [none]: ", "")
        names = terminal.wait_for("Not every CA issues them. yes, no [no]: ")
        for name in ("contoso.example", "sip.contoso.example", "xn--bcher-kva.example", "edge.contoso.example"):
            self.assertIn(f"  {name}\r\n", names)
        os.write(terminal.fd, b"yes\n")
        terminal.answer("[edge.contoso.example]: ", "edge.contoso.example, www.contoso.example")
        terminal.answer("File for the key [edge.key]: ", "")
        terminal.answer("File for the request [edge.csr]: ", "")
        summary = terminal.wait_for("Do it? yes, no [no]: ")
        for part in ("p-384", "Söhne & Co", "www.contoso.example", "_xmpp-server.contoso.example", "edge.key", "edge.csr"):
            self.assertIn(part, summary)
        return terminal

    def test_asked_at_a_terminal(self):
        terminal = self.ask_up_to_the_end()
        os.write(terminal.fd, b"yes\n")
        code, shown = terminal.end()
        self.assertEqual(code, 0, shown)
        self.assertIn("nobody can bring it back", shown)
        text = self.check_request("edge.csr", "C = DE", "DNS:www.contoso.example", "SRVName::_xmpp-server.contoso.example",
                                  "ecdsa-with-SHA384")
        self.assertIn("Public-Key: (384 bit)", text)
        self.assertEqual(self.files(), ["edge.csr", "edge.key", "gatehouse.yaml"])

    def test_no_and_the_end_of_input_change_nothing(self):
        terminal = self.ask_up_to_the_end()
        os.write(terminal.fd, b"n\n")
        code, shown = terminal.end()
        self.assertEqual(code, 1)
        self.assertIn("nothing was changed", shown)
        terminal = self.ask_up_to_the_end()
        terminal.end_of_input()
        self.assertEqual(terminal.end()[0], 1)
        terminal = Terminal(self.words("--offline"), self.folder)
        terminal.wait_for("[request]: ")
        terminal.end_of_input()
        self.assertEqual(terminal.end()[0], 1)
        self.assertEqual(self.files(), ["gatehouse.yaml"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
