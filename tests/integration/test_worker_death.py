"""Any worker dies while messages flow both ways: it comes back, order holds, nobody is left without word."""

import asyncio
import os
import signal
import time
import unittest

from traffic import Edge, Flow, lab, out_of_order

RATE = 200  # messages a second, each way


class WorkerDeath(unittest.IsolatedAsyncioTestCase):
    async def kill_during_flow(self, worker):
        edge = await Edge.start(f"death-of-{worker.replace('/', '-')}")
        self.addAsyncCleanup(edge.stop)
        flow = Flow(edge, RATE)
        running = asyncio.ensure_future(flow.run(6))
        while len(flow.at_sip()) < RATE or len(flow.at_xmpp()) < RATE:
            self.assertFalse(running.done(), "messages flow both ways before the kill")
            await asyncio.sleep(0.01)
        victim = await asyncio.to_thread(edge.lab.worker_pid, worker)
        os.kill(victim, signal.SIGKILL)
        died = time.monotonic()

        def is_back():
            found = next(entry for entry in edge.lab.status()["workers"] if entry["name"] == worker)
            return int(found["pid"]) not in (0, victim) and found["state"] == "ready"
        await asyncio.to_thread(lab.wait_until, is_back, 10, f"{worker} is back")
        print(f"{worker}: back after {time.monotonic() - died:.3f} s")

        await running
        missing = await flow.settled()
        self.report(worker, flow, missing)
        self.assertEqual(out_of_order(flow.at_sip()), [])
        self.assertEqual(out_of_order(flow.at_xmpp()), [])
        accepted = {number for number, status in flow.statuses.items() if status == 200}
        self.assertEqual(accepted - set(flow.at_xmpp()), set(), "a SIP sender got 200 and the message did not arrive")
        self.assertEqual(len(flow.statuses), flow.sent_to_xmpp, "every SIP sender got an answer")
        return flow, missing

    def report(self, worker, flow, missing):
        at_sip, at_xmpp = flow.at_sip(), flow.at_xmpp()
        print(f"{worker}: to SIP {flow.sent_to_sip} sent, {len(set(at_sip))} arrived, {len(flow.errors_at_xmpp())} came back, "
              f"{len(at_sip) - len(set(at_sip))} twice, {len(missing)} without word; to XMPP {flow.sent_to_xmpp} sent, "
              f"{len(set(at_xmpp))} arrived, {sum(status != 200 for status in flow.statuses.values())} refused, "
              f"{len(at_xmpp) - len(set(at_xmpp))} twice; {flow.broken_streams} streams broke")

    async def test_the_translator_dies(self):
        _, missing = await self.kill_during_flow("sip_translator/0")
        self.assertEqual(missing, set())

    async def test_the_policy_engine_dies(self):
        _, missing = await self.kill_during_flow("policy_engine/0")
        self.assertEqual(missing, set())

    async def test_the_dialback_verifier_dies(self):
        _, missing = await self.kill_during_flow("dialback_verifier/0")
        self.assertEqual(missing, set())

    async def test_a_listener_dies(self):
        # What it had read, or the kernel held for it, and had not handed over is gone: the stream has no acks.
        for worker in ("tls_listener/0", "tls_listener/1"):
            with self.subTest(worker):
                flow, missing = await self.kill_during_flow(worker)
                self.assertTrue(not missing or flow.broken_streams, "lost without its stream having broken")
                self.assertLessEqual(len(missing), RATE, "more is gone than one second's messages")

    async def test_what_a_partner_wrote_before_it_heard_that_we_leave_arrives(self):
        edge = await Edge.start("leaving")
        self.addAsyncCleanup(edge.stop)
        stream = await edge.connect()
        names = [entry["name"] for entry in (await asyncio.to_thread(edge.lab.status))["workers"] if entry["plugin"] == "tls_listener"]
        restarts = [asyncio.ensure_future(asyncio.to_thread(edge.lab.ctl, "worker", "restart", name)) for name in names]
        await stream.expect("element", "error")
        for number in range(5):
            edge.partner.message(stream, "romeo0", f"ann0@{lab.SIP_DOMAIN}", f"n={number}", f"x{number}")
        stream.send("</stream:stream>")
        await asyncio.gather(*restarts)
        self.assertEqual([body for _, _, body in edge.sip.received], [f"n={number}" for number in range(5)])

    async def test_connections_wait_while_every_listener_is_dead(self):
        edge = await Edge.start("accept-queue")
        self.addAsyncCleanup(edge.stop)
        victims = [int(entry["pid"]) for entry in edge.lab.status()["workers"] if entry["plugin"] == "tls_listener"]
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        opened = [await asyncio.open_connection("127.0.0.1", edge.lab.ports["xmpp"]) for _ in range(8)]
        for reader, writer in opened:
            writer.write(b"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
                         b"from='fabrikam.example' to='contoso.example' version='1.0'>")
        for reader, writer in opened:
            answer = await asyncio.wait_for(reader.readuntil(b"</stream:features>"), 20)
            self.assertIn(b"starttls", answer)
            writer.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
