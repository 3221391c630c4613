"""Who of ours may use XMPP: nobody in a new store, then whom a policy lets; and the master switch for all."""

import asyncio
import contextlib
import re
import sqlite3
import unittest

from traffic import Edge, lab

PATIENCE_S = 30
ANN, BOB = (f"{user}@{lab.SIP_DOMAIN}" for user in ("ann", "bob"))
ROMEO = f"romeo@{lab.XMPP_DOMAIN}"
# What makes a store of today one of schema 9.
OLDER = """
ALTER TABLE gateway DROP COLUMN synthetic_interval_s;
ALTER TABLE record_change DROP COLUMN sets;
ALTER TABLE contact DROP COLUMN guard;
DROP TABLE denied_domain;
ALTER TABLE partner DROP COLUMN expires_unix;
ALTER TABLE gateway DROP COLUMN discover;
ALTER TABLE gateway DROP COLUMN federation;
DROP TABLE access_grant;
DROP TABLE access_policy;
DROP TABLE certificate_slot;
DROP TABLE certificate;
DROP TABLE partner_type;
ALTER TABLE partner DROP COLUMN own_type;
DROP TABLE sweep_reading;
ALTER TABLE store_state DROP COLUMN swept_to;
PRAGMA user_version = 9;
"""


class Access(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.edge = await Edge.start("access")
        self.addAsyncCleanup(self.edge.stop)
        self.stream = await self.edge.connect()
        self.said = 0

    async def ctl(self, *words):
        return await asyncio.to_thread(self.edge.lab.ctl, *words)

    async def written_to(self, user):
        """What becomes of a message of Romeo's: "arrived", or the condition of the error he gets."""
        self.said += 1
        body, identity = f"n={self.said}", f"m{self.said}"
        self.edge.partner.message(self.stream, "romeo", user, body, identity)
        for _ in range(PATIENCE_S * 100):
            if any(text == body for _, _, text in self.edge.sip.received):
                return "arrived"
            error = self.error_of(identity)
            if error:
                return error.children[0].local
            await asyncio.sleep(0.01)
        return "nothing"

    def error_of(self, identity):
        return next((element.child("error") for element in self.edge.partner.received
                     if element.attributes.get("id") == identity), None)

    async def error_to(self, user):
        """All that the error to a message of Romeo's says, but for the number of the refusal."""
        await self.written_to(user)
        error = self.error_of(f"m{self.said}")
        return error and (error.attributes, [(child.name, re.sub(r" \([0-9a-z]{8}\)$", "", child.text)) for child in error.children])

    async def written_by(self, user):
        """The final status of a MESSAGE of this user to Romeo."""
        self.said += 1
        return await self.edge.sip.send(f"sip:{user}", f"sip:{ROMEO}", f"n={self.said}")

    async def until(self, wanted, what):
        """A change is live once its snapshot is with every worker."""
        for _ in range(100):
            answer = await what()
            if answer == wanted:
                return
            await asyncio.sleep(0.05)
        self.assertEqual(answer, wanted)

    async def test_the_narrowest_policy_says_who_may_and_both_ways(self):
        self.assertEqual(await self.written_to(ANN), "arrived", "the lab has set the global policy so")
        await self.ctl("policy", "set", "global", "--enable-xmpp-access", "false")
        await self.until("forbidden", lambda: self.written_to(ANN))
        self.assertEqual(await self.written_by(ANN), 403)

        await self.ctl("policy", "new", "Sales", "--enable-xmpp-access", "true")
        await self.ctl("policy", "grant", "sales", "--users", f"sip:{ANN}")
        await self.until("arrived", lambda: self.written_to(ANN))
        self.assertEqual(await self.written_by(ANN), 200)
        self.assertEqual(await self.written_to(BOB), "forbidden")
        self.assertEqual(await self.written_by(BOB), 403)

        await self.ctl("policy", "revoke", "--users", ANN)
        await self.ctl("policy", "grant", "sales", "--pattern", f"b*@{lab.SIP_DOMAIN}")
        await self.until("arrived", lambda: self.written_to(BOB))
        self.assertEqual(await self.written_to(ANN), "forbidden")

        await self.ctl("policy", "remove", "sales")
        await self.until("forbidden", lambda: self.written_to(BOB))

    async def test_a_store_from_before_there_were_policies_says_that_nobody_may(self):
        await self.ctl("worker", "drain", "policy_engine/0")
        with contextlib.closing(sqlite3.connect(self.edge.lab.folder / "state" / "policy.db")) as store:
            store.executescript(OLDER)
        await self.ctl("worker", "restart", "policy_engine/0")
        await self.until("forbidden", lambda: self.written_to(ANN))
        log = self.edge.lab.gatehouse
        for words in ("policy-store-upgraded", "nobody-may-use-xmpp"):
            await asyncio.to_thread(log.wait_for, words, PATIENCE_S)
        await self.until(True, self.notice)
        await self.ctl("policy", "set", "global", "--enable-xmpp-access", "true")
        await self.until("arrived", lambda: self.written_to(ANN))
        await self.until(False, self.notice)

    async def notice(self):
        """Whether the status says what to do."""
        await asyncio.sleep(0.1)
        return "gatehousectl policy set global --enable-xmpp-access true" in await self.ctl("status")

    async def test_who_may_not_and_who_is_not_there_are_answered_alike_to_whom_nobody_has_added(self):
        ghost = f"nobody-there@{lab.SIP_DOMAIN}"
        self.edge.sip.refuses_late = ("nobody-there", 0)
        self.assertEqual(await self.written_to(ghost), "arrived", "a federated partner's go to the SIP server, who may tell")
        await self.ctl("policy", "new", "none", "--enable-xmpp-access", "false")
        await self.ctl("policy", "grant", "none", "--users", f"sip:{ANN}")
        await self.ctl("partner", "set", lab.XMPP_DOMAIN, "--type", "public-unverified")
        await self.until("forbidden", lambda: self.written_to(BOB))
        known = len(self.edge.sip.received)
        may_not, may, not_there = [await self.error_to(user) for user in (ANN, BOB, ghost)]
        self.assertEqual(may_not, may)
        self.assertEqual(may_not, not_there)
        self.assertIn("forbidden", str(may_not))
        self.assertEqual(len(self.edge.sip.received), known, "and nobody was asked")

    async def test_the_master_switch_stops_one_way_or_all(self):
        self.assertEqual(await self.written_by(ANN), 200)
        await self.ctl("gateway", "set", "--federation", "inbound-only")
        await self.until(403, lambda: self.written_by(ANN))
        self.assertEqual(await self.written_to(ANN), "arrived")
        await self.ctl("gateway", "set", "--federation", "outbound-only")
        await self.until(200, lambda: self.written_by(ANN))
        self.assertEqual(await self.written_to(ANN), "forbidden")

        await self.ctl("gateway", "set", "--federation", "off")
        kind, element = await asyncio.wait_for(self.next_but_stanzas(), PATIENCE_S)
        self.assertEqual((kind, element.local, element.children[0].local), ("element", "error", "reset"))
        await self.until(403, lambda: self.written_by(ANN))
        with self.assertRaisesRegex(ConnectionError, "policy-violation"):
            await self.edge.partner.connect(self.edge.lab.ports["xmpp"], lab.SIP_DOMAIN)

        await self.ctl("gateway", "set", "--federation", "on")
        self.stream = await self.edge.connect()
        await self.until("arrived", lambda: self.written_to(ANN))

    async def next_but_stanzas(self):
        while True:
            kind, element = await self.stream.next()
            if element is None or element.local not in ("message", "presence", "iq"):
                return kind, element


if __name__ == "__main__":
    unittest.main(verbosity=2)
