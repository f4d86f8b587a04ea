# SPDX-License-Identifier: MIT
"""test_http: HTTP as it crosses the switchboard, and the admin address."""

import json
import re
import resource
import socket
import unittest

from http_client import ask, connect, park, raw, send, serve
from pool import PATIENCE_S, Pool, book_flight, descendants


class Through(unittest.TestCase):
    """All in one pool: no request may disturb the next."""

    @classmethod
    def setUpClass(cls):
        cls.pool = Pool([serve("one.localhost"),
                         book_flight("acme.localhost")]).start()
        cls.pid = ask(cls.pool, "one.localhost", "/pid")[2]

    @classmethod
    def tearDownClass(cls):
        cls.pool.close()

    def tearDown(self):
        self.assertEqual(ask(self.pool, "one.localhost", "/pid")[2],
                         self.pid, "the backend is still the same")

    def lines(self, text, method="GET", path="/pid"):
        return raw(self.pool, (f"{method} {path} HTTP/1.1\r\n" + text
                               + "\r\n").encode())

    def test_one_connection_carries_many_requests(self):
        c = connect(self.pool)
        for _ in range(50):
            send(c, "one.localhost", "GET", "/pid")
            self.assertEqual(c.getresponse().read(), self.pid)
        for n in (0, 1, 70_000):
            send(c, "one.localhost", "PUT", "/count", b"x" * n)
            self.assertEqual(json.loads(c.getresponse().read())["bytes"], n)
        c.close()

    def test_pipelined_requests_are_answered_in_order(self):
        one = "GET /{} HTTP/1.1\r\nHost: one.localhost\r\n{}\r\n"
        said = raw(self.pool, (
            one.format("status/201", "") + one.format("pid", "")
            + one.format("status/202", "Connection: close\r\n")).encode())
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+)", said),
                         [b"201", b"200", b"202"])

    def test_head_204_and_304_have_no_body(self):
        c = connect(self.pool)
        send(c, "one.localhost", "HEAD", "/pid")
        r = c.getresponse()
        self.assertEqual(int(r.headers["Content-Length"]), len(self.pid))
        self.assertEqual(r.read(), b"")
        for status in (204, 304):
            send(c, "one.localhost", "GET", f"/status/{status}")
            r = c.getresponse()
            self.assertEqual((r.status, r.read()), (status, b""))
        send(c, "one.localhost", "GET", "/pid")
        self.assertEqual(c.getresponse().read(), self.pid)
        c.close()

    def test_a_body_waits_for_100_continue(self):
        with socket.create_connection(("127.0.0.1", self.pool.port),
                                      timeout=PATIENCE_S) as s:
            s.sendall(b"PUT /count HTTP/1.1\r\nHost: one.localhost\r\n"
                      b"Content-Length: 5\r\nExpect: 100-continue\r\n"
                      b"Connection: close\r\n\r\n")
            f = s.makefile("rb")
            self.assertRegex(f.readline(), rb"^HTTP/1\.1 100 ")
            while f.readline() != b"\r\n":
                pass
            s.sendall(b"hello")
            self.assertRegex(f.readline(), rb"^HTTP/1\.1 200 ")
            self.assertIn(b'"bytes": 5', f.read())

    def test_chunks_go_up_and_down(self):
        c = connect(self.pool)
        c.request("PUT", "/count", iter([b"a" * 10, b"b" * 70_000]),
                  {"Host": "one.localhost"}, encode_chunked=True)
        # http.client sends Transfer-Encoding when it has no length.
        self.assertEqual(json.loads(c.getresponse().read())["bytes"], 70_010)
        send(c, "one.localhost", "GET", "/chunked/100001")
        self.assertEqual(len(c.getresponse().read()), 100_001)
        c.close()

    def test_what_is_ambiguous_is_refused_and_the_connection_closed(self):
        host = "Host: one.localhost\r\n"
        for what, text in {
            "two lengths": host + "Content-Length: 1\r\n"
                                  "Content-Length: 2\r\n",
            "length and chunks": host + "Content-Length: 5\r\n"
                                        "Transfer-Encoding: chunked\r\n",
            "space before the colon": host + "A : b\r\n",
            "a folded line": host + "A: b\r\n c\r\n",
            "two hosts": host + host,
            "no host": "",
            "a bare line feed": host + "A: b\nC: d\r\n",
            "an unknown coding": host + "Transfer-Encoding: x\r\n",
            "a bad length": host + "Content-Length: +1\r\n",
        }.items():
            with self.subTest(what):
                said = self.lines(text)
                self.assertRegex(said, rb"^HTTP/1\.1 (400|501) ")
                self.assertEqual(said.count(b"HTTP/1.1 "), 1)
                body = json.loads(said.split(b"\r\n\r\n", 1)[1])
                self.assertEqual(sorted(body),
                                 ["error", "message", "requestId"])

    def test_fields_of_this_hop_stay_on_this_hop(self):
        c = connect(self.pool)
        send(c, "one.localhost", "GET", "/echo", headers={
            "Connection": "keep-alive, X-Hop", "X-Hop": "1", "X-End": "2"})
        fields = {k.lower(): v for k, v in
                  json.loads(c.getresponse().read())["fields"]}
        c.close()
        self.assertNotIn("x-hop", fields)
        self.assertEqual(fields["x-end"], "2")
        self.assertTrue(fields["host"].startswith("one.localhost"))

    def test_events_arrive_one_by_one(self):
        c = connect(self.pool)
        send(c, "one.localhost", "GET", "/events/3")
        r = c.getresponse()
        for n in range(3):
            self.assertEqual(r.readline(), b"data: %d\n" % n)
            r.readline()
        c.close()

    def test_a_flood_of_unknown_hosts_costs_nobody_else_anything(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE,
                        (soft, hard))
        board = self.pool.pids_titled("holdline: switchboard")
        flood = [socket.create_connection(("127.0.0.1", self.pool.port))
                 for _ in range(min(4000, hard - 200))]
        for i, s in enumerate(flood):
            s.sendall(b"GET / HTTP/1.1\r\nHost: h%d.example\r\n\r\n" % i)
        for s in flood:
            s.settimeout(PATIENCE_S)
            self.assertEqual(s.recv(12), b"HTTP/1.1 404")
            s.close()
        self.assertEqual(self.pool.pids_titled("holdline: switchboard"),
                         board)

    def test_a_megabyte_of_brackets_costs_an_error_and_nothing_else(self):
        parked = park(self.pool, "acme.localhost")
        fields = {"Content-Type": "application/json",
                  "Accept": "application/json, text/event-stream"}
        for bracket in ("[", '{"a":'):
            status, _, body = ask(
                self.pool, "acme.localhost", "/mcp", "POST",
                (bracket * (1 << 20))[:1 << 20], fields)
            self.assertEqual(status, 400, body)
            self.assertEqual(json.loads(body)["error"]["code"], -32700)
        again = park(self.pool, "acme.localhost")
        self.assertNotEqual(again["requestState"], parked["requestState"])
        self.assertEqual(len(self.pool.pids_titled(
            "holdline: backend acme.localhost")), 1)
        self.assertEqual(self.pool.count_lines(r"signal \d+ \("), 0)

    def test_admin_answers_health_and_servers(self):
        status, _, body = ask(self.pool, "x", "/__switchboard/health",
                              port=self.pool.admin)
        health = json.loads(body)
        self.assertEqual((status, health["status"]), (200, "ok"))
        row = next(s for s in health["servers"]
                   if s["hostname"] == "one.localhost")
        self.assertEqual(sorted(row), ["hostname", "pid", "socket", "uptime"])
        # The one that poold started stands above a foreign program.
        self.assertIn(int(self.pid), descendants(row["pid"]))
        self.assertGreaterEqual(row["uptime"], 0)
        self.assertIn(row["socket"], self.pool.sockets())
        _, _, body = ask(self.pool, "x", "/__switchboard/servers",
                         port=self.pool.admin)
        row = next(s for s in json.loads(body)["servers"]
                   if s["hostname"] == "one.localhost")
        self.assertEqual(sorted(row),
                         ["hostname", "pid", "socket", "startedAt"])
        self.assertRegex(row["startedAt"],
                         r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")

    def test_admin_refuses_other_methods_and_paths(self):
        status, fields, _ = ask(self.pool, "x", "/__switchboard/health",
                                "POST", b"", port=self.pool.admin)
        self.assertEqual(status, 405)
        self.assertIn("GET", fields["Allow"])
        for path in ("/", "/__switchboard/", "/__switchboard/health/x"):
            self.assertEqual(ask(self.pool, "x", path,
                                 port=self.pool.admin)[0], 404)

    def test_admin_pages_are_not_on_the_tenants_port(self):
        said = ask(self.pool, "one.localhost", "/__switchboard/health")
        self.assertEqual((said[0], said[2]), (404, b"no such page"))


if __name__ == "__main__":
    unittest.main()
