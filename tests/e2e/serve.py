#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""serve: a command backend for tests; its socket is descriptor 3.

  GET /pid          its process id
  GET /bytes/N      N bytes with Content-Length; /chunked/N the same chunked
  GET /sent         how many bytes of the last /bytes or /chunked were written
  PUT /count        the number of bytes and the CRC of the body
  GET /events/N     an event stream: N events, then it stays open
  GET /silent       makes the file `silent` and never answers
  GET /status/N     an empty answer with that status
  GET /exit         exits without an answer
  GET /echo         method, target and fields of the request as JSON

Each start appends its pid to the file `starts` in the state directory.
"""

import json
import os
import socket
import sys
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = b"holdline" * 8192
sent = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def plain(self, text, status=200):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def blocks(self, n):
        global sent
        sent = 0
        while sent < n:
            part = BLOCK[:min(len(BLOCK), n - sent)]
            yield part
            sent += len(part)

    def do_bytes(self, n):
        self.send_response(200)
        self.send_header("Content-Length", n)
        self.end_headers()
        for part in self.blocks(int(n)):
            self.wfile.write(part)

    def do_chunked(self, n):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in self.blocks(int(n)):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def do_events(self, n):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        for i in range(int(n)):
            self.wfile.write(b"data: %d\n\n" % i)
            self.wfile.flush()
        threading.Event().wait()

    def do_status(self, n):
        self.send_response(int(n))
        if int(n) not in (204, 304):
            self.send_header("Content-Length", "0")
        self.end_headers()

    def do_echo(self, _):
        self.plain(json.dumps({"method": self.command, "target": self.path,
                               "fields": list(self.headers.items())}))

    def do_GET(self):
        _, what, *rest = self.path.split("/")
        if what == "pid":
            # As it is seen outside: here it is in a PID namespace.
            self.plain(os.readlink("/proc/self"))
        elif what == "sent":
            self.plain(str(sent))
        elif what == "silent":
            open("silent", "w", encoding="ascii").close()
            threading.Event().wait()
        elif what == "exit":
            os._exit(7)
        elif what in ("bytes", "chunked", "events", "status", "echo"):
            getattr(self, "do_" + what)(rest[0] if rest else "")
        else:
            self.plain("no such page", 404)

    do_HEAD = do_GET

    def body(self):
        left = self.headers.get("Content-Length")
        if left is not None:
            left = int(left)
            while left:
                part = self.rfile.read(min(left, 65536))
                if not part:
                    return
                left -= len(part)
                yield part
            return
        while True:
            n = int(self.rfile.readline().split(b";")[0], 16)
            part = self.rfile.read(n)
            self.rfile.readline()
            if not n:
                return
            yield part

    def do_PUT(self):
        n = crc = 0
        for part in self.body():
            n += len(part)
            crc = zlib.crc32(part, crc)
        self.plain(json.dumps({"bytes": n, "crc": crc}))

    do_POST = do_PUT


class Server(ThreadingHTTPServer):
    # Tenants have no sockets of the internet, not even for a moment.
    address_family = socket.AF_UNIX
    daemon_threads = True
    request_queue_size = 512


def main():
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or (
            os.environ.get("LISTEN_FDS") != "1"):
        sys.exit("LISTEN_FDS and LISTEN_PID do not speak of this process")
    with open("starts", "a", encoding="ascii") as f:
        f.write(os.readlink("/proc/self") + "\n")
    server = Server(("", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=3)
    server.serve_forever()


if __name__ == "__main__":
    main()
