# SPDX-License-Identifier: MIT
"""
switchboard_test: the switchboard alone, poold, backends and clients played by
switchboard_play. Run as: switchboard_test.py SWITCHBOARD [sanitized] [TEST…].
What misbehaving peers get stands in switchboard_hostile_test.py, which runs
along.
"""
import json
import re
import resource
import select
import signal
import socket
import sys
import threading
import unittest

import switchboard_play as play
from switchboard_play import (
    DRAIN, DRAINED, EVENT, HELD, PING, PONG, QUIT, RELEASE_ASK, RELEASED,
    WATCH, Peer, Switchboard, echo, until)

EXE = ""
IS_SANITIZED = False
MEGABYTES_100 = 100 * 1000 * 1000
HOST = b"Host: acme.localhost\r\n"


class Case(unittest.TestCase):
    options = {}

    def setUp(self):
        self.sb = Switchboard(EXE, **self.options)

    def tearDown(self):
        status, bad = self.sb.stop()
        self.assertEqual(bad, [])
        self.assertEqual(status, 0)
        for b in self.sb.backends:
            self.assertEqual(b.errors, [])

    def get(self, path="/", host="acme.localhost", extra="", client=None):
        client = client or self.sb.client()
        client.send(("GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n"
                     % (path, host, extra)).encode())
        return client

    def assert_error(self, response, status, text=""):
        head, body = response
        self.assertEqual(head.status, status, body)
        error = json.loads(body)
        self.assertEqual(sorted(error), ["error", "message", "requestId"])
        self.assertIn(text, error["message"])
        self.assertEqual(head["x-request-id"], error["requestId"])
        return error

    def assert_small(self):
        """Below 8 MiB at any time; a sanitizer's own memory is not ours."""
        if not IS_SANITIZED:
            self.assertLess(self.sb.memory_kib("VmHWM"), 8 * 1024)


class Requests(Case):
    def test_connections_are_kept_on_both_sides(self):
        backend = self.sb.backend("acme.localhost").serve(echo)
        client = self.sb.client()
        for path in ("/a", "/b?c=d", "/e"):
            head, body = self.get(path, client=client).response()
            self.assertEqual((head.status, body), (200, path.encode()))
            self.assertNotIn("connection", head)
        self.assertEqual(backend.n_accepted, 1)

    def test_a_request_is_written_anew(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(
            b"GET http://Acme.localhost:80/x HTTP/1.1\r\n"
            b"Host: acme.LOCALHOST:80\r\nConnection: keep-alive, X-Secret\r\n"
            b"X-Secret: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\n"
            b"Holdline_Principal: root\r\nX-Forwarded-For: 9.9.9.9\r\n"
            b"x-request-id: abc-1\r\nAccept: */*\r\n\r\n")
        upstream = backend.accept()
        head = upstream.head()
        self.assertEqual(head.line, "GET /x HTTP/1.1")
        self.assertEqual(head["host"], "acme.localhost:80")
        self.assertEqual(head["x-forwarded-for"], "127.0.0.1")
        self.assertEqual(head["x-forwarded-proto"], "http")
        self.assertEqual(head["x-request-id"], "abc-1")
        self.assertRegex(head["traceparent"], "^00-[0-9a-f]{32}-[0-9a-f]{16}-")
        self.assertEqual(head["accept"], "*/*")
        for gone in ("x-secret", "te", "keep-alive", "connection",
                     "holdline_principal", "content-length",
                     "transfer-encoding"):
            self.assertNotIn(gone, head)
        upstream.send(b"HTTP/1.1 200 Fine\r\nX-Request-Id: other\r\n"
                      b"Content-Length: 2\r\n\r\nok")
        head, body = client.response()
        self.assertEqual((head.line, body), ("HTTP/1.1 200 Fine", b"ok"))
        self.assertEqual(head["x-request-id"], "abc-1")
        self.sb.line(r"exchange abc-1: GET acme\.localhost /x: 200 "
                     r"bytes_in=0 bytes_out=2 ms=\d+$")

    def test_pipelined_requests_are_answered_in_order(self):
        self.sb.backend("acme.localhost").serve(echo)
        requests = b"".join(
            b"POST /%d HTTP/1.1\r\n%sContent-Length: 4\r\n\r\n%04d"
            % (i, HOST, i) for i in range(200))
        client = self.sb.client(requests)
        for i in range(200):
            self.assertEqual(client.response()[1], b"%04d" % i)

    def test_pipelined_refusals_use_no_stack(self):
        client = self.sb.client(b"GET / HTTP/1.0\r\n"
                                b"Connection: keep-alive\r\n\r\n" * 3000)
        for _ in range(3000):
            self.assert_error(client.response(), 404)

    def test_nothing_after_connection_close_is_parsed(self):
        backend = self.sb.backend("acme.localhost").serve(echo)
        client = self.get("/a", extra="Connection: close\r\n")
        client.send(b"GET /b HTTP/1.1\r\n" + HOST + b"\r\n")
        head, body = client.response()
        self.assertEqual((body, head["connection"]), (b"/a", "close"))
        self.assertEqual(client.rest(), b"")
        self.sb.line("/a: 200")
        self.assertEqual(backend.n_accepted, 1)

    def test_expect_is_forwarded_and_100_relayed(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(
            b"POST / HTTP/1.1\r\n" + HOST +
            b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        upstream = backend.accept()
        self.assertEqual(upstream.head()["expect"], "100-continue")
        upstream.send(b"HTTP/1.1 100 Continue\r\n\r\n"
                      b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        self.assertEqual(client.head().status, 100)
        self.assertEqual(client.head()["link"], "</x>")
        client.send(b"abc")
        self.assertEqual(upstream.exactly(3), b"abc")
        upstream.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        self.assertEqual(client.response()[0].status, 204)
        self.assertEqual(self.get("/again", client=client) and
                         upstream.head().line, "GET /again HTTP/1.1")
        upstream.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        client.response()

    def test_an_old_client_gets_no_1xx_and_no_chunks(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(b"GET / HTTP/1.0\r\n" + HOST + b"\r\n")
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 103 Early Hints\r\n\r\n"
                      b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                      b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer-T: 1\r\n\r\n")
        head = client.head()
        self.assertEqual(head.status, 200)
        self.assertNotIn("transfer-encoding", head)
        self.assertEqual(client.rest(), b"abcde")

    def test_an_old_client_may_keep_its_connection(self):
        self.sb.backend("acme.localhost").serve(echo)
        client = self.sb.client()
        for path in (b"/a", b"/b"):
            client.send(b"GET " + path + b" HTTP/1.0\r\n" + HOST +
                        b"Connection: keep-alive\r\n\r\n")
            head, body = client.response()
            self.assertEqual((head["connection"].lower(), body),
                             ("keep-alive", path))

    def test_a_body_until_close_becomes_chunks(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.0 200 OK\r\n\r\nhello")
        upstream.close()
        head, body = client.response()
        self.assertEqual((head["transfer-encoding"], body),
                         ("chunked", b"hello"))
        backend.serve(echo)
        self.assertEqual(self.get("/n", client=client).response()[1], b"/n")

    def test_chunks_are_written_anew_without_trailers(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(
            b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
            b"Trailer: X-T\r\n\r\n003;a=\"b\"\r\nabc\r\n")
        upstream = backend.accept()
        head = upstream.head()
        self.assertEqual(head["transfer-encoding"], "chunked")
        self.assertEqual(upstream.until(b"abc\r\n"), b"3\r\nabc\r\n")
        client.send(b"0\r\nX-T: 1\r\n\r\n")
        self.assertEqual(upstream.until(b"\r\n\r\n"), b"0\r\n\r\n")
        upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                      b"\r\n1\r\nx\r\n0\r\nX-T: 1\r\n\r\n")
        head = client.head()
        self.assertEqual(client.until(b"0\r\n\r\n"), b"1\r\nx\r\n0\r\n\r\n")

    def test_head_204_and_304_have_no_body(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client()
        upstream = None
        for method, answer in (
                (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"),
                (b"HEAD", b"HTTP/1.1 200 OK\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n"),
                (b"GET", b"HTTP/1.1 304 Not Modified\r\n"
                         b"Content-Length: 9\r\n\r\n"),
                (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n")):
            client.send(method + b" / HTTP/1.1\r\n" + HOST + b"\r\n")
            upstream = upstream or backend.accept()
            upstream.head()
            upstream.send(answer)
            head, _ = client.response(is_head=method == b"HEAD")
            self.assertEqual(
                head.line, answer.split(b"\r\n")[0].decode())
            self.assertNotIn("connection", head)
        self.assertEqual(backend.n_accepted, 1)

    def test_our_own_answer_to_head_has_no_body(self):
        client = self.sb.client(b"HEAD / HTTP/1.1\r\nHost: none\r\n\r\n")
        ask, _, host = self.sb.ask()
        self.assertEqual(host, "none")
        self.sb.failed(ask, 404)
        head, _ = client.response(is_head=True)
        self.assertEqual(head.status, 404)
        self.assertGreater(int(head["content-length"]), 20)
        self.get("/", client=client)
        self.sb.failed(self.sb.ask()[0], 404)
        self.assert_error(client.response(), 404)

    def test_an_event_passes_before_the_next_is_made(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get("/events")
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream"
                      b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.assertEqual(client.head()["content-type"], "text/event-stream")
        for i in range(50):
            event = b"data: %d\n\n" % i
            upstream.send(b"%x\r\n%s\r\n" % (len(event), event))
            self.assertEqual(client.chunk(), event)
        upstream.send(b"0\r\n\r\n")
        self.assertIsNone(client.chunk_or_end())

    def test_an_early_answer_ends_the_upload(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(
            b"PUT / HTTP/1.1\r\n" + HOST + b"Content-Length: 9000000\r\n\r\n"
            + b"x" * 1000)
        upstream = backend.accept()
        upstream.head()
        upstream.exactly(1000)
        upstream.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\n"
                      b"big")
        head, body = client.response()
        self.assertEqual((head.status, body, head["connection"]),
                         (413, b"big", "close"))
        upstream.rest()  # the switchboard has closed it
        # What the client still sends is taken, so that no reset destroys
        # the answer; then the client's end ends the connection.
        client.send(b"x" * 100000)
        client.shut()
        self.assertEqual(client.rest(), b"")

    def test_an_early_answer_of_a_backend_that_left(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(
            b"PUT / HTTP/1.1\r\n" + HOST + b"Content-Length: 9000000\r\n\r\n")
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
        upstream.close()
        head, body = client.response()
        self.assertEqual((head.status, body), (403, b"no"))

    def test_a_client_that_leaves_aborts_its_upstream(self):
        backend = self.sb.backend("acme.localhost")
        for answer in (b"", b"HTTP/1.1 200 OK\r\n\r\nx"):
            for end in (Peer.close, Peer.reset):
                client = self.get()
                upstream = backend.accept()
                upstream.head()
                upstream.send(answer)
                if answer:
                    client.head()
                end(client)
                self.assertTrue(upstream.ended())
        client = self.sb.client(
            b"PUT / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
            b"\r\n3\r\nabc\r\n")
        upstream = backend.accept()
        upstream.until(b"abc\r\n")
        client.close()
        self.assertEqual(upstream.rest(), b"")  # no last chunk

    def test_both_bodies_pass_at_once(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(
            b"POST / HTTP/1.1\r\n" + HOST +
            b"Transfer-Encoding: chunked\r\n\r\n")
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.head()
        for i in range(5):
            client.send(b"1\r\n%d\r\n" % i)
            data = upstream.chunk()
            upstream.send(b"1\r\n%s\r\n" % data)
            self.assertEqual(client.chunk(), b"%d" % i)
        client.send(b"0\r\n\r\n")
        self.assertIsNone(upstream.chunk_or_end())
        upstream.send(b"0\r\n\r\n")
        self.assertIsNone(client.chunk_or_end())


class Upgrades(Case):
    REQUEST = (b"GET /ws HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\n"
               b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    ANSWER = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
              b"Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")

    def open(self, early=b""):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(self.REQUEST + early)
        upstream = backend.accept()
        head = upstream.head()
        self.assertEqual(head["upgrade"], "websocket")
        self.assertEqual(head["connection"].lower(), "upgrade")
        upstream.send(self.ANSWER + b"hi")
        head = client.head()
        self.assertEqual((head.status, head["upgrade"]), (101, "websocket"))
        self.assertEqual(client.exactly(2), b"hi")
        return client, upstream

    def test_bytes_pass_both_ways(self):
        client, upstream = self.open(b"early")
        self.assertEqual(upstream.exactly(5), b"early")
        for i in range(20):
            client.send(b"\x81%d" % (i % 10))
            self.assertEqual(upstream.exactly(2), b"\x81%d" % (i % 10))
            upstream.send(b"\x82" * 1000)
            self.assertEqual(client.exactly(1000), b"\x82" * 1000)

    def test_the_clients_half_ends_alone(self):
        client, upstream = self.open()
        client.send(b"bye")
        client.shut()
        self.assertEqual(upstream.rest(), b"bye")
        upstream.send(b"y" * 3000000)
        upstream.close()
        self.assertEqual(len(client.rest()), 3000000)

    def test_the_backends_half_ends_alone(self):
        client, upstream = self.open()
        upstream.send(b"bye")
        upstream.shut()
        self.assertEqual(client.rest(), b"bye")
        client.send(b"y" * 3000000)
        client.shut()
        self.assertEqual(len(upstream.rest()), 3000000)

    def test_a_tunnel_has_bounded_memory(self):
        client, upstream = self.open()
        stream = threading.Thread(
            target=lambda: [upstream.send(b"z" * 100000) for _ in range(300)])
        stream.start()
        self.assertEqual(len(client.exactly(30000000)), 30000000)
        stream.join()
        self.assert_small()

    def test_an_upgrade_may_be_declined(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(self.REQUEST)
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 426 No\r\nContent-Length: 2\r\n\r\nno")
        head, body = client.response()
        self.assertEqual((head.status, body), (426, b"no"))
        self.get("/next", client=client)
        self.assertEqual(upstream.head().line, "GET /next HTTP/1.1")


class Streams(Case):
    """100 MB in bounded memory."""

    def source(self, peer, framed):
        block = b"0123456789abcdef" * 4000
        left = MEGABYTES_100
        while left:
            part = block[:left]
            peer.send(b"%x\r\n%s\r\n" % (len(part), part) if framed else part)
            left -= len(part)
        if framed:
            peer.send(b"0\r\n\r\n")

    def sink(self, peer, framed):
        n = 0
        while n < MEGABYTES_100:
            if framed:
                n += len(peer.chunk_or_end())
                continue
            if not peer.buf:
                peer.more()
            n += len(peer.buf)
            peer.buf = b""
        self.assertEqual(n, MEGABYTES_100)
        if framed:
            self.assertIsNone(peer.chunk_or_end())

    FRAMES = {False: b"Content-Length: %d\r\n\r\n" % MEGABYTES_100,
              True: b"Transfer-Encoding: chunked\r\n\r\n"}

    def pass_on(self, source, sink, framed):
        """Everything from one to the other, on two threads."""
        thread = threading.Thread(target=self.source, args=(source, framed))
        thread.start()
        self.sink(sink, framed)
        thread.join()
        self.assert_small()

    def test_up(self):
        backend = self.sb.backend("acme.localhost")
        for framed, frame in self.FRAMES.items():
            client = self.sb.client(
                b"PUT / HTTP/1.1\r\n" + HOST + frame)
            upstream = backend.accept()
            upstream.head()
            self.pass_on(client, upstream, framed)
            upstream.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
                          b"Content-Length: 0\r\n\r\n")
            self.assertEqual(client.response()[0].status, 200)

    def test_down(self):
        backend = self.sb.backend("acme.localhost")
        for framed, frame in self.FRAMES.items():
            client = self.get()
            upstream = backend.accept()
            upstream.head()
            upstream.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + frame)
            client.head()
            self.pass_on(upstream, client, framed)

    def fill(self, peer):
        """Send until nothing is taken any more; returns the bytes."""
        peer.sock.setblocking(False)
        n = 0
        still = 0
        tick = threading.Event()
        while still < 50:
            try:
                n += peer.sock.send(b"s" * 65536)
                still = 0
            except BlockingIOError:
                still += 1
                tick.wait(0.004)
            self.assertLess(n, MEGABYTES_100 // 2, "nothing stops it")
        peer.sock.settimeout(play.PATIENCE)
        return n

    def finish(self, source, sink, n):
        """The reader goes on: every byte arrives."""
        left = MEGABYTES_100 - n
        thread = threading.Thread(
            target=lambda: source.send(b"s" * left))
        thread.start()
        self.sink(sink, False)
        thread.join()
        self.assert_small()

    def test_a_client_that_stops_reading_stops_its_backend(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 200 OK\r\n" + self.FRAMES[False])
        client.head()
        client.buf = b""
        n = self.fill(upstream)
        self.assert_small()
        self.finish(upstream, client, n)

    def test_a_backend_that_stops_reading_stops_its_client(self):
        backend = self.sb.backend("acme.localhost")
        client = self.sb.client(
            b"PUT / HTTP/1.1\r\n" + HOST + self.FRAMES[False])
        upstream = backend.accept()
        upstream.head()
        n = self.fill(client)
        self.assert_small()
        self.finish(client, upstream, n)

    def test_an_end_waits_for_a_slow_reader(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.0 200 OK\r\n\r\n")
        n = self.fill(upstream)
        upstream.close()
        self.assertEqual(len(client.response()[1]), n)


class Routes(Case):
    def test_one_ask_for_200_first_requests(self):
        clients = [self.get("/%d" % i) for i in range(200)]
        ask, dead, host = self.sb.ask()
        self.assertEqual((dead, host), (0, "acme.localhost"))
        self.sb.client(b"GET / HTTP/1.1\r\nHost: other\r\n\r\n")
        self.assertEqual(self.sb.ask()[2], "other")  # all 200 were read
        backend = self.sb.backend().serve(echo)
        self.sb.ready(ask, host, backend)
        for i, client in enumerate(clients):
            self.assertEqual(client.response()[1], b"/%d" % i)
        self.assertTrue(self.sb.asks.empty())
        self.assert_small()

    # A backend that listens, but may not become ready: ROUTE_STARTING.

    def starting(self, n=1, backlog=4096):
        """n clients whose backend starts: they, its ask and itself."""
        clients = [self.get("/%d" % i) for i in range(n)]
        ask, _, host = self.sb.ask()
        backend = self.sb.backend(backlog=backlog)
        self.sb.starting(ask, host, backend)
        return clients, ask, backend

    def test_requests_are_sent_while_their_backend_starts(self):
        clients, ask, backend = self.starting(20)
        later = self.get("/later")
        upstreams = [backend.accept() for _ in range(21)]
        heads = [u.request()[0] for u in upstreams]
        self.sb.started(ask, "acme.localhost", backend)
        for upstream, head in zip(upstreams, heads):
            path = head.line.split(" ")[1].encode()
            upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                          % (len(path), path))
        for i, client in enumerate(clients):
            self.assertEqual(client.response()[1], b"/%d" % i)
        self.assertEqual(later.response()[1], b"/later")
        # They are kept for what comes next.
        again = self.get("/again")
        self.assertIn("/again", self.any_request(upstreams))
        again.close()
        self.assertTrue(self.sb.asks.empty())

    def any_request(self, upstreams):
        """The start line of the request that came on one of them."""
        ready = select.select([u.sock for u in upstreams], [], [], 20)[0]
        return next(u for u in upstreams if u.sock in ready).head().line

    def test_an_answer_may_come_before_the_readiness(self):
        (client,), ask, backend = self.starting()
        backend.serve(echo)
        self.assertEqual(client.response()[1], b"/0")
        other = self.get("/other")
        self.assertEqual(other.response()[1], b"/other")
        self.sb.started(ask, "acme.localhost", backend)
        self.assertEqual(self.get("/1").response()[1], b"/1")
        self.assertTrue(self.sb.asks.empty())

    def test_a_start_that_fails_is_told_to_all_that_sent(self):
        clients, ask, backend = self.starting(20)
        for i in range(20):
            backend.accept().head()
        self.sb.failed(ask, 504, 0, b"not ready within 10 s (start_timeout)")
        for client in clients:
            self.assert_error(client.response(), 504, "start_timeout")
        again = self.get()
        self.assertEqual(self.sb.ask()[2], "acme.localhost")
        again.close()

    def test_one_that_ends_while_it_starts_is_told_with_its_words(self):
        clients, ask, backend = self.starting(3)
        backend.accept().close()
        backend.close()
        later = self.get()  # finds nobody there
        self.get("/", host="other")
        self.assertEqual(self.sb.ask()[2], "other")  # all were read
        self.sb.failed(ask, 502, 0, b"exit status 1: no such symbol")
        for client in clients + [later]:
            self.assert_error(client.response(), 502, "no such symbol")

    def test_what_was_read_while_it_started_is_not_sent_again(self):
        (client,), ask, backend = self.starting()
        upstream = backend.accept()
        upstream.head()
        upstream.close()
        self.sb.started(ask, "acme.localhost", backend)
        self.assert_error(client.response(), 502, "before it answered")
        self.assertEqual(backend.n_accepted, 1)

    def test_a_small_backlog_of_one_that_starts_is_waited_out(self):
        clients, ask, backend = self.starting(40, backlog=1)
        self.sb.started(ask, "acme.localhost", backend)
        backend.serve(echo)
        for i, client in enumerate(clients):
            self.assertEqual(client.response()[1], b"/%d" % i)

    def test_who_waits_for_a_full_backlog_hears_of_the_next_start(self):
        """It came when another run was ready, and was not told of this one."""
        full = self.sb.backend("acme.localhost", backlog=0)
        first = self.get()
        paused = self.get("/paused")  # nobody accepts
        self.get("/", host="other")
        self.sb.ask()  # all were read
        self.sb.signal(signal.SIGUSR1)
        self.sb.line(": connecting: GET acme.localhost /paused")
        self.sb.routes.clear()
        self.sb.gone(full.generation, b"exit status 3")
        first.close()
        asker = self.get("/asker")
        ask, _, host = self.sb.ask()
        backend = self.sb.backend()
        self.sb.starting(ask, host, backend)
        held = [backend.accept() for _ in range(2)]
        for upstream in held:
            upstream.head()
        self.sb.failed(ask, 504, 0, b"not ready within 10 s (start_timeout)")
        for client in (asker, paused):
            self.assert_error(client.response(), 504, "start_timeout")

    def test_a_small_backlog_is_waited_out(self):
        backend = self.sb.backend("acme.localhost", backlog=1)
        clients = [self.get("/%d" % i) for i in range(60)]
        first = backend.accept()  # only now anything is taken
        backend.serve(echo)
        threading.Thread(
            target=lambda: (echo(first), first.close()), daemon=True).start()
        for i, client in enumerate(clients):
            self.assertEqual(client.response()[1], b"/%d" % i)

    def test_all_that_wait_get_the_failure(self):
        for status, retry, text in (
                (404, 0, "no tenant x"), (502, 0, 'exit status 1: "oh"\n\x01'),
                (503, 7, "max_backends"), (504, 0, "start_timeout")):
            clients = [self.get() for _ in range(20)]
            ask, _, host = self.sb.ask()
            self.sb.client(b"GET / HTTP/1.1\r\nHost: o%d\r\n\r\n" % status)
            self.sb.ask()
            self.sb.failed(ask, status, retry, text.encode())
            for client in clients:
                response = client.response()
                self.assert_error(response, status, text)
                self.assertEqual(
                    response[0].get("retry-after", "0"), str(retry))
                self.assertNotIn("connection", response[0])

    def test_only_so_many_wait(self):
        clients = [self.get() for _ in range(1025)]
        ask, _, host = self.sb.ask()
        refused = [c for c in clients[-1:] if self.assert_error(
            c.response(), 503, "too many")]
        self.assertEqual(len(refused), 1)
        self.sb.failed(ask, 502)
        for client in clients[:-1]:
            self.assertEqual(client.response()[0].status, 502)

    def test_a_request_body_waits_too(self):
        client = self.sb.client(
            b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello")
        ask, _, host = self.sb.ask()
        self.sb.ready(ask, host, self.sb.backend().serve(echo))
        self.assertEqual(client.response()[1], b"hello")

    def test_a_host_of_http_1_0_may_be_missing(self):
        client = self.sb.client(b"GET / HTTP/1.0\r\n\r\n")
        self.assert_error(client.response(), 404, "names no host")
        self.assertTrue(self.sb.asks.empty())

    def test_a_refused_connect_asks_for_another_backend(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get("/1")
        first = backend.accept()
        first.head()
        first.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        client.response()
        del self.sb.routes["acme.localhost"]
        backend.close()
        # The one upstream is busy: others need a connection of their own, and
        # that is refused.
        self.get("/held", client=client)
        first.head()
        clients = [self.get("/%d" % i) for i in range(3)]
        ask, dead, host = self.sb.ask()
        self.assertEqual(dead, backend.generation)
        self.sb.ready(ask, host, self.sb.backend().serve(echo))
        for i, other in enumerate(clients):
            self.assertEqual(other.response()[1], b"/%d" % i)
        first.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(client.response()[0].status, 200)

    def test_a_second_refused_connect_is_a_502(self):
        dead = self.sb.backend("acme.localhost")
        dead.close()
        client = self.get()
        self.assert_error(client.response(), 502, "cannot be reached")
        del self.sb.routes["acme.localhost"]
        self.get(client=client)
        self.sb.ready(*self.sb.ask()[::2], self.sb.backend().serve(echo))
        self.assertEqual(client.response()[0].status, 200)

    def test_a_stale_idle_connection_is_retried(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get("/1")
        first = backend.accept()
        first.head()
        first.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        client.response()
        self.get("/2", client=client)
        first.arrived()
        first.close()  # without reading it
        second = backend.accept()
        self.assertEqual(second.head().line, "GET /2 HTTP/1.1")
        second.close()  # once only, and the backend has answered before
        self.assert_error(client.response(), 502, "before it answered")

    def test_an_end_before_a_request_is_read_is_stale_too(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get("/1")
        first = backend.accept()
        first.head()
        first.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        client.response()
        self.get("/2", client=client)
        first.arrived()
        first.shut()
        backend.serve(echo)
        self.assertEqual(client.response()[1], b"/2")

    def test_a_request_that_was_read_is_never_sent_twice(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get("/1")
        first = backend.accept()
        first.head()
        first.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        client.response()
        self.get("/2", client=client)
        first.head()
        first.close()
        self.assert_error(client.response(), 502, "before it answered")
        self.assertEqual(backend.n_accepted, 1)

    def test_a_post_is_never_sent_twice(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get("/1")
        first = backend.accept()
        first.head()
        first.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        client.response()
        client.send(b"POST /2 HTTP/1.1\r\n" + HOST +
                    b"Content-Length: 0\r\n\r\n")
        first.arrived()
        first.close()
        self.assert_error(client.response(), 502, "before it answered")
        self.assertEqual(backend.n_accepted, 1)

    def test_an_idle_connection_that_the_backend_closes_is_dropped(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get("/1")
        first = backend.accept()
        first.head()
        n_fds = self.sb.n_fds()
        first.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        client.response()
        first.close()
        until(lambda: self.sb.n_fds() == n_fds - 1, "the idle one is closed")
        client.send(b"POST /2 HTTP/1.1\r\n" + HOST +
                    b"Content-Length: 0\r\n\r\n")
        backend.serve(echo)
        self.assertEqual(client.response()[1], b"/2")

    def test_a_start_that_fails_after_ready_is_told(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        # It sees the end first, and waits a second for the word of poold: that
        # the word is there by then is not left to chance.
        self.sb.signal(signal.SIGSTOP)
        upstream.close()
        self.sb.gone(backend.generation, b"exit status 3: no such module")
        self.sb.signal(signal.SIGCONT)
        self.assert_error(client.response(), 502, "no such module")

    def test_a_silent_death_is_told_within_a_second(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.close()
        self.assert_error(client.response(), 502, "before it answered")

    def test_the_end_may_be_known_before_the_connection_ends(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        self.sb.gone(backend.generation, b"signal 9 (Killed)")
        self.get("/", host="other")
        self.sb.ask()  # the message was read
        upstream.close()
        self.assert_error(client.response(), 502, "signal 9")

    def test_a_backend_that_is_gone_is_asked_for_anew(self):
        backend = self.sb.backend("acme.localhost").serve(echo)
        client = self.get()
        client.response()
        del self.sb.routes["acme.localhost"]
        self.sb.gone(backend.generation, b"exit status 0", 1)
        self.get("/new", client=client)
        ask, dead, host = self.sb.ask()
        self.sb.ready(ask, host, self.sb.backend().serve(echo))
        self.assertEqual(client.response()[1], b"/new")

    def test_a_backend_is_released_only_when_it_is_idle(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        generation = backend.generation
        self.sb.send(RELEASE_ASK, generation, 0)
        self.assertEqual(self.sb.message(), (HELD, generation, 1, 1))
        upstream.send(b"HTTP/1.1 204 No\r\n\r\n")
        client.response()
        # poold waits for the end of that exchange: it is told.
        self.assertEqual(self.sb.message(), (HELD, generation, 0, 0))
        self.sb.send(RELEASE_ASK, generation, 3600000)
        kind, of, again_ms, is_busy = self.sb.message()
        self.assertEqual((kind, of, is_busy), (HELD, generation, 0))
        self.assertGreater(again_ms, 3500000)
        self.assertLessEqual(again_ms, 3600000)
        self.sb.send(RELEASE_ASK, generation, 0)
        self.assertEqual(self.sb.message(), (RELEASED, generation))
        self.assertTrue(upstream.ended())
        del self.sb.routes["acme.localhost"]
        self.get(client=client)
        self.assertEqual(self.sb.ask()[1:], (0, "acme.localhost"))
        self.sb.send(RELEASE_ASK, 999, 0)
        self.assertEqual(self.sb.message(), (RELEASED, 999))

    def test_poold_is_told_that_the_loop_turns(self):
        for _ in range(3):
            self.sb.send(PING, 0)
            self.assertEqual(self.sb.message(), (PONG, 0))

    def test_answers_to_nothing_are_dropped(self):
        self.sb.failed(77, 502, 0, b"x")
        self.sb.gone(78)
        self.sb.ready(79, "acme.localhost", self.sb.backend())
        self.sb.backend("acme.localhost").serve(echo)
        self.assertEqual(self.get("/a").response()[1], b"/a")


class Accepting(Case):
    options = {"nofile": 256}
    N_MAX = 96  # (256 - LIMIT_FDS_RESERVED) / 2

    def test_the_longest_idle_client_makes_room(self):
        self.sb.backend("acme.localhost").serve(echo)
        busy = self.get("/a")
        busy.response()
        idle = [self.sb.client() for _ in range(self.N_MAX - 1)]
        self.get("/b", client=busy).response()  # idle since now
        last = self.get("/c")
        self.assertEqual(last.response()[1], b"/c")
        self.assertTrue(idle[0].ended())
        self.assertEqual(self.get("/d", client=busy).response()[1], b"/d")

    def test_without_room_clients_wait_in_the_backlog(self):
        held = [self.get() for _ in range(self.N_MAX - 1)]
        held.append(self.get("/", host="last"))
        asks = [self.sb.ask()[0] for _ in range(2)]  # all were read
        one_more = self.get("/more")
        for ask in asks:
            self.sb.failed(ask, 502)
        for client in held:
            self.assertEqual(client.response()[0].status, 502)
        self.sb.ready(*self.sb.ask()[::2], self.sb.backend().serve(echo))
        self.assertEqual(one_more.response()[1], b"/more")

    def test_idle_upstreams_give_way(self):
        # 40 hosts keep 3 idle connections each, more than there may be.
        backend = self.sb.backend().serve(echo)
        for i in range(40):
            self.sb.routes["h%d" % i] = backend
        for i in range(40):
            clients = [self.sb.client() for _ in range(3)]
            for client in clients:
                self.get("/", host="h%d" % i, client=client)
            for client in clients:
                self.assertEqual(client.response()[0].status, 200)
                client.close()
        until(lambda: self.sb.n_fds() <= self.N_MAX + 10, "they are closed")
        self.assertEqual(self.get("/", host="h0").response()[1], b"/")

    def test_a_shortage_of_descriptors_pauses_accepting(self):
        self.sb.backend("acme.localhost").serve(echo)
        client = self.get("/a")
        client.response()
        pid = self.sb.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (self.sb.n_fds(), 256))
        waiting = [self.get("/w") for _ in range(3)]
        self.sb.line("cannot accept, pausing")
        self.assertEqual(self.get("/b", client=client).response()[1], b"/b")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (256, 256))
        for w in waiting:
            self.assertEqual(w.response()[1], b"/w")
        lines = [l for l in self.sb.log if l and "pausing" in l]
        self.assertEqual(len(lines), 1)

    def test_a_shortage_of_descriptors_is_a_503(self):
        backend = self.sb.backend("acme.localhost")
        busy = self.get("/a")
        upstream = backend.accept()
        upstream.head()
        client = self.sb.client()
        client.send(b"GET /b HTTP/1.1\r\n")
        until(lambda: self.sb.n_fds() > 0, "accepted")
        other = self.sb.client(b"GET / HTTP/1.0\r\n\r\n")
        other.response()  # both were accepted
        other.close()
        pid = self.sb.process.pid
        n = self.sb.n_fds()
        until(lambda: self.sb.n_fds() <= n, "closed")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (5, 256))
        client.send(HOST + b"\r\n")
        self.assert_error(client.response(), 503, "short of")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (256, 256))
        busy.close()


class Admin(Case):
    def ask(self, request):
        return self.sb.client(request, self.sb.admin_port)

    def test_health_and_servers(self):
        for path in (b"health", b"servers"):
            client = self.ask(b"GET /__switchboard/" + path +
                              b" HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(json.loads(client.response()[1])["servers"], [])
        backend = self.sb.backend("acme.localhost").serve(echo)
        self.get().response()
        client = self.ask(b"GET /__switchboard/health HTTP/1.1\r\n"
                          b"Host: x\r\n\r\n")
        head, body = client.response()
        self.assertEqual(head["content-type"], "application/json")
        health = json.loads(body)
        self.assertEqual(health["status"], "ok")
        (server,) = health["servers"]
        uptime = server.pop("uptime")
        self.assertTrue(0 <= uptime < 60000)
        self.assertEqual(server, {"hostname": "acme.localhost", "pid": 4242,
                                  "socket": backend.path})
        self.assertEqual(client.rest(), b"")
        client = self.ask(b"GET /__switchboard/servers?x HTTP/1.1\r\n"
                          b"Host: x\r\n\r\n")
        (server,) = json.loads(client.response()[1])["servers"]
        self.assertRegex(server.pop("startedAt"),
                         r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(sorted(server), ["hostname", "pid", "socket"])

    def read_events(self, minor=1):
        client = self.ask(b"GET /__switchboard/events HTTP/1.%d\r\n"
                          b"Host: x\r\n\r\n" % minor)
        head = client.until(b"\r\n\r\n").lower()
        self.assertIn(b"content-type: text/event-stream", head)
        self.assertEqual(b"transfer-encoding: chunked" in head, minor == 1)
        return client

    def event(self, client):
        """The next event that is no sign of life."""
        said = client.until(b"\n\n")
        while said.startswith(b"event: ping\n"):
            said = client.until(b"\n\n")
        return said

    def say(self, number, kind=1, host=b"a.localhost", text=b""):
        self.sb.send(EVENT, number, 7, 1700000000123, 4242, kind, 2, 1500,
                     b"backoff", b"itself", host, text=text)

    def test_events_reach_all_readers_in_order(self):
        one = self.read_events()
        self.assertEqual(self.sb.message(), (WATCH, 1, 256))
        two = self.read_events(minor=0)
        for number, text in ((5, b""), (6, b"exit status 3: \xc3\xa4"),
                             (7, b"\xff\xfe")):
            self.say(number, kind=3, text=text)
        self.say(8, kind=4, text=b"signal 9 (Killed)")
        said = b""
        for number in (5, 6, 7, 8):
            type_ = b"error" if number == 8 else b"stopped"
            said = two.until(b"\n\n")
            lines = said.split(b"\n")
            self.assertEqual(lines[0], b"event: " + type_)
            self.assertEqual(lines[1], b"id: %d" % number)
            data = json.loads(lines[2].removeprefix(b"data: "))
            chunk = one.until(b"\n\n\r\n").split(b"\r\n")
            self.assertEqual(chunk[1], said)
            self.assertEqual(int(chunk[0], 16), len(said))
            if number == 6:
                self.assertEqual(data, {
                    "type": "stopped", "hostname": "a.localhost",
                    "generation": 7, "pid": 4242, "state": "backoff",
                    "time": "2023-11-14T22:13:20.123Z", "cause": "itself",
                    "status": "exit status 3: \u00e4", "failures": 2,
                    "retryMs": 1500})
        self.assertEqual(data["error"], "itself")
        self.assertEqual(data["message"], "signal 9 (Killed)")
        one.close()
        two.close()
        self.assertEqual(self.sb.message(), (WATCH, 0, 0))

    def test_a_gap_in_the_ids_is_told(self):
        client = self.read_events(minor=0)
        self.sb.message()
        self.say(5)
        self.say(9)
        client.until(b"\n\n")
        self.assertEqual(client.until(b"\n\n"),
                         b'event: lost\ndata: {"type":"lost","n":3}\n\n')
        self.assertIn(b"id: 9\n", client.until(b"\n\n"))

    def test_credit_is_given_as_events_come(self):
        client = self.read_events(minor=0)
        self.assertEqual(self.sb.message(), (WATCH, 1, 256))
        for number in range(1, 129):
            self.say(number)
        self.assertEqual(self.sb.message(), (WATCH, 1, 128))
        client.close()

    def test_a_reader_that_is_too_slow_is_cut_and_others_read_on(self):
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", self.sb.admin_port))
        slow.sendall(b"GET /__switchboard/events HTTP/1.1\r\nHost: x\r\n\r\n")
        fast = self.read_events(minor=0)
        number = 0
        while not any("a reader is too slow" in (l or "") for l in self.sb.log):
            number += 1
            self.say(number, text=b"x" * 500)
            self.assertIn(b"id: %d\n" % number, self.event(fast))
            self.assertLess(number, 50000)
        with self.assertRaises(ConnectionResetError):
            slow.settimeout(play.PATIENCE)
            while slow.recv(65536):
                pass
        slow.close()
        self.say(number + 1)
        self.assertIn(b"id: %d\n" % (number + 1), self.event(fast))

    def test_too_many_readers_are_refused_and_health_is_answered(self):
        readers = [self.read_events() for _ in range(16)]
        r = self.ask(b"GET /__switchboard/events HTTP/1.1\r\n"
                     b"Host: x\r\n\r\n").response()
        self.assert_error(r, 503)
        self.ask(b"GET /__switchboard/health HTTP/1.1\r\n"
                 b"Host: x\r\n\r\n").response()
        for client in readers:
            client.close()

    def test_streams_end_properly_at_quit(self):
        client = self.read_events()
        self.sb.send(DRAIN, 500)
        self.say(1)
        self.sb.send(QUIT, 0)
        rest = client.rest()
        self.assertIn(b"id: 1\n", rest)
        self.assertTrue(rest.endswith(b"\r\n0\r\n\r\n"), rest)
        # A signal from now on would meet a process that is on its way out.
        self.assertEqual(self.sb.process.wait(play.PATIENCE), 0)

    def test_a_hostile_word_of_a_backend_breaks_no_line(self):
        client = self.read_events(minor=0)
        self.say(1, text=b"a\nevent: b\n\n\"c\x01", host=b"h" * 256)
        said = client.until(b"\n\n")
        self.assertEqual(said.count(b"\n"), 4)
        data = json.loads(said.split(b"\n")[2].removeprefix(b"data: "))
        self.assertEqual(data["status"], "a\nevent: b\n\n\"c\x01")
        self.assertEqual(len(data["hostname"]), 255)

    def test_other_methods_paths_and_garbage(self):
        r = self.ask(b"POST /__switchboard/health HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: 2\r\n\r\n{}").response()
        self.assert_error(r, 405)
        self.assertEqual(r[0]["allow"], "GET, HEAD")
        self.assert_error(self.ask(
            b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n").response(), 404)
        self.assert_error(self.ask(b"nonsense\r\n\r\n").response(), 400)
        head = self.ask(b"HEAD /__switchboard/health HTTP/1.1\r\n"
                        b"Host: x\r\n\r\n").response(is_head=True)[0]
        self.assertEqual(head.status, 200)

    def test_tenants_do_not_see_it(self):
        self.sb.backend("acme.localhost").serve(echo)
        client = self.get("/__switchboard/health")
        self.assertEqual(client.response()[1], b"/__switchboard/health")

    def test_it_lists_many(self):
        backend = self.sb.backend().serve(echo)
        for i in range(300):
            self.sb.routes["h%d.example" % i] = backend
        clients = [self.get("/", host="h%d.example" % i) for i in range(300)]
        for client in clients:
            client.response()
        client = self.ask(b"GET /__switchboard/servers HTTP/1.0\r\n\r\n")
        self.assertEqual(len(json.loads(client.response()[1])["servers"]), 300)


class Ending(Case):
    options = {"drain_ms": 3600000}

    def drain(self, drain_ms=3600000):
        self.sb.send(DRAIN, drain_ms)

    def test_draining_lets_what_runs_finish(self):
        backend = self.sb.backend("acme.localhost")
        idle = self.get("/idle")
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 204 No\r\n\r\n")
        idle.response()
        running = self.get("/running")
        upstream.head()
        waiting = self.get("/", host="other")
        half = self.sb.client(b"GET / HT")
        self.sb.ask()
        # Who connected before this one has been read when it is answered.
        self.sb.client(b"GET / HTTP/1.0\r\n\r\n").response()
        self.drain()
        self.assertTrue(idle.ended())
        self.assert_error(waiting.response(), 503, "shutting down")
        half.send(b"TP/1.1\r\n" + HOST + b"\r\n")
        response = half.response()
        self.assert_error(response, 503, "shutting down")
        self.assertEqual(response[0]["retry-after"], "1")
        with self.assertRaises(ConnectionRefusedError):
            self.sb.client()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        head, body = running.response()
        self.assertEqual((head["connection"], body), ("close", b"ok"))
        self.assertEqual(self.sb.message(), (DRAINED, 0))
        self.sb.send(QUIT, 0)
        self.assertEqual(self.sb.wait(), 0)

    def test_what_was_sent_to_one_that_starts_is_finished_too(self):
        """Refused it would be sent again elsewhere, and be done twice."""
        backend = self.sb.backend()
        clients = [self.get("/%d" % i) for i in range(2)]
        ask, _, host = self.sb.ask()
        self.sb.starting(ask, host, backend)
        upstreams = [backend.accept() for _ in clients]
        for upstream in upstreams:
            upstream.head()
        self.drain()
        with self.assertRaises(ConnectionRefusedError):
            while True:
                self.sb.client().ended()
        self.sb.started(ask, host, backend)
        for upstream in upstreams:
            upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        for client in clients:
            head, body = client.response()
            self.assertEqual((head["connection"], body), ("close", b"ok"))
        self.assertEqual(self.sb.message(), (DRAINED, 0))
        self.sb.send(QUIT, 0)
        self.assertEqual(self.sb.wait(), 0)

    def stream(self, backend, fields):
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        upstream.send(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n")
        client.head()
        return client, upstream

    def test_streams_are_ended_properly_and_others_cut(self):
        backend = self.sb.backend("acme.localhost")
        events, up = self.stream(
            backend, b"Content-Type: text/event-stream; charset=utf-8\r\n"
            b"Transfer-Encoding: chunked\r\n")
        up.send(b"9\r\ndata: 1\n\n\r\n")
        self.assertEqual(events.chunk(), b"data: 1\n\n")
        self.drain()
        self.assertEqual(self.sb.message(), (DRAINED, 1))
        self.sb.send(QUIT, 0)
        self.assertIsNone(events.chunk_or_end())
        self.assertEqual(events.rest(), b"")
        self.assertEqual(self.sb.wait(), 0)

    def test_what_does_not_drain_is_cut(self):
        backend = self.sb.backend("acme.localhost")
        chunked, up = self.stream(backend, b"Transfer-Encoding: chunked\r\n")
        up.send(b"1\r\nx\r\n")
        self.assertEqual(chunked.chunk(), b"x")
        asking = self.get()
        asked = backend.accept()
        asked.head()
        self.drain(1)
        self.assertEqual(self.sb.message(), (DRAINED, 2))
        self.sb.send(QUIT, 0)
        self.assertEqual(chunked.rest(), b"")  # no last chunk
        self.assert_error(asking.response(), 503, "shutting down")
        self.assertEqual(self.sb.wait(), 0)

    def test_signals_end_it_in_order(self):
        for signo in (signal.SIGTERM, signal.SIGINT):
            sb = Switchboard(EXE)
            client = sb.client(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            sb.ask()
            sb.signal(signo)
            self.assert_error(client.response(), 503)
            self.assertEqual(sb.message(), (DRAINED, 0))
            self.assertEqual(sb.wait(), 0)
            self.assertEqual(sb.stop(), (0, []))

    def test_a_second_signal_hurries(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get()
        upstream = backend.accept()
        upstream.head()
        self.sb.signal(signal.SIGTERM)
        self.sb.line("draining")
        self.sb.signal(signal.SIGTERM)
        self.assert_error(client.response(), 503)
        self.assertEqual(self.sb.wait(), 0)

    def test_it_tells_what_is_under_way_when_asked(self):
        backend = self.sb.backend("acme.localhost")
        client = self.get("/slow")
        upstream = backend.accept()
        upstream.head()
        self.sb.signal(signal.SIGUSR1)
        self.sb.line("exchanges: 1 under way, 0 of them streams")
        self.sb.line("asking: GET acme.localhost /slow bytes_in=0")
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(client.response()[0].status, 200)

    def test_it_does_not_outlive_poold(self):
        self.sb.channel.shutdown(socket.SHUT_RDWR)
        self.assertEqual(self.sb.wait(), 1)
        self.sb.line("channel is closed")
        self.sb = Switchboard(EXE)  # for tearDown

    def test_its_title_says_what_it_is(self):
        with open("/proc/%d/cmdline" % self.sb.process.pid, "rb") as f:
            self.assertTrue(f.read().startswith(b"holdline: switchboard"))


def main():
    global EXE, IS_SANITIZED
    EXE = sys.argv[1]
    IS_SANITIZED = "sanitized" in sys.argv[2:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (
        resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    names = [a for a in sys.argv[2:] if a != "sanitized"]
    me = sys.modules["__main__"]
    import switchboard_hostile_test as hostile
    hostile.EXE = EXE
    load = unittest.defaultTestLoader
    if names:
        suite = unittest.TestSuite(
            load.loadTestsFromName(n, hostile if hasattr(
                hostile, n.split(".")[0]) and not hasattr(
                    me, n.split(".")[0]) else me) for n in names)
    else:
        suite = unittest.TestSuite(
            [load.loadTestsFromModule(me), hostile.suite()])
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    print("switchboard_test: %d tests, %d failed" % (
        result.testsRun, len(result.failures) + len(result.errors)))
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.modules["switchboard_test"] = sys.modules["__main__"]
    sys.exit(main())
