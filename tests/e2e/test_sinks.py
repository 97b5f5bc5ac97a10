"""Every kind of sink gets the same alert."""

import re

from harness import swap
from host import sha256_of
from processes import wait_for


# Bytes that the header of SNMPv3 takes more than that of SNMPv2c, at most.
HEADER = 200


def is_cut_from(text, longest):
    """Where paths are long SNMPv3's header leaves less room for the text."""
    return text == longest or (len(longest) - len(text) <= HEADER
                               and text.endswith("...")
                               and longest.startswith(text.removesuffix("...")))


def test_v2c_and_v3_traps_and_informs(make_system, make_host):
    sinks = {
        "v2-trap": lambda nms: nms.session(),
        "v2-inform": lambda nms: nms.session(inform=True),
        "v3-trap": lambda nms: nms.session_v3(),
        "v3-inform": lambda nms: nms.session_v3(inform=True),
    }
    system = make_system(sinks=lambda nms: {n: f(nms) for n, f in sinks.items()})
    system.start()
    host = make_host(system)
    path, second = host.binary(), host.binary("second" + 40 * "x")
    host.established(path)
    host.established(second)

    def all_arrive(alert):
        wait_for("all sinks", lambda: len(host.traps(alert)) >= len(sinks))
        traps = host.traps(alert)
        texts = sorted((t.pop("pdnaAlertText") for t in traps), key=len)
        assert all(is_cut_from(text, texts[-1]) for text in texts)
        assert len({tuple(sorted((k, v) for k, v in t.items()
                                 if k.startswith("pdna"))) for t in traps}) == 1
        host.wait_scans(2)
        assert len(host.traps(alert)) == len(sinks)

    swap(path, b"evil")
    all_arrive(host.wait_critical(path, sha256=sha256_of(path)))
    assert system.new_counters()["informs-acknowledged"] == 2

    # A receiver refuses v3 traps whose engineBoots did not move on, when it
    # has known the sender for long enough (RFC 3414, 3.2).
    system.correlator.kill()
    system.correlator.start()
    before, after = map(int, re.findall(r"SNMP engine .*, boots (\d+)",
                                        system.correlator.log.text()))
    assert after > before
    swap(second, b"evil")
    all_arrive(host.wait_critical(second, sha256=sha256_of(second)))
