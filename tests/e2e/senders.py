"""What sends syslog: Debian's rsyslog, with a configuration of the test's own
and what README has for the hosts, and bare sockets. Certificates are made by
openssl."""

import re
import socket
import subprocess

from processes import (
    ROOT, Daemon, Failed, Log, fresh_dir, register, unregister,
)

README = (ROOT / "README.md").read_text()
SERVER = "central.example"
FINGERPRINT = "SHA256:" + "4" * 43

CERTIFICATES = r"""
umask 077
new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
for ca in ca other; do
  openssl req -x509 $new -keyout $ca.key -out $ca.pem -days 30 -subj /CN=$ca \
    -addext keyUsage=critical,keyCertSign,cRLSign
done
while read -r name ca usage subject; do
  openssl req $new -keyout $name.key -out $name.csr -subj "/CN=$subject"
  printf 'extendedKeyUsage=%s\nsubjectAltName=DNS:%s\n' "$usage" "$subject" \
    >$name.ext
  openssl x509 -req -in $name.csr -CA $ca.pem -CAkey $ca.key -CAcreateserial \
    -days 30 -extfile $name.ext -out $name.pem
done <<END
central ca serverAuth central.example
host ca clientAuth host.example
stranger other clientAuth host.example
END
"""


def in_readme(pattern):
    """The only place of README that fits."""
    found = re.findall(pattern, README)
    if len(found) != 1:
        raise Failed(f"README.md: {len(found)} times: {pattern}")
    return found[0]


def readme_line():
    """What README has each host's rsyslog do."""
    return in_readme(r"(?m)^auth,authpriv\.\*.*omfwd.*$")


class Certificates:
    """Of the central host, of a host, and of a stranger with a CA of its own."""

    def __init__(self, directory):
        self.directory = fresh_dir(directory)
        done = subprocess.run(["sh", "-eu"], input=CERTIFICATES, text=True,
                              cwd=directory, capture_output=True, check=False)
        if done.returncode != 0:
            raise Failed(f"certificates: {done.stderr}")

    def __getitem__(self, name):
        return self.directory / name

    def of_correlator(self):
        """Its keys of the section syslog."""
        return {"tls-cert": f'"{self["central.pem"]}"',
                "tls-key": f'"{self["central.key"]}"',
                "tls-ca": f'"{self["ca.pem"]}"'}


def forwarding(way, port, certificates=None, who="host"):
    """README's lines for a host's rsyslog, to a port of this machine: over tcp,
    newline (TCP as well), udp, ossl or gtls. `who`: whose certificate; None:
    nobody's."""
    line = readme_line()
    line = line.replace(f'target="{SERVER}" port="5514"',
                        f'target="127.0.0.1" port="{port}"')
    if way == "newline":
        return line.replace("octet-counted", "traditional")
    if way == "udp":
        return line.replace('protocol="tcp"', in_readme(r'`(protocol="udp")`'))
    if way == "tcp":
        return line
    driver = in_readme(r'`(StreamDriver="ossl"[^`]*)`')
    files = in_readme(r"`global\((DefaultNetstreamDriverCAFile=[^`]*)\)`")
    for name, path in (("ca.pem", "ca.pem"), ("host.pem", f"{who}.pem"),
                       ("host.key", f"{who}.key")):
        files = files.replace(f"/etc/process-dna/{name}",
                              str(certificates[path]))
    if who is None:
        files = files.split()[0]
    # The driver is loaded where the first connection is, and finds its files by
    # the settings of all drivers.
    return "\n".join([
        f"global({files})",
        line[:-1] + " " + driver.replace("ossl", way) + ")"])


class Rsyslog:
    """rsyslogd in the foreground, which takes what is logged at a socket of its
    own."""

    def __init__(self, directory, *lines):
        self.directory = fresh_dir(directory)
        self.socket = directory / "log"
        self.daemon = None
        self.log = Log(directory / "rsyslog.log")
        (directory / "work").mkdir()
        (directory / "rsyslog.conf").write_text("\n".join([
            f'global(workDirectory="{directory}/work"',
            '       processInternalMessages="off")',
            'module(load="imuxsock" SysSock.Use="off")',
            f'input(type="imuxsock" Socket="{self.socket}"',
            '      RateLimit.Interval="0")',
            *lines, ""]))

    def start(self):
        self.daemon = Daemon("rsyslog", [
            "/usr/sbin/rsyslogd", "-n", "-f", self.directory / "rsyslog.conf",
            "-i", self.directory / "pid"], self.log).start()
        self.daemon.wait_until("listens", self.socket.is_socket)
        return self

    def stop(self):
        if self.daemon:
            self.daemon.stop()

    def logins(self, numbers):
        """What sshd would log, of users u0, u1 and so on."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect(str(self.socket))
            for n in numbers:
                s.send(b"<38>Nov 26 10:00:00 sshd[%d]: %s" % (n + 1, login(n)))
        return self


def login(n):
    return (b"Accepted publickey for u%d from 192.0.2.9 port 40000 ssh2: "
            b"ED25519 %s" % (n, FINGERPRINT.encode()))


def line(n, host="bare"):
    """The same as a sender's line."""
    return b"<38>Nov 26 10:00:00 %s sshd[%d]: %s\n" % (
        host.encode(), n + 1, login(n))


class Peer:
    """A bare socket that is connected to a port of this machine."""

    def __init__(self, port, kind=socket.SOCK_STREAM):
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.settimeout(30)
        self.socket.connect(("127.0.0.1", port))
        register(self)

    def send(self, data):
        self.socket.sendall(data)
        return self

    def ended(self):
        """Has the other end closed, or said that it will?"""
        self.socket.setblocking(False)
        try:
            return self.socket.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(30)

    def stop(self):
        unregister(self)
        self.socket.close()
