"""One node: a space with a wire, and the daemon and the command line in it."""

import json
import os
import re
import signal
import subprocess
import time

from .pinger import NoneLost  # noqa: F401  (scenarios take it from here)
from .shell import FACTOR, LabError, Missing, require, wait_until

REPORTS = re.compile(r"ERROR: \w+Sanitizer|runtime error:|check failed|terminate called|std::bad_|Segmentation fault")


class Node:
    def __init__(self, space, number, backend="auto"):
        self.space = space
        self.name = space.name
        self.number = number
        self.backend = backend
        self.underlay = None
        self.log = space.folder / "daemon.log"
        self.daemon = None  # The process, when this program started it.
        self.settings = []
        self.known = {}

    # ---- commands ----

    def wigwag(self, *words, check=True, timeout=30):
        return self.space.run("wigwag", *words, check=check, timeout=timeout)

    def status(self):
        answer = self.wigwag("status", "--json", check=False)
        if answer.returncode != 0:
            raise LabError(f"{self.name}: wigwag status: exit status {answer.returncode}: {answer.stderr.strip()}")
        try:
            return json.loads(answer.stdout)
        except json.JSONDecodeError as error:
            raise LabError(f"{self.name}: wigwag status --json is no JSON: {error}\n{answer.stdout[:400]}") from error

    def members(self):
        """The other members by name, as this node sees them."""
        status = self.status()
        return {member["name"]: member for member in status["members"] if member["id"] != status["self"]["id"]}

    def health(self, name):
        member = self.members().get(name)
        return member["health"] if member else "absent"

    def overlay(self, family):
        """This node's address in the mesh; remembered, as it follows from identity."""
        key = f"ipv{family}"
        if key not in self.known:
            self.known[key] = self.status()["self"][key].split("/")[0]
        return self.known[key]

    def id(self):
        if "id" not in self.known:
            self.known["id"] = self.status()["self"]["id"]
        return self.known["id"]

    def interface(self):
        if "interface" not in self.known:
            self.known["interface"] = self.status()["self"]["interface"]
        return self.known["interface"]

    # ---- the daemon ----

    def up(self, *words, detached=False):
        """`wigwag up`: in the foreground with its output in this node's log, or as a user types it."""
        for setting in self.settings:
            words += ("--set", setting)
        if self.backend != "auto":
            words += ("--set", f"wireguard.backend={self.backend}")
        if detached:
            return self.wigwag("up", *words, timeout=60)
        self.daemon = self.launch("wigwag", "up", "--foreground", *words)
        self.wait_for_answer()
        return None

    def start(self):
        """The daemon, from what it has on disk."""
        self.daemon = self.launch("wigwagd", "--log-level", "debug")
        self.wait_for_answer()

    def launch(self, *words):
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"--- {' '.join(word if len(word) < 80 else word[:40] + '…' for word in words)}\n")
            log.flush()
            return self.space.popen(*words, stdout=log, stderr=subprocess.STDOUT)

    def wait_for_answer(self, seconds=20):
        def answers():
            if self.daemon is not None and self.daemon.poll() is not None:
                return "ended"
            return "yes" if self.wigwag("status", "--json", check=False).returncode == 0 else None
        said, _ = wait_until(answers, seconds, f"{self.name}: the daemon answers\n{self.last_words()}")
        if said != "yes":
            raise LabError(f"{self.name}: the daemon ended with status {self.daemon.poll()}:\n{self.last_words()}")

    def pids(self):
        return self.space.processes("wigwagd") + [pid for pid in self.space.processes("wigwag") if is_daemon(pid)]

    def kill(self, how=signal.SIGKILL):
        """Signals the daemon and waits until it has ended."""
        pids = self.pids()
        require(pids, f"{self.name}: no daemon runs\n{self.last_words()}")
        for pid in pids:
            os.kill(pid, how)
        wait_until(lambda: not [pid for pid in pids if alive(pid)], 10, f"{self.name}: the daemon ends after signal {int(how)}")
        if self.daemon is not None:
            code = self.daemon.wait(timeout=10 * FACTOR)
            require(how != signal.SIGTERM or code == 0,
                    f"{self.name}: asked to stop, the daemon ended with {code}\n{self.last_words()}")
            self.daemon = None

    def stop(self):
        self.kill(signal.SIGTERM)

    def log_lines(self):
        """What its daemons have said: those started here, and those that `wigwag up` sent to the background."""
        lines = []
        for file in (self.log, self.space.folder / "lib" / "wigwagd.log"):
            if file.exists():
                lines += file.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines

    def last_words(self, lines=25):
        return "\n".join(self.log_lines()[-lines:]) or "(no log)"

    def faults(self):
        """What a sanitizer, a failed check or an uncaught exception left in the log."""
        return [line for line in self.log_lines() if REPORTS.search(line)]

    # ---- the kernel's side ----

    def peers(self, interface=None):
        """`wg show`: by public key, the peer's endpoint, allowed IPs and the age of its handshake in seconds (None: never)."""
        found = {}
        dump = self.space.run("wg", "show", interface or self.interface(), "dump").stdout
        for line in dump.splitlines()[1:]:
            key, _, endpoint, allowed, handshake, received, sent, _ = line.split("\t")
            found[key] = {"endpoint": endpoint, "allowed": set(allowed.split(",")) - {"(none)"},
                          "age": time.time() - int(handshake) if handshake != "0" else None,
                          "rx": int(received), "tx": int(sent)}
        return found

    def links(self):
        return {link["ifname"] for link in json.loads(self.space.ip("-j", "link", "show"))}

    def routes(self):
        lines = self.space.ip("-4", "route", "show", "table", "all").splitlines()
        lines += self.space.ip("-6", "route", "show", "table", "all").splitlines()
        return {" ".join(line.split()) for line in lines}

    def kernel_state(self):
        """Everything in the kernel that a daemon could have changed, but for counters and handshakes."""
        state = {"links": sorted(self.links()), "routes": sorted(self.routes()),
                 "rules": self.space.ip("rule", "show") + self.space.ip("-6", "rule", "show"),
                 "addresses": sorted(re.findall(r"inet6? \S+|^\d+: \S+", self.space.ip("address", "show"), re.M)),
                 # WireGuard's module itself clears that one, for all interfaces, as soon as one of its own goes up.
                 "sysctls": self.space.run("sh", "-c", "cd /proc/sys/net && grep -r . ipv4/conf ipv6/conf ipv4/ip_forward 2>/dev/null |"
                                           " grep -v ipv4/conf/all/send_redirects | sort", check=False).stdout}
        for interface in self.space.run("wg", "show", "interfaces").stdout.split():
            state["wg " + interface] = {key: (peer["endpoint"], sorted(peer["allowed"])) for key, peer in self.peers(interface).items()}
        return state

    # ---- reaching others ----

    def reaches(self, addresses, seconds=10):
        """Pings every address until each has answered; fails with those that did not."""
        waiting = list(addresses)

        def all_answer():
            nonlocal waiting
            script = "".join(f"(ping -n -q -c1 -W{max(1, round(FACTOR))} {address} >/dev/null || echo {address}) & " for address in waiting)
            waiting = self.space.run("sh", "-c", script + "wait").stdout.split()
            return not waiting or Missing(f"{self.name} gets no answer from {', '.join(waiting)}")
        _, took = wait_until(all_answer, seconds, f"{self.name} reaches everyone it should")
        return took


def is_daemon(pid):
    """Whether a process of the command line is `wigwag up --foreground`, which is a daemon too."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"--foreground" in file.read().split(b"\0")
    except OSError:
        return False


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
