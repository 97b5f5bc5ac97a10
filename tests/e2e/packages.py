"""Debian packages made by dpkg-deb, for the tests of manifests."""

import subprocess


def made_deb(place, name="made-up", version="1.0-1", files=None, arch="amd64",
             compression="xz", fields="", scripts=None):
    """Make a package of executables, {path: content}; its file. `fields` are
    further lines of its control file, `scripts` {name: text} lie beside it."""
    root = place / f"{name}_{version}.root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\n"
        "Maintainer: Nobody <nobody@made-up.example>\nDescription: made up\n"
        f"{fields}")
    for script, text in (scripts or {}).items():
        (root / "DEBIAN" / script).write_text(text)
        (root / "DEBIAN" / script).chmod(0o755)
    for path, content in (files or {"/usr/bin/made-up": b"#!/bin/sh\n"}).items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755)
    deb = place / f"{name}_{version}_{arch}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", f"-Z{compression}", "-b",
                    root, deb], check=True, capture_output=True)
    return deb


class PackageRoot:
    """A dpkg database of a test's own, for packages whose files lie anywhere on
    this machine."""

    def __init__(self, root):
        self.root = root
        self.admin = root / "var/lib/dpkg"
        for folder in ("info", "updates", "triggers", "parts", "alternatives"):
            (self.admin / folder).mkdir(parents=True)
        for name in ("status", "available"):
            (self.admin / name).touch()

    def dpkg(self, *args):
        return subprocess.run(
            ["dpkg", f"--admindir={self.admin}", "--instdir=/",
             "--log=/dev/null", "--force-downgrade", *args], check=True,
            capture_output=True, text=True, env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}).stdout

    def install(self, *debs):
        self.dpkg("-i", *debs)
