/* SPDX-License-Identifier: MIT */
/*
 * Chapters 1 to 6 of the behaviours of common/flow; the number of each
 * behaviour stands in the name of its test.
 */
#include <stdlib.h>

#include "common/flow/latch.h"
#include "common/flow/sleep.h"
#include "tests/unit/flow_harness.h"

static int
finalise_badly(void *arg, struct err *err)
{
	note("%s", (const char *)arg);
	return err_set(err, -EIO, NULL, "%s is broken", (const char *)arg);
}

static int
finalise_by_failing(void *arg, struct err *err)
{
	flow_fail(-EBADF, "%s failed", (const char *)arg);
}

static void *
body_return(void *arg)
{
	return arg;
}

static void *
body_sleep(void *arg)
{
	noted(end, "cleaned");

	note("started");
	flow_sleep(1000);
	note("slept");
	return arg;
}

static void *
body_suspend(void *arg)
{
	noted(end, arg);

	flow_suspend();
	note("not-reached");
	return NULL;
}

static void *
body_slow_end(void *arg)
{
	ENSURE(note_slow_end, arg);
	flow_suspend();
	return NULL;
}

static void *
body_fail(void *arg)
{
	noted(end, "unwound");

	flow_fail(-EPERM, "%s", (const char *)arg);
}

static void *
body_fail_later(void *arg)
{
	flow_sleep(5);
	flow_fail(-EPERM, "%s", (const char *)arg);
}

static void *
body_note(void *arg)
{
	note("%s", (const char *)arg);
	return NULL;
}

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
	ck_assert_ptr_nonnull(strstr(harness_err.place, "test_flow_task.c:"));
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

/* ---- 3. lifetime ---- */

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
body_bad_end(void *arg)
{
	ENSURE(finalise_badly, arg);
	flow_suspend();
	return NULL;
}

static void *
b30(void *arg)
{
	SPAWN(body_bad_end, "end", NULL);
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
	SPAWN(body_bad_end, "end", NULL);
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

/* ---- 4. halt ---- */

static void *
halter_once(void *arg)
{
	flow_sleep(1);
	note("%d", task_halt(arg, NULL));
	note("%d", task_await(arg, NULL, NULL) == -ECANCELED);
	return NULL;
}

static void *
b33_deep(void *arg)
{
	noted(end, "deep");

	flow_sleep(1000);
	note("not-reached");
	return NULL;
}

static void *
b33(void *arg)
{
	noted(first, "first");
	noted(second, "second");

	ENSURE(note_slow_end, "slow");
	need(scope_call(b33_deep, NULL, NULL, NULL) == 0);
	note("not-reached");
	return NULL;
}

START_TEST(b33_b34_b35_b47_b57_a_halt_unwinds_and_waits_for_cleanup)
{
	ck_assert_int_eq(run_two(b33, NULL, halter_once), TASK_HALTED);
	ck_assert_str_eq(traced(), "deep second first slow( slow) 0 1");
}
END_TEST

static void *
b36_halter(void *arg)
{
	need(task_halt(arg, NULL) == 0);
	note("halted");
	return NULL;
}

static void *
b36_two(void *arg)
{
	flow_sleep(1);
	SPAWN(b36_halter, arg, NULL);
	SPAWN(b36_halter, arg, NULL);
	flow_sleep(5);
	note("5ms");
	need(task_halt(arg, NULL) == 0);
	flow_sleep(1);
	return NULL;
}

START_TEST(b36b_b50_cleanup_runs_once_and_every_halter_waits_for_it)
{
	ck_assert_int_eq(run_two(body_slow_end, "end", b36_two), TASK_HALTED);
	ck_assert_str_eq(traced(), "end( 5ms end) halted halted");
}
END_TEST

static void *
b37(void *arg)
{
	struct task *t task_auto = NULL;
	void *v;

	SPAWN(body_return, "v", &t);
	flow_sleep(1);
	need(task_halt(t, NULL) == 0);
	need(task_await(t, &v, NULL) == 0);
	note("%s", (char *)v);
	return NULL;
}

START_TEST(b37_halting_a_completed_task_changes_nothing)
{
	run_flow(b37, NULL);
	ck_assert_str_eq(traced(), "v");
}
END_TEST

START_TEST(b38_halting_a_failed_task_succeeds)
{
	ck_assert_int_eq(run_two(body_fail, "x", b36_halter), TASK_FAILED);
	ck_assert_str_eq(traced(), "unwound halted");
}
END_TEST

static void *
b42(void *arg)
{
	ENSURE(note_slow_end, "end");
	return "value";
}

START_TEST(b42_b48_a_halt_in_teardown_skips_nothing_and_gives_halted)
{
	ck_assert_int_eq(run_two(b42, NULL, halter_once), TASK_HALTED);
	ck_assert_str_eq(traced(), "end( end) 0 1");
}
END_TEST

static void *
b49(void *arg)
{
	ENSURE(note_slow_end, "end");
	flow_fail(-EPERM, "mine");
}

START_TEST(b49_a_halt_in_the_teardown_of_a_failure_skips_nothing)
{
	ck_assert_int_eq(run_two(b49, NULL, b36_halter), TASK_FAILED);
	ck_assert_str_eq(traced(), "end( end) halted");
	ck_assert_str_eq(harness_err.text, "mine");
}
END_TEST

static void *
b43(void *arg)
{
	noted(end, "end");

	task_halt(task_self(), NULL);
	note("not-reached");
	return NULL;
}

START_TEST(b43_a_task_may_halt_itself)
{
	run_flow(b43, NULL);
	ck_assert_int_eq(harness_outcome, TASK_HALTED);
	ck_assert_str_eq(traced(), "end");
}
END_TEST

static void *
b44_child(void *arg)
{
	noted(end, "child");

	task_halt(arg, NULL);
	note("not-reached");
	return NULL;
}

static void *
b44(void *arg)
{
	noted(end, "parent");

	SPAWN(b44_child, task_self(), NULL);
	flow_suspend();
	return NULL;
}

START_TEST(b44_a_child_may_halt_its_parent)
{
	run_flow(b44, NULL);
	ck_assert_int_eq(harness_outcome, TASK_HALTED);
	ck_assert_str_eq(traced(), "parent child");
}
END_TEST

static void *
b45(void *arg)
{
	noted(end, "end");

	task_halt_soon(task_self());
	note("runs-on");
	flow_sleep(0);
	note("not-reached");
	return NULL;
}

START_TEST(b45_b52_halting_the_running_task_takes_effect_at_its_next_wait)
{
	run_flow(b45, NULL);
	ck_assert_int_eq(harness_outcome, TASK_HALTED);
	ck_assert_str_eq(traced(), "runs-on end");
}
END_TEST

static void
dispose_note(void *arg)
{
	note("disposed");
}

static void *
b46(void *arg)
{
	struct task *t task_auto = NULL;

	need(task_spawn(&(struct task_spec){ .name = "c",
			    .body = body_note,
			    .arg = "never",
			    .dispose = dispose_note },
		 &t) == 0);
	need(task_halt(t, NULL) == 0);
	note("%d", task_outcome(t) == TASK_HALTED);
	return NULL;
}

START_TEST(b46_a_task_halted_before_it_ran_never_runs)
{
	run_flow(b46, NULL);
	ck_assert_str_eq(traced(), "disposed 1");
}
END_TEST

static void *
b51(void *arg)
{
	ENSURE(note_slow_end, "first");
	SPAWN(body_fail_later, "late", NULL);
	ENSURE(note_slow_end, "second");
	flow_suspend();
	return NULL;
}

START_TEST(b51_a_child_failing_in_halt_cleanup_does_not_cut_it)
{
	ck_assert_int_eq(run_two(b51, NULL, b36_halter), TASK_HALTED);
	ck_assert_str_eq(traced(), "second( second) first( first) halted");
}
END_TEST

static int
b53_finaliser(void *arg, struct err *err)
{
	note("%d", task_halt(task_self(), NULL) == -EDEADLK);
	return 0;
}

static void *
b53(void *arg)
{
	ENSURE(b53_finaliser, NULL);
	return NULL;
}

START_TEST(b53_waiting_for_ones_own_halt_in_cleanup_is_an_error)
{
	run_flow(b53, NULL);
	ck_assert_str_eq(traced(), "1");
}
END_TEST

static struct task *b54_tasks[2];

static int
b54_finaliser(void *arg, struct err *err)
{
	(void)task_halt(b54_tasks[(intptr_t)arg], NULL);
	note("end%d", (int)(intptr_t)arg);
	return 0;
}

static void *
b54_body(void *arg)
{
	ENSURE(b54_finaliser, arg);
	flow_suspend();
	return NULL;
}

static void *
b54(void *arg)
{
	harness_handle(&b54_tasks[0]);
	harness_handle(&b54_tasks[1]);
	SPAWN(b54_body, (void *)1, &b54_tasks[0]);
	SPAWN(b54_body, (void *)0, &b54_tasks[1]);
	flow_sleep(1);
	task_halt_soon(b54_tasks[0]);
	need(task_halt(b54_tasks[1], NULL) == 0);
	need(task_halt(b54_tasks[0], NULL) == 0);
	note("over");
	return NULL;
}

START_TEST(b54_two_tasks_halting_each_other_in_cleanup_terminate)
{
	run_flow(b54, NULL);
	ck_assert_str_eq(traced(), "end0 end1 over");
}
END_TEST

static int
b54_child_finaliser(void *arg, struct err *err)
{
	note("%d", task_halt(arg, NULL) == -EDEADLK);
	return 0;
}

static void *
b54_child(void *arg)
{
	ENSURE(b54_child_finaliser, arg);
	return NULL;
}

static void *
b54_parent(void *arg)
{
	SPAWN(b54_child, task_self(), NULL);
	flow_suspend();
	return NULL;
}

START_TEST(b54_a_child_that_halts_its_parent_in_cleanup_terminates)
{
	run_flow(b54_parent, NULL);
	ck_assert_str_eq(traced(), "1");
	ck_assert_int_eq(harness_outcome, TASK_HALTED);
}
END_TEST

/* ---- 5. cleanup ---- */

static void *
b56(void *arg)
{
	ENSURE(note_end, "one");
	SPAWN(body_slow_end, "child", NULL);
	ENSURE(note_slow_end, "three");
	flow_sleep(1);
	return NULL;
}

START_TEST(b56_b58_b68_b69_b70_finalisers_run_in_reverse_one_at_a_time)
{
	run_flow(b56, NULL);
	ck_assert_str_eq(traced(), "three( three) child( child) one");
}
END_TEST

static int
b60_finaliser(void *arg, struct err *err)
{
	struct task *t task_auto = NULL;

	SPAWN(body_slow_end, "spawned", NULL);
	SPAWN(body_note, "awaited", &t);
	need(task_await(t, NULL, NULL) == 0);
	ENSURE(note_end, "acquired");
	return 0;
}

static void *
b60(void *arg)
{
	ENSURE(b60_finaliser, NULL);
	return NULL;
}

START_TEST(b59_b60_b61_cleanup_may_wait_spawn_and_acquire)
{
	run_flow(b60, NULL);
	ck_assert_str_eq(traced(), "awaited acquired spawned( spawned)");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

static int
b62_finaliser(void *arg, struct err *err)
{
	note("%d", flow_suspend() == -EDEADLK);
	return 0;
}

static void *
b62(void *arg)
{
	ENSURE(b62_finaliser, NULL);
	return NULL;
}

START_TEST(b62_suspending_in_cleanup_returns_at_once)
{
	run_flow(b62, NULL);
	ck_assert_str_eq(traced(), "1");
}
END_TEST

static void
wait_in_cleanup(int *unused)
{
	struct waitq q;

	waitq_init(&q);
	note("%d", waitq_wait(&q, "x", CLOCK_NEVER) == -ECANCELED);
}

static void *
b62_local(void *arg)
{
	__attribute__((cleanup(wait_in_cleanup))) int x = 0;

	flow_suspend();
	return (void *)(intptr_t)x;
}

START_TEST(b62_waiting_in_the_cleanup_of_a_local_returns_at_once)
{
	run_two(b62_local, NULL, b36_halter);
	ck_assert_str_eq(traced(), "1 halted");
}
END_TEST

static void *
b64(void *arg)
{
	ENSURE(note_end, "last");
	ENSURE(finalise_by_failing, "f3");
	ENSURE(finalise_badly, "f2");
	flow_fail(-EPERM, "body");
}

START_TEST(b64_b65_b66_errors_in_cleanup_supersede_and_none_is_lost)
{
	run_flow(b64, NULL);
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_uint_eq(harness_n_errs, 3);
	ck_assert_str_eq(harness_errs[0].text, "f3 failed");
	ck_assert_str_eq(harness_errs[1].text, "f2 is broken");
	ck_assert_str_eq(harness_errs[2].text, "body");
	ck_assert_str_eq(traced(), "f2 last");
}
END_TEST

static void *
b71_inside(void *arg)
{
	flow_sleep(10);
	note("inside");
	return arg;
}

static void *
b71_outer(void *arg)
{
	flow_shield(b71_inside, NULL);
	note("still");
	return arg;
}

static void *
b71(void *arg)
{
	noted(end, "end");

	flow_shield(b71_outer, NULL);
	note("not-reached");
	return NULL;
}

START_TEST(b71_b72_a_shield_delays_a_halt_until_the_outermost_is_left)
{
	ck_assert_int_eq(run_two(b71, NULL, b36_halter), TASK_HALTED);
	ck_assert_str_eq(traced(), "inside still end halted");
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
	HARNESS_ADD(
	    c, b33_b34_b35_b47_b57_a_halt_unwinds_and_waits_for_cleanup);
	HARNESS_ADD(
	    c, b36b_b50_cleanup_runs_once_and_every_halter_waits_for_it);
	HARNESS_ADD(c, b37_halting_a_completed_task_changes_nothing);
	HARNESS_ADD(c, b38_halting_a_failed_task_succeeds);
	HARNESS_ADD(
	    c, b42_b48_a_halt_in_teardown_skips_nothing_and_gives_halted);
	HARNESS_ADD(c, b49_a_halt_in_the_teardown_of_a_failure_skips_nothing);
	HARNESS_ADD(c, b43_a_task_may_halt_itself);
	HARNESS_ADD(c, b44_a_child_may_halt_its_parent);
	HARNESS_ADD(
	    c, b45_b52_halting_the_running_task_takes_effect_at_its_next_wait);
	HARNESS_ADD(c, b46_a_task_halted_before_it_ran_never_runs);
	HARNESS_ADD(c, b51_a_child_failing_in_halt_cleanup_does_not_cut_it);
	HARNESS_ADD(c, b53_waiting_for_ones_own_halt_in_cleanup_is_an_error);
	HARNESS_ADD(c, b54_two_tasks_halting_each_other_in_cleanup_terminate);
	HARNESS_ADD(c, b54_a_child_that_halts_its_parent_in_cleanup_terminates);
	HARNESS_ADD(
	    c, b56_b58_b68_b69_b70_finalisers_run_in_reverse_one_at_a_time);
	HARNESS_ADD(c, b59_b60_b61_cleanup_may_wait_spawn_and_acquire);
	HARNESS_ADD(c, b62_suspending_in_cleanup_returns_at_once);
	HARNESS_ADD(c, b62_waiting_in_the_cleanup_of_a_local_returns_at_once);
	HARNESS_ADD(
	    c, b64_b65_b66_errors_in_cleanup_supersede_and_none_is_lost);
	HARNESS_ADD(
	    c, b71_b72_a_shield_delays_a_halt_until_the_outermost_is_left);
	HARNESS_ADD(c, b74_b76_a_boundary_leaves_nothing_behind);
	HARNESS_ADD(
	    c, b77_an_error_of_an_outer_scopes_child_passes_an_inner_boundary);
	HARNESS_ADD(
	    c, b79_b80_a_callback_starts_a_task_whose_failure_is_the_owners);
	HARNESS_ADD(c, b86_b87_a_closing_scope_refuses_new_tasks);
	return harness_main(s, c);
}
