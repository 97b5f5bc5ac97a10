"""Measure, side by side in one run, and print a table.

Every figure is the median of several runs. Nothing is asserted: machines
differ, and shared ones are noisy. docs/performance.md tells what is compared
and why.
"""

import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("B", "build")
WORK = BUILD / "bench"
PROCESSES = 1000
RUNS = 5
TICKS = os.sysconf("SC_CLK_TCK")

rows = []


def row(what, value, unit, note=""):
    rows.append((what, value, unit, note))
    print(f"  {what}: {value:.4g} {unit} {note}", file=sys.stderr, flush=True)


class Sleepers:
    """A thousand processes of one executable, which do nothing."""

    def __enter__(self):
        binary = WORK / "sleeper"
        shutil.copy("/bin/sleep", binary)
        self.children = [
            subprocess.Popen([binary, "3600"]) for _ in range(PROCESSES)
        ]
        return self

    def __exit__(self, *exception):
        for child in self.children:
            child.kill()
        for child in self.children:
            child.wait()


class Collectd:
    """A collectd that runs one plugin and writes nowhere."""

    def __init__(self, plugin, options="", interval=1):
        self.directory = WORK / f"collectd-{plugin or 'none'}"
        self.directory.mkdir(parents=True, exist_ok=True)
        # collectd refuses symlinks: copies, beside Debian's own folder.
        shutil.copy(BUILD / "process_dna.so", self.directory)
        lines = [
            'Hostname "bench"',
            f'BaseDir "{self.directory}"',
            f'PIDFile "{self.directory}/pid"',
            f"Interval {interval}",
            "ReadThreads 1",
            "WriteThreads 1",
            "LoadPlugin logfile",
            f'<Plugin logfile>\n  File "{self.directory}/log"\n</Plugin>',
        ]
        if plugin == "process_dna":
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
        time.sleep(4)
        return self

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_s(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = text.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def anonymous_kib(self):
        text = pathlib.Path(
            f"/proc/{self.process.pid}/smaps_rollup"
        ).read_text()
        return int(re.search(r"^Anonymous:\s+(\d+)", text, re.M).group(1))


def cpu_per_process_us(plugin, options, seconds=10):
    """CPU time of one read callback over all processes, per process, as a
    running collectd spends it at an interval of one second."""
    with Collectd(plugin, options) as collectd:
        figures = []
        for _ in range(RUNS):
            before, start = collectd.cpu_s(), time.monotonic()
            time.sleep(seconds / RUNS * 2)
            reads = time.monotonic() - start
            figures.append((collectd.cpu_s() - before) / reads)
    return statistics.median(figures) * 1e6 / count_processes()


def count_processes():
    return sum(name.isdigit() for name in os.listdir("/proc"))


def lines_of(program, *arguments):
    """Run one of our bench programs: lines of `name value unit`."""
    output = subprocess.run(
        [BUILD / "tests" / program, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    figures = {}
    for line in output.splitlines():
        name, value, unit = line.split(maxsplit=2)
        figures[name] = (float(value), unit)
    return figures


def openssl_mb_per_s():
    output = subprocess.run(
        ["openssl", "speed", "-mr", "-seconds", "2", "-bytes", "262144",
         "-evp", "sha256"],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout
    return float(output.strip().rsplit(":", 1)[1]) / 1e6


def shell_loop_s():
    """The article's loop, as it stands there."""
    loop = (
        "for pid in /proc/[0-9]*/exe; do "
        'sha256sum $(readlink -f "$pid") 2>/dev/null; done >/dev/null'
    )
    start = time.monotonic()
    subprocess.run(["sh", "-c", loop], stdin=subprocess.DEVNULL, check=False)
    return time.monotonic() - start


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    with Sleepers():
        for plugin, options in (("processes", ""), ("process_dna", "ScanInterval 1\nMinRSS 0")):
            print(plugin, cpu_per_process_us(plugin, options))
