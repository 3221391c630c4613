"""Dialback over the running program in all three roles, with partners that are right, wrong, slow, lying or old; and a secret
that changes while keys made with it are on their way."""

import asyncio
import re
import unittest

from dialback_edge import OURS, EdgeCase, lab

from dialback_partner import answer_of, dialback


class ReceivingRole(EdgeCase):
    async def test_the_authoritative_server_decides(self):
        async def scene(verify, expected, stays, **how):
            domain = f"{verify}.example"
            partner = await self.edge.add(domain, verify=verify, **how)
            stream, answered = await self.edge.connect(partner)
            partner.send_key(stream, OURS, " \n0123abc ")
            self.assertEqual(await asyncio.wait_for(answer_of(stream), 60), expected, verify)
            if not how.get("port"):
                self.assertEqual(partner.asked, [(OURS, answered.attributes["id"], "0123abc")])
            if not stays:
                self.assertEqual(await answer_of(stream), "footer")
                return
            partner.send_key(stream, "nobody.example")  # the stream is alive
            self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "item-not-found", verify)
            stream.close()
        await asyncio.gather(
            scene("valid", "valid", stays=True),
            scene("invalid", "invalid", stays=False),
            scene("item-not-found", "remote-server-not-found", stays=True),
            scene("host-unknown", "remote-server-not-found", stays=True),
            scene("forbidden", "remote-server-timeout", stays=True),
            scene("close", "remote-server-timeout", stays=True),
            scene("nobody-listens", "remote-connection-failed", stays=True, port=lab.free_port()),
            scene("silent", "remote-server-timeout", stays=True),
            scene("wrong-id", "remote-server-timeout", stays=True),
            scene("wrong-from", "remote-server-timeout", stays=True),
            scene("wrong-to", "remote-server-timeout", stays=True))
        for result, least in (("valid", 1), ("invalid", 1), ("remote-server-timeout", 6), ("remote-connection-failed", 1),
                              ("remote-server-not-found", 2), ("item-not-found", 10)):
            await self.edge.until_counted(least, "gatehouse_dialbacks_total", direction="in", result=result)

    async def test_servers_before_1_0_are_served_in_clear(self):
        partner = await self.edge.add("old.example", version=None)
        stream, answered = await self.edge.connect(partner, version=None)
        self.assertNotIn("version", answered.attributes)
        partner.send_key(stream, OURS)
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "valid", "and no features came before")
        stream.close()

    async def test_several_senders_share_a_stream_and_only_the_proven_one_may_speak(self):
        first = await self.edge.add("first.example")
        second = await self.edge.add("second.example", verify="invalid")
        stream, _ = await self.edge.connect(first)
        first.send_key(stream, OURS)
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "valid")
        first.send_key(stream, OURS, domain=second.domain)
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "forbidden")
        first.send_key(stream, OURS)
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "valid", "still proven, and nobody is asked again")
        self.assertEqual(len(first.asked), 1)
        stream.send(f"<message from='eve@second.example' to='ann@{OURS}'><body>Hi</body></message>")
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "invalid-from")

    async def test_unsolicited_results_end_the_stream_and_prove_nothing(self):
        partner = await self.edge.add("liar.example")
        for name, extra in (("result", {}), ("verify", {"id": "x"})):
            stream, _ = await self.edge.connect(partner)
            stream.send(dialback(name, partner.domain, OURS, type="valid", **extra))
            self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "policy-violation")
        await self.edge.until_counted(2, "gatehouse_streams_ended_total", direction="in", reason="policy-violation")

    async def test_a_stream_of_a_row_that_needs_tls_gets_an_error_and_asks_nobody(self):
        partner = await self.edge.add("strict.example", row=("--tls", "required", "--sasl", "optional", "--dialback", "true"))
        stream, _ = await self.edge.connect(partner)
        partner.send_key(stream, OURS)
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), "policy-violation")
        self.assertEqual(partner.connections, 0)
        stream.close()


class SecretRotation(EdgeCase):
    async def test_no_dialogue_in_flight_is_dropped(self):
        partners = [await self.edge.add(f"flight{number}.example") for number in range(4)]
        tests = [asyncio.ensure_future(self.edge.ctl("test", "stream", partner.domain)) for partner in partners]
        flights = [await asyncio.wait_for(partner.keys.get(), 30) for partner in partners]

        secret = self.edge.folder / "passphrase"
        secret.write_text("a passphrase of more than sixteen octets\n")
        await self.edge.ctl("gateway", "set", "--dialback-passphrase-file", str(secret))
        await self.judged(partners[0], flights[0], "valid")
        await self.edge.ctl("gateway", "set", "--dialback-passphrase-file", str(secret))  # the same again changes nothing
        await self.judged(partners[1], flights[1], "valid")
        await self.edge.ctl("worker", "restart", "dialback_verifier/0")
        await self.judged(partners[2], flights[2], "valid")
        await self.judged(partners[3], flights[3], "valid")
        for partner, (stream, theirs, _, _) in zip(partners, flights):
            stream.send(dialback("result", partner.domain, theirs, type="valid"))
        for done in tests:
            await asyncio.wait_for(done, 30)

        after = asyncio.ensure_future(self.edge.ctl("test", "stream", partners[0].domain))
        stream, theirs, identity, key = await asyncio.wait_for(partners[0].keys.get(), 30)
        self.assertNotEqual(key, flights[0][3])
        await self.judged(partners[0], (stream, theirs, identity, key), "valid")
        await self.judged(partners[0], (stream, theirs, identity + "0", key), "invalid")
        stream.send(dialback("result", partners[0].domain, theirs, type="valid"))
        await asyncio.wait_for(after, 30)

    async def judged(self, partner, flight, expected):
        """The partner asks our authoritative role about a key it got."""
        _, theirs, identity, key = flight
        stream, _ = await self.edge.connect(partner)
        stream.send(dialback("verify", partner.domain, theirs, key, id=identity))
        self.assertEqual(await asyncio.wait_for(answer_of(stream), 20), expected)
        stream.close()

    async def test_the_secret_is_in_no_log_and_readable_by_nobody_else(self):
        secret = self.edge.folder / "passphrase"
        secret.write_text("xyzzy-plugh-plover-plugh\n")
        await self.edge.ctl("gateway", "set", "--dialback-passphrase-file", str(secret))
        self.assertFalse([line for line in self.edge.gatehouse.lines if re.search("xyzzy", line)])
        files = list(self.edge.gatehouse.state_dir.rglob("dialback.secret"))
        self.assertEqual([oct(file.stat().st_mode & 0o777) for file in files], ["0o600"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
