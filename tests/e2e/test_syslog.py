"""Syslog over the network, from Debian's rsyslog and from peers that mean no
good: what is sent arrives once and with its trust, whatever goes away, and
nobody keeps others out."""

import resource
import signal
import socket
import threading
import time

import pytest

from processes import STATE, free_port, wait_for
from senders import FINGERPRINT, Certificates, Peer, Rsyslog, forwarding, line

IDLE_PEERS = 1000


@pytest.fixture(scope="session")
def certificates(state_directory):
    return Certificates(STATE / "certificates")


@pytest.fixture
def ports():
    return {way: free_port() for way in ("udp", "tcp", "tls")}


@pytest.fixture
def central(make_system, certificates, ports):
    """A central host that listens in every way."""
    return make_system(sections={"syslog": {
        **{f"listen-{way}": [f"127.0.0.1:{port}"]
           for way, port in ports.items()},
        **certificates.of_correlator()}}).start()


@pytest.fixture
def make_rsyslog(place, certificates, ports):
    """Starts an rsyslog that forwards in a way of senders.forwarding."""
    made = []

    def make(way, who="host"):
        port = ports[{"newline": "tcp", "ossl": "tls", "gtls": "tls"}
                     .get(way, way)]
        made.append(Rsyslog(place / f"rsyslog{len(made)}",
                            forwarding(way, port, certificates, who)))
        return made[-1].start()

    yield make
    for rsyslog in made:
        rsyslog.stop()


@pytest.fixture
def make_peer(ports):
    made = []

    def make(way="tcp", kind=socket.SOCK_STREAM):
        made.append(Peer(ports[way], kind))
        return made[-1]

    yield make
    for peer in made:
        peer.stop()


def users(central, trust=None):
    """Whose logins are in the database, in order of arrival."""
    return [row[0] for row in central.sql(
        "SELECT auth_user FROM process_dna.auth_events"
        + (f" WHERE trust = '{trust}'" if trust else "")
        + " ORDER BY arrived_at")]


def wait_users(central, numbers, trust=None, deadline=60):
    """Wait until as many logins are there as there are numbers; they have to be
    those, each once."""
    numbers = list(numbers)
    wait_for(f"{len(numbers)} logins", lambda: len(users(central, trust)) >=
             len(numbers), deadline)
    assert sorted(users(central, trust)) == sorted(f"u{n}" for n in numbers)


# --- Ways ---------------------------------------------------------------------
@pytest.mark.parametrize("way, trust", [
    ("udp", "udp"), ("tcp", "tcp"), ("newline", "tcp"), ("ossl", "tls"),
    ("gtls", "tls")])
def test_what_rsyslog_sends_arrives_with_its_trust(central, make_rsyslog, way,
                                                   trust):
    make_rsyslog(way).logins([7])
    wait_users(central, [7])
    [[*row]] = central.sql(
        "SELECT trust, host(log_peer), host(src_ip), src_port, method,"
        " key_type, key_fingerprint, log_host, outcome,"
        " arrived_at - stamped_at < interval '1 minute'"
        " FROM process_dna.auth_events")
    assert row == [trust, "127.0.0.1", "192.0.2.9", "40000", "publickey",
                   "ED25519", FINGERPRINT, socket.gethostname(),
                   "accepted", "t"]


@pytest.mark.parametrize("who", [None, "stranger"])
def test_who_has_no_certificate_of_the_ca_is_refused(central, make_rsyslog,
                                                     make_peer, who):
    make_rsyslog("ossl", who).logins([1])
    make_peer("tls").send(line(2))
    wait_for("it is refused", lambda: central.correlator.log.text().count(
        "no TLS connection: ") >= 1)
    make_rsyslog("ossl").logins([3])
    wait_users(central, [3])
    assert central.new_counters()["syslog-tls-refused"] >= 2


# --- What goes away -----------------------------------------------------------
@pytest.mark.long
def test_while_the_database_is_away_senders_keep_what_they_have(
        central, make_rsyslog, make_peer):
    tcp, udp = make_rsyslog("tcp"), make_rsyslog("udp")
    tcp.logins([0])
    udp.logins([0])
    wait_users(central, [0], "tcp")
    wait_users(central, [0], "udp")

    central.postgres.halt()
    udp.logins(range(1, 200))
    tcp.logins(range(1, 20000))
    # More than sockets and queues on the way hold.
    flood = make_peer()
    flood.socket.settimeout(2)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 1 << 28:
            flood.socket.sendall(line(100000))
            sent += 1
    central.postgres.resume()

    wait_users(central, range(200), "udp", 120)
    wait_for("the others", lambda: len(set(users(central, "tcp"))) >= 20001, 300)
    counted = central.new_counters()
    assert counted["auth-spooled"] > 0 and counted["auth-spool-lost"] == 0
    own = [user for user in users(central, "tcp") if user != "u100000"]
    assert sorted(own) == sorted(f"u{n}" for n in range(20000))


@pytest.mark.long
def test_a_restart_of_the_correlator_loses_nothing(central, make_rsyslog):
    rsyslog = make_rsyslog("tcp")
    last = 40000

    def keep_on():
        for n in range(0, last, 20):
            rsyslog.logins(range(n, n + 20))
            time.sleep(0.001)
    sender = threading.Thread(target=keep_on)
    sender.start()
    for _ in range(2):
        time.sleep(1.5)
        central.correlator.stop()
        central.correlator.start()
    sender.join()
    # rsyslog sends once more what it was at when it noted the end.
    wait_for("all logins", lambda: len(set(users(central))) == last, 300)


# --- Floods and peers that mean no good ---------------------------------------
def test_datagrams_of_a_flood_are_counted(central, make_peer):
    """Each one arrives or is counted as lost."""
    peer = make_peer("udp", socket.SOCK_DGRAM)
    central.correlator.daemon.send(signal.SIGSTOP)
    sent = 60000
    for _ in range(sent):
        peer.send(b"<38>Nov 26 10:00:00 bare noise: " + b"x" * 200)
    central.correlator.daemon.send(signal.SIGCONT)

    def all_counted():
        # Only a datagram that is taken tells of those lost before it.
        nonlocal sent
        peer.send(line(1))
        sent += 1
        counted = central.new_counters()
        return (counted["syslog-lost-in-kernel"] > 0 and
                counted["auth-lines"] + counted["syslog-lost-in-kernel"] == sent)
    wait_for("all are counted", all_counted, 60)


def rss_mib(pid):
    for text in open(f"/proc/{pid}/status"):
        if text.startswith("VmRSS:"):
            return int(text.split()[1]) / 1024
    return 0


def test_a_thousand_idle_peers_keep_nobody_out(central, make_peer, make_rsyslog):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * IDLE_PEERS:
        resource.setrlimit(resource.RLIMIT_NOFILE,
                           (min(hard, 4 * IDLE_PEERS), hard))
    quiet = make_rsyslog("ossl").logins([0])
    wait_users(central, [0])
    peers = [make_peer().send(b"<38>half a line")
             for _ in range(IDLE_PEERS - 1)]
    wait_for("all are connected", lambda: central.new_counters()[
        "syslog-connections"] == IDLE_PEERS)

    make_rsyslog("tcp").logins([1])
    wait_users(central, [0, 1])
    more = make_peer("tls")
    quiet.logins([2])
    make_peer().send(line(3))
    wait_users(central, [0, 1, 2, 3])
    assert central.new_counters()["syslog-displaced"] >= 3
    assert [peer.ended() for peer in peers[:4]] == [True, True, True, False]
    wait_for("who shows no certificate is gone", more.ended)
    assert rss_mib(central.correlator.daemon.pid) < 200


def test_a_length_of_4_gib_and_a_line_without_an_end(central, make_peer):
    before = rss_mib(central.correlator.daemon.pid)
    liar = make_peer().send(b"4294967296 <38>Nov 26 10:00:00 ")
    endless, other = make_peer(), make_peer().send(line(1))
    for _ in range(64):
        endless.send(b"x" * (1 << 20))
    wait_for("the liar is gone", liar.ended)
    endless.send(b"\n" + line(2)).send(line(3)[:-1])
    other.send(line(4))
    wait_users(central, [1, 2, 4])
    endless.stop()
    wait_for("half a line is counted", lambda: central.new_counters()[
        "syslog-half-lines"] == 1)
    counted = central.counters()
    assert counted["syslog-broken-framing"] == 1
    assert counted["auth-lines-cut"] == 1
    assert rss_mib(central.correlator.daemon.pid) < before + 32
