"""What a revocation list of tls.crl_file ends: streams, SIP connections, and the use of a certificate of ours."""

import re
import socket
import unittest

from gatehouse import wait_until
from own_certificates import EXTERNAL, Scene, THEM, US, SIP_PEER
from signing_authority import Authority


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


if __name__ == "__main__":
    unittest.main(verbosity=2)
