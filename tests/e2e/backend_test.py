#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""backend_test: the tools backend alone, both eras of MCP on raw HTTP.

Each test starts a backend of its own and ends it by SIGTERM: exit 0, in time,
nothing left, no word of a sanitizer (alone.py sees to that).
"""

import contextlib
import json
import os
import signal
import socket
import threading
import time
import unittest

import mcp_schema
from pool import IN_TIME_S, SANITIZED, build_dir, until
from alone import (ALL, HOST, META, MODERN, Alone, Legacy, Modern, Stream,
                   asked, modelled, reason, said, text_of)

ELICITS = {"elicitation": {}}


def status_of(alone, method="POST", body=None, fields=None, path="/mcp"):
    """One request: (status, response, JSON or None)."""
    with alone.link() as link:
        link.send(method, body, fields, path)
        r = link.answer(method)
        data = r.read()
        return r.status, r, json.loads(data) if data else None


def dirty_kib(pid):
    """Memory that a process wrote to, its own."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return sum(int(line.split()[1]) for line in f
                   if line.startswith("Private_Dirty"))


def await_rest(pid):
    """Until it has given nothing back for longer than it waits with that."""
    was, since = None, 0

    def is_settled():
        nonlocal was, since
        now = dirty_kib(pid)
        if now != was:
            was, since = now, time.monotonic()
        return time.monotonic() - since > 1.5

    until(is_settled, "its rest")


class Http(unittest.TestCase):
    """What is HTTP and no MCP yet."""

    def test_refusals_say_what_and_keep_the_connection(self):
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        with Alone() as a:
            for want, method, body, fields, path in (
                    (404, "POST", ping, None, "/other"),
                    (404, "GET", None, None, "/"),
                    (403, "POST", ping, {"Origin": "http://evil.example"},
                     "/mcp"),
                    (403, "POST", ping, {"Host": "evil.example"}, "/mcp"),
                    (405, "PUT", ping, None, "/mcp"),
                    (405, "HEAD", None, None, "/mcp"),
                    (415, "POST", ping, {"Content-Type": "text/plain"},
                     "/mcp"),
                    (400, "POST", b"{", None, "/mcp"),
                    (400, "POST", b"[]", None, "/mcp"),
                    (400, "GET", None, None, "/mcp"),
                    (400, "DELETE", None, None, "/mcp"),
                    (406, "GET", None, {"Accept": "text/html"}, "/mcp"),
                    (400, "POST", ping, None, "/mcp")):
                with self.subTest(want=want, method=method), \
                        a.link() as link:
                    for _ in range(2):
                        link.send(method, body, fields, path)
                        r = link.answer(method)
                        data = r.read()
                        self.assertEqual(r.status, want)
                        self.assertEqual(bool(data), method != "HEAD")
                        if want == 405:
                            self.assertEqual(r.getheader("Allow"),
                                             "GET, POST, DELETE")

    def test_hosts_and_origins_of_this_machine_are_served(self):
        body = Modern(None).body("tools/list")
        with Alone() as a:
            for fields in ({"Host": "localhost:8080"}, {"Host": "127.0.0.1"},
                           {"Origin": "http://localhost:3000"},
                           {"Origin": f"https://{HOST}"}):
                status, _, _ = status_of(
                    a, body=body, fields=Modern.fields(body, **fields))
                self.assertEqual(status, 200, fields)

    def test_pipelined_requests_are_answered_in_order(self):
        with Alone() as a, a.link() as link:
            m = Modern(a)
            bodies = [m.body("tools/list") for _ in range(20)]
            for body in bodies:
                link.send(body=body, fields=m.fields(body))
            for body in bodies:
                got = json.loads(link.answer().read())
                self.assertEqual(got["id"], body["id"])

    def test_a_request_may_come_byte_by_byte_and_chunked(self):
        m = Modern(None)
        body = m.body("tools/list")
        data = json.dumps(body).encode()
        chunks = b"".join(b"1\r\n" + data[i:i + 1] + b"\r\n"
                          for i in range(len(data))) + b"0\r\n\r\n"
        head = (f"POST /mcp HTTP/1.1\r\nHost: {HOST}\r\n"
                "Content-Type: application/json; charset=utf-8\r\n" +
                "".join(f"{k}: {v}\r\n" for k, v in m.fields(body).items()) +
                "Transfer-Encoding: chunked\r\n\r\n").encode()
        with Alone() as a, a.link() as link:
            for i in range(len(head)):
                link.raw(head[i:i + 1])
            link.raw(chunks)
            self.assertEqual(link.answer().read()[:10], b'{"jsonrpc"')

    def test_expect_gets_100_before_the_body(self):
        body = Modern(None).body("tools/list")
        data = json.dumps(body).encode()
        head = (f"POST /mcp HTTP/1.1\r\nHost: {HOST}\r\nExpect: 100-continue"
                "\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(data)}\r\n" + "".join(
                    f"{k}: {v}\r\n"
                    for k, v in Modern.fields(body).items()) + "\r\n")
        with Alone() as a, a.link() as link:
            link.raw(head.encode())
            self.assertEqual(link.shared.read(25),
                             b"HTTP/1.1 100 Continue\r\n\r\n")
            link.raw(data)
            self.assertEqual(link.answer().status, 200)
        with Alone() as a, a.link() as link:
            link.raw(head.replace("/mcp", "/nowhere").encode())
            r = link.answer()
            self.assertEqual(r.status, 404)
            self.assertEqual(r.getheader("Connection"), "close")
            r.read()
            self.assertTrue(link.is_closed())

    @unittest.skipIf(SANITIZED, "measures memory")
    def test_connections_that_ended_hold_no_memory(self):
        n, page_kib = 50, 4

        def ask(link):
            link.send("GET", None, None, "/")
            self.assertEqual(link.answer().status, 404)

        os.sync()  # or a program that was just linked is dirty
        with Alone() as a, a.link() as first:
            ask(first)
            before = dirty_kib(a.pid)
            with contextlib.ExitStack() as stack:
                for _ in range(n):
                    ask(stack.enter_context(a.link()))
                full = dirty_kib(a.pid)
                self.assertGreater(full, before + n * page_kib)
                await_rest(a.pid)
            until(lambda: dirty_kib(a.pid) < before + n * page_kib / 2,
                  "memory of connections that ended to be given back")

    def test_a_body_over_4_mib_is_413(self):
        with Alone() as a:
            for chunked in (False, True):
                with a.link() as link:
                    big = b" " * (4 << 20) + b"  "
                    length = {"Transfer-Encoding": "chunked",
                              "Content-Length": None} if chunked else {}
                    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(big), big) \
                        if chunked else big
                    try:
                        link.send(body=body, fields=length)
                    except OSError:
                        pass
                    r = link.answer()
                    self.assertEqual(r.status, 413)
                    r.read()
                    self.assertTrue(link.is_closed())

    def test_large_bodies_that_come_at_once_share_a_bounded_memory(self):
        with Alone() as a:
            body = b"[" + b" " * (4 << 20)
            head = (b"POST /mcp HTTP/1.1\r\nHost: acme.localhost\r\n"
                    b"Content-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n" % (4 << 20))
            before = a.rss_kib()
            links = [a.link() for _ in range(40)]
            statuses = []
            for link in links:
                try:
                    # All but the last byte: who is refused may not read it.
                    link.raw(head + body[:(4 << 20) - 1])
                except (BrokenPipeError, ConnectionResetError):
                    statuses.append(link.answer().status)
            self.assertEqual(set(statuses), {503})
            self.assertGreater(len(statuses), 20)
            if not SANITIZED:
                self.assertLess(a.rss_kib() - before, 80 << 10)
            # Small ones are not held up, and there is room again afterwards.
            self.assertEqual(len(Legacy(a).ask("tools/list")["result"]), 1)
            for link in links:
                link.close()
            m = Modern(a)
            self.assertIn("error", m.call("nosuch", {"x": "y" * 3000000}))

    def test_large_arguments_of_parked_tools_share_a_bounded_memory(self):
        with Alone() as a:
            m = Modern(a)
            kinds = ("y" * 3900000, [0] * 100000, [{"a": 0}] * 50000)
            before, said_no = a.rss_kib(), 0
            for i in range(90):
                got = m.call("quiz", {"n": 1, "x": kinds[i % 3]})
                if "error" in got:
                    said_no += 1
                    self.assertIn("arguments", got["error"]["message"])
            self.assertGreater(said_no, 20)
            if not SANITIZED:
                self.assertLess(a.rss_kib() - before, 450 << 10)
            # Small calls are not held up, whatever is parked.
            asked(m.call("quiz", {"n": 1}))

    def test_hostile_heads_cost_an_error_and_their_connection(self):
        with Alone() as a:
            for data in (b"POST /mcp HTTP/1.1\r\n\r\n",
                         b"GET /mcp HTTP/1.1\r\nHost : x\r\n\r\n",
                         b"POST /mcp HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Length: 1\r\nTransfer-Encoding: chunked"
                         b"\r\n\r\n",
                         b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
                         b"POST /mcp HTTP/1.1\r\nHost: " + HOST.encode() +
                         b"\r\nX: " + b"x" * 20000 + b"\r\n\r\n"):
                with self.subTest(data=data[:40]), a.link() as link:
                    try:
                        link.raw(data)
                    except OSError:
                        pass
                    r = link.answer()
                    self.assertIn(r.status, (400, 431))
                    mcp_schema.check(MODERN, json.loads(r.read()))
                    self.assertTrue(link.is_closed())
            with a.link() as link:
                link.send(fields={
                    "Content-Type": "application/json",
                    "Transfer-Encoding": "chunked"}).raw(b"zz\r\n")
                self.assertEqual(link.answer().status, 400)

    def test_http_1_0_gets_its_stream_until_the_close(self):
        m = Modern(None)
        body = m.body("tools/call", {"name": "progress_then_elicit",
                                     "arguments": {}}, progressToken="t")
        data = json.dumps(body).encode()
        with Alone() as a, a.link() as link:
            link.raw((f"POST /mcp HTTP/1.0\r\nHost: {HOST}\r\n"
                      "Content-Type: application/json\r\n"
                      f"Content-Length: {len(data)}\r\n" + "".join(
                          f"{k}: {v}\r\n" for k, v in
                          m.fields(body).items()) + "\r\n").encode() + data)
            r = link.answer()
            self.assertIsNone(r.getheader("Transfer-Encoding"))
            self.assertEqual(r.read().count(b"event: message\n"), 3)

    def test_hostile_json_costs_an_error(self):
        fields = {"MCP-Protocol-Version": MODERN}
        with Alone() as a:
            before = a.rss_kib()
            for data in (b"[" * (1 << 20), b"{\"a\":" * (1 << 18),
                         b"[" * (1 << 20) + b"]" * (1 << 20),
                         b"\"" + b"\xff" * 100 + b"\"", b"{\"id\":1,\"id\":2}",
                         b"{\"a\":\"\\u0000\"}", b"\"\\ud800\"",
                         b"[" + b"1," * 400000 + b"1]",
                         b"1" * 5000, b"{\"a\":18446744073709551616}", b""):
                with self.subTest(data=data[:20]):
                    status, _, message = status_of(a, body=data,
                                                   fields=fields)
                    self.assertEqual(status, 400)
                    self.assertEqual(message["error"]["code"], -32700)
                    self.assertLess(len(json.dumps(message)), 1000)
                    mcp_schema.check(MODERN, message)
            if not SANITIZED:
                self.assertLess(a.rss_kib() - before, 16 << 10)

    def test_a_connection_that_stays_open_does_not_hold_up_the_end(self):
        with Alone() as a:
            links = [a.link() for _ in range(50)]
            links[0].raw(b"POST /mcp HT")
            m = Modern(a)
            m.ask("tools/list")
            status, took = a.end()
            self.assertEqual(status, 0)
            self.assertLess(took, IN_TIME_S)
            for link in links:
                self.assertTrue(link.is_closed())
                link.close()


class Start(unittest.TestCase):
    """How it starts, or does not."""

    def test_a_tool_that_cannot_be_loaded_is_said(self):
        with Alone(tools=["/nowhere/tool.so"]) as a:
            self.assertEqual(a.reap(), 1)
            self.assertIn("/nowhere/tool.so", "\n".join(a.lines))

    def test_ps_shows_the_tenant(self):
        with Alone() as a:
            a.log("ready")
            with open(f"/proc/{a.pid}/cmdline", "rb") as f:
                self.assertEqual(f.read().split(b"\0")[0].decode().strip(),
                                 f"holdline: backend {HOST}")

    def test_each_signal_ends_it(self):
        # Whoever runs the tests may do so under nohup.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        for signo, want in ((signal.SIGTERM, 0), (signal.SIGINT, 130),
                            (signal.SIGHUP, 129)):
            with Alone() as a:
                a.log("ready")
                self.assertEqual(a.end(signo)[0], want)


    def test_what_a_tool_printed_and_left_to_its_end_is_done(self):
        tool = f"{build_dir()}/tests/e2e/tool_printing.so"
        for call in ([], ["printing"]):
            with Alone(tools=[tool]) as a:
                a.log("ready")
                for name in call:
                    Modern(a).call(name)
                self.assertEqual(a.end()[0], 0)
                self.assertEqual(
                    "printing: what was printed" in a.lines, bool(call))
                self.assertIn("printing: its destructor ran", a.lines)


    @unittest.skipIf(SANITIZED, "a sanitizer has memory of its own")
    def test_the_memory_of_a_crowd_is_given_back_at_rest(self):
        with Alone() as a:
            m = Modern(a)
            m.ask("tools/list")
            before = a.rss_kib()
            for _ in range(3):
                bodies = [m.body("tools/list") for _ in range(100)]
                links = [m.start(body) for body in bodies]
                for link, body in zip(links, bodies):
                    m.finish(link, body)
            until(lambda: a.rss_kib() <= before + 512, "less memory")


class Channel(unittest.TestCase):
    """What poold hears."""

    READY, FAILED, SESSIONS = 13, 14, 15

    def test_ready_then_how_many_sessions_hold_it(self):
        with Alone(channel=True) as a:
            self.assertEqual(a.heard()[0], self.READY)
            m = Modern(a)
            m.ask("tools/list")
            states = [asked(m.call("pair"))[1] for _ in range(3)]
            self.assertEqual(a.heard(), (self.SESSIONS, b"\1\0\0\0"))
            for state in states:
                m.call("pair", None, state, {
                    "first": said(v="a"), "second": said(v="b")})
            self.assertEqual(a.heard(), (self.SESSIONS, b"\0\0\0\0"))
            asked(m.call("pair"))
            self.assertEqual(a.heard(), (self.SESSIONS, b"\1\0\0\0"))
            self.assertEqual(a.end()[0], 0)
            self.assertEqual(a.heard(), (self.SESSIONS, b"\0\0\0\0"))
            self.assertIsNone(a.heard())

    def test_a_failed_start_says_why(self):
        with Alone(channel=True, tools=["/nowhere/tool.so"]) as a:
            kind, payload = a.heard()
            self.assertEqual(kind, self.FAILED)
            self.assertIn(b"/nowhere/tool.so", payload)
            self.assertIsNone(a.heard())
            self.assertEqual(a.reap(), 1)

    def test_it_ends_when_poold_is_gone(self):
        with Alone(channel=True) as a:
            self.assertEqual(a.heard()[0], self.READY)
            peer = Legacy(a)
            stream = peer.call("count_effect", {"key": "k"})
            stream.until("elicitation/create")
            began = time.monotonic()
            a.poold.close()
            self.assertEqual(a.reap(), 0)
            self.assertLess(time.monotonic() - began, IN_TIME_S)
            self.assertEqual(stream.message()["error"]["data"]["reason"],
                             "shutting_down")
            self.assertIsNone(stream.event())


class LegacyOpen(unittest.TestCase):
    """initialize, peers, the small methods."""

    def test_the_version_is_negotiated(self):
        with Alone() as a:
            for asks, gets in (("2025-11-25", "2025-11-25"),
                               ("2025-06-18", "2025-06-18"),
                               ("2025-03-26", "2025-03-26"),
                               ("2026-07-28", "2025-11-25"),
                               ("1999-01-01", "2025-11-25")):
                _, r, message = status_of(a, body={
                    "jsonrpc": "2.0", "id": "i", "method": "initialize",
                    "params": {"protocolVersion": asks, "capabilities": {},
                               "clientInfo": {"name": "x", "version": "1"}}})
                mcp_schema.check(gets, message, "initialize")
                self.assertEqual(message["result"]["protocolVersion"], gets)
                self.assertRegex(r.getheader("Mcp-Session-Id"),
                                 "^[0-9a-f]{32}$")

    def test_initialize_without_a_version_is_an_error(self):
        with Alone() as a:
            for params in ({}, {"protocolVersion": 1},
                           {"protocolVersion": "2025-11-25",
                            "capabilities": []}):
                _, r, message = status_of(a, body={
                    "jsonrpc": "2.0", "id": 1, "method": "initialize",
                    "params": params})
                self.assertEqual(message["error"]["code"], -32602)
                self.assertIsNone(r.getheader("Mcp-Session-Id"))

    def test_a_peer_is_needed_and_must_be_known(self):
        with Alone() as a:
            peer = Legacy(a)
            for wrong, status in ((False, 400), ("0" * 32, 404), ("x", 404),
                                  ("x" * 5000, 404)):
                r, message = peer.post(
                    {"jsonrpc": "2.0", "id": 1, "method": "ping"}, wrong)
                self.assertEqual(r.status, status)
                self.assertIn("error", message)
                link, r = peer.get(peer=wrong)
                self.assertEqual(r.status, status)
                link.close()

    def test_a_bad_version_header_is_400(self):
        with Alone() as a:
            peer = Legacy(a)
            for version in ("1999-01-01", "", "2026-07-28"):
                link = a.link()
                link.send("GET", fields={
                    "Accept": "text/event-stream",
                    "Mcp-Session-Id": peer.peer,
                    "MCP-Protocol-Version": version})
                self.assertEqual(link.answer("GET").status, 400, version)
                link.close()
            r, _ = peer.post({"jsonrpc": "2.0", "id": 1, "method": "ping"},
                             **{"MCP-Protocol-Version": "1999-01-01"})
            self.assertEqual(r.status, 400)

    def test_ping_and_set_level_answer_an_empty_object(self):
        with Alone() as a:
            peer = Legacy(a)
            self.assertEqual(peer.ask("ping")["result"], {})
            self.assertEqual(peer.ask("logging/setLevel",
                                      {"level": "debug"})["result"], {})
            for params in ({"level": "loud"}, {}, {"level": 1}):
                message = peer.ask("logging/setLevel", params)
                self.assertEqual(message["error"]["code"], -32602)

    def test_tools_are_listed_as_the_revision_knows_them(self):
        with Alone() as a:
            new = Legacy(a).ask("tools/list")["result"]["tools"]
            old = Legacy(a, "2025-03-26").ask("tools/list")
            old = old["result"]["tools"]
            self.assertEqual([t["name"] for t in new],
                             [t["name"] for t in old])
            self.assertEqual(new[0]["name"], "progress_then_elicit")
            book = {t["name"]: t for t in new}["book_flight"]
            self.assertIn("title", book)
            self.assertEqual(book["inputSchema"]["type"], "object")
            for tool in old:
                self.assertFalse({"title", "outputSchema"} & set(tool))
            message = Legacy(a).ask("tools/list", {"cursor": "x"})
            self.assertEqual(message["error"]["code"], -32602)

    def test_unknown_methods_and_tools_are_errors_with_200(self):
        with Alone() as a:
            peer = Legacy(a)
            message = peer.ask("no/such")
            self.assertEqual(message["error"]["code"], -32601)
            for params, code in (({"name": "no\u00e9"}, -32602), ({}, -32602),
                                 ({"name": 7}, -32602),
                                 ({"name": "pair", "arguments": []}, -32602),
                                 ({"name": "x" * 100000}, -32602)):
                message = peer.ask("tools/call", params)
                self.assertEqual(message["error"]["code"], code)
                self.assertLess(len(json.dumps(message)), 1000)

    def test_arguments_that_do_not_fit_are_a_tool_error(self):
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("slow_effect", {"key": 7, "ms": 1})
            result = stream.result()["result"]
            self.assertTrue(result["isError"])
            self.assertIn("key", result["content"][0]["text"])

    def test_batches_are_of_the_oldest_revision_alone(self):
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call",
                "params": {"name": "read_effect", "arguments": {"key": "a"}}}
        with Alone() as a:
            old, new = Legacy(a, "2025-03-26"), Legacy(a)
            r, _ = new.post([ping])
            self.assertEqual(r.status, 400)
            r, answer = old.post([note])
            self.assertEqual((r.status, answer), (202, None))
            r, answer = old.post([ping, note, {"jsonrpc": "2.0", "id": 3,
                                               "method": "initialize"}, 7])
            self.assertEqual(r.status, 200)
            self.assertEqual([m.get("id") for m in answer], [1, 3, None])
            r, _ = old.post([ping] * 65)
            self.assertEqual(r.status, 400)
            link = a.link()
            link.send(body=[call, ping, {**call, "id": 4}],
                      fields=old.fields())
            stream = Stream(link, link.answer(), "2025-03-26", None)
            ids = [stream.message()["id"] for _ in range(3)]
            self.assertEqual(ids, [1, 2, 4])
            self.assertIsNone(stream.message())
            link.close()


class LegacyCall(unittest.TestCase):
    """A tool call as a stream."""

    def test_a_trip_is_planned_over_many_connections(self):
        with Alone() as a:
            for revision in ("2025-11-25", "2025-06-18"):
                peer = Legacy(a, revision)
                stream = peer.call("plan_trip", {"traveller": "Ada"})
                asks = stream.until("elicitation/create")
                self.assertEqual("mode" in asks["params"],
                                 revision == "2025-11-25")
                peer.accept(asks, city="Oslo")
                peer.accept(stream.until("elicitation/create"), amount=9)
                asks = stream.until("sampling/createMessage")
                self.assertEqual(asks["params"]["maxTokens"], 200)
                peer.tell(asks, modelled("walk"))
                self.assertEqual(text_of(stream.result()),
                                 "Ada -> Oslo (9): walk")
                stream.close()

    def test_a_stream_is_primed_where_the_revision_primes(self):
        with Alone() as a:
            for revision, primed in (("2025-11-25", True),
                                     ("2025-06-18", False)):
                stream = Legacy(a, revision).call("read_effect",
                                                  {"key": "a"})
                event = stream.event()
                self.assertEqual(event.data == "", primed)
                if primed:
                    self.assertTrue(event.id.endswith("_0"))
                    self.assertGreater(event.retry, 0)
                stream.close()

    def test_progress_is_told_with_the_client_s_token_alone(self):
        with Alone() as a:
            peer = Legacy(a)
            for token in ("t", 7):
                stream = peer.call("progress_then_elicit",
                                   progressToken=token)
                for n in (1, 2):
                    got = stream.until("notifications/progress")["params"]
                    self.assertEqual((got["progressToken"], got["progress"],
                                      got["total"]), (token, n, 4))
                stream.close()
            stream = peer.call("progress_then_elicit")
            self.assertEqual(stream.message()["method"],
                             "elicitation/create")
            stream.close()
            message = peer.ask("tools/call", {
                "name": "progress_then_elicit",
                "_meta": {"progressToken": 1.5}})
            self.assertEqual(message["error"]["code"], -32602)

    def test_the_level_decides_what_is_logged(self):
        with Alone() as a:
            peer = Legacy(a)
            self.assertEqual(
                peer.call("flood", {"n": 1}).message()["method"],
                "notifications/message")
            peer.ask("logging/setLevel", {"level": "notice"})
            self.assertIn("result", peer.call("flood", {"n": 1}).message())

    def test_decline_and_cancel_reach_the_tool(self):
        with Alone() as a:
            peer = Legacy(a)
            for action in ("decline", "cancel"):
                stream = peer.call("count_effect", {"key": action})
                peer.tell(stream.until("elicitation/create"),
                          {"action": action})
                self.assertEqual(text_of(stream.result()), action)

    def test_a_client_without_the_capability_gets_a_tool_error(self):
        with Alone() as a:
            for caps, word in (({}, "elicitation"),
                               ({"sampling": {}}, "elicitation"),
                               (ELICITS, "sampling")):
                peer = Legacy(a, caps=caps)
                stream = peer.call("plan_trip", {"traveller": "Ada"})
                if caps == ELICITS:
                    peer.accept(stream.until("elicitation/create"), city="x")
                    peer.accept(stream.until("elicitation/create"), amount=1)
                result = stream.result()["result"]
                self.assertTrue(result["isError"])
                self.assertIn(word, result["content"][0]["text"])
            old = Legacy(a, "2025-03-26")
            result = old.call("count_effect", {"key": "o"}).result()
            self.assertTrue(result["result"]["isError"])

    def test_a_wrong_answer_is_400_and_the_question_stays_open(self):
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("plan_trip", {"traveller": "Ada"})
            asks = stream.until("elicitation/create")
            for wrong in ({"action": "maybe"}, {}, [], 7, None,
                          {"action": "accept"},
                          {"action": "accept", "content": {}},
                          {"action": "accept", "content": {"city": 7}}):
                r, message = peer.tell(asks, wrong)
                self.assertEqual(r.status, 400, wrong)
                self.assertEqual(message["error"]["code"], -32602)
            peer.accept(asks, city="Oslo")
            asks = stream.until("elicitation/create")
            r, message = peer.tell(asks, said(amount=-1))
            self.assertEqual(r.status, 400)
            self.assertIn("amount", message["error"]["message"])
            peer.accept(asks, amount=1)
            asks = stream.until("sampling/createMessage")
            r, _ = peer.tell(asks, {"role": "assistant"})
            self.assertEqual(r.status, 400)
            peer.tell(asks, modelled("walk"))
            stream.result()

    def test_a_refusal_that_is_cut_within_a_character_is_sent(self):
        with Alone() as a:
            peer = Legacy(a)
            for shift in range(3):
                stream = peer.call("euros", {"shift": shift, "n": 60})
                asks = stream.until("elicitation/create")
                name, = asks["params"]["requestedSchema"]["properties"]
                r, message = peer.tell(asks, said(**{name: "no"}))
                self.assertEqual(r.status, 400)
                self.assertIn("must be one of", message["error"]["message"])
                stream.close()

    def test_a_message_that_is_cut_within_a_character_is_sent(self):
        with Alone() as a:
            peer = Legacy(a)
            for shift in range(3):
                stream = peer.call("euros", {"shift": shift, "n": 1})
                told = stream.until("notifications/message")
                self.assertGreater(
                    len(told["params"]["data"].encode()), 8000)
                stream.close()

    def test_unknown_late_and_foreign_answers_are_ignored(self):
        with Alone() as a:
            peer, other = Legacy(a), Legacy(a)
            stream = peer.call("count_effect", {"key": "k"})
            asks = stream.until("elicitation/create")
            for wrong in ("nobody", 7, asks["id"] + "0", asks["id"][:-1] +
                          "9", asks["id"].split("_")[0]):
                r, _ = peer.tell({"id": wrong}, said(ok=False))
                self.assertEqual(r.status, 202)
            r, _ = other.tell(asks, said(ok=False))
            self.assertEqual(r.status, 202)
            peer.accept(asks, ok=True)
            result = stream.result()["result"]
            self.assertEqual(result["structuredContent"],
                             {"before": 1, "after": 1})
            r, _ = peer.tell(asks, said(ok=True))
            self.assertEqual(r.status, 202)
            after = peer.call("read_effect", {"key": "k"}).result()
            self.assertEqual(after["result"]["structuredContent"]["after"], 1)

    def test_a_client_s_error_ends_the_tool_with_its_words(self):
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("count_effect", {"key": "k"})
            r, _ = peer.tell(stream.until("elicitation/create"), error={
                "code": -1, "message": "the screen broke"})
            self.assertEqual(r.status, 202)
            result = stream.result()["result"]
            self.assertTrue(result["isError"])
            self.assertIn("the screen broke", result["content"][0]["text"])

    def test_request_ids_are_not_guessable_nor_used_twice(self):
        with Alone() as a:
            peer, seen = Legacy(a), set()
            for _ in range(5):
                stream = peer.call("pair")
                for _ in range(2):
                    seen.add(stream.until("elicitation/create")["id"])
                stream.close()
            self.assertEqual(len(seen), 10)
            for one in seen:
                self.assertRegex(one, "^[0-9a-f]{32}_[0-9]+$")

    def test_two_questions_at_once_are_answered_in_any_order(self):
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("pair")
            asks = {m["params"]["message"]: m for m in (
                stream.until("elicitation/create"),
                stream.until("elicitation/create"))}
            peer.accept(asks["second"], v="b")
            peer.accept(asks["first"], v="a")
            self.assertEqual(text_of(stream.result()), "a & b")

    def test_an_answer_that_nobody_waits_for_is_ignored(self):
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("impatient")
            asks = stream.until("elicitation/create")
            self.assertEqual(text_of(stream.result()), "did not wait")
            peer.accept(asks, v="late")

    def test_equal_request_ids_of_two_peers_do_not_meet(self):
        with Alone() as a:
            peers = [Legacy(a) for _ in range(20)]
            streams = [p.call("plan_trip", {"traveller": f"t{i}"},
                              request_id=7) for i, p in enumerate(peers)]
            for i, (peer, stream) in enumerate(zip(peers, streams)):
                asks = stream.until("elicitation/create")
                self.assertEqual(asks["params"]["message"],
                                 f"Where does t{i} go?")
                peer.tell(asks, {"action": "decline"})
                self.assertEqual(stream.result()["id"], 7)


class LegacyResume(unittest.TestCase):
    """Streams that break and go on."""

    def test_every_event_can_be_resumed_behind(self):
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("plan_trip", {"traveller": "Ada"})
            events = [stream.event(), stream.event()]
            peer.accept(events[1].message, city="Oslo")
            events.append(stream.event())
            peer.accept(events[2].message, amount=1)
            events.append(stream.event())
            peer.tell(events[3].message, modelled("walk"))
            events.append(stream.event())
            self.assertIsNone(stream.event())
            for i, event in enumerate(events):
                again = peer.resume(event.id)
                for want in events[i + 1:]:
                    got = again.event()
                    self.assertEqual((got.id, got.data),
                                     (want.id, want.data))
                self.assertIsNone(again.event())

    def test_a_tool_goes_on_while_nobody_is_connected(self):
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("plan_trip", {"traveller": "Ada"})
            primed = stream.event()
            first = stream.event()
            stream.close()
            peer.accept(first.message, city="Oslo")
            again = peer.resume(first.id)
            second = again.until("elicitation/create")
            again.close()
            peer.accept(second, amount=3)
            last = peer.resume(primed.id)
            for _ in range(2):
                last.until("elicitation/create")
            peer.tell(last.until("sampling/createMessage"),
                      modelled("walk"))
            self.assertEqual(text_of(last.result()),
                             "Ada -> Oslo (3): walk")

    def test_a_question_asked_while_disconnected_waits_in_the_log(self):
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("slow_effect", {"key": "k", "ms": 300})
            primed = stream.event()
            stream.close()
            self.assertEqual(text_of(peer.resume(primed.id).result()),
                             "done")

    def test_two_readers_read_the_same(self):
        with Alone() as a:
            peer = Legacy(a)
            one = peer.call("plan_trip", {"traveller": "Ada"})
            two = peer.resume(one.event().id)
            for answer in (said(city="Oslo"), said(amount=1),
                           modelled("walk")):
                first, second = one.event(), two.event()
                self.assertEqual((first.id, first.data),
                                 (second.id, second.data))
                peer.tell(first.message, answer)
            self.assertEqual(one.event().data, two.event().data)
            self.assertIsNone(one.event())
            self.assertIsNone(two.event())

    def test_streams_are_not_mixed(self):
        with Alone() as a:
            peer, other = Legacy(a), Legacy(a)
            one = peer.call("count_effect", {"key": "one"})
            two = peer.call("count_effect", {"key": "two"})
            id_one, id_two = one.event().id, two.event().id
            peer.tell(one.until("elicitation/create"),
                      {"action": "decline"})
            one.result()
            again = peer.resume(id_two)
            asks = again.until("elicitation/create")
            self.assertTrue(asks["id"].startswith(id_two.split("_")[0]))
            again.close()
            for bad in (id_one, "x", id_one.split("_")[0] + "_99",
                        "0" * 32 + "_1", ""):
                link, r = other.get(bad)
                self.assertEqual(r.status, 400, bad)
                link.close()
            link, r = peer.get(id_one.split("_")[0] + "_99")
            self.assertEqual(r.status, 400)
            link.close()

    def test_a_get_stream_is_open_until_its_peer_ends(self):
        with Alone() as a:
            peer = Legacy(a)
            streams = []
            for _ in range(4):
                link, r = peer.get()
                streams.append(Stream(link, r, peer.revision))
            link, r = peer.get()
            self.assertEqual(r.status, 409)
            link.close()
            streams.pop().close()
            self.assertEqual(peer.delete(), 204)
            for stream in streams:
                self.assertIsNone(stream.event())


class LegacyEnd(unittest.TestCase):
    """Cancelling, ending, leaving."""

    def effects(self, peer, key):
        """The counters of a key."""
        got = peer.call("read_effect", {"key": key}).result()
        return got["result"]["structuredContent"]

    def test_a_cancelled_call_ends_its_stream_without_a_result(self):
        with Alone() as a:
            peer = Legacy(a)
            for name, arguments in (
                    ("slow_effect", {"key": "k", "ms": 3600000}),
                    ("count_effect", {"key": "c"})):
                stream = peer.call(name, arguments, request_id="r-1")
                stream.event()
                if name == "count_effect":
                    stream.event()
                peer.cancel("no such")
                peer.cancel("r-1")
                self.assertIsNone(stream.message())
                peer.cancel("r-1")
            self.assertEqual(self.effects(peer, "k"),
                             {"before": 1, "after": 0, "cleaned": 1})

    def test_another_peer_cannot_cancel(self):
        with Alone() as a:
            peer, other = Legacy(a), Legacy(a)
            stream = peer.call("count_effect", {"key": "c"},
                               request_id="r-1")
            asks = stream.until("elicitation/create")
            other.cancel("r-1")
            peer.accept(asks, ok=True)
            stream.result()

    def test_delete_ends_everything_of_the_peer(self):
        with Alone() as a:
            peer, other = Legacy(a), Legacy(a)
            streams = [peer.call("slow_effect", {"key": "k", "ms": 3600000}),
                       peer.call("count_effect", {"key": "c"})]
            for stream in streams:
                stream.event()
            streams[1].event()
            link, r = peer.get()
            standing = Stream(link, r, peer.revision)
            kept = other.call("count_effect", {"key": "o"})
            asks = kept.until("elicitation/create")
            self.assertEqual(peer.delete(), 204)
            for stream in streams:
                self.assertIsNone(stream.message())
            self.assertIsNone(standing.event())
            self.assertEqual(peer.delete(), 404)
            r, _ = peer.post({"jsonrpc": "2.0", "id": 1, "method": "ping"})
            self.assertEqual(r.status, 404)
            other.accept(asks, ok=True)
            kept.result()
            self.assertEqual(self.effects(other, "k")["cleaned"], 1)

    def test_leaving_does_not_cancel(self):
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("slow_effect", {"key": "k", "ms": 300})
            stream.event()
            stream.close()
            a.log("slow_effect: completed")
            self.assertEqual(self.effects(peer, "k")["after"], 1)

    def test_a_limit_on_time_is_told(self):
        with Alone("-t", "300") as a:
            peer = Legacy(a)
            stream = peer.call("count_effect", {"key": "k"})
            stream.until("elicitation/create")
            message = stream.message()
            self.assertEqual(message["error"]["data"]["reason"],
                             "session_timeout")
            self.assertIsNone(stream.event())

    def test_a_limit_on_sessions_is_told(self):
        with Alone("-m", "2") as a:
            peer = Legacy(a)
            streams = [peer.call("count_effect", {"key": "k"})
                       for _ in range(2)]
            for stream in streams:
                stream.until("elicitation/create")
            message = peer.ask("tools/call", {"name": "pair"})
            self.assertIn("max_sessions", message["error"]["message"])
            for stream in streams:
                stream.close()

    def test_sigterm_is_told_in_every_state(self):
        with Alone() as a:
            peer = Legacy(a)
            running = peer.call("slow_effect", {"key": "k", "ms": 3600000})
            running.event()
            parked = peer.call("count_effect", {"key": "c"})
            parked.until("elicitation/create")
            alone = peer.call("pair")
            alone.event()
            alone.close()
            link, r = peer.get()
            standing = Stream(link, r, peer.revision)
            status, took = a.end()
            self.assertEqual(status, 0, a.lines)
            self.assertLess(took, IN_TIME_S)
            for stream in (running, parked):
                message = stream.message()
                self.assertEqual(message["error"]["data"]["reason"],
                                 "shutting_down")
                self.assertIsNone(stream.event())
            self.assertIsNone(standing.event())

    def test_a_slow_reader_is_waited_for_and_loses_nothing(self):
        n = 900
        with Alone() as a:
            peer = Legacy(a)
            stream = peer.call("flood", {"n": n})
            a.log("flood: completed")
            self.assertEqual(peer.ask("ping")["result"], {})
            for i in range(n):
                got = stream.message()["params"]["data"]
                self.assertTrue(got.startswith(f"{i} x"), got[:20])
            self.assertEqual(text_of(stream.result()), f"told {n}")

    def test_a_reader_that_stands_still_does_not_hold_up_the_end(self):
        with Alone() as a:
            streams = [Legacy(a).call("flood", {"n": 900})
                       for _ in range(3)]
            a.log("flood: completed", 3)
            status, took = a.end()
            self.assertEqual(status, 0)
            self.assertLess(took, IN_TIME_S)
            for stream in streams:
                stream.event()

    def test_a_reader_that_leaves_in_the_flood_harms_nobody(self):
        with Alone() as a:
            peer = Legacy(a)
            for _ in range(3):
                stream = peer.call("flood", {"n": 900})
                stream.event()
                stream.close()
            a.log("flood: completed", 3)
            self.assertEqual(peer.ask("ping")["result"], {})


class ModernBasics(unittest.TestCase):
    """Envelope, headers, discover, list."""

    def test_discover_says_what_is_there(self):
        with Alone() as a:
            got = Modern(a, {}).ask("server/discover")["result"]
            self.assertEqual(got["supportedVersions"][0], MODERN)
            self.assertEqual(len(got["supportedVersions"]), 4)
            self.assertEqual(got["capabilities"],
                             {"tools": {}, "logging": {}})
            self.assertIn(META + "serverInfo", got["_meta"])
            self.assertGreaterEqual(got["ttlMs"], 0)

    def test_tools_are_listed_in_one_order(self):
        with Alone() as a:
            m = Modern(a)
            one, two = m.ask("tools/list"), m.ask("tools/list")
            self.assertEqual(one["result"], two["result"])
            self.assertEqual(one["result"]["cacheScope"], "private")
            self.assertEqual(
                reason(m.ask("tools/list", {"cursor": "x"})),
                "unknown_cursor")

    def test_refusals_have_their_status_and_code(self):
        with Alone() as a:
            m = Modern(a)
            body = m.body("tools/list")
            for more, code in (({"Mcp-Method": None}, -32020),
                               ({"Mcp-Method": "tools/call"}, -32020),
                               ({"MCP-Protocol-Version": "2025-11-25"},
                                -32020),
                               ({"MCP-Protocol-Version": None}, -32020)):
                status, message, _ = m.send(body, **more)
                self.assertEqual((status, message["error"]["code"]),
                                 (400, code), more)
            for method in ("ping", "initialize", "no/such", "tasks/list"):
                status, message, _ = m.send(m.body(method))
                self.assertEqual((status, message["error"]["code"]),
                                 (404, -32601))
            body = m.body("tools/list")
            body["params"]["_meta"][META + "protocolVersion"] = "v999.0.0"
            status, message, _ = m.send(
                body, **{"MCP-Protocol-Version": "v999.0.0"})
            self.assertEqual((status, message["error"]["code"]),
                             (400, -32022))
            self.assertEqual(message["error"]["data"]["requested"],
                             "v999.0.0")

    def test_notifications_are_accepted_and_nothing_more(self):
        with Alone() as a:
            m = Modern(a)
            body = m.body("notifications/cancelled", {"requestId": 1})
            del body["id"]
            status, _, message = status_of(a, body=body,
                                           fields=m.fields(body))
            self.assertEqual((status, message), (202, None))

    def test_legacy_leftovers_are_ignored(self):
        with Alone() as a:
            m = Modern(a)
            body = m.body("tools/list")
            status, _, _ = m.send(body, **{"Mcp-Session-Id": "0" * 32,
                                           "Last-Event-ID": "x"})
            self.assertEqual(status, 200)

    def test_a_header_repeats_the_argument_that_asks_for_it(self):
        with Alone() as a:
            m = Modern(a)
            body = m.call_body("region", {"region": "eu"})
            status, message, _ = m.send(body)
            self.assertEqual((status, message["error"]["code"]),
                             (400, -32020))
            for value in ("eu", "=?base64?ZXU=?="):
                status, message, _ = m.send(
                    m.call_body("region", {"region": "eu"}),
                    **{"Mcp-Param-Region": value})
                self.assertEqual(text_of(message), "in eu")

    def test_bad_calls_are_invalid_params_with_200(self):
        with Alone() as a:
            m = Modern(a)
            for params in ({"name": "nope"},
                           {"name": "pair", "arguments": []}):
                status, message, _ = m.send(m.body("tools/call", params))
                self.assertEqual((status, message["error"]["code"]),
                                 (200, -32602))
            result = m.call("slow_effect", {"key": 7, "ms": 1})["result"]
            self.assertTrue(result["isError"])

    def test_a_missing_capability_is_32021_and_says_which(self):
        with Alone() as a:
            for caps, want in (({}, {"elicitation": {}}),
                               ({"sampling": {}}, {"elicitation": {}}),
                               ({"elicitation": {"url": {}}},
                                {"elicitation": {}})):
                m = Modern(a, caps)
                status, message, _ = m.send(
                    m.call_body("count_effect", {"key": "k"}))
                self.assertEqual((status, message["error"]["code"]),
                                 (400, -32021))
                self.assertIn("elicitation",
                              message["error"]["data"]
                              ["requiredCapabilities"], want)


class ModernCall(unittest.TestCase):
    """Rounds: each row of the table of retries."""

    def test_a_trip_is_planned_over_many_requests(self):
        with Alone() as a:
            m = Modern(a)
            who, states = {"traveller": "Ada"}, set()
            asks, state = asked(m.call("plan_trip", who))
            self.assertEqual(list(asks), ["destination"])
            self.assertEqual(asks["destination"]["params"]["mode"], "form")
            states.add(state)
            asks, state = asked(m.call("plan_trip", who, state, {
                "destination": said(city="Oslo")}))
            self.assertEqual(list(asks), ["budget"])
            states.add(state)
            asks, state = asked(m.call("plan_trip", who, state, {
                "budget": said(amount=9)}))
            self.assertEqual(asks["plan"]["method"],
                             "sampling/createMessage")
            states.add(state)
            done = m.call("plan_trip", who, state,
                          {"plan": modelled("walk")})
            self.assertEqual(text_of(done), "Ada -> Oslo (9): walk")
            self.assertEqual(done["result"]["resultType"], "complete")
            self.assertEqual(len(states), 3)

    def test_answers_that_come_with_the_call_are_used(self):
        with Alone() as a:
            m = Modern(a)
            who = {"traveller": "Ada"}
            done = m.call("plan_trip", who, answers={
                "destination": said(city="Oslo"), "budget": said(amount=1),
                "plan": modelled("walk"), "other": 7})
            self.assertEqual(text_of(done), "Ada -> Oslo (1): walk")
            for bad in ({"wrong_key": said(city="x")},
                        {"destination": 12345}, {}):
                asks, _ = asked(m.call("plan_trip", who, answers=bad))
                self.assertEqual(list(asks), ["destination"])
            for bad in ([], 7, "x"):
                self.assertEqual(
                    reason(m.call("plan_trip", who, answers=bad)),
                    "invalid_response")
            body = m.call_body("plan_trip", who)
            body["params"]["inputResponses"] = None
            self.assertEqual(reason(m.send(body)[1]), "invalid_response")

    def test_progress_is_of_the_leg_that_runs(self):
        with Alone() as a:
            m = Modern(a)
            body = m.call_body("progress_then_elicit", progressToken="one")
            _, message, before = m.send(body)
            self.assertEqual([(p["params"]["progressToken"],
                               p["params"]["progress"]) for p in before],
                             [("one", 1), ("one", 2)])
            _, state = asked(message)
            body = m.call_body("progress_then_elicit", None, state,
                               {"name": said(name="Ada")}, progressToken=2)
            _, message, before = m.send(body)
            self.assertEqual([(p["params"]["progressToken"],
                               p["params"]["progress"]) for p in before],
                             [(2, 3), (2, 4)])
            self.assertEqual(text_of(message), "hi Ada")
            _, message, before = m.send(
                m.call_body("progress_then_elicit"))
            self.assertEqual(before, [])

    def test_logs_are_told_to_who_asked_for_them(self):
        with Alone() as a:
            m = Modern(a)
            for meta, n in (({}, 0), ({META + "logLevel": "info"}, 2),
                            ({META + "logLevel": "warning"}, 0)):
                _, _, before = m.send(
                    m.call_body("flood", {"n": 2}, **meta))
                self.assertEqual(len(before), n)

    def test_partial_answers_are_delivered_and_the_rest_asked_again(self):
        with Alone() as a:
            m = Modern(a)
            asks, one = asked(m.call("pair"))
            self.assertEqual(sorted(asks), ["first", "second"])
            asks, two = asked(m.call("pair", None, one, {
                "second": said(v="b"), "unknown": 7}))
            self.assertEqual(list(asks), ["first"])
            self.assertNotEqual(one, two)
            # The same again, while round 2 waits.
            again, same = asked(m.call("pair", None, one,
                                       {"second": said(v="b")}))
            self.assertEqual((again, same), (asks, two))
            for other in ({"second": said(v="c")}, {}, None,
                          {"first": said(v="a"), "second": said(v="b")}):
                self.assertEqual(reason(m.call("pair", None, one, other)),
                                 "stale_round")
            done = m.call("pair", None, two, {"first": said(v="a"),
                                              "second": said(v="ignored")})
            self.assertEqual(text_of(done), "a & b")

    def test_a_retry_without_answers_is_asked_the_same_again(self):
        with Alone() as a:
            m = Modern(a)
            asks, state = asked(m.call("count_effect", {"key": "k"}))
            for answers in (None, {}, {"wrong_key": said(ok=True)}):
                self.assertEqual(asked(m.call(
                    "count_effect", {"key": "k"}, state, answers)),
                    (asks, state))
            done = m.call("count_effect", {"key": "k"}, state,
                          {"go": said(ok=True)})
            self.assertEqual(done["result"]["structuredContent"],
                             {"before": 1, "after": 1})

    def test_a_malformed_answer_delivers_nothing_and_harms_nothing(self):
        with Alone() as a:
            m = Modern(a)
            _, state = asked(m.call("pair"))
            for bad in ({"action": "maybe"}, {"action": "accept"}, 7, None,
                        [], said(), said(v=7)):
                got = m.call("pair", None, state, {
                    "first": said(v="lost?"), "second": bad})
                self.assertEqual(reason(got), "invalid_response")
                self.assertIn("second", got["error"]["message"])
            asks, same = asked(m.call("pair", None, state))
            self.assertEqual((sorted(asks), same),
                             (["first", "second"], state))
            done = m.call("pair", None, state, {
                "first": said(v="a"), "second": said(v="b")})
            self.assertEqual(text_of(done), "a & b")

    def test_a_refusal_that_is_cut_within_a_character_is_sent(self):
        with Alone() as a:
            m = Modern(a)
            for n in (20, 60, 100):
                for shift in range(3):
                    args = {"shift": shift, "n": n}
                    asks, state = asked(m.call("euros", args))
                    name, = asks["pick"]["params"]["requestedSchema"][
                        "properties"]
                    got = m.call("euros", args, state,
                                 {"pick": said(**{name: "no"})})
                    self.assertEqual(reason(got), "invalid_response")
                    self.assertIn("must be one of", got["error"]["message"])

    def test_the_same_retry_gets_the_same_reply_and_runs_once(self):
        with Alone() as a:
            m = Modern(a)
            _, state = asked(m.call("count_effect", {"key": "k"}))
            body = [m.call_body("count_effect", {"key": "k"}, state,
                                {"go": said(ok=True)}) for _ in range(5)]
            # Three at once while it runs (30 ms), two when it is done.
            links = [m.start(b) for b in body[:3]]
            got = [m.finish(link, b)[1] for link, b in zip(links, body)]
            got += [m.send(b)[1] for b in body[3:]]
            for one in got:
                self.assertEqual(one["result"], got[0]["result"])
            self.assertEqual(got[0]["result"]["structuredContent"],
                             {"before": 1, "after": 1})
            self.assertEqual(
                reason(m.call("count_effect", {"key": "k"}, state,
                              {"go": said(ok=False)})), "stale_round")
            after = m.call("read_effect", {"key": "k"})["result"]
            self.assertEqual(after["structuredContent"]["after"], 1)

    def test_a_second_waiter_keeps_the_session_when_the_first_leaves(self):
        with Alone() as a:
            m = Modern(a)
            _, state = asked(m.call("count_effect", {"key": "k"}))
            body = [m.call_body("count_effect", {"key": "k"}, state,
                                {"go": said(ok=True)}) for _ in range(2)]
            first, second = m.start(body[0]), m.start(body[1])
            m.ask("tools/list")  # Served behind them: both are attached.
            first.close()
            done = m.finish(second, body[1])[1]
            self.assertEqual(done["result"]["structuredContent"]["after"], 1)

    def test_a_state_is_for_its_call_alone(self):
        with Alone() as a:
            m = Modern(a)
            _, state = asked(m.call("count_effect", {"key": "k"}))
            for name, arguments in (("count_effect", {"key": "other"}),
                                    ("count_effect", {"key": "k", "x": 1}),
                                    ("pair", {"key": "k"})):
                self.assertEqual(
                    reason(m.call(name, arguments, state,
                                  {"go": said(ok=True)})),
                    "request_mismatch")
            m.call("count_effect", {"key": "k"}, state,
                   {"go": said(ok=True)})

    def test_states_that_are_none_are_told_apart(self):
        with Alone() as a, Alone() as b:
            m, n = Modern(a), Modern(b)
            _, state = asked(m.call("pair"))
            boot, rest = state.split(".")
            for bad, why in ((state + "-TAMPERED", "malformed"),
                             ("", "malformed"), ("x", "malformed"),
                             (7, "malformed"), ({}, "malformed"),
                             ("x" * 100000, "malformed"),
                             (boot + "." + "0" * 32, "consumed_or_expired"),
                             ("0" * 8 + "." + rest, "state_lost")):
                got = m.call("pair", None, bad, {"first": said(v="a")})
                self.assertEqual(reason(got), why, bad)
            body = m.call_body("pair")
            body["params"]["requestState"] = None
            self.assertEqual(reason(m.send(body)[1]), "malformed")
            self.assertEqual(reason(n.call("pair", None, state)),
                             "state_lost")

    def test_a_retry_must_be_able_to_answer_what_is_open(self):
        with Alone() as a:
            m = Modern(a)
            _, state = asked(m.call("pair"))
            poor = Modern(a, {})
            body = poor.call_body("pair", None, state,
                                  {"first": said(v="a")})
            status, message, _ = poor.send(body)
            self.assertEqual((status, message["error"]["code"]),
                             (400, -32021))
            done = m.call("pair", None, state, {
                "first": said(v="A"), "second": said(v="B")})
            self.assertEqual(text_of(done), "A & B")

    def test_capabilities_are_those_of_the_leg(self):
        with Alone() as a:
            m = Modern(a, ELICITS)
            who = {"traveller": "Ada"}
            _, state = asked(m.call("plan_trip", who))
            _, state = asked(m.call("plan_trip", who, state, {
                "destination": said(city="Oslo")}))
            status, message, _ = m.send(m.call_body(
                "plan_trip", who, state, {"budget": said(amount=1)}))
            self.assertEqual((status, message["error"]["code"]),
                             (400, -32021))
            self.assertIn("sampling", message["error"]["data"]
                          ["requiredCapabilities"])
            m = Modern(a, ELICITS)
            _, state = asked(m.call("plan_trip", who))
            m.caps = ALL
            _, state = asked(m.call("plan_trip", who, state, {
                "destination": said(city="Oslo")}))
            asks, _ = asked(m.call("plan_trip", who, state,
                                   {"budget": said(amount=1)}))
            self.assertEqual(list(asks), ["plan"])

    def test_a_parked_session_ends_at_its_limit(self):
        with Alone("-t", "300") as a:
            m = Modern(a)
            _, state = asked(m.call("pair"))
            a.log("pair: cancelled")
            self.assertEqual(
                reason(m.call("pair", None, state, {
                    "first": said(v="a"), "second": said(v="b")})),
                "expired")
            message = m.call("slow_effect", {"key": "k", "ms": 3600000})
            self.assertEqual(message["error"]["data"]["reason"],
                             "session_timeout")

    def test_a_result_that_came_while_parked_is_told_to_the_retry(self):
        with Alone() as a:
            m = Modern(a)
            _, state = asked(m.call("impatient"))
            a.log("impatient: completed")
            for _ in range(2):
                done = m.call("impatient", None, state,
                              {"first": said(v="late")})
                self.assertEqual(text_of(done), "did not wait")

    def test_many_rounds_are_kept_but_not_all(self):
        with Alone() as a:
            m, n, states, replies = Modern(a), 70, [], []
            message = m.call("quiz", {"n": n})
            for i in range(n):
                asks, state = asked(message)
                (key,) = asks
                states.append((state, {key: said(v=str(i))}))
                message = m.call("quiz", {"n": n}, *states[-1])
                replies.append(message["result"])
            self.assertEqual(text_of(message), f"asked {n}")
            self.assertEqual(reason(m.call("quiz", {"n": n}, *states[0])),
                             "consumed_or_expired")
            for i in (n - 1, n - 2, n - 60):
                again = m.call("quiz", {"n": n}, *states[i])
                self.assertEqual(again["result"], replies[i])

    def test_a_limit_on_sessions_is_503(self):
        with Alone("-m", "2") as a:
            m = Modern(a)
            for _ in range(2):
                asked(m.call("pair"))
            with a.link() as link:
                body = m.call_body("pair")
                link.send(body=body, fields=m.fields(body))
                r = link.answer()
                self.assertEqual(r.status, 503)
                self.assertTrue(r.getheader("Retry-After"))
                self.assertIn(b"max_sessions", r.read())


class ModernEnd(unittest.TestCase):
    """Leaving cancels; ending is told."""

    def effects(self, m, key):
        """The counters of a key."""
        return m.call("read_effect", {"key": key})["result"][
            "structuredContent"]

    def test_leaving_a_running_first_leg_cancels_it(self):
        with Alone() as a:
            m = Modern(a)
            body = m.call_body("slow_effect", {"key": "k", "ms": 3600000})
            link = m.start(body)
            while self.effects(m, "k")["before"] == 0:
                pass
            link.close()
            a.log("slow_effect: cancelled")
            self.assertEqual(self.effects(m, "k"),
                             {"before": 1, "after": 0, "cleaned": 1})

    def test_leaving_behind_a_pipelined_request_cancels_too(self):
        with Alone() as a:
            m = Modern(a)
            body = m.call_body("slow_effect", {"key": "k", "ms": 3600000})
            link = m.start(body)
            link.raw(b"POST /mcp HTTP/1.1\r\nHost: x\r\n")
            while self.effects(m, "k")["before"] == 0:
                pass
            link.close()
            a.log("slow_effect: cancelled")

    def test_closing_only_the_sending_side_does_not_cancel(self):
        with Alone() as a:
            m = Modern(a)
            body = m.call_body("slow_effect", {"key": "k", "ms": 200})
            link = m.start(body)
            link.sock.shutdown(socket.SHUT_WR)
            self.assertEqual(text_of(m.finish(link, body)[1]), "done")

    def test_leaving_a_running_retry_cancels_and_it_is_never_run_again(self):
        with Alone() as a:
            m = Modern(a)
            key = {"key": "k"}
            _, state = asked(m.call("count_effect", key))
            body = m.call_body("count_effect", key, state,
                               {"go": said(ok=True)})
            link = m.start(body)
            while self.effects(m, "k")["after"] == 0:
                pass
            link.close()
            a.log("count_effect: c")
            got = m.call("count_effect", key, state, {"go": said(ok=True)})
            if "error" in got:
                self.assertEqual(reason(got), "cancelled")
            self.assertEqual(self.effects(m, "k")["after"], 1)

    def test_leaving_while_parked_changes_nothing(self):
        with Alone() as a:
            m = Modern(a)
            body = m.call_body("pair")
            link = m.start(body)
            message = json.loads(link.answer().read())
            link.close()
            _, state = asked(message)
            done = m.call("pair", None, state, {
                "first": said(v="a"), "second": said(v="b")})
            self.assertEqual(text_of(done), "a & b")

    def test_sigterm_is_told_to_a_running_leg(self):
        with Alone() as a:
            m = Modern(a)
            asked(m.call("pair"))
            body = m.call_body("slow_effect", {"key": "k", "ms": 3600000})
            link = m.start(body)
            while self.effects(m, "k")["before"] == 0:
                pass
            status, took = a.end()
            self.assertEqual(status, 0, a.lines)
            self.assertLess(took, IN_TIME_S)
            _, message, _ = m.finish(link, body)
            self.assertEqual(message["error"]["data"]["reason"],
                             "shutting_down")

    def test_a_stream_that_says_nothing_is_kept_alive(self):
        with Alone() as a:
            m = Modern(a)
            body = m.call_body("slow_effect", {"key": "k", "ms": 16000})
            link = m.start(body)
            r = link.answer()
            self.assertEqual(r.readline(), b": keepalive\n")
            self.assertEqual(r.readline(), b"\n")
            self.assertEqual(r.readline(), b"event: message\n")
            link.close()

    def test_a_reader_that_stands_still_in_a_flood_can_be_left(self):
        with Alone() as a:
            m = Modern(a)
            body = m.call_body("flood", {"n": 900},
                               **{META + "logLevel": "debug"})
            link = m.start(body)
            a.log("flood: completed")
            link.close()
            m.ask("tools/list")


class Many(unittest.TestCase):
    """Both eras at once, and many of them."""

    def test_two_hundred_sessions_of_both_eras(self):
        with Alone() as a:
            failures = []

            def legacy(i):
                peer = Legacy(a)
                stream = peer.call("plan_trip", {"traveller": f"l{i}"})
                peer.accept(stream.until("elicitation/create"), city="x")
                peer.accept(stream.until("elicitation/create"), amount=i)
                peer.tell(stream.until("sampling/createMessage"),
                          modelled("y"))
                return text_of(stream.result())

            def modern(i):
                m, who = Modern(a), {"traveller": f"l{i}"}
                _, s = asked(m.call("plan_trip", who))
                _, s = asked(m.call("plan_trip", who, s, {
                    "destination": said(city="x")}))
                _, s = asked(m.call("plan_trip", who, s, {
                    "budget": said(amount=i)}))
                return text_of(m.call("plan_trip", who, s,
                                      {"plan": modelled("y")}))

            def run(first):
                for i in range(first, 200, 10):
                    try:
                        got = (legacy if i % 2 else modern)(i)
                        self.assertEqual(got, f"l{i} -> x ({i}): y")
                    except Exception as e:  # pylint: disable=W0718
                        failures.append(repr(e))

            threads = [threading.Thread(target=run, args=(i,))
                       for i in range(10)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual(failures, [])

    def test_a_thousand_parked_sessions_end_within_a_second(self):
        """One undisturbed end shows it; a fault of ours is in each."""
        took = []
        while not took or took[-1] >= (IN_TIME_S if SANITIZED else 1):
            self.assertLess(len(took), 5, took)
            took.append(self.end_of_a_thousand())

    def end_of_a_thousand(self):
        with Alone() as a:
            m = Modern(a)
            with a.link() as link:
                for i in range(1000):
                    body = m.call_body("pair")
                    link.send(body=body, fields=m.fields(body))
                    asked(json.loads(link.answer().read()))
            status, took = a.end()
            self.assertEqual(status, 0)
            return took


if __name__ == "__main__":
    if mcp_schema.WHY:
        print(f"not checked against the schemas: {mcp_schema.WHY}")
    unittest.main(verbosity=2)
