"""Networks behind nodes."""

import re

from lab.shell import FACTOR, LabError, Missing, require, wait_until

from . import note, scenario


class Site:
    """A LAN with one host in it, behind one or more nodes; both families."""

    def __init__(self, mesh, number):
        self.v4, self.v6 = f"10.{number}.0", f"fd{number}:{number}:"
        self.subnets = [f"{self.v4}.0/24", f"{self.v6}:/64"]
        self.mesh = mesh
        self.host = mesh.space(f"host{number}")
        mesh.routers.append(self.host)
        self.host.ip("link", "add", "lan", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
        self.host.ip("link", "set", "lan", "up")
        for address in self.addresses():
            self.host.ip("address", "add", f"{address}/{64 if ':' in address else 24}", "dev", "lan", *(["nodad"] if ":" in address else []))

    def addresses(self):
        return [f"{self.v4}.5", f"{self.v6}:5"]

    def behind(self, node):
        """A wire from the node into the LAN, and what the node is to announce."""
        # A new namespace has what the machine itself has, which may forward for other reasons.
        for switch in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            node.space.sysctl(switch, 0)
        self.host.ip("link", "add", f"p-{node.name}", "type", "veth", "peer", "name", "lan0", "netns", node.space.pid)
        self.host.ip("link", "set", f"p-{node.name}", "master", "lan", "up")
        node.space.ip("link", "set", "lan0", "up")
        node.space.ip("address", "add", f"{self.v4}.{100 + node.number}/24", "dev", "lan0")
        node.space.ip("address", "add", f"{self.v6}:{100 + node.number}/64", "dev", "lan0", "nodad")
        node.settings.append("node.subnets=[" + ", ".join(f'"{subnet}"' for subnet in self.subnets) + "]")
        return self

    def go_through(self, node):
        """What VRRP or a router's protocol does: the LAN's way out is that node."""
        self.host.ip("route", "replace", "default", "via", f"{self.v4}.{100 + node.number}")
        self.host.ip("-6", "route", "replace", "default", "via", f"{self.v6}:{100 + node.number}")

    def invitation(self):
        return self.mesh.invite(*[word for subnet in self.subnets for word in ("--subnet", subnet)])


def answers(source, address, hops=64):
    return source.host.run("ping", "-n", "-q", "-c1", f"-W{max(1, round(FACTOR))}", "-t", hops, address, check=False).returncode == 0


def all_reach_all(sites, seconds, hops=64):
    """Every host reaches every other, over both families, past so many routers at most."""
    def reached():
        silent = [f"{one.host.name} -> {address}" for one in sites for other in sites if one is not other
                  for address in other.addresses() if not answers(one, address, hops)]
        return not silent or Missing(f"no answer: {', '.join(silent)}")
    return wait_until(reached, seconds, "every host reaches every other")[1]


def carriers(node, site):
    """Who carries the site's networks, as this node sees it."""
    shown = {one["subnet"]: one["carrier"] for one in node.status()["subnets"]}
    return {shown.get(subnet) for subnet in site.subnets}


def everyone_sees_carrier(nodes, site, name, seconds):
    for node in nodes:
        wait_until(lambda n=node: carriers(n, site) == {name} or Missing(f"{n.name} sees {carriers(n, site)}"), seconds,
                   f"{node.name} sees {name} carry {site.subnets[0]}")


def three_behind(mesh):
    """Three nodes with a LAN each, all members; returns nodes, sites and the kernel of each node as it was before."""
    nodes, sites, before = mesh.add(3), [], {}
    for node, number in zip(nodes, (10, 20, 30)):
        sites.append(Site(mesh, number).behind(node))
        sites[-1].go_through(node)
        before[node.name] = node.kernel_state()["sysctls"]
    mesh.found(nodes[0])
    mesh.join(nodes[1:], nodes[0], [site.invitation() for site in sites[1:]])
    mesh.converge(nodes)
    return nodes, sites, before


def own_switches(text, node):
    """The sysctls of the interfaces that stay, without those that other events move by themselves."""
    return sorted(line for line in text.splitlines() if f"/{node.interface_name}/" not in line and "/mtu:" not in line)


@scenario(vm=True)
def three_sites(mesh):
    """Hosts of three LANs reach each other directly, two nodes with one LAN stand in for each other, and `down` leaves no switch turned."""
    nodes, sites, before = three_behind(mesh)
    # A packet between two LANs passes their two nodes and no third.
    note(f"every host reaches every other after {all_reach_all(sites, 15, hops=3):.1f} s")
    require(not answers(sites[1], sites[2].addresses()[0], hops=2), "between two sites there are two routers")
    for node, site in zip(nodes, sites):
        require("ok" in [line.split()[0] for line in node.wigwag("doctor", check=False).stdout.splitlines() if "forwarding" in line],
                f"{node.name}: doctor does not say that forwarding is on")
        everyone_sees_carrier(nodes, site, node.name, 5)
        require(node.space.sysctl("net.ipv4.conf.eth0.forwarding") == "0", f"{node.name} forwards what comes from outside")

    # A second node in the third LAN.
    twin = mesh.add()
    site = sites[2].behind(twin)
    before[twin.name] = twin.kernel_state()["sysctls"]
    mesh.join([twin], nodes[0], [site.invitation()])
    everyone = nodes + [twin]
    mesh.converge(everyone)
    first, second = sorted((nodes[2], twin), key=lambda node: node.id())
    everyone_sees_carrier(everyone, site, first.name, 5)
    site.go_through(first)
    all_reach_all(sites, 15)
    others = [node for node in everyone if node is not first]
    first.kill()
    mesh.network.cut(first.space)
    site.host.ip("link", "set", f"p-{first.name}", "down")
    site.go_through(second)
    # An emulated processor has other things to do than to answer forty times a second.
    mesh.everyone_sees(others, first.name, ("dead",), 15, every=1 if FACTOR > 1 else 0.1)
    everyone_sees_carrier(others, site, second.name, 5)
    note(f"and through the second node {all_reach_all(sites, 10):.1f} s after the first was given up")
    mesh.network.mend(first.space)
    site.host.ip("link", "set", f"p-{first.name}", "up")
    first.start()
    mesh.converge(everyone)
    everyone_sees_carrier(everyone, site, first.name, 5)
    site.go_through(first)
    all_reach_all(sites, 15)

    # What an interface of the host's own is in stays there.
    nodes[0].space.ip("address", "add", f"{sites[1].v4}.77/24", "dev", "lan0")
    wait_until(lambda: not routed(nodes[0], sites[1].subnets[0]), 5, f"{nodes[0].name} routes its own network into the tunnel no more")
    require("overlaps this host's own network" in nodes[0].wigwag("events").stdout, "an event says why")
    nodes[0].space.ip("address", "del", f"{sites[1].v4}.77/24", "dev", "lan0")
    wait_until(lambda: routed(nodes[0], sites[1].subnets[0]), 5, f"{nodes[0].name} routes it again")

    for node in everyone:
        node.interface_name = node.interface()
        node.wigwag("down", timeout=60)
        node.daemon = None
        left = own_switches(node.kernel_state()["sysctls"], node)
        was = own_switches(before[node.name], node)
        require(left == was, f"{node.name}: `down` left behind {sorted(set(left) ^ set(was))}")


def routed(node, subnet):
    """Whether the node's kernel sends that network into the tunnel."""
    found = node.space.run("ip", "route", "show", subnet, "dev", node.interface(), check=False)
    if found.returncode != 0:
        raise LabError(found.stderr.strip())
    return re.search(rf"^{re.escape(subnet)}\b", found.stdout, re.M) is not None
