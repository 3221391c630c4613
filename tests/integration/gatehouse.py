"""One running Gatehouse in a folder of its own: started, listened to, asked and stopped by its process id.

    with Gatehouse(CONFIG, topology=ECHO_TOPOLOGY) as gatehouse:
        gatehouse.wait_ready()
        code, status = gatehouse.ctl("status")
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("GATEHOUSE_BUILD", ROOT / "build" / "dev"))
GATEHOUSED = BUILD / "bin" / "gatehoused"
GATEHOUSECTL = BUILD / "bin" / "gatehousectl"
ECHO_TOPOLOGY = HERE / "echo" / "topology.textproto"
ECHO_CONFIG = """\
domains:
  - name: contoso.example
workers:
  - plugin: echo
  - plugin: echo_caller
"""
PATIENCE_S = 30  # generous: sanitizers on a busy machine


def wait_until(condition, what, seconds=PATIENCE_S):
    """Polls `condition` until it gives something true, which is returned; fails with `what` at the limit."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.01)
    raise TimeoutError(f"not within {seconds} s: {what}")


class Gatehouse:
    def __init__(self, config, topology=None, options=None, environment=None, under=()):
        """`options`: further flags of gatehoused with their values; they replace those given here. `under`: a command
        that becomes gatehoused, such as prlimit with its words."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-"))
        self.config_file = self.folder / "gatehouse.yaml"
        self.runtime_dir = self.folder / "run"
        self.state_dir = self.folder / "state"
        self.write_config(config)
        flags = {"--config": self.config_file, "--state-dir": self.state_dir, "--runtime-dir": self.runtime_dir,
                 "--log-format": "json"}
        if topology is not None:
            flags["--topology"] = topology
        flags.update(options or {})
        self.command = [*under, GATEHOUSED] + [word for flag in flags.items() for word in flag]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.lines = []  # of standard error, as they came
        self.reader = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    def write_config(self, text):
        self.config_file.write_text(text, encoding="utf-8")

    def start(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True, encoding="utf-8",
                                        errors="replace", env=self.environment)
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self.reader.start()

    def _read(self, stream):
        for line in stream:
            self.lines.append(line.rstrip("\n"))

    def events(self, name, since=0):
        """The log records called `name`, from line `since` on, as dictionaries."""
        records = (json.loads(line) for line in self.lines[since:] if line.startswith("{"))
        return [record for record in records if record["event"] == name]

    def wait_event(self, name, since=0, seconds=PATIENCE_S, **fields):
        def found():
            for record in self.events(name, since):
                if all(record.get(key) == value for key, value in fields.items()):
                    return record
            return None
        try:
            return wait_until(found, f"log event {name} {fields}", seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n" + "\n".join(self.lines)) from None

    def wait_ready(self):
        wait_until(lambda: self.events("ready") or self.process.poll() is not None, "gatehoused is ready")
        if self.process.poll() is not None:
            self.reader.join(PATIENCE_S)
            raise RuntimeError(f"gatehoused ended with {self.process.returncode}:\n" + "\n".join(self.lines))

    def listener(self, kind):
        """Where it listens, as "127.0.0.1:port"; for sip "tls:127.0.0.1:port"."""
        return self.wait_event("listening", kind=kind)["address"]

    def ctl(self, *words):
        """gatehousectl: its exit code and what it printed, read as JSON where it is that."""
        done = subprocess.run([GATEHOUSECTL, *words, "--json", "--runtime-dir", self.runtime_dir], check=False,
                              capture_output=True, text=True, timeout=120)
        try:
            return done.returncode, json.loads(done.stdout)
        except json.JSONDecodeError:
            return done.returncode, done.stdout + done.stderr

    def workers(self):
        """The workers by name, as `status` gives them."""
        code, status = self.ctl("status")
        if code != 0:
            raise RuntimeError(f"status: {status}")
        return {worker["name"]: worker for worker in status["workers"]}

    def counter(self, worker, name):
        """The sum of a worker's counters called `name`."""
        return sum(counter.get("value", 0) for counter in self.workers()[worker].get("counters", [])
                   if counter["name"] == name)

    def send_signal(self, number):
        os.kill(self.process.pid, number)

    def wait_end(self):
        """Its exit code, after all it said was read."""
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        return code

    def stop(self):
        self.send_signal(signal.SIGTERM)
        return self.wait_end()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process is not None:
            self.reader.join(PATIENCE_S)
            self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)
