/* SPDX-License-Identifier: MIT */
/* test_base_sigstack: where handlers run. */
#include "common/base/sigstack.h"

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char stack[64 * 1024];
static volatile sig_atomic_t n_there, n_elsewhere, is_blocked;

static void
on_signal(int signo)
{
	stack_t used;
	sigset_t mask;

	if (sigaltstack(NULL, &used) == 0 && used.ss_flags & SS_ONSTACK)
		n_there++;
	else
		n_elsewhere++;
	sigprocmask(SIG_BLOCK, NULL, &mask);
	is_blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGCHLD);
}

static void
setup(void)
{
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };

	ck_assert_int_eq(sigaltstack(&alternate, NULL), 0);
}

START_TEST(a_caught_signal_is_handled_on_the_other_stack_alone)
{
	sigstack_catch(SIGCHLD, on_signal);
	raise(SIGCHLD);
	ck_assert_int_eq(n_there, 1);
	ck_assert_int_eq(n_elsewhere, 0);
	ck_assert(is_blocked);
}
END_TEST

START_TEST(a_handler_of_a_library_is_moved_with_its_flags)
{
	struct sigaction before = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };
	struct sigaction after;

	sigaddset(&before.sa_mask, SIGHUP);
	ck_assert_int_eq(sigaction(SIGUSR2, &before, NULL), 0);
	raise(SIGUSR2);
	ck_assert_int_eq(n_elsewhere, 1);
	sigstack_move(SIGUSR2);
	raise(SIGUSR2);
	ck_assert_int_eq(n_there, 1);
	ck_assert_int_eq(n_elsewhere, 1);
	ck_assert_int_eq(sigaction(SIGUSR2, NULL, &after), 0);
	ck_assert(after.sa_flags & SA_RESTART);
	ck_assert(sigismember(&after.sa_mask, SIGHUP));
}
END_TEST

START_TEST(a_read_goes_on_and_a_stopped_child_is_not_heard)
{
	int fds[2], status;
	char byte;

	ck_assert_int_eq(pipe(fds), 0);
	sigstack_catch(SIGCHLD, on_signal);
	const pid_t stopped = fork();
	if (stopped == 0) {
		raise(SIGSTOP);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(stopped, &status, WUNTRACED), stopped);
	ck_assert(WIFSTOPPED(status));
	ck_assert_int_eq(n_there, 0);
	/* It ends while this process reads, and then says so. */
	const pid_t child = fork();
	if (child == 0) {
		kill(stopped, SIGKILL);
		_exit(write(fds[1], "x", 1) != 1);
	}
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_ge(n_there, 1);
	ck_assert_int_eq(waitpid(stopped, NULL, 0), stopped);
}
END_TEST

START_TEST(without_another_stack_it_is_handled_all_the_same)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	ck_assert_int_eq(sigaltstack(&none, NULL), 0);
	sigstack_catch(SIGUSR1, on_signal);
	raise(SIGUSR1);
	ck_assert_int_eq(n_elsewhere, 1);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("base_sigstack");
	TCase *const all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(
	    all, a_caught_signal_is_handled_on_the_other_stack_alone);
	tcase_add_test(all, a_handler_of_a_library_is_moved_with_its_flags);
	tcase_add_test(all, a_read_goes_on_and_a_stopped_child_is_not_heard);
	tcase_add_test(all, without_another_stack_it_is_handled_all_the_same);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
