# SPDX-License-Identifier: MIT
"""test_peers: the switchboard beside nginx and haproxy on the same bytes.

Each proxy gets each stream of bytes on a connection of its own, in front of a
backend of its own that reads strictly and records what reaches it. Two claims:

  what we accept, one of the two accepts as well;
  a request that reaches our backend is cut out of the stream where nginx or
  haproxy cut it too: same method, same path, same body, in the same order.

The second is what request smuggling needs to be false. Streams are those of
the tables of switchboard_hostile_test.py, and seeded mutations of good ones.
PEERS_SEED and PEERS_STREAMS play others, or more. Without nginx or haproxy
(deploy/deps.sh test) this is skipped.
"""

import os
import random
import re
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import switchboard_hostile_test as hostile
from pool import build_dir, hold_ports
from switchboard_play import Switchboard, until

SEED = int(os.environ.get("PEERS_SEED", "3"))
N_STREAMS = int(os.environ.get("PEERS_STREAMS", "400"))
QUIET_S = 0.15  # a proxy that says nothing for so long waits for more bytes
BUSY_S = 3  # … or for a processor: a stream they differ on is played again
HOST = b"Host: acme.localhost\r\n"


class Origin:
    """A backend that answers 200 and records whole requests, in one thread.

    All input that is there is read before anything is answered, so that the
    answer to a probe says that everything sent earlier was recorded.
    """

    def __init__(self, path):
        self.path = path
        self.seen = []
        self.bad = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o777)
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.stopper, self.stopped = socket.socketpair()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.stopped, selectors.EVENT_READ)
        self.pending = {}
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            ready = [key.fileobj for key, _ in self.selector.select()]
            if self.stopped in ready:
                break
            for sock in ready:
                self.accept() if sock is self.listener else self.read(sock)
            for sock in list(self.pending):
                self.answer(sock)
        for sock in list(self.pending) + [self.listener, self.stopped]:
            sock.close()
        self.selector.close()

    def accept(self):
        conn, _ = self.listener.accept()
        conn.setblocking(False)
        self.pending[conn] = b""
        self.selector.register(conn, selectors.EVENT_READ)

    def drop(self, sock):
        del self.pending[sock]
        self.selector.unregister(sock)
        sock.close()

    def read(self, sock):
        try:
            data = sock.recv(1 << 16)
        except OSError:
            data = b""
        if data:
            self.pending[sock] += data
        else:
            self.drop(sock)

    def answer(self, sock):
        while sock in self.pending:
            data = self.pending[sock]
            try:
                request = take_request(data)
            except ValueError as e:
                self.bad.append((str(e), data[:200]))
                self.drop(sock)
                return
            if not request:
                return
            method, target, body, used = request
            self.pending[sock] = data[used:]
            if target != b"/probe":
                self.seen.append((method, target, body))
            try:
                sock.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
                          + (b"" if method == b"HEAD" else b"ok"))
            except OSError:
                self.drop(sock)

    def taken(self):
        seen, self.seen = self.seen, []
        return seen

    def close(self):
        self.stopper.close()
        self.thread.join()


def take_request(data):
    """(method, target, body, bytes used) of a whole request, or None."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = data[:end].split(b"\r\n")
    parts = lines[0].split(b" ")
    if len(parts) != 3 or not re.fullmatch(rb"HTTP/1\.[01]", parts[2]):
        raise ValueError("request line")
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+",
                                         name):
            raise ValueError("field line")
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding") and (
                name in fields):
            raise ValueError("two of " + name.decode())
        fields[name] = value.strip(b" \t")
    at = end + 4
    length = fields.get(b"content-length")
    coding = fields.get(b"transfer-encoding")
    if length is not None and coding is not None:
        raise ValueError("two framings")
    if length is not None:
        if not re.fullmatch(rb"[0-9]+", length):
            raise ValueError("length")
        n = int(length)
        if len(data) < at + n:
            return None
        return parts[0], parts[1], data[at:at + n], at + n
    if coding is None:
        return parts[0], parts[1], b"", at
    if coding.lower() != b"chunked":
        raise ValueError("coding")
    body = b""
    while True:
        line = data.find(b"\r\n", at)
        if line < 0:
            return None
        n = int(data[at:line].split(b";")[0], 16)
        at = line + 2
        if not n:
            break
        if len(data) < at + n + 2:
            return None
        if data[at + n:at + n + 2] != b"\r\n":
            raise ValueError("chunk")
        body += data[at:at + n]
        at += n + 2
    end = data.find(b"\r\n", at)
    while end >= 0 and end != at:
        at = end + 2
        end = data.find(b"\r\n", at)
    return None if end < 0 else (parts[0], parts[1], body, end + 2)


class Proxy:
    """A proxy on a port in front of an Origin; plays one stream at a time."""

    def __init__(self, folder, name):
        self.name = name
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o755)
        self.origin = self.make_origin()

    def make_origin(self):
        return Origin(os.path.join(self.folder, "origin"))

    def connect(self, quiet_s):
        s = socket.create_connection(("127.0.0.1", self.port))
        s.settimeout(quiet_s)
        return s

    def probe(self):
        """A round trip that goes to the backend and back."""
        s = socket.create_connection(("127.0.0.1", self.port))
        s.settimeout(20)
        with s:
            s.sendall(b"GET /probe HTTP/1.1\r\n" + HOST +
                      b"Connection: close\r\n\r\n")
            while s.recv(4096):
                pass

    def play(self, stream, quiet_s=QUIET_S):
        """What reached the backend, and the statuses that came back."""
        said = b""
        with self.connect(quiet_s) as s:
            try:
                s.sendall(stream)
                while True:
                    data = s.recv(1 << 16)
                    if not data:
                        break
                    said += data
            except (socket.timeout, ConnectionError):
                pass
        self.probe()
        return self.origin.taken(), statuses(said)

    def close(self):
        self.origin.close()


def statuses(said):
    return [int(s) for s in re.findall(rb"HTTP/1\.[01] ([0-9]{3})", said)]


class Program(Proxy):
    """One of the two others, run from a configuration."""

    def __init__(self, folder, name, argv, text):
        super().__init__(folder, name)
        self.held, = hold_ports(1)
        self.port = self.held.getsockname()[1]
        conf = os.path.join(self.folder, "conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(text % {"dir": self.folder, "port": self.port,
                            "origin": self.origin.path})
        self.process = subprocess.Popen(
            [a % {"dir": self.folder, "conf": conf} for a in argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        until(self.is_up, name + " to listen")

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(self.name + " ended at its start")
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        except ConnectionRefusedError:
            return False

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.held.close()
        super().close()


class Ours(Proxy):
    def __init__(self, folder):
        super().__init__(folder, "ours")
        self.sb = Switchboard(
            os.path.join(build_dir(), "switchboard", "switchboard"))
        self.sb.routes["acme.localhost"] = self.origin
        self.port = self.sb.port
        self.asked = threading.Thread(target=self.refuse, daemon=True)
        self.asked.start()

    def refuse(self):
        """Any host but one is unknown."""
        while True:
            ask = self.sb.asks.get()
            if ask is None:
                return
            self.sb.failed(ask[0], 404)

    def close(self):
        self.sb.asks.put(None)
        self.asked.join()
        status, bad = self.sb.stop()
        super().close()
        if status or bad:
            raise AssertionError("the switchboard: %s %s" % (status, bad))


NGINX = """daemon off; master_process off; worker_processes 1;
pid %(dir)s/pid; error_log %(dir)s/error crit;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path %(dir)s/b; proxy_temp_path %(dir)s/p;
  fastcgi_temp_path %(dir)s/f; uwsgi_temp_path %(dir)s/u;
  scgi_temp_path %(dir)s/s;
  upstream origin { server unix:%(origin)s; keepalive 4; }
  server { listen 127.0.0.1:%(port)s; server_name acme.localhost;
    large_client_header_buffers 4 16k;
    location / { proxy_pass http://origin; proxy_http_version 1.1;
      proxy_request_buffering off; proxy_set_header Host $host;
      proxy_set_header Connection ""; } }
  server { listen 127.0.0.1:%(port)s default_server; return 404; }
}
"""

HAPROXY = """global
  nbthread 1
  maxconn 256
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:%(port)s
  http-request deny deny_status 404 unless { hdr(host),field(1,:) -i acme.localhost }
  default_backend b
backend b
  http-reuse never
  server s unix@%(origin)s
"""

GOOD = (
    b"GET /a HTTP/1.1\r\n" + HOST + b"Accept: */*\r\n\r\n",
    b"POST /b HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello",
    b"POST /c HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
    b"PUT /d?q=1 HTTP/1.1\r\n" + HOST + b"X-A: b\r\n"
    b"Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
    b"1\r\nx\r\n0\r\nX-T: 1\r\n\r\n",
    b"HEAD /e HTTP/1.1\r\n" + HOST + b"Connection: keep-alive, x-a\r\n"
    b"X-A: 1\r\n\r\n",
    b"GET http://acme.localhost/f HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET /g HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n\r\n",
    b"DELETE /h HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
    b"GET /i HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
    b"POST /j HTTP/1.1\r\n" + HOST + b"Content-Length: 24\r\n\r\n"
    b"GET /smuggled HTTP/1.1\r\n",
    b"GET /k HTTP/1.1\r\n" + HOST + b"Upgrade: h2c\r\n"
    b"Connection: upgrade\r\n\r\n",
    b"\r\nGET /l HTTP/1.1\r\n" + HOST + b"\r\n",
)

# What is put somewhere: bytes that parsers disagree about, and whole fields.
SPICE = (
    b"\r", b"\n", b"\r\n", b"\0", b" ", b"\t", b"\x0b", b"\x0c", b"\x7f",
    b"\x80", b"\xff", b":", b";", b",", b"+", b"-", b"0", b"0x", b"_", b"#",
    b"\\", b"\"", b"%00", b"//", b"\r\n ", b"\r\n\t", b" : ", b"\xa0",
    b"Content-Length: 5\r\n", b"Content-Length: 0\r\n",
    b"Content-Length:\r\n", b"Content-Length: 05\r\n",
    b"Content-Length: 5, 5\r\n", b"content_length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding:\tchunked\r\n", b"Transfer-Encoding: xchunked\r\n",
    b"Transfer_Encoding: chunked\r\n", b"Transfer-Encoding : chunked\r\n",
    b"transfer-encoding: \"chunked\"\r\n", b"Transfer-Encoding: \r\n",
    b"Host: beta.localhost\r\n", b"Connection: close\r\n",
    b"Connection: Content-Length\r\n", b"Connection: transfer-encoding\r\n",
    b"Expect: 100-continue\r\n", b"Trailer: Content-Length\r\n",
    b"Upgrade: websocket\r\nConnection: upgrade\r\n",
    b"0\r\n\r\n", b"00\r\n", b"5\r\nhello\r\n", b"ffffffffffffffff\r\n",
    b"10000000000000000\r\n", b"1;\r\n", b"1 \r\n", b"1 ;a\r\n",
)


def mutate(rng, stream):
    """Change a stream in one to three places."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(stream) + 1)
        lines = [m.end() for m in re.finditer(rb"\n", stream)] or [0]
        kind = rng.randrange(8)
        if kind < 3:
            at = rng.choice(lines) if rng.random() < 0.6 else at
            stream = stream[:at] + rng.choice(SPICE) + stream[at:]
        elif kind == 3:
            stream = stream[:at] + stream[at + rng.choice((1, 1, 2, 5)):]
        elif kind == 4:
            i = rng.randrange(len(lines))
            begin = lines[i - 1] if i else 0
            stream = stream[:lines[i]] + stream[begin:lines[i]] + (
                stream[lines[i]:])
        elif kind == 5:
            at = rng.choice(lines)
            stream = stream[:at - 2] + b"\n" + stream[at:]
        elif kind == 6 and at < len(stream):
            stream = stream[:at] + bytes([stream[at] ^ 0x20]) + (
                stream[at + 1:])
        elif kind == 7:
            stream = re.sub(rb"\d+\r\n", rng.choice(
                (b"6\r\n", b"4\r\n", b"05\r\n", b"0\r\n", b"5\n")), stream,
                count=1)
    return stream


def streams():
    """All streams, each with a name; the last request tells their ends."""
    end = b"GET /end HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    found = [("head %d" % i, data + end)
             for i, (_, data) in enumerate(hostile.HEADS)]
    found += [("chunk %d" % i, b"POST /chunk HTTP/1.1\r\n" + HOST +
               b"Transfer-Encoding: chunked\r\n\r\n" + data +
               b"0\r\n\r\n" + end)
              for i, data in enumerate(hostile.CHUNKS)]
    found += [("good %d" % i, data + end) for i, data in enumerate(GOOD)]
    rng = random.Random(SEED)
    for i in range(N_STREAMS):
        data = b"".join(rng.choice(GOOD) for _ in range(rng.choice((1, 2))))
        found.append(("mutation %d" % i, mutate(rng, data) + end))
    return found


def path_of(target):
    """The path of a target; haproxy hands absolute ones on as they came."""
    return re.sub(rb"^https?://[^/?]*", b"", target, flags=re.I) or b"/"


def cut(seen):
    return [(method, path_of(target), body)
            for method, target, body in seen]


def begins(whole, part):
    return whole[:len(part)] == part


def agree(name, played):
    """Whether what ours did is what the claims allow."""
    ours, nginx, haproxy = (seen for seen, _ in played)
    return (ours or not name.startswith("good")) and (
        not ours or nginx or haproxy) and (
        begins(cut(nginx), cut(ours)) or begins(cut(haproxy), cut(ours)))


def which(program):
    """Where a program is; daemons stand outside a user's PATH."""
    return shutil.which(program, path="/usr/sbin:/usr/bin:/bin")


@unittest.skipUnless(which("nginx"),
                     "nginx is not installed: deploy/deps.sh test")
@unittest.skipUnless(which("haproxy"),
                     "haproxy is not installed: deploy/deps.sh test")
class Peers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="holdline-peers-")
        os.chmod(cls.folder, 0o755)
        cls.proxies = []
        cls.addClassCleanup(cls.tear_down)
        cls.proxies.append(Ours(cls.folder))
        cls.proxies.append(Program(cls.folder, "nginx", [
            which("nginx"), "-p", "%(dir)s", "-c",
            "%(conf)s", "-e", "%(dir)s/error"], NGINX))
        cls.proxies.append(Program(cls.folder, "haproxy", [
            which("haproxy"), "-db", "-f", "%(conf)s"],
            HAPROXY))
        cls.streams = streams()
        cls.played = [None] * 3
        threads = [threading.Thread(target=cls.play_all, args=(i,))
                   for i in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for i, (name, data) in enumerate(cls.streams):
            if not agree(name, [p[i] for p in cls.played]):
                for proxy, played in zip(cls.proxies, cls.played):
                    played[i] = proxy.play(data, BUSY_S)

    @classmethod
    def play_all(cls, i):
        cls.played[i] = [cls.proxies[i].play(data) for _, data in cls.streams]

    @classmethod
    def tear_down(cls):
        for proxy in cls.proxies:
            proxy.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def each(self):
        """Each stream with (seen, statuses) of ours, nginx and haproxy."""
        for i, (name, data) in enumerate(self.streams):
            yield name, data, [p[i] for p in self.played]

    def test_good_streams_reach_the_backend_whole(self):
        for name, data, (ours, _, _) in self.each():
            if name.startswith("good"):
                with self.subTest(name=name):
                    self.assertTrue(ours[0], data)

    def test_our_backend_is_sent_nothing_that_reads_in_two_ways(self):
        self.assertEqual(self.proxies[0].origin.bad, [])

    def test_what_we_accept_one_of_the_others_accepts(self):
        for name, data, (ours, nginx, haproxy) in self.each():
            if not ours[0] or nginx[0] or haproxy[0]:
                continue
            with self.subTest(name=name, data=data):
                self.fail("accepted: %s, but nginx %s, haproxy %s" % (
                    ours[0], nginx[1], haproxy[1]))

    def test_requests_are_cut_where_the_others_cut_them(self):
        for name, data, (ours, nginx, haproxy) in self.each():
            mine = cut(ours[0])
            if begins(cut(nginx[0]), mine) or begins(cut(haproxy[0]), mine):
                continue
            with self.subTest(name=name, data=data):
                self.fail("ours: %s, nginx: %s %s, haproxy: %s %s" % (
                    ours[0], *nginx, *haproxy))


if __name__ == "__main__":
    unittest.main()
