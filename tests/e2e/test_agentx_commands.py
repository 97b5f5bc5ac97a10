"""The subagent's configuration and command line, and --scan."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess

import pytest

from harness import ASAN_ENV, Service, copy_binary
from host import sha256_of
from processes import die_with_parent, wait_for
from snmp import AGENTX, Agentx, wait_sequence

# what is wrong, the file's text, the line, what the message must name
WRONG = [
    ("unknown directive", "minRss 0\nscanIntervall 5\n", 2, "scanIntervall"),
    ("out of bounds", "# a comment\n\nscanInterval 0\n", 3,
     "scanInterval: expected a whole number of seconds from 1 to 86400"),
    ("not a number", "minRss lots\n", 1, "minRss: expected a whole number"),
    ("not a boolean", "alwaysRoot maybe\n", 1, 'found "maybe"'),
    ("not absolute", "executable sshd\n", 1, 'executable: expected an absolute'),
    ("no value", "hashBudget\n", 1, "hashBudget"),
    ("bad type", "[nothing] minRss 0\n", 1, "nothing"),
    ("in another file", "includeFile more.conf\n", 1, "remotefile"),
]


def run(*args, conf=None, text=True, **kwargs):
    return subprocess.run(
        [AGENTX, *map(str, args)], capture_output=True, text=text, check=False,
        timeout=120, preexec_fn=die_with_parent,
        env={**os.environ, **ASAN_ENV, "SNMPCONFPATH": str(conf or "/none")},
        **kwargs)


def test_a_good_configuration_is_taken(place, snmpd):
    agent = Agentx(place / "agentx", snmpd, scanInterval=2, rehashInterval=60,
                   hashBudget=1, remoteFiles="yes", packages="yes",
                   packageRoot="/", procRoot="/proc",
                   agentXTimeout=2, agentXRetries=3).start()
    wait_sequence(snmpd, 0)
    assert snmpd.scalars()["ScanInterval"] == 2
    agent.stop()


@pytest.mark.parametrize("what, text, line, named", WRONG,
                         ids=[w[0] for w in WRONG])
def test_a_mistake_stops_the_start(place, snmpd, what, text, line, named):
    conf = place / "process-dna-agentx.conf"
    conf.write_text(text)
    (place / "more.conf").write_text("remotefile no\n")
    done = run("-f", "-x", snmpd.socket, conf=place)
    assert done.returncode == 2
    assert named in done.stderr
    name = "more.conf" if what == "in another file" else conf.name
    assert f"{name}: line {line}: " in done.stderr
    assert not snmpd.scalars()
    assert run("--scan", conf=place).returncode == 2


def test_other_programs_mistakes_are_theirs(place):
    (place / "snmp.conf").write_text("noSuchThing 1\n")
    assert run("--scan", "--executable=/none", conf=place).returncode == 0


@pytest.mark.parametrize("args, status, said", [
    (["--bogus"], 2, "unrecognized option"),
    (["--minRss=x"], 2, "--minRss: expected a whole number of MiB"),
    (["--scanInterval=0", "--scan"], 2, "--scanInterval: expected"),
    (["word"], 2, "word: expected an option"),
    (["-c", "/none/x.conf"], 2, "/none/x.conf: No such file"),
    (["--scan", "-C", "-c", "/"], 2, "-c /: Is a directory"),
    (["-Lq"], 2, "usage:"),
    (["--scan", "--procRoot=/none"], 1, "can't scan /none: No such file"),
    (["-f", "-x", "/none", "--procRoot=/none"], 1, "can't scan /none"),
])
def test_bad_command_lines(args, status, said):
    done = run(*args)
    assert said in done.stderr + done.stdout
    assert done.returncode == status


def test_help_and_version():
    for option in ("-h", "--help"):
        done = run(option)
        assert done.returncode == 0
        assert "usage: process-dna-agentx" in done.stdout
        for directive in ("scanInterval", "executable", "procRoot"):
            assert directive in done.stdout
    for option in ("-v", "--version"):
        assert run(option).stdout == "process-dna-agentx 0.1\n"


def pids_of(argument):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if argument in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def test_it_goes_to_the_background(place, snmpd):
    log = place / "log"
    done = run("-C", "-x", snmpd.socket, "-Lf", log, "--minRss=1000000")
    assert done.returncode == 0
    pid, = pids_of(os.fsencode(snmpd.socket))
    try:
        wait_sequence(snmpd, 0)
        assert "connected to snmpd" in log.read_text()
        os.rename(log, place / "rotated")
        os.kill(pid, signal.SIGHUP)
        wait_for("the log anew", log.exists)
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_for("it ended", lambda: not pids_of(os.fsencode(snmpd.socket)))


@pytest.fixture
def odd(place):
    """Services of odd names: {path: service}"""
    os.mkdir(place / "bin")
    directory = os.fsencode(place / "bin")
    made = {}
    for name in (b"plain", b'quo"te\\', b"new\nline", b"\xff\xfe", b"%41 :",
                 "gr\u00f6\u00dfe".encode(), b"x" * 200):
        path = directory + b"/" + name
        copy_binary(path, tag=name)
        made[path] = Service([path, "86400"])
    yield made
    for service in made.values():
        service.stop()


def canonical(path):
    return "".join(chr(c) if 0x20 < c < 0x7F and c not in b':%"\\' else
                   f"%{c:02X}" for c in path)


def test_scan_prints_json_lines(place, odd):
    done = run("--scan", "-C", "--minRss=1000000", "--alwaysRoot=false",
               f"--executable={place}/bin/*", text=False)
    assert (done.returncode, done.stderr) == (0, b"")
    done.stdout.decode("utf-8")
    checked = subprocess.run(["jq", "-c", "."], input=done.stdout, check=True,
                             stdout=subprocess.PIPE).stdout
    records = [json.loads(line) for line in checked.splitlines()]
    assert [r["pid"] for r in records] == sorted(s.pid for s in odd.values())
    by_pid = {r["pid"]: r for r in records}
    for path, service in odd.items():
        record = by_pid[service.pid]
        stat = os.stat(path)
        assert record["exe_path"] == canonical(path)
        assert record["exe_sha256"] == sha256_of(path)
        assert record["running_sha256"] == sha256_of(path)
        assert (record["state"], record["reason"]) == ("current", None)
        assert (record["uid"], record["parent"]) == (os.getuid(), os.getpid())
        assert (record["container"], record["package"]) == ("", None)
        assert record["exe_file"]["size"] == stat.st_size
        assert record["exe_file"]["mode"] == "0755"
        assert record["observed_at"].endswith("Z")
        assert record["started_at"] <= record["observed_at"]


def test_scan_hashes_what_is_over_the_budget(place):
    big = place / "big"
    copy_binary(big)
    os.truncate(big, 3 << 20)
    service = Service([big, "86400"])
    try:
        done = run("--scan", "-C", "--minRss=1000000", "--alwaysRoot=false",
                   f"--executable={big}", "--hashBudget=1")
        record = json.loads(done.stdout)
        assert record["exe_sha256"] == sha256_of(big)
    finally:
        service.stop()


def test_scan_says_when_nobody_listens():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [AGENTX, "--scan", "-C"], stdout=full, stderr=subprocess.PIPE,
            text=True, check=False, env={**os.environ, **ASAN_ENV})
    assert done.returncode == 1
    assert "Input/output error" in done.stderr
