"""A host with rpm, with everything real: rpm installs and upgrades packages
that rpmbuild made, collectd reports what librpm says of them."""

import shutil
from pathlib import Path

import pytest

from apt_repository import Mirror
from harness import swap
from host import sha256_of
from processes import register, unregister, wait_for
from rpm_repository import ARCH, Repository, build_rpm, needs_rpm, waiting

pytestmark = needs_rpm
EXE = "/opt/made/daemon"
DATABASE = "/var/lib/rpm"


class RpmHost:
    """A host with a root of its own, over this machine's /, where collectd and
    the programs run. rpm installs there as an installer does: the host's root
    is a folder for it."""

    ROOT = "/mnt/root"

    def __init__(self, place, central, make_debian_host):
        self.place = place
        self.central = central
        self.host = make_debian_host(central, lower="/")
        self.host.globs = [EXE]
        self.host.root.shell(f"rm -rf {DATABASE} /usr/lib/sysimage/rpm\n"
                             f"mkdir -p {self.ROOT}\nmount --rbind / {self.ROOT}")
        self.file = self.host.root.path(EXE)
        self.hold = self.host.directory / "hold"
        self.running = None
        register(self)

    def stop(self):
        unregister(self)
        self.hold.unlink(missing_ok=True)
        if self.running:
            self.running.communicate(timeout=60)
            self.running = None

    def content(self, version):
        return Path("/bin/sleep").read_bytes() + version.encode()

    def package(self, version, **kwargs):
        return build_rpm(self.place, "daemon", version,
                         {EXE: self.content(version)}, **kwargs)

    def command(self, rpm, *options):
        # By itself Debian's rpm has a database in a home.
        return ["rpm", "--root", self.ROOT, "--dbpath", DATABASE, "--nodeps",
                "-U", *options, shutil.copy(rpm, self.host.directory)]

    def install(self, rpm, *options):
        """What rpm does; the digest that the file then has."""
        self.host.root.run(*self.command(rpm, *options))
        return self.host.sha256(EXE)

    def begin_install(self, rpm):
        """The same, while a script of the package waits."""
        self.hold.touch()
        self.running = self.host.root.begin(*self.command(rpm))

    def end_install(self):
        self.hold.unlink()
        self.running.communicate(timeout=60)
        assert self.running.returncode == 0
        self.running = None

    def run(self):
        """A daemon, beside those that run on."""
        return self.host.run_inside(EXE, "86400")

    def import_rpm(self, rpm, *options):
        self.central.correlator.run("manifest", "import", *options, rpm)

    def package_row(self):
        rows = self.central.sql(
            "SELECT manager, package, version, arch, in_transaction FROM"
            " process_dna.package_inventory WHERE until IS NULL")
        return rows[0] if rows else None

    def begin(self):
        """Version 1 is installed and runs, and the file is known."""
        self.install(self.package("1:1.0-1"))
        self.run()
        self.host.start()
        self.host.wait_known("first-use")
        self.host.assert_silent()

    def established(self):
        """Its package is known as well."""
        self.begin()
        wait_for("its package is known", lambda: self.package_row() == [
            "rpm", "daemon", "1:1.0-1", ARCH, "f"])
        return self

    def in_transaction(self):
        row = self.package_row()
        return row is not None and row[4] == "t"


@pytest.fixture
def make_rpm_host(place, make_system, make_debian_host):
    made = []

    def make(section=None):
        central = make_system(
            **({"fetches": {"test": section}} if section else {})).start()
        made.append(RpmHost(place, central, make_debian_host))
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
    rpm_host.run()
    assert rpm_host.host.wait_baseline(EXE, digest) == (digest, "manifest")
    rpm_host.host.assert_silent()
    assert rpm_host.package_row() == ["rpm", "daemon", "1:1.1-1", ARCH, "f"]

    rpm_host.host.swap(EXE)
    rpm_host.run()
    rpm_host.host.wait_critical(EXE, "not-in-manifest")


def test_a_downgrade_without_its_manifest_is_critical(rpm_host):
    old = rpm_host.package("1:0.9-1")
    rpm_host.install(old, "--oldpackage")
    rpm_host.run()
    alert = rpm_host.host.wait_critical(EXE, "unverified-update")
    rpm_host.import_rpm(old)
    rpm_host.host.wait_alert(EXE, state="resolved")
    rpm_host.host.wait_trap(alert, "pdnaAlertCleared")


@pytest.mark.parametrize("script", ["pre", "post"])
def test_what_changes_in_a_transaction_is_held_until_its_end(rpm_host, script):
    """In %pre only the lock tells of it; in %post both versions are there."""
    new = rpm_host.package("1:1.2-1", scripts=waiting(script, rpm_host.hold))
    rpm_host.begin_install(new)
    if script == "pre":
        # As rpm itself does, before it writes its database.
        wait_for("rpm is at work", lambda: rpm_host.host.root.path(
            f"{DATABASE}/.rpm.lock").exists() and rpm_host.running.poll() is None)
        swap(rpm_host.file, b"")
        rpm_host.file.write_bytes(rpm_host.content("1:1.2-1"))
    wait_for("the new file", lambda: rpm_host.host.sha256(EXE) != sha256_of(
        "/bin/sleep") and b"1:1.2-1" in rpm_host.file.read_bytes()[-8:])
    digest = rpm_host.host.sha256(EXE)
    rpm_host.run()
    wait_for("held", rpm_host.central.holds)
    wait_for("in transaction", rpm_host.in_transaction)
    rpm_host.host.assert_silent()

    rpm_host.import_rpm(new)
    rpm_host.end_install()
    assert rpm_host.host.wait_baseline(EXE, digest) == (digest, "manifest")
    rpm_host.host.assert_silent()
    assert not rpm_host.in_transaction()


def test_a_signed_package_is_told_by_its_key(rpm_host, signer):
    repository = Repository(rpm_host.place / "repository", signer)
    rpm = repository.add("daemon", "1:1.3-1",
                         {EXE: rpm_host.content("1:1.3-1")})
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
        new = repository.add("daemon", "1:1.4-1",
                             {EXE: rpm_host.content("1:1.4-1")})
        digest = rpm_host.install(new)
        rpm_host.run()
        assert rpm_host.host.wait_baseline(
            EXE, digest, deadline=120) == (digest, "manifest")
        rpm_host.host.assert_silent()
        [listed] = rpm_host.central.correlator.json("manifest", "list")
        assert listed["provenance"] == "signed-index"
    finally:
        mirror.stop()


def test_a_host_without_librpm_says_so_once_and_goes_on(make_rpm_host):
    rpm_host = make_rpm_host()
    # What the loader finds first is no library.
    for name in ("librpm.so.8", "librpm.so.9", "librpm.so.10"):
        (rpm_host.host.libraries / name).write_text("no library")
    rpm_host.begin()
    log = rpm_host.host.collectd.log.path.read_text()
    assert log.count("packages of rpm: librpm can't be loaded") == 1
    assert rpm_host.package_row() is None
    rpm_host.host.swap(EXE)
    rpm_host.run()
    rpm_host.host.wait_critical(EXE)
