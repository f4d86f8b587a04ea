# SPDX-License-Identifier: MIT
"""test_call: `holdline call`, the client for people."""

import json
import os
import pty
import re
import select
import subprocess
import tempfile
import unittest

from http_client import serve
from pool import PATIENCE_S, Pool, book_flight, build_dir

HOST = "acme.localhost"
BOOK = ("book_flight", "city=Oslo", "date=2026-12-24")
ANSWERS = {"pickFlight": {"number": "HL 230"}, "pickSeat": {"number": "11B"},
           "sample": "Take a coat."}


def holdline(*words):
    return [os.path.join(build_dir(), "poold", "ctl", "holdline"), *words]


class Call(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pool = Pool([book_flight(HOST), serve("one.localhost")]).start()
        cls.url = f"http://{HOST}:{cls.pool.port}/mcp"

    @classmethod
    def tearDownClass(cls):
        cls.pool.close()

    def run_call(self, answers, *words):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump(answers, f)
            f.flush()
            return subprocess.run(
                holdline("call", "--answers", f.name, "--json", *words),
                capture_output=True, text=True, check=False,
                stdin=subprocess.DEVNULL, timeout=PATIENCE_S)

    def test_scripted_answers_book_in_both_revisions(self):
        for era in ("2025", "2026"):
            with self.subTest(era):
                done = self.run_call(ANSWERS, "--era", era, self.url, *BOOK)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(json.loads(done.stdout)["structuredContent"],
                                 {"flight": {"number": "HL 230"},
                                  "seat": {"number": "11B"},
                                  "tip": "Take a coat."})

    def test_a_scripted_decline_books_nothing(self):
        for era in ("2025", "2026"):
            with self.subTest(era):
                done = self.run_call({**ANSWERS, "pickSeat": "decline"},
                                     "--era", era, self.url, *BOOK)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("Nothing was booked.", done.stdout)

    def test_a_missing_answer_without_a_terminal_is_an_error(self):
        done = self.run_call({"pickFlight": ANSWERS["pickFlight"]}, self.url,
                             *BOOK)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertNotEqual(done.stderr, "")

    def test_the_tool_s_error_is_status_1(self):
        done = self.run_call(ANSWERS, self.url, "book_flight",
                             "city=Atlantis", "date=2026-12-24")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Atlantis", done.stdout + done.stderr)

    def test_no_server_and_no_mcp_are_status_3(self):
        nobody = self.url.replace(HOST, "nobody.localhost")
        plain = self.url.replace(HOST, "one.localhost")
        for url in (nobody, plain, "http://127.0.0.1:1/mcp"):
            with self.subTest(url):
                done = self.run_call(ANSWERS, url, *BOOK)
                self.assertEqual(done.returncode, 3,
                                 done.stdout + done.stderr)
                self.assertNotEqual(done.stderr, "")

    def test_tools_lists_the_tools(self):
        done = subprocess.run(holdline("tools", self.url), text=True,
                              capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("book_flight", done.stdout)

    def test_a_person_books_at_a_terminal(self):
        pid, terminal = pty.fork()
        if pid == 0:
            command = holdline("call", "--sample-command",
                               "sed 's/.*/Say hello./'", self.url, *BOOK)
            os.execv(command[0], command)
        seen = b""

        def until_seen(pattern):
            nonlocal seen
            while not re.search(pattern, seen):
                if not select.select([terminal], [], [], PATIENCE_S)[0]:
                    self.fail(f"{pattern} was not shown: {seen}")
                try:
                    seen += os.read(terminal, 4096)
                except OSError:  # the other end is gone
                    self.fail(f"{pattern} was not shown: {seen}")

        try:
            until_seen(rb"HL 244[^\n]*\n")
            os.write(terminal, b"2\n")
            until_seen(rb"Which seat\?")
            until_seen(rb"18F[^\n]*\n")
            os.write(terminal, b"1\n")
            until_seen(rb"Say hello\.")
        finally:
            # Read on until it has ended: a full terminal would hold it.
            while True:
                try:
                    if not os.read(terminal, 4096):
                        break
                except OSError:
                    break
            os.close(terminal)
            _, status = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, seen)


if __name__ == "__main__":
    unittest.main()
