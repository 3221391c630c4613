"""Whom Gatehouse believes: certificates of every kind shown to the running program, as a peer that connects and as one
that is connected to."""

import asyncio
import json
import pathlib
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
from gatehouse import BUILD  # noqa: E402
from xmpp_partner import STREAMS, TLS, XmppPartner  # noqa: E402

US, THEM = lab.SIP_DOMAIN, lab.XMPP_DOMAIN
SRV_ID = f"otherName:1.3.6.1.5.5.7.8.7;IA5STRING:_xmpp-server.{THEM}"
XMPP_ADDR = f"otherName:1.3.6.1.5.5.7.8.5;UTF8:{THEM}"

# What the certificate says, and whether it proves the partner (2.5).
CASES = {
    "dns name": ({"names": f"DNS:{THEM}"}, True),
    "dns name in capitals": ({"names": f"DNS:{THEM.upper()}"}, True),
    "one right name of many": ({"names": ",".join([f"DNS:d{n}.example" for n in range(200)] + [f"DNS:{THEM}"])}, True),
    "SRV-ID alone": ({"names": SRV_ID}, True),
    "XmppAddr alone": ({"names": XMPP_ADDR}, True),
    "SRV-ID of another service": ({"names": SRV_ID.replace("_xmpp-server", "_xmpp-client")}, False),
    "XmppAddr of a user": ({"names": XMPP_ADDR.replace("UTF8:", "UTF8:juliet@")}, False),
    "a name below": ({"names": f"DNS:chat.{THEM}"}, False),
    "wildcard for names below": ({"names": f"DNS:*.{THEM}"}, False),
    "wildcard right above the top": ({"names": "DNS:*.example"}, False),
    "another name": ({"names": "DNS:other.example"}, False),
    "common name alone": ({"subject": f"/CN={THEM}"}, False),
    "an address": ({"names": "IP:127.0.0.1"}, False),
    "server purpose alone": ({"names": f"DNS:{THEM}", "purpose": "serverAuth"}, True),
    "client purpose alone": ({"names": f"DNS:{THEM}", "purpose": "clientAuth"}, True),
    "another purpose": ({"names": f"DNS:{THEM}", "purpose": "codeSigning"}, False),
    "ended": ({"names": f"DNS:{THEM}", "days": -1}, False),
    "another authority": ({"names": f"DNS:{THEM}", "authority": "stranger"}, False),
    "signed by itself": ({"names": f"DNS:{THEM}", "authority": None}, False),
}
# A purpose OpenSSL will not even use in that role says nothing about Gatehouse.
NOT_AS_SERVER = {"client purpose alone", "another purpose"}


class Certificates:
    """Issues what a case asks for, below one folder."""

    def __init__(self, folder, authority):
        self.folder, self.count = folder, 0
        self.authorities = {"ours": authority, "stranger": lab.Authority(folder / "stranger", "Another CA")}

    def issue(self, names="", subject="/CN=partner", purpose="", days=30, authority="ours"):
        self.count += 1
        stem = self.folder / f"case{self.count}"
        request, chain, key, extensions = (f"{stem}.{end}" for end in ("csr", "crt", "key", "ext"))
        lines = ["keyUsage=digitalSignature"]
        if names:
            lines.append(f"subjectAltName={names}")
        if purpose:
            lines.append(f"extendedKeyUsage={purpose}")
        pathlib.Path(extensions).write_text("\n".join(lines) + "\n")
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                      "-keyout", key, "-out", request)
        signer = ("-signkey", key) if authority is None else (
            "-CA", self.authorities[authority].ca_file, "-CAkey", self.authorities[authority].ca_key, "-CAcreateserial")
        self._openssl("x509", "-req", "-in", request, *signer, "-days", days, "-extfile", extensions, "-out", chain)
        return pathlib.Path(chain), pathlib.Path(key)

    def issue_until(self, end, names):
        """One that ends at `end`, in Unix time."""
        _, key = self.issue(names=names)
        stem = key.with_suffix("")
        (self.folder / "index.txt").write_text("")
        (self.folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index.txt\nnew_certs_dir={self.folder}\n"
            "rand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=optional\n")
        self._openssl("ca", "-batch", "-config", self.folder / "ca.cnf", "-notext", "-in", f"{stem}.csr",
                      "-cert", self.authorities["ours"].ca_file, "-keyfile", self.authorities["ours"].ca_key,
                      "-extfile", f"{stem}.ext", "-startdate", "20200101000000Z",
                      "-enddate", time.strftime("%Y%m%d%H%M%SZ", time.gmtime(end)), "-out", f"{stem}.crt")
        return pathlib.Path(f"{stem}.crt"), key

    @staticmethod
    def _openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Peer:
    """One connection to Gatehouse, spoken by hand."""

    def __init__(self, port, ip="127.0.0.1"):
        self.socket = socket.create_connection((ip, port), timeout=15)

    def say(self, text, until):
        self.socket.sendall(text.encode())
        return self.hear(until)

    def hear(self, *until):
        """What comes, up to one of `until` or the end of the connection."""
        text = ""
        while not any(word in text for word in until):
            data = self.socket.recv(65536)
            if not data:
                break
            text += data.decode()
        return text

    def open(self, sender=THEM):
        return self.say(f"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='{STREAMS}' "
                        f"xmlns:db='jabber:server:dialback' from='{sender}' to='{US}' version='1.0'>", "</stream:")

    def start_tls(self, context, name=US, session=None):
        self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session)

    def close(self):
        self.socket.close()


def client_context(files=None, alpn=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if files:
        context.load_cert_chain(*files)
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


class Scene(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"gatehouse-{cls.__name__}-"))
        cls.lab = lab.Lab(folder, BUILD)
        cls.addClassCleanup(cls.lab.stop)
        cls.certificates = Certificates(folder / "ca", cls.lab.authority)
        cls.lab.start_dns()
        cls.lab.start_gatehouse(limits=("connections_per_minute: 100000", "unauthenticated_per_address: 1000"))
        cls.lab.add_partner()

    def starttls_features(self, files, context=None, session=None):
        """The features inside TLS for a peer that shows these files."""
        peer = Peer(self.lab.ports["xmpp"])
        self.addCleanup(peer.close)
        peer.open()
        self.assertIn("proceed", peer.say(f"<starttls xmlns='{TLS}'/>", ">"))
        peer.start_tls(context or client_context(files), session=session)
        return peer, peer.open()


class InboundCertificates(Scene):
    def test_external_is_offered_to_whom_the_certificate_proves_and_to_nobody_else(self):
        for name, (plan, proven) in CASES.items():
            with self.subTest(name):
                _, features = self.starttls_features(self.certificates.issue(**plan))
                self.assertIn("<stream:features>", features)
                self.assertEqual("EXTERNAL" in features, proven, features)

    def test_whoever_shows_nothing_is_offered_dialback_only(self):
        _, features = self.starttls_features(None)
        self.assertNotIn("EXTERNAL", features)
        self.assertIn("urn:xmpp:features:dialback", features)

    def test_external_that_was_not_offered_is_refused(self):
        peer, _ = self.starttls_features(self.certificates.issue(names="DNS:other.example"))
        answer = peer.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>", "</failure>")
        self.assertIn("not-authorized", answer)

    def test_anchors_of_the_partner_stand_in_place_of_ours_at_once(self):
        ours = self.certificates.issue(names=f"DNS:{THEM}")
        stranger = self.certificates.issue(names=f"DNS:{THEM}", authority="stranger")
        peer, _ = self.starttls_features(ours)
        peer.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>", "success")
        peer.open()
        self.lab.ctl("partner", "set", THEM, "--trust", self.certificates.authorities["stranger"].ca_file)
        self.addCleanup(self.lab.ctl, "partner", "set", THEM, "--trust", "")
        self.assertIn("<reset ", peer.hear("</stream:stream>"))
        self.assertNotIn("EXTERNAL", self.starttls_features(ours)[1])
        self.assertIn("EXTERNAL", self.starttls_features(stranger)[1])
        self.assertIn("own anchors, 1", self.lab.ctl("partner", "get", THEM))

    def test_a_stream_ends_with_the_certificate_that_proved_it(self):
        end = time.time() + 6
        peer, features = self.starttls_features(self.certificates.issue_until(end, f"DNS:{THEM}"))
        self.assertIn("EXTERNAL", features)
        peer.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>", "success")
        peer.open()
        self.assertIn("<reset ", peer.hear("</stream:stream>"))
        self.assertGreaterEqual(time.time(), end)

    def test_a_resumed_session_is_judged_by_the_anchors_in_force(self):
        context = client_context(self.certificates.issue(names=f"DNS:{THEM}"))
        peer, features = self.resumed(context)
        self.assertIn("EXTERNAL", features)
        self.lab.ctl("partner", "set", THEM, "--trust", self.certificates.authorities["stranger"].ca_file)
        self.addCleanup(self.lab.ctl, "partner", "set", THEM, "--trust", "")
        _, features = self.resumed(context)
        self.assertNotIn("EXTERNAL", features)

    def resumed(self, context):
        """A stream in a resumed session: tickets are good at the listener that gave them only, so it is tried often."""
        session = None
        for _ in range(40):
            peer, features = self.starttls_features(None, context, session)
            if peer.socket.session_reused:
                return peer, features
            session = peer.socket.session
        self.fail("no session was resumed")


class OutboundCertificates(Scene):
    """A partner that is connected to."""

    def certificate_step(self, files):
        partner = XmppPartner(THEM, *files, self.lab.authority.ca_file)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(partner.listen(self.lab.ports["s2s"]), loop).result(10)
            report = json.loads(self.lab.ctl("test", "stream", THEM, "--json", check=False))
            asyncio.run_coroutine_threadsafe(partner.stop(), loop).result(10)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
        return report["ok"], [step for step in report["steps"] if step["step"] == "certificate"][-1]

    def test_only_a_certificate_that_proves_the_partner_leads_to_external(self):
        for name, (plan, proven) in CASES.items():
            if name in NOT_AS_SERVER:
                continue
            with self.subTest(name):
                ok, step = self.certificate_step(self.certificates.issue(**plan))
                self.assertEqual(step["ok"], proven, step)
                self.assertEqual(ok, proven)  # this partner offers EXTERNAL and nothing else


    def test_one_that_its_authority_has_revoked_leads_nowhere(self):
        good, revoked = (self.certificates.issue(names=f"DNS:{THEM}") for _ in range(2))
        crl = self.lab.authority.revoke(revoked[0])
        config = self.lab.folder / "gatehouse.yaml"
        before = config.read_text()
        self.addCleanup(lambda: (config.write_text(before), self.lab.ctl("reload")))
        config.write_text(before.replace("tls:\n", f"tls:\n  crl_file: {crl}\n", 1))
        self.lab.ctl("reload")
        ok, step = self.certificate_step(revoked)
        self.assertFalse(ok or step["ok"], step)
        self.assertIn("not trusted: its authority has revoked it", step["detail"])
        self.assertTrue(self.certificate_step(good)[0])


class DirectTls(Scene):
    """2.15: TLS first."""

    def connect(self, name=US, alpn=None):
        peer = Peer(self.lab.ports["xmpps"])
        self.addCleanup(peer.close)
        peer.start_tls(client_context(self.certificates.issue(names=f"DNS:{THEM}"), alpn), name)
        return peer

    def alert(self, **wishes):
        with self.assertRaises(ssl.SSLError) as caught:
            self.connect(**wishes)
        return str(caught.exception).upper().replace(" ", "_")

    def test_a_stream_without_starttls_follows(self):
        peer = self.connect(alpn="xmpp-server")
        self.assertEqual(peer.socket.selected_alpn_protocol(), "xmpp-server")
        features = peer.open()
        self.assertIn("EXTERNAL", features)
        self.assertNotIn("starttls", features)
        self.assertIn("failure", peer.say(f"<starttls xmlns='{TLS}'/>", "</stream:stream>"))

    def test_the_protocol_may_be_left_unsaid(self):
        self.assertIn("EXTERNAL", self.connect().open())

    def test_another_protocol_or_name_meets_its_alert(self):
        self.assertIn("NO_APPLICATION_PROTOCOL", self.alert(alpn="h2"))
        self.assertIn("UNRECOGNIZED_NAME", self.alert(name="other.example"))
        self.assertIn("UNRECOGNIZED_NAME", self.alert(name=None))

    def test_plain_text_meets_the_end(self):
        peer = Peer(self.lab.ports["xmpps"])
        self.addCleanup(peer.close)
        try:
            self.assertNotIn("<stream:", peer.open())
        except ConnectionResetError:
            pass

    def test_a_row_without_tls_refuses_it(self):
        self.lab.ctl("partner", "set", THEM, "--tls", "not-supported")
        self.addCleanup(self.lab.ctl, "partner", "set", THEM, "--tls", "required")
        end = time.monotonic() + 20
        while "policy-violation" not in (answer := self.connect().open()):
            self.assertLess(time.monotonic(), end, answer)


if __name__ == "__main__":
    unittest.main(verbosity=2)
