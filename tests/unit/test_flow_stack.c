/* SPDX-License-Identifier: MIT */
/*
 * Stacks: what parked tasks cost in mappings and in memory, that it comes back
 * from those that are over, and how an overflow is found, on kernels with and
 * without MADV_GUARD_INSTALL.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/base/mem.h"
#include "common/flow/core.h"
#include "common/flow/latch.h"
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
	/* valgrind looks for each stack in a list of all. */
	const unsigned n_tasks = sanitize_on_valgrind() ? 1000 : TASKS;
	const unsigned n = mappings_of(n_tasks, _i == 0);

	ck_assert_uint_lt(n, MAPS_MAX);
	/* by mprotect each of the first ones costs two */
	if (_i == 1)
		ck_assert_uint_gt(n, n_tasks < STACK_MPROTECT_MAX
					 ? n_tasks
					 : STACK_MPROTECT_MAX);
}
END_TEST

/* ---- sizes ---- */

static const size_t sizes[] = { 16 << 10, 20 << 10, 64 << 10, 100 << 10,
	256 << 10, 300 << 10, 512 << 10, (512 << 10) + 1, 1 << 20, 3 << 20,
	8 << 20 };

/* Write to the lowest bytes that a task of that many may use. */
static void *
use_all(void *arg)
{
	const size_t bytes = *(const size_t *)arg;
	const struct stack *const s = task_self()->stack;
	char *const low = stack_top(s) + 1024 - bytes;

	must(low >= stack_base(s) + 4096);
	*(volatile char *)low = 1;
	n_parked++;
	flow_suspend();
	return NULL;
}

START_TEST(tasks_have_stacks_of_as_many_sizes_as_they_wish)
{
	const size_t n = sizeof(sizes) / sizeof(*sizes);
	struct task *t[sizeof(sizes) / sizeof(*sizes)];

	n_parked = 0;
	loop_open();
	flow_open();
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(flow_run(&(struct task_spec){ .name = "one",
					      .body = use_all,
					      .arg = (void *)&sizes[i],
					      .stack_bytes = sizes[i] },
				     &t[i]),
		    0);
	ck_assert_uint_eq(n_parked, n);
	for (size_t i = 0; i < n; i++) {
		task_halt_soon(t[i]);
		task_unref(&t[i]);
	}
	loop_turn(false);
	flow_close();
	loop_close();
}
END_TEST

START_TEST(a_stack_that_no_task_can_have_is_no_memory)
{
	const size_t too_many[] = { STACK_BYTES_MAX + 1, SIZE_MAX / 4,
		SIZE_MAX };

	loop_open();
	flow_open();
	for (size_t i = 0; i < sizeof(too_many) / sizeof(*too_many); i++)
		ck_assert_int_eq(flow_run(&(struct task_spec){ .name = "one",
					      .body = park,
					      .stack_bytes = too_many[i] },
				     NULL),
		    -ENOMEM);
	flow_close();
	loop_close();
}
END_TEST

/* ---- resident memory, of which the kernel knows ---- */

#define CROWD      2000
#define DEEP_BYTES (24 * 1024)

static size_t
resident_bytes(void)
{
	FILE *const f = fopen("/proc/self/smaps_rollup", "re");
	char line[256];
	size_t kib = 0;

	must(f != NULL);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %zu kB", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}

/* A crowd of tasks below one scope, and what its members need. */
static struct task *crowd_keeper;
static struct task *crowd[CROWD];
static struct latch crowd_go;
static unsigned n_whole; /* that found their stacks as they had left them */

static void
crowd_open(void)
{
	loop_open();
	flow_open();
	n_whole = n_parked = 0;
	latch_init(&crowd_go);
	must(scope_open(NULL, "crowd", &crowd_keeper) == 0);
}

/* Start tasks from..to of the crowd, each with its number, and let them run. */
static void
crowd_start(unsigned from, unsigned to, task_body_fn *body)
{
	for (unsigned i = from; i < to; i++)
		must(scope_run(task_scope(crowd_keeper),
			 &(struct task_spec){ .name = "member",
			     .body = body,
			     .arg = (void *)(uintptr_t)i },
			 &crowd[i]) == 0);
	loop_turn(false);
}

static void
crowd_close(void)
{
	task_halt_soon(crowd_keeper);
	loop_turn(false);
	for (unsigned i = 0; i < CROWD; i++)
		task_unref(&crowd[i]);
	task_unref(&crowd_keeper);
	flow_close();
	loop_close();
}

/* Fill many pages; later they must be as they were. */
static void *
deep_wait(void *arg)
{
	unsigned char area[DEEP_BYTES];
	unsigned char *volatile at = area;

	memset(at, (int)(uintptr_t)arg, sizeof(area));
	(void)latch_wait(&crowd_go, "go", CLOCK_NEVER, NULL);
	for (size_t i = 0; i < sizeof(area); i++)
		if (at[i] != (unsigned char)(uintptr_t)arg)
			return NULL;
	n_whole++;
	return arg;
}

static void *
deep_return(void *arg)
{
	unsigned char area[DEEP_BYTES];
	unsigned char *volatile at = area;

	memset(at, 1, sizeof(area));
	return (void *)((uintptr_t)arg + at[0] - 1);
}

/* Where there is no sanitizer, whose handler is another one. */
START_TEST(a_fault_is_handled_with_room_and_without_other_signals)
{
	struct sigaction action;
	stack_t stack;

	crowd_open();
	const int e = sigaltstack(NULL, &stack);
	const int rc = sigaction(SIGSEGV, NULL, &action);
	crowd_close();
	ck_assert_int_eq(e | rc, 0);
	if (SANITIZE_ADDRESS)
		return;
	ck_assert_int_ge(
	    (long)stack.ss_size, sysconf(_SC_MINSIGSTKSZ) + (16 << 10));
	ck_assert_int_eq(sigismember(&action.sa_mask, SIGCHLD), 1);
	ck_assert_int_eq(sigismember(&action.sa_mask, SIGTERM), 1);
}
END_TEST

START_TEST(a_parked_task_costs_a_page_and_nearly_nothing_else)
{
	crowd_open();
	crowd_start(0, 100, park); /* what is needed once */
	const size_t before = resident_bytes();
	crowd_start(100, CROWD, park);
	const size_t each = (resident_bytes() - before) / (CROWD - 100);
	crowd_close();
	ck_assert_uint_eq(n_parked, CROWD);
	ck_assert_uint_ge(each, 4096);
	ck_assert_uint_le(each, 4096 + 256);
}
END_TEST

START_TEST(memory_comes_back_when_many_tasks_have_ended)
{
	crowd_open();
	const size_t before = resident_bytes();
	crowd_start(0, CROWD, deep_wait);
	const size_t full = resident_bytes();
	for (unsigned i = 0; i < CROWD; i++)
		task_unref(&crowd[i]);
	task_halt_soon(crowd_keeper);
	loop_turn(false);
	const size_t after = resident_bytes();
	crowd_close();
	ck_assert_uint_gt(full, before + (size_t)CROWD * DEEP_BYTES);
	/* 256 may stay warm, as deep as they were: of 2000 */
	ck_assert_uint_lt(after, before + 256 * (DEEP_BYTES + 3 * 4096));
}
END_TEST

START_TEST(no_memory_of_tasks_that_are_over_is_kept_at_rest)
{
	const unsigned n = 200; /* few enough that all would stay warm */

	crowd_open();
	crowd_start(0, 1, park);
	const size_t before = resident_bytes();
	crowd_start(1, n, deep_wait);
	for (unsigned i = 1; i < n; i++) {
		task_halt_soon(crowd[i]);
		task_unref(&crowd[i]);
	}
	loop_turn(false);
	const size_t warm = resident_bytes();
	flow_rest();
	const size_t rested = resident_bytes();
	crowd_start(1, n, park);
	crowd_close();
	ck_assert_uint_eq(n_parked, n);
	ck_assert_uint_gt(warm, before + (size_t)n * DEEP_BYTES / 2);
	ck_assert_uint_lt(rested, before + (size_t)n * DEEP_BYTES / 8);
}
END_TEST

START_TEST(a_task_that_is_over_keeps_a_page_while_it_is_held)
{
	unsigned n_right = 0;

	crowd_open();
	const size_t before = resident_bytes();
	crowd_start(0, CROWD, deep_return);
	const size_t held = resident_bytes();
	for (unsigned i = 0; i < CROWD; i++)
		n_right += task_outcome(crowd[i]) == TASK_RETURNED &&
		           crowd[i]->value == (void *)(uintptr_t)i &&
		           !strcmp(task_name(crowd[i]), "member");
	crowd_close();
	ck_assert_uint_eq(n_right, CROWD);
	ck_assert_uint_lt(held, before + (size_t)CROWD * (4096 + 256));
}
END_TEST

START_TEST(what_is_given_back_is_never_of_a_task_that_lives)
{
	unsigned n_halted = 0;

	crowd_open();
	crowd_start(0, CROWD, deep_wait);
	/* runs of one, two, …, with one between them that goes on */
	for (unsigned i = 0, run = 1; i + run < CROWD; i += run + 1, run++)
		for (unsigned k = 0; k < run; k++, n_halted++) {
			task_halt_soon(crowd[i + k]);
			task_unref(&crowd[i + k]);
		}
	loop_turn(false);
	latch_set(&crowd_go, 0, NULL);
	loop_turn(false);
	crowd_close();
	/* enough that most of them were given back */
	ck_assert_uint_gt(n_halted, CROWD * 9 / 10);
	ck_assert_uint_eq(n_whole, CROWD - n_halted);
}
END_TEST

START_TEST(a_task_that_is_over_is_nobodys_after_its_last_handle)
{
	crowd_open();
	crowd_start(0, 2, deep_return);
	const struct task *const gone = crowd[0];
	task_unref(&crowd[0]);
#if SANITIZE_ADDRESS
	ck_assert(__asan_address_is_poisoned(gone));
	ck_assert(!__asan_address_is_poisoned(crowd[1]));
#endif
	crowd_start(0, 1, park);
	ck_assert_ptr_eq(crowd[0], gone); /* the warmest stack comes first */
	ck_assert_int_eq(task_outcome(crowd[0]), TASK_RUNNING);
	ck_assert_int_eq(task_outcome(crowd[1]), TASK_RETURNED);
	crowd_close();
}
END_TEST

START_TEST(a_handle_may_be_given_back_when_the_flow_is_closed)
{
	struct task *held = NULL;
	const size_t before = mem_live();

	crowd_open();
	crowd_start(0, 2, deep_return);
	held = task_ref(crowd[1]);
	crowd_close();
	ck_assert_int_eq(task_outcome(held), TASK_RETURNED);
	crowd_open();
	crowd_start(0, 2, deep_return);
	crowd_close();
	ck_assert_int_eq(task_outcome(held), TASK_RETURNED);
	task_unref(&held);
	crowd_open();
	crowd_close();
	ck_assert_uint_eq(mem_live(), before);
}
END_TEST

/* ---- overflow ---- */

/*
 * The stack that the next task gets has been given back to the kernel, among
 * its neighbours: it must have kept its guard.
 */
static void
crowd_give_back(void)
{
	must(scope_open(NULL, "crowd", &crowd_keeper) == 0);
	crowd_start(0, CROWD, park);
	for (unsigned i = 0; i < CROWD; i++)
		task_unref(&crowd[i]);
	task_halt_soon(crowd_keeper);
	loop_turn(false);
	task_unref(&crowd_keeper);
	must(scope_open(NULL, "crowd", &crowd_keeper) == 0);
	crowd_start(0, CROWD / 2, park);
}

/* What a frame that is too large leaves at the end of a stack. */
static void *
overrun(void *arg)
{
	*(volatile char *)stack_base(task_self()->stack) = 1;
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
		crowd_give_back();
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
	{ true, 0, SIGSEGV },                   /* the guard page */
	{ false, STACK_MPROTECT_MAX, SIGSEGV }, /* an older kernel's */
	{ false, 0, SIGABRT }, /* none left: found at the next park */
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
	/* These have memory of their own. */
	const bool has_memory = !SANITIZE_ADDRESS && !sanitize_on_valgrind();

	/* AddressSanitizer's own memory and messages are others. */
	tcase_add_loop_test(c,
	    a_hundred_thousand_parked_tasks_need_few_mappings, 0,
	    SANITIZE_ADDRESS ? 0 : 2);
	tcase_add_loop_test(c,
	    a_task_that_overran_its_stack_dies_by_name_however_guarded,
	    SANITIZE_ADDRESS ? n - 1 : 0, n);
	tcase_add_test(c, tasks_have_stacks_of_as_many_sizes_as_they_wish);
	tcase_add_test(c, a_stack_that_no_task_can_have_is_no_memory);
	tcase_add_test(
	    c, a_fault_is_handled_with_room_and_without_other_signals);
	if (has_memory) {
		tcase_add_test(
		    c, a_parked_task_costs_a_page_and_nearly_nothing_else);
		tcase_add_test(c, memory_comes_back_when_many_tasks_have_ended);
		tcase_add_test(
		    c, no_memory_of_tasks_that_are_over_is_kept_at_rest);
		tcase_add_test(
		    c, a_task_that_is_over_keeps_a_page_while_it_is_held);
	}
	tcase_add_test(c, what_is_given_back_is_never_of_a_task_that_lives);
	tcase_add_test(c, a_task_that_is_over_is_nobodys_after_its_last_handle);
	tcase_add_test(c, a_handle_may_be_given_back_when_the_flow_is_closed);
	return harness_main(s, c);
}
