"""What a partner's record can say beyond its row: wildcards, an end, what is denied, who is discovered, and records that
come from Lync."""

import asyncio
import collections
import json
import os
import pathlib
import re
import signal
import time
import unittest

from traffic import Edge, lab
from xmpp_partner import XmppPartner

PATIENCE_S = 30


class PartnerRecords(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.edge = await Edge.start("records")
        self.addAsyncCleanup(self.edge.stop)

    async def ctl(self, *words, check=True):
        return await asyncio.to_thread(self.edge.lab.ctl, *words, check=check)

    def peer(self, domain):
        authority = self.edge.lab.authority
        return XmppPartner(domain, *authority.issue(domain), authority.ca_file)

    async def refused(self, domain):
        """Once every listener says so."""
        for _ in range(100):
            try:
                stream = await self.peer(domain).connect(self.edge.lab.ports["xmpp"], lab.SIP_DOMAIN)
            except ConnectionError as problem:
                self.assertIn("policy-violation", str(problem))
                return
            stream.close()
            await asyncio.sleep(0.1)
        self.fail(f"{domain} is let in")

    async def end_of(self, stream):
        """The condition of the stream error that ends it."""
        while True:
            kind, element = await asyncio.wait_for(stream.next(), PATIENCE_S)
            if kind == "element" and element.local == "error":
                return element.children[0].local

    async def test_a_wildcard_lets_in_what_is_below_and_the_deny_list_goes_before_it(self):
        below = f"a.b.{lab.XMPP_DOMAIN}"
        await self.refused(below)
        await self.ctl("partner", "set", lab.XMPP_DOMAIN, "--additional-domains", f"*.{lab.XMPP_DOMAIN}")
        stream = await self.edge.connect(self.peer(below))
        await self.ctl("partner", "deny", below)
        self.assertEqual(await self.end_of(stream), "reset")
        await self.refused(below)
        (await self.edge.connect(self.peer(f"c.{lab.XMPP_DOMAIN}"))).close()
        await self.ctl("partner", "undeny", below)
        (await self.edge.connect(self.peer(below))).close()

    async def let_expire(self):
        """The partner, in a moment that is still to come when the command is there."""
        for ahead in (4, 8, 16):
            soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead))
            try:
                return await self.ctl("partner", "set", lab.XMPP_DOMAIN, "--expires", soon)
            except RuntimeError as problem:
                self.assertIn("would have expired", str(problem))
        self.fail("every command takes longer than 16 s")

    async def test_a_partner_expires_while_its_stream_is_up(self):
        stream = await self.edge.connect()
        await self.let_expire()
        self.assertEqual(await self.end_of(stream), "reset")
        await self.refused(lab.XMPP_DOMAIN)
        self.assertIn("expired", await self.ctl("partner", "list"))
        self.assertIn("expired", await self.ctl("partner", "explain", lab.XMPP_DOMAIN))
        await self.ctl("partner", "set", lab.XMPP_DOMAIN, "--expires", "never")
        (await self.edge.connect()).close()

    def snapshots(self):
        """How many workers have come to each revision of the policy."""
        seen = re.findall(r"policy-snapshot revision=(\d+)", self.edge.lab.gatehouse.text())
        return collections.Counter(int(revision) for revision in seen)

    async def test_a_partner_expires_though_the_engine_stands_still(self):
        stream = await self.edge.connect()
        before = self.snapshots()
        await self.let_expire()
        while self.snapshots()[max(before) + 1] < max(before.values()):  # one for each worker
            await asyncio.sleep(0.02)
        engine = await asyncio.to_thread(self.edge.lab.worker_pid, "policy_engine/0")
        os.kill(engine, signal.SIGSTOP)
        try:
            self.assertEqual(await self.end_of(stream), "reset")
            await self.refused(lab.XMPP_DOMAIN)
            state = pathlib.Path(f"/proc/{engine}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            self.assertEqual(state, "T", "the supervisor has not found it yet")
        finally:
            os.kill(engine, signal.SIGCONT)
        await self.ctl("partner", "set", lab.XMPP_DOMAIN, "--expires", "never")
        (await self.edge.connect()).close()

    async def test_who_knocks_is_discovered_without_being_told(self):
        stranger = "stranger.example"
        await self.refused(stranger)
        await self.ctl("gateway", "set", "--discover", "true")
        for _ in range(100):
            await self.refused(stranger)
            seen = json.loads(await self.ctl("partner", "discovered", "--json"))["strangers"]
            if seen:
                break
            await asyncio.sleep(0.1)
        self.assertEqual([each["domain"] for each in seen], [stranger])
        self.assertEqual(seen[0]["local_domain"], lab.SIP_DOMAIN)
        self.assertEqual(seen[0]["peer"], "127.0.0.1")
        self.assertRegex(await self.ctl("partner", "discovered"),
                         rf"certificate +chain valid; [0-9-]+ to [0-9-]+; sha256 [0-9a-f]{{64}}; by [^;]+; for {stranger}")
        await self.ctl("partner", "accept", stranger, "--type", "federated")
        (await self.edge.connect(self.peer(stranger))).close()
        self.assertEqual(json.loads(await self.ctl("partner", "discovered", "--json"))["strangers"], [])

    async def test_what_lync_exported_federates(self):
        await self.ctl("partner", "remove", lab.XMPP_DOMAIN)
        await self.ctl("policy", "set", "global", "--enable-xmpp-access", "false")
        await self.refused(lab.XMPP_DOMAIN)
        partners = self.edge.lab.folder / "partners.txt"
        partners.write_text(f"\r\nIdentity                   : {lab.XMPP_DOMAIN}\r\nPartnerType                : Federated\r\n"
                            "TlsNegotiation             : Required\r\nSaslNegotiation            : Optional\r\n"
                            "SupportDialbackNegotiation : True\r\n\r\n", encoding="utf-16")
        policies = self.edge.lab.folder / "policies.csv"
        policies.write_text('"Identity","EnableXmppAccess"\r\n"Global","True"\r\n', encoding="utf-8")
        said = await self.ctl("import", "lync", partners, policies, "--dry-run")
        self.assertIn("1 would be imported, 1 would be replaced, 0 unchanged; this was a dry run", said)
        await self.refused(lab.XMPP_DOMAIN)
        said = await self.ctl("import", "lync", partners, policies)
        self.assertIn(f"partner '{lab.XMPP_DOMAIN}' of {partners}: imported", said)
        stream = await self.edge.connect()
        self.edge.partner.message(stream, "romeo", f"ann@{lab.SIP_DOMAIN}", "n=1", "m1")
        for _ in range(PATIENCE_S * 100):
            if self.edge.sip.received:
                break
            await asyncio.sleep(0.01)
        self.assertEqual([body for _, _, body in self.edge.sip.received], ["n=1"])
        self.assertEqual(await self.edge.sip.send(f"sip:ann@{lab.SIP_DOMAIN}", f"sip:romeo@{lab.XMPP_DOMAIN}", "n=2"), 200)

        said = await self.ctl("import", "lync", partners, check=False)
        self.assertIn("refused: the partner exists already", said)
        self.assertIn("unchanged", await self.ctl("import", "lync", partners, "--replace"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
