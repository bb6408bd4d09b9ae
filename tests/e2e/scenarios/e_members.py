"""Members that go for good, and members that want the same thing."""

import shutil
import time

from lab.shell import Missing, require, stays_true, wait_until

from . import note, scenario


@scenario(short=True)
def a_member_leaves(mesh):
    """`leave`: gone everywhere within 2 s, peers removed, and nobody's stale state brings it back."""
    nodes = mesh.build(min(mesh.size, 6))
    leaver, sleeper, rest = nodes[1], nodes[2], nodes[:1] + nodes[3:]
    key = leaver.status()["self"]["public_key"]
    # This one sleeps through it all, and comes back believing in the member that left.
    sleeper.kill()
    mesh.everyone_sees(rest, sleeper.name, ("dead",), 15)
    leaver.wigwag("leave", timeout=30)
    note(f"gone everywhere after {mesh.everyone_sees(rest, leaver.name, ('left', 'absent'), 2, every=0.05):.1f} s")
    for node in rest:
        wait_until(lambda n=node: key not in n.peers(), 3, f"{node.name} has removed the peer that left")
    wait_until(lambda: not leaver.pids(), 10, "the daemon of the node that left has ended")
    sleeper.start()
    staying = rest + [sleeper]
    mesh.converge(staying)
    for node in staying:
        require(key not in node.peers(), f"{node.name} has the peer that left again")
    stays_true(lambda: all(node.health(leaver.name) in ("left", "absent") for node in staying), 20,
               f"{leaver.name} is gone for everyone", every=1)
    mesh.everyone_pings_everyone(staying)
    leaver.daemon = None
    answer = leaver.space.run("wigwagd", check=False, timeout=20)
    require(answer.returncode == 2, f"a daemon without a network ended with {answer.returncode}")
    mesh.join([leaver], rest[0])
    leaver.known.clear()
    mesh.converge(nodes)
    mesh.everyone_pings_everyone(nodes)


@scenario(short=True)
def two_claim_one_address(mesh):
    """Two nodes made to claim one IPv4 address: settled the same way everywhere within seconds, without a restart."""
    nodes = mesh.build(4)
    wanted = nodes[0].status()["network"]["ipv4"].split("/")[0].rsplit(".", 1)[0] + ".77"
    left, right = nodes[:2], nodes[2:]
    for node in right:
        mesh.network.replug(node.space, "right")
    mesh.everyone_pings_everyone(nodes)
    mesh.network.part()
    twins = []
    for half, bridge in ((left, "left"), (right, "right")):
        twin = mesh.add(bridge=bridge)
        twin.settings.append(f"node.ipv4={wanted}")
        mesh.join([twin], half[0])
        wait_until(lambda h=half, t=twin: mesh.agreement(h + [t]), 40, f"{twin.name} is a member of its half")
        require(twin.status()["self"]["ipv4"].split("/")[0] == wanted, f"{twin.name} did not get {wanted}")
        twins.append(twin)
    pids = [twin.pids() for twin in twins]
    mesh.network.join()
    everyone = nodes + twins
    mesh.converge(everyone, 20)
    started = time.monotonic()

    def settled():
        views = {node.name: owners(node) for node in everyone}
        if len({tuple(sorted(view.items())) for view in views.values()}) != 1:
            return Missing(f"the owners differ: {views}")
        view = next(iter(views.values()))
        return len(set(view.values())) == len(everyone) or Missing(f"an address has two owners: {view}")
    wait_until(settled, 10, "everyone knows the same owner of every address")
    note(f"settled {time.monotonic() - started:.1f} s after all agreed")
    view = owners(nodes[0])
    require(list(view.values()).count(wanted) == 1, f"nobody, or both, kept {wanted}: {view}")
    for twin in twins:
        twin.known.clear()
    mesh.everyone_pings_everyone(everyone)
    require([twin.pids() for twin in twins] == pids, "a daemon was restarted")


def owners(node):
    """The IPv4 address of every member, as a node sees it."""
    status = node.status()
    view = {member["name"]: member["ipv4"].split("/")[0] for member in status["members"]}
    view[status["self"]["name"]] = status["self"]["ipv4"].split("/")[0]
    return view


@scenario()
def a_crowded_prefix(mesh):
    """Six nodes in a prefix with room for six: everyone gets an address of its own, and all pairs ping."""
    nodes = mesh.add(6)
    mesh.found(nodes[0], "--set", "network.ipv4=10.99.0.0/29")
    mesh.join(nodes[1:], nodes[0])
    mesh.converge(nodes)
    wait_until(lambda: len(set(owners(nodes[0]).values())) == 6, 15, "six different addresses")
    mesh.everyone_pings_everyone(nodes, 20)


@scenario()
def an_old_state_comes_back(mesh):
    """A node restored from an old backup of its state is taken back by the others, and none of them loses anything."""
    nodes = mesh.build(4)
    victim = nodes[1]
    victim.stop()
    backup = victim.space.folder / "backup"
    shutil.copytree(victim.space.folder / "lib", backup)
    for _ in range(2):
        victim.start()
        mesh.converge(nodes)
        victim.stop()
    for file in (victim.space.folder / "lib").iterdir():
        file.unlink()
    for file in backup.iterdir():
        shutil.copy2(file, victim.space.folder / "lib" / file.name)
    victim.start()
    mesh.converge(nodes)
    mesh.everyone_pings_everyone(nodes)
