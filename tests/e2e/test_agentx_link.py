"""The subagent and its master: which is away, comes back, speaks no AgentX,
or has given our object identifiers to another subagent."""

import re
import socket

import pytest

from harness import copy_binary
from processes import wait_for
from snmp import Agentx, Snmpd, wait_sequence


@pytest.fixture
def host(place, services):
    """Three services; the glob that names them."""
    (place / "bin").mkdir()
    for i in range(3):
        copy_binary(place / f"bin/service{i}", tag=b"%d" % i)
        services(place / f"bin/service{i}", "86400")
    return f"{place}/bin/*"


@pytest.fixture
def agentx(place, host):
    """Makes subagents; they end with the test."""
    made = []

    def make(snmpd, **directives):
        made.append(Agentx.of(place / f"agentx{len(made)}", snmpd, [host],
                              **directives))
        return made[-1].start()

    yield make
    for agent in made:
        agent.stop()


def paths(snmpd):
    return {index: (row["Path"], row["Sha256"], row["State"])
            for index, row in snmpd.executables().items()}


def wait_paths(snmpd, count):
    """The rows, once they are so many and all have their digests."""
    def complete():
        rows = paths(snmpd)
        return len(rows) == count and all(r[1] for r in rows.values()) and rows
    return wait_for(f"{count} rows", complete)


def test_snmpd_is_restarted(snmpd, agentx, services, place):
    agent = agentx(snmpd)
    before = wait_paths(snmpd, 3)
    sequence = snmpd.scalars()["ScanSequence"]
    snmpd.stop()
    agent.wait_log("is gone; trying every 1 s")
    copy_binary(place / "bin/later", tag=b"later")
    services(place / "bin/later", "86400")
    snmpd.start()
    wait_for("it is there again", lambda: agent.connected() == 2)
    after = wait_paths(snmpd, 4)
    assert before.items() <= after.items()
    assert snmpd.scalars()["ScanSequence"] > sequence
    # And once more: nothing of the first time is left over.
    snmpd.restart()
    wait_for("it is there again", lambda: agent.connected() == 3)
    assert wait_paths(snmpd, 4) == after


def test_snmpd_is_killed(snmpd, agentx):
    agent = agentx(snmpd)
    before = wait_paths(snmpd, 3)
    snmpd.daemon.kill()
    agent.wait_log("is gone")
    snmpd.start()
    wait_for("it is there again", lambda: agent.connected() == 2)
    assert wait_paths(snmpd, 3) == before


def test_snmpd_is_gone_when_it_is_answered(place, agentx):
    snmpd = Snmpd(place / "snmpd")
    with socket.socket(socket.AF_UNIX) as master:
        master.bind(str(snmpd.socket))
        master.listen()
        agent = agentx(snmpd, agentXTimeout=1, agentXRetries=0)
        # One that reads no more: what is written to it is a broken pipe.
        with master.accept()[0] as link:
            link.shutdown(socket.SHUT_RD)
            agent.wait_log("can't reach snmpd")
    snmpd.socket.unlink()
    try:
        snmpd.start()
        wait_paths(snmpd, 3)
    finally:
        snmpd.stop()


def test_snmpd_is_away_at_start(place, agentx):
    snmpd = Snmpd(place / "snmpd")
    agent = agentx(snmpd)
    agent.wait_log(f"can't reach snmpd at {snmpd.socket}: there is no such "
                   "socket: snmpd does not run, or runs without AgentX")
    try:
        snmpd.start()
        wait_paths(snmpd, 3)
    finally:
        snmpd.stop()


def test_snmpd_speaks_no_agentx(place, agentx):
    snmpd = Snmpd(place / "snmpd", master=False).start()
    try:
        agent = agentx(snmpd)
        agent.wait_log("snmpd.conf: master agentx")
        assert agent.daemon.running()
        assert not snmpd.executables()
    finally:
        snmpd.stop()


def test_another_subagent_holds_our_objects(snmpd, agentx):
    first = agentx(snmpd, procRoot="/proc")
    wait_sequence(snmpd, 0)
    second = agentx(snmpd, scanInterval=7)
    second.wait_log("held by another subagent of snmpd; trying again in")
    held = re.findall(r"^(\S+): held by", second.log.text(), re.MULTILINE)
    assert len(set(held)) == 3
    # It does not get in the other one's way.
    assert snmpd.scalars()["ScanInterval"] == 1
    first.stop()
    second.wait_log(": registered")
    wait_for("the second one's answers",
             lambda: snmpd.scalars().get("ScanInterval") == 7)
    wait_paths(snmpd, 3)
    assert len(snmpd.processes()) == 3
