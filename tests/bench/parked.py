#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""parked: the memory of sessions that wait for a person.

  python3 tests/bench/parked.py [SESSIONS]

Starts that many bookings in one backend and leaves each at its first
question. Memory is the kernel's account of the backend's process before and
after (smaps_rollup), its 200 first sessions being the warming up.
"""

import sys
import time

from measure import memory_kib, progress, table
from pool import Pool, book_flight
import http_client

HOST = "bench.localhost"
WARM = 200


def park(connection, n, first_id):
    for i in range(n):
        body, fields = http_client.modern("book_flight", http_client.FLIGHT,
                                          request_id=first_id + i)
        http_client.send(connection, HOST, "POST", "/mcp", body, fields)
        data = connection.getresponse().read()
        if b'"input_required"' not in data:
            raise SystemExit(f"parked: session {i}: {data[:400]}")


def main():
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with Pool([book_flight(HOST)],
              pool={"max_sessions": sessions + WARM}) as pool:
        c = http_client.connect(pool)
        park(c, WARM, 1)
        pid, = pool.pids_titled(f"holdline: backend {HOST}")
        before = memory_kib(pid)
        began = time.perf_counter()
        park(c, sessions, WARM + 1)
        took = time.perf_counter() - began
        after = memory_kib(pid)
        c.close()
        progress(f"parked: {sessions} sessions in {took:.1f} s")
        pool.end()
        rows = [(f"{sessions} parked sessions", *(
            f"{after[k] / 1024:.1f} MiB ({after[k] - before[k]:d} KiB more, "
            f"{(after[k] - before[k]) / sessions:.2f} KiB a session)"
            for k in ("Rss", "Pss")), f"{pool.end_ms} ms")]
    table(("memory of one backend", "RSS", "PSS", "end after SIGTERM"), rows)


if __name__ == "__main__":
    main()
