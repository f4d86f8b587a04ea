# SPDX-License-Identifier: MIT
"""measure: what the benchmarks share: the fixture, clocks and tables."""

import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

from pool import build_dir  # noqa: E402  (the path is set above)


def upstream():
    """The program behind the proxies."""
    return os.path.join(build_dir(), "tests", "bench", "bench_upstream")


def cpu_ns(pid):
    """Nanoseconds that all threads of a process were on a processor."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat",
                  encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total


def memory_kib(pid):
    """{'Rss': KiB, 'Pss': KiB, …} of a process."""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        for line in f:
            word = line.split()
            if len(word) == 3 and word[2] == "kB":
                found[word[0].rstrip(":")] = int(word[1])
    return found


def percentile(values, share):
    """The value below which share of the values lie (nearest rank)."""
    values = sorted(values)
    return values[min(int(len(values) * share), len(values) - 1)]


def median(values):
    return statistics.median(values)


def table(head, rows):
    """Print a table in the form that README.md carries."""
    print("| " + " | ".join(head) + " |")
    print("|" + "|".join("---" for _ in head) + "|")
    for row in rows:
        print("| " + " | ".join(str(c) for c in row) + " |")
    print()


def progress(text):
    print(text, file=sys.stderr, flush=True)
