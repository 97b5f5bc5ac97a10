"""What the commands tell of lateral movement, on a real database: scans and
logins come in as the sources hand them over, and the search itself finds what
is shown. Names are as hostile as a host or a user can make them."""

import json
import os
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from harness import TENANT
from processes import ROOT, wait_for

SVG = "{http://www.w3.org/2000/svg}"
# A user as sshd logs it: it escapes control characters, and nothing else.
USER = '"];x[label="<b>&amp;\\N'
HOST = "db\\\"1<&"

# In one transaction, so that all of it has the same beginning. `web` and then
# `edge` change; somebody comes from web to the database, and from there goes on
# to edge; web also logs on to edge, as on every day.
STORY = f"""
BEGIN;
SELECT process_dna.tenant_id('{TENANT}') AS t \\gset
SELECT test.scan(:t, h, -3000, ARRAY[test.exe('/usr/sbin/nginx', 'a')],
                 addresses => ARRAY['192.0.2.' || n], boot => -9000)
  FROM (VALUES ('web', 1), ('edge', 3)) u (h, n);
SELECT test.auth(:t, 'edge', -2000, 'ansible', '192.0.2.1');
SELECT test.scan(:t, h, 0, ARRAY[test.exe('/usr/sbin/nginx', 'a')],
                 addresses => ARRAY['192.0.2.' || n])
  FROM unnest(ARRAY['web', $${HOST}$$, 'edge']) WITH ORDINALITY u (h, n);
SELECT test.scan(:t, 'web', 10, ARRAY[test.exe('/usr/sbin/nginx', 'b',
                 pid => 1842)], addresses => '{{192.0.2.1}}');
SELECT test.scan(:t, 'edge', 14, ARRAY[test.exe('/usr/sbin/nginx', 'c')],
                 addresses => '{{192.0.2.3}}');
SELECT test.auth(:t, $${HOST}$$, 11, $${USER}$$, '192.0.2.1', port => 4711);
SELECT test.auth(:t, $${HOST}$$, 12, $${USER}$$, '192.0.2.1', port => 4712,
                 trust => 'udp');
SELECT test.auth(:t, 'edge', 13, 'root', '192.0.2.2', port => 4713,
                 key => 'SHA256:other');
SELECT test.auth(:t, 'edge', 11, 'ansible', '192.0.2.1', port => 4714);
COMMIT;
SELECT test.lateral(process_dna.tenant_id('{TENANT}'));
"""


def load(system, script):
    system.sql(script)
    return {d["target"]: d for d in system.correlator.json("detections")}


def prepare(system):
    """The tests' own functions, and a sink."""
    system.sql(f"\\i {ROOT}/tests/sql/helpers.psql")
    system.sql(f"SELECT test.tenant('{TENANT}')")


@pytest.fixture
def make_central(make_system):
    def make(start=False):
        system = make_system()
        if start:
            system.start()
            wait_for("sink", lambda: system.sql(
                "SELECT sink FROM process_dna.trap_sinks"))
        else:
            system.correlator.migrate()
        prepare(system)
        return system
    return make


@pytest.fixture(scope="module")
def story(make_module_system):
    """A central host whose correlator does not run, and what it knows; the
    tests that share it change nothing."""
    system = make_module_system()
    system.correlator.migrate()
    prepare(system)
    system.detections = load(system, STORY)
    return system


def test_listing_names_both_hosts_and_what_follows(story):
    lines = story.correlator.run("detections").splitlines()
    assert lines[0].split() == [
        "ID", "SEVERITY", "FROM", "TO", "USER", "LAST", "LOGIN", "LOGINS",
        "CHANGED", "ALERT", "REMARK", "ADDRESS"]
    assert len(lines) == 3
    [line] = [l for l in lines if HOST in l]
    assert f"critical  web   {HOST}, then edge" in line
    assert f"  {USER}  " in line and "  2  /usr/sbin/nginx  " in line
    assert line.endswith("first time  192.0.2.1")
    [line] = [l for l in lines if "ansible" in l]
    assert "warning" in line and "first time" not in line
    assert "\033" not in "".join(lines)


def test_json_has_each_login(story):
    found = story.detections
    assert set(found) == {HOST, "edge"}
    one = found[HOST]
    assert (one["source"], one["source_address"], one["severity"],
            one["path"], one["auth_users"], one["logins"],
            one["first_time"], one["ambiguous"]) == (
        "web", "192.0.2.1", "critical", "/usr/sbin/nginx", [USER], 2, True,
        False)
    assert [(d["auth_user"], d["src_port"], d["trust"], d["key_fingerprint"])
            for d in one["detections"]] == [
        (USER, 4711, "tls", "SHA256:key"), (USER, 4712, "udp", "SHA256:key")]
    assert [(h["from"], h["to"], h["user"], bool(h["changed"]))
            for h in one["hops"]] == [
        ("web", HOST, USER, False), (HOST, "edge", "root", True)]


def drawn(svg):
    """The texts of each node and each edge of a drawing."""
    root = ElementTree.fromstring(svg)
    assert not [e for e in root.iter()
                if e.tag not in {SVG + t for t in (
                    "svg", "g", "title", "polygon", "path", "text")}]
    return [[tuple(t.text.strip() for t in g.iter(SVG + "text"))
             for g in root.iter(SVG + "g") if g.get("class") == kind]
            for kind in ("node", "edge")]


def test_graph_is_drawn_with_what_changed_and_who_logged_on(story):
    svg = story.correlator.run("detections", "--svg")
    nodes, edges = drawn(svg)
    a, b, c = (digit * 12 for digit in "abc")
    ids = {x["host"]: x["alert_id"] for x in story.correlator.json("alerts")
           if x["kind"] == "binary-changed"}
    assert nodes == [
        (HOST, "192.0.2.2"),
        ("edge", "192.0.2.3", "/usr/sbin/nginx",
         f"{a} -> {c}, no-known-update, alert {ids['edge']}"),
        ("web", "192.0.2.1", "/usr/sbin/nginx",
         f"{a} -> {b}, no-known-update, alert {ids['web']}")]
    assert [e[0] for e in edges] == [
        "root, publickey", f"{USER}, publickey", "ansible, publickey"]
    assert edges[1][1].startswith("2 logins, ")
    assert edges[1][-1] == "first time in 30 days"


def test_graph_is_the_same_each_time_and_dot_reads_it(story):
    graph = story.correlator.run("detections", "--dot")
    assert graph == story.correlator.run("detections", "--dot")
    assert "\033" not in graph
    read = subprocess.run(["dot", "-Tjson"], input=graph, text=True,
                          capture_output=True, check=True)
    graph = json.loads(read.stdout)
    assert read.stderr == ""
    assert len(graph["objects"]) == 3 and len(graph["edges"]) == 3
    names = [o["label"].split("\\l")[0] for o in graph["objects"]]
    # The label as it stands in the graph's language.
    assert names == ['db\\\\\\"1<&amp;'.replace('\\"', '"'), "edge", "web"]


def test_drawing_is_written_as_a_whole(story, place):
    file = place / "graph.svg"
    assert story.correlator.run("detections", "--svg", file) == ""
    assert drawn(file.read_bytes()) == drawn(
        story.correlator.run("detections", "--svg"))
    assert [f.name for f in place.iterdir()] == ["graph.svg"]
    before = file.stat()

    env = story.correlator.env
    story.correlator.env = {**env, "PATH": "/nonexistent"}
    try:
        done = story.correlator.call("detections", "--svg", file)
        assert story.correlator.run("detections", "--dot").startswith("digraph")
    finally:
        story.correlator.env = env
    assert done.returncode == 1 and "needs Graphviz" in done.stderr
    assert file.stat().st_ino == before.st_ino

    done = story.correlator.call("detections", "--svg", place / "no/graph.svg")
    assert done.returncode == 1
    assert "no/graph.svg: No such file or directory" in done.stderr
    assert [f.name for f in place.iterdir()] == ["graph.svg"]


def test_drawing_that_can_not_be_written_is_no_success(story):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*story.correlator.call("--version").args[:3], "detections",
             "--svg"], stdout=full, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **story.correlator.env}, check=False)
    assert done.returncode == 1 and "No space left" in done.stderr


def test_movements_are_alerts_of_a_kind_of_their_own(story):
    lines = story.correlator.run("alerts").splitlines()
    moved = [l for l in lines if "lateral-movement" in l]
    assert len(moved) == 2 and len(lines) == 5
    assert any(f"web -> {HOST}" in l for l in moved)
    assert {a["peer_host"] for a in story.correlator.json("alerts")} == {
        None, HOST, "edge"}


def test_explanation_tells_the_story_and_what_to_do(story):
    found = story.detections[HOST]
    text = story.correlator.run("explain", found["alert_id"])
    flat = " ".join(text.split())
    for part in (
            f"lateral movement from web to {HOST}", f"{USER} logged on",
            "2 logins", "came from 192.0.2.1, an address that web had",
            "UDP, which anybody who reaches the correlator can forge",
            "Nobody had come this way for 30 days",
            f"{HOST} -> edge", f"alert {found['related_id']}, key",
            "T1078 Valid Accounts", "T1036 Masquerading",
            "getent passwd -- '\"];x[label=\"<b>&amp;\\N'",
            f"explain {found['related_id']}", f"accept {found['alert_id']}"):
        assert part in flat, part
    assert story.correlator.run("explain", found["key"]) == text
    # A shell reads the commands, and each name in them as one word.
    commands = "\n".join(
        l for l in text.partition("What to do:")[2].splitlines()
        if l.startswith("     "))
    subprocess.run(["bash", "-n"], input=commands, text=True, check=True)
    words = subprocess.run(
        ["bash", "-c", "getent() { printf '%s\\n' \"$@\"; }; " + next(
            l.split("$(")[1].split(" |")[0] for l in commands.splitlines()
            if "getent" in l)], text=True, capture_output=True, check=True)
    assert words.stdout.splitlines() == ["passwd", "--", USER]

    facts = json.loads(story.correlator.run("explain", "--json", found["key"]))
    assert facts["peer_host"] == HOST and facts["least_trust"] == "udp"
    assert len(facts["detections"]) == 2 and len(facts["hops"]) == 2
    alert = story.correlator.run("explain", found["related_id"])
    assert "to other hosts at that time: alert " in alert


def test_accepting_a_movement_closes_it_alone(make_central):
    central = make_central()
    found = load(central, STORY)
    moved, run = found[HOST]["alert_id"], central.correlator.run
    printed = run("accept", moved, "--why", "our own\033[2J test")
    assert f"quiet about logins from there to {HOST}" in printed
    assert "\033" not in printed.replace("our own\033[2J test", "")
    assert list(load(central, "SELECT 1")) == ["edge"]
    assert "accepted" in run("detections", "--all")
    flat = " ".join(run("explain", moved).split())
    assert "It is closed: accepted by " in flat and "What to do" not in flat
    # A further login of that alert to that host is no news.
    assert list(load(central, f"""
        SELECT process_dna.tenant_id('{TENANT}') AS t \\gset
        SELECT stamped_at + interval '1 minute' AS at
          FROM process_dna.auth_events WHERE src_port = 4712 \\gset
        SELECT test.auth(:t, $${HOST}$$,
          extract(epoch FROM :'at'::timestamptz - test.at(0)) / 60,
          'other', '192.0.2.1', port => 4799);
        SELECT test.lateral(:t)""")) == ["edge"]

    # The alert itself takes the rest along.
    run("accept", found["edge"]["related_id"], "--why", "ours")
    done = central.correlator.call("detections")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no open detections" in done.stderr
    graph = run("detections", "--dot")
    assert "->" not in graph
    nodes, edges = drawn(run("detections", "--all", "--svg"))
    assert len(nodes) == 3 and len(edges) >= 3


def test_trap_names_both_hosts_and_the_login(make_central):
    central = make_central(start=True)
    found = load(central, STORY)[HOST]
    [trap] = wait_for("trap", lambda: central.nms.traps(
        AlertKey=found["key"]))
    alert = next(a for a in central.correlator.json("alerts")
                 if a["alert_id"] == found["related_id"])
    assert trap["notification"] == "pdnaLateralMovement"
    assert trap["snmpTrapAddress"] == "192.0.2.1"
    text = trap["pdnaAlertText"]
    assert f"{USER} logged on from there to {HOST}" in text
    assert "for the first time in 30 days; from there on to edge" in text
    assert {k.removeprefix("pdnaAlert"): v for k, v in trap.items()
            if k.startswith("pdnaAlert")
            and k not in ("pdnaAlertText", "pdnaAlertAt")} == {
        "Key": found["key"], "Kind": "lateral-movement", "State": "raised",
        "Severity": "critical", "Host": "web", "Address": "192.0.2.1",
        "Container": "", "ExePath": "/usr/sbin/nginx",
        "BaselineSha256": "a" * 64, "ObservedSha256": "b" * 64,
        "Pid": "1842", "Package": "", "Verdict": "no-known-update",
        "Mitre": "T1078 T1036", "PeerHost": HOST,
        "PeerAddress": "192.0.2.2", "User": USER, "RelatedKey": alert["key"]}

    central.correlator.run("accept", found["alert_id"], "--why", "ours")
    cleared = wait_for("clear", lambda: central.nms.traps(
        AlertKey=found["key"], AlertState="cleared"))
    assert [t["notification"] for t in cleared] == ["pdnaAlertCleared"]
    assert cleared[0]["pdnaAlertKind"] == "lateral-movement"


def test_names_of_hosts_are_added_and_removed(make_central):
    central = make_central()
    load(central, STORY)
    call, run = central.correlator.call, central.correlator.run
    assert run("addresses", "add", "edge", "balancer.example.org") == (
        "edge: balancer.example.org added\n")
    listed = run("addresses", "edge").splitlines()
    assert any(l.split()[:4] == ["edge", "balancer.example.org", "present",
                                 "manual"] for l in listed)
    assert {a["name"] for a in central.correlator.json("addresses", "edge")} == {
        None, "balancer.example.org"}
    for agent, name, said in (
            ("edge", "balancer.example.org", "there already"),
            ("web", "BALANCER.example.org", "the name of another agent"),
            ("edge", "a b\n", "neither an address nor a name"),
            ("nobody", "x", "no such agent")):
        done = call("addresses", "add", agent, name)
        assert done.returncode == 1 and said in done.stderr, (name, done)
    # What is logged under that name is told of the host.
    found = load(central, f"""
        SELECT process_dna.tenant_id('{TENANT}') AS t \\gset
        SELECT observed_at AS at FROM process_dna.process_dna_alerts
          WHERE kind = 'binary-changed' ORDER BY alert_id LIMIT 1 \\gset
        SELECT test.auth(:t, 'balancer.example.org',
          extract(epoch FROM :'at'::timestamptz - test.at(0)) / 60,
          'eve', '192.0.2.1', port => 4800);
        SELECT test.lateral(:t)""")
    assert sorted(found["edge"]["auth_users"]) == ["ansible", "eve"]
    assert run("addresses", "remove", "edge", "balancer.EXAMPLE.org") == (
        "edge: balancer.EXAMPLE.org removed\n")
    assert call("addresses", "remove", "edge", "balancer.example.org"
                ).returncode == 1
