"""Federation data under control: who changed what and why, revisions, the data in a file, and all of it live in every
worker while streams that it does not concern go on."""

import asyncio
import getpass
import os
import pathlib
import random
import signal
import stat
import subprocess
import unittest

from dialback_edge import OURS, Edge
from gatehouse import GATEHOUSECTL, wait_until


class Data(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.edge = await Edge().start()
        self.addAsyncCleanup(self.edge.stop)
        self.file = self.edge.folder / "partners.yaml"

    async def run_ctl(self, *words, environment=None):
        """Exit code, what it printed, what it complained of: as an operator sees it."""
        def call():
            return subprocess.run([GATEHOUSECTL, *map(str, words), "--runtime-dir", self.edge.gatehouse.runtime_dir],
                                  check=False, capture_output=True, text=True, timeout=180,
                                  env={**os.environ, **(environment or {})})
        done = await asyncio.to_thread(call)
        return done.returncode, done.stdout, done.stderr

    async def must(self, *words):
        code, out, err = await self.run_ctl(*words)
        self.assertEqual((code, err), (0, ""), words)
        return out

    async def revision(self):
        return (await self.edge.ctl("config", "history", "--last", "1"))["records"][0]["revision"]

    async def until_live(self):
        """Every worker has the snapshot that was published last."""
        def live():
            published = self.edge.gatehouse.events("policy-published")[-1]["hash"]
            held = {}
            for record in self.edge.gatehouse.events("policy-snapshot"):
                held[record["worker"]] = record["hash"]
            return len(held) == 4 and set(held.values()) == {published}
        await asyncio.to_thread(wait_until, live, "all workers hold the last snapshot")

    async def test_a_change_tells_who_when_what_and_why(self):
        await self.must("partner", "new", "fabrikam.example")
        await self.must("partner", "set", "fabrikam.example", "--tls", "optional", "--reason", "their old server")
        entry = (await self.edge.ctl("audit", "--last", "1", "--subject", "fabrikam.example"))["records"][0]
        self.assertEqual((entry["user"], entry["uid"]), (getpass.getuser(), os.geteuid()))
        self.assertEqual((entry["action"], entry["reason"]), ("partner set", "their old server"))
        self.assertEqual(entry["changes"][0]["fields"], [{"field": "tls", "before": "required", "after": "optional"}])
        text = await self.must("audit", "--last", "1")
        self.assertIn("  why: their old server\n  partner fabrikam.example: tls required -> optional\n", text)

    async def test_the_user_is_not_whom_the_client_names(self):
        environment = {"USER": "somebody", "LOGNAME": "somebody", "SUDO_USER": "somebody"}
        code, _, err = await self.run_ctl("partner", "new", "a.example", environment=environment)
        self.assertEqual((code, err), (0, ""))
        entry = (await self.edge.ctl("audit", "--last", "1"))["records"][0]
        self.assertEqual(entry["uid"], os.geteuid())
        self.assertNotEqual(entry["user"], "somebody")

    async def test_a_change_is_refused_when_somebody_was_faster(self):
        await self.must("partner", "new", "a.example")
        seen = await self.revision()
        await self.must("partner", "new", "b.example")
        code, out, err = await self.run_ctl("partner", "remove", "a.example", "--if-revision", seen)
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, rf"^the store is at revision {seen + 1}, not {seen}: [^\n]*\n$")
        await self.must("partner", "remove", "a.example", "--if-revision", seen + 1)

    async def test_what_is_exported_and_applied_is_the_same_and_a_mistake_changes_nothing(self):
        await self.must("partner", "new", "a.example", "--description", "# not: a \"comment\"", "--type", "federated")
        await self.must("partner", "new", "b.example", "--additional-domains", "c.example,d.example")
        await self.must("gateway", "set", "--keep-alive-interval", "120")
        await self.must("export", "-o", self.file)
        revision = await self.revision()
        self.assertEqual(await self.must("apply", "-f", self.file), "no record differs\n")
        self.assertEqual(await self.revision(), revision)
        text = self.file.read_text()
        self.file.write_text(text.replace("dane: report", "dane: friend", 1).replace("domain: b.example", "domain: '@'"))
        code, _, err = await self.run_ctl("apply", "-f", self.file)
        self.assertEqual(code, 1)
        line = 1 + text[:text.index("dane: report")].count("\n")
        first, second = err.splitlines()
        self.assertEqual(first, f"{self.file}:{line}: key 'partners[0].dane': is 'friend'; would be right: report, off, enforce")
        self.assertIn("key 'partners[1].domain': partner @: '@' is not a domain", second)
        self.file.write_text(text.replace("type: federated", "type: friend"))
        code, _, err = await self.run_ctl("apply", "-f", self.file)
        self.assertEqual(code, 1)
        line = 1 + text[:text.index("type: federated")].count("\n")
        self.assertEqual(err, f"{self.file}:{line}: key 'partners[0].type': partner a.example: 'friend' is no partner type; use one "
                              "of federated, public-verified, public-unverified, or put it below 'partner_types:' in the file\n")
        self.file.write_text(text.replace("tls: required", "tls: not-supported").replace("dialback: true", "dialback: false"))
        code, _, err = await self.run_ctl("apply", "-f", self.file, "--dry-run")
        self.assertEqual(code, 1)
        lines = err.splitlines()
        self.assertEqual(len(lines), 2, err)
        for number, name in enumerate("ab"):
            self.assertRegex(lines[number], rf"partners.yaml:\d+: key 'partners\[{number}\].tls': partner {name}.example: E1: ")
        self.assertEqual(await self.revision(), revision)

    async def test_every_setting_there_is_comes_back_from_its_file_as_it_was(self):
        anchors = self.edge.authority.ca_file
        await self.must("partner", "new", "plain.example")
        await self.must("partner", "type", "new", "supplier", "--may-subscribe", "true", "--auto-approve", "true",
                        "--may-message-unlisted", "true", "--sees-note", "true", "--sees-rich-activity", "true", "--description", "a: b")
        await self.must("partner", "type", "new", "nothing")
        await self.must("partner", "new", "supplier.example", "--type", "supplier")
        await self.must("partner", "new", "full.example", "--additional-domains", "chat.full.example,*.full.example,b\u00fccher.example",
                        "--type", "federated", "--tls", "optional", "--sasl", "optional", "--connection-limit", "7",
                        "--keep-alive", "false", "--proxy", "[2001:db8::1]:5270", "--description", "on: # \"'\\ \u00fc ~",
                        "--enabled", "false", "--trust", anchors, "--bidi", "true", "--same-certificate", "true",
                        "--dane", "report", "--expires", "2099-12-31")
        await self.must("partner", "new", "strict.example", "--dialback", "false", "--strict-sasl", "true", "--dane", "enforce")
        await self.must("policy", "set", "global", "--enable-xmpp-access", "false", "--description", "yes")
        for name, access in (("sales", "true"), ("site:head office", "false")):
            await self.must("policy", "new", name, "--enable-xmpp-access", access, "--description", f"{name}: all of it")
        await self.must("policy", "grant", "sales", "--users", f"ann@{OURS},sip:o'neil@{OURS}", "--pattern", f"sales-*@{OURS}")
        await self.must("policy", "grant", "site:head office", "--pattern", f"*-head@{OURS}", "--domain", OURS)
        for domain in ("bad.example", "*.worse.example"):
            await self.must("partner", "deny", domain)
        await self.must("gateway", "set", "--connection-limit", "900", "--partner-connection-limit", "30", "--keep-alive-interval", "77",
                        "--stream-establishment-timeout", "61", "--stream-inactivity-timeout", "601",
                        "--subscription-refresh-interval", "28801", "--federation", "inbound-only", "--discover", "true",
                        "--synthetic-interval", "3601")
        partners = {view["partner"]["domain"]: view["partner"] for view in (await self.edge.ctl("partner", "list"))["partners"]}
        plain = partners.pop("plain.example")
        as_usual = {field for field in plain if all(other[field] == plain[field] for other in partners.values())}
        self.assertEqual(as_usual, {"tls_seen_unix"}, "fields that no partner here sets, but for what the engine keeps")
        await self.must("export", "-o", self.file)

        emptied = self.edge.folder / "emptied.yaml"
        emptied.write_text("gateway: {}\npartner_types: []\npartners: []\ndenied: []\npolicies:\n  - name: global\n")
        await self.must("apply", "-f", emptied)
        self.assertEqual((await self.edge.ctl("partner", "list"))["partners"], [])
        await self.must("apply", "-f", self.file)
        again = self.edge.folder / "again.yaml"
        await self.must("export", "-o", again)
        before, after = (file.read_bytes().partition(b"\n") for file in (self.file, again))
        self.assertNotEqual(before[0], after[0], "the revision is another")
        self.assertEqual(before[2], after[2])

    async def test_a_time_reads_alike_in_flag_file_and_audit_and_the_file_is_text_of_any_editor(self):
        await self.must("partner", "new", "a.example", "--expires", "2099-12-31")
        self.assertIn(", expires 2099-12-31T00:00:00Z", await self.must("audit", "--last", "1"))
        await self.must("export", "-o", self.file)
        text = self.file.read_text()
        self.assertIn('    expires: "2099-12-31T00:00:00Z"\n', text)
        older = text.replace('expires: "2099-12-31T00:00:00Z"', "expires_unix: 4102358400")
        for written in (older.encode(), text.encode("utf-16"), b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()):
            self.file.write_bytes(written)
            self.assertEqual(await self.must("apply", "-f", self.file), "no record differs\n")
        self.file.write_text(text.replace("2099-12-31T00", "2099-12-30T00"))
        self.assertEqual(await self.must("apply", "-f", self.file, "--dry-run"),
                         "partner a.example: expires 2099-12-31T00:00:00Z -> 2099-12-30T00:00:00Z\n1 record would change\n")
        self.file.write_text(text.replace("2099-12-31T00", "2001-12-31T00"))
        code, _, err = await self.run_ctl("apply", "-f", self.file)
        self.assertEqual(code, 1)
        self.assertRegex(err, r"^\S+partners.yaml:\d+: key 'partners\[0\].expires': partner a.example: the partner would have")

    async def test_a_file_that_is_no_text_is_named_with_its_line_and_a_value_is_told_in_one_line(self):
        contacts = self.edge.folder / "contacts.txt"
        contacts.write_bytes(f"ann@{OURS} romeo@a.example\nb\xfe@{OURS} romeo@a.example\n".encode("latin-1"))
        code, out, err = await self.run_ctl("contact", "allow", "--file", contacts)
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(err, f"{contacts}:2: is not in UTF-8; write the file in UTF-8; see gatehousectl contact allow --help\n")
        self.file.write_text('partners:\n  - domain: "a\\nx.yaml:1: all is well"\n    proxy: ' + "p" * 100_000 + "\n")
        code, out, err = await self.run_ctl("apply", "-f", self.file)
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(len(err.splitlines()), 2, err)
        self.assertLess(len(err), 2500)
        self.assertIn(" is not HOST[:PORT]; write it like proxy.partner.example:5269\n", err)

    async def test_a_dry_run_shows_the_difference_and_a_rollback_brings_it_back(self):
        await self.must("partner", "new", "fabrikam.example")
        revision = await self.revision()
        await self.must("export", "-o", self.file)
        before = self.file.read_text()
        self.file.write_text(before.replace("tls: required", "tls: optional"))
        dry = await self.must("apply", "-f", self.file, "--dry-run")
        self.assertEqual(dry, "partner fabrikam.example: tls required -> optional\n1 record would change\n")
        self.assertEqual(await self.revision(), revision)
        await self.must("apply", "-f", self.file, "--reason", "ticket 5")
        self.assertEqual(await self.must("config", "diff", revision),
                         "partner fabrikam.example: tls required -> optional\n"
                         f"1 record changed from revision {revision} to {revision + 1}\n")
        await self.must("config", "rollback", revision)
        self.assertEqual(await self.revision(), revision + 2)
        self.assertEqual(await self.must("config", "diff", revision, revision + 2), "no record differs\n")
        history = await self.must("config", "history")
        self.assertIn("ticket 5", history)
        self.assertIn(f"config rollback revision {revision}", history)

    async def test_an_apply_of_a_hundred_partners_touches_the_streams_of_the_one_that_changed(self):
        partners = []
        for name in ("stays.example", "changes.example"):
            partners.append(await self.edge.add(name))
        streams = [(await self.edge.connect(partner))[0] for partner in partners]
        await self.must("export", "-o", self.file)
        more = "".join(f"  - domain: p{number}.example\n" for number in range(100))
        data = self.file.read_text().replace("partners:\n", "partners:\n" + more)
        self.file.write_text(data)
        await self.must("apply", "-f", self.file)
        await self.until_live()
        end = data.index("changes.example")
        rest = data[end:].replace("tls: not-supported", "tls: required", 1).replace("sasl: not-supported", "sasl: required", 1)
        self.file.write_text(data[:end] + rest)
        said = await self.must("apply", "-f", self.file)
        self.assertIn("1 record changed", said)
        await self.until_live()
        await asyncio.wait_for(self.ended(streams[1]), 20)
        with self.assertRaises(TimeoutError):
            await asyncio.wait_for(self.ended(streams[0]), 1)

    async def test_what_operators_said_of_contacts_goes_out_and_comes_back(self):
        await self.must("partner", "new", "fabrikam.example", "--additional-domains", "*.fabrikam.example")
        marks = self.edge.folder / "marks.txt"
        for verb, numbers in (("allow", range(0, 1100)), ("block", range(1100, 1200))):
            marks.write_text("".join(f"sip:u{number % 7}@{OURS} c{number}@d{number % 3}.fabrikam.example\n"
                                     for number in numbers))
            await self.must("contact", verb, "--file", marks)
        self.assertNotIn("contacts:", await self.must("export"))
        exported = await self.must("export", "--contacts")
        self.assertEqual(exported.count("state: allowed\n"), 1100)
        self.assertEqual(exported.count("state: blocked\n"), 100)
        self.file.write_text(exported)
        audited = await self.must("audit", "--last", "3000")
        self.assertEqual(await self.must("apply", "-f", self.file), "no record differs\nno contact differs\n")
        self.assertEqual(await self.must("audit", "--last", "3000"), audited)
        # All of it away but what is no partner's any more, and back from the file alone.
        await self.must("partner", "remove", "fabrikam.example")
        self.assertTrue((await self.must("export", "--contacts")).endswith("contacts: []\n"))
        self.assertIn("1200 contacts would change\n", await self.must("apply", "-f", self.file, "--dry-run"))
        self.assertTrue((await self.must("export", "--contacts")).endswith("contacts: []\n"))
        said = await self.must("apply", "-f", self.file, "--reason", "back from git")
        self.assertIn("1200 contacts changed\n", said)
        again = await self.must("export", "--contacts")
        self.assertEqual(again.split("\n", 1)[1], exported.split("\n", 1)[1])  # but for the revision in the first line
        self.assertEqual(await self.must("apply", "-f", self.file), "no record differs\nno contact differs\n")
        self.assertEqual(await self.must("export", "--contacts"), again)
        entries = (await self.edge.ctl("audit", "--last", "2"))["records"]
        self.assertEqual([(entry["action"], entry["reason"]) for entry in entries],
                         [("apply", "back from git"), ("contact allow", "back from git")])
        # A mark that is edited, one that is taken out, and one that is no partner's.
        edited = again.replace("state: blocked", "state: allowed", 1)
        first = edited.index("  - sip_user", edited.index("contacts:"))
        edited = edited[:first] + edited[edited.index("  - sip_user", first + 1):]
        self.file.write_text(edited)
        self.assertIn("2 contacts changed\n", await self.must("apply", "-f", self.file))
        self.assertEqual((await self.must("export", "--contacts")), edited)
        self.file.write_text(edited.replace("@d1.fabrikam", "@d1.elsewhere", 1))
        code, out, err = await self.run_ctl("apply", "-f", self.file)
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, r"^[^\n]*: no partner has the domain 'd1.elsewhere.example'; add the partner, [^\n]*\n$")
        self.assertEqual((await self.must("export", "--contacts")), edited)

    async def test_an_apply_whose_engine_is_killed_is_made_whole_or_not_at_all(self):
        await self.must("partner", "new", "fabrikam.example")
        count = 20000
        self.file.write_text("partners:\n  - domain: fabrikam.example\n  - domain: new.example\ncontacts:\n" + "".join(
            f"  - {{sip_user: u{number}@{OURS}, contact: c{number}@fabrikam.example, state: allowed}}\n" for number in range(count)))
        log = pathlib.Path(self.edge.gatehouse.state_dir) / "policy.db-wal"
        for writes in (100_000, 2_000_000):  # in the middle of the one transaction that it is
            ctl = await asyncio.create_subprocess_exec(GATEHOUSECTL, "apply", "-f", self.file, "--runtime-dir",
                                                       self.edge.gatehouse.runtime_dir, stdout=asyncio.subprocess.DEVNULL,
                                                       stderr=asyncio.subprocess.DEVNULL)
            while ctl.returncode is None and (not log.exists() or log.stat().st_size < writes):
                await asyncio.sleep(0.001)
            workers = (await self.edge.ctl("worker", "list"))["workers"]
            os.kill(next(int(one["pid"]) for one in workers if one["plugin"] == "policy_engine"), signal.SIGKILL)
            await ctl.wait()
            async with asyncio.timeout(60):
                while (await self.run_ctl("partner", "list"))[0] != 0:
                    await asyncio.sleep(0.05)
            domains = [view["partner"]["domain"] for view in (await self.edge.ctl("partner", "list"))["partners"]]
            contacts = len((await self.edge.ctl("contact", "list", "--limit", str(count + 1)))["contacts"])
            self.assertIn((domains, contacts), ((["fabrikam.example"], 0), (["fabrikam.example", "new.example"], count)))
        await self.must("apply", "-f", self.file)
        self.assertIn("no contact differs\n", await self.must("apply", "-f", self.file))

    async def test_what_cannot_be_written_is_told_and_only_ordinary_files_are_replaced(self):
        pipe = self.edge.folder / "pipe"
        os.mkfifo(pipe)
        store = self.edge.gatehouse.state_dir / "policy.db"
        for words in (("backup", pipe), ("export", "-o", pipe), ("backup", store)):
            code, out, err = await self.run_ctl(*words)
            self.assertEqual((code, out), (1, ""))
            self.assertRegex(err, r"^'[^\n]*' is (no ordinary file; name another|a store in use; name another file)\n$")
        self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))
        await self.must("partner", "new", "fabrikam.example")  # the store is the one it was

        def into_a_full_disk():
            with open("/dev/full", "w", encoding="ascii") as full:
                return subprocess.run([GATEHOUSECTL, "export", "--runtime-dir", self.edge.gatehouse.runtime_dir],
                                      check=False, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        done = await asyncio.to_thread(into_a_full_disk)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "it is done, but what it says cannot be written: No space left on device\n"))

    async def test_who_breaks_off_a_change_is_told_that_it_may_be_done(self):
        def catches(process, number):
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            caught = int(status.partition("SigCgt:")[2].split()[0], 16)
            return bool(caught & 1 << number - 1)
        engine = (await asyncio.to_thread(self.edge.gatehouse.workers))["policy_engine/0"]["pid"]
        self.file.write_text("partners: []\n")
        for number, words in ((signal.SIGINT, ("apply", "-f", self.file)), (signal.SIGHUP, ("partner", "new", "a.example"))):
            os.kill(engine, signal.SIGSTOP)  # so that the answer waits
            ctl = subprocess.Popen([GATEHOUSECTL, *words, "--runtime-dir", self.edge.gatehouse.runtime_dir],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            await asyncio.to_thread(wait_until, lambda: catches(ctl, number), "gatehousectl has begun")
            ctl.send_signal(number)
            out, err = await asyncio.to_thread(ctl.communicate)
            os.kill(engine, signal.SIGCONT)
            self.assertEqual((ctl.returncode, out), (1, ""))
            self.assertEqual(err, "interrupted: the change may be done or not; see gatehousectl audit before you try again\n")

    async def test_a_backup_brings_back_what_was_and_a_damaged_one_changes_nothing(self):
        copy = self.edge.folder / "copy.db"
        partner = await self.edge.add("stays.example")
        stream, _ = await self.edge.connect(partner)
        await self.must("backup", copy)
        self.assertEqual(stat.S_IMODE(copy.stat().st_mode), 0o600)
        await self.must("partner", "new", "later.example")
        await self.must("gateway", "set", "--keep-alive-interval", "77")
        revision = await self.revision()
        good = copy.read_bytes()
        copy.write_bytes(good[:-1000])
        code, out, err = await self.run_ctl("restore", copy)
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(err, rf"^this is not a store to be restored: '{copy}': [^\n]*; name another backup\n$")
        self.assertEqual(await self.revision(), revision)
        copy.write_bytes(good)
        said = await self.must("restore", copy, "--reason", "a wrong turn")
        self.assertIn(f"as revision {revision + 1} with 1 partners", said)
        await self.until_live()
        self.assertEqual((await self.edge.ctl("gateway", "get"))["keep_alive_interval_s"], 300)
        entry = (await self.edge.ctl("audit", "--last", "1"))["records"][0]
        self.assertEqual((entry["action"], entry["subject"], entry["reason"]), ("restore", str(copy), "a wrong turn"))
        with self.assertRaises(TimeoutError):
            await asyncio.wait_for(self.ended(stream), 1)
        kept = list(self.edge.gatehouse.state_dir.glob("policy.db.before-restore-*"))
        self.assertEqual(len(kept), 1)
        await self.must("restore", kept[0])
        self.assertEqual((await self.edge.ctl("gateway", "get"))["keep_alive_interval_s"], 77)

    async def test_what_was_acknowledged_outlives_an_engine_killed_while_it_writes(self):
        partner = await self.edge.add("stays.example")
        stream, _ = await self.edge.connect(partner)
        acknowledged, asked, stop = set(), set(), asyncio.Event()

        async def write():
            number = 0
            while not stop.is_set():
                domain = f"p{number}.example"
                number += 1
                asked.add(domain)
                code, _, _ = await self.run_ctl("partner", "new", domain)
                if code == 0:
                    acknowledged.add(domain)
        writers = [asyncio.create_task(write())]
        for _ in range(4):
            least = len(acknowledged) + 3
            while len(acknowledged) < least:
                await asyncio.sleep(0.01)
            await asyncio.sleep(random.uniform(0, 0.2))
            workers = await asyncio.to_thread(self.edge.gatehouse.workers)
            os.kill(workers["policy_engine/0"]["pid"], signal.SIGKILL)
            newcomer, _ = await partner.connect(self.edge.port, OURS)  # by the snapshot that was the last
            newcomer.close()
        stop.set()
        await asyncio.gather(*writers)

        def listed():
            code, said = self.edge.gatehouse.ctl("partner", "list")
            return code == 0 and {view["partner"]["domain"] for view in said["partners"]} - {"stays.example"}
        domains = await asyncio.to_thread(wait_until, listed, "the engine answers again")
        self.assertLessEqual(acknowledged, domains)
        self.assertLessEqual(domains, asked)
        self.assertGreaterEqual(len(acknowledged), 12)
        with self.assertRaises(TimeoutError):
            await asyncio.wait_for(self.ended(stream), 1)

    @staticmethod
    async def ended(stream):
        while await stream.reader.read(4096):
            pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
