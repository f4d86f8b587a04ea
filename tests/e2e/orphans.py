#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""orphans: whatever tenants do and whoever is killed, nothing is left.

usage: orphans.py [--rounds N] [--seed S] [--seconds T] [--only WAY,…]

One round: a poold with tenants that misbehave in chosen ways; then kill -9 of
a backend, the zygote, the switchboard, poold, or nobody; then an orderly end,
of a poold that was started anew if it was poold. As root and not, with and
without cgroup v2, with the zygote and without. After each round there must be
no process, no socket, no group and no descriptor more than before. A round is
named by seed and number and can be played again: --seed S --first N --rounds 1.

The tenants are commands in Python and C tools of the build (HOLDLINE_BUILD).
"""

import argparse
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from pool import UID_FIRST, build_dir, children, describe, groups_of, render

NOBODY = 65534
IS_ROOT = os.geteuid() == 0
PATIENCE_S = 30
PROGRESS = 500  # rounds
STOP = "300ms"
HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"

# What a tenant does, as a program. Each serves one request at a time on
# descriptor 3 first, so that it is asked for like any other.
WAYS = {
    "double_fork": "fork_twice(lambda: wait())",
    "setsid": "fork_twice(lambda: (os.setsid(), wait()))",
    "deaf": "deafen(); fork_twice(lambda: (deafen(), wait()))",
    "stopped": "stop(fork(wait)); stop(fork(lambda: (os.setsid(), wait())))",
    "bomb": "fork(lambda: bomb(60))",
    "pipes": "pipes()",
    "revive": "fork(revive); fork(lambda: (os.setsid(), revive()))",
    "wiped": "fork_twice(lambda: (os.setsid(), os.execve(sys.executable,"
             " [sys.executable, '-c', PAUSE], {})))",
    "stop_self": "fork(lambda: (os.setsid(), wait())); last(signal.SIGSTOP)",
    "zombies": "[fork(lambda: None) for _ in range(50)]",
    "crash": "fork_twice(wait); last(signal.SIGSEGV)",
    "good": "None",
}
PLAY = '''
import os, select, signal, socket, sys, threading, time
PAUSE = "import signal\\nwhile True: signal.pause()"
def wait():
    while True:
        signal.pause()
def fork(do):
    pid = os.fork()
    if pid == 0:
        os.close(3)
        try:
            do()
        finally:
            os._exit(0)
    return pid
def fork_twice(do):
    def first():
        if os.fork() == 0:
            do()
    os.waitpid(fork(first), 0)
def deafen():
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(s, signal.SIG_IGN)
def stop(pid):
    os.kill(pid, signal.SIGSTOP)
def bomb(n):
    # Each forks two and ends, so that no pid is old; bounded, for the
    # machine's sake, in generations at a time.
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pid = os.fork()
        if pid:
            if n % 7 == 0:
                os.setsid() if os.getpid() != os.getsid(0) else None
            os._exit(0)
        n += 1
        select.select([], [], [], 0.0005)
def pipes():
    r, w = os.pipe()
    for _ in range(3):
        fork(lambda: (os.setsid(), os.read(r, 1)))
    fork_twice(lambda: (os.setsid(), os.read(r, 1)))
def revive():
    # A pair: each starts the other anew when that has gone.
    deafen()
    other = os.getpid()
    while True:
        pid = os.fork()
        if pid == 0:
            while os.getppid() == other:
                select.select([], [], [], 0.001)
            other = os.getpid()
            continue
        os.waitpid(pid, 0)
then = []
def last(signo):
    # Some time after the first answer, which the test waits for.
    then.append(threading.Timer(0.02, os.kill, (os.getpid(), signo)))
s = socket.socket(fileno=3)
exec(sys.argv[1])
while True:
    c, _ = s.accept()
    c.recv(4096)
    c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    c.close()
    while then:
        then.pop().start()
'''


def all_processes():
    """pid: (parent, state) of every process."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8",
                      errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            found[int(name)] = int(fields[1]), fields[0]
        except OSError:
            pass
    return found


# Where the v2 hierarchy stands, if there is one.
V2 = next((top for top in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
           if os.path.exists(f"{top}/cgroup.procs")), None)


class Round:
    """One poold, its tenants and its end."""

    def __init__(self, dice, ways):
        self.dice = dice
        self.user = (NOBODY if IS_ROOT else os.getuid()) \
            if not IS_ROOT or dice.random() < 0.4 else None
        self.hides_groups = IS_ROOT and dice.random() < 0.4
        # Without root there is no group, unless one is delegated.
        self.delegated = None
        self.is_delegated = self.user is not None and IS_ROOT and \
            not self.hides_groups and V2 and dice.random() < 0.5
        self.spawn = dice.choice(("zygote", "zygote", "exec"))
        self.spare = dice.choice((0, 1, 3))
        self.victim = dice.choice(
            ("backend", "program", "zygote", "switchboard", "poold", "spare",
             "nobody", "nobody"))
        self.ways = dice.sample(ways, min(len(ways), dice.randint(1, 4)))
        self.n_tools = dice.randint(0, 3)
        self.deaths = set()

    def __str__(self):
        return (f"{'+'.join(self.ways)} tools={self.n_tools} "
                f"kill={self.victim} root={self.user is None and IS_ROOT} "
                f"groups={not self.hides_groups} "
                f"delegated={self.is_delegated} spawn={self.spawn} "
                f"spare={self.spare}")

    # -- start

    def prepare(self):
        """Folders and the configuration."""
        self.dir = tempfile.mkdtemp(prefix="holdline-orphans-")
        os.chmod(self.dir, 0o755)
        if self.is_delegated:
            self.delegated = tempfile.mkdtemp(prefix="orphans-", dir=V2)
            for path in (self.delegated, f"{self.delegated}/cgroup.procs",
                         f"{self.delegated}/cgroup.subtree_control"):
                os.chown(path, self.user, -1)
        for name in ("run", "state"):
            os.mkdir(f"{self.dir}/{name}")
            if self.user is not None:
                os.chown(f"{self.dir}/{name}", self.user, -1)
        tool = f"{build_dir()}/backend/tools/book_flight.so"
        with open(f"{self.dir}/tenant.py", "w", encoding="utf-8") as f:
            f.write(PLAY)
        tenants = [{"host": f"{way}.localhost", "command": [
            PYTHON, f"{self.dir}/tenant.py", WAYS[way]]}
            for way in self.ways]
        tenants += [{"host": f"tool{i}.localhost", "tools": [tool]}
                    for i in range(self.n_tools)]
        conf = {
            "switchboard": {"listen": "127.0.0.1:0"},
            "pool": {"runtime_dir": f"{self.dir}/run",
                     "state_dir": f"{self.dir}/state",
                     "uid_first": UID_FIRST, "stop_timeout": STOP, "drain_timeout": "100ms",
                     "spawn": self.spawn, "spare": self.spare},
            "tenants": tenants}
        with open(f"{self.dir}/conf", "w", encoding="utf-8") as f:
            f.write("".join(f"{k} = {render(v)};\n"
                            for k, v in conf.items()))

    def start(self):
        """Run poold until it is ready."""
        program = f"{build_dir()}/poold/poold"
        argv = [program, "-c", f"{self.dir}/conf"]
        if self.user is not None and IS_ROOT:
            argv = ["setpriv", f"--reuid={self.user}",
                    f"--regid={self.user}", "--clear-groups", *argv]
        if self.hides_groups:
            # A mount namespace of its own, in which no group can be made.
            argv = ["unshare", "--mount", "--propagation=private", "sh", "-c",
                    "for d in /sys/fs/cgroup/unified /sys/fs/cgroup; do"
                    " mount -t tmpfs none $d 2>/dev/null; done; exec \"$@\"",
                    "sh", *argv]
        if self.delegated:
            argv = ["sh", "-c", f"echo $$ >{self.delegated}/cgroup.procs; "
                    "exec \"$@\"", "sh", *argv]
        self.log = open(f"{self.dir}/log", "ab")
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stderr=self.log,
            stdout=self.log, start_new_session=True)
        found = self.line(r"listening on http://127\.0\.0\.1:(\d+)")
        self.port = int(found[1])
        self.line(r"poold\[\d+\] ready$")

    def text(self):
        """What poold logged, of its last start."""
        with open(f"{self.dir}/log", encoding="utf-8",
                  errors="replace") as f:
            return f.read()[self.at:]

    def line(self, pattern):
        """Wait for a line."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = re.search(pattern, self.text(), re.M)
            if found:
                return found
            if self.process.poll() is not None or \
                    time.monotonic() > deadline:
                raise AssertionError(f"no line {pattern!r}")
            select.select([], [], [], 0.005)

    def ask(self, host, patience_s=PATIENCE_S):
        """One request; a tenant that dies of it may refuse it."""
        with socket.create_connection(("127.0.0.1", self.port),
                                      PATIENCE_S) as c:
            c.sendall(f"POST /mcp HTTP/1.1\r\nHost: {host}\r\n"
                      "Content-Length: 2\r\nConnection: close\r\n\r\n{}"
                      .encode())
            c.settimeout(patience_s)
            while c.recv(65536):
                pass

    def ask_again(self):
        """One that stopped itself does not answer, and others may die."""
        for way in self.ways:
            try:
                self.ask(f"{way}.localhost", 0.1 if way == "stop_self" else 5)
            except (TimeoutError, ConnectionError):
                pass

    # -- what happens

    def below(self, title):
        """Processes below poold whose title has these words."""
        found = all_processes()
        todo, below = [self.process.pid], []
        while todo:
            above = todo.pop()
            more = [p for p, (q, _) in found.items() if q == above]
            todo += more
            below += more
        return [p for p in below if title in describe(p)]

    def kill(self):
        """kill -9 of the one whose turn it is."""
        title = {"backend": ": backend ", "zygote": ": zygote",
                 "switchboard": ": switchboard", "spare": ": spare",
                 "program": "tenant.py"}.get(self.victim)
        if self.victim == "backend" and self.dice.random() < 0.5:
            title = ": init of "
        pids = self.below(title) if title else []
        if self.victim == "poold":
            pids = [self.process.pid]
        if not pids:
            return
        try:
            os.kill(self.dice.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            pass

    def end(self):
        """The orderly end; poold, if it was killed, is started anew first."""
        if self.victim == "poold":
            self.process.wait(PATIENCE_S)
            self.at = os.path.getsize(f"{self.dir}/log")
            self.log.close()
            self.start()
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.log.close()
        took = time.monotonic() - began
        # 3: somebody had to be killed, as most of these tenants want it.
        assert code in (0, 3), f"poold ended with {code}"
        return took

    def play(self):
        """From start to end; seconds that the end took."""
        self.at = 0
        self.prepare()
        self.start()
        for host in [f"{w}.localhost" for w in self.ways] + [
                f"tool{i}.localhost" for i in range(self.n_tools)]:
            self.ask(host)
        self.kill()
        if self.victim not in ("poold", "nobody") and \
                self.dice.random() < 0.5:
            self.ask_again()
        return self.end()

    # -- what is left

    def left(self, before):
        """In words; whatever it is is ended."""
        found = []
        # What a killed poold without root and without a group cannot end.
        allowed = self.victim == "poold" and self.user is not None and \
            not self.delegated
        # What dies with a killed poold is given its moment.
        deadline = time.monotonic() + (
            0 if self.victim != "poold" else 2 if allowed else PATIENCE_S)
        while children() - before["children"] and \
                time.monotonic() < deadline:
            for pid in children() - before["children"]:
                os.waitpid(pid, os.WNOHANG)
            select.select([], [], [], 0.002)
        for _ in range(1000):
            more = children() - before["children"]
            if not more:
                break
            for pid in more:
                if not allowed:
                    found.append("process " + describe(pid)[:90])
                sweep(pid)
        for folder, _, names in os.walk(f"{self.dir}/run"):
            found += [f"{folder}/{n}" for n in names]
        found += [f"group {g}" for g in groups_of(f"{self.dir}/run")]
        if self.delegated:
            try:
                os.rmdir(self.delegated)
            except OSError as e:
                found.append(f"group {self.delegated}: {e.strerror}")
        n_fds = len(os.listdir("/proc/self/fd"))
        if n_fds != before["fds"]:
            found.append(f"{n_fds} descriptors, {before['fds']} before")
        return found


def sweep(pid):
    """End a child and all below it: stopped first, so that none escapes."""
    for signo in (signal.SIGSTOP, signal.SIGKILL):
        todo = [pid]
        while todo:
            found = all_processes()
            more = [p for p, (q, _) in found.items() if q in todo]
            for each in todo:
                try:
                    os.kill(each, signo)
                except ProcessLookupError:
                    pass
            todo = more
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    ways = args.only.split(",") if args.only else list(WAYS)
    began = time.monotonic()
    failed = played = 0
    counts, slowest = {}, 0
    for number in range(args.first, args.first + args.rounds):
        if args.seconds and time.monotonic() - began > args.seconds:
            break
        played += 1
        round_ = Round(random.Random(f"{args.seed}-{number}"), ways)
        before = {"children": children(),
                  "fds": len(os.listdir("/proc/self/fd"))}
        why = []
        try:
            slowest = max(slowest, round_.play())
        except (AssertionError, OSError, subprocess.TimeoutExpired) as e:
            why.append(f"{type(e).__name__}: {e}")
            round_.process.kill()
            round_.process.wait()
            round_.log.close()
        round_.at = 0
        text = round_.text()
        why += round_.left(before)
        why += re.findall(r".*(?:must:|Sanitizer|runtime error).*", text)
        counts[round_.victim] = counts.get(round_.victim, 0) + 1
        if why:
            failed += 1
            print(f"round {number} of seed {args.seed} FAILED: {round_}")
            print("  " + "\n  ".join(why))
            print("  log:\n    " + "\n    ".join(text.split("\n")[-40:]),
                  flush=True)
        shutil.rmtree(round_.dir, ignore_errors=True)
        if played % PROGRESS == 0:
            print(f"orphans: {played} of {args.rounds} rounds, {failed} failed",
                  file=sys.stderr)
    print(f"{played - failed} of {played} rounds left nothing; killed: "
          f"{json.dumps(counts)}; slowest end {slowest:.2f} s; "
          f"{time.monotonic() - began:.0f} s")
    return 1 if failed or not played else 0


if __name__ == "__main__":
    sys.exit(main())
