"""How fast lines go from one syslog connection over TCP into rows of the
database, when each is a login, and when one in a hundred is. Lines of `name
value unit`, medians.

syslog_rows.py BUILD-FOLDER WORK-FOLDER CONNINFO"""

import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

RUNS = 3
LOGINS, LINES = 50_000, 2_000_000
# What a busy host logs beside logins.
OTHER = (b"<38>Nov 26 10:00:00 web-1 sshd[1000]: Connection closed by "
         b"authenticating user root 192.0.2.9 port 40000 [preauth]\n",
         b"<86>Nov 26 10:00:00 web-1 CRON[1000]: pam_unix(cron:session): session "
         b"opened for user root(uid=0) by (uid=0)\n",
         b"<38>Nov 26 10:00:00 web-1 systemd-logind[100]: New session 12 of user "
         b"deploy.\n")


def login(n):
    return (b"<38>Nov 26 10:00:00 web-1 sshd[%d]: Accepted publickey for deploy "
            b"from 192.0.2.9 port %d ssh2: ED25519 SHA256:%s\n"
            % (n + 1, n % 60000 + 1, b"4" * 43))


def mixed():
    return b"".join(login(n) if n % 100 == 0 else OTHER[n % len(OTHER)]
                    for n in range(LINES))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def rows(conninfo):
    return int(subprocess.run(
        ["psql", "-XAtq", "-d", conninfo, "-c",
         "SELECT count(*) FROM process_dna.auth_events"],
        check=True, stdout=subprocess.PIPE, text=True).stdout)


def connect(port):
    for _ in range(100):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit("syslog_rows.py: the correlator does not listen")


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def seconds_for(peer, text, logins, conninfo):
    """From the first octet until the last row can be seen."""
    expected = rows(conninfo) + logins
    begun = time.monotonic()
    peer.sendall(text)
    while rows(conninfo) < expected:
        time.sleep(0.02)
    return time.monotonic() - begun


def measure(name, lines, text, logins, peer, conninfo, pid):
    cpu = cpu_s(pid)
    took = [seconds_for(peer, text, logins, conninfo) for _ in range(RUNS)]
    cpu = (cpu_s(pid) - cpu) / RUNS
    print(f"syslog_{name} {lines / statistics.median(took):.0f} lines/s")
    print(f"syslog_{name}_cpu {1e6 * cpu / lines:.2f} us/line")


def main():
    build, work, conninfo = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    port = free_port()
    (work / "syslog-state").mkdir(exist_ok=True)
    config = work / "syslog.conf"
    config.touch(0o600)
    config.write_text(
        f'database = "{conninfo}"\ntenant = "syslog"\n'
        f'state-dir = "{work}/syslog-state"\n'
        f'syslog {{\n  listen-tcp = {{"127.0.0.1:{port}"}}\n}}\n')
    correlator = subprocess.Popen(
        [build / "process-dna-correlator", "-c", config, "run"],
        stderr=open(work / "syslog.log", "w"))
    try:
        with connect(port) as peer:
            seconds_for(peer, login(0) * 1000, 1000, conninfo)
            measure("logins", LOGINS, b"".join(map(login, range(LOGINS))),
                    LOGINS, peer, conninfo, correlator.pid)
            measure("mixed", LINES, mixed(), LINES // 100, peer, conninfo,
                    correlator.pid)
    finally:
        correlator.terminate()
        correlator.wait(timeout=60)


main()
