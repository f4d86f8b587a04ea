# SPDX-License-Identifier: MIT
"""test_gdb: gdb shows the tasks of a program and the stack of a parked one."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
COMMANDS = os.path.join(ROOT, "deploy", "gdb", "flow.py")
BUILD = os.environ.get("HOLDLINE_BUILD") or os.path.join(ROOT, "build")
PARKED = os.path.join(BUILD, "tests", "gdb", "gdb_parked")
HAS_GDB = shutil.which("gdb") is not None


def line_of(text):
    with open(os.path.join(HERE, "parked.c"), encoding="utf-8") as f:
        return next(n for n, line in enumerate(f, 1) if text in line)


def gdb(*commands, files=(PARKED,), **more):
    """What gdb says to these commands, with ours loaded."""
    words = ["gdb", "-q", "-batch", "-nx", "-ex", "set width 0",
             "-ex", "set debuginfod enabled off", "-ex", f"source {COMMANDS}"]
    for command in commands:
        words += ["-ex", command]
    return subprocess.run(words + list(files), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=120,
                          check=False, **more).stdout


@unittest.skipUnless(HAS_GDB, "gdb is not installed")
class Gdb(unittest.TestCase):
    maxDiff = None

    def check_tasks(self, said):
        rows = re.findall(r"^ +(\d+)  0x[0-9a-f]+  ( *)(.*)$", said, re.M)
        self.assertEqual(
            [(n, len(indent), re.sub(r" at \S*/", " at ", line))
             for n, indent, line in rows],
            [("1", 0, "top: waiting for nothing, for ever at parked.c:"
              f"{line_of('flow_suspend();')}"),
             ("2", 2, "child: waiting for an answer at parked.c:"
              f"{line_of('/* here */')}"),
             ("3", 2, "late: new")], said)

    def check_stack(self, said):
        """The stack of child, from its wait to the end of the stack."""
        names = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+) \(", said, re.M)
        numbers = [int(n) for n in re.findall(r"^#(\d+)", said, re.M)]
        self.assertEqual(numbers, list(range(len(numbers))), said)
        inner = names.index("ask_person") if "ask_person" in names else -1
        self.assertEqual(names[inner:inner + 3],
                         ["ask_person", "book_flight", "child"], said)
        self.assertIn("waiter_wait", names[:inner], said)
        self.assertEqual(names[-2:], ["run_first", "flow_switch_first"], said)
        self.assertNotIn("corrupt", said)

    def test_a_live_program_shows_its_tasks(self):
        self.check_tasks(gdb("run", "flow-tasks"))

    def test_the_stack_of_a_parked_task_is_shown_by_name_number_address(self):
        said = gdb("run", "echo ---\\n", "flow-bt child", "echo ---\\n",
                   "flow-bt 2", "echo ---\\n", "flow-tasks")
        _, by_name, by_number, tasks = said.split("---\n")
        self.check_stack(by_name)
        self.assertEqual(by_name, by_number)
        address = re.search(r"^ +2  (0x[0-9a-f]+)", tasks, re.M)[1]
        self.assertRegex(gdb("set disable-randomization on", "run",
                             f"flow-bt {address}"), "ask_person")

    def test_afterwards_the_thread_is_as_it_was(self):
        said = gdb("run", "echo ---\\n", "bt", "info registers rip rsp pc sp",
                   "echo ---\\n", "flow-bt 2", "echo ---\\n", "bt",
                   "info registers rip rsp pc sp")
        _, before, _, after = said.split("---\n")
        self.assertIn("main ()", before)
        self.assertEqual(before, after)

    def test_a_task_that_has_not_run_has_no_stack(self):
        self.assertRegex(gdb("run", "flow-bt late"),
                         r"late: new\nit has not run yet\n")

    def test_what_cannot_be_is_said(self):
        said = gdb("run", "flow-bt", "flow-bt 9", "flow-bt nobody")
        self.assertIn("which task? flow-bt NUMBER, ADDRESS or NAME", said)
        self.assertIn("there are 3 tasks, no task 9", said)
        self.assertIn("no task is called nobody", said)
        self.assertNotIn("Traceback", said)

    def test_a_program_without_flow_is_told_so(self):
        self.assertIn("no flow in this program",
                      gdb("flow-tasks", files=("/bin/true",)))

    def test_a_core_file_shows_the_same(self):
        with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as f:
            pattern = f.read().strip()
        if pattern.startswith("|") or "/" in pattern:
            self.skipTest(f"core files go elsewhere here: {pattern}")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["sh", "-c", 'ulimit -c unlimited && exec "$0"',
                            PARKED], cwd=folder, check=False, timeout=30,
                           stdin=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            cores = [os.path.join(folder, n) for n in os.listdir(folder)]
            if not cores:
                self.skipTest("no core file may be written here")
            said = gdb("echo ---\\n", "flow-tasks", "echo ---\\n",
                       "flow-bt 2", files=(PARKED, cores[0]))
            _, tasks, stack = said.split("---\n")
            self.check_tasks(tasks)
            self.check_stack(stack)


class Install(unittest.TestCase):
    def test_the_commands_are_installed(self):
        with open(os.path.join(BUILD, "meson-info", "intro-installed.json"),
                  encoding="utf-8") as f:
            installed = json.load(f)
        self.assertTrue(installed.get(COMMANDS, "not at all").endswith(
            "/share/holdline/gdb/flow.py"), installed.get(COMMANDS))


if __name__ == "__main__":
    unittest.main()
