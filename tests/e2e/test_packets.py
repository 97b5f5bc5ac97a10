"""Packets that no host of ours sends: each is dropped whole and counted by
reason in `status`, the packets around it are unharmed."""

import struct
import time
from collections import Counter

import pytest

from collectd_packet import (
    Scan, part, send, sha256_text, sign, string,
)
from harness import PASSWORD, USER
from processes import wait_for

BAD = "/opt/bad"
GOOD = {f"/opt/{i}" for i in range(40)}
DIGEST = sha256_text("good")


@pytest.fixture(scope="module")
def central(make_module_system):
    return make_module_system(
        users={USER: PASSWORD, "other": "another password"}).start()


def bad_scan(host, **kwargs):
    """A scan as a stranger would like to have it believed."""
    return Scan(host, **kwargs).executable(BAD, DIGEST)


def bad_payload(host, at=None):
    [payload] = bad_scan(host, at=at).payloads()
    return payload


def signed(payload):
    return sign(payload, USER, PASSWORD)


def with_list(host, *args, **kwargs):
    """A well-signed scan that has this value list in it."""
    [packet] = bad_scan(host).add(*args, **kwargs).packets(USER, PASSWORD)
    return packet


def flipped(packet):
    return packet[:-1] + bytes([packet[-1] ^ 1])


HOSTILE = {
    "cut in the first header":
        ("dropped-malformed", lambda h: signed(bad_payload(h))[:3]),
    "cut in a part, then signed":
        ("dropped-malformed", lambda h: signed(bad_payload(h)[:-5])),
    "part of length zero":
        ("dropped-malformed",
         lambda h: signed(bad_payload(h) + struct.pack("!HH", 4, 0))),
    "part longer than the packet":
        ("dropped-malformed",
         lambda h: signed(bad_payload(h) + struct.pack("!HH", 4, 500) + b"x")),
    "more values than there are":
        ("dropped-malformed",
         lambda h: signed(bad_payload(h) + part(6, struct.pack("!H", 60000)))),
    "name without an end":
        ("dropped-malformed",
         lambda h: signed(bad_payload(h) + part(4, b"process_dna"))),
    "oversized":
        ("dropped-oversized",
         lambda h: signed(bad_payload(h) + string(5, "x" * 100) * 600)),
    "not signed":
        ("dropped-security-level", bad_payload),
    "encrypted, where Sign is asked for":
        ("dropped-security-level",
         lambda h: part(0x210, struct.pack("!H", 6) + b"agents" + b"\7" * 200)),
    "wrong password":
        ("dropped-signature", lambda h: sign(bad_payload(h), USER, "guessed")),
    "changed on the way":
        ("dropped-signature", lambda h: flipped(signed(bad_payload(h)))),
    "unknown user":
        ("dropped-unknown-user",
         lambda h: sign(bad_payload(h), "nobody", "nothing")),
    "another user's host":
        ("dropped-wrong-user",
         lambda h: sign(bad_payload(h), "other", "another password")),
    "too old":
        ("dropped-skew",
         lambda h: signed(bad_payload(h, at=time.time() - 3600))),
    "from the future":
        ("dropped-skew",
         lambda h: signed(bad_payload(h, at=time.time() + 3600))),
    "not newer than the last scan":
        ("dropped-replayed",
         lambda h: signed(bad_payload(h, at=time.time() - 300))),
    "digest of 63 digits":
        ("dropped-values", lambda h: with_list(
            h, "process_dna", [1, 1, 1, 0, 1], ":opt:worse",
            "current-" + DIGEST[1:])),
    "path that no encoder writes":
        ("dropped-values", lambda h: with_list(
            h, "process_dna", [1, 1, 1, 0, 1], ":opt:%2", "current-" + DIGEST)),
    "state that does not exist":
        ("dropped-values", lambda h: with_list(
            h, "process_dna", [1, 1, 1, 0, 1], ":opt:worse", "fine-" + DIGEST)),
    "too few values":
        ("dropped-values", lambda h: with_list(
            h, "process_dna", [1, 1], ":opt:worse", "current-" + DIGEST)),
    "mode that no file has":
        ("dropped-values", lambda h: with_list(
            h, "process_dna_file", [1, 0xFFFFFFFF, 0, 0, 1, 1], ":opt:worse",
            DIGEST)),
    "values that are no numbers":
        ("dropped-values", lambda h: with_list(
            h, "process_dna", [float("nan"), -1, 1, 0, 1], ":opt:worse",
            "current-" + DIGEST)),
}


def known_paths(central, host):
    return {row[0] for row in central.sql(
        "SELECT e.path FROM process_dna.executables e JOIN process_dna.agents a"
        f" USING (tenant_id, agent_id) WHERE a.name = '{host}'")}


def take_up(central, host, scan, path):
    send(scan.packets(USER, PASSWORD), central.correlator.port)
    wait_for(f"{path} taken up", lambda: path in known_paths(central, host))


def name_of(what):
    return what.replace(" ", "-").replace(",", "").replace("'", "")


@pytest.fixture(scope="module")
def aftermath(central):
    """For each hostile packet a host that sends a good scan of many packets,
    and the hostile one in their midst. Gives what was counted meanwhile."""
    begin = time.time()
    boot = begin - 10000
    hosts = {what: name_of(what) for what in HOSTILE}
    for host in hosts.values():
        take_up(central, host, Scan(host, begin, 1, boot)
                .executable("/opt/first", DIGEST), "/opt/first")
    before = central.counters()
    for what, host in hosts.items():
        scan = Scan(host, time.time(), 2, boot)
        for path in GOOD:
            scan.executable(path, sha256_text(path))
        good = scan.packets(USER, PASSWORD)
        assert len(good) > 2
        send([*good[:2], HOSTILE[what][1](host), *good[2:]],
             central.correlator.port)
    for what, host in hosts.items():
        wait_for(f"the good scan beside: {what}",
                 lambda host=host: known_paths(central, host) >= GOOD)
    return {n: c - before.get(n, 0) for n, c in central.new_counters().items()}


def test_hostile_packets_are_counted_by_reason(aftermath):
    expected = Counter(reason for reason, _ in HOSTILE.values())
    assert {n: c for n, c in aftermath.items()
            if n.startswith("dropped-") and c} == expected


def test_no_scan_beside_a_hostile_packet_lacks_anything(aftermath):
    assert aftermath["scans-incomplete"] == 0
    assert aftermath["packets-lost-in-kernel"] == 0


@pytest.mark.parametrize("what", HOSTILE)
def test_nothing_of_a_hostile_packet_is_believed(central, aftermath, what):
    host = name_of(what)
    assert known_paths(central, host) == GOOD | {"/opt/first"}
    take_up(central, host, Scan(host, time.time(), 3).executable(
        "/opt/last", DIGEST), "/opt/last")


def test_replayed_scan(central):
    host = "replayed"
    packets = bad_scan(host).packets(USER, PASSWORD)
    send(packets, central.correlator.port)
    wait_for("first time", lambda: BAD in known_paths(central, host))
    begin = central.new_counters()["dropped-replayed"]
    send(packets, central.correlator.port)
    assert central.new_counters()["dropped-replayed"] == begin + 1

    # What is remembered against replays survives a crash.
    central.correlator.kill()
    central.correlator.start()
    begin = central.new_counters()["dropped-replayed"]
    send(packets, central.correlator.port)
    assert central.new_counters()["dropped-replayed"] == begin + 1


def test_newer_boot_starts_afresh(central):
    host = "rebooted"
    now = time.time()
    take_up(central, host, Scan(host, now, 7, now - 1000)
            .executable("/opt/before", DIGEST), "/opt/before")
    take_up(central, host, Scan(host, now - 100, 1, now - 200)
            .executable("/opt/after", DIGEST), "/opt/after")


def test_after_a_reset_a_scan_of_any_time_is_taken(central):
    host = "reset"
    now = time.time()
    take_up(central, host, Scan(host, now + 300, 7, now - 1000)
            .executable("/opt/before", DIGEST), "/opt/before")
    earlier = Scan(host, now, 8, now - 1000).executable("/opt/after", DIGEST)
    begin = central.new_counters()["dropped-replayed"]
    send(earlier.packets(USER, PASSWORD), central.correlator.port)
    assert central.new_counters()["dropped-replayed"] == begin + 1

    central.correlator.run("agents", "reset", host)

    def taken():
        send(earlier.packets(USER, PASSWORD), central.correlator.port)
        return "/opt/after" in known_paths(central, host)
    wait_for("taken", taken, every=0.5)


def test_auth_file_is_read_again(central):
    host = "newcomer"

    def knock():
        scan = Scan(host).executable("/opt/new", DIGEST)
        send(scan.packets("newcomer", "welcome"), central.correlator.port)

    begin = central.counters()["dropped-unknown-user"]
    knock()
    assert central.new_counters()["dropped-unknown-user"] == begin + 1
    central.correlator.set_users(
        {USER: PASSWORD, "other": "another password", "newcomer": "welcome"})

    def let_in():
        knock()
        return "/opt/new" in known_paths(central, host)
    wait_for("let in", let_in, every=0.5)


def test_incomplete_scan_is_judged_after_10_s(central):
    host = "incomplete"
    begin = time.time()
    take_up(central, host, Scan(host, begin, 1, begin - 1000)
            .executable("/opt/first", DIGEST), "/opt/first")
    scan = Scan(host, begin + 0.5, 2, begin - 1000)
    for path in sorted(GOOD):
        scan.executable(path, sha256_text(path))
    packets = scan.packets(USER, PASSWORD)
    before = central.counters()["scans-incomplete"]
    send(packets[1:], central.correlator.port)
    wait_for("what came", lambda: known_paths(central, host) & GOOD)
    assert not known_paths(central, host) >= GOOD
    assert central.new_counters()["scans-incomplete"] == before + 1


def test_encrypted_packets_are_taken_where_asked_for(make_system, make_host):
    central = make_system(security="encrypt").start()
    host = make_host(central, security="Encrypt")
    path = host.binary()
    host.established(path)
    assert "forge" in central.correlator.log.text()
