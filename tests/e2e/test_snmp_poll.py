"""Hosts that are asked over SNMP: agents of the tests' own, and the real
snmpd."""

import pytest

from processes import wait_for
from snmp_agent import (AGENT, COLUMNS, ENTRY, GAUGE, OCTETS, Executable,
                        Responder, SnmpAgent, digest, integer, text, tlv)


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
