"""The limits of the whole edge over the running program: two listeners count as one, and a hostile partner or stranger keeps
nobody else away."""

import asyncio
import unittest

from dialback_edge import OURS, EdgeCase

from dialback_partner import answer_of


async def is_open(stream):
    """Whether the other side has said neither good-bye nor closed."""
    try:
        while True:
            kind, element = await asyncio.wait_for(stream.next(), 0.2)
            if kind == "footer" or element.local == "error":
                return False
    except asyncio.TimeoutError:
        return True
    except (OSError, ConnectionError):
        return False


async def number_open(streams):
    return sum(await asyncio.gather(*map(is_open, streams)))


class Limits(EdgeCase):
    limits = "limits:\n  connections_per_minute: 1000\n  stanzas_per_second: 2\n  stanza_burst: 4\n"

    async def proven(self, partner):
        stream, _ = await self.edge.connect(partner)
        partner.send_key(stream, OURS)
        return stream, await asyncio.wait_for(answer_of(stream), 30)

    async def until_open(self, expected, streams):
        """Until so many of them are open: a surplus goes as soon as the listeners know of each other."""
        for _ in range(60):
            found = await number_open(streams)
            if found == expected:
                return
            await asyncio.sleep(0.1)
        self.fail(f"{found} are open, not {expected}")

    async def test_an_address_has_ten_half_open_connections_at_both_listeners_together(self):
        streams = [await self.edge.knock("127.0.0.2") for _ in range(40)]
        for _ in range(60):
            found = await number_open(streams)
            if found <= 10:
                break
        self.assertLessEqual(found, 10)
        self.assertGreaterEqual(found, 8, "and no listener gives up more than its part")
        other = await self.edge.knock("127.0.0.3")
        self.assertTrue(await is_open(other))
        await self.edge.until_counted(30, "gatehouse_connections_refused_total", reason="unauthenticated_of_address")

    async def test_a_half_open_flood_pushes_out_its_own_oldest_and_no_newcomer(self):
        partner = await self.edge.add("honest.example")
        before, said = await self.proven(partner)
        self.assertEqual(said, "valid")
        await self.edge.ctl("gateway", "set", "--connection-limit", "20", "--partner-connection-limit", "5")
        flood = []
        for address in range(10, 16):
            flood += [await self.edge.knock(f"127.0.1.{address}") for _ in range(10)]
            await asyncio.sleep(0.5)  # a report of each listener to the other
        newcomer, said = await self.proven(partner)
        self.assertEqual(said, "valid")
        self.assertTrue(await is_open(before))
        self.assertTrue(await is_open(newcomer))
        self.assertLessEqual(await number_open(flood), 18)
        self.assertTrue(await is_open(flood[-1]), "the oldest went")
        await self.edge.until_counted(40, "gatehouse_connections_refused_total", reason="evicted")

    async def test_a_partner_has_its_limit_at_both_listeners_together_and_a_change_is_live(self):
        partner = await self.edge.add("many.example")
        other = await self.edge.add("other.example")
        await self.edge.ctl("gateway", "set", "--partner-connection-limit", "6")
        held = []
        for _ in range(6):
            stream, said = await self.proven(partner)
            self.assertEqual(said, "valid")
            held.append(stream)
            await asyncio.sleep(0.6)  # a report of each listener to the other
        for _ in range(8):  # whichever listener it comes to
            stream = await self.edge.knock("127.0.0.4", partner.domain)
            await stream.expect("header")
            self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "resource-constraint")
        self.assertEqual((await self.proven(other))[1], "valid", "nobody else is kept away")
        self.assertEqual(await number_open(held), 6)
        await self.edge.until_counted(8, "gatehouse_connections_refused_total", reason="partner_limit")
        await self.edge.ctl("gateway", "set", "--partner-connection-limit", "7")
        await asyncio.sleep(1)
        self.assertEqual((await self.proven(partner))[1], "valid")

    async def test_ten_times_the_stanza_rate_ends_the_stream(self):
        partner = await self.edge.add("loud.example")
        stream, said = await self.proven(partner)
        self.assertEqual(said, "valid")
        stream.send(f"<message from='a@{partner.domain}' to='b@{OURS}'/>" * 1000)
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 30), "policy-violation")
        await self.edge.until_counted(1, "gatehouse_streams_ended_total", direction="in", reason="policy-violation")

    async def test_an_establishment_time_out_is_live_for_streams_that_live_already(self):
        stream = await self.edge.knock("127.0.0.5")
        self.assertTrue(await is_open(stream))
        await self.edge.ctl("gateway", "set", "--stream-establishment-timeout", "2")
        await self.until_open(0, [stream])

    async def test_the_limits_hold_while_the_engine_is_restarted_and_a_listener_is_scaled_away(self):
        streams = [await self.edge.knock("127.0.0.6") for _ in range(10)]
        await asyncio.sleep(1)
        await self.edge.ctl("worker", "restart", "policy_engine/0")
        await asyncio.sleep(2)
        more = [await self.edge.knock("127.0.0.6") for _ in range(10)]
        self.assertLessEqual(await number_open(streams + more), 10)
        await self.edge.ctl("worker", "scale", "tls_listener", "1")
        await asyncio.sleep(5)
        streams = [await self.edge.knock("127.0.0.7") for _ in range(12)]
        self.assertEqual(await number_open(streams), 10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
