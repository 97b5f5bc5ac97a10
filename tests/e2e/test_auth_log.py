"""Followed logs: each line's event is in the database once, whatever is rotated,
killed or away meanwhile."""

import os
import random
import subprocess
import threading
import time

import pytest

from processes import Failed, wait_for

LINES = 100_000
KILLS = 50
EVENTS = "SELECT count(*) FROM process_dna.auth_events"


def line(number):
    """A line of sshd, told from all others by its process."""
    verb = "Accepted publickey" if number % 10 == 0 else "Failed password"
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    extra = ": ED25519 SHA256:" + "a" * 43 if number % 10 == 0 else ""
    return (f"{at} web-1 sshd[{number}]: {verb} for user{number % 7} from "
            f"192.0.2.{number % 250} port {1024 + number % 60000} ssh2{extra}\n")


class Log:
    """A log as a daemon writes it and logrotate rotates it."""

    CONFIG = """{path} {{
    rotate 1000
    {how}
    nocompress
}}
"""

    def __init__(self, directory, how=("create", "copytruncate")):
        self.directory = directory
        self.path = directory / "auth.log"
        self.how = how
        self.written = 0
        self.rotations = 0
        self.reopen()

    def reopen(self):
        self.file = open(self.path, "ab", buffering=0)

    def append(self, count, other=0.1):
        """Write so many events, among lines of others."""
        lines = []
        for number in range(self.written + 1, self.written + count + 1):
            if random.random() < other:
                lines.append("Nov 26 00:00:01 web-1 cron[7]: (root) CMD (true)\n")
            lines.append(line(number))
        self.file.write("".join(lines).encode())
        self.written += count

    def rotate(self, how=None):
        how = how or self.how[self.rotations % len(self.how)]
        self.rotations += 1
        config = self.directory / "logrotate.conf"
        config.write_text(self.CONFIG.format(path=self.path, how=how))
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


@pytest.mark.long
def test_killed_50_times_while_100000_lines_are_written(following, log):
    following.start()
    log.append(1)
    wait_for("the first position", lambda: numbers(following) == (1, 1))
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
