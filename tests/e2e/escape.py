#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""escape: a command backend that makes attempts, as tool_escape does.

usage: escape.py ESCAPE.so     POST / with name, text, number, n as JSON
"""

import ctypes
import json
import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

escape = ctypes.CDLL(sys.argv[1])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def do_POST(self):
        want = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        n = ctypes.c_long(want.get("n", 0))
        error = escape.escape_try(
            want["name"].encode(), want.get("text", "").encode(),
            ctypes.c_long(want.get("number", 0)), ctypes.byref(n))
        body = json.dumps({"error": error, "n": n.value,
                           "pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    address_family = socket.AF_UNIX
    daemon_threads = True


server = Server("", Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
server.serve_forever()
