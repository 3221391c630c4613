"""A SIP server that stops answering holds back its own senders, and nobody else."""

import asyncio
import unittest

from traffic import Edge, lab


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class StalledSipServer(unittest.IsolatedAsyncioTestCase):
    async def test_the_listener_stops_reading_and_other_partners_go_on(self):
        edge = await Edge.start("stalled-sip", other_partners=("adatum.example",))
        self.addAsyncCleanup(edge.stop)
        other = edge.others[0]

        await asyncio.to_thread(edge.lab.ctl, "gateway", "set", "--stream-inactivity-timeout", "3")
        edge.sip.silent_for = "ann"
        stalled = await edge.connect()
        pids = [int(entry["pid"]) for entry in edge.lab.status()["workers"]]
        flood = asyncio.ensure_future(self.flood(edge, stalled))
        await self.held_back(stalled)
        before, held = sum(map(resident_kib, pids)), self.flooded
        free = await edge.connect(other)
        for number in range(400):
            other.message(free, "romeo", f"bob@{lab.SIP_DOMAIN}", f"n={number}", f"f{number}")
            await asyncio.sleep(0.005)
        await asyncio.wait_for(self.arrived(edge, 400), 30)
        flood.cancel()

        self.assertNotIn("stream-closed", edge.lab.gatehouse.text(), "whom nobody reads from is not idle")
        self.assertGreater(stalled.writer.transport.get_write_buffer_size(), 0, "the listener has stopped reading")
        growth = sum(map(resident_kib, pids)) - before
        print(f"{held} unanswered messages until TCP held their sender back; meanwhile 400 of another partner arrived "
              f"and the workers grew by {growth} KiB")
        # A sanitizer holds freed memory back for a while: 16 MiB over these; a release build grows by 0.3.
        self.assertLess(growth, 32768, "memory stays flat")

    flooded = 0

    async def flood(self, edge, stream):
        """Writes until TCP holds it back, and keeps trying."""
        body = "x" * 800
        while True:
            edge.partner.message(stream, "romeo", f"ann@{lab.SIP_DOMAIN}", f"{self.flooded} {body}",
                                 f"s{self.flooded}")
            self.flooded += 1
            await stream.writer.drain()
            if self.flooded % 50 == 0:
                await asyncio.sleep(0)

    async def held_back(self, stream):
        """The same number of messages has been written for two seconds: nobody reads any more."""
        seen, since = -1, 0
        while since < 20:
            since = since + 1 if self.flooded == seen else 0
            seen = self.flooded
            await asyncio.sleep(0.1)

    async def arrived(self, edge, count):
        while sum(to.startswith("sip:bob@") for _, to, _ in edge.sip.received) < count:
            edge.sip.arrived.clear()
            await edge.sip.arrived.wait()


if __name__ == "__main__":
    unittest.main(verbosity=2)
