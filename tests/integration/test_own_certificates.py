"""The certificates Gatehouse shows of its own: assigned in the store while it runs, seen by the next handshake, without an
end to what is open."""

import json
import pathlib
import re
import socket
import ssl
import tempfile
import threading
import time
import unittest

from gatehouse import wait_until
from own_certificates import AT_ONCE_S, Scene, US
from signing_authority import Authority
from test_certificates import Peer


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
        code, answer = self.gatehouse.ctl("cert", "remove", "edge")
        self.assertEqual(code, 1, answer)


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
                if self.installed(known[number % 3]) is not None:
                    taken.append(known[number % 3])

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
        wait_until(lambda: self.installed(last), "the engine takes changes again", 60)
        self.wait_shown(last, 20)


if __name__ == "__main__":
    unittest.main(verbosity=2)
