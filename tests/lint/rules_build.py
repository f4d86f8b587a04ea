# SPDX-License-Identifier: MIT
"""rules_build: what needs a compiler, an interpreter or a build directory."""

import concurrent.futures
import json
import os
import posixpath
import re
import subprocess
import sys

import rooms

PACKAGES = ("libevent_core", "jansson", "libbsd", "libconfig", "libpcre2-8",
            "check")


def run(*command, **kw):
    return subprocess.run(command, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False, **kw)


def library_flags():
    """-I and -D of the libraries that are installed."""
    flags = []
    for package in PACKAGES:
        flags += run("pkg-config", "--cflags", package).stdout.split()
    return flags


def alone(tree):
    """Each header compiles when nothing was included before it."""
    flags = ["gcc", "-fsyntax-only", "-std=gnu11", "-D_GNU_SOURCE",
             "-fexceptions", "-Wall", "-Wextra", "-Wno-unused-parameter",
             "-Wno-unused-function", "-Werror", "-I.", *library_flags(),
             "-x", "c"]

    def compile_one(path):
        done = run(*flags, path, cwd=tree.root)
        return path, done.stderr if done.returncode else ""

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, said in pool.map(compile_one, tree.ending(".h")):
            if said:
                lines = [l for l in said.split("\n") if "error" in l]
                yield path, 1, (lines or said.split("\n"))[0]


ALONE_BAD = ({"poold/a.h": "uint32_t a_go(void);\n"},)
ALONE_GOOD = ({"poold/a.h": "#include <stdint.h>\nuint32_t a_go(void);\n"},)


def parse(tree):
    """Each script is read by its interpreter without complaint."""
    for path in tree.ending(".sh", ".ci/run"):
        shell = "bash" if path.endswith("run") else "sh"
        done = run(shell, "-n", path, cwd=tree.root)
        if done.returncode:
            yield path, 1, done.stderr.strip()
    for path in tree.ending(".py"):
        try:
            compile(tree.text(path), path, "exec")
        except SyntaxError as e:
            yield path, e.lineno or 1, e.msg


PARSE_BAD = ({"tests/a.sh": "if\n"}, {"tests/a.py": "def :\n"})
PARSE_GOOD = ({"tests/a.sh": "true\n", "tests/b.py": "a = 1\n"},)

# What every program, or every tool, has one of.
SHARED = re.compile(r"^(main|holdline_object)$|^__(asan|lsan|ubsan)_|.*\.")


def objects(tree):
    """Pairs (source path, object path) of the build, without tests."""
    with open(os.path.join(tree.build, "compile_commands.json"),
              encoding="utf-8") as f:
        rows = json.load(f)
    for row in rows:
        source = posixpath.normpath(posixpath.join(row["directory"],
                                                   row["file"]))
        path = os.path.relpath(source, tree.root)
        made = os.path.join(row["directory"], row["output"])
        is_ours = not path.startswith(("tests/", "..")) or UNITY.search(path)
        if is_ours and os.path.exists(made):
            yield path, made


# A file that meson made of several (unity builds).
UNITY = re.compile(r"-unity\d+\.c$")


def exported(tree, path, made):
    """Pairs (source path, name) of what an object file gives to others.

    One of several sources has debug information, which tells them apart.
    """
    more = ["-l"] if UNITY.search(path) else []
    for line in run("nm", "-g", "--defined-only", *more,
                    made).stdout.split("\n"):
        word, _, where = line.partition("\t")
        word = word.split()
        if len(word) != 3 or word[1] not in "TDBRVWC":
            continue
        source = where.rpartition(":")[0]
        yield (os.path.relpath(os.path.realpath(source), tree.root)
               if source else path), word[2]


def prefixes(tree, path):
    """The words of a file: its name, or its room and its name.

    A module in several files is known by the name of its first one:
    elicit.h lends its word to elicit_form.c.
    """
    folder, name = posixpath.split(os.path.splitext(path)[0])
    file = re.sub(r"\W", "_", name)
    found = {file}
    while "_" in name:
        name = name.rsplit("_", 1)[0]
        if f"{folder}/{name}.h" in tree.paths:
            found.add(name)
    return found | {f"{posixpath.basename(folder)}_{f}" for f in found}


def declared(tree):
    """For each name that a header declares: what it may start with.

    That is the words of the header and the structs that it tells about
    (style.md 12): a large module has one header and several files.
    """
    words = {}
    for path in tree.ending(".h"):
        text = re.sub(r"/\*.*?\*/", "", tree.text(path), flags=re.S)
        mine = prefixes(tree, path) | set(re.findall(r"\bstruct (\w+)", text))
        mine.update(rooms.WORDS.get(path, ()),
                    rooms.WORDS.get(posixpath.dirname(path), ()))
        for name in re.findall(r"\b(\w+)\s*(?:\(|\[|;)", text):
            words.setdefault(name, set()).update(mine)
    return words


def symbols(tree):
    """Public symbols are unique, of their file, and no library's."""
    if not tree.build:
        return
    owner = {}
    words = declared(tree)
    for object_path, made in objects(tree):
        for path, name in exported(tree, object_path, made):
            if SHARED.match(name):
                continue
            if owner.setdefault(name, path) != path:
                yield path, 1, f"{name} is defined in {owner[name]} too"
            if name.startswith(rooms.FOREIGN):
                yield path, 1, f"{name} has the prefix of a library"
            mine = prefixes(tree, path) | words.get(name, set())
            # xmem_ is mem_ that aborts without memory.
            mine |= {"x" + p for p in prefixes(tree, path)}
            if not any(name == p or name.startswith(p + "_") for p in mine):
                yield path, 1, (f"{name} does not start with "
                                + " or ".join(
                                    sorted(prefixes(tree, path))))


SYMBOLS_BAD = (
    {"poold/a.c": "int b_go;\n"},
    {"poold/a.c": "int a_go;\n", "poold/ctl/a.c": "int a_go;\n"},
    {"common/json/json.c": "int json_go(void) { return 0; }\n"},
    {"poold/a.c": "int b_go;\n", "poold/b.h": "int b_stop(void);\n"},
    {"poold/a_b.c": "int a_go;\n"},
)
SYMBOLS_GOOD = (
    {"poold/a.c": "static int x;\nint a_go(void) { return x; }\n"
     "int poold_a_stop;\n"},
    {"poold/a_b.c": "int a_go;\n", "poold/a.h": "struct a;\n"},
    {"poold/a.c": "int b_go;\nint word_go;\n",
     "poold/b.h": "struct word;\nextern int b_go;\nint word_go(void);\n"},
)


def build_sample(tree):
    """Compile a sample and say so in compile_commands.json."""
    rows = []
    for path in tree.ending(".c"):
        out = path.replace("/", "_") + ".o"
        done = run("gcc", "-c", "-o", out, path, cwd=tree.root)
        if done.returncode:
            sys.exit(done.stderr)
        rows.append({"directory": tree.root, "file": path, "output": out})
    with open(os.path.join(tree.root, "compile_commands.json"), "w",
              encoding="utf-8") as f:
        json.dump(rows, f)
    tree.build = tree.root


RULES = (
    ("headers compile alone", alone, ALONE_BAD, ALONE_GOOD),
    ("scripts parse", parse, PARSE_BAD, PARSE_GOOD),
    ("public symbols", symbols, SYMBOLS_BAD, SYMBOLS_GOOD),
)
