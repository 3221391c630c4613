"""SIP users watch XMPP contacts: what is stored, what each side is told, and what outlives a death."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
import unittest

from traffic import Edge, lab  # first: it knows where the fakes are
from sip_peer import SipPeer, Watcher

ANN = f"sip:ann@{lab.SIP_DOMAIN}"
ROMEO = f"romeo@{lab.XMPP_DOMAIN}"
PATIENCE_S = 30  # generous: sanitizers on a busy machine


async def until(condition, what):
    for _ in range(PATIENCE_S * 100):
        answer = condition()
        if answer:
            return answer
        await asyncio.sleep(0.01)
    raise TimeoutError(f"not within {PATIENCE_S} s: {what}")


class Contacts(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.edge = await Edge.start("contacts")
        self.addAsyncCleanup(self.edge.stop)
        self.ann = Watcher(ANN, f"sip:{ROMEO}")

    async def ctl(self, *words):
        """gatehousectl's exit code and what it said."""
        done = await asyncio.to_thread(subprocess.run, [
            self.edge.lab.build / "bin" / "gatehousectl", "--runtime-dir", self.edge.lab.folder / "run", *words],
            capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    async def contacts(self, *words):
        """(SIP user, contact, state) of each, by the operator's command."""
        code, text = await self.ctl("contact", "list", *words, "--json")
        self.assertEqual(code, 0, text)
        return [(view["sip_user"], view["contact"], view["state"]) for view in json.loads(text)["contacts"]]

    async def notify(self, number, watcher=None):
        """The state and the body of a dialog's NOTIFY, counted from 1."""
        watcher = watcher or self.ann
        await until(lambda: len(self.edge.sip.notified_of(watcher)) >= number, f"NOTIFY {number}")
        message = self.edge.sip.notified_of(watcher)[number - 1]
        return message.first("subscription-state").partition(";expires")[0], message.body

    async def said_to_romeo(self, kind):
        def found():
            return next((stanza for stanza in self.edge.partner.received
                         if stanza.local == "presence" and stanza.attributes.get("type") == kind), None)
        stanza = await until(found, f"a presence of type {kind} at the partner")
        self.assertEqual(stanza.attributes["to"], ROMEO)
        self.assertEqual(stanza.attributes["from"], f"ann@{lab.SIP_DOMAIN}")

    async def romeo(self, kind="", inside="", resource=""):
        stream = await self.edge.connect()
        self.edge.partner.presence(stream, ROMEO + resource, f"ann@{lab.SIP_DOMAIN}", kind, inside)
        return stream

    async def watch(self):
        """Ann watches Romeo, who has agreed."""
        self.assertEqual(await self.edge.sip.subscribe(self.ann), 200)
        self.assertEqual(await self.notify(1), ("pending", ""))
        await self.said_to_romeo("subscribe")
        await self.romeo("subscribed")
        self.assertEqual(await self.notify(2), ("active", ""))

    async def test_a_watcher_is_told_what_the_contact_says(self):
        self.assertEqual(await self.contacts(), [])
        await self.watch()
        self.assertEqual(await self.contacts(ANN), [(f"ann@{lab.SIP_DOMAIN}", ROMEO, "learned")])
        stream = await self.romeo(inside="<show>away</show><status>back at two</status>", resource="/home")
        state, body = await self.notify(3)
        self.assertEqual(state, "active")
        self.assertIn("<basic>open</basic><show xmlns='jabber:client'>away</show>", body)
        self.assertIn("<note>back at two</note>", body)
        self.edge.partner.presence(stream, f"{ROMEO}/home", f"ann@{lab.SIP_DOMAIN}", "unavailable")
        self.assertIn("<basic>closed</basic>", (await self.notify(4))[1])
        self.assertEqual(await self.edge.sip.subscribe(self.ann, expires=0), 200)
        self.assertEqual((await self.notify(5))[0], "terminated;reason=timeout")
        await self.said_to_romeo("unavailable")
        self.assertEqual(await self.contacts(), [(f"ann@{lab.SIP_DOMAIN}", ROMEO, "learned")])
        self.assertEqual(await self.edge.sip.subscribe(self.ann), 481)

    async def test_an_administrator_blocks_a_contact_and_takes_the_block_away(self):
        await self.watch()
        self.assertEqual((await self.ctl("contact", "block", ANN, ROMEO))[0], 0)
        self.assertEqual((await self.notify(3))[0], "terminated;reason=rejected")
        again = Watcher(ANN, f"sip:{ROMEO}")
        self.assertEqual(await self.edge.sip.subscribe(again), 403)
        self.assertEqual(await self.contacts("--contact", ROMEO), [(f"ann@{lab.SIP_DOMAIN}", ROMEO, "blocked")])
        self.assertEqual((await self.ctl("contact", "forget", ANN, ROMEO))[0], 0)
        self.assertEqual(await self.edge.sip.subscribe(again), 200)
        code, said = await self.ctl("contact", "allow", ANN, "romeo@nowhere.example")
        self.assertEqual(code, 1)
        self.assertIn("no partner has the domain 'nowhere.example'", said)

    async def test_a_watcher_whom_no_notify_reaches_is_told_to_the_operator_with_where_it_went(self):
        away = SipPeer(lab.free_port(), self.edge.lab.ports["gatehouse_sip"])  # listens nowhere
        self.addAsyncCleanup(away.stop)
        self.assertEqual(await away.subscribe(self.ann), 200)
        log = await until(lambda: next((line for line in self.edge.lab.gatehouse.text().splitlines()
                                        if " notify-undelivered " in line), None), "a line in the log")
        self.assertIn(f"sip:ann@127.0.0.1:{away.port}", log)
        self.assertIn("record_route()", log)
        code, text = await self.ctl("why", "--partner", lab.XMPP_DOMAIN)
        self.assertEqual(code, 0, text)
        self.assertIn("notify-undelivered", text)
        self.assertIn(f"NOTIFY to sip:ann@127.0.0.1:{away.port}", text)

    async def test_what_was_answered_outlives_the_policy_engine(self):
        engine = await asyncio.to_thread(self.edge.lab.worker_pid, "policy_engine/0")
        watchers = [Watcher(f"sip:u{number}@{lab.SIP_DOMAIN}", f"sip:{ROMEO}") for number in range(40)]
        answers = [asyncio.ensure_future(self.edge.sip.subscribe(watcher)) for watcher in watchers]
        await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        os.kill(engine, signal.SIGKILL)
        statuses = await asyncio.gather(*answers)
        self.assertLessEqual(set(statuses), {200, 500})
        await asyncio.to_thread(self.edge.lab.wait_gatehouse)
        stored = {user for user, _, _ in await self.contacts()}
        yes = {f"u{number}@{lab.SIP_DOMAIN}" for number, status in enumerate(statuses) if status == 200}
        print(f"{len(yes)} of {len(watchers)} answered 200 over the engine's death, {len(stored)} stored")
        self.assertTrue(yes)
        self.assertEqual(yes - stored, set())

    async def test_without_the_policy_engine_nobody_is_told_yes(self):
        self.assertEqual((await self.ctl("worker", "drain", "policy_engine/0"))[0], 0)
        self.assertEqual(await self.edge.sip.subscribe(self.ann), 500)
        self.assertEqual(self.edge.sip.notified, [])
        self.assertEqual((await self.ctl("worker", "restart", "policy_engine/0"))[0], 0)
        await asyncio.to_thread(self.edge.lab.wait_gatehouse)
        self.assertEqual(await self.edge.sip.subscribe(Watcher(ANN, f"sip:{ROMEO}")), 200)

    async def test_dialogs_of_a_dead_translator_are_answered_481_and_begin_anew(self):
        await self.watch()
        os.kill(await asyncio.to_thread(self.edge.lab.worker_pid, "sip_translator/0"), signal.SIGKILL)

        async def answered():
            while True:
                try:
                    status = await self.edge.sip.subscribe(self.ann)
                except ConnectionError:
                    status = 0
                if status:
                    return status
                await asyncio.sleep(0.1)
        self.assertEqual(await asyncio.wait_for(answered(), PATIENCE_S), 481)
        again = Watcher(ANN, f"sip:{ROMEO}")
        self.assertEqual(await self.edge.sip.subscribe(again), 200)
        self.assertEqual((await self.notify(1, again))[0], "pending")

    async def fill(self, contacts):
        """So many contacts of the partner, as SUBSCRIBEs of yesterday have left them; user 0 has Romeo among his."""
        def write():
            with contextlib.closing(sqlite3.connect(self.edge.lab.folder / "state" / "policy.db", timeout=60)) as store, store:
                number = store.execute("INSERT INTO contact_domain (domain) VALUES (?) RETURNING id", (lab.XMPP_DOMAIN,)).fetchone()[0]
                yesterday = int(time.time()) - 86400
                store.executemany("INSERT INTO contact (sip_user, domain_id, local, mark, seen_unix) VALUES (?, ?, ?, 0, ?)", (
                    (f"u{i}@{lab.SIP_DOMAIN}", number, "romeo" if i == 0 else f"c{i}", yesterday) for i in range(contacts)))
        await asyncio.to_thread(write)
        self.assertEqual((await self.ctl("worker", "restart", "policy_engine/0"))[0], 0)
        await asyncio.to_thread(self.edge.lab.wait_gatehouse)

    async def test_a_partner_has_100000_contacts_at_most(self):
        await self.fill(99_999)
        self.assertEqual(await self.edge.sip.subscribe(self.ann), 200)
        ben = Watcher(f"sip:ben@{lab.SIP_DOMAIN}", f"sip:{ROMEO}")
        self.assertEqual(await self.edge.sip.subscribe(ben), 500)
        self.assertTrue(self.edge.sip.last_answer.first("retry-after"))
        told = re.fullmatch(r'399 \S+ "too many contacts \(([0-9a-z]{8})\)"', self.edge.sip.last_answer.first("warning"))
        code, said = await self.ctl("why", told[1])
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"(?m)^reason +contact-limit$")
        self.assertRegex(self.edge.lab.gatehouse.text(), rf"subscribe-refused .*reason=contact-limit .*id={told[1]}")
        code, said = await self.ctl("contact", "allow", ben.user, ROMEO)
        self.assertEqual(code, 1)
        self.assertRegex(said, r"^contact '.*' would be one too many, .*contact forget\n$")
        self.assertEqual(await self.edge.sip.subscribe(Watcher(f"sip:u0@{lab.SIP_DOMAIN}", f"sip:{ROMEO}")), 200, "his is there")
        self.assertEqual(await self.contacts(ben.user), [])
        os.kill(await asyncio.to_thread(self.edge.lab.worker_pid, "policy_engine/0"), signal.SIGKILL)
        await asyncio.to_thread(self.edge.lab.wait_gatehouse)
        self.assertEqual(await self.edge.sip.subscribe(Watcher(ben.user, ben.contact)), 500)
        self.assertEqual((await self.ctl("contact", "forget", f"sip:u7@{lab.SIP_DOMAIN}", f"c7@{lab.XMPP_DOMAIN}"))[0], 0)
        self.assertEqual(await self.edge.sip.subscribe(Watcher(ben.user, ben.contact)), 200)

    async def store(self, change):
        """Carries `change` out on the store while policy_engine is away."""
        self.assertEqual((await self.ctl("worker", "drain", "policy_engine/0"))[0], 0)

        def write():
            with contextlib.closing(sqlite3.connect(self.edge.lab.folder / "state" / "policy.db", timeout=60)) as store, store:
                change(store)
        await asyncio.to_thread(write)
        self.assertEqual((await self.ctl("worker", "restart", "policy_engine/0"))[0], 0)
        await asyncio.to_thread(self.edge.lab.wait_gatehouse)

    async def test_what_has_ended_is_shown_and_forgotten_and_authorises_nobody(self):
        for name in ("romeo", "tybalt"):
            self.assertEqual((await self.ctl("contact", "allow", ANN, f"{name}@{lab.XMPP_DOMAIN}"))[0], 0)
        await self.store(lambda store: store.execute("UPDATE contact SET seen_unix = seen_unix - 31 * 86400, guard = NULL"
                                                     " WHERE local = 'tybalt'"))
        ann = ANN.removeprefix("sip:")
        self.assertEqual(await self.contacts(), [(ann, ROMEO, "allowed")])
        self.assertEqual(await self.contacts("--ended"), [(ann, ROMEO, "allowed"), (ann, f"tybalt@{lab.XMPP_DOMAIN}", "allowed")])
        self.assertRegex((await self.ctl("contact", "list", "--ended"))[1], r"(?m) tybalt@\S+ +allowed \(ended\) ")
        self.assertEqual((await self.ctl("contact", "forget", ANN, f"tybalt@{lab.XMPP_DOMAIN}"))[0], 0)
        self.assertEqual(await self.contacts("--ended"), [(ann, ROMEO, "allowed")])

    async def test_a_sweep_goes_by_what_an_engine_before_has_seen_in_this_start_of_the_machine(self):
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        since_boot = int(time.clock_gettime(time.CLOCK_BOOTTIME))
        self.assertEqual((await self.ctl("contact", "allow", ANN, ROMEO))[0], 0)

        def an_hour_ago(store):
            store.execute("UPDATE contact SET seen_unix = seen_unix - 31 * 86400, guard = NULL")
            store.execute("DELETE FROM sweep_reading")
            store.execute("INSERT INTO sweep_reading VALUES (?, ?, ?)", (boot, since_boot - 3700, int(time.time()) - 3700))
        await self.store(an_hour_ago)
        self.assertEqual(len(await self.contacts("--ended")), 1)
        for _ in range(PATIENCE_S * 2):
            if not await self.contacts("--ended"):
                break
            await asyncio.sleep(0.5)
        self.assertEqual(await self.contacts("--ended"), [], "it is swept")

        def kept(store):
            rows = store.execute("SELECT boot_id, since_boot_s FROM sweep_reading ORDER BY since_boot_s").fetchall()
            self.assertEqual({row[0] for row in rows}, {boot})
            self.assertGreaterEqual(rows[-1][1], since_boot)
        await self.store(kept)

    async def test_with_a_partner_its_contacts_go(self):
        await self.watch()
        self.assertEqual((await self.ctl("partner", "remove", lab.XMPP_DOMAIN))[0], 0)
        self.assertEqual((await self.notify(3))[0], "terminated;reason=rejected")
        self.assertEqual(await self.contacts(), [])
        self.assertEqual(await self.edge.sip.subscribe(Watcher(ANN, f"sip:{ROMEO}")), 404)


if __name__ == "__main__":
    unittest.main(verbosity=2)
