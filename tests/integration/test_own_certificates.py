"""The certificates Gatehouse shows of its own: assigned in the store while it runs, seen by the next handshake, without an
end to what is open."""

import os
import pathlib
import signal
import socket
import ssl
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
workers:
  - plugin: tls_listener
  - plugin: dialback_verifier
  - plugin: policy_engine
  - plugin: sip_translator
"""


class Certificate:
    """One of ours: its PEM texts, and how a peer sees it."""

    def __init__(self, authority, *names):
        chain, key = authority.issue(*names)
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

    def ours(self):
        return Certificate(self.authority, US, f"edge.{US}")

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

    def shown(self):
        """By each listener, to who comes now; none where a connection ends before that."""
        seen = []
        for connect in (self.stream, self.direct, self.sip):
            try:
                seen.append(connect()[1])
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
        certificate = self.assigned()
        self.assertEqual(self.gatehouse.counter("tls_listener/0", "gatehouse_certificate_missing"), 0)
        self.goes_on(self.stream()[0])
        self.assertIsNotNone(certificate)


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
