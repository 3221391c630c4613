"""Gatehouse with two listeners and partners that the scene plays by hand, in clear, found by their --proxy."""

import asyncio
import pathlib
import sys
import tempfile
import unittest

from gatehouse import ROOT, Gatehouse, wait_until

sys.path[:0] = [str(ROOT / "deploy" / "lab"), str(ROOT / "tests" / "fakes")]

import lab  # noqa: E402
from dialback_partner import DialbackPartner, header  # noqa: E402
from xmpp_partner import Stream  # noqa: E402

OURS = lab.SIP_DOMAIN
IN_CLEAR = ("--tls", "not-supported", "--sasl", "not-supported", "--dialback", "true")


class Edge:
    """Gatehouse with two listeners, or as many as the scene wants, and partners that are found by their --proxy."""

    def __init__(self, limits="", listeners=2, **how):
        """`how`: of Gatehouse."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-dialback-"))
        self.authority = lab.Authority(self.folder)
        chain, key = self.authority.issue(OURS)
        self.gatehouse = Gatehouse(f"""\
domains:
  - name: {OURS}
    next_hop: "sip:127.0.0.1:9;transport=tcp"
listen:
  xmpp: ["127.0.0.1:0"]
  sip: ["tcp:127.0.0.1:0"]
tls:
  chain_file: {chain}
  key_file: {key}
  trust: {self.authority.ca_file}
dns:
  allow_loopback_targets: true
workers:
  - plugin: tls_listener
    count: {listeners}
  - plugin: dialback_verifier
  - plugin: policy_engine
  - plugin: sip_translator
{limits}""", **how)
        self.partners, self.opened = [], []

    async def start(self):
        self.gatehouse.start()
        await asyncio.to_thread(self.gatehouse.wait_ready)
        await self.ctl("policy", "set", "global", "--enable-xmpp-access", "true")
        self.port = int(self.gatehouse.listener("xmpp").rpartition(":")[2])
        return self

    async def ctl(self, *words):
        code, said = await asyncio.to_thread(self.gatehouse.ctl, *words)
        if code != 0:
            raise RuntimeError(f"gatehousectl {words}: {code}: {said}")
        return said

    async def add(self, domain, row=IN_CLEAR, port=None, **behaviour):
        """A partner that listens, and is known; `port`: where Gatehouse looks for it instead."""
        partner = await DialbackPartner(domain, **behaviour).listen()
        self.partners.append(partner)
        await self.ctl("partner", "new", domain, "--type", "federated", "--proxy", f"127.0.0.1:{port or partner.port}", *row)
        return partner

    async def connect(self, partner, **how):
        """A stream once the listeners know the partner: a snapshot takes its time."""
        for _ in range(200):
            try:
                stream, answered = await partner.connect(self.port, OURS, **how)
                self.opened.append(stream)
                return stream, answered
            except ConnectionError:
                await asyncio.sleep(0.1)
        raise TimeoutError(f"{partner.domain} is not let in")

    async def knock(self, address, sender=None):
        """A half-open stream from `address`, with a header of `sender` or without a word."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
        stream = Stream(reader, writer)
        self.opened.append(stream)
        if sender:
            header(stream, sender, OURS)
        return stream

    def counter(self, name, **labels):
        """The sum over both listeners."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(counter.get("value", 0) for worker in self.gatehouse.workers().values()
                   for counter in worker.get("counters", [])
                   if counter["name"] == name and all(word in counter.get("labels", "") for word in wanted))

    async def until_counted(self, least, name, **labels):
        await asyncio.to_thread(wait_until, lambda: self.counter(name, **labels) >= least, f"{name} {labels} is {least}")

    async def stop(self):
        for stream in self.opened:
            stream.close()
        for partner in self.partners:
            await partner.stop()
        await asyncio.to_thread(self.gatehouse.close)


class EdgeCase(unittest.IsolatedAsyncioTestCase):
    limits = ""

    async def asyncSetUp(self):
        self.edge = await Edge(self.limits).start()
        self.addAsyncCleanup(self.edge.stop)
