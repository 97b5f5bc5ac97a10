"""Measure ours and its peers side by side, in one run, and print a table.

Every figure is the median of several runs. Nothing is asserted: machines
differ, and shared ones are noisy. docs/performance.md tells what is compared
and why.
"""

import os
import pathlib
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time

from auth import auth_rows, measure_auth
from common import (
    BUILD, ROOT, RUNS, WORK, Sleepers, cpu_of, figures_of, say,
)
from lateral import lateral_rows, measure_lateral
from manifest import manifest_rows, measure_manifest
from manifest_store import measure_store, store_rows
from snmp import measure_snmp, snmp_rows

SCANS = 3  # of a collectd, in a run

# A scan a second does what one a minute does by default: a sixtieth of the
# files is read again in each.
OUR_OPTIONS = "MinRSS 0\nScanInterval 1\nRehashInterval 60"


class Collectd:
    """A collectd that runs one plugin every second and writes nowhere."""

    def __init__(self, plugin, options=""):
        self.directory = WORK / f"collectd-{plugin or 'none'}"
        self.directory.mkdir(exist_ok=True)
        lines = [
            'Hostname "bench"',
            f'BaseDir "{self.directory}"',
            f'PIDFile "{self.directory}/pid"',
            "Interval 1",
            "ReadThreads 1",
            "WriteThreads 1",
            "LoadPlugin logfile",
            f'<Plugin logfile>\n  File "{self.directory}/log"\n</Plugin>',
        ]
        if plugin == "process_dna":
            shutil.copy(BUILD / "process_dna.so", self.directory)
            lines.append(f'PluginDir "{self.directory}"')
        if plugin:
            lines.append(f"LoadPlugin {plugin}")
            lines.append(f"<Plugin {plugin}>\n{options}\n</Plugin>")
        (self.directory / "conf").write_text("\n".join(lines) + "\n")

    def __enter__(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/collectd", "-f", "-C", self.directory / "conf"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(3.5)
        return self

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_s(self):
        return cpu_of(self.process.pid, f"collectd ({self.directory}/log)")

    def anonymous_kib(self, mapping=""):
        """Of all mappings, or of those of the files that are so called."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps").read_text()
        found = False
        total = 0
        for line in text.splitlines():
            if re.match(r"[0-9a-f]+-", line):
                found = mapping in line
            elif found and line.startswith("Anonymous:"):
                total += int(line.split()[1])
        return total


def collectd_figures(plugin, options=""):
    """CPU time a second, anonymous memory and OpenSSL's relocations in it."""
    with Collectd(plugin, options) as collectd:
        before, start = collectd.cpu_s(), time.monotonic()
        time.sleep(SCANS)
        cpu_s = collectd.cpu_s() - before
        return (
            cpu_s / (time.monotonic() - start),
            collectd.anonymous_kib(),
            collectd.anonymous_kib("libcrypto"),
        )


def measure_collectd():
    """What each plugin costs a collectd, less what one without costs:
    microseconds of CPU a process, and KiB."""
    plugins = {"": "", "processes": "", "process_dna": OUR_OPTIONS}
    figures = {plugin: [] for plugin in plugins}
    with Sleepers():
        processes = sum(name.isdigit() for name in os.listdir("/proc"))
        for run in range(RUNS):
            say(f"collectd, run {run + 1} of {RUNS}")
            for plugin, options in plugins.items():
                figures[plugin].append(collectd_figures(plugin, options))
        say("the shell loop")
        shell_us = shell_loop_s() * 1e6 / processes
    medians = {
        plugin: [statistics.median(column) for column in zip(*runs)]
        for plugin, runs in figures.items()
    }
    none = medians[""]
    return {
        "cpu": {p: (m[0] - none[0]) * 1e6 / processes
                for p, m in medians.items()},
        "memory": {p: m[1] - none[1] for p, m in medians.items()},
        "relocations": medians["process_dna"][2] - none[2],
        "shell": shell_us,
    }


def run_program(program):
    say(program)
    output = subprocess.run(
        [BUILD / "tests" / program, WORK],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    return figures_of(output)


def openssl_mb_per_s():
    say("openssl speed")
    command = ["openssl", "speed", "-mr", "-seconds", "1", "-bytes", "262144",
               "-evp", "sha256"]
    figures = []
    for _ in range(RUNS):
        output = subprocess.run(
            command,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ).stdout
        figures.append(float(output.strip().rsplit(":", 1)[1]) / 1e6)
    return statistics.median(figures)


def shell_loop_s():
    """CPU time of the article's loop, as it stands there; run once."""
    loop = (
        "for pid in /proc/[0-9]*/exe; do\n"
        '  sha256sum $(readlink -f "$pid") 2>/dev/null\ndone'
    )

    def children_s():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = children_s()
    subprocess.run(
        ["sh", "-c", loop],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return children_s() - before


def measure_ingest():
    say("process_dna.ingest")
    cluster = WORK / "postgres"
    shutil.rmtree(cluster, ignore_errors=True)
    script = ["sh", ROOT / "tests/postgres.sh"]
    try:
        conninfo = subprocess.run(
            [*script, "start", cluster],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout.strip()
        config = WORK / "correlator.conf"
        config.touch(0o600)
        config.write_text(
            f'database = "{conninfo}"\nstate-dir = "{WORK}"\n'
        )
        subprocess.run(
            [BUILD / "process-dna-correlator", "-c", config, "migrate"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        say("1000 SNMP agents, 3.5 minutes")
        poll = subprocess.run(
            [sys.executable, ROOT / "tests/bench/poll.py", BUILD, WORK,
             conninfo],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        say("syslog over TCP into rows")
        syslog = subprocess.run(
            [sys.executable, ROOT / "tests/bench/syslog_rows.py", BUILD, WORK,
             conninfo],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
        say("database: batches of observations and of sshd's lines")
        batches = "".join(
            subprocess.run(
                ["psql", "-X", "-d", conninfo, "-f",
                 ROOT / "tests/bench" / name],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            ).stdout
            for name in ("bench_ingest.sql", "bench_auth.sql")
        )
        return figures_of(poll + syslog + batches)
    finally:
        subprocess.run([*script, "stop", cluster], check=False)
        shutil.rmtree(cluster, ignore_errors=True)


def number(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def print_table(rows):
    table = [("what", "ours", "peer's", "ratio", "goal")]
    for what, ours, peer, goal in rows:
        ratio = ""
        if ours is not None and peer:
            ratio = f"{ours / peer:.3g}"
        table.append((what, number(ours), number(peer), ratio, goal))
    widths = [max(map(len, column)) for column in zip(*table)]
    for i, line in enumerate(table):
        print("  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        ))
        if i == 0:
            print("  ".join("-" * width for width in widths))


def isolate():
    """Go on where no other program's processes are: they come and go, cost
    time to look at, and make a scanner remember their files."""
    if os.environ.get("PDNA_BENCH_ISOLATED"):
        return
    os.environ["PDNA_BENCH_ISOLATED"] = "1"
    os.execvp("unshare", [
        "unshare", "--pid", "--fork", "--mount-proc", "--kill-child",
        sys.executable, *sys.argv,
    ])


def main():
    isolate()
    WORK.mkdir(parents=True, exist_ok=True)
    scan = run_program("bench_scan")
    openssl = openssl_mb_per_s()
    collectd = measure_collectd()
    packages = run_program("bench_packages")
    source = run_program("bench_source")
    snmp = measure_snmp()
    ingest = measure_ingest()
    manifest = measure_manifest()
    store = measure_store()
    lateral = measure_lateral()
    auth = measure_auth()
    openssl_kib = collectd["relocations"] + scan["openssl_first_digest"]
    ours_kib = collectd["memory"]["process_dna"] - openssl_kib
    bare = ingest["bare_insert"]
    print_table([
        ("warm scan, us/process; floor", scan["scan_us"], scan["floor_us"],
         "< 2.5"),
        ("  without the hashing thread", scan["scan_walk_us"],
         scan["floor_us"], ""),
        ("in collectd, us/process; `processes`",
         collectd["cpu"]["process_dna"], collectd["cpu"]["processes"],
         "< 0.5"),
        ("  with the packages; without", scan["scan_us"],
         scan["scan_alone_us"], "< 1.05"),
        ("warm scan, us/process; shell loop", scan["scan_us"],
         collectd["shell"], "< 0.01"),
        (f"owners of {packages['owners_paths']:.0f} files, ms; `dpkg -S`",
         packages["owners_ms"], packages["dpkg_ms"], ""),
        ("  CPU time, ms", packages["owners_cpu_ms"], packages["dpkg_cpu_ms"],
         ""),
        ("cold hashing, MB/s; openssl speed", scan["hash_scanner"], openssl,
         "> 0.85"),
        ("  plain EVP on the same file", scan["hash_scanner"],
         scan["hash_evp"], ""),
        ("collectd's memory, KiB; `processes`", ours_kib,
         collectd["memory"]["processes"], "< 1024 KiB"),
        ("  OpenSSL's own, on top, KiB", openssl_kib, None, ""),
        ("growth over 1000 scans, KiB", scan["scan_growth"], None, "0"),
        *snmp_rows(snmp),
        ("unchanged, observations/s",
         source["source_unchanged_observations"], None, ""),
        ("new, observations/s; bare insert", ingest["ingest_new"], bare, ""),
        ("restarted, observations/s; bare insert",
         ingest["ingest_restarted"], bare, ""),
        ("alerted, observations/s; bare insert", ingest["ingest_alerted"],
         bare, ""),
        ("logins, lines/s; bare insert", ingest["auth_logins"],
         ingest["auth_bare_insert"], "> 20,000"),
        ("  from a file, with its position", ingest["auth_file"],
         ingest["auth_bare_insert"], ""),
        ("  half of them sessions of the others", ingest["auth_sessions"],
         ingest["auth_bare_insert"], ""),
        ("  on hosts that nobody knows", ingest["auth_unknown"],
         ingest["auth_bare_insert"], ""),
        ("  failures", ingest["auth_failures"], ingest["auth_bare_insert"],
         ""),
        ("syslog TCP, logins into rows/s; bare insert",
         ingest["syslog_logins"], bare, ""),
        ("  one login in 100 lines, lines/s", ingest["syslog_mixed"], None,
         ""),
        ("  CPU time of the correlator, us/line", ingest["syslog_mixed_cpu"],
         None, ""),
        ("polling 1000 SNMP agents, % of a core", ingest["poll_cpu"], None,
         "< 5"),
        ("  of the polls that were due, % done", ingest["poll_done"], None,
         "100"),
        ("  a poll, ms, median", ingest["poll_median"], None, ""),
        ("  the longest, ms", ingest["poll_worst"], None, ""),
        *manifest_rows(manifest),
        *store_rows(store),
        *lateral_rows(lateral),
        *auth_rows(auth),
    ])


def end(*_):
    sys.exit(143)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    main()
