# SPDX-License-Identifier: MIT
"""test_world: what poold's parent, or its container, left to it."""

import ctypes
import errno
import http.client
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

from http_client import ask, serve
from pool import (PATIENCE_S, Pool, book_flight, children, descendants,
                  describe, groups_of, reap, until)

# The same on all machines since they are so young.
SYSCALLS = {"pidfd_send_signal": 424, "pidfd_open": 434, "clone3": 435,
            "close_range": 436}
# On a busy machine nobody is to be killed for being slow.
CALM = {"stop_timeout": "60s"}
IS_ROOT = os.geteuid() == 0
ONE, TWO = "one.localhost", "two.localhost"


class World(unittest.TestCase):
    """A command and a tool live and end as they do anywhere."""

    def live(self, is_inside=False, **how):
        """Start poold, use it, kill a backend, end it; its log."""
        with Pool([serve(ONE), book_flight(TWO)], CALM, **how) as pool:
            if is_inside:
                pool.pid = descendants(pool.pid)[0]
            first = ask(pool, ONE, "/pid")[2]
            self.assertEqual(ask(pool, TWO, "/")[0], 404)
            for pid in pool.pids_titled("holdline: init of " + ONE):
                os.kill(pid, signal.SIGKILL)
            pool.wait_line("stopped " + ONE)
            self.assertNotEqual(ask(pool, ONE, "/pid")[2], first)
            self.assertEqual(pool.end(), 0)
            # All of it was read by then.
            pool.wait_line(r"\] ended")
            return pool.lines


def forbid(**calls):
    """A prepare that has system calls answer an errno, as a container may."""
    rows = [struct.pack("HBBI", 0x20, 0, 0, 0)]  # the call's number
    for name, e in calls.items():
        rows += [struct.pack("HBBI", 0x15, 0, 1, SYSCALLS[name]),
                 struct.pack("HBBI", 0x06, 0, 0, 0x50000 | e)]
    rows.append(struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000))

    def prepare():
        code = ctypes.create_string_buffer(b"".join(rows))
        program = struct.pack("HxxxxxxP", len(rows), ctypes.addressof(code))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(
                22, 2, ctypes.create_string_buffer(program), 0, 0):
            raise OSError(ctypes.get_errno(), "no filter")
    return prepare


def be_docker():
    """Give up what docker does not give: SYS_ADMIN, SYS_PTRACE, clone3."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in (19, 21):
        if libc.prctl(24, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "a capability is kept")
    forbid(clone3=errno.ENOSYS)()


# Three that leave their session, one of them without its environment.
LEAVE = """
import os, socket
for i in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve("/usr/bin/python3",
                      ["orphan", "-c", "import signal; signal.pause()"],
                      dict(os.environ) if i else {})
        os._exit(0)
s = socket.socket(fileno=3)
while True:
    c, _ = s.accept()
    c.recv(1000)
    c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    c.close()
"""


# Runs poold with a socket as descriptor 3.
PASS = """
import os, socket, sys
s = socket.socket(socket.AF_INET, socket.{kind})
s.bind(("127.0.0.1", 0))
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="{n}")
os.execv(sys.argv[1], sys.argv[1:])
"""


class Signals(World):
    def ignore(self, *signos):
        def prepare():
            for signo in signos:
                signal.signal(signo, signal.SIG_IGN)
        return prepare

    def test_a_parent_that_ignores_sigchld_and_sigterm(self):
        self.live(prepare=self.ignore(signal.SIGCHLD, signal.SIGTERM))

    def test_a_parent_that_blocks_all_signals(self):
        self.live(prepare=lambda: signal.pthread_sigmask(
            signal.SIG_BLOCK, signal.valid_signals()))

    def test_nohup_keeps_sighup_from_it(self):
        with Pool([serve(ONE)], CALM,
                  prepare=self.ignore(signal.SIGHUP)) as pool:
            os.kill(pool.pid, signal.SIGHUP)
            self.assertEqual(ask(pool, ONE, "/pid")[0], 200)
            self.assertEqual(pool.end(), 0)


def fill(fd):
    """Write into a pipe until it is full, whoever else has it."""
    again = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(again, b"x" * 64)
    except BlockingIOError:
        os.close(again)


class Stderr(World):
    """Whoever reads the log stops to, for a while or for good."""

    def pid_now(self, pool):
        """Its answer; None when it is cut off by the end of a run."""
        try:
            status, _, pid = ask(pool, ONE, "/pid")
        except (http.client.HTTPException, ConnectionError):
            return None
        return pid if status == 200 else None

    def test_a_log_that_nobody_reads_holds_up_nobody(self):
        reader, writer = os.pipe()
        try:
            with Pool([serve(ONE), book_flight(TWO)], CALM, log_to="/dev/null",
                      prepare=lambda: os.dup2(writer, 2)) as pool:
                first = ask(pool, ONE, "/pid")[2]
                fill(writer)
                for pid in pool.pids_titled("holdline: init of " + ONE):
                    os.kill(pid, signal.SIGKILL)
                until(lambda: self.pid_now(pool) not in (None, first),
                      "a new run")
                self.assertEqual(ask(pool, TWO, "/")[0], 404)
                self.assertEqual(pool.end(), 0)
        finally:
            os.close(reader)
            os.close(writer)


class Descriptors(World):
    """What is open, or may be."""

    def test_what_was_left_open_is_in_nobody_s_way(self):
        self.live(prefix=["/bin/sh", "-c", 'exec 3<&0 4<&0 5<&0 6<&0 9<&0; '
                          'exec "$@"', "-"])

    def test_stdin_and_stdout_are_closed(self):
        self.live(prefix=["/bin/sh", "-c", 'exec "$@" 0<&- 1>&-', "-"])

    def test_too_few_are_named(self):
        def prepare():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        self.refuse("64 descriptors are too few", prepare=prepare)

    def test_few_for_all_backends_are_named(self):
        def prepare():
            resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
        log = self.live(prepare=prepare)
        self.assertEqual(sum("few for max_backends" in l for l in log), 1)

    def test_what_was_passed_must_be_a_socket_that_listens(self):
        for kind, n, words in (
                ("SOCK_DGRAM", 1, "descriptor 3 .* does not listen"),
                ("SOCK_STREAM", 1, "descriptor 3 .* does not listen"),
                ("SOCK_STREAM", 33, "LISTEN_FDS=33: from 1 to 32")):
            with self.subTest(kind=kind, n=n):
                self.refuse(words, prefix=[
                    sys.executable, "-c", PASS.format(kind=kind, n=n)])

    def refuse(self, words, **how):
        """It does not start, and says why."""
        with self.assertRaisesRegex(AssertionError,
                                    f"ended at its start:[^^]*{words}"):
            with Pool([serve(ONE)], **how):
                pass


class Container(World):
    """What a filter of system calls refuses."""

    def test_clone3_is_not_there_or_forbidden(self):
        for e in (errno.ENOSYS, errno.EPERM):
            with self.subTest(errno.errorcode[e]):
                log = self.live(prepare=forbid(clone3=e))
                self.assertNotIn("without the zygote", "\n".join(log))

    @unittest.skipUnless(IS_ROOT, "who is not root has no capabilities")
    def test_what_root_without_capabilities_leaves_is_found_by_its_user(self):
        with Pool([{"host": ONE, "command": ["/usr/bin/python3", "-c", LEAVE],
                    "network": True}], CALM, prepare=be_docker) as pool:
            pool.wait_line("known by their user")
            for run in (1, 2):
                self.assertEqual(ask(pool, ONE)[0], 200)
                until(lambda: len(self.left(pool)) == 3, "its orphans")
                init, = pool.pids_titled("holdline: init of " + ONE)
                since = len(pool.lines)
                os.kill(init, signal.SIGKILL)
                pool.wait_line("stopped " + ONE, since)
                self.assertEqual(self.left(pool), [], run)
            self.assertEqual(pool.end(), 0)

    def left(self, pool):
        return [p for p in descendants(pool.pid)
                if ") orphan" in describe(p)]

    @unittest.skipUnless(IS_ROOT, "who is not root has no capabilities")
    def test_root_that_cannot_end_tenants_is_refused(self):
        with self.assertRaisesRegex(
                AssertionError, "poold: root without CAP_FOWNER, CAP_KILL "):
            with Pool([serve(ONE)], prefix=[
                    "setpriv", "--bounding-set=-kill,-fowner"]):
                pass

    @unittest.skipUnless(IS_ROOT, "not everybody may make user namespaces")
    def test_root_of_a_user_namespace_without_other_ids_is_refused(self):
        apart = ["unshare", "--user", "--map-root-user"]
        if subprocess.run([*apart, "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no user namespaces here")
        with self.assertRaisesRegex(
                AssertionError,
                "poold: .*: does not exist in this user namespace"):
            with Pool([serve(ONE)], prefix=apart):
                pass

    @unittest.skipUnless(IS_ROOT, "a PID namespace takes root")
    def test_it_is_process_1(self):
        for proc in (["--mount-proc"], []):
            with self.subTest(proc=proc):
                log = self.live(
                    prefix=["unshare", "--pid", "--fork", "--kill-child",
                            *proc, "setpriv", "--bounding-set=-sys_admin"],
                    # A search for leaks wants the /proc that is not there.
                    env={} if proc else {"ASAN_OPTIONS": "detect_leaks=0"},
                    is_inside=True)
                self.assertIs("isolation: /proc is" in "\n".join(log),
                              not proc)

    def test_pidfds_are_not_there_or_forbidden(self):
        for e in (errno.ENOSYS, errno.EPERM):
            with self.subTest(errno.errorcode[e]):
                self.live(prepare=forbid(clone3=e, pidfd_open=e,
                                         pidfd_send_signal=e))


@unittest.skipUnless(IS_ROOT, "to be spared takes root")
class Memory(unittest.TestCase):
    """poold may be spared when memory is short; what it starts for others not.

    A tenant that cannot be killed for memory is the trouble of all others.
    """

    def adjustment(self, pid):
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as f:
            return int(f.read())

    def test_tenants_are_not_spared_with_poold(self):
        if subprocess.run(["choom", "-n", "-500", "--", "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no CAP_SYS_RESOURCE here")
        prefix = ["choom", "-n", "-500", "--"]
        with Pool([serve(ONE), book_flight(TWO),
                   book_flight("run.localhost", spawn="exec")],
                  CALM, prefix=prefix) as pool:
            for host in (ONE, TWO, "run.localhost"):
                ask(pool, host, "/pid")
            self.assertEqual(self.adjustment(pool.pid), -500)
            for title, adjustment in (
                    ("holdline: switchboard", -500), ("holdline: zygote", 0),
                    ("holdline: init of " + ONE, 0), ("serve.py", 0),
                    ("holdline: backend " + TWO, 0),
                    ("holdline: backend run.localhost", 0)):
                pids = pool.pids_titled(title)
                self.assertTrue(pids, title)
                for pid in pids:
                    self.assertEqual(self.adjustment(pid), adjustment, title)
            self.assertEqual(pool.end(), 0)


class Held(unittest.TestCase):
    """What the kernel does not let go of: a dead disk, a frozen group."""

    def test_it_holds_up_the_end_no_longer_than_its_deadlines(self):
        # As if: signals arrive nowhere.
        with Pool([book_flight(TWO)], {"stop_timeout": "100ms"},
                  prepare=forbid(pidfd_send_signal=0)) as pool:
            self.assertEqual(ask(pool, TWO, "/")[0], 404)
            self.assertEqual(pool.end(), 3)
            for line in ("spares do not end", "backends do not end",
                         "zygote: does not end, though it was killed"):
                pool.wait_line(line)
            # Its last step is by number, and leaves them to us.
            until(lambda: not children() - pool.others
                  or reap(children() - pool.others), "their end")


class Folders(unittest.TestCase):
    """Somebody removes what poold made."""

    def test_the_folder_of_sockets_is_made_again(self):
        with Pool([serve(ONE), book_flight(TWO)], CALM) as pool:
            first = ask(pool, ONE, "/pid")[2]
            shutil.rmtree(pool.runtime_dir)
            self.assertEqual(ask(pool, TWO, "/")[0], 404)
            init, = pool.pids_titled("holdline: init of " + ONE)
            os.kill(init, signal.SIGKILL)
            pool.wait_line("stopped " + ONE)
            self.assertNotEqual(ask(pool, ONE, "/pid")[2], first)
            self.assertEqual(pool.count_lines("it is made again"), 1)
            self.assertEqual(pool.end(), 0)

    def test_a_state_dir_that_is_gone_is_named(self):
        with Pool([serve(ONE)], CALM) as pool:
            os.rename(pool.state_dir, pool.state_dir + "-")
            status, _, said = ask(pool, ONE)
            self.assertEqual(status, 502)
            self.assertIn(b"cannot be made a folder: No such file", said)
            os.rename(pool.state_dir + "-", pool.state_dir)
            self.assertEqual(ask(pool, ONE, "/pid")[0], 200)
            self.assertEqual(pool.end(), 0)


class Two(unittest.TestCase):
    """A second poold is in nobody's way."""

    def test_one_state_dir_is_one_poold_s(self):
        with Pool([serve(ONE)], CALM) as first:
            pid = ask(first, ONE, "/pid")[2]
            with self.assertRaisesRegex(
                    AssertionError, "another poold has the state"):
                with Pool([serve(TWO)], {"state_dir": first.state_dir}):
                    pass
            self.assertEqual(ask(first, ONE, "/pid")[2], pid)
            self.assertEqual(first.end(), 0)

    @unittest.skipUnless(IS_ROOT, "a mount namespace takes root")
    def test_two_have_a_runtime_dir_of_the_same_name(self):
        with tempfile.TemporaryDirectory() as folder:
            how = {"pool": {"runtime_dir": folder + "/run", **CALM},
                   "prefix": ["unshare", "--mount", "/bin/sh", "-c",
                              f'mount -t tmpfs none {folder}; exec "$@"',
                              "-"]}
            with Pool([serve(ONE)], **how) as first:
                pid = ask(first, ONE, "/pid")[2]
                with Pool([serve(ONE)], **how) as second:
                    self.assertEqual(ask(second, ONE, "/pid")[0], 200)
                    self.assertEqual(ask(first, ONE, "/pid")[2], pid)
                    self.assertEqual(second.end(), 0)
                self.assertEqual(ask(first, ONE, "/pid")[2], pid)
                self.assertEqual(first.end(), 0)
            self.assertEqual(groups_of(folder + "/run"), [])

    @unittest.skipUnless(IS_ROOT, "groups are root's")
    def test_what_was_left_under_another_name_is_ended(self):
        """Two had the name; the second was killed, the first has ended."""
        with Pool([serve(ONE)], CALM) as pool:
            if not groups_of(pool.runtime_dir):
                self.skipTest("no cgroup v2 that is ours")
            groups = [g + "-2" for g in groups_of(pool.runtime_dir)]
            how = {"runtime_dir": pool.runtime_dir, **CALM}
            self.assertEqual(pool.end(), 0)
            for group in groups:
                os.makedirs(group + "/slot-1")
            with subprocess.Popen(["sleep", "1000"]) as left:
                with open(groups[0] + "/slot-1/cgroup.procs", "w",
                          encoding="ascii") as f:
                    f.write(str(left.pid))
                try:
                    with Pool([serve(ONE)], how) as second:
                        self.assertEqual(left.wait(PATIENCE_S), -signal.SIGKILL)
                        self.assertEqual(
                            [g for g in groups if os.path.exists(g)], [])
                        self.assertEqual(second.end(), 0)
                finally:
                    left.kill()


@unittest.skipUnless(IS_ROOT, "groups are root's")
class Groups(unittest.TestCase):
    """Somebody else writes into the groups of backends."""

    def leaf_of(self, pid):
        """The folder of its group, or a skip."""
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as f:
            path = [l[4:].strip() for l in f if l.startswith("0::/")]
        for top in ("/sys/fs/cgroup/unified/", "/sys/fs/cgroup/"):
            if path and "slot-" in path[0] and os.path.exists(top + path[0]):
                return top + path[0]
        self.skipTest("no cgroup v2 that is ours")

    def test_a_frozen_leaf_is_nobody_s_after_its_tenant(self):
        with Pool([serve(ONE), serve(TWO)], {"spare": 0, **CALM}) as pool:
            for host in (ONE, TWO):
                ask(pool, host, "/pid")
                init, = pool.pids_titled("holdline: init of " + host)
                with open(self.leaf_of(init) + "/cgroup.freeze", "w",
                          encoding="ascii") as f:
                    f.write("1")
                os.kill(init, signal.SIGKILL)
                pool.wait_line("stopped " + host)
            self.assertEqual(ask(pool, ONE, "/pid")[0], 200)
            self.assertEqual(pool.end(), 0)

    def test_frozen_ones_end(self):
        with Pool([serve(ONE)]) as pool:
            ask(pool, ONE, "/pid")
            init, = pool.pids_titled("holdline: init of " + ONE)
            with open(self.leaf_of(init) + "/cgroup.freeze", "w",
                      encoding="ascii") as f:
                f.write("1")
            self.assertEqual(pool.end(), 3)
