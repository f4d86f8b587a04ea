# SPDX-License-Identifier: MIT
"""single: one cold tenant after the other, each way of starting in turn.

Each sample asks a host nobody has asked for. What waits for a sample (a
spare) is waited for before it. Stages are what the event `ready` in poold's
log says, between the two times of the client: all are CLOCK_MONOTONIC.
"""

import contextlib
import os
import re
import time

from beside import Node, Uwsgi
from common import (await_spares, first, hosts, percentile, program,
                    progress, spawner, table, tenants_pool, verdict)

READY = re.compile(
    r"event \d+: ready (\S+): asked_us=(\d+) queue_us=(\d+) fork_us=(\d+) "
    r"isolate_us=(\d+) load_us=(\d+) ready_us=(\d+) ")
SHARES = (0.05, 0.5, 0.95)
STAGES = (
    ("ask", "sent by the client → poold is asked"),
    ("queue", "→ its turn to start"),
    ("fork", "→ folder, socket, process; it knows its tenant"),
    ("isolate", "→ limits, user, Landlock, seccomp"),
    ("load", "→ its tools are loaded"),
    ("ready", "→ poold knows that it serves"),
    ("first byte", "→ request there, answer back"))


class Folder:
    """mkdir where temporary files are: the file system's part of `fork`."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "folders")
        os.mkdir(self.folder)
        self.samples_us = []

    def sample(self, n):
        path = os.path.join(self.folder, str(n))
        began = time.perf_counter_ns()
        os.mkdir(path)
        self.samples_us.append((time.perf_counter_ns() - began) / 1000)


class Bare:
    """fork + exec of the least program, without any pool."""

    def __init__(self, stack, folder):
        self.name = "bare: fork + exec of a C program"
        self.target = None
        self.samples_us = []
        self.asker = stack.enter_context(
            spawner("one", [program("bare")], folder))

    def sample(self, _):
        began, ended = self.asker.ask("bare")
        self.samples_us.append((ended - began) / 1000)


class Ours:
    """A pool that starts its backends in one way."""

    def __init__(self, stack, folder, rounds, name, target, **settings):
        self.name = "holdline, " + name
        self.target = target
        self.samples_us = []
        self.n_spares = settings["spare"]
        self.pool = stack.enter_context(
            tenants_pool(folder, name, rounds, **settings))
        self.client = stack.enter_context(first(self.pool.port, folder))
        self.hosts = hosts(rounds)
        self.times = {}

    def sample(self, n):
        await_spares(self.pool, self.n_spares)
        host = self.hosts[n]
        self.times[host] = self.client.ask(host)
        began, ended = self.times[host]
        self.samples_us.append((ended - began) / 1000)

    def stages(self):
        """For each sample a list of µs, in the order of STAGES."""
        found = []
        with open(self.pool.log_to, encoding="utf-8") as f:
            for m in READY.finditer(f.read()):
                began, ended = self.times[m.group(1)]
                asked, *spans = (int(g) for g in m.groups()[1:])
                found.append([asked - began / 1000, *spans,
                              ended / 1000 - asked - sum(spans)])
        if len(found) != len(self.times):
            raise SystemExit(f"pool: {self.name}: the log tells the stages "
                             f"of {len(found)} of {len(self.times)} starts")
        return found


def show(ways, bare):
    base = percentile(bare.samples_us, 0.5)
    rows = []
    for way in ways:
        p50 = percentile(way.samples_us, 0.5)
        rows.append((
            way.name,
            *(f"{percentile(way.samples_us, p) / 1000:.2f} ms"
              for p in SHARES),
            f"{p50 / base:.2f}",
            verdict(p50 / base, way.target) if way.target else ""))
    table(("cold tenant: request to first byte", "p5", "p50", "p95",
           "× bare (p50)", "target"), rows)


def cell(samples_us):
    return " / ".join(f"{percentile(samples_us, p):.0f}" for p in SHARES)


def show_stages(ours, made):
    found = [way.stages() for way in ours]
    rows = [(f"{name}: {what}",
             *(cell([s[i] for s in samples]) for samples in found))
            for i, (name, what) in enumerate(STAGES)]
    rows.append(("part of fork: mkdir on disk", *[""] * (len(ours) - 1),
                 cell(made.samples_us)))
    table(("stage of it, µs, p5 / p50 / p95",
           *(way.name for way in ours)), rows)


def run(folder, rounds, rare):
    """rounds of all; rare ones, that take long, in that many of them."""
    with contextlib.ExitStack() as stack:
        bare = Bare(stack, folder)
        made = Folder(folder)
        ours = [
            Ours(stack, folder, rounds, "a spare ready", 0.8, spare=1),
            Ours(stack, folder, rounds, "zygote", 1.5, spare=0),
            Ours(stack, folder, rounds, "exec", None, spare=0,
                 spawn="exec"),
            Ours(stack, folder, rounds, "a spare ready, its folder on disk",
                 None, spare=1, on_disk=True)]
        slow = [Uwsgi(stack, folder, rare), Node(stack, folder)]
        for n in range(rounds):
            for way in [bare, *ours, made]:
                way.sample(n)
            if n < rare:
                for way in slow:
                    way.sample(n)
            if n % 20 == 0:
                progress(f"pool: cold, round {n + 1} of {rounds}")
        show([bare, *ours, *slow], bare)
        show_stages(ours, made)
