"""What a mesh must be seen to survive. Each scenario is one function of a fresh lab; its
first line of text says what it shows, and what it asks for within a time is the promise."""

import inspect
import time
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Scenario:
    name: str
    summary: str
    size: str        # slow, long, short or vm
    body: Callable


def scenario(short=False, vm=False, slow=False):
    """Marks a function as a scenario.

    `short` ones are also run with sanitizers, `vm` ones in the virtual machine as well; `slow` ones only when asked for.
    """
    def mark(function):
        return Scenario(function.__name__, inspect.getdoc(function).splitlines()[0], "vm" if vm else "short" if short else "slow" if slow else "long", function)
    return mark


def note(text):
    """A line for the reader of a run: what was measured, or what comes next."""
    print(f"  {time.strftime('%H:%M:%S')} {text}", flush=True)
