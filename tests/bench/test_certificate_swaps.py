"""Messages flow both ways on a thousand streams while our certificate is changed several times: each newcomer is shown the new
one, and no message is lost, doubled or put out of order."""

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
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("bench_run", str(HERE / "run"))
bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench_run", loader))
loader.exec_module(bench)
lab = bench.lab
sys.path.insert(0, str(HERE.parent / "fakes"))
from control_socket import CertificateControl  # noqa: E402

BUILD = pathlib.Path(os.environ.get("GATEHOUSE_BUILD", bench.ROOT / "build" / "release"))
PARTNERS = int(os.environ.get("PARTNERS", "500"))  # with a stream in each direction
SWAPS = 6
SECONDS = 20


class CertificateSwaps(unittest.TestCase):
    def setUp(self):
        self.edge = bench.BenchLab(tempfile.mkdtemp(prefix="gatehouse-swaps-"), BUILD)
        self.addCleanup(self.edge.stop)
        self.edge.start(PARTNERS, 0, "auto")
        self.control = CertificateControl(self.edge.folder / "run")

    def streams(self):
        return int(self.edge.status()["streams"])

    def shown(self):
        """To a newcomer."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.edge.ports['xmpp']}", "-starttls", "xmpp-server", "-xmpphost",
             lab.SIP_DOMAIN, "-servername", lab.SIP_DOMAIN], input=b"", capture_output=True, timeout=60)
        first = done.stdout.decode(errors="replace").partition("-----BEGIN CERTIFICATE-----")[2]
        return ssl.PEM_cert_to_DER_cert("-----BEGIN CERTIFICATE-----" + first.partition("-----END")[0] +
                                        "-----END CERTIFICATE-----\n")

    def live_everywhere(self, change):
        """Milliseconds from the change that was begun until the last worker that shows a certificate has the new one."""
        showing = sum(worker["name"].startswith(("tls_listener/", "sip_translator/"))
                      for worker in self.edge.status()["workers"])
        given = self.edge.gatehouse.text().count("certificate-given")
        begun = time.monotonic()
        change()
        lab.wait_until(lambda: self.edge.gatehouse.text().count("certificate-given") >= given + showing, 20,
                       "every worker was given the new certificate")
        return (time.monotonic() - begun) * 1000

    def test_no_message_is_lost_while_the_certificate_changes(self):
        options = argparse.Namespace(seconds=SECONDS, warm_up=3, pairs=2 * PARTNERS, stanza_bytes=290)
        threads = concurrent.futures.ThreadPoolExecutor(1)
        self.addCleanup(threads.shutdown)
        result = threads.submit(self.edge.drive, options, ["both:rate=500"])
        lab.wait_until(lambda: result.done() or self.streams() >= 2 * PARTNERS, 120, "every stream stands")
        took = []
        for swap in range(SWAPS):
            chain, key = (file.read_text() for file in self.edge.authority.issue(lab.SIP_DOMAIN))
            if swap == 0:
                self.control.install("edge", chain, key)
                took.append(self.live_everywhere(lambda: self.control.assign("edge")))
            else:
                took.append(self.live_everywhere(lambda files=(chain, key): self.control.install("edge", *files)))
            new = ssl.PEM_cert_to_DER_cert(chain)
            lab.wait_until(lambda: self.shown() == new, 20, "newcomers are shown the new certificate")
            self.assertFalse(result.done(), "messages flow all the while")
            self.assertGreaterEqual(self.streams(), 2 * PARTNERS)
        print("live in all workers after " + ", ".join(f"{each:.0f}" for each in took) + " ms", flush=True)
        found = result.result(180)
        self.assertEqual(list(bench.faults(found)), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
