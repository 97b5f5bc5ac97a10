"""Hosts that are asked over SNMP: agents of the tests' own, and the real
snmpd."""

import os
import sys
import time
from pathlib import Path

import pytest

from harness import ASAN_ENV, Service, copy_binary, swap
from host import Host, sha256_of
from processes import (BUILD, ROOT, STATE, Daemon, Log, free_port, fresh_dir,
                       udp_bound, wait_for)
from snmp_agent import (AGENT, COLUMNS, ENTRY, GAUGE, MIB, Executable, Responder,
                        SnmpAgent, digest, integer, take, text)


@pytest.fixture
def responder():
    made = Responder()
    yield made
    made.stop()


def executables(n=3, tag="a"):
    return [Executable(f"/usr/sbin/{tag}{i}", digest(f"{tag}{i}"))
            for i in range(n)]


def polls(agents, interval=1, **more):
    return {f"poll{i}": {"session": f"-v 2c -c public -t 1 -r 1 127.0.0.1:{a.port}",
                         "interval": interval, **more}
            for i, a in enumerate(agents)}


def baselines(central, host):
    return dict(central.sql(
        "SELECT b.path, b.sha256 FROM process_dna.baselines b JOIN "
        "process_dna.agents g USING (tenant_id, agent_id) "
        f"WHERE g.name = '{host}' AND b.until IS NULL"))


def agent_of(central, name):
    return next((a for a in central.correlator.json("agents")
                 if a["name"] == name), None)


def wait_heard(central, name, deadline=30):
    return wait_for(f"{name} heard of", lambda: agent_of(central, name), deadline)


def test_50_agents_at_once(make_system, responder):
    agents = [responder.add(SnmpAgent(f"host{i}", executables(30, f"h{i}-")))
              for i in range(50)]
    responder.start()
    central = make_system(polls=polls(agents)).start()
    for agent in agents:
        wait_heard(central, agent.name)
        wait_for(f"baselines of {agent.name}",
                 lambda: len(baselines(central, agent.name)) == 30)
    assert central.alerts("host7") == []
    sources = agent_of(central, "host7")["sources"]
    assert [(s["source"], s["signer"]) for s in sources] == [("snmp", "poll7")]

    # A swap on a host that only SNMP sees becomes a trap.
    old = agents[7].rows[4]
    agents[7].swap(4, digest("evil"))
    [alert] = wait_for("alert", lambda: central.alerts("host7"))
    assert (alert["verdict"], alert["severity"]) == ("no-known-update", "critical")
    assert alert["observed_sha256"] == digest("evil")
    [trap] = wait_for("trap", lambda: central.nms.traps(AlertKey=alert["key"]))
    assert trap["notification"] == "pdnaBinaryChanged"
    assert trap["pdnaAlertHost"] == "host7"
    assert trap["pdnaAlertAddress"] == "192.0.2.1"
    assert trap["pdnaAlertExePath"] == "/usr/sbin/h7-3"
    assert old is not None
    assert central.new_counters()["polls-malformed"] == 0


HOSTILE = {
    "digest-31": (ENTRY + (COLUMNS["sha256"], 2), text("0" * 31),
                  "pdnaExeSha256: expected 64 lower-case hex digits"),
    "no-digest": (ENTRY + (COLUMNS["sha256"], 2), None,
                  "pdnaExeSha256: expected row 2, found row 3"),
    "wrong-type": (ENTRY + (COLUMNS["path"], 2), integer(7),
                   "pdnaExePath: expected OCTET STRING, found INTEGER"),
    "zero-octet": (ENTRY + (COLUMNS["name"], 2), text("a\0b"),
                   "pdnaExeName: found a zero octet"),
    "long-path": (ENTRY + (COLUMNS["path"], 2), text("/" + "x" * 512),
                  "pdnaExePath: expected at most 512 octets, found 513"),
    "count": (AGENT + (9, 0), integer(2, GAUGE),
              "expected 2 rows, as pdnaExecutableCount says, found 2 and more"),
    "exception": (AGENT + (5, 0), None,
                  "pdnaScanSequence: the agent does not know it"),
    "name": ((1, 3, 6, 1, 2, 1, 1, 5, 0), text("two words"),
             "sysName: expected printable ASCII without spaces"),
}


class Endless(SnmpAgent):
    """Whose table never ends."""

    def next(self, oid):
        if oid[:len(ENTRY)] == ENTRY and len(oid) == len(ENTRY) + 2:
            value = self.objects[oid[:-1] + (1,)]
            return oid[:-1] + (oid[-1] + 1,), value
        return super().next(oid)


class Stuck(SnmpAgent):
    """Whose table comes back to where it was."""

    def answer(self, kind, oids, repetitions):
        found = super().answer(kind, oids, repetitions)
        if oids[0][:len(ENTRY)] == ENTRY and kind == 0xA5:
            return found[:16] + found[:16]
        return found


class Garbled(SnmpAgent):
    """Whose answers are no SNMP."""

    def message(self, request):
        return super().message(request)[:-9] + b"\xff" * 9


def test_hostile_answers_fail_one_poll_each(make_system, responder):
    agents = {"good": SnmpAgent("good", executables())}
    for name, (oid, value, _) in HOSTILE.items():
        agents[name] = SnmpAgent(name, executables())
        agents[name].override(oid, value)
    agents["endless"] = Endless("endless", executables())
    agents["stuck"] = Stuck("stuck", executables())
    agents["garbled"] = Garbled("garbled", executables())
    agents["stale"] = SnmpAgent("stale", executables())
    agents["stale"].frozen = True
    agents["stale"].scan(time.time() - 700)
    agents["too-big"] = SnmpAgent("too-big", executables(20))
    agents["too-big"].rows_max = 1
    for agent in agents.values():
        responder.add(agent)
    responder.start()
    said = {name: what for name, (_, _, what) in HOSTILE.items()}
    said |= {"stuck": "the table does not increase", "garbled": "no answer",
             "endless": "expected 3 rows, as pdnaExecutableCount says, found 3 and",
             "stale": "pdnaLastScan: expected at most 600 s old"}
    central = make_system(polls={
        name: {"session": f"-v 2c -c public -t 1 -r 0 127.0.0.1:{a.port}",
               "interval": 1} for name, a in agents.items()}).start()
    log = central.correlator.log
    for name, what in said.items():
        wait_for(f"{name} said", lambda: any(
            f"snmp-poll {name}: " in line and what in line
            for line in log.text().splitlines()), 60)
        assert agent_of(central, name) is None
    # One that can't send much at once is asked for less.
    wait_for("too-big", lambda: len(baselines(central, "too-big")) == 20)
    # The others are none the worse, and nothing is said twice a minute.
    before = agents["good"].requests
    wait_for("good goes on", lambda: agents["good"].requests > before + 10)
    wait_heard(central, "good")
    assert len([line for line in log.text().splitlines()
                if "snmp-poll digest-31:" in line]) <= 2
    counters = central.new_counters()
    assert counters["polls-malformed"] >= len(HOSTILE) - 1
    assert counters["polls-stale"] >= 1
    assert counters["polls-failed"] >= 1
    assert counters["polls-unanswered"] >= 1


class Lossy(SnmpAgent):
    """Whose long answers get lost."""

    lossy = True
    with_addresses = False

    def __init__(self, *args, **kwargs):
        self.asked = []
        super().__init__(*args, **kwargs)

    def answer(self, kind, oids, repetitions):
        if oids[0][:len(ENTRY)] == ENTRY:
            self.asked.append(repetitions)
            if self.lossy and repetitions > 1:
                raise BlockingIOError  # no answer
        if self.with_addresses and repetitions > 8:
            raise BlockingIOError
        return super().answer(kind, oids, repetitions)


def test_long_answers_are_asked_for_again(make_system, responder):
    agent = responder.add(Lossy("lossy", executables(20), interval=60))
    responder.start()
    central = make_system(polls=polls([agent])).start()
    wait_heard(central, "lossy")
    assert agent.asked[0] == 8 and agent.asked.count(1) > 20

    # What was in the way of them may have gone with what else was wrong.
    agent.lossy, agent.away = False, True
    wait_for("it is missed", lambda: "snmp-poll poll0: " in
             central.correlator.log.text(), 60)
    agent.asked.clear()
    agent.scan()
    agent.away = False
    wait_for("its table is asked for", lambda: agent.asked, 60)
    assert agent.asked[0] == 8


def test_a_host_with_many_addresses_behind_a_short_way(make_system, responder):
    agent = responder.add(Lossy(
        "many", executables(), interval=60,
        addresses=[(f"192.0.2.{i}", 2) for i in range(1, 41)]))
    agent.with_addresses = True
    responder.start()
    central = make_system(polls=polls([agent])).start()
    wait_heard(central, "many")
    assert len(central.sql(
        "SELECT address FROM process_dna.agent_addresses")) == 40
    # What is too long there is so here.
    assert set(agent.asked) == {1}


def test_an_agent_that_is_away_is_silent_until_it_is_back(make_system, responder):
    agent = responder.add(SnmpAgent("away", executables()))
    responder.start()
    central = make_system(polls=polls([agent]), policy={"silent": 10}).start()
    wait_heard(central, "away")

    agent.away = True
    [alert] = wait_for("silence", lambda: [
        a for a in central.alerts("away") if a["kind"] == "agent-silent"], 60)
    wait_for("its trap", lambda: [
        t for t in central.nms.traps(AlertKey=alert["key"])
        if t["notification"] == "pdnaAgentSilent"])
    assert agent_of(central, "away")["state"] == "silent"
    assert agent_of(central, "away")["sources"][0]["late_s"] > 5
    assert "snmp-poll poll0: 127.0.0.1:" in central.correlator.log.text()

    agent.away = False
    wait_for("the clear", lambda: [
        t for t in central.nms.traps(AlertKey=alert["key"])
        if t["notification"] == "pdnaAlertCleared"], 60)
    assert agent_of(central, "away")["state"] == "active"
    wait_for("it is said", lambda: "snmp-poll poll0: works again"
             in central.correlator.log.text())


def test_a_scanner_that_hangs_is_silent(make_system, responder):
    agent = responder.add(SnmpAgent("hangs", executables()))
    responder.start()
    central = make_system(polls=polls([agent]), policy={"silent": 10}).start()
    wait_heard(central, "hangs")
    agent.frozen = True
    wait_for("silence", lambda: [
        a for a in central.alerts("hangs") if a["kind"] == "agent-silent"], 60)
    before = agent.requests
    wait_for("it is asked on", lambda: agent.requests > before + 2)


@pytest.mark.long
def test_a_host_seen_both_ways_is_one_agent(make_system, make_host, responder):
    agent = SnmpAgent("", [], host_id="")
    responder.add(agent)
    responder.start()
    name = "both-ways"
    central = make_system(polls={"web": {
        "session": f"-v 2c -c public 127.0.0.1:{agent.port}", "interval": 1,
        "host": "a-host-seen-both-ways-is-one-agent"}}).start()
    host = make_host(central)
    assert host.name == "a-host-seen-both-ways-is-one-agent", name
    path = host.binary()
    host.established(path)
    # The subagent sees the same, and one more.
    agent.rows = {1: Executable(host.path_text(path), sha256_of(path)),
                  2: Executable("/usr/sbin/only-snmp", digest("only"))}
    agent.scan()
    wait_for("both ways", lambda: len(agent_of(
        central, host.name)["sources"]) == 2)
    wait_for("both executables", lambda: len(
        baselines(central, host.name)) == 2)
    agents = central.correlator.json("agents")
    assert [a["name"] for a in agents] == [host.name]
    host.wait_scans(3)
    # Quiet, and in the steady state nothing is written for either.
    wait_for("both settle", lambda: settles(central), 60)
    assert central.alerts(host.name) == []
    assert central.value("SELECT count(*) FROM process_dna.executables "
                         "WHERE last_seen IS NULL") == "2"
    counters = central.new_counters()
    assert counters["dropped-replayed"] == 0
    assert counters["dropped-wrong-user"] == 0
    assert counters["scans-refused"] == 0

    # A swap that both see is one alert.
    swap(path, b"evil")
    agent.swap(1, sha256_of(path))
    host.wait_critical(path, sha256=sha256_of(path))
    host.wait_scans(3)
    assert len(host.alerts(path)) == 1
    listing = central.correlator.run("agents")
    assert "collectd" in listing and "snmp" in listing


def settles(central):
    """Do scans of both ways come and no rows with them?"""
    before = central.new_counters()
    after = central.new_counters()
    return (after["scans-unchanged"] > before["scans-unchanged"] + 2
            and after["rows"] == before["rows"])


def test_polls_do_not_speak_for_other_hosts(make_system, responder):
    first = responder.add(SnmpAgent("first", executables()))
    second = responder.add(SnmpAgent("second", executables(tag="b")))
    responder.start()
    central = make_system(polls={
        "a": {"session": f"-v 2c -c public 127.0.0.1:{first.port}", "interval": 1},
        "b": {"session": f"-v 2c -c public 127.0.0.1:{second.port}", "interval": 1},
        "c": {"session": f"-v 2c -c public 127.0.0.1:{first.port}", "interval": 1,
              "host": "reserved"}}).start()
    wait_heard(central, "first")
    wait_heard(central, "second")
    wait_heard(central, "reserved")
    second.name = "first"
    second.scan()
    wait_for("refused", lambda: "host first: snmp-poll: expected the host's own, "
             "found 'b', refused" in central.correlator.log.text())
    second.name = "third"
    second.scan()
    wait_for("refused", lambda: "host third: snmp-poll: expected the host's own, "
             "found 'b', refused" in central.correlator.log.text())
    second.name = "reserved"
    second.scan()
    wait_for("refused", lambda: "which the configuration gives to another agent"
             in central.correlator.log.text())
    assert len(baselines(central, "first")) == 3


class Snmpd:
    """The real snmpd; PROCESS-DNA-MIB is answered by pass_persist from the
    tables of an agent of ours."""

    USER, AUTH, PRIV = "poller", "authentication pass", "privacy pass"

    def __init__(self, directory, agent):
        self.directory = fresh_dir(directory)
        self.agent = agent
        self.port = free_port()
        self.table = directory / "table"
        self.publish()
        (directory / "snmpd.conf").write_text(
            f"createUser {self.USER} SHA-256 \"{self.AUTH}\" AES \"{self.PRIV}\"\n"
            f"rouser {self.USER} authpriv\n"
            f"sysName {agent.name}\n"
            f"pass_persist .{'.'.join(map(str, MIB))} {sys.executable} "
            f"{ROOT / 'tests/e2e/pass_persist.py'} {self.table}\n")
        self.log = Log(directory / "snmpd.log")
        self.daemon = None

    def session(self, user=USER, auth=AUTH):
        return (f"-v 3 -u {user} -l authPriv -a SHA-256 -x AES -t 1 -r 1 "
                f"-A '{auth}' -X '{self.PRIV}' 127.0.0.1:{self.port}")

    def publish(self):
        kinds = {0x02: "integer", 0x42: "gauge", 0x04: "octet"}
        lines = []
        for oid in self.agent.order:
            if oid[:len(MIB)] != MIB:
                continue
            tag, content, _ = take(self.agent.objects[oid])
            value = (" ".join(f"{b:02x}" for b in content) if tag == 0x04
                     else int.from_bytes(content, "big", signed=True))
            lines.append(f"{'.'.join(map(str, oid))} {kinds[tag]} {value}\n")
        new = self.table.with_suffix(".new")
        new.write_text("".join(lines))
        new.rename(self.table)

    def start(self):
        self.daemon = Daemon(
            "snmpd", ["snmpd", "-f", "-Lo", "-C", "-c",
                      self.directory / "snmpd.conf", "-I", "-smux",
                      f"udp:127.0.0.1:{self.port}"], self.log,
            {"SNMP_PERSISTENT_DIR": str(self.directory / "persistent"),
             "SNMPCONFPATH": str(self.directory), "MIBS": ""}).start()
        self.daemon.wait_until("listens", lambda: udp_bound(self.port))
        return self

    def stop(self):
        if self.daemon:
            self.daemon.stop()


@pytest.fixture
def make_snmpd(request):
    made = []

    def make(agent):
        made.append(Snmpd(STATE / f"{request.node.name}{len(made)}", agent))
        return made[-1].start()
    yield make
    for snmpd in made:
        snmpd.stop()


def test_snmpv3_through_snmpd(make_system, make_snmpd, responder):
    agent = SnmpAgent("v3-host", executables(20), interval=2)
    snmpd = make_snmpd(agent)
    other = make_snmpd(SnmpAgent("other", executables()))
    dead = responder.add(SnmpAgent("dead", executables()))
    dead.away = True
    good = responder.add(SnmpAgent("good", executables()))
    responder.start()
    dead_session = snmpd.session().replace(f":{snmpd.port}", f":{dead.port}")
    central = make_system(polls={
        "v3": {"session": snmpd.session(), "interval": 1},
        "dead": {"session": dead_session, "interval": 1},
        "wrong": {"session": other.session(auth="another passphrase"),
                  "interval": 1, "host": "wrong"},
        "unknown": {"session": other.session(user="nobody"), "interval": 1,
                    "host": "unknown"},
        "good": {"session": f"-v 2c -c public 127.0.0.1:{good.port}",
                 "interval": 1}}).start()
    wait_heard(central, "v3-host")
    wait_for("baselines", lambda: len(baselines(central, "v3-host")) == 20)
    log = central.correlator.log
    for name, said in {"dead": "no answer to the question for its SNMPv3 engine",
                       "unknown": "Unknown user name",
                       "wrong": "Authentication failure"}.items():
        wait_for(f"{name} said", lambda: any(
            f"snmp-poll {name}: " in line and said in line
            for line in log.text().splitlines()))

    # A swap that is seen through it becomes a trap.
    agent.swap(4, digest("evil"))
    snmpd.publish()
    [alert] = wait_for("alert", lambda: central.alerts("v3-host"))
    assert alert["observed_sha256"] == digest("evil")
    wait_for("trap", lambda: central.nms.traps(AlertKey=alert["key"]))

    # snmpd begins anew, with other boots and time.
    snmpd.stop()
    wait_for("it is missed", lambda: "snmp-poll v3: " in log.text(), 60)
    snmpd.start()
    agent.scan()
    snmpd.publish()
    last = agent_of(central, "v3-host")["last_seen"]
    wait_for("heard again", lambda: agent_of(
        central, "v3-host")["last_seen"] > last, 60)
    # None of the dead ones holds up another.
    before = good.requests
    wait_for("good goes on", lambda: good.requests > before + 10)
    # No passphrase is told to anybody.
    title = Path(f"/proc/{central.correlator.daemon.pid}/cmdline").read_text()
    for secret in (snmpd.AUTH, snmpd.PRIV, "another passphrase", "public"):
        assert secret not in log.text()
        assert secret not in title
    assert agent_of(central, "wrong") is None


def test_an_agent_whose_engine_is_configured_begins_anew(make_system,
                                                         make_snmpd):
    engine = "0x80001f8880aabbccddeeff0011"
    agent = SnmpAgent("known", executables(), interval=2)
    snmpd = make_snmpd(agent)
    snmpd.stop()
    config = snmpd.directory / "snmpd.conf"
    fresh = config.read_text() + f"exactEngineID {engine}\n"
    config.write_text(f"{fresh}engineBoots 40\noldEngineID {engine}\n")
    snmpd.start()
    central = make_system(polls={"known": {
        "session": f"-e {engine} {snmpd.session()}", "interval": 1}}).start()
    wait_heard(central, "known")

    # Installed afresh, it counts its boots from 1 again.
    snmpd.stop()
    wait_for("it is missed", lambda: "snmp-poll known: " in
             central.correlator.log.text(), 60)
    config.write_text(fresh)
    snmpd.start()
    agent.scan()
    snmpd.publish()
    last = agent_of(central, "known")["last_seen"]
    wait_for("heard again", lambda: agent_of(
        central, "known")["last_seen"] > last, 30)


def test_no_agent_has_the_engine_of_another(make_system, make_snmpd):
    snmpd = make_snmpd(SnmpAgent("one", executables(), interval=2))
    central = make_system(polls={
        name: {"session": snmpd.session(), "interval": 2, "host": name}
        for name in ("first", "second")}).start()
    wait_heard(central, "first")
    wait_for("second refused", lambda: any(
        "snmp-poll second: " in line and "an SNMPv3 engine of its own" in line
        for line in central.correlator.log.text().splitlines()))
    assert agent_of(central, "second") is None


@pytest.fixture
def subagent_host():
    """A host with snmpd and process-dna-agentx, which looks at one binary."""
    started = []
    directory = fresh_dir(STATE / "subagent")  # a socket's path has 107 bytes
    path = os.fsencode(directory / "service")
    copy_binary(path)
    port, socket_path = free_port(), directory / "agentx"
    (directory / "snmpd.conf").write_text(
        "rocommunity public 127.0.0.1\nsysName real-host\nmaster agentx\n"
        f"agentXSocket unix:{socket_path}\nagentXPerms 0700 0700\n")
    (directory / "agentx.conf").write_text(
        "scanInterval 1\nminRss 1000000\nalwaysRoot false\n"
        f"executable {os.fsdecode(path)}\n")
    env = {"SNMP_PERSISTENT_DIR": str(directory / "persistent"),
           "SNMPCONFPATH": str(directory), "MIBS": "", **ASAN_ENV}
    for name, argv, ready in (
            ("snmpd", ["snmpd", "-f", "-Lo", "-C", "-c", directory / "snmpd.conf",
                       f"udp:127.0.0.1:{port}"], socket_path.exists),
            ("process-dna-agentx",
             [BUILD / "process-dna-agentx", "-f", "-Le", "-C", "-c",
              directory / "agentx.conf", "-x", f"unix:{socket_path}"],
             lambda: True)):
        daemon = Daemon(name, argv, Log(directory / f"{name}.log"), env).start()
        started.append(daemon)
        daemon.wait_until("is up", ready)
    started.append(Service.of(path))
    yield path, f"-v 2c -c public 127.0.0.1:{port}"
    for thing in reversed(started):
        thing.stop()


@pytest.mark.skipif(not (BUILD / "process-dna-agentx").exists(),
                    reason="process-dna-agentx is not built")
def test_swap_on_a_host_with_the_subagent_becomes_a_trap(make_system, subagent_host):
    path, session = subagent_host
    central = make_system(
        polls={"real": {"session": session, "interval": 1}}).start()
    wait_heard(central, "real-host")
    identity = Host.path_text(path)
    old = sha256_of(path)
    wait_for("baseline", lambda: baselines(
        central, "real-host") == {identity: old})
    swap(path, b"evil")
    [alert] = wait_for("alert", lambda: central.alerts("real-host", identity), 60)
    assert (alert["severity"], alert["verdict"]) == ("critical", "no-known-update")
    assert alert["observed_sha256"] == sha256_of(path)
    [trap] = wait_for("trap", lambda: central.nms.traps(AlertKey=alert["key"]))
    assert trap["pdnaAlertHost"] == "real-host"
    assert trap["pdnaAlertExePath"] == identity
    counters = central.new_counters()
    assert counters["polls-malformed"] == counters["polls-stale"] == 0
