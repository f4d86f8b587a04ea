/* SPDX-License-Identifier: MIT */
/*
 * Tasks, chapters 1, 2, 6 and 7 of the behaviours of common/flow: running,
 * order, boundaries, scopes; the number of each behaviour stands in the name
 * of its test.
 */
#include "common/flow/latch.h"
#include "common/flow/sleep.h"
#include "tests/unit/flow_bodies.h"

/* ---- 1. running and results ---- */

static void *
b1_second(void *arg)
{
	note("second");
	task_halt_soon(arg);
	return NULL;
}

START_TEST(b1_a_top_level_body_runs_at_once_up_to_its_first_wait)
{
	ck_assert_int_eq(run_two(body_sleep, NULL, b1_second), TASK_HALTED);
	ck_assert_str_eq(harness_at_once, "started ");
	ck_assert_str_eq(traced(), "started second cleaned");
}
END_TEST

static void *
b1_parent(void *arg)
{
	SPAWN(body_note, "child", NULL);
	note("parent");
	flow_sleep(1);
	return NULL;
}

START_TEST(b1_b11_nobody_else_runs_before_a_top_level_task_was_started)
{
	run_flow(b1_parent, NULL);
	ck_assert_str_eq(harness_at_once, "parent ");
	ck_assert_str_eq(traced(), "parent child");
}
END_TEST

static void *
b2_waiter(void *arg)
{
	void *value = NULL;

	need(task_await(arg, &value, NULL) == 0);
	note("%s", (char *)value);
	return NULL;
}

static void *
b2(void *arg)
{
	struct task *t task_auto = NULL, *w1 task_auto = NULL,
		       *w2 task_auto = NULL;
	void *v;

	SPAWN(body_return, "v", &t);
	SPAWN(b2_waiter, t, &w1);
	SPAWN(b2_waiter, t, &w2);
	need(task_await(w1, NULL, NULL) == 0);
	need(task_await(w2, NULL, NULL) == 0);
	need(task_await(t, &v, NULL) == 0);
	note("%s", (char *)v);
	need(task_await(t, &v, NULL) == 0);
	return v;
}

START_TEST(b2_b16_b17_b18_a_value_can_be_awaited_many_times_by_many)
{
	run_flow(b2, NULL);
	ck_assert_str_eq(traced(), "v v v");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

static void *
b4_inner(void *arg)
{
	struct task *t task_auto = NULL;

	SPAWN(body_fail, "no", &t);
	flow_suspend();
	return NULL;
}

static void *
b4(void *arg)
{
	struct err err = { 0 };

	note("%d", scope_call(b4_inner, NULL, NULL, &err) == -EPERM);
	note("%s", err.text);
	flow_sleep(1);
	note("on");
	return NULL;
}

START_TEST(b4_b73_an_error_can_be_caught_at_a_boundary_and_life_goes_on)
{
	run_flow(b4, NULL);
	ck_assert_str_eq(traced(), "unwound 1 no on");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

START_TEST(b6_an_uncaught_error_fails_the_task_with_its_code_and_text)
{
	run_flow(body_fail, "why");
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_int_eq(harness_err.code, -EPERM);
	ck_assert_str_eq(harness_err.text, "why");
	ck_assert_ptr_nonnull(strstr(harness_err.place, "flow_bodies.c:"));
	ck_assert_str_eq(traced(), "unwound");
}
END_TEST

static void *
b9_second(void *arg)
{
	flow_fail(-EPERM, "x");
}

START_TEST(b9_the_failure_of_one_top_level_task_leaves_the_other_running)
{
	ck_assert_int_eq(run_two(body_sleep, NULL, b9_second), TASK_RETURNED);
	ck_assert_str_eq(traced(), "started slept cleaned");
}
END_TEST

static void *
b10_nested(void *arg)
{
	const intptr_t n = (intptr_t)arg;

	if (n)
		need(scope_call(b10_nested, (void *)(n - 1), NULL, NULL) == 0);
	else
		flow_sleep(1);
	return NULL;
}

static void *
b10(void *arg)
{
	struct latch l;
	struct task *t task_auto = NULL;

	latch_init(&l);
	latch_set(&l, 0, NULL);
	for (int i = 0; i < 100000; i++)
		need(latch_wait(&l, "it", CLOCK_NEVER, NULL) == 0);
	const struct task_spec deep = { .name = "deep",
		.body = b10_nested,
		.arg = (void *)(intptr_t)3000,
		.stack_bytes = 8 << 20 };
	need(task_spawn(&deep, &t) == 0);
	need(task_await(t, NULL, NULL) == 0);
	note("done");
	return NULL;
}

START_TEST(b10_many_waits_and_deep_scopes_fit_their_stack)
{
	run_flow(b10, NULL);
	ck_assert_str_eq(traced(), "done");
}
END_TEST

/* ---- 2. spawn and order ---- */

static void *
b11(void *arg)
{
	struct task *c task_auto = NULL;

	SPAWN(body_note, "a", NULL);
	SPAWN(body_note, "b", NULL);
	SPAWN(body_note, "c", &c);
	note("parent");
	need(task_await(c, NULL, NULL) == 0);
	return NULL;
}

START_TEST(b11_b12_children_start_in_order_when_the_parent_waits)
{
	run_flow(b11, NULL);
	ck_assert_str_eq(traced(), "parent a b c");
}
END_TEST

static struct latch b13_latch;

static void *
b13_waiter(void *arg)
{
	latch_wait(&b13_latch, "it", CLOCK_NEVER, NULL);
	note("%s", (const char *)arg);
	return NULL;
}

static void *
b13_parent(void *arg)
{
	SPAWN(b13_waiter, "deep", NULL);
	flow_sleep(100);
	return NULL;
}

static void *
b13(void *arg)
{
	latch_init(&b13_latch);
	SPAWN(b13_parent, NULL, NULL);
	flow_sleep(1);
	SPAWN(b13_waiter, "first", NULL);
	SPAWN(b13_waiter, "second", NULL);
	flow_sleep(1);
	latch_set(&b13_latch, 0, NULL);
	flow_sleep(1);
	return NULL;
}

START_TEST(b13_b14_shallower_tasks_first_then_in_the_order_they_waited)
{
	run_flow(b13, NULL);
	ck_assert_str_eq(traced(), "first second deep");
}
END_TEST

static struct task *b15_child;

static void *
b15_parent(void *arg)
{
	SPAWN(body_note, "never", &b15_child);
	return NULL;
}

static void *
b15(void *arg)
{
	struct task *p task_auto = NULL;

	harness_handle(&b15_child);
	SPAWN(b15_parent, NULL, &p);
	need(task_await(p, NULL, NULL) == 0);
	need(b15_child != NULL);
	note("%d", task_await(b15_child, NULL, NULL) == -ECANCELED);
	return NULL;
}

START_TEST(b15_b39_a_child_of_a_parent_that_never_waits_never_runs)
{
	run_flow(b15, NULL);
	ck_assert_str_eq(traced(), "1");
}
END_TEST

/* ---- 6. boundaries, 7. scopes ---- */

static void *
b74_inner(void *arg)
{
	ENSURE(note_end, "ensured");
	SPAWN(body_slow_end, "child", NULL);
	flow_sleep(1);
	return "inner";
}

static void *
b74(void *arg)
{
	void *v = NULL;

	need(scope_call(b74_inner, NULL, &v, NULL) == 0);
	note("%s", (char *)v);
	flow_sleep(1);
	note("on");
	return NULL;
}

START_TEST(b74_b76_a_boundary_leaves_nothing_behind)
{
	run_flow(b74, NULL);
	ck_assert_str_eq(traced(), "child( child) ensured inner on");
}
END_TEST

static void *
b77_inner(void *arg)
{
	flow_suspend();
	return NULL;
}

static void *
b77(void *arg)
{
	SPAWN(body_fail_later, "outer", NULL);
	note("%d", scope_call(b77_inner, NULL, NULL, NULL));
	note("not-reached");
	return NULL;
}

START_TEST(b77_an_error_of_an_outer_scopes_child_passes_an_inner_boundary)
{
	run_flow(b77, NULL);
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_str_eq(harness_err.text, "outer");
	ck_assert_str_eq(traced(), "");
}
END_TEST

static struct scope *b79_scope;
static struct loop_defer b79_defer;

static void
b79_callback(void *arg)
{
	note("callback");
	need(scope_run(b79_scope,
		 &(struct task_spec){ .name = "late",
		     .body = body_fail,
		     .arg = "from-a-callback" },
		 NULL) == 0);
}

static void
b79_cancel(struct scope **s)
{
	loop_defer_cancel(&b79_defer);
}

static void *
b79(void *arg)
{
	__attribute__((cleanup(b79_cancel), unused)) struct scope *end = NULL;

	b79_scope = scope_current();
	loop_defer(&b79_defer, b79_callback, NULL);
	flow_suspend();
	return NULL;
}

START_TEST(b79_b80_a_callback_starts_a_task_whose_failure_is_the_owners)
{
	run_flow(b79, NULL);
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_str_eq(harness_err.text, "from-a-callback");
}
END_TEST

static int
b87_finaliser(void *arg, struct err *err)
{
	flow_sleep(5);
	note("over");
	return 0;
}

static void *
b87_owner(void *arg)
{
	*(struct scope **)arg = scope_current();
	ENSURE(b87_finaliser, NULL);
	return NULL;
}

static void *
b87(void *arg)
{
	struct scope *s = NULL;
	struct task *t task_auto = NULL;

	SPAWN(b87_owner, &s, &t);
	flow_sleep(1);
	note("%d", scope_run(s,
		       &(struct task_spec){ .name = "x",
			   .body = body_note,
			   .arg = "never",
			   .dispose = dispose_note },
		       NULL) == -ECANCELED);
	need(task_await(t, NULL, NULL) == 0);
	return NULL;
}

START_TEST(b86_b87_a_closing_scope_refuses_new_tasks)
{
	run_flow(b87, NULL);
	ck_assert_str_eq(traced(), "disposed 1 over");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_task");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(c, b1_a_top_level_body_runs_at_once_up_to_its_first_wait);
	HARNESS_ADD(
	    c, b1_b11_nobody_else_runs_before_a_top_level_task_was_started);
	HARNESS_ADD(
	    c, b2_b16_b17_b18_a_value_can_be_awaited_many_times_by_many);
	HARNESS_ADD(
	    c, b4_b73_an_error_can_be_caught_at_a_boundary_and_life_goes_on);
	HARNESS_ADD(
	    c, b6_an_uncaught_error_fails_the_task_with_its_code_and_text);
	HARNESS_ADD(
	    c, b9_the_failure_of_one_top_level_task_leaves_the_other_running);
	HARNESS_ADD(c, b10_many_waits_and_deep_scopes_fit_their_stack);
	HARNESS_ADD(c, b11_b12_children_start_in_order_when_the_parent_waits);
	HARNESS_ADD(
	    c, b13_b14_shallower_tasks_first_then_in_the_order_they_waited);
	HARNESS_ADD(c, b15_b39_a_child_of_a_parent_that_never_waits_never_runs);
	HARNESS_ADD(c, b74_b76_a_boundary_leaves_nothing_behind);
	HARNESS_ADD(
	    c, b77_an_error_of_an_outer_scopes_child_passes_an_inner_boundary);
	HARNESS_ADD(
	    c, b79_b80_a_callback_starts_a_task_whose_failure_is_the_owners);
	HARNESS_ADD(c, b86_b87_a_closing_scope_refuses_new_tasks);
	return harness_main(s, c);
}
