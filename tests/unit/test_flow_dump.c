/* SPDX-License-Identifier: MIT */
/* What a person sees of tasks: the dump, and the end of an overflowing one. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/flow/dump.h"
#include "common/flow/latch.h"
#include "common/flow/sanitize.h"
#include "common/flow/sleep.h"
#include "common/flow/wait.h"
#include "tests/unit/flow_harness.h"

static char dumped[1024]; /* in the plain run */
static struct latch never;
static int latch_line;

static void
dump_now(void *arg)
{
	char *text = NULL;
	size_t bytes;
	FILE *const out = open_memstream(&text, &bytes);

	must(out != NULL);
	flow_dump(out);
	fclose(out);
	if (!harness_is_injected())
		snprintf(dumped, sizeof(dumped), "%s", text);
	free(text);
}

static void *
grandchild(void *arg)
{
	latch_line = __LINE__ + 1;
	(void)latch_wait(&never, "an answer", CLOCK_NEVER, NULL);
	return NULL;
}

static void *
inner(void *arg)
{
	SPAWN(grandchild, NULL, NULL);
	flow_suspend();
	return NULL;
}

static void *
child(void *arg)
{
	(void)scope_call(inner, NULL, NULL, NULL);
	return NULL;
}

static void *
tree(void *arg)
{
	__attribute__((cleanup(loop_timer_clear))) struct loop_timer timer;

	loop_timer_init(&timer, dump_now, NULL);
	latch_init(&never);
	SPAWN(child, NULL, NULL);
	loop_timer_set(&timer, clock_deadline_ms(40));
	flow_sleep(50);
	return NULL;
}

START_TEST(a_dump_shows_the_tree_and_what_each_task_waits_for_where)
{
	char want[128];

	run_flow(tree, NULL);
	ck_assert_ptr_nonnull(strstr(dumped, "test: waiting for time since"));
	ck_assert_ptr_nonnull(strstr(
	    dumped, "\n  child: waiting for nothing, for ever since 40 ms"));
	snprintf(want, sizeof(want),
	    "\n    grandchild: waiting for an answer since 40 ms at ");
	ck_assert_ptr_nonnull(strstr(dumped, want));
	snprintf(want, sizeof(want), "test_flow_dump.c:%d, stack ", latch_line);
	ck_assert_ptr_nonnull(strstr(dumped, want));
}
END_TEST

static void *
park(void *arg)
{
	flow_suspend();
	return NULL;
}

START_TEST(a_wait_that_began_before_the_first_turn_is_not_older_than_that)
{
	char text[512] = "";
	FILE *const out = fmemopen(text, sizeof(text) - 1, "w");
	const char *since;
	struct task *t;

	loop_open();
	flow_open();
	must(out != NULL);
	must(flow_run(&(struct task_spec){ .name = "early", .body = park },
		 &t) == 0);
	flow_dump(out);
	fclose(out);
	task_halt_soon(t);
	task_unref(&t);
	loop_turn(false);
	flow_close();
	loop_close();
	since = strstr(text, " since ");
	ck_assert_ptr_nonnull(since);
	/* The machine may stand still meanwhile, but not since it started. */
	ck_assert_int_lt(atoi(since + 7), 60000);
}
END_TEST

static __attribute__((noinline)) int
overflow(volatile char *above)
{
	volatile char here[512];

	here[0] = above[0];
	if (here[0] == 'x') /* never: the stack ends first */
		return 0;
	return overflow(here) + here[0];
}

static void *
overflows(void *arg)
{
	volatile char here[1] = { 0 };

	note("%d", overflow(here));
	return NULL;
}

START_TEST(a_task_that_runs_over_its_stack_dies_by_name)
{
	int fds[2], status;
	char said[512] = "";

	must(pipe(fds) == 0);
	const pid_t pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		run_flow_plain(overflows, NULL);
		_exit(0);
	}
	close(fds[1]);
	size_t at = 0;
	ssize_t n;
	while ((n = read(fds[0], said + at, sizeof(said) - 1 - at)) > 0)
		at += (size_t)n;
	must(waitpid(pid, &status, 0) == pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
	ck_assert_str_eq(
	    said, "flow: the task test ran over the end of its stack\n");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_dump");
	TCase *const c = tcase_create("all");

	HARNESS_ADD(
	    c, a_dump_shows_the_tree_and_what_each_task_waits_for_where);
	tcase_add_test(
	    c, a_wait_that_began_before_the_first_turn_is_not_older_than_that);
	/* AddressSanitizer says it itself, in its own way */
	if (!SANITIZE_ADDRESS)
		HARNESS_ADD(c, a_task_that_runs_over_its_stack_dies_by_name);
	return harness_main(s, c);
}
