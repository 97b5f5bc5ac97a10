"""SNMPv2c requests that no tool of Net-SNMP's would send (RFC 3416)."""

import socket

GET, GETNEXT, GETBULK = 0xA0, 0xA1, 0xA5
NO_ERROR, TOO_BIG = 0, 1


def _length(n):
    if n < 128:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def _tlv(tag, content):
    return bytes([tag]) + _length(len(content)) + content


def _integer(n):
    return _tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def _oid(text):
    ids = [int(i) for i in text.split(".")]
    out = bytes([ids[0] * 40 + ids[1]])
    for i in ids[2:]:
        octets = [i & 0x7F]
        while i := i >> 7:
            octets.append(0x80 | i & 0x7F)
        out += bytes(reversed(octets))
    return _tlv(6, out)


def request(kind, oids, non_repeaters=0, max_repetitions=0):
    varbinds = b"".join(_tlv(0x30, _oid(o) + b"\x05\x00") for o in oids)
    pdu = _tlv(kind, _integer(7) + _integer(non_repeaters) +
               _integer(max_repetitions) + _tlv(0x30, varbinds))
    return _tlv(0x30, _integer(1) + _tlv(4, b"public") + pdu)


def _items(data):
    """The contents of the values in `data`; IndexError if it is cut short."""
    at = 0
    while at < len(data):
        length, at = data[at + 1], at + 2
        if length & 0x80:
            size, at = length & 0x7F, at + (length & 0x7F)
            length = int.from_bytes(data[at - size:at], "big")
        if at + length > len(data):
            raise IndexError
        yield data[at:at + length]
        at += length


def ask(port, message, tcp=False, patience=30):
    """Send a request; the answer's error and its number of varbinds."""
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as s:
        s.settimeout(patience)
        s.connect(("127.0.0.1", port))
        s.sendall(message)
        data = b""
        while True:
            data += s.recv(1 << 20)
            try:
                pdu = list(_items(list(_items(list(_items(data))[0]))[2]))
                return (int.from_bytes(pdu[1], "big"),
                        len(list(_items(pdu[3]))))
            except IndexError:
                if not tcp:
                    raise
