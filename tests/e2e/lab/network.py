"""The wires of the lab.

        hub: bridge "left" ---joint--- bridge "right"      198.51.100.0/24, 2001:db8:1::/64
             bridge "other"  (routed)                      203.0.113.0/24,  2001:db8:2::/64
                |  |  |              |  |  |
               n1 n2 n3 ..          n5 n6 n7 ..

Every node has one wire, its eth0, into a bridge of the hub; the hub routes between the
two subnets and is everybody's default gateway. Taking the joint down cuts the left half
from the right one. A router is a space with one wire into the hub and a LAN behind it
that it masquerades.
"""

from .shell import require
from .space import Space

BRIDGES = {"left": ("198.51.100", "2001:db8:1"), "right": ("198.51.100", "2001:db8:1"), "other": ("203.0.113", "2001:db8:2")}


class Network:
    def __init__(self, folder, bin_folder):
        self.hub = Space("hub", folder / "hub", bin_folder)
        self.wires = {}

    def open(self):
        hub = self.hub.open()
        hub.ip("link", "add", "joint-l", "type", "veth", "peer", "name", "joint-r")
        for bridge in BRIDGES:
            hub.ip("link", "add", bridge, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
            hub.ip("link", "set", bridge, "up")
        for joint, bridge in (("joint-l", "left"), ("joint-r", "right")):
            hub.ip("link", "set", joint, "master", bridge, "up")
        for bridge in ("left", "other"):
            v4, v6 = BRIDGES[bridge]
            hub.ip("address", "add", f"{v4}.254/24", "dev", bridge)
            hub.ip("address", "add", f"{v6}::fe/64", "dev", bridge, "nodad")
        hub.sysctl("net.ipv4.ip_forward", 1)
        hub.sysctl("net.ipv6.conf.all.forwarding", 1)
        return self

    def adopt(self):
        self.hub.adopt()
        return self

    def close(self):
        self.hub.close()

    def plug(self, space, number, bridge="left", device="eth0"):
        """A wire from the space into a bridge, with that number as its address; returns the IPv4 address."""
        wire = f"p-{space.name}"
        self.hub.ip("link", "add", wire, "type", "veth", "peer", "name", device, "netns", space.pid)
        self.wires[space.name] = wire
        self.replug(space, bridge)
        space.ip("link", "set", device, "up")
        return self.address(space, number, bridge, device)

    def replug(self, space, bridge):
        self.hub.ip("link", "set", f"p-{space.name}", "master", bridge, "up")

    def address(self, space, number, bridge, device="eth0"):
        """Gives the space a new address and the gateway that belongs to it, in place of what it had."""
        require(1 <= number <= 250, f"no address number {number} on {bridge}")
        v4, v6 = BRIDGES[bridge]
        space.ip("address", "flush", "dev", device, "scope", "global")
        space.ip("address", "add", f"{v4}.{number}/24", "dev", device)
        space.ip("address", "add", f"{self.address6(number, bridge)}/64", "dev", device, "nodad")
        space.ip("route", "replace", "default", "via", f"{v4}.254")
        space.ip("-6", "route", "replace", "default", "via", f"{v6}::fe")
        return f"{v4}.{number}"

    def address6(self, number, bridge):
        """The IPv6 address that goes with a number on a bridge."""
        return f"{BRIDGES[bridge][1]}::{number:x}"

    def cut(self, space):
        """The wire is pulled: nothing leaves the space, nothing arrives."""
        self.hub.ip("link", "set", f"p-{space.name}", "down")

    def mend(self, space):
        self.hub.ip("link", "set", f"p-{space.name}", "up")

    def part(self):
        """The left half no longer reaches the right one, nor the gateway that the right half shares with it."""
        self.hub.ip("link", "set", "joint-l", "down")

    def join(self):
        self.hub.ip("link", "set", "joint-l", "up")

    def masquerade(self, router, number, lan="192.168.77"):
        """Makes the space a router with a masqueraded LAN, as in a home: replies come in, nothing else does."""
        self.plug(router, number, device="wan")
        router.ip("link", "add", "lan", "type", "bridge", "forward_delay", "0")
        router.ip("address", "add", f"{lan}.1/24", "dev", "lan")
        router.ip("link", "set", "lan", "up")
        router.sysctl("net.ipv4.ip_forward", 1)
        router.nft("""
            table ip home {
              chain leaving { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }
              chain through { type filter hook forward priority filter; policy accept;
                iifname "wan" ct state new drop; }
              chain here { type filter hook input priority filter; policy accept;
                iifname "wan" meta l4proto udp ct state new drop; }
            }""")
        self.lan = lan

    def plug_behind(self, router, space, number):
        """A wire from the space into the router's LAN."""
        router.ip("link", "add", f"p-{space.name}", "type", "veth", "peer", "name", "eth0", "netns", space.pid)
        router.ip("link", "set", f"p-{space.name}", "master", "lan", "up")
        space.ip("link", "set", "eth0", "up")
        space.ip("address", "add", f"{self.lan}.{number}/24", "dev", "eth0")
        space.ip("route", "replace", "default", "via", f"{self.lan}.1")
        return f"{self.lan}.{number}"
