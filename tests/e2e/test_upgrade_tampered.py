"""What looks like a package update, on a real Debian host, and is none; and
what does not look like one, and is."""

import os
import signal

import pytest

from debian_host import debs
from packages import made_deb
from processes import fresh_dir, wait_for

pytestmark = pytest.mark.long
SOCAT = "/usr/bin/socat"
DPKG = "/var/lib/dpkg"


@pytest.fixture(scope="module")
def central(make_module_system):
    system = make_module_system().start()
    system.correlator.run("manifest", "import", *debs("socat", "cron"))
    return system


@pytest.fixture
def host(central, make_debian_host):
    """socat and cron run, in the lower version, and are known from manifests."""
    one = make_debian_host(central)
    one.start_zoo(["socat", "cron"])
    one.start()
    one.wait_known("manifest")
    assert_silent(one)
    return one


def assert_silent(host):
    host.wait_scans(2)
    assert host.alerts() == []
    assert host.system.nms.traps(AlertHost=host.name) == []


def assert_only(host, path, verdict):
    """One Critical alert, one trap, for this path as it is now."""
    alert = host.wait_critical(path, verdict, host.sha256(path))
    host.wait_scans(2)
    assert [a["alert_id"] for a in host.alerts()] == [alert["alert_id"]]
    assert len(host.system.nms.traps(AlertHost=host.name)) == 1
    return alert


def restart(host):
    for program in host.programs:
        program.restart()
    host.wait_running()


# --- what root does to the package database -------------------------------------
def test_old_binary_put_back_without_its_package(host):
    old = host.root.path(SOCAT).read_bytes()
    host.move(-1, "socat")
    restart(host)
    host.wait_known("manifest")
    assert_silent(host)

    host.root.path(f"{SOCAT}.old").write_bytes(old)
    host.root.shell(f"chmod 755 {SOCAT}.old; mv {SOCAT}.old {SOCAT}")
    restart(host)
    assert_only(host, SOCAT, "not-in-manifest")


def test_checksums_of_dpkg_rewritten_for_another_binary(host):
    host.swap(SOCAT)
    host.root.shell(
        f"cd {DPKG}/info && sum=$(md5sum {SOCAT} | cut -c1-32) && "
        "sed -i \"s|^[0-9a-f]*  usr/bin/socat$|$sum  usr/bin/socat|\" socat.md5sums")
    assert host.root.run("dpkg", "--verify", "socat") == ""
    assert_only(host, SOCAT, "not-in-manifest")


def test_a_made_up_version_in_the_status_file(host):
    host.swap(SOCAT)
    host.root.shell(
        f"sed -i '/^Package: socat$/,/^$/s/^Version: .*/Version: 99-1/' {DPKG}/status")
    assert host.root.run("dpkg-query", "-W", "-f", "${Version}", "socat") == "99-1"
    assert_only(host, SOCAT, "unverified-update")


def test_a_version_that_does_not_list_the_file(host):
    """Another package's list claims it, with a version that is known."""
    host.swap(SOCAT)
    host.root.shell(
        f"cd {DPKG}/info && sed -i '\\|^{SOCAT}$|d' socat.list && "
        f"echo {SOCAT} >>cron.list")
    assert host.root.run("dpkg", "-S", SOCAT).startswith("cron:")
    assert_only(host, SOCAT, "no-known-update")


def test_a_transaction_left_open_is_believed_for_ten_minutes(host):
    version = host.root.run("dpkg-query", "-W", "-f", "${Version}", "socat")
    stanza = host.root.run("dpkg-query", "-s", "socat").replace(
        "install ok installed", "install reinstreq half-installed")
    host.swap(SOCAT)
    host.root.path(f"{DPKG}/updates/0000").write_text(stanza.strip() + "\n")
    wait_for("held", lambda: SOCAT in host.held())
    assert version in stanza
    assert_silent(host)

    # Ten minutes later: the database's clock can't be waited for, so the last
    # change that was seen is made that much older.
    host.system.sql(
        "UPDATE process_dna.agents SET packages_changed = packages_changed"
        f" - interval '10 min' WHERE name = '{host.name}'")
    assert_only(host, SOCAT, "not-in-manifest")


# --- what happens to honest updates -----------------------------------------------
def test_dpkg_killed_while_it_unpacks(host):
    before = os.stat(host.root.path("/usr/sbin/cron")).st_ino
    new = [d for d in debs("cron", "socat", "libc6")][1::2]
    for deb in new:
        (host.root.directory / "new").mkdir(exist_ok=True)
        os.link(deb, host.root.directory / "new" / deb.name)
    dpkg = host.root.begin("dpkg", "-i", "-R", host.root.directory / "new")
    wait_for("cron unpacked", lambda: os.stat(
        host.root.path("/usr/sbin/cron")).st_ino != before, every=0.01)
    for pid in open(f"/proc/{dpkg.pid}/task/{dpkg.pid}/children").read().split():
        os.kill(int(pid), signal.SIGKILL)
    dpkg.communicate()
    assert host.root.run("dpkg", "--audit") != ""
    assert_silent(host)

    host.root.begin("dpkg", "--configure", "-a").communicate()
    assert_silent(host)
    host.root.run("dpkg", "-i", "-R", host.root.directory / "new")
    restart(host)
    host.wait_known("manifest")
    assert_silent(host)


def test_package_removed_while_its_program_runs(host):
    host.root.run("dpkg", "-r", "socat")
    assert not host.root.path(SOCAT).exists()
    assert_silent(host)


class Made:
    """Packages of our own on a host, which the central host knows."""

    def __init__(self, host, place):
        self.host, self.place = host, place
        self.program = host.root.path("/usr/bin/sleep").read_bytes()

    def package(self, name, version, paths, known=True, **kwargs):
        deb = made_deb(
            fresh_dir(self.place / f"{name}-{version}"), name, version,
            {p: self.program + f"\n{name} {version} {p}".encode()
             for p in paths}, **kwargs)
        if known:
            self.host.system.correlator.run("manifest", "import", deb)
        return deb

    def install(self, *debs):
        inside = self.host.root.directory / "made"
        inside.mkdir(exist_ok=True)
        for deb in debs:
            (inside / deb.name).write_bytes(deb.read_bytes())
        self.host.root.run("dpkg", "--force-confold", "-i",
                           *(inside / d.name for d in debs))

    def run(self, path):
        program = self.host.run_inside(path, "86400")
        self.host.wait_running()
        return program


@pytest.fixture
def made(central, make_debian_host, place):
    host = make_debian_host(central)
    host.start()
    return Made(host, place)


def test_a_file_that_moves_to_another_package(made):
    tool = "/usr/bin/made-tool"
    made.install(made.package("made-a", "1", [tool]))
    program = made.run(tool)
    made.host.wait_known("manifest")

    made.install(made.package("made-a", "2", ["/usr/bin/made-other"]),
                 made.package("made-b", "2", [tool],
                              fields="Replaces: made-a (<< 2)\n"
                                     "Breaks: made-a (<< 2)\n"))
    made.host.wait_known("manifest")
    assert_silent(made.host)
    program.restart()
    made.host.wait_running()
    assert_silent(made.host)


def test_a_configuration_file_that_runs(made):
    """The administrator may change it: what is there at first use is taken,
    and an update that keeps it is silent. A change that runs is not."""
    hook = "/etc/made/hook"
    v1, v2 = (made.package("made-hook", v, [hook, "/usr/bin/made-hook"],
                           scripts={"conffiles": f"{hook}\n"})
              for v in ("1", "2"))
    made.install(v1)
    made.host.swap(hook)
    mine = made.run(hook)
    made.host.wait_known("first-use")
    made.install(v2)
    assert made.host.root.path(hook).read_bytes().endswith(b"evil")
    mine.restart()
    made.host.wait_running()
    assert_silent(made.host)

    made.host.swap(hook)
    assert_only(made.host, hook, "no-known-update")


def test_a_maintainer_script_that_changes_a_program(made):
    """No manifest can know what it makes; so it has to be accepted."""
    tool = "/usr/bin/made-tool"
    made.install(made.package("made-script", "1", [tool]))
    program = made.run(tool)
    made.host.wait_known("manifest")
    made.install(made.package("made-script", "2", [tool], scripts={
        "postinst": f"#!/bin/sh\ncp -p {tool} {tool}.new\n"
                    f"echo changed >>{tool}.new\nmv {tool}.new {tool}\n"}))
    alert = assert_only(made.host, tool, "not-in-manifest")
    made.host.system.correlator.run("accept", alert["alert_id"],
                                    "--why", "its postinst does that")
    assert made.host.wait_trap(alert, "pdnaAlertCleared")
    made.host.wait_known("accepted")

    # It is judged anew, and the manifest still contradicts it.
    program.restart()
    made.host.wait_running()
    made.host.wait_scans(2)
    assert [a["alert_id"] for a in made.host.alerts()] == [alert["alert_id"]]
    assert made.host.alerts(state="open") == []


def test_a_diverted_program_is_updated(made):
    tool, real = "/usr/bin/made-tool", "/usr/bin/made-tool.real"
    divert = f"--package made-wrap --rename --divert {real} {tool}"
    made.install(made.package("made-base", "1", [tool]))
    made.install(made.package("made-wrap", "1", [tool], scripts={
        "preinst": f"#!/bin/sh\ndpkg-divert --add {divert}\n"}))
    for path in (tool, real):
        made.run(path)
    made.host.wait_known("manifest")
    made.install(made.package("made-base", "2", [tool]))
    made.host.wait_known("manifest")
    assert_silent(made.host)
