"""A silent peer is pinged on the stream of ours to it, whichever of two listeners its own streams came to."""

import asyncio
import unittest

from traffic import Edge, lab

STREAMS = 8


class KeepAlive(unittest.IsolatedAsyncioTestCase):
    async def test_every_silent_stream_is_asked_for_whichever_listener_has_it(self):
        edge = await Edge.start("keep-alive", listeners="2")
        self.addAsyncCleanup(edge.stop)
        self.assertEqual(await edge.sip.send(f"sip:ann@{lab.SIP_DOMAIN}", f"sip:romeo@{lab.XMPP_DOMAIN}", "Hi"), 200)
        streams = [await edge.connect() for _ in range(STREAMS)]
        await asyncio.to_thread(edge.lab.ctl, "gateway", "set", "--keep-alive-interval", "2")

        def pings():
            return {element.attributes["id"] for element in edge.partner.received if element.child("ping") is not None}
        end = asyncio.get_running_loop().time() + 30
        while len(pings()) < STREAMS and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)
        self.assertEqual(len(pings()), STREAMS)
        for stream in streams:
            stream.close()

    async def test_pings_keep_no_stream_open_that_carries_nothing_else(self):
        edge = await Edge.start("idle-but-pinged", listeners="2")
        self.addAsyncCleanup(edge.stop)
        self.assertEqual(await edge.sip.send(f"sip:ann@{lab.SIP_DOMAIN}", f"sip:romeo@{lab.XMPP_DOMAIN}", "Hi"), 200)
        stream = await edge.connect()
        for name, seconds in (("--stream-inactivity-timeout", "4"), ("--keep-alive-interval", "1")):
            await asyncio.to_thread(edge.lab.ctl, "gateway", "set", name, seconds)

        async def talk():  # so that its own stream is silent for a while, and never idle
            while True:
                edge.partner.message(stream, "romeo", f"ann@{lab.SIP_DOMAIN}", "Hi", "m")
                await asyncio.sleep(3)
        talking = asyncio.ensure_future(talk())
        self.addCleanup(talking.cancel)
        end = asyncio.get_running_loop().time() + 30
        while edge.partner.streams_open and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)
        self.assertFalse(edge.partner.streams_open)
        self.assertTrue(any(element.child("ping") is not None for element in edge.partner.received))


if __name__ == "__main__":
    unittest.main(verbosity=2)
