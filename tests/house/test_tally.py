#!/usr/bin/env python3
"""The closing line of tests/run must not be able to hide a failure, nor an empty run."""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import tally  # noqa: E402

PASSED = '<testcase name="a.b" status="run"/>'
FAILED = '<testcase name="a.c" status="fail"><failure message=""/></testcase>'
SKIPPED = '<testcase name="a.d" status="notrun"><skipped message=""/></testcase>'
DISABLED = '<testcase name="a.e" status="disabled"/>'


class TheClosingLine(unittest.TestCase):
    def closing(self, *files, broken=None):
        with tempfile.TemporaryDirectory() as folder:
            for number, cases in enumerate(files):
                (Path(folder) / f"{number}.xml").write_text(f"<testsuite>{cases}</testsuite>")
            if broken:
                (Path(folder) / "broken").write_text(broken)
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                code = tally.main(folder)
            return said.getvalue().splitlines()[-1], code

    def test_adds_up_all_stages(self):
        self.assertEqual(self.closing(PASSED, PASSED + PASSED), ("3 passed, 0 failed", 0))

    def test_tells_failures(self):
        self.assertEqual(self.closing(PASSED, FAILED), ("1 passed, 1 failed", 1))

    def test_counts_a_stage_that_could_not_run_as_a_failure(self):
        self.assertEqual(self.closing(PASSED, broken="the build failed\n"), ("1 passed, 1 failed", 1))

    def test_calls_an_empty_run_a_failure(self):
        self.assertEqual(self.closing(), ("0 passed, 1 failed", 1))
        self.assertEqual(self.closing(SKIPPED), ("0 passed, 1 failed, 1 skipped", 1))

    def test_shows_what_was_skipped(self):
        self.assertEqual(self.closing(PASSED + SKIPPED + DISABLED), ("1 passed, 0 failed, 2 skipped", 0))


if __name__ == "__main__":
    unittest.main()
