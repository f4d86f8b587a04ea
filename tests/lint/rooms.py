# SPDX-License-Identifier: MIT
"""rooms: the architecture as a table. The one place where the arrows stand.

A room is a folder; the longest matching prefix decides which room a file is
in. An arrow says whose headers a room may include besides its own.
"""

BASE, LOOP, FLOW = "common/base", "common/loop", "common/flow"
JSON, HTTP, IPC, PROC = ("common/json", "common/http", "common/ipc",
                         "common/proc")

ARROWS = {
    BASE: (),
    LOOP: (BASE,),
    FLOW: (BASE, LOOP),
    JSON: (BASE,),
    HTTP: (BASE,),
    # Of flow its cord alone, the end that tasks read.
    IPC: (BASE, LOOP, FLOW),
    PROC: (BASE, LOOP),
    "switchboard": (BASE, LOOP, HTTP, IPC, PROC),
    "poold": (BASE, LOOP, FLOW, IPC, PROC),
    "backend": (BASE, LOOP, FLOW, JSON, HTTP, IPC, PROC),
    "poold/ctl": (BASE, LOOP, FLOW, JSON, HTTP, IPC),
    # A tool sees the interface for tools and nothing else of ours.
    "backend/tools": (),
    "tests/unit": (BASE, LOOP, FLOW, JSON, HTTP, IPC, PROC, "switchboard",
                   "poold", "backend", "poold/ctl", "backend/tools"),
    "tests/fuzz": (BASE, JSON, HTTP),
    # Tools that only tests load (some run tasks of their own), and programs
    # that measure.
    "tests/e2e": (BASE, LOOP, FLOW),
    "tests/bench": (BASE, LOOP, FLOW),
    "tests/bench/flow": (BASE, LOOP, FLOW),
    "tests/gdb": (BASE, LOOP, FLOW),
}

# Headers that a room may include beyond its arrows, and not from the root: a
# tool of this tree is written as one outside it would be.
DOORS = {
    "backend/tools": ("holdline.h",),
    "tests/e2e": ("holdline.h", "backend/holdline.h"),
}

# Third-party headers: who may include them, and in how many files at most.
# (pattern, rooms, files); None: any number. Unit tests stand outside.
WALLS = (
    (r"event2/|event\.h$|evutil\.h$|evhttp\.h$", (LOOP,), None),
    (r"http_parser\.h$", (HTTP,), 1),
    (r"jansson\.h$", (JSON, "backend", "backend/tools", "poold/ctl",
                      "tests/e2e"), None),
    (r"pcre2\.h$", (JSON,), 1),
    (r"libconfig\.h$", (BASE,), 1),
    (r"sqlite3\.h$", ("backend",), 1),
    (r"sodium\.h$|sodium/", ("backend",), 1),
    (r"seccomp\.h$", (PROC,), 1),
    (r"unwind\.h$", (FLOW,), None),
    (r"check\.h$", ("tests/unit",), None),
)

# Headers that are let through to a file, a third party's or of a room that its
# arrows do not point at: the admin answers are JSON, the request path of the
# switchboard makes none.
_JSON_OUT = ("jansson.h", "common/json/jsontext.h")
GRANTS = {"switchboard/admin.c": _JSON_OUT, "switchboard/feed.c": _JSON_OUT}

# Rooms written in tasks: they wait by the calls of flow and leave the loop
# alone.
TASKS = ("backend", "poold")

# Guards that are not ROOM_FILE_H: what is installed has a name of its own.
GUARDS = {"backend/holdline.h": "HOLDLINE_H"}

# Words that symbols of a header, or of a room's headers, may start with beside
# the header's name and its structs.
WORDS = {
    "backend/holdline.h": ("hl",),
    "common/flow": ("flow",),
    "common/ipc/packet.h": ("proto",),
}

# What may stand at the top.
TOP = {
    "meson.build", "meson_options.txt", "switchboard", "poold", "backend",
    "common", "tests", "deploy", "README.md", "LICENSE", "CONTRIBUTING.md",
    "CHANGELOG.md", "SECURITY.md", ".gitignore", ".gitattributes",
    ".clang-format", ".editorconfig", ".ci",
}

# Prefixes of libraries that we link: a symbol of ours never starts so.
FOREIGN = ("event_", "evbuffer_", "bufferevent_", "evutil_", "evtimer_",
           "evsignal_", "json_", "jsonp_", "signal_", "http_parser_", "ck_",
           "config_", "pcre2_")


def room_of(path):
    """The room a file stands in, or None."""
    found = None
    for room in ARROWS:
        if path.startswith(room + "/") and (
                found is None or len(room) > len(found)):
            found = room
    return found
