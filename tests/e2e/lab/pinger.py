"""A ping that runs beside a scenario and afterwards tells every packet that was lost."""

import re
import signal
import subprocess

from .shell import FACTOR, LabError, require, wait_until


class Pinger:
    """Pings every 10 ms; the sequence numbers of the answers say which packets were lost, and when."""

    def __init__(self, source, target_address, interval=0.01):
        self.source = source
        self.target_address = target_address
        # An emulated processor cannot keep up with a packet every 10 ms on sixteen paths.
        self.interval = interval * max(1.0, FACTOR)
        self.output = source.space.folder / f"ping-{str(target_address).replace(':', '_')}.txt"
        self.process = None

    def start(self):
        with open(self.output, "w", encoding="utf-8") as file:
            self.process = self.source.space.popen("ping", "-n", "-i", f"{self.interval:.3f}", self.target_address,
                                                   stdout=file, stderr=subprocess.STDOUT)
        wait_until(lambda: self.answers(), 10, f"{self.source.name} pings {self.target_address} at all")
        return self

    def answers(self):
        text = self.output.read_text(encoding="utf-8")
        return [int(found) for found in re.findall(r"icmp_seq=(\d+) ttl=", text)]

    def go_on(self, more=50):
        """Waits for more answers, so that a loss just now has shown itself."""
        reached = max(self.answers(), default=0)
        wait_until(lambda: max(self.answers(), default=0) >= reached + more, 20,
                   f"{self.source.name} goes on pinging {self.target_address}")

    def stop(self):
        """Ends the ping; returns (lost, sent) over all packets up to the last one answered."""
        self.go_on()
        self.end()
        answered = set(self.answers())
        first, last = min(answered), max(answered)
        require(last < 65000, f"the sequence numbers of {self.output} have wrapped")
        lost = [number for number in range(first, last + 1) if number not in answered]
        return lost, last - first + 1

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=10 * FACTOR)


class NoneLost:
    """with NoneLost([(a, b), ...]): every packet between the pairs, both ways and both families, must be answered."""

    def __init__(self, pairs, families=(4, 6)):
        self.pingers = []
        for one, other in pairs:
            for source, target in ((one, other), (other, one)):
                for family in families:
                    self.pingers.append(Pinger(source, target.overlay(family)))

    def __enter__(self):
        for pinger in self.pingers:
            pinger.start()
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            for pinger in self.pingers:
                pinger.end()
            return
        losses = []
        for pinger in self.pingers:
            lost, sent = pinger.stop()
            if lost:
                losses.append(f"{pinger.source.name} -> {pinger.target_address}: {len(lost)} of {sent} lost,"
                              f" the first as number {lost[0]}, the last as {lost[-1]}")
        if losses:
            raise LabError("packets were lost:\n" + "\n".join(losses))
