# SPDX-License-Identifier: MIT
"""common: pools, clients and clocks of the benchmark of the pool."""

import os
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from measure import memory_kib, percentile, progress, table  # noqa: E402,F401
from pool import Pool, book_flight, build_dir, describe, until  # noqa: E402

SUFFIX = "bench.localhost"
# What a pool makes is made in memory, unless it is asked for on a disk: what
# it is compared with makes nothing. Sockets always, as in /run.
TMPFS = "/dev/shm" if os.path.isdir("/dev/shm") else None
FDS_A_TENANT = 8  # of poold, with some to spare


def program(name):
    """A program of this folder, built."""
    return os.path.join(build_dir(), "tests", "bench", "pool",
                        "bench_" + name)


def need_descriptors(n):
    """Say at once what n tenants need and this machine does not allow."""
    want = n * FDS_A_TENANT + 256
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < want:
        raise SystemExit(
            f"pool: {n} tenants need {want} descriptors, {hard} are allowed: "
            f"raise the hard limit (ulimit -Hn {want}, LimitNOFILE=)")
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    if processes != resource.RLIM_INFINITY and processes < 2 * n:
        raise SystemExit(
            f"pool: {n} tenants are more than {processes} processes allow: "
            f"raise the hard limit (ulimit -Hu {2 * n}, LimitNPROC=)")


def tenants_pool(folder, name, n, on_disk=False, **pool):
    """A pool, not started, of n tenants that nobody asked for yet."""
    settings = {"max_backends": n, "max_queue": n, "queue_timeout": "60s",
                "start_timeout": "60s", "idle_timeout": "1h",
                "stop_timeout": "10s", **pool}
    return Pool([book_flight("*." + SUFFIX, max_hosts=n)], pool=settings,
                log_to=os.path.join(folder, name + ".log"), run_in=TMPFS,
                within=None if on_disk else TMPFS)


def hosts(n):
    return [f"h{i}.{SUFFIX}" for i in range(n)]


class Asker:
    """A program that takes a line and answers with two times, again."""

    def __init__(self, argv, cwd):
        self.name = " ".join(os.path.basename(a) for a in argv)
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=cwd)

    def ask(self, line):
        """One sample: (began, first byte) in nanoseconds."""
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it said why on stderr
        answer = self.process.stdout.readline().split()
        if len(answer) != 2:
            raise SystemExit(f"pool: {self.name}: failed at {line}")
        return int(answer[0]), int(answer[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """It ends with its input, and what it started ends with it."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        self.process.wait()


def first(where, cwd):
    """The client that asks one after the other: a port, or a folder."""
    return Asker([program("first"), "one", str(where)], cwd)


def spawner(mode, argv, cwd):
    """The parent that forks and executes argv for each sample."""
    return Asker([program("spawn"), mode, *argv], cwd)


def pairs(argv, cwd, lines=()):
    """Run a program to its end: its lines of two numbers."""
    done = subprocess.run(
        argv, input="".join(line + "\n" for line in lines),
        stdout=subprocess.PIPE, text=True, cwd=cwd, check=False)
    if done.returncode:
        raise SystemExit(
            f"pool: {os.path.basename(argv[0])} {argv[1]}: failed")
    return [tuple(int(word) for word in line.split())
            for line in done.stdout.splitlines()]


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(p) for p in f.read().split()]


def is_asleep(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8",
                  errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "S"
    except OSError:
        return False


def titled(pool, title):
    """The children of poold that have these words for a title."""
    return [p for p in children_of(pool.pid) if title in describe(p)]


def await_spares(pool, n):
    """Until n spares wait for a tenant."""
    if n:
        until(lambda: sum(map(is_asleep, titled(pool, "holdline: spare")))
              >= n, f"{n} spares")


def verdict(value, target):
    """A target in words, and whether it is reached."""
    return f"≤ {target:g}: " + ("reached" if value <= target else "missed")
