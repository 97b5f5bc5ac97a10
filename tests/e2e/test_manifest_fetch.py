"""`manifest fetch` against a real signed repository: what is there is imported
as signed, what is not is none, and whatever is not as its signature says, or
does not come in time, is a failure of which nothing is believed."""

import fcntl
import hashlib
import os
import subprocess

import pytest

from apt_repository import Repository, processes_below, run
from fetch_site import EXE, Site, content, fetching_tenant, made_sites
from packages import made_deb
from processes import CORRELATOR, fresh_dir


@pytest.fixture(scope="module")
def central(make_module_system):
    return fetching_tenant(make_module_system, "dpkg")


@pytest.fixture
def make_site(place, central, signer):
    yield from made_sites(Site, place, central, signer)


@pytest.fixture
def site(make_site):
    return make_site()


def begin(site, version):
    """The untouched case passes."""
    site.add(version)
    assert site.fetch_one(f"served={version}")[0] == "found"


def test_what_is_there_is_imported_as_signed(site):
    site.add("1.0-1")
    outcome, origin = site.fetch_one("served=1.0-1")
    assert outcome == "found"
    [[path, digest, provenance, stored]] = site.manifests("1.0-1")
    assert (path, digest) == (
        EXE, hashlib.sha256(content("1.0-1")).hexdigest())
    assert provenance == "signed-index"
    assert stored == origin
    assert origin.startswith(f"{site.mirror.uri}pool/served_1.0-1_amd64.deb ")
    assert "stable/main" in origin


def test_a_file_uri_and_the_old_format_do_as_well(site, signer):
    site.add("1:1.1~rc1+b2-1")
    site.sources.write_text(
        f"# ours\ndeb [signed-by={signer.keyring}] "
        f"file:{site.repository.directory} stable main\n")
    outcome, origin = site.fetch_one("served=1:1.1~rc1+b2-1:amd64")
    assert outcome == "found" and origin.startswith("file:/")
    assert len(site.manifests("1:1.1~rc1+b2-1")) == 1
    assert site.mirror.asked == []


def test_no_privilege_is_needed(site):
    """As the correlator's user; who else fetches there is stopped, since what
    that leaves would be in the way."""
    site.add("1.9-1")
    for path in (site.correlator.config, site.correlator.directory / "state"):
        os.chown(path, 65534, 65534)
    done = site.correlator.call("manifest", "fetch", "served=1.9-1")
    assert done.returncode == 1
    assert "expected its owner (uid 65534) to fetch, found uid 0" in done.stdout
    # A clone may lie where that user can't look.
    look = "--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search"
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *look,
         "--bounding-set=-all,+dac_read_search", CORRELATOR, "-c",
         site.correlator.config, "manifest", "fetch", "served=1.9-1"],
        capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, **site.correlator.env})
    assert done.stdout.startswith("found "), done.stdout + done.stderr
    assert {p.stat().st_uid for p in site.root.rglob("*")} == {65534}


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_where_others_may_write_nothing_is_fetched(site, mode):
    site.add("1.9-2")
    state = site.correlator.directory / "state"
    state.chmod(mode)
    outcome, why = site.fetch_one("served=1.9-2")
    assert outcome == "failed"
    assert "nobody but its owner to write there" in why
    assert site.mirror.asked == []
    state.chmod(0o755)
    assert site.fetch_one("served=1.9-2")[0] == "found"


def test_what_hosts_shorten_is_none_and_says_so(site):
    """As lib/record/package.c does with names and versions over 64."""
    mark = "~0123456789abcdef"
    whole = f"1.9.{'9' * 80}-1"
    site.add(whole)
    for name, version in (("served", whole[:64 - len(mark)] + mark),
                          ("s" * (64 - len(mark)) + mark, "1")):
        site.request(name, version)
        site.fetch()
        state, error, _ = site.state(name, version)
        assert state == "none" and "manifest import its package" in error
    outcome, why = site.fetch_one(f"served={whole}")
    assert outcome == "none" and "manifest import its package" in why
    assert site.mirror.asked == []


def test_a_version_that_is_not_there_is_none(site):
    begin(site, "1.2-1")
    outcome, why = site.fetch_one("served=1.2-2")
    assert outcome == "none" and "no such version" in why
    assert site.fetch_one("nobody-has-this=1")[0] == "none"


def test_a_version_published_a_moment_ago_is_found(site):
    begin(site, "1.3-1")
    asked = len(site.mirror.asked)
    assert site.fetch_one("served=1.3-1")[0] == "found"
    # The indexes of a moment ago do.
    assert not [p for p in site.mirror.asked[asked:] if "dists" in p]
    site.add("1.3-2")
    assert site.fetch_one("served=1.3-2")[0] == "found"


def test_a_mirror_that_changed_under_the_indexes_is_asked_by_new_ones(site):
    begin(site, "1.8-1")
    site.add("1.8-2")
    assert site.fetch_one("served=1.8-2")[0] == "found"
    # The same version again, rebuilt; what the indexes have is gone.
    site.repository.add("served", "1.8-2", {EXE: content("rebuilt")})
    assert site.fetch_one("served=1.8-2")[0] == "found"
    assert len(site.manifests("1.8-2")) == 2


def test_a_changed_sources_file_is_obeyed_at_once(site, place, signer):
    begin(site, "1.4-1")
    other = Repository(place / "other", signer)
    other.add("elsewhere", "1", {EXE: content("elsewhere")})
    site.sources.write_text(other.sources(f"file:{other.directory}"))
    assert site.fetch_one("elsewhere=1")[0] == "found"
    assert site.fetch_one("served=1.4-1")[0] == "none"


def test_a_key_that_is_trusted_no_more_is_so_at_once(site, stranger):
    begin(site, "1.4-3")
    for file in (site.correlator.config, site.sources):
        file.write_text(file.read_text().replace(
            str(site.section["keyring"]), str(stranger.keyring)))
    outcome, why = site.fetch_one("served=1.4-3")
    assert outcome == "failed" and "NO_PUBKEY" in why


def test_several_sections_are_tried_in_their_order(place, central, signer,
                                                   make_site):
    first, second = make_site(), make_site()
    second.add("1.5-1")
    both = central.add_correlator(
        fetches={"one": first.section, "two": second.section})

    def fetch(package):
        return both.run("manifest", "fetch", package, status=(0, 1))
    assert fetch("served=1.5-1").startswith("found ")
    # Not to know is not to know that there is none.
    first.mirror.go_away()
    assert fetch("served=1.5-9").startswith("failed ")
    second.add("1.5-2")
    assert fetch("served=1.5-2").startswith("found ")


def test_a_mirror_that_is_away_is_asked_again(site):
    site.add("1.6-1")
    site.mirror.go_away()
    site.request("served", "1.6-1")
    [(outcome, package, why)] = site.fetch()
    assert (outcome, package) == ("failed", "dpkg:served=1.6-1:amd64")
    state, error, later = site.state("served", "1.6-1")
    assert (state, error, later) == ("failed", why, "t")
    assert "E: " in error and f"127.0.0.1:{site.mirror.port}" in error
    assert site.fetch() == []  # its time has not come yet

    site.mirror.start()
    site.central.sql("UPDATE process_dna.manifest_requests SET due_at = now(),"
                     " attempts = 0 WHERE version = '1.6-1'")
    assert [o for o, *_ in site.fetch()] == ["found"]
    assert site.state("served", "1.6-1")[0] == "found"


def test_the_queue_is_answered_in_one_go(site):
    for version in ("1.7-1", "1.7-2"):
        site.add(version)
        site.request("served", version)
    site.request("served", "1.7-3")
    site.request("served", "1.7-1", arch="arm64")
    outcomes = {package: outcome for outcome, package, _ in site.fetch()}
    assert outcomes == {"dpkg:served=1.7-1:amd64": "found",
                        "dpkg:served=1.7-2:amd64": "found",
                        "dpkg:served=1.7-3:amd64": "none",
                        "dpkg:served=1.7-1:arm64": "none"}
    assert site.state("served", "1.7-3")[0] == "none"


def test_what_gave_no_answer_is_not_asked_again_in_a_run(make_site):
    site = make_site(timeout=3)
    site.mirror.hangs = True
    assert site.fetch_one("served=1")[0] == "failed"
    once = len(site.mirror.asked)
    [first, second] = site.fetch("served=1", "served=2")
    assert len(site.mirror.asked) == 2 * once
    assert first[0] == second[0] == "failed" and first[2] == second[2]


def test_one_at_a_time_fetches_for_a_state_dir(make_site):
    site = make_site(timeout=1)
    site.add("1.7-4")
    assert site.fetch_one("served=1.7-4")[0] == "found"
    with open(site.root / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome, why = site.fetch_one("served=1.7-4")
    assert outcome == "failed" and "another fetch is under way" in why
    assert site.fetch_one("served=1.7-4")[0] == "found"

    # Through the queue goes one only; who comes second leaves it alone.
    site.request("served", "1.7-5")
    with open(site.correlator.directory / "state/fetch.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert site.fetch(status=(0,)) == []
    assert site.state("served", "1.7-5")[0] == "queued"
    assert [o for o, *_ in site.fetch()] == ["none"]


# --- what mirrors, and those who attack them, do ----------------------------
def sign_wrongly(site, stranger):
    site.repository.index()
    site.repository.sign(site.repository.release(), stranger)


def leave_unsigned(site, _):
    site.repository.index()
    release = site.repository.release()
    (site.repository.dist / "InRelease").unlink(missing_ok=True)
    (site.repository.dist / "Release").write_bytes(release)


def alter_release(site, _):
    signed = site.repository.dist / "InRelease"
    text = signed.read_bytes()
    assert b"Origin: tests" in text
    signed.write_bytes(text.replace(b"Origin: tests", b"Origin: tesst"))


def alter_index(site, _):
    index = site.repository.packages
    text = index.read_bytes()
    assert b"Description: made up" in text
    index.write_bytes(text.replace(b"made up", b"made to order"))


def alter_package(site, _):
    deb = site.repository.pool / "served_2_amd64.deb"
    data = bytearray(deb.read_bytes())
    data[-1] ^= 1
    deb.write_bytes(data)


def grow_package(site, _):
    deb = site.repository.pool / "served_2_amd64.deb"
    deb.write_bytes(deb.read_bytes() + b"\0" * 4096)


def lose_package(site, _):
    (site.repository.pool / "served_2_amd64.deb").unlink()


def let_expire(site, _):
    release = site.repository.release("ValidTime=1")
    text = b"".join(
        b"Date: Mon, 01 Jan 2024 00:00:00 UTC\n" if line.startswith(b"Date:")
        else b"Valid-Until: Tue, 02 Jan 2024 00:00:00 UTC\n"
        if line.startswith(b"Valid-Until:") else line
        for line in release.splitlines(keepends=True))
    assert b"Valid-Until: Tue, 02 Jan 2024" in text
    site.repository.sign(text)


def hang(site, _):
    site.mirror.hangs = True


def misname(site, _):
    """The index has served=2, the package itself is another."""
    deb = site.repository.pool / "served_2_amd64.deb"
    made = fresh_dir(site.repository.directory / "misnamed")
    other = made_deb(made, "other", "7", {EXE: content("other")})
    index = run("apt-ftparchive", "packages", "misnamed",
                cwd=site.repository.directory).decode()
    deb.write_bytes(other.read_bytes())
    site.repository.packages.write_text(
        index.replace("Package: other", "Package: served")
        .replace("Version: 7", "Version: 2")
        .replace(f"misnamed/{other.name}", f"pool/{deb.name}"))
    site.repository.sign(site.repository.release())


BROKEN = {
    "signed by a stranger": (sign_wrongly, "NO_PUBKEY"),
    "not signed at all": (leave_unsigned, "no longer signed"),
    "release altered": (alter_release, "BADSIG"),
    "index altered": (alter_index, "unexpected size"),
    "package altered": (alter_package, "Hash Sum mismatch"),
    "package longer than its index says": (grow_package, "unexpected size"),
    "package lost": (lose_package, "404"),
    "release expired": (let_expire, "expired"),
    "mirror that hangs": (hang, "no answer within 4 s"),
    "package that calls itself otherwise": (misname, "calls itself dpkg:other=7"),
}


@pytest.mark.parametrize("what", BROKEN, ids=lambda w: w.replace(" ", "-"))
def test_what_is_not_as_it_is_signed_is_not_believed(make_site, stranger, what):
    breaks, says = BROKEN[what]
    site = make_site(timeout=4 if breaks is hang else 60)
    site.central.sql("DELETE FROM process_dna.manifest_digests;"
                     "DELETE FROM process_dna.manifest_packages")
    begin(site, "1")
    site.add("2")
    breaks(site, stranger)
    outcome, why = site.fetch_one("served=2")
    assert outcome == "failed" and says in why
    assert site.manifests("2") == []
    assert site.manifests("7", "other") == []
    assert processes_below(site.root) == []

    # And it was that which was in the way.
    site.mirror.hangs = False
    site.mirror.released.set()
    for deb in site.repository.pool.glob("served_2_*"):
        deb.unlink()
    site.add("2")
    assert site.fetch_one("served=2")[0] == "found"
    assert len(site.manifests("2")) == 1


def test_a_package_over_max_size_is_not_downloaded(make_site):
    site = make_site(**{"max-size": 1})
    begin(site, "3.0")
    big = site.repository.add("big", "1", {EXE: os.urandom(2 << 20)})
    asked = len(site.mirror.asked)
    outcome, why = site.fetch_one("big=1")
    assert outcome == "failed"
    assert f"max-size: expected at most 1 MiB, found {big.stat().st_size}" in why
    assert not [p for p in site.mirror.asked[asked:] if "big" in p]


def test_a_package_for_another_architecture_is_none(site):
    begin(site, "3.1")
    site.repository.add("everywhere", "1", {EXE: content("all")}, arch="all")
    outcome, why = site.fetch_one("everywhere=1:amd64")
    assert outcome == "none" and "another architecture" in why
    assert site.fetch_one("everywhere=1:all")[0] == "found"
    outcome, why = site.fetch_one("served=3.1:arm64")
    assert outcome == "none" and "arm64 is none of the section" in why
    assert site.fetch_one("served=3.1:all")[0] == "none"


@pytest.mark.parametrize("name, version", [
    ("Served", "1"), ("s", "1"), ("served.*", "3.2"), ("serve?", "3.2"),
    ("+served", "3.2"), ("served", "3.*"), ("served", "-3.2"),
    ("served", "3_2"), ("se_rved", "3.2")])
def test_a_hostile_name_is_none_and_nothing_is_asked(site, name, version):
    begin(site, "3.2")
    asked = len(site.mirror.asked)
    # As a host would have it in the database, past every check of ours.
    site.central.sql("DELETE FROM process_dna.manifest_requests")
    site.request(name, version)
    outcomes = [o for o, *_ in site.fetch()]
    assert outcomes in (["none"], [])
    assert site.state(name, version)[0] == "none"
    assert site.mirror.asked[asked:] == []


@pytest.mark.parametrize("argument", [
    "served", "served=", "=1", "../etc=1", "served=1:AMD 64", "a b=1",
    "served=$(id)", "rpm:served=1"])
def test_an_argument_that_is_no_package_is_refused(site, argument):
    done = subprocess.run(
        [CORRELATOR, "-c", site.correlator.config, "manifest", "fetch", "--",
         argument], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (1, 2) and done.stdout == ""
    assert argument in done.stderr
    assert site.mirror.asked == []
