"""What the scenes with real servers share: a lab per test class, one user at each side."""

import hashlib
import json
import os
import pathlib
import socket
import ssl
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "lab"))

import lab  # noqa: E402
from xmpp_user import XmppUser  # noqa: E402

BUILD = pathlib.Path(os.environ.get("GATEHOUSE_BUILD", ROOT / "build" / "release"))


class Scene(unittest.TestCase):
    """Subclasses start their partner in `start_partner` and say in `row` how Gatehouse shall negotiate with it."""

    row = {}
    wire = {}  # of lab.Lab: where and how the XMPP servers meet
    edge = {}  # of lab.Lab.start_gatehouse

    @classmethod
    def start_partner(cls):
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab(tempfile.mkdtemp(prefix=f"gatehouse-{cls.__name__}-"), BUILD, **cls.wire)
        cls.addClassCleanup(cls.lab.stop)
        cls.lab.start_dns()
        cls.start_partner()
        cls.lab.start_kamailio()
        cls.lab.start_gatehouse(**cls.edge)
        cls.lab.add_partner(**cls.row)
        cls.ann = cls.lab.sip_user("ann")
        cls.romeo = XmppUser(f"romeo@{lab.XMPP_DOMAIN}/laptop", lab.PASSWORD, cls.lab.ports["c2s"],
                             cls.lab.authority.ca_file)
        cls.addClassCleanup(cls.romeo.close)

    def xmpp_to_sip(self, text):
        self.romeo.send(f"ann@{lab.SIP_DOMAIN}", text)
        self.ann.wait_for(f"Message received from <sip:romeo@{lab.XMPP_DOMAIN};gr=laptop>: {text}", 40)

    def sip_to_xmpp(self, text):
        self.ann.say(f"chat sip:romeo@{lab.XMPP_DOMAIN} {text}")
        message = self.romeo.receive(40)
        self.assertEqual(message["body"], text)
        self.assertNotEqual(message["type"], "error")
        self.assertEqual(message["from"].bare, f"ann@{lab.SIP_DOMAIN}")

    def resumes(self):
        """Opens streams to the partner until one resumed a TLS session: tickets stay with the listener that got them."""
        for _ in range(12):
            report = json.loads(self.lab.ctl("test", "stream", lab.XMPP_DOMAIN, "--json"))
            self.assertTrue(report["ok"], report)
            if any(step["step"] == "tls" and "resumed" in step["detail"] for step in report["steps"]):
                return True
        return False

    def shown_sha256(self):
        """Of the certificate that Gatehouse shows."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.lab.ports["xmpps"]), 20) as line:
            with context.wrap_socket(line, server_hostname=lab.SIP_DOMAIN) as inside:
                return hashlib.sha256(inside.getpeercert(binary_form=True)).hexdigest()

    def methods_used(self):
        """The authentication methods of the streams Gatehouse has opened and accepted, by its own log."""
        words = self.lab.gatehouse.text().split()
        return {word.removeprefix("method=") for word in words if word.startswith("method=")}
