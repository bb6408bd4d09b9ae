"""What an operator does to a running daemon, and what may happen to it, with traffic that must not notice."""

import os
import shutil
import signal

from lab.mesh import install, names_of, together
from lab.node import NoneLost
from lab.shell import require, wait_until

from . import note, scenario


def pairs_around(nodes):
    return [(nodes[0], nodes[1]), (nodes[0], nodes[-1])]


@scenario(vm=True)
def kill_and_restart(mesh):
    """kill -9 of a daemon and its restart, under pings every 10 ms in both directions: none lost."""
    nodes = mesh.build(mesh.size)
    mesh.everyone_pings_everyone(nodes)
    with NoneLost(pairs_around(nodes)) as traffic:
        nodes[0].kill(signal.SIGKILL)
        traffic.pingers[0].go_on(200)
        nodes[0].start()
        note(f"it is back among the others after {mesh.converge(nodes):.1f} s")
        traffic.pingers[0].go_on(200)


@scenario()
def stop_and_start(mesh):
    """SIGTERM and start, under pings every 10 ms in both directions: none lost."""
    nodes = mesh.build(mesh.size)
    mesh.everyone_pings_everyone(nodes)
    with NoneLost(pairs_around(nodes)) as traffic:
        nodes[0].stop()
        traffic.pingers[0].go_on(200)
        nodes[0].start()
        mesh.converge(nodes)
        traffic.pingers[0].go_on(200)


@scenario()
def reload_and_upgrade(mesh):
    """`wigwag reload`, SIGHUP and an upgrade of the binary, under pings every 10 ms in both directions: none lost."""
    nodes = mesh.build(min(mesh.size, 5))
    mesh.everyone_pings_everyone(nodes)
    with NoneLost(pairs_around(nodes)) as traffic:
        nodes[0].wigwag("reload")
        for pid in nodes[0].pids():
            os.kill(pid, signal.SIGHUP)
        traffic.pingers[0].go_on(100)
        install(mesh.programs, mesh.bin)  # By a rename, as a package manager does it under a running daemon.
        nodes[0].stop()
        nodes[0].start()
        mesh.converge(nodes)
        traffic.pingers[0].go_on(100)


@scenario()
def everyone_restarts_at_once(mesh):
    """All nodes are restarted at the same moment, none with a seed configured: 15 s later all agree and all pairs ping."""
    nodes = mesh.build(mesh.size)
    together(lambda node: node.kill(signal.SIGKILL), nodes)
    for node in nodes:
        require("seeds" not in live_lines(node.space.folder / "etc" / "wigwag.toml"), f"{node.name} has a seed configured")
    together(lambda node: node.start(), nodes)
    note(f"all agree after {mesh.converge(nodes, 15):.1f} s")
    mesh.everyone_pings_everyone(nodes)


@scenario()
def the_machines_reboot(mesh):
    """Every machine loses what was in its kernel and starts again without a seed: 15 s later all agree and all pairs ping."""
    nodes = mesh.build(mesh.size)
    together(lambda node: node.kill(signal.SIGKILL), nodes)
    together(mesh.reboot, nodes)
    together(lambda node: node.start(), nodes)
    note(f"all agree after {mesh.converge(nodes, 15):.1f} s")
    mesh.everyone_pings_everyone(nodes)


@scenario()
def killed_at_any_instant(mesh):
    """kill -9 again and again while members come and go: the state on disk always serves for a start."""
    nodes = mesh.build(4)
    victim, others = nodes[0], nodes[1:]
    for round_number in range(12):
        # A member that restarts raises its version, which makes the victim write.
        others[round_number % len(others)].kill()
        others[round_number % len(others)].start()
        victim.kill()
        victim.start()
    mesh.converge(nodes)
    require(victim.id() == victim.status()["self"]["id"], "the node has another identity after its restarts")
    mesh.everyone_pings_everyone(nodes)


@scenario()
def a_damaged_state(mesh):
    """A state file cut short or filled with noise costs memory at most: the node says so, and is a member again."""
    nodes = mesh.build(4)
    victim = nodes[1]
    folder = victim.space.folder / "lib"
    for damage in ("short", "noise"):
        victim.stop()
        state = folder / "state"
        require(state.exists(), f"no state file among {os.listdir(folder)}")
        content = state.read_bytes()
        state.write_bytes(content[: len(content) // 2] if damage == "short" else bytes((byte * 7 + 13) % 256 for byte in content))
        victim.start()
        mesh.converge(nodes)
        require(victim.id() == victim.status()["self"]["id"], f"the node has another identity after its state was {damage}")
    mesh.everyone_pings_everyone(nodes)


@scenario()
def a_stranger_reads_the_keys(mesh):
    """Key files that others may read are refused, with the mend in the message."""
    node = mesh.add()
    mesh.found(node)
    node.stop()
    folder = node.space.folder / "lib"
    for name in ("identity.key", "wireguard.key", "root.key", "admin.key"):
        require((folder / name).stat().st_mode & 0o077 == 0, f"{name} can be read by others: {oct((folder / name).stat().st_mode)}")
    for name in ("identity.key", "wireguard.key"):
        refused_while_open(folder / name, lambda: node.space.run("wigwagd", check=False, timeout=20))
    node.start()
    refused_while_open(folder / "admin.key", lambda: node.wigwag("invite", check=False))
    node.wigwag("invite")


def refused_while_open(file, attempt):
    file.chmod(0o644)
    answer = attempt()
    said = answer.stdout + answer.stderr
    require(answer.returncode != 0 and file.name in said and "chmod" in said,
            f"with {file.name} open to all: exit status {answer.returncode}: {said}")
    file.chmod(0o600)


def live_lines(file):
    """A configuration without its comments."""
    if not file.exists():
        return ""
    return "\n".join(line for line in file.read_text().splitlines() if not line.lstrip().startswith("#"))


@scenario()
def two_daemons_for_one_state(mesh):
    """A second daemon on the same state directory is refused, and the first is not disturbed."""
    nodes = mesh.build(4)
    before = nodes[0].pids()
    answer = nodes[0].space.run("wigwagd", check=False, timeout=20)
    require(answer.returncode in (1, 2), f"the second daemon ended with {answer.returncode}: {answer.stderr}")
    require(nodes[0].pids() == before, "the first daemon is another process now")
    wait_until(lambda: mesh.agreement(nodes), 10, f"{', '.join(names_of(nodes))} still agree")


@scenario()
def wrong_words_are_refused(mesh):
    """Wrong usage ends with 2, no daemon with 3, a wrong configuration with 2 and every fault by file, line and key."""
    node = mesh.add()
    for words, code in ((("status",), 3), (("nonsense",), 2), (("status", "--nonsense"), 2), (("reload",), 3), (("version",), 0)):
        answer = node.wigwag(*words, check=False)
        require(answer.returncode == code, f"wigwag {' '.join(words)}: exit status {answer.returncode}, not {code}: {answer.stderr}")
    config = node.space.folder / "etc" / "wigwag.toml"
    config.write_text("[wireguard]\nport = 99999\nbackend = \"magic\"\n[nonsense]\nkey = 1\n")
    answer = node.space.run("wigwagd", "--check", check=False)
    said = answer.stdout + answer.stderr
    require(answer.returncode == 2, f"--check of a wrong configuration ended with {answer.returncode}: {said}")
    for fault in ("wigwag.toml:2", "port", "wigwag.toml:3", "backend", "nonsense"):
        require(fault in said, f"--check does not mention '{fault}':\n{said}")
    shutil.copy(config, node.space.folder / "kept.toml")
    config.write_text("[node]\nname = \"fine\"\n")
    node.space.run("wigwagd", "--check")
