"""A Gatehouse that has certificates of its own given while it runs, and what each of its listeners shows."""

import os
import pathlib
import signal
import socket
import ssl
import sys
import tempfile
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

    def installed(self, certificate, name="edge"):
        """What is assigned is this one now; None: nobody knows, for the engine died or refused it."""
        try:
            return self.control.install(name, *certificate.files)
        except (Refused, OSError):
            return None

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
