"""The mesh that packaging/demo shows, once the programs are built; see packaging/demo --help."""

import argparse
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))

from lab.mesh import Mesh, end_lab, end_on_signals, together  # noqa: E402
from lab.node import Node  # noqa: E402
from lab.shell import LabError, wait_until  # noqa: E402
from lab.space import Space, holder_of  # noqa: E402

FOLDER = Path("/tmp/wigwag-demo")
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if COLOUR else text


def bold(text):
    return paint("1", text)


def dim(text):
    return paint("2", text)


class Step:
    """One line of progress, which the failure names when something in it goes wrong."""

    current = "starting"
    started = time.monotonic()

    def __init__(self, what):
        Step.current = what
        print(f"\n{paint('1;36', '==>')} {bold(what)}", flush=True)


def done(text):
    print(f"    {paint('32', '✓' if utf8() else 'ok')} {text}", flush=True)


def utf8():
    return (sys.stdout.encoding or "").lower().startswith("utf")


def typed(node, *words):
    """Runs a command on a node as its user types it, showing both sides."""
    shown = " ".join(word if len(word) < 60 else word[:24] + "…" for word in words)
    print(f"    {paint('33', node.name + '#')} {shown}", flush=True)
    answer = node.space.run(*words, timeout=60)
    for line in (answer.stdout + answer.stderr).rstrip().splitlines():
        print(f"      {dim(line if len(line) < 150 else line[:100] + '…')}", flush=True)
    return answer.stdout


def ping(node, address):
    """Milliseconds of the best of two answers, or None."""
    answer = node.space.run("ping", "-n", "-c2", "-i0.2", "-W2", address, check=False).stdout
    for line in answer.splitlines():
        if line.startswith("rtt ") and "=" in line:
            return float(line.split("=")[1].split("/")[0])
    return None


def matrix(nodes, family):
    """Pings every pair, prints the table, and returns the pairs without an answer."""
    pairs = [(source, target) for source in nodes for target in nodes if source is not target]
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = dict(zip([(s.name, t.name) for s, t in pairs], pool.map(lambda pair: ping(pair[0], pair[1].overlay(family)), pairs)))
    width = max(6, *(len(node.name) for node in nodes)) + 2
    print(f"    IPv{family} {dim('ms')}".ljust(14 + (len(dim('')) if COLOUR else 0)) + "".join(bold(node.name.rjust(width)) for node in nodes))
    for source in nodes:
        cells = []
        for target in nodes:
            took = answers.get((source.name, target.name))
            text = "·" if source is target else "lost" if took is None else f"{took:.1f}"
            cells.append(paint("31" if text == "lost" else "2" if source is target else "32", text.rjust(width)))
        print("    " + source.name.ljust(10) + "".join(cells), flush=True)
    return [pair for pair, took in answers.items() if took is None]


def every_pair(nodes, what):
    Step(what)
    for family in (4, 6):
        lost = matrix(nodes, family)
        if lost:
            raise LabError("no answer: " + ", ".join(f"{source} -> {target}" for source, target in lost))
    done(f"{len(nodes) * (len(nodes) - 1)} pairs answer over IPv4 and IPv6")


def show(mesh, count):
    Step(f"{count} machines on one wire, each with a network, a /run and a disk of its own")
    nodes = mesh.add(count)
    done(", ".join(f"{node.name} {dim(node.underlay)}" for node in nodes))

    first, others = nodes[0], nodes[1:]
    mesh.founder = first
    Step("the first node founds a network")
    typed(first, "wigwag", "up", "--name", "demo", "--node-name", first.name, "--endpoint", f"{first.underlay}:51820")
    first.wait_for_answer()
    done(f"it runs on {first.status()['self']['backend']} WireGuard")

    Step("the others join through it, each with an invitation of its own, all at once")
    tokens = {node.name: mesh.invite() for node in others}
    print(f"    {paint('33', first.name + '#')} wigwag invite\n      {dim(tokens[others[0].name][:48] + '…')}", flush=True)
    began = time.monotonic()

    def join(node):
        node.space.run("wigwag", "up", tokens[node.name], "--node-name", node.name, timeout=60)
        done(f"{node.name}# wigwag up {dim('wigwag1…')}  {dim(f'{time.monotonic() - began:.1f} s')}")
    together(join, others)
    mesh.converge(nodes)
    done(f"all {count} agree on the members {time.monotonic() - began:.1f} s after the first asked to join")

    Step("what a node sees")
    typed(others[0], "wigwag", "status")
    every_pair(nodes, "every pair")

    victim, rest = nodes[-1], nodes[:-1]
    Step(f"{victim.name} dies: its daemon is killed with -9 and its wire is cut")
    victim.kill(signal.SIGKILL)
    mesh.network.cut(victim.space)
    took = mesh.everyone_sees(rest, victim.name, ("dead",), 30)
    done(f"all {len(rest)} others say it is dead after {took:.1f} s; their kernels keep its peer, so that it can come back")
    typed(rest[-1], "wigwag", "status")

    Step(f"{victim.name} comes back: the wire is mended and the daemon started; it needs no seed and no token")
    mesh.network.mend(victim.space)
    typed(victim, "wigwag", "up")
    victim.wait_for_answer()
    done(f"alive everywhere after {mesh.converge(nodes):.1f} s")
    every_pair(nodes, "every pair again")


def running_mesh(options):
    """The kept mesh, found again from its folder."""
    mesh = Mesh(options.programs, folder=FOLDER)
    mesh.network.adopt()
    for folder in sorted(FOLDER.iterdir(), key=lambda path: (len(path.name), path.name)):
        if (folder / "pid").exists() and folder.name != "hub":
            mesh.nodes[folder.name] = Node(Space(folder.name, folder, mesh.bin).adopt(), 0)
    return mesh


def play(options):
    """exec, cut, mend, kill and start on the kept mesh."""
    verb, name, command = options.words[0], options.words[1] if len(options.words) > 1 else "", options.words[2:]
    if not FOLDER.exists() or holder_of(FOLDER / "hub") is None:
        print("demo: no mesh is running; packaging/demo --keep starts one", file=sys.stderr)
        return 1
    mesh = running_mesh(options)
    if name not in mesh.nodes or (verb == "exec" and not command):
        print(f"demo: {verb} wants one of {', '.join(mesh.nodes)}" + (" and a command" if verb == "exec" else ""), file=sys.stderr)
        return 2
    node = mesh.nodes[name]
    if verb == "exec":
        words = node.space.inside(*command)
        environment = {**node.space.env()}
        if "NO_COLOR" not in os.environ:
            environment.pop("NO_COLOR")
        os.execvpe(words[0], words, environment)
    if verb == "cut":
        mesh.network.cut(node.space)
    elif verb == "mend":
        mesh.network.mend(node.space)
    elif verb == "kill":
        node.kill(signal.SIGKILL)
    elif verb == "start":
        typed(node, "wigwag", "up")
    return 0


def kept(count):
    last = f"n{count}"
    print(f"""
{bold('The mesh is running.')} To play with it:
    packaging/demo exec n1 wigwag status            what n1 sees; --watch keeps looking
    packaging/demo exec n2 wigwag events            what has happened
    packaging/demo exec n1 wg show                  the kernel's or wireguard-go's side
    packaging/demo exec n1 bash                     a shell on n1
    packaging/demo cut {last}; packaging/demo mend {last}     pull a wire, put it back
    packaging/demo kill {last}; packaging/demo start {last}   kill -9 a daemon, start it again
    packaging/demo --down                           take it all away""")


def perform(options):
    """The whole demonstration; returns the exit status."""
    if FOLDER.exists():
        if FOLDER.is_symlink() or FOLDER.stat().st_uid != 0:
            print(f"demo: {FOLDER} belongs to somebody else; take it away first", file=sys.stderr)
            return 1
        print(f"demo: an earlier mesh in {FOLDER} is taken away first", flush=True)
        end_lab(FOLDER)
    FOLDER.mkdir(mode=0o700)
    end_on_signals()
    mesh = Mesh(options.programs, folder=FOLDER)
    keep = False
    try:
        mesh.open()
        show(mesh, options.nodes)
        keep = options.keep
    except LabError as error:
        print(f"\n{paint('1;31', 'failed')} at: {Step.current}\n{error}", file=sys.stderr)
        print(mesh.report(20), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nstopped at: {Step.current}", file=sys.stderr)
        return 130
    finally:
        if keep:
            kept(options.nodes)
        else:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            mesh.close()
            end_lab(FOLDER)
            print("\neverything that was started is gone", flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(usage="packaging/demo [--nodes N] [--keep] [--no-build] (see --help)")
    parser.add_argument("--programs", required=True)
    parser.add_argument("--nodes", type=int, default=5)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--down", action="store_true")
    parser.add_argument("words", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.down:
        if FOLDER.exists():
            end_lab(FOLDER)
            print("the mesh is gone")
        else:
            print("no mesh is running")
        return 0
    if options.words:
        if options.words[0] not in ("exec", "cut", "mend", "kill", "start"):
            parser.error(f"what is '{options.words[0]}'?")
        return play(options)
    if not 3 <= options.nodes <= 30:
        parser.error("--nodes goes from 3 to 30")
    return perform(options)


if __name__ == "__main__":
    sys.exit(main())
