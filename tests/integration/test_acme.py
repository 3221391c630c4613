"""A certificate that is got and renewed by ACME, from Pebble, the real test server: from an empty store to what partners are
shown."""

import os
import pathlib
import shutil
import signal
import socket
import ssl
import stat
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "deploy" / "lab")]

import lab  # noqa: E402
from acme_ca import EXTERNAL_KEYS, HOST, AcmeCa  # noqa: E402
from gatehouse import Gatehouse, wait_until  # noqa: E402
from test_certificates import TLS, Peer  # noqa: E402

US = lab.SIP_DOMAIN
CONFIG = """\
domains:
  - name: {us}
    next_hop: "sip:127.0.0.1:9;transport=tcp"
listen:
  xmpp: ["127.0.0.1:0"]
{http}dns:
  servers: ["{dns}"]
acme:
  directory: {directory}
  agree_to_terms: true
  contact: mailto:ops@{us}
  certificate: external-edge
  trust: {trust}
{acme}workers:
  - plugin: tls_listener
  - plugin: dialback_verifier
  - plugin: policy_engine
  - plugin: sip_translator
  - plugin: acme_client
"""
SOON_S = 60  # sanitizers on a busy machine


class Scene(unittest.TestCase):
    ca_options = {}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-acme-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.authority = lab.Authority(self.folder / "https")
        self.ca = AcmeCa(self.folder / "pebble", self.authority, **self.ca_options)
        self.addCleanup(self.ca.stop)

    def config(self, acme="", by_http=True):
        http = f'  http: ["127.0.0.1:{self.ca.http_port}"]\n' if by_http else ""
        return CONFIG.format(us=US, dns=self.ca.dns, directory=self.ca.directory, trust=self.authority.ca_file, http=http,
                             acme=acme)

    def start(self, acme="", by_http=True):
        self.gatehouse = Gatehouse(self.config(acme, by_http))
        self.addCleanup(self.gatehouse.close)
        self.gatehouse.start()
        self.gatehouse.wait_ready()
        self.gatehouse.ctl("partner", "new", lab.XMPP_DOMAIN, "--type", "federated", "--sasl", "optional")

    def renewed(self, since=0):
        return self.gatehouse.wait_event("certificate-renewed", since=since, seconds=SOON_S)

    def refused(self, since=0):
        return self.gatehouse.wait_event("certificate-not-renewed", since=since, seconds=SOON_S)

    def renewal(self):
        code, view = self.gatehouse.ctl("cert", "renewal")
        self.assertEqual(code, 0, view)
        return view

    def renew(self):
        return self.gatehouse.ctl("cert", "renew")

    def stream(self):
        """A stream inside TLS, and the certificate it was shown, which a browser's check finds good."""
        peer = Peer(int(self.gatehouse.listener("xmpp").rpartition(":")[2]))
        self.addCleanup(peer.close)
        peer.open()
        self.assertIn("proceed", peer.say(f"<starttls xmlns='{TLS}'/>", ">"))
        context = ssl.create_default_context(cadata=self.ca.root())
        peer.start_tls(context)
        return peer, peer.socket.getpeercert()

    def try_stream(self):
        try:
            return self.stream()
        except (OSError, AssertionError):
            return None

    def kill(self, name, number=signal.SIGKILL):
        pid = int(self.gatehouse.workers()[name]["pid"])
        os.kill(pid, number)
        return pid

    def wait_next_life(self, name, pid):
        def alive():
            worker = self.gatehouse.workers()[name]
            return worker["state"] == "ready" and int(worker["pid"]) != pid
        wait_until(alive, f"{name} lives again", SOON_S)


class ByHttp(Scene):
    def test_from_an_empty_store_to_what_partners_see_and_on_to_its_renewal(self):
        self.start()
        self.renewed()
        peer, first = wait_until(self.try_stream, "it is shown", 20)
        self.assertEqual(first["subjectAltName"], (("DNS", US),))
        listed = self.gatehouse.ctl("cert", "list")[1]["certificates"][0]
        self.assertEqual((listed["source"], listed["slots"], listed["key_type"]), ("acme", ["slot-xmpp"], "p-256"), listed)
        self.assertEqual(stat.S_IMODE((self.gatehouse.state_dir / "acme-account.key").stat().st_mode), 0o600)
        actors = {record["user"] for record in self.gatehouse.ctl("audit")[1]["records"]}
        self.assertIn("acme_client", actors)
        view = self.renewal()
        self.assertEqual((view["last_result"], view["failures"], view["state"]), ("renewed", 0, "waiting"), view)
        self.assertGreater(view["next_attempt_unix"], time.time() + 86400)

        code, answer = self.renew()
        self.assertEqual(code, 0, answer)
        self.assertIn("days left", answer["done"])
        reasons = [record.get("reason", "") for record in self.gatehouse.ctl("audit")[1]["records"]]
        self.assertTrue(any(reason.startswith("got by ACME, asked for by ") for reason in reasons), reasons)
        wait_until(lambda: self.stream()[1]["serialNumber"] != first["serialNumber"], "the new one is shown", 20)
        self.assertIn("features", peer.open())  # what was open goes on
        self.assertEqual(self.gatehouse.counter("acme_client/0", "gatehouse_acme_failures_in_row"), 0)

    def test_a_large_key_is_made_shown_and_kept_at_the_next_renewal(self):
        self.start("  key: rsa-4096\n")
        self.renewed()
        peer, _ = wait_until(self.try_stream, "it is shown", 20)
        self.assertIn("features", peer.open())
        listed = self.gatehouse.ctl("cert", "list")[1]["certificates"][0]
        self.assertEqual((listed["source"], listed["key_type"]), ("acme", "rsa-4096"))
        self.assertEqual(self.renew()[0], 0)
        self.assertEqual(self.gatehouse.ctl("cert", "list")[1]["certificates"][0]["key_type"], "rsa-4096")
        self.assertEqual(int(self.gatehouse.workers()["acme_client/0"]["restarts"]), 0, "making it has cost no life")

    def test_a_ca_whose_own_certificate_is_revoked_is_not_asked(self):
        crl = self.authority.revoke(self.authority.folder / f"{HOST}.crt")
        self.gatehouse = Gatehouse(self.config().replace("acme:\n", f"tls:\n  crl_file: {crl}\nacme:\n", 1))
        self.addCleanup(self.gatehouse.close)
        self.gatehouse.start()
        self.gatehouse.wait_ready()
        self.assertIn("revoked", self.refused()["why"])
        self.assertEqual(self.ca.orders(), 0)
        notices = self.gatehouse.ctl("status")[1]["notices"]
        self.assertTrue(any(" once: " in notice and "revoked" in notice for notice in notices), notices)
        self.authority.revoke()
        self.assertEqual(self.gatehouse.ctl("reload")[0], 0)
        code, answer = self.renew()
        self.assertEqual(code, 0, answer)

    def test_damaged_files_of_its_stop_the_renewal_and_nothing_else(self):
        self.start()
        self.renewed()
        state, account = (self.gatehouse.state_dir / name for name in ("acme-state", "acme-account.key"))
        state.write_bytes(b"x" * 100_000)
        pid = self.kill("acme_client/0")
        self.gatehouse.wait_event("acme-memory-void")
        self.wait_next_life("acme_client/0", pid)
        self.assertEqual(self.renew()[0], 0)
        self.assertEqual(self.renewal()["failures"], 0)

        account.chmod(0o644)
        pid = self.kill("acme_client/0")
        self.gatehouse.wait_event("acme-account-unusable")
        self.wait_next_life("acme_client/0", pid)
        code, answer = self.renew()
        self.assertEqual(code, 1, answer)
        self.assertIn("others than its owner may read it; chmod 600 it", answer)
        self.gatehouse.stop()  # nor does it stop a whole start
        self.gatehouse.lines.clear()
        self.gatehouse.start()
        self.gatehouse.wait_ready()
        wait_until(self.try_stream, "partners are served", 20)
        account.chmod(0o600)
        self.assertEqual(self.gatehouse.ctl("worker", "restart", "acme_client/0")[0], 0)
        self.assertEqual(self.renew()[0], 0)

    def test_the_worker_may_do_little_and_whoever_asks_it_gets_little(self):
        self.start()
        self.renewed()
        pid = self.gatehouse.workers()["acme_client/0"]["pid"]
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.assertIn("NoNewPrivs:\t1", status)
        self.assertIn("Seccomp:\t2", status)
        for request, answer in ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404 "),
                                (b"GET /.well-known/acme-challenge/../../etc/passwd HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 "),
                                (b"POST /.well-known/acme-challenge/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 405 "),
                                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"HTTP/1.1 400 "),
                                (b"GET / HTTP/1.1\r\nX: " + 20000 * b"a", b"HTTP/1.1 400 "),
                                (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 ")):
            with socket.create_connection(("127.0.0.1", self.ca.http_port), timeout=15) as line:
                line.sendall(request)
                heard = b""
                try:
                    while part := line.recv(65536):
                        heard += part
                except ConnectionError:  # it does not read what it will not hear
                    pass
                self.assertTrue(heard.startswith(answer), (request[:40], heard))
                self.assertEqual(heard.count(b"HTTP/1.1"), 1)
        with socket.create_connection(("127.0.0.1", self.ca.http_port), timeout=20) as line:
            begun = time.monotonic()
            line.sendall(b"GET / HT")
            self.assertEqual(line.recv(100), b"")  # given up
            self.assertLess(time.monotonic() - begun, 15)

    def test_another_directory_is_asked_at_once(self):
        other = AcmeCa(self.folder / "other", self.authority)
        self.addCleanup(other.stop)
        ports = f'"127.0.0.1:{self.ca.http_port}", "127.0.0.1:{other.http_port}"'

        def both(directory):
            return self.config().replace(f'"127.0.0.1:{self.ca.http_port}"', ports).replace(self.ca.directory, directory)

        self.gatehouse = Gatehouse(both(self.ca.directory))
        self.addCleanup(self.gatehouse.close)
        self.gatehouse.start()
        self.renewed()
        seen = len(self.gatehouse.lines)
        self.gatehouse.write_config(both(other.directory))
        self.assertEqual(self.gatehouse.ctl("reload")[0], 0)
        self.renewed(since=seen)
        self.assertEqual((self.ca.orders(), other.orders()), (1, 1))

    def test_what_a_wrong_clock_has_left_costs_a_week_at_most(self):
        self.gatehouse = Gatehouse(self.config())
        self.addCleanup(self.gatehouse.close)
        state = self.gatehouse.state_dir / "acme-state"
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text(f'directory: "{self.ca.directory}" failures: 1 last_result: "interrupted"\n'
                         "next_attempt_unix: 9000000000000000000\n")
        self.gatehouse.start()
        self.gatehouse.wait_ready()
        week = time.time() + 7 * 86400
        self.assertAlmostEqual(self.renewal()["next_attempt_unix"], week, delta=600)
        self.assertNotIn("9000000000000000000", state.read_text())
        self.assertEqual(self.ca.orders(), 0)
        code, answer = self.renew()
        self.assertEqual(code, 0, answer)

    def test_an_engine_that_does_not_answer_gets_it_when_it_lives_again(self):
        self.start()
        self.gatehouse.wait_event("acme-attempt", seconds=SOON_S)
        pid = self.kill("policy_engine/0", signal.SIGSTOP)  # the supervisor finds that out, and ends it
        self.renewed()
        self.wait_next_life("policy_engine/0", pid)
        wait_until(self.try_stream, "it is shown", 20)
        self.assertEqual(self.ca.orders(), 1)


class WithBadNonces(Scene):
    ca_options = {"environment": {"PEBBLE_WFE_NONCEREJECT": "30"}}

    def test_they_are_taken_again_at_once(self):
        self.start()
        self.renewed()
        self.assertEqual(self.ca.orders(), 1)


class Refused(Scene):
    # Slow validation leaves time to die in the middle of it.
    ca_options = {"environment": {"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "3"}}

    def test_it_is_told_why_and_not_tried_again_soon_whoever_dies(self):
        self.ca.address_of(US, "127.0.0.9")
        self.start()
        said = self.refused()
        self.assertIn(f"the CA could not validate '{US}' by http-01", said["why"])
        self.assertEqual(said["failures"], "1")
        self.assertGreater(self.renewal()["next_attempt_unix"], time.time() + 50 * 60)
        self.assertEqual(self.ca.orders(), 1)

        pid = self.kill("acme_client/0")
        self.wait_next_life("acme_client/0", pid)
        view = wait_until(lambda: (view := self.renewal())["last_result"] and view, "it remembers")
        self.assertEqual((view["failures"], view["last_result"]), (1, "failed"), view)
        self.assertEqual(self.ca.orders(), 1)

        code, answer = self.renew()
        self.assertEqual(code, 1, answer)
        self.assertIn("could not validate", answer)
        self.assertGreater(self.renewal()["next_attempt_unix"], time.time() + 100 * 60)  # doubled
        self.ca.address_of(US, "127.0.0.1")

    def test_what_was_got_for_a_name_that_is_another_one_by_now_is_dropped(self):
        self.start()
        wait_until(lambda: self.ca.orders() == 1, "it is ordered", SOON_S)
        self.gatehouse.write_config(self.config().replace("external-edge", "other-edge"))
        self.assertEqual(self.gatehouse.ctl("reload")[0], 0)
        self.assertEqual(self.renewed()["certificate"], "other-edge")
        listed = self.gatehouse.ctl("cert", "list")[1]["certificates"]
        self.assertEqual([one["name"] for one in listed], ["other-edge"])
        self.assertEqual(self.renewal()["failures"], 0)

    def test_a_death_in_the_middle_is_an_attempt_that_failed(self):
        self.start()
        self.gatehouse.wait_event("acme-attempt", seconds=SOON_S)
        wait_until(lambda: self.ca.orders() == 1, "it is ordered", SOON_S)
        pid = self.kill("acme_client/0")
        self.wait_next_life("acme_client/0", pid)
        said = self.refused()
        self.assertIn("in the middle", said["why"])
        self.assertEqual(self.renewal()["failures"], 1)
        self.assertEqual(self.ca.orders(), 1)
        code, answer = self.renew()  # the operator may
        self.assertEqual(code, 0, answer)
        self.assertEqual(self.renewal()["failures"], 0)


class ByDns(Scene):
    def acme(self):
        return f'  challenge: dns-01\n  dns_hook: {self.ca.hook()}\n  names: ["{US}", "*.{US}"]\n'

    def test_the_hook_puts_the_record_there_and_takes_it_away(self):
        self.start(self.acme(), by_http=False)
        self.renewed()
        _, shown = wait_until(self.try_stream, "it is shown", 20)
        self.assertEqual(set(shown["subjectAltName"]), {("DNS", US), ("DNS", f"*.{US}")})
        calls = self.ca.hook_calls()
        self.assertEqual([call[0] for call in calls], ["add", "add", "remove", "remove"])
        self.assertEqual({call[1] for call in calls}, {f"_acme-challenge.{US}"})
        for call in calls:
            self.assertEqual(set(call[3]) - {"LC_CTYPE"}, {"PATH"})
            self.assertFalse(call[4])
            self.assertLessEqual(call[5], 5)  # its own log and the folder it lists among them

    def test_a_hook_that_fails_is_quoted(self):
        acme = self.acme()
        self.ca.hook_fails(True)
        self.start(acme, by_http=False)
        said = self.refused()
        self.assertIn("ended with status 3: the zone is locked", said["why"])
        self.ca.hook_fails(False)
        code, answer = self.renew()
        self.assertEqual(code, 0, answer)

    def start_slowly(self):
        """In the middle of an attempt, with a record in the zone."""
        self.ca.stop()
        self.ca = AcmeCa(self.folder / "slow", self.authority,
                         environment={"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "10"})
        self.addCleanup(self.ca.stop)
        self.start(self.acme(), by_http=False)
        wait_until(self.ca.hook_calls, "a record is added", SOON_S)

    def removed(self):
        """Whether all that was added is removed."""
        calls = self.ca.hook_calls()
        return all(any(then[0] == "remove" and then[1:3] == call[1:3] for then in calls[at:])
                   for at, call in enumerate(calls) if call[0] == "add")

    def test_what_a_worker_that_died_has_added_is_removed(self):
        self.start_slowly()
        self.kill("acme_client/0")
        wait_until(self.removed, "it is removed", SOON_S)

    def test_it_is_removed_when_the_section_goes(self):
        self.start_slowly()
        before, _, rest = self.config(self.acme(), False).partition("acme:\n")
        self.gatehouse.write_config(before + rest[rest.index("workers:"):].replace("  - plugin: acme_client\n", ""))
        self.assertEqual(self.gatehouse.ctl("reload")[0], 0)
        wait_until(self.removed, "it is removed", SOON_S)

    def test_it_is_removed_at_the_end(self):
        self.start_slowly()
        self.assertEqual(self.gatehouse.stop(), 0)
        self.assertTrue(self.removed(), self.ca.hook_calls())


    def test_what_gatehoused_has_added_when_it_was_killed_is_removed_at_its_next_start(self):
        self.start_slowly()
        self.gatehouse.process.kill()
        self.gatehouse.wait_end()
        self.assertFalse(self.removed(), self.ca.hook_calls())
        self.assertIn(f"_acme-challenge.{US} ", (self.gatehouse.state_dir / "acme-records").read_text())
        self.gatehouse.start()
        wait_until(self.removed, "it is removed", SOON_S)
        wait_until(lambda: not (self.gatehouse.state_dir / "acme-records").read_text(), "nothing is left to remove")
        self.assertEqual(self.ca.orders(), 1)  # nor is the CA asked again at once


class ForKnownAccounts(Scene):
    ca_options = {"external": True}

    def test_the_ca_wants_an_account_it_knows(self):
        self.start()
        self.assertIn("acme.external_account", self.refused()["why"])
        key = self.folder / "eab.key"
        key.touch(0o600)
        key.write_text(EXTERNAL_KEYS["kid-1"] + "\n")
        self.gatehouse.write_config(self.config(f"  external_account: {{key_id: kid-1, key_file: {key}}}\n"))
        self.assertEqual(self.gatehouse.ctl("reload")[0], 0)
        code, answer = self.renew()
        self.assertEqual(code, 0, answer)


class OfShortLife(Scene):
    ca_options = {"validity_s": 45}

    def test_a_ca_whose_certificates_live_for_seconds_is_asked_once_an_hour(self):
        self.start()
        self.renewed()
        told = self.gatehouse.wait_event("certificate-short-lived")
        self.assertIn("once an hour", told["why"])
        self.assertLessEqual(int(told["seconds"]), 45)
        self.assertGreater(self.renewal()["next_attempt_unix"], time.time() + 55 * 60)
        self.assertEqual(self.renew()[0], 0)  # the operator may
        self.assertEqual(self.ca.orders(), 2)
        wait_until(lambda: self.end_of(self.gatehouse.ctl("cert", "list")[1]) < time.time(), "it has expired", SOON_S)
        code, status = self.gatehouse.ctl("status")
        self.assertEqual(code, 0, status)
        self.assertEqual(self.ca.orders(), 2)

        # An hour later, that is.
        state = self.gatehouse.state_dir / "acme-state"
        seen = len(self.gatehouse.lines)
        pid = self.kill("acme_client/0", signal.SIGSTOP)
        state.write_text("\n".join(line for line in state.read_text().splitlines() if not line.startswith("next_attempt")))
        os.kill(pid, signal.SIGKILL)
        self.renewed(since=seen)
        self.assertEqual(self.ca.orders(), 3)

    @staticmethod
    def end_of(listed):
        return int(listed["certificates"][0]["not_after_unix"])


if __name__ == "__main__":
    unittest.main()
