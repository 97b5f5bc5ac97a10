"""`manifest fetch` as README sets it up: the sources and the keyring that this
machine itself has, and the index that its distribution signs. Which versions
the mirror offers is its own affair."""

import platform
import re

import pytest

from debian import architecture, command, proxies, sources, sources_file
from fetch_site import fetching_tenant
from host import sha256_of
from processes import Failed, fresh_dir

PACKAGE = "hostname"  # small, and everywhere
DISTRIBUTION = platform.freedesktop_os_release()["ID"]


def download(uri, directory):
    """What this machine's own apt gets from there."""
    target = fresh_dir(directory) / "file"
    command(["/usr/lib/apt/apt-helper", "download-file", uri, target])
    return target


@pytest.fixture
def central(make_system):
    return fetching_tenant(make_system, "dpkg")


@pytest.fixture
def correlator(central, place):
    (site, suite), *_ = sources()
    try:
        download(f"{site}/dists/{suite}/InRelease", place / "release")
    except Failed as failure:
        pytest.skip(f"the mirror can't be reached: {failure}")
    made = central.add_correlator(fetches={DISTRIBUTION: {
        "manager": "dpkg", "sources": sources_file(),
        "keyring": f"/usr/share/keyrings/{DISTRIBUTION}-archive-keyring.gpg",
        "architectures": [architecture()]}})
    made.env.update(proxies())
    return made


def offered(correlator):
    """The version in the index that the correlator has."""
    lists = correlator.directory / "state/fetch" / DISTRIBUTION / "state/lists"
    (_, suite), *_ = sources()
    index, *_ = lists.glob(f"*_dists_{suite}_main_binary-*_Packages")
    return re.search(rf"^Package: {PACKAGE}\n(?:.+\n)*?Version: (.+)$",
                     index.read_text("utf-8"), re.MULTILINE)[1]


def test_a_package_of_the_distribution_itself(central, correlator, place):
    said = correlator.run("manifest", "fetch", f"{PACKAGE}=0~nobody-made-this",
                          status=(1,))
    assert re.match(r"none .*: no such version in the indexes$", said), said

    version = offered(correlator)
    said = correlator.run("manifest", "fetch", f"{PACKAGE}={version}")
    assert said.startswith("found "), said
    [[path, digest, provenance, origin]] = central.sql(
        "SELECT path, sha256, provenance, origin FROM process_dna.manifests"
        f" WHERE package = '{PACKAGE}' AND version = '{version}'")
    assert (path, provenance) == ("/usr/bin/hostname", "signed-index")

    deb = download(origin.split()[0], place / "deb")
    command(["dpkg-deb", "-x", deb, place / "unpacked"])
    [program] = place.glob("unpacked/**/bin/hostname")
    assert digest == sha256_of(program)
