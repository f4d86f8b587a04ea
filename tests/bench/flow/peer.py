# SPDX-License-Identifier: MIT
"""The same work with asyncio."""

import asyncio
import gc
import re
import sys
from time import process_time_ns

PARK_N = 100_000
SPAWN_N = 30_000
HALT_N = 6000
MEMORY_TASKS = 10_000
SIGNAL_VALUES = 200_000


async def park(n):
    loop = asyncio.get_running_loop()
    turn = [loop.create_future(), loop.create_future()]

    async def side(me):
        for _ in range(n // 2):
            await turn[me]
            turn[me] = loop.create_future()
            turn[not me].set_result(None)

    began = process_time_ns()
    turn[0].set_result(None)
    await asyncio.gather(side(0), side(1))
    return (process_time_ns() - began) / n


async def noop():
    pass


async def spawn(n):
    began = process_time_ns()
    for _ in range(n):
        await asyncio.create_task(noop())
    return (process_time_ns() - began) / n


CLEANED = [0]


async def frame(depth):
    try:
        if depth > 1:
            await frame(depth - 1)
        else:
            await asyncio.get_running_loop().create_future()
    finally:
        CLEANED[0] += 1


async def halt(count):
    took = 0
    for _ in range(HALT_N // count):
        tasks = [asyncio.create_task(frame(5)) for _ in range(count)]
        await asyncio.sleep(0)
        began = process_time_ns()
        for task in tasks:
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
        took += process_time_ns() - began
    assert CLEANED[0] % (5 * HALT_N) == 0
    return took / HALT_N


def resident():
    gc.collect()
    with open("/proc/self/smaps_rollup", encoding="ascii") as f:
        return int(re.search(r"^Rss:\s+(\d+) kB", f.read(), re.M)[1]) * 1024


async def memory(depth):
    async def start(n):
        tasks = [asyncio.create_task(frame(depth)) for _ in range(n)]
        await asyncio.sleep(0)
        return tasks

    few = await start(100)
    before = resident()
    many = await start(MEMORY_TASKS)
    r = (resident() - before) / MEMORY_TASKS
    for task in few + many:
        task.cancel()
    return r


async def signal(subscribers):
    queues = [asyncio.Queue(4) for _ in range(subscribers)]
    left = [0]
    done = asyncio.Event()

    async def subscriber(queue):
        while True:
            await queue.get()
            left[0] -= 1
            if not left[0]:
                done.set()

    async def send(values):
        for v in range(values):
            left[0] = subscribers
            done.clear()
            for queue in queues:
                queue.put_nowait(v)
            await done.wait()

    tasks = [asyncio.create_task(subscriber(q)) for q in queues]
    await asyncio.sleep(0)
    values = SIGNAL_VALUES // subscribers
    await send(values // 10 + 1)
    began = process_time_ns()
    await send(values)
    r = (process_time_ns() - began) / (values * subscribers)
    for task in tasks:
        task.cancel()
    return r


async def twice(bench, n):
    await bench(max(n // 10, 1))
    return await bench(n)


BENCHES = {
    "park": lambda: twice(park, PARK_N),
    "spawn": lambda: twice(spawn, SPAWN_N),
    "halt-50": lambda: halt(50),
    "halt-1000": lambda: halt(1000),
    "memory": lambda: memory(1),
    "memory-deep": lambda: memory(5),
    "signal-1000": lambda: signal(1000),
    "signal-10000": lambda: signal(10_000),
}

if __name__ == "__main__":
    print(f"{asyncio.run(BENCHES[sys.argv[1]]()):.1f}")
