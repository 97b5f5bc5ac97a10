"""snmpd and our subagent beside snmpd's own table of processes."""

import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import time

from common import BUILD, RUNS, WORK, Sleepers, cpu_of, figures_of, say


class Snmp:
    """snmpd and our subagent, which looks at the sleepers only."""

    MODULE = "1.3.6.1.4.1.8072.9999.9999.362.1"
    # The tables' entries, with their first and last columns.
    OURS = (f"{MODULE}.2.1", 1, 10)
    THEIRS = ("1.3.6.1.2.1.25.4.2.1", 1, 7)  # hrSWRunTable

    def __init__(self):
        self.directory = WORK / "snmp"
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir()
        self.port = random.randint(20000, 30000)
        self.env = {**os.environ, "MIBS": "",
                    "SNMPCONFPATH": str(self.directory),
                    "SNMP_PERSISTENT_DIR": str(self.directory / "state")}
        (self.directory / "snmpd.conf").write_text(
            f"master agentx\nagentXSocket {self.directory}/agentx\n"
            f"agentAddress udp:127.0.0.1:{self.port}\n"
            "rocommunity public 127.0.0.1\ndontLogTCPWrappersConnects yes\n")
        self.daemons = []

    def _start(self, *argv):
        with open(self.directory / f"log{len(self.daemons)}", "wb") as log:
            self.daemons.append(subprocess.Popen(
                argv, env=self.env, stdout=log, stderr=log))
        time.sleep(2)

    def __enter__(self):
        self._start("/usr/sbin/snmpd", "-f", "-Lo", "-I", "-smux", "-C", "-c",
                    self.directory / "snmpd.conf")
        self._start(BUILD / "process-dna-agentx", "-f", "-C", "-x",
                    self.directory / "agentx", "--minRss=1000000",
                    "--alwaysRoot=false", f"--executable={WORK}/sleeper-*")
        time.sleep(3)
        return self

    def __exit__(self, *exception):
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            daemon.wait()

    def cpu_s(self):
        return [cpu_of(d.pid, "snmpd or the subagent") for d in self.daemons]

    def resident_kib(self):
        text = pathlib.Path(f"/proc/{self.daemons[1].pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    def rows(self, table, repetitions):
        """Row by row: wall time and CPU of master and subagent, us a row."""
        before = self.cpu_s()
        figures = figures_of(subprocess.run(
            [BUILD / "tests/bench_agentx", f"127.0.0.1:{self.port}",
             str(repetitions), *map(str, table)],
            check=True, stdout=subprocess.PIPE, text=True,
            env=self.env).stdout)
        # The program walks the table RUNS times, and prints the median.
        rows = figures["rows"] * RUNS
        return (figures["row_us"], *((a - b) * 1e6 / rows for a, b in
                                     zip(self.cpu_s(), before)))

    def columns(self, table):
        """Column by column, with snmpbulkwalk."""
        figures = []
        for _ in range(RUNS):
            before, start = self.cpu_s(), time.monotonic()
            lines = subprocess.run(
                ["snmpbulkwalk", "-v2c", "-c", "public", "-On",
                 f"127.0.0.1:{self.port}", table[0]],
                check=True, stdout=subprocess.PIPE, env=self.env,
            ).stdout.count(b"\n.") + 1
            rows = lines / (table[2] - table[1] + 1)
            figures.append([t * 1e6 / rows for t in (
                time.monotonic() - start,
                *(a - b for a, b in zip(self.cpu_s(), before)))])
        return [statistics.median(column) for column in zip(*figures)]


def measure_snmp():
    with Sleepers(), Snmp() as snmp:
        say("snmpd and the subagent")
        figures = {
            "columns": snmp.columns(Snmp.OURS),
            "columns_peer": snmp.columns(Snmp.THEIRS),
        }
        for repetitions in (1, 10):
            figures[f"rows{repetitions}"] = snmp.rows(Snmp.OURS, repetitions)
            figures[f"rows{repetitions}_peer"] = snmp.rows(Snmp.THEIRS,
                                                           repetitions)
        figures["resident"] = snmp.resident_kib()
    return figures


def snmp_rows(snmp):
    table = []
    for what, key, goal in (
            ("a row at a time", "rows1", "< 250 us"),
            ("ten rows at a time", "rows10", ""),
            ("column by column", "columns", "")):
        ours, theirs = snmp[key], snmp[f"{key}_peer"]
        table.append((f"SNMP, {what}, us/row; hrSWRunTable", ours[0],
                      theirs[0], goal))
        table.append(("  CPU of snmpd", ours[1], theirs[1], ""))
        table.append(("  CPU of the subagent", ours[2], None, ""))
    table.append(("subagent's resident memory, KiB", snmp["resident"], None,
                  "< 12288 KiB"))
    return table
