/* SPDX-License-Identifier: MIT */
/*
 * What common/proc promises to a new process: descriptors where they belong,
 * death with the parent, ids gone for good; and to its parent: reaping by pid.
 * What must happen in another process happens in a fork of the test.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <bsd/unistd.h>

#include "common/base/fd.h"
#include "common/proc/caps.h"
#include "common/proc/child.h"
#include "common/proc/drop.h"
#include "common/proc/notify.h"
#include "common/proc/pidfd.h"
#include "common/proc/signals.h"

#include "tests/unit/in_child.h"

static bool
same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	       sa.st_ino == sb.st_ino && sa.st_dev == sb.st_dev;
}

static int
place_swapped(void)
{
	int a[2], b[2];

	closefrom(3);
	if (pipe2(a, O_CLOEXEC) < 0 || pipe2(b, O_CLOEXEC) < 0)
		return 1;
	/* Sources 5 and 3 go to 3 and 4; number 5 is left alone. */
	const int keep_a = fcntl(a[0], F_DUPFD_CLOEXEC, 50);
	const int keep_b = fcntl(b[0], F_DUPFD_CLOEXEC, 50);
	const int fds[] = { b[0], a[0], -1 };
	if (child_place_fds(3, fds, 3) < 0)
		return 2;
	if (!same_file(3, keep_b) || !same_file(4, keep_a))
		return 3;
	if (fcntl(3, F_GETFD) != 0 || fcntl(4, F_GETFD) != 0)
		return 4;
	return same_file(5, keep_b) ? 0 : 5;
}

START_TEST(descriptors_are_placed_though_they_overlap)
{
	ck_assert_int_eq(in_child(place_swapped), 0);
}
END_TEST

static int
close_the_rest(void)
{
	const int low = open("/dev/null", O_RDONLY);
	const int high = fcntl(low, F_DUPFD, 100);

	if (child_cloexec_from(50) < 0)
		return 1;
	if (fcntl(low, F_GETFD) != 0)
		return 2;
	return fcntl(high, F_GETFD) == FD_CLOEXEC ? 0 : 3;
}

START_TEST(descriptors_from_a_number_on_do_not_survive_exec)
{
	ck_assert_int_eq(in_child(close_the_rest), 0);
}
END_TEST

static int
reset_signals(void)
{
	sigset_t set;
	struct sigaction now;

	signal(SIGPIPE, SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	child_reset_signals();
	sigprocmask(SIG_SETMASK, NULL, &set);
	sigaction(SIGPIPE, NULL, &now);
	return sigismember(&set, SIGTERM) || now.sa_handler != SIG_DFL;
}

START_TEST(signals_are_as_a_program_expects_them)
{
	ck_assert_int_eq(in_child(reset_signals), 0);
}
END_TEST

static int
begin_signals(void)
{
	static const int signos[] = { SIGCHLD, SIGTERM, SIGINT, SIGUSR1 };
	sigset_t set;
	struct sigaction now;
	int wrong = 0;

	for (size_t i = 0; i < sizeof(signos) / sizeof(signos[0]); i++)
		signal(signos[i], SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signals_begin();
	for (size_t i = 0; i < sizeof(signos) / sizeof(signos[0]); i++) {
		sigaction(signos[i], NULL, &now);
		wrong += now.sa_handler != SIG_DFL;
	}
	sigaction(SIGHUP, NULL, &now);
	wrong += now.sa_handler != SIG_IGN;
	sigaction(SIGPIPE, NULL, &now);
	wrong += now.sa_handler != SIG_IGN;
	sigprocmask(SIG_SETMASK, NULL, &set);
	for (int signo = 1; signo < 32; signo++)
		wrong +=
		    sigismember(&set, signo) !=
		    (signo == SIGTERM || signo == SIGINT || signo == SIGHUP);
	return wrong;
}

START_TEST(a_daemon_hears_what_its_parent_ignored_or_blocked)
{
	ck_assert_int_eq(in_child(begin_signals), 0);
}
END_TEST

/* A file stands for what only some may make negative. */
static int
be_mortal(void)
{
	static const struct {
		const char *before, *after;
	} cases[] = { { "-500", "0500" }, { "300", "300" }, { "0", "0" } };
	char name[] = "/tmp/proc-child-XXXXXX", text[8];

	if (unshare(CLONE_NEWNS) < 0)
		return errno == EPERM ? 0 : 1;
	const int fd = mkstemp(name);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(name, "/proc/self/oom_score_adj", NULL, MS_BIND, NULL) < 0)
		return unlink(name) + 1;
	unlink(name);
	for (size_t i = 0; i < 3; i++) {
		const ssize_t n = (ssize_t)strlen(cases[i].before);
		memset(text, 0, sizeof(text));
		if (ftruncate(fd, 0) < 0 ||
		    pwrite(fd, cases[i].before, (size_t)n, 0) != n)
			return 2;
		child_be_mortal();
		if (pread(fd, text, sizeof(text), 0) != n ||
		    strcmp(text, cases[i].after) != 0)
			return 3 + (int)i;
	}
	return 0;
}

START_TEST(who_was_spared_for_its_parent_is_no_more)
{
	if (geteuid() == 0)
		ck_assert_int_eq(in_child(be_mortal), 0);
	/* What cannot be had changes nothing. */
	child_be_mortal();
}
END_TEST

/* Give up these two capabilities, as a container does. */
static int
lack_two(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) < 0)
		return 1;
	data[0].effective &= ~(1u << CAP_KILL | 1u << CAP_CHOWN);
	if (syscall(SYS_capset, &head, data) < 0)
		return 2;
	return strcmp(caps_lack(0), "CAP_CHOWN") != 0 ||
	       strcmp(caps_lack(1), "CAP_KILL") != 0 || caps_lack(2) != NULL;
}

START_TEST(what_root_lacks_is_named)
{
	if (geteuid() != 0)
		ck_assert_ptr_nonnull(caps_lack(5));
	else if (!caps_lack(0))
		ck_assert_int_eq(in_child(lack_two), 0);
	ck_assert_ptr_null(caps_lack(6));
}
END_TEST

static int
live_parent(void)
{
	int life[2];
	int sig = 0;

	if (pipe2(life, O_CLOEXEC) < 0)
		return 1;
	if (child_die_with(getppid(), life[0]) != 0)
		return 2;
	prctl(PR_GET_PDEATHSIG, &sig);
	return sig == SIGKILL ? 0 : 3;
}

static int
hung_up_pipe(void)
{
	int life[2];

	if (pipe2(life, O_CLOEXEC) < 0)
		return 1;
	close(life[1]);
	return child_die_with(getppid(), life[0]) == -ESRCH ? 0 : 2;
}

static int
other_parent(void)
{
	int life[2];

	if (pipe2(life, O_CLOEXEC) < 0)
		return 1;
	return child_die_with(getppid() + 1, life[0]) == -ESRCH ? 0 : 2;
}

START_TEST(a_child_knows_whether_its_parent_is_there)
{
	ck_assert_int_eq(in_child(live_parent), 0);
	ck_assert_int_eq(in_child(hung_up_pipe), 0);
	ck_assert_int_eq(in_child(other_parent), 0);
}
END_TEST

START_TEST(a_child_dies_when_its_parent_is_killed)
{
	int life[2], told[2];
	char byte;

	ck_assert_int_eq(pipe2(life, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
	const pid_t parent = fork();
	if (parent == 0) {
		const pid_t me = getpid();
		if (fork() == 0) {
			close(life[1]);
			if (child_die_with(me, life[0]) == 0)
				(void)!write(told[1], "x", 1);
			for (;;)
				pause();
		}
		for (;;)
			pause();
	}
	close(told[1]);
	ck_assert_int_eq(read(told[0], &byte, 1), 1);
	kill(parent, SIGKILL);
	ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
	/* The grandchild held the last copy of the write end. */
	ck_assert_int_eq(read(told[0], &byte, 1), 0);
}
END_TEST

static int
become_nobody(void)
{
	struct drop_ids ids;
	uid_t uids[3];

	if (drop_find("nobody", &ids, NULL) < 0)
		return 1;
	if (drop_no_new_privs() < 0 || drop_to(&ids) < 0)
		return 2;
	getresuid(&uids[0], &uids[1], &uids[2]);
	for (int i = 0; i < 3; i++)
		if (uids[i] != ids.uid)
			return 3;
	if (getgroups(0, NULL) != 0 || setuid(0) == 0)
		return 4;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 5;
}

static int
drop_without_right(void)
{
	struct drop_ids other = { .uid = getuid() + 1, .gid = getgid() + 1 };

	return drop_to(&other) == -EPERM ? 0 : 1;
}

START_TEST(dropped_ids_do_not_come_back)
{
	/* Without root there is nothing to drop: then that is said. */
	if (geteuid() == 0)
		ck_assert_int_eq(in_child(become_nobody), 0);
	else
		ck_assert_int_eq(in_child(drop_without_right), 0);
}
END_TEST

START_TEST(an_unknown_user_is_an_error_with_its_name)
{
	struct drop_ids ids;
	struct err err;

	ck_assert_int_eq(drop_find("no-such-user-here", &ids, &err), -ENOENT);
	ck_assert_str_eq(err.place, "no-such-user-here");
	ck_assert_str_eq(err.text, "there is no such user");
}
END_TEST

/* The numbers of our children, as the kernel lists them. */
static void
read_children(char list[64])
{
	const int fd = open("/proc/thread-self/children", O_RDONLY);
	const ssize_t n = read(fd, list, 63);

	ck_assert_int_ge(n, 0);
	list[n] = '\0';
	close(fd);
}

/* Whether there are any, ended or not. */
static bool
has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

START_TEST(users_are_looked_up_by_one_child_that_ends)
{
	struct drop_ids ids;
	char name[300];
	char children[64] = "", again[64] = "";
	struct err err;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert(!has_children());
	ck_assert_int_eq(drop_find("nobody", &ids, &err), 0);
	read_children(children);
	ck_assert_int_eq(drop_find("4711", &ids, &err), 0);
	ck_assert_uint_eq(ids.uid, 4711);
	ck_assert_int_eq(drop_find("no-such-user-here", &ids, &err), -ENOENT);
	ck_assert_int_eq(drop_find(name, &ids, &err), -ENOENT);
	read_children(again);
	ck_assert_str_ne(children, "");
	ck_assert_str_eq(again, children);
	drop_find_end();
	ck_assert(!has_children());
	/* One that was killed is done without. */
	ck_assert_int_eq(drop_find("nobody", &ids, &err), 0);
	read_children(children);
	kill((pid_t)atoi(children), SIGKILL);
	ck_assert_int_eq(drop_find("4712", &ids, &err), 0);
	ck_assert_uint_eq(ids.uid, 4712);
	drop_find_end();
	ck_assert(!has_children());
}
END_TEST

static int
exit_with_7(void)
{
	return 7;
}

START_TEST(a_pidfd_tells_the_end_and_reaping_names_the_pid)
{
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0)
		_exit(exit_with_7());
	const pid_t other = fork();
	if (other == 0)
		for (;;)
			pause();
	fd_auto int fd = pidfd_open_pid(pid);
	fd_auto int other_fd = pidfd_open_pid(other);
	ck_assert_int_ge(fd, 0);
	ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	struct pollfd wait = { fd, POLLIN, 0 };
	ck_assert_int_eq(poll(&wait, 1, 60000), 1);
	ck_assert(pidfd_is_over(pid));
	ck_assert(!pidfd_is_over(other));
	ck_assert_int_eq(pidfd_reap(other, &status), 0);
	ck_assert_int_eq(pidfd_reap(pid, &status), 1);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	ck_assert_int_eq(pidfd_reap(pid, &status), -ECHILD);
	ck_assert_int_eq(pidfd_signal(fd, SIGTERM), -ESRCH);

	ck_assert_int_eq(pidfd_signal(other_fd, SIGKILL), 0);
	wait.fd = other_fd;
	ck_assert_int_eq(poll(&wait, 1, 60000), 1);
	ck_assert_int_eq(pidfd_reap(other, &status), 1);
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}
END_TEST

/* Listen at name (its first byte '@': abstract) and return the socket. */
static int
manager(const char *name)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const size_t n = strlen(name);

	memcpy(sa.sun_path, name, n);
	if (name[0] == '@')
		sa.sun_path[0] = '\0';
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
	    bind(fd, (struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
			    (name[0] == '/'))),
	    0);
	return fd;
}

static void
check_notify(const char *name)
{
	char got[64] = "";
	fd_auto int fd = manager(name);

	setenv("NOTIFY_SOCKET", name, 1);
	notify_take();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_int_eq(notify_send("READY=1\nSTATUS=up"), 0);
	ck_assert_int_eq(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 17);
	ck_assert_str_eq(got, "READY=1\nSTATUS=up");
}

START_TEST(the_manager_is_told_by_path_and_by_abstract_name)
{
	char dir[] = "/tmp/holdline-notify-XXXXXX";
	char name[64], abstract[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/socket", dir);
	check_notify(name);
	unlink(name);
	rmdir(dir);
	snprintf(abstract, sizeof(abstract), "@holdline-%d", (int)getpid());
	check_notify(abstract);
}
END_TEST

START_TEST(without_a_manager_nobody_is_told)
{
	unsetenv("NOTIFY_SOCKET");
	notify_take();
	ck_assert_int_eq(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "not/absolute", 1);
	notify_take();
	ck_assert_int_eq(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	notify_take();
	ck_assert_int_eq(notify_send("READY=1"), -ENOENT);
}
END_TEST

START_TEST(the_manager_s_watchdog_is_fed_twice_in_its_time)
{
	char me[16];
	snprintf(me, sizeof(me), "%d", (int)getpid());
	const struct {
		const char *socket, *usec, *pid;
		int64_t ms;
	} cases[] = {
		{ "/nonexistent/socket", "30000000", me, 15000 },
		{ "/nonexistent/socket", "30000000", NULL, 15000 },
		{ "/nonexistent/socket", "1", me, 1 },
		{ "/nonexistent/socket", "30000000", "1", 0 },
		{ "/nonexistent/socket", NULL, me, 0 },
		{ "/nonexistent/socket", "soon", me, 0 },
		{ "/nonexistent/socket", "0", me, 0 },
		{ NULL, "30000000", me, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsetenv("NOTIFY_SOCKET");
		if (cases[i].socket)
			setenv("NOTIFY_SOCKET", cases[i].socket, 1);
		if (cases[i].usec)
			setenv("WATCHDOG_USEC", cases[i].usec, 1);
		if (cases[i].pid)
			setenv("WATCHDOG_PID", cases[i].pid, 1);
		notify_take();
		ck_assert_int_eq(notify_watchdog_ms(), cases[i].ms);
		ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
		ck_assert_ptr_null(getenv("WATCHDOG_PID"));
	}
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("proc_child");
	TCase *const all = tcase_create("all");

	tcase_add_test(all, descriptors_are_placed_though_they_overlap);
	tcase_add_test(all, descriptors_from_a_number_on_do_not_survive_exec);
	tcase_add_test(all, a_daemon_hears_what_its_parent_ignored_or_blocked);
	tcase_add_test(all, who_was_spared_for_its_parent_is_no_more);
	tcase_add_test(all, what_root_lacks_is_named);
	tcase_add_test(all, signals_are_as_a_program_expects_them);
	tcase_add_test(all, a_child_knows_whether_its_parent_is_there);
	tcase_add_test(all, a_child_dies_when_its_parent_is_killed);
	tcase_add_test(all, dropped_ids_do_not_come_back);
	tcase_add_test(all, an_unknown_user_is_an_error_with_its_name);
	tcase_add_test(all, users_are_looked_up_by_one_child_that_ends);
	tcase_add_test(all, a_pidfd_tells_the_end_and_reaping_names_the_pid);
	tcase_add_test(all, the_manager_is_told_by_path_and_by_abstract_name);
	tcase_add_test(all, without_a_manager_nobody_is_told);
	tcase_add_test(all, the_manager_s_watchdog_is_fed_twice_in_its_time);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
