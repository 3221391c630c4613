"""A partner's XMPP server that knows dialback only, in clear or inside TLS, and does in each of its three roles what the
scene tells it to: right, wrong, slow or not at all."""

import asyncio
import hashlib
import hmac
import secrets
import xml.parsers.expat

from xmpp_partner import STREAMS, TLS, Stream

DB = "jabber:server:dialback"
FEATURES = "<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>"


def make_key(secret, receiving, originating, stream_id):
    """XEP-0185"""
    return hmac.new(hashlib.sha256(secret.encode()).hexdigest().encode(),
                    f"{receiving} {originating} {stream_id}".encode(), hashlib.sha256).hexdigest()


def header(stream, sender, to, identity=None, version="1.0"):
    """`sender` and `version` may be None: left out."""
    stream.send(f"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='{STREAMS}' xmlns:db='{DB}' to='{to}'"
                + (f" from='{sender}'" if sender else "") + (f" id='{identity}'" if identity else "")
                + (f" version='{version}'" if version else "") + ">")


def dialback(name, sender, to, key="", **attributes):
    words = "".join(f" {word}='{value}'" for word, value in attributes.items())
    return f"<db:{name} xmlns:db='{DB}' from='{sender}' to='{to}'{words}>{key}</db:{name}>"


async def answer_of(stream):
    """What the next <db:result/> or <db:verify/> says: its type, or the condition of its error; or that of a stream
    error; or "footer"."""
    kind, element = await stream.next()
    if kind == "footer":
        return kind
    if element.local == "error":
        return element.children[0].local
    if element.attributes["type"] == "error":
        return element.child("error").children[0].local
    return element.attributes["type"]


class DialbackPartner:
    def __init__(self, domain, verify="valid", version="1.0", tls=None):
        """`verify`: how it answers as authoritative server: "valid", "invalid", a condition, or one of silent, close,
        wrong-id, wrong-from, wrong-to, host-unknown, twice. `version` None: a server before XMPP 1.0. `tls`: an SSL context;
        STARTTLS is required then."""
        self.domain, self.verify, self.version, self.tls = domain, verify, version, tls
        self.asked = []          # what <db:verify/> it got: (from, id, key)
        self.keys = asyncio.Queue()  # what <db:result/> it got, unanswered: (stream, from, stream id, key)
        self.connections = 0
        self.messages = []
        self._open = set()

    async def listen(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self):
        self._server.close()
        for stream in list(self._open):
            stream.close()

    # --- streams the other side opens

    async def _serve(self, reader, writer):
        stream = Stream(reader, writer)
        self.connections += 1
        self._open.add(stream)
        try:
            await self._serve_stream(stream)
        except (OSError, ValueError, xml.parsers.expat.ExpatError):
            pass  # the other side ended it
        finally:
            self._open.discard(stream)
            stream.close()

    async def _serve_stream(self, stream):
        identity = await self._greet(stream, FEATURES if self.tls is None else
                                     f"<stream:features><starttls xmlns='{TLS}'><required/></starttls></stream:features>")
        if self.tls is not None:
            await stream.expect("element", "starttls")
            stream.send(f"<proceed xmlns='{TLS}'/>")
            await stream.writer.drain()
            await stream.start_tls(self.tls)
            identity = await self._greet(stream, FEATURES)
        while True:
            kind, element = await stream.next()
            if kind == "footer":
                return
            if element.local == "verify":
                await self._judge(stream, element)
            elif element.local == "result":
                await self.keys.put((stream, element.attributes["from"], identity, element.text.strip()))
            else:
                self.messages.append(element)

    async def _greet(self, stream, features):
        asked = await stream.expect("header")
        identity = secrets.token_hex(8)
        header(stream, self.domain, asked.attributes["from"], identity, self.version)
        if self.version:
            stream.send(features)
        return identity

    async def _judge(self, stream, element):
        ours, identity = element.attributes["to"], element.attributes["id"]
        theirs = element.attributes["from"]
        self.asked.append((theirs, identity, element.text.strip()))
        if self.verify in ("valid", "invalid"):
            stream.send(dialback("verify", ours, theirs, id=identity, type=self.verify))
        elif self.verify == "wrong-id":
            stream.send(dialback("verify", ours, theirs, id=identity + "0", type="valid"))
        elif self.verify == "wrong-from":
            stream.send(dialback("verify", "other.example", theirs, id=identity, type="valid"))
        elif self.verify == "wrong-to":
            stream.send(dialback("verify", ours, "other.example", id=identity, type="valid"))
        elif self.verify == "host-unknown":
            stream.send("<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>")
        elif self.verify == "close":
            stream.close()
        elif self.verify != "silent":
            stream.send(dialback("verify", ours, theirs, f"<error type='cancel'><{self.verify} xmlns="
                                 "'urn:ietf:params:xml:ns:xmpp-stanzas'/></error>", id=identity, type="error"))

    # --- streams it opens

    async def connect(self, port, to, address="127.0.0.1", sender=True, version="1.0"):
        """A stream in clear with its response header read: the stream and that header."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        stream = Stream(reader, writer)
        header(stream, self.domain if sender else None, to, version=version)
        answered = await stream.expect("header")
        if version:
            await stream.expect("element", "features")
        return stream, answered

    def send_key(self, stream, to, key="a-key", domain=None):
        stream.send(dialback("result", domain or self.domain, to, key))
