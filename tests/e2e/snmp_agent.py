"""SNMP agents that exist only here: they answer v2c GET, GETNEXT and GETBULK
from tables on ports of loopback, many in one thread, and as wrongly as a test
wants."""

import bisect
import hashlib
import selectors
import socket
import threading
import time

INTEGER, OCTETS, NULL, OID = 0x02, 0x04, 0x05, 0x06
GAUGE, TICKS = 0x42, 0x43
NO_OBJECT, END = 0x80, 0x82
GET, NEXT, RESPONSE, BULK = 0xA0, 0xA1, 0xA2, 0xA5
TOO_BIG = 1
NOWHERE = (0, 0)

MIB = (1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 362)
AGENT, ENTRY = MIB + (1, 1), MIB + (1, 3, 1)
SYS_NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)
UPTIME = (1, 3, 6, 1, 2, 1, 25, 1, 1, 0)
IP_ADDRESS = (1, 3, 6, 1, 2, 1, 4, 34, 1)
OLD_ADDRESS = (1, 3, 6, 1, 2, 1, 4, 20, 1, 2)
IF_DESCR = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2)

STATES = {"current": 1, "replaced": 2, "deleted": 3, "anonymous": 4,
          "spoofed": 5, "unreadable": 6, "superseded": 7}
COLUMNS = {"container": 2, "path": 3, "sha256": 4, "state": 5, "reason": 6,
           "processes": 7, "rss": 8, "pid": 9, "uid": 10, "name": 11,
           "started": 12, "manager": 13, "package": 14, "version": 15,
           "arch": 16, "transaction": 17, "observed": 18}


# --- BER (X.690), as far as SNMP has it ---------------------------------------
def tlv(tag, content):
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value, tag=INTEGER):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big",
                                   signed=True))


def oid_content(oid):
    out = bytearray()
    for part in (oid[0] * 40 + oid[1], *oid[2:]):
        septets = [part & 0x7F]
        while part := part >> 7:
            septets.append(part & 0x7F | 0x80)
        out += bytes(reversed(septets))
    return bytes(out)


def take(data, at=0):
    """(tag, content, where the next begins)"""
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        more = size & 0x7F
        size = int.from_bytes(data[at:at + more], "big")
        at += more
    return tag, data[at:at + size], at + size


def parts(data):
    at = 0
    while at < len(data):
        tag, content, at = take(data, at)
        yield tag, content


def parse_oid(content):
    oid, part = [], 0
    for byte in content:
        part = part << 7 | byte & 0x7F
        if not byte & 0x80:
            oid.append(part)
            part = 0
    return (oid[0] // 40, oid[0] % 40, *oid[1:])


def text(value):
    return tlv(OCTETS, value if isinstance(value, bytes) else value.encode())


def date_and_time(seconds):
    t = time.gmtime(seconds)
    return tlv(OCTETS, bytes([t.tm_year >> 8, t.tm_year & 255, t.tm_mon,
                              t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec,
                              int(seconds * 10) % 10]) + b"+\0\0")


def varbind(oid, value):
    return tlv(0x30, tlv(OID, oid_content(oid)) + value)


class Executable:
    """A row of pdnaExecutableTable; any column may be given another value."""

    def __init__(self, path, sha256, state="current", **columns):
        self.values = {
            "container": text(""), "path": text(path), "sha256": text(sha256),
            "state": integer(STATES[state]), "reason": integer(0),
            "processes": integer(1, GAUGE), "rss": integer(4096),
            "pid": integer(4242), "uid": integer(0, GAUGE),
            "name": text("service"), "started": date_and_time(1700000000),
            "manager": text(""), "package": text(""), "version": text(""),
            "arch": text(""), "transaction": integer(2),
            "observed": date_and_time(time.time()), **columns}


class SnmpAgent:
    """What one host answers. `answer` may be replaced by a hostile one."""

    def __init__(self, name, executables=(), interval=1, host_id="0123456789ab",
                 addresses=(("192.0.2.1", 2),), interfaces=None, old_ip=False):
        self.name = name
        self.interval = interval
        self.host_id = host_id
        self.addresses = list(addresses)
        self.interfaces = interfaces or {1: "lo", 2: "eth0", 3: "docker0"}
        self.old_ip = old_ip
        self.rows = {i + 1: e for i, e in enumerate(executables)}
        self.sequence = 0
        self.booted = time.time() - 86400
        self.requests = 0
        self.away = False
        self.frozen = False  # no further scans
        self.rows_max = None  # in an answer; more is tooBig
        self.overrides = {}
        self.port = None
        self.scan()

    def scan(self, at=None):
        self.sequence += 1
        self.at = time.time() if at is None else at
        self._build()

    def swap(self, index, sha256):
        """The executable of a row is another one in the next scan."""
        new = max(self.rows) + 1
        old = self.rows.pop(index)
        row = Executable("", sha256)
        row.values = {**old.values, "sha256": text(sha256)}
        self.rows[new] = row
        self.scan()
        return new

    def _build(self):
        objects = {
            AGENT + (2, 0): text(self.host_id),
            AGENT + (3, 0): integer(self.interval, GAUGE),
            AGENT + (5, 0): integer(self.sequence, GAUGE),
            AGENT + (6, 0): date_and_time(self.at),
            AGENT + (9, 0): integer(len(self.rows), GAUGE),
            SYS_NAME: text(self.name),
            UPTIME: integer(int(100 * (time.time() - self.booted)), TICKS),
        }
        for index, row in self.rows.items():
            for column, value in row.values.items():
                objects[ENTRY + (COLUMNS[column], index)] = value
        for index, name in self.interfaces.items():
            objects[IF_DESCR + (index,)] = text(name)
        for address, interface in self.addresses:
            octets = tuple(socket.inet_pton(
                socket.AF_INET6 if ":" in address else socket.AF_INET, address))
            if self.old_ip:
                objects[OLD_ADDRESS + octets] = integer(interface)
                continue
            index = (2 if len(octets) == 16 else 1, len(octets), *octets)
            objects[IP_ADDRESS + (3, *index)] = integer(interface)
            kind = 3 if octets[-1] == 255 else 1  # broadcast, unicast
            objects[IP_ADDRESS + (4, *index)] = integer(kind)
        objects.update(self.overrides)
        self.objects = {k: v for k, v in objects.items() if v is not None}
        self.order = sorted(self.objects)

    def override(self, oid, value):
        """Another value of an object, or none, in this scan and others."""
        self.overrides[oid] = value
        self._build()

    def next(self, oid):
        at = bisect.bisect_right(self.order, oid)
        if at == len(self.order):
            return oid, tlv(END, b"")
        return self.order[at], self.objects[self.order[at]]

    def answer(self, kind, oids, repetitions):
        """The varbinds of an answer, or the number of an error."""
        if kind == GET:
            return [(o, self.objects.get(o, tlv(NO_OBJECT, b""))) for o in oids]
        if kind == NEXT:
            return [self.next(o) for o in oids]
        if self.rows_max is not None and repetitions > self.rows_max \
                and len(oids) > 2:
            return TOO_BIG
        found = []
        for _ in range(repetitions):
            row = [self.next(o) for o in oids]
            found += row
            oids = [o for o, _ in row]
        return found

    def message(self, request):
        """The answer to a packet."""
        _, body, _ = take(request)
        (_, _), (_, community), (kind, pdu) = parts(body)
        (_, number), (_, _), (_, repetitions), (_, varbinds) = parts(pdu)
        if not self.frozen and time.time() - self.at > self.interval:
            self.scan()
        oids = [parse_oid(take(v)[1]) for _, v in parts(varbinds)]
        found = self.answer(kind, oids, int.from_bytes(repetitions, "big"))
        error = 0
        if isinstance(found, int):
            error, found = found, [(o, tlv(NULL, b"")) for o in oids]
        answer = (tlv(INTEGER, number) + integer(error) + integer(0) +
                  tlv(0x30, b"".join(varbind(o, v) for o, v in found)))
        return tlv(0x30, integer(1) + tlv(OCTETS, community) +
                   tlv(RESPONSE, answer))


class Responder:
    """Answers for all its agents, each on a port of its own."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.failure = None

    def add(self, agent, port=0):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("127.0.0.1", port))
        s.setblocking(False)
        agent.port = s.getsockname()[1]
        self.selector.register(s, selectors.EVENT_READ, agent)
        return agent

    def start(self):
        self.thread.start()
        return self

    def _run(self):
        while not self.ended:
            for key, _ in self.selector.select(0.2):
                try:
                    self._answer(key.fileobj, key.data)
                except BlockingIOError:
                    pass
                except Exception as e:  # shown by the test that stops it
                    self.failure = e

    @staticmethod
    def _answer(s, agent):
        request, peer = s.recvfrom(65536)
        agent.requests += 1
        if not agent.away:
            s.sendto(agent.message(request), peer)

    def stop(self):
        self.ended = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()
        if self.failure:
            raise self.failure


def digest(value):
    return hashlib.sha256(value.encode()).hexdigest()
