"""A binary is exchanged in one way or another while its service runs."""

import os
import shutil

from harness import swap
from host import sha256_of
from processes import wait_for


def approve(host, path, sha256):
    """A site's own release: a manifest row without a package."""
    host.system.sql(
        "INSERT INTO process_dna.manifests (tenant_id, manager, package, version,"
        " arch, path, sha256, provenance) VALUES (process_dna.tenant_id('e2e'),"
        f" '', '', '', '', '{host.path_text(path)}', '{sha256}', 'file')")


def test_first_use_becomes_the_baseline(host):
    path = host.binary()
    host.run(path)
    assert host.wait_baseline(path) == (sha256_of(path), "first-use")
    host.assert_quiet(path)


def test_swap_by_rename_raises_a_trap(host):
    path = host.binary()
    host.established(path)
    before = sha256_of(path)

    swap(path, b"evil")
    alert = host.wait_critical(path, sha256=sha256_of(path))
    assert alert["baseline_sha256"] == before
    assert (alert["host"], alert["kind"]) == (host.name, "binary-changed")
    [trap] = host.traps(alert)
    assert trap["pdnaAlertHost"] == host.name
    assert trap["pdnaAlertBaselineSha256"] == before
    assert trap["pdnaAlertObservedSha256"] == sha256_of(path)
    assert "T1036" in trap["pdnaAlertMitre"] and "T1554" in trap["pdnaAlertMitre"]
    explained = host.system.correlator.run("explain", alert["key"])
    assert before in explained and "/proc/" in explained

    # Seen again, it stays one alert and one trap.
    host.wait_scans(3)
    assert len(host.alerts(path)) == 1 and len(host.traps(alert)) == 1


def test_swap_back_clears_the_alert(host):
    path = host.binary()
    service = host.established(path)
    shutil.copy2(path, path + b".kept")
    swap(path, b"evil")
    alert = host.wait_critical(path)

    service.stop()
    os.rename(path + b".kept", path)
    host.run(path)
    wait_for("alert resolved", lambda: host.alerts(path, state="resolved"))
    assert host.wait_trap(alert, "pdnaAlertCleared")["pdnaAlertState"] == "cleared"


def next_release(path):
    """The binary that an update would bring, beside the one that runs."""
    shutil.copy2(path, path + b".next")
    with open(path + b".next", "ab") as f:
        f.write(b"\nrelease 2")
    return path + b".next", sha256_of(path + b".next")


def updated(host, path):
    """A service that runs on after an update which the manifest knows; also
    gives its digest, of which a copy lies beside the new file as .old."""
    service = host.established(path)
    old = sha256_of(path)
    shutil.copy2(path, path + b".old")
    release, new = next_release(path)
    approve(host, path, new)
    os.rename(release, path)
    assert host.wait_baseline(path, new) == (new, "manifest")
    host.assert_quiet(path, 3)
    return service, old


def test_update_without_restart_is_restart_pending(host):
    path = host.binary()
    service, old = updated(host, path)
    pending = [a for a in host.system.correlator.json("alerts", "--restart-pending")
               if (a["host"], a["path"]) == (host.name, host.path_text(path))]
    assert [a["observed_sha256"] for a in pending] == [old]

    # The old binary started anew is a downgrade.
    service.stop()
    os.rename(path + b".old", path)
    host.run(path)
    host.wait_critical(path, sha256=old)


def test_old_binary_started_anew_beside_the_new_file(host):
    path = host.binary()
    service, old = updated(host, path)
    service.stop()
    os.rename(path, path + b".new")
    os.rename(path + b".old", path)
    anew = host.run(path)
    wait_for("started", lambda: anew.exe() == path)
    os.rename(path + b".new", path)
    host.wait_critical(path, sha256=old)


def test_manifest_that_arrives_late_resolves_the_alert(host):
    path = host.binary()
    host.established(path)
    release, new = next_release(path)
    os.rename(release, path)
    alert = host.wait_critical(path, sha256=new)

    approve(host, path, new)
    assert host.wait_trap(alert, "pdnaAlertCleared", 90)
    assert [a["state"] for a in host.alerts(path)] == ["resolved"]
    assert host.baseline(path) == (new, "manifest")


def test_accepted_and_still_running_raises_no_second_alert(host):
    path = host.binary()
    host.established(path)
    swap(path, b"release 2")
    alert = host.wait_critical(path)

    host.system.correlator.run("accept", alert["alert_id"], "--why", "our release")
    assert host.wait_trap(alert, "pdnaAlertCleared")["pdnaAlertState"] == "cleared"
    assert host.wait_baseline(path, sha256_of(path))
    host.wait_scans(3)
    [only] = host.alerts(path)
    assert (only["state"], only["why"]) == ("accepted", "our release")
    assert len(host.traps(alert)) == 2


def test_unlink_and_recreate(host):
    path = host.binary()
    host.established(path)
    os.unlink(path)
    host.assert_quiet(path)
    host.binary(tag=b"evil")
    host.wait_critical(path, sha256=sha256_of(path))


def test_in_place_change_of_a_stopped_service_with_its_mtime_put_back(host):
    path = host.binary(tag=b"AAAA")
    service = host.established(path)
    facts = os.stat(path)

    service.stop()
    with open(path, "r+b") as f:
        f.seek(-4, os.SEEK_END)
        f.write(b"BBBB")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    now = os.stat(path)
    assert (now.st_ino, now.st_size, now.st_mtime_ns) == (
        facts.st_ino, facts.st_size, facts.st_mtime_ns)
    host.run(path)
    host.wait_critical(path, sha256=sha256_of(path))


def test_deleted_executable(host):
    path = host.binary()
    service = host.established(path)
    os.unlink(path)
    host.assert_quiet(path, 3)

    # Another one, deleted as soon as it runs.
    service.stop()
    host.binary(tag=b"evil")
    evil = sha256_of(path)
    host.run(path)
    os.unlink(path)
    alert = host.wait_critical(path, sha256=evil)
    assert alert["exe_state"] == "deleted"
