#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run: the unit tests of the loop and of flow, built for aarch64, under qemu.

  python3 tests/cross/run.py BUILD SYSROOT    TAP, a line a test of Check
  python3 tests/cross/run.py BUILD            the names of the programs

BUILD was configured with aarch64.ini.
"""

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

PREFIXES = ("flow_", "loop_")
SUITE_S = 100  # one suite
ALL_S = 150    # all of them

# What qemu-user does otherwise than a kernel: tests (a pattern), reason. Such a
# failure counts as skipped, never as passed.
QEMU = (
    (r"b16[56]_.*|a_status_can_be_awaited_and_a_failed_start_is_said",
     "qemu-user makes a fork of a vfork: posix_spawn returns before the child "
     "leads a session or is known to have started"),
    (r"a_task_that_(runs_over|overran)_its_stack_dies_by_name.*",
     "qemu-user says a line of its own when a program dies by a signal, and "
     "installs no guards by madvise"),
    (r"a_parked_task_costs_a_page_.*|memory_comes_back_when_.*|"
     r"a_task_that_is_over_keeps_a_page_.*",
     "qemu-user has memory of its own for the pages of its guest"),
)
PR_SET_CHILD_SUBREAPER = 36


def qemu_reason(test):
    return next((reason for pattern, reason in QEMU
                 if re.fullmatch(pattern, test)), None)


def sweep():
    """End what a suite left behind; whose parent ended is our child now."""
    while True:
        with open("/proc/thread-self/children", encoding="ascii") as f:
            left = [int(pid) for pid in f.read().split()]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        if not left:
            return
        for pid in left:
            os.waitpid(pid, 0)


def suites(build):
    """The programs of the tests, as meson knows them; paths in the build."""
    known = subprocess.run(["meson", "introspect", "--tests", build],
                           check=True, capture_output=True, text=True).stdout
    return sorted(os.path.relpath(test["cmd"][0], os.path.realpath(build))
                  for test in json.loads(known)
                  if test["name"].startswith(PREFIXES))


def run(path, sysroot, seconds):
    """[(passed, test, text)] of one suite."""
    with tempfile.NamedTemporaryFile("r", suffix=".tap") as log, \
            tempfile.TemporaryFile("w+", errors="replace") as out:
        try:
            done = subprocess.run(
                ["qemu-aarch64-static", "-L", sysroot, path],
                stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, timeout=seconds, check=False,
                env={**os.environ, "CK_TAP_LOG_FILE_NAME": log.name})
            ended = f"status {done.returncode}"
        except subprocess.TimeoutExpired:
            ended = f"no end within {seconds:.0f} s"
        sweep()
        out.seek(0)
        text, said = log.read(), out.read()
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
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    began, n, failed = time.monotonic(), 0, 0
    for path in suites(build):
        suite = os.path.basename(path)
        left = ALL_S - (time.monotonic() - began)
        for ok, test, text in run(os.path.join(build, path), sys.argv[2],
                                  max(1, min(SUITE_S, left))):
            n += 1
            if ok:
                print(f"ok {n} - {suite}: {test}")
            elif qemu_reason(test):
                print(f"ok {n} - {suite}: {test} # SKIP {qemu_reason(test)}")
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
