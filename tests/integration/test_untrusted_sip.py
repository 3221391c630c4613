"""SIP peers that nobody named in sip.trusted_peers: what an operator sees of them, in the log and in status."""

import contextlib
import socket
import subprocess
import unittest

from gatehouse import GATEHOUSECTL, wait_until
from own_certificates import Scene, SIP_PEER, US
from test_certificates import client_context


class UntrustedSip(Scene):
    def config(self):
        return super().config().replace('sip: ["tls:127.0.0.1:0"]', 'sip: ["tls:127.0.0.1:0", "tcp:127.0.0.1:0"]')

    def sip_ports(self):
        """By transport."""
        wait_until(lambda: len(self.gatehouse.events("listening")) >= 4, "all listeners")
        found = [event["address"] for event in self.gatehouse.events("listening") if event["kind"] == "sip"]
        return {address.partition(":")[0]: int(address.rpartition(":")[2]) for address in found}

    def port(self, kind):
        return self.sip_ports()["tls"] if kind == "sip" else super().port(kind)

    def by_tcp(self):
        with socket.create_connection(("127.0.0.1", self.sip_ports()["tcp"]), timeout=15) as line:
            return self.options(line)

    def by_tls(self, files):
        with socket.create_connection(("127.0.0.1", self.sip_ports()["tls"]), timeout=15) as plain, \
                contextlib.suppress(OSError):
            with client_context(files).wrap_socket(plain, server_hostname=US) as line:
                line.recv(1)

    def test_who_comes_by_tcp_is_named_with_what_to_write_and_let_in_once_it_is_written(self):
        notices = self.notices()
        self.assertTrue(any(notice.startswith("sip.trusted_peers has no network") for notice in notices), notices)
        checked = subprocess.run([GATEHOUSECTL, "config", "check", self.gatehouse.config_file], check=False,
                                 capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("key 'sip.trusted_peers': has no network", checked.stdout + checked.stderr)
        self.assertIn(b"SIP/2.0 403", self.by_tcp())
        told = self.gatehouse.wait_event("request-refused", reason="untrusted-peer")
        self.assertTrue(told["peer"].startswith("127.0.0.1:"), told)
        self.assertIn('add "127.0.0.1" or its network to sip.trusted_peers', told["remedy"])
        self.assertTrue(any(notice.startswith("a request or connection of SIP peers") for notice in self.notices()))
        self.gatehouse.write_config(self.config().replace(f'["{SIP_PEER}"]', f'["{SIP_PEER}", "127.0.0.1"]'))
        self.assertEqual(self.gatehouse.ctl("reload")[0], 0)
        self.assertIn(b"SIP/2.0 200", self.by_tcp())
        self.assertFalse(any("no network" in notice for notice in self.notices()))

    def test_who_comes_by_tls_is_named_by_what_it_shows(self):
        self.assigned()
        other = self.authority.issue("other.contoso.example")
        for files, names, remedy in ((None, "", "let it show a certificate"),
                                     (other, "other.contoso.example", "one of the names it shows")):
            with self.subTest(names):
                seen = len(self.gatehouse.lines)
                self.by_tls(files)
                told = self.gatehouse.wait_event("sip-connection-refused", since=seen, reason="untrusted-peer")
                self.assertEqual(told["names"], names)
                self.assertTrue(told["peer"].startswith("127.0.0.1:"), told)
                self.assertIn(remedy, told["remedy"])
        self.assertTrue(any(notice.startswith("2 requests or connections of SIP peers") for notice in self.notices()))

    def test_listeners_that_are_drained_are_told_with_the_way_back(self):
        self.assigned()
        self.assertEqual(self.gatehouse.ctl("worker", "drain", "tls_listener/0")[0], 0)
        told = [notice for notice in self.notices() if notice.startswith("tls_listener is stopped")]
        self.assertEqual(len(told), 1, self.notices())
        self.assertIn("nobody listens on xmpp 127.0.0.1:0, xmpps 127.0.0.1:0; start it with gatehousectl worker restart "
                      "tls_listener/0", told[0])
        self.assertEqual(self.gatehouse.ctl("worker", "restart", "tls_listener/0")[0], 0)
        self.assertFalse([notice for notice in self.notices() if "stopped" in notice])


if __name__ == "__main__":
    unittest.main(verbosity=2)
