"""What gatehousectl says of zones that a real name server serves: one mistake in each, and none in the clean one."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "deploy" / "lab")]

import lab  # noqa: E402
from gatehouse import GATEHOUSECTL  # noqa: E402
from name_server import NameServer  # noqa: E402
from signed_dns import key_record  # noqa: E402

US = "192.0.2.10"            # its reverse zone is right
UNNAMED = "192.0.2.20"       # ours as well, without a name
MISNAMED = "192.0.2.30"      # ours as well, with a name that does not lead back
GOOD = "_xmpp-server._tcp SRV 0 0 5269 edge.clean.example."
OWN_KEY = "TLSA of our certificate"  # put in when there is one

# A zone for each mistake: its records, whether it is a mistake or a warning, and a part of the line that is proposed.
PLANTED = {
    "no-records": ("", "mistake", "SRV 0 0 5269"),
    "srv-missing": ("@ A 192.0.2.80", "mistake", "SRV 0 0 5269"),
    "service-refused": ("_xmpp-server._tcp SRV 0 0 0 .", "mistake", "SRV 0 0 5269"),
    "target-alias": (f"_xmpp-server._tcp SRV 0 0 5269 xmpp\nxmpp CNAME edge\nedge A {US}", "mistake",
                     "SRV 0 0 5269 edge.target-alias.example."),
    "target-without-address": ("_xmpp-server._tcp SRV 0 0 5269 edge\nedge TXT none", "mistake",
                               f"edge.target-without-address.example. 3600 IN A {US}"),
    "wrong-port": ("_xmpp-server._tcp SRV 0 0 5222 edge.clean.example.", "mistake",
                   "SRV 0 0 5269 edge.clean.example."),
    "target-is-address": (f"_xmpp-server._tcp SRV 0 0 5269 {US}.", "mistake", "SRV 0 0 5269"),
    "target-single-label": ("_xmpp-server._tcp SRV 0 0 5269 edge.", "mistake",
                            "SRV 0 0 5269 edge.target-single-label.example."),
    "not-ours": ("_xmpp-server._tcp SRV 0 0 5269 edge\nedge A 192.0.2.99", "mistake", f"A {US}"),
    "access-edge": ("_xmpp-server._tcp SRV 0 0 5269 sip\n_sipfederationtls._tcp SRV 0 0 5061 sip\nsip A 192.0.2.99",
                    "mistake", "SRV 0 0 5269 edge.clean.example."),
    "private-address": ("_xmpp-server._tcp SRV 0 0 5269 edge\nedge A 192.168.7.7", "mistake", f"A {US}"),
    "aaaa-without-listener": (f"_xmpp-server._tcp SRV 0 0 5269 edge\nedge A {US}\nedge AAAA 2001:db8::10", "mistake", ""),
    "reverse-missing": (f"_xmpp-server._tcp SRV 0 0 5269 edge\nedge A {UNNAMED}", "warning",
                        "20.2.0.192.in-addr.arpa. 3600 IN PTR edge.reverse-missing.example."),
    "reverse-differs": (f"_xmpp-server._tcp SRV 0 0 5269 edge\nedge A {MISNAMED}", "warning", "IN PTR edge"),
    "tlsa-differs": (f"_xmpp-server._tcp SRV 0 0 5269 edge\nedge A {US}\n_5269._tcp.edge TLSA 3 1 1 {'77' * 32}",
                     "mistake", OWN_KEY),
    "tlsa-insecure": (f"_xmpp-server._tcp SRV 0 0 5269 edge\nedge A {US}\n_5269._tcp.edge TLSA {OWN_KEY}", "warning", ""),
    "direct-tls-without-listener": (GOOD + "\n_xmpps-server._tcp SRV 0 0 5270 edge.clean.example.", "mistake", ""),
    "caa-forbids": (GOOD + '\n@ CAA 0 issue ";"', "mistake", "CAA 0 issue"),
    "lookup-failed": (None, "mistake", ""),
    "srv-odd": (GOOD + "\n_xmpp-server._tcp SRV 10 0 5269 edge.clean.example.", "warning", ""),
    "resolvers-disagree": (GOOD, "mistake", ""),
}
# An alias at the top of a zone is none that a name server would load: it stands in the zone above.
ABOVE = {"above.example": f"apex-alias CNAME edge\nedge A {US}\n_xmpp-server._tcp.apex-alias SRV 0 0 5269 edge"}
OTHERS = {
    "clean.example": f"{GOOD}\nedge A {US}\nns A 127.0.0.1",
    "2.0.192.in-addr.arpa": "10 PTR edge.clean.example.\n30 PTR gone.clean.example.\n",
    "8.b.d.0.1.0.0.2.ip6.arpa": "0.1" + ".0" * 22 + " PTR edge.aaaa-without-listener.example.",
    "partner.example": "_xmpp-server._tcp SRV 0 0 5269 gone",
    "aliased.example": f"_xmpp-server._tcp SRV 0 0 5269 xmpp\nxmpp CNAME edge\nedge A {US}\n"
                       f"_5269._tcp.edge TLSA 3 1 1 {'77' * 32}",
}
CONFIG = """\
domains:
{domains}
listen:
  xmpp: ["0.0.0.0:5269"]
tls:
  chain_file: {chain}
  key_file: {key}
workers:
  - plugin: tls_listener
"""


class Dns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="gatehouse-dns-")
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = pathlib.Path(cls.scratch.name)
        cls.chain, cls.key = lab.Authority(cls.folder / "ca").issue("clean.example")
        cls.own_key = key_record(cls.chain)
        cls.domains = [f"{code}.example" for code in PLANTED] + ["apex-alias.above.example", "clean.example", "aliased.example"]
        cls.config = cls.write_config("gatehouse.yaml", cls.domains)
        zones = {f"{code}.example": records and records.replace(OWN_KEY, cls.own_key)
                 for code, (records, _, _) in PLANTED.items()}
        zones = {**OTHERS, **ABOVE, **zones}
        older = {**zones, "resolvers-disagree.example": GOOD.replace("SRV 0", "SRV 5")}
        cls.servers = [cls.serve("newer", zones), cls.serve("older", older)]

    @classmethod
    def serve(cls, name, zones, signed=()):
        server = NameServer(cls.folder / name, zones, signed)
        cls.addClassCleanup(server.stop)
        return server

    @classmethod
    def write_config(cls, name, domains, direct_tls=False):
        file = cls.folder / name
        text = CONFIG.format(domains="\n".join(f"  - name: {domain}" for domain in domains), chain=cls.chain, key=cls.key)
        file.write_text(text.replace("\ntls:", '\n  xmpps: ["0.0.0.0:5270"]\ntls:') if direct_tls else text)
        return file

    def run_ctl(self, *words):
        return subprocess.run([GATEHOUSECTL, "--runtime-dir", self.folder / "nobody", *words], check=False,
                              capture_output=True, text=True, timeout=120)

    def check(self, *words, servers=None, config=None):
        asked = [word for server in (servers or self.servers) for word in ("--resolver", server.address)]
        done = self.run_ctl("dns", "check", *words, "--config", config or self.config, "--host", "edge.clean.example",
                            "--address", US, "--address", UNNAMED, "--address", MISNAMED, *asked, "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return done.returncode, json.loads(done.stdout)

    def counting(self, domain):
        return [found for found in domain["findings"] if found["weight"] != "note"]

    def test_each_planted_mistake_is_found_by_its_own_code_and_no_other(self):
        code, report = self.check()
        self.assertEqual(code, 1)
        found = {domain["domain"]: self.counting(domain) for domain in report["domains"]}
        for planted, (_, weight, line) in PLANTED.items():
            with self.subTest(planted):
                findings = found[f"{planted}.example"]
                self.assertEqual([each["code"] for each in findings], [planted], findings)
                self.assertEqual(findings[0]["weight"], weight)
                self.assertIn(line.replace(OWN_KEY, self.own_key), findings[0]["line"])
        self.assertIn("SERVFAIL", found["lookup-failed.example"][0]["sentence"])
        self.assertEqual([each["code"] for each in found["apex-alias.above.example"]], ["apex-alias"])
        self.assertEqual(found["clean.example"], [])

    def test_a_clean_zone_ends_with_0_and_a_warning_does_as_well(self):
        self.assertEqual(self.check("clean.example")[0], 0)
        self.assertEqual(self.check("srv-odd.example")[0], 0)
        self.assertEqual(self.check("wrong-port.example")[0], 1)

    def test_of_a_partner_it_tells_what_we_would_meet(self):
        code, report = self.check("partner.example")
        self.assertEqual(code, 1)
        self.assertFalse(report["domains"][0]["ours"])
        self.assertEqual([each["code"] for each in self.counting(report["domains"][0])], ["target-without-address"])

    def test_for_people_it_is_a_table_with_the_line_to_change(self):
        done = self.run_ctl("dns", "check", "wrong-port.example", "--config", self.config, "--resolver",
                            self.servers[0].address)
        self.assertEqual(done.returncode, 1)
        self.assertIn("only one resolver was asked", done.stdout)
        self.assertIn("mistake wrong-port", done.stdout)
        self.assertIn("_xmpp-server._tcp.wrong-port.example. 3600 IN SRV 0 0 5269 edge.clean.example.", done.stdout)
        self.assertEqual(done.stderr, "a mistake was found\n")

    def test_listening_for_direct_tls_without_a_record_is_a_warning_with_its_line(self):
        config = self.write_config("direct.yaml", ["clean.example"], direct_tls=True)
        code, report = self.check(config=config)
        self.assertEqual(code, 0, report)
        found, = self.counting(report["domains"][0])
        self.assertEqual((found["code"], found["weight"], found["line"]), (
            "direct-tls-missing", "warning", "_xmpps-server._tcp.clean.example. 3600 IN SRV 0 0 5270 edge.clean.example."))

    def test_behind_a_wildcard_it_says_that_it_cannot_tell_whose_an_address_is(self):
        notes = {}
        for words in ((), ("--address", US)):
            done = self.run_ctl("dns", "check", "not-ours.example", "clean.example", "--config", self.config, "--resolver",
                                self.servers[0].address, "--json", *words)
            notes[words] = {domain["domain"]: {each["code"]: each for each in domain["findings"]}
                            for domain in json.loads(done.stdout)["domains"]}
        unknown, known = notes.values()
        note = unknown["not-ours.example"]["not-judged"]
        self.assertEqual(note["weight"], "note")
        self.assertIn("whether 192.0.2.99 leads to this edge cannot be said", note["sentence"])
        self.assertIn("--address", note["sentence"])
        self.assertNotIn("not-ours", unknown["not-ours.example"])
        self.assertIn("not-ours", known["not-ours.example"])
        self.assertNotIn("not-judged", known["not-ours.example"])
        self.assertNotIn("not-judged", known["clean.example"])

    def test_tlsa_records_at_the_name_behind_an_alias_are_judged_too(self):
        found = self.counting(self.check("aliased.example")[1]["domains"][0])
        self.assertEqual({(each["code"], each["name"]) for each in found},
                         {("target-alias", "xmpp.aliased.example"), ("tlsa-differs", "_5269._tcp.edge.aliased.example")})
        line, = [each["line"] for each in found if each["code"] == "tlsa-differs"]
        self.assertIn(f"_5269._tcp.edge.aliased.example. 3600 IN TLSA {self.own_key}", line)

    def test_what_cannot_be_asked_is_told_with_what_would_be_right(self):
        for words, said, code in (
                (("dns", "check", "--resolver", "x", "--config", self.config),
                 "--resolver 'x' is no address of a name server; give one such as 192.0.2.53", 1),
                (("dns", "check", "a..b"), "'a..b' is no domain name; give one such as partner.example", 1),
                (("dns", "plan", "a b", "--config", self.config), "'a b' is no domain name; give one such as", 1),
                (("dns", "plan"), "what is ours is not known: no supervisor answers in", 1),
                (("dns", "plan"), "name the configuration with --config FILE, or start gatehoused", 1),
                (("sip", "plan", "--config", self.config), "come from the running supervisor, also with --config", 3),
                (("sip", "plan", "--config", self.config), "start gatehoused, or name the folder", 3)):
            with self.subTest(words):
                done = self.run_ctl(*words)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(said, done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1)

    def test_wrong_usage_and_a_missing_configuration(self):
        self.assertEqual(self.run_ctl("dns", "check", "--nonsense").returncode, 2)
        done = self.run_ctl("dns", "check", "--config", self.folder / "none.yaml")
        self.assertEqual(done.returncode, 1)
        self.assertIn("none.yaml", done.stderr)

    def test_what_dns_plan_says_makes_a_zone_without_a_mistake(self):
        config = self.write_config("plan.yaml", ["plan.example"], direct_tls=True)
        plan = self.run_ctl("dns", "plan", "--config", config, "--address", US, "--tlsa")
        self.assertEqual(plan.returncode, 0, plan.stderr)
        self.assertIn("\n_xmpps-server._tcp.plan.example. 3600 IN SRV 0 0 5270 edge.plan.example.\n", plan.stdout)
        zones = {"plan.example": plan.stdout, "clean.example": "ns A 127.0.0.1",
                 "2.0.192.in-addr.arpa": "10 PTR edge.plan.example."}
        server = self.serve("planned", zones, signed=["plan.example"])
        code, report = self.check(servers=[server], config=config)
        self.assertEqual(code, 0, report)
        self.assertEqual(self.counting(report["domains"][0]), [])
        self.assertIn(self.own_key, json.dumps(report["domains"][0]["records"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
