#!/usr/bin/env python3
"""Adds up the JUnit files of one run of tests/run and prints the closing line.

  tests/tally.py FOLDER

A stage that could not run is a line in FOLDER/broken and counts as a failure. What failed and passed
when it was run once more is named. Exits 1 when something failed and when nothing ran at all.
"""

import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path


def cases(file):
    """Yields (name, 'passed' | 'failed' | 'skipped') of every test case in a JUnit file as ctest writes it."""
    for case in xml.parse(file).getroot().iter("testcase"):
        if case.find("failure") is not None or case.get("status") == "fail":
            yield case.get("name"), "failed"
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            yield case.get("name"), "skipped"
        else:
            yield case.get("name"), "passed"


def failed_at_first(log):
    """The names of the cases that ctest's output shows as failed, whatever came of them later."""
    if not log.exists():
        return set()
    return set(re.findall(r"Test +#\d+: (\S+) .*\*\*\*(?:Failed|Timeout|Exception)", log.read_text(errors="replace")))


def tally(folder):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    worth_reading = []
    for file in sorted(Path(folder).glob("*.xml")):
        unsteady = failed_at_first(file.with_suffix(".log"))
        for name, outcome in cases(file):
            counts[outcome] += 1
            if outcome == "passed" and name in unsteady:
                worth_reading.append(f"passed when run once more: {file.stem}: {name}")
            if outcome != "passed":
                worth_reading.append(f"{outcome}: {file.stem}: {name}")
    broken = Path(folder) / "broken"
    if broken.exists():
        lines = broken.read_text().splitlines()
        counts["failed"] += len(lines)
        worth_reading += [f"failed: {line}" for line in lines]
    return counts, worth_reading


def main(folder):
    counts, worth_reading = tally(folder)
    for line in worth_reading:
        print(line)
    if counts["passed"] + counts["failed"] == 0:
        print("no test ran")
        counts["failed"] = 1
    print(f"{counts['passed']} passed, {counts['failed']} failed" + (f", {counts['skipped']} skipped" if counts["skipped"] else ""))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
