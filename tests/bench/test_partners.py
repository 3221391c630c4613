"""Ten thousand partners: how long from a command to its change in every worker. Prints; times are never asserted."""

import asyncio
import datetime
import os
import pathlib
import resource
import statistics
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
os.environ.setdefault("GATEHOUSE_BUILD", str(HERE.parents[1] / "build" / "release"))
sys.path.insert(0, str(HERE.parent / "integration"))

from dialback_edge import Edge  # noqa: E402
from gatehouse import wait_until  # noqa: E402

PARTNERS = int(os.environ.get("PARTNERS", "10000"))
CHANGES = 10
CONTACTS = int(os.environ.get("CONTACTS", "100000"))


def unix(record):
    return datetime.datetime.fromisoformat(record["time"].replace("Z", "+00:00")).timestamp()


class Partners(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.edge = await Edge().start()
        self.addAsyncCleanup(self.edge.stop)
        self.engine = self.edge.gatehouse.workers()["policy_engine/0"]["pid"]

    async def live(self, *words):
        """Carries out a change; gives seconds from the command's start to its end, to the last listener, to all."""
        lines = len(self.edge.gatehouse.lines)
        begun = time.time()
        await self.edge.ctl(*words)
        answered = time.time()

        def held():
            by_worker = {record["worker"]: unix(record) for record in self.edge.gatehouse.events("policy-snapshot", lines)}
            return by_worker if len(by_worker) == 4 else None
        by_worker = await asyncio.to_thread(wait_until, held, "every worker holds it")
        listeners = max(at for worker, at in by_worker.items() if worker.startswith("tls_listener/"))
        return answered - begun, listeners - begun, max(by_worker.values()) - begun

    def used_s(self):
        """What gatehousectl, all of its runs, and the engine have used of a processor so far."""
        fields = pathlib.Path(f"/proc/{self.engine}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        runs = resource.getrusage(resource.RUSAGE_CHILDREN)
        return runs.ru_utime + runs.ru_stime, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def told(self, what, times):
        columns = list(zip(*times))
        print(f"{what}: " + ", ".join(f"{name} {statistics.median(column):.3f} s (worst {max(column):.3f})"
                                      for name, column in zip(("answered", "live in the listeners", "live everywhere"), columns)),
              flush=True)

    async def test_a_change_among_ten_thousand(self):
        self.told("one change, no other partner", [await self.live("partner", "new", "first.example")])
        file = self.edge.folder / "partners.yaml"
        lines = ["partners:"]
        for number in range(PARTNERS):
            lines.append(f"  - domain: partner{number}.example")
            lines.append(f"    additional_domains: [chat.partner{number}.example]")
            lines.append(f"    description: \"Partner number {number} of a large directory\"")
        file.write_text("\n".join(lines) + "\n")
        self.told(f"apply of {PARTNERS} new partners", [await self.live("apply", "-f", file)])
        self.told("partner set", [await self.live("partner", "set", f"partner{number}.example", "--description", "changed")
                                  for number in range(CHANGES)])
        times = []
        for number in range(CHANGES):
            file.write_text(file.read_text().replace(f"number {number} of", f"number {number} anew of"))
            begun = self.used_s()
            times.append((*await self.live("apply", "-f", file), *(now - then for now, then in zip(self.used_s(), begun))))
        self.told("apply with one change", [each[:3] for each in times])
        print("  of a processor: " + ", ".join(f"{who} {statistics.median(column):.3f} s" for who, column in
                                              zip(("gatehousectl", "policy_engine"), list(zip(*times))[3:])), flush=True)
        begun = time.time()
        exported = self.edge.folder / "exported.yaml"
        await self.edge.ctl("export", "-o", exported)
        print(f"export: {time.time() - begun:.3f} s, {exported.stat().st_size} octets", flush=True)
        begun = time.time()
        await self.edge.ctl("backup", self.edge.folder / "copy.db")
        print(f"backup: {time.time() - begun:.3f} s, {(self.edge.folder / 'copy.db').stat().st_size} octets", flush=True)

    async def test_an_apply_of_many_contacts_and_who_asks_meanwhile(self):
        file = self.edge.folder / "contacts.yaml"
        names = [f"p{number}.example" for number in range(10)]
        contacts = (f"  - {{sip_user: u{number % 5000}@contoso.example, contact: c{number}@{names[number % 10]}, state: allowed}}\n"
                    for number in range(CONTACTS))
        file.write_text("partners:\n" + "".join(f"  - domain: {name}\n" for name in names) + "contacts:\n" + "".join(contacts))
        for what in ("all of them new", "nothing differs"):
            waits = []
            begun = time.time()
            apply = asyncio.create_task(self.edge.ctl("apply", "-f", file))
            while not apply.done():
                asked = time.time()
                await self.edge.ctl("partner", "list")
                waits.append(time.time() - asked)
            await apply
            print(f"apply of {CONTACTS} contacts, {what}: {time.time() - begun:.2f} s; who asked meanwhile waited "
                  f"{statistics.median(waits):.3f} s (worst {max(waits):.3f})", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
