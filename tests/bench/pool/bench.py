#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench: what a cold tenant costs beside fork and exec of a bare program.

  python3 tests/bench/pool/bench.py [-s] [-p] [-r ROUNDS] [-n TENANTS] [PART...]

Parts: single many; without one both. -s: few of everything, in seconds; its
figures mean nothing. -p: all that is measured runs with real-time priority
(SCHED_RR), for a machine that does other work too. run.sh fetches and builds
what this needs.
"""

import argparse
import glob
import os
import signal
import sys
import tempfile

import common
import many
import single
from pool import children, describe, descendants

LOG_LINES = 15


def options():
    parser = argparse.ArgumentParser(prog="bench.py")
    parser.add_argument("-s", dest="smoke", action="store_true")
    parser.add_argument("-p", dest="priority", action="store_true")
    parser.add_argument("-r", dest="rounds", type=int)
    parser.add_argument("-n", dest="tenants", type=int)
    parser.add_argument("parts", nargs="*", metavar="PART")
    given = parser.parse_args()
    if set(given.parts) - {"single", "many"}:
        parser.error("parts are: single many")
    return given


def show_logs(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.log"))):
        with open(path, encoding="utf-8", errors="replace") as f:
            lines = f.read().splitlines()[-LOG_LINES:]
        print(f"{os.path.basename(path)}:\n  " + "\n  ".join(lines),
              file=sys.stderr)


def end_rest():
    """What is left of whatever failed: said, and ended."""
    left = children()
    for pid in left:
        print("pool: left running: " + describe(pid), file=sys.stderr)
        for each in descendants(pid) + [pid]:
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            continue
    return bool(left)


def run(given, folder):
    parts = given.parts or ["single", "many"]
    n = given.tenants or (20 if given.smoke else 1000)
    common.need_descriptors(n)
    if given.priority:
        try:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        except PermissionError:
            raise SystemExit("pool: -p needs root (CAP_SYS_NICE)") from None
    if "single" in parts:
        rounds = given.rounds or (3 if given.smoke else 100)
        single.run(folder, rounds, min(rounds, 2 if given.smoke else 10))
    if "many" in parts:
        many.run(folder, given.rounds or (1 if given.smoke else 5), n)


def main():
    given = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.getuid() != 0:
        print("pool: not root: tenants are not isolated, the targets are "
              "meant with isolation", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="holdline-bench-") as folder:
        os.chmod(folder, 0o755)
        try:
            run(given, folder)
        except BaseException as e:
            if not isinstance(e, KeyboardInterrupt):
                show_logs(folder)
            end_rest()
            raise
    if end_rest():
        sys.exit("pool: something was left running")


if __name__ == "__main__":
    main()
