"""A monitored host that is a Debian root: its collectd, its programs and its
packages are Debian's own, and our plugin is copied in."""

import os
import re
import shlex
import shutil
import time

import zoo
from debian import ARCHIVES, command, pin
from harness import swap
from host import Host, sha256_of
from processes import PLUGIN, Failed, sanitized
from root import Inside, Root

PLUGINS = "/usr/lib/collectd"


class DebianHost(Host):
    """The root is the zoo's, or `lower`: a folder that stays as it is."""

    def __init__(self, name, directory, system, lower=None, **collectd):
        super().__init__(name, directory, system, start=False, **collectd)
        self.globs = None  # everything that runs
        self.root = Root(directory / "debian", directory,
                         lower or zoo.recipe().root())
        self.programs = []
        self._install_plugin()

    def stop(self):
        try:
            super().stop()
        finally:
            self.root.stop()

    # --- collectd ------------------------------------------------------------
    def _install_plugin(self):
        shutil.copy(PLUGIN, self.root.path(PLUGINS))
        self.root.path("/etc/machine-id").write_text(os.urandom(16).hex() + "\n")
        # What it is linked with and the root has no package of.
        self.libraries = self.root.directory / "lib"
        self.libraries.mkdir()
        for line in command(["ldd", PLUGIN]).splitlines():
            found = re.search(r"=> (/\S+)", line)
            if found and not self.root.path(found[1]).exists():
                shutil.copy(found[1], self.libraries)

    # Whose network collectd is in: the root's own, or this machine's.
    own_network = False

    def start(self, **changed):
        def daemon(name, argv, log, env, cwd):
            return Inside(self.root, name, argv, log, self._env(env),
                          self.own_network)
        return super().start(daemon=daemon, plugins=PLUGINS, **changed)

    def _env(self, env):
        if sanitized():
            # Copied, unless the root has it where this machine has it.
            for asan in self.libraries.glob("libasan.so.*"):
                env = {**env, "LD_PRELOAD": str(asan)}
        return {**env, "LD_LIBRARY_PATH": str(self.libraries)}

    # --- programs --------------------------------------------------------------
    def start_zoo(self, packages=None):
        """Start the programs of all packages, or of some; wait until they
        run."""
        zoo.prepare(self.root)
        for package, programs in zoo.ZOO.items():
            if packages is None or package in packages:
                for path, args in programs.items():
                    self.run_inside(path, *shlex.split(args))
        self.wait_running()

    def run_inside(self, path, *args):
        self.programs.append(self.root.start(path, *args))
        return self.programs[-1]

    def wait_running(self, deadline=60):
        """Wait until all programs run, and still do when they are looked at
        once more; a client may have to try again."""
        end = time.monotonic() + deadline
        looks = 0
        while looks < 2:
            time.sleep(0.5)
            ended = [p for p in self.programs if not p.running()]
            if ended and time.monotonic() > end:
                raise Failed(f"{self}: these don't run: "
                             f"{[p.given for p in ended]}")
            for program in ended:
                program.restart()
            looks = 0 if ended else looks + 1

    def sha256(self, path):
        return sha256_of(self.root.path(path))

    def wait_known(self, grade=None, programs=None, deadline=60):
        """Wait until the file of each program is its present baseline."""
        wanted = {p.exe: self.sha256(p.exe)
                  for p in programs or self.programs}

        def unknown():
            found = self.baselines()
            return {path: found.get(path) for path, digest in wanted.items()
                    if found.get(path, ("", ""))[0] != digest
                    or grade not in (None, found[path][1])}
        end = time.monotonic() + deadline
        while missing := unknown():
            if time.monotonic() > end:
                raise Failed(f"{self}: not the baselines, or not of grade "
                             f"{grade}, after {deadline} s: {missing}")
            time.sleep(0.3)

    def baselines(self):
        """{path: (digest, grade)}."""
        rows = self.system.sql(
            "SELECT b.path, b.sha256, b.grade FROM process_dna.baselines b "
            "JOIN process_dna.agents a USING (tenant_id, agent_id) "
            f"WHERE a.name = '{self.name}' AND b.until IS NULL")
        return {path: (sha256, grade) for path, sha256, grade in rows}

    # --- packages ----------------------------------------------------------------
    def move(self, index, *packages):
        """Have apt bring all that is installed, or some packages and what they
        need, to the higher (-1) or lower (0) versions."""
        pin(self.root.path("/"), zoo.recipe().versions(), index)
        way = ["install", *packages] if packages else ["dist-upgrade"]
        self.root.run("apt-get", "-y", "--allow-downgrades", "--no-download",
                      *way)

    def restart_pending(self):
        return {a["path"] for a in
                self.system.correlator.json("alerts", "--restart-pending")
                if a["host"] == self.name}

    def held(self):
        """The paths about which judgement waits."""
        return {row[0] for row in self.system.sql(
            "SELECT e.path FROM process_dna.executables e "
            "JOIN process_dna.agents a USING (tenant_id, agent_id) "
            f"WHERE a.name = '{self.name}' AND e.verdict = 'held' "
            "AND NOT e.settled")}

    def swap(self, path):
        """What an attacker does: another program, which runs as well."""
        swap(self.root.path(path), b"evil", source=self.root.path(path))
        return self.sha256(path)


def debs(*packages):
    """The package files of both versions, the lower first."""
    versions = zoo.recipe().versions()
    return [deb for p in packages for v in versions[p]
            for deb in ARCHIVES.glob(f"{p}_{v.replace(':', '%3a')}_*.deb")]
