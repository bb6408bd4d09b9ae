#!/usr/bin/env python3
"""The lab itself, without any daemon: its wires carry packets, its cuts cut, and its
pings notice what is lost. A scenario on a lab that cannot lose anything proves nothing."""

import os
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path

from lab.network import Network
from lab.pinger import NoneLost
from lab.shell import LabError, stays_true, wait_until
from lab.space import Space, holder_of, processes_in


class Wire:
    """As much of a node as a ping needs: its address in the mesh is the one on the wire."""

    def __init__(self, space, address):
        self.space, self.name, self.address = space, space.name, address

    def overlay(self, _family):
        return self.address

    def reaches(self, other):
        return self.space.run("ping", "-n", "-c1", "-W1", other.address, check=False).returncode == 0


@unittest.skipIf(os.geteuid() != 0, "namespaces need root")
class TheLab(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="wigwag-lab-"))
        self.network = Network(self.folder, self.folder)
        self.spaces = []
        self.addCleanup(self.close)
        self.network.open()

    def close(self):
        for space in self.spaces:
            space.close()
        self.network.close()
        shutil.rmtree(self.folder)

    def space(self, name):
        self.spaces.append(Space(name, self.folder / name, self.folder).open())
        return self.spaces[-1]

    def wire(self, name, number, bridge="left"):
        space = self.space(name)
        return Wire(space, self.network.plug(space, number, bridge))

    def test_carries_packets_within_and_between_its_subnets(self):
        one, two, three = self.wire("one", 1), self.wire("two", 2, "right"), self.wire("three", 3, "other")
        for source, target in ((one, two), (two, three), (three, one)):
            wait_until(lambda s=source, t=target: s.reaches(t), 5, f"{source.name} reaches {target.name}")

    def test_cuts_a_wire_and_mends_it(self):
        one, two = self.wire("one", 1), self.wire("two", 2)
        wait_until(lambda: one.reaches(two), 5, "they reach each other")
        self.network.cut(two.space)
        self.assertFalse(one.reaches(two))
        self.network.mend(two.space)
        wait_until(lambda: one.reaches(two), 5, "they reach each other again")

    def test_parts_the_halves_and_joins_them(self):
        one, two, three = self.wire("one", 1), self.wire("two", 2, "right"), self.wire("three", 3, "right")
        wait_until(lambda: one.reaches(two), 5, "the halves reach each other")
        self.network.part()
        self.assertFalse(one.reaches(two))
        wait_until(lambda: three.reaches(two), 5, "a half goes on")
        self.network.join()
        wait_until(lambda: one.reaches(two), 5, "the halves reach each other again")

    def test_gives_a_space_another_address(self):
        one, two = self.wire("one", 1), self.wire("two", 2)
        self.network.replug(two.space, "other")
        two.address = self.network.address(two.space, 77, "other")
        self.assertTrue(two.address.startswith("203.0.113."))
        wait_until(lambda: one.reaches(two), 5, "they reach each other across the subnets")

    def test_hides_what_is_behind_a_router(self):
        outside = self.wire("outside", 1)
        router = self.space("router")
        self.network.masquerade(router, 240)
        inner = self.space("inner")
        inside = Wire(inner, self.network.plug_behind(router, inner, 5))
        wait_until(lambda: inside.reaches(outside), 5, "from within one gets out")
        outside.space.ip("route", "add", "192.168.77.0/24", "via", "198.51.100.240")
        self.assertFalse(outside.reaches(inside))

    def test_keeps_run_and_state_apart(self):
        one, two = self.space("one"), self.space("two")
        for path in ("/run/wireguard/x", "/etc/wigwag/x", "/var/lib/wigwag/x"):
            one.run("sh", "-c", f"mkdir -p $(dirname {path}) && touch {path}")
            self.assertNotEqual(two.run("test", "-e", path, check=False).returncode, 0)
            self.assertFalse(os.path.exists(path))
        self.assertEqual(one.run("hostname").stdout.strip(), "one")

    def test_leaves_nothing_running(self):
        one = self.space("one")
        sleeper = one.popen("sleep", "1000")
        wait_until(lambda: sleeper.pid in processes_in(one.pid), 5, "it runs inside")
        holder = one.pid
        self.assertEqual(holder_of(self.folder / "one"), holder)
        one.close()
        sleeper.wait(timeout=5)
        self.assertIsNone(holder_of(self.folder / "one"))
        self.assertFalse(os.path.exists(f"/proc/{holder}"))

    def test_notices_lost_packets(self):
        one, two = self.wire("one", 1), self.wire("two", 2)
        with NoneLost([(one, two)], families=(4,)):
            time.sleep(0.5)
        with self.assertRaisesRegex(LabError, r"one -> \S+: \d+ of \d+ lost"):
            with NoneLost([(one, two)], families=(4,)):
                two.space.nft("table ip t { chain c { type filter hook input priority 0; drop; }; }")
                time.sleep(0.3)
                two.space.nft("delete table ip t")

    def test_notices_a_single_lost_packet(self):
        one, two = self.wire("one", 1), self.wire("two", 2)
        two.space.nft("""table ip t { chain c { type filter hook input priority 0;
            icmp type echo-request icmp sequence 20 drop; }; }""")
        with self.assertRaisesRegex(LabError, "one -> 198.51.100.2: 1 of"):
            with NoneLost([(one, two)], families=(4,)):
                time.sleep(0.5)

    def test_waits_no_longer_than_it_says(self):
        with self.assertRaisesRegex(LabError, "not within"):
            wait_until(lambda: False, 0.2, "never")
        with self.assertRaisesRegex(LabError, "did not stay so"):
            stays_true(lambda: False, 0.2, "never")


if __name__ == "__main__":
    if os.geteuid() != 0 and not os.environ.get("WIGWAG_E2E_REQUIRED"):
        print("skipped: namespaces need root")
        sys.exit(77)
    unittest.main()
