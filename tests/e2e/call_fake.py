# SPDX-License-Identifier: MIT
"""call_fake: MCP servers that do what a test says, and a terminal.

Fake is HTTP with nothing hidden: a test's function gets each request and
writes bytes. Modern (2026-07-28) and Legacy (2025-11-25) run a tool, which is
a generator: it yields {name: request} and is sent {name: answer}. Terminal
runs the program under test on a pseudo-terminal.
"""

import json
import os
import pty
import queue
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("HOLDLINE_BUILD",
                       os.path.join(HERE, "..", "..", "build"))
HOLDLINE = os.environ.get("HOLDLINE_CALL",
                          os.path.join(BUILD, "poold", "ctl", "holdline"))
PATIENCE_S = 30
META = "io.modelcontextprotocol/"


def elicit(message, properties, required=None):
    """An ElicitRequest for a form."""
    return {"method": "elicitation/create", "params": {
        "mode": "form", "message": message, "requestedSchema": {
            "type": "object", "properties": properties,
            "required": list(properties) if required is None else required}}}


def sample(prompt):
    """A CreateMessageRequest."""
    return {"method": "sampling/createMessage", "params": {
        "maxTokens": 100, "messages": [
            {"role": "user", "content": {"type": "text", "text": prompt}}]}}


def text(said, **more):
    """A CallToolResult."""
    return {"content": [{"type": "text", "text": said}], **more}


class Request:
    """One request, and the connection that its answer goes to."""

    def __init__(self, sock, number):
        self.sock = sock
        self.number = number
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                raise EOFError
            data += more
        head, self.body = data.split(b"\r\n\r\n", 1)
        first, *fields = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ")
        self.headers = {}
        for field in fields:
            name, value = field.split(":", 1)
            self.headers[name.lower()] = value.strip()
        length = int(self.headers.get("content-length", 0))
        while len(self.body) < length:
            self.body += sock.recv(65536)
        self.message = json.loads(self.body) if self.body else {}
        self.rpc = self.message.get("method", "")

    def send(self, data):
        """Write bytes; a client that has gone is no error here."""
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            return False

    def answer(self, status, body=b"", kind="application/json", **fields):
        """Write a whole response."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n"
        if body:
            head += f"Content-Type: {kind}\r\n"
        for name, value in fields.items():
            head += f"{name.replace('_', '-')}: {value}\r\n"
        self.send(head.encode() + b"\r\n" + body)

    def result(self, result, **fields):
        """Answer with a JSON-RPC result."""
        self.answer(200, {"jsonrpc": "2.0", "id": self.message["id"],
                          "result": result}, **fields)

    def error(self, code, message, status=200):
        """Answer with a JSON-RPC error."""
        self.answer(status, {"jsonrpc": "2.0", "id": self.message.get("id"),
                             "error": {"code": code, "message": message}})

    def stream(self):
        """Begin an event stream."""
        return self.send(b"HTTP/1.1 200 OK\r\n"
                         b"Content-Type: text/event-stream\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n")

    def event(self, message=None, event_id=None, retry=None):
        """Write an event; without a message its data is empty."""
        lines = ""
        if event_id is not None:
            lines += f"id: {event_id}\n"
        if retry is not None:
            lines += f"retry: {retry}\n"
        lines += "data: " + ("" if message is None else
                             json.dumps(message)) + "\n\n"
        data = lines.encode()
        return self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self):
        """End a stream as it should."""
        self.send(b"0\r\n\r\n")

    def abort(self):
        """Break the connection off: RST, once its thread is done with it."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.shutdown(socket.SHUT_RD)

    def wait_closed(self):
        """Wait until the client has closed the connection."""
        self.sock.settimeout(PATIENCE_S)
        try:
            return self.sock.recv(1) == b""
        except ConnectionError:
            return True


class Fake:
    """An HTTP server; `handler(request)` answers, on a thread of its own."""

    family = socket.AF_INET

    def __init__(self, handler):
        self.handler = handler
        self.requests = []
        self.n_connections = 0
        self.changed = threading.Condition()
        self.faults = []
        self.port = 0
        self.listen()
        self.url = f"http://fake.localhost:{self.port}/mcp"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.refuse()

    def listen(self):
        """Take connections (again), on the port there was."""
        host = "::1" if self.family == socket.AF_INET6 else "127.0.0.1"
        self.listener = socket.create_server(
            (host, self.port), family=self.family, backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,),
                         daemon=True).start()

    def refuse(self):
        """Take no connections any more."""
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self.n_connections += 1
            threading.Thread(target=self._serve,
                             args=(sock, self.n_connections),
                             daemon=True).start()

    def _serve(self, sock, number):
        with sock:
            try:
                request = Request(sock, number)
            except (EOFError, ConnectionError):
                return
            with self.changed:
                self.requests.append(request)
                self.changed.notify_all()
            try:
                self.handler(request)
            except Exception as fault:  # told to the test by check()
                self.faults.append(fault)

    def check(self):
        """Raise what went wrong inside the server."""
        for fault in self.faults:
            raise fault

    def wait_for(self, want):
        """The first request that want() is true of, when it comes."""
        with self.changed:
            found = self.changed.wait_for(
                lambda: next(filter(want, self.requests), None), PATIENCE_S)
        if found is None:
            raise AssertionError("the request did not come; there were: " +
                                 str([(r.method, r.rpc)
                                      for r in self.requests]))
        return found

    def of(self, rpc):
        """The requests with that JSON-RPC method."""
        return [r for r in self.requests if r.rpc == rpc]


def tool_entry(name="book", properties=None, required=(), **more):
    """An element of tools/list."""
    return {"name": name, "description": f"what {name} does",
            "inputSchema": {"type": "object",
                            "properties": properties or {},
                            "required": list(required)}, **more}


class Modern(Fake):
    """A server of revision 2026-07-28."""

    def __init__(self, tool, entries=None, progress=0):
        super().__init__(self._handle)
        self.tool = tool
        self.entries = entries or [tool_entry()]
        self.progress = progress
        self.runs = {}

    def _handle(self, request):
        params = request.message.get("params", {})
        if request.rpc == "server/discover":
            request.result({"resultType": "complete", "capabilities": {},
                            "supportedVersions": ["2026-07-28"]})
        elif request.rpc == "tools/list":
            at = int(params.get("cursor", 0))
            page = {"resultType": "complete", "tools": [self.entries[at]]}
            if at + 1 < len(self.entries):
                page["nextCursor"] = str(at + 1)
            request.result(page)
        else:
            self._call(request, params)

    def _call(self, request, params):
        state = params.get("requestState")
        if state is None:
            run = self.tool(params["arguments"])
            answers = None
        else:
            run = self.runs.pop(state)
            answers = params.get("inputResponses")
        try:
            asked = run.send(answers)
        except StopIteration as stop:
            result = {"resultType": "complete", **stop.value}
        else:
            state = f"state-{len(self.requests)}"
            self.runs[state] = run
            result = {"resultType": "input_required", "requestState": state}
            if asked:
                result["inputRequests"] = asked
        if not self.progress:
            request.result(result)
            return
        request.stream()
        for n in range(self.progress):
            request.event({
                "jsonrpc": "2.0", "method": "notifications/progress",
                "params": {"progress": n + 1, "total": self.progress,
                           "message": "looking",
                           "progressToken":
                           params["_meta"]["progressToken"]}})
        request.event({"jsonrpc": "2.0", "id": request.message["id"],
                       "result": result})
        request.end()


class Legacy(Fake):
    """
    A server of revision 2025-11-25. trouble(stream, n) is called after the
    n-th event was put on the stream (1: priming) and may break connections.
    """

    def __init__(self, tool, entries=None, trouble=None,
                 version="2025-11-25", probe=None):
        super().__init__(self._handle)
        self.tool = tool
        self.entries = entries or [tool_entry()]
        self.trouble = trouble
        self.version = version
        self.probe = probe
        self.answers = queue.Queue()
        self.session = "s-1"
        self.is_forgotten = False
        self.log = []  # messages of the one stream; its ids are e1, e2 …
        self.attached = None
        self.lock = threading.Condition()

    def _handle(self, request):
        rpc = request.rpc
        if rpc == "server/discover":
            if self.probe:
                self.probe(request)
            else:
                request.error(-32000, "no session", 400)
        elif rpc == "initialize":
            request.result({"protocolVersion": self.version,
                            "capabilities": {"tools": {}},
                            "serverInfo": {"name": "f", "version": "1"}},
                           Mcp_Session_Id=self.session)
        elif self.is_forgotten or \
                request.headers.get("mcp-session-id") != self.session:
            request.answer(404, {"error": "unknown session"})
        elif request.method == "DELETE":
            request.answer(200)
        elif request.method == "GET":
            after = int(request.headers["last-event-id"][1:])
            self._attach(request, after)
        elif rpc == "tools/list":
            request.result({"tools": self.entries})
        elif rpc == "tools/call":
            threading.Thread(target=self._run, args=(request,),
                             daemon=True).start()
            self._attach(request, 0)
        else:
            request.answer(202)
            if not rpc:
                self.answers.put(request.message)

    def _attach(self, request, after):
        """Write the stream from an event on until the client leaves."""
        request.stream()
        with self.lock:
            for n in range(after, len(self.log)):
                request.event(self.log[n], f"e{n + 1}", 20)
            self.attached = request
            self.lock.notify_all()
        request.wait_closed()

    def push(self, message):
        """Put a message on the stream, attached or not."""
        with self.lock:
            self.log.append(message)
            n = len(self.log)
            if self.attached:
                self.attached.event(message, f"e{n}", 20)
        if self.trouble:
            self.trouble(self, n)

    def detach(self, how="end"):
        """Break the connection of the stream: "end", "abort", "cut"."""
        with self.lock:
            self.lock.wait_for(lambda: self.attached, PATIENCE_S)
            request, self.attached = self.attached, None
        try:
            if how == "end":
                request.end()
            elif how == "abort":
                request.abort()
            else:
                request.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client was quicker

    def _run(self, request):
        with self.lock:
            self.lock.wait_for(lambda: self.attached, PATIENCE_S)
        self.push(None)
        run = self.tool(request.message["params"]["arguments"])
        answers = None
        while True:
            try:
                asked = run.send(answers)
            except StopIteration as stop:
                self.push({"jsonrpc": "2.0", "id": request.message["id"],
                           "result": stop.value})
                with self.lock:
                    if self.attached:
                        self.attached.end()
                return
            for name, question in asked.items():
                self.push({"jsonrpc": "2.0", "id": f"ask-{name}",
                           **question})
            answers = {}
            while len(answers) < len(asked):
                said = self.answers.get(timeout=PATIENCE_S)
                name = said["id"].removeprefix("ask-")
                answers[name] = said.get("result", said.get("error"))


def environment(**more):
    """What the program sees: nothing of the one who runs the tests."""
    env = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    for name, value in os.environ.items():
        if name.endswith("SAN_OPTIONS"):
            env[name] = value
    env.update(more)
    return env


def holdline(*words, stdin=subprocess.DEVNULL, given=None, **env):
    """Run the command to its end. Its status, stdout, stderr."""
    source = {"input": given} if given is not None else {"stdin": stdin}
    done = subprocess.run([HOLDLINE, *words], env=environment(**env),
                          capture_output=True, timeout=PATIENCE_S,
                          check=False, **source)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, *words, **env):
        self.screen = ""  # everything that was written
        self.seen = 0     # of it, before the last match
        self.status = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(HOLDLINE, [HOLDLINE, *words], environment(**env))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def _read(self, deadline):
        left = deadline - time.monotonic()
        if not select.select([self.fd], [], [], max(left, 0))[0]:
            raise AssertionError("the terminal shows only: " +
                                 self.screen[self.seen:])
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: the other end is closed
            data = b""
        self.screen += data.decode()
        return data

    def expect(self, pattern):
        """Wait until the screen shows a pattern behind the last one."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = re.search(pattern, self.screen[self.seen:])
            if found:
                self.seen += found.end()
                return found
            if not self._read(deadline):
                raise AssertionError(f"no {pattern!r} in: " +
                                     self.screen[self.seen:])

    def type(self, keys):
        """Type keys; a line wants its newline."""
        os.write(self.fd, keys.encode())

    def end(self):
        """Wait for the end of the command. Its exit status."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status
