"""Scenes of an operator's mistakes: each ends gatehoused with code 2 and one line that names the thing and the remedy."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from gatehouse import BUILD, ECHO_CONFIG, ECHO_TOPOLOGY, GATEHOUSECTL, Gatehouse

FULL_WORKERS = """\
workers:
  - plugin: tls_listener
  - plugin: dialback_verifier
  - plugin: policy_engine
  - plugin: sip_translator
"""
ENGINE = """\
domains:
  - name: contoso.example
workers:
  - plugin: policy_engine
"""
ENGINE_TOPOLOGY = """\
worker { name: "policy_engine" plugin: "policy_engine.so" state: true }
"""
LISTENING_TOPOLOGY = """\
worker { name: "echo" plugin: "echo.so" network: INBOUND listen: SIP scalable: true }
"""
LISTENING = """\
domains:
  - name: contoso.example
listen:
  sip: ["tcp:127.0.0.1:%s"]
workers:
  - plugin: echo
"""


class Mistakes(unittest.TestCase):
    def refuse(self, config, *parts, topology=ECHO_TOPOLOGY, options=None):
        """Starts with `config`; the one line of its end must hold `parts`."""
        gatehouse = Gatehouse(config, topology, options)
        self.addCleanup(gatehouse.close)
        gatehouse.start()
        self.assertEqual(gatehouse.wait_end(), 2, gatehouse.lines)
        complaints = [line for line in gatehouse.lines if not line.startswith("{")]
        self.assertEqual(len(complaints), 1, gatehouse.lines)
        self.assertTrue(complaints[0].startswith("gatehoused: "), complaints)
        for part in parts:
            self.assertIn(part, complaints[0])

    def folder(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def test_malformed_yaml(self):
        self.refuse("domains:\n  - name: [unclosed\nworkers: x\n", "gatehouse.yaml:", "is not well-formed YAML")

    def test_an_unknown_key_with_the_nearest_known_one(self):
        self.refuse(ECHO_CONFIG + "listn:\n  xmpp: []\n",
                    "gatehouse.yaml:6: key 'listn': is not known; did you mean 'listen'?")

    def test_an_unknown_key_below_another(self):
        self.refuse(ECHO_CONFIG + "tls:\n  chain_fil: x\n", "gatehouse.yaml:7: key 'tls.chain_fil'", "chain_file")

    def test_a_key_that_would_move_the_cursor(self):
        config = ECHO_CONFIG + '"\\e[2J\\u202elisten": x\n'
        self.refuse(config, ":6: key '", "listen': is not known")
        folder = self.folder()
        (folder / "gatehouse.yaml").write_text(config, encoding="utf-8")
        done = subprocess.run([GATEHOUSECTL, "config", "check", folder / "gatehouse.yaml"], capture_output=True, text=True,
                              check=False)
        for word in ("\x1b", "\u202e"):
            self.assertNotIn(word, done.stderr + done.stdout)
        self.assertIn("key '?[2J?listen': is not known", done.stderr)

    def test_a_value_forges_no_line_and_is_not_told_whole(self):
        for value, told in (('"a\\nx.yaml:1: all is well"', "is 'a?x.yaml:1: all is well'"), ("p" * 100_000, "p ... p")):
            config = ECHO_CONFIG + f"sip:\n  profile: {value}\n"
            self.refuse(config, ":7: key 'sip.profile': is '", told, "'; would be right: page")
            file = self.folder() / "gatehouse.yaml"
            file.write_text(config, encoding="utf-8")
            done = subprocess.run([GATEHOUSECTL, "config", "check", file], capture_output=True, text=True, check=False)
            complaints = [line for line in done.stderr.splitlines() if told in line]
            self.assertEqual((done.returncode, len(complaints)), (1, 1), done.stderr[:2000])
            self.assertNotIn("\nx.yaml", done.stderr)
            self.assertLess(len(complaints[0]), 1000)

    def test_a_wrong_type(self):
        self.refuse(ECHO_CONFIG + "sip:\n  page_mode_max: many\n", ":7: key 'sip.page_mode_max': is 'many'", "a number")
        self.refuse(ECHO_CONFIG + "dns: yes\n", ":6: key 'dns': is 'yes'", "a group of keys")

    def test_a_key_given_twice(self):
        self.refuse(ECHO_CONFIG + "domains: []\n", ":6: key 'domains': is given twice, first in line 1")

    def test_no_domains(self):
        self.refuse("workers:\n  - plugin: echo\n", "key 'domains': is missing")

    def test_a_bad_listen_address(self):
        self.refuse(ECHO_CONFIG + 'listen:\n  xmpp: ["localhost"]\n', ":7: key 'listen.xmpp[0]': is 'localhost'",
                    "[::]:5269")

    def test_a_bad_transport(self):
        self.refuse(ECHO_CONFIG + 'listen:\n  sip: ["sctp:[::]:5060"]\n', ":7: key 'listen.sip[0]'", "tls, tcp or udp")

    def test_an_unknown_plugin(self):
        self.refuse(ECHO_CONFIG + "  - plugin: ecko\n", ":6: key 'workers[2].plugin': is 'ecko'", "did you mean 'echo'?")

    def test_a_bad_count(self):
        self.refuse(ECHO_CONFIG + "    count: many\n", ":6: key 'workers[1].count': is 'many'", "auto")
        self.refuse(ECHO_CONFIG + "    count: 2\n", ":6: key 'workers[1].count'", "there can be only one echo_caller")

    def test_a_certificate_of_the_store_beside_files(self):
        self.refuse(ECHO_CONFIG + "tls:\n  certificate: external-edge\n  chain_file: edge.pem\n",
                    ":7: key 'tls.certificate'", "chain_file and key_file")

    def test_a_missing_certificate(self):
        head = "domains:\n  - name: contoso.example\n"
        self.refuse(head + "tls:\n  key_file: none.key\n" + FULL_WORKERS, "key 'tls.chain_file': is missing",
                    topology=None)
        self.refuse(head + "tls:\n  chain_file: none.pem\n  key_file: none.key\n" + FULL_WORKERS,
                    ":4: key 'tls.chain_file': names '", "No such file", topology=None)

    def with_key(self, key):
        """A folder with two certificates, and a configuration with one and the key `key`."""
        folder = self.folder()
        for name in ("ours", "other"):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-subj", "/CN=contoso.example", "-addext", "subjectAltName=DNS:contoso.example",
                            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
                           check=True, capture_output=True)
        return folder, (f"domains:\n  - name: contoso.example\ntls:\n  chain_file: {folder}/ours.pem\n"
                        f"  key_file: {folder}/{key}.key\n  trust: {folder}/ours.pem\n" + FULL_WORKERS)

    @unittest.skipIf(shutil.which("openssl") is None, "no openssl")
    def test_a_key_of_another_certificate(self):
        folder, config = self.with_key("other")
        state = folder / "state"
        self.refuse(config, f":5: key 'tls.key_file': names '{folder}/other.key', which does not belong to the certificate in "
                    f"'{folder}/ours.pem'; would be right: the private key of that certificate",
                    topology=None, options={"--state-dir": state})
        self.assertFalse(state.exists(), "nothing was begun")

    @unittest.skipIf(shutil.which("openssl") is None, "no openssl")
    def test_a_reload_with_the_key_of_another_certificate_changes_nothing(self):
        folder, config = self.with_key("ours")
        with Gatehouse(config) as gatehouse:
            gatehouse.wait_ready()
            shutil.copy(folder / "other.key", folder / "ours.key")
            code, answer = gatehouse.ctl("reload")
            self.assertEqual(code, 1, answer)
            self.assertIn("key 'tls.key_file'", str(answer))
            self.assertFalse([line for line in gatehouse.lines if "reconfigure-failed" in line], gatehouse.lines)

    def test_a_worker_left_out_that_another_one_needs(self):
        for needed in ("dialback_verifier", "policy_engine", "sip_translator", "tls_listener"):
            self.refuse("domains:\n  - name: contoso.example\n" + FULL_WORKERS.replace(f"  - plugin: {needed}\n", ""),
                        ":3: key 'workers': ", f" needs {needed}; would be right: '- plugin: {needed}'", topology=None)

    def test_a_missing_configuration(self):
        self.refuse(ECHO_CONFIG, "none.yaml", "No such file", options={"--config": "/nonexistent/none.yaml"})

    def test_an_unknown_option(self):
        self.refuse(ECHO_CONFIG, "--nonsense", options={"--nonsense": "1"})

    def listening(self):
        topology = self.folder() / "topology.textproto"
        topology.write_text(LISTENING_TOPOLOGY, encoding="utf-8")
        return topology

    def test_an_occupied_port(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            self.refuse(LISTENING % port, ":4: key 'listen.sip[0]'", f"127.0.0.1:{port} is occupied",
                        topology=self.listening())

    def test_a_port_occupied_by_another_gatehouse_of_the_same_user(self):
        topology = self.listening()
        with Gatehouse(LISTENING % 0, topology) as first:
            first.wait_ready()
            port = first.listener("sip").rsplit(":", 1)[1]
            self.refuse(LISTENING % port, "is occupied", topology=topology)

    def test_an_address_of_no_machine(self):
        self.refuse(LISTENING.replace("127.0.0.1:%s", "192.0.2.1:5060"), "is no address of this machine",
                    topology=self.listening())

    def test_unwritable_folders(self):
        for option in ("--state-dir", "--runtime-dir"):
            self.refuse(ECHO_CONFIG, f"{option} /proc/gatehouse: cannot be made", options={option: "/proc/gatehouse"})

    @unittest.skipIf(os.geteuid() == 0, "everything is writable for root")
    def test_a_folder_of_somebody_else(self):
        self.refuse(ECHO_CONFIG, "--state-dir /usr: cannot be written", options={"--state-dir": "/usr"})

    def test_a_path_too_long_for_a_socket(self):
        folder = self.folder() / ("x" * 90)
        self.refuse(ECHO_CONFIG, "too long", "shorten the folder by", options={"--runtime-dir": str(folder)})

    def test_a_topology_that_makes_no_sense(self):
        topology = self.folder() / "topology.textproto"
        topology.write_text(ECHO_TOPOLOGY.read_text(encoding="utf-8").replace('to: "echo"', 'to: "ecko"'),
                            encoding="utf-8")
        self.refuse(ECHO_CONFIG, "topology: link 1: no worker named 'ecko'", topology=topology)

    def test_a_missing_plugin(self):
        self.refuse(ECHO_CONFIG, "/echo.so of worker 'echo' is missing", options={"--plugin-dir": str(self.folder())})

    def engine(self):
        """A topology of the policy engine alone, and a state folder it has run in."""
        topology, state = self.folder() / "topology.textproto", self.folder()
        topology.write_text(ENGINE_TOPOLOGY, encoding="utf-8")
        options = {"--state-dir": state}
        with Gatehouse(ENGINE, topology, options) as gatehouse:
            gatehouse.wait_ready()
            self.assertEqual(gatehouse.ctl("partner", "new", "partner.example")[0], 0)
        return topology, state, options

    def test_a_damaged_store(self):
        topology, state, options = self.engine()
        for damage in (b"not a database at all".ljust(8192, b"."), b"x", b""):
            (state / "policy.db").write_bytes(damage)
            self.refuse(ENGINE, f"policy_engine/0: policy store '{state}/policy.db': ",
                        "restore a copy, or move it and its '.made' away to start with no partners", topology=topology, options=options)
            self.assertEqual((state / "policy.db").read_bytes(), damage)

    def test_a_lost_store_of_which_the_log_is_left(self):
        topology, state, options = self.engine()
        (state / "policy.db").unlink()
        (state / "policy.db-wal").write_bytes(b"log")
        self.refuse(ENGINE, "policy.db': the file is gone but its write-ahead log is still there",
                    topology=topology, options=options)

    def plugins_with(self, change):
        """A plugin folder whose echo.so is the real one after `change` of its bytes."""
        folder = self.folder()
        for name in ("echo.so", "echo_caller.so"):
            shutil.copy(BUILD / "lib" / "gatehouse" / name, folder / name)
        plugin = folder / "echo.so"
        plugin.write_bytes(change(plugin.read_bytes()))
        return {"--plugin-dir": str(folder)}

    def test_a_plugin_of_another_build(self):
        def other_build(code):
            self.assertIn(b"+GNU-", code)
            return code.replace(b"+GNU-", b"+XYZ-")
        self.refuse(ECHO_CONFIG, "echo.so: is of build '", "+XYZ-", "build both together",
                    options=self.plugins_with(other_build))

    def test_a_plugin_of_another_abi(self):
        compiler = shutil.which("gcc")
        if compiler is None:
            self.skipTest("no gcc")
        options = self.plugins_with(lambda code: code)
        source = pathlib.Path(options["--plugin-dir"]) / "old.c"
        source.write_text("const struct { unsigned abi; const char *build, *name; void *create; }\n"
                          'gatehouse_worker_plugin = { 7, "any", "echo", 0 };\n', encoding="utf-8")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", source.with_name("echo.so"), source], check=True)
        self.refuse(ECHO_CONFIG, "echo.so: has ABI 7; this gatehouse-worker takes ABI 1", options=options)

    def test_a_file_that_is_no_plugin(self):
        self.refuse(ECHO_CONFIG, "echo.so: cannot be loaded: ", options=self.plugins_with(lambda code: b"no plugin"))


class ConfigCheck(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "gatehouse.yaml"
            file.write_text(text, encoding="utf-8")
            done = subprocess.run([GATEHOUSECTL, "config", "check", file], check=False, capture_output=True, text=True,
                                  timeout=60)
            return done.returncode, done.stdout + done.stderr

    def test_gatehousectl_finds_the_same_mistakes_offline(self):
        code, said = self.check("domians: []\n")
        self.assertEqual(code, 1)
        self.assertIn("gatehouse.yaml:1: key 'domians': is not known; did you mean 'domains'?", said)
        self.assertNotIn("\n", said.strip())

    def test_gatehousectl_tells_them_all_at_once(self):
        code, said = self.check("domains:\n  - name: -bad-\n    next_hop: x\n  - name: b.example\n    next_hop: y\nlisten:\n"
                                "  sip: [nowhere]\nworkers:\n  - plugin: policy_engin\ndns:\n  servers: [none]\nsipp:\n")
        self.assertEqual(code, 1)
        lines = said.splitlines()
        self.assertEqual([re.search(r"gatehouse\.yaml:(\d+): key '([^']*)'", line).groups() for line in lines],
                         [("12", "sipp"), ("2", "domains[0].name"), ("5", "domains[1].next_hop"), ("7", "listen.sip[0]"),
                          ("9", "workers[0].plugin"), ("11", "dns.servers[0]")], said)

    def test_gatehousectl_tells_twenty_of_many(self):
        names = "".join(f"  - name: -{number}-\n" for number in range(30))
        code, said = self.check(f"domains:\n{names}workers:\n  - plugin: policy_engine\n")
        self.assertEqual(code, 1)
        self.assertEqual(len(said.splitlines()), 21)
        self.assertEqual(said.splitlines()[-1], "and 10 more; mend these first")

    def test_aliases_that_multiply_take_no_memory(self):
        bomb = "a: &a [" + ", ".join(["x" * 40] * 20) + "]\n"
        for before, name in zip("abcdefgh", "bcdefghi"):
            bomb += f"{name}: &{name} [" + ", ".join([f"*{before}"] * 20) + "]\n"
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "gatehouse.yaml"
            file.write_text(bomb, encoding="utf-8")
            for words in (["config", "check", file], ["--runtime-dir", folder, "apply", "-f", file]):
                process = subprocess.Popen([GATEHOUSECTL, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                said = process.stderr.read()
                process.stderr.close()
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                self.assertEqual(process.returncode, 1, said)
                self.assertRegex(said, r"gatehouse\.yaml:\d: the aliases up to here .* write out what they repeat")
                self.assertLess(usage.ru_maxrss, 300_000, "KiB, most of it the sanitizer's")

    def test_gatehousectl_accepts_a_right_file(self):
        code, said = self.check("domains:\n  - name: contoso.example\nworkers:\n  - plugin: policy_engine\n")
        self.assertEqual(code, 0, said)


if __name__ == "__main__":
    unittest.main()
