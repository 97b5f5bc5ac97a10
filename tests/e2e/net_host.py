"""Hosts that log on to each other: a central host and those that it monitors,
each with a network, a name, users, an sshd and an rsyslog of its own."""

import re
import shutil
import subprocess

from debian_host import DebianHost
from host import System
from network import CENTRAL, WIRE, Network, address, address6, inside
from processes import (
    ROOT, Failed, die_with_parent, register, unregister, wait_for,
)
from root import ENV, Inside
from snmp import AGENTX, Agentx, Snmpd

USER = "deploy"
SERVICE = "/usr/local/sbin/billing"
# Where the hosts' logs are taken, as README's line for rsyslog has it.
CENTRAL_NAME, SYSLOG_PORT = "central.example", 5514

# What a host is before anything is started there. This machine's own settings
# are under it and must not count: so Debian's sshd_config as it is delivered,
# and new keys. The home is on a filesystem that is the host's.
SETUP = r"""
hostname "$1"
printf '127.0.0.1 localhost\n%s %s\n' "$2" "$3" >/etc/hosts
rm -rf /etc/ssh/ssh_host_* /etc/ssh/sshd_config.d /etc/rsyslog.d
cp /usr/share/openssh/sshd_config /etc/ssh/sshd_config
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
mkdir -p /run/sshd /var/spool/rsyslog
"""
ADD_USER = r"""
! id "$1" >/dev/null 2>&1 || userdel -f "$1" 2>/dev/null
useradd --create-home --home-dir "/run/$1" --shell /bin/sh "$1"
runuser -u "$1" -- mkdir -m 700 "/run/$1/.ssh"
runuser -u "$1" -- ssh-keygen -q -t ed25519 -N '' -f "/run/$1/.ssh/id_ed25519"
"""
SSH = ["ssh", "-F", "none", "-o", "StrictHostKeyChecking=no",
       "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
       "-o", "ConnectTimeout=20", "-o", "NumberOfPasswordPrompts=1"]


def forwarding():
    """README's line for the rsyslog of each host."""
    found = re.findall(r"(?m)^ *(auth,authpriv\.\*.*omfwd.*)$",
                       (ROOT / "README.md").read_text())
    if len(found) != 1:
        raise Failed(f"README.md: {len(found)} lines for rsyslog")
    return found[0]


class NetHost(DebianHost):
    """One monitored host. It has this machine's own / under it, where Debian's
    sshd, ssh and rsyslog are."""

    own_network = True

    def __init__(self, name, directory, site, number, segment=WIRE, **collectd):
        super().__init__(name, directory, site.central, lower="/",
                         **{"address": CENTRAL, **collectd})
        self.site = site
        behind = segment != WIRE
        self.address = inside(number) if behind else address(number)
        self.address6 = address6(number)
        site.network.attach(
            self.root.pid,
            [self.address] if behind else [self.address, self.address6],
            segment=segment)
        self.runs_of = {}
        self.snmp = []
        self.sshd = self.rsyslog = None
        self._script(SETUP, name, CENTRAL, CENTRAL_NAME)
        self.add_user(USER)

    def _script(self, script, *args):
        return self.root.run("sh", "-ec", script, "sh", *args)

    def stop(self):
        try:
            for thing in [*self.snmp, self.sshd, self.rsyslog]:
                if thing:
                    thing.stop()
        finally:
            super().stop()

    def _daemon(self, name, argv, env=None):
        """A program of the host, to be started; each run has a log of its
        own."""
        self.runs_of[name] = self.runs_of.get(name, 0) + 1
        log = self.directory / f"{name}{self.runs_of[name]}.log"
        return Inside(self.root, f"{name} of {self.name}", argv, log, env)

    # --- programs ---------------------------------------------------------------
    def start_sshd(self):
        self.sshd = self._daemon("sshd", ["/usr/sbin/sshd", "-D"]).start()
        self.sshd.wait_until("listens", lambda: ":0016 00000000:0000 0A" in open(
            f"/proc/{self.root.pid}/net/tcp").read())
        return self

    def start_rsyslog(self, *lines):
        """What Debian's configuration has of reading /dev/log (the kernel's log
        is this machine's), and these lines: by default README's."""
        self.root.path("/etc/rsyslog.conf").write_text("\n".join([
            'module(load="imuxsock")', "$WorkDirectory /var/spool/rsyslog",
            *(lines or [forwarding()]), ""]))
        self.rsyslog = self._daemon("rsyslog", ["/usr/sbin/rsyslogd", "-n",
                                                "-i", "NONE"]).start()
        self.rsyslog.wait_until("listens",
                                self.root.path("/dev/log").is_socket)
        return self

    def start_snmp(self, *globs):
        """snmpd with our subagent, where others have collectd."""
        def make_daemon(name, argv, log, env):
            return Inside(self.root, f"{name} of {self.name}", argv, log, env)
        program = self.directory / AGENTX.name
        shutil.copy(AGENTX, program)
        snmpd = Snmpd(self.directory / "snmpd", address=self.address,
                      extra="rocommunity public 192.0.2.0/24\n",
                      make_daemon=make_daemon)
        self.snmp = [Agentx.of(self.directory / "agentx", snmpd, globs,
                               program=program, make_daemon=make_daemon), snmpd]
        snmpd.start()
        self.snmp[0].start()
        return snmpd.port

    def start_service(self, path=SERVICE):
        """A service that runs, is known and is quiet: how each case begins."""
        self.root.shell(f"mkdir -p {path.rpartition('/')[0]};"
                        f"cp --remove-destination /bin/sleep {path}")
        self.run_inside(path, "86400")
        self.wait_running()
        return self

    def start_all(self):
        """A whole host, with a service that is known."""
        self.start_rsyslog().start_sshd().start_service().start()
        self.wait_known()
        return self

    def compromise(self, path=SERVICE):
        """Its service's binary is swapped; the alert, once its trap came."""
        self.root.shell(f"cp -p {path} {path}.kept")
        self.swap(path)
        return self.wait_critical(path)

    def restore(self, path=SERVICE):
        """The binary of before, and the service runs from it."""
        self.root.shell(f"mv {path}.kept {path}")
        for program in self.programs:
            program.restart()

    # --- users and logins ---------------------------------------------------------
    def add_user(self, user):
        self._script(ADD_USER, user)

    def key(self, user=USER):
        return self.root.run("cat", f"/run/{user}/.ssh/id_ed25519.pub")

    def fingerprint(self, user=USER):
        return self.root.run("ssh-keygen", "-lf",
                             f"/run/{user}/.ssh/id_ed25519.pub").split()[1]

    def trust(self, *others, user=USER):
        """The keys of that user on the other hosts open this one."""
        self.root.path(f"/run/{user}/.ssh/authorized_keys").write_text(
            "".join(other.key(user) for other in others))
        return self

    def ssh(self, other, user=USER, target=None, options=(), env=None,
            command=("true",)):
        """Debian's ssh client tries to log on as `user`, to an address of the
        other host or `target`; the completed process."""
        return subprocess.run(
            self.root.argv([
                "env", *(f"{k}={v}" for k, v in (env or {}).items()),
                "runuser", "-u", USER, "--", *SSH, *options, "-l", user,
                target or other.address, "--", *command]),
            env=ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=120, preexec_fn=die_with_parent)

    def logs_on_to(self, other, **kwargs):
        done = self.ssh(other, **kwargs)
        if done.returncode != 0:
            raise Failed(f"{self} to {other}: ssh: exit status "
                         f"{done.returncode}\n{done.stderr}")

    def fails_on(self, other, **kwargs):
        """A wrong password, or a user that there is not."""
        askpass = "/run/askpass"
        self._script("printf '#!/bin/sh\\necho wrong\\n' >$1; chmod 755 $1",
                     askpass)
        done = self.ssh(
            other, options=["-o", "PreferredAuthentications=password"],
            env={"SSH_ASKPASS": askpass, "SSH_ASKPASS_REQUIRE": "force"},
            **kwargs)
        assert done.returncode == 255, done


class Site:
    """A central host with a network, and the hosts that are made on it."""

    def __init__(self, directory, postgres, **system):
        self.directory = directory
        self.hosts = []
        self.network = Network()
        register(self)
        sections = {
            "syslog": {"listen-tcp": [f"{CENTRAL}:{SYSLOG_PORT}"]},
            "lateral": {"cadence": 1}, **system.pop("sections", {})}
        self.central = System(directory / "central", postgres,
                              enter=self.network.enter(), address=CENTRAL,
                              sections=sections, **system)

    def __repr__(self):
        return f"site {self.directory.name}"

    def start(self):
        self.central.start()
        return self

    def host(self, name, **options):
        number = 11 + len(self.hosts)
        self.hosts.append(NetHost(name, self.directory / name, self, number,
                                  **options))
        return self.hosts[-1]

    def stop(self):
        unregister(self)
        for host in self.hosts:
            host.stop()
        self.central.stop()
        self.network.stop()

    # --- what the central host knows ----------------------------------------------
    def events(self, **match):
        """The auth events, as dicts of text, in order of arrival."""
        where = " AND ".join(f"{k} = '{v}'" for k, v in match.items()) or "true"
        columns = ("outcome auth_user src_ip src_host src_port log_host trust "
                   "method key_fingerprint session_at target").split()
        rows = self.central.sql(
            f"SELECT {', '.join(columns)} FROM (SELECT e.*, a.name AS target "
            "FROM process_dna.auth_events e LEFT JOIN process_dna.agents a ON "
            "a.tenant_id = e.tenant_id AND a.agent_id = e.target_agent_id) e "
            f"WHERE {where} ORDER BY arrived_at, event_id")
        return [dict(zip(columns, row)) for row in rows]

    def wait_events(self, n, **match):
        """Wait for so many; nobody knows of more."""
        found = wait_for(f"{n} auth events {match}",
                         lambda: len(f := self.events(**match)) >= n and f)
        assert len(found) == n, found
        return found

    def wait_worked(self):
        """Wait until the worker has looked at all there is."""
        wait_for("the worker has nothing to do", lambda: self.central.value(
            "SELECT count(*) FROM process_dna.lateral_queue") == "0")

    def movements(self, **match):
        return [d for d in self.central.correlator.json("detections", "--all")
                if all(d[k] == v for k, v in match.items())]

    def wait_movement(self, **match):
        found = wait_for(f"a lateral movement {match}",
                         lambda: self.movements(**match))
        assert len(found) == 1, found
        return found[0]

    def traps(self, **match):
        return [t for t in self.central.nms.traps(**match)
                if t["notification"] == "pdnaLateralMovement"]

    def assert_none(self):
        """Nobody has moved, as far as all that came so far tells."""
        self.wait_worked()
        assert self.movements() == []
        assert self.traps() == []


