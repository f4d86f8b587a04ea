/* SPDX-License-Identifier: MIT */
/*
 * Chapter 11 of the behaviours of common/flow, its second half: signals, and
 * loops over them. Numbers of the behaviours stand in the names.
 */
#include "common/flow/signal.h"
#include "common/flow/sleep.h"
#include "tests/unit/flow_harness.h"

static struct flow_signal signal_;

static void *
signal_listener(void *arg)
{
	flow_subscription_auto struct flow_subscription sub = { 0 };
	void *v;
	int rc;

	need(flow_signal_join(&signal_, &sub, 4, FLOW_SIGNAL_DROP_OLDEST) == 0);
	while ((rc = flow_signal_next(&sub, CLOCK_NEVER, &v)) == 0)
		note("%s%s", (char *)arg, (char *)v);
	note("%s%d%s", (char *)arg, rc == -EPIPE, (char *)v);
	return NULL;
}

static void *
b134(void *arg)
{
	struct task *t task_auto = NULL;

	flow_signal_init(&signal_);
	flow_signal_send(&signal_, "dropped");
	SPAWN(signal_listener, "a", NULL);
	SPAWN(signal_listener, "b", &t);
	flow_sleep(1);
	flow_signal_send(&signal_, "1");
	flow_signal_send(&signal_, "2");
	flow_signal_close(&signal_, "end");
	need(task_await(t, NULL, NULL) == 0);
	flow_signal_send(&signal_, "late");
	return NULL;
}

START_TEST(b134_b135_b138_b139_every_subscriber_gets_what_came_after_it)
{
	run_flow(b134, NULL);
	ck_assert_str_eq(traced(), "a1 a2 a1end b1 b2 b1end");
}
END_TEST

static void *
b136(void *arg)
{
	flow_subscription_auto struct flow_subscription drop = { 0 };
	flow_subscription_auto struct flow_subscription slow = { 0 };
	void *v;

	flow_signal_init(&signal_);
	need(
	    flow_signal_join(&signal_, &drop, 2, FLOW_SIGNAL_DROP_OLDEST) == 0);
	need(flow_signal_join(&signal_, &slow, 2, FLOW_SIGNAL_CLOSE_SLOW) == 0);
	flow_signal_send(&signal_, "1");
	flow_signal_send(&signal_, "2");
	flow_signal_send(&signal_, "3");
	for (int i = 0; i < 2; i++) {
		need(flow_signal_next(&drop, CLOCK_NEVER, &v) == 0);
		note("%s", (char *)v);
		need(flow_signal_next(&slow, CLOCK_NEVER, &v) == 0);
		note("%s", (char *)v);
	}
	note("%d", flow_signal_next(&drop, 0, &v) == -ETIMEDOUT);
	note("%d", flow_signal_next(&slow, 0, &v) == -ENOBUFS);
	return NULL;
}

START_TEST(b136_a_slow_subscriber_meets_its_declared_bound)
{
	run_flow(b136, NULL);
	ck_assert_str_eq(traced(), "2 1 3 2 1 1");
}
END_TEST

static void *
b137(void *arg)
{
	void *v = NULL;

	flow_signal_init(&signal_);
	for (int i = 0; i < 2; i++) {
		flow_subscription_auto struct flow_subscription sub = { 0 };
		need(flow_signal_join(
			 &signal_, &sub, 4, FLOW_SIGNAL_DROP_OLDEST) == 0);
		flow_signal_send(&signal_, i ? "second" : "first");
		need(flow_signal_next(&sub, CLOCK_NEVER, &v) == 0);
		note("%s", (char *)v);
		flow_signal_send(&signal_, "unread");
	}
	return NULL;
}

START_TEST(b137_a_later_subscription_is_not_told_what_was_before)
{
	run_flow(b137, NULL);
	ck_assert_str_eq(traced(), "first second");
}
END_TEST

static void
send_from_callback(void *arg)
{
	note("sent=%d", flow_signal_send(&signal_, arg));
}

static void *
b140(void *arg)
{
	flow_subscription_auto struct flow_subscription sub = { 0 };
	__attribute__((cleanup(loop_timer_clear))) struct loop_timer timer;
	void *v = NULL;

	loop_timer_init(&timer, send_from_callback, "raw");
	flow_signal_init(&signal_);
	need(flow_signal_join(&signal_, &sub, 4, FLOW_SIGNAL_DROP_OLDEST) == 0);
	loop_timer_set(&timer, clock_deadline_ms(5));
	need(flow_signal_next(&sub, CLOCK_NEVER, &v) == 0);
	note("%s", (char *)v);
	return NULL;
}

START_TEST(b140_a_callback_of_the_loop_may_send)
{
	run_flow(b140, NULL);
	ck_assert_str_eq(traced(), "sent=0 raw");
}
END_TEST

static struct flow_signal inner_signal;

/* Read signal_ to its end, and for each value inner_signal to its end. */
static void *
b142(void *arg)
{
	flow_subscription_auto struct flow_subscription outer = { 0 };
	void *a = NULL, *b = NULL;

	flow_signal_init(&signal_);
	need(flow_signal_join(&signal_, &outer, 4, FLOW_SIGNAL_DROP_OLDEST) ==
	     0);
	flow_signal_send(&signal_, "a");
	flow_signal_send(&signal_, "b");
	flow_signal_close(&signal_, "Z");
	while (flow_signal_next(&outer, CLOCK_NEVER, &a) == 0) {
		flow_subscription_auto struct flow_subscription inner = { 0 };
		flow_signal_init(&inner_signal);
		need(flow_signal_join(&inner_signal, &inner, 4,
			 FLOW_SIGNAL_DROP_OLDEST) == 0);
		flow_signal_send(&inner_signal, "1");
		flow_signal_send(&inner_signal, "2");
		flow_signal_close(&inner_signal, "end");
		while (flow_signal_next(&inner, CLOCK_NEVER, &b) == 0)
			note("%s%s", (char *)a, (char *)b);
		note("%s", (char *)b);
	}
	note("%s", (char *)a);
	return NULL;
}

START_TEST(b142_a_loop_sees_all_values_then_the_close_also_when_nested)
{
	run_flow(b142, NULL);
	ck_assert_str_eq(traced(), "a1 a2 end b1 b2 end Z");
}
END_TEST

static void *
b143(void *arg)
{
	void *v = NULL;

	flow_signal_init(&signal_);
	for (int i = 0; i < 3; i++) {
		flow_subscription_auto struct flow_subscription sub = { 0 };
		need(flow_signal_join(
			 &signal_, &sub, 4, FLOW_SIGNAL_DROP_OLDEST) == 0);
		flow_signal_send(&signal_, "1");
		flow_signal_send(&signal_, "2");
		need(flow_signal_next(&sub, CLOCK_NEVER, &v) == 0);
		note("%s", (char *)v);
		if (i == 1)
			break;
	}
	note("%d", TAILQ_EMPTY(&signal_.subscriptions));
	flow_sleep(1);
	note("on");
	return NULL;
}

START_TEST(b143_leaving_a_loop_early_unsubscribes)
{
	run_flow(b143, NULL);
	ck_assert_str_eq(traced(), "1 1 1 on");
}
END_TEST

static void *
b144_busy(void *arg)
{
	flow_subscription_auto struct flow_subscription sub = { 0 };
	void *v = NULL;

	need(flow_signal_join(&signal_, &sub, 8, FLOW_SIGNAL_DROP_OLDEST) == 0);
	while (flow_signal_next(&sub, CLOCK_NEVER, &v) == 0) {
		note("%s", (char *)v);
		flow_sleep(10);
	}
	return NULL;
}

static void *
b144(void *arg)
{
	static const char *const values[] = { "1", "2", "3", "4" };
	struct task *t task_auto = NULL;

	flow_signal_init(&signal_);
	SPAWN(b144_busy, NULL, &t);
	for (size_t i = 0; i < 4; i++) {
		flow_sleep(1);
		flow_signal_send(&signal_, (void *)values[i]);
	}
	flow_signal_close(&signal_, NULL);
	need(task_await(t, NULL, NULL) == 0);
	return NULL;
}

START_TEST(b144_nothing_is_lost_while_the_loop_waits_for_something_else)
{
	run_flow(b144, NULL);
	ck_assert_str_eq(traced(), "1 2 3 4");
}
END_TEST

static void *
b144b_child(void *arg)
{
	flow_sleep(1);
	flow_signal_send(&signal_, "last");
	flow_signal_close(&signal_, NULL);
	note("closed");
	flow_sleep(0);
	note("not-reached");
	return NULL;
}

static void *
b144b_parent(void *arg)
{
	flow_subscription_auto struct flow_subscription sub = { 0 };
	void *v = NULL;

	flow_signal_init(&signal_);
	need(flow_signal_join(&signal_, &sub, 4, FLOW_SIGNAL_DROP_OLDEST) == 0);
	SPAWN(b144b_child, NULL, NULL);
	while (flow_signal_next(&sub, CLOCK_NEVER, &v) == 0)
		note("%s", (char *)v);
	note("loop-over");
	return NULL;
}

START_TEST(b144b_a_child_that_ends_its_parents_loop_goes_no_further)
{
	run_flow(b144b_parent, NULL);
	ck_assert_str_eq(traced(), "closed last loop-over");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_signal");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(
	    c, b134_b135_b138_b139_every_subscriber_gets_what_came_after_it);
	HARNESS_ADD(c, b137_a_later_subscription_is_not_told_what_was_before);
	HARNESS_ADD(c, b140_a_callback_of_the_loop_may_send);
	HARNESS_ADD(
	    c, b142_a_loop_sees_all_values_then_the_close_also_when_nested);
	HARNESS_ADD(c, b143_leaving_a_loop_early_unsubscribes);
	HARNESS_ADD(
	    c, b144_nothing_is_lost_while_the_loop_waits_for_something_else);
	HARNESS_ADD(
	    c, b144b_a_child_that_ends_its_parents_loop_goes_no_further);
	HARNESS_ADD(c, b136_a_slow_subscriber_meets_its_declared_bound);
	return harness_main(s, c);
}
