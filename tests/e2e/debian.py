"""A small real Debian (or Ubuntu), as the root of a monitored host: made once
by debootstrap from where this machine's own apt gets its packages, and kept
below build/cache with every package file, so that a later run needs no
network. Runs of it are overlays (root.py)."""

import fcntl
import functools
import hashlib
import inspect
import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from processes import ROOT, Failed

CACHE = ROOT / "build/cache/debian"
ARCHIVES = CACHE / "archives"
PREFERENCES = "etc/apt/preferences.d/zoo"


def command(argv, **kwargs):
    """Run a program to its end; its output."""
    argv = [os.fspath(a) for a in argv]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", check=False, **kwargs)
    if done.returncode != 0:
        raise Failed(f"{' '.join(argv)[:300]}: exit status {done.returncode}\n"
                     f"{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


# --- package files ------------------------------------------------------------
def deb_field(deb, field):
    return command(["dpkg-deb", "-f", deb, field]).strip()


def is_program(path):
    """An ELF file that may be run."""
    if path.is_symlink() or not path.is_file() or not os.access(path, os.X_OK):
        return False
    with open(path, "rb") as f:
        return f.read(4) == b"\x7fELF"


def repackage(deb, directory):
    """A later version of a package, whose programs differ from its own: what
    follows an ELF file's last section is not loaded."""
    directory.mkdir(parents=True, exist_ok=True)
    tree = directory / "tree"
    command(["dpkg-deb", "-R", deb, tree])
    control = tree / "DEBIAN/control"
    version = deb_field(deb, "Version") + "+repackaged1"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}",
                              control.read_text()))
    for path in filter(is_program, tree.rglob("*")):
        with open(path, "ab") as f:
            f.write(b"\nrepackaged")
    sums = tree / "DEBIAN/md5sums"
    sums.write_text("".join(
        f"{hashlib.md5((tree / path).read_bytes()).hexdigest()}  {path}\n"
        for path in re.findall(r"(?m)^\S+  (.+)$", sums.read_text())))
    new = directory / f"{deb_field(deb, 'Package')}_repackaged.deb"
    command(["dpkg-deb", "--root-owner-group", "-b", tree, new])
    shutil.rmtree(tree)


@functools.cache
def architecture():
    return command(["dpkg", "--print-architecture"]).strip()


def sort_versions(versions):
    def compare(a, b):
        less = subprocess.run(["dpkg", "--compare-versions", a, "lt", b],
                              check=False).returncode == 0
        return -1 if less else int(a != b)
    return sorted(versions, key=functools.cmp_to_key(compare))


# --- the root ------------------------------------------------------------------
def _targets():
    """[(suite, site, file)] of the machine's own distribution in its apt; the
    first is the release itself."""
    codename = platform.freedesktop_os_release()["VERSION_CODENAME"]
    targets = command(["apt-get", "indextargets", "--format",
                       "$(COMPONENT) $(RELEASE) $(SITE) $(SOURCESENTRY)",
                       "Created-By: Packages"]).splitlines()
    found = sorted({tuple(t.rpartition(":")[0].split()[1:]) for t in targets
                    if t.split()[0] == "main"
                    and t.split()[1].partition("-")[0] == codename})
    if not found or found[0][0] != codename:
        raise Failed("this machine's apt has no source for "
                     f"{codename}, component main: cannot make a Debian root")
    return found


def sources():
    """[(site, suite)] of it."""
    return list(dict.fromkeys((site, suite) for suite, site, _ in _targets()))


def sources_file():
    """Where it is told of the release."""
    return _targets()[0][2]


def proxies():
    """Those of the machine's apt, as an environment."""
    dump = command(["apt-config", "dump"])
    return {f"{k}_proxy": v for k, v in
            re.findall(r'^Acquire::(https?)::Proxy "(.+)";', dump, re.M)}


class Recipe:
    """What a root is made of: packages in two versions each, the lower one
    installed; `also` are installed in whatever version comes."""

    def __init__(self, packages, repackaged, also):
        self.packages = sorted(packages)
        self.repackaged = sorted(repackaged)
        self.also = sorted(also)

    def key(self):
        made_of = [self.packages, self.repackaged, self.also, sources(),
                   architecture()]
        text = repr(made_of) + inspect.getsource(_Builder)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def root(self):
        """The folder of the root, made when it is not there."""
        CACHE.mkdir(parents=True, exist_ok=True)
        CACHE.chmod(0o700)  # it has programs that are setuid root
        with open(CACHE / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            made = CACHE / f"root-{self.key()}"
            if not made.exists():
                for old in CACHE.glob("root-*"):
                    shutil.rmtree(old)
                _Builder(self, CACHE / "building").build().rename(made)
        return made / "root"

    def versions(self):
        """{package: its versions, ascending}, of those with several."""
        made = self.root().parent
        return json.loads((made / "versions.json").read_text())


class _Builder:
    def __init__(self, recipe, directory):
        self.recipe = recipe
        self.directory = directory
        self.root = directory / "root"

    def build(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.root.mkdir(parents=True)
        ARCHIVES.mkdir(exist_ok=True)
        [(site, suite), *_] = sources()
        command(["debootstrap", "--variant=minbase", "--include=ca-certificates",
                 f"--cache-dir={ARCHIVES}", suite, self.root, site],
                env={**os.environ, **proxies()})
        self.configure()
        self.in_root("apt-get update")
        self.add_repackaged()
        versions = self.versions()
        pin(self.root, versions, 0)
        self.apt("dist-upgrade")
        self.apt("install", *self.recipe.packages, *self.recipe.also)
        pin(self.root, versions, -1)
        self.apt("-d", "dist-upgrade")
        pin(self.root, versions, 0)
        shutil.rmtree(self.root / "var/cache/apt/archives")
        shutil.copytree(ARCHIVES, self.root / "var/cache/apt/archives",
                        copy_function=os.link)
        (self.directory / "versions.json").write_text(json.dumps(versions))
        return self.directory

    def configure(self):
        """apt as the machine has it; no daemon starts with its package."""
        etc = self.root / "etc"
        (etc / "apt/sources.list").write_text("".join(
            f"deb {site} {suite} main\n" for site, suite in sources()))
        (etc / "apt/apt.conf.d/zoo").write_text(
            'APT::Install-Recommends "false";\nDpkg::Use-Pty "false";\n'
            'Acquire::Languages "none";\nAPT::Sandbox::User "root";\n'
            'Dpkg::Options { "--force-unsafe-io"; "--force-confold"; };\n'
            + "".join(f'Acquire::{k.split("_")[0]}::Proxy "{v}";\n'
                      for k, v in proxies().items()))
        for file in ("/etc/resolv.conf", "/etc/hosts",
                     "/etc/ssl/certs/ca-certificates.crt"):
            if os.path.exists(file):
                shutil.copyfile(file, self.root / file[1:])
        policy = self.root / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)

    def add_repackaged(self):
        """A repository of later versions of what the mirror has one of."""
        repo = self.root / "var/local/repo"
        for name in self.recipe.repackaged:
            self.in_root(f"cd /var/cache/apt/archives && apt-get download {name}")
            repackage(next(deb for deb in ARCHIVES.glob(f"{name}_*_*.deb")
                           if "repackaged" not in deb.name), repo)
        (repo / "Packages").write_text(
            command(["apt-ftparchive", "packages", "."], cwd=repo))
        (self.root / "etc/apt/sources.list.d/local.list").write_text(
            "deb [trusted=yes] copy:/var/local/repo ./\n")
        self.in_root("apt-get update")

    def versions(self):
        """{package: its versions, ascending}, of those with several."""
        found = {}
        for line in self.in_root("apt-cache pkgnames | xargs apt-cache madison"
                                 ).splitlines():
            if line.endswith(" Packages"):
                name, version = (x.strip() for x in line.split("|")[:2])
                found.setdefault(name, set()).add(version)
        found = {n: sort_versions(v) for n, v in found.items() if len(v) > 1}
        single = [n for n in self.recipe.packages if n not in found]
        if single:
            raise Failed("the mirror offers one version only of: "
                         + " ".join(single))
        return found

    def apt(self, *args):
        return self.in_root("exec apt-get -y --allow-downgrades "
                            + " ".join(args))

    def in_root(self, script):
        """A shell script there, with the downloads kept and /proc of its own;
        all that it starts ends with it."""
        return command(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child",
             "sh", "-ec",
             'mount -t proc proc "$1/proc"\n'
             'mount --bind "$2" "$1/var/cache/apt/archives"\n'
             'exec chroot "$1" sh -ec "$3"',
             "sh", self.root, ARCHIVES, script],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                 "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"})


def pin(root, versions, index):
    """Make `apt-get dist-upgrade` bring each package to its first (0) or last
    (-1) version, also downwards."""
    path = Path(root) / PREFERENCES
    path.write_text("\n".join(
        f"Package: {name}\nPin: version {found[index]}\nPin-Priority: 1001\n"
        for name, found in sorted(versions.items())))
