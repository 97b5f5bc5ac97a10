"""A binary is swapped on one host, and somebody logs on from there to another:
one detection that names both, and one trap. Nothing else is one."""

import pytest

from net_host import SERVICE, USER
from processes import wait_for


@pytest.fixture
def pair(site):
    return site.running("web-1", "db-1")


def test_a_login_after_the_swap(site, pair):
    web, db = pair
    before = web.sha256(SERVICE)
    alert = web.compromise()
    site.assert_none()

    web.logs_on_to(db)
    found = site.wait_movement(state="open")
    assert (found["source"], found["source_address"]) == ("web-1", web.address)
    assert (found["target"], found["target_address"]) == ("db-1", db.address)
    assert (found["path"], found["severity"]) == (SERVICE, "critical")
    assert (found["related_id"], found["related_key"]) == (
        alert["alert_id"], alert["key"])
    assert (found["auth_users"], found["logins"]) == ([USER], 1)
    assert (found["first_time"], found["ambiguous"]) == (True, False)

    site.wait_quiet()
    [trap] = site.traps()
    said = {k.removeprefix("pdnaAlert"): v for k, v in trap.items()}
    expected = {
        "Key": found["key"], "Kind": "lateral-movement", "State": "raised",
        "Severity": "critical", "Mitre": "T1078 T1036",
        "Host": "web-1", "Address": web.address,
        "PeerHost": "db-1", "PeerAddress": db.address, "User": USER,
        "ExePath": SERVICE, "RelatedKey": alert["key"],
        "BaselineSha256": before, "ObservedSha256": web.sha256(SERVICE)}
    assert {k: said[k] for k in expected} == expected
    for named in "web-1", "db-1", USER, SERVICE:
        assert named in said["Text"]
    # That of the change and that of the movement.
    assert site.central.new_counters()["informs-acknowledged"] == 2


def test_what_explain_tells(site, pair):
    web, db = pair
    web.compromise()
    web.logs_on_to(db)
    found = site.wait_movement(state="open")
    explained = site.central.correlator.run("explain", found["alert_id"])
    for told in ("web-1", "db-1", web.address, USER, SERVICE,
                 web.sha256(SERVICE), web.fingerprint(), "T1078", "T1036"):
        assert told in explained
    assert explained == site.central.correlator.run("explain", found["key"])


def test_several_logins_are_one_trap(site, pair):
    web, db = pair
    web.compromise()
    for _ in range(3):
        web.logs_on_to(db)
    found = site.wait_movement(logins=3)
    web.logs_on_to(db, target=db.address6)
    site.wait_movement(logins=4)
    site.wait_quiet()
    assert len(site.traps()) == 1
    assert site.traps(found) == ["raised"]


def test_a_login_before_the_swap_is_seen(site, pair):
    web, db = pair
    web.logs_on_to(db)
    site.wait_login(web, db)
    site.assert_none()
    web.compromise()
    assert site.wait_movement(state="open")["target"] == "db-1"
    site.wait_quiet()
    assert len(site.traps()) == 1


def test_a_bastion_moves_to_each_of_many(site):
    bastion, *others = site.running("bastion", "db-1", "db-2")
    bastion.compromise()
    for other in others:
        bastion.logs_on_to(other)
    found = wait_for("two movements", lambda: len(m := site.movements()) == 2
                     and m)
    assert {m["target"] for m in found} == {"db-1", "db-2"}
    assert len({m["key"] for m in found}) == 2
    site.wait_quiet()
    assert {t["pdnaAlertPeerHost"] for t in site.traps()} == {"db-1", "db-2"}
    assert len(site.traps()) == 2


def test_a_failed_login_is_none(site, pair):
    web, db = pair
    web.compromise()
    web.fails_on(db)
    web.fails_on(db, user="nobody-here")
    site.wait_events(1, outcome="failed", auth_user=USER, src_ip=web.address)
    site.wait_events(1, outcome="failed", auth_user="nobody-here",
                     src_ip=web.address)
    site.assert_none()


def test_a_login_from_a_host_without_an_alert_is_none(site):
    web, db, other = site.running("web-1", "db-1", "other-1")
    web.compromise()
    other.logs_on_to(db)
    other.logs_on_to(web)
    for target in db, web:
        event = site.wait_login(other, target)
        assert (event["target"], event["key_fingerprint"]) == (
            target.name, other.fingerprint())
    site.assert_none()


def test_an_accepted_change_is_none(site, pair):
    web, db = pair
    alert = web.compromise()
    site.central.correlator.run("accept", alert["alert_id"], "--why", "a hotfix")
    web.logs_on_to(db)
    site.wait_login(web, db)
    site.assert_none()


def test_accepting_the_change_clears_the_movement(site, pair):
    web, db = pair
    alert = web.compromise()
    web.logs_on_to(db)
    found = site.wait_movement(state="open")
    site.central.correlator.run("accept", alert["alert_id"], "--why", "a hotfix")
    assert site.wait_movement()["state"] == "accepted"
    site.wait_quiet()
    assert site.traps(found) == ["raised", "cleared"]


def test_accepting_the_movement_leaves_the_change(site, pair):
    web, db = pair
    alert = web.compromise()
    web.logs_on_to(db)
    found = site.wait_movement(state="open")
    site.central.correlator.run("accept", found["alert_id"], "--why",
                                "I was sent there")
    assert site.wait_movement()["state"] == "accepted"
    web.logs_on_to(db)
    site.wait_movement(logins=2)
    site.wait_quiet()
    assert site.wait_movement()["state"] == "accepted"
    assert site.traps(found) == ["raised", "cleared"]
    assert web.wait_alert(SERVICE, kind="binary-changed")["state"] == "open"
    assert [t["pdnaAlertState"] for t in web.traps(alert)] == ["raised"]


def test_the_binary_of_before_clears_both(site, pair):
    web, db = pair
    alert = web.compromise()
    web.logs_on_to(db)
    found = site.wait_movement(state="open")
    web.restore()
    wait_for("it is over", lambda: site.movements(state="resolved"))
    assert web.wait_alert(SERVICE, kind="binary-changed")["state"] == "resolved"
    site.wait_quiet()
    assert site.traps(found) == ["raised", "cleared"]
    assert [t["pdnaAlertState"] for t in web.traps(alert)] == [
        "raised", "cleared"]
    assert site.central.correlator.json("detections") == []


def test_a_host_that_becomes_known_after_the_login(site):
    [web] = site.running("web-1")
    db = site.host("db-1").start_rsyslog().start_sshd().start_service()
    db.trust(web)
    web.compromise()
    web.logs_on_to(db)
    assert site.wait_login(web, db)["target"] == ""
    site.assert_none()
    db.start()
    assert site.wait_movement(state="open")["target"] == "db-1"
    assert site.events(outcome="accepted")[0]["target"] == "db-1"


def test_a_host_without_a_name_of_its_own_in_the_log(site, pair):
    """It logs under a name that only the operator knows."""
    web, db = pair
    db.root.run("hostname", "ip-192-0-2-12.internal.example")
    db.rsyslog.stop()
    db.start_rsyslog()
    web.compromise()
    web.logs_on_to(db)
    assert site.wait_movement(state="open")["target"] == "db-1"
