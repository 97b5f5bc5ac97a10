"""A real Debian repository, signed and served on loopback, that can be broken
in the ways in which mirrors and those who attack them break one."""

import contextlib
import functools
import http.server
import itertools
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from packages import made_deb
from processes import Failed, fresh_dir, register, unregister

ARCH = "amd64"
SUITE = "stable"


def run(*argv, **kwargs):
    done = subprocess.run([str(a) for a in argv], capture_output=True,
                          check=False, **kwargs)
    if done.returncode != 0:
        raise Failed(f"{argv}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def processes_below(root):
    """Those that run there, apt's among them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd").startswith(str(root)):
                found.append(process.name)
        except OSError:
            pass
    return found


class Signer:
    """A key of its own, in a home of its own."""

    def __init__(self, directory, name):
        self.name = name
        self.home = fresh_dir(directory)
        self.home.chmod(0o700)
        self.keyring = directory.with_suffix(".gpg")
        register(self)
        self.gpg("--passphrase", "", "--quick-generate-key",
                 f"{name} <{name}@example.org>", "ed25519", "sign", "never")
        self.keyring.write_bytes(self.gpg("--export"))

    def gpg(self, *argv, **kwargs):
        return run("gpg", "--homedir", self.home, "--batch", "--quiet",
                   "--pinentry-mode", "loopback", *argv, **kwargs)

    def clearsign(self, text):
        return self.gpg("--clearsign", "--output", "-", input=text)

    def stop(self):
        """The agent that gpg has started goes, too."""
        unregister(self)
        answer = subprocess.run(
            ["gpg-connect-agent", "--homedir", self.home, "--no-autostart",
             "GETINFO pid", "/bye"], capture_output=True, text=True, check=False)
        for pid in re.findall(r"^D (\d+)$", answer.stdout, re.MULTILINE):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)


class Repository:
    """Packages below pool/, indexes below dists/."""

    def __init__(self, directory, signer):
        self.directory = fresh_dir(directory)
        self.signer = signer
        self.pool = fresh_dir(directory / "pool")
        self.dist = fresh_dir(directory / "dists" / SUITE)
        self.packages = fresh_dir(self.dist / "main" / f"binary-{ARCH}") / "Packages"
        self.times = itertools.count(int(time.time()) - 1000)
        self.publish()

    def add(self, name, version, files, arch=ARCH):
        made = fresh_dir(self.directory / "made")
        deb = made_deb(made, name, version, files, arch, "gzip")
        target = self.pool / deb.name.replace(":", "%3a")
        shutil.move(deb, target)
        shutil.rmtree(made)
        self.publish()
        return target

    def index(self):
        self.packages.write_bytes(
            run("apt-ftparchive", "packages", "pool", cwd=self.directory))

    def release(self, *options):
        """The Release of the indexes as they are."""
        for old in self.dist.glob("*Release*"):
            old.unlink()
        options = [f"Suite={SUITE}", f"Codename={SUITE}", "Origin=tests",
                   f"Architectures={ARCH}", "Components=main", *options]
        words = [w for o in options
                 for w in ("-o", f"APT::FTPArchive::Release::{o}")]
        return run("apt-ftparchive", *words, "release", self.dist,
                   cwd=self.directory)

    def sign(self, release, signer=None):
        (self.dist / "InRelease").write_bytes(
            (signer or self.signer).clearsign(release))
        # Mirrors tell what is new by the second.
        now = next(self.times)
        for index in (self.dist / "InRelease", self.packages):
            os.utime(index, (now, now))

    def publish(self):
        self.index()
        self.sign(self.release())

    def sources(self, uri):
        return (f"Types: deb\nURIs: {uri}\nSuites: {SUITE}\n"
                f"Components: main\nSigned-By: {self.signer.keyring}\n")


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802, the library's name
        mirror = self.server.mirror
        mirror.asked.append(self.path)
        if mirror.hangs:
            mirror.released.wait()
            self.close_connection = True
            return
        super().do_GET()

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """apt hangs up when it has what it wants."""


class Mirror:
    """Serves a folder over HTTP; may go away, come back on its port, or accept
    and never answer."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.port = 0
        self.server = None
        self.hangs = False
        self.released = threading.Event()
        self.asked = []
        self.start()
        register(self)

    @property
    def uri(self):
        return f"http://127.0.0.1:{self.port}/"

    def start(self):
        handler = functools.partial(_Handler, directory=str(self.directory))
        self.server = _Server(("127.0.0.1", self.port), handler)
        self.server.mirror = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True,
                         kwargs={"poll_interval": 0.05}).start()

    def go_away(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def stop(self):
        unregister(self)
        self.released.set()
        self.go_away()
