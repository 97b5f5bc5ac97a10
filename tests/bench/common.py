"""What the measurements share: where things are, processes to look at, and
reading what programs print."""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("B", "build")
WORK = BUILD / "bench"
PROCESSES = 1000
EXECUTABLES = 50  # that they run
RUNS = 5

libc = ctypes.CDLL(None, use_errno=True)


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def cpu_of(pid, what):
    """CPU time of a process, in seconds."""
    clock = ctypes.c_int()
    if libc.clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise ProcessLookupError(f"{what} ended")
    return time.clock_gettime(clock.value)


class Sleepers:
    """A thousand processes of fifty executables, which do nothing."""

    def __enter__(self):
        self.children = []
        binaries = [WORK / f"sleeper-{i}" for i in range(EXECUTABLES)]
        for binary in binaries:
            shutil.copy("/bin/sleep", binary)
        for i in range(PROCESSES):
            # They end by themselves if this program can't end them.
            self.children.append(
                subprocess.Popen([binaries[i % EXECUTABLES], "600"])
            )
        return self

    def __exit__(self, *exception):
        for child in self.children:
            child.kill()
        for child in self.children:
            child.wait()


def figures_of_script(name, script):
    """What a script of psql prints on a database of its own, which is removed
    afterwards."""
    cluster = WORK / f"postgres-{name}"
    shutil.rmtree(cluster, ignore_errors=True)
    postgres = ["sh", ROOT / "tests/postgres.sh"]
    try:
        conninfo = subprocess.run([*postgres, "start", cluster], check=True,
                                  stdout=subprocess.PIPE,
                                  text=True).stdout.strip()
        config = WORK / f"{name}.conf"
        config.touch(0o600)
        config.write_text(f'database = "{conninfo}"\nstate-dir = "{WORK}"\n')
        subprocess.run([BUILD / "process-dna-correlator", "-c", config,
                        "migrate"], check=True, stdout=subprocess.DEVNULL)
        return figures_of(subprocess.run(
            ["psql", "-X", "-d", conninfo, "-f",
             ROOT / "tests/bench" / script],
            check=True, stdout=subprocess.PIPE, text=True).stdout)
    finally:
        subprocess.run([*postgres, "stop", cluster], check=False)
        shutil.rmtree(cluster, ignore_errors=True)


def figures_of(text):
    """Lines of `name value unit`."""
    lines = (line.split(maxsplit=2) for line in text.splitlines() if line)
    return {name: float(value) for name, value, _ in lines}
