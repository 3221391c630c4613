"""Requests on certificates over the control socket, as gatehousectl sends them: ZMTP 3 (NULL, DEALER) and protobuf, by
hand, for scenes that change certificates many times a second.

    CertificateControl(runtime_dir).install("edge", chain_text, key_text)
"""

import socket
import struct

SLOTS = {"xmpp": 0, "sip": 1}


class Refused(Exception):
    """What the answer says is wrong."""


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, value):
    """One field: an integer, or a text, octets or a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    octets = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(octets)) + octets


def fields(octets):
    """The fields of a message: numbers and values, the last of each."""
    found, at = {}, 0

    def read():
        nonlocal at
        number = shift = 0
        while True:
            octet = octets[at]
            at += 1
            number |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                return number
    while at < len(octets):
        key = read()
        kind, number = key & 7, key >> 3
        if kind == 0:
            found[number] = read()
        else:
            size = {1: 8, 5: 4}.get(kind) or read()
            found[number] = octets[at:at + size]
            at += size
    return found


class CertificateControl:
    IMPORT, ASSIGN, REMOVE = 101, 102, 104

    def __init__(self, runtime_dir, patience_s=60):
        self.path, self.patience_s = str(runtime_dir / "ctl.sock"), patience_s

    def call(self, command, body):
        """The fields of the response; Refused where its exit code is not 0."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(self.patience_s)
            line.connect(self.path)
            line.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
            self._read(line, 64)
            ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
            line.sendall(bytes([4, len(ready)]) + ready)
            self._frame(line)  # the other end's READY
            request = field(1, 1) + field(command, body)
            line.sendall(b"\x02" + struct.pack(">Q", len(request)) + request)
            answer = fields(self._frame(line))
        if answer.get(2):
            raise Refused(answer.get(3, b"").decode())
        return answer

    def install(self, name, *contents):
        """Imports what these texts hold."""
        files = b"".join(field(2, field(1, f"file {number}") + field(2, content))
                         for number, content in enumerate(contents))
        return self.call(self.IMPORT, field(1, name) + files)

    def assign(self, name, *slots):
        return self.call(self.ASSIGN, field(1, name) + b"".join(field(2, SLOTS[slot]) for slot in slots))

    def remove(self, name):
        return self.call(self.REMOVE, field(1, name))

    @staticmethod
    def _read(line, size):
        octets = b""
        while len(octets) < size:
            more = line.recv(size - len(octets))
            if not more:
                raise ConnectionError("the control socket was closed")
            octets += more
        return octets

    def _frame(self, line):
        flags = self._read(line, 1)[0]
        size = struct.unpack(">Q", self._read(line, 8))[0] if flags & 2 else self._read(line, 1)[0]
        return self._read(line, size)
