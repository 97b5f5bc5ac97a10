"""What the tests speak of: a central host, and monitored hosts that send to
it, with the services that run there."""

import contextlib
import hashlib
import os
import time
from collections import Counter

from collectd_packet import identity
from harness import TENANT, Collectd, Correlator, Service, Snmptrapd, copy_binary
from processes import (
    BindMount, Failed, fresh_dir, register, unregister, wait_for,
)

# How deep below a host's directory executables are looked for.
DEPTH = 20


def sha256_of(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


class System:
    """A central host: a database, the correlator and the NMS it traps to."""

    def __init__(self, directory, postgres, sinks=None, enter=(), **correlator):
        """`sinks` gives {name: session} for the NMS; None: one that traps.
        What runs all the time does so in the network that `enter` leads
        into."""
        self.directory = fresh_dir(directory)
        self.postgres = postgres
        self.conninfo = postgres.create_database()
        self.nms = Snmptrapd(directory / "nms", enter)
        sinks = {"nms": self.nms.session()} if sinks is None else sinks(self.nms)
        self.options = {"sinks": sinks, "enter": enter, **correlator}
        self.correlators = []
        self.correlator = self.add_correlator()

    def add_correlator(self, **changed):
        directory = self.directory / f"correlator{len(self.correlators) + 1}"
        self.correlators.append(
            Correlator(directory, self.conninfo, **{**self.options, **changed}))
        return self.correlators[-1]

    def start(self):
        self.correlator.migrate()
        self.nms.start()
        self.correlator.start()
        return self

    def stop(self):
        for correlator in self.correlators:
            correlator.stop()
        self.nms.stop()

    @property
    def ports(self):
        return [c.port for c in self.correlators]

    def sql(self, statement):
        return self.postgres.sql(statement, self.conninfo)

    def value(self, statement):
        return self.sql(statement)[0][0]

    def alerts(self, host, path=None, **match):
        """All alerts of a host, closed ones too."""
        return [a for a in self.correlator.json("alerts", "--all")
                if a["host"] == host and path in (None, a["path"])
                and all(a[k] == v for k, v in match.items())]

    def last_observed(self, host):
        """The time stamp of the last scan that arrived, 0 before the first."""
        rows = self.sql(
            "SELECT extract(epoch FROM last_observed) FROM "
            f"process_dna.agents_state(process_dna.tenant_id('{TENANT}')) "
            f"WHERE name = '{host}' AND last_observed IS NOT NULL")
        return float(rows[0][0]) if rows else 0.0

    def holds(self):
        """Is a verdict held, of whatever host?"""
        return self.value(
            "SELECT count(*) FROM process_dna.executables"
            " WHERE verdict = 'held' AND NOT settled") != "0"

    def counters(self):
        """What the correlators have counted, as far as they reported it."""
        total = Counter()
        for c in self._correlators():
            total.update(c["counters"])
        return total

    def _correlators(self):
        return self.correlator.json("status")["correlators"]

    def new_counters(self):
        """The same, once each that runs has reported after now."""
        [[now]] = self.sql("SELECT clock_timestamp()::timestamp")
        running = [c.daemon.pid for c in self.correlators
                   if c.daemon and c.daemon.running()]

        def reported():
            fresh = {c["pid"] for c in self._correlators()
                     if c["reported_at"].replace("T", " ") > now}
            return fresh.issuperset(running)
        wait_for("correlators report", reported, every=0.3)
        return self.counters()


class Host:
    """A monitored host: collectd with our plugin, which looks at what lies
    below the host's directory, and services there."""

    def __init__(self, name, directory, system, start=True, executables=None,
                 **collectd):
        self.name = name
        self.system = system
        self.directory = fresh_dir(directory)
        self.bin = fresh_dir(directory / "bin")
        self.services = []
        self.mounts = []
        self.globs = executables or [
            f"{directory}{'/*' * depth}" for depth in range(1, DEPTH)]
        self.options = collectd
        self.runs = 0
        self.collectd = None
        register(self)
        if start:
            self.start()

    def __repr__(self):
        return f"host {self.name}"

    def start(self, **changed):
        """Start collectd; once more after stop_collectd()."""
        self.runs += 1
        options = {"servers": self.system.ports, "executables": self.globs,
                   **self.options, **changed}
        self.collectd = Collectd.agent(
            self.name, self.directory / f"collectd{self.runs}", **options).start()
        return self

    def stop_collectd(self):
        self.collectd.stop()

    def stop(self):
        unregister(self)
        with contextlib.ExitStack() as stack:
            if self.collectd:
                stack.callback(self.collectd.stop)
            for thing in self.services + self.mounts:
                stack.callback(thing.stop)

    # --- services -----------------------------------------------------------
    def binary(self, name="service", tag=b"", source="/bin/sleep"):
        """A copy of a real binary on this host; its path in bytes."""
        path = os.path.join(os.fsencode(self.bin), os.fsencode(name))
        copy_binary(path, source, tag)
        return path

    def run(self, path, argv=None, **kwargs):
        service = (Service(argv, executable=path, **kwargs) if argv
                   else Service.of(path, **kwargs))
        self.services.append(service)
        return service

    def bind(self, source, target):
        self.mounts.append(BindMount(source, target))
        return self.mounts[-1]

    # --- what the central host knows -------------------------------------------
    @staticmethod
    def path_text(path):
        return identity(os.fsencode(path))

    def wait_scans(self, n=2, deadline=60):
        """Wait until n scans that began after now have been taken up."""
        begin, seen = time.time(), set()

        def enough():
            last = self.system.last_observed(self.name)
            if last > begin:
                seen.add(last)
            return len(seen) >= n
        wait_for(f"{self}: {n} scans", enough, deadline)

    def baseline(self, path):
        """(digest, grade) of a path's present baseline, or None."""
        rows = self.system.sql(
            "SELECT b.sha256, b.grade FROM process_dna.baselines b "
            "JOIN process_dna.agents a USING (tenant_id, agent_id) "
            f"WHERE a.name = '{self.name}' AND b.until IS NULL AND "
            f"b.path = $path${self.path_text(path)}$path$")
        return tuple(rows[0]) if rows else None

    def wait_baseline(self, path, sha256=None, deadline=60):
        """Wait for a baseline, of this digest if one is given."""
        def stands():
            found = self.baseline(path)
            return found if found and sha256 in (None, found[0]) else None
        return wait_for(f"{self}: baseline of {path!r}", stands, deadline)

    def established(self, path, **kwargs):
        """A service that runs, is known and is quiet: how each case begins."""
        service = self.run(path, **kwargs)
        digest = sha256_of(path)
        assert self.wait_baseline(path)[0] == digest
        self.wait_scans(2)
        assert self.alerts(path) == []
        return service

    def alerts(self, path=None, **match):
        return self.system.alerts(
            self.name, None if path is None else self.path_text(path), **match)

    def wait_alert(self, path, deadline=60, **match):
        """Wait for the one alert of a path."""
        found = wait_for(f"{self}: alert {match} of {path!r}",
                         lambda: self.alerts(path, **match), deadline)
        if len(found) != 1:
            raise Failed(f"{self}: {len(found)} alerts of {path!r}, expected "
                         f"one: {found}")
        return found[0]

    def wait_critical(self, path, verdict="no-known-update", sha256=None):
        """Wait for the Critical alert of a path, and for its trap."""
        alert = self.wait_alert(path, state="open", kind="binary-changed")
        assert (alert["severity"], alert["verdict"]) == (
            "critical", verdict), alert
        if sha256:
            assert alert["observed_sha256"] == sha256, alert
        trap = self.wait_trap(alert, "pdnaBinaryChanged")
        assert trap["pdnaAlertState"] == "raised"
        assert trap["pdnaAlertSeverity"] == "critical"
        assert trap["pdnaAlertExePath"] == self.path_text(path)
        return alert

    def wait_trap(self, alert, notification, deadline=30):
        return wait_for(
            f"{notification} of alert {alert['key']}",
            lambda: next((t for t in self.traps(alert)
                          if t["notification"] == notification), None), deadline)

    def traps(self, alert):
        return self.system.nms.traps(AlertKey=alert["key"])

    def assert_quiet(self, path, scans=2):
        """No alert of a path, after as many further scans."""
        self.wait_scans(scans)
        assert self.alerts(path) == []

    def assert_silent(self):
        """No alert of this host and no trap at all, after two more scans."""
        self.wait_scans(2)
        assert self.alerts() == []
        assert self.system.nms.traps() == []
