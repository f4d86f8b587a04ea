#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""poold_play: what stands beside poold in poold_test.py.

A copy of poold finds its sibling programs beside it. This file is put there
twice: as the switchboard it is a wire, that carries each packet between its
channel and the test, which plays the switchboard; as the backend it does what
the name of its tool says. Standard library only; see common/ipc/proto.h.
"""

import json
import os
import signal
import socket
import struct
import subprocess
import sys

HEAD = struct.Struct("=HHI")
VERSION = 2
# number: name, payload (padded as the C struct is), fields
ROWS = {
    1: ("listen", "=I64s", ("is_admin", "address")),
    2: ("start", "=II", ("max_backends", "drain_ms")),
    3: ("route_ask", "=QQ256s", ("ask", "dead_generation", "host")),
    4: ("route_ready", "=QQqiI256s108s4x", (
        "ask", "generation", "started_wall_ms", "pid", "tenant", "host",
        "socket")),
    5: ("route_failed", "=QII", ("ask", "status", "retry_after_s")),
    6: ("route_gone", "=QI4x", ("generation", "is_expected")),
    7: ("release_ask", "=QI4x", ("generation", "idle_ms")),
    8: ("released", "=Q", ("generation",)),
    9: ("held", "=QII", ("generation", "ask_again_ms", "is_busy")),
    10: ("drain", "=I", ("drain_ms",)),
    11: ("drained", "=I", ("n_exchanges",)),
    12: ("quit", "=I", ("reserved",)),
    13: ("ready", "=qqq", ("told_us", "confined_us", "loaded_us")),
    14: ("failed", "=I", ("reserved",)),
    15: ("sessions", "=I", ("n_sessions",)),
    24: ("ping", "=I", ("reserved",)),
    25: ("pong", "=I", ("reserved",)),
    26: ("watch", "=II", ("is_on", "n_credit")),
    27: ("event", "=QQqiIII16s16s256s", (
        "id", "generation", "at_wall_ms", "pid", "kind", "n_failures",
        "retry_ms", "state", "cause", "host")),
    28: ("route_starting", "=QQqiI256s108s4x", (
        "ask", "generation", "started_wall_ms", "pid", "tenant", "host",
        "socket")),
}
NUMBERS = {row[0]: number for number, row in ROWS.items()}


def pack(name, text="", **fields):
    """A packet."""
    number = NUMBERS[name]
    _, layout, names = ROWS[number]
    values = [fields.get(n, 0) for n in names]
    values = [v.encode() if isinstance(v, str) else v for v in values]
    body = struct.pack(layout, *values) + text.encode()
    return HEAD.pack(VERSION, number, len(body)) + body


def unpack(packet):
    """A packet as a dict with "type" and "text"."""
    _, number, n = HEAD.unpack_from(packet)
    assert len(packet) == HEAD.size + n, (len(packet), n)
    name, layout, names = ROWS[number]
    values = struct.unpack_from(layout, packet, HEAD.size)
    told = {k: v.split(b"\0")[0].decode() if isinstance(v, bytes) else v
            for k, v in zip(names, values)}
    told["type"] = name
    told["text"] = packet[HEAD.size + struct.calcsize(layout):].decode()
    return told


def channel():
    """Our end of the channel to poold."""
    return socket.socket(fileno=int(os.environ["HOLDLINE_CHANNEL"]))


def play_switchboard():
    """Carry packets, and the descriptors that come with them."""
    test = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    test.connect(os.environ["POOLD_TEST_SOCKET"])
    pool = channel()
    pool.setblocking(True)
    me = os.getpid()
    ferry = os.fork()
    if ferry == 0:
        while packet := test.recv(2048):
            pool.send(packet)
        # An orphan's parent is the test: not that one.
        if os.getppid() == me:
            os.kill(me, signal.SIGKILL)
        os._exit(0)
    while True:
        packet, fds, _, _ = socket.recv_fds(pool, 2048, 4)
        if not packet:
            break
        socket.send_fds(test, [packet], fds)
        for fd in fds:
            os.close(fd)
        if unpack(packet)["type"] == "quit":
            break
    os.kill(ferry, signal.SIGKILL)
    os.waitpid(ferry, 0)
    os._exit(0)


def look_at_oneself():
    """What this process inherited, for the test to read."""
    fds = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            fds[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            pass
    with open("/proc/self/status", encoding="ascii") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f
                      if ":\t" in line)
    with open("self.json.new", "w", encoding="utf-8") as f:
        json.dump({
            "argv": sys.argv, "env": dict(os.environ), "fds": fds,
            "cwd": os.getcwd(), "sid": os.getsid(0),
            "pid": int(status["NSpid"].split()[0]),
            "inner_pid": os.getpid(),
            "uids": os.getresuid(), "gids": os.getresgid(),
            "groups": os.getgroups(),
            "no_new_privs": status["NoNewPrivs"],
            "blocked": int(status["SigBlk"], 16),
            "ignored": int(status["SigIgn"], 16),
            "umask": int(status["Umask"], 8),
        }, f)
    os.rename("self.json.new", "self.json")


def double_fork():
    """Leave a process behind that nobody here is the parent of."""
    # One that ignores SIGTERM, in a session and a group of its own.
    code = ("import os, signal, time\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "if os.fork() == 0:\n"
            " os.setsid()\n"
            " if os.fork() == 0:\n"
            "  open('orphan', 'w').write(os.readlink('/proc/self'))\n"
            "  os.rename('orphan', 'orphan.pid')\n"
            "  signal.pause()\n"
            " os._exit(0)\n"
            "os.wait()\n")
    subprocess.run([sys.executable, "-c", code], check=True)
    while not os.path.exists("orphan.pid"):
        signal.sigtimedwait([signal.SIGALRM], 0.01)


def play_backend():
    """Do what the tool says. argv: backend -h … -s … -t … -m … TOOL."""
    tool = os.path.basename(sys.argv[-1])
    pool = channel()
    # The first process of a namespace ignores what it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    if tool.lower() != "-z":  # a zygote has no folder of its own
        look_at_oneself()
    if tool == "refuse":
        pool.send(pack("failed", "the tool cannot be loaded"))
        sys.exit(1)
    if tool == "exit":
        sys.exit("first line\nthe last line")
    if tool == "garbage":
        pool.send(pack("ready"))
        pool.send(b"\x01\x00garbage")
    if tool == "chatty":
        pool.send(pack("ready"))
        pool.setblocking(True)
        while True:
            pool.send(pack("drain"))
    if tool == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if tool == "orphans":
        double_fork()
    if tool == "late":
        while not os.path.exists("go"):
            signal.sigtimedwait([signal.SIGALRM], 0.01)
    if tool == "busy":
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        pool.send(pack("sessions", n_sessions=1))
        pool.send(pack("ready"))
        signal.sigwait([signal.SIGUSR1])
        pool.send(pack("sessions", n_sessions=0))
    elif tool != "mute":
        pool.send(pack("ready"))
    answer_pings(pool, tool)


def answer_pings(pool, tool):
    """Turn as an event loop does; "still" stops to after the first ping."""
    pool.setblocking(True)
    n_pings = 0
    while True:
        if tool == "still" and n_pings:
            signal.pause()
        packet = pool.recv(2048)
        if not packet:
            signal.pause()
        if packet and unpack(packet)["type"] == "ping":
            n_pings += 1
            pool.send(pack("pong"))


if __name__ == "__main__":
    if os.path.basename(sys.argv[0]) == "switchboard":
        play_switchboard()
    else:
        play_backend()
