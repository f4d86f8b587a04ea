#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""poold alone: the test plays the switchboard, stand-ins play backends.

usage: poold_test.py POOLD [unittest arguments]

What poold says to the switchboard is seen message by message, so that also
what no client can see is tested: what a child inherits, who is told what in
which order, what is left when somebody is killed.
"""

import ctypes
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

import poold_play
from pool import groups_of, remove_groups, until
from poold_play import pack, unpack

HERE = os.path.dirname(os.path.abspath(__file__))
POOLD = sys.argv.pop(1) if len(sys.argv) > 1 else "build/poold/poold"
PYTHON = "/usr/bin/python3"
NOBODY = 65534
PATIENCE_S = 20
# An end that keeps to its deadlines takes less than 2 s (test_end.py measures
# that); here any process may have to wait for a processor. What hangs hangs
# for PATIENCE_S, or for the minute that a test gives to what must not be used.
IN_TIME_S = 10
KILLED = 3  # the exit status when somebody had to be killed
PR_SET_CHILD_SUBREAPER = 36
IS_ROOT = os.geteuid() == 0

# What poold leaves becomes ours, so that it can be found and ended.
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

SERVE = """
import os, socket
s = socket.socket(fileno=3)
while True:
    c, _ = s.accept()
    c.recv(100)
    c.sendall(("%s %s %d" % (os.environ["LISTEN_PID"],
               os.environ["LISTEN_FDS"], os.getpid())).encode())
    c.close()
"""


def users():
    """As whom poold is to be tested: as we are, and without root."""
    return (None, NOBODY) if IS_ROOT else (os.getuid(),)


def tools(host, tool, **more):
    """A tenant whose stand-in backend does what `tool` says."""
    return {"host": host, "tools": ["/tools/" + tool], **more}


def command(host, code, **more):
    """A tenant that is a Python program."""
    return {"host": host, "command": [PYTHON, "-c", code], **more}


def render(value):
    """A value in the notation of libconfig."""
    if isinstance(value, dict):
        return "{ %s }" % " ".join(
            f"{k} = {render(v)};" for k, v in value.items())
    if isinstance(value, list):
        left, right = "()" if value and isinstance(value[0], dict) else "[]"
        return left + ", ".join(map(render, value)) + right
    if isinstance(value, int):
        return str(value)
    return '"%s"' % (value.replace("\\", "\\\\").replace('"', '\\"')
                     .replace("\n", "\\n"))


def processes_with(marker):
    """Pids whose environment has the marker; zombies have none."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if marker.encode() in f.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


class Poold:
    """One poold in a tree of its own, with us as its switchboard."""

    serial = 0

    def __init__(self, tenants=(), pool=None, board=None, user=None,
                 notify=False, passed=None, env=None, settle=True):
        Poold.serial += 1
        self.marker = f"POOLD_TEST_MARKER={os.getpid()}-{Poold.serial}"
        self.dir = tempfile.mkdtemp(prefix="poold-test-")
        os.chmod(self.dir, 0o755)
        self.user = user
        self.tree()
        self.write(tenants, pool or {}, board or {})
        self.control = self.listen("control", socket.SOCK_SEQPACKET)
        self.notify = (self.listen("notify", socket.SOCK_DGRAM)
                       if notify else None)
        self.log = []
        self.rest = b""
        self.wire = None
        self.messages = []
        self.fds = []
        self.asks = 0
        self.process = None
        self.env = env or {}
        self.passed = passed or []
        try:
            self.start(settle)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def tree(self):
        """poold and its siblings, as in a build tree."""
        for name in ("poold", "switchboard", "backend"):
            os.mkdir(f"{self.dir}/{name}", 0o755)
        shutil.copy(POOLD, f"{self.dir}/poold/poold")
        for name in ("switchboard", "backend"):
            path = f"{self.dir}/{name}/{name}"
            with open(poold_play.__file__, encoding="utf-8") as f:
                text = f.read().split("\n", 1)[1]
            with open(path, "w", encoding="utf-8") as f:
                f.write(f"#!{PYTHON}\n{text}")
            os.chmod(path, 0o755)
        os.mkdir(f"{self.dir}/var", 0o755)
        if self.user is not None:
            os.chown(f"{self.dir}/var", self.user, self.user)

    def write(self, tenants, pool, board):
        """The configuration."""
        self.runtime = f"{self.dir}/var/run"
        self.state = f"{self.dir}/var/state"
        self.conf = f"{self.dir}/holdline.conf"
        # The stand-in is a program, and no zygote.
        pool = {"runtime_dir": self.runtime, "state_dir": self.state,
                "spawn": "exec", **pool}
        board = {"listen": "127.0.0.1:0", **board}
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"switchboard = {render(board)};\npool = {render(pool)};\n"
                    f"tenants = ({', '.join(map(render, tenants))});\n")

    def listen(self, name, kind):
        """A unix socket that anybody may reach."""
        s = socket.socket(socket.AF_UNIX, kind)
        s.bind(f"{self.dir}/{name}")
        os.chmod(f"{self.dir}/{name}", 0o666)
        if kind != socket.SOCK_DGRAM:
            s.listen(8)
        s.settimeout(PATIENCE_S)
        return s

    def start(self, settle=True):
        """Run poold; with settle until the switchboard is introduced."""
        key, value = self.marker.split("=")
        env = {**os.environ, key: value,
               "POOLD_TEST_SOCKET": f"{self.dir}/control",
               "LISTEN_FDNAMES": "stale", "WATCHDOG_USEC": "1000000",
               "WATCHDOG_PID": "1", **self.env}
        # The empty ones are to be missing.
        env = {key: value for key, value in env.items() if value}
        if self.notify:
            env["NOTIFY_SOCKET"] = f"{self.dir}/notify"

        def prepare():
            for i, fd in enumerate(self.passed):
                os.dup2(fd, 3 + i)
            if self.user is not None:
                os.setgroups([])
                os.setresgid(self.user, self.user, self.user)
                os.setresuid(self.user, self.user, self.user)

        argv = [f"{self.dir}/poold/poold", "-c", self.conf]
        if self.passed:
            # LISTEN_PID is the pid of poold itself: set it at the last moment.
            argv = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *argv]
            env["LISTEN_FDS"] = str(len(self.passed))
        self.process = subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, preexec_fn=prepare, close_fds=True,
            pass_fds=[3 + i for i in range(len(self.passed))])
        if settle:
            self.settle()

    def settle(self):
        """Be the switchboard: take what it is told at its start, be ready."""
        at = len(self.log)
        self.accept()
        self.introduction = []
        while not self.introduction or \
                self.introduction[-1]["type"] != "start":
            self.introduction.append(self.message())
        self.tell("ready")
        found = self.line(r"switchboard: ready pid=(\d+)", at)
        self.board = int(found[1])

    def accept(self):
        """Take the wire of the next stand-in."""
        if self.wire:
            self.wire.close()
        self.messages = []
        self.starting = []
        self.wire, _ = self.control.accept()
        self.wire.settimeout(PATIENCE_S)

    # -- the switchboard's side of the channel

    def tell(self, name, text="", **fields):
        """Send a message as the switchboard."""
        self.wire.send(pack(name, text, **fields))

    def message(self):
        """
        The next message that the switchboard gets; those that promise an
        answer are kept in starting.
        """
        if self.messages:
            return self.messages.pop(0)
        while True:
            packet, fds, _, _ = socket.recv_fds(self.wire, 2048, 4)
            if not packet:
                raise EOFError("the switchboard is gone")
            self.fds += fds
            told = unpack(packet)
            if told["type"] == "ping":
                self.tell("pong")
            elif told["type"] == "route_starting":
                self.starting.append(told)
            else:
                return told

    def expect(self, kind, **fields):
        """The next message, which must be of this kind and say this."""
        told = self.message()
        for key, value in {"type": kind, **fields}.items():
            assert told[key] == value, f"{key} is not {value!r}: {told}"
        return told

    def send_ask(self, host, dead=0):
        """Ask for a host. Returns the number of the ask."""
        self.asks += 1
        self.tell("route_ask", ask=self.asks, dead_generation=dead, host=host)
        return self.asks

    def ask(self, host, dead=0):
        """Ask for a host; the answer, others kept for later."""
        number = self.send_ask(host, dead)
        kept = []
        while True:
            told = self.message()
            if told["type"].startswith("route_") and told.get("ask") == number:
                self.messages = kept + self.messages
                return told
            kept.append(told)

    def ready(self, host, dead=0):
        """Ask for a host that must be served."""
        told = self.ask(host, dead)
        assert told["type"] == "route_ready", told
        return told

    def failed(self, host, status):
        """Ask for a host that must be refused with this status."""
        told = self.ask(host)
        assert told["type"] == "route_failed", told
        assert told["status"] == status, told
        return told

    # -- what is seen from outside

    def read_log(self, timeout_s):
        """Take in what poold logged; False at its end."""
        fd = self.process.stderr.fileno()
        if not select.select([fd], [], [], timeout_s)[0]:
            return True
        data = os.read(fd, 65536)
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.log += [line.decode() for line in lines]
        return bool(data)

    def line(self, pattern, start=0):
        """Wait for a line of the log; its match."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            for text in self.log[start:]:
                if found := re.search(pattern, text):
                    return found
            left = deadline - time.monotonic()
            if left <= 0 or not self.read_log(left):
                raise AssertionError(
                    f"no line {pattern!r} in:\n" + "\n".join(self.log))

    def self_of(self, host):
        """What the stand-in backend of host found out about itself."""
        with open(f"{self.state}/{host}/self.json", encoding="utf-8") as f:
            return json.load(f)

    def send(self, signo):
        """Send a signal to poold."""
        self.process.send_signal(signo)

    def join(self, answer_drain=True):
        """Wait for the end, as the switchboard meanwhile. (status, seconds)."""
        begun = time.monotonic()
        try:
            while self.wire and answer_drain:
                told = self.message()
                if told["type"] == "drain":
                    self.tell("drained", n_exchanges=0)
        except (EOFError, ConnectionError):
            pass
        while self.read_log(PATIENCE_S):
            pass
        return self.process.wait(PATIENCE_S), time.monotonic() - begun

    def end(self, signo=signal.SIGTERM):
        """Send a signal and join."""
        self.send(signo)
        return self.join()

    def left(self):
        """What is left of it: processes; sockets and groups."""
        pids = [p for p in processes_with(self.marker)
                if p != self.process.pid or self.process.poll() is None]
        sockets = [os.path.join(d, f)
                   for d, _, files in os.walk(f"{self.dir}/var")
                   for f in files
                   if stat.S_ISSOCK(os.lstat(os.path.join(d, f)).st_mode)]
        return pids, sockets + groups_of(self.runtime)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        while kind and self.read_log(0):
            if not select.select([self.process.stderr], [], [], 0)[0]:
                break
        for pid in processes_with(self.marker):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for pid in processes_with(self.marker):
            await_death(pid)
        remove_groups(self.runtime)
        self.process.stderr.close()
        for s in (self.wire, self.control, self.notify):
            if s:
                s.close()
        for fd in self.fds:
            os.close(fd)
        if kind:
            print("\nthe log of poold:\n  " + "\n  ".join(self.log),
                  file=sys.stderr)
        shutil.rmtree(self.dir)


def run(*args, program=POOLD):
    """Run poold to its end: (status, stdout, stderr)."""
    done = subprocess.run([program, *args], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)
    return done.returncode, done.stdout, done.stderr


def is_alive(pid):
    """Whether pid exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def await_death(pid):
    """Wait until pid is gone; a pidfd tells."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([fd], [], [], PATIENCE_S)[0], f"{pid} lives"
    finally:
        os.close(fd)


class CommandLine(unittest.TestCase):
    def file(self, text):
        f = tempfile.NamedTemporaryFile("w", suffix=".conf")
        self.addCleanup(f.close)
        f.write(text)
        f.flush()
        return f.name

    def test_a_bad_file_stops_the_start_with_file_line_and_key(self):
        path = self.file("pool = {\n\tmax_backends = 0;\n};\n")
        for more in ((), ("-C",)):
            status, out, err = run(*more, "-c", path)
            self.assertEqual((status, out), (1, ""))
            self.assertEqual(
                err, f"poold: {path}:2: pool.max_backends: must be 1 to "
                     "100000, is 0\n")

    def test_the_dump_has_all_keys_and_reads_back_the_same(self):
        path = self.file("tenants = ( { host = \"a.b\"; "
                         "tools = [ \"/x.so\" ]; } );\n")
        status, dump, err = run("-C", "-c", path)
        self.assertEqual((status, err), (0, ""))
        for key in ("listen", "runtime_dir", "idle_timeout", "a.b"):
            self.assertIn(key, dump)
        self.assertEqual(run("-C", "-c", self.file(dump)), (0, dump, ""))

    def test_a_wrong_command_line_says_the_right_one(self):
        for args in ((), ("-C",), ("-x",), ("-c", "/dev/null", "more")):
            status, _, err = run(*args)
            self.assertEqual(status, 2)
            self.assertIn("usage: poold", err)


class Start(unittest.TestCase):
    def test_the_switchboard_gets_sockets_and_the_manager_is_told(self):
        with Poold(board={"listen": ["127.0.0.1:0", "[::1]:0"],
                          "admin": "127.0.0.1:0"},
                   pool={"max_backends": 7, "drain_timeout": "123ms"},
                   notify=True) as p:
            ports = []
            for kind, where in (("listening", r"127\.0\.0\.1"),
                                ("listening", r"\[::1\]"),
                                ("admin", r"127\.0\.0\.1")):
                found = p.line(rf"{kind} on http://({where}:(\d+))$")
                ports.append(found[1])
            told = p.introduction
            self.assertEqual([m["type"] for m in told],
                             ["listen", "listen", "listen", "start"])
            self.assertEqual([m["address"] for m in told[:3]], ports)
            self.assertEqual([m["is_admin"] for m in told[:3]], [0, 0, 1])
            self.assertEqual(told[3]["max_backends"], 7)
            self.assertEqual(told[3]["drain_ms"], 123)
            self.assertEqual(len(p.fds), 3)
            for fd, address in zip(p.fds, ports):
                with socket.socket(fileno=os.dup(fd)) as s:
                    port = int(address.rsplit(":", 1)[1])
                    self.assertEqual(s.getsockname()[1], port)
                    self.assertTrue(s.getsockopt(
                        socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
            self.assertIn(b"READY=1", p.notify.recv(200))
            self.assertEqual(p.end()[0], 0)
            self.assertIn(b"STOPPING=1", p.notify.recv(200))
            self.assertEqual(p.left(), ([], []))

    def test_the_watchdog_of_the_manager_is_fed(self):
        with Poold(notify=True, env={"WATCHDOG_USEC": "100000",
                                     "WATCHDOG_PID": ""}) as p:
            told = [p.notify.recv(200) for _ in range(5)]
            self.assertGreaterEqual(told.count(b"WATCHDOG=1"), 4)
            self.assertEqual(p.end()[0], 0)

    def test_the_manager_is_not_told_before_the_switchboard_is_ready(self):
        with Poold(notify=True, settle=False) as p:
            p.accept()
            while p.message()["type"] != "start":
                pass
            p.line("switchboard: started")
            self.assertEqual(select.select([p.notify], [], [], 0)[0], [])
            p.tell("ready")
            self.assertIn(b"READY=1", p.notify.recv(200))

    def test_start_timeout_is_for_tenants_and_not_for_the_switchboard(self):
        # The stand-in takes longer only to become what it is.
        with Poold([tools("a.localhost", "good")],
                   pool={"start_timeout": "10ms"}) as p:
            self.assertEqual(p.end()[0], 0)

    def test_a_switchboard_that_cannot_start_stops_the_start(self):
        with Poold(settle=False) as p:
            p.accept()
            p.tell("failed", "no sandbox")
            # The stand-in kills itself when it hears nothing any more.
            p.wire.shutdown(socket.SHUT_WR)
            self.assertEqual(p.join()[0], 1)
            p.line("switchboard: ended: signal 9 .*: no sandbox")
            p.line("poold: the switchboard cannot start")
            self.assertEqual(p.left(), ([], []))

    def test_an_address_in_use_stops_the_start(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            with Poold(board={"listen": address}, settle=False) as p:
                self.assertEqual(p.join()[0], 1)
                p.line(f"^poold: {address}: cannot listen: "
                       "Address already in use$")
                self.assertEqual(p.left(), ([], []))

    def test_a_second_poold_on_one_runtime_dir_refuses(self):
        with Poold([tools("a.localhost", "good")]) as p:
            first = p.ready("a.localhost")
            status, _, err = run("-c", p.conf,
                                 program=f"{p.dir}/poold/poold")
            self.assertEqual(status, 1)
            self.assertIn(f"{p.runtime}: another poold runs here, process "
                          f"{p.process.pid}\n", err)
            self.assertEqual(p.ready("a.localhost")["generation"],
                             first["generation"])
            self.assertTrue(os.path.exists(first["socket"]))

    def test_sockets_of_a_manager_are_used(self):
        with socket.create_server(("127.0.0.1", 0)) as s, \
                socket.create_server(("127.0.0.1", 0)) as a, \
                Poold([tools("a.localhost", "good")],
                      passed=[s.fileno(), a.fileno()],
                      board={"listen": "127.0.0.1:1", "admin": "127.0.0.1:1"},
                      env={"LISTEN_FDNAMES": "http:admin"}) as p:
            told = p.introduction
            self.assertEqual(
                [(m["is_admin"], m["address"]) for m in told[:-1]],
                [(0, "127.0.0.1:%d" % s.getsockname()[1]),
                 (1, "127.0.0.1:%d" % a.getsockname()[1])])
            p.ready("a.localhost")
            self.assertEqual(
                p.self_of("a.localhost")["env"]["LISTEN_FDS"], "1")

    def test_without_root_it_runs_and_says_once_what_is_not_isolated(self):
        user = NOBODY if IS_ROOT else None
        with Poold([tools("a.localhost", "good")], user=user) as p:
            p.line(r"not root: .* not isolated")
            p.ready("a.localhost")
            seen = p.self_of("a.localhost")
            self.assertEqual(set(seen["uids"]), {user or os.getuid()})
            self.assertEqual(p.end()[0], 0)
            self.assertEqual(
                sum("not isolated" in text for text in p.log), 1)
            self.assertEqual(p.left(), ([], []))


class Inheritance(unittest.TestCase):
    def test_a_tools_backend_inherits_what_it_should_and_nothing_else(self):
        with Poold([tools("a.localhost", "good")], notify=True,
                   pool={"session_timeout": "90s", "max_sessions": 5}) as p:
            told = p.ready("a.localhost")
            seen = p.self_of("a.localhost")
            folder = f"{p.state}/a.localhost"
            self.assertEqual(
                seen["argv"][1:],
                ["-h", "a.localhost", "-s", folder, "-t", "90000", "-m", "5",
                 "/tools/good"])
            self.assertEqual(seen["cwd"], folder)
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
            self.assertEqual(seen["pid"], told["pid"])
            self.assertEqual(seen["sid"], seen["inner_pid"])
            self.assertEqual(seen["inner_pid"], 1 if IS_ROOT else seen["pid"])
            self.assertEqual(seen["umask"], 0o077)
            self.assertEqual(seen["no_new_privs"], "1")
            self.assertEqual(seen["blocked"], 0)
            self.check_env(p, seen, folder)
            self.check_fds(seen)
            self.check_ids(seen)

    def check_env(self, p, seen, folder):
        env = seen["env"]
        for name in env:
            self.assertFalse(re.match(
                "NOTIFY_SOCKET|WATCHDOG_|LISTEN_FDNAMES", name), name)
        self.assertEqual(env["LISTEN_FDS"], "1")
        self.assertEqual(env["LISTEN_PID"], str(seen["inner_pid"]))
        self.assertEqual(env["HOLDLINE_CHANNEL"], "4")
        self.assertEqual(env["HOLDLINE_RUN"], "1")
        self.assertEqual(env["TMPDIR"], folder)
        key, value = p.marker.split("=")
        self.assertEqual(env[key], value)

    def check_fds(self, seen):
        fds = {int(k): v for k, v in seen["fds"].items()
               if not v.startswith("/proc/")}
        # Python opens the script it runs only until it is read.
        self.assertEqual(sorted(fds), [0, 1, 2, 3, 4], fds)
        self.assertEqual(fds[0], "/dev/null")
        self.assertTrue(fds[1].startswith("pipe:"))
        self.assertEqual(fds[1], fds[2])
        self.assertTrue(fds[3].startswith("socket:"))
        self.assertTrue(fds[4].startswith("socket:"))

    def check_ids(self, seen):
        if not IS_ROOT:
            self.assertEqual(set(seen["uids"]), {os.getuid()})
            return
        self.assertEqual(len(set(seen["uids"])), 1)
        self.assertNotIn(0, seen["uids"] + seen["gids"] + seen["groups"])

    def test_a_command_gets_its_socket_as_descriptor_3(self):
        with Poold([command("c.localhost", SERVE)]) as p:
            told = p.ready("c.localhost")
            self.assertIn(f"{p.runtime}/b/1.sock", told["socket"])
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(PATIENCE_S)
                s.connect(told["socket"])
                s.sendall(b"?")
                pid, n, own = s.recv(100).decode().split()
                # It stands below child_init, which is what poold knows.
                self.assertEqual((pid, n), (own, "1"))
                self.assertEqual(own == "2", IS_ROOT)
                self.assertNotEqual(int(own), told["pid"])

    def test_only_the_switchboard_s_user_may_enter_the_folder_of_sockets(self):
        with Poold([tools("a.localhost", "good")]) as p:
            path = p.ready("a.localhost")["socket"]
            folder, file = os.stat(os.path.dirname(path)), os.stat(path)
            self.assertEqual(folder.st_uid, os.getuid())
            self.assertEqual(stat.S_IMODE(folder.st_mode),
                             0o710 if IS_ROOT else 0o700)
            self.assertEqual(stat.S_IMODE(file.st_mode), 0o600)
            # As root the switchboard is somebody else.
            self.assertNotIn(0, (folder.st_gid, file.st_uid, file.st_gid))


FIRST = 1879048192  # uid_first


@unittest.skipUnless(IS_ROOT, "users are root's to give")
class Users(unittest.TestCase):
    def owner(self, p, host):
        """Who owns the state folder of a host, and as whom it runs."""
        uid = os.stat(f"{p.state}/{host}").st_uid
        if host in self.started:
            self.assertEqual(set(p.self_of(host)["uids"]), {uid})
            self.assertEqual(set(p.self_of(host)["gids"]), {uid})
            self.assertEqual(p.self_of(host)["groups"], [])
        return uid

    def setUp(self):
        self.started = set()

    def start(self, p, host):
        p.ready(host)
        self.started.add(host)
        return self.owner(p, host)

    def again(self, p):
        """The same poold once more."""
        self.assertEqual(p.end()[0], 0)
        p.process.stderr.close()
        p.start()

    def test_a_tenant_s_id_is_its_own_and_stays(self):
        with Poold([tools("a.localhost", "good"),
                    tools("b.localhost", "good"),
                    tools("c.localhost", "good")]) as p:
            b, c = (self.start(p, h) for h in ("b.localhost", "c.localhost"))
            self.assertEqual([b, c], [FIRST, FIRST + 1])
            self.again(p)
            # In another order, and one that was not there yet.
            self.assertEqual(self.start(p, "c.localhost"), c)
            self.assertEqual(self.start(p, "a.localhost"), FIRST + 2)
            self.assertEqual(self.start(p, "b.localhost"), b)

    def test_a_named_user_gets_the_folder_with_what_is_in_it(self):
        with Poold([tools("a.localhost", "good", user="daemon")]) as p:
            folder = f"{p.state}/a.localhost"
            p.end()
            p.process.stderr.close()
            os.makedirs(f"{folder}/deep/er")
            for path in ("deep/er/file", "stranger", "../outside"):
                with open(f"{folder}/{path}", "w", encoding="ascii"):
                    pass
            os.symlink("../outside", f"{folder}/link")
            for path in (folder, f"{folder}/deep", f"{folder}/deep/er",
                         f"{folder}/deep/er/file", f"{folder}/link"):
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
            os.chmod(f"{folder}/deep/er/file", 0o4755)
            p.start()
            told = p.ready("a.localhost")
            self.assertEqual(set(p.self_of("a.localhost")["uids"]), {1})
            p.line(rf"{folder}: given from user {NOBODY} to user 1")
            for path, owner in (("", 1), ("deep/er/file", 1), ("link", 1),
                                ("stranger", 0), ("../outside", 0)):
                self.assertEqual(
                    os.lstat(f"{folder}/{path}").st_uid, owner, path)
            self.assertFalse(
                os.stat(f"{folder}/deep/er/file").st_mode & stat.S_ISUID)
            self.assertTrue(is_alive(told["pid"]))

    def test_two_folders_of_one_owner_are_parted(self):
        with Poold([tools("a.localhost", "good"),
                    tools("b.localhost", "good")]) as p:
            self.start(p, "a.localhost")
            p.end()
            p.process.stderr.close()
            shutil.copytree(f"{p.state}/a.localhost", f"{p.state}/b.localhost")
            for folder, _, files in os.walk(f"{p.state}/b.localhost"):
                for path in [folder, *(f"{folder}/{f}" for f in files)]:
                    os.chown(path, FIRST, FIRST)
            p.start()
            p.line("its folder had the owner of another tenant's")
            owners = {self.start(p, h) for h in ("a.localhost", "b.localhost")}
            self.assertEqual(owners, {FIRST, FIRST + 1})

    def test_an_id_of_a_template_comes_again_last(self):
        with Poold([tools("*.d.localhost", "good", max_hosts=1)],
                   pool={"uid_count": 2, "stop_timeout": "5s"}) as p:
            seen = []
            for host in ("a.d.localhost", "b.d.localhost", "c.d.localhost"):
                told = p.ready(host)
                seen.append(os.stat(f"{p.state}/{host}").st_uid)
                os.remove(f"{p.state}/{host}/self.json")
                os.kill(told["pid"], signal.SIGKILL)
                p.expect("route_gone", generation=told["generation"])
                p.line(rf"{host}: .* -> gone")
            self.assertEqual(seen, [FIRST, FIRST + 1, FIRST])

    def test_without_a_free_id_nothing_is_started(self):
        with Poold([tools("a.localhost", "good"),
                    tools("b.localhost", "good")], pool={"uid_count": 1}) as p:
            p.ready("a.localhost")
            told = p.ask("b.localhost")
            self.assertEqual(told["type"], "route_failed")
            self.assertIn("all uid_count ids for tenants are taken",
                          told["text"])

    def test_without_a_range_tenants_share_a_user_and_that_is_said(self):
        with Poold([tools("a.localhost", "good"),
                    tools("b.localhost", "good")], pool={"uid_count": 0}) as p:
            p.line("isolation: tenants without a user of their own run as "
                   "user .* not isolated")
            p.ready("a.localhost")
            p.ready("b.localhost")
            self.assertEqual(p.self_of("a.localhost")["uids"],
                             p.self_of("b.localhost")["uids"])
            self.assertNotIn(0, p.self_of("b.localhost")["uids"])

    def test_the_switchboard_s_user_is_no_tenant_s(self):
        with Poold([tools("a.localhost", "good", user="nobody")],
                   settle=False) as p:
            self.assertEqual(p.join()[0], 1)
            p.line("^poold: a.localhost: must not run as user nobody")

    def test_another_user_needs_root(self):
        with Poold([tools("a.localhost", "good", user="daemon")],
                   user=NOBODY, settle=False) as p:
            self.assertEqual(p.join()[0], 1)
            p.line("^poold: a.localhost: runs as user daemon, for which "
                   "poold must be root$")


class Asks(unittest.TestCase):
    def test_an_unknown_host_gets_404_and_starts_nothing(self):
        with Poold([tools("a.localhost", "good")]) as p:
            for host in ("b.localhost", "", "A.localhost", "../a.localhost",
                         "x" * 256):
                told = p.failed(host, 404) if len(host) < 256 else None
                if told:
                    self.assertEqual(told["text"], "no tenant has this host")
            self.assertEqual(os.listdir(p.state), [])

    def test_many_asks_make_one_start(self):
        with Poold([tools("a.localhost", "good")]) as p:
            asks = [p.send_ask("a.localhost") for _ in range(20)]
            told = [p.expect("route_ready") for _ in asks]
            self.assertEqual([m["ask"] for m in told], asks)
            self.assertEqual({m["generation"] for m in told}, {1})
            self.assertEqual(told[0]["host"], "a.localhost")
            p.line("gone -> starting")
            self.assertEqual(
                sum("-> starting" in text for text in p.log), 1)

    def test_a_burst_of_answers_waits_for_a_slow_switchboard(self):
        n = 3000
        with Poold([tools("one.localhost", "good")],
                   pool={"max_backends": n}) as p:
            for i in range(n):
                p.send_ask(f"unknown{i}.localhost")
            # Nothing was read so far: what the sockets do not hold is queued.
            for i in range(1, n + 1):
                p.expect("route_failed", ask=i, status=404)
            p.ready("one.localhost")
            self.assertFalse(any("does not read" in line for line in p.log))

    def test_each_label_of_a_template_is_a_tenant_up_to_max_hosts(self):
        with Poold([tools("*.d.localhost", "good", max_hosts=2),
                    tools("x.d.localhost", "good")],
                   pool={"stop_timeout": "5s"}) as p:
            a, b = p.ready("a.d.localhost"), p.ready("b.d.localhost")
            self.assertNotEqual(a["socket"], b["socket"])
            told = p.failed("c.d.localhost", 503)
            self.assertGreater(told["retry_after_s"], 0)
            self.assertIn("max_hosts", told["text"])
            p.ready("x.d.localhost")
            # One that is gone makes room, and leaves no empty folder.
            os.remove(f"{p.state}/a.d.localhost/self.json")
            os.kill(a["pid"], signal.SIGKILL)
            p.expect("route_gone", generation=a["generation"])
            p.line(r"a\.d\.localhost: .* -> gone")
            p.ready("c.d.localhost")
            self.assertFalse(os.path.exists(f"{p.state}/a.d.localhost"))



class Places(unittest.TestCase):
    """At max_backends: who goes, who waits, who is refused."""

    def pool(self, n=4, **more):
        return Poold([tools(f"{h}.localhost", "good") for h in "abcdefgh"[:n]],
                     pool={"max_backends": 2, "queue_timeout": "20s", **more})

    def test_without_a_queue_an_ask_is_refused_until_one_is_gone(self):
        with self.pool(queue_timeout="0ms") as p:
            # All at once: what is promised counts already.
            for host in "abc":
                p.send_ask(f"{host}.localhost")
            told = sorted((p.message() for _ in range(3)),
                          key=lambda m: m["ask"])
            self.assertEqual([m["type"] for m in told],
                             ["route_ready", "route_ready", "route_failed"])
            self.assertEqual(told[2]["status"], 503)
            self.assertGreater(told[2]["retry_after_s"], 0)
            self.assertIn("max_backends", told[2]["text"])
            p.ready("a.localhost")
            os.kill(told[0]["pid"], signal.SIGKILL)
            p.expect("route_gone", generation=told[0]["generation"])
            p.ready("c.localhost")

    def test_an_idle_one_goes_when_the_switchboard_lets_it(self):
        with self.pool() as p:
            a, b = p.ready("a.localhost"), p.ready("b.localhost")
            number = p.send_ask("c.localhost")
            asked = p.expect("release_ask")
            victim, other = ((a, b) if asked["generation"] == a["generation"]
                             else (b, a))
            p.tell("released", generation=victim["generation"])
            p.expect("route_gone", generation=victim["generation"],
                     is_expected=1)
            # Its place is given away only when nothing of it is left.
            self.assertFalse(is_alive(victim["pid"]))
            p.expect("route_ready", ask=number)
            self.assertTrue(is_alive(other["pid"]))

    def test_the_one_that_was_idle_longest_in_truth_goes(self):
        with self.pool() as p:
            a, b = p.ready("a.localhost"), p.ready("b.localhost")
            idle = {a["generation"]: 5, b["generation"]: 4000}
            p.send_ask("c.localhost")
            while True:
                told = p.message()
                if told["type"] != "release_ask":
                    break
                g = told["generation"]
                if idle[g] >= told["idle_ms"]:
                    gone = g
                    p.tell("released", generation=g)
                else:
                    p.tell("held", generation=g,
                           ask_again_ms=told["idle_ms"] - idle[g])
            # poold cannot know of 4 s after so short a life: both are asked
            # for what they can have, and one goes.
            self.assertEqual(told["type"], "route_gone")
            self.assertEqual(told["generation"], gone)

    def test_a_busy_one_is_not_asked_again_until_it_is_free(self):
        with self.pool() as p:
            a, b = p.ready("a.localhost"), p.ready("b.localhost")
            number = p.send_ask("c.localhost")
            for _ in range(2):
                told = p.expect("release_ask")
                p.tell("held", generation=told["generation"], ask_again_ms=1,
                       is_busy=1)
            p.line(r"gone -> queued \(no place\)")
            # Nothing but the word of the switchboard brings the question.
            self.assertEqual(select.select([p.wire], [], [], 0.2)[0], [])
            p.tell("held", generation=b["generation"])
            told = p.expect("release_ask", generation=b["generation"])
            p.tell("released", generation=b["generation"])
            p.expect("route_gone", generation=b["generation"])
            p.expect("route_ready", ask=number)
            self.assertTrue(is_alive(a["pid"]))

    def test_who_waits_is_served_in_order_as_places_become_free(self):
        with self.pool(n=6) as p:
            held = {}
            for host in "ab":
                told = p.ready(f"{host}.localhost")
                held[told["generation"]] = told["pid"]
            asks = [p.send_ask(f"{host}.localhost") for host in "cdef"]
            served = []
            while len(served) < len(asks):
                told = p.message()
                if told["type"] == "release_ask":
                    p.tell("held", generation=told["generation"],
                           ask_again_ms=1, is_busy=1)
                    os.kill(held.pop(told["generation"]), signal.SIGKILL)
                elif told["type"] == "route_ready":
                    served.append(told["ask"])
                    held[told["generation"]] = told["pid"]
            self.assertEqual(sorted(served), asks)
            # Who is ready first is a race of their own; whose turn came
            # first is not.
            p.line(r"f\.localhost: queued -> starting")
            turns = [found[1] for text in p.log if (found := re.search(
                r"(\w)\.localhost: queued -> starting", text))]
            self.assertEqual("".join(turns), "cdef")

    def test_the_line_is_bounded_in_time_and_in_length(self):
        with self.pool(queue_timeout="4s", max_queue=1) as p:
            for host in "ab":
                p.ready(f"{host}.localhost")
            first = p.send_ask("c.localhost")
            for _ in range(2):
                told = p.expect("release_ask")
                p.tell("held", generation=told["generation"], ask_again_ms=1,
                       is_busy=1)
            second = p.send_ask("d.localhost")
            told = p.expect("route_failed", ask=second, status=503)
            self.assertIn("max_backends", told["text"])
            # Another ask for the one that waits waits with it.
            third = p.send_ask("c.localhost")
            for ask in (first, third):
                told = p.expect("route_failed", ask=ask, status=503)
                self.assertGreater(told["retry_after_s"], 0)
            p.line(r"c\.localhost: queued -> gone \(time is over\)")
            self.assertEqual(p.end()[0], 0)

    def test_the_end_of_poold_ends_the_line(self):
        with self.pool() as p:
            for host in "ab":
                p.ready(f"{host}.localhost")
            number = p.send_ask("c.localhost")
            p.expect("release_ask")
            p.line("gone -> queued")
            p.send(signal.SIGTERM)
            p.expect("route_failed", ask=number, status=503,
                     text="the service is shutting down")
            self.assertEqual(p.join()[0], 0)
            self.assertEqual(p.left(), ([], []))


class Held(unittest.TestCase):
    """A tenant that keeps failing."""

    PACE = {"backoff": "10ms", "max_backoff": "10ms", "max_failures": 3}

    def fail_until_held(self, p, host):
        told = p.ask(host)
        while "held as failed" not in told["text"]:
            told = p.ask(host)
        return told

    def test_it_is_held_with_its_last_words_and_probed_by_one_ask(self):
        with Poold([tools("exit.localhost", "exit")],
                   pool={**self.PACE, "max_backoff": "4s",
                         "backoff": "2s"}) as p:
            told = self.fail_until_held(p, "exit.localhost")
            self.assertEqual(told["status"], 503)
            self.assertIn(told["retry_after_s"], (1, 2, 3, 4))
            self.assertIn("held as failed after 3 failures in a row",
                          told["text"])
            self.assertIn("exit status 1: the last line", told["text"])
            p.line(r"starting -> failed \(failed too often\): exit status 1: "
                   "the last line .*failures=3")
            at = len(p.log)
            # A probe is due: nothing starts by itself, one ask passes.
            p.line(r"failed -> backoff \(time is over\)", at)
            p.failed("exit.localhost", 502)
            p.line(r"starting -> failed .* failures=4", at)
            starts = sum("-> starting" in text for text in p.log[at:])
            self.assertEqual(starts, 1)
            self.fail_until_held(p, "exit.localhost")
            self.assertEqual(p.end()[0], 0)

    def test_a_changed_program_is_tried_at_once(self):
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            program = f"{folder}/program"

            def write(text):
                with open(f"{program}.new", "w", encoding="utf-8") as f:
                    f.write(f"#!/bin/sh\n{text}\n")
                os.chmod(f"{program}.new", 0o755)
                os.rename(f"{program}.new", program)

            write("exit 3")
            with Poold([{"host": "c.localhost", "command": [program]}],
                       pool={"max_failures": 2, "backoff": "60s"}) as p:
                for state in ("backoff", "failed"):
                    # A command listens before it fails.
                    p.ready("c.localhost")
                    p.expect("route_gone", text="exit status 3")
                    p.line(f"-> {state} ")
                told = p.failed("c.localhost", 503)
                self.assertEqual(told["retry_after_s"], 60)
                write("exec sleep 1000")
                told = p.ready("c.localhost")
                p.line(r"failed -> gone \(changed\)")
                self.assertTrue(is_alive(told["pid"]))

    def test_others_are_served_meanwhile(self):
        with Poold([tools("exit.localhost", "exit"),
                    tools("good.localhost", "good")], pool=self.PACE) as p:
            self.fail_until_held(p, "exit.localhost")
            p.ready("good.localhost")


class Watchdog(unittest.TestCase):
    def test_one_whose_event_loop_stands_still_is_ended_and_says_so(self):
        with Poold([tools("still.localhost", "still"),
                    tools("good.localhost", "good")],
                   pool={"watchdog": "3s", "stop_timeout": "60s"}) as p:
            good = p.ready("good.localhost")
            told = p.ready("still.localhost")
            text = "its event loop stood still for 3 s (watchdog)"
            p.expect("route_gone", generation=told["generation"],
                     is_expected=0, text=text)
            p.line(re.escape(f"still.localhost: {text}, killed"))
            p.line(r"ready -> killed \(stands still\)")
            self.assertFalse(is_alive(told["pid"]))
            self.assertTrue(is_alive(good["pid"]))
            # It is a failure, however long it ran.
            p.line(r"killed -> backoff \(failed\)")

    def test_one_that_is_stopped_is_found_too(self):
        with Poold([tools("good.localhost", "good")],
                   pool={"watchdog": "2s"}) as p:
            told = p.ready("good.localhost")
            os.kill(told["pid"], signal.SIGSTOP)
            gone = p.expect("route_gone", generation=told["generation"])
            self.assertIn("stood still", gone["text"])

    def test_a_switchboard_that_is_stopped_is_replaced(self):
        # Not before 5 s, whatever is configured; a command is not watched.
        with Poold([command("c.localhost", SERVE)],
                   pool={"watchdog": "1ms"}) as p:
            told = p.ready("c.localhost")
            p.line("switchboard: its event loop stood still for 5 s")
            p.settle()
            again = p.ready("c.localhost")
            self.assertEqual(again["pid"], told["pid"])
            self.assertEqual(p.end()[0], 0)

    def test_a_command_is_not_watched(self):
        with Poold([command("c.localhost", SERVE),
                    tools("still.localhost", "still")],
                   pool={"watchdog": "50ms"}) as p:
            told = p.ready("c.localhost")
            p.ready("still.localhost")
            p.expect("route_gone")
            self.assertTrue(is_alive(told["pid"]))


class Events(unittest.TestCase):
    """What the switchboard is told of events, and the log."""

    NAMES = {1: "started", 2: "ready", 3: "stopped", 4: "error",
             5: "evicted", 6: "failed", 7: "backoff"}

    def watch(self, p, n_credit=1000):
        p.tell("watch", is_on=1, n_credit=n_credit)
        # Answered by an ask that comes after it: it is heard by then.
        p.failed("nobody.localhost", 404)

    def hear(self, p, n):
        """The next n events, whatever is told beside them."""
        heard = []
        while len(heard) < n:
            told = p.message()
            if told["type"] == "event":
                told["name"] = self.NAMES[told["kind"]]
                heard.append(told)
        ids = [e["id"] for e in heard]
        self.assertEqual(ids, list(range(ids[0], ids[0] + n)))
        return heard

    def test_a_life_is_told_in_order_and_stopped_after_the_reap(self):
        with Poold([tools("a.localhost", "orphans")]) as p:
            self.watch(p)
            p.send_ask("a.localhost")
            started, ready = self.hear(p, 2)
            pid = started["pid"]
            self.assertEqual((started["name"], started["state"]),
                             ("started", "starting"))
            self.assertEqual((ready["name"], ready["state"], ready["pid"]),
                             ("ready", "ready", pid))
            with open(f"{p.state}/a.localhost/orphan.pid",
                      encoding="ascii") as f:
                orphan = int(f.read())
            os.kill(pid, signal.SIGKILL)
            error, stopped = self.hear(p, 2)
            self.assertFalse(is_alive(pid))
            self.assertFalse(is_alive(orphan))
            for e, name in ((error, "error"), (stopped, "stopped")):
                self.assertEqual(
                    (e["name"], e["host"], e["pid"], e["generation"],
                     e["state"], e["cause"], e["text"]),
                    (name, "a.localhost", pid, ready["generation"], "gone",
                     "itself", "signal 9 (Killed)"))
            p.line(rf"event {stopped['id']}: stopped a\.localhost: signal 9 "
                   rf"\(Killed\) generation=1 pid={pid} cause=itself")

    def test_a_failure_is_told_with_its_last_words(self):
        with Poold([tools("exit.localhost", "exit")],
                   pool={"max_failures": 2, "backoff": "60s"}) as p:
            self.watch(p)
            p.send_ask("exit.localhost")
            heard = self.hear(p, 4)
            self.assertEqual([e["name"] for e in heard],
                             ["started", "error", "stopped", "backoff"])
            self.assertEqual(heard[1]["text"], "exit status 1: the last line")
            p.send_ask("exit.localhost")
            heard = self.hear(p, 4)
            self.assertEqual([e["name"] for e in heard],
                             ["started", "error", "stopped", "failed"])
            self.assertEqual(heard[3]["text"], "exit status 1: the last line")
            self.assertEqual(heard[3]["n_failures"], 2)
            self.assertGreater(heard[3]["retry_ms"], 50000)

    def test_an_eviction_is_told(self):
        with Poold([tools("a.localhost", "good"), tools("b.localhost", "good")],
                   pool={"max_backends": 1}) as p:
            g = p.ready("a.localhost")["generation"]
            self.watch(p)
            p.send_ask("b.localhost")
            p.expect("release_ask", generation=g)
            p.tell("released", generation=g)
            heard = self.hear(p, 4)
            self.assertEqual(
                [(e["name"], e["host"]) for e in heard],
                [("evicted", "a.localhost"), ("stopped", "a.localhost"),
                 ("started", "b.localhost"), ("ready", "b.localhost")])
            self.assertEqual(heard[1]["cause"], "evicted")

    def test_the_end_of_all_is_told_before_quit(self):
        names = [f"{i}.localhost" for i in range(20)]
        with Poold([tools(n, "good") for n in names],
                   pool={"stop_timeout": "20s"}) as p:
            for name in names:
                p.ready(name)
            self.watch(p)
            p.send(signal.SIGTERM)
            p.expect("drain")
            p.tell("drained", n_exchanges=0)
            heard = self.hear(p, 20)
            self.assertEqual({e["name"] for e in heard}, {"stopped"})
            self.assertEqual({e["host"] for e in heard}, set(names))
            told = p.message()
            while told["type"] == "route_gone":
                told = p.message()
            self.assertEqual(told["type"], "quit")
            self.assertEqual(p.join()[0], 0)

    def test_no_more_is_sent_than_the_switchboard_gave_credit_for(self):
        with Poold([tools("a.localhost", "good")]) as p:
            self.watch(p, n_credit=1)
            p.send_ask("a.localhost")
            self.assertEqual(self.hear(p, 1)[0]["name"], "started")
            told = p.expect("route_ready")
            p.line(r"event 2: ready a.localhost: asked_us=[1-9]\d* "
                   r"queue_us=\d+ start_us=[1-9]\d* generation=")
            # An answer that comes later than the event would have.
            p.failed("nobody.localhost", 404)
            p.tell("watch", is_on=1, n_credit=5)
            self.assertEqual(self.hear(p, 1)[0]["name"], "ready")
            # Who wants no more gets no more.
            p.tell("watch", is_on=0)
            p.failed("nobody.localhost", 404)
            os.kill(told["pid"], signal.SIGKILL)
            p.expect("route_gone")
            p.line("event 4: stopped")
            p.failed("nobody.localhost", 404)

    def test_a_switchboard_that_never_reads_them_holds_up_nothing(self):
        with Poold([tools("a.localhost", "good")],
                   pool={"stop_timeout": "200ms"}) as p:
            self.watch(p, n_credit=0)
            p.ready("a.localhost")
            status, seconds = p.end()
            self.assertEqual(status, 0)
            self.assertLess(seconds, IN_TIME_S)
            p.line("events: the last ones were not read in time")

    def test_a_new_switchboard_asks_anew(self):
        with Poold([tools("a.localhost", "good")],
                   pool={"stop_timeout": "20s"}) as p:
            self.watch(p)
            os.kill(p.board, signal.SIGKILL)
            p.settle()
            p.ready("a.localhost")
            self.watch(p)
            p.send(signal.SIGTERM)
            p.expect("drain")
            p.tell("drained", n_exchanges=0)
            self.assertEqual(self.hear(p, 1)[0]["name"], "stopped")
            self.assertEqual(p.join()[0], 0)


class Turns(unittest.TestCase):
    def test_tenants_that_never_get_ready_delay_no_other(self):
        mutes = [f"{i}.m.localhost" for i in range(5)]
        with Poold([tools("*.m.localhost", "mute"),
                    tools("a.localhost", "good")],
                   pool={"start_parallel": 1, "start_timeout": "1h"}) as p:
            for host in mutes:
                p.send_ask(host)
            p.ready("a.localhost")
            # It was started behind them: first come, first served.
            p.line("a.localhost: starting -> ready")
            started = [found[1] for text in p.log if (found := re.search(
                r"backend (\S+): gone -> starting", text))]
            self.assertEqual(started, mutes + ["a.localhost"])


class Starting(unittest.TestCase):
    def test_the_socket_is_told_before_the_tool_is_ready(self):
        for spawn in ("zygote", "exec"):
            with Poold([tools("a.localhost", "good"),
                        tools("refuse.localhost", "refuse")],
                       pool={"spawn": spawn}) as p:
                told = p.ready("a.localhost")
                self.assertEqual(
                    [{**t, "type": "route_ready"} for t in p.starting],
                    [told])
                failed = p.failed("refuse.localhost", 502)
                self.assertEqual(p.starting[-1]["ask"], failed["ask"])

    def test_one_that_stays_mute_can_be_sent_to(self):
        with Poold([tools("mute.localhost", "mute")],
                   pool={"start_timeout": "300ms"}) as p:
            p.failed("mute.localhost", 504)
            self.assertEqual(len(p.starting), 1)

    def test_a_command_is_ready_or_is_not(self):
        code = "import signal; signal.pause()"
        with Poold([command("c.localhost", code)]) as p:
            p.ready("c.localhost")
            self.assertEqual(p.starting, [])


class FailedStarts(unittest.TestCase):
    def test_who_waits_is_told_why(self):
        with Poold([tools("refuse.localhost", "refuse"),
                    tools("exit.localhost", "exit"),
                    {"host": "missing.localhost",
                     "command": ["/nonexistent/program"]},
                    {"host": "folder.localhost", "command": ["/etc"]}]) as p:
            for host, text in (
                    ("refuse", "the tool cannot be loaded"),
                    ("exit", "exit status 1: the last line"),
                    ("missing", "exit status 127: cannot run "
                     "/nonexistent/program: No such file or directory"),
                    ("folder", "exit status 127: cannot run /etc: "
                     "Permission denied")):
                told = p.failed(f"{host}.localhost", 502)
                self.assertEqual(told["text"], text)
                self.assertEqual(told["retry_after_s"], 0)

    def test_what_was_dropped_of_its_last_words_is_counted(self):
        lines = 1000
        with Poold([command("flood.localhost",
                            f"raise SystemExit('again\\n' * {lines})")]) as p:
            p.ready("flood.localhost")
            p.line("flood.localhost: .* -> backoff")
            said = sum("flood.localhost says: again" in x for x in p.log)
            dropped = [int(found[1]) for x in p.log if (found := re.search(
                r"wrote too much: (\d+) lines", x))]
            self.assertEqual(said + sum(dropped), lines)
            self.assertLess(said, lines)

    def test_a_command_that_exits_at_once_is_told_as_gone(self):
        code = "import sys; sys.exit('out of luck')"
        with Poold([command("c.localhost", code)]) as p:
            told = p.ready("c.localhost")
            p.expect("route_gone", generation=told["generation"],
                     is_expected=0, text="exit status 1: out of luck")

    def test_the_first_failure_is_free_then_it_backs_off(self):
        with Poold([tools("exit.localhost", "exit"),
                    tools("good.localhost", "good")],
                   pool={"backoff": "4s"}) as p:
            p.failed("exit.localhost", 502)
            p.failed("exit.localhost", 502)
            told = p.failed("exit.localhost", 503)
            self.assertIn(told["retry_after_s"], (1, 2, 3, 4))
            self.assertIn("failed 2 times", told["text"])
            self.assertIn("exit status 1: the last line", told["text"])
            p.ready("good.localhost")
            # After those seconds it is tried again.
            begun = time.monotonic()
            while p.ask("exit.localhost")["status"] == 503:
                self.assertLess(time.monotonic() - begun, PATIENCE_S)
            self.assertIn(p.failed("exit.localhost", 503)["retry_after_s"],
                          (5, 6, 7, 8))

    def test_one_that_is_not_ready_in_time_is_a_504_and_killed(self):
        with Poold([tools("mute.localhost", "mute")],
                   pool={"start_timeout": "600ms"}) as p:
            told = p.failed("mute.localhost", 504)
            self.assertEqual(told["text"],
                             "not ready within 600ms (start_timeout)")
            pid = int(p.line(r"gone -> starting .* pid=(\d+)")[1])
            p.line(r"killed -> backoff \(failed\)")
            self.assertFalse(os.path.exists(f"/proc/{pid}"))
            self.assertEqual(p.end()[0], 0)
            self.assertEqual(p.left(), ([], []))

    def test_one_that_breaks_the_protocol_is_ended(self):
        with Poold([tools("garbage.localhost", "garbage")],
                   pool={"stop_timeout": "100ms"}) as p:
            told = p.ready("garbage.localhost")
            p.expect("route_gone", generation=told["generation"],
                     is_expected=0)
            p.line(r"ready -> stopping \(channel lost\)")

    def test_one_that_says_what_is_not_its_to_say_is_heard_no_more(self):
        """It could fill the log with that."""
        with Poold([tools("chatty.localhost", "chatty")],
                   pool={"stop_timeout": "100ms"}) as p:
            told = p.ready("chatty.localhost")
            p.expect("route_gone", generation=told["generation"],
                     is_expected=0)
            p.line("chatty.localhost: sent drain, which is not its to send")
            p.line(r"(killed|stopping) -> (backoff|gone)")
            self.assertEqual(
                sum("not its to send" in text for text in p.log), 1)

    def test_a_switchboard_that_says_what_it_must_not_is_replaced(self):
        with Poold([tools("a.localhost", "good")]) as p:
            for kind in ("drain", "sessions"):
                p.tell(kind)
                p.line(f"switchboard: sent {kind}, which it must not, killed")
                p.settle()
            p.ready("a.localhost")


class Idle(unittest.TestCase):
    def test_an_idle_backend_ends_when_the_switchboard_lets_go(self):
        with Poold([tools("a.localhost", "good")],
                   pool={"idle_timeout": "60ms"}) as p:
            g = p.ready("a.localhost")["generation"]
            p.expect("release_ask", generation=g, idle_ms=60)
            p.tell("held", generation=g, ask_again_ms=20)
            p.expect("release_ask", generation=g)
            p.tell("released", generation=g)
            p.expect("route_gone", generation=g, is_expected=1)
            again = p.ready("a.localhost")
            self.assertGreater(again["generation"], g)

    def test_an_ask_while_it_lets_go_waits_for_the_next_run(self):
        with Poold([tools("a.localhost", "good")],
                   pool={"idle_timeout": "60ms"}) as p:
            g = p.ready("a.localhost")["generation"]
            p.expect("release_ask", generation=g)
            # As a switchboard that lost its table would do it.
            number = p.send_ask("a.localhost")
            p.tell("released", generation=g)
            p.expect("route_gone", generation=g)
            told = p.expect("route_ready", ask=number)
            self.assertEqual(told["generation"], g + 1)

    def test_a_backend_with_sessions_is_not_idle(self):
        with Poold([tools("busy.localhost", "busy"),
                    tools("idle.localhost", "good")],
                   pool={"idle_timeout": "150ms"}) as p:
            busy = p.ready("busy.localhost")
            idle = p.ready("idle.localhost")
            # The later one is asked for, the busy one is not.
            p.expect("release_ask", generation=idle["generation"])
            p.tell("released", generation=idle["generation"])
            p.expect("route_gone", generation=idle["generation"])
            os.kill(busy["pid"], signal.SIGUSR1)
            p.expect("release_ask", generation=busy["generation"])

    def test_a_stranger_s_word_changes_nothing(self):
        with Poold([tools("a.localhost", "good")]) as p:
            g = p.ready("a.localhost")["generation"]
            p.tell("released", generation=g)
            p.tell("released", generation=g + 7)
            p.tell("held", generation=0, ask_again_ms=1)
            self.assertEqual(p.ready("a.localhost")["generation"], g)


class Deaths(unittest.TestCase):
    def test_kill_of_a_backend_is_told_and_the_next_ask_starts_anew(self):
        with Poold([tools("a.localhost", "good"),
                    tools("b.localhost", "good")]) as p:
            other = p.ready("b.localhost")
            for _ in range(3):
                told = p.ready("a.localhost")
                os.kill(told["pid"], signal.SIGKILL)
                p.expect("route_gone", generation=told["generation"],
                         is_expected=0, text="signal 9 (Killed)")
            p.ready("a.localhost")
            self.assertEqual(p.ready("b.localhost"),
                             {**other, "ask": p.asks})

    def test_one_that_was_found_dead_is_replaced_though_it_lives(self):
        with Poold([tools("a.localhost", "good")]) as p:
            first = p.ready("a.localhost")
            second = p.ready("a.localhost", dead=first["generation"])
            self.assertGreater(second["generation"], first["generation"])
            self.assertNotEqual(second["pid"], first["pid"])
            p.expect("route_gone", generation=first["generation"])
            self.assertFalse(is_alive(first["pid"]))

    def test_an_ask_that_overtakes_the_death_waits_for_the_next_run(self):
        with Poold([tools("a.localhost", "good")]) as p:
            first = p.ready("a.localhost")
            # poold is stopped: both wait for it when it goes on.
            p.send(signal.SIGSTOP)
            os.kill(first["pid"], signal.SIGKILL)
            number = p.send_ask("a.localhost", dead=first["generation"])
            p.send(signal.SIGCONT)
            p.expect("route_gone", generation=first["generation"],
                     text="signal 9 (Killed)")
            told = p.expect("route_ready", ask=number)
            self.assertEqual(told["generation"], first["generation"] + 1)

    def test_a_killed_switchboard_is_started_again_with_its_sockets(self):
        with Poold([tools("a.localhost", "good")]) as p:
            told = p.ready("a.localhost")
            listen = p.introduction[0]["address"]
            for _ in range(3):
                os.kill(p.board, signal.SIGKILL)
                p.settle()
                self.assertEqual(p.introduction[0]["address"], listen)
                again = p.ready("a.localhost")
                self.assertEqual(again["generation"], told["generation"])
            self.assertIsNone(p.process.poll())
            self.assertEqual(p.end()[0], 0)

    def test_kill_of_poold_leaves_no_process(self):
        with Poold([tools("a.localhost", "good"), command("c.localhost", SERVE),
                    tools("s.localhost", "stubborn")]) as p:
            pids = [p.ready(h)["pid"] for h in
                    ("a.localhost", "c.localhost", "s.localhost")]
            pids.append(p.board)
            p.process.kill()
            for pid in pids:
                await_death(pid)
            p.process.wait(PATIENCE_S)

    def test_what_a_killed_poold_left_is_cleaned_by_the_next(self):
        with Poold([tools("a.localhost", "good")]) as p:
            path = p.ready("a.localhost")["socket"]
            p.process.kill()
            p.process.wait()
            self.assertTrue(os.path.exists(path))
            p.process.stderr.close()
            p.start()
            p.line("1 stale sockets removed")
            p.ready("a.localhost")

    def test_orphans_of_a_backend_end_with_it(self):
        for user in users():
            with self.subTest(user=user):
                self.orphans_of_a_backend_end_with_it(user)

    def orphans_of_a_backend_end_with_it(self, user):
        with Poold([tools("o.localhost", "orphans"),
                    tools("a.localhost", "good")], user=user) as p:
            other = p.ready("a.localhost")
            told = p.ready("o.localhost")
            with open(f"{p.state}/o.localhost/orphan.pid",
                      encoding="ascii") as f:
                orphan = int(f.read())
            self.assertTrue(is_alive(orphan))
            os.kill(told["pid"], signal.SIGKILL)
            await_death(orphan)
            if user is not None:
                # Without a namespace it has to be looked for.
                p.line("o.localhost: 1 processes that it left behind were "
                       "killed")
            self.assertTrue(is_alive(other["pid"]))


class End(unittest.TestCase):
    def test_sigterm_ends_with_0_and_sigint_with_130(self):
        for signo, status in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
            with Poold([tools("a.localhost", "good"),
                        command("c.localhost", SERVE)]) as p:
                p.ready("a.localhost")
                p.ready("c.localhost")
                got, seconds = p.end(signo)
                self.assertEqual(got, status)
                self.assertLess(seconds, IN_TIME_S)
                self.assertEqual(p.left(), ([], []))
                self.assertEqual(os.listdir(p.runtime), [])

    def test_the_order_of_ending(self):
        with Poold([tools("a.localhost", "good"),
                    tools("mute.localhost", "mute")],
                   pool={"drain_timeout": "20s",
                         "stop_timeout": "20s"}) as p:
            told = p.ready("a.localhost")
            waiting = p.send_ask("mute.localhost")
            # It can hear SIGTERM by then: a first process of a namespace
            # ignores what it does not handle.
            until(lambda: os.path.exists(
                f"{p.state}/mute.localhost/self.json"), "mute.localhost")
            p.send(signal.SIGTERM)
            p.expect("drain", drain_ms=20000)
            late = p.send_ask("a.localhost")
            p.expect("route_failed", ask=late, status=503,
                     text="the service is shutting down")
            self.assertTrue(is_alive(told["pid"]))
            p.tell("drained", n_exchanges=0)
            gone, failed = sorted((p.message() for _ in range(2)),
                                  key=lambda m: m["type"], reverse=True)
            self.assertEqual((gone["type"], gone["generation"],
                              gone["is_expected"]),
                             ("route_gone", told["generation"], 1))
            # It was sent to one that starts, and could have been answered.
            self.assertEqual((failed["ask"], failed["status"],
                              failed["text"]),
                             (waiting, 503, "the service is shutting down"))
            p.expect("quit")
            self.assertEqual(p.join()[0], 0)

    def test_what_starts_may_become_ready_while_poold_ends(self):
        with Poold([tools("late.localhost", "late")],
                   pool={"drain_timeout": "20s"}) as p:
            ask = p.send_ask("late.localhost")
            until(lambda: os.path.exists(
                f"{p.state}/late.localhost/self.json"), "late.localhost")
            p.send(signal.SIGTERM)
            p.expect("drain")
            with open(f"{p.state}/late.localhost/go", "w", encoding="ascii"):
                pass
            p.expect("route_ready", ask=ask)
            p.tell("drained", n_exchanges=0)
            p.expect("route_gone", is_expected=1)
            p.expect("quit")
            self.assertEqual(p.join()[0], 0)

    def test_a_switchboard_that_does_not_drain_is_not_waited_for(self):
        with Poold([tools("a.localhost", "good")],
                   pool={"drain_timeout": "100ms"}) as p:
            told = p.ready("a.localhost")
            p.send(signal.SIGTERM)
            p.expect("drain")
            p.expect("route_gone", generation=told["generation"])
            p.expect("quit")
            self.assertEqual(p.join()[0], 0)

    def test_connections_are_refused_as_soon_as_it_ends(self):
        with Poold() as p:
            port = int(p.introduction[0]["address"].rsplit(":", 1)[1])
            for fd in p.fds:
                os.close(fd)
            p.fds = []
            p.send(signal.SIGTERM)
            p.expect("drain")
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))

    def test_who_ignores_sigterm_is_killed(self):
        with Poold([tools(f"{i}.localhost", "stubborn")
                    for i in range(5)]) as p:
            for i in range(5):
                p.ready(f"{i}.localhost")
            status, seconds = p.end()
            self.assertEqual(status, KILLED)
            self.assertLess(seconds, IN_TIME_S)
            self.assertEqual(p.left(), ([], []))

    def test_a_stopped_child_ends_too(self):
        with Poold([tools("a.localhost", "good")],
                   pool={"stop_timeout": "60s"}) as p:
            os.kill(p.ready("a.localhost")["pid"], signal.SIGSTOP)
            status, seconds = p.end()
            self.assertEqual(status, 0)
            self.assertLess(seconds, IN_TIME_S)

    def test_one_that_fails_while_poold_ends_is_not_waited_for(self):
        with Poold([tools("garbage.localhost", "garbage")],
                   pool={"stop_timeout": "3s"}) as p:
            p.ready("garbage.localhost")
            p.line(r"ready -> stopping \(channel lost\)")
            status, seconds = p.end()
            self.assertEqual(status, KILLED)
            self.assertLess(seconds, IN_TIME_S)
            self.assertFalse([x for x in p.log if "do not end" in x])
            self.assertEqual(p.left(), ([], []))

    def test_a_second_signal_hurries_and_still_reaps(self):
        with Poold([tools("s.localhost", "stubborn")],
                   pool={"stop_timeout": "60s"}) as p:
            p.ready("s.localhost")
            p.send(signal.SIGTERM)
            p.expect("drain")
            p.send(signal.SIGTERM)
            p.line("hurry")
            status, seconds = p.join()
            self.assertEqual(status, KILLED)
            self.assertLess(seconds, IN_TIME_S)
            self.assertEqual(p.left(), ([], []))

    def test_double_forks_in_sessions_of_their_own_end_too(self):
        for user in users():
            with self.subTest(user=user):
                self.double_forks_end_too(user)

    def double_forks_end_too(self, user):
        with Poold([tools("o.localhost", "orphans"),
                    tools("p.localhost", "orphans")], user=user) as p:
            p.ready("o.localhost")
            p.ready("p.localhost")
            self.assertGreaterEqual(len(processes_with(p.marker)), 6)
            status, seconds = p.end()
            self.assertEqual(status, 0 if user is None else KILLED)
            self.assertLess(seconds, IN_TIME_S)
            self.assertEqual(p.left(), ([], []))
            # With a namespace the kernel kills them.
            if user is not None:
                p.line("2 processes that were left behind were killed")


class Rounds(unittest.TestCase):
    """Everything at once, by a seed that is printed when it fails."""

    KINDS = ("good", "exit", "refuse", "garbage", "stubborn", "mute",
             "orphans", "busy")

    def play(self, p, dice, known):
        """One thing that may happen."""
        host = dice.choice(self.KINDS) + ".localhost"
        pid, generation = known.get(host, (0, 0))
        deed = dice.randrange(9)
        if deed < 4:
            p.send_ask(host)
        elif deed == 4:
            p.send_ask(host, dead=generation)
        elif deed == 5:
            p.tell("released", generation=generation)
        elif deed == 6:
            p.tell("held", generation=generation,
                   ask_again_ms=dice.choice((0, 20, 2 ** 32 - 1)))
        elif pid in processes_with(p.marker):
            try:
                os.kill(pid, dice.choice((
                    signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP)))
            except ProcessLookupError:
                pass  # it has ended in between

    def hear(self, p, dice, known):
        """What the switchboard would do with what it is told."""
        while select.select([p.wire], [], [], dice.choice((0, 0.01)))[0]:
            told = p.message()
            if told["type"] == "route_ready":
                known[told["host"]] = told["pid"], told["generation"]
            elif told["type"] == "release_ask":
                p.tell(dice.choice(("released", "held")),
                       generation=told["generation"], ask_again_ms=30)

    def test_whatever_happens_poold_lives_and_leaves_nothing(self):
        seed = int(os.environ.get("POOLD_TEST_SEED", time.time_ns()))
        dice = random.Random(seed)
        known = {}
        with self.subTest(seed=seed), Poold(
                [tools(f"{kind}.localhost", kind) for kind in self.KINDS],
                pool={"max_backends": 5, "start_timeout": "500ms",
                      "stop_timeout": "150ms", "idle_timeout": "80ms"}) as p:
            for _ in range(200):
                self.play(p, dice, known)
                self.hear(p, dice, known)
                if dice.randrange(60) == 0:
                    os.kill(p.board, signal.SIGKILL)
                    p.settle()
                self.assertIsNone(p.process.poll())
            status, seconds = p.end()
            self.assertIn(status, (0, KILLED))
            self.assertLess(seconds, IN_TIME_S)
            self.assertEqual(p.left(), ([], []))


if __name__ == "__main__":
    unittest.main(verbosity=2)
