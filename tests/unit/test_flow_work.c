/* SPDX-License-Identifier: MIT */
/* Work on helper threads, and memory that is refused. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/flow/latch.h"
#include "common/flow/sleep.h"
#include "common/flow/work.h"
#include "tests/unit/flow_harness.h"

static unsigned n_boxes; /* alive, on the loop's thread */

static int *
boxed(int n)
{
	int *const p = malloc(sizeof(*p));

	*p = n;
	n_boxes++;
	return p;
}

static void
unbox(void *p)
{
	free(p);
	n_boxes--;
}

static void *
work_double(void *arg)
{
	const int n = *(int *)arg;
	int *const out = malloc(sizeof(*out));

	*out = n * 2;
	return out;
}

static void
work_dispose(void *arg)
{
	note("disposed");
	unbox(arg);
}

static void
work_drop(void *value)
{
	note("dropped");
	free(value);
}

/* What a halted waiter left behind ends by itself: wait for that. */
static int
work_settles(void *arg, struct err *err)
{
	while (n_boxes)
		flow_sleep(1);
	return 0;
}

static void *
work_body(void *arg)
{
	struct flow_work_spec spec = { .name = "double",
		.fn = work_double,
		.dispose = work_dispose,
		.drop = work_drop };
	void *v = NULL;

	ENSURE(work_settles, NULL);
	spec.arg = boxed(21);
	note("%d", flow_work(&spec, CLOCK_NEVER, &v));
	need(v != NULL);
	note("%d", *(int *)v);
	free(v);
	return NULL;
}

START_TEST(work_runs_on_a_thread_and_its_value_comes_back)
{
	run_flow_real(work_body, NULL);
	ck_assert_str_eq(traced(), "disposed 0 42");
}
END_TEST

/* Whether SIGUSR2 is blocked, where this runs. */
static void *
work_mask(void *arg)
{
	int *const out = malloc(sizeof(*out));
	sigset_t mask;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	*out = sigismember(&mask, SIGUSR2);
	return out;
}

/* As work_settles; and SIGUSR2 is not blocked here. */
static int
work_unmasks(void *arg, struct err *err)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	return work_settles(arg, err);
}

static void *
work_masked(void *arg)
{
	struct flow_work_spec spec = { .name = "mask",
		.fn = work_mask,
		.dispose = work_dispose,
		.drop = work_drop };
	sigset_t mask;
	void *v = NULL;

	ENSURE(work_unmasks, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	for (int how = SIG_BLOCK; how <= SIG_UNBLOCK; how++) {
		pthread_sigmask(how, &mask, NULL);
		spec.arg = boxed(0);
		need(flow_work(&spec, CLOCK_NEVER, &v) == 0);
		note("%d", *(int *)v);
		free(v);
	}
	return NULL;
}

START_TEST(work_has_the_signal_mask_of_who_asks_for_it)
{
	run_flow_real(work_masked, NULL);
	ck_assert_str_eq(traced(), "disposed 1 disposed 0");
}
END_TEST

static int gate[2];

static void *
work_wait_for_gate(void *arg)
{
	char c;

	if (read(gate[0], &c, 1) < 0)
		return NULL;
	return malloc(1);
}

static void *
work_halted_child(void *arg)
{
	const struct flow_work_spec spec = { .name = "gate",
		.fn = work_wait_for_gate,
		.arg = boxed(0),
		.dispose = work_dispose,
		.drop = work_drop };
	void *v = NULL;

	flow_work(&spec, CLOCK_NEVER, &v);
	free(v);
	note("not-reached");
	return NULL;
}

static int
work_open_gate(void *arg, struct err *err)
{
	must(write(gate[1], "x", 1) == 1);
	return work_settles(NULL, err);
}

static void *
work_halted(void *arg)
{
	struct task *t task_auto = NULL;

	harness_pipe(gate);
	ENSURE(work_open_gate, NULL);
	SPAWN(work_halted_child, NULL, &t);
	flow_sleep(0);
	need(task_halt(t, NULL) == 0);
	note("halted");
	return NULL;
}

START_TEST(work_that_nobody_waits_for_any_more_drops_its_value)
{
	run_flow_real(work_halted, NULL);
	ck_assert_str_eq(traced(), "halted disposed dropped");
}
END_TEST

/* Halts a task in the turn in which its work is reported, before it runs. */
static struct task *halted_when_done;

static void
dispose_and_halt(void *arg)
{
	unbox(arg);
	task_halt_soon(halted_when_done);
}

static void *
work_halted_when_done(void *arg)
{
	struct flow_work_spec spec = { .name = "double",
		.fn = work_double,
		.dispose = dispose_and_halt,
		.drop = work_drop };
	void *v = NULL;

	harness_handle(&halted_when_done);
	halted_when_done = task_ref(task_self());
	ENSURE(work_settles, NULL);
	spec.arg = boxed(21);
	flow_work(&spec, CLOCK_NEVER, &v);
	free(v);
	note("not-reached");
	return NULL;
}

START_TEST(work_that_is_done_when_its_waiter_is_halted_drops_its_value)
{
	run_flow_real(work_halted_when_done, NULL);
	ck_assert_str_eq(traced(), "dropped");
	ck_assert_int_eq(harness_outcome, TASK_HALTED);
}
END_TEST

static void *
alloc_failures(void *arg)
{
	struct task *t = NULL;
	const struct flow_work_spec work = { .name = "double",
		.fn = work_double,
		.arg = boxed(1),
		.dispose = work_dispose };
	const struct task_spec spec = { .name = "x",
		.body = work_body,
		.arg = boxed(1),
		.dispose = work_dispose };
	void *v;

	mem_fail_at(1);
	note("%d", task_spawn(&spec, &t) == -ENOMEM);
	mem_fail_at(1);
	note("%d", scope_ensure(NULL, NULL) == -ENOMEM);
	mem_fail_at(1);
	note("%d", flow_work(&work, CLOCK_NEVER, &v) == -ENOMEM);
	mem_fail_at(0);
	return NULL;
}

START_TEST(out_of_memory_is_an_error_of_the_call_that_needed_it)
{
	run_flow_plain(alloc_failures, NULL);
	ck_assert_str_eq(traced(), "disposed 1 1 disposed 1");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_work");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(c, work_runs_on_a_thread_and_its_value_comes_back);
	HARNESS_ADD(c, work_has_the_signal_mask_of_who_asks_for_it);
	HARNESS_ADD(c, work_that_nobody_waits_for_any_more_drops_its_value);
	HARNESS_ADD(
	    c, work_that_is_done_when_its_waiter_is_halted_drops_its_value);
	HARNESS_ADD(c, out_of_memory_is_an_error_of_the_call_that_needed_it);
	return harness_main(s, c);
}
