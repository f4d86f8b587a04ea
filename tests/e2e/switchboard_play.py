# SPDX-License-Identifier: MIT
"""
switchboard_play: plays everybody that the switchboard talks to: poold on a
SOCK_SEQPACKET channel, backends on unix sockets, clients on TCP. Messages are
packed by hand from common/ipc/proto.h, so that a change of their layout fails
here. Every wait has a deadline; nothing sleeps.
"""
import array
import os
import queue
import re
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 20  # seconds that any single wait may take

HEAD = struct.Struct("=HHI")
LISTEN, START, ROUTE_ASK, ROUTE_READY, ROUTE_FAILED = 1, 2, 3, 4, 5
ROUTE_GONE, RELEASE_ASK, RELEASED, HELD, DRAIN = 6, 7, 8, 9, 10
DRAINED, QUIT, READY = 11, 12, 13
PING, PONG, WATCH, EVENT, ROUTE_STARTING = 24, 25, 26, 27, 28

PAYLOADS = {
    LISTEN: struct.Struct("=I64s"),
    START: struct.Struct("=II"),
    ROUTE_ASK: struct.Struct("=QQ256s"),
    ROUTE_READY: struct.Struct("=QQqiI256s108s4x"),
    ROUTE_FAILED: struct.Struct("=QII"),
    ROUTE_GONE: struct.Struct("=QI4x"),
    RELEASE_ASK: struct.Struct("=QI4x"),
    RELEASED: struct.Struct("=Q"),
    HELD: struct.Struct("=QII"),
    DRAIN: struct.Struct("=I"),
    DRAINED: struct.Struct("=I"),
    QUIT: struct.Struct("=I"),
    READY: struct.Struct("=qqq"),
    PING: struct.Struct("=I"),
    PONG: struct.Struct("=I"),
    WATCH: struct.Struct("=II"),
    EVENT: struct.Struct("=QQqiIII16s16s256s"),
    ROUTE_STARTING: struct.Struct("=QQqiI256s108s4x"),
}


def until(condition, what):
    """Poll a condition that no descriptor announces (memory, threads)."""
    end = time.monotonic() + PATIENCE
    tick = threading.Event()
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("never happened: " + what)
        tick.wait(0.002)


class Peer:
    """A stream socket with a buffer: a client's or a backend's end."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.buf = b""

    def send(self, data):
        self.sock.sendall(data)

    def more(self):
        data = self.sock.recv(65536)
        self.buf += data
        return bool(data)

    def until(self, mark):
        while mark not in self.buf:
            if not self.more():
                raise EOFError("ended before %r: %r" % (mark, self.buf))
        at = self.buf.index(mark) + len(mark)
        out, self.buf = self.buf[:at], self.buf[at:]
        return out

    def exactly(self, n):
        while len(self.buf) < n:
            if not self.more():
                raise EOFError("ended %d bytes early" % (n - len(self.buf)))
        out, self.buf = self.buf[:n], self.buf[n:]
        return out

    def rest(self):
        """Everything until the end; raises on a reset."""
        while self.more():
            pass
        out, self.buf = self.buf, b""
        return out

    def ended(self):
        """Whether the other side ended, by FIN or reset, without a byte."""
        try:
            return not self.buf and not self.more()
        except (ConnectionResetError, BrokenPipeError):
            return True

    def head(self):
        return Head(self.until(b"\r\n\r\n"))

    def chunk(self):
        size = int(self.until(b"\r\n").split(b";")[0], 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data

    def chunks(self):
        out = []
        while True:
            data = self.chunk_or_end()
            if data is None:
                return b"".join(out)
            out.append(data)

    def chunk_or_end(self):
        size = int(self.until(b"\r\n").split(b";")[0], 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data if size else None

    def body(self, head):
        if "transfer-encoding" in head:
            return self.chunks()
        return self.exactly(int(head.get("content-length", 0)))

    def response(self, is_head=False):
        """A final head and its body."""
        head = self.head()
        while head.status < 200 and head.status != 101:
            head = self.head()
        if is_head or head.status in (101, 204, 304):
            return head, b""
        if "transfer-encoding" in head or "content-length" in head:
            return head, self.body(head)
        return head, self.rest()

    def request(self):
        head = self.head()
        return head, self.body(head)

    def arrived(self):
        """Wait for input without reading it."""
        if not select.select([self.sock], [], [], PATIENCE)[0]:
            raise AssertionError("nothing came")

    def shut(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Head(dict):
    """A message head: start line, and fields by lower-case name."""

    def __init__(self, raw):
        super().__init__()
        self.raw = raw
        lines = raw.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.status = int(lines[0].split(" ")[1]) if raw.startswith(
            b"HTTP/") else 0
        for line in lines[1:]:
            if line:
                name, value = line.split(":", 1)
                assert name.lower() not in self, "two fields: " + name
                self[name.lower()] = value.strip()


class Backend:
    """
    A listening unix socket. Each accepted connection is put into a queue
    (accept) or served by a function on a thread of its own (serve).
    """

    def __init__(self, path, backlog=4096):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(path)
        self.sock.listen(backlog)
        self.n_accepted = 0
        self.errors = []

    def accept(self):
        self.sock.settimeout(PATIENCE)
        conn, _ = self.sock.accept()
        self.n_accepted += 1
        return Peer(conn)

    def serve(self, fn):
        """fn(peer) for each connection, until it returns."""
        def one(peer):
            try:
                fn(peer)
            except Exception as e:  # shown by the test
                self.errors.append(e)
            finally:
                peer.close()

        def loop():
            while True:
                try:
                    conn, _ = self.sock.accept()
                except OSError:
                    return
                self.n_accepted += 1
                threading.Thread(
                    target=one, args=(Peer(conn),), daemon=True).start()
        self.sock.settimeout(None)
        threading.Thread(target=loop, daemon=True).start()
        return self

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


def echo(peer):
    """Answer every request with its body, or its target, keep-alive."""
    while True:
        try:
            head, body = peer.request()
        except EOFError:
            return
        body = body or head.line.split(" ")[1].encode()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                  % (len(body), b"" if head.line.startswith("HEAD") else body))


class Switchboard:
    """The program under test, with poold's end of its channel."""

    def __init__(self, exe, nofile=None, drain_ms=500):
        self.dir = tempfile.mkdtemp(prefix="sb-")
        ours, theirs = socket.socketpair(
            socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel = ours
        self.channel.settimeout(PATIENCE)
        self.generation = 0
        self.backends = []
        self.routes = {}
        self.asks = queue.Queue()
        self.inbox = queue.Queue()
        self.log = []
        self.log_grew = threading.Condition()
        fd = theirs.fileno()
        env = dict(os.environ, HOLDLINE_CHANNEL=str(fd))
        env.pop("MALLOC_PERTURB_", None)  # touches what is only reserved
        limit = None
        if nofile:
            def limit():
                resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))
        self.process = subprocess.Popen(
            [exe], env=env, pass_fds=[fd], stderr=subprocess.PIPE,
            preexec_fn=limit)
        theirs.close()
        threading.Thread(target=self.read_log, daemon=True).start()
        self.port = self.listen(0)
        self.admin_port = self.listen(1)
        self.send(START, 100, drain_ms)
        assert self.receive()[0] == READY
        threading.Thread(target=self.read_channel, daemon=True).start()

    # poold's end

    def listen(self, is_admin):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        sock.listen(4096)
        port = sock.getsockname()[1]
        payload = PAYLOADS[LISTEN].pack(is_admin, b"127.0.0.1:%d" % port)
        self.channel.sendmsg(
            [HEAD.pack(2, LISTEN, len(payload)) + payload],
            [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
              array.array("i", [sock.fileno()]))])
        sock.close()
        return port

    def send(self, kind, *fields, text=b""):
        payload = PAYLOADS[kind].pack(*fields) + text
        self.channel.send(HEAD.pack(2, kind, len(payload)) + payload)

    def receive(self):
        data = self.channel.recv(2048)
        if not data:
            raise EOFError("the switchboard closed its channel")
        version, kind, n = HEAD.unpack_from(data)
        assert version == 2 and n == len(data) - HEAD.size
        assert n == PAYLOADS[kind].size, (kind, n)
        return (kind,) + PAYLOADS[kind].unpack_from(data, HEAD.size)

    def read_channel(self):
        """Answer asks for known hosts; queue everything else."""
        self.channel.settimeout(None)
        while True:
            try:
                message = self.receive()
            except (EOFError, OSError):
                return
            if message[0] != ROUTE_ASK:
                self.inbox.put(message)
                continue
            _, ask, dead, host = message
            host = host.rstrip(b"\0").decode()
            if host in self.routes:
                self.ready(ask, host, self.routes[host])
            else:
                self.asks.put((ask, dead, host))

    def ask(self):
        return self.asks.get(timeout=PATIENCE)

    def message(self):
        return self.inbox.get(timeout=PATIENCE)

    def ready(self, ask, host, backend):
        """Answer an ask; returns the generation."""
        self.generation += 1
        backend.generation = self.generation
        self.name(ROUTE_READY, ask, host, backend)
        return self.generation

    def starting(self, ask, host, backend):
        """Promise an answer to an ask; started answers it."""
        self.generation += 1
        backend.generation = self.generation
        self.name(ROUTE_STARTING, ask, host, backend)

    def started(self, ask, host, backend):
        self.name(ROUTE_READY, ask, host, backend)

    def name(self, kind, ask, host, backend):
        self.send(kind, ask, backend.generation, int(time.time() * 1000),
                  4242, 1, host.encode(), backend.path.encode())

    def failed(self, ask, status, retry_after=0, text=b""):
        self.send(ROUTE_FAILED, ask, status, retry_after, text=text)

    def gone(self, generation, text=b"", expected=0):
        self.send(ROUTE_GONE, generation, expected, text=text)

    def backend(self, host=None, backlog=4096):
        """A new backend; with a host, asks for it are answered with it."""
        path = os.path.join(self.dir, "%d.sock" % len(self.backends))
        b = Backend(path, backlog)
        self.backends.append(b)
        if host:
            self.routes[host] = b
        return b

    # clients

    def client(self, data=b"", port=None):
        peer = Peer(socket.create_connection(
            ("127.0.0.1", port or self.port), timeout=PATIENCE))
        peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.send(data)
        return peer

    # the process

    def read_log(self):
        for line in self.process.stderr:
            with self.log_grew:
                self.log.append(line.decode("utf-8", "replace").rstrip())
                self.log_grew.notify_all()
        with self.log_grew:
            self.log.append(None)
            self.log_grew.notify_all()

    def line(self, pattern):
        """Wait for a line of the log that matches."""
        end = time.monotonic() + PATIENCE
        at = 0
        with self.log_grew:
            while True:
                for line in self.log[at:]:
                    if line and re.search(pattern, line):
                        return line
                at = len(self.log)
                if self.log and self.log[-1] is None:
                    raise AssertionError("no line like " + pattern)
                if not self.log_grew.wait(end - time.monotonic()):
                    raise AssertionError("no line like " + pattern)

    def memory_kib(self, name="VmHWM"):
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(name + r":\s+(\d+)", f.read()).group(1))

    def n_fds(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def signal(self, signo):
        os.kill(self.process.pid, signo)

    def wait(self):
        return self.process.wait(PATIENCE)

    def stop(self):
        """End it; returns (exit status, what a sanitizer or must said)."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = "would not end"
            self.process.wait()
        with self.log_grew:
            self.log_grew.wait_for(
                lambda: self.log and self.log[-1] is None, PATIENCE)
        self.process.stderr.close()
        self.channel.close()
        for b in self.backends:
            b.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        bad = [l for l in self.log if l and re.search(
            r"ERROR: |runtime error|broken invariant|SUMMARY", l)]
        return status, bad
