"""prometheus-snmp-exporter with the module that is shipped: a real scrape."""

import re
import urllib.request

import pytest

from harness import copy_binary
from processes import ROOT, Daemon, free_port
from snmp import wait_hashed

MODULE = ROOT / "packaging/snmp_exporter.yml"
METRICS = {"pdnaScanInterval", "pdnaMinRss", "pdnaScanSequence",
           "pdnaLastScan", "pdnaScanDuration", "pdnaProcessCount",
           "pdnaExecutableCount", "pdnaUnhashedCount", "pdnaBytesHashed",
           "pdnaCacheHits"}


@pytest.fixture
def exporter(place):
    port = free_port()
    daemon = Daemon("exporter", ["prometheus-snmp-exporter",
                                 f"--config.file={MODULE}",
                                 f"--web.listen-address=127.0.0.1:{port}"],
                    place / "exporter.log").start()
    daemon.wait_until("listens", lambda: "istening on" in daemon.log.text())
    yield f"http://127.0.0.1:{port}"
    daemon.stop()


def test_the_shipped_module_scrapes(place, snmpd, start, services, exporter):
    for i in range(3):
        copy_binary(place / f"bin/service{i}", tag=b"%d" % i)
        services(place / f"bin/service{i}", "86400")
    start()
    wait_hashed(snmpd, 3)
    url = f"{exporter}/snmp?target=127.0.0.1:{snmpd.port}&module=process_dna"
    with urllib.request.urlopen(url, timeout=60) as answer:
        scraped = answer.read().decode()
    found = dict(re.findall(r"^(pdna\w+) (\S+)$", scraped, re.MULTILINE))
    assert set(found) == METRICS
    values = {name: float(value) for name, value in found.items()}
    assert values["pdnaProcessCount"] == 3
    assert values["pdnaExecutableCount"] == 3
    assert values["pdnaScanInterval"] == 1
    assert values["pdnaLastScan"] > 1.7e9
    assert values["pdnaBytesHashed"] > 0
    assert 'pdnaVersion{pdnaVersion="0.1"} 1' in scraped
    # Neither digests nor paths become series.
    assert not re.search(r"[0-9a-f]{64}", scraped)
    assert str(place) not in scraped
