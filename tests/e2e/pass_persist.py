"""What snmpd's pass_persist runs: answers for an arc from a file of lines
`OID TYPE VALUE`, sorted, which is read again when it changes."""

import sys
from pathlib import Path


def read(path):
    rows = []
    for line in path.read_text().splitlines():
        oid, kind, value = (line.split(" ", 2) + [""])[:3]
        rows.append((tuple(map(int, oid.split("."))), kind, value))
    return sorted(rows)


def answer(rows, command, oid):
    for row in rows:
        if row[0] == oid if command == "get" else row[0] > oid:
            return [".".join(["", *map(str, row[0])]), row[1], row[2]]
    return ["NONE"]


def main():
    path, changed, rows = Path(sys.argv[1]), None, []
    while command := sys.stdin.readline().strip():
        if command == "PING":
            print("PONG", flush=True)
            continue
        oid = tuple(map(int, sys.stdin.readline().strip().strip(".").split(".")))
        if changed != path.stat().st_mtime_ns:
            changed, rows = path.stat().st_mtime_ns, read(path)
        print("\n".join(answer(rows, command, oid)), flush=True)


main()
