# SPDX-License-Identifier: MIT
"""test_tree: who forks whom, what each inherits, what is left of it."""

import os
import re
import select
import signal
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor

from http_client import ask, call, modern, park, serve
from pool import (SANITIZED, Pool, book_flight, build_dir, describe,
                  descendants, until)

IS_ROOT = os.geteuid() == 0
HERE = os.path.dirname(os.path.abspath(__file__))
FORKS = os.path.join(build_dir(), "tests", "e2e", "tool_forks.so")
OPEN = (b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":'
        b'{"protocolVersion":"2025-11-25","capabilities":{}}}')
LIST = b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}'


def fds(pid):
    """What stands at each descriptor, without its number."""
    found = {}
    for fd, where in links(pid):
        found[int(fd)] = where.split("[")[0]
    return dict(sorted(found.items()))


def links(pid):
    """(number, what stands there) of each descriptor of a process."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append((fd, os.readlink(f"/proc/{pid}/fd/{fd}")))
        except FileNotFoundError:
            pass  # closed in between
    return found


def parent(pid):
    """The parent of a process."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        return int(f.read().rsplit(")", 1)[1].split()[1])


def spaces(pid):
    """Its pids in all PID namespaces, ours first."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        row = next(r for r in f if r.startswith("NSpid"))
    return [int(n) for n in row.split()[1:]]


def kill(pid):
    """kill -9, and wait until it is over."""
    end = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([end], [], [], 20)[0]
    os.close(end)


def filters(pid):
    """How many filters of system calls a process has on."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"Seccomp_filters:\s(\d+)", f.read())[1])


class Tree(unittest.TestCase):
    def one(self, pool, title):
        """The only process of that title, as soon as it is there.

        One that was just forked has its parent's title for a moment.
        """
        def found():
            pids = pool.pids_titled(title)
            return pids[0] if len(pids) == 1 else None
        return until(found, "one " + title)

    def has(self, pool, title, wanted, may=None):
        """Wait until a process has these descriptors and no other.

        What it makes or closes for a moment passes; what is left does not.
        may is what else may stand at a number; at None: at any other one.
        """
        may = may or {}
        pid = self.one(pool, title)

        def is_so():
            found = fds(pid)
            for n, where in wanted.items():
                if found.pop(n, None) != where:
                    return False
            return all(where in may.get(n, may.get(None, ()))
                       for n, where in found.items())
        until(is_so, lambda: f"{title}: {fds(pid)}")

    def test_a_backend_is_a_child_of_poold_whoever_forked_it(self):
        for spawn, spare in (("zygote", 1), ("zygote", 0), ("exec", 0)):
            with self.subTest(spawn=spawn, spare=spare), Pool(
                    [book_flight("a.localhost")],
                    pool={"spawn": spawn, "spare": spare}) as pool:
                if spare:
                    first = self.one(pool, "holdline: spare")
                park(pool, "a.localhost")
                pid = self.one(pool, "holdline: backend a.localhost")
                self.assertEqual(parent(pid), pool.pid)
                self.assertEqual(len(spaces(pid)), 2 if IS_ROOT else 1)
                # Its log says the number that it has outside.
                pool.wait_line(rf"backend\[{pid}\] .*ready")
                if spare:
                    self.assertEqual(pid, first)

    def test_the_zygote_is_confined_when_all_its_children_are(self):
        for more in ({}, {"network": True}, {"sandbox": False}):
            tenants = [book_flight("a.localhost"),
                       {**book_flight("b.localhost"), **more}]
            with self.subTest(**more), Pool(tenants) as pool:
                park(pool, "a.localhost")
                park(pool, "b.localhost")
                found = [filters(self.one(pool, f"holdline: {who}"))
                         for who in ("zygote", "backend a.", "backend b.")]
                # Two of them for a child: its own is the rest.
                self.assertEqual(found, {
                    "{}": [1, 2, 2], "network": [0, 1, 1],
                    "sandbox": [0, 1, 0]}[next(iter(more), "{}")])

    def test_each_role_has_the_descriptors_of_heritage_and_no_other(self):
        tenants = [book_flight("a.localhost"),
                   {**book_flight("b.localhost"), "spawn": "exec"},
                   serve("c.localhost")]
        with Pool(tenants, pool={"spare": 1}) as pool:
            park(pool, "a.localhost")
            park(pool, "b.localhost")
            ask(pool, "c.localhost", "/pid")
            null, pipe, sock = "/dev/null", "pipe:", "socket:"
            # The ruleset of the next child, where there is Landlock.
            ruleset = "anon_inode:"
            self.has(pool, "holdline: zygote",
                     {0: null, 1: pipe, 2: pipe, 3: sock}, {4: {ruleset}})
            # 3 is kept free by its stderr; behind its channel is its loop.
            self.has(pool, "holdline: spare",
                     {0: null, 1: pipe, 2: pipe, 3: pipe, 4: sock},
                     {None: {ruleset, pipe}})
            # child_init: its signals come without one; the report is left.
            self.has(pool, "holdline: init of c.localhost", {5: pipe})
            for host in "ab":
                # What it opened itself: its loop, and clients.
                self.has(pool, f"holdline: backend {host}.",
                         {0: null, 1: pipe, 2: pipe, 3: sock, 4: sock},
                         {None: {ruleset, sock, pipe}})
            # poold's end of a channel is poold's alone.
            until(lambda: not shared(pool), lambda: f"{shared(pool)}")

    def test_a_dead_zygote_is_replaced_and_missed_by_nobody(self):
        hosts = [f"t{i}.localhost" for i in range(4)]
        with Pool([book_flight(h) for h in hosts],
                  pool={"spare": 0}) as pool:
            for host in hosts:
                kill(self.one(pool, "holdline: zygote"))
                park(pool, host)
            self.assertGreaterEqual(
                pool.count_lines(r"zygote: ended: signal 9"), 2)
            # Those that ran go on.
            for host in hosts:
                self.one(pool, f"holdline: backend {host}")

    def test_a_zygote_that_does_not_answer_is_replaced(self):
        """What it is asked for is kept until it answers: not for ever."""
        with Pool([book_flight("a.localhost"), book_flight("b.localhost")],
                  pool={"spare": 1}) as pool:
            self.one(pool, "holdline: spare")
            zygote = self.one(pool, "holdline: zygote")
            os.kill(zygote, signal.SIGSTOP)
            park(pool, "a.localhost")
            park(pool, "b.localhost")
            pool.wait_line("run without the zygote: .* does not answer")
            pool.wait_line("zygote: does not answer, killed")
            self.one(pool, "holdline: spare")
            self.assertNotEqual(self.one(pool, "holdline: zygote"), zygote)

    def test_a_spare_that_dies_is_replaced(self):
        with Pool([book_flight("a.localhost")], pool={"spare": 2}) as pool:
            until(lambda: len(pool.pids_titled(": spare")) == 2, "spares")
            for pid in pool.pids_titled(": spare"):
                kill(pid)
            until(lambda: len(pool.pids_titled(": spare")) == 2, "spares")
            park(pool, "a.localhost")

    def test_a_spare_that_dies_as_it_is_taken_is_nobodys_failure(self):
        """What was sent to it early is not lost either."""
        with Pool([book_flight("a.localhost")],
                  pool={"spare": 1}) as pool, ThreadPoolExecutor(1) as asking:
            spare = self.one(pool, "holdline: spare")
            os.kill(spare, signal.SIGSTOP)
            answer = asking.submit(ask, pool, "a.localhost", "/mcp", "POST",
                                   OPEN, {"Content-Type": "application/json"})
            pool.wait_line(r"gone -> starting .* pid=%d$" % spare)
            kill(spare)
            self.assertEqual(answer.result()[0], 200)
            pool.wait_line("run without the zygote: its process ended before "
                           "it was told whose it is: signal 9")
            self.assertEqual(pool.count_lines(r"failures=[1-9]"), 0)
            self.assertEqual(pool.count_lines("generation=2"), 0)
            pid = self.one(pool, "holdline: backend a.localhost")
            # From its readiness on its socket is its own.
            until(lambda: len([w for _, w in links(pool.pid)
                               if w in {v for _, v in links(pid)
                                        if v.startswith("socket:")}]) == 0,
                  "poold's copy of its socket to be closed")

    @unittest.skipUnless(IS_ROOT, "a PID namespace takes root")
    def test_kill_of_the_first_process_ends_what_stands_below_it(self):
        code = ("import os, socket, signal\n"
                "if os.fork() == 0:\n"
                " os.setsid()\n"
                " if os.fork() == 0:\n"
                "  while True: signal.pause()\n"
                " os._exit(0)\n"
                "os.wait()\n"
                "s = socket.socket(fileno=3)\n"
                "while True:\n"
                " c, _ = s.accept(); c.recv(999)\n"
                " c.sendall(b'HTTP/1.1 200 OK\\r\\n"
                "Content-Length: 0\\r\\n\\r\\n'); c.close()\n")
        with Pool([{"host": "x.localhost", "command": [
                "/usr/bin/python3", "-c", "exec(__import__('os').environ"
                "['TREE_CODE'])"]}], env={"TREE_CODE": code}) as pool:
            self.assertEqual(ask(pool, "x.localhost", "/")[0], 200)
            init = self.one(pool, "holdline: init of")
            below = descendants(init)
            self.assertEqual(len(below), 2)
            kill(init)
            until(lambda: not any(os.path.exists(f"/proc/{p}")
                                  for p in below), "their end")

    def check_poold_stays_small(self, hosts, tenants):
        n = len(hosts)
        with Pool(tenants, pool={"max_backends": n}) as pool:
            with ThreadPoolExecutor(4) as asking:
                # A 415 is the backend's own: each has started and answered.
                answers = asking.map(
                    lambda host: ask(pool, host, "/mcp", "POST", LIST)[0],
                    hosts)
                self.assertEqual(set(answers), {415})
            self.assertEqual(
                len(pool.pids_titled("holdline: backend t")), n)
            self.assertLessEqual(private_kib(pool.pid), 1024 + 5 * n)

    @unittest.skipIf(SANITIZED, "measures memory")
    def test_poold_stays_small(self):
        hosts = [f"t{i}.localhost" for i in range(1000)]
        self.check_poold_stays_small(
            hosts, [book_flight("*.localhost", max_hosts=len(hosts))])

    @unittest.skipIf(SANITIZED, "measures memory")
    def test_poold_stays_small_with_tenants_named_one_by_one(self):
        hosts = [f"t{i}.localhost" for i in range(1000)]
        self.check_poold_stays_small(hosts, [book_flight(h) for h in hosts])

    @unittest.skipIf(SANITIZED, "measures memory")
    def test_a_backend_that_nobody_asks_gives_memory_back(self):
        with Pool([book_flight("a.localhost")]) as pool:
            status, _, _ = ask(pool, "a.localhost", "/mcp", "POST", OPEN, {
                "Content-Type": "application/json"})
            self.assertEqual(status, 200)
            pid = self.one(pool, "holdline: backend a.localhost")
            # 112 to 128 here, 28 more before it rests. Those of a program
            # that was just linked are dirty until they are written.
            os.sync()
            until(lambda: private_kib(pid, "Private_Dirty") <= 134,
                  "less private memory")


def private_kib(pid, what="Private_"):
    """Memory that is this process's alone."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        rows = [r.split() for r in f]
    return sum(int(r[1]) for r in rows if r[0].startswith(what))


def sockets(pid):
    """Its sockets."""
    try:
        return {where for _, where in links(pid)
                if where.startswith("socket:")}
    except FileNotFoundError:
        return set()  # the process has ended


def shared(pool):
    """Sockets of poold that a child has too, but for the listening ones."""
    board, = pool.pids_titled("holdline: switchboard")
    below = set().union(*map(sockets, descendants(pool.pid)))
    return sockets(pool.pid) & below - sockets(board)


@unittest.skipUnless(IS_ROOT, "a PID namespace takes root")
class First(unittest.TestCase):
    """A tools backend as first process of its namespace."""

    def setUp(self):
        self.pool = Pool([{"host": "a.localhost", "tools": [FORKS]}])
        self.pool.__enter__()
        self.addCleanup(self.pool.__exit__, None, None, None)

    def call(self, name, **arguments):
        return call(self.pool, "a.localhost", name, arguments)["result"]

    def test_orphans_that_are_over_are_taken_all_at_once(self):
        # One after the other, each after its grace, would take longer than
        # this test waits. With a parked tool there is a grace, without none.
        self.call("leave", n=0)
        pid, = self.pool.pids_titled("holdline: backend a.localhost")
        for asks in (False, True):
            with self.subTest(asks=asks):
                self.call("leave", n=20, asks=asks)
                until(lambda: not descendants(pid), "the end of its orphans")

    def test_a_child_is_left_to_the_tool_that_started_it(self):
        self.assertEqual(self.call("late")["content"][0]["text"], "status 7")

    def test_what_a_tool_starts_hears_all_signals(self):
        self.assertEqual(self.call("masks")["content"][0]["text"],
                         "task 0 step 0")

    def test_an_abort_is_no_signal_11(self):
        status, _, _ = ask(self.pool, "a.localhost", "/mcp", "POST",
                           *modern("aborts", {}))
        self.assertEqual(status, 502)
        self.pool.wait_line("a.localhost.*exit status 134")


class Orphans(unittest.TestCase):
    def test_some_rounds_of_orphans_py(self):
        done = subprocess.run(
            [sys.executable, os.path.join(HERE, "orphans.py"),
             "--rounds", "60", "--seconds", "30",
             "--seed", os.environ.get("ORPHANS_SEED", "1")],
            capture_output=True, text=True, check=False, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(\d+) of \1 rounds left nothing")


if __name__ == "__main__":
    unittest.main()
