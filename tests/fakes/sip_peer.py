"""A SIP server over TCP, as far as Gatehouse can see one: answers MESSAGE and NOTIFY, sends MESSAGE and SUBSCRIBE, counts
both ends."""

import asyncio
import secrets


class Message:
    """One SIP message: start line, headers (lower-case names, lists), body."""

    def __init__(self, head, body):
        lines = head.split("\r\n")
        self.start, self.headers, self.body = lines[0], {}, body
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.strip().lower(), []).append(value.strip())

    def first(self, name):
        return self.headers.get(name, [""])[0]

    @property
    def status(self):
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else None


async def read_message(reader):
    head = b""
    while not head.strip():
        head = await reader.readuntil(b"\r\n\r\n")
    text = head.decode().lstrip("\r\n").removesuffix("\r\n\r\n")
    message = Message(text, b"")
    length = int(message.first("content-length") or 0)
    message.body = (await reader.readexactly(length)).decode() if length else ""
    return message


class Watcher:
    """A SIP user who watches a contact: one dialog, as its subscriber keeps it."""

    def __init__(self, user, contact):
        self.user, self.contact, self.target = user, contact, contact
        self.tag, self.remote_tag = secrets.token_hex(4), ""
        self.call_id, self.cseq = f"{secrets.token_hex(8)}@peer", 0


class SipPeer:
    def __init__(self, port, gatehouse_port):
        self.port, self.gatehouse_port = port, gatehouse_port
        self.received = []                # (from URI, to URI, body) in order of arrival
        self.arrived = asyncio.Event()
        self.notified = []                # NOTIFYs in order of arrival
        self.silent_for = None            # messages to this user part get no answer
        self.refuses_late = None          # (user part, seconds): messages to it get 404 after that time
        self.last_answer = None           # the final response that came last
        self._server, self._connections = None, set()
        self._writer, self._pending, self._answers = None, {}, None
        self._turn = asyncio.Lock()       # who comes first writes first, also while one connection replaces another

    async def listen(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, reader, writer):
        self._connections.add(writer)
        try:
            while True:
                message = await read_message(reader)
                if message.status is None:
                    self._handle(message, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    def _handle(self, message, writer):
        method = message.start.split(" ")[0]
        if method == "MESSAGE":
            if self.silent_for and message.start.startswith(f"MESSAGE sip:{self.silent_for}@"):
                return
            self.received.append((_uri(message.first("from")), _uri(message.first("to")), message.body))
            self.arrived.set()
            if self.refuses_late and message.start.startswith(f"MESSAGE sip:{self.refuses_late[0]}@"):
                asyncio.get_running_loop().call_later(self.refuses_late[1], self._answer, message, writer,
                                                      "404 Not Found")
                return
        if method == "NOTIFY":
            self.notified.append(message)
        self._answer(message, writer, "200 OK")

    @staticmethod
    def _answer(message, writer, status):
        lines = [f"SIP/2.0 {status}"]
        lines += [f"Via: {via}" for via in message.headers["via"]]
        to = message.first("to")
        lines += [f"From: {message.first('from')}", f"To: {to if ';tag=' in to else to + ';tag=peer'}",
                  f"Call-ID: {message.first('call-id')}", f"CSeq: {message.first('cseq')}", "Content-Length: 0", "", ""]
        if not writer.is_closing():
            writer.write("\r\n".join(lines).encode())

    async def send(self, sender, to, body, extra=""):
        """Sends one MESSAGE; its final status, or 0 when the connection broke before one came."""
        return _status(await self._request(
            "MESSAGE", to, f"From: <{sender}>;tag={secrets.token_hex(4)}\r\nTo: <{to}>\r\n"
            f"Call-ID: {secrets.token_hex(8)}@peer\r\nCSeq: 1 MESSAGE\r\n{extra}"
            "Content-Type: text/plain; charset=UTF-8\r\n", body))

    async def subscribe(self, watcher, expires=3600):
        """Sends one SUBSCRIBE of a Watcher; its final status, or 0 when the connection broke before one came."""
        watcher.cseq += 1
        tag = f";tag={watcher.remote_tag}" if watcher.remote_tag else ""
        answer = await self._request(
            "SUBSCRIBE", watcher.target, f"From: <{watcher.user}>;tag={watcher.tag}\r\nTo: <{watcher.contact}>{tag}\r\n"
            f"Call-ID: {watcher.call_id}\r\nCSeq: {watcher.cseq} SUBSCRIBE\r\n"
            f"Contact: <{watcher.user.partition('@')[0]}@127.0.0.1:{self.port};transport=tcp>\r\n"
            f"Event: presence\r\nAccept: application/pidf+xml\r\nExpires: {expires}\r\n")
        if _status(answer) == 200 and not watcher.remote_tag:
            watcher.remote_tag = answer.first("to").partition(";tag=")[2]
            watcher.target = answer.first("contact").strip("<>")
        return _status(answer)

    async def request(self, method, to, sender, extra="", hops=70):
        """Sends one request of any method; its final response, or None when the connection broke before one came."""
        return await self._request(
            method, to, f"From: <{sender}>;tag={secrets.token_hex(4)}\r\nTo: <{to}>\r\n"
            f"Call-ID: {secrets.token_hex(8)}@peer\r\nCSeq: 1 {method}\r\n{extra}", hops=hops)

    def notified_of(self, watcher):
        """The NOTIFYs of one dialog."""
        return [notify for notify in self.notified if notify.first("call-id") == watcher.call_id]

    async def _request(self, method, to, headers, body="", hops=70):
        """The final response; None when the connection broke before one came, a 408 of our own when none came."""
        branch = "z9hG4bK" + secrets.token_hex(8)
        answer = asyncio.get_running_loop().create_future()
        self._pending[branch] = answer
        payload = body.encode()
        head = (f"{method} {to} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:{self.port};branch={branch}\r\n"
                f"Max-Forwards: {hops}\r\n{headers}Content-Length: {len(payload)}\r\n\r\n")
        try:
            async with self._turn:
                if self._writer is None or self._writer.is_closing():
                    await self._connect()
                self._writer.write(head.encode() + payload)
            return await asyncio.wait_for(answer, 40)
        except asyncio.TimeoutError:
            return Message("SIP/2.0 408 Request Timeout", "")
        finally:
            self._pending.pop(branch, None)

    async def _connect(self):
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self.gatehouse_port)
        self._answers = asyncio.ensure_future(self._read_answers(reader, self._writer))

    async def _read_answers(self, reader, writer):
        try:
            while True:
                message = await read_message(reader)
                branch = message.first("via").partition("branch=")[2].partition(";")[0]
                future = self._pending.get(branch)
                if future and not future.done() and message.status >= 200:
                    self.last_answer = message
                    future.set_result(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            if self._writer is writer:
                self._writer = None
                for future in self._pending.values():
                    if not future.done():
                        future.set_result(None)

    async def stop(self):
        if self._server:
            self._server.close()
        for writer in list(self._connections):
            writer.close()
        if self._answers:
            self._answers.cancel()


def _status(answer):
    return 0 if answer is None else answer.status


def _uri(value):
    return value[value.index("<") + 1:value.index(">")].partition(";")[0] if "<" in value else value.partition(";")[0]
