/* SPDX-License-Identifier: MIT */
/*
 * Chapters 9, 11 and 13 of the behaviours of common/flow as far as they exist
 * here: action, latch, queue, signal, sleep, descriptors, work. The number of
 * each behaviour stands in the name of its test.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/flow/action.h"
#include "common/flow/latch.h"
#include "common/flow/queue.h"
#include "common/flow/signal.h"
#include "common/flow/sleep.h"
#include "common/flow/work.h"
#include "tests/unit/flow_harness.h"

/* ---- 9. action ---- */

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

/* ---- 11. latch, queue, signal ---- */

static struct latch latch;

static void *
b124_waiter(void *arg)
{
	void *v = NULL;

	note("%d", latch_wait(&latch, "it", CLOCK_NEVER, &v));
	note("%s", (char *)v);
	return NULL;
}

static void *
b124(void *arg)
{
	struct task *t task_auto = NULL;

	latch_init(&latch);
	SPAWN(b124_waiter, NULL, NULL);
	flow_sleep(1);
	note("%d", latch_set(&latch, 7, "first"));
	note("%d", latch_set(&latch, 8, "second"));
	SPAWN(b124_waiter, NULL, &t);
	need(task_await(t, NULL, NULL) == 0);
	return NULL;
}

START_TEST(b124_b125_a_latch_keeps_its_first_value_for_later_waiters)
{
	run_flow(b124, NULL);
	ck_assert_str_eq(traced(), "1 0 7 first 7 first");
}
END_TEST

static void *
latch_times_out(void *arg)
{
	struct latch l;

	latch_init(&l);
	note("%d",
	    latch_wait(&l, "it", clock_deadline_ms(5), NULL) == -ETIMEDOUT);
	note("%d", latch_wait(&l, "it", 0, NULL) == -ETIMEDOUT);
	note("%d", (int)(clock_now_ms()));
	return NULL;
}

START_TEST(latch_wait_ends_at_its_deadline)
{
	run_flow(latch_times_out, NULL);
	ck_assert_str_eq(traced(), "1 1 1005");
}
END_TEST

static struct queue queue;

static void *
queue_consumer(void *arg)
{
	void *item = "none";
	const int rc = queue_next(&queue, CLOCK_NEVER, &item);

	note("%s:%d:%s", (char *)arg, rc, (char *)item);
	return NULL;
}

static void *
b127(void *arg)
{
	struct task *halted task_auto = NULL;

	harness_queue(&queue, 2);
	SPAWN(queue_consumer, "a", NULL);
	SPAWN(queue_consumer, "b", &halted);
	SPAWN(queue_consumer, "c", NULL);
	flow_sleep(1);
	need(queue_add(&queue, "1") == 0);
	flow_sleep(1);
	note("|");
	need(queue_add(&queue, "2") == 0);
	task_halt_soon(halted);
	flow_sleep(1);
	need(queue_add(&queue, "3") == 0);
	need(queue_add(&queue, NULL) == 0);
	note("full=%d", queue_add(&queue, "5") == -ENOBUFS);
	void *item = "";
	need(queue_next(&queue, CLOCK_NEVER, &item) == 0);
	note("%s", (char *)item);
	need(queue_next(&queue, CLOCK_NEVER, &item) == 0);
	note("null=%d", item == NULL);
	return NULL;
}

START_TEST(b126_b127_b128_b129_b133_an_item_goes_to_the_oldest_consumer)
{
	run_flow(b127, NULL);
	ck_assert_str_eq(traced(), "a:0:1 | c:0:2 full=1 3 null=1");
}
END_TEST

static void *
b130(void *arg)
{
	void *item = NULL;

	harness_queue(&queue, 4);
	need(queue_add(&queue, "last") == 0);
	queue_close(&queue, "end");
	note("%d", queue_add(&queue, "late") == -EPIPE);
	need(queue_next(&queue, CLOCK_NEVER, &item) == 0);
	note("%s", (char *)item);
	note("%d", queue_next(&queue, CLOCK_NEVER, &item) == -EPIPE);
	note("%s", (char *)item);
	note("%d", queue_next(&queue, CLOCK_NEVER, &item) == -EPIPE);
	return NULL;
}

static void *
b130_waiting(void *arg)
{
	struct task *t task_auto = NULL;

	harness_queue(&queue, 4);
	SPAWN(queue_consumer, "w", &t);
	flow_sleep(1);
	queue_close(&queue, "end");
	need(task_await(t, NULL, NULL) == 0);
	return NULL;
}

START_TEST(b130_b131_b132_close_comes_after_the_items_and_stays)
{
	char want[32];

	run_flow(b130, NULL);
	ck_assert_str_eq(traced(), "1 last 1 end 1");
	run_flow(b130_waiting, NULL);
	snprintf(want, sizeof(want), "w:%d:end", -EPIPE);
	ck_assert_str_eq(traced(), want);
}
END_TEST

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

/* ---- 13. time and descriptors ---- */

static struct loop_defer turn_defer;

static void
on_turn(void *arg)
{
	note("turn");
}

static void *
b151(void *arg)
{
	loop_defer(&turn_defer, on_turn, NULL);
	note("before");
	flow_sleep(0);
	note("after");
	return NULL;
}

START_TEST(b151_sleep_0_lets_the_loop_turn_once)
{
	run_flow(b151, NULL);
	ck_assert_str_eq(traced(), "before turn after");
}
END_TEST

static void *
b152(void *arg)
{
	struct task *t task_auto = NULL;

	SPAWN(b105_child, NULL, NULL);
	SPAWN(latch_times_out, NULL, &t);
	need(task_halt(t, NULL) == 0);
	return NULL;
}

START_TEST(b152_after_a_halted_sleep_nothing_is_left_to_wait_for)
{
	/* run_flow looks whether the loop has something to wait for */
	run_flow(b152, NULL);
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

static int pipe_fds[2];

static void *
fd_writer(void *arg)
{
	flow_sleep(5);
	need(write(pipe_fds[1], "x", 1) == 1);
	return NULL;
}

static void *
fd_reader(void *arg)
{
	harness_pipe(pipe_fds);
	note("%d", flow_wait_fd(pipe_fds[0], LOOP_READ, clock_deadline_ms(1)) ==
		       -ETIMEDOUT);
	SPAWN(fd_writer, NULL, NULL);
	note("%d",
	    flow_wait_fd(pipe_fds[0], LOOP_READ, CLOCK_NEVER) == LOOP_READ);
	note("%d",
	    flow_wait_fd(pipe_fds[1], LOOP_WRITE, CLOCK_NEVER) == LOOP_WRITE);
	note("%d", flow_wait_fd(9999, LOOP_READ, CLOCK_NEVER) == -EBADF);
	return NULL;
}

START_TEST(wait_fd_waits_for_a_descriptor_or_its_deadline)
{
	run_flow(fd_reader, NULL);
	ck_assert_str_eq(traced(), "1 1 1 1");
}
END_TEST

/* ---- work ---- */

static unsigned n_boxes; /* alive, on the loop's thread */

static int *
boxed(int n)
{
	int *const p = malloc(sizeof(*p));

	*p = n;
	n_boxes++;
	return p;
}

static void
unbox(void *p)
{
	free(p);
	n_boxes--;
}

static void *
work_double(void *arg)
{
	const int n = *(int *)arg;
	int *const out = malloc(sizeof(*out));

	*out = n * 2;
	return out;
}

static void
work_dispose(void *arg)
{
	note("disposed");
	unbox(arg);
}

static void
work_drop(void *value)
{
	note("dropped");
	free(value);
}

/* What a halted waiter left behind ends by itself: wait for that. */
static int
work_settles(void *arg, struct err *err)
{
	while (n_boxes)
		flow_sleep(1);
	return 0;
}

static void *
work_body(void *arg)
{
	struct flow_work_spec spec = { .name = "double",
		.fn = work_double,
		.dispose = work_dispose,
		.drop = work_drop };
	void *v = NULL;

	ENSURE(work_settles, NULL);
	spec.arg = boxed(21);
	note("%d", flow_work(&spec, CLOCK_NEVER, &v));
	need(v != NULL);
	note("%d", *(int *)v);
	free(v);
	return NULL;
}

START_TEST(work_runs_on_a_thread_and_its_value_comes_back)
{
	run_flow_real(work_body, NULL);
	ck_assert_str_eq(traced(), "disposed 0 42");
}
END_TEST

/* Whether SIGUSR2 is blocked, where this runs. */
static void *
work_mask(void *arg)
{
	int *const out = malloc(sizeof(*out));
	sigset_t mask;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	*out = sigismember(&mask, SIGUSR2);
	return out;
}

/* As work_settles; and SIGUSR2 is not blocked here. */
static int
work_unmasks(void *arg, struct err *err)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
	return work_settles(arg, err);
}

static void *
work_masked(void *arg)
{
	struct flow_work_spec spec = { .name = "mask",
		.fn = work_mask,
		.dispose = work_dispose,
		.drop = work_drop };
	sigset_t mask;
	void *v = NULL;

	ENSURE(work_unmasks, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	for (int how = SIG_BLOCK; how <= SIG_UNBLOCK; how++) {
		pthread_sigmask(how, &mask, NULL);
		spec.arg = boxed(0);
		need(flow_work(&spec, CLOCK_NEVER, &v) == 0);
		note("%d", *(int *)v);
		free(v);
	}
	return NULL;
}

START_TEST(work_has_the_signal_mask_of_who_asks_for_it)
{
	run_flow_real(work_masked, NULL);
	ck_assert_str_eq(traced(), "disposed 1 disposed 0");
}
END_TEST

static int gate[2];

static void *
work_wait_for_gate(void *arg)
{
	char c;

	if (read(gate[0], &c, 1) < 0)
		return NULL;
	return malloc(1);
}

static void *
work_halted_child(void *arg)
{
	const struct flow_work_spec spec = { .name = "gate",
		.fn = work_wait_for_gate,
		.arg = boxed(0),
		.dispose = work_dispose,
		.drop = work_drop };
	void *v = NULL;

	flow_work(&spec, CLOCK_NEVER, &v);
	free(v);
	note("not-reached");
	return NULL;
}

static int
work_open_gate(void *arg, struct err *err)
{
	must(write(gate[1], "x", 1) == 1);
	return work_settles(NULL, err);
}

static void *
work_halted(void *arg)
{
	struct task *t task_auto = NULL;

	harness_pipe(gate);
	ENSURE(work_open_gate, NULL);
	SPAWN(work_halted_child, NULL, &t);
	flow_sleep(0);
	need(task_halt(t, NULL) == 0);
	note("halted");
	return NULL;
}

START_TEST(work_that_nobody_waits_for_any_more_drops_its_value)
{
	run_flow_real(work_halted, NULL);
	ck_assert_str_eq(traced(), "halted disposed dropped");
}
END_TEST

/* Halts a task in the turn in which its work is reported, before it runs. */
static struct task *halted_when_done;

static void
dispose_and_halt(void *arg)
{
	unbox(arg);
	task_halt_soon(halted_when_done);
}

static void *
work_halted_when_done(void *arg)
{
	struct flow_work_spec spec = { .name = "double",
		.fn = work_double,
		.dispose = dispose_and_halt,
		.drop = work_drop };
	void *v = NULL;

	harness_handle(&halted_when_done);
	halted_when_done = task_ref(task_self());
	ENSURE(work_settles, NULL);
	spec.arg = boxed(21);
	flow_work(&spec, CLOCK_NEVER, &v);
	free(v);
	note("not-reached");
	return NULL;
}

START_TEST(work_that_is_done_when_its_waiter_is_halted_drops_its_value)
{
	run_flow_real(work_halted_when_done, NULL);
	ck_assert_str_eq(traced(), "dropped");
	ck_assert_int_eq(harness_outcome, TASK_HALTED);
}
END_TEST

static void *
alloc_failures(void *arg)
{
	struct task *t = NULL;
	const struct flow_work_spec work = { .name = "double",
		.fn = work_double,
		.arg = boxed(1),
		.dispose = work_dispose };
	const struct task_spec spec = { .name = "x",
		.body = work_body,
		.arg = boxed(1),
		.dispose = work_dispose };
	void *v;

	mem_fail_at(1);
	note("%d", task_spawn(&spec, &t) == -ENOMEM);
	mem_fail_at(1);
	note("%d", scope_ensure(NULL, NULL) == -ENOMEM);
	mem_fail_at(1);
	note("%d", flow_work(&work, CLOCK_NEVER, &v) == -ENOMEM);
	mem_fail_at(0);
	return NULL;
}

START_TEST(out_of_memory_is_an_error_of_the_call_that_needed_it)
{
	run_flow_plain(alloc_failures, NULL);
	ck_assert_str_eq(traced(), "disposed 1 1 disposed 1");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_wait");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(
	    c, b100_b103_b104_an_action_resolves_once_and_discards_once);
	HARNESS_ADD(c, b101_b104_an_action_rejects_with_the_error_given);
	HARNESS_ADD(c, b102_b106_an_action_may_end_in_its_setup);
	HARNESS_ADD(
	    c, b104_b105_b108_a_halted_action_discards_and_is_never_called);
	HARNESS_ADD(c, b107_a_failing_discard_fails_a_resolved_action);
	HARNESS_ADD(
	    c, b124_b125_a_latch_keeps_its_first_value_for_later_waiters);
	HARNESS_ADD(c, latch_wait_ends_at_its_deadline);
	HARNESS_ADD(
	    c, b126_b127_b128_b129_b133_an_item_goes_to_the_oldest_consumer);
	HARNESS_ADD(c, b130_b131_b132_close_comes_after_the_items_and_stays);
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
	HARNESS_ADD(c, b151_sleep_0_lets_the_loop_turn_once);
	HARNESS_ADD(c, b152_after_a_halted_sleep_nothing_is_left_to_wait_for);
	HARNESS_ADD(c, wait_fd_waits_for_a_descriptor_or_its_deadline);
	HARNESS_ADD(c, work_runs_on_a_thread_and_its_value_comes_back);
	HARNESS_ADD(c, work_has_the_signal_mask_of_who_asks_for_it);
	HARNESS_ADD(c, work_that_nobody_waits_for_any_more_drops_its_value);
	HARNESS_ADD(
	    c, work_that_is_done_when_its_waiter_is_halted_drops_its_value);
	HARNESS_ADD(c, out_of_memory_is_an_error_of_the_call_that_needed_it);
	return harness_main(s, c);
}
