"""Parts of the system go away and come back: nothing that was accepted is
lost, and nothing is told twice."""

import os
import signal
import socket
import time

import pytest

from collectd_packet import Scan, send, sha256_text
from harness import PASSWORD, USER, Clock, swap
from host import sha256_of
from processes import wait_for

OUTAGE_S = 20


def traps_of(system, alert):
    return system.nms.traps(AlertKey=alert["key"])


def pass_seconds(since, seconds):
    time.sleep(max(0, since + seconds - time.monotonic()))


def test_correlator_killed_between_verdict_and_trap(make_system, make_host):
    system = make_system().start()
    host = make_host(system)
    path = host.binary()
    host.established(path)

    # The verdict stands, but no trap can be taken from the outbox.
    system.sql("ALTER FUNCTION process_dna.outbox_lease RENAME TO held_back")
    swap(path, b"evil")
    alert = host.wait_alert(path, state="open")
    system.correlator.kill()
    assert traps_of(system, alert) == []

    system.sql("ALTER FUNCTION process_dna.held_back RENAME TO outbox_lease")
    system.correlator.start()
    host.wait_trap(alert, "pdnaBinaryChanged")
    host.wait_scans(2)
    assert len(traps_of(system, alert)) == 1
    assert len(host.alerts(path)) == 1


def test_correlator_killed_while_an_inform_waits_for_its_answer(
        make_system, make_host):
    system = make_system(sinks=lambda nms: {"informed": nms.session(inform=True)})
    system.start()
    host = make_host(system)
    path = host.binary()
    host.established(path)

    system.nms.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", system.nms.port))
        mute.settimeout(60)
        swap(path, b"evil")
        mute.recv(65536)
        system.correlator.kill()
    # As if the time of its lease had passed.
    system.sql("UPDATE process_dna.trap_outbox SET due_at = now()")
    system.nms.start()
    system.correlator.start()
    alert = host.wait_critical(path, sha256=sha256_of(path))
    host.wait_scans(2)
    assert len(traps_of(system, alert)) == 1


@pytest.mark.long
def test_postgresql_stopped_for_20_s(make_system, make_host):
    system = make_system().start()
    host, other = make_host(system), make_host(system)
    path, brief, kept = host.binary(), host.binary("brief"), other.binary()
    host.established(path)
    host.established(brief)
    other.established(kept)

    began = time.monotonic()
    system.postgres.halt()
    swap(path, b"evil")
    # What only scans from the outage show.
    os.link(brief, brief + b".first")
    swap(brief, b"evil")
    evil = sha256_of(brief)
    pass_seconds(began, OUTAGE_S / 2)
    os.rename(brief + b".first", brief)
    pass_seconds(began, OUTAGE_S)
    system.correlator.run("status", status=(3,))
    system.postgres.resume()

    alert = host.wait_critical(path, sha256=sha256_of(path))
    assert host.wait_alert(brief)["observed_sha256"] == evil
    host.wait_scans(2)
    assert len(host.alerts(path)) == 1 and len(traps_of(system, alert)) == 1
    other.assert_quiet(kept)
    counted = system.new_counters()
    assert counted["spooled"] > 0 and counted["spool-lost"] == 0


def test_database_away_at_start(make_system, make_host):
    system = make_system()
    system.correlator.migrate()
    system.nms.start()
    system.postgres.halt()
    system.correlator.run("agents", status=(3,))
    system.correlator.start()
    host = make_host(system)
    path = host.binary()
    host.run(path)
    wait_for("collectd sends", lambda: "cannot connect" in
             system.correlator.log.text() or
             "database" in system.correlator.log.text())
    system.postgres.resume()
    assert host.wait_baseline(path) == (sha256_of(path), "first-use")


def test_database_with_the_functions_of_another_build_is_refused(make_system):
    system = make_system()
    system.correlator.migrate()
    system.sql("UPDATE process_dna.schema_functions SET sha256 = 'another'")
    system.correlator.start_refused("schema: expected the functions")
    system.correlator.migrate()
    system.correlator.start()


@pytest.mark.long
def test_snmptrapd_away_for_20_s_gets_the_inform(make_system, make_host):
    system = make_system(sinks=lambda nms: {"informed": nms.session(inform=True)})
    system.start()
    host = make_host(system)
    path, first = host.binary(), host.binary("first")
    host.established(path)
    host.established(first)
    swap(first, b"evil")
    host.wait_critical(first)

    began = time.monotonic()
    system.nms.stop()
    swap(path, b"evil")
    alert = host.wait_alert(path, state="open")
    pass_seconds(began, OUTAGE_S)
    system.nms.start()
    host.wait_trap(alert, "pdnaBinaryChanged", 90)
    assert system.new_counters()["informs-acknowledged"] == 2
    assert len(traps_of(system, alert)) == 1


def test_collectd_restarted(system, make_host):
    host = make_host(system)
    path = host.binary()
    host.established(path)

    host.stop_collectd()
    host.start()
    host.assert_quiet(path, 3)

    host.stop_collectd()
    swap(path, b"evil")
    host.start()
    host.wait_critical(path, sha256=sha256_of(path))


def test_host_clock_stepped_back(system, make_host):
    clock = Clock(system.directory / "shift")
    host = make_host(system, preload=[clock.preload], env=clock.env)
    path = host.binary()
    host.established(path)

    clock.step_to(-300)
    swap(path, b"evil")
    host.wait_critical(path, sha256=sha256_of(path))
    clock.step_to(0)
    host.wait_scans(2)
    assert len(host.alerts(path)) == 1


@pytest.mark.long
def test_silent_agent(make_system, make_host):
    system = make_system(policy={"silent": 10}).start()
    host = make_host(system)
    path = host.binary()
    host.established(path)
    assert host.alerts(kind="agent-silent") == []

    host.stop_collectd()
    [alert] = wait_for("agent silent", lambda: host.alerts(
        kind="agent-silent", state="open"), 120)
    assert host.wait_trap(alert, "pdnaAgentSilent")
    host.start()
    assert host.wait_trap(alert, "pdnaAlertCleared", 90)


@pytest.mark.long
def test_after_an_outage_nobody_is_silent_at_once(make_system):
    """What an agent said meanwhile may still be with another correlator."""
    system = make_system(policy={"silent": 20})
    second = system.add_correlator()
    system.start()
    second.start()
    send(Scan("host").packets(USER, PASSWORD), second.port)
    wait_for("the host is known", lambda: system.last_observed("host") > 0)

    began = time.monotonic()
    system.postgres.halt()
    second.daemon.send(signal.SIGSTOP)
    pass_seconds(began, 30)
    seen = set()

    def worked():
        seen.add(system.value("SELECT reported_at FROM process_dna.correlators"
                              f" WHERE pid = {system.correlator.daemon.pid}"))
        return len(seen) > 3
    system.postgres.resume()
    try:
        wait_for("the first correlator's work", worked, 120)
        assert system.alerts("host", kind="agent-silent") == []
    finally:
        second.daemon.send(signal.SIGCONT)


def test_a_damaged_table_loses_no_scan(make_system):
    system = make_system().start()
    system.sql("CREATE FUNCTION process_dna.damaged() RETURNS trigger"
               " LANGUAGE plpgsql AS $$ BEGIN RAISE 'invalid page'"
               " USING ERRCODE = 'XX001'; END $$")
    system.sql("CREATE TRIGGER damaged BEFORE INSERT ON process_dna.executables"
               " EXECUTE FUNCTION process_dna.damaged()")
    scan = Scan("host").executable("/opt/x", sha256_text("x"))
    send(scan.packets(USER, PASSWORD), system.correlator.port)
    wait_for("it is tried", lambda: "invalid page" in system.correlator.log.text())

    system.sql("DROP TRIGGER damaged ON process_dna.executables")
    wait_for("the scan is judged", lambda: system.last_observed("host") > 0, 90)
