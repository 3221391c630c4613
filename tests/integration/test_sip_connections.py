"""Connections of SIP peers over TLS: what comes together with their end."""

import contextlib
import socket
import ssl
import unittest

from own_certificates import Scene, SIP_PEER, US
from test_certificates import client_context


class SipConnections(Scene):
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
