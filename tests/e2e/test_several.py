"""Many values, several correlators, a relay in between."""

import random
import socket
import threading
import time

import pytest

from collectd_packet import Scan, send, sha256_text
from harness import HELPERS, PASSWORD, USER, Collectd, swap
from host import sha256_of
from processes import free_port, wait_for

CROWD = 1000
KEYS = 10000
HOSTS = 200
BATCH = 19  # hosts that make 1000 rows
OLDER, NEWER = sha256_text("older"), sha256_text("newer")

# Of each host: baselines, those of the older scan, alerts, those of the newer.
OUTCOMES = f"""
  SELECT
    (SELECT count(*) FROM process_dna.baselines b
     WHERE b.agent_id = g.agent_id),
    (SELECT count(*) FROM process_dna.baselines b
     WHERE b.agent_id = g.agent_id AND b.sha256 = '{OLDER}'),
    (SELECT count(*) FROM process_dna.process_dna_alerts a
     WHERE a.agent_id = g.agent_id),
    (SELECT count(DISTINCT a.exe_path) FROM process_dna.process_dna_alerts a
     WHERE a.agent_id = g.agent_id AND a.exe_sha256 = '{NEWER}')
  FROM process_dna.agents g WHERE g.name LIKE 'many%'"""


class Shuffler:
    """A network that delivers what it gets in another order."""

    HOLD_S = 0.4

    def __init__(self, to_port):
        self.to_port = to_port
        self.packets = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(self.HOLD_S)
        self.port = self.socket.getsockname()[1]
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        held = []
        while not self.ended:
            try:
                held.append(self.socket.recv(65536))
            except TimeoutError:
                random.shuffle(held)
                for packet in held:
                    self.socket.sendto(packet, ("127.0.0.1", self.to_port))
                self.packets += len(held)
                held = []

    def stop(self):
        self.ended = True
        self.thread.join()
        self.socket.close()


@pytest.mark.long
def test_1000_processes_over_many_reordered_packets(system, make_host):
    host = make_host(system, start=False)
    paths = [host.binary(f"service{i}", b"%d" % i, HELPERS / "service")
             for i in range(CROWD)]
    for path in paths:
        host.run(path, [path])
    shuffler = Shuffler(system.correlator.port)
    try:
        incomplete = system.counters()["scans-incomplete"]
        host.start(servers=[shuffler.port], options={"ScanInterval": 2})
        wait_for("1000 baselines", lambda: system.value(
            "SELECT count(*) FROM process_dna.baselines b JOIN process_dna.agents"
            f" a USING (tenant_id, agent_id) WHERE a.name = '{host.name}'")
            == str(CROWD), 60)
        host.wait_scans(2)
        assert shuffler.packets > 100
        assert system.alerts(host.name) == []

        swap(paths[500], b"evil", HELPERS / "service")
        host.wait_critical(paths[500], sha256=sha256_of(paths[500]))
        host.wait_scans(2)
        assert len(system.alerts(host.name)) == 1
        assert system.new_counters()["scans-incomplete"] == incomplete
    finally:
        shuffler.stop()


def test_two_correlators_on_one_database(make_system, make_host):
    system = make_system()
    second = system.add_correlator()
    system.start()
    second.start()
    host = make_host(system)
    path = host.binary()
    host.established(path)

    swap(path, b"evil")
    alert = host.wait_critical(path, sha256=sha256_of(path))
    host.wait_scans(3)
    assert len(host.alerts(path)) == 1
    assert len(host.traps(alert)) == 1

    # What one of them accepts, the other knows.
    second.run("accept", alert["alert_id"], "--why", "our release")
    host.wait_trap(alert, "pdnaAlertCleared")
    host.wait_scans(3)
    assert [a["state"] for a in host.alerts(path)] == ["accepted"]
    assert len(host.traps(alert)) == 2

    # What is to be judged afresh, none of them drops as known.
    assert host.baseline(path)[1] == "accepted"
    second.run("agents", "reset", host.name)
    assert host.wait_baseline(path) == (sha256_of(path), "first-use")


def contradiction(hosts, begin, which):
    """The packets that one of two correlators gets of the hosts: their scans,
    with other digests than the other's, and every second one newer. The last
    is of a host of its own, which is known when all before it are judged."""
    packets = []
    for number, host in hosts:
        newer = number % 2 == which
        scan = Scan(host, at=begin + newer, boot=begin - 1000, sequence=2 + newer)
        for i in range(KEYS // HOSTS):
            scan.executable(f"/opt/{i}", NEWER if newer else OLDER)
        packets += scan.packets(USER, PASSWORD)
    return packets + Scan(f"last{which}").packets(USER, PASSWORD)


def test_two_correlators_judge_the_same_10000_new_keys_at_once(make_system):
    system = make_system(sinks=lambda nms: {})
    second = system.add_correlator()
    system.start()
    second.start()

    def known(names):
        return names <= {a["name"] for a in system.correlator.json("agents")}

    begin = time.time()
    hosts = [(i, f"many{i}") for i in range(HOSTS)]
    for _, host in hosts:
        send(Scan(host, begin - 1, boot=begin - 1000).packets(USER, PASSWORD),
             system.correlator.port)
    wait_for("hosts known", lambda: known({host for _, host in hosts}))

    # Alike in what they get at a time, and not in its order.
    backwards = [h for i in range(0, HOSTS, BATCH)
                 for h in reversed(hosts[i:i + BATCH])]
    threads = [threading.Thread(
        target=send, args=(contradiction(order, begin, which), c.port),
        kwargs={"pause": 0.0005})
        for which, (c, order) in enumerate(zip(system.correlators,
                                               (hosts, backwards)))]
    # Both have begun, and neither is ahead, when they may go on.
    with system.postgres.holding(
            "SELECT FROM process_dna.agents "
            f"WHERE name = '{hosts[BATCH // 2][1]}' FOR UPDATE", system.conninfo):
        for thread in threads:
            thread.start()
        wait_for("both wait", lambda: system.value(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = "
            "current_database() AND wait_event_type = 'Lock'") == "2")
    for thread in threads:
        thread.join()
    wait_for("all judged", lambda: known({"last0", "last1"}), 120)

    # A correlator tries again without a word.
    assert "deadlock detected" not in system.postgres.server_log.text()
    # Where the older came first, all that the newer has is an alert.
    keys = str(KEYS // HOSTS)
    outcomes = {tuple(row) for row in system.sql(OUTCOMES)}
    assert (keys, keys, keys, keys) in outcomes
    assert outcomes <= {(keys, keys, keys, keys), (keys, "0", "0", "0")}


def test_relay_in_between(make_system, make_host):
    system = make_system(relays={"relay": ["relay-*"]},
                         users={"relay": "of the relay"})
    system.start()
    port = free_port()
    relay = Collectd.relay("proxy", system.directory / "proxy", port,
                           {USER: PASSWORD}, system.correlator.port, "relay",
                           "of the relay").start()
    try:
        host = make_host(system, servers=[port])
        assert host.name.startswith("relay-")
        path = host.binary()
        host.established(path)
        swap(path, b"evil")
        host.wait_critical(path, sha256=sha256_of(path))

        # It does not speak for others.
        before = system.counters()["dropped-wrong-user"]
        send(Scan("stranger").packets("relay", "of the relay"), system.correlator.port)
        assert system.new_counters()["dropped-wrong-user"] > before
        assert "stranger" not in {a["name"] for a in system.correlator.json("agents")}
    finally:
        relay.stop()
