"""The store's file is lost, cut, damaged, exchanged or has no room: the operator is told so in one sentence, and who was
refused before is never let through."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import unittest

from traffic import Edge, lab

PATIENCE_S = 60
ANN = f"ann@{lab.SIP_DOMAIN}"
PAGE = 4096
ALLOWED, STRANGER, BLOCKED = "romeo", "tybalt", "mercutio"
RENAMED = "qomeo"  # what two flipped bits make of the one who is allowed


class StoreDamage(unittest.IsolatedAsyncioTestCase):
    async def start(self, **settings):
        self.edge = await Edge.start("store-damage", listeners=1, **settings)
        self.addAsyncCleanup(self.edge.stop)
        self.store = self.edge.lab.folder / "state" / "policy.db"
        self.said = 0
        self.read_to = 0  # of the log
        await self.must("partner", "set", lab.XMPP_DOMAIN, "--type", "public-unverified")
        await self.must("contact", "allow", ANN, f"{ALLOWED}@{lab.XMPP_DOMAIN}")
        await self.must("contact", "allow", ANN, f"{BLOCKED}@{lab.XMPP_DOMAIN}")
        shutil.copy(self.store, self.copy)  # of then: the write-ahead log is not in it
        await self.must("backup", self.good)
        await self.must("contact", "block", ANN, f"{BLOCKED}@{lab.XMPP_DOMAIN}")
        await self.must("backup", self.good)
        self.stream = await self.edge.connect()
        await self.until(lambda: self.fate(ALLOWED), "arrived")
        await self.nobody_passes()

    @property
    def copy(self):
        return self.edge.lab.folder / "older.db"

    @property
    def good(self):
        return self.edge.lab.folder / "good.db"

    async def ctl(self, *words):
        done = await asyncio.to_thread(subprocess.run, [
            self.edge.lab.build / "bin" / "gatehousectl", "--runtime-dir", self.edge.lab.folder / "run", *words],
            capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    async def must(self, *words):
        code, out, err = await self.ctl(*words)
        self.assertEqual((code, err), (0, ""), words)
        return out

    async def refused(self, *says):
        """A change is refused with one sentence that has these words."""
        code, out, err = await self.ctl("partner", "new", "later.example")
        self.assertEqual((code, out), (1, ""), err)
        self.assertEqual(err.count("\n"), 1, err)
        for words in says:
            self.assertIn(words, err)

    # --- messages to Ann

    async def fate(self, user, patience_s=2):
        """What becomes of one: "arrived", the condition of the error that comes back, or "nothing"."""
        self.said += 1
        body = f"{user}-{self.said}"
        self.edge.partner.message(self.stream, user, ANN, body, body)
        for _ in range(int(patience_s * 50)):
            if any(text == body for _, _, text in self.edge.sip.received):
                return "arrived"
            for element in self.edge.partner.received:
                if element.attributes.get("id") == body:
                    return element.child("error").children[0].local
            await asyncio.sleep(0.02)
        return "nothing"

    async def until(self, what, wanted):
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while (answer := await what()) != wanted:
            self.assertLess(asyncio.get_running_loop().time(), end, f"{answer}, not {wanted}")
            await asyncio.sleep(0.1)

    async def nobody_passes(self):
        for user in (STRANGER, BLOCKED):
            self.assertNotEqual(await self.fate(user), "arrived")

    def check_nobody_has_passed(self):
        """Nor did what waited for an engine; those who are allowed may have."""
        passed = [body for _, _, body in self.edge.sip.received if not body.startswith(f"{ALLOWED}-")]
        self.assertEqual(passed, [])

    # --- the engine

    async def engine(self):
        workers = json.loads(await self.must("status", "--json"))["workers"]
        return next(worker for worker in workers if worker["plugin"] == "policy_engine")

    async def kill_engine(self):
        os.kill(int((await self.engine())["pid"]), signal.SIGKILL)

    async def checkpointed(self):
        """The engine ends in order, which brings its write-ahead log into the file, and stays away."""
        await self.must("worker", "drain", "policy_engine/0")
        self.assertFalse(self.store.with_name("policy.db-wal").exists())

    async def stays_away(self, *says):
        """The engine does not come up on this file, its last words have these, and nobody passes meanwhile."""
        def told():
            lines = [line for line in self.edge.lab.gatehouse.text()[self.read_to:].splitlines() if "policy store '" in line]
            return any(all(words in line for words in says) for line in lines)
        await asyncio.to_thread(lab.wait_until, told, PATIENCE_S, f"the log says {says}")
        self.assertNotEqual((await self.engine())["state"], "ready")
        await self.nobody_passes()
        self.assertNotEqual(await self.fate(ALLOWED, 0), "arrived")
        code, _, err = await self.ctl("partner", "list")
        self.assertEqual((code, err.count("\n")), (1, 1), err)

    async def comes_back(self):
        """With the good copy in place it does, and what held before holds."""
        for end in ("", "-wal", "-shm"):
            self.store.with_name(f"policy.db{end}").unlink(missing_ok=True)
        shutil.copy(self.good, self.store)
        code, _, err = await self.ctl("worker", "restart", "policy_engine/0")
        if code != 0:
            self.assertIn("is still", err)

        await self.comes_up()
        await self.until(lambda: self.fate(ALLOWED, 20), "arrived")
        await self.nobody_passes()
        self.check_nobody_has_passed()
        self.read_to = len(self.edge.lab.gatehouse.text())

    # --- the scenes

    async def test_a_file_that_is_taken_away_while_in_use(self):
        await self.start()
        self.store.rename(self.store.with_name("away.db"))
        await self.refused("was taken away or replaced while in use", "put it back")
        self.assertEqual(await self.fate(ALLOWED), "arrived", "what is allowed goes on")
        await self.nobody_passes()
        await self.kill_engine()
        await self.stays_away("the file is gone but its write-ahead log is still there", "put the file back")
        await self.comes_back()

    async def test_a_file_that_is_removed_with_its_log(self):
        await self.start()
        for end in ("", "-wal", "-shm"):
            self.store.with_name(f"policy.db{end}").unlink()
        await self.refused("was taken away or replaced while in use", "put it back")
        await self.nobody_passes()
        await self.kill_engine()
        await self.stays_away("the file is gone, though it was made once", "policy.db.made' to start with no partners")
        await self.comes_back()

    async def test_a_file_that_is_replaced_by_an_older_copy(self):
        await self.start()
        os.replace(self.copy, self.store)
        await self.refused("was taken away or replaced while in use", "put it back")
        code, _, err = await self.ctl("contact", "allow", ANN, f"{STRANGER}@{lab.XMPP_DOMAIN}")
        self.assertEqual(code, 1)
        self.assertIn("was taken away or replaced while in use", err)
        await self.nobody_passes()
        await self.comes_back()

    async def test_a_file_that_is_cut(self):
        await self.start()
        for size in (0, 100, self.store.stat().st_size // PAGE // 2 * PAGE):
            with self.subTest(size):
                await self.checkpointed()
                os.truncate(self.store, size)
                await self.ctl("worker", "restart", "policy_engine/0")
                await self.stays_away("restore a copy" if size else "the file is empty or cut short")
                await self.comes_back()

    async def test_a_file_that_is_cut_while_in_use(self):
        await self.start()
        os.truncate(self.store, PAGE)
        code, out, err = await self.ctl("partner", "new", "later.example")
        await self.nobody_passes()
        if code != 0:
            self.assertEqual((code, out, err.count("\n")), (1, "", 1), err)
            self.assertIn("policy store '", err)
        await self.kill_engine()
        await asyncio.sleep(1)
        await self.nobody_passes()
        await self.comes_back()

    async def test_a_file_with_flipped_bytes(self):
        await self.start()
        await self.checkpointed()
        sound = self.store.read_bytes()
        for name, places in {"every page": range(PAGE // 2, len(sound), PAGE), "its head": range(0, 16),
                             "a word": [sound.index(b"public-unverified")],
                             "a contact's mark": [self.place_of_mark(sound)],
                             "a contact's name": [sound.index(f"{ANN}{ALLOWED}".encode()) + len(ANN)]}.items():
            with self.subTest(name):
                damaged = bytearray(sound)
                for place in places:
                    damaged[place] ^= 0x03 if name.startswith("a ") else 0x55  # 0x03: of blocked it makes allowed
                self.store.write_bytes(damaged)
                await self.ctl("worker", "restart", "policy_engine/0")
                await self.nobody_passes()
                if name == "a contact's name":  # only who looks for it finds out
                    self.assertNotEqual(await self.fate(RENAMED), "arrived")
                else:
                    await self.stays_away("restore a copy")
                await self.comes_back()
                await self.checkpointed()
        self.store.write_bytes(sound)
        await self.comes_back()

    async def test_a_log_with_flipped_bytes(self):
        """For SQLite a log ends before the first frame whose checksum is wrong, and it says nothing of it. So what an
        operator was told is done is brought into the file at once, where its checksum guards it. What may be lost unsaid is
        what SUBSCRIBEs have taught since his last change, which makes more people strangers, not fewer, and a change that
        was committed at the very moment at which the engine was killed."""
        await self.start()
        log = self.store.with_name("policy.db-wal")
        for place in (0, 40, -PAGE // 2):  # its head, the head of its first frame, the middle of its last
            with self.subTest(place):
                await self.must("contact", "block", ANN, f"{BLOCKED}@{lab.XMPP_DOMAIN}")
                self.assertEqual(log.stat().st_size, 0, "it is in the file")
                await self.must("backup", self.good)  # is noted, which goes into the log
                self.assertGreater(log.stat().st_size, PAGE)
                file, damaged = self.store.read_bytes(), bytearray(log.read_bytes())
                damaged[place] ^= 0x55
                await self.checkpointed()  # the engine is away; what follows is what a kill would have left
                self.store.write_bytes(file)
                log.write_bytes(damaged)
                await self.must("worker", "restart", "policy_engine/0")
                await self.comes_up()
                await self.until(lambda: self.fate(ALLOWED, 20), "arrived")
                await self.nobody_passes()
        self.check_nobody_has_passed()

    async def comes_up(self):
        async def state():
            return (await self.engine())["state"]
        await self.until(state, "ready")

    def place_of_mark(self, sound):
        """Where the one octet is that makes Mercutio a blocked contact: the columns follow his name."""
        return sound.index(f"{ANN}{BLOCKED}".encode()) + len(ANN) + len(BLOCKED)

    async def test_a_disk_without_room(self):
        await self.start()
        engine = (await self.engine())["pid"]
        largest = max(file.stat().st_size for file in self.store.parent.glob("policy.db*"))
        subprocess.run(["prlimit", "--pid", str(engine), f"--fsize={largest}:"], check=True)
        code, tries = 0, 0
        while code == 0 and tries < 200:
            code, out, err = await self.ctl("contact", "allow", f"u{tries}@{lab.SIP_DOMAIN}", f"u{tries}@{lab.XMPP_DOMAIN}")
            tries += 1
        self.assertEqual((code, out, err.count("\n")), (1, "", 1), err)
        self.assertIn("policy store '", err)
        self.assertEqual(await self.fate(ALLOWED), "arrived", "what is allowed goes on")
        await self.nobody_passes()
        subprocess.run(["prlimit", "--pid", str(engine), "--fsize=unlimited:"], check=True)
        await self.must("contact", "allow", f"u{tries}@{lab.SIP_DOMAIN}", f"u{tries}@{lab.XMPP_DOMAIN}")
        self.assertEqual((await self.engine())["pid"], engine, "it did not die of it")
        listed = json.loads(await self.must("contact", "list", "--limit", "1000", "--json"))["contacts"]
        self.assertEqual(sum(view["sip_user"].startswith("u") for view in listed), tries)  # one of them was refused
        self.check_nobody_has_passed()


if __name__ == "__main__":
    unittest.main(verbosity=2)
