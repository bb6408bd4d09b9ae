"""How nodes come in: through one seed, without it, all at once, from behind a router."""

from lab.mesh import together
from lab.shell import FACTOR, Missing, require, wait_until

from . import note, scenario


@scenario(vm=True)
def join_through_one_seed(mesh):
    """All join through one seed and reach each other; it is killed for good, and a further node joins through another."""
    nodes = mesh.add(mesh.size)
    mesh.found(nodes[0])
    mesh.join(nodes[1:], nodes[0])
    note(f"all agree {mesh.converge(nodes):.1f} s after the last was started")
    mesh.everyone_pings_everyone(nodes)
    keys = {node.name: node.status()["self"]["public_key"] for node in nodes}
    for node in nodes:
        fresh_peers(node, {key for name, key in keys.items() if name != node.name})
        check_status(node, nodes)

    seed, rest = nodes[0], nodes[1:]
    token = mesh.invite()
    seed.kill()
    seed.space.close()
    note(f"the seed is Down everywhere after {mesh.everyone_sees(rest, seed.name, ('dead',), 20):.1f} s")
    mesh.everyone_pings_everyone(rest)

    ninth = mesh.add()
    mesh.join([ninth], rest[-1], [token])
    mesh.converge(rest + [ninth])
    mesh.everyone_pings_everyone(rest + [ninth])


def fresh_peers(node, keys):
    """Exactly these peers, each with a handshake of the last two minutes."""
    def shaken():
        peers = node.peers()
        cold = [key for key, peer in peers.items() if peer["age"] is None or peer["age"] > 135]
        return set(peers) == keys and (not cold or Missing(f"{node.name}: no recent handshake with {cold}"))
    wait_until(shaken, 15, f"{node.name} has one peer with a recent handshake for each of {len(keys)} members")


def check_status(node, nodes):
    status = node.status()
    require(status["self"]["name"] == node.name, f"{node.name} calls itself {status['self']['name']}")
    if node.backend != "auto":
        require(status["self"]["backend"] == node.backend, f"{node.name} uses {status['self']['backend']}, not {node.backend}")
    others = node.members()
    require(len({member["ipv4"] for member in others.values()} | {status["self"]["ipv4"]}) == len(nodes), "an IPv4 address is used twice")
    for name, member in others.items():
        require(member["path"]["kind"] == "direct", f"{node.name} reaches {name} {member['path']['kind']}")
        require(member["last_handshake_s"] is not None and member["rx_bytes"] > 0 and member["tx_bytes"] > 0,
                f"{node.name} shows no traffic with {name}: {member}")


@scenario()
def a_fleet_starts_at_once(mesh):
    """A scripted fleet with one shared secret: all nodes start at the same moment, the seed included."""
    nodes = mesh.add(mesh.size)
    seed = nodes[0]
    mesh.found(seed)
    secret = mesh.invite("--uses", str(mesh.size))
    seed.stop()
    for node in nodes[1:]:
        (node.space.folder / "etc" / "secret").write_text(secret + "\n")
        (node.space.folder / "etc" / "secret").chmod(0o600)

    def start(node):
        if node is seed:
            node.start()
        else:
            node.up("--seed", seed.underlay, "--secret-file", "/etc/wigwag/secret", "--node-name", node.name)
    together(start, nodes)
    note(f"all agree {mesh.converge(nodes):.1f} s after the start")
    mesh.everyone_pings_everyone(nodes)


@scenario()
def join_from_behind_a_router(mesh):
    """A node behind a masquerading router joins and is reached by all."""
    nodes = mesh.build(min(mesh.size, 5))
    router = mesh.add_router()
    hidden = mesh.add_behind(router)
    mesh.join([hidden], nodes[0])
    note(f"it is a member after {mesh.converge(nodes + [hidden]):.1f} s")
    mesh.everyone_pings_everyone(nodes + [hidden], seconds=30)
    seen = {node.members()[hidden.name]["path"]["endpoint"].rsplit(":", 1)[0] for node in nodes}
    require(seen == {"198.51.100.240"}, f"the node behind the router is seen at {seen}")


@scenario(short=True)
def strangers_and_spent_tokens(mesh):
    """A token admits once; spent, expired or withdrawn ones are refused with a reason, and so is a stranger's."""
    one, two, three = mesh.add(3)
    mesh.found(one)
    token = mesh.invite()
    two.up(token, "--node-name", two.name)
    mesh.converge([one, two])
    refused(three, token, "a token that was used")
    refused(three, mesh.invite()[:-6] + "AAAAAA", "a damaged token")
    withdrawn = mesh.invite()
    listed = one.wigwag("invites").stdout
    ids = [word for word in listed.split() if one.wigwag("uninvite", word, check=False).returncode == 0]
    require(ids, f"no invitation of this list could be withdrawn:\n{listed}")
    refused(three, withdrawn, "a withdrawn token")
    three.up(mesh.invite(), "--node-name", three.name)
    mesh.converge([one, two, three])


def refused(node, token, what):
    """`wigwag up` ends with status 1 and one line that says why, and no daemon stays behind."""
    answer = node.wigwag("up", token, "--node-name", node.name, check=False, timeout=45)
    require(answer.returncode == 1, f"{node.name}: {what}: exit status {answer.returncode}: {answer.stdout}{answer.stderr}")
    require(len(answer.stderr.strip()) > 20, f"{node.name}: {what}: no reason given: {answer.stderr!r}")
    note(f"{what}: {answer.stderr.strip().splitlines()[-1]}")
    wait_until(lambda: not node.pids(), 10 * FACTOR, f"no daemon of {node.name} stays behind")
