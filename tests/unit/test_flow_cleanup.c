/* SPDX-License-Identifier: MIT */
/* Cleanup, chapter 5 of the behaviours: finalisers, locals, shields. */
#include "common/flow/sleep.h"
#include "tests/unit/flow_bodies.h"

static int
finalise_by_failing(void *arg, struct err *err)
{
	flow_fail(-EBADF, "%s failed", (const char *)arg);
}

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
	run_two(b62_local, NULL, halt_arg);
	ck_assert_str_eq(traced(), "1 halted");
}
END_TEST

static void *
b64(void *arg)
{
	ENSURE(note_end, "last");
	ENSURE(finalise_by_failing, "f3");
	ENSURE(finalise_badly_aloud, "f2");
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
	ck_assert_int_eq(run_two(b71, NULL, halt_arg), TASK_HALTED);
	ck_assert_str_eq(traced(), "inside still end halted");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_cleanup");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(
	    c, b56_b58_b68_b69_b70_finalisers_run_in_reverse_one_at_a_time);
	HARNESS_ADD(c, b59_b60_b61_cleanup_may_wait_spawn_and_acquire);
	HARNESS_ADD(c, b62_suspending_in_cleanup_returns_at_once);
	HARNESS_ADD(c, b62_waiting_in_the_cleanup_of_a_local_returns_at_once);
	HARNESS_ADD(
	    c, b64_b65_b66_errors_in_cleanup_supersede_and_none_is_lost);
	HARNESS_ADD(
	    c, b71_b72_a_shield_delays_a_halt_until_the_outermost_is_left);
	return harness_main(s, c);
}
