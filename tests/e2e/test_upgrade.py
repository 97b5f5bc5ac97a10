"""A real Debian host with some fifty packages' programs running is upgraded and
downgraded by its own apt: nobody is paged, but for what is no update."""

import os
import threading

import pytest

import zoo
from debian_host import debs

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def central(make_module_system):
    """A central host that has the packages of both versions."""
    system = make_module_system().start()
    system.correlator.run("manifest", "import", *debs(*zoo.ZOO))
    return system


@pytest.fixture
def host(central, make_debian_host):
    """Everything runs, in the lower version, and is known from manifests."""
    one = make_debian_host(central)
    one.start_zoo()
    one.start()
    one.wait_known("manifest")
    one.wait_scans(2)
    assert_silent(one)
    return one


def assert_silent(host):
    """No alert in any scan so far, and no trap."""
    assert host.alerts() == []
    assert host.system.nms.traps(AlertHost=host.name) == []


def packages_of(host):
    """{package: version}, as dpkg has it."""
    return dict(line.split() for line in host.root.run(
        "dpkg-query", "-W", "-f", "${Package} ${Version}\n").splitlines())


def seen_in_transaction(host):
    """Packages that a scan saw while dpkg was at them."""
    return {row[0] for row in host.system.sql(
        "SELECT DISTINCT i.package FROM process_dna.package_inventory i "
        "JOIN process_dna.agents a USING (tenant_id, agent_id) "
        f"WHERE a.name = '{host.name}' AND i.in_transaction")}


def digests(host):
    return {p.exe: host.sha256(p.exe) for p in host.programs}


def move_all(host, index):
    """Have apt move everything; the programs whose files are others now. They
    are as many as the tests are about, and so are those of them that run."""
    before, versions = digests(host), packages_of(host)
    host.move(index)
    after, now = digests(host), packages_of(host)
    assert len([p for p in zoo.ZOO if versions[p] != now[p]]) >= 20
    assert seen_in_transaction(host)
    changed = {path for path in after if after[path] != before[path]}
    running = {p.exe for p in host.programs if p.running()}
    assert len(changed & running) >= 40
    return changed


def moved(host, index, late):
    """Have apt move everything while all but `late` runs on."""
    for program in late:
        program.end()
    changed = move_all(host, index)
    host.wait_scans(2)
    return changed


def restarted(host):
    for program in host.programs:
        program.restart()
    host.wait_running()
    host.wait_known("manifest")
    host.wait_scans(2)


def test_upgrade_and_downgrade_by_apt_are_silent(host):
    for index in (-1, 0):
        late = [p for p in host.programs
                if p.exe in ("/usr/bin/jq", "/usr/bin/socat")]
        changed = moved(host, index, late)
        on_the_way = {p.exe for p in host.programs if p not in late}
        host.wait_known("manifest", [p for p in host.programs if p not in late])
        assert host.restart_pending() >= changed & on_the_way
        assert_silent(host)

        restarted(host)
        assert not host.restart_pending() & changed
        assert_silent(host)


def test_one_binary_changed_by_another_hand_during_the_upgrade(host):
    target = "/usr/bin/memcached"
    [program] = [p for p in host.programs if p.exe == target]
    file = host.root.path(target)
    unpacked, over = os.stat(file).st_ino, threading.Event()

    def attack():
        """As soon as dpkg has unpacked it."""
        while not over.is_set():
            if os.stat(file).st_ino != unpacked:
                host.swap(target)
                return
    attacker = threading.Thread(target=attack)
    attacker.start()
    try:
        assert target in move_all(host, -1)
    finally:
        over.set()
        attacker.join()

    evil = host.sha256(target)
    alert = host.wait_critical(target, "not-in-manifest", evil)
    program.restart()
    for other in host.programs:
        if other is not program:
            other.restart()
    host.wait_running()
    host.wait_known("manifest", [p for p in host.programs if p is not program])
    host.wait_scans(3)
    assert [a["alert_id"] for a in host.alerts()] == [alert["alert_id"]]
    assert len(host.system.nms.traps(AlertHost=host.name)) == 1
