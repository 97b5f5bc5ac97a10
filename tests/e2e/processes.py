"""What the end-to-end tests are built on: processes that end with the test
run whatever happens, free ports, and waiting for a condition."""

import atexit
import contextlib
import ctypes
import fcntl
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("B", "build")).resolve()
# One run at a time is in RUN; each of its workers (pytest-xdist) has a STATE.
RUN = BUILD / "e2e"
STATE = RUN / os.environ.get("PYTEST_XDIST_WORKER", "gw0")
HELPERS = BUILD / "tests"
PLUGIN = BUILD / "process_dna.so"
CORRELATOR = BUILD / "process-dna-correlator"

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
SANITIZER_REPORT = re.compile(
    rb"ERROR: (Address|Leak)Sanitizer|runtime error: |AddressSanitizer:DEADLY"
)


class Failed(Exception):
    """A step that did not go as expected; the text says which."""


def sanitized():
    """Is the build under test one with AddressSanitizer?"""
    return b"__asan_init" in PLUGIN.read_bytes()


def libasan():
    return subprocess.run(
        ["gcc", "-print-file-name=libasan.so"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()


def wait_for(what, condition, deadline=30.0, every=None):
    """Poll until condition() is true and return what it gave. Unless told how
    often, the longer it takes the more seldom, since most conditions start a
    program."""
    begin = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - begin
        if waited > deadline:
            raise Failed(f"{what}: not within {deadline:g} s (last: {value!r})")
        time.sleep(every or min(max(waited / 10, 0.05), 0.5))


_reserved = []


def free_port():
    """A port of loopback that nobody has, with UDP nor with TCP, below those
    that the kernel hands out by itself. It is ours from then on: whoever else
    runs these tests finds the abstract socket of its number taken."""
    while True:
        port = random.randint(10000, 30000)
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f"\0process-dna-test-port-{port}")
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as s:
                    s.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
            continue
        _reserved.append(mark)
        return port


def udp_bound(port, pid="self"):
    """Is it, in the network that a process is in?"""
    needle = f":{port:04X} "
    return any(needle in line[:30] for line in open(f"/proc/{pid}/net/udp"))


def fresh_dir(path):
    path.mkdir(parents=True)
    return path


def lock_state():
    """Make RUN ours and empty; one run at a time in a build folder."""
    BUILD.mkdir(exist_ok=True)
    lock = open(BUILD / "e2e.lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failed(f"{RUN}: another run is using it") from None
    shutil.rmtree(RUN, ignore_errors=True)
    fresh_dir(RUN)
    return lock


# What ends with us: objects with a stop() that may be called twice.
_live = []


def register(thing):
    _live.append(thing)


def unregister(thing):
    with contextlib.suppress(ValueError):
        _live.remove(thing)


def stop_everything():
    while _live:
        thing = _live.pop()
        try:
            thing.stop()
        except Exception as e:  # the others must be stopped all the same
            print(f"stopping {thing!r}: {e}", file=sys.stderr)


def _ended_by_signal(number, _frame):
    sys.exit(128 + number)


def end_all_at_exit():
    """Whatever way this program ends, what it started ends too. (Killed
    outright, PR_SET_PDEATHSIG and Guard see to it.)"""
    atexit.register(stop_everything)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended_by_signal)


def die_with_parent():
    """To be called in a child before exec."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Log:
    """A log file, and how far it has been looked at."""

    all = []

    def __init__(self, path):
        self.path = path
        self.checked = 0
        Log.all.append(self)

    def text(self):
        with contextlib.suppress(FileNotFoundError):
            return self.path.read_text(errors="replace")
        return ""

    def changed(self):
        with contextlib.suppress(FileNotFoundError):
            return self.path.stat().st_mtime
        return 0

    def tail(self, lines=25):
        return "\n".join(self.text().splitlines()[-lines:])

    def new_sanitizer_report(self):
        """What a sanitizer wrote since this was asked last, or None."""
        with contextlib.suppress(FileNotFoundError):
            data = self.path.read_bytes()
            new, self.checked = data[self.checked:], len(data)
            found = SANITIZER_REPORT.search(new)
            if found:
                return new[found.start():][:6000].decode(errors="replace")
        return None


def log_tails(lines=25, since=0):
    """[(name, tail)] of every log to which something was added since then."""
    tails = [(str(log.path.relative_to(BUILD)), log.tail(lines))
             for log in Log.all if log.changed() >= since]
    return [(name, tail) for name, tail in tails if tail]


class Daemon:
    """A program in the foreground, with its output in a log file."""

    def __init__(self, name, argv, log, env=None, cwd=None):
        self.name = name
        self.argv = [str(a) for a in argv]
        self.log = log if isinstance(log, Log) else Log(log)
        self.env = {**os.environ, **(env or {})}
        self.cwd = cwd
        self.process = None

    def __repr__(self):
        return self.name

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        with open(self.log.path, "ab") as out:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=self.env, cwd=self.cwd, preexec_fn=die_with_parent,
            )
        register(self)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_until(self, what, condition, deadline=30.0):
        """Wait for a condition, and fail at once if the program ends."""
        def check():
            if not self.running():
                raise Failed(f"{self.name}: ended (status "
                             f"{self.process.returncode}) before: {what}\n"
                             f"{self.log.tail()}")
            return condition()
        return wait_for(f"{self.name}: {what}", check, deadline)

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, patience=60):
        unregister(self)
        if not self.running():
            return
        # Stopped it would not end; and LeakSanitizer, which stops it to look at
        # its memory when it ends, waits for ever if it is continued meanwhile.
        self.send(signal.SIGCONT)
        self.send(number)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(patience)
            raise Failed(f"{self.name}: still there {patience} s after "
                         f"signal {number}\n{self.log.tail()}") from None

    def kill(self):
        """SIGKILL, as a crash would end it."""
        unregister(self)
        self.process.kill()
        self.process.wait(15)


class Guard:
    """Sends a signal to a process that is not our child, once we are gone."""

    def __init__(self, pid, number):
        self.shell = subprocess.Popen(
            ["sh", "-c", f"cat >/dev/null; kill -{number} {pid}"],
            stdin=subprocess.PIPE, start_new_session=True,
        )

    def release(self):
        self.shell.kill()
        self.shell.wait()
        self.shell.stdin.close()


class BindMount:
    """A file mounted over another, until it is stopped or we are gone."""

    def __init__(self, source, target):
        self.shell = subprocess.Popen(
            ["sh", "-ec", 'mount --bind "$1" "$2"; echo; cat >/dev/null;'
             ' umount -l "$2"', "sh", source, target],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            start_new_session=True)
        register(self)
        if self.shell.stdout.readline() == b"":
            raise Failed(f"mount --bind {source!r} {target!r}")

    def stop(self):
        unregister(self)
        self.shell.communicate()
