# SPDX-License-Identifier: MIT
"""test_kill: sudden deaths. One tenant's trouble is never another's."""

import http.client
import json
import os
import select
import signal
import unittest

from http_client import (FLIGHT, Legacy, ask, call, connect, event, park,
                         send, serve)
from pool import Pool, book_flight, until

HOSTS = ("acme.localhost", "beta.localhost")


def backend_pid(pool, host):
    """The pid that the admin address gives for a host."""
    _, _, body = ask(pool, "admin", "/__switchboard/servers",
                     port=pool.admin)
    for row in json.loads(body)["servers"]:
        if row["hostname"] == host:
            return row["pid"]
    return None


class Kill(unittest.TestCase):
    def kill(self, pid):
        """kill -9, and wait until it is over."""
        end = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        self.assertTrue(select.select([end], [], [], 20)[0])
        os.close(end)

    def test_the_other_tenant_notices_nothing(self):
        with Pool([book_flight(h) for h in HOSTS]) as pool:
            parked = park(pool, "beta.localhost")
            legacy = Legacy(pool, "beta.localhost")
            stream, response = legacy.call("book_flight", FLIGHT)
            question = event(response)[1]
            park(pool, "acme.localhost")
            pids = {h: backend_pid(pool, h) for h in HOSTS}

            self.kill(pids["acme.localhost"])

            # beta: both parked sessions go on, in the process they were in.
            key, = parked["inputRequests"]
            done = call(pool, "beta.localhost", "book_flight", FLIGHT,
                        inputResponses={key: {"action": "decline"}},
                        requestState=parked["requestState"])
            self.assertIn("Nothing was booked.", str(done))
            told = legacy.post({"id": question["id"],
                                "result": {"action": "decline"}})
            self.assertEqual(told.getresponse().status, 202)
            told.close()
            self.assertIn("Nothing was booked.", str(event(response)))
            stream.close()
            self.assertEqual(backend_pid(pool, "beta.localhost"),
                             pids["beta.localhost"])

            # acme: the next request starts a new one.
            park(pool, "acme.localhost")
            self.assertNotIn(backend_pid(pool, "acme.localhost"),
                             (None, pids["acme.localhost"]))

    def test_a_waiting_client_gets_502_and_the_reason(self):
        with Pool([serve("one.localhost")]) as pool:
            pid = int(ask(pool, "one.localhost", "/pid")[2])
            waiting = connect(pool)
            send(waiting, "one.localhost", "GET", "/silent")
            read = os.path.join(pool.state_dir, "one.localhost", "silent")
            until(lambda: os.path.exists(read), "the request at the backend")
            self.kill(pid)
            r = waiting.getresponse()
            self.assertEqual(r.status, 502)
            said = json.loads(r.read())
            self.assertEqual(sorted(said), ["error", "message", "requestId"])
            waiting.close()
            self.assertNotEqual(int(ask(pool, "one.localhost", "/pid")[2]),
                                pid)

    def test_an_open_stream_ends_short_not_in_silence(self):
        with Pool([serve("one.localhost")]) as pool:
            pid = int(ask(pool, "one.localhost", "/pid")[2])
            c = connect(pool)
            send(c, "one.localhost", "GET", "/bytes/1000000000")
            r = c.getresponse()
            r.read(1 << 20)
            self.kill(pid)
            with self.assertRaises((http.client.IncompleteRead,
                                    ConnectionResetError)):
                r.read()
            c.close()

    def test_an_event_stream_ends(self):
        with Pool([serve("one.localhost")]) as pool:
            pid = int(ask(pool, "one.localhost", "/pid")[2])
            c = connect(pool)
            send(c, "one.localhost", "GET", "/events/2")
            r = c.getresponse()
            self.assertEqual(r.readline(), b"data: 0\n")
            self.kill(pid)
            try:
                while r.readline():
                    pass
            except (http.client.IncompleteRead, ConnectionResetError):
                pass  # an end, told as a broken transfer
            c.close()

    def test_an_exit_in_the_middle_of_a_request_is_a_502(self):
        with Pool([serve("one.localhost")]) as pool:
            pid = int(ask(pool, "one.localhost", "/pid")[2])
            status, _, body = ask(pool, "one.localhost", "/exit")
            self.assertEqual(status, 502, body)
            self.assertNotEqual(int(ask(pool, "one.localhost", "/pid")[2]),
                                pid)

    def test_keep_alive_connections_outlive_a_backend(self):
        with Pool([serve("one.localhost")]) as pool:
            c = connect(pool)
            send(c, "one.localhost", "GET", "/pid")
            pid = int(c.getresponse().read())
            self.kill(pid)
            send(c, "one.localhost", "GET", "/pid")
            self.assertNotEqual(int(c.getresponse().read()), pid)
            c.close()

    def test_every_backend_killed_twice_over_leaves_nothing(self):
        with Pool([serve("one.localhost"), book_flight("acme.localhost")]
                  ) as pool:
            for _ in range(2):
                ask(pool, "one.localhost", "/pid")
                park(pool, "acme.localhost")
                for host in ("one.localhost", "acme.localhost"):
                    self.kill(backend_pid(pool, host))

    def test_kill_of_poold_leaves_no_process(self):
        with Pool([serve("one.localhost"), book_flight("acme.localhost")]
                  ) as pool:
            ask(pool, "one.localhost", "/pid")
            park(pool, "acme.localhost")
            pool.end(signal.SIGKILL)
            # The fixture waits for the children to be gone: they must be.


if __name__ == "__main__":
    unittest.main()
