"""Followed logs: each line's event is in the database once, whatever is rotated,
killed or away meanwhile."""

import os
import random
import subprocess
import threading
import time

import pytest

from collectd_packet import Scan, send, sha256_text
from harness import PASSWORD, USER
from processes import Failed, wait_for

LINES = 100_000
KILLS = 50


def line(number):
    """A line of sshd, told from all others by its process."""
    verb = "Accepted publickey" if number % 10 == 0 else "Failed password"
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    extra = ": ED25519 SHA256:" + "a" * 43 if number % 10 == 0 else ""
    return (f"{at} web-1 sshd[{number}]: {verb} for user{number % 7} from "
            f"192.0.2.{number % 250} port {1024 + number % 60000} ssh2{extra}\n")


class Log:
    """A log as a daemon writes it and logrotate rotates it."""

    HOW = ("create", "copytruncate")

    def __init__(self, directory):
        self.directory = directory
        self.path = directory / "auth.log"
        self.written = 0
        self.rotations = 0
        self.reopen()

    def reopen(self):
        self.file = open(self.path, "ab", buffering=0)

    def append(self, count):
        """Write so many events, among lines of others."""
        lines = []
        for number in range(self.written + 1, self.written + count + 1):
            if random.random() < 0.1:
                lines.append("Nov 26 00:00:01 web-1 cron[7]: (root) CMD (true)\n")
            lines.append(line(number))
        self.file.write("".join(lines).encode())
        self.written += count

    def rotate(self, *directives):
        how = self.HOW[self.rotations % len(self.HOW)]
        self.rotations += 1
        config = self.directory / "logrotate.conf"
        config.write_text("\n".join(
            [f"{self.path} {{", "rotate 1000", how, *directives, "}", ""]))
        subprocess.run(
            ["logrotate", "--force", "--state", self.directory / "state", config],
            check=True, capture_output=True)
        if how == "create":
            self.file.close()
            self.reopen()


@pytest.fixture
def log(place):
    return Log(place)


@pytest.fixture
def following(make_system, log):
    return make_system(sinks=lambda nms: {},
                       sections={f'auth-log "{log.path}"': {}})


def numbers(system):
    """How many events there are, and of how many lines."""
    return tuple(map(int, system.sql(
        "SELECT count(*), count(DISTINCT pid) FROM process_dna.auth_events")[0]))


def assert_each_once(system, log, deadline=120):
    try:
        wait_for("all events", lambda: numbers(system)[1] >= log.written, deadline)
    except Failed as failure:
        raise Failed(f"{failure}: {numbers(system)} of {log.written}; " + str(
            system.sql("SELECT * FROM process_dna.auth_positions"))) from None
    assert numbers(system) == (log.written, log.written)


def write_all(log, lines, seconds):
    """Write, and rotate at random, for about that long."""
    end = time.monotonic() + seconds
    while log.written < lines:
        left = lines - log.written
        log.append(min(left, random.choice([1, 10, 100, 1000])))
        if random.random() < 0.1:
            log.rotate()
        time.sleep(random.random() * 2 * max(
            0, end - time.monotonic()) * 250 / max(left, 1))


def followed(system, log):
    """Start, and wait until the log has a position."""
    system.start()
    log.append(1)
    wait_for("the first event", lambda: numbers(system) == (1, 1))


@pytest.mark.long
def test_killed_50_times_while_100000_lines_are_written(following, log):
    followed(following, log)
    writer = threading.Thread(target=write_all, args=(log, LINES, 60))
    writer.start()
    try:
        for kill in range(KILLS):
            time.sleep(random.random())
            following.correlator.kill()
            if kill == KILLS // 2:
                following.postgres.halt()
            if kill == KILLS // 2 + 5:
                following.postgres.resume()
            following.correlator.start()
    finally:
        writer.join()
    assert log.rotations > 10
    assert_each_once(following, log)


@pytest.mark.long
def test_two_correlators_follow_one_log(following, log):
    second = following.add_correlator()
    followed(following, log)
    second.start()
    writer = threading.Thread(target=write_all, args=(log, LINES // 5, 20))
    writer.start()
    try:
        for kill in range(10):
            time.sleep(random.random() * 2)
            correlator = following.correlators[kill % 2]
            correlator.kill()
            correlator.start()
    finally:
        writer.join()
    assert_each_once(following, log)


def test_what_logrotate_compresses_was_read_before(following, log):
    followed(following, log)
    for _ in range(4):
        log.append(1000)
        log.rotate("compress", "delaycompress")
        assert_each_once(following, log)
    assert len(list(log.directory.glob("auth.log.*.gz"))) == 3
    # Slept through, and compressed before it was looked at. While it is open
    # here, no other file gets its inode: that would pass for a log that was cut.
    following.correlator.kill()
    lost = log.written + 1
    log.append(1)
    with open(log.path, "rb"):
        for _ in range(2):
            log.rotate("compress", "delaycompress")
            log.append(1)
    following.correlator.start()
    wait_for("the others", lambda: numbers(following) == (log.written - 1,) * 2)
    assert following.value("SELECT count(*) FROM process_dna.auth_events "
                           f"WHERE pid = {lost}") == "0"
    assert following.new_counters()["auth-files-lost"] == 1


def test_a_session_belongs_to_its_login_whatever_the_name(following, log):
    """sshd escapes what is odd in a name; PAM writes it as it is."""
    followed(following, log)
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    for pid, (logged, name) in enumerate([
            (b"bob", b"bob"), (b"DOM\\\\bob", b"DOM\\bob"),
            (b"jos\\303\\251", b"jos\303\251")], 8001):
        tag = f"{at} web-1 sshd[{pid}]: ".encode()
        log.file.write(
            tag + b"Accepted password for " + logged
            + b" from 192.0.2.1 port 4711 ssh2\n"
            + tag + b"pam_unix(sshd:session): session opened for user " + name
            + b"(uid=1000) by " + name + b"(uid=0)\n")
    wait_for("all three", lambda: following.value(
        "SELECT count(*) FROM process_dna.auth_events"
        " WHERE pid > 8000 AND session_at IS NOT NULL") == "3")


def test_what_the_database_refuses_holds_up_nothing(following, log):
    followed(following, log)
    following.sql("CREATE FUNCTION process_dna.refuse() RETURNS trigger"
                  " LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'"
                  " USING ERRCODE = '22023'; END $$")
    following.sql("CREATE TRIGGER refuse BEFORE INSERT ON process_dna.auth_events"
                  " FOR EACH ROW WHEN (NEW.pid IN (1000, 2000))"
                  " EXECUTE FUNCTION process_dna.refuse()")
    log.append(3000)
    wait_for("the others",
             lambda: numbers(following) == (log.written - 2,) * 2)
    assert following.new_counters()["auth-refused"] == 2
    following.correlator.kill()
    following.correlator.start()
    log.append(1)
    wait_for("the next", lambda: numbers(following) == (log.written - 2,) * 2)
    refused = following.correlator.directory / "state/refused"
    assert refused.read_bytes().count(b"sshd") == 2


def test_a_damaged_table_loses_no_event_and_holds_up_no_scan(following, log):
    followed(following, log)
    following.sql("CREATE FUNCTION process_dna.damaged() RETURNS trigger"
                  " LANGUAGE plpgsql AS $$ BEGIN RAISE 'invalid page'"
                  " USING ERRCODE = 'XX001'; END $$")
    following.sql("CREATE TRIGGER damaged BEFORE INSERT ON process_dna.auth_events"
                  " FOR EACH ROW EXECUTE FUNCTION process_dna.damaged()")
    log.append(1000)
    wait_for("it is tried", lambda:
             "takes no auth events: invalid page" in following.correlator.log.text())
    scan = Scan("host").executable("/opt/x", sha256_text("x"))
    send(scan.packets(USER, PASSWORD), following.correlator.port)
    wait_for("the scan", lambda: following.last_observed("host") > 0)
    assert "away" not in following.correlator.log.text()
    following.sql("DROP TRIGGER damaged ON process_dna.auth_events")
    log.append(1000)
    assert_each_once(following, log)


def test_a_long_log_holds_up_no_scan(following, log):
    log.append(LINES // 2)
    following.start()
    wait_for("the first events", lambda: numbers(following)[0] > 0)
    scan = Scan("host").executable("/opt/x", sha256_text("x"))
    send(scan.packets(USER, PASSWORD), following.correlator.port)
    wait_for("the scan", lambda: following.last_observed("host") > 0)
    assert numbers(following)[0] < log.written
    # Nor do scans hold up the log.
    assert_each_once(following, log)


def test_standard_input_is_a_log(make_system, place):
    fifo = place / "fifo"
    os.mkfifo(fifo)
    system = make_system(sinks=lambda nms: {}, sections={'auth-log "-"': {}},
                         enter=["sh", "-c", f'exec "$0" "$@" <>"{fifo}"']).start()
    with open(fifo, "w") as out:
        print(*map(line, range(1, 1001)), sep="", end="", file=out, flush=True)
        wait_for("all events", lambda: numbers(system) == (1000, 1000))
    assert system.sql("SELECT DISTINCT trust FROM process_dna.auth_events") == [
        ["stdin"]]
