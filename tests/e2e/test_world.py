# SPDX-License-Identifier: MIT
"""test_world: what poold's parent, or its container, left to it."""

import os
import signal
import unittest

from http_client import ask, serve
from pool import Pool, book_flight

ONE, TWO = "one.localhost", "two.localhost"


class World(unittest.TestCase):
    """A command and a tool live and end as they do anywhere."""

    def live(self, signo=signal.SIGTERM, **how):
        """Start poold, use it, kill a backend, end it; its log."""
        with Pool([serve(ONE), book_flight(TWO)], **how) as pool:
            first = ask(pool, ONE, "/pid")[2]
            self.assertEqual(ask(pool, TWO, "/")[0], 404)
            for pid in pool.pids_titled("holdline: init of " + ONE):
                os.kill(pid, signal.SIGKILL)
            pool.wait_line("stopped " + ONE)
            self.assertNotEqual(ask(pool, ONE, "/pid")[2], first)
            self.assertEqual(pool.end(signo), 0)
            return pool.lines


class Signals(World):
    def ignore(self, *signos):
        def prepare():
            for signo in signos:
                signal.signal(signo, signal.SIG_IGN)
        return prepare

    def test_a_parent_that_ignores_sigchld_and_sigterm(self):
        self.live(prepare=self.ignore(signal.SIGCHLD, signal.SIGTERM))

    def test_a_parent_that_blocks_all_signals(self):
        self.live(prepare=lambda: signal.pthread_sigmask(
            signal.SIG_BLOCK, signal.valid_signals()))

    def test_nohup_keeps_sighup_from_it(self):
        with Pool([serve(ONE)], prepare=self.ignore(signal.SIGHUP)) as pool:
            os.kill(pool.pid, signal.SIGHUP)
            self.assertEqual(ask(pool, ONE, "/pid")[0], 200)
            self.assertEqual(pool.end(), 0)
