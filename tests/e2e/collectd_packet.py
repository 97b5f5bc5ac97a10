"""Writes packets of collectd's binary protocol as its network plugin sends
them, and whole scans as our plugin makes them: for hostile packets, and for
more executables than this machine could run."""

import hashlib
import hmac
import re
import socket
import struct
import time

HOST, PLUGIN, PLUGIN_INSTANCE, TYPE, TYPE_INSTANCE, VALUES = 0, 2, 3, 4, 5, 6
TIME_HR, INTERVAL_HR, SIGNATURE = 8, 9, 0x200
GAUGE = 1
PACKET_MAX = 1452
SHA256_ZERO = "0" * 64


def part(number, payload):
    return struct.pack("!HH", number, 4 + len(payload)) + payload


def string(number, text):
    data = text if isinstance(text, bytes) else text.encode()
    return part(number, data + b"\0")


def values(gauges):
    return part(VALUES, struct.pack("!H", len(gauges)) +
                bytes([GAUGE] * len(gauges)) +
                b"".join(struct.pack("<d", v) for v in gauges))


def head(host, at, interval=1):
    """What every packet opens with: whose it is and when."""
    return (string(HOST, host) + part(TIME_HR, struct.pack("!Q", int(at * 2**30))) +
            part(INTERVAL_HR, struct.pack("!Q", int(interval * 2**30))) +
            string(PLUGIN, "process_dna"))


def value_list(type_, gauges, plugin_instance="", type_instance=""):
    return (string(PLUGIN_INSTANCE, plugin_instance) + string(TYPE, type_) +
            string(TYPE_INSTANCE, type_instance) + values(gauges))


def sign(payload, user, password):
    """A packet of SecurityLevel Sign."""
    name = user.encode()
    mac = hmac.new(password.encode(), name + payload, hashlib.sha256).digest()
    return part(SIGNATURE, mac + name) + payload


def encode_path(raw):
    """A raw path as canonical text (lib/record/pathname.h)."""
    return "".join(
        f"%{c:02X}" if c <= 0x20 or c > 0x7E or chr(c) in ':%"\\' else chr(c)
        for c in raw)


def identity(raw, container=""):
    """The path that an executable has in the database, cut where it passes
    127 bytes."""
    whole = (f"@{container}" if container else "") + encode_path(raw)
    whole = whole.replace("/", ":")
    if len(whole) > 127:
        digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
        first = re.sub(r"%.?$", "", whole[:60])
        last = whole[-49:]
        for back in (1, 2):
            if whole[-49 - back] == "%":
                last = whole[-49 + 3 - back:]
        whole = f"{first}~{digest}~{last}"
    return re.sub(r"^@[^:]*", "", whole).replace(":", "/")


class Scan:
    """One scan of a host that exists only here."""

    def __init__(self, host, at=None, sequence=1, boot=None, host_id="0123456789ab"):
        self.host = host
        self.at = time.time() if at is None else at
        self.sequence = sequence
        self.lists = []
        self.executables = 0
        boot = self.at - 10000 if boot is None else boot
        self.add("process_dna_host", [int(boot)], type_instance=host_id)

    def add(self, *args, **kwargs):
        self.lists.append(value_list(*args, **kwargs))
        return self

    def executable(self, path, sha256, state="current", pid=4242):
        self.executables += 1
        return self.add("process_dna", [1, 4096, pid, 0, int(self.at) - 60],
                        path.replace("/", ":"), f"{state}-{sha256}")

    def payloads(self):
        """Unsigned packets, the marker in the last."""
        marker = value_list("process_dna_scan",
                            [self.sequence, len(self.lists) + 1, self.executables,
                             self.executables, 0, 0, 0, 0.1, 0.1])
        opening = head(self.host, self.at)
        packet, packets = opening, []
        for one in [*self.lists, marker]:
            # The signature takes up to 36 bytes and the user's name.
            if len(packet) + len(one) > PACKET_MAX - 100:
                packets.append(packet)
                packet = opening
            packet += one
        return [*packets, packet]

    def packets(self, user, password):
        return [sign(p, user, password) for p in self.payloads()]


def send(packets, *ports, pause=0.0):
    """Send each packet to every port of loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for packet in packets:
            for port in ports:
                s.sendto(packet, ("127.0.0.1", port))
            if pause:
                time.sleep(pause)


def sha256_text(text):
    return hashlib.sha256(text.encode()).hexdigest()
