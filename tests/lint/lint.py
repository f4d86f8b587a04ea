#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""lint: check the tree against the rules of the house.

  python3 tests/lint/lint.py [--build DIR] [ROOT]

Prints TAP, one line a rule. Before a rule is applied to the tree it has to
find the fault in each of its bad samples and none in its good ones; a rule
that does not is a failure by itself, so lint cannot pass by being blind.
"""

import argparse
import os
import sys
import tempfile

import behaviours
import rules_build
import rules_include
import rules_text
from tree import Tree

RULES = (rules_include.RULES + rules_text.RULES + behaviours.RULES
         + rules_build.RULES)
LONG = {".c": 600, ".h": 250}  # lines: reported, never a failure


def try_sample(rule, texts):
    """The complaints of a rule about a sample tree."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree.of_sample(texts, folder)
        tree.build = None
        if rule is rules_build.symbols:
            rules_build.build_sample(tree)
        return list(rule(tree))


def self_test(rule, bad, good):
    """What the rule gets wrong about its samples."""
    for texts in bad:
        if not try_sample(rule, texts):
            yield f"does not see what is wrong in {texts}"
    for texts in good:
        for path, line, said in try_sample(rule, texts):
            yield f"complains about a good sample: {path}:{line}: {said}"


def sizes(tree):
    """Name the long files."""
    for path in tree.ending(*LONG):
        lines = tree.text(path).count("\n")
        if lines > LONG[os.path.splitext(path)[1]]:
            print(f"# long: {path}: {lines} lines")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    args = argparse.ArgumentParser()
    args.add_argument("--build", help="a build directory, for symbols")
    args.add_argument("root", nargs="?",
                      default=os.path.dirname(os.path.dirname(here)))
    args = args.parse_args()
    tree = Tree.of_disk(os.path.abspath(args.root))
    tree.build = args.build and os.path.abspath(args.build)
    print(f"1..{len(RULES)}")
    failed = 0
    for number, (name, rule, bad, good) in enumerate(RULES, 1):
        blind = list(self_test(rule, bad, good))
        skip = rule is rules_build.symbols and not tree.build
        found = [] if skip else list(rule(tree))
        verdict = "not ok" if blind or found else "ok"
        print(f"{verdict} {number} - {name}"
              + (" # SKIP needs --build" if skip and not blind else ""))
        for said in blind:
            print(f"# the rule itself: {said}")
        for path, line, said in found:
            print(f"# {path}:{line}: {said}")
        failed += bool(blind or found)
        sys.stdout.flush()
    sizes(tree)
    print(f"# lint: {len(tree.paths)} files, {len(RULES)} rules, "
          f"{failed} broken")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
