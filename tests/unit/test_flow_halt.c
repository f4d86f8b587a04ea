/* SPDX-License-Identifier: MIT */
/* Halting, chapter 4 of the behaviours: from whichever side, whenever. */
#include "common/flow/sleep.h"
#include "tests/unit/flow_bodies.h"

static void *
halt_and_look(void *arg)
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
	ck_assert_int_eq(run_two(b33, NULL, halt_and_look), TASK_HALTED);
	ck_assert_str_eq(traced(), "deep second first slow( slow) 0 1");
}
END_TEST

static void *
b36_two(void *arg)
{
	flow_sleep(1);
	SPAWN(halt_arg, arg, NULL);
	SPAWN(halt_arg, arg, NULL);
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
	ck_assert_int_eq(run_two(body_fail, "x", halt_arg), TASK_FAILED);
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
	ck_assert_int_eq(run_two(b42, NULL, halt_and_look), TASK_HALTED);
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
	ck_assert_int_eq(run_two(b49, NULL, halt_arg), TASK_FAILED);
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
	ck_assert_int_eq(run_two(b51, NULL, halt_arg), TASK_HALTED);
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

int
main(void)
{
	Suite *const s = suite_create("flow_halt");
	TCase *const c = tcase_create("behaviours");

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
	return harness_main(s, c);
}
