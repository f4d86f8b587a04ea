# SPDX-License-Identifier: MIT
"""rules_text: what each file says about itself, and what none may say."""

import posixpath
import re

import behaviours
import rooms

SPDX_C = "/* SPDX-License-Identifier: MIT */"
SPDX = "SPDX-License-Identifier: MIT"


def spdx(tree):
    """C starts with the licence line; scripts have it in three lines."""
    for path in tree.ending(".c", ".h", ".S"):
        if not tree.text(path).startswith(SPDX_C + "\n"):
            yield path, 1, f"the first line is not {SPDX_C}"
    for path in tree.ending(".py", ".sh", ".mjs", ".ci/run"):
        if not any(SPDX in l for l in tree.text(path).split("\n")[:3]):
            yield path, 1, f"no {SPDX} in the first three lines"


SPDX_BAD = ({"poold/a.c": "int a;\n"}, {"tests/a.sh": "#!/bin/sh\n"},
            {"tests/a.mjs": "\n\n\n// " + SPDX + "\n"})
SPDX_GOOD = ({"poold/a.c": SPDX_C + "\nint a;\n",
              "tests/a.py": "# " + SPDX + "\n"},)


def guard_names(path):
    """The guards that style.md allows for a header."""
    if path in rooms.GUARDS:
        return {rooms.GUARDS[path]}
    parts = [p for p in path[:-2].split("/") if p != "common"]
    word = lambda ps: re.sub(r"[^A-Z0-9]", "_", "_".join(ps).upper()) + "_H"
    names = {word(parts), word(parts[-2:])}
    # What only tests include cannot clash with what is installed.
    return names | {word(parts[-1:])} if parts[0] == "tests" else names


def guards(tree):
    """A header is guarded by ROOM_FILE_H and by nothing else."""
    for path in tree.ending(".h"):
        text = re.sub(r"/\*.*?\*/", "", tree.text(path), flags=re.S).strip()
        m = re.match(r"#ifndef (\w+)\n#define (\w+)\n.*\n?#endif$", text,
                     re.S)
        if not m or m.group(1) != m.group(2):
            yield path, 1, "has no include guard around everything"
        elif m.group(1) not in guard_names(path):
            yield path, 1, (f"guard {m.group(1)}, expected "
                            + " or ".join(sorted(guard_names(path))))


GUARDS_BAD = (
    {"common/base/a.h": "int a;\n"},
    {"common/base/a.h": "#ifndef A_H\n#define A_H\n#endif\n"},
    {"common/base/a.h": "#ifndef BASE_A_H\n#define BASE_B_H\n\n#endif\n"},
)
GUARDS_GOOD = (
    {"common/base/a.h": "/* x */\n#ifndef BASE_A_H\n#define BASE_A_H\n"
     "int a(void);\n#endif\n",
     "backend/mcp/b.h": "#ifndef MCP_B_H\n#define MCP_B_H\n\n#endif\n"},
)


def prototypes(text):
    """Pairs (line number, is it documented) of a header's prototypes.

    Documented: a comment ends on the line above, or on the line above the
    first of a block of declarations without a blank line between them.
    """
    depth = 0
    documented = False
    statement = ""
    in_comment = False
    in_macro = False
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        if in_macro or (not in_comment and line.lstrip().startswith("#")):
            in_macro = line.endswith("\\")
            continue
        code = ""
        rest = line
        had_comment = in_comment
        while rest:
            if in_comment:
                end = rest.find("*/")
                in_comment = end < 0
                rest = "" if in_comment else rest[end + 2:]
            else:
                begin = rest.find("/*")
                code += rest if begin < 0 else rest[:begin]
                in_comment = begin >= 0
                had_comment |= in_comment
                rest = "" if begin < 0 else rest[begin + 2:]
        if not line.strip() and not statement:
            documented = False
        if had_comment and not code.strip() and depth == 0 and not statement:
            documented = True
        for char in code:
            if not statement.strip():
                start = number
            depth += (char == "{") - (char == "}")
            statement += char
            if depth == 0 and char in ";}":
                if char == ";" and is_prototype(statement):
                    yield start, documented
                if char == ";" or "(" in statement.split("{")[0]:
                    statement = ""
        statement = statement + " " if statement.strip() else ""


def is_prototype(statement):
    s = " ".join(statement.split())
    return (s.endswith(");") or re.search(r"\) __attribute__ ?\(\(.*\)\);$", s)
            ) is not None and s.endswith(";") and "{" not in s and (
        re.match(r"(extern )?[\w \*]+\b\w+\(", s) is not None
        and not s.startswith(("typedef", "_Static_assert", "static_assert")))


DOCSTRINGS_LEAST = 90  # percent of a room's prototypes


def docstrings(tree):
    """At least 90 % of the prototypes of each room are documented."""
    rows = {}
    for path in tree.ending(".h"):
        if path.startswith("tests/"):
            continue
        for number, documented in prototypes(tree.text(path)):
            rows.setdefault(rooms.room_of(path), []).append(
                (path, number, documented))
    for room, found in sorted(rows.items(), key=lambda r: str(r[0])):
        bare = [(p, n) for p, n, documented in found if not documented]
        if len(bare) * 100 > len(found) * (100 - DOCSTRINGS_LEAST):
            for path, number in bare:
                yield path, number, (
                    f"prototype without a comment ({len(bare)} of "
                    f"{len(found)} in {room})")


DOCSTRINGS_BAD = (
    {"poold/a.h": "int a_go(void);\n"},
    {"poold/a.h": "/* Go. */\n\nint a_go(void);\n"},
    {"poold/a.h": "/* Go. */\nint a_go(void);\n\nvoid a_b(int c,\n\tint d)\n"
     "    __attribute__((noreturn));\n"},
)
DOCSTRINGS_GOOD = (
    {"poold/a.h": "/*\n * Go.\n */\nint a_go(void);\nint a_b(int\n    c);\n"
     "\nstruct a {\n\tint (*x)(void);\n};\n\n"
     "typedef int a_fn(void *arg);\n#define A(x) \\\n\tb(x);\n"},
)


def readmes(tree):
    """Each folder has a README.md of at most 60 lines, tables that are
    generated into it apart."""
    folders = {posixpath.dirname(p) for p in tree.paths}
    for folder in sorted(folders):
        if not folder or folder.startswith("."):
            continue
        path = folder + "/README.md"
        if path not in tree.paths:
            yield path, 1, "is missing"
            continue
        lines = behaviours.outside(tree.text(path)).count("\n")
        if lines > 60:
            yield path, 61, f"has {lines} lines"


READMES_BAD = ({"poold/a.c": ""}, {"poold/README.md": "x\n" * 61})
READMES_GOOD = ({"poold/README.md": "x\n" * 60, "README.md": "x\n" * 99},)

# Written in two halves, so that this file does not forbid itself.
FORBIDDEN = (
    ("a registry's host", re.compile(
        r"registry\." + r"npm" + r"js|npm" + r"js\." + r"(org|com)|registry\."
        + r"yarnpkg|pypi\." + r"org|python" + r"hosted\.org|crates\."
        + r"io|proxy\." + r"golang|deb\." + r"debian\.org")),
    ("a path of somebody's machine", re.compile(
        r"(?<![\w.])(/wo" + r"rk/|/ro" + r"ot/|/ho" + r"me/\w|/tmp/" + r"b-)")),
    ("a note to oneself", re.compile(
        r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")),
)


def forbidden(tree):
    """No registry hosts, no machine's paths, no notes to oneself."""
    for path in tree.paths:
        for number, line in tree.lines(path):
            for what, pattern in FORBIDDEN:
                if pattern.search(line):
                    yield path, number, f"{what}: {line.strip()[:60]}"


FORBIDDEN_BAD = (
    {"a": "https://registry." + "npm" + "js.org/x\n"},
    {"a": "cd /wo" + "rk/main\n"},
    {"a.c": "/* TO" + "DO: more */\n"},
)
FORBIDDEN_GOOD = ({"a": "/tmp/x, mkdtemp(XXXXXX), network/x\n"},)


def top(tree):
    """The top level has what architecture.md lists, and no more."""
    for entry in sorted({p.split("/")[0] for p in tree.paths} - rooms.TOP):
        yield entry, 1, "does not belong at the top level"


TOP_BAD = ({"notes.txt": ""}, {"src/a.c": ""})
TOP_GOOD = ({"README.md": "", "poold/a.c": ""},)

SLEEP = re.compile(
    r"(?<![\w.])(usleep|nanosleep|sleep)\s*\((?!0\))|time\.sleep|timers/pro" +
    r"mises|^\s*sleep\s+[\d$]")


def sleeps(tree):
    """A test waits for a line, a state or a descriptor, not for time.

    sleep(0) is no sleep: it lets others go first.
    """
    for path in tree.ending(".c", ".py", ".mjs", ".sh"):
        if not path.startswith("tests/"):
            continue
        for number, line in tree.lines(path):
            if SLEEP.search(line) and "tests/lint/" not in path:
                yield path, number, f"sleeps: {line.strip()[:60]}"


SLEEPS_BAD = ({"tests/a.py": "time.sleep(1)\n"}, {"tests/a.c": "\tusleep(5);"},
              {"tests/a.sh": "  sleep 1\n"})
SLEEPS_GOOD = ({"tests/a.c": "\thl_sleep(ctx, 5);\n\tflow_sleep(1);\n",
                "tests/b.mjs": "yield* sleep(0);\n"},)

HANDLER = re.compile(
    r"(?<!struct )\bsigaction\s*\(\w+, (?!NULL)|" +
    r"\bsignal\s*\((?!.*\bSIG_(IGN|DFL)\))")
HANDLES = ("common/base/sigstack.c", "common/flow/overflow.c",
           "common/proc/child.c")


def handlers(tree):
    """A handler of a signal does not run on a task's stack."""
    for path in tree.ending(".c"):
        if path.startswith("tests/") or path in HANDLES:
            continue
        for number, line in tree.lines(path):
            if HANDLER.search(line):
                yield path, number, "use sigstack.h"


HANDLERS_BAD = ({"backend/a.c": "\tsignal(SIGCHLD, a_on_signal);\n"},
                {"poold/a.c": "\tsigaction(SIGCHLD, &action, NULL);\n"})
HANDLERS_GOOD = ({"backend/a.c": "\tsignal(SIGPIPE, SIG_IGN);\n"
                  "\tpidfd_signal(fd, 9);\n"
                  "\tsigaction(SIGHUP, NULL, &now);\n",
                  "tests/a.c": "\tsignal(SIGCHLD, on_signal);\n"},)

KEY = re.compile(r'^\s*ROW\(\w+,\s*"([a-z_]+)"', re.M)


def config(tree):
    """Each configuration key is described where a person looks for it."""
    rows = [(path, text.count("\n", 0, m.start(1)) + 1, m.group(1))
            for path in tree.paths if re.match(r"poold/settings\w*\.c$", path)
            for text in [tree.text(path)] for m in KEY.finditer(text)]
    if "poold/settings.c" in tree.paths and not rows:
        yield "poold/settings.c", 1, "no ROW was found: is this rule blind?"
    books = {"deploy/holdline.conf"} | {
        p for p in tree.paths if p == "deploy/man/holdline.conf.5.scd"}
    for book in sorted(books):
        words = tree.text(book) if book in tree.paths else ""
        for path, number, key in rows:
            if not re.search(rf"\b{key}\b", words):
                yield path, number, f"{key} is not described in {book}"


CONFIG_BAD = (
    {"poold/settings.c": '\tROW(INT, "max_x", 1),\n',
     "deploy/holdline.conf": "-\n"},
    {"poold/settings.c": '\tROW(INT, "max_x", 1),\n',
     "deploy/holdline.conf": "max_x", "deploy/man/holdline.conf.5.scd": "-"},
    {"poold/settings.c": "int a;\n", "deploy/holdline.conf": ""},
)
CONFIG_GOOD = ({"poold/settings.c": '\tROW(INT, "max_x", 1),\n',
                "deploy/holdline.conf": "max_x = 1; # so many\n"},)

RULES = (
    ("licence lines", spdx, SPDX_BAD, SPDX_GOOD),
    ("include guards", guards, GUARDS_BAD, GUARDS_GOOD),
    ("docstrings", docstrings, DOCSTRINGS_BAD, DOCSTRINGS_GOOD),
    ("folders have READMEs", readmes, READMES_BAD, READMES_GOOD),
    ("nothing forbidden is said", forbidden, FORBIDDEN_BAD, FORBIDDEN_GOOD),
    ("top level", top, TOP_BAD, TOP_GOOD),
    ("tests do not sleep", sleeps, SLEEPS_BAD, SLEEPS_GOOD),
    ("handlers have a stack", handlers, HANDLERS_BAD, HANDLERS_GOOD),
    ("configuration is described", config, CONFIG_BAD, CONFIG_GOOD),
)
