"""A whole federation on one machine: DNS, a certificate authority, Prosody or ejabberd as the XMPP partner, Kamailio as
the SIP organisation, real user agents at both, and Gatehouse between them. Everything lies below one folder, listens on
loopback ports the kernel chose, and ends with Lab.stop()."""

import json
import os
import pathlib
import signal
import socket
import string
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
SIP_DOMAIN = "contoso.example"
XMPP_DOMAIN = "fabrikam.example"
PASSWORD = "lab-only"


def free_port():
    """A port that was free for TCP and UDP a moment ago."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_until(condition, seconds, what):
    """Polls `condition` until it is true; fails with `what` when the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    raise TimeoutError(f"not within {seconds} s: {what}")


def port_answers(port, ip="127.0.0.1"):
    try:
        socket.create_connection((ip, port), timeout=1).close()
        return True
    except OSError:
        return False


def in_namespace_with(hosts):
    """What to put before a command that shall see this file as its /etc/hosts."""
    return ["unshare", "--map-root-user", "--mount", "sh", "-ec", f'mount --bind "{hosts}" /etc/hosts; exec "$@"', "sh"]


class Authority:
    """A throw-away certificate authority."""

    def __init__(self, folder, name="Lab CA"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ca_file = folder / "ca.pem"
        self.ca_key = folder / "ca.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "120",
                      "-subj", f"/CN={name}", "-keyout", self.ca_key, "-out", self.ca_file)

    def issue(self, *names, days=120, purposes="serverAuth,clientAuth"):
        """Chain and key files of a certificate for `names` (dNSName)."""
        stem = self.folder / names[0]
        request, chain, key = f"{stem}.csr", f"{stem}.crt", f"{stem}.key"
        extensions = self.folder / f"{names[0]}.ext"
        extensions.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names) +
                              f"\nkeyUsage=digitalSignature\nextendedKeyUsage={purposes}\n")
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                      "-subj", f"/CN={names[0]}", "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self.ca_key, "-CAcreateserial",
                      "-days", str(days), "-extfile", extensions, "-out", chain)
        return pathlib.Path(chain), pathlib.Path(key)

    def issue_again(self, chain, count):
        """The same certificate, for the same key, `count` times with other serial numbers: 0.crt, 1.crt, ... in the folder
        that is returned."""
        folder = chain.with_suffix(".again")
        folder.mkdir()
        for number in range(count):
            self._openssl("x509", "-req", "-in", chain.with_suffix(".csr"), "-CA", self.ca_file, "-CAkey", self.ca_key,
                          "-CAcreateserial", "-days", "30", "-extfile", chain.with_suffix(".ext"), "-out",
                          folder / f"{number}.crt")
        return folder

    def revoke(self, *certificates):
        """The file with its revocation list, which has these and no others."""
        (self.folder / "index.txt").write_text("")
        config = self.folder / "crl.cnf"
        config.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.folder}/index.txt\ndefault_md=sha256\n"
                          "default_crl_days=30\n")
        ca = ("ca", "-config", config, "-cert", self.ca_file, "-keyfile", self.ca_key)
        for certificate in certificates:
            self._openssl(*ca, "-revoke", certificate)
        self._openssl(*ca, "-gencrl", "-out", self.folder / "list.crl")
        return self.folder / "list.crl"

    def self_signed(self, name):
        """Chain and key files of a certificate nobody vouches for."""
        chain, key = self.folder / f"{name}.self.crt", self.folder / f"{name}.self.key"
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                      "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", chain)
        return chain, key

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Process:
    """A program of the lab; its output goes to a log file of its name."""

    def __init__(self, name, arguments, folder, environment=None, with_input=False):
        self.name = name
        self.log = folder / f"{name}.log"
        self._command = {"args": [str(part) for part in arguments], "cwd": folder,
                         "stdin": subprocess.PIPE if with_input else subprocess.DEVNULL,
                         "env": {**os.environ, **(environment or {})}}
        self.start()

    def start(self):
        """Once more after `stop`: the log goes on."""
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(stdout=log, stderr=log, **self._command)

    def say(self, line):
        self.child.stdin.write((line + "\n").encode())
        self.child.stdin.flush()

    def text(self):
        return self.log.read_text(errors="replace")

    def wait_for(self, text, seconds=20):
        def seen():
            if self.child.poll() is not None and text not in self.text():
                raise RuntimeError(f"{self.name} ended with {self.child.returncode}; see {self.log}")
            return text in self.text()
        wait_until(seen, seconds, f"{self.name} says {text!r}; see {self.log}")

    def stop(self, seconds=15):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode


class Lab:
    """`s2s_ip`: where the XMPP servers meet, "127.0.0.1" or "::1". `direct_tls`: DNS names their ports for direct TLS only.
    `own_clocks`: Gatehouse and the partner each have a clock of the wall that `step_clock` moves; it starts a day ahead, so
    that certificates are good when it goes back."""

    def __init__(self, folder, build, s2s_ip="127.0.0.1", direct_tls=False, own_clocks=False):
        self.s2s_ip, self.direct_tls, self.own_clocks = s2s_ip, direct_tls, own_clocks
        self.folder = pathlib.Path(folder)
        self.build = pathlib.Path(build)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.processes = []
        self.authority = Authority(self.folder / "ca")
        self.ports = {name: free_port() for name in
                      ("dns", "c2s", "s2s", "s2s_direct", "sip", "gatehouse_sip", "xmpp", "xmpps")}
        self.gatehouse = None
        self.partner = None

    # --- the parts

    def start_dns(self, other_partners=None):
        """`other_partners`: s2s port by domain, beside the lab's own partner."""
        own = ("xmpps", "s2s_direct") if self.direct_tls else ("xmpp", "s2s")
        ports = {SIP_DOMAIN: self.ports[own[0]], XMPP_DOMAIN: self.ports[own[1]], **(other_partners or {})}
        service = "_xmpps-server" if self.direct_tls else "_xmpp-server"
        address = ("AAAA " if ":" in self.s2s_ip else "A ") + self.s2s_ip
        records = []
        for domain, port in ports.items():
            # COMPAT(ejabberd 23.01): asks our server for SRV records, but the system's resolver for addresses.
            target = "localhost" if domain == SIP_DOMAIN and ":" not in self.s2s_ip else f"s2s.{domain}"
            records += [f"{domain}. {address}", f"{target}. {address}", f"{service}._tcp.{domain}. SRV 0 0 {port} {target}."]
        self.dns = self.start_unbound("\n".join(f'  local-data: "{record}"' for record in records))

    def start_unbound(self, local_data, modules="iterator"):
        conf = self._fill("unbound.conf.in", "unbound.conf", local_data=local_data, modules=modules,
                          dns_port=self.ports["dns"])
        unbound = self.spawn("unbound", ["unbound", "-d", "-c", conf])
        wait_until(lambda: port_answers(self.ports["dns"]), 20, f"Unbound answers; see {unbound.log}")
        return unbound

    def start_prosody(self, encryption=True, secure_auth=True, dialback=True, bidi=False, certificate=None):
        """`certificate`: chain and key file, in place of one of the lab's authority."""
        folder = self.folder / "prosody"
        (folder / "data").mkdir(parents=True, exist_ok=True)
        chain, key = certificate or self.authority.issue(XMPP_DOMAIN)
        conf = self._fill("prosody.cfg.lua.in", "prosody/prosody.cfg.lua", dir=folder, domain=XMPP_DOMAIN,
                          c2s_port=self.ports["c2s"], s2s_port=self.ports["s2s"], dns_port=self.ports["dns"],
                          certificates=self.authority.folder, s2s_ip=self.s2s_ip,
                          s2s_direct_port=self.ports["s2s_direct"], chain_file=chain, key_file=key, ca_file=self.authority.ca_file,
                          more_modules=', "s2s_bidi"' if bidi else "",
                          modules_disabled="" if dialback else '"dialback"',
                          s2s_require_encryption="true" if encryption else "false",
                          s2s_secure_auth="true" if secure_auth else "false")
        for user in ("romeo", "juliet"):
            subprocess.run(["prosodyctl", "--root", "--config", conf, "register", user, XMPP_DOMAIN, PASSWORD], check=True,
                           capture_output=True)
        self.partner = self.spawn("prosody", ["prosody", "--root", "--config", conf, "-F"], self._clock("partner"))
        self.wait_partner()
        self.reload_partner = lambda: self.partner.child.send_signal(signal.SIGHUP)

    def wait_partner(self):
        wait_until(lambda: port_answers(self.ports["c2s"]) and port_answers(self.ports["s2s"], self.s2s_ip), 60,
                   f"the partner listens; see {self.partner.log}")

    def restart_partner(self):
        self.partner.stop()
        self.partner.start()
        self.wait_partner()

    def start_ejabberd(self, starttls="required", trusts_us=True):
        folder = self.folder / "ejabberd"
        folder.mkdir(parents=True, exist_ok=True)
        pem = folder / "domain.pem"

        def write_pem(chain, key):
            pem.write_text(chain.read_text() + key.read_text())
        write_pem(*self.authority.issue(XMPP_DOMAIN))
        stranger = self.authority if trusts_us else Authority(self.folder / "other-ca", "Another CA")
        conf = self._fill("ejabberd.yml.in", "ejabberd/ejabberd.yml", domain=XMPP_DOMAIN, pem_file=pem,
                          ca_file=stranger.ca_file, s2s_ca_file=stranger.ca_file,
                          s2s_use_starttls=starttls, c2s_port=self.ports["c2s"], s2s_port=self.ports["s2s"],
                          s2s_ip=self.s2s_ip, s2s_direct_port=self.ports["s2s_direct"],
                          dialback_module="  mod_s2s_dialback: {}")
        inetrc = folder / "inetrc"
        inetrc.write_text('{resolv_conf,""}.\n{hosts_file,""}.\n{lookup,[dns]}.\n'
                          f"{{nameserver,{{127,0,0,1}},{self.ports['dns']}}}.\n")
        register = "".join(f'ejabberd_auth:try_register(<<"{user}">>,<<"{XMPP_DOMAIN}">>,<<"{PASSWORD}">>),'
                           for user in ("romeo", "juliet"))
        ebin = next(pathlib.Path("/usr/lib").glob("*/ejabberd-*/ebin"))
        asked = folder / "reload"
        reload = (f'Watch=fun F()->case file:delete("{asked}") of ok->ejabberd_config:reload();_->ok end,timer:sleep(100),F() end,'
                  'spawn(Watch),')
        wait = '{ok,_}=application:ensure_all_started(ejabberd),' + register + reload + 'io:format("lab ready~n").'

        def reload_partner():
            write_pem(self.authority.folder / f"{XMPP_DOMAIN}.crt", self.authority.folder / f"{XMPP_DOMAIN}.key")
            asked.touch()
        self.reload_partner = reload_partner
        self.partner = self.spawn(
            "ejabberd",
            [*self._knowing_our_address(), "erl", "-noinput", "-pa", ebin, "-kernel", "inetrc", f'"{inetrc}"', "-mnesia", "dir", f'"{folder}/db"',
             "-eval", wait],
            {"EJABBERD_CONFIG_PATH": str(conf), "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"), "HOME": str(folder),
             "SPOOL_DIR": str(folder), "ERL_LIBS": str(ebin.parent.parent), **self._clock("partner")})
        self.partner.wait_for("lab ready", 60)

    # COMPAT(ejabberd 23.01): the system's resolver, which it asks for our address, reads /etc/hosts.
    def _knowing_our_address(self):
        """What runs a command with a line for us in its /etc/hosts, where that needs one."""
        if ":" not in self.s2s_ip:
            return []
        hosts = self.folder / "hosts"
        hosts.write_text(f"{self.s2s_ip} s2s.{SIP_DOMAIN}\n127.0.0.1 localhost\n")
        return in_namespace_with(hosts)

    def start_kamailio(self):
        modules = next(pathlib.Path("/usr/lib").glob("*/kamailio/modules"))
        (self.folder / "kamailio").mkdir(exist_ok=True)
        conf = self._fill("kamailio.cfg.in", "kamailio/kamailio.cfg", sip_port=self.ports["sip"], module_dir=modules,
                          gatehouse_sip_port=self.ports["gatehouse_sip"], sip_domain=SIP_DOMAIN,
                          xmpp_domain=XMPP_DOMAIN)
        self.kamailio = self.spawn(
            "kamailio", ["kamailio", "-f", conf, "-DD", "-E", "-Y", self.folder / "kamailio",
                         "-P", self.folder / "kamailio" / "kamailio.pid"])
        wait_until(lambda: port_answers(self.ports["sip"]), 20, f"Kamailio listens; see {self.kamailio.log}")

    def start_gatehouse(self, log_format="text", topology=None, limits=(), listeners="auto", dnssec="off"):
        """`topology`: a file in place of the one that ships with the plugins. `limits`: more lines of that section.
        `listeners`: count of tls_listener."""
        chain, key = self.authority.issue(SIP_DOMAIN, f"edge.{SIP_DOMAIN}")
        conf = self._fill("gatehouse.yaml.in", "gatehouse.yaml", sip_domain=SIP_DOMAIN, sip_port=self.ports["sip"],
                          xmpp=self._at("xmpp"), xmpps=self._at("xmpps"), gatehouse_sip_port=self.ports["gatehouse_sip"],
                          chain_file=chain, key_file=key, ca_file=self.authority.ca_file, dns_port=self.ports["dns"],
                          dnssec=f'"{dnssec}"', limits="".join(f"  {line}\n" for line in limits), listeners=listeners)
        for name in ("state", "run"):
            (self.folder / name).mkdir(exist_ok=True)
        self.gatehouse = self.spawn(
            "gatehoused", [self.build / "bin" / "gatehoused", "--config", conf, "--state-dir", self.folder / "state",
                           "--runtime-dir", self.folder / "run", "--log-format", log_format,
                           *(["--topology", topology] if topology else [])], self._clock("gatehouse"))
        self.wait_gatehouse()
        self.ctl("policy", "set", "global", "--enable-xmpp-access", "true")

    def assign_certificate(self, name, purposes):
        """One for these purposes goes to the store and is shown from now on."""
        chain, key = self.authority.issue(f"{name}.{SIP_DOMAIN}", SIP_DOMAIN, f"edge.{SIP_DOMAIN}", purposes=purposes)
        self.ctl("cert", "import", chain, key, "--name", name)
        self.ctl("cert", "assign", name)
        showing = [worker["name"] for worker in self.status()["workers"]
                   if worker["name"].startswith(("tls_listener/", "sip_translator/"))]
        wait_until(lambda: self.gatehouse.text().count(f"certificate={name} ") >= len(showing), 20,
                   f"every worker has it; see {self.gatehouse.log}")

    def wait_gatehouse(self):
        wait_until(self._all_ready, 30, f"all workers are ready; see {self.gatehouse.log}")

    def step_clock(self, whose, hours):
        """Moves the clock of "gatehouse" or "partner" to `hours` from where it began; monotonic clocks do not move."""
        (self.folder / f"clock-{whose}").write_text(f"+{24 + hours}h\n")

    def add_partner(self, domain=XMPP_DOMAIN, tls="required", sasl="optional", dialback="true", bidi="false",
                    dane="report"):
        self.ctl("partner", "new", domain, "--type", "federated", "--tls", tls, "--sasl", sasl, "--dialback", dialback,
                 "--bidi", bidi, "--dane", dane)

    def ctl(self, *words, check=True):
        """Runs gatehousectl on this lab's instance; its standard output as text."""
        done = subprocess.run([self.build / "bin" / "gatehousectl", "--runtime-dir", self.folder / "run", *words],
                              capture_output=True, text=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"gatehousectl {' '.join(map(str, words))}: {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def status(self):
        return json.loads(self.ctl("status", "--json"))

    def worker_pid(self, name):
        return next(int(worker["pid"]) for worker in self.status()["workers"] if worker["name"] == name)

    def sip_user(self, name):
        """A linphone registered at Kamailio."""
        folder = self.folder / f"linphone-{name}"
        for part in (".local/share/linphone", ".config/linphone"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "linphonerc").write_text(
            "[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\ndefault_proxy=0\n"
            f"[proxy_0]\nreg_proxy=<sip:127.0.0.1:{self.ports['sip']};transport=tcp>\n"
            f"reg_route=<sip:127.0.0.1:{self.ports['sip']};transport=tcp;lr>\n"
            f"reg_identity=<sip:{name}@{SIP_DOMAIN}>\nreg_expires=600\nreg_sendregister=1\npublish=0\n")
        phone = Process(f"linphone-{name}", ["linphonec", "-c", folder / "linphonerc", "-d", "0"], self.folder,
                        {"HOME": str(folder)}, with_input=True)
        self.processes.append(phone)
        phone.wait_for("linphonec>")

        def registered():
            phone.say("status register")
            time.sleep(0.1)
            return "registered, identity=" in phone.text()
        wait_until(registered, 20, f"linphone registers {name}; see {phone.log}")
        return phone

    def spawn(self, name, arguments, environment=None):
        process = Process(name, arguments, self.folder, environment)
        self.processes.append(process)
        return process

    def stop(self):
        """Ends what this lab started, in the reverse order; the exit code of gatehoused, or None."""
        for process in reversed(self.processes):
            process.stop()
        return self.gatehouse.child.returncode if self.gatehouse else None

    # --- within

    def _clock(self, whose):
        if not self.own_clocks:
            return {}
        self.step_clock(whose, 0)
        library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        return {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(self.folder / f"clock-{whose}"),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def _at(self, port):
        return f"[{self.s2s_ip}]:{self.ports[port]}" if ":" in self.s2s_ip else f"{self.s2s_ip}:{self.ports[port]}"

    def _all_ready(self):
        if self.gatehouse.child.poll() is not None:
            raise RuntimeError(f"gatehoused ended with {self.gatehouse.child.returncode}:\n{self.gatehouse.text()}")
        try:
            workers = self.status()["workers"]
        except (RuntimeError, ValueError, KeyError):
            return False
        return bool(workers) and all(worker["state"] == "ready" for worker in workers)

    def _fill(self, template, target, **values):
        path = self.folder / target
        values.setdefault("dir", self.folder)
        path.write_text(string.Template((HERE / template).read_text()).substitute(values))
        return path
