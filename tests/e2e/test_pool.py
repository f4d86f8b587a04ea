# SPDX-License-Identifier: MIT
"""test_pool: the fixture sees what a bad poold would leave behind.

Each case is a program in poold's place with one fault.
"""

import os
import signal
import tempfile
import unittest

from pool import Left, Pool

START = """#!/usr/bin/env python3
import os, signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
run = open(sys.argv[2]).read().split('runtime_dir = "')[1].split('"')[0]
def wait(code=0, signals=[signal.SIGTERM]):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.sendto(b"READY=1\\n", os.environ["NOTIFY_SOCKET"])
    signal.sigwait(signals)
    os._exit(code)
"""


class Fixture(unittest.TestCase):
    def pool(self, fault):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "poold")
        with open(path, "w", encoding="utf-8") as f:
            f.write(START + fault)
        os.chmod(path, 0o755)
        return Pool([{"host": "a.localhost", "command": ["/bin/true"]}],
                    poold=path)

    def test_a_good_end_leaves_nothing(self):
        with self.pool("wait()\n") as pool:
            self.assertEqual(pool.end(), 0)
            self.assertEqual(pool.leftovers(), [])

    def test_the_exit_status_is_seen(self):
        with self.pool("wait(3)\n") as pool:
            self.assertEqual(pool.end(), 3)

    def test_a_child_that_was_left_is_found(self):
        with self.assertRaisesRegex(Left, r"process \d+ "):
            with self.pool("if os.fork() == 0:\n    signal.pause()\nwait()\n"):
                pass

    def test_a_grandchild_in_a_session_of_its_own_is_found(self):
        with self.assertRaisesRegex(Left, r"process \d+ "):
            with self.pool(
                    "r, w = os.pipe()\n"
                    "if os.fork() == 0:\n    os.setsid()\n"
                    "    if os.fork() == 0:\n        os.setsid()\n"
                    "        os.write(w, b'.')\n        signal.pause()\n"
                    "    os._exit(0)\nos.wait()\nos.read(r, 1)\nwait()\n"):
                pass

    def test_a_child_that_nobody_reaped_is_found(self):
        with self.assertRaisesRegex(Left, r"process \d+ \(Z\)"):
            with self.pool("pid = os.fork()\n"
                           "if pid == 0:\n    os._exit(0)\n"
                           "os.waitid(os.P_PID, pid, os.WEXITED|os.WNOWAIT)\n"
                           "wait()\n"):
                pass

    def test_a_socket_that_was_left_is_found(self):
        with self.assertRaisesRegex(Left, "socket .*/a.sock"):
            with self.pool("s = socket.socket(socket.AF_UNIX)\n"
                           "s.bind(run + '/a.sock')\nwait()\n"):
                pass

    def test_a_sanitizer_s_report_is_found(self):
        with self.assertRaisesRegex(Left, "AddressSanitizer"):
            with self.pool("print('==1==ERROR: AddressSanitizer: x', "
                           "flush=True)\nwait()\n"):
                pass

    def test_an_end_at_the_start_has_its_reason(self):
        with self.assertRaisesRegex(AssertionError, "no luck"):
            with self.pool("print('no luck', flush=True)\n"):
                pass

    def test_a_pool_that_does_not_end_is_an_error_and_is_killed(self):
        with self.assertRaisesRegex(Left, "did not end"):
            with self.pool("wait(0, [signal.SIGUSR1])\n") as pool:
                pool.end(signal.SIGTERM, patience_s=0.2)

    def test_a_line_is_waited_for(self):
        with self.pool("print('one', flush=True)\nwait()\n") as pool:
            self.assertEqual(pool.wait_line("^o"), "one")
            with self.assertRaisesRegex(AssertionError, "no log line"):
                pool.wait_line("two", patience_s=0.1)


if __name__ == "__main__":
    unittest.main()
