/* SPDX-License-Identifier: MIT */
/*
 * What common/proc/filter.c promises, call by call: each row is one system call
 * in a child that has put a filter on, and the errno that it must get. A call
 * that gets through may still fail for a reason of its own.
 */
#include <check.h>
#include <errno.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/proc/drop.h"
#include "common/proc/filter.h"
#include "common/proc/sanitized.h"

#define THROUGH 0 /* not refused, whatever came of it */

/* Put on first, where there is one. */
static const struct filter *earlier;

/* Make a call in a child under the filter. Returns its errno, 0 without one. */
static int
call_under(const struct filter *filter, long nr, const uint64_t args[3])
{
	int status;
	const pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (drop_no_new_privs() < 0 ||
		    (earlier && filter_enter(earlier) < 0) ||
		    filter_enter(filter) < 0)
			_exit(200);
		errno = 0;
		if (syscall(nr, args[0], args[1], args[2], 0, 0, 0) >= 0)
			_exit(0);
		_exit(errno);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(
	    WIFEXITED(status), "call %ld: killed by %d", nr, WTERMSIG(status));
	return WEXITSTATUS(status);
}

struct row {
	const char *what;
	long nr;
	uint64_t args[3];
	/* What it gets as a command, a tool, and either with network. */
	int command;
	int tools;
	int command_network;
	int tools_network;
};

#define ALL(e) e, e, e, e
#define UPPER  UINT64_C(0xdead00000000) /* bits that the kernel drops */
#define FAMILY(what, family, c, t, cn, tn)                                 \
	{                                                                  \
		what, SYS_socket, { family, SOCK_STREAM, 0 }, c, t, cn, tn \
	}

static const struct row rows[] = {
	{ "getpid", SYS_getpid, { 0 }, ALL(THROUGH) },
	{ "mount", SYS_mount, { 0 }, ALL(EPERM) },
	{ "bpf", SYS_bpf, { 0 }, ALL(EPERM) },
	{ "keyctl", SYS_keyctl, { 0 }, ALL(EPERM) },
	{ "unshare", SYS_unshare, { CLONE_NEWUSER }, ALL(EPERM) },
	{ "setns", SYS_setns, { 0 }, ALL(EPERM) },
	{ "perf_event_open", SYS_perf_event_open, { 0 }, ALL(EPERM) },
	{ "kexec_load", SYS_kexec_load, { 0 }, ALL(EPERM) },
	{ "init_module", SYS_init_module, { 0 }, ALL(EPERM) },
	{ "process_vm_readv", SYS_process_vm_readv, { 1 }, ALL(EPERM) },
	{ "pidfd_getfd", SYS_pidfd_getfd, { 0 }, ALL(EPERM) },
	{ "userfaultfd", SYS_userfaultfd, { 0 }, ALL(EPERM) },
	{ "clone3", SYS_clone3, { 0 }, ALL(ENOSYS) },
	{ "io_uring_setup", SYS_io_uring_setup, { 1 }, ALL(ENOSYS) },
	{ "io_uring_enter", SYS_io_uring_enter, { 0 }, ALL(ENOSYS) },
	{ "clone user namespace", SYS_clone, { CLONE_NEWUSER | SIGCHLD },
	    ALL(EPERM) },
	{ "clone net and more", SYS_clone,
	    { CLONE_NEWNET | CLONE_FS | SIGCHLD }, ALL(EPERM) },
	{ "clone", SYS_clone, { SIGCHLD }, ALL(THROUGH) },
	{ "prctl pdeathsig off", SYS_prctl, { PR_SET_PDEATHSIG, 0 },
	    ALL(EPERM) },
	{ "prctl pdeathsig off, high bits", SYS_prctl,
	    { PR_SET_PDEATHSIG | UPPER, SIGUSR1 }, ALL(EPERM) },
	{ "prctl pdeathsig kill", SYS_prctl, { PR_SET_PDEATHSIG, SIGKILL },
	    ALL(THROUGH) },
	{ "ioctl TIOCSTI", SYS_ioctl, { 0, TIOCSTI, 0 }, ALL(EPERM) },
	{ "ioctl TIOCSTI, high bits", SYS_ioctl, { 0, TIOCSTI | UPPER, 0 },
	    ALL(EPERM) },
	FAMILY("unix", AF_UNIX, 0, EPERM, 0, 0),
	FAMILY("inet", AF_INET, EAFNOSUPPORT, EPERM, 0, 0),
	FAMILY("inet6", AF_INET6, EAFNOSUPPORT, EPERM, 0, 0),
	FAMILY("inet, high bits", AF_INET | UPPER, EAFNOSUPPORT, EPERM,
	    EAFNOSUPPORT, EAFNOSUPPORT),
	FAMILY("packet", AF_PACKET, EAFNOSUPPORT, EPERM, EAFNOSUPPORT,
	    EAFNOSUPPORT),
	FAMILY(
	    "vsock", AF_VSOCK, EAFNOSUPPORT, EPERM, EAFNOSUPPORT, EAFNOSUPPORT),
	FAMILY(
	    "no family", 63, EAFNOSUPPORT, EPERM, EAFNOSUPPORT, EAFNOSUPPORT),
	FAMILY("beyond", 64, EAFNOSUPPORT, EPERM, EAFNOSUPPORT, EAFNOSUPPORT),
	{ "connect", SYS_connect, { 0 }, EBADF, EPERM, EBADF, EBADF },
	{ "bind", SYS_bind, { 0 }, EBADF, EPERM, EBADF, EBADF },
	{ "shmget", SYS_shmget, { 0 }, EBADF, EPERM, EBADF, EPERM },
	{ "socketpair of datagrams", SYS_socketpair,
	    { AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0 }, EFAULT, EPERM, EFAULT,
	    EFAULT },
	{ "socketpair of streams", SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0 },
	    ALL(EFAULT) },
};

/* A refusal is these; any other errno says that the kernel was reached. */
static bool
is_refusal(int e)
{
	return e == EPERM || e == ENOSYS || e == EAFNOSUPPORT;
}

static void
check_row(const struct row *row, const struct filter *filter, int want)
{
	const int got = call_under(filter, row->nr, row->args);

	ck_assert_int_ne(got, 200);
	if (is_refusal(want))
		ck_assert_msg(
		    got == want, "%s: errno %d, not %d", row->what, got, want);
	else
		ck_assert_msg(
		    !is_refusal(got), "%s: refused by %d", row->what, got);
}

static void
check_kind(enum filter_kind kind, bool has_network)
{
	struct filter *filter;
	struct err err;

	ck_assert(filter_is_there());
	ck_assert_int_eq(filter_new(kind, has_network, &filter, &err), 0);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *const r = &rows[i];
		const int want[2][2] = {
			{ r->command, r->command_network },
			{ r->tools, r->tools_network },
		};
		check_row(r, filter, want[kind != FILTER_COMMAND][has_network]);
	}
	filter_free(&filter);
	ck_assert_ptr_null(filter);
}

START_TEST(a_command_has_no_sockets_but_unix)
{
	check_kind(FILTER_COMMAND, false);
}
END_TEST

START_TEST(a_tool_has_none_at_all)
{
	check_kind(FILTER_TOOLS, false);
}
END_TEST

START_TEST(the_halves_of_a_child_of_the_zygote_are_the_filter_of_a_tool)
{
	static const uint64_t none[3];
	struct filter *first;

	ck_assert_int_eq(filter_new(FILTER_ZYGOTE, false, &first, NULL), 0);
	/* The zygote forks by it: 0 bytes of arguments are the kernel's fault.
	 */
	ck_assert_int_eq(call_under(first, SYS_clone3, none), EINVAL);
	earlier = first;
	check_kind(FILTER_AFTER_ZYGOTE, false);
	earlier = NULL;
	filter_free(&first);
}
END_TEST

START_TEST(with_network_both_have_those_of_the_internet)
{
	check_kind(FILTER_COMMAND, true);
	check_kind(FILTER_TOOLS, true);
}
END_TEST

#if !SANITIZED_BUILD
START_TEST(nobody_traces)
{
	static const uint64_t args[3] = { PTRACE_TRACEME };

	for (int kind = 0; kind < FILTER_AFTER_ZYGOTE; kind++) {
		struct filter *filter;
		ck_assert_int_eq(filter_new(kind, false, &filter, NULL), 0);
		ck_assert_int_eq(call_under(filter, SYS_ptrace, args), EPERM);
		filter_free(&filter);
	}
}
END_TEST

START_TEST(the_switchboard_opens_and_starts_nothing)
{
	static const struct {
		long nr;
		uint64_t args[3];
		int e;
	} calls[] = {
		{ SYS_getpid, { 0 }, 0 },
		{ SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, 0 },
		{ SYS_socket, { AF_INET, SOCK_STREAM, 0 }, EPERM },
		{ SYS_ioctl, { 0, FIONREAD, 0 }, EPERM },
		{ SYS_ioctl, { 0xffff, SIOCOUTQ, 0 }, EBADF },
		{ SYS_openat, { 0 }, EPERM },
		{ SYS_unlinkat, { 0 }, EPERM },
		{ SYS_execve, { 0 }, EPERM },
		{ SYS_clone, { SIGCHLD }, EPERM },
		{ SYS_clone3, { 0 }, EPERM },
		{ SYS_kill, { 1, 0 }, EPERM },
		{ SYS_bind, { 0 }, EPERM },
		{ SYS_prctl, { PR_SET_PDEATHSIG, 0 }, EPERM },
	};
	struct filter *filter;

	ck_assert_int_eq(filter_new(FILTER_BOARD, false, &filter, NULL), 0);
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		ck_assert_int_eq(
		    call_under(filter, calls[i].nr, calls[i].args), calls[i].e);
	filter_free(&filter);
}
END_TEST
#endif

int
main(void)
{
	Suite *const suite = suite_create("proc_filter");
	TCase *const all = tcase_create("all");

	tcase_add_test(all, a_command_has_no_sockets_but_unix);
	tcase_add_test(all, a_tool_has_none_at_all);
	tcase_add_test(
	    all, the_halves_of_a_child_of_the_zygote_are_the_filter_of_a_tool);
	tcase_add_test(all, with_network_both_have_those_of_the_internet);
#if !SANITIZED_BUILD
	tcase_add_test(all, nobody_traces);
	tcase_add_test(all, the_switchboard_opens_and_starts_nothing);
#endif
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
