#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench: common/flow beside its peers, in one run, in alternating rounds.

  python3 tests/bench/flow/bench.py [-r ROUNDS] GO_PROGRAM NODE

Each round starts each program once for each row; the table shows medians of
the rounds, and each peer's as a multiple of flow's. HOLDLINE_BUILD names the
build. Ends within LIMIT_S: rounds that do not fit are left out, and said.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = 5
LIMIT_S = 150  # no program is started later
ONE_S = 20     # one program
FLOW, GO, EFFECTION, ASYNCIO, SWAP = (
    "flow", "Go", "Effection", "asyncio", "swapcontext")
TIMED = (FLOW, GO, EFFECTION, ASYNCIO)

# What is printed: title, word of the programs, unit, who, targets. A target is
# (text, test) of {who: median}; memory does not vary, two rounds are enough.
NS, US, KIB = ("ns", 1, 1), ("µs", 1000, 2), ("KiB", 1024, 2)
ROWS = (
    ("change of stacks, there and back", "switch", NS, (FLOW, SWAP), ()),
    ("park + resume", "park", NS, TIMED + (SWAP,), (
        ("≤ 40 ns", lambda m: m[FLOW] <= 40),
        ("≥ 5 × faster than swapcontext",
         lambda m: m[SWAP] >= 5 * m[FLOW]))),
    ("spawn + join", "spawn", NS, TIMED + (SWAP,), (
        ("≤ 300 ns", lambda m: m[FLOW] <= 300),)),
    ("halt five frames deep, of 50 tasks", "halt-50", US, TIMED, (
        ("≤ 3 µs", lambda m: m[FLOW] <= 3000),)),
    ("halt five frames deep, of 1 000 tasks", "halt-1000", US, TIMED, (
        ("≤ 3 µs", lambda m: m[FLOW] <= 3000),)),
    ("signal to 1 000, per subscriber", "signal-1000", NS, TIMED, ()),
    ("signal to 10 000, per subscriber", "signal-10000", NS, TIMED, ()),
    ("memory of a parked task", "memory", KIB, TIMED + (SWAP,), (
        ("≤ 5 KiB", lambda m: m[FLOW] <= 5 * 1024),
        ("≤ 1/4 of Effection", lambda m: m[FLOW] * 4 <= m[EFFECTION]))),
    ("… five frames deep", "memory-deep", KIB, TIMED, (
        ("≤ 5 KiB", lambda m: m[FLOW] <= 5 * 1024),
        ("≤ 1/4 of Effection", lambda m: m[FLOW] * 4 <= m[EFFECTION]))),
    ("… with stacks of 256 KiB", "memory-256", KIB, (FLOW,), (
        ("≤ 5 KiB", lambda m: m[FLOW] <= 5 * 1024),)),
    ("… 64 KiB, with huge pages", "memory huge", KIB, (FLOW,), ()),
    ("… 64 KiB, huge pages, no guards", "memory huge unguarded", KIB,
     (FLOW,), ()),
    ("… 256 KiB, huge pages, no guards", "memory-256 huge unguarded", KIB,
     (FLOW,), ()),
)
MEMORY_ROUNDS = 2
# Linear would be 1; caches make it more, a square would make it 10.
LINEAR = 3


def programs(go, node):
    build = os.path.join(
        os.environ.get("HOLDLINE_BUILD")
        or os.path.join(HERE, "..", "..", "..", "build"),
        "tests", "bench", "flow")
    return {
        FLOW: [os.path.join(build, "bench_flow")],
        SWAP: [os.path.join(build, "bench_swapcontext")],
        GO: [go],
        EFFECTION: [node, "--expose-gc", os.path.join(HERE, "peer.mjs")],
        ASYNCIO: [sys.executable, os.path.join(HERE, "peer.py")],
    }


def run(command, words):
    done = subprocess.run(command + words.split(), capture_output=True,
                          text=True, timeout=ONE_S, check=False,
                          stdin=subprocess.DEVNULL)
    try:
        if done.returncode == 0:
            return float(done.stdout)
    except ValueError:
        pass
    raise SystemExit(f"bench: {' '.join(command)} {words}: "
                     f"status {done.returncode}: "
                     f"{(done.stderr or done.stdout)[-400:]}")


def measure(commands, rounds):
    """{(word, who): [numbers]}; fewer rounds when time is up."""
    began, found = time.monotonic(), {}
    for r in range(rounds):
        for _, word, unit, who, _ in ROWS:
            if unit is KIB and r >= MEMORY_ROUNDS:
                continue
            for name in who:
                if time.monotonic() - began > LIMIT_S and r > 0:
                    print(f"bench: time is up in round {r + 1} of {rounds}",
                          file=sys.stderr)
                    return found
                found.setdefault((word, name), []).append(
                    run(commands[name], word))
        print(f"bench: round {r + 1} of {rounds}, "
              f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return found


def verdict(text, is_met):
    word = "ok" if is_met else "missed"
    if sys.stdout.isatty():
        word = f"\033[3{2 if is_met else 1}m{word}\033[0m"
    return f"{text}: {word}"


def cell(value, unit, base):
    name, size, digits = unit
    text = f"{value / size:.{digits}f} {name}" if size > 1 else (
        f"{value:.{1 if value < 100 else 0}f} {name}")
    return text if base is None else f"{text} (× {value / base:.2f})"


def table(found):
    names = (FLOW, GO, EFFECTION, ASYNCIO, SWAP)
    print("| | " + " | ".join(names) + " | target |")
    print("|---" * (len(names) + 2) + "|")
    medians = {key: statistics.median(v) for key, v in found.items()}
    for title, word, unit, who, targets in ROWS:
        mine = {name: medians[word, name] for name in who}
        cells = [cell(mine[n], unit, None if n == FLOW else mine[FLOW])
                 if n in mine else "" for n in names]
        said = [verdict(text, test(mine)) for text, test in targets]
        if word == "signal-10000":
            growth = {n: mine[n] / medians["signal-1000", n] for n in who}
            said = [verdict(f"linear (× {growth[FLOW]:.2f} of 1 000, "
                            f"at most × {LINEAR})", growth[FLOW] <= LINEAR)]
        print(f"| {title} | " + " | ".join(cells) + " | "
              + ", ".join(said) + " |")


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":")[1].strip() for line in f
                      if line.startswith("model name")), os.uname().machine)
    try:
        with open("/sys/kernel/mm/transparent_hugepage/enabled",
                  encoding="ascii") as f:
            huge = f.read().split("[")[1].split("]")[0]
    except OSError:
        huge = "not there"
    load = os.getloadavg()[0]
    return (f"{time.strftime('%Y-%m-%d')}, {model}, {os.cpu_count()} cores, "
            f"Linux {os.uname().release}, huge pages: {huge}, "
            f"load at the end {load:.1f}")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("-r", "--rounds", type=int, default=ROUNDS)
    options.add_argument("go")
    options.add_argument("node")
    given = options.parse_args()
    found = measure(programs(given.go, given.node), max(given.rounds, 1))
    spread = max(max(v) / min(v) for v in found.values())
    table(found)
    print(f"\nMedians of {max(map(len, found.values()))} rounds (memory: "
          f"{MEMORY_ROUNDS}), processor time; × is the peer's number over "
          f"flow's. Largest over smallest of a cell: at most {spread:.2f}.\n"
          f"{machine()}.")


if __name__ == "__main__":
    main()
