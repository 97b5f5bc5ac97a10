"""Debian packages made by dpkg-deb, for the tests of manifests."""

import subprocess


def made_deb(place, name="made-up", version="1.0-1", files=None, arch="amd64",
             compression="xz"):
    """Make a package of executables, {path: content}; its file."""
    root = place / f"{name}_{version}.root"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\n"
        "Maintainer: Nobody <nobody@made-up.example>\nDescription: made up\n")
    for path, content in (files or {"/usr/bin/made-up": b"#!/bin/sh\n"}).items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755)
    deb = place / f"{name}_{version}_{arch}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", f"-Z{compression}", "-b",
                    root, deb], check=True, capture_output=True)
    return deb
