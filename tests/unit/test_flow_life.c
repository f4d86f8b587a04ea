/* SPDX-License-Identifier: MIT */
/* Lifetimes, chapter 3 of the behaviours: who ends whom, and whose error. */
#include "common/flow/sleep.h"
#include "tests/unit/flow_bodies.h"

static void *
body_loud_end(void *arg)
{
	ENSURE(finalise_badly_aloud, arg);
	flow_suspend();
	return NULL;
}

static void *
b19_parent(void *arg)
{
	SPAWN(body_suspend, "child", NULL);
	flow_sleep(1);
	return "value";
}

static void *
b19(void *arg)
{
	struct task *p task_auto = NULL;
	void *v = NULL;

	SPAWN(b19_parent, NULL, &p);
	need(task_await(p, &v, NULL) == 0);
	note("%s", (char *)v);
	return NULL;
}

START_TEST(b19_a_parent_that_returns_halts_its_children_and_keeps_its_value)
{
	run_flow(b19, NULL);
	ck_assert_str_eq(traced(), "child value");
}
END_TEST

static void *
b20(void *arg)
{
	SPAWN(body_suspend, "child", NULL);
	flow_sleep(1);
	flow_fail(-EDOM, "mine");
}

START_TEST(b20_a_parent_that_fails_halts_its_children_and_keeps_its_error)
{
	run_flow(b20, NULL);
	ck_assert_str_eq(traced(), "child");
	ck_assert_str_eq(harness_err.text, "mine");
}
END_TEST

static void *
b22_parent(void *arg)
{
	SPAWN(body_slow_end, "grandchild", NULL);
	flow_sleep(1);
	note("returns");
	return NULL;
}

static void *
b22(void *arg)
{
	struct task *p task_auto = NULL;

	SPAWN(b22_parent, NULL, &p);
	need(task_await(p, NULL, NULL) == 0);
	note("awaited");
	return NULL;
}

START_TEST(b22_b23_a_parent_is_done_only_when_its_children_are)
{
	run_flow(b22, NULL);
	ck_assert_str_eq(traced(), "returns grandchild( grandchild) awaited");
}
END_TEST

static void *
b24(void *arg)
{
	struct task *a task_auto = NULL, *b task_auto = NULL;

	SPAWN(body_suspend, "a", &a);
	SPAWN(body_sleep, NULL, &b);
	flow_sleep(1);
	need(task_halt(a, NULL) == 0);
	need(task_await(b, NULL, NULL) == 0);
	return NULL;
}

START_TEST(b24_halting_a_child_leaves_parent_and_siblings_running)
{
	run_flow(b24, NULL);
	ck_assert_str_eq(traced(), "started a slept cleaned");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

static void *
b25(void *arg)
{
	noted(end, "parent");
	struct task *bad task_auto = NULL;

	SPAWN(body_slow_end, "sibling", NULL);
	SPAWN(body_fail_later, "child's", &bad);
	note("rc=%d", task_await(bad, NULL, NULL));
	note("not-reached");
	return NULL;
}

START_TEST(b25_b26_b27_b28_a_failing_child_fails_the_parent_that_awaits_it)
{
	run_flow(b25, NULL);
	ck_assert_str_eq(traced(), "parent sibling( sibling)");
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_str_eq(harness_err.text, "child's");
}
END_TEST

static void *
b29_inner(void *arg)
{
	ENSURE(note_slow_end, "inner");
	SPAWN(body_fail_later, "deep", NULL);
	flow_suspend();
	return NULL;
}

static void *
b29(void *arg)
{
	ENSURE(note_slow_end, "outer");
	SPAWN(b29_inner, NULL, NULL);
	flow_suspend();
	return NULL;
}

START_TEST(b29_a_failure_travels_up_tearing_down_each_level)
{
	run_flow(b29, NULL);
	ck_assert_str_eq(traced(), "inner( inner) outer( outer)");
	ck_assert_str_eq(harness_err.text, "deep");
}
END_TEST

static void *
b30(void *arg)
{
	SPAWN(body_loud_end, "end", NULL);
	flow_sleep(1);
	return "value";
}

START_TEST(b30_b63_an_error_in_a_childs_teardown_replaces_success)
{
	run_flow(b30, NULL);
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_str_eq(harness_err.text, "end is broken");
}
END_TEST

static void *
b31_parent(void *arg)
{
	SPAWN(body_loud_end, "end", NULL);
	flow_suspend();
	return NULL;
}

/* Halts the top-level task arg twice. */
static void *
b31_halter(void *arg)
{
	struct err err = { 0 };

	flow_sleep(1);
	note("%d", task_halt(arg, &err) == -EIO);
	note("%d", task_halt(arg, &err) == -EIO);
	note("%s", err.text);
	return NULL;
}

START_TEST(b31_b67_an_error_in_teardown_makes_every_halt_fail)
{
	ck_assert_int_eq(run_two(b31_parent, NULL, b31_halter), TASK_FAILED);
	ck_assert_str_eq(traced(), "end 1 1 end is broken");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_life");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(c,
	    b19_a_parent_that_returns_halts_its_children_and_keeps_its_value);
	HARNESS_ADD(
	    c, b20_a_parent_that_fails_halts_its_children_and_keeps_its_error);
	HARNESS_ADD(c, b22_b23_a_parent_is_done_only_when_its_children_are);
	HARNESS_ADD(c, b24_halting_a_child_leaves_parent_and_siblings_running);
	HARNESS_ADD(
	    c, b25_b26_b27_b28_a_failing_child_fails_the_parent_that_awaits_it);
	HARNESS_ADD(c, b29_a_failure_travels_up_tearing_down_each_level);
	HARNESS_ADD(c, b30_b63_an_error_in_a_childs_teardown_replaces_success);
	HARNESS_ADD(c, b31_b67_an_error_in_teardown_makes_every_halt_fail);
	return harness_main(s, c);
}
