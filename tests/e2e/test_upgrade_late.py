"""A real Debian host is upgraded before the central host knows the packages."""

import pytest

from apt_repository import Mirror, Repository, Signer
from debian_host import debs
from processes import wait_for

pytestmark = pytest.mark.long
# Some whose programs differ between their versions.
PACKAGES = ["apache2-bin", "bind9", "cron", "haproxy", "memcached", "nginx",
            "openssh-server", "rsyslog", "socat", "unbound"]


@pytest.fixture
def upgraded(make_system, make_debian_host, place):
    """A host just upgraded, everything restarted, and the paths that changed;
    the mirror that has the manifests is away."""
    signer = Signer(place / "owner", "owner")
    mirror = Mirror(Repository(place / "repository", signer).directory)
    sources = place / "late.sources"
    sources.write_text(f"Types: deb\nURIs: {mirror.uri}\nSuites: stable\n"
                       f"Components: main\nSigned-By: {signer.keyring}\n")
    mirror.go_away()

    def make(**policy):
        central = make_system(policy=policy, fetches={"late": {
            "manager": "dpkg", "sources": sources, "keyring": signer.keyring,
            "architectures": ["amd64"]}}).start()
        host = make_debian_host(central)
        host.start_zoo(PACKAGES)
        host.start()
        host.wait_known("first-use")
        host.wait_scans(2)
        before = {p.exe: host.sha256(p.exe) for p in host.programs}
        host.move(-1, *PACKAGES)
        for program in host.programs:
            program.restart()
        host.wait_running()
        return host, {p for p, d in before.items() if host.sha256(p) != d}

    yield make
    mirror.stop()
    signer.stop()


def wait_held(host, changed):
    assert len(changed) >= 5
    wait_for("all held", lambda: host.held() >= changed, 60)


def silent_with_the_manifests(host, changed):
    host.system.correlator.run("manifest", "import", *debs(*PACKAGES))
    wait_for("none held", lambda: not host.held(), 90)
    known = host.baselines()
    assert {p: known[p] for p in changed} == {
        p: (host.sha256(p), "manifest") for p in changed}
    assert host.alerts() == []
    assert host.system.nms.traps() == []


def test_held_until_the_manifests_come_then_silent(upgraded):
    host, changed = upgraded()
    wait_held(host, changed)
    host.wait_scans(3)
    assert host.alerts() == []
    silent_with_the_manifests(host, changed)


def test_what_is_held_survives_a_crash_of_the_correlator(upgraded):
    host, changed = upgraded()
    wait_held(host, changed)
    host.system.correlator.kill()
    host.system.correlator.start()
    host.wait_scans(3)
    assert host.held() >= changed
    assert host.alerts() == []
    silent_with_the_manifests(host, changed)


def test_a_manifest_that_never_comes_is_an_unverified_update(upgraded):
    host, changed = upgraded(**{"manifest-wait": 15})
    found = wait_for("an alert of each", lambda: (
        a := host.alerts(state="open")) and len(a) >= len(changed) and a, 120)
    assert {(a["path"], a["verdict"], a["severity"]) for a in found} == {
        (p, "unverified-update", "critical") for p in changed}

    host.system.correlator.run("manifest", "import", *debs(*PACKAGES))
    wait_for("all resolved",
             lambda: not host.alerts(state="open"), 120)
    for alert in found:
        host.wait_trap(alert, "pdnaBinaryChanged")
        cleared = host.wait_trap(alert, "pdnaAlertCleared")
        assert cleared["pdnaAlertState"] == "cleared"
