"""`manifest fetch` through dnf against a real repository: what is there is
imported, graded by what is signed, and whatever is not as its signatures say is
a failure of which nothing is believed."""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

import pytest

import fetch_site
from apt_repository import processes_below
from fetch_site import EXE, content, fetching_tenant, made_sites
from processes import wait_for
from rpm_repository import ARCH, Repository, needs_rpm

pytestmark = needs_rpm


@pytest.fixture(scope="module")
def central(make_module_system):
    return fetching_tenant(make_module_system, "rpm")


class Site(fetch_site.Site):
    MANAGER = "rpm"
    ARCH = ARCH
    make_repository = Repository


@pytest.fixture
def make_site(place, central, signer):
    yield from made_sites(Site, place, central, signer)


@pytest.fixture
def site(make_site):
    return make_site()


def test_what_is_there_is_imported_as_its_index_is_signed(site):
    rpm = site.add("1:2.0~rc1-3")
    outcome, origin = site.fetch_one("served=1:2.0~rc1-3")
    assert outcome == "found"
    [[path, digest, provenance, stored]] = site.manifests("1:2.0~rc1-3")
    assert path == EXE
    assert digest == hashlib.sha256(content("1:2.0~rc1-3")).hexdigest()
    assert provenance == "signed-index"
    assert stored == origin == f"{site.mirror.uri}packages/{rpm.name} (test)"
    assert site.fetch_one("served=2.0~rc1-3")[0] == "none"
    assert site.fetch_one("served=1:2.0~rc1-4")[0] == "none"
    assert processes_below(site.root) == []


def agents_of(root):
    """gpg-agents, which leave every group and folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if b"gpg-agent" in command and os.fsencode(root) in command:
                found.append(process.name)
    return found


def test_nothing_is_left_running(site):
    site.add("2.6-1")
    assert site.fetch_one("served=2.6-1")[0] == "found"
    wait_for("no agent is left", lambda: agents_of(site.root) == [])


def test_an_unsigned_index_of_signed_packages_is_graded_so(site):
    site.add("2.1-1")
    site.sources.write_text(
        site.repository.sources(f"file://{site.repository.directory}",
                                repo_gpgcheck=0))
    site.repository.index.with_suffix(".xml.asc").unlink()
    assert site.fetch_one("served=2.1-1")[0] == "found"
    [[_, _, provenance, _]] = site.manifests("2.1-1")
    assert provenance == "signed-package"


def test_a_package_on_disk_is_compared_with_the_index(site):
    """Signed as it must be, and as long, but another build."""
    site.add("2.5-1")
    site.sources.write_text(
        site.repository.sources(f"file://{site.repository.directory}"))
    index = site.repository.index.parent
    kept = index.rename(index.with_name("kept"))
    site.repository.add("served", "2.5-1", {EXE: content("5.2-1")})
    shutil.rmtree(index)
    kept.rename(index)
    outcome, why = site.fetch_one("served=2.5-1")
    assert outcome == "failed" and "incorrect checksum" in why
    assert site.manifests("2.5-1") == []


def test_packages_for_each_architecture_are_found(site):
    site.add("2.2-1", arch="noarch")
    assert site.fetch_one("served=2.2-1:noarch")[0] == "found"
    assert site.fetch_one(f"served=2.2-1:{ARCH}")[0] == "none"
    outcome, why = site.fetch_one("served=2.2-1:s390x")
    assert outcome == "none" and "s390x is none of the section" in why


def test_a_version_published_a_moment_ago_is_found(site):
    site.add("2.3-1")
    assert site.fetch_one("served=2.3-1")[0] == "found"
    site.add("2.3-2")
    assert site.fetch_one("served=2.3-2")[0] == "found"


def test_the_queue_is_answered(site):
    site.add("2.4-1")
    site.request("served", "2.4-1")
    site.request("served", "2.4-9")
    outcomes = {package: outcome for outcome, package, _ in site.fetch()}
    assert outcomes == {f"rpm:served=2.4-1:{ARCH}": "found",
                        f"rpm:served=2.4-9:{ARCH}": "none"}


# --- what mirrors, and those who attack them, do ----------------------------
def sign_index_wrongly(site, stranger):
    site.repository.sign(stranger)


def leave_index_unsigned(site, _):
    site.repository.index.with_suffix(".xml.asc").unlink()


def alter_index(site, _):
    text = site.repository.index.read_bytes()
    assert b"<revision>" in text
    site.repository.index.write_bytes(text.replace(b"<revision>",
                                                   b"<revision>1"))


def sign_package_wrongly(site, stranger):
    site.add("2.9-1", signer=stranger)


def leave_package_unsigned(site, _):
    site.add("2.9-1", signer=False)


def alter_package(site, _):
    [rpm] = site.repository.pool.glob("served-2.9-1*")
    data = bytearray(rpm.read_bytes())
    data[-1] ^= 1
    rpm.write_bytes(data)


def lose_package(site, _):
    [rpm] = site.repository.pool.glob("served-2.9-1*")
    rpm.unlink()


def hang(site, _):
    site.mirror.hangs = True


def go_away(site, _):
    site.mirror.go_away()


BROKEN = {
    "index signed by a stranger": (sign_index_wrongly, "GPG"),
    "index not signed": (leave_index_unsigned, "repomd.xml.asc"),
    "index altered": (alter_index, "GPG"),
    "package signed by a stranger": (
        sign_package_wrongly, "expected a signature of a key"),
    "package not signed": (
        leave_package_unsigned, "expected a signature of a key"),
    "package altered": (alter_package, "dnf: "),
    "package lost": (lose_package, "No more mirrors"),
    "mirror that hangs": (hang, "no answer within 5 s"),
    "mirror that is away": (go_away, "dnf: "),
}


@pytest.mark.parametrize("what", BROKEN, ids=lambda w: w.replace(" ", "-"))
def test_what_is_not_as_it_is_signed_is_not_believed(make_site, stranger, what):
    breaks, says = BROKEN[what]
    site = make_site(timeout=5 if breaks is hang else 60)
    site.central.sql("DELETE FROM process_dna.manifest_digests;"
                     "DELETE FROM process_dna.manifest_packages")
    # The untouched case passes.
    site.add("2.8-1")
    assert site.fetch_one("served=2.8-1")[0] == "found"
    site.add("2.9-1")
    breaks(site, stranger)
    outcome, why = site.fetch_one("served=2.9-1")
    assert outcome == "failed" and says in why, why
    assert site.manifests("2.9-1") == []
    assert processes_below(site.root) == []


def test_a_repo_file_that_verifies_less_is_refused(site):
    site.sources.write_text(site.repository.sources(site.mirror.uri, gpgcheck=0))
    done = site.correlator.call("manifest", "fetch", "served=2.7-1")
    assert done.returncode == 2
    assert "gpgcheck: expected 1" in done.stderr
    assert site.mirror.asked == []


def test_a_hostile_name_is_none_and_nothing_is_asked(site):
    site.central.sql("DELETE FROM process_dna.manifest_requests")
    site.request("served*", "1-1")
    assert [o for o, *_ in site.fetch()] in (["none"], [])
    assert site.state("served*", "1-1")[0] == "none"
    assert site.mirror.asked == []
