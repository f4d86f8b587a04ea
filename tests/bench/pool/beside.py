# SPDX-License-Identifier: MIT
"""beside: what others start for a request: uWSGI's emperor, node."""

import os
import shutil
import signal
import subprocess

from common import HERE, first, spawner
from pool import descendants, until

VASSAL = """[uwsgi]
plugin = python3
protocol = http
wsgi-file = {app}
"""
E2E = os.path.join(os.path.dirname(os.path.dirname(HERE)), "e2e")


class Uwsgi:
    """Vassals of an emperor, each started by its first connection."""

    def __init__(self, stack, folder, n):
        self.name = "uWSGI emperor, on demand (python3, not isolated)"
        self.target = None
        self.samples_us = []
        self.hosts = [f"h{i}" for i in range(n)]
        self.sockets = os.path.join(folder, "sockets")
        vassals = os.path.join(folder, "vassals")
        for path in (vassals, self.sockets):
            os.mkdir(path)
        for host in self.hosts:
            self._write(os.path.join(vassals, host + ".ini"), host)
        self._start(stack, folder, vassals)
        self.client = stack.enter_context(first(self.sockets + "/", folder))

    def _write(self, path, host):
        with open(path, "w", encoding="utf-8") as f:
            f.write(VASSAL.format(app=os.path.join(HERE, "app.py")))
        with open(path + ".socket", "w", encoding="utf-8") as f:
            f.write(os.path.join(self.sockets, host + ".socket"))

    def _start(self, stack, folder, vassals):
        log = os.path.join(folder, "uwsgi.log")
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                ["uwsgi", "--emperor", vassals,
                 "--emperor-on-demand-extension", ".socket"],
                stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, start_new_session=True)
        stack.callback(self._end)
        until(lambda: len(os.listdir(self.sockets)) == len(self.hosts)
              or self.process.poll() is not None, "uWSGI's sockets")
        if self.process.poll() is not None:
            raise SystemExit("pool: uwsgi ended: see " + log)

    def _end(self):
        """The emperor ends its vassals; what does not end is killed."""
        below = descendants(self.process.pid)
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pid in below:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def sample(self, n):
        began, ended = self.client.ask(self.hosts[n])
        self.samples_us.append((ended - began) / 1000)


def node_program():
    """The node of the lock file; where there is none, the machine's."""
    modules = os.path.join(E2E, "node_modules")
    for name in sorted(os.listdir(modules)):
        path = os.path.join(modules, name, "bin", "node")
        if name.startswith("node-linux-") and os.path.exists(path):
            return path
    return shutil.which("node")


class Node:
    """A server over the published MCP SDK, forked and executed."""

    def __init__(self, stack, folder):
        self.name = "node with the MCP SDK, fork + exec (not isolated)"
        self.target = None
        self.samples_us = []
        self.asker = stack.enter_context(spawner(
            "old", [node_program(), os.path.join(HERE, "server.mjs")],
            folder))

    def sample(self, _):
        began, ended = self.asker.ask("node")
        self.samples_us.append((ended - began) / 1000)
