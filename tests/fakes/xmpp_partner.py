"""An XMPP server of a partner, as far as Gatehouse can see one: s2s streams in and out with STARTTLS and SASL EXTERNAL.
Runs on asyncio; counts and keeps what arrives."""

import asyncio
import base64
import secrets
import ssl
import xml.parsers.expat
from xml.sax.saxutils import escape

STREAMS = "http://etherx.jabber.org/streams"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


class Element:
    """A parsed element: `name` is 'namespace local', `text` its own character data."""

    def __init__(self, name, attributes):
        self.name, self.attributes, self.children, self.text = name, attributes, [], ""

    @property
    def local(self):
        return self.name.split(" ")[-1]

    def child(self, local):
        return next((child for child in self.children if child.local == local), None)


class StreamReader:
    """Bytes in; ('header', Element), ('element', Element) and ('footer', None) out."""

    def __init__(self):
        self.events, self._open = [], []
        self._parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
        if hasattr(self._parser, "SetReparseDeferralEnabled"):
            self._parser.SetReparseDeferralEnabled(False)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def feed(self, data):
        self._parser.Parse(data, False)
        events, self.events = self.events, []
        return events

    def _start(self, name, attributes):
        element = Element(name, attributes)
        if not self._open:
            self.events.append(("header", element))
        self._open.append(element)

    def _end(self, _name):
        element = self._open.pop()
        if not self._open:
            self.events.append(("footer", None))
        elif len(self._open) == 1:
            self.events.append(("element", element))
        else:
            self._open[-1].children.append(element)

    def _text(self, text):
        if len(self._open) > 1:
            self._open[-1].text += text


class Stream:
    """One TCP connection with XMPP on it."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self._parser, self._waiting = StreamReader(), []

    async def next(self):
        while not self._waiting:
            data = await self.reader.read(65536)
            if not data:
                raise ConnectionError("stream closed")
            self._waiting = self._parser.feed(data)
        return self._waiting.pop(0)

    async def expect(self, kind, local=None):
        got, element = await self.next()
        if got != kind or (local and element.local != local):
            what = element.local if element is not None else got
            detail = [child.local for child in element.children] if element is not None else []
            raise ConnectionError(f"expected {kind} {local}, got {got} {what} {detail}")
        return element

    def restart(self):
        self._parser, self._waiting = StreamReader(), []

    def send(self, text):
        self.writer.write(text.encode())

    def header(self, sender, to, identity=None):
        identity = f" id='{identity}'" if identity else ""
        self.send(f"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='{STREAMS}' "
                  f"xmlns:db='jabber:server:dialback' from='{sender}' to='{to}'{identity} version='1.0'>")

    async def start_tls(self, context, server_name=None):
        await self.writer.start_tls(context, server_hostname=server_name)
        self.restart()

    def close(self):
        self.writer.close()


class XmppPartner:
    def __init__(self, domain, chain, key, ca_file):
        self.domain = domain
        self.received = []      # Elements, in order of arrival
        self.arrived = asyncio.Event()
        self.refused = []       # why a stream could not be set up
        self.accepted = 0       # connections the other side has opened
        self.more_features = ""  # offered in clear beside STARTTLS
        self._server_context = self._context(ssl.PROTOCOL_TLS_SERVER, chain, key, ca_file)
        self._client_context = self._context(ssl.PROTOCOL_TLS_CLIENT, chain, key, ca_file)
        self._inbound = set()

    @staticmethod
    def _context(protocol, chain, key, ca_file):
        context = ssl.SSLContext(protocol)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_OPTIONAL if protocol == ssl.PROTOCOL_TLS_SERVER else ssl.CERT_REQUIRED
        context.load_cert_chain(chain, key)
        context.load_verify_locations(ca_file)
        return context

    # --- streams the other side opens

    async def listen(self, port):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def _serve(self, reader, writer):
        stream = Stream(reader, writer)
        self.accepted += 1
        self._inbound.add(stream)
        try:
            peer = await self._accept(stream)
            while True:
                kind, element = await stream.next()
                if kind == "footer":
                    break
                if element.local in ("message", "presence", "iq"):
                    if not element.attributes.get("from", "").partition("/")[0].endswith(peer):
                        raise ConnectionError("a sender that the stream did not prove")
                    self.received.append(element)
                    self.arrived.set()
        except (ConnectionError, ssl.SSLError, xml.parsers.expat.ExpatError) as problem:
            self.refused.append(str(problem))
        finally:
            self._inbound.discard(stream)
            stream.close()

    @property
    def streams_open(self):
        return len(self._inbound)

    async def _accept(self, stream):
        header = await stream.expect("header")
        stream.header(self.domain, header.attributes.get("from", ""), secrets.token_hex(8))
        stream.send(f"<stream:features><starttls xmlns='{TLS}'><required/></starttls>{self.more_features}"
                    "</stream:features>")
        await stream.expect("element", "starttls")
        stream.send(f"<proceed xmlns='{TLS}'/>")
        await stream.writer.drain()
        await stream.start_tls(self._server_context)
        header = await stream.expect("header")
        peer = header.attributes["from"]
        stream.header(self.domain, peer, secrets.token_hex(8))
        stream.send(f"<stream:features><mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>"
                    "</stream:features>")
        await stream.expect("element", "auth")
        names = [value for kind, value in stream.writer.get_extra_info("ssl_object").getpeercert()
                 .get("subjectAltName", ()) if kind == "DNS"]
        if peer not in names:
            raise ConnectionError(f"certificate of {names}, not of {peer}")
        stream.send(f"<success xmlns='{SASL}'/>")
        stream.restart()
        await stream.expect("header")
        stream.header(self.domain, peer, secrets.token_hex(8))
        stream.send("<stream:features/>")
        return peer

    # --- streams we open

    async def connect(self, port, to):
        """A stream on which stanzas for `to` may be sent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        stream = Stream(reader, writer)
        stream.header(self.domain, to)
        await stream.expect("header")
        await stream.expect("element", "features")
        stream.send(f"<starttls xmlns='{TLS}'/>")
        await stream.expect("element", "proceed")
        await stream.start_tls(self._client_context, to)
        stream.header(self.domain, to)
        await stream.expect("header")
        await stream.expect("element", "features")
        stream.send(f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{base64.b64encode(self.domain.encode()).decode()}</auth>")
        await stream.expect("element", "success")
        stream.restart()
        stream.header(self.domain, to)
        await stream.expect("header")
        await stream.expect("element", "features")
        return stream

    def message(self, stream, user, to, body, identity):
        stream.send(f"<message from='{user}@{self.domain}/fake' to='{to}' id='{identity}' type='chat'>"
                    f"<body>{escape(body)}</body></message>")

    def presence(self, stream, user, to, kind="", inside=""):
        kind = f" type='{kind}'" if kind else ""
        stream.send(f"<presence from='{user}' to='{to}'{kind}>{inside}</presence>")

    async def stop(self):
        self._server.close()
        for stream in list(self._inbound):
            stream.close()
