# SPDX-License-Identifier: MIT
"""test_manual: the manual pages are well formed, their examples are true."""

import json
import os
import shutil
import subprocess
import unittest

from examples import examples

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGES = os.path.join(ROOT, "deploy", "man")
BUILD = os.environ.get("HOLDLINE_BUILD") or os.path.join(ROOT, "build")

# scdoc writes a paragraph macro wherever a blank line is: mandoc skips it.
OF_SCDOC = "skipping paragraph macro"


def pages():
    return sorted(name for name in os.listdir(PAGES)
                  if name.endswith(".scd"))


def formatted(page):
    with open(os.path.join(PAGES, page), "rb") as f:
        return subprocess.run(["scdoc"], stdin=f, capture_output=True,
                              check=False, timeout=60)


class Flow(unittest.TestCase):
    def test_twelve_guarantees_have_an_example_each(self):
        _, found = examples(os.path.join(PAGES, "holdline-flow.7.scd"))
        self.assertEqual([number for number, *_ in found],
                         list(range(1, 13)))

    def test_each_example_prints_what_the_page_says(self):
        _, found = examples(os.path.join(PAGES, "holdline-flow.7.scd"))
        for number, title, _, prints in found:
            with self.subTest(number=number, title=title):
                done = subprocess.run(
                    [os.path.join(BUILD, "tests", "manual",
                                  f"manual_flow_{number:02}")],
                    stdin=subprocess.DEVNULL, capture_output=True, text=True,
                    timeout=60, check=False)
                self.assertEqual((done.stdout.splitlines(), done.stderr,
                                  done.returncode), (prints, "", 0))


@unittest.skipUnless(shutil.which("scdoc"), "scdoc is not installed")
class Pages(unittest.TestCase):
    def test_scdoc_accepts_each_page(self):
        self.assertIn("holdline-flow.7.scd", pages())
        for page in pages():
            with self.subTest(page=page):
                done = formatted(page)
                self.assertEqual((done.returncode, done.stderr), (0, b""))

    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_finds_nothing_wrong(self):
        for page in pages():
            with self.subTest(page=page):
                said = subprocess.run(
                    ["mandoc", "-Tlint", "-W", "warning"],
                    input=formatted(page).stdout, stdout=subprocess.PIPE,
                    check=False, timeout=60).stdout.decode()
                self.assertEqual([line for line in said.splitlines()
                                  if OF_SCDOC not in line], [])

    def test_each_page_is_installed(self):
        with open(os.path.join(BUILD, "meson-info", "intro-installed.json"),
                  encoding="utf-8") as f:
            installed = json.load(f).values()
        for page in pages():
            name = page.removesuffix(".scd")
            section = name.rpartition(".")[2]
            with self.subTest(page=page):
                self.assertTrue(any(
                    path.endswith(f"/man/man{section}/{name}")
                    for path in installed), "not in deploy/man/meson.build")


if __name__ == "__main__":
    unittest.main()
