"""A real rpm repository: packages by rpmbuild, signed by rpmsign, and an index
by createrepo_c, with a signature of its own."""

import hashlib
import itertools
import os
import platform
import shutil
import subprocess
import time

import pytest

from apt_repository import run
from processes import CORRELATOR, STATE, fresh_dir

ARCH = platform.machine()

SPEC = """Name: {name}
{epoch}Version: {version}
Release: {release}
{noarch}Summary: Made by a test
License: Public domain
%description
%{{summary}}.
{scripts}%install
cp -a {tree}/. %{{buildroot}}/
%files
{files}
"""

# For a module's pytestmark.
needs_rpm = pytest.mark.skipif(
    "rpm" not in subprocess.run(["ldd", CORRELATOR], capture_output=True,
                                text=True, check=True).stdout,
    reason="this build has no librpm")


def split_version(text):
    """EPOCH, VERSION and RELEASE of [EPOCH:]VERSION-RELEASE."""
    epoch, rest = text.split(":") if ":" in text else ("", text)
    return epoch, *rest.split("-")


def waiting(script, hold):
    """A script of a package that waits as long as a file is there."""
    return (f"%{script} -p <lua>\nwhile posix.stat(\"{hold}\") do"
            " posix.sleep(1) end\n")


def build_rpm(directory, name, version, files, arch=ARCH, scripts=""):
    """A package with these files {path: content}, which are executable."""
    work = fresh_dir(directory / f"made-{name}-{version}-{arch}")
    tree = fresh_dir(work / "tree")
    epoch, number, release = split_version(version)
    for path, content in files.items():
        file = tree / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755)
    (work / "spec").write_text(SPEC.format(
        name=name, version=number, release=release, tree=tree,
        scripts=scripts,
        epoch=f"Epoch: {epoch}\n" if epoch else "",
        noarch="BuildArch: noarch\n" if arch == "noarch" else "",
        files="\n".join(f"%attr(755,root,root) {path}" for path in files)))
    run("rpmbuild", "--quiet", "-bb", "--define", f"_topdir {work}/build",
        "--define", f"_rpmdir {work}/out", "--define", "_build_id_links none",
        "--define", "__os_install_post %{nil}", "--define", "debug_package %{nil}",
        "--define", f"_dbpath {work}/none", work / "spec",
        env={**os.environ, "HOME": str(work)})
    [made] = (work / "out").glob("*/*.rpm")
    rpm = directory / made.name
    shutil.move(made, rpm)
    shutil.rmtree(work)
    return rpm


def built_once(name, version, files, arch, signer):
    """The same, signed (`signer` None: not), from an earlier time if there was
    one: rpmbuild takes longer than what most tests do with the package."""
    key = repr((name, version, sorted(files.items()), arch,
                signer and signer.keyring))
    place = (STATE / "rpms"
             / hashlib.sha256(key.encode()).hexdigest()[:16])
    if key not in built:
        rpm = build_rpm(fresh_dir(place), name, version, files, arch)
        if signer:
            sign_rpm(rpm, signer)
        built[key] = rpm
    return built[key]


built = {}


def sign_rpm(rpm, signer):
    run("rpmsign", "--addsign", "--define", "__gpg /usr/bin/gpg",
        "--define", f"_gpg_name {signer.name}@example.org", rpm,
        env={**os.environ, "GNUPGHOME": str(signer.home),
             "HOME": str(signer.home)})


class Repository:
    """Packages below packages/, the index in repodata/."""

    def __init__(self, directory, signer):
        self.directory = fresh_dir(directory)
        self.signer = signer
        self.pool = fresh_dir(directory / "packages")
        self.times = itertools.count(int(time.time()) - 1000)
        self.publish()

    @property
    def index(self):
        return self.directory / "repodata" / "repomd.xml"

    def add(self, name, version, files, arch=ARCH, signer=None):
        """`signer` False: nobody."""
        rpm = built_once(name, version, files, arch,
                         None if signer is False else signer or self.signer)
        target = self.pool / rpm.name
        shutil.copy(rpm, target)
        self.publish()
        return target

    def sign(self, signer=None):
        signature = self.index.with_suffix(".xml.asc")
        signature.unlink(missing_ok=True)
        (signer or self.signer).gpg("--armor", "--detach-sign", "--output",
                                    signature, self.index)

    def publish(self):
        run("createrepo_c", "--quiet", "--revision", str(next(self.times)),
            self.directory)
        self.sign()

    def sources(self, uri, **more):
        keys = {"name": "of a test", "baseurl": uri, "gpgcheck": 1,
                "repo_gpgcheck": 1, "gpgkey": "file:///nowhere", **more}
        return "[test]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items())
