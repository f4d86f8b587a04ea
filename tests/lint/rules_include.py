# SPDX-License-Identifier: MIT
"""rules_include: who includes what. Each rule yields (path, line, text)."""

import re

import rooms

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def includes(tree, path):
    """Triples (line number, '<' or '"', name)."""
    for number, line in tree.lines(path):
        m = INCLUDE.match(line)
        if m:
            yield number, m.group(1), m.group(2)


def sources(tree):
    return tree.ending(".c", ".h", ".S")


def arrows(tree):
    """A room includes its own headers and those its arrows point at."""
    for path in sources(tree):
        room = rooms.room_of(path)
        if room is None:
            yield path, 1, "stands in no room of tests/lint/rooms.py"
            continue
        allowed = rooms.ARROWS[room] + (room,)
        doors = rooms.DOORS.get(room, ()) + rooms.GRANTS.get(path, ())
        for number, kind, name in includes(tree, path):
            other = rooms.room_of(name)
            if kind == '"' and name not in doors and other not in allowed:
                yield path, number, f"{room} may not include {name}"


ARROWS_BAD = (
    {"common/base/a.h": '#include "common/loop/loop.h"\n'},
    {"switchboard/a.c": '#include "common/flow/task.h"\n'},
    {"switchboard/a.c": '#include "poold/pool.h"\n'},
    {"switchboard/a.c": '#include "common/json/jsontext.h"\n'},
    {"backend/tools/a.c": '#include "backend/session.h"\n'},
    {"poold/ctl/a.c": '#include "poold/reap.h"\n'},
    {"elsewhere/a.c": "int a;\n"},
)
ARROWS_GOOD = (
    {"poold/a.c": '#include "common/flow/task.h"\n#include "poold/b.h"\n',
     "switchboard/admin.c": '#include "common/json/jsontext.h"\n',
     "backend/tools/a.c": '#include "holdline.h"\n'},
)


def rooted(tree):
    """Includes in quotes name their file from the root; none climbs."""
    for path in sources(tree):
        doors = rooms.DOORS.get(rooms.room_of(path), ())
        for number, kind, name in includes(tree, path):
            if name in doors:
                continue
            if ".." in name.split("/"):
                yield path, number, f"{name} climbs with .."
            elif kind == '"' and name not in tree.paths and not (
                    name.endswith((".inc", ".gen.h"))):
                yield path, number, f"{name} is no file from the root"
            elif kind == "<" and rooms.room_of(name):
                yield path, number, f"{name} is ours: use quotes"


ROOTED_BAD = (
    {"poold/a.c": '#include "../common/base/log.h"\n'},
    {"poold/a.c": '#include "reap.h"\n', "poold/reap.h": ""},
    {"poold/a.c": "#include <common/base/log.h>\n"},
)
ROOTED_GOOD = ({"poold/a.c": '#include "poold/b.h"\n', "poold/b.h": ""},)


def walls(tree):
    """A third-party header is seen in its room only."""
    seen = {}
    for path in sources(tree):
        room = rooms.room_of(path)
        for number, _, name in includes(tree, path):
            if rooms.room_of(name) or name in rooms.GRANTS.get(path, ()):
                continue
            for pattern, inside, most in rooms.WALLS:
                if not re.match(pattern, name):
                    continue
                if room in inside:
                    seen.setdefault((pattern, most), set()).add(path)
                elif room != "tests/unit":
                    yield path, number, (
                        f"{name} stays in {', '.join(inside)}")
    for (pattern, most), paths in seen.items():
        if most is not None and len(paths) > most:
            yield sorted(paths)[most], 1, (
                f"{pattern} is for one file, and these have it: "
                + " ".join(sorted(paths)))


WALLS_BAD = (
    {"switchboard/a.c": "#include <event2/event.h>\n"},
    {"switchboard/a.c": "#include <http_parser.h>\n"},
    {"switchboard/a.c": "#include <jansson.h>\n"},
    {"poold/a.c": "#include <sqlite3.h>\n"},
    {"poold/a.c": "#include <sodium.h>\n"},
    {"common/http/a.c": "#include <http_parser.h>\n",
     "common/http/b.c": "#include <http_parser.h>\n"},
)
WALLS_GOOD = (
    {"common/loop/a.c": "#include <event2/event.h>\n",
     "common/http/a.c": "#include <http_parser.h>\n",
     "tests/unit/a.c": "#include <check.h>\n"},
)


def cycles(tree):
    """No header leads back to itself."""
    headers = set(tree.ending(".h"))
    leads = {h: [n for _, _, n in includes(tree, h) if n in headers]
             for h in headers}
    done = set()

    def walk(header, trail):
        if header in trail:
            yield header, 1, " -> ".join(
                trail[trail.index(header):] + [header])
        elif header not in done:
            for other in leads[header]:
                yield from walk(other, trail + [header])
            done.add(header)

    for header in sorted(headers):
        yield from walk(header, [])


CYCLES_BAD = (
    {"poold/a.h": '#include "poold/b.h"\n',
     "poold/b.h": '#include "poold/a.h"\n'},
)
CYCLES_GOOD = ({"poold/a.h": '#include "poold/b.h"\n', "poold/b.h": ""},)

LOOP_USE = re.compile(r'"common/loop/|\bloop_(?:io|timer|signal|defer)')


def loops(tree):
    """A room written in tasks leaves the loop alone."""
    for path in sources(tree):
        if rooms.room_of(path) not in rooms.TASKS:
            continue
        for number, line in tree.lines(path):
            if LOOP_USE.search(line):
                yield path, number, (
                    "uses the loop; tasks wait by the calls of flow: "
                    + line.strip()[:60])


LOOPS_BAD = (
    {"backend/a.c": '#include "common/loop/loop.h"\n'},
    {"poold/a.h": "struct a {\n\tstruct loop_timer due;\n};\n"},
    {"backend/a.c": "void a(void)\n{\n\tloop_defer(&d, f, NULL);\n}\n"},
)
LOOPS_GOOD = (
    {"backend/a.c": '#include "common/flow/sleep.h"\n',
     "poold/ctl/a.c": "\tloop_timer_set(&t, 1);\n",
     "switchboard/a.c": '#include "common/loop/loop.h"\n'},
)

RULES = (
    ("arrows", arrows, ARROWS_BAD, ARROWS_GOOD),
    ("includes from the root", rooted, ROOTED_BAD, ROOTED_GOOD),
    ("third-party walls", walls, WALLS_BAD, WALLS_GOOD),
    ("no include cycles", cycles, CYCLES_BAD, CYCLES_GOOD),
    ("tasks leave the loop alone", loops, LOOPS_BAD, LOOPS_GOOD),
)
