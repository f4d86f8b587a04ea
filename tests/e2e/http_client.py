# SPDX-License-Identifier: MIT
"""http_client: plain requests to a Pool, and MCP without a library."""

import http.client
import json
import os
import socket

from pool import PATIENCE_S

HERE = os.path.dirname(os.path.abspath(__file__))
MODERN = "2026-07-28"
LEGACY = "2025-11-25"


def serve(host, **more):
    """The row of a tenant that runs serve.py."""
    return {"host": host, **more,
            "command": ["/usr/bin/python3", os.path.join(HERE, "serve.py")]}


def connect(pool, patience_s=PATIENCE_S, port=None):
    """An open connection to the tenants' port."""
    c = http.client.HTTPConnection("127.0.0.1", port or pool.port,
                                   timeout=patience_s)
    c.connect()
    return c


def send(connection, host, method, path, body=None, headers=None):
    """Send one request and leave the response to the caller."""
    port = connection.port
    connection.request(method, path, body,
                       {"Host": f"{host}:{port}", **(headers or {})})


def ask(pool, host, path="/", method="GET", body=None, headers=None,
        port=None):
    """One request on a connection of its own: (status, fields, body)."""
    c = connect(pool, port=port)
    try:
        send(c, host, method, path, body, headers)
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()


def raw(pool, data, port=None):
    """Send bytes as they are; all that comes back until the end."""
    with socket.create_connection(("127.0.0.1", port or pool.port),
                                  timeout=PATIENCE_S) as s:
        try:
            s.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        parts = []
        while True:
            try:
                part = s.recv(65536)
            except ConnectionResetError:
                break
            if not part:
                break
            parts.append(part)
        return b"".join(parts)


def modern(name, arguments, request_id=1, **more):
    """Body and fields of a tools/call of revision 2026-07-28."""
    body = {"jsonrpc": "2.0", "id": request_id, "method": "tools/call",
            "params": {"name": name, "arguments": arguments, **more,
                       "_meta": {
                           "io.modelcontextprotocol/protocolVersion": MODERN,
                           "io.modelcontextprotocol/clientInfo":
                               {"name": "e2e", "version": "1"},
                           "io.modelcontextprotocol/clientCapabilities":
                               {"elicitation": {"form": {}},
                                "sampling": {}}}}}
    fields = {"Content-Type": "application/json",
              "Accept": "application/json, text/event-stream",
              "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call",
              "Mcp-Name": name}
    return json.dumps(body), fields


def answer_of(data):
    """The last JSON-RPC message of a JSON or an event-stream body."""
    text = data.decode()
    if text.lstrip().startswith("{"):
        return json.loads(text)
    return [json.loads(line[5:]) for line in text.split("\n")
            if line.startswith("data:") and line[5:].strip()][-1]


def call(pool, host, name, arguments, **more):
    """A tools/call of revision 2026-07-28; the message that answers it."""
    body, fields = modern(name, arguments, **more)
    return answer_of(ask(pool, host, "/mcp", "POST", body, fields)[2])


FLIGHT = {"city": "Oslo", "date": "2026-12-24"}


def park(pool, host):
    """Start a booking and leave it at its first question."""
    result = call(pool, host, "book_flight", FLIGHT)["result"]
    assert result["resultType"] == "input_required", result
    return result


class Legacy:
    """A client of revision 2025-11-25 that shows its sockets."""

    def __init__(self, pool, host):
        self.pool, self.host = pool, host
        self.fields = {"Content-Type": "application/json",
                       "Accept": "application/json, text/event-stream",
                       "MCP-Protocol-Version": LEGACY}
        c = self.post({"id": 1, "method": "initialize", "params": {
            "protocolVersion": LEGACY,
            "capabilities": {"elicitation": {"form": {}}, "sampling": {}},
            "clientInfo": {"name": "e2e", "version": "1"}}})
        r = c.getresponse()
        if r.status != 200:
            raise AssertionError(f"initialize: {r.status} {r.read()}")
        r.read()
        c.close()
        self.fields["Mcp-Session-Id"] = r.headers["Mcp-Session-Id"]
        c = self.post({"method": "notifications/initialized"})
        status = c.getresponse().status
        c.close()
        if status != 202:
            raise AssertionError(f"initialized: {status}")

    def post(self, message):
        """POST a message on a connection of its own, which is returned."""
        c = connect(self.pool)
        send(c, self.host, "POST", "/mcp",
             json.dumps({"jsonrpc": "2.0", **message}), self.fields)
        return c

    def call(self, name, arguments, request_id=2):
        """Call a tool: (connection, response), the stream still open."""
        c = self.post({"id": request_id, "method": "tools/call", "params": {
            "name": name, "arguments": arguments,
            "_meta": {"progressToken": 1}}})
        return c, c.getresponse()

    def listen(self, last_event_id=None):
        """Open the GET stream, or take one up again."""
        c = connect(self.pool)
        fields = {k: v for k, v in self.fields.items()
                  if k != "Content-Type"}
        if last_event_id:
            fields["Last-Event-ID"] = last_event_id
        send(c, self.host, "GET", "/mcp", None, fields)
        return c, c.getresponse()


def event(response):
    """The next event with data of a stream, (id, message); None at its end."""
    fields = {}
    while True:
        line = response.readline()
        if not line:
            return None
        line = line.decode().rstrip("\r\n")
        if not line:
            if fields.get("data"):
                return fields.get("id"), json.loads(fields["data"])
            fields = {}
            continue
        name, _, value = line.partition(":")
        fields[name] = value.lstrip(" ")
