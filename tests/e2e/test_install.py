# SPDX-License-Identifier: MIT
"""test_install: what is installed runs from anywhere, and systemd likes it."""

import os
import shutil
import subprocess
import tempfile
import unittest

from http_client import ask, park, serve
from pool import Pool, build_dir


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, **more)


def find(root, name):
    """The one file of this name below root."""
    found = [os.path.join(folder, name) for folder, _, names in os.walk(root)
             if name in names]
    if len(found) != 1:
        raise AssertionError(f"{name}: {found} below {root}")
    return found[0]


class Install(unittest.TestCase):
    """All on one installed tree, below a folder that is no prefix."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="holdline-install-")
        cls.addClassCleanup(shutil.rmtree, cls.root)
        os.chmod(cls.root, 0o755)
        done = run("meson", "install", "-C", build_dir(), "--no-rebuild",
                   "--destdir", cls.root)
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)

    def test_the_installed_tree_runs_from_another_place(self):
        tool = find(self.root, "book_flight.so")
        with Pool([{"host": "acme.localhost", "tools": [tool]},
                   serve("one.localhost")],
                  poold=find(self.root, "poold")) as pool:
            park(pool, "acme.localhost")
            self.assertEqual(ask(pool, "one.localhost", "/pid")[0], 200)
            for pid in pool.pids_titled("holdline: backend acme.localhost"):
                self.assertTrue(os.readlink(f"/proc/{pid}/exe").startswith(
                    self.root), "a program of the build tree was used")

    def test_the_command_for_people_is_installed(self):
        done = run(find(self.root, "holdline"), "call")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("call", done.stderr)

    def test_the_example_configuration_is_a_good_one(self):
        done = run(find(self.root, "poold"), "-C", "-c",
                   find(self.root, "holdline.conf"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_C_prints_reads_back_the_same(self):
        poold = find(self.root, "poold")
        once = run(poold, "-C", "-c", find(self.root, "holdline.conf")).stdout
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            f.write(once)
            f.flush()
            twice = run(poold, "-C", "-c", f.name)
        self.assertEqual(twice.stdout, once)

    def test_a_tool_is_built_with_pkg_config_alone(self):
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                              "tool_slow.c")
        pc = find(self.root, "holdline.pc")
        env = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=self.root,
                   PKG_CONFIG_PATH=os.path.dirname(pc))
        flags = run("pkg-config", "--cflags", "holdline", env=env)
        self.assertEqual(flags.returncode, 0, flags.stderr)
        out = os.path.join(self.root, "slow.so")
        done = run("gcc", "-shared", "-fPIC", *flags.stdout.split(), "-o",
                   out, source)
        self.assertEqual(done.returncode, 0, done.stderr)
        with Pool([{"host": "acme.localhost", "tools": [out]}],
                  poold=find(self.root, "poold")) as pool:
            self.assertEqual(ask(pool, "acme.localhost", "/mcp")[0], 400)

    @unittest.skipUnless(shutil.which("systemd-analyze"),
                         "systemd-analyze is not here")
    def test_systemd_finds_nothing_to_say_about_the_unit(self):
        unit = find(self.root, "holdline.service")
        with open(unit, encoding="utf-8") as f:
            text = f.read()
        self.assertNotIn("@", text.replace("@system", ""))
        # The program stands below DESTDIR: that is all that differs.
        poold = find(self.root, "poold")
        self.assertIn(f"ExecStart={poold[len(self.root):]} ", text)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "holdline.service")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.replace(poold[len(self.root):], poold))
            done = run("systemd-analyze", "verify", path)
            self.assertEqual((done.returncode, done.stdout + done.stderr),
                             (0, ""))

            # And it would have something to say about a bad one.
            with open(path, "a", encoding="utf-8") as f:
                f.write("[Service]\nNoSuchKey=1\nType=nonsense\n")
            done = run("systemd-analyze", "verify", path)
            self.assertIn("NoSuchKey", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
