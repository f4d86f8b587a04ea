# SPDX-License-Identifier: MIT
"""test_life: what poold decides about backends, as clients and the operator
see it: the watchdog, the last place, a tenant that keeps failing, events."""

import json
import os
import signal
import threading
import unittest

from http_client import ask, call, connect, modern, park, send, serve
from pool import Pool, book_flight, build_dir, descendants, until

STILL = os.path.join(build_dir(), "tests", "e2e", "tool_still.so")


class Events:
    """A reader of /__switchboard/events."""

    def __init__(self, pool):
        self.connection = connect(pool, port=pool.admin)
        send(self.connection, "admin", "GET", "/__switchboard/events")
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        self.ids = []

    def next(self):
        """The next event that is no sign of life; None at a proper end."""
        fields = {}
        while line := self.response.readline().decode().rstrip("\n"):
            key, value = line.split(": ", 1)
            fields[key] = value
        if not fields:
            return None
        if fields["event"] == "ping":
            return self.next()
        self.ids.append(int(fields["id"]))
        event = json.loads(fields["data"])
        assert event["type"] == fields["event"], (event, fields)
        return event

    def until(self, type_, host):
        """Read up to an event of a host; all that came."""
        heard = []
        while True:
            event = self.next()
            heard.append(event)
            if (event["type"], event["hostname"]) == (type_, host):
                return heard

    def close(self):
        self.connection.close()


class Words(unittest.TestCase):
    def test_news_of_our_own_log_is_no_reason_for_an_end(self):
        with Pool([book_flight("a.localhost")]) as pool:
            events = Events(pool)
            park(pool, "a.localhost")
            pid, = pool.pids_titled("holdline: backend a.localhost")
            pool.wait_line(r"backend\[%d\] backend a.localhost: ready" % pid)
            os.kill(pid, signal.SIGKILL)
            error = events.until("error", "a.localhost")[-1]
            self.assertEqual(error["message"], "signal 9 (Killed)")
            events.close()
            # It is on the log as we write it, and its level is no part of it.
            self.assertEqual(pool.count_lines(r"^<\d>|says: "), 0)


class Watchdog(unittest.TestCase):
    def test_who_waits_for_a_loop_that_stands_still_is_told(self):
        tenants = [{"host": "still.localhost", "tools": [STILL]},
                   book_flight("acme.localhost")]
        with Pool(tenants, {"watchdog": "3s"}) as pool:
            park(pool, "acme.localhost")
            # It answered something before.
            self.assertEqual(
                ask(pool, "still.localhost", "/nothing")[0], 404)
            events = Events(pool)
            body, fields = modern("still", {})
            status, _, data = ask(pool, "still.localhost", "/mcp", "POST",
                                  body, fields)
            self.assertEqual(status, 502)
            self.assertIn("its event loop stood still for 3 s",
                          json.loads(data)["message"])
            pool.wait_line("still.localhost: its event loop stood still "
                           "for 3 s .*killed")
            error = events.until("error", "still.localhost")[-1]
            self.assertEqual(error["error"], "stall")
            self.assertIn("stood still", error["message"])
            events.close()
            # The other one answered all the time, and this one does again.
            self.assertEqual(pool.count_lines("stood still.*killed"), 1)
            self.assertEqual(
                ask(pool, "still.localhost", "/nothing")[0], 404)


class Places(unittest.TestCase):
    def test_an_idle_backend_makes_room_for_the_next(self):
        hosts = ["a.localhost", "b.localhost", "c.localhost"]
        with Pool([serve(h) for h in hosts], {"max_backends": 2}) as pool:
            for _ in range(3):
                for host in hosts:
                    self.assertEqual(ask(pool, host, "/pid")[0], 200)
            self.assertIn(len(pool.pids_titled("serve.py")), (1, 2))

    def test_a_request_waits_for_a_place_until_an_exchange_ends(self):
        with Pool([serve("a.localhost"), serve("b.localhost")],
                  {"max_backends": 1, "queue_timeout": "20s"}) as pool:
            ask(pool, "a.localhost", "/pid")
            stream = connect(pool)
            send(stream, "a.localhost", "GET", "/events/1")
            response = stream.getresponse()
            response.readline()
            got = []
            waiting = threading.Thread(target=lambda: got.append(
                ask(pool, "b.localhost", "/pid")))
            waiting.start()
            pool.wait_line("b.localhost: gone -> queued")
            pool.wait_line(r"a.localhost: draining -> ready \(held\)")
            self.assertEqual(got, [])
            stream.close()
            response.close()
            waiting.join(20)
            self.assertEqual(got[0][0], 200)
            pool.wait_line("event .*: evicted a.localhost")

    def test_when_none_becomes_free_it_is_a_503_with_retry_after(self):
        with Pool([serve("a.localhost"), serve("b.localhost")],
                  {"max_backends": 1, "queue_timeout": "200ms"}) as pool:
            stream = connect(pool)
            send(stream, "a.localhost", "GET", "/events/1")
            stream.getresponse().readline()
            status, fields, data = ask(pool, "b.localhost", "/pid")
            self.assertEqual(status, 503)
            self.assertGreater(int(fields["Retry-After"]), 0)
            self.assertIn("max_backends", json.loads(data)["message"])
            stream.close()

    def test_a_parked_session_is_not_idle(self):
        with Pool([book_flight("a.localhost"), serve("b.localhost")],
                  {"max_backends": 1, "queue_timeout": "200ms"}) as pool:
            parked = park(pool, "a.localhost")
            self.assertEqual(ask(pool, "b.localhost", "/pid")[0], 503)
            key, = parked["inputRequests"]
            call(pool, "a.localhost", "book_flight",
                 {"city": "Oslo", "date": "2026-12-24"},
                 inputResponses={key: {"action": "decline"}},
                 requestState=parked["requestState"])
            self.assertEqual(
                until(lambda: ask(pool, "b.localhost", "/pid")[0] == 200,
                      "a place"), True)


class Failing(unittest.TestCase):
    def test_it_is_held_with_its_last_words(self):
        tenants = [{"host": "bad.localhost", "tools": ["/none/such.so"]},
                   serve("good.localhost")]
        with Pool(tenants, {"max_failures": 2, "backoff": "60s"}) as pool:
            events = Events(pool)
            self.assertEqual(ask(pool, "bad.localhost")[0], 502)
            self.assertEqual(ask(pool, "bad.localhost")[0], 502)
            status, fields, data = ask(pool, "bad.localhost")
            self.assertEqual(status, 503)
            self.assertEqual(fields["Retry-After"], "60")
            self.assertIn("held as failed after 2 failures in a row",
                          json.loads(data)["message"])
            self.assertIn("/none/such.so", json.loads(data)["message"])
            self.assertEqual(ask(pool, "good.localhost", "/pid")[0], 200)
            failed = events.until("failed", "bad.localhost")[-1]
            self.assertEqual(failed["state"], "failed")
            self.assertEqual(failed["failures"], 2)
            self.assertIn("/none/such.so", failed["status"])
            events.close()


class Stream(unittest.TestCase):
    def test_a_whole_life_and_the_end_of_all(self):
        hosts = [f"{i}.localhost" for i in range(5)]
        with Pool([serve(h) for h in hosts]) as pool:
            events = Events(pool)
            for host in hosts:
                ask(pool, host, "/pid")
            ready = [events.until("ready", h)[-1] for h in hosts]
            pids = {event["hostname"]: event["pid"] for event in ready}
            for event in ready:
                # What poold started stands above a foreign program.
                program = int(ask(pool, event["hostname"], "/pid")[2])
                self.assertIn(program, descendants(event["pid"]))
                self.assertRegex(event["time"], r"^\d{4}-.*Z$")
            pool.process.terminate()
            stopped = set()
            while event := events.next():
                self.assertEqual((event["type"], event["cause"]),
                                 ("stopped", "shutdown"))
                self.assertEqual(event["pid"], pids[event["hostname"]])
                stopped.add(event["hostname"])
            self.assertEqual(stopped, set(hosts))
            first = events.ids[0]
            self.assertEqual(
                events.ids, list(range(first, first + len(events.ids))))
            events.close()
            self.assertEqual(pool.end(signo=None), 0)


if __name__ == "__main__":
    unittest.main()
