#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""poold alone, while the n-th system call of a kind fails, for every n.

usage: fault_test.py POOLD FAIL.SO [all]

One life of poold is played again and again: start, backends that serve, fail
and die, events, the end; each time another call fails, until n is no longer
reached. Whatever fails, poold goes on or stops in order: it says a sentence,
answers what it was asked, and leaves no process and no socket. Without "all" a
part of the calls is tried, by a seed that is printed when it fails.
"""

import errno
import os
import random
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
IS_ALL = sys.argv[2:3] == ["all"]
if IS_ALL:
    del sys.argv[2]

# It takes the program's name from sys.argv.
from poold_test import Poold, tools
from poold_play import pack, unpack

PATIENCE_S = 20
STRIDE = 4  # about one in so many is tried, when not all are

# What each call may answer; the pages of section 2 of the manual.
CALLS = {
    "clone3": ("EAGAIN", "ENOMEM"),
    "pidfd_open": ("EMFILE", "ENOMEM"),
    "socketpair": ("EMFILE", "ENOMEM"),
    "pipe2": ("EMFILE", "ENFILE"),
    "sendmsg": ("EAGAIN", "EINTR", "ENOBUFS", "ENOMEM"),
    "recvmsg": ("EAGAIN", "EINTR", "ENOMEM"),
    "open": ("EMFILE", "ENOMEM", "EINTR"),
    "read": ("EAGAIN", "EINTR"),
    "write": ("EAGAIN", "EINTR", "ENOSPC", "short"),
    "epoll_create1": ("EMFILE", "ENOMEM"),
    "epoll_ctl": ("ENOMEM", "ENOSPC"),
    "epoll_wait": ("EINTR",),
}

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
        self.pids = {}

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


class Faults(unittest.TestCase):
    def live(self, p):
        """One life; what it was answered."""
        board = Board(p)
        answers = []
        for host in ("good", "exit", "orphans", "good", "still"):
            told = board.ask(f"{host}.localhost")
            if told is None:
                break
            answers.append(told)
            if told["type"] == "route_ready" and host == "orphans":
                try:
                    os.kill(told["pid"], signal.SIGKILL)
                except ProcessLookupError:
                    pass  # the fault was faster
        if p.process.poll() is None:
            p.send(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        while board.turn(0.5):
            assert time.monotonic() < deadline, "it does not end"
        if board.wire:
            board.wire.close()
        return answers, p.process.wait(PATIENCE_S)

    def play(self, call, n, word):
        """Let the n-th call fail. Whether it was reached."""
        folder = tempfile.mkdtemp(prefix="poold-fault-")
        reached = os.path.join(folder, "reached")
        number = 0 if word == "short" else getattr(errno, word)
        try:
            with self.subTest(call=call, n=n, errno=word), Poold(
                    TENANTS, settle=False,
                    pool={"max_backends": 2, "queue_timeout": "2s",
                          "stop_timeout": "3s", "drain_timeout": "3s",
                          "start_timeout": "10s",
                          "watchdog": "10s"},
                    env={"LD_PRELOAD": SHIM, "FAIL_LOG": reached,
                         "FAIL": f"{call}:{n}:{number}"}) as p:
                answers, status = self.live(p)
                self.check(p, answers, status)
            return os.path.exists(reached)
        finally:
            shutil.rmtree(folder)

    def check(self, p, answers, status):
        """It went on, or stopped in order, with a sentence."""
        self.assertIn(status, (0, 1))
        if status == 1:
            self.assertRegex("\n".join(p.log[-3:]), r"poold\b.*: .*\w")
        else:
            self.assertEqual(len(answers), 5)
        for told in answers:
            if told["type"] == "route_failed":
                self.assertRegex(told["text"], r"\w")
        for line in p.log:
            self.assertNotRegex(line, "must|Assert|Sanitizer|not in time")
        self.assertEqual(p.left(), ([], []))

    def loop(self, call, words):
        """Every n, or some, until it is no longer reached."""
        last = 0
        for word in words:
            n = 1 if IS_ALL else random.randint(1, STRIDE)
            while self.play(call, n, word):
                last = n
                n += 1 if IS_ALL else random.randint(1, 2 * STRIDE - 1)
        return last

    def test_the_shim_is_in_place(self):
        self.assertTrue(self.play("clone3", 1, "EAGAIN"))
        self.assertFalse(self.play("clone3", 1000, "EAGAIN"))

    def test_poold_goes_on_or_stops_in_order_whatever_fails(self):
        seed = int(os.environ.get("POOLD_TEST_SEED", time.time_ns()))
        random.seed(seed)
        only = os.environ.get("FAULT_CALLS") or ",".join(CALLS)
        for call in only.split(","):
            with self.subTest(seed=seed):
                last = self.loop(call, CALLS[call])
                print(f"{call}: up to the {last}th", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
