/* SPDX-License-Identifier: MIT */
/*
 * Chapters 8, 10 and 12 of the behaviours of common/flow: resources,
 * combinations, context values. Numbers of the behaviours stand in the names.
 */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/flow/combine.h"
#include "common/flow/context.h"
#include "common/flow/resource.h"
#include "common/flow/sleep.h"
#include "common/flow/wait.h"
#include "tests/unit/flow_harness.h"

static void *
body_note(void *arg)
{
	note("%s", (const char *)arg);
	return NULL;
}

/* Open a resource whose body is given; 0 or its error. */
static int
open_resource(task_body_fn *body, void *arg, void **value_r, struct err *err)
{
	const struct task_spec spec = SPEC(body, arg);

	return resource_open(&spec, value_r, err);
}

/* ---- 8. resources ---- */

static void *
resource_simple(void *arg)
{
	noted(end, arg);

	ENSURE(note_slow_end, "fin");
	resource_provide("value");
}

static void *
b89_function(void *arg)
{
	void *v = NULL;

	need(open_resource(resource_simple, arg, &v, NULL) == 0);
	note("%s", (char *)v);
	return NULL;
}

static void *
b89(void *arg)
{
	b89_function("one");
	b89_function("two");
	note("still");
	flow_sleep(1);
	return NULL;
}

START_TEST(b89_b90_b96_a_resource_lives_until_the_scope_ends)
{
	run_flow(b89, NULL);
	ck_assert_str_eq(
	    traced(), "value value still two fin( fin) one fin( fin)");
}
END_TEST

static void *
resource_fails(void *arg)
{
	ENSURE(note_end, "undone");
	flow_fail(-EACCES, "no entry");
}

static void *
resource_child_fails(void *arg)
{
	SPAWN(resource_fails, NULL, NULL);
	flow_suspend();
	return NULL;
}

static void *
b91(void *arg)
{
	struct err err = { 0 };
	void *v;

	note("%d", open_resource(resource_fails, NULL, &v, &err) == -EACCES);
	note("%s", err.text);
	note("%d",
	    open_resource(resource_child_fails, NULL, &v, &err) == -EACCES);
	flow_sleep(1);
	note("on");
	return NULL;
}

START_TEST(b91_b92_an_error_before_providing_is_the_acquirers)
{
	run_flow(b91, NULL);
	ck_assert_str_eq(traced(), "undone 1 no entry undone 1 on");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

static void *
fail_later(void *arg)
{
	flow_sleep(5);
	flow_fail(-EIO, "later");
}

static void *
resource_fails_later(void *arg)
{
	SPAWN(fail_later, NULL, NULL);
	resource_provide(NULL);
}

static void *
b93_body(void *arg)
{
	void *v;

	need(open_resource(resource_fails_later, NULL, &v, NULL) == 0);
	note("acquired");
	flow_suspend();
	return NULL;
}

START_TEST(b93_an_error_after_providing_fails_the_owner)
{
	run_flow(b93_body, NULL);
	ck_assert_str_eq(traced(), "acquired");
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_str_eq(harness_err.text, "later");
}
END_TEST

static void *
resource_slow_init(void *arg)
{
	ENSURE(note_end, "undone");
	flow_sleep(100);
	resource_provide(NULL);
}

static void *
b94_child(void *arg)
{
	void *v;

	open_resource(resource_slow_init, NULL, &v, NULL);
	note("not-reached");
	return NULL;
}

static void *
b94(void *arg)
{
	struct task *t task_auto = NULL;

	SPAWN(b94_child, NULL, &t);
	flow_sleep(1);
	need(task_halt(t, NULL) == 0);
	return NULL;
}

START_TEST(b94_a_halt_during_init_undoes_what_it_had_done)
{
	run_flow(b94, NULL);
	ck_assert_str_eq(traced(), "undone");
}
END_TEST

static void *
b95_child(void *arg)
{
	noted(end, "child");

	flow_suspend();
	return NULL;
}

static void *
resource_with_child(void *arg)
{
	SPAWN(b95_child, NULL, NULL);
	ENSURE(note_slow_end, "fin");
	flow_sleep(1);
	resource_provide(NULL);
}

static void *
b95(void *arg)
{
	void *v;

	need(open_resource(resource_with_child, NULL, &v, NULL) == 0);
	return NULL;
}

START_TEST(b95_a_resources_children_outlive_its_own_cleanup)
{
	run_flow(b95, NULL);
	ck_assert_str_eq(traced(), "fin( fin) child");
}
END_TEST

static void *
b97(void *arg)
{
	void *v;

	SPAWN(body_note, "sibling", NULL);
	need(open_resource(resource_simple, "end", &v, NULL) == 0);
	note("acquired");
	flow_sleep(1);
	return NULL;
}

START_TEST(b97_a_synchronous_init_lets_nobody_else_run)
{
	run_flow(b97, NULL);
	ck_assert_str_eq(traced(), "acquired sibling end fin( fin)");
}
END_TEST

static void *
b98(void *arg)
{
	struct err err = { 0 };
	void *v;

	note("%d", open_resource(body_note, "init", &v, &err) == -ENODATA);
	return NULL;
}

START_TEST(b98_a_resource_that_never_provides_is_an_error)
{
	run_flow(b98, NULL);
	ck_assert_str_eq(traced(), "init 1");
}
END_TEST

/* ---- 10. combinations ---- */

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

static void
dispose_count(void *arg)
{
	++*(int *)arg;
}

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

static void *
resource_careful(void *arg)
{
	if (scope_ensure(note_end, "fin") < 0)
		flow_fail(-ENOMEM, "no memory for a finaliser");
	resource_provide("value");
}

static void *
chaos_resource(void *arg)
{
	/* The resource, and with it its arg, outlives this frame. */
	static int n_disposed;
	void *v;

	n_disposed = 0;
	mem_fail_at(chaos_at);
	const int rc = resource_open(&(struct task_spec){ .name = "r",
					 .body = resource_careful,
					 .arg = &n_disposed,
					 .dispose = dispose_count },
	    &v, NULL);
	const bool was_reached = mem_count() >= chaos_at;
	mem_fail_at(0);
	need(!was_reached || rc == -ENOMEM || rc == 0);
	need(rc == 0 || n_disposed == 1);
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

/* ---- 12. context ---- */

static const struct flow_context colour = { .name = "colour" };
static const struct flow_context size_ = {
	.name = "size", .initial = "default", .has_initial = true
};

static void *
read_context(void *arg)
{
	void *v = "none";

	if (!flow_context_find(&colour, &v))
		v = "none";
	note("%s%s", (char *)arg, (char *)v);
	return NULL;
}

static void *
read_late(void *arg)
{
	flow_sleep(5);
	return read_context(arg);
}

static void *
b147_child(void *arg)
{
	need(flow_context_set(&colour, "red") == 0);
	SPAWN(read_late, "grandchild=", NULL);
	flow_sleep(10);
	return NULL;
}

static void *
b147(void *arg)
{
	void *v = NULL;

	need(flow_context_find(&size_, &v));
	note("%s", (char *)v);
	read_context("unset=");
	SPAWN(read_late, "early=", NULL);
	SPAWN(b147_child, NULL, NULL);
	flow_sleep(1);
	read_context("parent=");
	need(flow_context_set(&colour, "blue") == 0);
	flow_sleep(20);
	return NULL;
}

START_TEST(b146_b147_b149_a_value_is_seen_below_not_above_nor_beside)
{
	run_flow(b147, NULL);
	ck_assert_str_eq(traced(),
	    "default unset=none parent=none early=blue grandchild=red");
}
END_TEST

static void *
with_fails(void *arg)
{
	read_context("in=");
	flow_fail(-EIO, "x");
}

static void *
b148_scope(void *arg)
{
	flow_context_with(&colour, "inner", with_fails, NULL);
	return NULL;
}

static void *
b148(void *arg)
{
	need(flow_context_set(&colour, "outer") == 0);
	flow_context_with(&colour, "inner", read_context, "in=");
	read_context("out=");
	note("%d", scope_call(b148_scope, NULL, NULL, NULL) == -EIO);
	read_context("out=");
	return NULL;
}

START_TEST(b75_b148_with_restores_also_after_an_error)
{
	run_flow(b148, NULL);
	ck_assert_str_eq(traced(), "in=inner out=outer in=inner 1 out=outer");
}
END_TEST

static int
read_at_end(void *arg, struct err *err)
{
	void *v = "none";

	(void)flow_context_find(arg, &v);
	note("%s", (char *)v);
	return 0;
}

/* What a finaliser sees after the call that had a value was unwound. */
static void *
b148_unwound(void *arg)
{
	ENSURE(read_at_end, (void *)&colour);
	ENSURE(read_at_end, (void *)&size_);
	if (arg)
		need(flow_context_set(&colour, arg) == 0);
	flow_context_with(&size_, "inner", with_fails, NULL);
	return NULL;
}

static void *
b148_colour_unwound(void *arg)
{
	ENSURE(read_at_end, (void *)&colour);
	flow_context_with(&colour, "inner", with_fails, NULL);
	return NULL;
}

START_TEST(b148_with_restores_before_the_finalisers_of_its_scope)
{
	run_flow(b148_unwound, "outer");
	ck_assert_str_eq(traced(), "in=outer default outer");
	run_flow(b148_colour_unwound, NULL);
	ck_assert_str_eq(traced(), "in=inner none");
}
END_TEST

static void *
b150(void *arg)
{
	flow_context_expect(&colour);
	return NULL;
}

START_TEST(b150_expecting_an_unset_context_names_it)
{
	run_flow(b150, NULL);
	ck_assert_int_eq(harness_err.code, -ENOKEY);
	ck_assert_ptr_nonnull(strstr(harness_err.text, "colour"));
}
END_TEST

static void *
resource_sets(void *arg)
{
	need(flow_context_set(&colour, "hidden") == 0);
	resource_provide(NULL);
}

static void *
b99(void *arg)
{
	void *v;

	need(open_resource(resource_sets, NULL, &v, NULL) == 0);
	read_context("acquirer=");
	return NULL;
}

START_TEST(b99_context_set_in_a_resource_is_hidden_from_the_acquirer)
{
	run_flow(b99, NULL);
	ck_assert_str_eq(traced(), "acquirer=none");
}
END_TEST

START_TEST(every_allocation_of_a_resource_may_fail)
{
	bool was_reached = true;

	for (chaos_at = 1; was_reached; chaos_at++)
		run_flow_plain(chaos_resource, &was_reached);
	ck_assert_uint_gt(chaos_at, 3);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_combine");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(c, b89_b90_b96_a_resource_lives_until_the_scope_ends);
	HARNESS_ADD(c, b91_b92_an_error_before_providing_is_the_acquirers);
	HARNESS_ADD(c, b93_an_error_after_providing_fails_the_owner);
	HARNESS_ADD(c, b94_a_halt_during_init_undoes_what_it_had_done);
	HARNESS_ADD(c, b95_a_resources_children_outlive_its_own_cleanup);
	HARNESS_ADD(c, b97_a_synchronous_init_lets_nobody_else_run);
	HARNESS_ADD(c, b98_a_resource_that_never_provides_is_an_error);
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
	HARNESS_ADD(
	    c, b146_b147_b149_a_value_is_seen_below_not_above_nor_beside);
	HARNESS_ADD(c, b75_b148_with_restores_also_after_an_error);
	HARNESS_ADD(c, b148_with_restores_before_the_finalisers_of_its_scope);
	HARNESS_ADD(c, b150_expecting_an_unset_context_names_it);
	HARNESS_ADD(
	    c, b99_context_set_in_a_resource_is_hidden_from_the_acquirer);
	HARNESS_ADD(c, every_allocation_of_a_resource_may_fail);
	return harness_main(s, c);
}
