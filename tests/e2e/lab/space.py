"""A space is one machine of the lab: a network, mount and host-name namespace.

Each has a private /run (so that sockets of wireguard-go and wigwag, which are named
after the interface alone, do not meet) and its own /etc/wigwag and /var/lib/wigwag,
kept in a folder of the lab. The namespaces are held by one sleeping process; when it
is gone and nothing else runs inside, the kernel takes every interface with them.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from .shell import LabError, run

# /etc and /var/lib stay what they are, seen through links, but for the folder that is
# the space's own: so the machine itself needs no mount points for it.
SETUP = r"""
set -e
own() {  # FOLDER NAME SOURCE: covers FOLDER with links to what is in it, and FOLDER/NAME with SOURCE
  mkdir -p "/run/lab$1"
  mount --bind "$1" "/run/lab$1"
  mount -t tmpfs -o mode=755 tmpfs "$1"
  find "/run/lab$1" -mindepth 1 -maxdepth 1 ! -name "$2" -exec ln -s -t "$1" {} +
  mkdir "$1/$2"
  mount --bind "$3" "$1/$2"
}
mount -t tmpfs -o mode=755 tmpfs /run
mount -t sysfs sysfs /sys 2>/dev/null || true
own /etc wigwag "$2/etc"
own /var/lib wigwag "$2/lib"
hostname "$1"
ip link set lo up
# Addresses are used at once: nobody else on these wires could have them.
echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad 2>/dev/null || true
echo ready
exec sleep infinity
"""


class Space:
    def __init__(self, name, folder, bin_folder):
        self.name = name
        self.folder = Path(folder)
        self.bin_folder = Path(bin_folder)
        self.holder = None  # The process, when this program started it.
        self.pid = None

    @property
    def pid_file(self):
        return self.folder / "pid"

    def open(self):
        for part in ("etc", "lib"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
            os.chmod(self.folder / part, 0o700)
        holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--uts", "--propagation", "private", "--",
             "sh", "-c", SETUP, "space", self.name, str(self.folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        said = holder.stdout.readline()
        if said.strip() != "ready":
            said += holder.stdout.read()
            raise LabError(f"no namespaces for {self.name}: {said.strip() or 'unshare ended'} (this needs root and CAP_SYS_ADMIN)")
        holder.stdout.close()
        self.holder = holder
        self.pid = holder.pid
        self.pid_file.write_text(str(self.pid))
        return self

    def adopt(self):
        """Finds the namespaces that an earlier process made and left running."""
        pid = holder_of(self.folder)
        if pid is None:
            raise LabError(f"{self.name} does not run")
        self.pid = pid
        return self

    def inside(self, *command):
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-u", "--", *[str(word) for word in command]]

    def env(self):
        path = f"{self.bin_folder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {**os.environ, "PATH": path, "NO_COLOR": "1"}

    def run(self, *command, **options):
        return run(*self.inside(*command), env=self.env(), **options)

    def ip(self, *words, check=True):
        return self.run("ip", *words, check=check).stdout

    def nft(self, rules):
        self.run("nft", "-f", "-", input=rules)

    def sysctl(self, key, value=None):
        file = "/proc/sys/" + key.replace(".", "/")
        if value is None:
            return self.run("cat", file).stdout.strip()
        return self.run("sh", "-c", f"echo {value} >{file}")

    def popen(self, *command, **options):
        return subprocess.Popen(self.inside(*command), env=self.env(), stdin=subprocess.DEVNULL, start_new_session=True, **options)

    def processes(self, program=None):
        """The process ids inside, but the holder's; of one program when it is named."""
        return processes_in(self.pid, program)

    def close(self):
        if self.pid is not None:
            end_space(self.pid, self.holder)
            self.pid = self.holder = None
        self.pid_file.unlink(missing_ok=True)


def namespace_of(pid):
    try:
        return os.stat(f"/proc/{pid}/ns/net").st_ino
    except OSError:
        return None


def processes_in(holder, program=None):
    space = namespace_of(holder)
    own = namespace_of(os.getpid())
    found = []
    if space is None or space == own:
        return found
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == holder or namespace_of(entry) != space:
            continue
        if program is not None:
            try:
                executable = os.readlink(f"/proc/{entry}/exe").removesuffix(" (deleted)")
            except OSError:
                continue
            if os.path.basename(executable) != program:
                continue
        found.append(int(entry))
    return found


def holder_of(folder):
    """The living holder that a space's folder names, or None; a pid that now is somebody else's does not count."""
    try:
        pid = int((Path(folder) / "pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    if b"sleep" in words and namespace_of(pid) not in (None, namespace_of(os.getpid())):
        return pid
    return None


def end_space(pid, holder=None):
    """Ends everything that runs in the namespaces of a holder, and the holder."""
    for process in processes_in(pid) + [pid]:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if holder is not None:
        holder.wait(timeout=10)
    until = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < until:
        time.sleep(0.02)
