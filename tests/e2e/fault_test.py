#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""poold and the zygote, while the n-th system call of a kind fails, for every n.

usage: fault_test.py POOLD FAIL.SO [--all] [unittest arguments]

Two lives are played again and again; each time another call fails, until n is
no longer reached. One is poold's alone: start, stand-in backends that serve,
fail and die, events, the end. The other has the zygote and real backends, and
the call fails in poold, in the zygote, or in what the zygote forks. Whatever
fails, it goes on or stops in order: it says a sentence, answers what it was
asked, confines whom it starts, and leaves no process, socket or cgroup, nor a
descriptor more than before.

Without --all a part of the calls is tried, by a seed that is printed when it
fails (POOLD_TEST_SEED). FAULT_ONLY=ROLE:CALL:N:ERRNO, as the failing one is
named, tries that one; FAULT_ONLY=ROLE:CALL every n of these.
"""

import collections
import errno
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
import unittest

SHIM = os.path.abspath(sys.argv.pop(2))
assert os.path.exists(SHIM), SHIM
IS_ALL = "--all" in sys.argv
if IS_ALL:
    sys.argv.remove("--all")

# It takes the program's name from sys.argv.
from poold_test import IS_ROOT, NOBODY, POOLD, Poold, tools
from poold_play import pack, unpack
from alone import Modern

PATIENCE_S = 20
SAMPLE_TRIES = 40  # within which one is reached, however slow they are
ATTEMPTS = 4  # to reach a tenant, while one call fails

# What each call may answer; the pages of section 2 of the manual.
CALLS = {
    "clone3": ("EAGAIN", "ENOMEM"),
    "pidfd_open": ("EMFILE", "ENOMEM"),
    "socketpair": ("EMFILE", "ENOMEM"),
    "pipe2": ("EMFILE", "ENFILE"),
    "sendmsg": ("EAGAIN", "EINTR", "ENOBUFS", "ENOMEM"),
    "recvmsg": ("EAGAIN", "EINTR", "ENOMEM"),
    "open": ("EMFILE", "ENOMEM", "EINTR"),
    "openat": ("EMFILE", "ENOMEM", "EINTR"),
    "dup": ("EMFILE",),
    "read": ("EAGAIN", "EINTR"),
    "write": ("EAGAIN", "EINTR", "ENOSPC", "short"),
    "epoll_create1": ("EMFILE", "ENOMEM"),
    "epoll_ctl": ("ENOMEM", "ENOSPC"),
    "epoll_wait": ("EINTR",),
    "memfd_create": ("EMFILE", "ENOMEM"),
}
# What no loop stands around: it blocks, so nothing is EAGAIN.
ZYGOTE_CALLS = {
    "clone3": ("EAGAIN", "ENOMEM"),
    "sendmsg": ("EINTR", "ENOBUFS", "ENOMEM", "EPIPE"),
    "recvmsg": ("EINTR", "ENOMEM"),
    "prctl": ("EINVAL",),
    "open": ("EMFILE", "ENOMEM"),
    "read": ("EINTR", "EIO"),
    "write": ("EINTR", "ENOSPC", "short"),
}
CHILD_CALLS = {
    "recvmsg": ("EINTR", "ENOMEM"),
    "sendmsg": ("EINTR", "ENOBUFS", "ENOMEM"),
    "recv": ("EAGAIN", "EINTR", "ENOMEM"),
    "poll": ("EINTR", "ENOMEM"),
    "dup": ("EMFILE", "EINVAL"),
    "dup2": ("EBUSY", "EMFILE"),
    "close_range": ("EMFILE", "ENOMEM"),
    "pread": ("EINTR", "EIO", "short"),
    "prctl": ("EINVAL", "EPERM"),
    "setrlimit": ("EPERM",),
    "setid": ("EAGAIN", "EPERM"),
    "landlock": ("EMFILE", "ENOMEM", "E2BIG"),
    "open": ("EMFILE", "ENOMEM"),
    "openat": ("EMFILE", "ENOMEM"),
    "read": ("EAGAIN", "EINTR"),
    "write": ("EINTR", "ENOSPC", "short"),
    "socketpair": ("EMFILE", "ENOMEM"),
    "pipe2": ("EMFILE", "ENFILE"),
    "accept4": ("EMFILE", "ECONNABORTED", "EINTR"),
    "epoll_create1": ("EMFILE", "ENOMEM"),
    "epoll_ctl": ("ENOMEM", "ENOSPC"),
    "epoll_wait": ("EINTR",),
}
ROLES = {"poold": CALLS, "zygote": ZYGOTE_CALLS, "child": CHILD_CALLS}
ONLY = os.environ.get("FAULT_ONLY", "").split(":")

TENANTS = [tools(f"{name}.localhost", name)
           for name in ("good", "exit", "orphans", "still")]


class Board:
    """A switchboard that goes on, however often it is started anew."""

    def __init__(self, pool):
        self.pool = pool
        self.wire = None
        self.is_ready = False
        self.asks = 0
        self.answers = {}
        self.gone = set()

    def turn(self, timeout_s):
        """Take in what there is. False when poold is over."""
        p = self.pool
        fds = [p.control, p.process.stderr]
        if self.wire:
            fds.append(self.wire)
        found = select.select(fds, [], [], timeout_s)[0]
        if p.control in found:
            if self.wire:
                self.wire.close()
            self.wire, _ = p.control.accept()
            self.is_ready = False
        if self.wire in found:
            self.take()
        if p.process.stderr in found and not p.read_log(0):
            return False
        return True

    def tell(self, name, **fields):
        try:
            self.wire.send(pack(name, **fields))
        except OSError:
            self.is_ready = False

    def take(self):
        try:
            packet, fds, _, _ = socket.recv_fds(self.wire, 2048, 4)
        except OSError:
            packet, fds = b"", []
        for fd in fds:
            os.close(fd)
        if not packet:
            self.wire.close()
            self.wire = None
            self.is_ready = False
            return
        told = unpack(packet)
        kind = told["type"]
        if kind == "start":
            self.tell("ready")
            self.tell("watch", is_on=1, n_credit=1000)
            self.is_ready = True
        elif kind == "drain":
            self.tell("drained", n_exchanges=0)
        elif kind == "release_ask":
            self.tell("released", generation=told["generation"])
        elif kind == "route_gone":
            self.gone.add(told["generation"])
        elif kind in ("route_ready", "route_failed"):
            self.answers[told["ask"]] = told

    def until(self, condition):
        """Turn until something is so. False when poold is over."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, "nothing happens any more"
            if not self.turn(min(left, 0.5)):
                return False
        return True

    def ask(self, host):
        """Ask until there is an answer; None when poold is over.

        A switchboard that is started anew asks anew, as ours does.
        """
        while self.until(lambda: self.is_ready):
            wire = self.wire
            self.asks += 1
            number = self.asks
            self.tell("route_ask", ask=number, host=host)
            if not self.until(lambda: number in self.answers
                              or self.wire is not wire):
                return None
            if number in self.answers:
                return self.answers[number]
        return None


def kill(pid):
    """Kill it, if the fault was not faster."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Faults(unittest.TestCase):
    """A life, played while a call fails; `live` and `check` are its own."""

    prefix = ""  # of its roles, in FAULT_ONLY
    sample_s = 8  # for each role, when not all are tried
    user = None  # as whom poold runs; None: as we are
    pool = {"max_backends": 2, "queue_timeout": "2s",
            "stop_timeout": "3s", "drain_timeout": "3s",
            "start_timeout": "10s", "watchdog": "10s"}
    kind = Poold
    tenants = TENANTS

    def end(self, p, board):
        """End it, as the switchboard meanwhile; its status."""
        if p.process.poll() is None:
            p.send(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        while board.turn(0.5):
            assert time.monotonic() < deadline, "it does not end"
        if board.wire:
            board.wire.close()
        return p.process.wait(PATIENCE_S)

    def play(self, role, call, n, word):
        """Let the n-th call fail. Whether it was reached."""
        folder = tempfile.mkdtemp(prefix="poold-fault-")
        os.chmod(folder, 0o755)
        reached = os.path.join(folder, "reached")
        with open(reached, "wb") as f:
            f.write(bytes(64))
        os.chmod(reached, 0o666)
        number = 0 if word == "short" else getattr(errno, word)
        name = f"{self.prefix}{role}:{call}:{n}:{word}"
        try:
            with self.subTest(FAULT_ONLY=name), self.kind(
                    self.tenants, settle=False, pool=self.pool,
                    user=self.user,
                    env={"LD_PRELOAD": SHIM, "FAIL_LOG": reached,
                         "FAIL": f"{role}:{call}:{n}:{number}"}) as p:
                board = Board(p)
                seen = self.live(p, board)
                status = self.end(p, board)
                self.check_end(p, status)
                self.check(p, role, seen, status)
            with open(reached, "rb") as f:
                return f.read(1) != b"\0"
        finally:
            shutil.rmtree(folder)

    def check_end(self, p, status):
        """It went on, or stopped in order, with a sentence."""
        # 3: it ended, and who could not be talked to had to be killed.
        self.assertIn(status, (0, 1, 3))
        if status == 1:
            self.assertRegex("\n".join(p.log[-3:]), r"poold\b.*: .*\w")
        for line in p.log:
            self.assertNotRegex(line, "must|Assert|Sanitizer|not in time")
        self.assertEqual(p.left(), ([], []))

    def every(self, role, call, word):
        """Every n until it is no longer reached; the last one."""
        n = 1
        while self.play(role, call, n, word):
            n += 1
        return n - 1

    def sample(self, role):
        """Some of all, the early ones more often, until the time is over."""
        seed = int(os.environ.get("POOLD_TEST_SEED", time.time_ns()))
        random.seed(seed)
        rounds = [(call, word) for call, words in ROLES[role].items()
                  for word in words]
        until_s = time.monotonic() + self.sample_s
        n_played = n_reached = 0
        while time.monotonic() < until_s or \
                (n_reached == 0 and n_played < SAMPLE_TRIES):
            call, word = random.choice(rounds)
            with self.subTest(seed=seed):
                n_reached += bool(self.play(
                    role, call, int(2 ** random.uniform(0, 6)), word))
                n_played += 1
        print(f"{self.prefix}{role}: {n_reached} of {n_played} tries reached",
              file=sys.stderr)
        self.assertGreater(n_reached, 0)

    def loops(self, role):
        """What was asked for: one, all, or a sample."""
        if ONLY[0] and ONLY[0] != self.prefix + role:
            return
        if len(ONLY) == 4:
            self.assertTrue(self.play(role, ONLY[1], int(ONLY[2]), ONLY[3]))
            return
        if not IS_ALL and not ONLY[0]:
            self.sample(role)
            return
        for call, words in ROLES[role].items():
            if call in ONLY[1:] or len(ONLY) < 2:
                last = max(self.every(role, call, word) for word in words)
                print(f"{self.prefix}{role}: {call}: up to the {last}th",
                      file=sys.stderr)


class Alone(Faults):
    """poold with stand-ins: what backends can do to it while a call fails."""

    def live(self, p, board):
        """One life; what it was answered."""
        answers = []
        for host in ("good", "exit", "orphans", "good", "still"):
            told = board.ask(f"{host}.localhost")
            if told is None:
                break
            answers.append(told)
            if told["type"] == "route_ready" and host == "orphans":
                kill(told["pid"])
        return answers

    def check(self, p, role, seen, status):
        """All was answered, and refusals say why."""
        if status == 0:
            self.assertEqual(len(seen), 5)
        for told in seen:
            if told["type"] == "route_failed":
                self.assertRegex(told["text"], r"\w")

    def test_the_shim_is_in_place(self):
        self.assertTrue(self.play("poold", "clone3", 1, "EAGAIN"))
        self.assertFalse(self.play("poold", "clone3", 1000, "EAGAIN"))

    def test_poold_goes_on_or_stops_in_order_whatever_fails(self):
        self.loops("poold")


class RealPoold(Poold):
    """One with the zygote and real backends; the switchboard is us still."""

    def tree(self):
        super().tree()
        build = os.path.dirname(os.path.dirname(os.path.abspath(POOLD)))
        shutil.copy(f"{build}/backend/backend", f"{self.dir}/backend/backend")
        shutil.copytree(f"{build}/backend/tools", f"{self.dir}/tools",
                        ignore=lambda _, names: [
                            n for n in names if not n.endswith(".so")])

    def write(self, tenants, pool, board):
        tenants = [{"host": host, "tools": [f"{self.dir}/tools/{tool}.so"],
                    "read": [SHIM]} for host, tool in tenants]
        super().write(tenants, {"spawn": "zygote", "spare": 1, **pool}, board)


def request(told, host):
    """Ask a backend for its tools: the status, None when it does not say."""
    body = Modern(None).body("tools/list")
    data = json.dumps(body).encode()
    head = "".join(f"{k}: {v}\r\n" for k, v in {
        "Host": host, "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "Content-Length": len(data), "Connection": "close",
        **Modern.fields(body)}.items())
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE_S)
        try:
            s.connect(told["socket"])
            s.sendall(f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + data)
            answer = b""
            while more := s.recv(65536):
                answer += more
        except OSError:
            return None
    found = re.match(rb"HTTP/1\.1 (\d+) ", answer)
    if not found or (found[1] == b"200" and b'"tools"' not in answer):
        return None
    return int(found[1])


def descriptors_of(pid):
    """What it has open: kinds, counted."""
    kinds = collections.Counter()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{fd}")
            name = os.path.basename(link.removesuffix(" (deleted)"))
            kinds[re.sub(r"[0-9a-f]{8}|\d+", "N", name)] += 1
        except FileNotFoundError:
            pass
    return kinds


def children_of(pid):
    """Its child processes."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return f.read().split()


def command_of(pid):
    """Its command line, or title; nothing of one that is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read()
    except OSError:
        return b""


def walls_of(pid):
    """What stands around a backend."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f)
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        limits = f.read()
    return {"is root": "0" in status["Uid"].split() + status["Gid"].split(),
            "groups": status["Groups"].split(),
            "depth": len(status["NSpid"].split()),
            **{key: status[key] for key in
               ("NoNewPrivs", "Seccomp", "CapPrm", "CapEff", "CapBnd")},
            "limits": limits, "sid": os.getsid(pid) == pid}


class Real(Faults):
    """poold, the zygote and what it forks, while a call fails in one of them.

    The first tenant is reached, killed and reached again; then the other one.
    """

    prefix = "real-"
    kind = RealPoold
    tenants = [("one.localhost", "book_flight"), ("two.localhost", "fixtures")]
    pool = {**Faults.pool, "max_backends": 3}
    usual = {}  # what is seen when nothing fails
    sample_s = 4

    def reach(self, p, board, host):
        """Reach a tenant: what it was told; None when poold is over."""
        tries = []
        while len(tries) < ATTEMPTS:
            told = board.ask(host)
            if told is None:
                return None
            tries.append(told)
            if told["type"] == "route_failed":
                self.assertRegex(told["text"], r"\w{2}")
                continue
            if request(told, host) == 200:
                return told
        raise AssertionError(f"{host} is not reached: {tries}")

    def look(self, p, one, two):
        """All that is open, and what stands around backends."""
        zygote = next((pid for pid in children_of(p.process.pid)
                       if b"zygote" in command_of(pid)), None)
        pids = {"poold": p.process.pid, "zygote": zygote,
                "one": one["pid"], "two": two["pid"]}
        return ({who: descriptors_of(pid)
                 for who, pid in pids.items() if pid},
                {who: walls_of(pids[who]) for who in ("one", "two")})

    def live(self, p, board):
        one = self.reach(p, board, "one.localhost")
        if one is None:
            return None
        kill(one["pid"])
        if not board.until(lambda: one["generation"] in board.gone):
            return None
        one = self.reach(p, board, "one.localhost")
        two = self.reach(p, board, "two.localhost") if one else None
        return self.settled(p, board, one, two) if two else None

    def settled(self, p, board, one, two):
        """What is seen at last, which is no more than usual."""
        usual = self.usual.get("it")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found, walls = self.look(p, one, two)
            if usual:
                more = {who: found[who] - usual[0][who] for who in found
                        if found[who] - usual[0][who]}
                # A leaf that was late to be empty is kept for the next start.
                if more.get("poold") == {"slot-N": 1}:
                    del more["poold"]
            else:
                # Beside them the switchboard, the zygote and a spare.
                more = 5 - sum(n for kind, n in found["poold"].items()
                               if "pidfd" in kind)
            if not more:
                return found, walls
            assert time.monotonic() < deadline, f"left open: {more}"
            if not board.turn(0.02):
                return None

    def check(self, p, role, seen, status):
        if status == 0:
            self.assertIsNotNone(seen)
        for line in p.log:
            self.assertNotIn("is not its to send", line)
            self.assertNotRegex(line, r"exit status [1-9]\d* generation")
        if any("zygote: ended" in line for line in p.log):
            self.assertRegex("\n".join(p.log),
                             r"backend\[\d+\] zygote: \w|"
                             r"zygote: ended: [^:]*: \w")
        is_less = any("isolation:" in line or "no PID namespace" in line
                      or "no cgroup" in line for line in p.log)
        if seen and "it" in self.usual and (role != "poold" or not is_less):
            self.assertEqual(seen[1], self.usual["it"][1])
        self.usual.setdefault("it", seen)

    def setUp(self):
        if not self.usual:
            self.play("none", "none", 0, "EAGAIN")

    def test_poold_goes_on_or_stops_in_order(self):
        self.loops("poold")

    def test_the_zygote_goes_on_or_is_started_anew(self):
        self.loops("zygote")

    def test_what_the_zygote_forks_becomes_a_tenant_or_says_why_not(self):
        self.loops("child")


@unittest.skipUnless(IS_ROOT, "the one above is without root already")
class User(Real):
    """The same without root: no namespace, no ids, no cgroup."""

    prefix = "user-"
    user = NOBODY
    usual = {}
    sample_s = 2


if __name__ == "__main__":
    unittest.main(verbosity=2)
