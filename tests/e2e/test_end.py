# SPDX-License-Identifier: MIT
"""test_end: one signal ends everything, in order, and leaves nothing.

That nothing is left is asserted by the fixture at the end of each pool.
"""

import os
import signal
import socket
import unittest

from http_client import (FLIGHT, Legacy, ask, call, connect, event, modern,
                         park, send, serve)
from pool import (IN_TIME_S, SANITIZED, Pool, book_flight, build_dir,
                  until)

TOOLS = os.path.join(build_dir(), "tests", "e2e")
SERVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "serve.py")
KILLED = 3        # the exit status when somebody had to be killed
LIMIT_MS = 2000  # with the default deadlines, however much is under way


def refused(pool):
    """Whether nobody listens there any more."""
    try:
        connect(pool).close()
    except ConnectionRefusedError:
        return True
    return False


def tools(host, *names):
    return {"host": host,
            "tools": [os.path.join(TOOLS, f"tool_{n}.so") for n in names]}


class End(unittest.TestCase):
    def ended(self, pool, code=0, signo=signal.SIGTERM):
        self.assertEqual(pool.end(signo), code, "\n".join(pool.lines))
        self.assertLess(pool.end_ms, IN_TIME_S * 1000)
        self.assertEqual(pool.leftovers(), [])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", pool.port))

    def test_a_pool_without_backends_ends(self):
        with Pool([serve("one.localhost")]) as pool:
            self.ended(pool)

    def test_sigint_ends_with_130(self):
        with Pool([serve("one.localhost")]) as pool:
            ask(pool, "one.localhost", "/pid")
            self.ended(pool, 130, signal.SIGINT)

    def test_sigterm_with_everything_under_way(self):
        """All are told, if each has the time that it may have to wait."""
        self.everything_under_way({"stop_timeout": "5s"}, self.all_told)

    @unittest.skipIf(SANITIZED, "measures time")
    def test_everything_under_way_ends_within_two_seconds(self):
        """One undisturbed end shows it; a fault of ours is in each."""
        took = []
        while not took or took[-1] >= LIMIT_MS:
            self.assertLess(len(took), 5, took)
            took.append(self.everything_under_way({}))

    def all_told(self, held, running, parked):
        """Everybody was told or cut off; the held one got an answer."""
        r = held.getresponse()
        self.assertEqual(r.status, 503)
        self.assertIn(b"requestId", r.read())
        self.assertIn("shutting_down", str(event(running)))
        self.assertIn("shutting_down", str(event(parked)))
        self.assertIsNone(event(parked))

    def everything_under_way(self, settings, judge=None):
        """End it with SIGTERM: milliseconds that the end took."""
        rows = [book_flight("acme.localhost"), tools("slow.localhost", "slow"),
                tools("stuck.localhost", "stuck"), serve("one.localhost")]
        with Pool(rows, settings) as pool:
            # A parked session of each revision.
            park(pool, "acme.localhost")
            parked = Legacy(pool, "acme.localhost")
            stream, parked_response = parked.call("book_flight", FLIGHT)
            self.assertEqual(event(parked_response)[1]["method"],
                             "elicitation/create")
            # A standing stream.
            listen, _ = Legacy(pool, "acme.localhost").listen()
            # A running one, which has said that it began.
            running, response = Legacy(pool, "slow.localhost").call(
                "slow", {"ms": 600_000})
            self.assertEqual(event(response)[1]["params"]["progress"], 1)
            # A request that is held, because its backend is starting.
            held = connect(pool)
            send(held, "stuck.localhost", "GET", "/mcp")
            pool.wait_line("stuck.localhost")
            # A foreign event stream, and a request nobody answers.
            events = connect(pool)
            send(events, "one.localhost", "GET", "/events/1")
            foreign = events.getresponse()
            self.assertEqual(foreign.readline(), b"data: 0\n")
            silent = connect(pool)
            send(silent, "one.localhost", "GET", "/silent")

            self.ended(pool, KILLED)
            if judge:
                judge(held, response, parked_response)
            for c in (stream, listen, running, held, events, silent):
                c.close()
            return pool.end_ms

    def test_an_exchange_within_drain_timeout_is_finished(self):
        with Pool([tools("slow.localhost", "slow")],
                  pool={"drain_timeout": "10s"}) as pool:
            running, response = Legacy(pool, "slow.localhost").call(
                "slow", {"ms": 0})
            began = event(response)
            while "result" not in began[1]:
                began = event(response)
            self.assertEqual(began[1]["result"]["content"][0]["text"],
                             "done")
            running.close()
            self.ended(pool)

    def late(self, pool):
        """Call the tool that is loaded late: its client, its folder."""
        c = connect(pool)
        body, fields = modern("late", {})
        send(c, "late.localhost", "POST", "/mcp", body, fields)
        pool.wait_line("late.localhost: gone -> starting")
        folder = os.path.join(pool.state_dir, "late.localhost")
        self.addCleanup(c.close)
        return c, folder

    def go(self, folder):
        pipe = os.path.join(folder, "go")
        until(lambda: os.path.exists(pipe), "the object to be loaded")
        with open(pipe, "w", encoding="ascii"):
            pass

    def test_what_was_sent_to_a_backend_that_starts_is_answered(self):
        """Refused it would be sent again, and be done twice."""
        with Pool([tools("late.localhost", "late"), serve("one.localhost")],
                  pool={"drain_timeout": "60s"}) as pool:
            ask(pool, "one.localhost", "/pid")
            c, folder = self.late(pool)
            os.kill(pool.pid, signal.SIGTERM)
            pool.wait_line("ending: ")
            until(lambda: refused(pool), "the end of accepting")
            self.go(folder)
            r = c.getresponse()
            self.assertEqual(r.status, 200)
            self.assertIn(b"done", r.read())
            pool.wait_line(" ended$")

    def test_what_a_tool_has_to_do_at_its_exit_is_done_when_it_is_idle(self):
        with Pool([tools("late.localhost", "late")],
                  pool={"idle_timeout": "200ms"}) as pool:
            c, folder = self.late(pool)
            self.go(folder)
            self.assertIn(b"done", c.getresponse().read())
            pool.wait_line("late.localhost: stopping -> gone")
            with open(os.path.join(folder, "calls"), encoding="ascii") as f:
                self.assertEqual(f.read(), "called\nleft\n")

    def test_an_idle_connection_does_not_hold_the_end_up(self):
        with Pool([serve("one.localhost")]) as pool:
            c = connect(pool)
            send(c, "one.localhost", "GET", "/pid")
            c.getresponse().read()
            fresh = socket.create_connection(("127.0.0.1", pool.port))
            half = socket.create_connection(("127.0.0.1", pool.port))
            half.sendall(b"GET / HTTP/1.1\r\nHost: one")
            self.ended(pool)
            for s in (c, fresh, half):
                s.close()

    def test_a_program_that_ignores_sigterm_is_killed(self):
        deaf = {"host": "deaf.localhost", "read": SERVE, "command": [
            "/usr/bin/python3", "-c",
            "import signal, runpy, sys\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            f"sys.argv = [{SERVE!r}]\n"
            f"runpy.run_path({SERVE!r}, run_name='__main__')\n"]}
        with Pool([deaf]) as pool:
            self.assertEqual(ask(pool, "deaf.localhost", "/pid")[0], 200)
            self.ended(pool, KILLED)

    def test_a_second_signal_hurries(self):
        deaf = {"host": "deaf.localhost", "read": SERVE, "command": [
            "/usr/bin/python3", "-c",
            "import signal, runpy, sys\n"
            "signal.signal(signal.SIGTERM, lambda *a: open('told', 'w'))\n"
            f"sys.argv = [{SERVE!r}]\n"
            f"runpy.run_path({SERVE!r}, run_name='__main__')\n"]}
        with Pool([deaf], pool={"stop_timeout": "600s"}) as pool:
            self.assertEqual(ask(pool, "deaf.localhost", "/pid")[0], 200)
            os.kill(pool.pid, signal.SIGTERM)
            told = os.path.join(pool.state_dir, "deaf.localhost", "told")
            until(lambda: os.path.exists(told), "SIGTERM at the backend")
            self.ended(pool, KILLED)

    def test_a_second_signal_hurries_a_zygote_that_stands_still(self):
        with Pool([book_flight("one.localhost")],
                  {"stop_timeout": "600s"}) as pool:
            self.assertEqual(ask(pool, "one.localhost", "/")[0], 404)
            zygote, = pool.pids_titled("holdline: zygote")
            os.kill(zygote, signal.SIGSTOP)
            os.kill(pool.pid, signal.SIGTERM)
            pool.wait_line("stopped one.localhost")
            self.ended(pool, KILLED)

    def test_many_that_ignore_sigterm_are_told_before_one_is_killed(self):
        """So many end at a time: none of them holds the others up."""
        n = 70  # POOL_END_AT_ONCE and some
        deaf = {"host": "*.deaf.localhost", "max_hosts": n, "command": [
            "/bin/sh", "-c", "trap '' TERM; exec tail -f /dev/null"]}
        with Pool([deaf], {"stop_timeout": "600s", "drain_timeout": "0s",
                           "max_backends": n}) as pool:
            held = [connect(pool) for _ in range(n)]
            for i, c in enumerate(held):
                send(c, f"h{i}.deaf.localhost", "GET", "/")
            until(lambda: pool.count_lines("-> ready") == n, "all to run")
            os.kill(pool.pid, signal.SIGTERM)
            until(lambda: pool.count_lines("ready -> stopping") == n,
                  "all to be told")
            self.assertEqual(pool.count_lines("-> killed|-> gone"), 0)
            self.ended(pool, KILLED)
            for c in held:
                c.close()

    def test_a_grandchild_that_forked_twice_and_left_the_session_ends(self):
        daemon = {"host": "daemon.localhost", "read": SERVE, "command": [
            "/bin/sh", "-c",
            "setsid sh -c 'setsid sh -c \"echo $$ >grandchild; exec tail -f "
            "/dev/null\" & exit' & exec /usr/bin/python3 " + SERVE]}
        with Pool([daemon]) as pool:
            # LISTEN_PID is the shell's, which python3 replaced.
            self.assertEqual(ask(pool, "daemon.localhost", "/pid")[0], 200)
            self.ended(pool)

    def test_calls_after_a_restart_find_a_fresh_pool(self):
        for _ in range(2):
            with Pool([book_flight("acme.localhost")]) as pool:
                result = park(pool, "acme.localhost")
                key, = result["inputRequests"]
                done = call(pool, "acme.localhost", "book_flight", FLIGHT,
                            inputResponses={key: {"action": "cancel"}},
                            requestState=result["requestState"])
                self.assertIn("Nothing was booked.", str(done))
                self.ended(pool)

if __name__ == "__main__":
    unittest.main()
