"""A reload under a thousand live, authenticated streams drops none of them, though the certificate is another one."""

import argparse
import concurrent.futures
import importlib.machinery
import importlib.util
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("bench_run", str(HERE / "run"))
bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_run", loader))
loader.exec_module(bench)
lab = bench.lab

BUILD = pathlib.Path(os.environ.get("GATEHOUSE_BUILD", bench.ROOT / "build" / "release"))
STREAMS = 1000
IDLE_SECONDS = 20  # the streams stand this long; the reloads take a second or two of it


class Reload(unittest.TestCase):
    def start(self, crowd):
        """The future result of a crowd of streams that all stand now, and whom they lead to."""
        edge = bench.BenchLab(tempfile.mkdtemp(prefix="gatehouse-reload-"), BUILD)
        self.addCleanup(edge.stop)
        edge.start(1, bench.crowd_domains([crowd]), "auto")
        options = argparse.Namespace(seconds=IDLE_SECONDS, warm_up=1, pairs=1, stanza_bytes=290)
        threads = concurrent.futures.ThreadPoolExecutor(1)
        self.addCleanup(threads.shutdown)
        result = threads.submit(edge.drive, options, [crowd])
        lab.wait_until(lambda: result.done() or int(edge.status()["streams"]) >= STREAMS, 120, "every stream stands")
        return edge, result

    def serial(self, edge):
        """Of the certificate that a new stream is shown."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.ports['xmpp']}", "-starttls", "xmpp-server", "-xmpphost",
             lab.SIP_DOMAIN, "-servername", lab.SIP_DOMAIN], input=b"", capture_output=True, timeout=60)
        first = done.stdout.decode(errors="replace").partition("-----BEGIN CERTIFICATE-----")[2]
        der = ssl.PEM_cert_to_DER_cert("-----BEGIN CERTIFICATE-----" + first.partition("-----END")[0] +
                                       "-----END CERTIFICATE-----\n")
        return der

    def reload_under(self, crowd):
        edge, result = self.start(crowd)
        edge.ctl("reload")
        before = self.serial(edge)
        edge.authority.issue(lab.SIP_DOMAIN)  # in place of the files Gatehouse has read
        edge.ctl("reload")
        lab.wait_until(lambda: self.serial(edge) != before, 20, "newcomers are shown the new certificate")
        self.assertFalse(result.done(), "the streams stood all the while")
        self.assertGreaterEqual(int(edge.status()["streams"]), STREAMS)
        found = result.result(180)[0]  # fails where a stream closed
        self.assertEqual((found["streams"], found["left_while_idle"]), (STREAMS, 0))

    def test_streams_of_the_partner_stay(self):
        self.reload_under(f"idle:in={STREAMS}")

    def test_streams_of_ours_stay(self):
        self.reload_under(f"idle:out={STREAMS}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
