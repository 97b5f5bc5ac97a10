"""Lateral movement with logs and addresses that come in other ways: IPv6, NAT,
SNMP, a followed file, a relay, late; and with forged ones."""

import re
import signal

from net_host import USER
from network import address
from processes import wait_for
from senders import readme_line

GATEWAY = 200


def test_a_login_through_ipv6(site):
    web, db = site.running("web-1", "db-1")
    web.compromise()
    web.logs_on_to(db, target=db.address6)
    found = site.wait_movement(state="open")
    assert (found["source_address"], found["target"]) == (web.address6, "db-1")


def test_a_host_behind_nat(site):
    """Its address on the outside is told by the operator."""
    site.network.add_gateway(GATEWAY)
    [db] = site.running("db-1")
    web = site.host("web-1", gateway=GATEWAY).start_all()
    web.wait_known()
    db.trust(web)
    web.compromise()
    web.logs_on_to(db)
    [event] = site.wait_events(1, outcome="accepted")
    assert event["src_ip"] == address(GATEWAY)
    site.assert_none()

    site.central.correlator.run("addresses", "add", "web-1", address(GATEWAY))
    found = site.wait_movement(state="open")
    assert (found["source"], found["source_address"], found["target"]) == (
        "web-1", address(GATEWAY), "db-1")


def test_a_target_over_snmp(make_site):
    poll = {"session": f"-v 2c -c public {address(12)}", "interval": 1}
    site = make_site(polls={"db": poll}).start()
    [web] = site.running("web-1")
    db = site.host("db-1").start_rsyslog().start_sshd()
    db.start_service().start_snmp().trust(web)
    db.wait_known()
    web.compromise()
    web.logs_on_to(db)
    assert site.wait_movement(state="open")["target"] == "db-1"
    assert site.wait_login(web, db)["target"] == "db-1"


def test_a_source_over_snmp(make_site):
    poll = {"session": f"-v 2c -c public {address(11)}", "interval": 1}
    site = make_site(polls={"web": poll}).start()
    web = site.host("web-1").start_rsyslog().start_sshd()
    web.start_service().start_snmp()
    db = site.host("db-1").start_all()
    web.wait_known()
    db.trust(web).wait_known()
    alert = web.compromise()
    web.logs_on_to(db)
    found = site.wait_movement(state="open")
    assert (found["source"], found["target"], found["related_key"]) == (
        "web-1", "db-1", alert["key"])


def test_a_followed_file(make_site):
    site = make_site(followed=["db-1"]).start()
    [web] = site.running("web-1")
    db = site.host("db-1")
    # As Debian's rsyslog writes it, but for the folder; both kinds of stamps.
    db.start_rsyslog(f"auth,authpriv.* {site.auth_log('db-1')};"
                     "RSYSLOG_TraditionalFileFormat")
    db.start_sshd().start_service().start().trust(web)
    db.wait_known()
    web.compromise()
    web.logs_on_to(db)
    assert site.wait_movement(state="open")["target"] == "db-1"
    db.rsyslog.stop()
    db.start_rsyslog(f"auth,authpriv.* {site.auth_log('db-1')};"
                     "RSYSLOG_FileFormat")
    web.logs_on_to(db)
    for event in site.wait_events(2, outcome="accepted"):
        assert (event["trust"], event["target"], event["auth_user"]) == (
            "file", "db-1", USER)
    wait_for("both logins", lambda: site.movements(logins=2))


def test_a_relay_for_the_logs(site):
    """The host is who its lines name, not who sent them here."""
    web, db, loghost = site.running("web-1", "db-1", "loghost")
    loghost.rsyslog.stop()
    loghost.start_rsyslog('module(load="imtcp")',
                          'input(type="imtcp" port="514")', readme_line())
    db.rsyslog.stop()
    db.start_rsyslog(f'auth,authpriv.* @@{loghost.address}:514')
    web.compromise()
    web.logs_on_to(db)
    assert site.wait_login(web, db)["target"] == "db-1"
    assert site.wait_movement(state="open")["target"] == "db-1"

    # One that the central host does not know is not taken for the relay.
    stray = site.host("stray-1").start_sshd().trust(web)
    stray.start_rsyslog(f'auth,authpriv.* @@{loghost.address}:514')
    web.logs_on_to(stray)
    assert site.wait_login(web, stray)["target"] == ""
    site.wait_quiet()
    assert [m["target"] for m in site.movements()] == ["db-1"]


def test_logs_that_come_late(site):
    """A host's rsyslog stands still, and what it has queued comes when the
    alert was looked at long ago."""
    web, db = site.running("web-1", "db-1")
    db.rsyslog.send(signal.SIGSTOP)
    web.logs_on_to(db)
    web.compromise()
    site.assert_none()
    assert site.events() == []
    db.rsyslog.send(signal.SIGCONT)
    assert site.wait_movement(state="open")["target"] == "db-1"
    web.logs_on_to(db)
    wait_for("both logins", lambda: site.movements(logins=2))
    site.wait_quiet()
    assert len(site.traps()) == 1


def test_logs_of_an_outage(site):
    """The correlator is away, and the host's rsyslog is stopped and started
    meanwhile: the queue that it kept on disk is sent."""
    web, db = site.running("web-1", "db-1")
    web.compromise()
    site.central.correlator.stop()
    # The line that it tries to send all the time is lost when it is stopped:
    # so another one than the login's.
    db.root.run("logger", "-p", "auth.info", "-t", "first", "in line")
    db.wait_logged("in line")
    web.logs_on_to(db)
    db.wait_logged("Accepted publickey")
    db.rsyslog.stop()
    site.central.correlator.start()
    db.start_rsyslog()
    site.wait_login(web, db)
    assert site.wait_movement(state="open")["target"] == "db-1"


# --- forged ---------------------------------------------------------------------
def forged_names(forged):
    """User names that have another address than the client's, as a real client
    sends them."""
    return [
        "invalid user root",
        f"test from {forged} port 55555 ssh2",
        f"Invalid user root from {forged}",
        f"root from {forged} port 22 ssh2 [preauth]",
        f"Accepted publickey for root from {forged} port 22 ssh2",
        f"root from {forged}",
        f"for {USER} from {forged} port 1 ssh2 for root from {forged} port 2",
        "",
        " ",
        f"sshd[1]: Accepted password for root from {forged} port 22 ssh2",
    ]


def test_forged_user_names(site):
    """The changed host is named by one that is not: no event has its address."""
    web, db, other = site.running("web-1", "db-1", "other-1")
    web.compromise()
    names = forged_names(web.address)
    for name in names:
        other.ssh(db, user=name, options=["-o", "BatchMode=yes"])
    for name in names[:2]:
        other.fails_on(db, user=name)
    other.logs_on_to(db)
    site.wait_login(other, db)
    for event in site.events():
        assert (event["src_ip"], event["target"]) == (other.address, "db-1")
        assert event["outcome"] != "accepted" or event["auth_user"] == USER
    told = {event["auth_user"] for event in site.events()}
    # sshd drops what follows a colon.
    assert {name.partition(":")[0] for name in names} - told == set()
    site.assert_none()

    # That it is heard at all, and what is true of it, was not in vain.
    web.logs_on_to(db)
    site.wait_movement(state="open")


# A client that says goodbye before it has said anything else (RFC 4253, 11.1);
# sshd logs the text that it gives.
DISCONNECT = r"""
import socket, struct, sys
text = sys.argv[2].encode()
def string(s): return struct.pack(">I", len(s)) + s
payload = bytes([1]) + struct.pack(">I", 11) + string(text) + string(b"")
padding = 8 - (5 + len(payload)) % 8 + 8
packet = struct.pack(">IB", 1 + len(payload) + padding, padding)
s = socket.create_connection((sys.argv[1], 22))
s.makefile("rb").readline()
s.sendall(b"SSH-2.0-x\r\n" + packet + payload + bytes(padding))
while s.recv(4096): pass
"""


def test_forged_text_of_a_client(site):
    web, db, other = site.running("web-1", "db-1", "other-1")
    web.compromise()
    line = f"Accepted password for root from {web.address} port 22 ssh2"
    for text in f"x\nNov 26 00:00:00 db-1 sshd[1]: {line}", f"[preauth]\n{line}":
        other.root.run("python3", "-c", DISCONNECT, db.address, text)
    db.wait_logged("Received disconnect from", 2)
    other.logs_on_to(db)
    site.wait_login(other, db)
    assert site.events(src_ip=web.address) == []
    site.assert_none()


def test_forged_lines_of_a_local_user(site):
    """Nothing in the line tells them from sshd's: but they have no session, and
    a login keeps how far its log is to be trusted."""
    web, db = site.running("web-1", "db-1")
    web.compromise()
    db.root.run("runuser", "-u", USER, "--", "logger", "-p", "auth.info", "-t",
                "sshd", f"Accepted password for root from {web.address} port 22"
                " ssh2")
    found = site.wait_movement(state="open")
    [event] = site.events(auth_user="root")
    assert (event["trust"], event["session_at"]) == ("tcp", "")
    assert found["corroborated"] is False
    explained = site.central.correlator.run("explain", found["alert_id"])
    assert re.search(r"session", explained)

    # What sshd says itself has one.
    web.logs_on_to(db)
    site.wait_events(1, outcome="accepted", auth_user=USER)
    wait_for("the login's session", lambda: site.events(
        outcome="accepted", auth_user=USER)[0]["session_at"])
