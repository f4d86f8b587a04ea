# SPDX-License-Identifier: MIT
"""
switchboard_hostile_test: what peers get that break HTTP, and what their
breaking costs others: nothing. Run by switchboard_test.py.
"""
import random
import select
import unittest

import switchboard_test as base
from switchboard_play import echo

HOST = base.HOST
EXE = ""

# A request that is refused before any backend is asked for, and its status.
HEADS = (
    (400, b"GET / HTTP/1.1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    (400, b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: " + b"a" * 254 + b"\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n"
          b"Transfer-Encoding: chunked\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST +
          b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: +1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 1, 1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 0x1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST +
          b"Content-Length: 1000000000000000000\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST +
          b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: x\r\n\r\n"),
    (400, b"GET / HTTP/1.0\r\n" + HOST +
          b"Transfer-Encoding: chunked\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"A : b\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n A: b\r\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"no colon\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b": x\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"A(: x\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"A: x\0y\r\n\r\n"),
    (400, b"GET / HTTP/1.1\n" + HOST + b"\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"A: x\ry\r\n\r\n"),
    (400, b"GET / HTTP/2.0\r\n" + HOST + b"\r\n"),
    (400, b"GET /\r\n\r\n"),
    (400, b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"G" * 33 + b" / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"GET /#f HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"GET /\\ HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"GET /\x80 HTTP/1.1\r\n" + HOST + b"\r\n"),
    (400, b"TRACE / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Host\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST + b"Connection: mcp-x\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\n" + HOST +
          b"Connection: upgrade\r\nUpgrade: foo\r\n\r\n"),
    (417, b"GET / HTTP/1.1\r\n" + HOST + b"Expect: x\r\n\r\n"),
    (431, b"GET / HTTP/1.1\r\n" + HOST + b"A: 1\r\n" * 101 + b"\r\n"),
    (431, b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"x" * 17000),
    (414, b"GET /" + b"x" * 8193 + b" HTTP/1.1\r\n" + HOST + b"\r\n"),
)

CHUNKS = (
    b"g\r\n", b"+1\r\nx\r\n", b"0x1\r\nx\r\n", b"1\nx\r\n", b"1\r\nxy\r\n",
    b"1\r\nx\n", b" 1\r\nx\r\n", b"11111111111111111\r\n",
    b"1;" + b"e" * 300 + b"\r\nx\r\n", b"1;a\rb\r\nx\r\n", b"-1\r\n",
)

OK = b"HTTP/1.1 200 OK\r\n"

# What a backend says, and is answered for with 502.
ANSWERS = (
    b"nonsense\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
    b"HTTP/1.1 200 OK\nA: b\n\n",
    b"HTTP/1.1 200 O\rK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: x\0y\r\n\r\n",
    b"HTTP/1.1 99 X\r\n\r\n",
    b"HTTP/1.1 600 X\r\n\r\n",
    b"HTTP/2 200 OK\r\n\r\n",
    OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    OK + b"Content-Length: -1\r\n\r\n",
    OK + b"Transfer-Encoding: gzip\r\n\r\n",
    OK + b"Content-Length: 1\r\n\r\nxy",
    OK + b"Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
    OK + b"Transfer-Encoding: chunked\r\n\r\nx\r\n",
    b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"HTTP/1.1 103 X\r\n\r\n" * 9 + OK + b"\r\n",
    OK + b"A: " + b"x" * 70000,
    OK + b"A: 1\r\n" * 101 + b"\r\n",
)


class Hostile(base.Case):
    def feed(self, data, by_byte):
        client = self.sb.client()
        for i in range(0, len(data), 1 if by_byte else len(data)):
            try:
                client.send(data[i:i + (1 if by_byte else len(data))])
            except (BrokenPipeError, ConnectionResetError):
                break
        return client

    def test_bad_heads_are_refused_before_any_backend(self):
        for status, data in HEADS:
            for by_byte in (False, True):
                if by_byte and len(data) > 1000:
                    continue
                with self.subTest(data=data[:60], by_byte=by_byte):
                    client = self.feed(data, by_byte)
                    response = client.response()
                    self.assert_error(response, status)
                    self.assertEqual(response[0]["connection"], "close")
        self.assertTrue(self.sb.asks.empty())

    def test_an_empty_line_before_a_request_is_skipped(self):
        self.sb.backend("acme.localhost").serve(echo)
        client = self.sb.client(b"\r\nGET /a HTTP/1.1\r\n" + HOST + b"\r\n")
        self.assertEqual(client.response()[1], b"/a")

    def test_bad_chunks_abort_the_upstream(self):
        backend = self.sb.backend("acme.localhost")
        for chunk in CHUNKS:
            with self.subTest(chunk=chunk[:30]):
                client = self.sb.client(
                    b"POST / HTTP/1.1\r\n" + HOST +
                    b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
                upstream = backend.accept()
                upstream.until(b"2\r\nok\r\n")
                client.send(chunk)
                self.assert_error(client.response(), 400)
                self.assertNotIn(b"0\r\n\r\n", upstream.rest())

    def test_a_bad_chunk_after_the_answer_began_cuts_it(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(
            b"POST / HTTP/1.1\r\n" + HOST +
            b"Transfer-Encoding: chunked\r\n\r\n")
        upstream = backend.accept()
        upstream.head()
        upstream.send(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        client.head()
        self.assertEqual(client.chunk(), b"x")
        client.send(b"zz\r\n")
        self.assertTrue(client.ended())
        self.assertTrue(upstream.ended())

    def test_a_backend_that_breaks_http_is_a_502(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client()
        for answer in ANSWERS:
            with self.subTest(answer=answer[:60]):
                self.get(client=client)
                upstream = backend.accept()
                upstream.head()
                try:
                    upstream.send(answer)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # refused before all of it was sent
                response = client.response()
                self.assert_error(response, 502)
                self.assertNotIn("connection", response[0])
                self.assertTrue(upstream.ended())

    def test_a_long_head_passes(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.send(OK + b"A: " + b"x" * 60000 +
                      b"\r\nContent-Length: 3\r\n\r\nend")
        head, body = client.response()
        self.assertEqual((len(head["a"]), body), (60000, b"end"))

    def test_eight_1xx_pass(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 103 X\r\n\r\n" * 8 + OK +
                      b"Content-Length: 0\r\n\r\n")
        for _ in range(8):
            self.assertEqual(client.head().status, 103)
        self.assertEqual(client.head().status, 200)

    def test_an_error_follows_a_1xx(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 103 X\r\n\r\n")
        self.assertEqual(client.head().status, 103)
        upstream.send(b"garbage\r\n\r\n")
        self.assert_error(client.response(), 502)

    def test_short_bodies_cut_the_client(self):
        backend = self.sb.backend("acme.localhost")
        for head, part in (
                (OK + b"Content-Length: 10\r\n\r\n", b"12345"),
                (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n12345\r\n"),
                (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"a\r\n12345")):
            client = self.get()
            upstream = backend.accept()
            upstream.head()
            upstream.send(head + part)
            client.head()
            client.until(b"12345")
            upstream.close()
            self.assertIn(client.rest(), (b"", b"\r\n"))

    def test_a_short_body_before_any_byte_is_a_502(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Le")
        upstream.close()
        self.assert_error(client.response(), 502, "within the head")

    def test_a_reset_body_until_close_resets_an_old_client(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(b"POST / HTTP/1.0\r\n" + HOST +
                                b"Content-Length: 4\r\n\r\n")
        upstream = backend.accept()
        upstream.until(b"\r\n\r\n")
        upstream.send(OK + b"\r\nhello")
        client.until(b"hello")
        client.send(b"body")
        self.assertTrue(select.select([upstream.sock], [], [], 20)[0])
        upstream.close()  # with unread bytes: a reset
        try:
            rest = client.rest()
        except ConnectionResetError:
            return
        self.fail("a cut body looks whole: %r" % rest)

    def test_bodies_where_none_may_be_are_dropped(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client()
        for method, answer in (
                (b"HEAD", OK + b"Content-Length: 3\r\n\r\nabc"),
                (b"GET", b"HTTP/1.1 304 X\r\nContent-Length: 3\r\n\r\nabc"),
                (b"GET", b"HTTP/1.1 204 X\r\n\r\nabc")):
            client.send(method + b" / HTTP/1.1\r\n" + HOST + b"\r\n")
            upstream = backend.accept()  # the last one was not used again
            upstream.head()
            upstream.send(answer)
            client.response(is_head=True)
            self.assertTrue(upstream.ended())
        self.assertEqual(client.buf, b"")

    def test_an_idle_backend_that_speaks_is_dropped(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.send(OK + b"Content-Length: 0\r\n\r\n")
        client.response()
        upstream.send(OK + b"Content-Length: 6\r\n\r\npoison")
        self.assertTrue(upstream.ended())
        backend.serve(echo)
        self.assertEqual(self.get("/a", client=client).response()[1], b"/a")

    def test_a_client_that_never_ends_its_head_costs_no_more(self):
        slow = [self.sb.client(b"GET / HTTP/1.1\r\nA: ") for _ in range(200)]
        self.sb.backend("acme.localhost").serve(echo)
        self.assertEqual(self.get("/a").response()[1], b"/a")
        self.assert_small()
        for client in slow:
            client.close()

    def test_random_bytes_from_both_sides(self):
        rng = random.Random(7)
        words = [b"GET / HTTP/1.1\r\n", HOST, b"\r\n", b"Content-Length: 5",
                 b"Transfer-Encoding: chunked", b"5\r\nhello\r\n", b"0\r\n\r\n",
                 b"HTTP/1.1 200 OK\r\n", b"Connection: close\r\n", b"\0", b":",
                 b"HTTP/1.1 100 Continue\r\n\r\n", b"x" * 5000, b"POST ",
                 b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\n"]

        def junk():
            return b"".join(rng.choice(words) for _ in range(rng.randint(1, 9)))

        def answer(peer):
            try:
                peer.head()
                peer.send(rng.choice((b"", OK)) + junk())
            except (OSError, EOFError):
                pass

        self.sb.backend("acme.localhost").serve(answer)
        for i in range(300):
            client = self.sb.client()
            try:
                if i % 2:
                    self.get(client=client)
                client.send(junk())
                client.shut()
                client.rest()
            except OSError:
                pass
            client.close()
        self.sb.backend("fine").serve(echo)
        self.assertEqual(self.get("/", host="fine").response()[1], b"/")


def suite():
    return unittest.defaultTestLoader.loadTestsFromTestCase(Hostile)
