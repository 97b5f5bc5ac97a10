"""Reading logs: lines a second on one core, beside grep -c on the same file,
and beside fail2ban-regex with its filter for sshd."""

import os
import random
import resource
import statistics
import subprocess
import sys

from common import BUILD, ROOT, RUNS, WORK, figures_of, say

LINES = 1_000_000
SSHD_SHARE = 0.3  # of the lines; the rest is what else /var/log/auth.log has
PEER_LINES = 20_000  # fail2ban-regex takes a minute for a million

OTHERS = [
    "CRON[{n}]: pam_unix(cron:session): session opened for user root(uid=0) "
    "by (uid=0)",
    "CRON[{n}]: pam_unix(cron:session): session closed for user root",
    "systemd-logind[612]: New session {n} of user deploy.",
    "systemd: pam_unix(systemd-user:session): session opened for user "
    "deploy(uid=1001) by (uid=0)",
    "sudo:   deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; "
    "COMMAND=/usr/bin/systemctl restart nginx",
    "sudo: pam_unix(sudo:session): session closed for user root",
    "su[{n}]: (to postgres) deploy on pts/1",
]


def make_log(path):
    """What real daemons wrote, in the order in which they did, among lines
    of other programs, from five hosts."""
    log = ROOT / "tests/unit/data/sshd/sshd-9.2p1-debian-pam.log"
    sshd = [line.split(" ", 3)[3]
            for line in log.read_text().splitlines() if line[0] == "<"]
    chance = random.Random(1)
    with open(path, "w") as f:
        told = 0
        for i in range(LINES):
            stamp = f"Nov 23 {i // 100000:02}:{i // 1000 % 60:02}:{i % 60:02}"
            if chance.random() < SSHD_SHARE:
                text = sshd[told % len(sshd)]
                told += 1
            else:
                text = chance.choice(OTHERS).format(n=chance.randrange(99999))
            f.write(f"{stamp} web-{i % 5} {text}\n")


def cpu_s(command, stdout=subprocess.DEVNULL, environment=None):
    """CPU time of a command, in seconds."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    subprocess.run(command, stdout=stdout,
                   stderr=subprocess.DEVNULL, check=True, env=environment)
    return spent() - before


def fail2ban():
    """The command, from Debian's package, which is not installed: its service
    would ban. None: it can't be had."""
    place = BUILD / "cache/fail2ban"
    program = place / "usr/bin/fail2ban-regex"
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["apt-get", "-q", "download", "fail2ban"],
                           cwd=place, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            return None
        for package in place.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, place], check=True)
    config = place / "etc/fail2ban"
    return [sys.executable, program, "--config", config], config


def peer_lines_per_s(log):
    peer = fail2ban()
    if peer is None:
        return None
    command, config = peer
    few = WORK / "auth-few.log"
    with open(log) as whole, open(few, "w") as f:
        f.writelines(next(whole) for _ in range(PEER_LINES))
    path = config.parents[1] / "usr/lib/python3/dist-packages"
    environment = {**os.environ, "PYTHONPATH": str(path)}
    start = cpu_s([*command, "--version"], environment=environment)
    took = cpu_s([*command, few, config / "filter.d/sshd.conf"],
                 environment=environment)
    few.unlink()
    return PEER_LINES / (took - start)


def measure_auth():
    say("reading a log of a million lines")
    log = WORK / "auth.log"
    make_log(log)
    try:
        figures = figures_of(subprocess.run(
            [BUILD / "tests/bench_auth", WORK], check=True,
            stdout=subprocess.PIPE, text=True).stdout)
        program = BUILD / "process-dna-correlator"
        took = {"test": [], "grep": []}
        for _ in range(RUNS):
            took["test"].append(cpu_s([program, "auth-test", log]))
            # It stops at the first match if what it says goes to /dev/null.
            took["grep"].append(cpu_s(["grep", "-c", "Accepted", log],
                                      subprocess.PIPE))
        for name, times in took.items():
            figures[name] = LINES / statistics.median(times)
        say("fail2ban-regex")
        figures["fail2ban"] = peer_lines_per_s(log)
        return figures
    finally:
        log.unlink()


def auth_rows(figures):
    return [
        ("log lines/s on a core; grep -c", figures["auth_lines"],
         figures["grep"], "> 1,000,000, > 0.33"),
        ("  auth-test, with its output", figures["test"], figures["grep"],
         "> 0.33"),
        ("  fail2ban-regex", figures["auth_lines"], figures["fail2ban"], ""),
    ]
