#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples: the programs that a manual page shows, out of the page itself.

  examples.py PAGE.scd FOLDER STEM    write STEM_01.c, STEM_02.c, … there

The first code block is shared; each later one is an example, under a heading
with its number, that ends with the comment `prints:` and what it prints, one
word or sentence a line, separated by commas.
"""

import os
import re
import sys


def examples(path):
    """(shared code, [(number, title, code, [lines that it prints])])."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    blocks = list(re.finditer(r"^```\n(.*?)^```\n", text, re.M | re.S))
    found = []
    for block in blocks[1:]:
        headings = re.findall(r"^## (\d+)\. (.*)$", text[:block.start()], re.M)
        prints = re.search(r"^/\* prints: (.*) \*/\n\Z", block[1], re.M)
        if not headings or not prints:
            raise SystemExit(f"{path}: an example without a numbered heading "
                             f"or without what it prints:\n{block[1]}")
        number, title = headings[-1]
        found.append((int(number), title, block[1], prints[1].split(", ")))
    return blocks[0][1], found


def main():
    page, folder, stem = sys.argv[1:]
    shared, found = examples(page)
    for number, title, code, _ in found:
        with open(os.path.join(folder, f"{stem}_{number:02}.c"), "w",
                  encoding="utf-8") as f:
            f.write(f"/* Out of {os.path.basename(page)}: {title} */\n"
                    f"{shared}\n{code}")


if __name__ == "__main__":
    main()
