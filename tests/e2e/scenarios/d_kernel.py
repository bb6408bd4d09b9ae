"""What wigwag does in a kernel that others use too: repair, restraint, and nothing left behind."""

import json

from lab.shell import Missing, require, wait_until

from . import note, scenario


def mended(mesh, node, before, what):
    """The node's interface, peers, addresses and routes are back within 5 s, and its events say that something was amiss."""
    def same():
        now = node.kernel_state()
        for part in ("routes", "addresses", f"wg {node.interface()}"):
            if keys_of(now.get(part)) != keys_of(before[part]):
                return Missing(f"{part}:\n  was {sorted(keys_of(before[part]))}\n  is  {sorted(keys_of(now.get(part)))}")
        return True
    _, took = wait_until(same, 5, f"{node.name} repairs its interface after it was {what}")
    note(f"{what}: repaired after {took:.1f} s")


def keys_of(part):
    """A part of the kernel's state without what is the kernel's own business, such as endpoints."""
    if isinstance(part, dict):
        return {(key, tuple(allowed)) for key, (_, allowed) in part.items()}
    return {line for line in part or () if "fe80" not in line and "ff00::/8" not in line and not line.endswith(":")}


@scenario(vm=True)
def the_interface_is_broken_by_hand(mesh):
    """The interface is set down and up, then deleted, by hand: noticed, said so and repaired within 5 s."""
    nodes = mesh.build(min(mesh.size, 5))
    mesh.everyone_pings_everyone(nodes)
    node = nodes[0]
    before = node.kernel_state()
    for what, commands in (("set down and up", (("link", "set", node.interface(), "down"), ("link", "set", node.interface(), "up"))),
                           ("set down", (("link", "set", node.interface(), "down"),)),
                           ("flushed of its addresses", (("address", "flush", "dev", node.interface(), "scope", "global"),)),
                           ("deleted", (("link", "delete", node.interface()),))):
        events = len(interface_events(node))
        for command in commands:
            node.space.ip(*command)
        mended(mesh, node, before, what)
        if what != "flushed of its addresses":  # Changes are told once a minute, and that was told when it first lost its routes.
            wait_until(lambda: len(interface_events(node)) > events, 5, f"an event tells that the interface was {what}")
        others = nodes[1:]
        node.reaches([other.overlay(family) for other in others for family in (4, 6)], 15)
    mesh.converge(nodes)
    mesh.everyone_pings_everyone(nodes)


def interface_events(node):
    return [line for line in node.wigwag("events").stdout.splitlines() if "interface_" in line]


@scenario(short=True)
def a_peer_is_removed_by_hand(mesh):
    """One of our peers, its allowed IPs or a route is taken away by hand: it is back within seconds."""
    nodes = mesh.build(4)
    mesh.everyone_pings_everyone(nodes)
    node, other = nodes[0], nodes[1]
    before = node.kernel_state()
    key = other.status()["self"]["public_key"]
    node.space.run("wg", "set", node.interface(), "peer", key, "remove")
    wait_until(lambda: key in node.peers() and node.peers()[key]["allowed"], 35, "the peer is back")
    node.space.ip("route", "del", f"{other.overlay(4)}/32", "dev", node.interface())
    mended(mesh, node, before, "robbed of a route")
    node.reaches([other.overlay(4), other.overlay(6)], 15)


def other_link(node):
    """An interface that is none of ours, with somebody at its other end."""
    node.space.ip("link", "add", "other0", "type", "veth", "peer", "name", "other1")
    for end in ("other0", "other1"):
        node.space.ip("link", "set", end, "up")


def plant(node, prefix, stranger):
    """What someone else may have configured beside us: a peer, a route to our prefix, addresses."""
    node.space.run("wg", "set", node.interface(), "peer", stranger, "allowed-ips", "192.0.2.77/32", "endpoint", "198.51.100.99:4500",
                   "persistent-keepalive", "17")
    node.space.ip("address", "add", "192.0.2.1/32", "dev", node.interface())
    node.space.ip("route", "add", "192.0.2.64/26", "dev", node.interface(), "metric", "50")
    other_link(node)
    node.space.ip("address", "add", "192.0.2.2/32", "dev", "other0")
    node.space.ip("route", "add", prefix, "dev", "other0", "metric", "4000")


def foreign(node, prefix, stranger, without_interface=False):
    """That none of it has changed; what stood on our interface may have gone with it where that was taken down."""
    routes = node.routes()
    wanted = [f"{prefix} dev other0 scope link metric 4000"]
    addresses = node.space.ip("address", "show")
    require("192.0.2.2/32" in addresses, "a foreign address on another interface is gone")
    if not without_interface:
        wanted.append(f"192.0.2.64/26 dev {node.interface()} scope link metric 50")
        require("192.0.2.1/32" in addresses, "a foreign address on our interface is gone")
        peer = node.peers().get(stranger)
        require(peer is not None, "a foreign peer is gone")
        require(peer["allowed"] == {"192.0.2.77/32"} and peer["endpoint"] == "198.51.100.99:4500", f"a foreign peer has changed: {peer}")
    for route in wanted:
        require(route in routes, f"the foreign route '{route}' is gone; there are {sorted(route for route in routes if 'local' not in route)}")
    return True


@scenario(vm=True)
def what_is_not_ours_stays(mesh):
    """A foreign peer, a foreign route to the same prefix and foreign addresses are untouched by work, restart, reload and `down`."""
    nodes = mesh.build(4)
    node = nodes[0]
    prefix = node.status()["network"]["ipv4"]
    stranger = node.space.run("wg", "pubkey", input=node.space.run("wg", "genkey").stdout).stdout.strip()
    plant(node, prefix, stranger)
    newcomer = mesh.add()
    mesh.join([newcomer], nodes[1])
    mesh.converge(nodes + [newcomer])
    foreign(node, prefix, stranger)
    node.wigwag("reload")
    foreign(node, prefix, stranger)
    node.stop()
    foreign(node, prefix, stranger)
    node.start()
    mesh.converge(nodes + [newcomer])
    foreign(node, prefix, stranger)
    interface, ours = node.interface(), {other.overlay(4) for other in nodes[1:] + [newcomer]}
    node.wigwag("down")
    foreign(node, prefix, stranger, without_interface=interface not in node.links())
    left = [route for route in node.routes() if any(address in route for address in ours) or "proto 155" in route]
    require(not left, f"after down these routes of ours are left: {left}")
    if interface in node.links():
        require(set(node.peers(interface)) == {stranger}, "after down peers of ours are left")


@scenario(vm=True)
def down_leaves_nothing(mesh):
    """After `down` nothing of ours is left: interface, routes, sysctls, sockets, processes; and `up` comes back as the same node."""
    nodes = mesh.add(4)
    node = nodes[1]
    before = node.kernel_state()
    mesh.found(nodes[0])
    mesh.join(nodes[1:], nodes[0])
    mesh.converge(nodes)
    identity = node.id()
    node.wigwag("down", timeout=30)
    wait_until(lambda: not node.pids(), 10, "the daemon has ended")

    def as_before():
        now = node.kernel_state()
        different = [part for part in before if now.get(part) != before[part]] + [part for part in now if part not in before]
        return not different or Missing("\n".join(f"{part}\n  was {before.get(part)}\n  is  {now.get(part)}" for part in different))
    wait_until(as_before, 5, "the kernel is as it was before")
    sockets = node.space.run("sh", "-c", "ls -d /run/wireguard/*.sock /run/wigwag/*.sock 2>/dev/null", check=False).stdout
    require(not sockets.strip(), f"sockets are left: {sockets}")
    require(not node.space.processes(), f"processes are left: {node.space.processes()}")
    listening = node.space.run("sh", "-c", "cat /proc/net/udp /proc/net/udp6 | grep -v local_address", check=False).stdout
    require(not listening.strip(), f"UDP sockets are left:\n{listening}")
    node.daemon = None
    node.start()
    mesh.converge(nodes)
    require(node.status()["self"]["id"] == identity, "after down and a start the node has another identity")
    mesh.everyone_pings_everyone(nodes)


@scenario(short=True)
def nothing_leaks_by_the_default_route(mesh):
    """Traffic for a member that cannot be reached, or for nobody, never leaves by the default route."""
    nodes = mesh.build(4)
    node, victim = nodes[0], nodes[1]
    network = node.status()["network"]
    node.space.nft(f"""table inet watch {{ chain out {{ type filter hook postrouting priority 0;
        oifname "eth0" ip daddr {network['ipv4']} counter comment "leak"
        oifname "eth0" ip6 daddr {network['ipv6']} counter comment "leak"
        }}
        }}""")
    nobody = [free_address(mesh, network["ipv4"], nodes), network["ipv6"].split("::")[0] + "::1234"]

    def try_them(addresses, what):
        for address in addresses:
            node.space.run("ping", "-n", "-c3", "-i0.2", "-W1", address, check=False)
        rules = json.loads(node.space.run("nft", "-j", "list", "table", "inet", "watch").stdout)["nftables"]
        leaks = sum(part["counter"]["packets"] for rule in rules if "rule" in rule for part in rule["rule"]["expr"] if "counter" in part)
        require(leaks == 0, f"{leaks} packets left by the default route, for {what} ({', '.join(addresses)})")
    try_them(nobody, "addresses that no member has")
    mesh.network.cut(victim.space)
    try_them([victim.overlay(4), victim.overlay(6)], "a member just cut off")
    mesh.everyone_sees([node], victim.name, ("dead",), 15)
    try_them([victim.overlay(4), victim.overlay(6)], "a member that is Down")
    node.space.ip("link", "set", node.interface(), "down")
    try_them([victim.overlay(4), victim.overlay(6)] + nobody, "anyone while the interface is down")
    node.stop()
    try_them([victim.overlay(4), victim.overlay(6)] + nobody, "anyone while the daemon is stopped")
    # The watch itself must see: a packet that does leave is counted.
    node.space.run("sh", "-c", f"for k in 4 6; do ip -$k route flush type unreachable; done; ip link delete {node.interface()}", check=False)
    try:
        try_them(nobody[:1], "control")
    except Exception:  # noqa: BLE001  (that it complains is what is wanted)
        return
    require(False, "the counter on the default route counts nothing: this scenario proves nothing")


def free_address(mesh, prefix, nodes):
    taken = {node.overlay(4) for node in nodes}
    start = prefix.split("/")[0].rsplit(".", 1)[0]
    return next(f"{start}.{host}" for host in range(1, 255) if f"{start}.{host}" not in taken)


@scenario(short=True)
def plan_changes_nothing(mesh):
    """`plan` is empty after convergence; it shows what would change, and asking changes nothing."""
    nodes = mesh.build(4)
    node, interface = nodes[0], nodes[0].interface()
    wait_until(lambda: empty_plan(node), 10, "after convergence the plan is empty")
    before = node.kernel_state()
    for _ in range(3):
        node.wigwag("plan")
        require(empty_plan(node), "after convergence the plan is empty")
    require(node.kernel_state() == before, "plan changed the kernel's state")
    # Somebody else takes the place of one of our routes while the daemon is away. It is not ours to
    # replace, so the change stays planned for as long as the foreign route is there.
    target = f"{nodes[1].overlay(4)}/32"
    node.stop()
    ours = next(route for route in node.routes() if route.startswith(nodes[1].overlay(4) + " dev"))
    metric = ours.split("metric ")[1].split()[0]
    other_link(node)
    node.space.ip("route", "del", target, "dev", interface)
    node.space.ip("route", "add", target, "dev", "other0", "metric", metric)
    node.start()
    wait_until(lambda: target in node.wigwag("plan", "--json").stdout, 10, f"the plan names {target}")
    require(target in node.wigwag("plan").stdout, f"the plan for people names {target}")
    require(any(f"{nodes[1].overlay(4)} dev other0" in route for route in node.routes()), "the foreign route is gone")
    node.space.ip("link", "delete", "other0")
    wait_until(lambda: empty_plan(node), 10, "with the obstacle away the plan is carried out and empty again")
    mended(mesh, node, before, "kept from one of its routes")


def empty_plan(node):
    answer = node.wigwag("plan", "--json").stdout
    plan = json.loads(answer)
    changes = plan.get("changes", plan) if isinstance(plan, dict) else plan
    return not changes or Missing(f"the plan of {node.name} is {answer[:600]}")
