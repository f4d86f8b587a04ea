# SPDX-License-Identifier: MIT
"""many: a crowd of tenants, cold at once, then idle, then ended.

Whoever looks at a process in /proc leaves entries there that make its end
dearer. So memory is read in a crowd of its own, and after the kernel's.
"""

import time

import ended
from common import (hosts, is_asleep, memory_kib, pairs, percentile, program,
                    progress, table, tenants_pool, titled, until, verdict)

KERNEL = ("page tables", "stacks", "Slab", "Percpu")
STACK_KIB = 16  # of each thread, in the kernel
PGD_KIB = 4     # the top of the page tables, which VmPTE leaves out
TARGET_KIB = 300
SETTLED_S = 2   # idle ones give memory back one second after the last request


def meminfo():
    """KiB by name, of the whole machine."""
    with open("/proc/meminfo", encoding="ascii") as f:
        return {line.split(":")[0]: int(line.split()[1]) for line in f}


def kernel_kib(pid):
    """What the kernel keeps for a process alone: (page tables, stacks)."""
    with open(f"/proc/{pid}/status", encoding="utf-8",
              errors="replace") as f:
        rows = dict(line.split(":", 1) for line in f)
    return (int(rows["VmPTE"].split()[0]) + PGD_KIB,
            int(rows["Threads"]) * STACK_KIB)


def cold_ms(pool, folder, n):
    """Until the last of n cold tenants gave its first byte."""
    (began, _), *rows = pairs(
        [program("first"), "all", str(pool.port)], folder, hosts(n))
    return (max(ended for _, ended in rows) - began) / 1e6


def spawn_ms(folder, *words):
    (began, ended), = pairs([program("spawn"), *words], folder)
    return (ended - began) / 1e6


def await_quiet(pool):
    """All were served: until poold has nothing to do."""
    until(lambda: is_asleep(pool.pid), "poold to be quiet")


def await_rest(pids):
    """Until none of some backends has given memory back for SETTLED_S."""
    was, since = None, 0

    def is_settled():
        nonlocal was, since
        now = [memory_kib(pid)["Private_Dirty"] for pid in pids]
        if now != was:
            was, since = now, time.monotonic()
        return time.monotonic() - since > SETTLED_S

    until(is_settled, "backends to rest")


def end(pool):
    if pool.end() != 0:
        raise SystemExit(f"pool: poold ended with {pool.code}: something had "
                         "to be killed")


def memory(pool, before, n):
    """KiB an idle tenant, by kind; poold's own private ones in total."""
    await_quiet(pool)
    pids = titled(pool, "holdline: backend")
    if len(pids) != n:
        raise SystemExit(f"pool: {len(pids)} of {n} backends run")
    await_rest(pids[::n // 5 + 1])
    after = meminfo()
    own = memory_kib(pool.pid)
    found = {name: (after[name] - before[name]) / n
             for name in ("Slab", "Percpu")}
    for name, values in zip(KERNEL, zip(*map(kernel_kib, pids))):
        found[name] = sum(values) / n
    found["PSS"] = sum(memory_kib(p)["Pss"] for p in pids) / n
    found["sum"] = sum(found.values())
    found["available"] = (before["MemAvailable"]
                          - after["MemAvailable"]) / n
    found["poold"] = own["Private_Clean"] + own["Private_Dirty"]
    return found


def memory_round(folder, n):
    with tenants_pool(folder, "memory", n) as pool:
        before = meminfo()
        cold_ms(pool, folder, n)
        found = memory(pool, before, n)
        end(pool)
        return found


def time_round(folder, n):
    """What is compared stands side by side in time."""
    found = {"bare": spawn_ms(folder, "all", str(n), program("bare"))}
    with tenants_pool(folder, "many", n) as pool:
        found["cold"] = cold_ms(pool, folder, n)
        await_quiet(pool)
        end(pool)
        found["end"] = pool.end_ms
    found["kill"] = spawn_ms(folder, "kill", str(n))
    return found


def show_times(rounds, n, s6_ms):
    def cells(name):
        values = [r[name] for r in rounds]
        return [f"{percentile(values, p):.0f} ms" for p in (0, 0.5, 0.95)]

    def ratio(ours, theirs):
        return (percentile([r[ours] for r in rounds], 0.5)
                / percentile([r[theirs] for r in rounds], 0.5))

    cold, end = ratio("cold", "bare"), ratio("end", "kill")
    table((f"{n} tenants", "least", "p50", "p95", "× bare (p50)",
           "target"), [
        ("holdline: all cold at once, until the last first byte",
         *cells("cold"), f"{cold:.2f}", verdict(cold, 1)),
        ("bare: the same number, fork + exec", *cells("bare"), "1.00", ""),
        ("holdline: SIGTERM, until all is gone", *cells("end"),
         f"{end:.2f}", verdict(end, 6)),
        ("bare: kill and wait, forked children", *cells("kill"), "1.00",
         ""),
        ("s6: SIGTERM to s6-svscan, once", "", f"{s6_ms:.0f} ms", "",
         f"{s6_ms / percentile([r['kill'] for r in rounds], 0.5):.2f}",
         "")])


def show_memory(rounds, n):
    def p50(name):
        return percentile([r[name] for r in rounds], 0.5)

    table((f"an idle tenant of {n}", "KiB", "target"), [
        ("PSS", f"{p50('PSS'):.0f}", ""),
        *((f"kernel: {name}", f"{p50(name):.1f}", "") for name in KERNEL),
        ("sum", f"{p50('sum'):.0f}", verdict(p50("sum"), TARGET_KIB)),
        ("MemAvailable fell by", f"{p50('available'):.0f}", ""),
        (f"poold itself, private, with {n}", f"{p50('poold'):.0f}",
         verdict(p50("poold"), 1024 + 5 * n))])


def run(folder, rounds, n):
    times, memories = [], []
    for i in range(rounds):
        progress(f"pool: {n} tenants, round {i + 1} of {rounds}")
        times.append(time_round(folder, n))
        if i % 2 == 0:
            memories.append(memory_round(folder, n))
    progress(f"pool: {n} children of s6")
    show_times(times, n, ended.s6_ms(folder, n))
    show_memory(memories, n)
