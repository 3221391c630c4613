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


if __name__ == "__main__":
    unittest.main(verbosity=2)
