"""Descriptors and memory run short, or a worker stays away: strangers wait or go, what is established goes on."""

import asyncio
import os
import pathlib
import re
import shutil
import signal
import tempfile
import unittest

from dialback_edge import OURS, Edge
from gatehouse import BUILD, wait_until

from dialback_partner import answer_of, dialback

DESCRIPTORS = 160
ADDRESSES = 20  # with at most 10 half-open connections each
LEAST_CAP = 16  # MiB: less than a listener has before it has anything to do


class Scene(unittest.IsolatedAsyncioTestCase):
    async def start(self, limits="", **how):
        self.edge = Edge(limits, listeners=1, **how)
        self.addAsyncCleanup(self.edge.stop)
        await self.edge.start()

    async def partner(self):
        """It believes every key of ours."""
        partner = await self.edge.add("honest.example")

        async def believe():
            while True:
                stream, ours, _, _ = await partner.keys.get()
                stream.send(dialback("result", partner.domain, ours, type="valid"))
        believing = asyncio.ensure_future(believe())
        self.addCleanup(believing.cancel)
        return partner

    async def proven(self, partner):
        stream, _ = await self.edge.connect(partner)
        partner.send_key(stream, OURS)
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "valid")
        return stream

    async def until(self, condition, what):
        await asyncio.to_thread(wait_until, condition, what)

    async def answers(self, partner, stream, identity):
        """A message on the stream gets its answer, an error, on a stream of ours: the SIP side is not there."""
        stream.send(f"<message from='a@{partner.domain}' to='b@{OURS}' id='{identity}'><body>Hi</body></message>")
        await self.until(lambda: any(each.attributes.get("id") == identity for each in partner.messages),
                         f"the answer to {identity}")

    async def greeted(self, seconds=20, sender="newcomer.example"):
        """Whether a newcomer gets an answer to its header, in that time."""
        stream = await self.edge.knock("127.0.3.1", sender)
        try:
            await asyncio.wait_for(stream.next(), seconds)
            return True
        except asyncio.TimeoutError:
            return False


class Descriptors(Scene):
    async def test_a_flood_that_takes_them_all_keeps_nothing_from_what_is_established(self):
        await self.start("limits:\n  connections_per_minute: 1000\n",
                         under=("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"))
        partner = await self.partner()
        stream = await self.proven(partner)
        flood = [await self.edge.knock(f"127.0.2.{number // 10 + 1}") for number in range(10 * ADDRESSES)]
        stopped = await asyncio.to_thread(self.edge.gatehouse.wait_event, "accepting-stopped")
        self.assertEqual(stopped["short_of"], "descriptors")
        await self.answers(partner, stream, "m1")
        self.assertFalse(await self.greeted(1), "who comes now waits")
        await self.edge.until_counted(1, "gatehouse_accepting_stopped_total", reason="descriptors")
        for each in flood:
            each.close()
        self.assertTrue(await self.greeted(), "and comes in once there is room")
        await self.answers(partner, stream, "m2")
        self.assertEqual(len(self.edge.gatehouse.events("accepting-stopped")), 1)


class Memory(Scene):
    def use_cap(self, mib):
        gatehouse = self.edge.gatehouse
        text = gatehouse.config_file.read_text().partition("limits:")[0]
        gatehouse.write_config(f"{text}limits:\n  worker_memory_mib: {mib}\n")
        gatehouse.send_signal(signal.SIGHUP)

    def hard_cap(self):
        """Of the listener, in octets: where it ends, should it leak. None with a sanitizer, whose shadow counts too."""
        pid = self.edge.gatehouse.workers()["tls_listener/0"]["pid"]
        soft = re.search(r"Max data size +(\S+)", pathlib.Path(f"/proc/{pid}/limits").read_text())[1]
        return None if soft == "unlimited" else int(soft)

    async def test_a_cap_that_is_raised_counts_at_once_and_a_lower_one_ends_no_worker(self):
        await self.start()
        if await asyncio.to_thread(self.hard_cap) is None:
            self.skipTest("no limit with a sanitizer")
        self.use_cap(4096)
        await self.until(lambda: self.hard_cap() == 2 * 4096 * 2**20, "the cap is raised")
        self.use_cap(LEAST_CAP)
        await asyncio.to_thread(self.edge.gatehouse.wait_event, "accepting-stopped")
        self.assertEqual(self.hard_cap(), 2 * 4096 * 2**20)

    async def test_near_the_cap_strangers_go_and_what_is_established_stays(self):
        await self.start()
        partner = await self.partner()
        stream = await self.proven(partner)
        stranger = await self.edge.knock("127.0.2.1", partner.domain)
        await stranger.expect("header")
        await stranger.expect("element", "features")
        self.use_cap(LEAST_CAP)
        self.assertEqual(await asyncio.wait_for(answer_of(stranger), 20), "resource-constraint")
        await self.edge.until_counted(1, "gatehouse_connections_refused_total", reason="memory")
        self.assertFalse(await self.greeted(1), "who comes now waits")
        await self.answers(partner, stream, "m1")
        self.use_cap(16384)
        self.assertTrue(await self.greeted(), "and comes in once there is room")


class Away(Scene):
    async def start_with_own_plugins(self):
        plugins = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-plugins-"))
        self.addCleanup(shutil.rmtree, plugins, ignore_errors=True)
        for plugin in (BUILD / "lib" / "gatehouse").glob("*.so"):
            (plugins / plugin.name).symlink_to(plugin)
        self.plugins = plugins
        await self.start(options={"--plugin-dir": plugins})

    async def take_away(self, plugin):
        """Its worker dies and cannot come back; returns what brings it back."""
        gatehouse, link = self.edge.gatehouse, self.plugins / f"{plugin}.so"
        target = link.readlink()
        link.unlink()
        workers = await asyncio.to_thread(gatehouse.workers)
        os.kill(int(workers[f"{plugin}/0"]["pid"]), signal.SIGKILL)

        async def bring_back():
            since = len(gatehouse.lines)
            link.symlink_to(target)
            await asyncio.to_thread(gatehouse.wait_event, "worker-ready", since, 90, instance=f"{plugin}/0")
        return bring_back

    async def test_without_the_translator_peers_are_told_after_ten_seconds_and_may_come_back(self):
        await self.start_with_own_plugins()
        partner = await self.partner()
        stream = await self.proven(partner)
        bring_back = await self.take_away("sip_translator")
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 30), "internal-server-error")
        late = await self.edge.knock("127.0.2.1", partner.domain)
        await late.expect("header")
        self.assertEqual(await asyncio.wait_for(answer_of(late), 20), "internal-server-error")
        await bring_back()
        await self.proven(partner)

    async def test_without_the_verifier_who_needs_no_verdict_stays(self):
        await self.start_with_own_plugins()
        partner = await self.partner()
        stream = await self.proven(partner)
        bring_back = await self.take_away("dialback_verifier")
        waiting, _ = await self.edge.connect(partner)
        partner.send_key(waiting, OURS)
        self.assertEqual(await asyncio.wait_for(answer_of(waiting), 30), "internal-server-error")
        await bring_back()
        await self.answers(partner, stream, "m1")


if __name__ == "__main__":
    unittest.main(verbosity=2)
