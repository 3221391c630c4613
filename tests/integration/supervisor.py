"""Scenes of the supervisor: who is started, killed, restarted, scaled, drained and told."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from gatehouse import ECHO_CONFIG, ECHO_TOPOLOGY, GATEHOUSED, Gatehouse, wait_until


class Echo(unittest.TestCase):
    def setUp(self):
        self.gatehouse = Gatehouse(ECHO_CONFIG, ECHO_TOPOLOGY)
        self.addCleanup(self.gatehouse.close)
        self.gatehouse.start()
        self.gatehouse.wait_ready()

    def notices(self):
        return self.gatehouse.ctl("status")[1].get("notices", [])

    def right_answers(self):
        return self.gatehouse.counter("echo_caller/0", "gatehouse_echo_caller_right_total")

    def wait_more_answers(self):
        before = self.right_answers()
        wait_until(lambda: self.right_answers() > before + 5, "more right answers")

    def kill_and_wait(self, name):
        """Kills `name`; gives its old and new process id and how long it was away."""
        old = self.gatehouse.workers()[name]["pid"]
        seen = len(self.gatehouse.lines)
        begin = time.monotonic()
        os.kill(int(old), signal.SIGKILL)
        new = self.gatehouse.wait_event("worker-ready", since=seen, instance=name)["pid"]
        return int(old), int(new), time.monotonic() - begin

    def test_a_plugin_is_loaded_and_linked_by_its_topology_alone(self):
        self.wait_more_answers()
        workers = self.gatehouse.workers()
        self.assertEqual({name: worker["state"] for name, worker in workers.items()},
                         {"echo/0": "ready", "echo_caller/0": "ready"})
        self.assertEqual(len({worker["pid"] for worker in workers.values()}), 2)

    def test_each_worker_is_a_process_with_one_plugin(self):
        for name, worker in self.gatehouse.workers().items():
            maps = pathlib.Path(f"/proc/{worker['pid']}/maps").read_text(encoding="utf-8")
            plugins = {line.split("/")[-1] for line in maps.splitlines() if "/lib/gatehouse/" in line}
            self.assertEqual(plugins, {name.split("/")[0] + ".so"})

    def test_a_worker_gives_up_its_rights(self):
        for worker in self.gatehouse.workers().values():
            status = pathlib.Path(f"/proc/{worker['pid']}/status").read_text(encoding="utf-8")
            self.assertIn("NoNewPrivs:\t1", status)
            self.assertIn("Seccomp:\t2", status)

    def test_a_killed_worker_is_back_within_a_second_and_linked_again(self):
        for name in ("echo/0", "echo_caller/0"):
            self.wait_more_answers()
            old, new, away_s = self.kill_and_wait(name)
            self.assertNotEqual(old, new)
            self.assertLess(away_s, 1.0)
        self.wait_more_answers()
        self.assertEqual(self.gatehouse.counter("echo_caller/0", "gatehouse_echo_caller_wrong_total"), 0)
        self.assertEqual(int(self.gatehouse.workers()["echo/0"]["restarts"]), 1)

    def test_a_stopped_worker_is_found_by_its_pings_and_killed(self):
        pid = int(self.gatehouse.workers()["echo/0"]["pid"])
        os.kill(pid, signal.SIGSTOP)
        self.gatehouse.wait_event("worker-killed", instance="echo/0", seconds=40)
        self.gatehouse.wait_event("worker-died", instance="echo/0")
        self.wait_more_answers()

    def test_more_and_fewer_instances_run_without_a_restart_of_the_others(self):
        caller = self.gatehouse.workers()["echo_caller/0"]["pid"]
        self.assertEqual(self.gatehouse.ctl("worker", "scale", "echo", "3")[0], 0)
        wait_until(lambda: [worker["state"] for worker in self.gatehouse.workers().values()] == ["ready"] * 4,
                   "three echoes")
        self.assertEqual(self.gatehouse.ctl("worker", "scale", "echo", "1")[0], 0)
        wait_until(lambda: set(self.gatehouse.workers()) == {"echo/0", "echo_caller/0"}, "one echo")
        self.assertEqual(self.gatehouse.workers()["echo_caller/0"]["pid"], caller)
        self.wait_more_answers()
        code, answer = self.gatehouse.ctl("worker", "scale", "echo_caller", "2")
        self.assertEqual(code, 1, answer)

    def test_a_drained_worker_stays_away_until_it_is_restarted(self):
        self.assertEqual(self.gatehouse.ctl("worker", "drain", "echo/0")[0], 0)
        self.assertEqual(self.gatehouse.workers()["echo/0"]["state"], "stopped")
        self.assertEqual(self.notices(), ["echo is stopped; start it with gatehousectl worker restart echo/0"])
        self.assertEqual(self.gatehouse.ctl("worker", "restart", "echo/0")[0], 0)
        self.assertEqual(self.notices(), [])
        self.assertEqual(self.gatehouse.workers()["echo/0"]["state"], "ready")
        self.wait_more_answers()
        self.assertEqual(self.gatehouse.ctl("worker", "restart", "nobody/0")[0], 1)

    def test_a_worker_that_dies_again_and_again_is_told_with_what_to_do(self):
        for _ in range(5):
            self.kill_and_wait("echo/0")
        os.kill(int(self.gatehouse.workers()["echo/0"]["pid"]), signal.SIGKILL)
        wait_until(lambda: self.gatehouse.workers()["echo/0"]["state"] == "waiting", "it is left alone for a while")
        told = self.notices()
        self.assertEqual(len(told), 1, told)
        self.assertTrue(told[0].startswith("echo dies again and again; the log says why (worker-died)"), told)
        self.assertEqual(self.gatehouse.ctl("worker", "restart", "echo/0")[0], 0)
        self.assertEqual(self.notices(), [])

    def test_the_end_of_the_supervisor_is_the_end_of_its_workers(self):
        pids = [int(worker["pid"]) for worker in self.gatehouse.workers().values()]
        self.gatehouse.process.kill()
        self.gatehouse.wait_end()
        wait_until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids), "the workers' end", 10)

    def test_sigterm_drains_and_ends_with_0(self):
        pids = [int(worker["pid"]) for worker in self.gatehouse.workers().values()]
        self.assertEqual(self.gatehouse.stop(), 0)
        self.assertFalse([pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists()])
        self.assertFalse(self.gatehouse.events("worker-died"))

    def test_gatehousectl_stop_ends_it_with_0(self):
        self.assertEqual(self.gatehouse.ctl("stop")[0], 0)
        self.assertEqual(self.gatehouse.wait_end(), 0)

    def test_a_second_supervisor_on_the_same_folder_is_refused(self):
        done = subprocess.run(self.gatehouse.command, check=False, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn(f"another gatehoused runs on it (pid {self.gatehouse.process.pid})", done.stderr)
        self.wait_more_answers()

    def test_a_second_supervisor_on_the_same_state_is_refused(self):
        with Gatehouse(ECHO_CONFIG, ECHO_TOPOLOGY, {"--state-dir": self.gatehouse.state_dir}) as second:
            self.assertEqual(second.wait_end(), 2)
            self.assertEqual(len(second.lines), 1)
            self.assertIn(f"--state-dir {self.gatehouse.state_dir}: another gatehoused runs on it "
                          f"(pid {self.gatehouse.process.pid})", second.lines[0])
        self.wait_more_answers()

    def test_a_crashed_supervisor_leaves_nothing_that_hinders_the_next(self):
        self.gatehouse.process.kill()
        self.gatehouse.wait_end()
        self.gatehouse.process.stderr.close()
        self.gatehouse.lines.clear()
        self.gatehouse.start()
        self.gatehouse.wait_ready()
        self.wait_more_answers()

    def test_sighup_with_a_bad_file_keeps_the_old_one(self):
        pids = {name: worker["pid"] for name, worker in self.gatehouse.workers().items()}
        self.gatehouse.write_config(ECHO_CONFIG.replace("domains", "domians"))
        self.gatehouse.send_signal(signal.SIGHUP)
        why = self.gatehouse.wait_event("reload-refused")["why"]
        self.assertIn("gatehouse.yaml:1: key 'domians': is not known; did you mean 'domains'?", why)
        self.assertEqual({name: worker["pid"] for name, worker in self.gatehouse.workers().items()}, pids)
        code, answer = self.gatehouse.ctl("reload")
        self.assertEqual(code, 1, answer)
        self.wait_more_answers()

    def test_sighup_with_a_good_file_reaches_workers_without_a_restart(self):
        pids = {name: worker["pid"] for name, worker in self.gatehouse.workers().items()}
        self.gatehouse.write_config(ECHO_CONFIG.replace("contoso", "fabrikam"))
        self.gatehouse.send_signal(signal.SIGHUP)
        self.assertEqual(self.gatehouse.wait_event("echo-reconfigured")["domain"], "fabrikam.example")
        code, status = self.gatehouse.ctl("status")
        self.assertEqual((code, status["domains"]), (0, ["fabrikam.example"]))
        self.assertEqual({name: worker["pid"] for name, worker in self.gatehouse.workers().items()}, pids)

    def test_a_reload_tells_which_worker_could_not_take_it(self):
        self.gatehouse.write_config(ECHO_CONFIG + "sip:\n  host: untakable.example\n")
        code, answer = self.gatehouse.ctl("reload")
        self.assertEqual(code, 1, answer)
        self.assertIn("reloaded, but not by every worker; echo/0: this host cannot be taken", str(answer))
        self.assertEqual(self.gatehouse.wait_event("reconfigure-failed")["why"], "this host cannot be taken")
        self.gatehouse.write_config(ECHO_CONFIG)
        code, answer = self.gatehouse.ctl("reload")
        self.assertEqual(code, 0, answer)

    def test_a_reload_starts_and_ends_workers(self):
        self.gatehouse.write_config(ECHO_CONFIG.replace("  - plugin: echo\n", "  - plugin: echo\n    count: 2\n"))
        self.gatehouse.send_signal(signal.SIGHUP)
        self.gatehouse.wait_event("worker-ready", instance="echo/1")
        self.gatehouse.write_config(ECHO_CONFIG)
        self.gatehouse.send_signal(signal.SIGHUP)
        wait_until(lambda: "echo/1" not in self.gatehouse.workers(), "the end of echo/1")
        self.wait_more_answers()


LISTENING_TOPOLOGY = """\
worker { name: "echo" plugin: "echo.so" network: INBOUND listen: SIP scalable: true }
"""
LISTENING = """\
domains:
  - name: contoso.example
listen:
  sip: ["tcp:%s", "udp:127.0.0.1:0"]
workers:
  - plugin: echo
"""


class Listening(unittest.TestCase):
    """`echo` takes no connection, so what these scenes see is what the supervisor's sockets do by themselves."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        topology = pathlib.Path(folder.name) / "topology.textproto"
        topology.write_text(LISTENING_TOPOLOGY, encoding="utf-8")
        self.gatehouse = Gatehouse(LISTENING % "127.0.0.1:0", topology)
        self.addCleanup(self.gatehouse.close)
        self.gatehouse.start()
        self.gatehouse.wait_ready()

    def tcp_address(self):
        code, status = self.gatehouse.ctl("status")
        self.assertEqual(code, 0, status)
        address = next(listener["address"] for listener in status["listeners"]
                       if listener["address"].startswith("tcp:"))
        host, port = address.removeprefix("tcp:").rsplit(":", 1)
        return host.strip("[]"), int(port)

    def test_a_connection_in_the_accept_queue_survives_the_death_of_the_worker(self):
        with socket.create_connection(self.tcp_address(), timeout=10) as connection:
            connection.sendall(b"before")
            old = int(self.gatehouse.workers()["echo/0"]["pid"])
            seen = len(self.gatehouse.lines)
            os.kill(old, signal.SIGKILL)
            self.gatehouse.wait_event("worker-died", since=seen, instance="echo/0")
            connection.sendall(b"between")
            self.gatehouse.wait_event("worker-ready", since=seen, instance="echo/0")
            connection.sendall(b"after")
            connection.settimeout(0.2)
            with self.assertRaises(TimeoutError):  # neither reset nor closed
                connection.recv(1)

    def test_both_families_come_in_by_the_unspecified_address(self):
        port = self.tcp_address()[1]
        self.gatehouse.write_config(LISTENING % f"[::]:{port}")
        self.gatehouse.send_signal(signal.SIGHUP)
        self.gatehouse.wait_event("reloaded")
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, port), timeout=10).close()

    def test_a_reload_moves_the_listener_and_restarts_its_worker_only(self):
        old_address = self.tcp_address()
        old_pid = self.gatehouse.workers()["echo/0"]["pid"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.gatehouse.write_config(LISTENING % f"127.0.0.1:{port}")
        self.gatehouse.send_signal(signal.SIGHUP)
        self.gatehouse.wait_event("reloaded")
        self.assertEqual(self.tcp_address(), ("127.0.0.1", port))
        wait_until(lambda: self.gatehouse.workers()["echo/0"]["pid"] not in (old_pid, "0", 0), "a new life")
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
        wait_until(lambda: self.refuses(old_address), "the old port is closed")

    def refuses(self, address):
        try:
            socket.create_connection(address, timeout=10).close()
            return False
        except ConnectionRefusedError:
            return True

    def test_a_reload_onto_an_occupied_port_changes_nothing(self):
        address = self.tcp_address()
        pid = self.gatehouse.workers()["echo/0"]["pid"]
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            self.gatehouse.write_config(LISTENING % f"127.0.0.1:{other.getsockname()[1]}")
            code, answer = self.gatehouse.ctl("reload")
        self.assertEqual(code, 1)
        self.assertIn("is occupied by another program", str(answer))
        self.assertEqual(self.tcp_address(), address)
        self.assertEqual(self.gatehouse.workers()["echo/0"]["pid"], pid)

    def test_every_instance_listens_on_the_same_port(self):
        address = self.tcp_address()
        self.assertEqual(self.gatehouse.ctl("worker", "scale", "echo", "2")[0], 0)
        self.gatehouse.wait_event("worker-ready", instance="echo/1")
        self.assertEqual(self.tcp_address(), address)
        table = pathlib.Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()
        listening = [row for row in table if row.split()[1].endswith(f":{address[1]:04X}") and row.split()[3] == "0A"]
        self.assertEqual(len(listening), 2)

    def test_a_drained_instance_leaves_its_port(self):
        address = self.tcp_address()
        self.assertEqual(self.gatehouse.ctl("worker", "drain", "echo/0")[0], 0)
        self.assertTrue(self.refuses(address))
        self.assertEqual(self.gatehouse.ctl("worker", "restart", "echo/0")[0], 0)
        self.assertEqual(self.gatehouse.workers()["echo/0"]["state"], "ready")


class Systemd(unittest.TestCase):
    def test_systemd_is_told_of_each_state(self):
        gatehouse = Gatehouse(ECHO_CONFIG, ECHO_TOPOLOGY)
        self.addCleanup(gatehouse.close)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            address = str(gatehouse.folder / "notify")
            notify.bind(address)
            notify.settimeout(30)
            gatehouse.environment.update(NOTIFY_SOCKET=address, WATCHDOG_USEC="200000")
            gatehouse.start()

            def wait_for(word):
                while word not in notify.recv(4096).decode():
                    pass

            wait_for("READY=1")
            wait_for("WATCHDOG=1")
            gatehouse.send_signal(signal.SIGHUP)
            wait_for("RELOADING=1")
            wait_for("READY=1")
            gatehouse.send_signal(signal.SIGTERM)
            wait_for("STOPPING=1")
            self.assertEqual(gatehouse.wait_end(), 0)


class Programs(unittest.TestCase):
    def test_every_program_tells_its_version_and_its_usage(self):
        for program in ("gatehoused", "gatehouse-worker", "gatehousectl"):
            for flag in ("--version", "--help"):
                done = subprocess.run([GATEHOUSED.parent / program, flag], check=False, capture_output=True,
                                      text=True, timeout=60)
                self.assertEqual(done.returncode, 0, program)
                self.assertIn(program, done.stdout)


if __name__ == "__main__":
    unittest.main()
