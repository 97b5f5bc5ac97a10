"""The real components, each started by a test with a configuration of its
own: PostgreSQL, the correlator, collectd with our plugin, snmptrapd, and the
services that are looked at. Everything is below STATE, and on loopback, or in
the network that the arguments `enter` lead into (network.py)."""

import contextlib
import json
import os
import re
import signal
import struct
import subprocess
from pathlib import Path

from processes import (
    CORRELATOR, HELPERS, PLUGIN, ROOT, Daemon, Failed, Guard, Log,
    die_with_parent, free_port, fresh_dir, libasan, register, sanitized,
    udp_bound, unregister, wait_for,
)

USER, PASSWORD = "agents", "a password, of the agents"
TENANT = "e2e"
# Not Debian's wrapper, which takes longer to start than a query to answer.
PSQL = Path(os.environ.get("PGBIN", "/usr/lib/postgresql/15/bin")) / "psql"
MIB_DIRS = ":".join([str(ROOT / "tests/mibs"), str(ROOT / "snmp-subagent"),
                     "/usr/share/snmp/mibs"])
ASAN_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def quoted(text):
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def listed(texts):
    return "{" + ", ".join(map(quoted, texts)) + "}"


class Postgres:
    """A private cluster; one database for each who asks."""

    def __init__(self, directory):
        self.directory = fresh_dir(directory)
        self.log = Log(directory / "script.log")
        self.server_log = Log(directory / "postgres.log")
        self.guard = None
        self.databases = 0

    def __repr__(self):
        return "PostgreSQL"

    def _script(self, verb):
        with open(self.log.path, "ab") as log:
            done = subprocess.run(
                ["sh", ROOT / "tests/postgres.sh", verb, self.directory],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"tests/postgres.sh {verb}: status "
                         f"{done.returncode}\n{self.log.tail()}")
        return done.stdout.strip()

    def start(self):
        self.conninfo = self._script("start")
        self.pid = int((self.directory / "data/postmaster.pid").read_text()
                       .split()[0])
        self.guard = Guard(self.pid, "QUIT")
        register(self)
        return self

    def stop(self):
        unregister(self)
        self._script("stop")
        if self.guard:
            self.guard.release()
            self.guard = None

    def halt(self):
        """An outage: the server ends, to be started again where it was."""
        os.kill(self.pid, signal.SIGINT)
        wait_for("PostgreSQL gone", lambda: not (
            self.directory / "data/postmaster.pid").exists())
        self.guard.release()
        self.guard = None

    def resume(self):
        if self.guard is None:
            self.start()

    def create_database(self):
        self.databases += 1
        name = f"pdna{self.databases}"
        self.sql(f"CREATE DATABASE {name}")
        return re.sub(r"dbname=\S+", f"dbname={name}", self.conninfo)

    def sql(self, statement, conninfo=None):
        """Run SQL; the rows as lists of strings."""
        done = subprocess.run(
            [PSQL, "-XAtq", "-F", "\x1f", "-v", "ON_ERROR_STOP=1",
             conninfo or self.conninfo],
            input=statement, capture_output=True, text=True, check=False,
            env={**os.environ, "PGOPTIONS": "-c timezone=UTC"})
        if done.returncode != 0:
            raise Failed(f"psql: {done.stderr.strip()}\n{statement[:2000]}")
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    @contextlib.contextmanager
    def holding(self, statement, conninfo):
        """What a statement has locked stays so meanwhile."""
        psql = subprocess.Popen(
            [PSQL, "-XAtq", "-v", "ON_ERROR_STOP=1", conninfo],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=die_with_parent)
        try:
            print("BEGIN;", statement + ";", "\\echo held", sep="\n",
                  file=psql.stdin, flush=True)
            if "held\n" not in iter(psql.stdout.readline, ""):
                raise Failed(f"psql: {statement}")
            yield
        finally:
            psql.communicate()


class Snmptrapd:
    """The receiving NMS, with PROCESS-DNA-MIB loaded."""

    ENGINE = "0x80001f88040e2e00"
    V3_USER, V3_AUTH, V3_PRIV = "pdna", "authentication pass", "privacy pass"

    def __init__(self, directory, enter=()):
        self.directory = fresh_dir(directory)
        self.enter = enter
        self.port = free_port()
        self.log = Log(directory / "snmptrapd.log")
        (directory / "snmptrapd.conf").write_text(
            "authCommunity log public\n"
            # Traps are sent under the sender's engine id, informs under ours.
            f"createUser -e {self.ENGINE} {self._user()}\n"
            f"createUser {self._user()}\n"
            f"authUser log {self.V3_USER} priv\n")
        self.daemon = None

    def _user(self):
        return (f'{self.V3_USER} SHA "{self.V3_AUTH}" AES "{self.V3_PRIV}"')

    def session(self, inform=False):
        return f"-v 2c -c public {'-Ci ' if inform else ''}127.0.0.1:{self.port}"

    def session_v3(self, inform=False):
        return (f"-v 3 -u {self.V3_USER} -l authPriv -a SHA -x AES "
                f"-A '{self.V3_AUTH}' -X '{self.V3_PRIV}' "
                + ("-Ci " if inform else f"-e {self.ENGINE} ")
                + f"127.0.0.1:{self.port}")

    def start(self):
        self.daemon = Daemon(
            "snmptrapd",
            [*self.enter, "snmptrapd", "-f", "-n", "-Lo", "-C", "-c",
             self.directory / "snmptrapd.conf", "-M", MIB_DIRS,
             "-m", "PROCESS-DNA-MIB", f"udp:127.0.0.1:{self.port}"],
            self.log,
            {"SNMP_PERSISTENT_DIR": str(self.directory / "persistent"),
             "SNMPCONFPATH": str(self.directory)}).start()
        self.daemon.wait_until("listens",
                               lambda: udp_bound(self.port, self.daemon.pid))
        return self

    def stop(self):
        if self.daemon:
            self.daemon.stop()

    def traps(self, **match):
        """The notifications received, as {object: value} with `notification`
        and `printed`; those whose objects (without `pdna`) are as asked.
        A line that snmptrapd still writes is none yet."""
        found = [self._parse(m) for m in
                 re.findall(r"^\d{4}-.*\n.*OID: PROCESS-DNA-MIB::.*\n",
                            self.log.text(), re.MULTILINE)]
        return [t for t in found
                if all(t.get("pdna" + k) == v for k, v in match.items())]

    @staticmethod
    def _parse(printed):
        trap = {"printed": printed}
        for varbind in printed.split("\n", 1)[1].split("\t"):
            name, _, value = varbind.partition(" = ")
            name = re.sub(r"\.0$", "", name.rpartition("::")[2])
            value = re.sub(r'^(STRING|OID|IpAddress|INTEGER|Gauge32|Timeticks): ?',
                           "", value.strip())
            value = re.sub(r'^"(.*)"$', r"\1", value)
            trap[name] = re.sub(r"^(\w+)\(\d+\)$", r"\1", value)
        trap["notification"] = re.search(r"OID: PROCESS-DNA-MIB::(\w+)",
                                         printed).group(1)
        return trap


READY = "ready: listening on"  # in all ways


class Correlator:
    """process-dna-correlator on a database of its own or on another's."""

    def __init__(self, directory, conninfo, sinks=None, relays=None,
                 users=None, policy=None, security="sign", collectd="",
                 polls=None, fetches=None, address="127.0.0.1", enter=(),
                 sections=None):
        self.directory = fresh_dir(directory)
        self.enter = enter
        self.conninfo = conninfo
        self.port = free_port()
        self.log = Log(directory / "correlator.log")
        self.auth_file = directory / "auth"
        self.set_users(users or {USER: PASSWORD})
        self.config = directory / "correlator.conf"
        relays = "".join(
            f"  relay {quoted(user)} {{\n    hosts = {listed(hosts)}\n  }}\n"
            for user, hosts in (relays or {}).items())
        sinks = "".join(
            f"trap-sink {name} {{\n  session = {quoted(session)}\n}}\n"
            for name, session in (sinks or {}).items())
        polls = "".join(
            f"snmp-poll {name} {{\n" + "".join(
                f"  {k} = {quoted(v)}\n" for k, v in poll.items()) + "}\n"
            for name, poll in (polls or {}).items())
        fetches = "".join(
            f"manifest-fetch {name} {{\n" + "".join(
                f"  {k} = {listed(v) if isinstance(v, list) else quoted(v)}\n"
                for k, v in fetch.items()) + "}\n"
            for name, fetch in (fetches or {}).items())
        sections = "".join(
            f"{name} {{\n" + "".join(
                f"  {k} = {listed(v) if isinstance(v, list) else v}\n"
                for k, v in section.items()) + "}\n"
            for name, section in (sections or {}).items())
        policy = "".join(f"  {k} = {v}\n" for k, v in (policy or {}).items())
        self.config.write_text(
            f"database = {quoted(conninfo)}\n"
            f"tenant = {quoted(TENANT)}\n"
            f"state-dir = {quoted(fresh_dir(directory / 'state'))}\n"
            f"collectd {{\n"
            f"  listen = {listed([f'{address}:{self.port}'])}\n"
            f"  security-level = {quoted(security)}\n"
            f"  auth-file = {quoted(self.auth_file)}\n"
            f"{collectd}{relays}}}\n{sinks}{polls}{fetches}{sections}"
            f"policy {{\n{policy}}}\n")
        self.config.chmod(0o600)
        self.env = {**ASAN_ENV, "SNMPCONFPATH": str(directory), "MIBS": ""}
        self.daemon = None

    def set_users(self, users):
        self.auth_file.write_text(
            "".join(f"{user}: {password}\n" for user, password in users.items()))
        self.auth_file.chmod(0o600)

    def start(self):
        started = self.log.text().count(READY)
        self.daemon = Daemon("correlator",
                             [*self.enter, CORRELATOR, "-c", self.config, "-v",
                              "run"], self.log, self.env).start()
        self.daemon.wait_until(
            "listens", lambda: self.log.text().count(READY) > started)
        return self

    def start_refused(self, message, status=1):
        """It says so and ends."""
        daemon = Daemon("correlator", [CORRELATOR, "-c", self.config, "run"],
                        self.log, self.env).start()
        wait_for("correlator ends", lambda: not daemon.running())
        assert daemon.process.returncode == status
        assert message in self.log.text()

    def stop(self):
        if self.daemon:
            self.daemon.stop()

    def kill(self):
        self.daemon.kill()

    def call(self, *args, **kwargs):
        """Run a command; the completed process, with its output as text."""
        return subprocess.run(
            [CORRELATOR, "-c", self.config,
             *(a if isinstance(a, bytes) else str(a) for a in args)],
            capture_output=True, text=True, errors="replace", check=False,
            timeout=300, env={**os.environ, **self.env},
            preexec_fn=die_with_parent, **kwargs)

    def run(self, *args, status=(0,)):
        """Run a command; its output. Any other exit status fails."""
        done = self.call(*args)
        if done.returncode not in status:
            raise Failed(f"process-dna-correlator {' '.join(map(str, args))}: "
                         f"exit status {done.returncode}, expected {status}\n"
                         f"{done.stdout[-2000:]}{done.stderr[-6000:]}")
        return done.stdout

    def json(self, *args):
        # `status` says 1 until a correlator has reported.
        return json.loads(self.run(*args, "--json", status=(0, 1)))

    def migrate(self):
        self.run("migrate")
        return self


class Collectd:
    """collectd in the foreground; agent() and relay() make the two kinds."""

    def __init__(self, name, directory, config, preload=(), env=None,
                 daemon=Daemon):
        self.name = name
        self.directory = directory
        self.log = Log(directory / "collectd.log")
        (directory / "collectd.conf").write_bytes(os.fsencode(config))
        preload = [libasan()] * sanitized() + list(map(str, preload))
        self.daemon = daemon(
            f"collectd {name}",
            ["/usr/sbin/collectd", "-f", "-C", directory / "collectd.conf"],
            self.log,
            {**ASAN_ENV, "ASAN_OPTIONS": "detect_leaks=0:exitcode=99",
             **({"LD_PRELOAD": " ".join(preload)} if preload else {}),
             **(env or {})},
            cwd=directory)

    @staticmethod
    def _common(name, directory):
        return (f"Hostname {quoted(name)}\nFQDNLookup false\n"
                f"BaseDir {quoted(directory)}\n"
                f"PIDFile {quoted(directory / 'collectd.pid')}\n"
                f"TypesDB \"/usr/share/collectd/types.db\"\n"
                f"Interval 10\n"
                "LoadPlugin logfile\n<Plugin logfile>\n  LogLevel info\n"
                "  File stderr\n  Timestamp true\n  PrintSeverity true\n"
                "</Plugin>\n")

    @classmethod
    def agent(cls, name, directory, servers, executables=None, options=None,
              user=USER, password=PASSWORD, security="Sign",
              plugins=PLUGIN.parent, address="127.0.0.1", **kwargs):
        """A monitored host: our plugin, from the folder `plugins`, looking at
        what the globs `executables` name (None: at everything), to ports
        `servers` of an address."""
        fresh_dir(directory)
        plugin = {"ScanInterval": 1,
                  "MinRSS": 0 if executables is None else 1000000,
                  "AlwaysRoot": "true" if executables is None else "false",
                  **(options or {})}
        lines = [f"  {k} {v}\n" for k, v in plugin.items()]
        lines += [f"  Executable {quoted(e)}\n" for e in executables or ()]
        sign = (f"    SecurityLevel {security}\n    Username {quoted(user)}\n"
                f"    Password {quoted(password)}\n" if security else "")
        network = [f"  <Server \"{address}\" \"{port}\">\n{sign}  </Server>\n"
                   for port in servers]
        return cls(name, directory,
                   cls._common(name, directory) +
                   "LoadPlugin network\n<Plugin network>\n" + "".join(network) +
                   f"</Plugin>\nPluginDir {quoted(plugins)}\n"
                   "LoadPlugin process_dna\n<Plugin process_dna>\n" +
                   "".join(lines) + "</Plugin>\n", **kwargs)

    @classmethod
    def relay(cls, name, directory, listen, users, server, user, password):
        """A collectd in between, which signs again with its own user."""
        fresh_dir(directory)
        auth = directory / "auth"
        auth.write_text("".join(f"{u}: {p}\n" for u, p in users.items()))
        types = ROOT / "collectd-plugin/process_dna.types.db"
        return cls(name, directory,
                   cls._common(name, directory) + f"TypesDB {quoted(types)}\n"
                   "LoadPlugin network\n<Plugin network>\n"
                   f"  <Listen \"127.0.0.1\" \"{listen}\">\n"
                   f"    SecurityLevel Sign\n    AuthFile {quoted(auth)}\n"
                   "  </Listen>\n"
                   f"  <Server \"127.0.0.1\" \"{server}\">\n"
                   f"    SecurityLevel Sign\n    Username {quoted(user)}\n"
                   f"    Password {quoted(password)}\n  </Server>\n"
                   "  Forward true\n  MaxPacketSize 1452\n</Plugin>\n")

    def start(self):
        self.daemon.start()
        return self

    def stop(self):
        self.daemon.stop()


class Clock:
    """The wall clock of a collectd, which can be stepped."""

    def __init__(self, path):
        self.path = path
        self.step_to(0)
        self.preload = HELPERS / "clock_shift"
        self.env = {"CLOCK_SHIFT": str(path)}

    def step_to(self, seconds):
        # In place: the file is mapped.
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(fd, struct.pack("=q", seconds), 0)
        os.close(fd)


def copy_binary(path, source="/bin/sleep", tag=b""):
    """A copy of a real binary that runs as well as the original; another tag,
    another digest (what follows the last section is not loaded)."""
    path = os.fsencode(path)
    with open(path, "xb") as f:
        f.write(Path(source).read_bytes())
        if tag:
            f.write(b"\n" + tag)
        os.fchmod(f.fileno(), 0o755)


class Service:
    """A long-running process."""

    def __init__(self, argv, preexec=None, **kwargs):
        def in_child():
            die_with_parent()
            if preexec:
                preexec()
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, preexec_fn=in_child, **kwargs)
        register(self)

    @classmethod
    def of(cls, path, **kwargs):
        """A service that is a copy of sleep(1)."""
        return cls([path, "86400"], **kwargs)

    @property
    def pid(self):
        return self.process.pid

    def exe(self):
        with contextlib.suppress(OSError):
            return os.readlink(b"/proc/%d/exe" % self.pid)
        return b""

    def stop(self):
        unregister(self)
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(20)


def swap(path, tag, source="/bin/sleep"):
    """What an attacker does: another binary is renamed over a path."""
    new = os.fsencode(path) + b".new"
    copy_binary(new, source, tag)
    os.rename(new, os.fsencode(path))

