# SPDX-License-Identifier: MIT
"""test_start: what the first request for a host brings about."""

import concurrent.futures
import json
import os
import select
import subprocess
import tempfile
import unittest

from http_client import ask, call, park, serve
from pool import Pool, book_flight, build_dir, until

STUCK = os.path.join(build_dir(), "tests", "e2e", "tool_stuck.so")


def error_of(test, answer, status):
    """The JSON of an error that the switchboard made."""
    test.assertEqual(answer[0], status, answer[2])
    said = json.loads(answer[2])
    test.assertEqual(sorted(said), ["error", "message", "requestId"])
    return said


class Start(unittest.TestCase):
    def starts(self, pool, host):
        with open(os.path.join(pool.state_dir, host, "starts"),
                  encoding="ascii") as f:
            return f.read().split()

    def test_200_first_requests_at_once_make_one_start(self):
        with Pool([serve("one.localhost")]) as pool, \
                concurrent.futures.ThreadPoolExecutor(200) as many:
            answers = list(many.map(
                lambda _: ask(pool, "one.localhost", "/pid"), range(200)))
            self.assertEqual({a[0] for a in answers}, {200})
            pids = {a[2].decode() for a in answers}
            self.assertEqual(self.starts(pool, "one.localhost"), list(pids))

    def test_200_first_requests_at_once_make_one_start_of_a_tool(self):
        with Pool([book_flight("acme.localhost")]) as pool, \
                concurrent.futures.ThreadPoolExecutor(200) as many:
            states = set(many.map(
                lambda _: park(pool, "acme.localhost")["requestState"],
                range(200)))
            self.assertEqual(len(states), 200)
            self.assertEqual(
                len(pool.pids_titled("holdline: backend acme.localhost")), 1)

    def test_unknown_host_gets_404_and_starts_nothing(self):
        with Pool([serve("one.localhost")]) as pool:
            error_of(self, ask(pool, "two.localhost"), 404)
            self.assertEqual(pool.pids_titled("holdline: backend"), [])
            self.assertEqual(os.listdir(pool.state_dir), [])

    def test_each_label_of_a_template_is_a_tenant_up_to_max_hosts(self):
        with Pool([serve("*.demo.localhost", max_hosts=2)]) as pool:
            pids = {ask(pool, f"{h}.demo.localhost", "/pid")[2]
                    for h in ("a", "b", "a")}
            self.assertEqual(len(pids), 2)
            full = ask(pool, "c.demo.localhost", "/pid")
            error_of(self, full, 503)
            self.assertGreater(int(full[1]["Retry-After"]), 0)
            error_of(self, ask(pool, "a.b.demo.localhost"), 404)

    def test_an_exact_host_comes_before_a_template(self):
        with Pool([serve("*.demo.localhost", max_hosts=2),
                   book_flight("a.demo.localhost")]) as pool:
            park(pool, "a.demo.localhost")

    def test_past_max_backends_a_host_gets_503(self):
        """A parked session is not idle: its backend makes no room."""
        with Pool([book_flight("one.localhost"), serve("two.localhost")],
                  pool={"max_backends": 1, "queue_timeout": "50ms"}) as pool:
            park(pool, "one.localhost")
            full = ask(pool, "two.localhost", "/pid")
            error_of(self, full, 503)
            self.assertGreater(int(full[1]["Retry-After"]), 0)
            park(pool, "one.localhost")

    def test_a_program_that_exits_first_is_a_failed_start(self):
        row = {"host": "bad.localhost", "command": [
            "/bin/sh", "-c", "echo out of luck >&2; exit 7"]}
        with Pool([row, serve("good.localhost")]) as pool, \
                concurrent.futures.ThreadPoolExecutor(10) as many:
            answers = list(many.map(
                lambda _: ask(pool, "bad.localhost"), range(10)))
            # Who waited for the start gets 502; who comes after it failed
            # may be told to come again later. All are told why.
            self.assertIn(502, [answer[0] for answer in answers])
            for answer in answers:
                said = error_of(self, answer,
                                502 if answer[0] == 502 else 503)
                self.assertIn("exit status 7: out of luck", said["message"])
                self.assertEqual("Retry-After" in answer[1],
                                 answer[0] == 503)
            self.assertEqual(ask(pool, "good.localhost", "/pid")[0], 200)

    def test_a_program_that_is_not_there_is_a_failed_start(self):
        with Pool([{"host": "bad.localhost",
                    "command": ["/nowhere/program"]}]) as pool:
            error_of(self, ask(pool, "bad.localhost"), 502)

    def test_a_tool_that_cannot_be_loaded_is_named(self):
        with Pool([{"host": "bad.localhost",
                    "tools": ["/nowhere/tool.so"]}]) as pool:
            said = error_of(self, ask(pool, "bad.localhost", "/mcp"), 502)
            self.assertIn("/nowhere/tool.so", said["message"])

    def test_a_backend_that_never_becomes_ready_is_a_504(self):
        with Pool([{"host": "stuck.localhost", "tools": [STUCK]}],
                  pool={"start_timeout": "300ms"}) as pool:
            error_of(self, ask(pool, "stuck.localhost", "/mcp"), 504)
            until(lambda: not pool.pids_titled("stuck.localhost"), "its end")

    def test_an_idle_backend_ends_and_a_parked_session_keeps_one(self):
        with Pool([serve("one.localhost"), book_flight("acme.localhost")],
                  pool={"idle_timeout": "200ms"}) as pool:
            parked = park(pool, "acme.localhost")
            first = ask(pool, "one.localhost", "/pid")[2]
            end = os.pidfd_open(int(first))
            self.addCleanup(os.close, end)
            self.wait_end(end)
            second = ask(pool, "one.localhost", "/pid")[2]
            self.assertNotEqual(first, second)
            key, = parked["inputRequests"]
            result = call(pool, "acme.localhost", "book_flight",
                          {"city": "Oslo", "date": "2026-12-24"},
                          inputResponses={key: {"action": "decline"}},
                          requestState=parked["requestState"])["result"]
            self.assertEqual(result["content"][0]["text"],
                             "Nothing was booked.")

    def wait_end(self, pidfd):
        self.assertTrue(select.select([pidfd], [], [], 20)[0],
                        "the idle backend did not end")


class Configuration(unittest.TestCase):
    """A bad configuration stops the start with file, line and key."""

    def refuse(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bad.conf")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            done = subprocess.run(
                [os.path.join(build_dir(), "poold", "poold"), "-c", path],
                capture_output=True, text=True, timeout=30, check=False,
                stdin=subprocess.DEVNULL)
        self.assertNotEqual(done.returncode, 0)
        return path, done.stderr

    def test_an_unknown_key_is_named_with_file_and_line(self):
        path, said = self.refuse(
            'switchboard = { listen = "127.0.0.1:0"; };\n'
            "pool = {\n\tmax_backend = 3;\n};\n")
        self.assertIn(f"{path}:3", said)
        self.assertIn("max_backend", said)

    def test_a_value_of_the_wrong_type_is_named(self):
        path, said = self.refuse('pool = {\n\n\tmax_backends = "many";\n};\n')
        self.assertIn(f"{path}:3", said)
        self.assertIn("max_backends", said)

    def test_a_syntax_error_has_its_line(self):
        path, said = self.refuse("pool = {\n\tmax_backends = ;\n};\n")
        self.assertIn(f"{path}:2", said)

    def test_a_tenant_without_tools_or_command_is_refused(self):
        path, said = self.refuse(
            'tenants = (\n\t{ host = "a.localhost"; }\n);\n')
        self.assertIn(f"{path}:2", said)
        self.assertIn("tools or command", said)

    def test_two_tenants_of_one_host_are_refused(self):
        row = '\t{ host = "a.localhost"; command = [ "/bin/true" ]; }'
        path, said = self.refuse(f"tenants = (\n{row},\n{row}\n);\n")
        self.assertIn(f"{path}:3", said)
        self.assertIn("a.localhost", said)


if __name__ == "__main__":
    unittest.main()
