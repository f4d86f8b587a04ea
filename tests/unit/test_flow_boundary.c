/* SPDX-License-Identifier: MIT */
/*
 * Chapter 6 of the behaviours of common/flow, and which errors of whom are
 * kept. Numbers of the behaviours stand in the names.
 */
#include "common/flow/latch.h"
#include "common/flow/sleep.h"
#include "common/flow/wait.h"
#include "tests/unit/flow_bodies.h"

static void
b78_function(void)
{
	SPAWN(body_slow_end, "child", NULL);
	ENSURE(note_end, "ensured");
}

static void *
b78(void *arg)
{
	b78_function();
	flow_sleep(1);
	note("function-over");
	return NULL;
}

START_TEST(b78_what_a_plain_function_starts_outlives_its_call)
{
	run_flow(b78, NULL);
	ck_assert_str_eq(traced(), "function-over ensured child( child)");
}
END_TEST

static void *
b51_inside(void *arg)
{
	flow_sleep(20);
	note("inside");
	return NULL;
}

static void *
b51_shielded(void *arg)
{
	flow_shield(b51_inside, NULL);
	note("not-reached");
	return NULL;
}

static void *
fail_soon(void *arg)
{
	flow_sleep(2);
	flow_fail(-EDOM, "%s", (const char *)arg);
}

static void *
b51_two(void *arg)
{
	SPAWN(fail_soon, "first", NULL);
	SPAWN(body_fail_later, "second", NULL);
	b51_shielded(NULL);
	return NULL;
}

START_TEST(b51_b66_b71_children_that_fail_under_a_shield_wait_and_all_count)
{
	run_flow(b51_two, NULL);
	ck_assert_str_eq(traced(), "inside");
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_uint_eq(harness_n_errs, 2);
	ck_assert_str_eq(harness_errs[0].text, "first");
	ck_assert_str_eq(harness_errs[1].text, "second");
}
END_TEST

static void *
b64_child(void *arg)
{
	ENSURE(finalise_badly, "the end");
	flow_fail(-EPERM, "body");
}

static void *
b64_owner(void *arg)
{
	SPAWN(b64_child, NULL, NULL);
	flow_suspend();
	return NULL;
}

START_TEST(b64_b66_an_owner_keeps_all_errors_of_its_child)
{
	run_flow(b64_owner, NULL);
	ck_assert_uint_eq(harness_n_errs, 2);
	ck_assert_str_eq(harness_errs[0].text, "the end is broken");
	ck_assert_str_eq(harness_errs[1].text, "body");
	ck_assert_ptr_nonnull(
	    strstr(harness_errs[1].place, "test_flow_boundary.c:"));
}
END_TEST

static void *
b66_inside(void *arg)
{
	ENSURE(finalise_badly, "f1");
	ENSURE(finalise_badly, "f2");
	flow_fail(-EPERM, "body");
}

static void *
b66(void *arg)
{
	struct err err = { 0 };

	for (int i = 0; i < 2; i++) {
		note("%d", scope_call(b66_inside, NULL, NULL, NULL) == -EIO);
		for (unsigned n = 0; scope_error(n, &err); n++)
			note("%s,", err.text);
	}
	need(scope_call(body_note, "fine", NULL, NULL) == 0);
	note("%d", scope_error(0, &err));
	return NULL;
}

START_TEST(b66_b74_a_boundary_tells_all_errors_that_it_caught)
{
	run_flow(b66, NULL);
	ck_assert_str_eq(traced(),
	    "1 f1 is broken, f2 is broken, body, "
	    "1 f1 is broken, f2 is broken, body, fine 0");
}
END_TEST

static void *
b72_fails(void *arg)
{
	flow_sleep(1);
	flow_fail(-EPERM, "inside");
}

static void *
b72_scope(void *arg)
{
	return flow_shield(b72_fails, NULL);
}

static void *
b72(void *arg)
{
	noted(end, "end");

	note("%d", scope_call(b72_scope, NULL, NULL, NULL) == -EPERM);
	flow_sleep(100);
	note("not-reached");
	return NULL;
}

static void *
halt_at_5(void *arg)
{
	flow_sleep(5);
	need(task_halt(arg, NULL) == 0);
	note("at %d", (int)clock_now_ms());
	return NULL;
}

START_TEST(b72_a_shield_that_an_error_leaves_shields_no_more)
{
	ck_assert_int_eq(run_two(b72, NULL, halt_at_5), TASK_HALTED);
	ck_assert_str_eq(traced(), "1 end at 1005");
}
END_TEST

/* Deeper than the lists of run.c are made for at first. */
static void *
b23_nested(void *arg)
{
	struct task *t task_auto = NULL;
	const intptr_t n = (intptr_t)arg;

	if (!n) {
		note("deepest");
		return NULL;
	}
	SPAWN(b23_nested, (void *)(n - 1), &t);
	need(task_await(t, NULL, NULL) == 0);
	return NULL;
}

START_TEST(b10_b23_tasks_nest_deeper_than_the_run_queue_was_made_for)
{
	run_flow(b23_nested, (void *)(intptr_t)70);
	ck_assert_str_eq(traced(), "deepest");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_boundary");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(c, b78_what_a_plain_function_starts_outlives_its_call);
	HARNESS_ADD(c,
	    b51_b66_b71_children_that_fail_under_a_shield_wait_and_all_count);
	HARNESS_ADD(c, b64_b66_an_owner_keeps_all_errors_of_its_child);
	HARNESS_ADD(c, b66_b74_a_boundary_tells_all_errors_that_it_caught);
	HARNESS_ADD(c, b72_a_shield_that_an_error_leaves_shields_no_more);
	HARNESS_ADD(
	    c, b10_b23_tasks_nest_deeper_than_the_run_queue_was_made_for);
	return harness_main(s, c);
}
