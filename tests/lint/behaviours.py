#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""behaviours: which test shows which behaviour of common/flow.

  python3 tests/lint/behaviours.py

Writes the table in tests/unit/README.md anew, from the names of the tests
(b12_b13_a_claim carries 12 and 13) and from tests/unit/flow_na.txt, which says
why a behaviour cannot be expressed in C. Where the list of behaviours stands
beside the checkout, also says which numbers it has that NUMBERS lacks. The
rule of lint.py needs neither: it compares the table with the tree.
"""

import os
import re
import sys

README = "tests/unit/README.md"
NOT_IN_C = "tests/unit/flow_na.txt"
BEGIN = "<!-- behaviours: made by tests/lint/behaviours.py -->"
END = "<!-- end of behaviours -->"
NUMBERS = [str(n) for n in range(1, 167)] + ["36b", "144b"]
NAME = re.compile(r"START_TEST\(((?:b\d+b?_)+\w+)\)")


def order(number):
    """36, 36b, 37."""
    return int(number.rstrip("b")), number


def tests_of(tree):
    """For each number its tests, as (suite, name)."""
    found = {}
    for path in tree.paths:
        m = re.match(r"tests/unit/test_(flow_\w+)\.c$", path)
        for name in NAME.findall(tree.text(path)) if m else ():
            lead = re.match(r"(?:b\d+b?_)+", name).group()
            for number in lead.strip("_").split("_"):
                found.setdefault(number[1:], []).append((m.group(1), name))
    return found


def reasons(tree):
    """For each number that is not for C, the sentence that says why."""
    text = tree.text(NOT_IN_C) if NOT_IN_C in tree.paths else ""
    return dict(re.findall(r"^(\d+b?): (.+)$", text, re.M))


def table(tree):
    """The generated part of the README, markers included."""
    tests, why = tests_of(tree), reasons(tree)
    rows = [BEGIN, "| number | test |", "|---|---|"]
    for number in sorted(set(NUMBERS) | set(tests) | set(why), key=order):
        said = [f"`{name}` ({suite})" for suite, name in
                tests.get(number, ())]
        said += [f"n/a: {why[number]}"] if number in why else []
        rows.append(f"| {number} | {'; '.join(said)} |")
    return "\n".join(rows + [END])


def outside(text):
    """A text without what was generated into it."""
    return re.sub(rf"{BEGIN}.*?{END}\n?", "", text, flags=re.S)


def behaviours(tree):
    """Each behaviour has a test or a reason, and the README says which."""
    if README not in tree.paths:
        return
    tests, why = tests_of(tree), reasons(tree)
    for number in NUMBERS:
        if number not in tests and number not in why:
            yield README, 1, f"no test carries b{number}_ in its name"
    for number in why:
        if number in tests:
            yield NOT_IN_C, 1, f"{number} has a test: it is not n/a"
    for number in set(tests) | set(why):
        if number not in NUMBERS:
            yield README, 1, f"there is no behaviour {number}"
    if table(tree) not in tree.text(README):
        yield README, 1, "the table is stale: run tests/lint/behaviours.py"


def sample(without=(), extra=""):
    """A tree in which every number has a test, and its README."""
    tree = {"tests/unit/test_flow_a.c": extra + "".join(
        f"START_TEST(b{n}_claim)\n" for n in NUMBERS if n not in without)}

    class Sample:
        paths = list(tree)
        text = staticmethod(tree.get)
    tree[README] = "# x\n" + table(Sample) + "\n"
    return tree


BAD = (sample(without=("36b",)), sample(extra="START_TEST(b999_claim)\n"),
       {**sample(), "tests/unit/test_flow_b.c": "START_TEST(b1_b2_more)\n"},
       {**sample(), README: "# x\n"}, {**sample(), NOT_IN_C: "7: no\n"})
GOOD = (sample(), {"tests/unit/README.md": sample()[README],
                   "tests/unit/test_flow_a.c":
                   sample()["tests/unit/test_flow_a.c"]})
RULES = (("behaviours have tests", behaviours, BAD, GOOD),)


def main():
    from tree import Tree
    root = os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))))
    tree = Tree.of_disk(root)
    old = tree.text(README)
    new = re.sub(rf"{BEGIN}.*?{END}", lambda m: table(tree), old, flags=re.S)
    with open(os.path.join(root, README), "w", encoding="utf-8") as f:
        f.write(new)
    listed = os.path.join(root, "..", "shared", "design", "flow-behaviours.md")
    if os.path.exists(listed):
        with open(listed, encoding="utf-8") as f:
            text = f.read().split("\n## 14.")[0]
        known = set(re.findall(r"^(\d+b?)\. ", text, re.M))
        for number in sorted(known ^ set(NUMBERS), key=order):
            print(f"{number}: listed or known, not both")
    for path, _, said in behaviours(Tree(root, tree.paths)):
        print(f"{path}: {said}")


if __name__ == "__main__":
    sys.exit(main())
