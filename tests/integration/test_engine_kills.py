"""The policy engine is killed at any moment, also while it writes: what was acknowledged is there, what was refused is not,
nobody unauthorised gets through, and the partner's streams stay.

GATEHOUSE_KILLS_S is how long it goes on (20); GATEHOUSE_KILLS_SEED repeats the moments of another run."""

import asyncio
import collections
import itertools
import json
import os
import random
import signal
import time
import unittest

from traffic import Edge, lab
from sip_peer import Watcher

SECONDS = float(os.environ.get("GATEHOUSE_KILLS_S", "20"))
SEED = int(os.environ.get("GATEHOUSE_KILLS_SEED", str(time.time_ns() % 1_000_000)))
KILLS_AT_ONCE = 5  # in a minute; more, and the supervisor lets it wait
PATIENCE_S = 90
ANN = f"ann@{lab.SIP_DOMAIN}"
ALLOWED, STRANGER, BLOCKED = "romeo", "tybalt", "mercutio"  # the last is allowed at first
WRITERS = 2

Change = collections.namedtuple("Change", "kind key code said")


def address(user):
    return f"{user}@{lab.XMPP_DOMAIN}"


class EngineKills(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        print(f"GATEHOUSE_KILLS_SEED={SEED}")
        self.random = random.Random(SEED)
        self.edge = await Edge.start("engine-kills")
        self.addAsyncCleanup(self.edge.stop)
        self.stop = asyncio.Event()
        self.numbers = itertools.count()
        self.changes = {}      # number, which is the reason in the audit -> Change
        self.subscribed = {}   # SIP user -> (contact, status)
        self.asked = collections.deque()  # what was just begun, for the killer
        self.sent = collections.defaultdict(dict)   # user -> id of his message -> when
        self.statuses = {}     # contact -> statuses of Ann's messages to him
        self.refused_since = None  # the number of the first message of BLOCKED that came back after the block
        self.kills = collections.Counter()

    # --- the operator

    async def ctl(self, *words):
        program = await asyncio.create_subprocess_exec(
            self.edge.lab.build / "bin" / "gatehousectl", "--runtime-dir", self.edge.lab.folder / "run", *words,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        out, err = await program.communicate()
        return program.returncode, out.decode(), err.decode()

    async def must(self, *words):
        """A reading command, tried until an engine is there to answer it."""
        end = time.monotonic() + PATIENCE_S
        while True:
            code, out, err = await self.ctl(*words)
            if code == 0:
                return out
            if time.monotonic() > end:
                raise TimeoutError(f"{words}: {err}")
            await asyncio.sleep(0.1)

    async def change(self, kind, key, *words):
        number = next(self.numbers)
        self.asked.append(number)
        code, _, err = await self.ctl(*words, "--reason", f"change {number}")
        self.changes[number] = Change(kind, key, code, err)
        return code

    async def write(self, writer):
        """Changes of every kind; a key has one writer, so what is stored follows from what was acknowledged."""
        for number in itertools.count():
            if self.stop.is_set():
                return
            name = f"w{writer}n{number}"
            kind = self.random.choice(("partner", "partner and away", "contact", "policy", "wrong"))
            if kind.startswith("partner"):
                code = await self.change("partner", f"{name}.example", "partner", "new", f"{name}.example")
                if code == 0 and kind != "partner":
                    await self.change("partner away", f"{name}.example", "partner", "remove", f"{name}.example")
            elif kind == "contact":
                pair = (f"{name}@{lab.SIP_DOMAIN}", address(name))
                await self.change("contact", pair, "contact", "allow", *pair)
            elif kind == "policy":
                await self.change("policy", f"tag:{name}", "policy", "new", name, "--enable-xmpp-access", "false")
            else:
                await self.change("wrong", f"{name}.example", "partner", "new", f"{name}.example", "--dialback", "false",
                                  "--tls", "not-supported")

    # --- traffic

    async def subscribe(self):
        for number in itertools.count():
            if self.stop.is_set():
                return
            user, contact = f"s{number}@{lab.SIP_DOMAIN}", address(f"s{number}")
            status = await self.edge.sip.subscribe(Watcher(f"sip:{user}", f"sip:{contact}"))
            self.subscribed[user] = (contact, status)
            await asyncio.sleep(0.1)

    async def partner_writes(self):
        for number in itertools.count():
            if self.stop.is_set():
                return
            for user in (ALLOWED, STRANGER, BLOCKED):
                identity = f"{user}-{number}"
                self.sent[user][identity] = number
                self.edge.partner.message(self.stream, user, ANN, identity, identity)
            await asyncio.sleep(0.1)

    async def ann_writes(self, contact):
        tasks = []
        for number in itertools.count():
            if self.stop.is_set():
                break
            tasks.append(asyncio.ensure_future(self.edge.sip.send(f"sip:{ANN}", f"sip:{address(contact)}",
                                                                  f"ann-{contact}-{number}")))
            await asyncio.sleep(0.1)
        self.statuses[contact] = await asyncio.gather(*tasks)

    def arrived(self, user):
        """The messages of this user that the SIP server got."""
        return [body for _, _, body in self.edge.sip.received if body.startswith(f"{user}-")]

    def came_back(self, user):
        """The conditions of the errors this user got, by the message's id."""
        return {e.attributes["id"]: e.child("error").children[0].local for e in self.edge.partner.received
                if e.attributes.get("type") == "error" and e.attributes.get("id", "").startswith(f"{user}-")}

    # --- the end of an engine, and what must hold behind it

    async def engine(self):
        """The process id of an engine that is ready."""
        while True:
            code, out, _ = await self.ctl("status", "--json")
            workers = json.loads(out)["workers"] if code == 0 else []
            for worker in workers:
                if worker["plugin"] == "policy_engine" and worker["state"] == "ready":
                    return int(worker["pid"])
            await asyncio.sleep(0.1)

    async def kill(self):
        """At any moment, within what a command takes, or just as the store is written."""
        pid = await self.engine()
        how = self.random.choice(("any", "command", "write", "write"))
        if how == "command":
            self.asked.clear()
            while not self.asked:
                await asyncio.sleep(0.005)
        if how == "write":
            await asyncio.to_thread(self.wait_written)
            # The log grew: the change may be in it or not, acknowledged or not.
            await asyncio.to_thread(time.sleep, self.random.choice((0, 0, 0.001, 0.003, 0.01)))
        else:
            await asyncio.sleep(self.random.uniform(0, self.command_s * 1.2))
        os.kill(pid, signal.SIGKILL)
        self.kills[how] += 1

    def wait_written(self):
        """Looks as often as it can, up to ten seconds."""
        log = self.edge.lab.folder / "state" / "policy.db-wal"

        def state():
            try:
                return os.stat(log).st_mtime_ns, os.stat(log).st_size
            except FileNotFoundError:
                return None
        before, end = state(), time.monotonic() + 10
        while state() == before and time.monotonic() < end:
            pass

    async def check_acknowledged(self):
        """Each acknowledged change has one entry in the audit, no refused one has."""
        known = dict(self.changes)
        audit = json.loads(await self.must("audit", "--last", "100000", "--json"))["records"]
        noted = collections.Counter(record.get("reason", "") for record in audit)
        for number, change in known.items():
            count = noted[f"change {number}"]
            if change.code == 0:
                self.assertEqual(count, 1, f"acknowledged: {change}")
            elif "may be done" not in change.said:
                self.assertEqual(count, 0, f"refused: {change}")
            self.assertLessEqual(count, 1, change)
        return noted

    async def block(self):
        while True:
            code, _, err = await self.ctl("contact", "block", ANN, address(BLOCKED))
            if code == 0:
                break
            self.assertRegex(err, "try again|may be done")
            await asyncio.sleep(0.1)
        before = max(self.sent[BLOCKED].values())
        end = time.monotonic() + PATIENCE_S
        while self.refused_since is None:
            refused = [self.sent[BLOCKED][identity] for identity, condition in self.came_back(BLOCKED).items()
                       if condition == "forbidden" and self.sent[BLOCKED][identity] > before]
            if refused:
                self.refused_since = min(refused)
            self.assertLess(time.monotonic(), end, "a blocked contact is refused")
            await asyncio.sleep(0.05)

    # --- the scene

    async def test_nothing_is_lost_and_nobody_passes(self):
        began = time.monotonic()
        self.assertEqual((await self.ctl("partner", "set", lab.XMPP_DOMAIN, "--type", "public-unverified"))[0], 0)
        self.command_s = time.monotonic() - began  # depends on the machine
        for user in (ALLOWED, BLOCKED):
            self.assertEqual((await self.ctl("contact", "allow", ANN, address(user)))[0], 0)
        self.stream = await self.edge.connect()
        while await self.edge.sip.send(f"sip:{ANN}", f"sip:{address(ALLOWED)}", "ann-first") != 200:
            await asyncio.sleep(0.1)
        watch = asyncio.ensure_future(self.stream.next())
        accepted, streams = self.edge.partner.accepted, self.edge.partner.streams_open
        self.assertEqual(streams, 1)

        tasks = [asyncio.ensure_future(task) for task in (
            *(self.write(writer) for writer in range(WRITERS)), self.subscribe(), self.partner_writes(),
            self.ann_writes(ALLOWED), self.ann_writes(STRANGER))]
        blocking = None
        kills = max(KILLS_AT_ONCE, int(SECONDS / 60 * KILLS_AT_ONCE))
        for _ in range(kills):
            due = time.monotonic() + SECONDS / kills
            await self.kill()
            await self.check_acknowledged()
            if blocking is None and self.kills.total() >= 2:
                blocking = asyncio.ensure_future(self.block())
            await asyncio.sleep(max(0, due - time.monotonic()))
        await blocking
        self.stop.set()
        await asyncio.gather(*tasks)
        await self.check_store()
        await self.check_messages()
        self.assertFalse(watch.done(), "the partner's stream to us has ended")
        watch.cancel()
        self.assertEqual((self.edge.partner.accepted, self.edge.partner.streams_open), (accepted, streams))
        self.report()

    async def check_store(self):
        noted = await self.check_acknowledged()
        export = await self.must("export")
        listed = json.loads(await self.must("contact", "list", "--limit", "100000", "--json"))["contacts"]
        contacts = {(view["sip_user"], view["contact"]): view["state"] for view in listed}
        away = {change.key for number, change in self.changes.items()
                if change.kind == "partner away" and noted[f"change {number}"]}
        for number, change in self.changes.items():
            there = bool(noted[f"change {number}"])
            with self.subTest(change):
                if change.kind == "partner":
                    self.assertEqual(f"domain: {change.key}\n" in export, there and change.key not in away)
                elif change.kind == "policy":
                    self.assertEqual(f'"{change.key}"' in export or f" {change.key}\n" in export, there)
                elif change.kind == "contact":
                    self.assertEqual(contacts.get(change.key), "allowed" if there else None)
                elif change.kind == "wrong":
                    self.assertNotEqual(change.code, 0)
                    self.assertNotIn(change.key, export)
        for user, (contact, status) in self.subscribed.items():
            if status == 200:
                self.assertEqual(contacts.get((user, contact)), "learned", "a SUBSCRIBE was answered 200")
        self.assertEqual(contacts[ANN, address(BLOCKED)], "blocked")
        self.assertNotIn((ANN, address(STRANGER)), contacts)
        history = json.loads(await self.must("config", "history", "--last", "100000", "--json"))["records"]
        revisions = [int(record["revision"]) for record in history]
        self.assertEqual(revisions, list(range(revisions[0], revisions[-1] - 1, -1)), "a hole in the history")

    async def check_messages(self):
        end = time.monotonic() + PATIENCE_S
        while True:
            silent = set(self.sent[ALLOWED]) - set(self.arrived(ALLOWED)) - set(self.came_back(ALLOWED))
            if not silent or time.monotonic() > end:
                break
            await asyncio.sleep(0.1)
        self.assertEqual(silent, set(), "messages of the authorised contact are without word")
        self.assertTrue(self.arrived(ALLOWED))
        self.assertEqual(self.arrived(STRANGER), [])
        self.assertEqual([body for body in self.arrived(BLOCKED) if self.sent[BLOCKED][body] >= self.refused_since], [])
        self.assertTrue(self.arrived(BLOCKED), "before the block he could write")
        self.assertNotIn(200, self.statuses[STRANGER])
        bodies = [e.child("body").text for e in self.edge.partner.received
                  if e.local == "message" and e.attributes.get("type") != "error" and e.child("body") is not None]
        self.assertEqual([body for body in bodies if body.startswith(f"ann-{STRANGER}-")], [])
        told_yes = [number for number, status in enumerate(self.statuses[ALLOWED]) if status == 200]
        self.assertTrue(told_yes)
        self.assertLessEqual({f"ann-{ALLOWED}-{number}" for number in told_yes}, set(bodies))

    def report(self):
        codes = collections.Counter(change.code if "may be done" not in change.said else "unclear"
                                    for change in self.changes.values())
        subscribed = collections.Counter(status for _, status in self.subscribed.values())
        print(f"kills {dict(self.kills)}; changes by exit code {dict(codes)}; SUBSCRIBEs by status {dict(subscribed)}; "
              f"{ALLOWED}: {len(self.arrived(ALLOWED))} arrived, {len(self.came_back(ALLOWED))} came back; "
              f"{STRANGER}: {len(self.sent[STRANGER])} sent, {len(self.came_back(STRANGER))} came back; {BLOCKED}: "
              f"{len(self.arrived(BLOCKED))} arrived before the block; to {ALLOWED} "
              f"{dict(collections.Counter(self.statuses[ALLOWED]))}, to {STRANGER} "
              f"{dict(collections.Counter(self.statuses[STRANGER]))}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
