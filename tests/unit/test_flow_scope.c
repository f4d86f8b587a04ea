/* SPDX-License-Identifier: MIT */
/*
 * Chapter 7 of the behaviours of common/flow, scopes that callbacks use, and
 * what else concerns who belongs to whom. Numbers of the behaviours stand in
 * the names.
 */
#include "common/flow/context.h"
#include "common/flow/latch.h"
#include "common/flow/resource.h"
#include "common/flow/sleep.h"
#include "common/flow/wait.h"
#include "tests/unit/flow_bodies.h"

static void *
fail_at_once(void *arg)
{
	flow_fail(-EPERM, "%s", (const char *)arg);
}

/* Start body(arg) in the scope that keeper keeps. */
static int
start_in(struct task *keeper, task_body_fn *body, void *arg)
{
	return scope_run(task_scope(keeper),
	    &(struct task_spec){ .name = "inside", .body = body, .arg = arg },
	    NULL);
}

static void *
b3_waits(void *arg)
{
	flow_sleep(1);
	return arg;
}

static void *
b3(void *arg)
{
	struct task *t task_auto = NULL;
	void *v = NULL;

	note("%s", (char *)body_note("plain"));
	need(scope_call(b3_waits, "called", &v, NULL) == 0);
	note("%s", (char *)v);
	SPAWN(b3_waits, "spawned", &t);
	need(task_await(t, &v, NULL) == 0);
	note("%s", (char *)v);
	note("%s", (char *)flow_shield(b3_waits, "shielded"));
	return NULL;
}

START_TEST(b3_a_body_gets_the_value_of_each_operation_in_order)
{
	run_flow(b3, NULL);
	ck_assert_str_eq(traced(), "plain plain called spawned shielded");
}
END_TEST

static struct latch future;

static void
reject(void *arg)
{
	latch_set(&future, -ECONNRESET, NULL);
}

static void *
b5(void *arg)
{
	__attribute__((cleanup(loop_timer_clear))) struct loop_timer timer;

	latch_init(&future);
	loop_timer_init(&timer, reject, NULL);
	loop_timer_set(&timer, clock_deadline_ms(5));
	note("%d", latch_wait(&future, "it", CLOCK_NEVER, NULL) == -ECONNRESET);
	flow_sleep(1);
	note("on");
	return NULL;
}

START_TEST(b5_an_error_of_a_future_from_outside_can_be_caught)
{
	run_flow(b5, NULL);
	ck_assert_str_eq(traced(), "1 on");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

static void *
halt_later(void *arg)
{
	flow_sleep(1);
	need(task_halt(arg, NULL) == 0);
	note("halted");
	return NULL;
}

static void *
b21(void *arg)
{
	SPAWN(body_suspend, "first", NULL);
	SPAWN(body_slow_end, "second", NULL);
	flow_suspend();
	return NULL;
}

START_TEST(b21_halting_a_parent_halts_its_children)
{
	ck_assert_int_eq(run_two(b21, NULL, halt_later), TASK_HALTED);
	ck_assert_str_eq(traced(), "second( second) first halted");
}
END_TEST

static void *
b32_sibling(void *arg)
{
	struct err err = { 0 };

	note("%d", task_await(arg, NULL, &err) == -EPERM);
	note("%s", err.text);
	return NULL;
}

static void *
b32_inner(void *arg)
{
	struct task *bad task_auto = NULL;

	SPAWN(body_fail_later, "bad", &bad);
	SPAWN(b32_sibling, bad, NULL);
	flow_suspend();
	return NULL;
}

/* A stranger, in no way below the owner of the failing task. */
static void *
b32_stranger(void *arg)
{
	struct err err = { 0 };

	note("%d", task_await(arg, NULL, &err) == -EPERM);
	return NULL;
}

START_TEST(b32_the_owner_fails_whoever_else_saw_the_error)
{
	ck_assert_int_eq(run_two(b32_inner, NULL, b32_stranger), TASK_FAILED);
	ck_assert_str_eq(harness_err.text, "bad");
	ck_assert_str_eq(traced(), "1");
}
END_TEST

static void *
b36_child(void *arg)
{
	flow_sleep(5);
	note("child-returns");
	return NULL;
}

static void *
b36(void *arg)
{
	SPAWN(b36_child, NULL, NULL);
	ENSURE(note_slow_end, "end");
	flow_suspend();
	return NULL;
}

START_TEST(b36_a_child_that_returns_during_halt_cleanup_disturbs_nothing)
{
	ck_assert_int_eq(run_two(b36, NULL, halt_later), TASK_HALTED);
	ck_assert_str_eq(traced(), "end( child-returns end) halted");
}
END_TEST

static void *
b40(void *arg)
{
	noted(cleanup, "cleanup");
	struct err err = { 0 };

	const int rc = scope_call(body_suspend, "inner", NULL, &err);
	note("caught %d %s", rc, err.text);
	return NULL;
}

START_TEST(b40_a_halt_passes_every_error_handler_and_only_cleanup_sees_it)
{
	ck_assert_int_eq(run_two(b40, NULL, halt_later), TASK_HALTED);
	ck_assert_str_eq(traced(), "inner cleanup halted");
}
END_TEST

static void *
b55(void *arg)
{
	struct task *slow task_auto = NULL;

	SPAWN(body_slow_end, "slow", &slow);
	flow_sleep(0);
	need(task_halt(slow, NULL) == 0);
	note("not-reached");
	return NULL;
}

START_TEST(b55_halting_a_task_that_waits_for_a_slow_halt_waits_for_it_too)
{
	ck_assert_int_eq(run_two(b55, NULL, halt_later), TASK_HALTED);
	ck_assert_str_eq(traced(), "slow( slow) halted");
}
END_TEST

static struct task *keeper;
static struct loop_timer opener;

static void
open_from_callback(void *arg)
{
	if (scope_open(NULL, "opened", &keeper) < 0)
		return;
	if (start_in(keeper, body_suspend, "first") == 0)
		(void)start_in(keeper, body_slow_end, "second");
}

/* A top-level scope belongs to nobody: it is ended by hand. */
static int
keeper_end(void *arg, struct err *err)
{
	loop_timer_clear(&opener);
	if (keeper)
		(void)task_halt(keeper, NULL);
	task_unref(&keeper);
	return 0;
}

static void *
b81(void *arg)
{
	keeper = NULL;
	loop_timer_init(&opener, open_from_callback, NULL);
	ENSURE(keeper_end, NULL);
	loop_timer_set(&opener, clock_deadline_ms(1));
	flow_sleep(2);
	need(keeper != NULL);
	note("opened");
	need(task_halt(keeper, NULL) == 0);
	note("closed");
	need(task_halt(keeper, NULL) == 0);
	note("%d", start_in(keeper, body_note, "never") == -ECANCELED);
	return NULL;
}

START_TEST(b79_b81_b86_a_scope_opened_by_a_callback_ends_all_its_tasks)
{
	run_flow(b81, NULL);
	ck_assert_str_eq(traced(), "opened second( second) first closed 1");
}
END_TEST

/* Open a scope in which body(arg) runs. */
static void
open_with(task_body_fn *body, void *arg)
{
	keeper = NULL;
	loop_timer_init(&opener, open_from_callback, NULL);
	ENSURE(keeper_end, NULL);
	need(scope_open(NULL, "opened", &keeper) == 0);
	need(start_in(keeper, body, arg) == 0);
}

static void *
b82(void *arg)
{
	struct err err = { 0 };

	open_with(fail_at_once, "broken");
	note("%d", task_await(keeper, NULL, &err) == -EPERM);
	note("%s", err.text);
	note("%d", task_halt(keeper, NULL));
	return NULL;
}

START_TEST(b82_ending_a_scope_whose_task_failed_succeeds)
{
	run_flow(b82, NULL);
	ck_assert_str_eq(traced(), "1 broken 0");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

static void *
b83(void *arg)
{
	struct err err = { 0 };

	open_with(body_bad_end, "the end");
	flow_sleep(1);
	note("%d", task_halt(keeper, &err) == -EIO);
	note("%s", err.text);
	return NULL;
}

START_TEST(b83_ending_a_scope_reports_an_error_of_its_teardown)
{
	run_flow(b83, NULL);
	ck_assert_str_eq(traced(), "1 the end is broken");
}
END_TEST

static void *
b84_resource(void *arg)
{
	noted(end, "local");

	ENSURE(note_slow_end, "resource");
	resource_provide(NULL);
}

static void *
b84_holder(void *arg)
{
	void *v;

	need(resource_open(
		 &(struct task_spec){ .name = "r", .body = b84_resource }, &v,
		 NULL) == 0);
	flow_suspend();
	return NULL;
}

static void *
b84(void *arg)
{
	open_with(b84_holder, NULL);
	need(start_in(keeper, body_fail_later, "other") == 0);
	note("%d", task_await(keeper, NULL, NULL) == -EPERM);
	return NULL;
}

START_TEST(b84_resources_are_closed_also_when_a_task_of_the_scope_failed)
{
	run_flow(b84, NULL);
	ck_assert_str_eq(traced(), "local resource( resource) 1");
}
END_TEST

static const struct flow_context colour = {
	.name = "colour", .initial = "none", .has_initial = true
};

static void *
b85_task(void *arg)
{
	void *v = NULL;

	if (arg)
		need(flow_context_set(&colour, arg) == 0);
	flow_sleep(arg ? (int)strlen(arg) : 1);
	(void)flow_context_find(&colour, &v);
	note("%s", (const char *)v);
	return NULL;
}

static void *
b85(void *arg)
{
	open_with(b85_task, "red");
	need(start_in(keeper, b85_task, "blue") == 0);
	flow_sleep(5);
	need(start_in(keeper, b85_task, NULL) == 0);
	flow_sleep(5);
	return NULL;
}

START_TEST(b85_each_task_of_a_scope_has_context_values_of_its_own)
{
	run_flow(b85, NULL);
	ck_assert_str_eq(traced(), "red blue none");
}
END_TEST

static void *
b87_late(void *arg)
{
	note("%d", start_in(keeper, body_note, "never") == -ECANCELED);
	return NULL;
}

static int
b87_finalise(void *arg, struct err *err)
{
	flow_sleep(5);
	note("over");
	return 0;
}

static void *
b87_ends(void *arg)
{
	ENSURE(b87_finalise, NULL);
	flow_suspend();
	return NULL;
}

static void *
b87(void *arg)
{
	open_with(b87_ends, NULL);
	flow_sleep(1);
	task_halt_soon(keeper);
	flow_sleep(1);
	b87_late(NULL);
	need(task_halt(keeper, NULL) == 0);
	return NULL;
}

START_TEST(b87_a_scope_that_is_ending_refuses_tasks)
{
	run_flow(b87, NULL);
	ck_assert_str_eq(traced(), "1 over");
}
END_TEST

static void *
b88(void *arg)
{
	struct task *derived task_auto = NULL;

	open_with(body_slow_end, "early");
	need(scope_open(task_scope(keeper), "derived", &derived) == 0);
	need(start_in(derived, body_slow_end, "derived") == 0);
	flow_sleep(1);
	need(task_halt(keeper, NULL) == 0);
	note("%d", task_outcome(derived) == TASK_HALTED);
	note("%d", scope_open(task_scope(keeper), "late", NULL) == -ECANCELED);
	return NULL;
}

START_TEST(b88_a_scope_ends_those_opened_in_it_first)
{
	run_flow(b88, NULL);
	ck_assert_str_eq(traced(), "derived( derived) early( early) 1 1");
}
END_TEST

static void *
b46(void *arg)
{
	struct task *t task_auto = NULL;

	SPAWN(body_note, "never", &t);
	need(start_in(t, body_note, "neither") == 0);
	need(task_halt(t, NULL) == 0);
	note("%d", task_outcome(t) == TASK_HALTED);
	return NULL;
}

START_TEST(b46_a_task_halted_before_it_ran_never_runs_also_with_children)
{
	run_flow(b46, NULL);
	ck_assert_str_eq(traced(), "1");
}
END_TEST

static void *
b80(void *arg)
{
	struct task *inner task_auto = NULL;

	need(scope_open(scope_current(), "inner", &inner) == 0);
	need(start_in(inner, body_fail_later, "inside") == 0);
	flow_suspend();
	return NULL;
}

START_TEST(b80_a_failure_in_an_opened_scope_is_its_owners)
{
	run_flow(b80, NULL);
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_str_eq(harness_err.text, "inside");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_scope");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(c, b3_a_body_gets_the_value_of_each_operation_in_order);
	HARNESS_ADD(c, b5_an_error_of_a_future_from_outside_can_be_caught);
	HARNESS_ADD(c, b21_halting_a_parent_halts_its_children);
	HARNESS_ADD(c, b32_the_owner_fails_whoever_else_saw_the_error);
	HARNESS_ADD(
	    c, b36_a_child_that_returns_during_halt_cleanup_disturbs_nothing);
	HARNESS_ADD(
	    c, b40_a_halt_passes_every_error_handler_and_only_cleanup_sees_it);
	HARNESS_ADD(
	    c, b55_halting_a_task_that_waits_for_a_slow_halt_waits_for_it_too);
	HARNESS_ADD(
	    c, b46_a_task_halted_before_it_ran_never_runs_also_with_children);
	HARNESS_ADD(
	    c, b79_b81_b86_a_scope_opened_by_a_callback_ends_all_its_tasks);
	HARNESS_ADD(c, b80_a_failure_in_an_opened_scope_is_its_owners);
	HARNESS_ADD(c, b82_ending_a_scope_whose_task_failed_succeeds);
	HARNESS_ADD(c, b83_ending_a_scope_reports_an_error_of_its_teardown);
	HARNESS_ADD(
	    c, b84_resources_are_closed_also_when_a_task_of_the_scope_failed);
	HARNESS_ADD(c, b85_each_task_of_a_scope_has_context_values_of_its_own);
	HARNESS_ADD(c, b87_a_scope_that_is_ending_refuses_tasks);
	HARNESS_ADD(c, b88_a_scope_ends_those_opened_in_it_first);
	return harness_main(s, c);
}
