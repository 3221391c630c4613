"""A wrong partner gets one sentence with the remedy through every way in, and changes nothing."""

import concurrent.futures
import os
import socket
import subprocess
import unittest

import partner_files
import wrong_partners
from dialback_edge import Edge
from gatehouse import GATEHOUSECTL, wait_until
from wrong_partners import COMMANDS, DENIED, DENIED_BELOW, IMPORTS, KNOCKS, KNOCKS_ALIKE, NEW, OURS, THERE, THERE_TOO, WAYS

EXTENSIONS = {"clixml": "xml", "json": "json", "csv": "csv", "list": "txt"}
WRITERS = {"clixml": partner_files.clixml, "json": partner_files.lync_json, "csv": partner_files.csv,
           "list": partner_files.format_list}
# A partner that every way takes; each wrong is a change of it.
GOOD = {"domain": NEW, "type": "federated", "tls": "required", "sasl": "optional", "dialback": "true"}


class Scene(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        edge = Edge()
        cls.gatehouse, cls.folder = edge.gatehouse, edge.folder
        cls.addClassCleanup(cls.gatehouse.close)
        cls.gatehouse.write_config(cls.gatehouse.config_file.read_text(encoding="utf-8").replace(
            "listen:", f"  - name: {wrong_partners.ALSO_OURS}\nlisten:", 1))
        cls.gatehouse.start()
        cls.gatehouse.wait_ready()
        cls.must("partner", "new", THERE)
        cls.must("partner", "new", THERE_TOO, "--additional-domains", f"chat.{THERE_TOO},*.{THERE_TOO}")
        for denied in (DENIED, f"*.{DENIED_BELOW}"):
            cls.must("partner", "deny", denied)
        cls.must("gateway", "set", "--discover", "true")
        cls.knock_until_discovered()
        export = cls.must("export")
        cls.partners = export[export.index("partners:\n"):export.index("policies:")]

    @classmethod
    def ctl(cls, *words):
        """Exit code, what it printed, what it complained of."""
        done = subprocess.run([GATEHOUSECTL, *words, "--runtime-dir", cls.gatehouse.runtime_dir], check=False,
                              capture_output=True, timeout=120)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    @classmethod
    def must(cls, *words):
        code, out, err = cls.ctl(*words)
        if code != 0:
            raise RuntimeError(f"gatehousectl {words}: {code}: {err}")
        return out

    @classmethod
    def knock_until_discovered(cls):
        host, _, port = cls.gatehouse.listener("xmpp").rpartition(":")

        def discovered():
            for domain in (KNOCKS, KNOCKS_ALIKE):
                with socket.create_connection((host, int(port)), timeout=30) as knock:
                    knock.sendall(f"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
                                  f"from='{domain}' to='{OURS}' version='1.0'>".encode())
                    knock.recv(4096)
            seen = cls.must("partner", "discovered", "--json")
            return KNOCKS in seen and KNOCKS_ALIKE in seen
        wait_until(discovered, "those who knock are discovered")

    # --- the ways in

    def try_way(self, way, record, *more):
        """The three results of bringing the record in by this way."""
        if way in COMMANDS:
            known = {"new": NEW, "set": THERE, "accept": KNOCKS}[way]
            words = partner_files.flags(record, self.folder_of(way))
            return self.ctl("partner", way, record.get("domain", known), *words, *more)
        if way == "apply":
            file = self.folder_of(way) / "partners.yaml"
            file.write_bytes(self.partners.encode() + partner_files.yaml({**GOOD, **record}))
            return self.ctl("apply", "-f", file, *more)
        file = self.folder_of(way) / f"partners.{EXTENSIONS[way]}"
        file.write_bytes(WRITERS[way](partner_files.lync({**GOOD, **record})))
        return self.ctl("import", "lync", file, *more)

    def folder_of(self, way):
        folder = self.folder / way
        folder.mkdir(exist_ok=True)
        return folder


class WrongPartners(Scene):
    def check_told(self, way, wrong, result):
        code, out, err = result
        told = f"{way}: {code}\n{out}{err}"
        says, remedy = wrong.told(way)
        self.assertEqual(code, 2 if wrong.usage and way in COMMANDS else 1, told)
        self.assertTrue(err.endswith("\n") and err.count("\n") == 1, told)
        self.assertIn(says, err, told)
        self.assertIn(remedy, err, told)
        if way not in IMPORTS:  # which prints what would become of each record
            self.assertEqual(out, "", told)

    def state(self):
        return self.must("export"), self.must("partner", "discovered")

    def check(self, wrongs):
        before, cells = self.state(), 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for wrong in wrongs:
                ways = [way for way in WAYS if wrong.told(way) is not None]
                results = list(pool.map(lambda way, one=wrong: self.try_way(way, one.record), ways))
                cells += len(ways)
                for way, result in zip(ways, results):
                    with self.subTest(wrong.name, way=way):
                        self.check_told(way, wrong, result)
                with self.subTest(wrong.name):
                    self.assertEqual(self.must("export"), before[0], "something was changed")
        self.assertEqual(self.state(), before)
        print(f"{len(wrongs)} wrongs, {cells} cells, {len(wrongs) * len(WAYS) - cells} that no way can write")

    # --- the scenes

    def test_rows_without_a_method(self):
        self.check(wrong_partners.ROWS)

    def test_domains_that_are_none_or_somebody_elses(self):
        self.check(wrong_partners.DOMAINS)

    def test_domains_that_look_like_another(self):
        self.check(wrong_partners.LOOKS)

    def test_wildcards_that_mean_too_much(self):
        self.check(wrong_partners.WILDCARDS)

    def test_proxies_that_nobody_can_reach(self):
        self.check(wrong_partners.PROXIES)

    def test_numbers_and_times(self):
        self.check(wrong_partners.NUMBERS)

    def test_texts_and_certificates(self):
        self.check(wrong_partners.TEXTS)

    def test_words_that_are_not_known(self):
        self.check(wrong_partners.WORDS)


class WrongWords(Scene):
    """Commands of an operator who means something else: the code, and what the sentence says."""
    ANN = "SIP:Ann@contoso.example;transport=tls"

    def told(self, code, says, *words):
        with self.subTest(words):
            got, out, err = self.ctl(*words)
            self.assertEqual(got, code, out + err)
            self.assertIn(says, err if code else out)

    def test_one_of_our_own_domains_is_no_partner_to_be_tested(self):
        self.told(1, f"'{OURS}' is one of our own domains; name a partner's domain", "test", "stream", OURS)

    def test_a_partner_is_braked_not_denied(self):
        self.told(1, f"gatehousectl partner set {THERE} --enabled false", "partner", "deny", THERE)

    def test_a_kind_that_is_none_is_wrong_usage(self):
        self.told(2, "'mesage' is no kind of traffic; use one of", "policy", "test", self.ANN, f"bob@{THERE}", "mesage")

    def test_a_user_is_the_same_as_sip_writes_him(self):
        self.must("policy", "new", "Sales", "--enable-xmpp-access", "true")
        self.told(0, "granted to          ann@contoso.example", "policy", "grant", "Sales", "--users", self.ANN)
        self.told(1, "refused: ", "policy", "test", self.ANN, f"bob@{THERE}", "message")
        self.told(0, "of 'ann@contoso.example' is allowed\n", "contact", "allow", self.ANN, f"bob@{THERE}")
        self.told(0, "verdict       allow\n", "policy", "test", self.ANN, f"bob@{THERE}", "message")
        self.told(1, "is no SIP address of a user", "contact", "allow", "sips:ann@contoso.example", f"bob@{THERE}")

    def test_who_lifts_a_block_is_told_so(self):
        self.must("contact", "block", self.ANN, f"eve@{THERE}")
        self.told(0, "is allowed; the block is lifted\n", "contact", "allow", self.ANN, f"eve@{THERE}")

    def test_a_time_that_is_none(self):
        self.told(2, "'' is no time; write a time such as 2027-01-31", "partner", "set", THERE, "--expires", "")

    def test_a_backup_that_is_none_is_named_as_it_was_given(self):
        file = self.folder / "copy.db"
        file.write_text("nonsense")
        self.told(1, f"'{file}': the file is empty or cut short; name another backup\n", "restore", file)
        self.told(1, f"'{self.folder}' cannot be read: Is a directory; name a backup\n", "restore", self.folder)


class GoodPartners(Scene):
    def test_what_is_not_wrong_goes_in_every_way(self):
        good = {key: value for key, value in GOOD.items() if key != "domain"}
        for way, domain in {"new": NEW, "accept": KNOCKS, "apply": NEW, **dict.fromkeys(IMPORTS, NEW)}.items():
            with self.subTest(way):
                before = self.must("partner", "list", "--json")
                self.assertNotIn(domain, before)
                code, _, err = self.try_way(way, good)
                self.assertEqual((code, err), (0, ""))
                self.assertIn('"sasl":"optional"', self.must("partner", "get", domain, "--json"))
                self.must("partner", "remove", domain)
                self.assertEqual(self.must("partner", "list", "--json"), before)
        code, _, err = self.try_way("set", good)
        self.assertEqual((code, err), (0, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
