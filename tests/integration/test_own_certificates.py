"""The certificates Gatehouse shows of its own: assigned in the store while it runs, seen by the next handshake, without an
end to what is open."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "deploy" / "lab"), str(HERE.parent / "fakes")]

import lab  # noqa: E402
from control_socket import CertificateControl, Refused  # noqa: E402
from gatehouse import Gatehouse, wait_until  # noqa: E402
from test_certificates import Peer, TLS, client_context  # noqa: E402

US, THEM, SIP_PEER = lab.SIP_DOMAIN, lab.XMPP_DOMAIN, "pool.contoso.example"
# What is open answers this once it has been opened with the peer's certificate.
EXTERNAL = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>"
AT_ONCE_S = 10  # a second, but for sanitizers on a busy machine

CONFIG = """\
domains:
  - name: {us}
    next_hop: "sip:127.0.0.1:9;transport=tls"
listen:
  xmpp: ["127.0.0.1:0"]
  xmpps: ["127.0.0.1:0"]
  sip: ["tls:127.0.0.1:0"]
tls:
  trust: {trust}
{tls}sip:
  trusted_peers: ["{peer}"]
dns:
  servers: ["127.0.0.1:9"]
limits:  # the scenes look again and again, from one address
  connections_per_minute: 100000
  unauthenticated_per_address: 100000
workers:
  - plugin: tls_listener
  - plugin: dialback_verifier
  - plugin: policy_engine
  - plugin: sip_translator
"""


class Certificate:
    """One of ours: its PEM texts, and how a peer sees it."""

    def __init__(self, authority, *names, days=120):
        chain, key = authority.issue(*names, days=days)
        self.files = (chain.read_text(), key.read_text())
        self.der = ssl.PEM_cert_to_DER_cert(self.files[0])


class Scene(unittest.TestCase):
    tls = ""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-own-"))
        self.authority = lab.Authority(self.folder / "ca")
        self.theirs = self.authority.issue(THEM)
        self.sip_peer = self.authority.issue(SIP_PEER)
        self.gatehouse = Gatehouse(self.config())
        self.gatehouse.start()
        self.addCleanup(self.gatehouse.close)
        self.gatehouse.wait_ready()
        self.control = CertificateControl(self.gatehouse.runtime_dir)
        self.gatehouse.ctl("policy", "set", "global", "--enable-xmpp-access", "true")
        self.gatehouse.ctl("partner", "new", THEM, "--type", "federated", "--sasl", "optional")

    def config(self):
        return CONFIG.format(us=US, trust=self.authority.ca_file, peer=SIP_PEER, tls=self.tls)

    def ours(self, days=120):
        return Certificate(self.authority, US, f"edge.{US}", days=days)

    def notices(self):
        """What status tells; its exit code is 0 all the same."""
        code, status = self.gatehouse.ctl("status")
        self.assertEqual(code, 0, status)
        return status["notices"]

    def assigned(self, name="edge"):
        """One that is assigned to both slots, and shown."""
        certificate = self.ours()
        self.control.install(name, *certificate.files)
        self.control.assign(name)
        self.wait_shown(certificate, 20)
        return certificate

    def port(self, kind):
        return int(self.gatehouse.listener(kind).rpartition(":")[2])

    def stream(self):
        """A stream inside TLS, and the certificate it was shown."""
        peer = Peer(self.port("xmpp"))
        self.addCleanup(peer.close)
        peer.open()
        self.assertIn("proceed", peer.say(f"<starttls xmlns='{TLS}'/>", ">"))
        peer.start_tls(client_context(self.theirs))
        return peer, peer.socket.getpeercert(binary_form=True)

    def direct(self):
        peer = Peer(self.port("xmpps"))
        self.addCleanup(peer.close)
        peer.start_tls(client_context(self.theirs, "xmpp-server"))
        return peer, peer.socket.getpeercert(binary_form=True)

    def sip(self):
        line = socket.create_connection(("127.0.0.1", self.port("sip")), timeout=15)
        self.addCleanup(line.close)
        line = client_context(self.sip_peer).wrap_socket(line, server_hostname=US)
        self.addCleanup(line.close)
        return line, line.getpeercert(binary_form=True)

    def options(self, line):
        self.request(line, "OPTIONS", f"sip:{SIP_PEER}", f"sip:edge.{US}")
        return line.recv(4096)

    def request(self, line, method, from_, to):
        line.sendall(f"{method} {to} SIP/2.0\r\nVia: SIP/2.0/TLS {SIP_PEER};branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\n"
                     f"From: <{from_}>;tag=1\r\nTo: <{to}>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n"
                     "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi".encode())

    def shown(self):
        """By each listener, to who comes now; none where a connection ends before that."""
        seen = []
        for connect in (self.stream, self.direct, self.sip):
            try:
                line, certificate = connect()
                seen.append(certificate)
                line.close()
            except (OSError, AssertionError):
                seen.append(None)
        return seen

    def wait_shown(self, certificate, seconds=AT_ONCE_S):
        wait_until(lambda: self.shown() == [certificate.der] * 3, "every listener shows it", seconds)

    def goes_on(self, peer):
        """An XMPP stream from before."""
        self.assertIn("EXTERNAL", peer.open())
        self.assertIn("success", peer.say(EXTERNAL, ">"))

    def goes_on_over_sip(self, line):
        line.sendall((f"OPTIONS sip:{US} SIP/2.0\r\nVia: SIP/2.0/TLS {SIP_PEER};branch=z9hG4bK{time.monotonic_ns()}\r\n"
                      f"Max-Forwards: 70\r\nFrom: <sip:{SIP_PEER}>;tag=a\r\nTo: <sip:{US}>\r\nCall-ID: {time.monotonic_ns()}\r\n"
                      "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode())
        self.assertIn(b"SIP/2.0 ", line.recv(65536))

    def kill(self, name):
        os.kill(int(self.gatehouse.workers()[name]["pid"]), signal.SIGKILL)


class WithoutACertificate(Scene):
    def test_peers_are_put_off_until_one_is_assigned(self):
        peer = Peer(self.port("xmpp"))
        self.addCleanup(peer.close)
        self.assertIn("<internal-server-error ", peer.open())
        self.assertEqual(self.shown(), [None] * 3)
        self.gatehouse.wait_event("no-certificate")
        self.assertEqual(self.gatehouse.counter("tls_listener/0", "gatehouse_certificate_missing"), 1)
        self.assertEqual([notice.split(";")[0] for notice in self.notices()],
                         [f"slot {slot}: there is no certificate to show that can be used, so nobody is served over TLS"
                          for slot in ("xmpp", "sip")])
        certificate = self.assigned()
        self.assertEqual(self.gatehouse.counter("tls_listener/0", "gatehouse_certificate_missing"), 0)
        self.assertEqual(self.notices(), [])
        self.goes_on(self.stream()[0])
        self.assertIsNotNone(certificate)


class Authority:
    """A CA as an operator meets one: signs requests, by the openssl command."""

    def __init__(self, authority):
        self.ca, self.folder = authority, authority.folder

    def openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def sign(self, request, names=None, purposes="serverAuth,clientAuth", days=90, digest="-sha256"):
        """What it issues for that request; `names` in place of those it asks for."""
        stem = request.with_suffix("")
        extensions = stem.with_suffix(".ext")
        lines = ["keyUsage=digitalSignature", f"extendedKeyUsage={purposes}"]
        if names:
            lines.append("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
        extensions.write_text("\n".join(lines) + "\n")
        issued = stem.with_suffix(".pem")
        copy = [] if names else ["-copy_extensions", "copy"]
        self.openssl("x509", "-req", "-in", request, "-CA", self.ca.ca_file, "-CAkey", self.ca.ca_key, "-CAcreateserial",
                     "-days", days, digest, "-extfile", extensions, *copy, "-out", issued)
        return issued

    def key_and_request(self, name, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        key_file, request = self.folder / f"{name}.key", self.folder / f"{name}.csr"
        self.openssl("req", "-new", "-newkey", *key, "-nodes", "-subj", f"/CN={US}", "-keyout", key_file, "-out", request)
        return key_file, request

    @staticmethod
    def key_digest(certificate):
        """SHA-256 of its public key, as a TLSA record 3 1 1 has it."""
        key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], check=True, capture_output=True).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], check=True, capture_output=True, input=key).stdout
        return hashlib.sha256(der).hexdigest()


class FromNothing(Scene):
    """The whole way in three commands, and what is refused on it."""

    def setUp(self):
        super().setUp()
        self.ca = Authority(self.authority)

    def done(self, *words):
        code, answer = self.gatehouse.ctl(*words)
        self.assertEqual(code, 0, answer)
        return answer

    def refused(self, *words):
        code, answer = self.gatehouse.ctl(*words)
        self.assertEqual(code, 1, answer)
        return str(answer)

    def test_a_request_what_a_ca_issues_for_it_and_both_ports_show_it(self):
        request = self.ca.folder / "edge.csr"
        self.done("cert", "request", "edge", "--out", request)
        issued = self.ca.sign(request)  # by somebody else
        self.done("cert", "import", issued)
        self.done("cert", "assign", "edge")
        der = ssl.PEM_cert_to_DER_cert(issued.read_text())
        wait_until(lambda: self.shown() == [der] * 3, "every listener shows it", AT_ONCE_S)
        trusting = ssl.create_default_context(cafile=self.authority.ca_file)
        with socket.create_connection(("127.0.0.1", self.port("xmpps")), timeout=15) as line:
            trusting.wrap_socket(line, server_hostname=US).close()  # as a client of the web would judge it
        self.assertIn(self.ca.key_digest(issued), json.dumps(self.done("dns", "plan", "--tlsa", "--address", "192.0.2.10")))
        changes = [change for record in self.done("audit")["records"] for change in record.get("changes", ())]
        self.assertEqual([(change["key"], change["fields"][0]["after"]) for change in changes if change["kind"] == "slot"],
                         [("sip", "edge"), ("xmpp", "edge")])

    def test_what_peers_would_refuse_is_refused_with_its_own_words(self):
        key, request = self.ca.key_and_request("good")
        weak_key, weak_request = self.ca.key_and_request("weak", ("rsa:1024",))
        ours = {"names": [US, f"edge.{US}"]}
        cases = (
            ((request, key), {**ours, "days": 0}, "has expired"),
            ((request, key), {**ours, "digest": "-sha1"}, "is signed with ecdsa-sha1, which peers refuse"),
            ((weak_request, weak_key), ours, "has a key of type rsa-1024, which peers refuse"),
            ((request, key), {"names": ["other.example"]}, f"it names none of our domains, such as {US}"),
            ((request, key), {**ours, "purposes": "codeSigning"}, "neither for servers nor for clients"),
            ((request, weak_key), ours, "none of the certificates is for a key that is here"),
        )
        for (asked, with_key), how, words in cases:
            with self.subTest(words):
                self.assertIn(words, self.refused("cert", "import", self.ca.sign(asked, **how), with_key, "--name", "edge"))
        self.assertEqual(self.done("cert", "list").get("certificates", []), [])
        self.done("cert", "import", self.ca.sign(request, names=[f"sip.{US}"]), key, "--name", "edge")
        self.assertIn(f"does not fit slot xmpp: it does not name our domain {US}", self.refused("cert", "assign", "edge"))
        self.assertIn("is no name for a certificate", self.refused("cert", "request", "the edge"))
        self.assertEqual(self.shown(), [None] * 3)


class Revoked(Scene):
    def test_a_list_of_the_authority_ends_what_it_names(self):
        authority = Authority(self.authority)
        certificate = self.assigned()
        revoked_key, request = authority.key_and_request("old")
        old = authority.sign(request, names=[US])
        code, answer = self.gatehouse.ctl("cert", "import", old, revoked_key, "--name", "old")
        self.assertEqual(code, 0, answer)
        self.gatehouse.ctl("partner", "set", THEM, "--tls", "required", "--sasl", "required", "--dialback", "false")
        peer = self.proven()
        line = self.sip()[0]
        self.assertIn(b" 200 ", self.options(line))
        crl = self.authority.revoke(self.theirs[0], self.sip_peer[0], old)
        self.tls = f"  crl_file: {crl}\n"
        self.gatehouse.write_config(self.config())
        code, answer = self.gatehouse.ctl("reload")
        self.assertEqual(code, 0, answer)
        self.assertIn("<reset ", peer.hear("</stream:stream>"))
        self.gatehouse.wait_event("stream-closed", reason="certificate-revoked")
        answer = self.stream()[0].open()
        self.assertIn("<not-authorized ", answer)
        self.assertIn("your certificate has been revoked", answer)
        self.assertEqual(line.recv(1), b"", "what was open with the revoked certificate has ended")
        self.assertIn("revoked", self.gatehouse.wait_event("sip-peer-distrusted")["why"])
        wait_until(self.sip_is_refused, "SIP reads the list too")
        for words in (("cert", "assign", "old"), ("cert", "import", old, revoked_key, "--name", "again")):
            code, answer = self.gatehouse.ctl(*words)
            self.assertEqual(code, 1, answer)
            self.assertIn("has been revoked, says a list in tls.crl_file", str(answer))
        self.assertEqual(self.stream()[1], certificate.der)
        self.authority.revoke()
        self.gatehouse.ctl("reload")
        wait_until(lambda: "EXTERNAL" in self.stream()[0].open(), "it is taken for good again")

    def proven(self):
        peer, _ = self.stream()
        self.assertIn("EXTERNAL", peer.open())
        self.assertIn("success", peer.say(EXTERNAL, ">"))
        peer.open()
        return peer

    def sip_is_refused(self):
        try:
            line, _ = self.sip()
            line.settimeout(1)
            return line.recv(1) == b""  # TLS 1.3: the client is done before the server has judged it
        except TimeoutError:
            return False
        except OSError:
            return True


class RevokedInTheMiddle(Scene):
    """Name servers that are silent: a message to a partner takes its time."""

    def setUp(self):
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.silent.close)
        self.silent.bind(("127.0.0.1", 0))
        super().setUp()

    def config(self):
        silent = f'"127.0.0.1:{self.silent.getsockname()[1]}"'
        return super().config().replace('servers: ["127.0.0.1:9"]', f"servers: [{silent}]")

    def test_what_is_under_way_with_a_revoked_sip_peer_is_answered_before_the_end(self):
        self.assigned()
        line = self.sip()[0]
        line.settimeout(60)
        self.request(line, "MESSAGE", f"sip:ann@{US}", f"sip:romeo@{THEM}")
        wait_until(lambda: self.gatehouse.counter("sip_translator/0", "gatehouse_sip_requests_received_total") == 1, "taken")
        self.tls = f"  crl_file: {self.authority.revoke(self.sip_peer[0])}\n"
        self.gatehouse.write_config(self.config())
        self.assertEqual(self.gatehouse.ctl("reload")[0], 0)
        self.gatehouse.wait_event("sip-peer-distrusted")
        self.request(line, "OPTIONS", f"sip:{SIP_PEER}", f"sip:edge.{US}")
        heard = b""
        while part := line.recv(4096):
            heard += part
        statuses = {method: status for status, method in
                    re.findall(r"^SIP/2.0 ([2-6]\d\d) .*?^CSeq: 1 (\w+)", heard.decode(), re.MULTILINE | re.DOTALL)}
        self.assertEqual(statuses["OPTIONS"], "403", heard)
        self.assertIn(statuses["MESSAGE"], ("404", "408", "480"), heard)


class FromFiles(Scene):
    """Named in gatehouse.yaml: read again by a reload, counted down in both slots."""

    def setUp(self):
        self.files = [pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-files-")) / name for name in ("chain.pem", "key.pem")]
        self.tls = f"  chain_file: {self.files[0]}\n  key_file: {self.files[1]}\n"
        self.first = None
        super().setUp()

    def config(self):
        if self.first is None:
            self.first = self.put(self.ours())
        return super().config()

    def put(self, certificate):
        for file, content in zip(self.files, certificate.files):
            file.write_text(content)
        return certificate

    def test_a_reload_shows_the_new_ones_to_xmpp_and_sip(self):
        self.wait_shown(self.first, 20)
        line, _ = self.sip()
        second = self.put(self.ours())
        code, answer = self.gatehouse.ctl("reload")
        self.assertEqual(code, 0, answer)
        self.wait_shown(second)
        self.goes_on_over_sip(line)
        workers = self.gatehouse.workers()
        left = {counter["labels"]: counter["value"] for counter in workers["policy_engine/0"]["counters"]
                if counter["name"] == "gatehouse_certificate_expiry_seconds"}
        self.assertEqual(sorted(left), ['{slot="sip"}', '{slot="xmpp"}'])
        for seconds in left.values():
            self.assertAlmostEqual(seconds, 120 * 86400, delta=3600)

    def test_status_says_when_one_is_about_to_expire_or_has(self):
        self.assertEqual(self.notices(), [])
        for days, told in ((20, "ends in (19|20) days"), (-1, "has expired, and peers refuse it")):
            self.put(self.ours(days))
            code, answer = self.gatehouse.ctl("reload")
            self.assertEqual(code, 0, answer)
            all_of_it = f"slot xmpp: the certificate {told};.*\nslot sip: the certificate {told};.*"
            wait_until(lambda words=all_of_it: re.fullmatch(words, "\n".join(self.notices())), told)
            self.assertIn("gatehousectl cert list", self.notices()[0])


class NamedInTheConfiguration(Scene):
    tls = "  certificate: edge\n"

    def test_what_has_that_name_is_shown_in_both_slots(self):
        first, second = self.ours(), self.ours()
        self.control.install("edge", *first.files)
        self.wait_shown(first, 20)
        self.control.install("other", *second.files)
        self.control.assign("other", "sip")
        wait_until(lambda: self.sip()[1] == second.der, "SIP shows what is assigned to it")
        self.assertEqual(self.stream()[1], first.der)
        self.assertRaises(Refused, self.control.remove, "edge")


class Assigned(Scene):
    def test_the_next_handshake_sees_another_one_and_what_is_open_goes_on(self):
        first = self.assigned()
        (stream, _), (direct, _), (line, _) = self.stream(), self.direct(), self.sip()
        second = self.ours()
        self.control.install("edge", *second.files)
        self.wait_shown(second)
        self.assertNotEqual(first.der, second.der)
        self.goes_on(stream)
        self.goes_on(direct)
        self.goes_on_over_sip(line)

    def test_requests_that_come_in_one_piece_with_their_senders_end_are_answered(self):
        self.assigned()
        line = socket.create_connection(("127.0.0.1", self.port("sip")), timeout=15)
        self.addCleanup(line.close)
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = client_context(self.sip_peer).wrap_bio(heard, said, server_hostname=US)

        def until_done(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    line.sendall(said.read())
                    if not (received := line.recv(65536)):
                        return None
                    heard.write(received)

        until_done(session.do_handshake)
        line.sendall(said.read())
        for number in range(30):
            session.write((f"OPTIONS sip:{US} SIP/2.0\r\nVia: SIP/2.0/TLS {SIP_PEER};branch=z9hG4bK{number}\r\n"
                           f"Max-Forwards: 70\r\nFrom: <sip:{SIP_PEER}>;tag=a\r\nTo: <sip:{US}>\r\nCall-ID: {number}\r\n"
                           "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n").encode())
        with self.assertRaises(ssl.SSLWantReadError):
            session.unwrap()  # writes close_notify behind them
        answers = b""
        with contextlib.suppress(ssl.SSLZeroReturnError):
            while (piece := until_done(lambda: session.read(65536))):
                answers += piece
        self.assertEqual(answers.count(b"SIP/2.0 200 "), 30)

    def test_a_listener_that_was_killed_shows_it_from_its_first_handshake_on(self):
        certificate = self.assigned()
        for name, connect in (("tls_listener/0", self.stream), ("sip_translator/0", self.sip)):
            self.kill(name)
            end = time.monotonic() + 60
            while True:
                self.assertLess(time.monotonic(), end, name)
                try:
                    seen = connect()[1]
                except (OSError, AssertionError):  # nobody accepts yet
                    time.sleep(0.05)
                    continue
                self.assertEqual(seen, certificate.der)
                break

    def test_an_engine_that_dies_in_mid_change_leaves_a_whole_certificate(self):
        known = [self.assigned(), self.ours(), self.ours()]
        taken, over = [], threading.Event()

        def change():
            number = 0
            while not over.is_set():
                number += 1
                try:
                    self.control.install("edge", *known[number % 3].files)
                    taken.append(known[number % 3])
                except (Refused, OSError):
                    pass  # nobody knows whether that one was taken

        changer = threading.Thread(target=change)
        changer.start()
        try:
            for life in range(3):
                since, count = len(self.gatehouse.lines), len(taken)
                wait_until(lambda: len(taken) >= count + 2, "changes go on", 60)
                self.kill("policy_engine/0")
                self.gatehouse.wait_event("policy-published", since, 60)
                self.assertIn(self.stream()[1], [certificate.der for certificate in known], life)
        finally:
            over.set()
            changer.join()
        last = self.ours()
        wait_until(lambda: self.taken(last), "the engine takes changes again", 60)
        self.wait_shown(last, 20)

    def taken(self, certificate):
        try:
            return self.control.install("edge", *certificate.files)
        except (Refused, OSError):
            return None


if __name__ == "__main__":
    unittest.main(verbosity=2)
