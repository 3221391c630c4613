"""Pebble, the real ACME test server, with the DNS that it and Gatehouse ask, all on loopback ports of its own.

    ca = AcmeCa(folder, authority)
    ca.address_of("contoso.example", "127.0.0.9")  # every other name is at 127.0.0.1
"""

import json
import pathlib
import ssl
import sys
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy" / "lab"))

from lab import Process, free_port, port_answers, wait_until  # noqa: E402

HOST = "ca.clean.example"
# Pebble's example key, of its own documentation.
EXTERNAL_KEYS = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}

# An operator's program: writes each call down and tells the name server.
HOOK = """\
#!/usr/bin/python3
import json, os, pathlib, sys, urllib.request
folder = pathlib.Path({folder!r})
verb, name, value = sys.argv[1:]
with open(folder / "hook.log", "a") as log:
    descriptors = sorted(os.listdir("/proc/self/fd"), key=int)
    print(json.dumps([verb, name, value, dict(os.environ), os.isatty(0), len(descriptors)]), file=log)
if (folder / "hook.fails").exists():
    print("first line", file=sys.stderr)
    print("the zone is locked", file=sys.stderr)
    sys.exit(3)
what = {{"host": name + ".", "value": value}}
urllib.request.urlopen({management!r} + ("/set-txt" if verb == "add" else "/clear-txt"), json.dumps(what).encode())
"""


class AcmeCa:
    def __init__(self, folder, authority, external=False, validity_s=None, environment=None):
        """`authority` vouches for its HTTPS, not for what it issues."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port, self.roots_port, self.http_port = free_port(), free_port(), free_port()
        self.dns_port, self.management_port = free_port(), free_port()
        self.directory = f"https://{HOST}:{self.port}/dir"
        self.dns = f"127.0.0.1:{self.dns_port}"
        self.management = f"http://127.0.0.1:{self.management_port}"
        chain, key = authority.issue(HOST)
        config = {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.roots_port}",
                  "certificate": str(chain), "privateKey": str(key), "httpPort": self.http_port, "tlsPort": free_port(),
                  "ocspResponderURL": "", "externalAccountBindingRequired": external}
        if external:
            config["externalAccountMACKeys"] = EXTERNAL_KEYS
        if validity_s:
            config["certificateValidityPeriod"] = validity_s
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        self.names = Process("challtestsrv", ["pebble-challtestsrv", "-dns01", self.dns, "-management",
                                              f"127.0.0.1:{self.management_port}", "-http01", "", "-https01", "",
                                              "-tlsalpn01", "", "-defaultIPv6", ""], self.folder)
        self.pebble = Process("pebble", ["pebble", "-config", self.folder / "pebble.json", "-dnsserver", self.dns],
                              self.folder, {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", **(environment or {})})
        for port in (self.port, self.roots_port, self.management_port):
            wait_until(lambda port=port: port_answers(port), 20, f"port {port} answers; see {self.folder}")

    def stop(self):
        self.pebble.stop()
        self.names.stop()

    def root(self):
        """In PEM; of what is issued."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with urllib.request.urlopen(f"https://127.0.0.1:{self.roots_port}/roots/0", context=context) as answer:
            return answer.read().decode()

    def address_of(self, name, address):
        what = {"host": name + ".", "addresses": [address]}
        urllib.request.urlopen(self.management + "/add-a", json.dumps(what).encode()).close()

    def orders(self):
        """How many were begun."""
        return self.pebble.text().count("Added order ")

    def hook(self):
        """A program for dns-01, and the calls it has seen."""
        file = self.folder / "hook"
        file.write_text(HOOK.format(folder=str(self.folder), management=self.management))
        file.chmod(0o755)
        return file

    def hook_calls(self):
        log = self.folder / "hook.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def hook_fails(self, fails):
        flag = self.folder / "hook.fails"
        flag.touch() if fails else flag.unlink()
