"""A network of its own for a central host and the hosts that it monitors: one
wire, and a namespace for each that is on it. None of the namespaces has a name,
so all of it is gone when the processes in them are. The same addresses (of RFC
5737 and 3849) in every network: none of them sees another, nor this machine's.

What is on the wire is macvlan: the plugin takes veth and bridges for those of
containers, and tells nobody of their addresses."""

import subprocess

from debian import command
from processes import Failed, register, unregister

CENTRAL = "192.0.2.1"
PREFIX, PREFIX6 = 24, 64

# macvlan on one device reach each other, but not that device's own namespace:
# so the central host has one as well.
BOOT = r"""
ip link set lo up
ip link add wire type veth peer name wire-end
ip link add inside type veth peer name inside-end
for link in wire wire-end inside inside-end; do ip link set "$link" up; done
ip link add link wire name eth0 type macvlan mode bridge
ip addr add "$1" dev eth0
ip addr add "$2" dev eth0 nodad
ip link set eth0 up
echo up
exec cat >/dev/null
"""

# Whatever comes from the inside goes out under the gateway's own address.
GATEWAY = r"""
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f - <<'END'
table ip nat {
  chain out {
    type nat hook postrouting priority srcnat
    oifname "eth0" masquerade
  }
}
END
echo up
exec cat >/dev/null
"""


def address(number):
    """The IPv4 address of a host on the wire."""
    return f"192.0.2.{number}"


def address6(number):
    return f"2001:db8::{number}"


def inside(number):
    """The address of a host behind the gateway."""
    return f"198.51.100.{number}"


class Namespace:
    """A network namespace, which is there until its process ends: that is when
    our end of its pipe closes."""

    def __init__(self, name, script, *args):
        self.name = name
        self.holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-ec", script, "sh", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        register(self)
        if self.holder.stdout.readline() != "up\n":
            raise Failed(f"{self}: {self.holder.stderr.read()}")

    def __repr__(self):
        return f"network namespace {self.name}"

    @property
    def pid(self):
        return self.holder.pid

    def stop(self):
        unregister(self)
        self.holder.communicate()

    def enter(self):
        return enter(self.pid)


def enter(pid):
    """What a program's arguments follow that shall run in a process's network."""
    return ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]


class Network:
    def __init__(self):
        self.central = Namespace("central", BOOT, f"{CENTRAL}/{PREFIX}",
                                 f"{address6(1)}/{PREFIX6}")
        self.gateways = []

    def stop(self):
        for gateway in self.gateways:
            gateway.stop()
        self.central.stop()

    def enter(self):
        return self.central.enter()

    def attach(self, pid, *addresses, link="wire", interface="eth0"):
        """Give the namespace of a process an interface with these addresses."""
        command([*self.enter(), "ip", "link", "add", "link", link, "name",
                 interface, "netns", str(pid), "type", "macvlan", "mode",
                 "bridge"])
        for text in addresses:
            # At once, and not after a second of duplicate address detection.
            rest = ["nodad"] if ":" in text else []
            prefix = PREFIX6 if ":" in text else PREFIX
            command([*enter(pid), "ip", "addr", "add", f"{text}/{prefix}",
                     "dev", interface, *rest])
        command([*enter(pid), "ip", "link", "set", interface, "up"])

    def attach_inside(self, pid, text, gateway):
        """The same behind a gateway, through which it reaches all else."""
        self.attach(pid, text, link="inside")
        command([*enter(pid), "ip", "route", "add", "default", "via",
                 inside(gateway)])

    def add_gateway(self, number):
        """A router with NAT between the wire and the inside; both of its
        addresses end in the number."""
        gateway = Namespace("gateway", GATEWAY)
        self.gateways.append(gateway)
        self.attach(gateway.pid, address(number))
        self.attach(gateway.pid, inside(number), link="inside",
                    interface="eth1")
        return gateway
