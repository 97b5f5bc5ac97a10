"""What packages and releases ship, imported and then believed."""

import os
import pty
import re
import shutil
import signal
import subprocess
import threading

import pytest
from harness import CORRELATOR, quoted, swap
from host import sha256_of
from packages import made_deb
from processes import die_with_parent, fresh_dir, wait_for


@pytest.fixture
def central(make_system):
    """A central host that nothing is sent to: its database is what counts."""
    return make_system().start()


def imported(central, *args, status=0, **kwargs):
    """Import; what was said, on standard output and on standard error."""
    done = central.correlator.call("manifest", "import", *args, **kwargs)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def digests(central):
    return {(package, version, path): sha256 for package, version, path, sha256
            in central.sql("SELECT package, version, path, sha256 "
                           "FROM process_dna.manifests")}


def damaged_copy(deb, name, length):
    copy = deb.with_name(name)
    copy.write_bytes(deb.read_bytes()[:length])
    return copy


def test_a_folder_with_good_and_broken_packages(central, place):
    pool = fresh_dir(place / "pool/main/m")
    deb = made_deb(pool, files={"/bin/a": b"a", "/usr/lib/x y": b"\x7fELFy"})
    other = made_deb(pool, "other", arch="arm64", compression="gzip")
    damaged_copy(deb, "cut.deb", deb.stat().st_size - 100)
    (pool / "Release").write_text("Origin: nobody\n")
    (pool / "loop").symlink_to(".")

    said, complained = imported(central, place / "pool", status=1)
    assert f"{deb}: dpkg made-up 1.0-1 amd64, 2 executables" in said
    assert f"{other}: dpkg other 1.0-1 arm64, 1 executable\n" in said
    assert "2 imported, 3 executables, 0 known already, 1 broken" in said
    assert "cut.deb: " in complained and "runcated" in complained
    known = digests(central)
    assert set(known) == {("made-up", "1.0-1", "/usr/bin/a"),
                          ("made-up", "1.0-1", "/usr/lib/x%20y"),
                          ("other", "1.0-1", "/usr/bin/made-up")}
    assert known["made-up", "1.0-1", "/usr/bin/a"] == sha256_of(
        pool / "made-up_1.0-1.root/bin/a")
    listed = {m["package"]: m for m in central.correlator.json("manifest", "list")}
    assert set(listed) == {"made-up", "other"}
    assert listed["made-up"]["provenance"] == "file"
    assert listed["made-up"]["origin"] == str(deb)
    assert "@" in listed["made-up"]["added_by"] and listed["made-up"]["files"] == 2

    # Once more: nothing is new, and what is broken still is.
    said, _ = imported(central, place / "pool", status=1)
    assert "0 imported, 0 executables, 2 known already, 1 broken" in said
    assert digests(central) == known


def test_what_is_no_package_is_taken_from_a_folder_only_when_meant(central, place):
    releases = fresh_dir(place / "releases")
    (releases / "app").write_bytes(b"app")
    (releases / "app").chmod(0o755)
    subprocess.run("sha256sum app > app.sha256 && tar czf app.tgz app",
                   shell=True, cwd=releases, check=True)
    said, _ = imported(central, releases)
    assert "0 imported" in said and "3 other files left out" in said
    assert digests(central) == {}

    said, _ = imported(central, "--releases", releases)
    assert "2 imported, 2 executables" in said and "1 other file" in said
    assert digests(central) == {("", "", "/app"): sha256_of(releases / "app")}


def test_a_dry_run_needs_no_database(central, place):
    deb = made_deb(place)
    config = place / "nowhere.conf"
    config.write_text(f"database = {quoted('host=/nonexistent')}\n")
    config.chmod(0o600)
    done = subprocess.run(
        [CORRELATOR, "-c", config, "manifest", "import", "--dry-run", deb],
        capture_output=True, text=True, check=True)
    digest = sha256_of(place / "made-up_1.0-1.root/usr/bin/made-up")
    assert f"{digest}  /usr/bin/made-up\n" in done.stdout
    # What it prints is a list that sha256sum and we can read.
    said, _ = imported(central, "-n", "-", input=done.stdout)
    assert f"{digest}  /usr/bin/made-up\n" in said
    assert digests(central) == {}


def test_a_dry_run_prints_names_as_sha256sum_does(central, place):
    deb = made_deb(place, files={"/opt/a b: c": b"a", "/opt/e\\f": b"e"})
    said, _ = imported(central, "--dry-run", deb)
    subprocess.run(["sha256sum", "--strict", "-c"], check=True, text=True,
                   input=said.replace("  /", f"  {place}/made-up_1.0-1.root/"))


def test_a_list_from_a_pipe_with_who_and_how_long(central):
    line = "a" * 64 + "  opt/app\n"
    said, _ = imported(central, "--by", b"build \xff7", "--expires", "90d",
                       "--path", "/srv/my app/*", "-", input=line)
    assert "1 imported, 1 executable," in said
    [release] = central.correlator.json("manifest", "list", "")
    assert (release["added_by"], release["manager"]) == ("build \\xff7", "")
    assert release["path_glob"] == "/srv/my app/*"
    assert release["expires_at"] and release["origin"] == "standard input"

    # Without a path the name of standard input's own digest says nothing.
    _, complained = imported(central, "-", input="a" * 64 + "  -\n", status=1)
    assert "--path" in complained


def test_a_pattern_that_can_match_nothing_is_refused(central):
    _, complained = imported(central, "--path", "/srv/[[:foo:]]/x", "-",
                             input="a" * 64 + "  x\n", status=2)
    assert "--path" in complained and "[:digit:]" in complained


def test_what_was_imported_by_mistake_is_removed(central):
    imported(central, "--path", "/srv/app", "-", input="a" * 64 + "  app\n")
    [release] = central.correlator.json("manifest", "list", "")
    number = str(release["package_id"])
    call = central.correlator.call
    assert call("manifest", "remove", number).returncode == 2
    assert call("manifest", "remove", "x", "--why", "y").returncode == 2
    done = call("manifest", "remove", number, "9" * 9, "--why", "mistake")
    assert done.returncode == 1
    assert done.stdout.startswith(f"{number}: release (file, ")
    assert done.stdout.endswith("), removed\n")
    assert "manifest 999999999: no such manifest" in done.stderr
    assert digests(central) == {}


def test_options_of_releases_are_refused_for_packages(central, place):
    _, complained = imported(central, "--path", "/opt/*", made_deb(place), status=1)
    assert "is a package" in complained
    assert digests(central) == {}


def test_a_bomb_ends_by_the_limit(central, place):
    bomb = place / "bomb.tar.zst"
    with open(bomb, "wb") as f:
        subprocess.run("(truncate -s 1T big; chmod 755 big; tar cS big; rm big) "
                       "| zstd", shell=True, cwd=place, check=True, stdout=f)
    assert bomb.stat().st_size < 10000
    _, complained = imported(central, "--max-size", "64", bomb, status=1)
    assert "unpacks to more than 64 MiB" in complained
    assert digests(central) == {}


def test_on_a_terminal_it_shows_a_bar_and_no_lines(central, place):
    deb = made_deb(place)
    leader, terminal = pty.openpty()
    seen = []

    def watch():
        try:
            while data := os.read(leader, 4096):
                seen.append(data)
        except OSError:
            pass

    watcher = threading.Thread(target=watch)
    watcher.start()
    subprocess.run([CORRELATOR, "-c", central.correlator.config, "manifest",
                    "import", deb], stdin=terminal, stdout=terminal,
                   stderr=terminal, check=True, preexec_fn=die_with_parent)
    os.close(terminal)
    watcher.join()
    os.close(leader)
    text = b"".join(seen).decode()
    assert "[....................] 0 B of" in text
    assert "1 imported, 1 executable" in text
    assert "dpkg made-up" not in text


def test_an_interrupt_ends_it_cleanly(central, place):
    deb = made_deb(place)
    os.mkfifo(place / "fifo")
    importer = subprocess.Popen(
        [CORRELATOR, "-c", central.correlator.config, "manifest", "import", deb,
         "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=die_with_parent)
    # Standard input comes first, and does not end.
    importer.stdin.write("a" * 64 + "  /opt/x\n")
    importer.stdin.flush()
    wait_for("it waits for more", lambda: "pipe_read" in open(
        f"/proc/{importer.pid}/wchan", encoding="ascii").read())
    importer.send_signal(signal.SIGINT)
    said, _ = importer.communicate(timeout=30)
    assert "interrupted" in said and importer.returncode == 1
    assert digests(central) == {}


def import_release(host, file, *options, name=None):
    """A list of that one file, at the path of the service's binary."""
    listed = host.directory / f"release{len(list(host.directory.glob('*.list')))}.list"
    name = name or host.bin / "service"
    listed.write_text(f"{sha256_of(file)} *{name}\n")
    done = host.system.correlator.call("manifest", "import", *options, listed)
    assert done.returncode == 0, done.stderr
    return listed


@pytest.mark.parametrize("by_glob", [False, True], ids=["path", "glob"])
def test_a_release_makes_a_deploy_silent_and_what_is_not_in_it_loud(host, by_glob):
    path = host.binary()
    host.established(path)
    shutil.copy2(path, path + b".next")
    with open(path + b".next", "ab") as f:
        f.write(b"\nrelease 2")
    if by_glob:
        listed = import_release(
            host, path + b".next", "--expires", "30d", "--path",
            f"{host.directory}/b?n/[r-t]ervi*", name="build/out")
    else:
        listed = import_release(host, path + b".next", "--expires", "30d")

    os.rename(path + b".next", path)
    assert host.wait_baseline(path, sha256_of(path)) == (sha256_of(path),
                                                         "manifest")
    host.assert_quiet(path)
    told = host.system.correlator.run("explain", host.name, path)
    assert "of a release of your own: nothing vouches for it but who" in told
    # A line that has no room for the path breaks before it.
    assert re.search(rf"\bfrom\s+{re.escape(str(listed))}\n", told)

    swap(path, b"not in the list")
    alert = host.wait_critical(path, sha256=sha256_of(path))
    # A release that comes late covers it, and explain tells which.
    late = import_release(host, path)
    assert host.wait_trap(alert, "pdnaAlertCleared", 90)
    assert str(late) in host.system.correlator.run("explain", alert["key"])
