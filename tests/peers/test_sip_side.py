"""What `sip plan` prints, in a real Kamailio, and `test sip` with it."""

import asyncio
import json
import re
import subprocess
import sys
import unittest

from scene import ROOT, Scene, lab

sys.path.insert(0, str(ROOT / "tests" / "fakes"))
from sip_peer import SipPeer, Watcher  # noqa: E402

OTHER = "elsewhere.example"


class ThePlannedRoutesInKamailio(Scene):
    row = {"tls": "required", "sasl": "optional", "dialback": "true"}

    @classmethod
    def start_partner(cls):
        cls.lab.start_prosody()

    def plan(self, *words):
        return self.lab.ctl("sip", "plan", "--config", self.lab.folder / "gatehouse.yaml", *words)

    def test_1_the_next_hop_answers(self):
        report = json.loads(self.lab.ctl("test", "sip", "--json"))
        self.assertTrue(report["ok"], report)
        self.assertRegex(" ".join(step["detail"] for step in report["steps"]), r"\d\d\d after \d+ ms by TCP")

    def test_2_the_block_passes_kamailios_check_and_carries_a_message(self):
        self.lab.ctl("partner", "new", OTHER, "--additional-domains", f"*.{OTHER}")
        conf = self.lab.folder / "kamailio" / "kamailio.cfg"
        text = conf.read_text()
        by_hand = re.search(r'  if \(\$rd == "fabrikam\.example"\) \{.*?\n  \}\n', text, re.DOTALL)
        self.assertTrue(by_hand, text)
        self.lab.kamailio.stop()
        planned = self.plan("--kamailio")
        within = re.search(r"^#   (if \(has_totag\(\) && loose_route\(\)\).*)$", planned, re.MULTILINE)
        self.assertTrue(within, planned)
        text = text.replace(by_hand[0], "  route(GATEHOUSE);\n")
        text = text.replace("request_route {\n", f"request_route {{\n  {within[1]}\n", 1)
        conf.write_text(text + "\n" + planned)
        checked = subprocess.run(["kamailio", "-c", "-f", conf, "-Y", self.lab.folder / "kamailio"], check=False,
                                 capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.lab.kamailio.start()
        lab.wait_until(lambda: lab.port_answers(self.lab.ports["sip"]), 20, "Kamailio listens again")
        self.sip_to_xmpp("By the planned route.")
        self.assertNotIn("to gatehouse MESSAGE", self.lab.kamailio.text())

    def test_3_a_watcher_behind_it_is_notified_by_way_of_kamailio(self):
        asyncio.run(self.watch())

    async def watch(self):
        ben = SipPeer(lab.free_port(), self.lab.ports["sip"])
        await ben.listen()
        watcher = Watcher(f"sip:ben@{lab.SIP_DOMAIN}", f"sip:romeo@{lab.XMPP_DOMAIN}")
        self.assertEqual(await ben.subscribe(watcher), 200)
        for _ in range(2000):
            if ben.notified_of(watcher):
                break
            await asyncio.sleep(0.01)
        self.assertTrue(ben.notified_of(watcher))
        vias = ben.notified_of(watcher)[0].headers["via"]
        self.assertEqual(len(vias), 2, vias)
        self.assertIn(f":{self.lab.ports['sip']}", vias[0])
        await ben.stop()

    def test_4_lync_is_told_each_domain(self):
        text = self.plan("--lync", "--site", "BONN", "--registrar", "pool.contoso.example")
        for line in ("New-CsTrustedApplicationPool -Identity edge.contoso.example -Registrar pool.contoso.example -Site BONN",
                     "New-CsTrustedApplication -ApplicationId xmppedge", "Enable-CsTopology",
                     f'-MatchUri "{lab.XMPP_DOMAIN}"', f'-MatchUri "{OTHER}"', f'-MatchUri "*.{OTHER}"',
                     "Set-CsStaticRoutingConfiguration -Identity global -Route @{Add=$r3}",
                     "Set-CsExternalAccessPolicy -Identity global -EnableXmppAccess $true"):
            self.assertIn(line, text)
        self.assertNotIn("$du", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
