"""Streams in clear to a partner whose server had TLS are refused: also after every process that saw it has died, and until
the operator lets it be forgotten."""

import asyncio
import json
import os
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "deploy" / "lab"), str(HERE.parent / "fakes")]

import lab  # noqa: E402
from gatehouse import BUILD  # noqa: E402
from xmpp_partner import STREAMS, XmppPartner  # noqa: E402

US, THEM = lab.SIP_DOMAIN, lab.XMPP_DOMAIN


class PartnerWithTls:
    """The partner as it was: its server proves itself with a certificate."""

    def __init__(self, port, files, ca_file):
        self.partner = XmppPartner(THEM, *files, ca_file)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self._run(self.partner.listen(port))

    def _run(self, what):
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(10)

    def close(self):
        self._run(self.partner.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()


class PartnerInClear:
    """Who stands in its place: takes every dialback key, and keeps what it heard."""

    def __init__(self, port):
        self.heard = ""
        self.listener = socket.create_server(("127.0.0.1", port))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                self._speak(peer)

    def _speak(self, peer):
        peer.settimeout(20)
        peer.recv(65536)
        peer.sendall(f"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='{STREAMS}' "
                     f"xmlns:db='jabber:server:dialback' from='{THEM}' to='{US}' id='i1' version='1.0'><stream:features>"
                     "<dialback xmlns='urn:xmpp:features:dialback'/></stream:features>".encode())
        while data := peer.recv(65536):
            self.heard += data.decode()
            if "<db:result" in self.heard:
                peer.sendall(f"<db:result from='{THEM}' to='{US}' type='valid'/>".encode())
            if "</stream:stream>" in self.heard:
                return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(10)


class Downgrade(unittest.TestCase):
    def setUp(self):
        self.lab = lab.Lab(pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-downgrade-")), BUILD)
        self.addCleanup(self.lab.stop)
        self.lab.start_dns()
        self.lab.start_gatehouse()
        self.lab.add_partner(tls="optional", sasl="optional", dialback="true")

    def explain(self):
        return json.loads(self.lab.ctl("partner", "explain", THEM, "--json"))

    def try_stream(self):
        return json.loads(self.lab.ctl("test", "stream", THEM, "--json", check=False))

    def workers(self, plugin):
        return {int(worker["pid"]) for worker in self.lab.status()["workers"] if worker["plugin"] == plugin}

    def kill(self, plugin):
        killed = self.workers(plugin)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        lab.wait_until(lambda: not self.workers(plugin) & killed, 20, f"the death of {plugin} is seen")

    def try_stream_by_policy(self):
        """A listener reborn answers at once, but knows of no partner before the policy engine told it."""
        reports = []

        def has_policy():
            reports.append(self.try_stream())
            return reports[-1].get("reason") != "no policy snapshot yet"

        lab.wait_until(has_policy, 20, "the listener has a policy again")
        return reports[-1]

    def test_tls_once_seen_is_remembered_until_it_is_forgotten(self):
        self.assertEqual(int(self.explain()["clear_refused_until_unix"]), 0)
        files = self.lab.authority.issue(THEM)
        partner = PartnerWithTls(self.lab.ports["s2s"], files, self.lab.authority.ca_file)
        self.lab.ctl("test", "im", "--from", f"sip:ann@{US}", "--to", f"romeo@{THEM}")
        lab.wait_until(lambda: int(self.explain()["clear_refused_until_unix"]), 20, "the success over TLS is stored")
        last = self.explain()["last_streams"][0]
        self.assertEqual((last["method"], last["tls"], last["outbound"]), ("sasl_tls", "TLSv1.3", True))
        partner.close()

        self.kill("tls_listener")
        self.kill("policy_engine")
        lab.wait_until(self.lab._all_ready, 30, "all workers are back")
        until = int(self.explain()["clear_refused_until_unix"])
        self.assertAlmostEqual(until, time.time() + 30 * 86400, delta=300)

        impostor = PartnerInClear(self.lab.ports["s2s"])
        self.addCleanup(impostor.close)
        report = self.try_stream_by_policy()
        self.assertFalse(report["ok"])
        self.assertIn("within the last 30 days", report["reason"])
        self.assertNotIn("db:result", impostor.heard)

        self.lab.ctl("partner", "forget-tls", THEM)
        self.assertTrue(lab.wait_until(lambda: self.try_stream()["ok"], 20, "a stream in clear is possible again"))
        self.assertIn("db:result", impostor.heard)


if __name__ == "__main__":
    unittest.main(verbosity=2)
