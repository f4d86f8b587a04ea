# SPDX-License-Identifier: MIT
"""test_stream: bodies of any size in bounded memory (release builds only).

The kernel keeps the largest resident size of a process (VmHWM): whatever the
switchboard ever held is in it.
"""

import json
import unittest
import zlib

from http_client import ask, connect, send, serve
from pool import Pool, until

SIZE = 100_000_000
LIMIT_KIB = 8 * 1024
BLOCK = b"0123456789abcdef" * 4096


class Stream(unittest.TestCase):
    def memory_kib(self, pool):
        """The most that the switchboard ever had resident."""
        pid, = pool.pids_titled("holdline: switchboard")
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1])
        raise AssertionError("no VmHWM")

    def assert_small(self, pool):
        self.assertLess(self.memory_kib(pool), LIMIT_KIB)

    def blocks(self):
        left = SIZE
        while left:
            part = BLOCK[:min(len(BLOCK), left)]
            yield part
            left -= len(part)

    def test_100_mb_down(self):
        with Pool([serve("one.localhost")]) as pool:
            for path in ("bytes", "chunked"):
                c = connect(pool)
                send(c, "one.localhost", "GET", f"/{path}/{SIZE}")
                r = c.getresponse()
                n = 0
                while part := r.read(1 << 20):
                    n += len(part)
                self.assertEqual(n, SIZE)
                c.close()
            self.assert_small(pool)

    def test_100_mb_up(self):
        crc = 0
        for part in self.blocks():
            crc = zlib.crc32(part, crc)
        with Pool([serve("one.localhost")]) as pool:
            for fields in ({"Content-Length": str(SIZE)}, {}):
                c = connect(pool)
                c.request("PUT", "/count", self.blocks(),
                          {"Host": "one.localhost", **fields},
                          encode_chunked=not fields)
                self.assertEqual(json.loads(c.getresponse().read()),
                                 {"bytes": SIZE, "crc": crc})
                c.close()
            self.assert_small(pool)

    def test_a_reader_that_stops_stops_the_writer(self):
        with Pool([serve("one.localhost")]) as pool:
            c = connect(pool)
            send(c, "one.localhost", "GET", f"/bytes/{SIZE}")
            r = c.getresponse()
            r.read(1 << 20)
            seen = [-1]

            def stands_still():
                seen.append(int(ask(pool, "one.localhost", "/sent")[2]))
                return len(seen) > 20 and len(set(seen[-20:])) == 1

            until(stands_still, "the backend to stop writing")
            self.assertLess(seen[-1], SIZE // 2)
            self.assert_small(pool)
            n = 1 << 20
            while part := r.read(1 << 20):
                n += len(part)
            self.assertEqual(n, SIZE)
            self.assert_small(pool)
            c.close()

    def test_100_readers_that_stop_cost_no_more_than_their_buffers(self):
        with Pool([serve("one.localhost")]) as pool:
            stopped = [connect(pool) for _ in range(100)]
            for c in stopped:
                send(c, "one.localhost", "GET", f"/bytes/{SIZE}")
            for c in stopped:
                self.assertEqual(c.getresponse().status, 200)
            # Bounded per exchange: 64 KiB each way is what it may hold.
            self.assertLess(self.memory_kib(pool),
                            LIMIT_KIB + 100 * 128)
            for c in stopped:
                c.close()


if __name__ == "__main__":
    unittest.main()
