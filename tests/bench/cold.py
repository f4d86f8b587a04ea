#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cold: from the first request for a tenant to the first byte of its answer.

  python3 tests/bench/cold.py [STARTS]

Each request is for a host nobody has asked for, so it starts a backend. One
after the other; the connection is made beforehand. warm is the same request
once more, to the backend that then runs.
"""

import os
import sys
import time

from measure import percentile, progress, table, upstream
from pool import Pool, book_flight
import http_client


def first_byte_ms(pool, host, path, body, fields):
    """Milliseconds until the status line, on a new connection."""
    c = http_client.connect(pool)
    began = time.perf_counter()
    http_client.send(c, host, "POST" if body else "GET", path, body, fields)
    r = c.getresponse()
    took = (time.perf_counter() - began) * 1000
    r.read()
    c.close()
    if r.status != 200:
        raise SystemExit(f"cold: {host}: {r.status}")
    return took


def kind(name, row, path, body, fields, starts):
    cold, warm = [], []
    with Pool([row], pool={"max_backends": starts + 1}) as pool:
        for n in range(starts):
            host = row["host"].replace("*", f"h{n}")
            cold.append(first_byte_ms(pool, host, path, body, fields))
            warm.append(first_byte_ms(pool, host, path, body, fields))
    progress(f"cold: {name}: {starts} starts")
    return (name, *(f"{percentile(v, p):.2f} ms"
                    for v in (cold, warm) for p in (0.5, 0.95)))


def main():
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    body, fields = http_client.modern("book_flight", http_client.FLIGHT)
    serve = http_client.serve("*.bench.localhost", max_hosts=starts)
    table(("first request to first byte", "cold p50", "cold p95",
           "warm p50", "warm p95"), [
        kind("tools: book_flight, its first question",
             book_flight("*.bench.localhost", max_hosts=starts),
             "/mcp", body, fields, starts),
        kind("command: " + os.path.basename(upstream()),
             {"host": "*.bench.localhost", "max_hosts": starts,
              "command": [upstream()]}, "/", None, {}, starts),
        kind("command: python3 http.server", serve, "/pid", None, {},
             min(starts, 20)),
    ])


if __name__ == "__main__":
    main()
