"""The subagent beside a real snmpd: what every column says, and what it does
with every kind of request."""

import itertools
import os
import re
import struct
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

from harness import copy_binary, swap
from host import sha256_of
from processes import HELPERS, ROOT, wait_for
from snmp import (
    EXECUTABLE_COLUMNS, MODULE, PROCESS_COLUMNS, Agentx, Snmpd, wait_hashed,
    wait_sequence,
)
from snmp_packet import GET, GETBULK, GETNEXT, NO_ERROR, TOO_BIG, ask, request

CURRENT, REPLACED, UNREADABLE, SUPERSEDED = 1, 2, 6, 7


def when(octets):
    """DateAndTime with a zone, as seconds since the epoch."""
    assert len(octets) == 11
    year, month, day, hour, minute, second, deci, sign, zh, zm = struct.unpack(
        ">HBBBBBBcBB", octets)
    zone = timedelta(hours=zh, minutes=zm) * (1 if sign == b"+" else -1)
    return datetime(year, month, day, hour, minute, second,
                    tzinfo=timezone(zone)).timestamp()


def stat_of(pid, field):
    return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1]
               .split()[field - 3])


def rss_kib_of(pid):
    return stat_of(pid, 24) * os.sysconf("SC_PAGESIZE") // 1024


def started_of(pid):
    ticks = stat_of(pid, 22)
    boot = int(re.search(r"btime (\d+)", open("/proc/stat").read())[1])
    return boot + ticks / os.sysconf("SC_CLK_TCK")


def status_of(pid, field):
    text = open(f"/proc/{pid}/status").read()
    return re.search(rf"^{field}:\s+(.*)$", text, re.MULTILINE)[1]


def test_every_column_of_fifty_processes(place, snmpd, start, services):
    agent = start()
    made = []
    for i in range(50):
        path = place / "bin" / f"service {i}"
        copy_binary(path, tag=b"%d" % i)
        made.append((path, services(path, "86400")))
    by_pid = {s.pid: p for p, s in made}
    wait_hashed(snmpd, 50)
    wait_sequence(snmpd, 2)
    rows, executables = snmpd.processes(), snmpd.executables()
    assert set(rows) == set(by_pid)
    digests = dict(
        reversed(line.split(maxsplit=1)) for line in subprocess.run(
            ["sha256sum", *by_pid.values()], check=True, text=True,
            stdout=subprocess.PIPE).stdout.splitlines())
    for pid, row in rows.items():
        path = str(by_pid[pid])
        assert list(row) == PROCESS_COLUMNS
        assert row["Name"] == open(f"/proc/{pid}/comm", "rb").read().rstrip(b"\n")
        assert row["ExePath"] == os.readlink(
            f"/proc/{pid}/exe").replace(" ", "%20").encode()
        assert row["ExeSha256"] == digests[path].encode()
        assert row["RunningSha256"] == digests[path].encode()
        assert row["State"] == CURRENT
        assert row["Rss"] == rss_kib_of(pid)
        assert row["Uid"] == int(status_of(pid, "Uid").split()[1])
        assert abs(when(row["Started"]) - started_of(pid)) <= 1
        assert row["Container"] == b""
        assert abs(when(row["ObservedAt"]) - time.time()) < 60
    assert len(executables) == 50
    for row in executables.values():
        process = rows[row["Pid"]]
        assert list(row) == EXECUTABLE_COLUMNS[1:]
        for ours, theirs in (("Path", "ExePath"), ("Sha256", "ExeSha256"),
                             ("State", "State"), ("Rss", "Rss"),
                             ("Uid", "Uid"), ("Name", "Name"),
                             ("Started", "Started"),
                             ("Container", "Container")):
            assert row[ours] == process[theirs]
        assert (row["Reason"], row["Processes"]) == (0, 1)
        assert (row["PackageTransaction"], row["Package"]) == (2, b"")
    scalars = snmpd.scalars()
    assert (scalars["ProcessCount"], scalars["ExecutableCount"],
            scalars["UnhashedCount"]) == (50, 50, 0)
    assert (scalars["ScanInterval"], scalars["MinRss"]) == (1, 1000000)
    size = sum(p.stat().st_size for p in by_pid.values())
    assert scalars["BytesHashed"] >= size and scalars["CacheHits"] > 0
    assert re.fullmatch(rb"[0-9a-f]{12}|", scalars["HostId"])
    assert abs(when(scalars["LastScan"]) - time.time()) < 60
    assert agent.connected() == 1


def test_names_are_shown_where_the_mib_is_loaded(place, snmpd, start, services):
    path = place / "bin" / "service"
    copy_binary(path)
    start()
    service = services(path, "86400")
    wait_hashed(snmpd, 1)
    shown = snmpd.run("snmptable", "-Cw", "400", "-Ci",
                      "PROCESS-DNA-MIB::pdnaProcessTable",
                      mibs="PROCESS-DNA-MIB")
    assert "pdnaProcExePath" in shown
    line = next(l for l in shown.splitlines() if str(service.pid) in l)
    assert str(path) in line and sha256_of(path) in line
    assert "currentFile" in line
    assert re.search(r"\d{4}-\d+-\d+,\d+:\d+:\d+\.0,[+-]\d+:\d+", line)


def test_rows_join_with_those_of_host_resources(place, snmpd, start, services):
    path = place / "bin" / "service"
    copy_binary(path)
    start()
    pid = services(path, "86400").pid
    wait_hashed(snmpd, 1)
    theirs = f"1.3.6.1.2.1.25.4.2.1.2.{pid}"  # hrSWRunName
    ours = f"{MODULE}.2.1.1.{pid}"
    # snmpd reads its own table again once a minute.
    joined = wait_for("hrSWRunTable to follow", lambda: (
        lambda v: isinstance(v[theirs], bytes) and v)(
            snmpd.values("snmpget", theirs, ours)), deadline=120)
    assert joined[theirs] == joined[ours] == b"service"


def test_a_swapped_executable_has_two_rows(place, snmpd, start, services):
    path = place / "bin" / "service"
    copy_binary(path, tag=b"first")
    start()
    services(path, "86400")
    old = sha256_of(path)
    wait_for("the row", lambda: [r["Sha256"] for r in
                                 snmpd.executables().values()] == [old.encode()])
    first, = snmpd.executables()
    swap(path, b"second")
    wait_for("two rows", lambda: len(snmpd.executables()) == 2 and all(
        r["State"] != UNREADABLE for r in snmpd.executables().values()))
    rows = snmpd.executables()
    assert {(r["State"], r["Sha256"].decode()) for r in rows.values()} == {
        (REPLACED, sha256_of(path)), (SUPERSEDED, old)}
    assert first not in rows


def test_a_thousand_processes(place, snmpd, start, services):
    path = place / "bin" / "service"
    os.link(HELPERS / "service", path)
    start()
    pids = {services(path).pid for _ in range(1000)}
    wait_hashed(snmpd, 1000)
    assert set(snmpd.processes()) == pids
    row, = snmpd.executables().values()
    assert (row["Processes"], row["Pid"]) == (1000, min(pids))


@pytest.mark.long
def test_rows_keep_their_identity_while_snapshots_change(place, snmpd, start,
                                                         services):
    start()
    identities, walks = {}, 0
    first = snmpd.scalars()["ScanSequence"]
    sequence = first
    while sequence < first + 20:
        walks += 1
        # Some come, some go, some are swapped.
        path = place / "bin" / f"service{walks % 7}"
        if path.exists():
            swap(path, b"%d" % walks)
        else:
            copy_binary(path, tag=b"%d" % walks)
        services(path, str(3 + walks % 5))
        for index, row in snmpd.executables().items():
            # A row that went in the middle of a walk is there in part.
            for column in ("Container", "Path", "Sha256", "State", "Reason"):
                if column in row:
                    known = identities.setdefault((index, column), row[column])
                    assert row[column] == known
        sequence = snmpd.scalars()["ScanSequence"]
    assert walks >= 10
    assert len(identities) > 50


def test_get_getnext_and_the_ends(place, snmpd, start, services):
    path = place / "bin" / "service"
    copy_binary(path)
    start()
    pids = sorted(services(path, "86400").pid for _ in range(3))
    wait_hashed(snmpd, 3)
    row, = snmpd.executables()  # 1, unless it was shown before it was hashed
    no_object = "No Such Object available on this agent at this OID"
    no_instance = "No Such Instance currently exists at this OID"
    for oid, expected in (
            ("1.1.0", b"0.1"), ("1.13.0", no_object), ("1.0.0", no_object),
            ("1.5.1", no_instance), ("1.5", no_instance),
            (f"2.1.5.{pids[1]}", CURRENT), ("2.1.5.0", no_instance),
            ("2.1.5.4294967295", no_instance), ("2.1.5", no_instance),
            (f"2.1.5.{pids[1]}.1", no_instance),
            (f"2.1.0.{pids[1]}", no_object), (f"2.1.11.{pids[1]}", no_object),
            (f"2.2.5.{pids[1]}", no_object),
            (f"3.1.5.{row}", CURRENT), (f"3.1.1.{row}", no_object),
            ("3.1.5.0", no_instance), (f"3.1.19.{row}", no_object)):
        got = snmpd.values("snmpget", f"{MODULE}.{oid}")[f"{MODULE}.{oid}"]
        assert (oid, got) == (oid, expected)
    for oid, following in (
            ("1", "1.1.0"), ("1.1", "1.1.0"), ("1.1.0", "1.2.0"),
            ("1.12.0", f"2.1.1.{pids[0]}"), ("2", f"2.1.1.{pids[0]}"),
            (f"2.1.1.{pids[0]}", f"2.1.1.{pids[1]}"),
            (f"2.1.1.{pids[0]}.5", f"2.1.1.{pids[1]}"),
            (f"2.1.1.{pids[2]}", f"2.1.2.{pids[0]}"),
            (f"2.1.10.{pids[2]}", f"3.1.2.{row}"),
            (f"3.1.1.{row}", f"3.1.2.{row}"),
            (f"3.1.2.{row}", f"3.1.3.{row}"), ("3.1.2", f"3.1.2.{row}")):
        got, = snmpd.values("snmpgetnext", f"{MODULE}.{oid}")
        assert (oid, got) == (oid, f"{MODULE}.{following}")
    got, = snmpd.values("snmpgetnext", f"{MODULE}.3.1.18.{row}")
    assert not got.startswith(MODULE)


def test_nothing_can_be_set(place, snmpd, start, services):
    path = place / "bin" / "service"
    copy_binary(path)
    agent = start()
    pid = services(path, "86400").pid
    wait_hashed(snmpd, 1)
    for oid, kind, value in ((f"{MODULE}.1.4.0", "u", "5"),
                             (f"{MODULE}.1.99.0", "u", "5"),
                             (f"{MODULE}.2.1.1.{pid}", "s", "x"),
                             (f"{MODULE}.2.1.1.99999999", "s", "x"),
                             (f"{MODULE}.3.1.3.1", "s", "/x")):
        said = snmpd.run("snmpset", oid, kind, value, status=2,
                         session=["-v2c", "-c", "private"])
        assert "notWritable" in said
    assert pid in snmpd.processes()
    assert agent.connected() == 1


def test_v3_through_the_master(place, snmpd, start, services):
    path = place / "bin" / "service"
    copy_binary(path)
    start()
    pid = services(path, "86400").pid
    wait_hashed(snmpd, 1)
    rows = snmpd.processes(session=Snmpd.V3)
    assert rows[pid]["ExeSha256"] == sha256_of(path).encode()
    row, = snmpd.executables(session=Snmpd.V3).values()
    assert row["State"] == CURRENT


@pytest.mark.parametrize("extra, repetitions, ways", [
    ("", 10000, (False, True)),
    # No limit on what the master puts together; over UDP it says nothing then.
    ("maxGetbulkRepeats -1\nmaxGetbulkResponses -1\n", 60, (True,))])
def test_no_request_makes_the_master_drop_us(place, services, extra,
                                             repetitions, ways):
    master = Snmpd(place / "open", extra=extra).start()
    # The longest paths there are.
    deep = place / "deep" / "/".join(["\n" * 80 + "x" * 100] * 12)
    deep.mkdir(parents=True)
    agent = Agentx.of(place / "agent", master,
                      [f"{place}/deep/" + "*/" * 12 + "*"]).start()
    try:
        for i in range(20):
            copy_binary(deep / f"service{i}")
            services(deep / f"service{i}", "86400")
        wait_hashed(master, 20)
        rows = master.executables()
        assert len(rows) == 20
        assert all(500 < len(r["Path"]) <= 512 for r in rows.values())
        paths = [f"{MODULE}.3.1.3.{i}" for i in rows]
        columns = [f"{MODULE}.3.1.{c}" for c in range(2, 19)]
        answers = set()
        for tcp, (kind, oids, more) in itertools.product(ways, (
                (GETBULK, columns, repetitions),
                (GETBULK, columns * 4, repetitions),
                (GETNEXT, [f"{MODULE}.3.1.3"] * 80, 0),
                (GETNEXT, [f"{MODULE}.3.1.3"] * 800, 0),
                (GET, paths * 4, 0), (GET, paths * 40, 0),
                (GET, [f"{MODULE}.1.1.0"] * 1000, 0))):
            error, _ = ask(master.port, request(kind, oids, 0, more), tcp)
            assert error in (NO_ERROR, TOO_BIG)
            answers.add(error)
            assert ask(master.port,
                       request(GET, [f"{MODULE}.1.5.0"]))[0] == NO_ERROR
        assert answers == {NO_ERROR, TOO_BIG}
        assert "is gone" not in agent.log.text()
        assert agent.connected() == 1
    finally:
        agent.stop()
        master.stop()


def test_the_shipped_mib_is_what_is_answered(place, snmpd, start, services):
    """Every object that the MIB calls readable is there, and nothing else."""
    path = place / "bin" / "service"
    copy_binary(path)
    start()
    services(path, "86400")
    wait_hashed(snmpd, 1)
    mib = (ROOT / "snmp-subagent/PROCESS-DNA-MIB.txt").read_text()
    readable = set(re.findall(r"(\w+) OBJECT-TYPE(?:(?!OBJECT-TYPE)[^:])*?"
                              r"MAX-ACCESS\s+read-only", mib))
    printed = snmpd.run("snmpbulkwalk", "-Os", MODULE, mibs="PROCESS-DNA-MIB")
    answered = set(re.findall(r"^(pdna\w+)\.", printed, re.MULTILINE))
    assert len(readable) == 12 + 10 + 17
    assert answered == readable
    assert "Wrong Type" not in printed
