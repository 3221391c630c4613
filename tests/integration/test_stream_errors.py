"""The stream error table (2.10) at the running program: what a peer does, and the condition it is told before the end; and
the ends without an error (2.16)."""

import asyncio
import unittest

from traffic import Edge, lab
from xmpp_partner import STREAMS, Stream

US, THEM = lab.SIP_DOMAIN, lab.XMPP_DOMAIN


def header(root="stream:stream", prefix="stream", stream=STREAMS, content="jabber:server", version="version='1.0'",
           sender=THEM, to=US, before=""):
    return (f"{before}<{root} xmlns='{content}' xmlns:{prefix}='{stream}' xmlns:db='jabber:server:dialback' "
            f"from='{sender}' to='{to}' {version}>")


# The first bytes of a connection, and the end they lead to.
AT_THE_HEADER = {
    "another name of the root": (header(root="stream:river"), "bad-format"),
    "another prefix": (header(root="s:stream", prefix="s"), "bad-namespace-prefix"),
    "another stream namespace": (header(stream="urn:x"), "invalid-namespace"),
    "a client": (header(content="jabber:client"), "invalid-namespace"),
    "version 0.9": (header(version="version='0.9'"), "unsupported-version"),
    "no version where dialback in clear is not permitted": (header(version=""), "unsupported-version"),
    "a domain that is not ours": (header(to="other.example"), "host-unknown"),
    "a user as sender": (header(sender=f"juliet@{THEM}"), "improper-addressing"),
    "a stranger": (header(sender="stranger.example"), "policy-violation"),
    "a document type": (header(before="<!DOCTYPE x [<!ENTITY e 'e'>]>"), "restricted-xml"),
    "a document that stands alone": (header(before="<?xml version='1.0' standalone='yes'?>"), "restricted-xml"),
    "a comment": (header() + "<!-- -->", "restricted-xml"),
    "a processing instruction": (header() + "<?x y?>", "restricted-xml"),
    "an entity": (header() + "<message>&foo;</message>", "restricted-xml"),
    "another encoding": (header(before="<?xml version='1.0' encoding='UTF-16'?>"), "unsupported-encoding"),
    "broken tags": (header() + "<a></b>", "not-well-formed"),
    "an undeclared prefix": (header() + "<x:a/>", "not-well-formed"),
    "a stanza of nobody": (header() + "<message/>", "not-authorized"),
    "too much before a proof": (header() + "<a>" + "x" * 20000, "policy-violation"),
}

# What an authenticated peer says.
WHILE_OPEN = {
    "a sender not proven": ("<message from='a@other.example' to='ann@{us}'/>", "invalid-from"),
    "a recipient not ours": ("<message from='a@{them}' to='ann@other.example'/>", "host-unknown"),
    "no addresses": ("<message/>", "improper-addressing"),
    "an address that is none": ("<message from='a@{them}' to='@{us}'/>", "improper-addressing"),
    "a stanza of a client": ("<message xmlns='jabber:client' from='a@{them}' to='ann@{us}'/>", "invalid-namespace"),
    "another type of iq": ("<iq from='a@{them}' to='ann@{us}' id='1' type='put'/>", "invalid-xml"),
    "compression": ("<compress xmlns='http://jabber.org/protocol/compress'/>", "unsupported-stanza-type"),
    "an unknown element": ("<query/>", "unsupported-stanza-type"),
    "a result nobody asked for": ("<db:result from='{them}' to='{us}' type='valid'/>", "policy-violation"),
    "a dialback of nobody": ("<db:result to='{us}'>key</db:result>", "improper-addressing"),
    "an acknowledgement of what was never sent":
        ("<enable xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='5'/>", "undefined-condition"),
    "an acknowledgement nobody asked for": ("<r xmlns='urn:xmpp:sm:3'/>", "unsupported-stanza-type"),
    "too deep": ("<message from='a@{them}' to='ann@{us}'>" + "<a>" * 100, "policy-violation"),
    "half a name": ("<message from='a@{them}' to='ann@{us}'><<", "not-well-formed"),
}


class StreamErrors(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        # One listener: what two know of each other is up to 250 ms old, and which of them a connection comes to is chance.
        self.edge = await Edge.start("stream-errors", limits=("connections_per_minute: 100000",), listeners=1)
        self.addAsyncCleanup(self.edge.stop)

    async def gateway(self, *flags):
        await asyncio.to_thread(self.edge.lab.ctl, "gateway", "set", *flags)

    async def end_of(self, stream):
        """The condition told, or "footer"; then nothing but the end of the connection."""
        end = "nothing"
        try:
            while True:
                kind, element = await asyncio.wait_for(stream.next(), 20)
                if kind == "element" and element.local == "error":
                    end = element.children[0].local
                elif kind == "footer" and end == "nothing":
                    end = "footer"
        except ConnectionError:
            return end
        finally:
            stream.close()

    async def first_words(self, text):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.edge.lab.ports["xmpp"])
        stream = Stream(reader, writer)
        stream.send(text)
        return stream

    async def test_each_condition(self):
        for what, (text, condition) in AT_THE_HEADER.items():
            with self.subTest(what):
                self.assertEqual(await self.end_of(await self.first_words(text)), condition)
        for what, (text, condition) in WHILE_OPEN.items():
            with self.subTest(what):
                stream = await self.edge.connect()
                stream.send(text.format(us=US, them=THEM))
                self.assertEqual(await self.end_of(stream), condition)

    async def test_ends_that_time_and_settings_bring(self):
        with self.subTest("nobody proves who it is in time"):
            await self.gateway("--stream-establishment-timeout", "1")
            self.assertEqual(await self.end_of(await self.first_words(header())), "connection-timeout")
            await self.gateway("--stream-establishment-timeout", "60")
        with self.subTest("no stanza for long"):
            stream = await self.edge.connect()
            await self.gateway("--stream-inactivity-timeout", "2")
            self.assertEqual(await self.end_of(stream), "footer")
            await self.gateway("--stream-inactivity-timeout", "600")
        with self.subTest("more connections than a partner may have"):
            await self.gateway("--partner-connection-limit", "1")
            first = await self.edge.connect()
            self.assertEqual(await self.end_of(await self.first_words(header())), "resource-constraint")
            await self.gateway("--partner-connection-limit", "20")
            first.close()
        with self.subTest("a second stream of the same two domains"):
            await self.gateway("--one-stream-per-pair", "true")
            first = await self.edge.connect()
            self.assertEqual(await self.end_of(await self.edge.connect()), "conflict")
            await self.gateway("--one-stream-per-pair", "false")
            first.close()
        with self.subTest("the row permits the method no more"):
            stream = await self.edge.connect()
            await asyncio.to_thread(self.edge.lab.ctl, "partner", "set", THEM, "--sasl", "not-supported")
            self.assertEqual(await self.end_of(stream), "reset")
            await asyncio.to_thread(self.edge.lab.ctl, "partner", "set", THEM, "--sasl", "optional")
        with self.subTest("the peer closes"):
            stream = await self.edge.connect()
            stream.send("</stream:stream>")
            self.assertEqual(await self.end_of(stream), "footer")
        with self.subTest("Gatehouse stops"):
            stream = await self.edge.connect()
            end = asyncio.ensure_future(self.end_of(stream))
            await asyncio.to_thread(self.edge.lab.ctl, "stop")
            self.assertEqual(await end, "system-shutdown")

    async def test_a_domain_that_is_ours_no_more(self):
        file = self.edge.lab.folder / "gatehouse.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("domains:\n", "domains:\n  - name: old.example\n", 1), encoding="utf-8")
        await asyncio.to_thread(self.edge.lab.ctl, "reload")
        stream = await self.edge.connect(to="old.example")
        file.write_text(text, encoding="utf-8")
        await asyncio.to_thread(self.edge.lab.ctl, "reload")
        self.assertEqual(await self.end_of(stream), "host-gone")
        self.assertEqual(await self.end_of(await self.first_words(header(to="old.example"))), "host-gone")

    async def test_a_server_that_demands_what_nobody_here_knows(self):
        self.edge.partner.more_features = "<toll xmlns='urn:example:toll'><required/></toll>"
        said = await asyncio.to_thread(self.edge.lab.ctl, "test", "stream", THEM, check=False)
        self.assertIn("requires a feature unknown here", said)
        self.assertIn("unsupported-feature", self.edge.partner.refused[-1])

    async def test_a_ping_is_answered_and_silence_is_probed(self):
        stream = await self.edge.connect()
        stream.send(f"<iq type='get' from='{THEM}' to='{US}' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>")

        async def answered():
            while not any(e.local == "iq" and e.attributes.get("id") == "p1" and e.attributes["type"] == "result"
                          for e in self.edge.partner.received):
                await self.edge.partner.arrived.wait()
                self.edge.partner.arrived.clear()
        await asyncio.wait_for(answered(), 20)
        await self.gateway("--keep-alive-interval", "1")

        async def probed():
            while not any(e.local == "iq" and e.child("ping") is not None for e in self.edge.partner.received):
                await self.edge.partner.arrived.wait()
                self.edge.partner.arrived.clear()
        await asyncio.wait_for(probed(), 20)
        stream.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
