"""The partner's zone of a lab, signed: NSD serves what ldns-signzone made, and Unbound in front of it validates with the
zone's key as trust anchor."""

import hashlib
import subprocess

from lab import SIP_DOMAIN, XMPP_DOMAIN, free_port, wait_until

# For a server with zones of one folder; its zones follow.
NSD = """\
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  xfrdir: "{folder}"
  server-count: 1
remote-control:
  control-enable: no
"""
NSD_ZONE = """\
zone:
  name: {zone}
  zonefile: "{file}"
"""

ZONE = """\
$ORIGIN {zone}.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
s2s A 127.0.0.1
_xmpp-server._tcp SRV 0 0 {port} s2s
{records}
"""

UNBOUND = """\
  do-not-query-localhost: no
  local-zone: "{zone}." transparent
  trust-anchor: "{anchor}"
stub-zone:
  name: "{zone}."
  stub-addr: 127.0.0.1@{port}
"""


def key_record(chain_file):
    """"3 1 1 DIGEST" of the first certificate in a PEM file."""
    key = subprocess.run(["openssl", "x509", "-in", chain_file, "-noout", "-pubkey"], check=True,
                         capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True,
                         capture_output=True).stdout
    return "3 1 1 " + hashlib.sha256(der).hexdigest()


class SignedDns:
    """In place of Lab.start_dns. `publish` may be called again: servers and caches start anew, at the same port."""

    def __init__(self, lab):
        self.lab, self.port = lab, free_port()
        self.folder = lab.folder / "zone"
        self.folder.mkdir()
        self.key = self._run("ldns-keygen", "-k", "-a", "ECDSAP256SHA256", XMPP_DOMAIN).strip()
        self.running = []

    def publish(self, tlsa=None, signed=True, spoil=None):
        """`tlsa`: "3 1 1 DIGEST". `spoil`: (from, to), changed in the zone after it was signed: its signature is broken."""
        self._stop()
        record = f"_{self.lab.ports['s2s']}._tcp.s2s TLSA {tlsa}" if tlsa else ""
        plain = self.folder / "plain.zone"
        plain.write_text(ZONE.format(zone=XMPP_DOMAIN, port=self.lab.ports["s2s"], records=record))
        file = plain
        if signed:
            file = self.folder / "signed.zone"
            self._run("ldns-signzone", "-n", "-f", file, plain, self.key)
        if spoil:
            text = file.read_text()
            if spoil[0] not in text:
                raise ValueError(f"not in the zone: {spoil[0]}")
            file.write_text(text.replace(*spoil))
        self._start(file, (self.folder / f"{self.key}.ds").read_text().strip().replace("\t", " ") if signed else None)

    def _start(self, file, anchor):
        conf = self.folder / "nsd.conf"
        conf.write_text(NSD.format(port=self.port, folder=self.folder) + NSD_ZONE.format(zone=XMPP_DOMAIN, file=file))
        more = UNBOUND.format(zone=XMPP_DOMAIN, port=self.port, anchor=anchor)
        if anchor is None:
            more = "\n".join(line for line in more.split("\n") if "trust-anchor" not in line)
        ours = f'  local-data: "edge.{SIP_DOMAIN}. A 127.0.0.1"\n' \
               f'  local-data: "_xmpp-server._tcp.{SIP_DOMAIN}. SRV 0 0 {self.lab.ports["xmpp"]} edge.{SIP_DOMAIN}."\n'
        self.running.append(self.lab.spawn("nsd", ["nsd", "-d", "-c", conf]))
        resolver = self.lab.start_unbound(ours + more, modules="validator iterator")
        self.running.append(resolver)
        wait_until(self._answers, 20, f"the zone is served; see {resolver.log}")

    def _answers(self):
        """NSD, asked itself: what Unbound had not got it would remember."""
        said = subprocess.run(["drill", "-p", str(self.port), "@127.0.0.1", XMPP_DOMAIN, "SOA"], check=False,
                              capture_output=True, text=True).stdout
        return "rcode: NOERROR" in said

    def _stop(self):
        for process in reversed(self.running):
            process.stop()
        self.running = []

    def _run(self, *words):
        return subprocess.run([str(word) for word in words], cwd=self.folder, check=True, capture_output=True,
                              text=True).stdout
