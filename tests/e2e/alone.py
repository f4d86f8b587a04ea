# SPDX-License-Identifier: MIT
"""alone: a tools backend without poold and switchboard, for a test.

Alone makes the listening socket that poold would make, starts the program on
it, keeps what it logs and sees to it that nothing is left. Link is one HTTP
connection to it; Legacy and Modern speak the two eras of MCP over such
connections by hand, so that a test can do what no library does. Every message
that comes back is checked against the published schemas.
"""

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time

import mcp_schema
from pool import IN_TIME_S, PATIENCE_S, build_dir, children

HOST = "acme.localhost"
MODERN = "2026-07-28"
META = "io.modelcontextprotocol/"
ALL = {"elicitation": {}, "sampling": {}}
VERSION = 2  # PROTO_VERSION
SPOKEN = ("runtime error", "AddressSanitizer", "LeakSanitizer", "must:")


class Alone:
    """One backend; a context manager that ends it and looks at its end."""

    running = set()

    def __init__(self, *options, tools=None, channel=False):
        self.dir = tempfile.mkdtemp(prefix="holdline-alone-")
        self.path = os.path.join(self.dir, "s")
        build = build_dir()
        self.tools = tools or [
            f"{build}/backend/tools/fixtures.so",
            f"{build}/backend/tools/book_flight.so",
            f"{build}/tests/e2e/tool_pair.so"]
        self.lines = []
        self.links = []
        self.more = threading.Condition()
        self.status = None
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(128)
        self.poold = None
        theirs = None
        if channel:
            self.poold, theirs = socket.socketpair(
                socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.poold.settimeout(PATIENCE_S)
        said, says = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self._exec(listener, says, theirs, options)
        Alone.running.add(self.pid)
        listener.close()
        os.close(says)
        if theirs:
            theirs.close()
        self.reader = threading.Thread(target=self._read, args=(said,))
        self.reader.start()

    def _exec(self, listener, says, theirs, options):
        env = dict(os.environ, LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        if theirs:
            channel = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD, 10)
            os.set_inheritable(channel, True)
            env["HOLDLINE_CHANNEL"] = str(channel)
        os.dup2(says, 1)
        os.dup2(says, 2)
        os.dup2(os.dup(listener.fileno()), 3)
        program = f"{build_dir()}/backend/backend"
        try:
            os.execve(program, [program, "-h", HOST, *options, *self.tools],
                      env)
        finally:
            os._exit(127)

    def _read(self, said):
        with os.fdopen(said, errors="replace") as f:
            for line in f:
                with self.more:
                    self.lines.append(line.rstrip())
                    self.more.notify_all()

    def log(self, text, n=1):
        """Wait until n lines with that text were logged."""
        with self.more:
            ok = self.more.wait_for(
                lambda: sum(text in x for x in self.lines) >= n, PATIENCE_S)
        if not ok:
            raise AssertionError(f"never logged {text!r}: {self.lines}")

    def end(self, signo=signal.SIGTERM):
        """Send a signal; (exit status, seconds)."""
        began = time.monotonic()
        os.kill(self.pid, signo)
        return self.reap(), time.monotonic() - began

    def reap(self):
        """Wait until it has ended; the wait status as an exit code."""
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(
                os.waitpid(self.pid, 0)[1])
            self.reader.join()
        return self.status

    def heard(self):
        """The next message on the channel: (type, payload); None: closed."""
        packet = self.poold.recv(4096)
        if not packet:
            return None
        version, kind, size = struct.unpack("<HHI", packet[:8])
        assert version == VERSION and size == len(packet) - 8, packet
        return kind, packet[8:]

    def link(self):
        """A new connection; closed with the backend at the latest."""
        link = Link(self.path)
        self.links.append(link)
        return link

    def rss_kib(self):
        """Resident memory."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(f.read().split("VmRSS:")[1].split()[0])

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.status is None:
            status, took = self.end()
            assert kind or status == 0, f"exit {status}: {self.lines}"
            assert kind or took < IN_TIME_S, f"took {took} s"
        for link in self.links:
            link.close()
        if self.poold:
            self.poold.close()
        shutil.rmtree(self.dir)
        Alone.running.discard(self.pid)
        left = children() - Alone.running
        assert kind or not left, f"left: {left}"
        spoke = [x for x in self.lines if any(w in x for w in SPOKEN)]
        assert not spoke, "\n".join(self.lines)


class Shared:
    """The reading side of a connection, for one response after another."""

    def __init__(self, sock):
        self.file = sock.makefile("rb")

    def makefile(self, *_):
        """What HTTPResponse asks its socket for."""
        return self

    def close(self):
        """The next response reads on."""

    def __getattr__(self, name):
        return getattr(self.file, name)


class Link:
    """One connection; requests are written as they are."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(path)
        self.shared = Shared(self.sock)

    def raw(self, data):
        """Send bytes."""
        self.sock.sendall(data)
        return self

    def send(self, method="POST", body=None, fields=None, path="/mcp"):
        """Send one request."""
        rows = {"Host": HOST, **(fields or {})}
        data = b""
        if body is not None:
            data = body if isinstance(body, bytes) \
                else json.dumps(body).encode()
            rows = {"Content-Type": "application/json",
                    "Accept": "application/json, text/event-stream",
                    "Content-Length": str(len(data)), **rows}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(
            f"{k}: {v}\r\n" for k, v in rows.items() if v is not None)
        return self.raw(head.encode() + b"\r\n" + data)

    def answer(self, method="POST"):
        """Read the head of the next response."""
        r = http.client.HTTPResponse(self.shared, method=method)
        r.begin()
        return r

    def is_closed(self):
        """Whether the other side closes; waits for it."""
        try:
            return self.shared.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        """Go away."""
        self.shared.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Event:
    """One event of a stream."""

    def __init__(self):
        self.type, self.id, self.retry, self.data = "", None, None, None

    @property
    def message(self):
        """Its data as JSON."""
        return json.loads(self.data)


class Stream:
    """The events of a response, one at a time."""

    def __init__(self, link, response, revision, answers="tools/call"):
        self.link, self.response = link, response
        self.revision, self.answers = revision, answers
        kind = response.getheader("Content-Type")
        assert response.status == 200, (response.status, response.read())
        assert kind == "text/event-stream", kind
        assert response.getheader("Cache-Control") == \
            "no-cache, no-transform"
        assert response.getheader("X-Accel-Buffering") == "no"

    def event(self):
        """The next event; None at the proper end of the stream."""
        event = Event()
        while True:
            line = self.response.readline().decode()
            if not line:
                assert self.response.isclosed(), "cut off"
                return None
            line = line.rstrip("\n")
            name, _, value = line.partition(": ")
            if not line and (event.data is not None):
                if event.data:
                    assert event.type == "message", event.type
                    mcp_schema.check(
                        self.revision, event.message, self.answers)
                return event
            if name in ("data:", "data"):
                event.data = value
            elif name == "event":
                event.type = value
            elif name == "id":
                event.id = value
            elif name == "retry":
                event.retry = int(value)

    def message(self):
        """The message of the next event that has one; None at the end."""
        while True:
            event = self.event()
            if event is None:
                return None
            if event.data:
                return event.message

    def until(self, method):
        """Skip to the message of that method; the response is 'result'."""
        while True:
            message = self.message()
            assert message is not None, f"ended before {method}"
            if message.get("method", "result") == method:
                return message

    def result(self):
        """The result, behind which the stream ends."""
        message = self.until("result")
        assert self.event() is None, "more behind the result"
        return message

    def close(self):
        """Leave in the middle."""
        self.response.close()
        self.link.close()


def text_of(message):
    """The first text of a CallToolResult."""
    return message["result"]["content"][0]["text"]


class Legacy:
    """A client that opened with initialize."""

    def __init__(self, alone, revision="2025-11-25", caps=None):
        self.alone, self.revision, self.next_id = alone, revision, 1
        self.open_links = []
        r, message = self.post(
            {"jsonrpc": "2.0", "id": 0, "method": "initialize",
             "params": {"protocolVersion": revision,
                        "capabilities": ALL if caps is None else caps,
                        "clientInfo": {"name": "e2e", "version": "1"}}},
            peer=None, answers="initialize")
        assert r.status == 200, (r.status, message)
        assert message["result"]["protocolVersion"] == revision
        self.peer = r.getheader("Mcp-Session-Id")
        r, _ = self.post({"jsonrpc": "2.0",
                          "method": "notifications/initialized"})
        assert r.status == 202, r.status

    def fields(self, peer=True, **more):
        """What each request carries."""
        rows = {}
        if peer:
            rows["Mcp-Session-Id"] = peer if isinstance(peer, str) \
                else self.peer
            if self.revision != "2025-03-26":
                rows["MCP-Protocol-Version"] = self.revision
        return {**rows, **more}

    def post(self, body, peer=True, answers=None, **more):
        """Send on a connection of its own: (response, its JSON or None)."""
        with self.alone.link() as link:
            link.send(body=body, fields=self.fields(peer, **more))
            r = link.answer()
            data = r.read()
        message = json.loads(data) if data else None
        if message is not None and "jsonrpc" in message:
            mcp_schema.check(self.revision, message, answers)
        return r, message

    def ask(self, method, params=None, **more):
        """A request that is answered by JSON: its message."""
        self.next_id += 1
        body = {"jsonrpc": "2.0", "id": self.next_id, "method": method}
        if params is not None:
            body["params"] = params
        return self.post(body, answers=method, **more)[1]

    def call(self, name, arguments=None, request_id=None, **meta):
        """tools/call: its stream."""
        self.next_id += 1
        link = self.alone.link()
        params = {"name": name, "arguments": arguments or {}}
        if meta:
            params["_meta"] = meta
        link.send(body={"jsonrpc": "2.0", "method": "tools/call",
                        "id": request_id or self.next_id,
                        "params": params}, fields=self.fields())
        return Stream(link, link.answer(), self.revision)

    def get(self, last=None, peer=True):
        """GET: (link, response)."""
        link = self.alone.link()
        rows = self.fields(peer, Accept="text/event-stream")
        if last is not None:
            rows["Last-Event-ID"] = last
        link.send("GET", fields=rows)
        return link, link.answer("GET")

    def resume(self, last):
        """GET with Last-Event-ID: the stream."""
        link, r = self.get(last)
        return Stream(link, r, self.revision)

    def delete(self):
        """DELETE: the status."""
        with self.alone.link() as link:
            link.send("DELETE", fields=self.fields())
            return link.answer("DELETE").status

    def tell(self, request, result=None, error=None, peer=True):
        """Answer a request of the server: (response, JSON)."""
        body = {"jsonrpc": "2.0", "id": request["id"]}
        if error is not None:
            body["error"] = error
        else:
            body["result"] = result
        return self.post(body, peer=peer)

    def accept(self, request, **content):
        """Answer an elicitation with content."""
        r, _ = self.tell(request, {"action": "accept", "content": content})
        assert r.status == 202, r.status

    def cancel(self, request_id):
        """notifications/cancelled."""
        r, _ = self.post({"jsonrpc": "2.0",
                          "method": "notifications/cancelled",
                          "params": {"requestId": request_id}})
        assert r.status == 202, r.status


class Modern:
    """A client that says everything in each request."""

    def __init__(self, alone, caps=None):
        self.alone, self.next_id = alone, 0
        self.caps = ALL if caps is None else caps

    def body(self, method, params=None, caps=None, **meta):
        """A request."""
        self.next_id += 1
        return {"jsonrpc": "2.0", "id": self.next_id, "method": method,
                "params": {**(params or {}), "_meta": {
                    META + "protocolVersion": MODERN,
                    META + "clientInfo": {"name": "e2e", "version": "1"},
                    META + "clientCapabilities":
                        self.caps if caps is None else caps, **meta}}}

    @staticmethod
    def fields(body, **more):
        """The headers that repeat it."""
        rows = {"MCP-Protocol-Version": MODERN, "Mcp-Method": body["method"]}
        if "name" in body["params"]:
            rows["Mcp-Name"] = body["params"]["name"]
        return {**rows, **more}

    def start(self, body, **more):
        """Send it: the link, its answer not read."""
        link = self.alone.link()
        link.send(body=body, fields=self.fields(body, **more))
        return link

    def finish(self, link, body):
        """Read its answer: (status, message, messages before it)."""
        r = link.answer()
        if r.getheader("Content-Type") == "text/event-stream":
            stream, before = Stream(link, r, MODERN), []
            while True:
                message = stream.message()
                if "method" in message:
                    before.append(message)
                    continue
                assert stream.event() is None
                break
        else:
            message, before = json.loads(r.read()), []
            mcp_schema.check(MODERN, message, body["method"])
        assert message.get("id") == body["id"], message
        link.close()
        return r.status, message, before

    def send(self, body, **more):
        """Send it and read its answer, as finish."""
        return self.finish(self.start(body, **more), body)

    def ask(self, method, params=None, **meta):
        """The message that answers a request."""
        return self.send(self.body(method, params, **meta))[1]

    def call(self, name, arguments=None, state=None, answers=None, **meta):
        """tools/call: the message that answers it."""
        return self.send(
            self.call_body(name, arguments, state, answers, **meta))[1]

    def call_body(self, name, arguments=None, state=None, answers=None,
                  **meta):
        """The body of a tools/call."""
        params = {"name": name, "arguments": arguments or {}}
        if state is not None:
            params["requestState"] = state
        if answers is not None:
            params["inputResponses"] = answers
        return self.body("tools/call", params, **meta)


def said(**content):
    """An accepted elicitation."""
    return {"action": "accept", "content": content}


def modelled(text):
    """What a model said."""
    return {"role": "assistant", "content": {"type": "text", "text": text},
            "model": "m", "stopReason": "endTurn"}


def asked(message):
    """The questions of an input_required result, and its state."""
    result = message["result"]
    assert result["resultType"] == "input_required", result
    return result["inputRequests"], result["requestState"]


def reason(message):
    """The reason of an error of ours."""
    assert message["error"]["code"] == -32602, message
    return message["error"]["data"]["reason"]
