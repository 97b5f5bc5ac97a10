"""The SNMP side of a monitored host: Debian's snmpd as the master, our
subagent beside it, and Net-SNMP's tools as the NMS."""

import os
import re
import subprocess

from harness import ASAN_ENV, MIB_DIRS
from processes import (
    BUILD, Daemon, Failed, Log, die_with_parent, free_port, fresh_dir,
    udp_bound, wait_for,
)

AGENTX = BUILD / "process-dna-agentx"
MODULE = "1.3.6.1.4.1.8072.9999.9999.362.1"
SCALARS = ("Version HostId ScanInterval MinRss ScanSequence LastScan "
           "ScanDuration ProcessCount ExecutableCount UnhashedCount "
           "BytesHashed CacheHits").split()
PROCESS_COLUMNS = ("Name ExePath ExeSha256 RunningSha256 State Rss Uid Started "
                   "Container ObservedAt").split()
EXECUTABLE_COLUMNS = ("Index Container Path Sha256 State Reason Processes Rss "
                      "Pid Uid Name Started PackageManager Package "
                      "PackageVersion PackageArch PackageTransaction "
                      "ObservedAt").split()


class Snmpd:
    """The master agent."""

    V3 = ["-v3", "-u", "reader", "-l", "authPriv", "-a", "SHA", "-x", "AES",
          "-A", "authentication pass", "-X", "privacy pass"]
    V2 = ["-v2c", "-c", "public"]

    def __init__(self, directory, master=True, extra="", address="127.0.0.1",
                 port=None, make_daemon=Daemon):
        self.directory = fresh_dir(directory)
        self.port = port or free_port()
        self.address = address
        self.make_daemon = make_daemon
        self.socket = directory / "agentx"
        self.log = Log(directory / "snmpd.log")
        (directory / "snmpd.conf").write_text(
            ("master agentx\n" if master else "") +
            f"agentXSocket {self.socket}\n"
            f"agentAddress udp:{address}:{self.port},tcp:{address}:{self.port}\n"
            "rocommunity public 127.0.0.1\nrwcommunity private 127.0.0.1\n"
            'createUser reader SHA "authentication pass" AES "privacy pass"\n'
            "rouser reader priv\ndontLogTCPWrappersConnects yes\n" + extra)
        self.daemon = None

    def start(self):
        self.daemon = self.make_daemon(
            "snmpd", ["/usr/sbin/snmpd", "-f", "-Lo", "-I", "-smux", "-C", "-c",
                      self.directory / "snmpd.conf"],
            self.log, {"SNMP_PERSISTENT_DIR": str(self.directory / "state"),
                       "MIBS": ""}).start()
        self.daemon.wait_until("listens",
                               lambda: udp_bound(self.port, self.daemon.pid))
        return self

    def stop(self):
        if self.daemon:
            self.daemon.stop()

    def restart(self):
        self.stop()
        return self.start()

    def run(self, tool, *args, session=None, mibs="", status=0, port=None):
        """Run one of Net-SNMP's tools; what it prints."""
        argv = [tool, *(session or self.V2), "-r", "2", "-t", "5",
                port or f"{self.address}:{self.port}", *map(str, args)]
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, "MIBS": mibs, "MIBDIRS": MIB_DIRS,
                 "SNMP_PERSISTENT_DIR": str(self.directory / "tools"),
                 "SNMPCONFPATH": str(self.directory / "none")},
            preexec_fn=die_with_parent)
        if done.returncode != status:
            raise Failed(f"{' '.join(argv)}: exit status {done.returncode}\n"
                         f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout if status == 0 else done.stdout + done.stderr

    def values(self, tool, *oids, **kwargs):
        """What a tool got, as {oid: value}: ints, bytes, or the exception."""
        return parse(self.run(tool, "-OneUtx", *oids, **kwargs))

    def walk(self, oid, **kwargs):
        # One that is not there ends in one line that says so.
        return {k: v for k, v in self.values("snmpbulkwalk", oid,
                                             **kwargs).items()
                if not isinstance(v, str)}

    def scalars(self, **kwargs):
        values = self.walk(f"{MODULE}.1", **kwargs)
        return {SCALARS[int(o.split(".")[-2]) - 1]: v for o, v in values.items()}

    def processes(self, **kwargs):
        return self._table(f"{MODULE}.2.1", PROCESS_COLUMNS, **kwargs)

    def executables(self, **kwargs):
        return self._table(f"{MODULE}.3.1", EXECUTABLE_COLUMNS, **kwargs)

    def _table(self, entry, columns, **kwargs):
        """{index: {column: value}} of the rows that were there during all of
        the walk."""
        shown = len(columns) - ("Index" in columns)
        rows = {}
        for oid, value in self.walk(entry, **kwargs).items():
            column, index = map(int, oid.removeprefix(entry + ".").split("."))
            rows.setdefault(index, {})[columns[column - 1]] = value
        return {i: row for i, row in rows.items() if len(row) == shown}


def parse(printed):
    values = {}
    for line in re.split(r"\n(?=\.)", printed.strip()):
        oid, found, text = line.partition(" = ")
        if not found:
            continue
        kind, _, rest = text.partition(": ")
        if kind == "Hex-STRING":
            value = bytes.fromhex(rest)
        elif text == '""':
            value = b""
        elif kind in ("INTEGER", "Gauge32", "Counter64", "Counter32"):
            value = int(rest)
        else:
            value = text
        values[oid.lstrip(".")] = value
    return values


class Agentx:
    """process-dna-agentx in the foreground."""

    def __init__(self, directory, snmpd, name="agentx", arguments=(),
                 program=AGENTX, make_daemon=Daemon, **directives):
        """Directives of its configuration; `executable` is a list. Without
        any, all processes every second."""
        self.directory = fresh_dir(directory)
        self.log = Log(directory / f"{name}.log")
        directives = {"scanInterval": 1, "minRss": 0, "agentXPingInterval": 1,
                      **directives}
        lines = [f"executable {e}\n" for e in directives.pop("executable", ())]
        lines += [f"{k} {v}\n" for k, v in directives.items()]
        (directory / "process-dna-agentx.conf").write_text("".join(lines))
        self.env = {**ASAN_ENV, "SNMPCONFPATH": str(directory)}
        self.daemon = make_daemon(name, [program, "-f", "-x", snmpd.socket,
                                         *arguments], self.log, self.env)

    @classmethod
    def of(cls, directory, snmpd, globs, **directives):
        """One that looks at what the globs name and at nothing else."""
        return cls(directory, snmpd, executable=globs,
                   **{"minRss": 1000000, "alwaysRoot": "false", **directives})

    def start(self):
        self.daemon.start()
        return self

    def stop(self):
        self.daemon.stop()
        if self.daemon.process.returncode not in (0, None):
            raise Failed(f"{self.daemon.name}: exit status "
                         f"{self.daemon.process.returncode}\n{self.log.tail()}")

    def connected(self):
        return self.log.text().count("connected to snmpd")

    def wait_log(self, text, deadline=60):
        return self.daemon.wait_until(
            f"says {text!r}", lambda: text in self.log.text(), deadline)


def wait_sequence(snmpd, more, deadline=90):
    """Wait until so many more scans have been published."""
    oid = f"{MODULE}.1.5.0"

    def sequence():
        value = snmpd.values("snmpget", oid).get(oid)
        return value if isinstance(value, int) else 0
    first = wait_for("a first scan", sequence, deadline)
    return wait_for("more scans",
                    lambda: sequence() >= first + more and sequence(), deadline)


def wait_hashed(snmpd, processes):
    """Wait until so many processes are shown, all with their digests."""
    def complete():
        scalars = snmpd.scalars()
        return scalars.get("ProcessCount") == processes and \
            scalars["UnhashedCount"] == 0
    wait_for(f"{processes} processes with digests", complete, 90)
