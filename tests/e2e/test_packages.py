"""Which package owns an executable, in which version: the same from dpkg's own
database through every way to the central host, and never the version of another
moment than the digest's."""

import itertools
import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from harness import ASAN_ENV, quoted
from host import sha256_of
from packages import PackageRoot, made_deb
from processes import wait_for
from snmp import AGENTX, EXECUTABLE_COLUMNS, wait_sequence

CURRENT, REPLACED = 1, 2
TRUE = 1  # of TruthValue
SLEEP = Path("/bin/sleep").resolve().read_bytes()
NAME, FIRST, SECOND = "pdna-a+b", "1:1.0-1+b2", "2:1.0~rc1-1"


def deb(place, path, version, extra=0):
    """A package with an executable that runs, its digest one of the version,
    and so many files beside it."""
    path = os.fsdecode(path)
    files = {path: SLEEP + b"\n" + version.encode()}
    for i in range(extra):
        files[f"{path}.d/{i}"] = version.encode() * 1000
    return made_deb(place, NAME, version, files)


def known(host, path):
    """What the database knows of a path's current file."""
    rows = host.system.sql(
        "SELECT e.sha256, e.manager, e.package, e.version, e.arch "
        "FROM process_dna.executables e "
        "JOIN process_dna.agents a USING (tenant_id, agent_id) "
        f"WHERE a.name = '{host.name}' AND e.state = 'current' "
        f"AND e.last_seen IS NULL AND e.path = '{host.path_text(path)}'")
    return [tuple(r) for r in rows]


def inventory(host):
    """A former version has it in it whether a scan saw its upgrade under way:
    only of the present one that is told."""
    return [tuple(r) for r in host.system.sql(
        "SELECT i.manager, i.package, i.version, i.arch, "
        "i.in_transaction AND i.until IS NULL, "
        "i.until IS NULL FROM process_dna.package_inventory i "
        "JOIN process_dna.agents a USING (tenant_id, agent_id) "
        f"WHERE a.name = '{host.name}' ORDER BY i.since")]


def test_the_central_host_knows_the_package_and_its_history(
        system, make_host, place):
    root = PackageRoot(place / "root")
    host = make_host(system,
                     options={"PackageRoot": quoted(root.root)})
    path = os.fsencode(host.bin / "service")
    root.install(deb(place, path, FIRST))
    service = host.established(path)
    assert known(host, path) == [
        (sha256_of(path), "dpkg", NAME, FIRST, "amd64")]
    assert inventory(host) == [("dpkg", NAME, FIRST, "amd64", "f", "t")]

    root.install(deb(place, path, SECOND))
    service.stop()
    host.run(path)
    wait_for("the new version", lambda: known(host, path) == [
        (sha256_of(path), "dpkg", NAME, SECOND, "amd64")])
    wait_for("its history", lambda: inventory(host) == [
        ("dpkg", NAME, FIRST, "amd64", "f", "f"),
        ("dpkg", NAME, SECOND, "amd64", "f", "t")])


def test_the_machines_own_packages_are_told(system, make_host):
    tail = os.path.realpath("/usr/bin/tail")
    query = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version} ${Architecture}", "coreutils"],
        capture_output=True, text=True, check=False)
    if query.returncode != 0:
        pytest.skip("no package coreutils here")
    host = make_host(system, executables=[tail])
    host.established(tail, argv=["tail", "-f", "/dev/null"])
    assert [k[1:] for k in known(host, tail)] == [
        ("dpkg", "coreutils", *query.stdout.split())]


def test_a_steady_host_writes_nothing_for_its_packages(
        system, make_host, place):
    root = PackageRoot(place / "root")
    host = make_host(system, options={"PackageRoot": quoted(root.root)})
    path = os.fsencode(host.bin / "service")
    root.install(deb(place, path, FIRST))
    host.established(path)
    before = host.system.new_counters()
    host.wait_scans(5)
    after = host.system.new_counters()
    scans, unchanged = (after[c] - before[c]
                        for c in ("scans", "scans-unchanged"))
    assert scans >= 5
    assert unchanged == scans


def test_snmp_and_json_tell_the_package(snmpd, start, services, place):
    root = PackageRoot(place / "root")
    path = place / "bin" / "service"
    start(packageRoot=root.root)
    root.install(deb(place, path, FIRST))
    services(path, "86400")
    row = wait_for("the executable", lambda: next(
        (e for e in snmpd.executables().values() if e["State"] == CURRENT),
        None))
    assert (row["PackageManager"], row["Package"], row["PackageVersion"],
            row["PackageArch"], row["PackageTransaction"]) == (
                b"dpkg", NAME.encode(), FIRST.encode(), b"amd64", 2)
    table = snmpd.run("snmptable", "-Cb", "-Cf", "|",
                      "PROCESS-DNA-MIB::pdnaExecutableTable",
                      mibs="PROCESS-DNA-MIB")
    header, line = [next(t for t in table.splitlines() if word in t).split("|")
                    for word in ("PackageVersion", "service")]
    assert line[header.index("PackageVersion")] == FIRST
    assert line[header.index("Package")] == NAME
    printed = subprocess.run(
        [AGENTX, "--scan", f"--packageRoot={root.root}",
         f"--executable={place}/bin/*", "--minRss=1000000",
         "--alwaysRoot=false"],
        capture_output=True, text=True, check=True,
        env={**os.environ, **ASAN_ENV}).stdout
    assert [json.loads(p)["package"] for p in printed.splitlines()] == [{
        "manager": "dpkg", "name": NAME, "version": FIRST,
        "architecture": "amd64", "in_transaction": False}]


def test_no_digest_is_told_with_the_version_of_another_moment(
        snmpd, start, services, place):
    root = PackageRoot(place / "root")
    path = place / "bin" / "service"
    debs = {v: deb(place, path, v, extra=300) for v in (FIRST, SECOND)}
    digests = {}
    for version in (SECOND, FIRST):
        root.install(debs[version])
        digests[sha256_of(path)] = version.encode()
    start(packageRoot=root.root)
    services(path, "86400")
    enough = threading.Event()

    def keep_updating():
        # Long enough for a scan, every other time.
        for pause in itertools.cycle((1.5, 0)):
            for version in (SECOND, FIRST):
                if enough.is_set():
                    return
                root.install(debs[version])
                enough.wait(pause)

    updates = threading.Thread(target=keep_updating)
    updates.start()
    seen = set()

    def look():
        for row in snmpd.executables().values():
            # One that went while the table was read has not all columns.
            if len(row) < len(EXECUTABLE_COLUMNS) - 1 or \
                    row["State"] not in (CURRENT, REPLACED):
                continue
            under_way = row["PackageTransaction"] == TRUE
            seen.add((row["PackageVersion"], under_way))
            # Nothing is asserted of what is under way: it may be either's.
            assert under_way or \
                row["PackageVersion"] == digests[row["Sha256"].decode()], row
        return {(FIRST.encode(), False), (SECOND.encode(), False)} <= seen \
            and any(under_way for _, under_way in seen)

    try:
        wait_for("both versions, settled and under way", look, 120, 0.2)
        for _ in range(10):
            wait_sequence(snmpd, 1)
            look()
    finally:
        enough.set()
        updates.join()


def is_reading(pid, path):
    """Has the process this file open?"""
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(fd) == str(path):
                return True
        except FileNotFoundError:
            pass
    return False


def test_a_whole_update_between_digest_and_package_is_told_as_under_way(
        snmpd, start, services, place):
    """The program is stopped while it reads which package it is, which a long
    list makes last; the digest it has by then."""
    root = PackageRoot(place / "root")
    path = place / "bin" / "service"
    debs = {v: deb(place, path, v) for v in (FIRST, SECOND)}
    digests = {}
    for version in (SECOND, FIRST):
        root.install(debs[version])
        digests[sha256_of(path)] = version.encode()
    long = root.admin / "info/long.list"
    long.write_text("/no/file/of/ours\n" * (3 << 20))
    agent = start(packageRoot=root.root)
    services(path, "86400")

    def look():
        """What is told now is right. Is it of two moments?"""
        two = False
        for row in snmpd.executables().values():
            if len(row) < len(EXECUTABLE_COLUMNS) - 1 or \
                    row["State"] not in (CURRENT, REPLACED):
                continue
            same = row["PackageVersion"] == digests[row["Sha256"].decode()]
            assert same or row["PackageTransaction"] == TRUE, row
            two = two or not same
        return two

    def overtake():
        root.install(debs[FIRST])
        wait_for("it reads the packages",
                 lambda: is_reading(agent.daemon.pid, long), every=0.001)
        agent.daemon.send(signal.SIGSTOP)
        try:
            root.install(debs[SECOND])
        finally:
            agent.daemon.send(signal.SIGCONT)
        return True in [look() for _ in range(30)]

    for _ in range(3):
        wait_for("a scan that an update overtook", overtake, 120)
