"""What auth-test says of the lines of the corpora, and what a script that runs
it relies on. It needs no system around it."""

import csv
import json
import subprocess

import pytest

from processes import CORRELATOR, ROOT

DATA = ROOT / "tests/unit/data/sshd"
LOGS = sorted(DATA.glob("*.log"))
KNOWN = {True: "1", False: "0", None: ""}  # as the truth has it
LINE = b"Nov 23 07:01:04 web-1 sshd[7]: "


def auth_test(*arguments, status=0, **options):
    """Its objects by line number, and its counts."""
    done = subprocess.run(
        [CORRELATOR, "-c", "/nonexistent", "auth-test", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        **options,
    )
    assert done.returncode == status, done.stderr
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    counts = {}
    for line in done.stderr.decode().splitlines():
        number, *kind = line.split()
        if number.isdigit():
            counts[" ".join(kind)] = int(number)
    return {o["line"]: o for o in objects}, counts


def truth_of(log):
    with open(DATA / f"{log.stem}.truth.tsv", encoding="utf-8") as f:
        return {int(row["line"]): row
                for row in csv.DictReader(f, delimiter="\t",
                                          quoting=csv.QUOTE_NONE)}


def number(text):
    return int(text) if text else None


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_every_line_of_the_corpora(log):
    truth = truth_of(log)
    outcomes = {line: row for line, row in truth.items()
                if row["outcome"] != "malformed"}
    objects, counts = auth_test(log)
    assert objects.keys() == outcomes.keys()
    for line, row in outcomes.items():
        event = objects[line]
        if row["outcome"] == "malformed_accepted":
            assert event["outcome"] == "malformed_accepted", line
            assert event["user"] is None and event["address"] is None, line
            # paths were renamed in the log alone
            assert event["extra"][:60] == row["extra"][:60], line
            continue
        told = (event["outcome"], event["repeat"], event["method"] or "",
                event["program"], event["pid"],
                KNOWN[event["user_known"]])
        assert told == (row["outcome"], int(row["repeat"]), row["method"],
                        row["program"], int(row["pid"]),
                        row["user_known"]), line
        if row["outcome"] == "starting_session":
            continue  # the truth has the whole text as its user
        told = (event["user"] or "", event["address"] or "", event["port"],
                event["protocol"] or "", event["extra"] or "")
        assert told == (row["user"], row["ip"], number(row["port"]),
                        row["proto"], row["extra"]), line
    assert counts["lines"] == len(log.read_bytes().splitlines())
    for kind in {row["outcome"] for row in truth.values()}:
        assert counts[kind] == sum(
            row["outcome"] == kind for row in truth.values())
    assert counts["other"] == counts["lines"] - len(truth)


def test_malformed_lines_are_shown_when_asked():
    log = DATA / "made.log"
    truth = truth_of(log)
    assert "malformed" in {row["outcome"] for row in truth.values()}
    objects, _ = auth_test("--malformed", log)
    assert objects.keys() == truth.keys()


def test_standard_input_and_a_last_line_without_a_newline():
    login = b"Accepted password for jos\\303\\251 from ::1 port 1 ssh2"
    for arguments in [], ["-"]:
        objects, counts = auth_test(
            *arguments, input=b"\n" + LINE + login + b"\n" + LINE + login)
        assert objects.keys() == {2, 3}
        assert objects[3]["user"] == "jos\\303\\251"
        assert objects[3]["user_unescaped"] == "jos\u00e9"
        assert objects[3]["host"] == "web-1"
        assert (counts["lines"], counts["accepted"], counts["other"]) == (
            3, 2, 1)


def test_what_is_known_is_shown_while_more_is_to_come():
    with subprocess.Popen([CORRELATOR, "auth-test"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as running:
        running.stdin.write(LINE + b"Invalid user x from ::1 port 1\n")
        running.stdin.flush()
        assert json.loads(running.stdout.readline())["user"] == "x"
        running.stdin.close()
        assert running.wait(timeout=60) == 0


def test_long_lines_are_skipped_and_counted():
    login = LINE + b"Accepted password for root from ::1 port 1 ssh2"
    longest = login + b": " + b"x" * (64 * 1024 - len(login) - 2)
    repeated = b"Nov 23 07:01:05 web-1 last message repeated 3 times"
    objects, counts = auth_test(
        "--malformed",
        input=b"\n".join([login, longest + b"x", repeated, longest,
                          login + b": " + b"x" * 1_000_000, login]))
    assert objects.keys() == {1, 4, 6}
    assert (counts["lines"], counts["accepted"], counts["other"]) == (6, 3, 3)
    assert counts["of these longer than 64 KiB, and skipped"] == 2


def test_a_hole_before_a_line_is_no_part_of_it():
    login = LINE + b"Accepted password for root from ::1 port 1 ssh2"
    hole = b"\0" * 1_000_000
    objects, counts = auth_test(
        input=hole + login + b"\n" + hole + b"\n" + hole + login)
    assert objects.keys() == {1, 3}
    assert objects[1] == {**objects[3], "line": 1}
    assert (counts["lines"], counts["accepted"], counts["other"]) == (3, 2, 1)
    assert "of these longer than 64 KiB, and skipped" not in counts


def test_no_lines_are_none():
    objects, counts = auth_test(input=b"")
    assert objects == {}
    assert set(counts.values()) == {0}


@pytest.mark.parametrize("file", ["/nonexistent", "/"])
def test_what_cannot_be_read_says_no(file):
    auth_test(file, status=1)


def test_an_output_that_cannot_be_written_says_no():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [CORRELATOR, "auth-test", DATA / "sshd-10.5p1.log"], stdout=full,
            stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 1
