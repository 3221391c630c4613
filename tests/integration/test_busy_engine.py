"""The engine over a piece of work that takes it long: it is not taken for dead, and what waits is done behind it."""

import asyncio
import os
import pathlib
import signal
import subprocess
import time
import unittest

from dialback_edge import Edge
from gatehouse import GATEHOUSECTL, wait_until

# Each brings work for the rules, the store, the audit and the snapshot. With the sanitizers so many take longer than a worker
# may be silent.
PARTNERS = int(os.environ.get("PARTNERS", "12000"))
ENGINE = "policy_engine/0"


def cpu_s(pid):
    """What this process has used of a processor so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class BusyEngine(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.edge = await Edge().start()
        self.addAsyncCleanup(self.edge.stop)

    def run_ctl(self, *words):
        done = subprocess.run([GATEHOUSECTL, *words, "--runtime-dir", self.edge.gatehouse.runtime_dir], check=False,
                              capture_output=True, text=True, timeout=400)
        return done.returncode, done.stderr

    def was_killed(self):
        return bool(self.edge.gatehouse.events("worker-killed"))

    def knows_all(self):
        published = self.edge.gatehouse.events("policy-published")
        return bool(published) and int(published[-1]["partners"]) == PARTNERS

    async def test_it_answers_pings_and_is_not_killed(self):
        before = await asyncio.to_thread(self.edge.gatehouse.workers)
        file = self.edge.folder / "partners.yaml"
        file.write_text("partners:\n" + "".join(
            f"  - domain: partner{number}.example\n    additional_domains: [a{number}.example, b{number}.example, '*.c{number}.example']\n"
            for number in range(PARTNERS)))
        pid = before[ENGINE]["pid"]
        idle, begun = cpu_s(pid), time.monotonic()
        apply = asyncio.create_task(asyncio.to_thread(self.run_ctl, "apply", "-f", file))
        await asyncio.to_thread(wait_until, lambda: cpu_s(pid) > idle + 1, "the engine is at work", 200)
        behind = asyncio.create_task(asyncio.to_thread(self.run_ctl, "partner", "list"))
        code, err = await apply
        if code != 0:  # a slow machine: it is at it all the same
            self.assertIn("did not answer within 120 s, so the change may be done or not", err)
        await behind
        await asyncio.to_thread(wait_until, lambda: self.knows_all() or self.was_killed(), "all partners are there", 400)
        print(f"{PARTNERS} partners in {time.monotonic() - begun:.1f} s, {cpu_s(pid) - idle:.1f} s of a processor", flush=True)
        self.assertFalse(self.was_killed())
        after = await asyncio.to_thread(self.edge.gatehouse.workers)
        self.assertEqual({name: worker["pid"] for name, worker in after.items()},
                         {name: worker["pid"] for name, worker in before.items()})

    async def test_a_change_that_it_does_not_answer_may_be_done_or_not(self):
        os.kill((await asyncio.to_thread(self.edge.gatehouse.workers))[ENGINE]["pid"], signal.SIGSTOP)  # and killed in the end
        change = asyncio.create_task(asyncio.to_thread(self.run_ctl, "partner", "new", "a.example"))
        question = asyncio.create_task(asyncio.to_thread(self.run_ctl, "partner", "get", "a.example"))
        code, err = await change
        self.assertEqual(code, 1)
        self.assertRegex(err, r"^policy_engine/0 (did not answer within 15 s|died over it), so the change may be done or not; "
                              r"see gatehousectl config history, or audit, before you try again\n$")
        code, err = await question
        self.assertEqual(code, 1)
        self.assertRegex(err, r"^policy_engine/0 (did not answer within 15 s|died over it)\n$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
