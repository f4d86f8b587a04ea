# SPDX-License-Identifier: MIT
"""test_count: the numbers of the last line are the numbers of the runners."""

import json
import unittest

from count import count


def row(result, stdout):
    return json.dumps({"name": "holdline:unit / a", "result": result,
                       "stdout": stdout}) + "\n"


GOOD = "Running suite(s): a\n100%: Checks: 3, Failures: 0, Errors: 0\n"
BAD = "66%: Checks: 3, Failures: 1, Errors: 0\na.c:1:F:x:y:0: no\n"


class Count(unittest.TestCase):
    def test_each_runner_is_read(self):
        for want, kind, status, text in (
                ((3, 0, 0), "check", 0, row("OK", GOOD)),
                ((2, 1, 0), "check", 1, row("FAIL", BAD)),
                ((5, 1, 0), "check", 1, row("OK", GOOD) + row("FAIL", BAD)),
                ((9, 1, 0), "check", 1, row("FAIL", "9 passed, 1 failed\n")),
                ((0, 0, 1), "check", 0, row("SKIP", "")),
                ((0, 1, 0), "check", 1, row("FAIL", "killed")),
                ((0, 1, 0), "check", 1, row("OK", "")),
                ((3, 1, 0), "check", 1, row("TIMEOUT", GOOD)),
                ((0, 1, 0), "check", 1, ""),
                ((7, 1, 0), "programs", 1,
                 row("OK", "Ran 4 tests in 1s\n\nOK\n")
                 + row("FAIL", "Ran 4 tests in 1s\n\n"
                       "FAILED (failures=1)\n")),
                ((0, 1, 0), "programs", 1, row("TIMEOUT", "")),
                ((0, 1, 0), "programs", 0, ""),
                ((1, 1, 1), "tap", 1,
                 "1..3\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no tool\n"),
                ((1, 2, 0), "tap", 1, "1..3\nok 1 - a\n"),
                ((0, 1, 0), "tap", 1, ""),
                ((4, 0, 0), "unittest", 0,
                 "....\n---\nRan 4 tests in 1.2s\n\nOK\n"),
                ((2, 0, 2), "unittest", 0,
                 "Ran 4 tests in 1.2s\n\nOK (skipped=2)\n"),
                ((1, 3, 1), "unittest", 1, "Ran 5 tests in 1s\n\n"
                 "FAILED (failures=2, errors=1, skipped=1)\n"),
                ((0, 1, 0), "unittest", 1, "Traceback\n"),
                ((0, 1, 0), "unittest", 5,
                 "Ran 0 tests in 0s\n\nNO TESTS RAN\n"),
                ((7, 1, 1), "node", 1, "ℹ tests 9\nℹ suites 0\nℹ pass 7\n"
                 "ℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\n"),
                ((0, 1, 0), "node", 0, "ℹ tests 0\nℹ pass 0\nℹ fail 0\n"),
                ((0, 1, 0), "node", 1, ""),
                ((20, 1, 0), "plain", 1,
                 "a caught\n20 passed, 1 failed\n"),
                ((1, 0, 2), "plain", 0, "1 passed, 0 failed, 2 skipped\n"),
                ((0, 1, 0), "plain", 0, "nothing said\n"),
                ((4, 1, 0), "unittest", 1,
                 "Ran 4 tests in 1.2s\n\nOK\n")):
            with self.subTest(kind=kind, text=text):
                self.assertEqual(count(kind, status, text), want)


if __name__ == "__main__":
    unittest.main()
