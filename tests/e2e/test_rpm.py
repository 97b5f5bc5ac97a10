"""A host with rpm, with everything real: rpm installs and upgrades packages
that rpmbuild made, collectd reports what librpm says of them."""

import subprocess
from pathlib import Path

import pytest

from apt_repository import Mirror
from harness import quoted, swap
from host import sha256_of
from processes import fresh_dir, register, unregister, wait_for
from rpm_repository import ARCH, Repository, build_rpm, needs_rpm, waiting

pytestmark = needs_rpm


class RpmHost:
    """A host whose rpm has a database of its own; the files of its packages
    lie below the host's folder."""

    def __init__(self, place, central, make_host, **options):
        self.place = place
        self.central = central
        self.root = fresh_dir(place / "root")
        self.database = fresh_dir(self.root / "var/lib/rpm")
        self.hold = place / "hold"
        self.host = make_host(central, options={
            "PackageRoot": quoted(self.root)}, **options)
        self.path = self.host.bin / "daemon"
        self.running = None
        register(self)

    def stop(self):
        unregister(self)
        self.hold.unlink(missing_ok=True)
        if self.running:
            self.running.wait(timeout=60)
            self.running = None

    def content(self, version):
        return Path("/bin/sleep").read_bytes() + version.encode()

    def package(self, version, **kwargs):
        return build_rpm(self.place, "daemon", version,
                         {str(self.path): self.content(version)}, **kwargs)

    def command(self, *args):
        return ["rpm", "--dbpath", self.database, "--nodeps", *args]

    def install(self, rpm, *options):
        """What rpm does; the digest that the file then has."""
        subprocess.run(self.command("-U", *options, rpm), check=True,
                       capture_output=True,
                       env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                            "HOME": str(self.place)})
        return sha256_of(self.path)

    def begin_install(self, rpm):
        """The same, while a script of the package waits."""
        self.hold.touch()
        # pylint: disable=consider-using-with
        self.running = subprocess.Popen(
            self.command("-U", rpm), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def end_install(self):
        self.hold.unlink()
        assert self.running.wait(timeout=60) == 0
        self.running = None

    def import_rpm(self, rpm, *options):
        self.central.correlator.run("manifest", "import", *options, rpm)

    def package_row(self):
        rows = self.central.sql(
            "SELECT manager, package, version, arch, in_transaction FROM"
            " process_dna.package_inventory WHERE until IS NULL")
        return rows[0] if rows else None

    def established(self):
        """Version 1 is installed, runs and is known."""
        rpm = self.package("1:1.0-1")
        self.install(rpm)
        self.host.established(self.path)
        wait_for("its package is known", lambda: self.package_row() == [
            "rpm", "daemon", "1:1.0-1", ARCH, "f"])
        return self

    def in_transaction(self):
        row = self.package_row()
        return row is not None and row[4] == "t"


@pytest.fixture
def make_rpm_host(place, make_system, make_host):
    made = []

    def make(**options):
        section = options.pop("section", None)
        central = make_system(
            **({"fetches": {"test": section}} if section else {})).start()
        made.append(RpmHost(place, central, make_host, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def rpm_host(make_rpm_host):
    return make_rpm_host().established()


def test_an_upgrade_with_its_manifest_is_silent_and_a_swap_is_not(rpm_host):
    new = rpm_host.package("1:1.1-1")
    rpm_host.import_rpm(new)
    digest = rpm_host.install(new)
    rpm_host.host.run(rpm_host.path)  # beside the one that runs on
    assert rpm_host.host.wait_baseline(rpm_host.path, digest) == (
        digest, "manifest")
    rpm_host.host.assert_silent()
    assert rpm_host.package_row() == ["rpm", "daemon", "1:1.1-1", ARCH, "f"]

    swap(rpm_host.path, b"evil")
    rpm_host.host.run(rpm_host.path)
    rpm_host.host.wait_critical(rpm_host.path, "not-in-manifest")


def test_a_downgrade_without_its_manifest_is_critical(rpm_host):
    old = rpm_host.package("1:0.9-1")
    rpm_host.install(old, "--oldpackage")
    rpm_host.host.run(rpm_host.path)
    alert = rpm_host.host.wait_critical(rpm_host.path, "unverified-update")
    rpm_host.import_rpm(old)
    rpm_host.host.wait_alert(rpm_host.path, state="resolved")
    rpm_host.host.wait_trap(alert, "pdnaAlertCleared")


@pytest.mark.parametrize("script", ["pre", "post"])
def test_what_changes_in_a_transaction_is_held_until_its_end(rpm_host, script):
    """In %pre only the lock tells of it; in %post both versions are there."""
    new = rpm_host.package("1:1.2-1", scripts=waiting(script, rpm_host.hold))
    rpm_host.begin_install(new)
    if script == "pre":
        # As rpm itself does, before it writes its database.
        wait_for("rpm is at work", lambda: (rpm_host.database / ".rpm.lock")
                 .exists() and rpm_host.running.poll() is None)
        swap(rpm_host.path, b"")
        rpm_host.path.write_bytes(rpm_host.content("1:1.2-1"))
    wait_for("the new file", lambda: sha256_of(rpm_host.path) != sha256_of(
        "/bin/sleep") and b"1:1.2-1" in rpm_host.path.read_bytes()[-8:])
    digest = sha256_of(rpm_host.path)
    rpm_host.host.run(rpm_host.path)
    wait_for("held", rpm_host.central.holds)
    wait_for("in transaction", rpm_host.in_transaction)
    rpm_host.host.assert_silent()

    rpm_host.import_rpm(new)
    rpm_host.end_install()
    assert rpm_host.host.wait_baseline(rpm_host.path, digest) == (
        digest, "manifest")
    rpm_host.host.assert_silent()
    assert not rpm_host.in_transaction()


def test_a_signed_package_is_told_by_its_key(rpm_host, signer):
    repository = Repository(rpm_host.place / "repository", signer)
    rpm = repository.add("daemon", "1:1.3-1", {
        str(rpm_host.path): rpm_host.content("1:1.3-1")})
    rpm_host.import_rpm(rpm)
    [listed] = rpm_host.central.correlator.json("manifest", "list")
    assert listed["provenance"] == "file"
    rpm_host.import_rpm(rpm, "--keyring", signer.keyring)
    [listed] = rpm_host.central.correlator.json("manifest", "list")
    assert (listed["manager"], listed["package"], listed["version"],
            listed["arch"], listed["provenance"]) == (
                "rpm", "daemon", "1:1.3-1", ARCH, "signed-package")


def test_an_update_is_fetched_through_dnf_and_silent(make_rpm_host, place,
                                                     signer):
    repository = Repository(place / "repository", signer)
    mirror = Mirror(repository.directory)
    sources = place / "test.repo"
    sources.write_text(repository.sources(mirror.uri))
    rpm_host = make_rpm_host(section={
        "manager": "rpm", "sources": sources, "keyring": signer.keyring,
        "architectures": [ARCH]}).established()
    try:
        new = repository.add("daemon", "1:1.4-1", {
            str(rpm_host.path): rpm_host.content("1:1.4-1")})
        digest = rpm_host.install(new)
        rpm_host.host.run(rpm_host.path)
        assert rpm_host.host.wait_baseline(rpm_host.path, digest,
                                           deadline=120) == (digest, "manifest")
        rpm_host.host.assert_silent()
        [listed] = rpm_host.central.correlator.json("manifest", "list")
        assert listed["provenance"] == "signed-index"
    finally:
        mirror.stop()


def test_a_host_without_librpm_says_so_once_and_goes_on(make_rpm_host, place):
    # What the loader finds first is no library.
    broken = fresh_dir(place / "broken")
    for name in ("librpm.so.8", "librpm.so.9", "librpm.so.10"):
        (broken / name).write_text("no library")
    rpm_host = make_rpm_host(env={"LD_LIBRARY_PATH": str(broken)})
    rpm_host.install(rpm_host.package("1:1.0-1"))
    rpm_host.host.established(rpm_host.path)
    log = rpm_host.host.collectd.log.path.read_text()
    assert log.count("packages of rpm: librpm can't be loaded") == 1
    assert rpm_host.package_row() is None
    swap(rpm_host.path, b"evil")
    rpm_host.host.run(rpm_host.path)
    rpm_host.host.wait_critical(rpm_host.path)
