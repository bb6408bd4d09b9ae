"""What the command line does where things are not as they should be: seeds that are silent, names that change, units."""

import base64
import json
import signal
import subprocess
from pathlib import Path

from lab.mesh import find_program
from lab.shell import Missing, require, wait_until

from . import note, scenario

# Stands in for systemd: keeps a list of what it was asked, and starts and stops daemons as the units would.
SYSTEMCTL = r"""#!/bin/sh
echo "$*" >>/run/systemctl.log
for unit; do :; done
name=${unit#wigwag@} name=${name%.service}
case $1 in
  cat) case $unit in wigwag.service|wigwag@*.service) ;; *) exit 1 ;; esac ;;
  is-enabled|is-active) test -e "/run/enabled-$unit" ;;
  enable) touch "/run/enabled-$unit" ;;
  restart)
    if [ "$unit" = wigwag.service ]; then set --; log=/var/lib/wigwag/wigwagd.log
    else
      set -- --config "/etc/wigwag/$name.toml" --state-dir "/var/lib/wigwag-$name" --socket "/run/wigwag-$name/wigwag.sock"
      log=/var/lib/wigwag-$name/wigwagd.log
    fi
    setsid wigwagd "$@" >>"$log" 2>&1 </dev/null & echo $! >"/run/pid-$unit" ;;
  disable)
    rm -f "/run/enabled-$unit"
    pid=$(cat "/run/pid-$unit" 2>/dev/null) || exit 0
    kill "$pid" 2>/dev/null || exit 0
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || exit 0; sleep 0.2; done
    kill -KILL "$pid"
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" 2>/dev/null || exit 0; sleep 0.2; done ;;
esac
"""


def with_systemd(mesh, node):
    program = mesh.bin / "systemctl"
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    node.space.run("mkdir", "-p", "/run/systemd/system")


def asked(node):
    return node.space.run("cat", "/run/systemctl.log", check=False).stdout.splitlines()


def enabled(node, unit="wigwag.service"):
    return node.space.run("test", "-e", f"/run/enabled-{unit}", check=False).returncode == 0


@scenario(short=True)
def up_again_while_it_waits(mesh):
    """`up` through a silent seed keeps trying; a second `up`, with relative paths, takes its place and joins."""
    one, two = mesh.add(2)
    mesh.found(one)
    silent = mesh.invite("--seed", "198.51.100.199")
    first = two.wigwag("up", silent, "--node-name", two.name, "--wait", "1s", check=False, timeout=40)
    require(first.returncode == 1 and "keeps trying" in first.stderr, f"through a silent seed: {first.returncode}: {first.stderr}")
    require(two.wigwag("--socket", "/run/wigwag/wigwag.sock", "status", check=False).returncode == 0, "the daemon that waits does not answer")
    pids = two.pids()
    two.space.run("sh", "-c", f"cd /var/lib && wigwag up {mesh.invite()} --state-dir wigwag --config ../../etc/wigwag/wigwag.toml", timeout=60)
    require(two.pids() and two.pids() != pids, f"after the second `up` these daemons run: {two.pids()}")
    mesh.converge([one, two])
    wait_until(lambda: "path_changed member=n2 was=none now=direct" in one.wigwag("events").stdout, 10, "an event tells of the new path")
    two.wigwag("down")


@scenario(short=True)
def another_interface(mesh):
    """With another wireguard.interface a restart takes the old one down first, and says so; `down` without a daemon knows the name too."""
    one, two = mesh.build(2)
    mesh.everyone_pings_everyone([one, two])
    config = two.space.folder / "etc" / "wigwag.toml"
    text = config.read_text()
    config.write_text(text + "\n[wireguard\n")
    wrong = two.wigwag("reload", check=False)
    require(wrong.returncode == 1 and "left as it was" in wrong.stderr, f"reload of a wrong file: {wrong.returncode}: {wrong.stderr}")
    config.write_text(text + "\n[wireguard]\ninterface = \"mesh0\"\n" if "[wireguard]" not in text
                      else text.replace("[wireguard]", "[wireguard]\ninterface = \"mesh0\""))
    two.stop()
    require("wigwag0" in two.links(), "stopping the daemon took its interface away")
    two.start()
    two.known.clear()
    mesh.converge([one, two])
    require("wigwag0" not in two.links() and "mesh0" in two.links(), f"there are {sorted(two.links())}")
    require("interface_replaced" in two.wigwag("events").stdout, "no event tells that the interface was replaced")
    mesh.everyone_pings_everyone([one, two])
    two.kill(signal.SIGKILL)
    config.write_text(text)
    two.wigwag("down")
    require("mesh0" not in two.links(), f"after `down` without a daemon there are {sorted(two.links())}")
    require(not [route for route in two.routes() if "proto 155" in route], f"routes are left: {sorted(two.routes())}")


@scenario(short=True)
def an_interface_that_was_there(mesh):
    """A WireGuard interface without a key that was there before is used, and `down` leaves it there, twice."""
    one, two = mesh.add(2)
    mesh.found(one)
    if two.space.run("ip", "link", "add", "wigwag0", "type", "wireguard", check=False).returncode != 0:
        two.space.run("wireguard-go", "wigwag0")
    for words in ((mesh.invite(), "--node-name", two.name), ()):
        two.wigwag("up", *words, timeout=60)
        mesh.converge([one, two])
        down = two.wigwag("down").stdout
        require("there before wigwag" in down, f"`down` says: {down}")
        require("wigwag0" in two.links(), "`down` took an interface away that was there before")
        require(not two.peers("wigwag0"), "`down` left peers on the interface")


@scenario(short=True)
def a_fleet_that_knocks_in_vain(mesh):
    """A many-use secret and a wrong seed: `up` waits for an answer, and says that nobody has given one."""
    one, two = mesh.add(2)
    mesh.found(one)
    secret = two.space.folder / "etc" / "secret"
    secret.write_text(mesh.invite("--uses", "0", "--seed", "198.51.100.199") + "\n")
    secret.chmod(0o600)
    said = two.wigwag("up", "--seed", "198.51.100.198", "--secret-file", "/etc/wigwag/secret", "--node-name", two.name, "--wait", "2s", timeout=60)
    require("no member has let it in yet" in said.stdout, f"`up` says: {said.stdout}{said.stderr}")
    again = two.wigwag("up", "--set", f"network.seeds={one.underlay}", timeout=60)
    require("already up" in again.stdout, f"the second `up` says: {again.stdout}{again.stderr}")
    mesh.converge([one, two])


@scenario(short=True)
def units_are_kept_and_retired(mesh):
    """Where systemd runs, `up` enables the network's unit; `down` and a refused join disable it, with or without a daemon."""
    one, two = mesh.add(2)
    mesh.found(one)
    with_systemd(mesh, two)
    token = mesh.invite()
    two.wigwag("up", token, "--node-name", two.name, timeout=60)
    require(enabled(two), f"`up` asked {asked(two)}")
    mesh.converge([one, two])
    two.kill(signal.SIGKILL)
    two.wigwag("down")
    require(not enabled(two) and "wigwag0" not in two.links(), f"`down` without a daemon asked {asked(two)}; links {sorted(two.links())}")

    place = ("--config", "/etc/wigwag/lab2.toml", "--state-dir", "/var/lib/wigwag-lab2", "--socket", "/run/wigwag-lab2/wigwag.sock")
    own = (*place, "--interface", "lab2", "--set", "wireguard.port=51920")
    refused = two.wigwag("up", token, *own, check=False, timeout=60)
    require(refused.returncode == 1 and "refused" in refused.stderr, f"a spent token: {refused.returncode}: {refused.stderr}")
    require("enable wigwag@lab2.service" in asked(two) and not enabled(two, "wigwag@lab2.service"), f"a refused `up` asked {asked(two)}")

    # The package's removal takes away every network of the machine, whether its daemon runs or not.
    two.wigwag("up", "--name", "lab2", *own, timeout=60)
    two.wigwag("up", timeout=60)
    wait_until(lambda: {"lab2", "wigwag0"} <= two.links() or Missing(str(two.links())), 10, "both interfaces are there")
    two.kill(signal.SIGKILL)
    scripts = Path(__file__).resolve().parents[3] / "packaging" / "debian"
    two.space.run("sh", scripts / "prerm", "remove", timeout=60)
    require(not {"lab2", "wigwag0"} & two.links(), f"after the removal there are {sorted(two.links())}")
    require(not enabled(two) and not enabled(two, "wigwag@lab2.service"), f"the removal asked {asked(two)}")

    elsewhere = two.wigwag("up", "--name", "third", "--state-dir", "/var/lib/elsewhere", "--socket", "/run/elsewhere.sock", "--config",
                           "/etc/wigwag/elsewhere.toml", timeout=60)
    require("does not come back after a reboot" in elsewhere.stderr, f"a network of no unit: {elsewhere.stderr}")
    status = json.loads(two.wigwag("status", "--json", "--socket", "/run/elsewhere.sock").stdout)
    require(status["network"]["name"] == "third", f"it is a member of {status['network']}")
    two.wigwag("down", "--state-dir", "/var/lib/elsewhere", "--socket", "/run/elsewhere.sock", "--config", "/etc/wigwag/elsewhere.toml")
    note(f"systemctl was asked {len(asked(two))} times")


@scenario(short=True)
def a_trace_replays(mesh):
    """A daemon that records a life with a join, a death and a return: wigwag-sim plays it again, and it does the same."""
    simulator = find_program(mesh.programs, "wigwag-sim")
    one, two, three = mesh.build(3)
    two.stop()
    trace = two.space.folder / "life.trace"
    two.daemon = two.launch("wigwagd", "--record", str(trace), "--log-level", "debug")
    two.wait_for_answer()
    mesh.converge([one, two, three])
    three.kill(signal.SIGKILL)
    wait_until(lambda: two.health(three.name) == "dead", 40, "the recorded node sees the dead one Down")
    three.start()
    mesh.converge([one, two, three])
    require(trace.stat().st_mode & 0o777 == 0o600, f"the trace has mode {trace.stat().st_mode:o}")
    wait_until(lambda: trace.stat().st_size > 2000, 5, "what was recorded is on disk within seconds")
    two.stop()
    played = subprocess.run([simulator, "replay", "--json", trace], capture_output=True, text=True, timeout=60, check=False)
    lines = [json.loads(line) for line in played.stdout.splitlines()]
    require(played.returncode == 0 and lines[-1]["agrees"] and lines[-1]["end"] == "stopped",
            f"the replay ended with {played.returncode}: {lines[-1:]} {played.stderr}")
    raised = [effect["text"] for line in lines if line["kind"] == "step" for effect in line["effects"] if effect["kind"] == "raised"]
    for told in (f"member_down {three.name}", f"member_alive {three.name}"):
        require(any(text.startswith(told) for text in raised), f"the replay tells nothing of {told}: {raised}")
    keys = [(two.space.folder / "lib" / name).read_bytes().strip() for name in ("identity.key", "wireguard.key")]
    content = trace.read_bytes()
    for key in keys:
        require(key not in content and base64.b64decode(key) not in content, "the trace holds a secret key")
    note(f"{lines[-1]['steps']} steps of {lines[-1]['span_s']:.0f} s in {len(content) // 1024} KiB played again")
    two.start()
    mesh.converge([one, two, three])


@scenario()
def a_daemon_that_hangs(mesh):
    """A daemon that takes calls and answers none is ended by `down` through systemd, and what it left is taken away."""
    one = mesh.add()
    with_systemd(mesh, one)
    one.wigwag("up", "--name", "lab", "--node-name", one.name, timeout=60)
    one.space.run("kill", "-STOP", *one.pids())
    down = one.wigwag("down", timeout=60)
    require("no daemon ran" in down.stdout and not one.pids(), f"`down` says {down.stdout}{down.stderr}; daemons {one.pids()}")
    require("wigwag0" not in one.links() and not enabled(one), f"there are {sorted(one.links())}; asked {asked(one)}")


@scenario()
def two_networks_on_one_machine(mesh):
    """Two networks on the same machines: neither runs inside the other, so one goes on when the other is taken down."""
    nodes = mesh.build(3)
    places = ("--config", "/etc/wigwag/other.toml", "--state-dir", "/var/lib/wigwag-other", "--socket", OTHER_SOCKET)
    settings = ("--interface", "wigwag1", "--set", "wireguard.port=51920")
    first, second, third = nodes
    first.wigwag("up", "--name", "other", *places, *settings, timeout=60)
    for node in (second, third):
        node.wigwag("up", first.wigwag("invite", "--socket", OTHER_SOCKET).stdout.split()[0], *places, *settings, timeout=60)
    wait_until(lambda: all(len(alive_in(node, OTHER_SOCKET)) == 2 for node in nodes), 20, "all three are in the other network too")
    mesh.converge(nodes)
    for node in nodes:
        for status in (node.status(), status_of(node, OTHER_SOCKET)):
            seen = status["self"]["endpoints"] + [member["path"]["endpoint"] for member in status["members"] if member["path"]["endpoint"]]
            inside = [endpoint for endpoint in seen if not endpoint.startswith(("198.51.100.", "[2001:db8:"))]
            require(not inside, f"{node.name}: {status['network']['name']} runs by way of {inside}")
    address = status_of(third, OTHER_SOCKET)["self"]["ipv4"].split("/")[0]
    second.wigwag("down")
    second.reaches([address], 2)


OTHER_SOCKET = "/run/wigwag-other/wigwag.sock"


def status_of(node, socket):
    return json.loads(node.wigwag("status", "--json", "--socket", socket).stdout)


def alive_in(node, socket):
    status = status_of(node, socket)
    return [member for member in status["members"] if member["health"] == "alive" and member["id"] != status["self"]["id"]]
