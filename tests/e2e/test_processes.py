"""Processes of every odd kind: each is seen under its true digest, and none
disturbs what is known of the others."""

import os
import signal

import pytest

from harness import HELPERS, copy_binary, swap
from host import sha256_of
from processes import fresh_dir, wait_for

NOBODY = 65534
# Not below a host's folder, where no other host looks: of this run alone.
MEMFD = f"payload-{os.getpid()}"
MOUNT = f"/mnt/mount-{os.getpid()}"


def in_namespace(*commands):
    """argv of a shell in a mount namespace of its own, to run `commands`, the
    last of which is exec'd."""
    *first, last = commands
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec",
            "\n".join([*first, "exec " + last]), "sh"]


def observed(host, path=None):
    """What the database knows of a host's executables:
    {(path, state): digest}."""
    rows = host.system.sql(
        "SELECT e.path, e.state, coalesce(e.sha256, ''), e.container "
        "FROM process_dna.executables e "
        "JOIN process_dna.agents a USING (tenant_id, agent_id) "
        f"WHERE a.name = '{host.name}'")
    text = None if path is None else host.path_text(path)
    return {(p, s): (d, c) for p, s, d, c in rows if text in (None, p)}


def test_bind_mount_over_the_path_in_a_private_mount_namespace(host):
    path = host.binary()
    host.established(path)
    evil = host.binary("evil", tag=b"evil")

    host.run("/usr/bin/unshare", in_namespace(
        f"mount --bind '{os.fsdecode(evil)}' '{os.fsdecode(path)}'",
        f"'{os.fsdecode(path)}' 86400"))
    alert = host.wait_critical(path, sha256=sha256_of(evil))
    assert (alert["container"], alert["exe_state"]) == ("", "current")


def test_bind_mount_over_the_path_of_a_running_service(host):
    path = host.binary()
    host.established(path)
    evil = host.binary("evil", tag=b"evil")

    mount = host.bind(evil, path)
    alert = host.wait_critical(path, sha256=sha256_of(evil))
    assert alert["exe_state"] == "replaced"
    mount.stop()
    assert host.wait_trap(alert, "pdnaAlertCleared")


def test_private_tmp_shares_the_hosts_baseline(host):
    path = host.binary()
    host.established(path)
    # Not on /tmp itself, where all of this may lie.
    tmp = fresh_dir(host.directory / "tmp")
    private_tmp = in_namespace(f"mount -t tmpfs tmpfs '{tmp}'",
                               f"'{os.fsdecode(path)}' 86400")
    service = host.run("/usr/bin/unshare", private_tmp)
    wait_for("service in its namespace", lambda: service.exe() == path)
    host.assert_quiet(path, 3)
    assert {c for _, c in observed(host, path).values()} == {""}

    service.stop()
    swap(path, b"evil")
    host.run("/usr/bin/unshare", private_tmp)
    host.wait_critical(path, sha256=sha256_of(path))


def test_chroot_is_judged_by_its_path_on_the_host(host):
    root = fresh_dir(host.directory / "root")
    path = os.fsencode(root / "service")
    copy_binary(path, HELPERS / "service")

    def enter():
        os.chroot(root)
        os.chdir("/")
    service = host.run(b"/service", [b"/service"], preexec=enter)
    assert host.wait_baseline(path)[0] == sha256_of(path)
    host.assert_quiet(path)
    assert {c for _, c in observed(host, path).values()} == {""}
    service.stop()
    swap(path, b"evil", HELPERS / "service")
    host.run(b"/service", [b"/service"], preexec=enter)
    host.wait_critical(path, sha256=sha256_of(path))


def memfd_of(path):
    fd = os.memfd_create(MEMFD)
    with open(path, "rb") as f:
        os.write(fd, f.read())
    return fd


def test_memfd_is_critical_unless_its_digest_is_trusted(make_host, system):
    host = make_host(system, start=False)
    host.globs.append(f"/memfd:{MEMFD}")
    host.start()
    path = host.binary()
    host.established(path)
    memfd = os.fsencode(f"/memfd:{MEMFD}")

    # As runc does it: a trusted executable runs itself from a memfd.
    fd = memfd_of(path)
    trusted = host.run(f"/proc/self/fd/{fd}", ["service", "86400"], pass_fds=[fd])
    wait_for("memfd seen", lambda: observed(host, memfd))
    host.assert_quiet(memfd)
    trusted.stop()

    evil = host.binary("evil", tag=b"evil")
    fd = memfd_of(evil)
    host.run(f"/proc/self/fd/{fd}", ["service", "86400"], pass_fds=[fd])
    alert = host.wait_critical(memfd, "never-on-disk", sha256_of(evil))
    assert alert["exe_state"] == "anonymous"


def test_spoofed_exe_link(host):
    path = host.binary()
    host.established(path)

    # By descriptor, since its user may not look into our folders.
    helper = os.open(HELPERS / "spoof", os.O_RDONLY)
    disguise = os.open(path, os.O_RDONLY)

    def drop():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    spoof = host.run(f"/proc/self/fd/{helper}",
                     ["spoof", f"/proc/self/fd/{disguise}"], preexec=drop,
                     pass_fds=[helper, disguise])
    wait_for("disguised", lambda: spoof.exe() == path)
    alert = host.wait_critical(path, "spoofed")
    assert (alert["exe_state"], alert["pid"]) == ("spoofed", spoof.pid)


@pytest.mark.parametrize("name", [
    pytest.param(b'new\nline "double" \'single\' back\\slash', id="quotes"),
    pytest.param(b"not utf-8 \xff\xfe\xc3(", id="bytes"),
    pytest.param(b"percent %41 colon : dollar $HOME ~", id="codes"),
    pytest.param(b"service (deleted)", id="deleted-as-a-real-name"),
])
def test_odd_name(host, name):
    path = host.binary(name)
    host.established(path)
    # A first scan without the time to hash it calls it unreadable.
    assert {s for _, s in observed(host, path)} - {"unreadable"} == {"current"}
    swap(path, b"evil")
    host.wait_critical(path, sha256=sha256_of(path))


def test_path_of_3000_bytes(host):
    directory = os.fsencode(host.bin)
    while len(directory) < 3000 - 200:
        directory = os.path.join(directory, b"d" * 190)
    path = os.path.join(directory, b"s" * (2999 - len(directory)))
    os.makedirs(directory)
    copy_binary(path)
    assert len(path) == 3000
    host.established(path)
    swap(path, b"evil")
    alert = host.wait_critical(path, sha256=sha256_of(path))
    assert len(alert["path"]) <= 127


def test_process_whose_main_thread_has_exited(host):
    path = host.binary(source=HELPERS / "leaderless")
    service = host.run(path)
    wait_for("main thread gone", lambda: service.exe() == b"")
    assert host.wait_baseline(path)[0] == sha256_of(path)
    host.assert_quiet(path)
    service.stop()
    swap(path, b"evil", HELPERS / "leaderless")
    host.run(path)
    host.wait_critical(path, sha256=sha256_of(path))


class Fuse:
    """A FUSE mount at MOUNT, served by bindfs in a mount namespace that ends
    with it, and a service that runs from there. Served by an ordinary user and
    for that user alone, root may not read it."""

    path = os.fsencode(f"{MOUNT}/service")

    def __init__(self, host, private):
        source = os.fsdecode(host.binary("fuse", tag=os.urandom(16)))
        self.sha256 = sha256_of(source)
        user = (f"setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups"
                if private else "")
        # /mnt becomes one that this user may reach, /dev/fuse one it may open.
        self.bindfs = host.run("/usr/bin/unshare", in_namespace(
            "mount -t tmpfs -o mode=755 tmpfs /mnt",
            f"mkdir /mnt/source {MOUNT}",
            f"cp '{source}' /mnt/source/service",
            f"chown {NOBODY} /mnt/source {MOUNT}",
            "mknod -m 666 /mnt/fuse c 10 229",
            "mount --bind /mnt/fuse /dev/fuse",
            f"{user} bindfs -f {'--no-allow-other' if private else ''} "
            f"/mnt/source {MOUNT}"))
        wait_for("FUSE mount", lambda: f" {MOUNT} " in open(
            f"/proc/{self.bindfs.pid}/mountinfo", errors="replace").read())
        self.service = host.run("/usr/bin/nsenter", [
            "nsenter", f"--mount=/proc/{self.bindfs.pid}/ns/mnt",
            *user.split(), self.path, "86400"])
        wait_for("service from FUSE", lambda: self.service.exe() == self.path)


@pytest.fixture
def fuse_host(make_host, system):
    host = make_host(system, start=False)
    host.globs.append(f"{MOUNT}/*")
    return host.start()


def test_executable_on_a_fuse_mount_that_root_may_not_read(fuse_host):
    host = fuse_host
    path = host.binary()
    host.established(path)

    mount = Fuse(host, private=True)
    with pytest.raises(PermissionError):
        open(f"/proc/{mount.service.pid}/exe", "rb")
    alert = host.wait_alert(mount.path)
    assert (alert["severity"], alert["verdict"], alert["exe_state"]) == (
        "warning", "unreadable", "unreadable")
    assert {s for _, s in observed(host, mount.path)} == {"unreadable"}
    # The others are seen as before.
    swap(path, b"evil")
    host.wait_critical(path, sha256=sha256_of(path))


def test_executable_on_a_fuse_mount_that_hangs(fuse_host):
    host = fuse_host
    path = host.binary()
    host.established(path)
    mount = Fuse(host, private=False)
    assert host.wait_baseline(mount.path)[0] == mount.sha256
    host.assert_quiet(mount.path)

    # collectd started anew has to read it again.
    host.stop_collectd()
    mount.bindfs.process.send_signal(signal.SIGSTOP)
    host.start()
    host.wait_scans(2)
    swap(path, b"evil")
    host.wait_critical(path, sha256=sha256_of(path))
    alert = host.wait_alert(mount.path)
    assert (alert["severity"], alert["verdict"]) == ("critical", "unreadable")

    # It answers again: read as before, the alert resolves.
    mount.bindfs.process.send_signal(signal.SIGCONT)
    wait_for("alert resolved",
             lambda: host.alerts(mount.path, state="resolved"), 60)
