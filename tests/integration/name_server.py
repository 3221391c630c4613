"""NSD with zones of a test, on a loopback port."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy" / "lab"))

from lab import Process, free_port, wait_until  # noqa: E402
from signed_dns import NSD, NSD_ZONE  # noqa: E402

HEAD = """\
$ORIGIN {zone}.
$TTL 60
@ SOA ns.clean.example. hostmaster.clean.example. 1 3600 600 86400 60
@ NS ns.clean.example.
"""


class NameServer:
    """`zones`: the records of each by its name, without SOA and NS; None: a zone it should serve and cannot. `signed`:
    names of zones that are signed, by a key nobody trusts."""

    def __init__(self, folder, zones, signed=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        conf = NSD.format(port=self.port, folder=self.folder)
        for zone, records in zones.items():
            file = self.folder / f"{zone}.zone"
            if records is not None:
                file.write_text(HEAD.format(zone=zone) + records + "\n")
            if zone in signed:
                file = self._sign(zone, file)
            conf += NSD_ZONE.format(zone=zone, file=file)
        (self.folder / "nsd.conf").write_text(conf)
        self.process = Process("nsd", ["nsd", "-d", "-c", self.folder / "nsd.conf"], self.folder)
        first = next(iter(zones))
        wait_until(lambda: "rcode: NOERROR" in self._drill(first), 20, f"NSD answers; see {self.process.log}")

    def stop(self):
        self.process.stop()

    def _drill(self, name):
        return subprocess.run(["drill", "-p", str(self.port), "@127.0.0.1", name, "SOA"], check=False, capture_output=True,
                              text=True).stdout

    def _sign(self, zone, file):
        def run(*words):
            return subprocess.run([str(word) for word in words], cwd=self.folder, check=True, capture_output=True,
                                  text=True).stdout
        key = run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", zone).strip()
        signed = self.folder / f"{zone}.signed"
        run("ldns-signzone", "-n", "-f", signed, file, key)
        return signed
