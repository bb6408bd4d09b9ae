"""What the network does to nodes: cut wires, split halves, other addresses, a changed router."""

import time

from lab.mesh import together
from lab.shell import FACTOR, Missing, require, stays_true, wait_until

from . import note, scenario


@scenario(short=True)
def a_node_vanishes(mesh):
    """A cut wire is Down everywhere within 7 s, costs no kernel peer, and 15 s after it is mended all is as before."""
    nodes = mesh.build(mesh.size)
    mesh.everyone_pings_everyone(nodes)
    victim, rest = nodes[3], nodes[:3] + nodes[4:]
    key = victim.status()["self"]["public_key"]
    mesh.network.cut(victim.space)
    note(f"Down everywhere after {mesh.everyone_sees(rest, victim.name, ('dead',), 7):.1f} s")
    for node in rest:
        require(key in node.peers(), f"{node.name} removed the kernel peer of the node that vanished")
    wait_until(lambda: mesh.agreement(rest), 15, "the rest agree")
    mesh.everyone_pings_everyone(rest)
    mesh.network.mend(victim.space)
    started = time.monotonic()
    note(f"alive everywhere {mesh.converge(nodes, 15):.1f} s after the wire was mended")
    mesh.everyone_pings_everyone(nodes, max(1.0, 15 - (time.monotonic() - started) / FACTOR))


@scenario(short=True)
def a_daemon_dies(mesh):
    """A daemon killed for good is Down everywhere, while the packets of its kernel go on flowing."""
    nodes = mesh.build(min(mesh.size, 5))
    mesh.everyone_pings_everyone(nodes)
    victim, rest = nodes[1], nodes[:1] + nodes[2:]
    victim.kill()
    note(f"Down everywhere after {mesh.everyone_sees(rest, victim.name, ('dead',), 10):.1f} s")
    for node in rest:
        node.reaches([victim.overlay(4), victim.overlay(6)], 5)


@scenario()
def nobody_dies_in_peace(mesh):
    """For a minute nothing happens, and nobody is suspected to death by anyone."""
    nodes = mesh.build(mesh.size)
    stays_true(lambda: mesh.agreement(nodes, settled=False), 60, "all see all alive", every=1)
    for node in nodes:
        said = node.wigwag("events", check=False).stdout
        require("dead" not in said, f"{node.name} tells of a death:\n{said}")


def halves(mesh, nodes):
    """The nodes on both sides of the joint; the right ones are moved there."""
    middle = len(nodes) // 2
    for node in nodes[middle:]:
        mesh.network.replug(node.space, "right")
    return nodes[:middle], nodes[middle:]


def split_and_heal(mesh, seconds):
    nodes = mesh.build(mesh.size)
    left, right = halves(mesh, nodes)
    mesh.everyone_pings_everyone(nodes)
    mesh.network.part()
    together(lambda half: wait_until(lambda: mesh.agreement(half), 40, "each half goes on by itself"), [left, right])
    started = time.monotonic()
    for half in (left, right):
        mesh.everyone_pings_everyone(half)
    # That its peers are gone keeps a half busy: it need not be settled, and may suspect somebody for a moment.
    while time.monotonic() - started < seconds:
        stays_true(lambda: mesh.nobody_missing(left) and mesh.nobody_missing(right), 5, "each half goes on by itself", every=1)
    mesh.network.join()
    healed = time.monotonic()
    note(f"all agree {mesh.converge(nodes, 15):.1f} s after the cut healed")
    mesh.everyone_pings_everyone(nodes, max(1.0, 15 - (time.monotonic() - healed) / FACTOR))


@scenario(slow=True)
def the_halves_part(mesh):
    """Half the nodes cut from the other half for 3 minutes: each half goes on; 15 s after it heals all agree and all pairs ping."""
    split_and_heal(mesh, 180)


@scenario(short=True)
def the_halves_part_briefly(mesh):
    """The same for 20 seconds, for machines that have no three minutes."""
    split_and_heal(mesh, 20)


@scenario(short=True)
def an_address_changes(mesh):
    """A node's underlay address changes, to another subnet: everyone reaches it again by itself within 20 s."""
    nodes = mesh.build(min(mesh.size, 6))
    mesh.everyone_pings_everyone(nodes)
    mover, rest = nodes[2], nodes[:2] + nodes[3:]
    mesh.network.replug(mover.space, "other")
    mover.underlay = mesh.network.address(mover.space, 70, "other")
    started = time.monotonic()
    together(lambda node: node.reaches([mover.overlay(4), mover.overlay(6)], 20), rest)
    note(f"everyone reaches it after {time.monotonic() - started:.1f} s")

    new = (f"{mover.underlay}:", f"[{mesh.network.address6(70, 'other')}]:")

    def known():
        seen = {node.name: node.members()[mover.name]["path"]["endpoint"] for node in rest}
        wrong = {name: endpoint for name, endpoint in seen.items() if not endpoint.startswith(new)}
        return not wrong or Missing(f"still seen at {wrong}")
    wait_until(known, 20, f"everyone sees {mover.name} at one of {new}")
    mesh.converge(nodes)


@scenario()
def two_addresses_change_at_once(mesh):
    """Two nodes move at the same moment, so that neither knows where the other went: they find each other through the rest."""
    nodes = mesh.build(min(mesh.size, 6))
    mesh.everyone_pings_everyone(nodes)
    for number, node in enumerate(nodes[1:3]):
        mesh.network.replug(node.space, "other")
        node.underlay = mesh.network.address(node.space, 80 + number, "other")
    mesh.everyone_pings_everyone(nodes, 35)
    mesh.converge(nodes)


@scenario()
def a_router_forgets(mesh):
    """A masquerading router loses its table and picks other ports: the node behind it is reached again by itself."""
    nodes = mesh.build(4)
    router = mesh.add_router()
    hidden = mesh.add_behind(router)
    mesh.join([hidden], nodes[0])
    mesh.converge(nodes + [hidden])
    mesh.everyone_pings_everyone(nodes + [hidden], 30)
    router.nft("flush ruleset")
    router.nft("""table ip home {
        chain leaving { type nat hook postrouting priority srcnat; oifname "wan" meta l4proto udp masquerade to :20000-30000 random; }
        chain here { type filter hook input priority filter; policy accept; iifname "wan" meta l4proto udp ct state new drop; }
        }""")
    mesh.network.hub.ip("link", "set", "p-router", "down")
    router.ip("link", "set", "wan", "down")
    router.ip("link", "set", "wan", "up")
    router.ip("route", "replace", "default", "via", "198.51.100.254")
    mesh.network.hub.ip("link", "set", "p-router", "up")
    mesh.everyone_pings_everyone(nodes + [hidden], 40)
