"""A running Debian root: an overlay of the cached one in a mount, pid and
network namespace of its own, whose first process takes all with it when it
ends, and that is when our end of its pipe closes. Unless it is given a network
(network.py), collectd is started in this machine's, and sends through its
loopback."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from debian import command
from processes import (
    Daemon, Failed, die_with_parent, fresh_dir, register, unregister,
)

# The shell that becomes the first process there, for the folder $1; $2 has the
# same path on both sides. By relative names, since a path may have what mount(8)
# takes for a separator.
BOOT = r"""
cd "$1"
mkdir changes root
mount -t tmpfs tmpfs changes
mkdir changes/upper changes/work
mount -t overlay \
  -o lowerdir=lower,upperdir=changes/upper,workdir=changes/work overlay root
cd root
mkdir -p "./$2"
mount --bind "$2" "./$2"
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty; do
  : >dev/$node
  mount --bind /dev/$node dev/$node
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
mount -t tmpfs -o mode=755 tmpfs run
mkdir run/lock
ip link set lo up
mkdir -p mnt/old
pivot_root . mnt/old
cd /
umount -l /mnt/old
exec /bin/bash -c 'echo up; read end'
"""
ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
       "HOME": "/root", "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive",
       "TERM": "dumb"}


class Root:
    def __init__(self, directory, shared, lower):
        """A root over `lower`, with what is its own in `directory`; the folder
        `shared` is there too, under the same path."""
        self.directory = fresh_dir(directory)
        (directory / "lower").symlink_to(lower)
        self.programs = []
        self.init = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork",
             "--kill-child", "sh", "-ec", BOOT, "sh", directory, shared],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True)
        register(self)
        if self.init.stdout.readline() != "up\n":
            raise Failed(f"a Debian root: {self.init.stderr.read()}")
        self.pid = int(Path(f"/proc/{self.init.pid}/task/{self.init.pid}/children"
                            ).read_text().split()[0])

    def __repr__(self):
        return f"Debian root {self.directory.name}"

    def stop(self):
        unregister(self)
        for program in self.programs:
            program.end()
        if self.init.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self.init.communicate()
        self.init.wait(20)

    # --- files -----------------------------------------------------------------
    def path(self, inside):
        """A path of the root, to be opened by us."""
        return Path(f"/proc/{self.pid}/root") / str(inside).lstrip("/")

    def real(self, inside):
        """Where a path of the root ends after all links."""
        return self.run("readlink", "-f", inside).strip()

    # --- programs ---------------------------------------------------------------
    def argv(self, argv, network=True):
        """What enters the root and runs a program there."""
        spaces = ["--mount", "--pid", "--ipc", "--uts"] + ["--net"] * network
        return ["nsenter", "--target", str(self.pid), *spaces, "--root", "--wd",
                "--", *map(str, argv)]

    def run(self, *argv):
        return command(self.argv(argv), env=ENV)

    def shell(self, script):
        return self.run("sh", "-ec", script)

    def start(self, path, *args):
        self.programs.append(Program(self, path, args))
        return self.programs[-1]

    def begin(self, *argv):
        """Start a program that is waited for elsewhere."""
        return subprocess.Popen(
            self.argv(argv), env=ENV, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=die_with_parent)


class Program:
    """A program that runs in the root, its input a pipe that stays open."""

    def __init__(self, root, path, args):
        self.root = root
        self.given = (path, args)
        self.exe = root.real(path)
        log = root.directory / "programs.log"
        with open(log, "ab") as out:
            self.enter = subprocess.Popen(
                root.argv([path, *args]), env=ENV, stdin=subprocess.PIPE,
                stdout=out, stderr=out, start_new_session=True,
                preexec_fn=die_with_parent)

    def pids(self):
        """Those of it that run from its executable, seen from outside."""
        found = []
        children = Path(f"/proc/{self.enter.pid}/task/{self.enter.pid}/children")
        with contextlib.suppress(OSError):
            for pid in children.read_text().split():
                with contextlib.suppress(OSError):
                    exe = os.readlink(f"/proc/{pid}/exe")
                    if exe.removesuffix(" (deleted)") == self.exe:
                        found.append(int(pid))
        return found

    def running(self):
        return bool(self.pids())

    def end(self):
        """With all that it has started, also if it left the group."""
        pids = self.pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if pids:
            # What entered for it waits for it and ends: killed first it would
            # leave a zombie, which daemons take for one that still runs.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.enter.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.enter.pid, signal.SIGKILL)
        self.enter.stdin.close()
        self.enter.wait(20)

    def restart(self):
        self.end()
        # As after a boot: the pid in one may be another's by now.
        for file in self.root.path("/run").rglob("*.pid"):
            file.unlink()
        path, args = self.given
        self.__init__(self.root, path, args)


class Inside(Daemon):
    """A daemon in the root, in its network or in ours."""

    def __init__(self, root, name, argv, log, env=None, network=True):
        env = [f"{k}={v}" for k, v in (env or {}).items()]
        super().__init__(name, root.argv(["env", *env, *argv], network), log)

    def send(self, number):
        """To the program itself, not to what entered the root for it."""
        children = f"/proc/{self.pid}/task/{self.pid}/children"
        for pid in open(children).read().split():
            # Unless it has ended meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), number)

    def kill(self):
        self.send(signal.SIGKILL)
        super().kill()
