"""Hosts that log on to each other: a central host and those that it monitors,
each with a network, a name, users, an sshd and an rsyslog of its own."""

import contextlib
import re
import shutil
import subprocess

from debian_host import DebianHost
from harness import quoted
from host import System
from network import CENTRAL, Network, address, address6, inside
from processes import Failed, die_with_parent, wait_for
from root import ENV, Inside
from senders import in_readme, readme_line
from snmp import AGENTX, Agentx, Snmpd

USER = "deploy"
HOME = f"/run/{USER}"
SERVICE = "/usr/local/sbin/billing"
# The central host, in README's line for rsyslog.
CENTRAL_NAME = "central.example"
# As on any Debian, the host keeps its log as well.
KEPT_LOG = "/var/log/auth.log"

# What a host is before anything is started there. This machine's own settings
# are under it and must not count: so Debian's sshd_config as it is delivered,
# and new keys. The home is on a filesystem that is the host's.
SETUP = r"""
hostname "$1"
printf '127.0.0.1 localhost\n%s %s\n' "$2" "$3" >/etc/hosts
rm -rf /etc/ssh/ssh_host_* /etc/ssh/sshd_config.d /etc/rsyslog.d
cp /usr/share/openssh/sshd_config /etc/ssh/sshd_config
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
mkdir -p /run/sshd /var/spool/rsyslog /var/log
rm -f /var/log/auth.log
"""
ADD_USER = r"""
! id "$1" >/dev/null 2>&1 || userdel -f "$1" 2>/dev/null
useradd --create-home --home-dir "$2" --shell /bin/sh "$1"
runuser -u "$1" -- mkdir -m 700 "$2/.ssh"
runuser -u "$1" -- ssh-keygen -q -t ed25519 -N '' -f "$2/.ssh/id_ed25519"
"""
SSH = ["ssh", "-F", "none", "-o", "StrictHostKeyChecking=no",
       "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
       "-o", "ConnectTimeout=20", "-o", "NumberOfPasswordPrompts=1"]


def listening():
    """What README has the correlator listen on for it."""
    return re.findall(r'"(.+?)"', in_readme(r"(?m)^ *listen-tcp = .*$"))


class NetHost(DebianHost):
    """One monitored host. It has this machine's own / under it, where Debian's
    sshd, ssh and rsyslog are."""

    own_network = True

    def __init__(self, name, directory, site, number, gateway=None, **collectd):
        """On the wire, or behind the gateway of that number."""
        super().__init__(name, directory, site.central, lower="/",
                         **{"address": CENTRAL, **collectd})
        self.site = site
        if gateway:
            self.address = inside(number)
            site.network.attach_inside(self.root.pid, self.address, gateway)
        else:
            self.address, self.address6 = address(number), address6(number)
            site.network.attach(self.root.pid, self.address, self.address6)
        self.snmp = []
        self.sshd = self.rsyslog = None
        self._script(SETUP, name, CENTRAL, CENTRAL_NAME)
        self._script(ADD_USER, USER, HOME)

    def _script(self, script, *args):
        return self.root.run("sh", "-ec", script, "sh", *args)

    def stop(self):
        try:
            for daemon in self.sshd, self.rsyslog:
                if daemon and daemon.running():
                    daemon.kill()
            for thing in self.snmp:
                thing.stop()
        finally:
            super().stop()

    def _daemon(self, name, argv, log=None, env=None):
        """A program of the host, to be started."""
        return Inside(self.root, f"{name} of {self.name}", argv,
                      log or self.directory / f"{name}.log", env)

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
            f"auth,authpriv.* {KEPT_LOG}",
            *(lines or [readme_line()]), ""]))
        self.rsyslog = self._daemon("rsyslog", ["/usr/sbin/rsyslogd", "-n",
                                                "-i", "NONE"]).start()
        self.rsyslog.wait_until("listens",
                                self.root.path("/dev/log").is_socket)
        return self

    def wait_logged(self, text, times=1):
        """Wait until rsyslog has read so many lines with a text."""
        log = self.root.path(KEPT_LOG)
        wait_for(f"{self}: {times} lines {text!r}",
                 lambda: log.read_text().count(text) >= times)

    def start_snmp(self):
        """snmpd with our subagent, where others have collectd."""
        program = self.directory / AGENTX.name
        shutil.copy(AGENTX, program)
        snmpd = Snmpd(self.directory / "snmpd", address=self.address, port=161,
                      extra="rocommunity public 192.0.2.0/24\n",
                      make_daemon=self._daemon)
        agent = Agentx.of(self.directory / "agentx", snmpd, [SERVICE],
                          program=program, make_daemon=self._daemon)
        self.snmp = [agent, snmpd]
        snmpd.start()
        agent.start()
        return self

    def start_service(self):
        """A copy of a real binary, which runs."""
        self._script('cp --remove-destination /bin/sleep "$1"', SERVICE)
        self.run_inside(SERVICE, "86400")
        self.wait_running()
        return self

    def start_all(self):
        """A whole host, with a service."""
        self.start_rsyslog().start_sshd().start_service().start()
        return self

    def compromise(self):
        """Its service's binary is swapped; the alert, once its trap came."""
        self._script('cp -p "$1" "$1.kept"', SERVICE)
        self.swap(SERVICE)
        return self.wait_critical(SERVICE)

    def restore(self):
        """The binary of before, and the service runs from it."""
        self._script('mv "$1.kept" "$1"', SERVICE)
        for program in self.programs:
            program.restart()

    def knows(self, other):
        """By name."""
        with open(self.root.path("/etc/hosts"), "a", encoding="ascii") as file:
            file.write(f"{other.address} {other.name}\n")

    # --- users and logins ---------------------------------------------------------
    def key(self):
        return self.root.run("cat", f"{HOME}/.ssh/id_ed25519.pub")

    def fingerprint(self):
        return self.root.run("ssh-keygen", "-lf",
                             f"{HOME}/.ssh/id_ed25519.pub").split()[1]

    def trust(self, *others):
        """The keys that the user has on the other hosts open this one."""
        self.root.path(f"{HOME}/.ssh/authorized_keys").write_text(
            "".join(other.key() for other in others))
        return self

    def ssh(self, other, user=USER, target=None, options=(), env=None):
        """Debian's ssh client tries to log on as `user`, to the address of the
        other host or to `target`; the completed process."""
        return subprocess.run(
            self.root.argv([
                "env", *(f"{k}={v}" for k, v in (env or {}).items()),
                "runuser", "-u", USER, "--", *SSH, *options, "-l", user,
                target or other.address, "--", "true"]),
            env=ENV, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=120, preexec_fn=die_with_parent)

    def logs_on_to(self, other, **kwargs):
        done = self.ssh(other, **kwargs)
        if done.returncode != 0:
            raise Failed(f"{self} to {other}: ssh: exit status "
                         f"{done.returncode}\n{done.stderr}")

    def fails_on(self, other, **kwargs):
        """A wrong password (the question), or a user that there is not."""
        done = self.ssh(
            other, options=["-o", "PreferredAuthentications=password"],
            env={"SSH_ASKPASS": "/bin/echo", "SSH_ASKPASS_REQUIRE": "force"},
            **kwargs)
        assert done.returncode == 255, done


class Site:
    """A central host with a network, and the hosts that are made on it. By
    default the NMS gets informs, so that a trap which was sent has arrived."""

    def __init__(self, directory, postgres, followed=(), **system):
        """`followed`: hosts whose auth.log the correlator follows."""
        self.directory = directory
        self.hosts = []
        self.network = Network()
        sections = {
            "syslog": {"listen-tcp": listening()},
            "lateral": {"cadence": 1},
            **{f"auth-log {quoted(self.auth_log(name))}": {}
               for name in followed}}
        self.central = System(
            directory / "central", postgres, enter=self.network.enter(),
            address=CENTRAL, sections=sections,
            **{"sinks": lambda nms: {"nms": nms.session(inform=True)}, **system})

    def __repr__(self):
        return f"site {self.directory.name}"

    def start(self):
        self.central.start()
        return self

    def auth_log(self, name):
        return self.directory / name / "auth.log"

    def host(self, name, **options):
        """A host, of which nothing runs yet; the first one's addresses end in
        11, the next one's in 12, and so on."""
        number = 11 + len(self.hosts)
        new = NetHost(name, self.directory / name, self, number, **options)
        for host in self.hosts:
            host.knows(new)
            new.knows(host)
        self.hosts.append(new)
        return new

    def running(self, *names):
        """Whole hosts, of which each lets the user of all others in."""
        hosts = [self.host(name).start_all() for name in names]
        for host in hosts:
            host.trust(*hosts).wait_known()
        return hosts

    def stop(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.network.stop)
            stack.callback(self.central.stop)
            for host in self.hosts:
                stack.callback(host.stop)

    # --- what the central host knows ----------------------------------------------
    def events(self, **match):
        """The auth events, as dicts of text, in order of arrival; `target` is
        an agent's name or nothing."""
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
        found = wait_for(f"{n} auth events {match}",
                         lambda: len(f := self.events(**match)) >= n and f)
        assert len(found) == n, found
        return found

    def wait_login(self, origin, target):
        """Wait for the only login from one host on the other."""
        [event] = self.wait_events(1, outcome="accepted", src_ip=origin.address,
                                   log_host=target.name)
        return event

    def wait_quiet(self):
        """Wait until all that has come was looked at, and all traps sent."""
        for table in "lateral_queue", "trap_outbox":
            wait_for(f"{table} is empty", lambda table=table: self.central.value(
                f"SELECT count(*) FROM process_dna.{table}") == "0")

    def movements(self, **match):
        """As listed, closed ones too."""
        return [d for d in self.central.correlator.json("detections", "--all")
                if all(d[k] == v for k, v in match.items())]

    def wait_movement(self, deadline=30, **match):
        """Wait for it; there is one between two hosts."""
        found = wait_for(f"a lateral movement {match}",
                         lambda: self.movements(**match), deadline)
        assert len(found) == 1, found
        return found[0]

    def traps(self, movement=None):
        """Of lateral movements, or all of one: what they say of its state."""
        if movement:
            return [t["pdnaAlertState"] for t in
                    self.central.nms.traps(AlertKey=movement["key"])]
        return [t for t in self.central.nms.traps()
                if t["notification"] == "pdnaLateralMovement"]

    def assert_none(self):
        """Nobody has moved, as far as all that came so far tells."""
        self.wait_quiet()
        assert self.movements() == []
        assert self.traps() == []
