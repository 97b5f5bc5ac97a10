"""Many values, several correlators, a relay in between."""

import random
import socket
import threading
import time

from collectd_packet import Scan, send, sha256_text
from harness import HELPERS, PASSWORD, USER, Collectd, swap
from host import sha256_of
from processes import free_udp_port, wait_for

CROWD = 1000
KEYS = 10000


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


def test_two_correlators_judge_the_same_10000_new_keys_at_once(make_system):
    system = make_system(sinks=lambda nms: {})
    second = system.add_correlator()
    system.start()
    second.start()
    name = "many"
    begin = time.time()

    def scan(sequence, generation, shift):
        made = Scan(name, at=begin + shift, boot=begin - 1000, sequence=sequence)
        for i in range(KEYS):
            made.executable(f"/opt/{i}", sha256_text(f"{generation} {i}"))
        packets = made.packets(USER, PASSWORD)
        threads = []
        for correlator in system.correlators:
            random.shuffle(packets)
            threads.append(threading.Thread(
                target=send, args=(packets[:], correlator.port),
                kwargs={"pause": 0.0005}))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def count(of):
        return int(system.value(f"SELECT count(*) FROM process_dna.{of}"))

    scan(1, "first", 0)
    wait_for("baselines", lambda: count("baselines") == KEYS, 120)
    scan(2, "second", 1)
    wait_for("alerts", lambda: count("process_dna_alerts") == KEYS, 120)
    assert count("baselines") == KEYS
    assert system.value("SELECT count(DISTINCT exe_path) FROM "
                        "process_dna.process_dna_alerts") == str(KEYS)
    for correlator in system.correlators:
        assert "deadlock" not in correlator.log.text()


def test_relay_in_between(make_system, make_host):
    system = make_system(relays={"relay": ["relay-*"]},
                         users={"relay": "of the relay"})
    system.start()
    port = free_udp_port()
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
