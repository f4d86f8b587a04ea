/* SPDX-License-Identifier: MIT */
/*
 * Stacks: what a hundred thousand parked tasks cost in mappings, and how an
 * overflow is found, on kernels with and without MADV_GUARD_INSTALL.
 */
#include <signal.h>
#include <sys/wait.h>

#include "common/flow/core.h"
#include "common/flow/sanitize.h"
#include "common/flow/sleep.h"
#include "common/flow/wait.h"
#include "tests/unit/flow_harness.h"

#define TASKS    100000
#define MAPS_MAX 65530 /* vm.max_map_count as kernels come */

static unsigned n_parked;

static void *
park(void *arg)
{
	n_parked++;
	flow_suspend();
	return NULL;
}

static unsigned
count_mappings(void)
{
	FILE *const maps = fopen("/proc/self/maps", "r");
	unsigned n = 0;
	int c;

	must(maps != NULL);
	while ((c = getc(maps)) != EOF)
		n += c == '\n';
	fclose(maps);
	return n;
}

/* Park so many tasks, count the mappings, end them. */
static unsigned
mappings_of(unsigned n_tasks, bool uses_advice)
{
	struct task *keeper;

	n_parked = 0;
	loop_open();
	flow_open();
	stack_guard_by(uses_advice, STACK_MPROTECT_MAX);
	must(scope_open(NULL, "all", &keeper) == 0);
	for (unsigned i = 0; i < n_tasks; i++)
		must(scope_run(task_scope(keeper),
			 &(struct task_spec){ .name = "one", .body = park },
			 NULL) == 0);
	loop_turn(false);
	const unsigned n = count_mappings();
	ck_assert_uint_eq(n_parked, n_tasks);
	task_halt_soon(keeper);
	loop_turn(false);
	ck_assert_int_eq(task_outcome(keeper), TASK_HALTED);
	task_unref(&keeper);
	flow_close();
	loop_close();
	return n;
}

START_TEST(a_hundred_thousand_parked_tasks_need_few_mappings)
{
	const unsigned n = mappings_of(TASKS, _i == 0);

	ck_assert_uint_lt(n, MAPS_MAX);
	/* by mprotect each of the first ones costs two */
	if (_i == 1)
		ck_assert_uint_gt(n, STACK_MPROTECT_MAX);
}
END_TEST

/* What a frame that is too large leaves at the end of a stack. */
static void *
overrun(void *arg)
{
	*(volatile char *)task_self()->stack->base = 1;
	flow_sleep(0);
	return NULL;
}

/* Run overrun in a child process; what it said, and how it ended. */
static int
run_overrun(bool uses_advice, size_t n_mprotect, char said[256])
{
	int fds[2], status;
	ssize_t n;
	size_t at = 0;

	must(pipe(fds) == 0);
	const pid_t pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		struct task *t;
		dup2(fds[1], STDERR_FILENO);
		loop_open();
		flow_open();
		stack_guard_by(uses_advice, n_mprotect);
		(void)flow_run(
		    &(struct task_spec){ .name = "greedy", .body = overrun },
		    &t);
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], said + at, 255 - at)) > 0)
		at += (size_t)n;
	said[at] = '\0';
	close(fds[0]);
	must(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static const struct {
	bool uses_advice;
	size_t n_mprotect;
	int signo;
} guards[] = {
	{ true, 0, SIGSEGV },     /* the guard page */
	{ false, 1000, SIGSEGV }, /* an older kernel's */
	{ false, 0, SIGABRT },    /* none left: found at the next park */
};

START_TEST(a_task_that_overran_its_stack_dies_by_name_however_guarded)
{
	char said[256];

	ck_assert_int_eq(
	    run_overrun(guards[_i].uses_advice, guards[_i].n_mprotect, said),
	    guards[_i].signo);
	ck_assert_str_eq(
	    said, "flow: the task greedy ran over the end of its stack\n");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_stack");
	TCase *const c = tcase_create("all");
	const int n = sizeof(guards) / sizeof(*guards);

	/* AddressSanitizer's own memory and messages are others. */
	tcase_add_loop_test(c,
	    a_hundred_thousand_parked_tasks_need_few_mappings, 0,
	    SANITIZE_ADDRESS ? 0 : 2);
	tcase_add_loop_test(c,
	    a_task_that_overran_its_stack_dies_by_name_however_guarded,
	    SANITIZE_ADDRESS ? n - 1 : 0, n);
	return harness_main(s, c);
}
