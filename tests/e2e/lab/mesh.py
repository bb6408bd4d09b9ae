"""A mesh of nodes: founded, joined, and looked at from every side."""

import os
import shutil
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .network import Network
from .node import Node
from .shell import LabError, Missing, require, wait_until
from .space import Space, end_space, holder_of

PROGRAMS = ("wigwagd", "wigwag")


class Mesh:
    """Holds every node of a lab by name. Made in a folder of its own, which `close` takes away again."""

    def __init__(self, programs, backend="auto", folder=None):
        self.folder = Path(folder or tempfile.mkdtemp(prefix="wigwag-e2e-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.bin = self.folder / "bin"
        self.backend = backend
        self.network = Network(self.folder, self.bin)
        self.nodes = {}
        self.routers = []
        self.founder = None
        self.programs = programs

    def open(self):
        self.bin.mkdir(exist_ok=True)
        install(self.programs, self.bin)
        self.network.open()
        return self

    def close(self, keep_folder=False):
        for space in [node.space for node in self.nodes.values()] + self.routers:
            space.close()
        self.network.close()
        if not keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- nodes ----

    def space(self, name):
        return Space(name, self.folder / name, self.bin).open()

    def add(self, count=1, bridge="left", prefix="n"):
        """That many more nodes on a bridge, without a daemon yet."""
        added = []
        for _ in range(count):
            number = len(self.nodes) + 1
            node = Node(self.space(f"{prefix}{number}"), number, self.backend)
            node.underlay = self.network.plug(node.space, number, bridge)
            self.nodes[node.name] = node
            added.append(node)
        return added if count > 1 else added[0]

    def add_router(self, name="router", number=240):
        router = self.space(name)
        self.routers.append(router)
        self.network.masquerade(router, number)
        return router

    def add_behind(self, router, name="home"):
        number = len(self.nodes) + 1
        node = Node(self.space(f"{name}{number}"), number, self.backend)
        node.underlay = self.network.plug_behind(router, node.space, number)
        self.nodes[node.name] = node
        return node

    def reboot(self, node, bridge="left"):
        """The machine of a node starts afresh: what is on its disk stays, its kernel is new and no daemon runs yet."""
        node.space.close()
        node.daemon = None
        wire = f"p-{node.name}"
        wait_until(lambda: wire not in self.network.hub.ip("-br", "link", "show"), 10, f"the kernel has taken {wire} away")
        node.space = self.space(node.name)
        node.underlay = self.network.plug(node.space, node.number, bridge)

    def found(self, node, *words):
        """The first node founds the network."""
        self.founder = node
        node.up("--name", "lab", "--node-name", node.name, "--endpoint", f"{node.underlay}:51820", *words)

    def invite(self, *words):
        """A token from the founder, who holds the key that signs invitations."""
        said = self.founder.wigwag("invite", *words).stdout.split()
        tokens = [word for word in said if word.startswith("wigwag1")]
        require(len(tokens) == 1, f"{self.founder.name}: wigwag invite printed no token: {said}")
        return tokens[0]

    def join(self, nodes, sponsor, tokens=None):
        """All of them at the same time, each with a token of its own, through the sponsor, which may be any member."""
        tokens = tokens or [self.invite() for _ in nodes]
        seed = () if sponsor is self.founder else ("--seed", sponsor.underlay)
        together(lambda pair: pair[0].up(pair[1], "--node-name", pair[0].name, *seed), zip(nodes, tokens))

    def build(self, count, *words):
        """A running mesh: the first node founds it, the others join through it."""
        nodes = self.add(count)
        self.found(nodes[0], *words)
        self.join(nodes[1:], nodes[0])
        self.converge(nodes)
        return nodes

    # ---- what all of them see ----

    def agreement(self, nodes, settled=True):
        """True when these see each other alive and agree on the digest, and nothing is pending; else what differs."""
        names, statuses = set(names_of(nodes)), {}
        for node in nodes:  # One after the other, up to the first that differs: who waits must not keep the machine busy.
            status = statuses[node.name] = node.status()
            if (missing := who_is_amiss(node.name, status, names)) is not None:
                return missing
            if settled and not status["converged"]:
                return Missing(f"{node.name} has not converged")
        digests = {status["digest"] for status in statuses.values()}
        if len(digests) != 1:
            return Missing("the digests differ: " + ", ".join(f"{name} {status['digest']}" for name, status in statuses.items()))
        return True

    def nobody_missing(self, nodes):
        """True when none of these takes another of them for gone; whom else they know does not matter."""
        names = set(names_of(nodes))
        for name, status in zip(names_of(nodes), together(lambda node: node.status(), nodes)):
            there = {member["name"] for member in status["members"] if member["health"] in ("alive", "suspect")}
            if not names <= there:
                return Missing(f"{name} misses {sorted(names - there)}")
        return True

    def converge(self, nodes, seconds=30):
        _, took = wait_until(lambda: self.agreement(nodes), seconds, "all nodes agree on who is alive", every=0.2)
        return took

    def everyone_sees(self, nodes, name, healths, seconds, every=0.1):
        """Waits until each of the nodes sees that member so; returns how long the last one took."""
        def all_see():
            seen = dict(zip(names_of(nodes), together(lambda node: node.health(name), nodes)))
            wrong = {watcher: health for watcher, health in seen.items() if health not in healths}
            return Missing(f"{name} as seen by others: {wrong}") if wrong else True
        _, took = wait_until(all_see, seconds, f"everyone sees {name} {' or '.join(healths)}", every=every)
        return took

    def everyone_pings_everyone(self, nodes, seconds=15):
        """Every pair, both ways, over IPv4 and IPv6."""
        addresses = {node.name: [node.overlay(4), node.overlay(6)] for node in nodes}
        for node in nodes:
            node.reaches([address for name, pair in addresses.items() if name != node.name for address in pair], seconds)

    def faults(self):
        return [f"{node.name}: {line}" for node in self.nodes.values() for line in node.faults()]

    def report(self, lines=40):
        """The ends of all logs, for a reader who has only a failure's text."""
        parts = []
        for node in self.nodes.values():
            parts.append(f"---- the last lines of {node.name} ({node.underlay}) ----\n{node.last_words(lines)}")
            if node.space.pid:
                parts.append(node.space.run("sh", "-c", "wg show; ip -br address; ip route; ip -6 route", check=False).stdout)
        return "\n".join(parts)


def who_is_amiss(name, status, names):
    """Why this node does not see exactly the others of these names alive; None when it does."""
    seen = {member["name"] for member in status["members"] if member["health"] == "alive" and member["id"] != status["self"]["id"]}
    if seen == names - {name}:
        return None
    others = {member["name"]: member["health"] for member in status["members"]}
    return Missing(f"{name} sees {others}, and should see {sorted(names)} alive")


def names_of(nodes):
    return [node.name for node in nodes]


def together(function, items):
    """The function on every item at the same time; the results in order, the first failure raised."""
    items = list(items)
    if not items:
        return []
    with ThreadPoolExecutor(max_workers=max(1, len(items))) as pool:
        return list(pool.map(function, items))


def install(programs, folder):
    """Copies the programs there, each put in place by a rename as a package manager does it."""
    for program in PROGRAMS:
        source = find_program(programs, program)
        fresh = Path(folder) / f".{program}.new"
        shutil.copy2(source, fresh)
        os.replace(fresh, Path(folder) / program)


def find_program(programs, name):
    for candidate in (Path(programs) / name, Path(programs) / "bin" / name):
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    raise LabError(f"there is no {name} in {programs}: build it first (cmake --preset dev && cmake --build --preset dev)")


def end_lab(lab):
    """Ends every space that was opened in a lab's folder, and takes the folder away."""
    for space in sorted(Path(lab).glob("*/")):
        holder = holder_of(space)
        if holder is not None:
            end_space(holder)
    shutil.rmtree(lab, ignore_errors=True)


def end_leftovers(pattern, folder=Path(tempfile.gettempdir())):
    """Ends the labs whose folders match and whose maker is gone; returns their names."""
    ended = [lab for lab in sorted(folder.glob(pattern)) if not maker_lives(lab)]
    for lab in ended:
        end_lab(lab)
    return [lab.name for lab in ended]


def claim(folder):
    """Notes in the folder which process the lab belongs to."""
    (Path(folder) / "maker").write_text(str(os.getpid()))


def maker_lives(lab):
    try:
        os.kill(int((lab / "maker").read_text()), 0)
    except (OSError, ValueError, ProcessLookupError):
        return False
    return True


def end_on_signals():
    """Makes SIGTERM and SIGHUP raise as Ctrl-C does, so that whoever opened a lab closes it."""
    def stop(number, _frame):
        raise KeyboardInterrupt(f"signal {number}")
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
