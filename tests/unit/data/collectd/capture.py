#!/usr/bin/python3
"""Capture packets of a real collectd into this folder, for the unit tests.

usage: capture.py TYPES-DB     (that of our plugin)

Each NAME.packets holds packets in the order of arrival, each after its length
in two bytes, big-endian. One collectd sends the same lists plain, signed and
encrypted by alice; a second takes the signed ones, of two hosts, and forwards
them signed by bob. The scan's lists have a made-up time, so that the tests
say what time it is.
"""
import hashlib, os, socket, struct, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
TIME = 1700000000
LIB = "/usr/lib/collectd"

COMMON = """
Hostname "{host}"
FQDNLookup false
Interval 1
TypesDB "/usr/share/collectd/types.db" "{types}"
LoadPlugin logfile
<Plugin logfile>
  File "{dir}/{name}.log"
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "{dir}/{name}.sock"
</Plugin>
LoadPlugin network
"""


def receiver():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.settimeout(0.5)
    return s


def server(port, level, user, password):
    secrets = "" if level == "None" else (
        f'Username "{user}"\n Password "{password}"\n')
    return (f'<Server "127.0.0.1" "{port}">\n SecurityLevel "{level}"\n'
            f'{secrets}</Server>\n')


def start(folder, name, host, types, rest):
    conf = os.path.join(folder, name + ".conf")
    with open(conf, "w") as f:
        f.write(COMMON.format(dir=folder, name=name, host=host, types=types))
        f.write(rest)
    child = subprocess.Popen(["collectd", "-f", "-C", conf])
    for _ in range(100):
        if os.path.exists(os.path.join(folder, name + ".sock")):
            return child
        time.sleep(0.1)
    raise SystemExit(f"collectd {name} did not start")


def command(folder, name, lines):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(os.path.join(folder, name + ".sock"))
    answers = s.makefile("r")
    for line in lines:
        s.sendall((line + "\n").encode())
        answer = answers.readline()
        if not answer.startswith("0"):
            raise SystemExit(f"{line}: {answer}")
    s.close()


def collect(s):
    packets = []
    while True:
        try:
            packets.append(s.recv(65535))
        except socket.timeout:
            return packets


def store(name, packets):
    with open(os.path.join(HERE, name + ".packets"), "wb") as f:
        for p in packets:
            f.write(struct.pack(">H", len(p)) + p)
    print(name, [len(p) for p in packets])


def scan(host, n, t=TIME):
    def put(instance, kind, values):
        return (f"PUTVAL {host}/process_dna{instance}/{kind} interval=60 "
                f"{t}.500:" + ":".join(str(v) for v in values))

    def digest(i):
        return hashlib.sha256(f"program {i}".encode()).hexdigest()

    lines = []
    for i in range(n):
        path = f"-:usr:bin:program{i:02}"
        lines.append(put(path, f"process_dna-current-{digest(i)}",
                         (1, 4096 * i, 100 + i, 0, TIME - 1000)))
    lines.append(put("-:usr:bin:program00", f"process_dna_file-{digest(0)}",
                     (1234, 0o100755, 0, 0, TIME - 9000, TIME - 8000)))
    lines.append(put("-:usr:bin:program01",
                     "process_dna_package-dpkg:base=1.0-1:amd64", (0,)))
    lines.append(put("", "process_dna_address-192.0.2.7", (1,)))
    lines.append(put("", "process_dna_host-0123456789ab", (TIME - 5000,)))
    series = len(lines) + 1
    lines.append(put("", "process_dna_scan",
                     (7, series, n, n, 0, 1000, 20, 0.25, 0.125)))
    return lines


def flush(folder, name):
    command(folder, name, ["FLUSH plugin=network"])


def main(types):
    with tempfile.TemporaryDirectory() as d:
        plain, signed, encrypted, forwarded = (receiver() for _ in range(4))
        relay_port = receiver()
        port = relay_port.getsockname()[1]
        relay_port.close()
        auth = os.path.join(d, "auth")
        with open(auth, "w") as f:
            f.write("alice: wonderland\n")
        servers = (server(plain.getsockname()[1], "None", "", "") +
                   server(signed.getsockname()[1], "Sign", "alice",
                          "wonderland") +
                   server(encrypted.getsockname()[1], "Encrypt", "alice",
                          "wonderland") +
                   server(port, "Sign", "alice", "wonderland"))
        relay = start(d, "relay", "central", types,
                      '<Plugin network>\n Forward true\n'
                      f'<Listen "127.0.0.1" "{port}">\n'
                      f' SecurityLevel "Sign"\n AuthFile "{auth}"\n</Listen>\n' +
                      server(forwarded.getsockname()[1], "Sign", "bob",
                             "builder") + '</Plugin>\n')
        agent = start(d, "agent", "host-a", types,
                      '<Plugin network>\n' + servers + '</Plugin>\n')
        sockets = (("plain", plain), ("sign", signed), ("encrypt", encrypted))
        try:
            command(d, "agent", scan("host-a", 20))
            flush(d, "agent")
            for name, s in sockets:
                store("scan-" + name, collect(s))
            flush(d, "relay")
            collect(forwarded)
            command(d, "agent", scan("host-b", 1, TIME + 1) +
                    scan("host-c", 1, TIME + 2))
            flush(d, "agent")
            for _, s in sockets:
                collect(s)
            flush(d, "relay")
            store("relayed", collect(forwarded))
            command(d, "agent", [
                f"PUTVAL host-a/types/counter-c {TIME}:5",
                f"PUTVAL host-a/types/derive-d {TIME}:-6",
                f"PUTVAL host-a/types/absolute-a {TIME}:7",
                f"PUTVAL host-a/types/gauge-g {TIME}:0.5",
                f"PUTVAL host-a/load/load {TIME}:0.1:0.2:0.3",
                f"PUTVAL host-a/df-root/df_complex-free {TIME}:1024",
                f"PUTVAL host-a/processes-x/ps_count {TIME}:3:4"])
            flush(d, "agent")
            for name, s in sockets:
                store("types-" + name, collect(s))
            command(d, "agent", [
                f'PUTNOTIF severity=failure time={TIME} host=host-a '
                'plugin=process_dna type=process_dna '
                'message="/usr/bin/program00: spoofed"'])
            for name, s in sockets:
                store("notification-" + name, collect(s))
        finally:
            for child in (agent, relay):
                child.terminate()
                child.wait()


main(os.path.abspath(sys.argv[1]))
