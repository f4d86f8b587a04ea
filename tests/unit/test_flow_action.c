/* SPDX-License-Identifier: MIT */
/*
 * Chapter 9 of the behaviours of common/flow: callbacks that a task waits for.
 * The number of each behaviour stands in the name of its test.
 */
#include "common/flow/action.h"
#include "common/flow/sleep.h"
#include "tests/unit/flow_harness.h"

static struct flow_action *saved_action;
static struct loop_timer action_timer;
static bool action_rejects;

static void
action_on_timer(void *arg)
{
	note("fires");
	if (action_rejects)
		flow_action_reject(saved_action, -EIO, "rejected");
	else
		flow_action_resolve(saved_action, arg);
	flow_action_resolve(saved_action, "ignored");
}

static int
action_setup(struct flow_action *a, void *arg)
{
	saved_action = a;
	loop_timer_init(&action_timer, action_on_timer, arg);
	loop_timer_set(&action_timer, clock_deadline_ms(10));
	return 0;
}

static int
action_discard(void *arg)
{
	loop_timer_clear(&action_timer);
	note("discarded");
	return 0;
}

static int
action_discard_badly(void *arg)
{
	note("discarded");
	return -ENOTTY;
}

static int
action_setup_resolves(struct flow_action *a, void *arg)
{
	flow_action_resolve(a, arg);
	return 0;
}

static int
action_setup_rejects(struct flow_action *a, void *arg)
{
	flow_action_reject(a, -EIO, "at once");
	return 0;
}

static int
action_setup_fails(struct flow_action *a, void *arg)
{
	return -EMFILE;
}

static void *
b100(void *arg)
{
	void *v = NULL;
	struct err err = { 0 };

	note("%d", flow_action(action_setup, action_discard, "v", CLOCK_NEVER,
		       &v, &err));
	note("%s", (char *)v);
	return NULL;
}

START_TEST(b100_b103_b104_an_action_resolves_once_and_discards_once)
{
	action_rejects = false;
	run_flow(b100, NULL);
	ck_assert_str_eq(traced(), "fires discarded 0 v");
}
END_TEST

static void *
b101(void *arg)
{
	void *v = NULL;
	struct err err = { 0 };

	note("%d", flow_action(action_setup, action_discard, "v", CLOCK_NEVER,
		       &v, &err) == -EIO);
	note("%s", err.text);
	return NULL;
}

START_TEST(b101_b104_an_action_rejects_with_the_error_given)
{
	action_rejects = true;
	run_flow(b101, NULL);
	ck_assert_str_eq(traced(), "fires discarded 1 rejected");
}
END_TEST

static void *
b102(void *arg)
{
	void *v = NULL;
	struct err err = { 0 };

	note("%d", flow_action(action_setup_resolves, action_discard, "now",
		       CLOCK_NEVER, &v, &err));
	note("%s", (char *)v);
	note("%d", flow_action(action_setup_rejects, action_discard, NULL,
		       CLOCK_NEVER, &v, &err) == -EIO);
	note("%s", err.text);
	note("%d", flow_action(action_setup_fails, action_discard, NULL,
		       CLOCK_NEVER, &v, &err) == -EMFILE);
	return NULL;
}

START_TEST(b102_b106_an_action_may_end_in_its_setup)
{
	run_flow(b102, NULL);
	ck_assert_str_eq(traced(), "discarded 0 now discarded 1 at once 1");
}
END_TEST

static void *
b105_child(void *arg)
{
	flow_action(action_setup, action_discard, "v", CLOCK_NEVER, NULL, NULL);
	note("not-reached");
	return NULL;
}

static void *
b105(void *arg)
{
	struct task *t task_auto = NULL;

	SPAWN(b105_child, NULL, &t);
	flow_sleep(1);
	need(task_halt(t, NULL) == 0);
	flow_sleep(100);
	return NULL;
}

START_TEST(b104_b105_b108_a_halted_action_discards_and_is_never_called)
{
	run_flow(b105, NULL);
	ck_assert_str_eq(traced(), "discarded");
}
END_TEST

static void *
b107(void *arg)
{
	struct err err = { 0 };

	note("%d", flow_action(action_setup_resolves, action_discard_badly,
		       NULL, CLOCK_NEVER, NULL, &err) == -ENOTTY);
	return NULL;
}

START_TEST(b107_a_failing_discard_fails_a_resolved_action)
{
	run_flow(b107, NULL);
	ck_assert_str_eq(traced(), "discarded 1");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_action");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(
	    c, b100_b103_b104_an_action_resolves_once_and_discards_once);
	HARNESS_ADD(c, b101_b104_an_action_rejects_with_the_error_given);
	HARNESS_ADD(c, b102_b106_an_action_may_end_in_its_setup);
	HARNESS_ADD(
	    c, b104_b105_b108_a_halted_action_discards_and_is_never_called);
	HARNESS_ADD(c, b107_a_failing_discard_fails_a_resolved_action);
	return harness_main(s, c);
}
