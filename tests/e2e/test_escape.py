# SPDX-License-Identifier: MIT
"""test_escape: what a tenant tries against others, and what it gets.

Each attempt is made by a tool and by a command; `free` is a command without
a sandbox that shows that the attempt itself works. As root tenants are users
of their own; the same is then tried with a poold that is not root.
"""

import ctypes
import errno
import json
import os
import signal
import socket
import stat
import tempfile
import unittest

from http_client import HERE, answer_of, ask, modern, serve
from pool import SANITIZED, UID_FIRST, Pool, build_dir

TOOL = os.path.join(build_dir(), "tests", "e2e", "tool_escape.so")
LIBRARY = os.path.join(build_dir(), "tests", "e2e", "escape.so")
PROGRAM = os.path.join(HERE, "escape.py")
IS_ROOT = os.geteuid() == 0
# landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
LANDLOCK = ctypes.CDLL(None, use_errno=True).syscall(444, None, 0, 1)
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWPID = 0x10000000, 0x40000000, 0x20000000
PR_SIGNAL_NONE = 0
EAFNOSUPPORT, EACCES, EPERM, ENOSYS, ESRCH = (
    errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM, errno.ENOSYS,
    errno.ESRCH)
# So that a poold that is not root finds its folders its own.
NOT_ROOT = """#!/bin/sh
dir=$(dirname "$2")
chown 65534:65534 "$dir/run" "$dir/state"
chmod 666 "$dir/notify"
exec setpriv --reuid=65534 --regid=65534 --clear-groups {poold} "$@"
"""


def command(host, **more):
    """The row of a tenant that makes attempts in python."""
    return {"host": host, **more,
            "command": ["/usr/bin/python3", PROGRAM, LIBRARY]}


TENANTS = [
    {"host": "tool.localhost", "tools": [TOOL]},
    command("command.localhost"),
    command("free.localhost", sandbox=False, network=True),
    command("net.localhost", network=True),
    # By exec: so all that the zygote forks is confined alike, and it too.
    {"host": "nettool.localhost", "tools": [TOOL], "network": True,
     "spawn": "exec"},
    serve("victim.localhost"),
]


def words(error):
    """An outcome, for a person."""
    return errno.errorcode.get(error, error)


class Attempts:
    """A pool with tenants that make attempts, and what they are about."""

    def __init__(self, test, tenants=None, poold=None):
        self.test = test
        self.pool = Pool(tenants or TENANTS, poold=poold)

    def __enter__(self):
        self.pool.start()
        self.outside = os.path.join(self.pool.dir, "outside")
        with open(self.outside, "w", encoding="ascii") as f:
            f.write("for everybody")
        os.chmod(self.outside, 0o666)
        return self

    def __exit__(self, *why):
        self.pool.__exit__(*why)

    def pid_of(self, host):
        """The process of a tenant, started if it is not there."""
        if host.startswith("victim"):
            ask(self.pool, host, "/pid")
        elif "tool" in host:
            self.make(host, "thread")
        else:
            return self.make(host, "thread")["pid"]
        found, = [row for row in json.loads(ask(
            self.pool, "admin", "/__switchboard/servers",
            port=self.pool.admin)[2])["servers"] if row["hostname"] == host]
        return found["pid"]

    def socket_of(self, host):
        """The socket of a tenant."""
        self.pid_of(host)
        found, = [row for row in json.loads(ask(
            self.pool, "admin", "/__switchboard/servers",
            port=self.pool.admin)[2])["servers"] if row["hostname"] == host]
        return found["socket"]

    def send(self, host, name, text="", number=0, n=0):
        """Have an attempt made inside a tenant: (status, body)."""
        want = {"name": name, "text": text, "number": number, "n": n}
        path, body, fields = "/", json.dumps(want), {}
        if "tool" in host:
            path, (body, fields) = "/mcp", modern("escape", want)
        status, _, body = ask(self.pool, host, path, "POST", body, fields)
        return status, body

    def make(self, host, name, text="", number=0, n=0):
        """Make an attempt inside a tenant: what it got."""
        status, body = self.send(host, name, text, number, n)
        assert status == 200, (status, body)
        if "tool" in host:
            return answer_of(body)["result"]["structuredContent"]
        return json.loads(body)

    def check(self, rows):
        """Rows of (attempt, what the tool, the command, the free one got)."""
        hosts = ("tool.localhost", "command.localhost", "free.localhost")
        for (name, *args), *wanted in rows:
            for host, want in zip(hosts, wanted):
                if want is None:
                    continue
                with self.test.subTest(attempt=name, about=args, host=host):
                    got = self.make(host, name, *args)["error"]
                    self.test.assertEqual(words(got), words(want))


class Escape(unittest.TestCase):
    """As root, or as whoever runs the tests."""

    def attempts(self, tenants=None):
        return Attempts(self, tenants)

    @property
    def is_apart(self):
        """Whether tenants are users of their own."""
        return IS_ROOT

    def test_files_of_others_and_of_the_system(self):
        with self.attempts() as a:
            folder = os.path.join(a.pool.state_dir, "victim.localhost")
            a.pid_of("victim.localhost")
            starts = os.path.join(folder, "starts")
            theirs = EACCES if self.is_apart else 0
            a.check([
                (("read", starts), EACCES, EACCES, theirs),
                (("write", starts), EACCES, EACCES, theirs),
                (("write", folder + "/planted"), EACCES, EACCES, theirs),
                (("read", folder), EACCES, EACCES, theirs),
                (("remove", folder + "/planted"), EACCES, EACCES, theirs),
                (("read", a.pool.state_dir), EACCES, EACCES, None),
                # What any user may read and write.
                (("read", a.outside), EACCES, EACCES, 0),
                (("write", a.outside), EACCES, EACCES, 0),
                (("read", a.pool.conf), EACCES, EACCES, 0),
                (("write", "/tmp/escape-planted"), EACCES, EACCES, None),
                (("write", "/dev/shm/escape-planted"), EACCES, EACCES, None),
                (("read", "/etc/shadow"), EACCES, EACCES, EACCES),
                (("read", "/etc"), EACCES, EACCES, 0),
                (("read", "/root"), EACCES, EACCES, None),
                # Its own, and what programs need.
                (("write", "mine"), 0, 0, 0),
                (("read", "mine"), 0, 0, 0),
                (("remove", "mine"), 0, 0, 0),
                (("read", "/etc/passwd"), 0, 0, 0),
                (("read", "/usr/lib"), 0, 0, 0),
                (("write", "/usr/lib/planted"), EACCES, EACCES, EACCES),
                (("write", TOOL), EACCES, EACCES, None),
                (("write", "/dev/null"), 0, 0, 0),
            ])

    def test_processes_of_others(self):
        with self.attempts() as a:
            for who, pid in (("victim", a.pid_of("victim.localhost")),
                             ("poold", a.pool.pid)):
                seen = EACCES if self.is_apart else None
                proc = f"/proc/{pid}"
                with self.subTest(who=who):
                    a.check([
                        ((what, proc + part), EACCES, EACCES, seen)
                        for what, part in (
                            ("read", "/mem"), ("write", "/mem"),
                            ("read", "/environ"), ("read", "/maps"),
                            ("read", "/fd"), ("read", "/fd/3"))])
                    a.check([(("read", proc + "/cmdline"),
                              EACCES, EACCES, 0)])
                    # As root nobody else has a number in the namespace of
                    # its own. Else signals are kept by Landlock from 6 on.
                    away = ESRCH if self.is_apart else EPERM
                    # A sanitized build may trace, whom it sees.
                    traced = away if SANITIZED else EPERM
                    kept = away if self.is_apart or LANDLOCK >= 6 else 0
                    a.check([
                        (("signal", "", pid), kept, kept,
                         ESRCH if self.is_apart else 0),
                        (("trace", "", pid), traced, traced, None),
                        (("memory_of", "", pid), EPERM, EPERM, None),
                        (("descriptor", "", pid, 3), away, away, None)])
                    if self.is_apart:
                        a.check([(("priority", "", pid),
                                  ESRCH, ESRCH, ESRCH)])
            a.check([(("read", "/proc"), EACCES, EACCES, 0),
                     (("read", "/proc/self/status"), 0, 0, 0)])
            # The switchboard, which is nobody's user.
            board, = a.pool.pids_titled("holdline: switchboard")
            a.check([(("read", f"/proc/{board}/fd"), EACCES, EACCES, None),
                     (("trace", "", board), traced, traced, None),
                     (("descriptor", "", board, 3), away, away, None)])

    def test_sockets_of_others(self):
        name = f"holdline-escape-{os.getpid()}"
        with self.attempts() as a, \
                socket.socket(socket.AF_UNIX) as abstract, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            abstract.bind("\0" + name)
            abstract.listen()
            path = os.path.join(a.pool.dir, "log")
            log.bind(path)
            os.chmod(path, 0o666)
            log.setblocking(False)
            # The folder of sockets is the switchboard's.
            theirs = EACCES if self.is_apart else 0
            kept = EPERM if LANDLOCK >= 6 else 0
            a.check([
                (("socket", a.socket_of("victim.localhost")),
                 EPERM, theirs, theirs),
                (("socket", a.socket_of("tool.localhost")),
                 EPERM, theirs, theirs),
                (("abstract", name), EPERM, kept, 0),
                (("datagram", path), EPERM, None, 0),
            ])

    def test_the_network(self):
        with self.attempts() as a, \
                socket.create_server(("127.0.0.1", 0)) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            tcp.setblocking(False)
            udp.setblocking(False)
            ports = tcp.getsockname()[1], udp.getsockname()[1]
            refused = (
                (("tcp", "", ports[0]), EPERM, EAFNOSUPPORT),
                (("udp", "", ports[1]), EPERM, EAFNOSUPPORT),
                (("tcp", "", a.pool.port), EPERM, EAFNOSUPPORT),
                (("tcp", "", a.pool.admin), EPERM, EAFNOSUPPORT),
                (("family", "", socket.AF_INET6), EPERM, EAFNOSUPPORT),
                (("family", "", socket.AF_NETLINK), EPERM, EAFNOSUPPORT),
                (("family", "", socket.AF_PACKET), EPERM, EAFNOSUPPORT),
                (("family", "", socket.AF_VSOCK), EPERM, EAFNOSUPPORT),
                (("uring",), ENOSYS, ENOSYS))
            a.check(refused)
            # Nothing has arrived.
            self.assertRaises(BlockingIOError, tcp.accept)
            self.assertRaises(BlockingIOError, udp.recv, 10)
            # Names are not found, at once and in order.
            for host in ("tool.localhost", "command.localhost"):
                got = a.make(host, "resolve", "example.org")["error"]
                self.assertGreater(got, 1000, "no code of getaddrinfo")
            # With network the same attempts get through.
            for host in ("net.localhost", "nettool.localhost",
                         "free.localhost"):
                with self.subTest(host=host):
                    self.assertEqual(
                        a.make(host, "tcp", "", ports[0])["error"], 0)
                    tcp.accept()[0].close()
                    self.assertEqual(
                        a.make(host, "udp", "", ports[1])["error"], 0)
                    self.assertEqual(udp.recv(10), b"?")
            for host in ("net.localhost", "nettool.localhost"):
                with self.subTest(host=host):
                    for family in (socket.AF_PACKET, socket.AF_VSOCK):
                        self.assertEqual(a.make(
                            host, "family", "", family)["error"],
                            EAFNOSUPPORT)
                    self.assertEqual(a.make(host, "uring")["error"], ENOSYS)

    def test_other_worlds_and_privileges(self):
        with self.attempts() as a:
            a.check([
                (("unshare", "", CLONE_NEWUSER), EPERM, EPERM, None),
                (("unshare", "", CLONE_NEWUSER | CLONE_NEWNET),
                 EPERM, EPERM, None),
                (("clone", "", CLONE_NEWUSER), EPERM, EPERM, None),
                (("clone", "", CLONE_NEWUSER | CLONE_NEWPID),
                 EPERM, EPERM, None),
                (("clone", "", 0), 0, 0, 0),
                (("mount", "/tmp"), EPERM, EPERM, EPERM),
                (("root",), EPERM, EPERM, EPERM),
                (("group",), EPERM, EPERM, EPERM),
                (("privileges",), EPERM, EPERM, EPERM),
                (("outlive", "", PR_SIGNAL_NONE), EPERM, EPERM, 0),
                (("outlive", "", signal.SIGKILL), 0, 0, 0),
                (("thread",), 0, 0, 0),
            ])

    def test_what_can_be_used_up(self):
        small = {"pids_max": 40, "nofile": 60}
        rows = [{"host": "tool.localhost", "tools": [TOOL], **small},
                command("command.localhost", **small)]
        with self.attempts(rows) as a:
            for host in ("tool.localhost", "command.localhost"):
                with self.subTest(host=host):
                    got = a.make(host, "files")
                    self.assertEqual(words(got["error"]), "EMFILE")
                    self.assertLess(got["n"], 60)
                    if self.is_apart:
                        got = a.make(host, "forks")
                        self.assertEqual(words(got["error"]), "EAGAIN")
                        self.assertLess(got["n"], 40)
                        self.assertGreater(got["n"], 20)
            # The others have their own count.
            if self.is_apart:
                got = a.make("command.localhost", "forks")
                self.assertGreater(got["n"], 20)

    @unittest.skipIf(SANITIZED, "AddressSanitizer reserves address space")
    def test_memory(self):
        small = {"address_space": "600M"}
        rows = [{"host": "tool.localhost", "tools": [TOOL], **small},
                command("command.localhost", **small)]
        with self.attempts(rows) as a:
            for host in ("tool.localhost", "command.localhost"):
                with self.subTest(host=host):
                    got = a.make(host, "memory", "", 800)
                    self.assertEqual(words(got["error"]), "ENOMEM")
                    self.assertLess(got["n"], 600)
                    self.assertEqual(a.make(host, "thread")["error"], 0)

    def test_what_the_kernel_lacks_is_said_once(self):
        with self.attempts() as a:
            a.pid_of("command.localhost")
            said = a.pool.count_lines("isolation: this kernel lacks")
            self.assertEqual(said, max(0, 6 - max(LANDLOCK, 0)))


@unittest.skipUnless(IS_ROOT, "the tests do not run as root anyway")
class EscapeBesideNetwork(Escape):
    """A tool with network is the zygote's too, which is not confined then."""

    def attempts(self, tenants=None):
        return Attempts(self, tenants or [
            {k: v for k, v in row.items() if k != "spawn"} for row in TENANTS])


class EscapeWithoutRoot(Escape):
    """A poold that is nobody: Landlock and seccomp are all there is."""

    def attempts(self, tenants=None):
        script = tempfile.NamedTemporaryFile("w", delete=False, suffix=".sh")
        self.addCleanup(os.unlink, script.name)
        with script as f:
            f.write(NOT_ROOT.format(
                poold=os.path.join(build_dir(), "poold", "poold")))
        os.chmod(script.name, 0o755)
        return Attempts(self, tenants, script.name)

    @property
    def is_apart(self):
        return False


class CgroupLimits(ctypes.Structure):
    """struct cgroup_limits of common/proc."""

    _fields_ = [(name, ctypes.c_int64) for name in (
        "memory_high", "memory_max", "n_pids", "cpu_weight")]


def cgroup_fault():
    """Why there is no cgroup to try limits in; None: there is one."""
    try:
        with open("/sys/fs/cgroup/cgroup.controllers", encoding="ascii") as f:
            if {"memory", "pids", "cpu"} - set(f.read().split()):
                return "cgroup v2 has not all controllers here"
    except OSError:
        return "no cgroup v2 at /sys/fs/cgroup"
    return None if IS_ROOT else "needs root"


class Cgroup(unittest.TestCase):
    """The limits of a tenant as a whole, in a leaf of the real hierarchy."""

    def setUp(self):
        if cgroup_fault():
            self.skipTest(cgroup_fault())
        root = "/sys/fs/cgroup"
        with open(f"{root}/cgroup.subtree_control", "w",
                  encoding="ascii") as f:
            f.write("+memory +pids +cpu")
        self.leaf = f"{root}/holdline-test-{os.getpid()}"
        os.mkdir(self.leaf)
        self.addCleanup(os.rmdir, self.leaf)

    def limit(self, **limits):
        """Write the limits of the leaf, all of them."""
        library = ctypes.CDLL(os.path.join(os.path.dirname(LIBRARY),
                                           "cgroup_limits.so"))
        lacks = ctypes.c_uint()
        fd = os.open(self.leaf, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.assertEqual(library.cgroup_limits_write(
                fd, ctypes.byref(CgroupLimits(**limits)),
                ctypes.byref(lacks)), 0)
        finally:
            os.close(fd)
        self.assertEqual(lacks.value, 0)

    def value(self, name):
        with open(f"{self.leaf}/{name}", encoding="ascii") as f:
            return f.read().strip()

    def inside(self, attempt):
        """Run attempt in the leaf: its wait status."""
        pid = os.fork()
        if pid == 0:
            with open(f"{self.leaf}/cgroup.procs", "w", encoding="ascii") as f:
                f.write("0")
            os._exit(attempt())
        return os.waitpid(pid, 0)[1]

    def attempt(self, name, number=0):
        """What escape.c gets, as an exit status."""
        library = ctypes.CDLL(LIBRARY)
        n = ctypes.c_long()
        return lambda: library.escape_try(
            name.encode(), b"", ctypes.c_long(number), ctypes.byref(n))

    def test_limits_are_written_kept_and_lifted(self):
        self.limit(memory_high=24 << 20, memory_max=32 << 20, n_pids=5,
                   cpu_weight=7)
        self.assertEqual(
            [self.value(n) for n in ("memory.high", "memory.max", "pids.max",
                                     "cpu.weight")],
            [str(24 << 20), str(32 << 20), "5", "7"])
        self.limit(memory_max=64 << 20, n_pids=5)
        self.assertEqual(os.WEXITSTATUS(self.inside(self.attempt("forks"))),
                         errno.EAGAIN)
        ended = self.inside(self.attempt("memory", 400))
        self.assertTrue(os.WIFSIGNALED(ended), ended)
        self.assertEqual(os.WTERMSIG(ended), signal.SIGKILL)
        self.limit()
        self.assertEqual(
            [self.value(n) for n in ("memory.high", "memory.max", "pids.max",
                                     "cpu.weight")],
            ["max", "max", "max", "100"])
        self.assertEqual(self.inside(self.attempt("memory", 100)), 0)


    def test_who_eats_memory_is_told_why_it_ended(self):
        rows = [{"host": "tool.localhost", "tools": [TOOL],
                 "memory_max": "64M"},
                command("command.localhost", memory_max="64M")]
        with Attempts(self, rows) as a:
            for host in ("tool.localhost", "command.localhost"):
                with self.subTest(host=host):
                    status, body = a.send(host, "memory", "", 400)
                    self.assertEqual(status, 502)
                    self.assertIn(b"signal 9 (Killed), out of memory "
                                  b"(memory_max)", body)
                    self.assertEqual(a.make(host, "thread")["error"], 0)


def status_of(pid):
    """/proc/PID/status as a dict."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return dict(line.rstrip("\n").split(":\t", 1)
                    for line in f if ":\t" in line)


class Users(unittest.TestCase):
    def test_the_switchboard_is_confined_before_it_reads(self):
        with Pool([serve("victim.localhost")]) as pool:
            board, = pool.pids_titled("holdline: switchboard")
            status = status_of(board)
            self.assertEqual(status["Seccomp"], "2")
            self.assertEqual(status["NoNewPrivs"], "1")
            if IS_ROOT:
                self.assertNotIn("0", status["Uid"].split())

    @unittest.skipUnless(IS_ROOT, "needs root")
    def test_each_tenant_is_a_user_of_its_own(self):
        rows = TENANTS + [serve("named.localhost", user="daemon")]
        with Pool(rows) as pool:
            owners = {}
            for host in ("victim.localhost", "named.localhost"):
                pid = int(ask(pool, host, "/pid")[2])
                status = status_of(pid)
                self.assertEqual(status["Seccomp"], "2")
                self.assertEqual(status["NoNewPrivs"], "1")
                uids, = {*status["Uid"].split()},
                self.assertEqual(len(uids), 1)
                found = os.stat(os.path.join(pool.state_dir, host))
                self.assertEqual(uids, {str(found.st_uid)})
                self.assertEqual(stat.S_IMODE(found.st_mode), 0o700)
                owners[host] = found.st_uid
            self.assertEqual(owners["named.localhost"], 1)
            self.assertGreaterEqual(owners["victim.localhost"], UID_FIRST)


if __name__ == "__main__":
    unittest.main()
