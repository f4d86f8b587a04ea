/* SPDX-License-Identifier: MIT */
/*
 * Chapter 10 of the behaviours of common/flow: combinations. Numbers of the
 * behaviours stand in the names.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/flow/combine.h"
#include "common/flow/sleep.h"
#include "common/flow/wait.h"
#include "tests/unit/flow_harness.h"

/* A member: waits, then returns its text or fails with it. */
struct step {
	int ms;
	const char *text;
	bool fails;
	int slow_end_ms; /* 0: it ends at once */
	bool has_bad_end;
};

static int
finalise_badly(void *arg, struct err *err)
{
	return err_set(err, -EXDEV, NULL, "bad end");
}

static int
step_slow_end(void *arg, struct err *err)
{
	const struct step *const s = arg;

	note("%s(", s->text);
	flow_sleep(s->slow_end_ms);
	note("%s)", s->text);
	return 0;
}

static void *
step_body(void *arg)
{
	const struct step *const s = arg;

	note("+%s", s->text);
	if (s->slow_end_ms)
		ENSURE(step_slow_end, arg);
	if (s->has_bad_end)
		ENSURE(finalise_badly, NULL);
	if (s->ms)
		flow_sleep(s->ms);
	if (s->fails)
		flow_fail(-EIO, "%s", s->text);
	return (void *)s->text;
}

#define STEPS 3
/* Specs over steps, for one combination. */
static const struct task_spec *
specs_of(struct step *steps, struct task_spec *specs)
{
	for (int i = 0; i < STEPS; i++)
		specs[i] = SPEC(step_body, &steps[i]);
	return specs;
}

static void *
race_steps(void *arg)
{
	struct task_spec specs[STEPS];
	struct err err = { 0 };
	void *v = "none";
	size_t winner = 99;

	const int rc =
	    flow_race(specs_of(arg, specs), STEPS, &winner, &v, &err);
	note("%d", rc);
	if (rc == 0)
		note("%zu:%s", winner, (char *)v);
	else
		note("%s", err.text);
	return NULL;
}

START_TEST(b109_b111_b112_b113_the_first_wins_and_losers_are_torn_down)
{
	struct step steps[STEPS] = { { 50, "a", .slow_end_ms = 10 }, { 0, "b" },
		{ 50, "c", .slow_end_ms = 11 } };

	run_flow(race_steps, steps);
	ck_assert_str_eq(traced(), "+a +b +c a( c( a) c) 0 1:b");
}
END_TEST

START_TEST(b110_a_race_fails_if_the_first_to_end_failed)
{
	struct step steps[STEPS] = { { 50, "a" }, { 5, "b", .fails = true },
		{ 50, "c" } };
	char want[64];

	run_flow(race_steps, steps);
	snprintf(want, sizeof(want), "+a +b +c %d b", -EIO);
	ck_assert_str_eq(traced(), want);
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

START_TEST(b114_an_error_in_a_losers_teardown_is_reported)
{
	struct step steps[STEPS] = { { 50, "a", .has_bad_end = true },
		{ 0, "b" }, { 50, "c" } };
	char want[64];

	run_flow(race_steps, steps);
	snprintf(want, sizeof(want), "+a +b +c %d bad end", -EXDEV);
	ck_assert_str_eq(traced(), want);
}
END_TEST

static void *
empty_combinations(void *arg)
{
	note("%d", flow_race(NULL, 0, NULL, NULL, NULL) == -EINVAL);
	note("%d", flow_all(NULL, 0, NULL, NULL));
	note("%d", flow_settle(NULL, 0, NULL, NULL));
	return NULL;
}

START_TEST(b115_b116_a_race_of_nobody_is_an_error_and_all_of_nobody_is_done)
{
	run_flow(empty_combinations, NULL);
	ck_assert_str_eq(traced(), "1 0 0");
}
END_TEST

static void *
all_steps(void *arg)
{
	struct task_spec specs[STEPS];
	struct err err = { 0 };
	void *v[STEPS] = { 0 };

	const int rc = flow_all(specs_of(arg, specs), STEPS, v, &err);
	note("%d", rc);
	if (rc == 0)
		note("%s%s%s", (char *)v[0], (char *)v[1], (char *)v[2]);
	else
		note("%s", err.text);
	return NULL;
}

START_TEST(b117_all_returns_values_by_position)
{
	struct step steps[STEPS] = { { 9, "a" }, { 1, "b" }, { 5, "c" } };

	run_flow(all_steps, steps);
	ck_assert_str_eq(traced(), "+a +b +c 0 abc");
}
END_TEST

START_TEST(b118_b119_all_fails_at_the_first_error_after_tearing_down)
{
	struct step steps[STEPS] = { { 100000, "a", .slow_end_ms = 10 },
		{ 1, "b", .fails = true }, { 5, "c", .slow_end_ms = 10 } };
	char want[64];

	run_flow(all_steps, steps);
	snprintf(want, sizeof(want), "+a +b +c c( c) a( a) %d b", -EIO);
	ck_assert_str_eq(traced(), want);
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

static void *
all_halted(void *arg)
{
	struct task *t task_auto = NULL;

	SPAWN(all_steps, arg, &t);
	flow_sleep(1);
	need(task_halt(t, NULL) == 0);
	return NULL;
}

START_TEST(b120_b123_halting_a_combination_halts_members_in_reverse)
{
	struct step steps[STEPS] = { { 50, "a", .slow_end_ms = 10 },
		{ 50, "b", .slow_end_ms = 10 }, { 50, "c" } };

	run_flow(all_halted, steps);
	ck_assert_str_eq(traced(), "+a +b +c b( b) a( a)");
}
END_TEST

static void *
settle_steps(void *arg)
{
	struct task_spec specs[STEPS];
	struct flow_settled s[STEPS];

	need(flow_settle(specs_of(arg, specs), STEPS, s, NULL) == 0);
	note("%d:%s", s[0].code, (char *)s[0].value);
	note("%d:%s", s[1].code == -EIO, s[1].err.text);
	note("%d:%s", s[2].code, (char *)s[2].value);
	return NULL;
}

START_TEST(b121_settle_returns_each_outcome_and_halts_nobody)
{
	struct step steps[STEPS] = { { 9, "a" }, { 1, "b", .fails = true },
		{ 5, "c" } };

	run_flow(settle_steps, steps);
	ck_assert_str_eq(traced(), "+a +b +c 0:a 1:b 0:c");
}
END_TEST

static void *
timeouts(void *arg)
{
	struct step slow = { 50, "slow", .slow_end_ms = 10 };
	struct step fast = { 5, "fast" };
	void *v = NULL;

	const struct task_spec first = SPEC(step_body, &slow);
	note("%d", flow_timeout(&first, clock_deadline_ms(10), &v, NULL) ==
		       -ETIMEDOUT);
	const struct task_spec second = SPEC(step_body, &fast);
	note("%d", flow_timeout(&second, clock_deadline_ms(10), &v, NULL));
	note("%s", (char *)v);
	note("%d", (int)clock_now_ms());
	return NULL;
}

START_TEST(b122_a_timeout_halts_awaits_cleanup_and_clears_its_timer)
{
	run_flow(timeouts, NULL);
	ck_assert_str_eq(traced(), "+slow slow( slow) 1 +fast 0 fast 1025");
}
END_TEST

/* Every allocation of a combination refused once. */
static size_t chaos_at;

static void *
chaos_body(void *arg)
{
	static struct step steps[STEPS] = { { 1, "a" }, { 2, "b" },
		{ 3, "c" } };
	struct task_spec specs[STEPS];
	void *v[STEPS];

	specs_of(steps, specs);
	mem_fail_at(chaos_at);
	const int rc = flow_all(specs, STEPS, v, NULL);
	const bool was_reached = mem_count() >= chaos_at;
	mem_fail_at(0);
	need(rc == (was_reached ? -ENOMEM : 0));
	*(bool *)arg = was_reached;
	return NULL;
}

START_TEST(every_allocation_may_fail_and_the_call_says_so)
{
	bool was_reached = true;

	for (chaos_at = 1; was_reached; chaos_at++) {
		run_flow_plain(chaos_body, &was_reached);
		ck_assert_int_eq(harness_outcome, TASK_RETURNED);
	}
	ck_assert_uint_gt(chaos_at, 4);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_combine");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(
	    c, b109_b111_b112_b113_the_first_wins_and_losers_are_torn_down);
	HARNESS_ADD(c, b110_a_race_fails_if_the_first_to_end_failed);
	HARNESS_ADD(c, b114_an_error_in_a_losers_teardown_is_reported);
	HARNESS_ADD(c,
	    b115_b116_a_race_of_nobody_is_an_error_and_all_of_nobody_is_done);
	HARNESS_ADD(c, b117_all_returns_values_by_position);
	HARNESS_ADD(
	    c, b118_b119_all_fails_at_the_first_error_after_tearing_down);
	HARNESS_ADD(
	    c, b120_b123_halting_a_combination_halts_members_in_reverse);
	HARNESS_ADD(c, b121_settle_returns_each_outcome_and_halts_nobody);
	HARNESS_ADD(
	    c, b122_a_timeout_halts_awaits_cleanup_and_clears_its_timer);
	HARNESS_ADD(c, every_allocation_may_fail_and_the_call_says_so);
	return harness_main(s, c);
}
