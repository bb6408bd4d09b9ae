"""Commands, waiting, and what is said when either fails."""

import os
import subprocess
import time

# A machine that emulates its processor needs several times as long for everything;
# every deadline is multiplied by this.
FACTOR = float(os.environ.get("WIGWAG_TEST_FACTOR", "1"))


class LabError(Exception):
    """A step did not do what it should; the text is meant to be read by a person."""


def run(*command, check=True, timeout=30, env=None, input=None):
    """Runs a command to its end; what it printed is in the result's stdout and stderr."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout * FACTOR,
                              env=env, input=input, **({} if input is not None else {"stdin": subprocess.DEVNULL}))
    except subprocess.TimeoutExpired as late:
        raise LabError(f"{shown(command)}: did not end within {timeout * FACTOR:.0f} s") from late
    if check and done.returncode != 0:
        raise LabError(f"{shown(command)}: exit status {done.returncode}\n{(done.stderr or done.stdout).strip()}")
    return done


def shown(command):
    words = [str(word) for word in command]
    if words and words[0] == "nsenter" and "--" in words:
        words = words[words.index("--") + 1:]
    return " ".join(word if len(word) < 200 else word[:80] + "…" for word in words)


def wait_until(probe, seconds, what, every=0.1):
    """Asks the probe until it returns something true, and returns that with the seconds it took.

    A probe that raises LabError is asked again too; its last words are part of the failure,
    as is the text of a Missing it returned.
    """
    started = time.monotonic()
    allowed = seconds * FACTOR
    words = ""
    while True:
        try:
            answer = probe()
            words = str(answer) if isinstance(answer, Missing) else ""
        except LabError as error:
            answer, words = None, str(error)
        took = time.monotonic() - started
        if answer:
            return answer, took
        if took > allowed:
            raise LabError(f"not within {allowed:.0f} s: {what}" + (f"\n{words}" if words else ""))
        time.sleep(every)


class Missing:
    """A probe's 'not yet', with the reason; false where a truth is wanted."""

    def __init__(self, reason):
        self.reason = reason

    def __bool__(self):
        return False

    def __str__(self):
        return self.reason


def stays_true(probe, seconds, what, every=0.25):
    """Asks the probe for that long, and fails as soon as it returns something false."""
    until = time.monotonic() + seconds * FACTOR
    while time.monotonic() < until:
        answer = probe()
        if not answer:
            raise LabError(f"did not stay so: {what}" + (f"\n{answer}" if isinstance(answer, Missing) else ""))
        time.sleep(every)


def require(holds, what):
    if not holds:
        raise LabError(what)
