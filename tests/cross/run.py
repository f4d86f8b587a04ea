#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run: the unit tests of the loop and of flow, built for aarch64, under qemu.

  python3 tests/cross/run.py BUILD SYSROOT    TAP, a line a test of Check
  python3 tests/cross/run.py BUILD            the names of the programs

BUILD was configured with aarch64.ini.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

PREFIXES = ("flow_", "loop_")
SUITE_S = 100  # one suite
ALL_S = 240    # all of them

# What qemu-user does otherwise than a kernel: test, reason. Such a failure
# counts as skipped, never as passed.
QEMU = {
    "a_status_can_be_awaited_and_a_failed_start_is_said":
        "qemu-user makes a fork of a vfork: posix_spawn cannot say why the "
        "program did not start",
    "a_task_that_runs_over_its_stack_dies_by_name":
        "qemu-user adds a line of its own to the stderr of a program that "
        "dies by a signal",
}


def suites(build):
    """The programs of the tests, as meson knows them; paths in the build."""
    known = subprocess.run(["meson", "introspect", "--tests", build],
                           check=True, capture_output=True, text=True).stdout
    return sorted(os.path.relpath(test["cmd"][0], os.path.realpath(build))
                  for test in json.loads(known)
                  if test["name"].startswith(PREFIXES))


def run(path, sysroot, seconds):
    """[(passed, test, text)] of one suite."""
    with tempfile.NamedTemporaryFile("r", suffix=".tap") as log:
        try:
            done = subprocess.run(
                ["qemu-aarch64-static", "-L", sysroot, path],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=seconds, check=False,
                text=True, errors="replace",
                env={**os.environ, "CK_TAP_LOG_FILE_NAME": log.name})
            ended, said = f"status {done.returncode}", done.stdout
        except subprocess.TimeoutExpired:
            ended, said = f"no end within {seconds:.0f} s", ""
        text = log.read()
    rows = [(ok == "ok", *rest) for ok, rest in (
        (m[1], re.match(r"(\w+): ?(.*)", m[2]).groups()) for m in re.finditer(
            r"^(ok|not ok) \d+ - [^:]*:[^:]*:(.*)$", text, re.M))]
    plan = re.search(r"^1\.\.(\d+)$", text, re.M)
    if not plan or int(plan[1]) != len(rows):
        rows.append((False, "the suite ends", f"{ended}, {len(rows)} tests told: "
                     + said[-400:].replace("\n", " ")))
    return rows


def main():
    build = sys.argv[1]
    if len(sys.argv) == 2:
        print(*suites(build))
        return
    began, n, failed = time.monotonic(), 0, 0
    for path in suites(build):
        suite = os.path.basename(path)
        left = ALL_S - (time.monotonic() - began)
        for ok, test, text in run(os.path.join(build, path), sys.argv[2],
                                  max(1, min(SUITE_S, left))):
            n += 1
            if ok and test in QEMU:
                print(f"# {test} passes under this qemu: "
                      "its line in tests/cross/run.py can go")
            if ok:
                print(f"ok {n} - {suite}: {test}")
            elif test in QEMU:
                print(f"ok {n} - {suite}: {test} # SKIP {QEMU[test]}")
            else:
                failed += 1
                print(f"not ok {n} - {suite}: {test}: {text}")
            sys.stdout.flush()
    if not n:
        print(f"# no suite of {', '.join(PREFIXES)} in {build}")
    print(f"1..{max(n, 1)}")
    sys.exit(failed > 0 or n == 0)


if __name__ == "__main__":
    main()
