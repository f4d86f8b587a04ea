#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""pool: run holdline for a test, and see to it that nothing is left.

The one fixture of e2e and bench. As a module it is class Pool, a context
manager. As a program (pool.mjs starts it) it takes a description of the pool
as one JSON line on stdin, prints events as JSON lines, and ends the pool when
stdin ends, so also when the test that started it dies.

A Pool makes a runtime and a state directory and a configuration of its own,
takes free ports, waits for READY=1 as systemd would, and keeps the log lines.
This process is a subreaper: whatever poold leaves behind becomes its child
and is found, also what forked twice and called setsid.
"""

import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
# Sanitized programs are slower; nothing else about them may differ.
SANITIZED = bool(os.environ.get("HOLDLINE_SANITIZED"))
IS_SLOW = bool(os.environ.get("HOLDLINE_SLOW"))  # an emulated machine
PATIENCE_S = 240 if IS_SLOW else 60 if SANITIZED else 20
# What keeps to its deadlines ends in less than 2 s, where nothing else wants
# the processors. What does not ends never, or when something much longer is
# over that the test has set.
IN_TIME_S = PATIENCE_S / 2
PR_SET_CHILD_SUBREAPER = 36
# Of our own: what a user may have is counted on the whole machine, and another
# suite may run beside us.
UID_FIRST = 1_200_000_000 + os.getpid() % 10_000 * 65_536

ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def build_dir():
    """The build directory under test."""
    return os.path.abspath(os.environ.get(
        "HOLDLINE_BUILD", os.path.join(ROOT, "build")))


def hold_ports(n):
    """n sockets on ports of 127.0.0.1 that nobody else is given meanwhile.

    They do not listen: who sets SO_REUSEADDR may, and a connect is refused
    before that and after it.
    """
    held = [socket.socket() for _ in range(n)]
    for s in held:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", 0))
    return held


def render(value, depth=0):
    """A value in the notation of libconfig."""
    pad = "\t" * (depth + 1)
    if isinstance(value, dict):
        rows = [f"{pad}{k} = {render(v, depth + 1)};\n"
                for k, v in value.items()]
        return "{\n" + "".join(rows) + "\t" * depth + "}"
    if isinstance(value, list):
        left, right = "()" if value and isinstance(value[0], dict) else "[]"
        return left + ", ".join(render(v, depth + 1) for v in value) + right
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def children():
    """The pids of this process's children, of all its threads."""
    found = set()
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children",
                      encoding="ascii") as f:
                found.update(int(p) for p in f.read().split())
        except OSError:
            pass
    return found


def describe(pid):
    """A process in words, for a complaint."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            title = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
        with open(f"/proc/{pid}/stat", encoding="utf-8",
                  errors="replace") as f:
            state = f.read().rsplit(")", 1)[1].split()[0]
        return f"{pid} ({state}) {title.strip()}"
    except OSError:
        return str(pid)


def descendants(pid):
    """All pids below a process."""
    below = []
    todo = [pid]
    parent = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8",
                          errors="replace") as f:
                    parent[int(name)] = int(
                        f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    while todo:
        above = todo.pop()
        more = [p for p, q in parent.items() if q == above]
        below += more
        todo += more
    return below


def groups_of(runtime_dir):
    """The cgroup folders of a poold, named as poold/cgroup.c names them.

    Those of others that run on this machine have other names.
    """
    value = 0xcbf29ce484222325
    for byte in runtime_dir.encode():
        value = (value ^ byte) * 0x100000001b3 % 2 ** 64
    name = "holdline-%08x" % ((value >> 32 ^ value) % 2 ** 32)
    return [os.path.join(folder, name)
            for top in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
            if os.path.exists(f"{top}/cgroup.procs")
            for folder, names, _ in os.walk(top) if name in names]


def remove_groups(runtime_dir):
    """What a poold that was killed for good cannot remove."""
    for group in groups_of(runtime_dir):
        def is_empty(path=os.path.join(group, "cgroup.events")):
            with open(path, encoding="ascii") as f:
                return "populated 0" in f.read()
        until(is_empty, "the end of what is in " + group)
        for folder, _, _ in os.walk(group, topdown=False):
            os.rmdir(folder)


def until(condition, what, patience_s=None):
    """Wait for a state of the world that no descriptor tells about.

    what is in words what is waited for, or a function that says it late.
    """
    deadline = time.monotonic() + (patience_s or PATIENCE_S)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(f"waited in vain for {said}")
        select.select([], [], [], 0.005)


class Left(AssertionError):
    """Something was left behind."""


class Pool:
    """A running poold with a configuration, a log and an end."""

    def __init__(self, tenants, pool=None, switchboard=None, poold=None,
                 env=None, log=None, log_to=None, run_in=None,
                 within=None, prefix=(), prepare=None):
        self.tenants = tenants
        self.pool = pool or {}
        self.switchboard = switchboard or {}
        self.poold = poold or os.path.join(build_dir(), "poold", "poold")
        self.env = env or {}
        self.on_log = log
        self.log_to = log_to  # a file instead of self.lines
        self.run_in = run_in  # a folder for the runtime directory
        self.within = within  # a folder for all else, or for all
        self.prefix = list(prefix)  # a program that runs poold
        self.prepare = prepare  # what its parent does before
        self.lines = []
        self.process = None
        self.code = None
        self.end_ms = None
        self._grown = threading.Condition()
        self.others = set()
        self._held = []

    # -- starting

    def start(self):
        """Start poold and wait until it says READY=1."""
        self.dir = tempfile.mkdtemp(prefix="holdline-test-",
                                    dir=self.within)
        os.chmod(self.dir, 0o755)  # backends of a root poold are no root
        self.runtime_dir = os.path.join(self.dir, "run")
        if self.run_in:
            self.runtime_dir = os.path.join(
                self.run_in, os.path.basename(self.dir) + "-run")
        self.state_dir = os.path.join(self.dir, "state")
        try:
            for folder in (self.runtime_dir, self.state_dir):
                os.mkdir(folder)
            self._spawn()
        except BaseException:
            self.close()
            raise
        return self

    def _spawn(self):
        self._held = hold_ports(2)
        self.port, self.admin = (s.getsockname()[1] for s in self._held)
        self.conf = os.path.join(self.dir, "holdline.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(self._configuration())
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = os.path.join(self.dir, "notify")
        notify.bind(path)
        env = dict(os.environ, NOTIFY_SOCKET=path, **self.env)
        env.pop("JOURNAL_STREAM", None)
        self.others = children()
        out = open(self.log_to, "wb") if self.log_to else subprocess.PIPE
        self.process = subprocess.Popen(
            [*self.prefix, self.poold, "-c", self.conf],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env=env, cwd="/", start_new_session=True,
            preexec_fn=self.prepare, close_fds=not self.prepare)
        if self.log_to:
            out.close()
        self.pid = self.process.pid
        self.pidfd = os.pidfd_open(self.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        with notify:
            self._wait_ready(notify)

    def _configuration(self):
        switchboard = {"listen": f"127.0.0.1:{self.port}",
                       "admin": f"127.0.0.1:{self.admin}",
                       **self.switchboard}
        pool = {"runtime_dir": self.runtime_dir,
                "state_dir": self.state_dir, "uid_first": UID_FIRST,
                **({"start_timeout": "60s"} if IS_SLOW else {}), **self.pool}
        return "".join(f"{k} = {render(v)};\n" for k, v in (
            ("switchboard", switchboard), ("pool", pool),
            ("tenants", self.tenants)))

    def _wait_ready(self, notify):
        deadline = time.monotonic() + PATIENCE_S
        while True:
            left = deadline - time.monotonic()
            found = select.select([notify, self.pidfd], [], [],
                                  max(left, 0))[0]
            if notify in found:
                if b"READY=1" in notify.recv(4096).split(b"\n"):
                    return
            elif found:
                self._reader.join(5)
                raise AssertionError("poold ended at its start:\n"
                                     + "\n".join(self.lines))
            else:
                raise AssertionError("no READY=1 from poold:\n"
                                     + "\n".join(self.lines))

    def _read(self):
        if self.log_to:
            return
        with self.process.stdout as out:
            for raw in out:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                with self._grown:
                    self.lines.append(line)
                    self._grown.notify_all()
                if self.on_log:
                    self.on_log(line)

    # -- looking

    def wait_line(self, pattern, since=0, patience_s=None):
        """The first log line at or after index since that matches."""
        seen = re.compile(pattern)
        deadline = time.monotonic() + (patience_s or PATIENCE_S)
        at = since
        with self._grown:
            while True:
                for line in self.lines[at:]:
                    if seen.search(line):
                        return line
                at = len(self.lines)
                if not self._grown.wait(deadline - time.monotonic()):
                    raise AssertionError(
                        f"no log line matches {pattern!r}:\n"
                        + "\n".join(self.lines[since:]))

    def count_lines(self, pattern):
        """How many log lines match, so far."""
        with self._grown:
            return sum(bool(re.search(pattern, l)) for l in self.lines)

    def pids_titled(self, title):
        """The descendants of poold whose process title has these words."""
        found = []
        for pid in descendants(self.pid):
            if title in describe(pid):
                found.append(pid)
        return found

    def sockets(self):
        """The sockets in the runtime directory."""
        found = []
        for folder, _, names in os.walk(self.runtime_dir):
            for name in names:
                path = os.path.join(folder, name)
                if stat.S_ISSOCK(os.lstat(path).st_mode):
                    found.append(path)
        return found

    # -- ending

    def end(self, signo=signal.SIGTERM, patience_s=None):
        """
        Signal poold and wait for its end. Returns the exit status. Without a
        signal it was told already: a second one would hurry it.
        """
        if self.code is None:
            began = time.monotonic()
            if signo:
                os.kill(self.pid, signo)
            self._await_end(patience_s or PATIENCE_S)
            self.end_ms = int((time.monotonic() - began) * 1000)
        return self.code

    def _await_end(self, patience_s):
        if not select.select([self.pidfd], [], [], patience_s)[0]:
            left = [describe(p) for p in [self.pid] + descendants(self.pid)]
            for pid in descendants(self.pid) + [self.pid]:
                os.kill(pid, signal.SIGKILL)
            self.code = self.process.wait()
            raise Left("poold did not end; there were: " + "; ".join(left)
                       + "\n" + "\n".join(self.lines))
        self.code = self.process.wait()

    def leftovers(self):
        """What is left after the end, in words; ends those processes.

        A poold that was killed cannot have removed its sockets.
        """
        found = []
        for pid in sorted(children() - self.others):
            found.append("process " + describe(pid))
            for each in descendants(pid) + [pid]:
                os.kill(each, signal.SIGKILL)
            os.waitpid(pid, 0)
        if self.code is None or self.code >= 0:
            found += ["socket " + s for s in self.sockets()]
            found += ["group " + g for g in groups_of(self.runtime_dir)]
        remove_groups(self.runtime_dir)
        return found

    def close(self):
        """End whatever runs; raise Left when something was left."""
        found = []
        try:
            if self.process:
                killed = self.code is not None and self.code < 0
                self.end()
                # What dies with a killed poold is given its moment.
                if killed:
                    until(lambda: not children() - self.others
                          or reap(children() - self.others),
                          "the children of a killed poold")
                found = self.leftovers()
                self._reader.join(PATIENCE_S)
                os.close(self.pidfd)
                reports = [l for l in self.lines if re.search(
                    r"AddressSanitizer|LeakSanitizer|runtime error:"
                    r"|must: |broken invariant", l)]
                found += ["report " + r for r in reports]
        finally:
            self.process = None
            for s in self._held:
                s.close()
            for folder in (self.runtime_dir, self.dir):
                shutil.rmtree(folder, ignore_errors=True)
        if found:
            raise Left("left behind: " + "; ".join(found) + "\n"
                       + "\n".join(self.lines[-40:]))

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        try:
            self.close()
        except Left:
            if kind is None:
                raise
            print(f"and besides: {sys.exc_info()[1]}", file=sys.stderr)
        if kind is not None:
            print("the log of poold:\n  " + "\n  ".join(self.lines[-60:]),
                  file=sys.stderr)


def reap(pids):
    """Take the status of those that have ended; false, to go on waiting."""
    for pid in pids:
        os.waitpid(pid, os.WNOHANG)
    return False


def book_flight(host, **more):
    """The row of a tenant that has the flight tool of the build."""
    tool = os.path.join(build_dir(), "backend", "tools", "book_flight.so")
    return {"host": host, **more, "tools": [tool]}


def main():
    lock = threading.Lock()

    def tell(event, **more):
        with lock:
            print(json.dumps({"event": event, **more}), flush=True)

    want = json.loads(sys.stdin.buffer.raw.readline())
    pool = Pool(want["tenants"], want.get("pool"), want.get("switchboard"),
                log=lambda line: tell("log", line=line))
    left = ""
    try:
        pool.start()
        tell("ready", pid=pool.pid, port=pool.port, admin=pool.admin,
             dir=pool.dir)
        # Until the test closes stdin or poold ends, by itself or by the test.
        while not select.select([0, pool.pidfd], [], [])[0] == [0] or (
                os.read(0, 4096)):
            if select.select([pool.pidfd], [], [], 0)[0]:
                break
        pool.end()
    except (AssertionError, OSError) as e:
        left = str(e)
    try:
        if os.path.isdir(pool.dir):
            pool.close()
    except Left as e:
        left = left or str(e)
    tell("end", code=pool.code, ms=pool.end_ms, left=left)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
