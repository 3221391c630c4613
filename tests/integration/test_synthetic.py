"""gateway set --synthetic-interval: partners are tried without a message, and what changes is told."""

import asyncio
import json
import re
import subprocess
import unittest

from traffic import BUILD, Edge, lab

INTERVAL_S = 60  # the shortest there is
PATIENCE_S = 2 * INTERVAL_S + 30


class Synthetic(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.edge = await Edge.start("synthetic")
        self.addAsyncCleanup(self.edge.stop)
        self.lab = self.edge.lab

    async def ctl(self, *words, check=True):
        return await asyncio.to_thread(self.lab.ctl, *words, check=check)

    def count(self, result):
        return sum(counter["value"] for worker in self.lab.status()["workers"] for counter in worker.get("counters", [])
                   if counter["name"] == "gatehouse_synthetic_stream" and f'result="{result}"' in counter["labels"]
                   and f'partner="{lab.XMPP_DOMAIN}"' in counter["labels"])

    async def told(self, result):
        def found():
            return re.search(rf"synthetic-stream.*partner={lab.XMPP_DOMAIN}.*result={result}", self.lab.gatehouse.text())
        await asyncio.to_thread(lab.wait_until, found, PATIENCE_S, f"the log says {result}")

    async def test_the_result_is_counted_and_its_change_is_told(self):
        await self.ctl("gateway", "set", "--synthetic-interval", str(INTERVAL_S))
        self.assertIn("synthetic interval             60 s", await self.ctl("gateway", "get"))
        await self.told("ok")
        await asyncio.to_thread(lab.wait_until, lambda: self.count("ok") >= 1, 10, "it is counted")
        await self.edge.partner.stop()
        await self.told("connect-failed")
        await asyncio.to_thread(lab.wait_until, lambda: self.count("failed") >= 1, 10, "it is counted")

    async def test_it_is_a_setting_as_the_others_are(self):
        for wrong in ("59", "86401"):
            done = await asyncio.to_thread(subprocess.run, [BUILD / "bin" / "gatehousectl", "--runtime-dir",
                                                            self.lab.folder / "run", "gateway", "set", "--synthetic-interval",
                                                            wrong], check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("60 to 86400", done.stderr)
        await self.ctl("gateway", "set", "--synthetic-interval", "3600")
        exported = await self.ctl("export")
        self.assertIn("synthetic_interval_s: 3600", exported)
        self.assertIn("synthetic", await self.ctl("audit"))
        await self.ctl("gateway", "set", "--synthetic-interval", "0")
        self.assertEqual(json.loads(await self.ctl("gateway", "get", "--json"))["synthetic_interval_s"], 0)
        file = self.lab.folder / "data.yaml"
        file.write_text(exported)
        await self.ctl("apply", "-f", str(file))
        self.assertEqual(json.loads(await self.ctl("gateway", "get", "--json"))["synthetic_interval_s"], 3600)


if __name__ == "__main__":
    unittest.main(verbosity=2)
