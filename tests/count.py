#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count: read what a test runner printed and say how many tests it ran.

  count.py KIND STATUS FILE

KIND is check or programs (FILE is meson's testlog.json, of Check or of unittest
programs), tap, unittest or node; STATUS is
the runner's exit status. Prints "passed failed skipped". A runner that failed
without naming a failed test, or that printed no closing line, counts as one
failed test; a skipped test is never a passed one.
"""

import json
import re
import sys


def check(text, say=None):
    """Closing lines, one a program, mostly Check's, out of meson's log."""
    passed = failed = skipped = 0
    for row in map(json.loads, text.splitlines()):
        name = row["name"].split(":")[-1].split(" / ")[-1]
        lines = re.findall(
            r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$",
            row.get("stdout", ""), re.M)
        # A program without Check says it in the plain form.
        lines += [(int(p) + int(f), f, 0) for p, f in re.findall(
            r"^(\d+) passed, (\d+) failed", row.get("stdout", ""), re.M)]
        if row["result"] == "SKIP":
            skipped += 1
        elif not lines:
            failed += 1
            if say:
                say(f"{name}: {row['result']}, no closing line of Check")
        for n, failures, errors in lines:
            bad = int(failures) + int(errors)
            passed += int(n) - bad
            failed += bad
            if say:
                share = 100 * (int(n) - bad) // max(int(n), 1)
                say(f"{name}: {share}%: Checks: {n}, Failures: {failures}, "
                    f"Errors: {errors}")
        if row["result"] not in ("OK", "SKIP") and lines and not any(
                int(f) + int(e) for _, f, e in lines):
            failed += 1
            if say:
                say(f"{name}: {row['result']} after its tests")
    return passed, failed, skipped


def tap(text, say=None):
    plan = re.search(r"^1\.\.(\d+)", text, re.M)
    rows = re.findall(r"^(not ok|ok) \d+(.*)$", text, re.M)
    skipped = sum(bool(re.search(r"# SKIP", rest, re.I)) for _, rest in rows)
    failed = sum(word == "not ok" for word, _ in rows)
    missing = (int(plan.group(1)) if plan else 1) - len(rows)
    return (len(rows) - skipped - failed, failed + max(missing, 0), skipped)


def unittest(text, say=None):
    ran = skipped = failed = 0
    closings = re.findall(
        r"^Ran (\d+) tests? in .*\n\n(OK|FAILED|NO TESTS RAN)(?: \((.*)\))?",
        text, re.M)
    for n, _, words in closings:
        counts = dict(re.findall(r"([a-z ]+)=(\d+)", words or ""))
        counts = {k.strip(): int(v) for k, v in counts.items()}
        bad = counts.get("failures", 0) + counts.get("errors", 0) + (
            counts.get("unexpected successes", 0))
        ran += int(n)
        failed += bad
        # What failed as expected has not passed either.
        skipped += counts.get("skipped", 0) + counts.get(
            "expected failures", 0)
    if not closings:
        failed += 1
    return max(ran - failed - skipped, 0), failed, skipped


def programs(text, say=None):
    """unittest's closing lines, one group a program, out of meson's log."""
    total = [0, 0, 0]
    for row in map(json.loads, text.splitlines()):
        said = row.get("stdout", "") + "\n" + row.get("stderr", "")
        found = count("unittest", int(row["result"] != "OK"), said)
        total = [a + b for a, b in zip(total, found)]
        if say:
            name = row["name"].split(":")[-1].split(" / ")[-1]
            for n, word, more in re.findall(
                    r"^(Ran \d+ tests? in .*)\n\n(OK|FAILED)(.*)", said,
                    re.M):
                say(f"{name}: {n}: {word}{more}")
    return tuple(total) if any(total) else (0, 1, 0)


def node(text, say=None):
    def number(word):
        return sum(map(int, re.findall(rf"^(?:\S+ )?{word} (\d+)$", text,
                                       re.M)))
    failed = number("fail") + number("cancelled")
    if not re.search(r"^(?:\S+ )?tests [1-9]\d*$", text, re.M):
        failed += 1
    return number("pass"), failed, number("skipped") + number("todo")


def plain(text, say=None):
    """A closing line of our own: N passed, N failed[, N skipped]."""
    rows = re.findall(
        r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", text, re.M)
    if not rows:
        return 0, 1, 0
    return tuple(sum(int(row[i] or 0) for row in rows) for i in range(3))


KINDS = {"check": check, "plain": plain, "programs": programs, "tap": tap,
         "unittest": unittest, "node": node}


def count(kind, status, text, say=None):
    """(passed, failed, skipped) of one run."""
    passed, failed, skipped = KINDS[kind](text, say)
    if status and not failed:
        failed = 1
    return passed, failed, skipped


def main():
    kind, status, path = sys.argv[1:]
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            text = f.read()
    except FileNotFoundError:
        text = ""
    print(*count(kind, int(status), text,
                 lambda line: print(line, file=sys.stderr)))


if __name__ == "__main__":
    main()
