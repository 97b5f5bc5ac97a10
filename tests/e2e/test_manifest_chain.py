"""From an update on a host to its verdict, with everything real: dpkg installs,
collectd reports, `run` fetches through apt from a signed repository."""

import subprocess
from pathlib import Path

import pytest

from apt_repository import ARCH, Mirror, Repository, processes_below
from harness import quoted, swap
from host import sha256_of
from packages import made_deb
from processes import fresh_dir, wait_for


class Fleet:
    """A repository, a central host that fetches from it, and hosts on which
    dpkg installs; the repository may have what they install, or not."""

    def __init__(self, place, signer, make_system, make_host, **section):
        self.place = place
        self.make_host = make_host
        self.repository = Repository(place / "repository", signer)
        self.mirror = Mirror(self.repository.directory)
        sources = place / "test.sources"
        sources.write_text(self.repository.sources(self.mirror.uri))
        self.central = make_system(fetches={"test": {
            "manager": "dpkg", "sources": sources, "keyring": signer.keyring,
            "architectures": [ARCH], **section}}).start()

    def new_host(self):
        """A host with a package database of its own, and its binary's path."""
        admin = fresh_dir(self.place / "root/var/lib/dpkg")
        for folder in ("info", "updates"):
            fresh_dir(admin / folder)
        (admin / "status").touch()
        self.admin = admin
        self.host = self.make_host(self.central, options={
            "PackageRoot": quoted(self.place / "root")})
        self.path = self.host.bin / "daemon"
        return self.host

    def files(self, version):
        return {str(self.path): Path("/bin/sleep").read_bytes()
                + version.encode()}

    def install(self, version):
        """What dpkg does; the digest that the file then has."""
        deb = made_deb(fresh_dir(self.place / f"made-{version}"), "daemon",
                       version, self.files(version))
        subprocess.run(
            ["dpkg", f"--admindir={self.admin}", "--instdir=/",
             f"--log={self.place}/dpkg.log", "--install", deb],
            check=True, capture_output=True)
        return sha256_of(self.path)

    def publish(self, version):
        self.repository.add("daemon", version, self.files(version))

    def state(self, version):
        """What became of the request, None before there is one."""
        rows = self.central.sql(
            "SELECT state, leased_by FROM process_dna.manifest_requests"
            f" WHERE package = 'daemon' AND version = '{version}'")
        return rows[0][0] if rows else None


@pytest.fixture
def make_fleet(place, signer, make_system, make_host):
    made = []

    def make(**section):
        made.append(Fleet(place, signer, make_system, make_host, **section))
        return made[-1]

    yield make
    for fleet in made:
        fleet.mirror.stop()


@pytest.fixture
def fleet(make_fleet):
    """Where version 1 is installed, runs and is known."""
    return established(make_fleet())


def established(one):
    host = one.new_host()
    one.publish("1")
    one.install("1")
    host.established(one.path)
    wait_for("its package is known", lambda: one.central.sql(
        "SELECT version FROM process_dna.package_inventory WHERE package = 'daemon'"
        " AND version = '1' AND until IS NULL"))
    return one


def test_an_update_is_fetched_and_silent(fleet):
    fleet.publish("2")
    digest = fleet.install("2")
    fleet.host.run(fleet.path)  # beside the one that runs on
    assert fleet.host.wait_baseline(fleet.path, digest) == (digest, "manifest")
    assert fleet.state("2") == "found"
    fleet.host.assert_silent()
    assert fleet.central.new_counters()["manifests-found"] == 1
    assert_told_why_it_was_silent(fleet, digest)

    # The next change is no update.
    swap(fleet.path, b"evil")
    fleet.host.run(fleet.path)
    alert = fleet.host.wait_critical(fleet.path, "not-in-manifest")
    told = explained(fleet, fleet.path)
    assert f"see `explain {alert['alert_id']}`" in told
    assert sha256_of(fleet.path) in told


def explained(fleet, path):
    """What is said of an executable there, as if on one line."""
    return " ".join(fleet.central.correlator.run(
        "explain", fleet.host.name, path).split())


def assert_told_why_it_was_silent(fleet, digest):
    correlator = fleet.central.correlator
    [manifest] = correlator.json("manifest", "list", "daemon")
    told = explained(fleet, fleet.path)
    assert f"trusted {digest}" in told
    assert "manifest of daemon 2: an index that is signed names it" in told
    assert f"by {manifest['added_by']}" in told
    assert f"ID {manifest['package_id']} in `manifest list`" in told
    assert manifest["origin"] in told
    assert "rebaselined: manifest of daemon 2" in told

    facts = correlator.json("explain", fleet.host.name, fleet.path)
    assert facts["host"] == fleet.host.name
    assert [b["manifest_provenance"] for b in facts["baselines"]] == [
        "signed-index", None]
    assert explained(fleet, facts["path"]) == told  # as it is listed

    # What it does not know, it says; and what may have been meant.
    done = correlator.call("explain", fleet.host.name, "/nowhere/daemon")
    assert done.returncode == 1 and facts["path"] in done.stderr
    done = correlator.call("explain", fleet.host.name, "/nowhere/else")
    assert done.returncode == 1 and f"on {fleet.host.name}\n" in done.stderr
    done = correlator.call("explain", "nobody", fleet.path)
    assert done.returncode == 1 and "host nobody: no such host" in done.stderr


def test_a_version_that_nobody_offers_is_critical_at_once(fleet):
    fleet.install("666")
    fleet.host.run(fleet.path)
    alert = fleet.host.wait_critical(fleet.path, "unverified-update")
    assert fleet.state("666") == "none"

    # Published after all, and fetched by hand: the alert is over.
    fleet.publish("666")
    fleet.central.correlator.run("manifest", "fetch", "daemon=666")
    fleet.host.wait_alert(fleet.path, state="resolved")
    fleet.host.wait_trap(alert, "pdnaAlertCleared")


def test_a_mirror_that_is_away_holds_the_verdict_until_it_is_back(fleet):
    fleet.publish("2")
    fleet.mirror.go_away()
    digest = fleet.install("2")
    fleet.host.run(fleet.path)
    wait_for("no answer", lambda: fleet.state("2") == "failed")
    wait_for("held", fleet.central.holds)
    fleet.host.assert_silent()
    assert fleet.central.new_counters()["manifests-failed"] >= 1

    fleet.mirror.start()
    assert fleet.host.wait_baseline(fleet.path, digest, deadline=150) == (
        digest, "manifest")
    fleet.host.assert_silent()


def test_a_hung_mirror_is_in_nobodys_way(make_fleet, make_host):
    fleet = established(make_fleet(timeout=3600))
    other = make_host(fleet.central)
    path = other.binary()
    other.established(path)
    fleet.publish("2")
    fleet.mirror.hangs = True
    fleet.install("2")
    fleet.host.run(fleet.path)
    root = fleet.central.correlator.directory / "state/fetch/test"
    wait_for("it hangs", lambda: processes_below(root))

    # Verdicts go on,
    swap(path, b"evil")
    other.run(path)
    other.wait_critical(path)
    # and at the end nothing is left behind.
    fleet.central.correlator.stop()
    wait_for("they have ended", lambda: processes_below(root) == [])
