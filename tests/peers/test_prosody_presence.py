"""A SIP user watches an account at a real Prosody, whose client (slixmpp) agrees to everybody who asks."""

import asyncio
import sys
import tempfile
import unittest

from scene import BUILD, ROOT, lab
from xmpp_user import XmppUser

sys.path.insert(0, str(ROOT / "tests" / "fakes"))
from sip_peer import SipPeer, Watcher  # noqa: E402

ANN, ROMEO = f"ann@{lab.SIP_DOMAIN}", f"romeo@{lab.XMPP_DOMAIN}"


class WatchedAccount(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.lab = lab.Lab(tempfile.mkdtemp(prefix="gatehouse-presence-"), BUILD)
        self.addCleanup(self.lab.stop)
        self.sip = SipPeer(self.lab.ports["sip"], self.lab.ports["gatehouse_sip"])
        await self.sip.listen()
        self.addAsyncCleanup(self.sip.stop)
        await asyncio.to_thread(self.start)

    def start(self):
        self.lab.start_dns()
        self.lab.start_prosody()
        self.lab.start_gatehouse()
        self.lab.add_partner()
        self.romeo = self.come()

    def come(self):
        return XmppUser(f"{ROMEO}/laptop", lab.PASSWORD, self.lab.ports["c2s"], self.lab.authority.ca_file)

    async def told(self, watcher, what):
        """The first NOTIFY of a dialog that holds `what`, in its state or its document."""
        for _ in range(4000):
            for notify in self.sip.notified_of(watcher):
                if what in notify.first("subscription-state") or what in notify.body:
                    return notify
            await asyncio.sleep(0.01)
        self.fail(f"no NOTIFY with {what}: {[(n.first('subscription-state'), n.body) for n in self.sip.notified_of(watcher)]}")

    async def watch(self):
        watcher = Watcher(f"sip:{ANN}", f"sip:{ROMEO}")
        self.assertEqual(await self.sip.subscribe(watcher), 200)
        return watcher

    async def test_ann_sees_what_romeo_shows(self):
        first = await self.watch()
        await self.told(first, "pending;")
        await self.told(first, "active;")
        await self.told(first, "<basic>open</basic>")
        self.romeo.show("away", "back at two")
        away = await self.told(first, "<show xmlns='jabber:client'>away</show>")
        self.assertRegex(away.body, "<note( xml:lang='en')?>back at two</note>")
        self.assertEqual(away.first("content-type"), "application/pidf+xml")
        await asyncio.to_thread(self.romeo.close)
        await self.told(first, "<basic>closed</basic>")
        self.assertEqual(await self.sip.subscribe(first, expires=0), 200)
        await self.told(first, "terminated;reason=timeout")

        await asyncio.to_thread(lambda: setattr(self, "romeo", self.come()))
        self.addCleanup(self.romeo.close)
        second = await self.watch()
        await self.told(second, "active;")
        await self.told(second, "<basic>open</basic>")
        self.romeo.refuse(ANN)
        await self.told(second, "terminated;reason=rejected")


if __name__ == "__main__":
    unittest.main(verbosity=2)
