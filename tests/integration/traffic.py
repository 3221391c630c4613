"""A partner and a SIP server with Gatehouse between them, and numbered messages flowing both ways."""

import asyncio
import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "lab"), str(ROOT / "tests" / "fakes")]

import lab  # noqa: E402
from sip_peer import SipPeer  # noqa: E402
from xmpp_partner import XmppPartner  # noqa: E402

BUILD = pathlib.Path(os.environ.get("GATEHOUSE_BUILD", ROOT / "build" / "dev"))
PAIRS = 10


class Edge:
    """Gatehouse with one fake partner and one fake SIP server, all started."""

    @classmethod
    async def start(cls, name, other_partners=(), change_topology=None, **settings):
        """`change_topology`: makes another text of the shipped topology. `settings`: of lab.start_gatehouse."""
        self = cls()
        self.lab = lab.Lab(tempfile.mkdtemp(prefix=f"gatehouse-{name}-"), BUILD)
        ports = {domain: lab.free_port() for domain in other_partners}
        self.lab.start_dns(ports)
        self.partner = await self.add_partner(lab.XMPP_DOMAIN, self.lab.ports["s2s"])
        self.sip = SipPeer(self.lab.ports["sip"], self.lab.ports["gatehouse_sip"])
        await self.sip.listen()
        await asyncio.to_thread(self.lab.start_gatehouse, topology=self.topology(change_topology), **settings)
        await asyncio.to_thread(self.lab.add_partner)
        self.others = []
        for domain, port in ports.items():
            self.others.append(await self.add_partner(domain, port))
            await asyncio.to_thread(self.lab.add_partner, domain)
        return self

    def topology(self, change):
        if change is None:
            return None
        shipped = (ROOT / "deploy" / "topology.textproto").read_text(encoding="utf-8")
        changed = self.lab.folder / "topology.textproto"
        changed.write_text(change(shipped), encoding="utf-8")
        return changed

    async def add_partner(self, domain, port):
        partner = XmppPartner(domain, *self.lab.authority.issue(domain), self.lab.authority.ca_file)
        await partner.listen(port)
        return partner

    async def connect(self, partner=None, to=lab.SIP_DOMAIN):
        """A stream of the partner towards a domain of Gatehouse, tried until it stands."""
        end = time.monotonic() + 20
        while True:
            try:
                return await (partner or self.partner).connect(self.lab.ports["xmpp"], to)
            except (OSError, asyncio.IncompleteReadError) as problem:
                if time.monotonic() > end:
                    raise RuntimeError(f"no stream within 20 s: {problem}") from problem
                await asyncio.sleep(0.02)

    async def stop(self):
        code = await asyncio.to_thread(self.lab.stop)
        await self.partner.stop()
        for partner in self.others:
            await partner.stop()
        await self.sip.stop()
        return code


class Flow:
    """Numbered messages at a fixed rate in both directions, and what became of each."""

    def __init__(self, edge, rate):
        self.edge, self.rate = edge, rate
        self.sent_to_sip = 0     # stanzas written by the partner
        self.sent_to_xmpp = 0
        self.statuses = {}       # number -> final status of the SIP MESSAGE
        self.broken_streams = 0
        self._carrier = []       # by number: how many streams had broken when it was written
        self._requests = []

    async def run(self, seconds):
        await asyncio.gather(self._partner_writes(seconds), self._sip_writes(seconds))
        await asyncio.gather(*self._requests)

    async def _partner_writes(self, seconds):
        stream = await self.edge.connect()
        watch = asyncio.ensure_future(stream.next())
        for number in range(int(seconds * self.rate)):
            if watch.done() or stream.writer.is_closing():
                if watch.done():
                    watch.cancelled() or watch.exception()  # looked at, so that asyncio does not complain
                watch.cancel()
                self.broken_streams += 1
                stream.close()
                stream = await self.edge.connect()
                watch = asyncio.ensure_future(stream.next())
            pair = number % PAIRS
            self.edge.partner.message(stream, f"romeo{pair}", f"ann{pair}@{lab.SIP_DOMAIN}", f"n={number}", f"x{number}")
            self._carrier.append(self.broken_streams)
            self.sent_to_sip += 1
            await asyncio.sleep(1 / self.rate)
        self._last_stream = stream
        watch.cancel()

    async def _sip_writes(self, seconds):
        for number in range(int(seconds * self.rate)):
            self._requests.append(asyncio.ensure_future(self._request(number)))
            self.sent_to_xmpp += 1
            await asyncio.sleep(1 / self.rate)

    async def _request(self, number):
        pair = number % PAIRS
        try:
            self.statuses[number] = await self.edge.sip.send(
                f"sip:ann{pair}@{lab.SIP_DOMAIN}", f"sip:romeo{pair}@{lab.XMPP_DOMAIN}", f"n={number}")
        except ConnectionError:
            self.statuses[number] = 0

    # --- what became of them

    def at_sip(self):
        return [int(body[2:]) for _, _, body in self.edge.sip.received if body.startswith("n=")]

    def at_xmpp(self):
        return [int(element.child("body").text[2:]) for element in self.edge.partner.received
                if element.attributes.get("type") != "error" and element.child("body") is not None]

    def errors_at_xmpp(self):
        return {int(element.attributes["id"][1:]) for element in self.edge.partner.received
                if element.attributes.get("type") == "error"}

    async def settled(self, seconds=60):
        """Waits until every stanza of the partner has arrived, come back or gone down with its stream, or the time is
        over; those without word."""
        end = time.monotonic() + seconds
        while True:
            missing = set(range(self.sent_to_sip)) - set(self.at_sip()) - self.errors_at_xmpp()
            if missing == self._sunk(missing) or time.monotonic() > end:
                return missing
            await asyncio.sleep(0.1)

    def _sunk(self, missing):
        """Those that nobody can bring any more: their stream, which has no acks, broke, and what the pair said on a
        later one has arrived, which keeps the order."""
        latest = {}
        for number in self.at_sip():
            latest[number % PAIRS] = max(number, latest.get(number % PAIRS, -1))
        return {number for number in missing
                if self._carrier[latest.get(number % PAIRS, number)] > self._carrier[number]}


def out_of_order(numbers):
    """Pairs whose messages first arrived in another order than they were sent."""
    latest, wrong, seen = {}, [], set()
    for number in numbers:
        if number in seen:
            continue
        seen.add(number)
        pair = number % PAIRS
        if number < latest.get(pair, -1):
            wrong.append(number)
        latest[pair] = max(number, latest.get(pair, -1))
    return wrong
