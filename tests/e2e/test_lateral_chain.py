"""From the changed host to a second, and from there on: one detection has the
whole way."""

import html
import json
import signal

import pytest

from net_host import SERVICE, USER
from processes import wait_for


@pytest.fixture
def three(site):
    return site.running("web-1", "db-1", "vault-1")


def way(movement):
    return [(hop["from"], hop["to"], hop["user"]) for hop in movement["hops"]]


def wait_hops(site, n, **match):
    return wait_for(f"{n} hops", lambda: next(
        (m for m in site.movements(**match) if len(m["hops"]) == n), None))


def test_on_to_a_third_host(site, three):
    web, db, vault = three
    web.compromise()
    web.logs_on_to(db)
    found = site.wait_movement(state="open")
    assert way(found) == [("web-1", "db-1", USER)]
    db.logs_on_to(vault)
    found = wait_hops(site, 2, target="db-1")
    assert way(found) == [("web-1", "db-1", USER), ("db-1", "vault-1", USER)]
    assert [hop["key"] for hop in found["hops"]] == [
        web.fingerprint(), db.fingerprint()]
    # vault-1 was not logged on to from a changed host: no movement of its own.
    assert len(site.movements()) == 1
    site.wait_quiet()
    assert site.traps(found) == ["raised", "updated"]
    db.logs_on_to(vault)
    vault.logs_on_to(web)
    site.wait_events(2, outcome="accepted", src_ip=db.address)
    site.wait_login(vault, web)
    site.wait_quiet()
    assert site.traps(found) == ["raised", "updated"]
    explained = site.central.correlator.run("explain", found["alert_id"])
    assert all(h.name in explained for h in three)


def test_the_second_host_is_changed_as_well(site, three):
    web, db, vault = three
    web.compromise()
    web.logs_on_to(db)
    site.wait_movement(state="open")
    alert = db.compromise()
    found = wait_for("the change in the movement", lambda: next(
        (m for m in site.movements() if m["source"] == "web-1"
         and m["hops"][0]["changed"]), None))
    changed = found["hops"][0]["changed"]
    assert (changed["alert_id"], changed["key"], changed["path"]) == (
        alert["alert_id"], alert["key"], SERVICE)
    # From there it is a movement of its own as well.
    db.logs_on_to(vault)
    wait_hops(site, 2, source="web-1")
    site.wait_movement(source="db-1", target="vault-1")
    graph = site.central.correlator.run("detections", "--dot")
    assert all(h.name in graph for h in three)


def test_the_last_hop_is_told_first(site, three):
    """The log of the host in the middle comes late."""
    web, db, vault = three
    web.compromise()
    db.rsyslog.send(signal.SIGSTOP)
    web.logs_on_to(db)
    db.logs_on_to(vault)
    site.wait_login(db, vault)
    site.assert_none()
    db.rsyslog.send(signal.SIGCONT)
    found = wait_hops(site, 2)
    assert way(found) == [("web-1", "db-1", USER), ("db-1", "vault-1", USER)]


def test_the_graph_is_drawn(site, three):
    web, db, vault = three
    web.compromise()
    web.logs_on_to(db)
    db.logs_on_to(vault)
    wait_hops(site, 2)
    drawing = site.directory / "graph.svg"
    site.central.correlator.run("detections", "--svg", drawing)
    svg = html.unescape(drawing.read_text())
    assert svg.rstrip().endswith("</svg>")
    assert all(f">{h.name}" in svg for h in three) and USER in svg
    assert json.loads(site.central.correlator.run("detections", "--json"))
