/* SPDX-License-Identifier: MIT */
/*
 * Child processes, intervals, tokens and back pressure of common/flow.
 * Numbers of the behaviours stand in the names.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/flow/interval.h"
#include "common/flow/process.h"
#include "common/flow/queue.h"
#include "common/flow/signal.h"
#include "common/flow/sleep.h"
#include "common/flow/token.h"
#include "tests/unit/flow_harness.h"

static int out[2];          /* what the children print */
static int64_t patience_ms; /* from SIGTERM to SIGKILL */

/* Start sh -c script; its stdout is the pipe out. */
static int
start(const char *script, int64_t stop_ms, bool is_daemon,
    struct flow_process **p_r, struct err *err)
{
	/* also gone when the test itself dies in the middle */
	const char *argv[] = { "setpriv", "--pdeathsig", "KILL", "sh", "-c",
		script, NULL };
	const struct flow_process_spec spec = { .argv = argv,
		.fds = { -1, out[1], -1 },
		.stop_ms = stop_ms,
		.is_daemon = is_daemon };

	return flow_process_start(&spec, p_r, err);
}

/* Wait until the children have printed a line; adds it to the trace. */
static void
read_line(void)
{
	char line[64];
	size_t n = 0;

	do {
		need(flow_wait_fd(out[0], LOOP_READ, CLOCK_NEVER) > 0);
		need(read(out[0], line + n, 1) == 1);
	} while (line[n++] != '\n');
	line[n - 1] = '\0';
	note("%s", line);
}

static void *
in_scope(void *arg)
{
	struct flow_process *p;

	need(start(arg, patience_ms, false, &p, NULL) == 0);
	read_line();
	return (void *)(intptr_t)flow_process_pid(p);
}

/* Run a script until its first line, end its scope, look what is left. */
static void *
ends_with_scope(void *arg)
{
	void *pid = NULL;

	harness_pipe(out);
	need(scope_call(in_scope, arg, &pid, NULL) == 0);
	fd_close(&out[1]);
	/* end of file: every process that held the pipe is gone */
	char c;
	while (flow_wait_fd(out[0], LOOP_READ, CLOCK_NEVER) > 0 &&
	       read(out[0], &c, 1) == 1)
		note("%c", c);
	note("%d", kill((pid_t)(intptr_t)pid, 0) < 0 && errno == ESRCH);
	return NULL;
}

START_TEST(b165_a_child_is_told_to_end_and_reaped_with_its_scope)
{
	patience_ms = 60000;
	run_flow_real(ends_with_scope,
	    "trap 'echo t; exit' TERM; echo up; while :; do :; done");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
	ck_assert_str_eq(traced(), "up t \n 1");
}
END_TEST

START_TEST(b165_a_child_that_ignores_it_is_killed_with_its_group)
{
	patience_ms = 50;
	run_flow_real(ends_with_scope,
	    "trap '' TERM; sleep 99 & echo up; while :; do sleep 9; done");
	ck_assert_str_eq(traced(), "up 1");
}
END_TEST

START_TEST(b165_what_outlives_the_leader_of_its_group_is_killed)
{
	run_flow_real(ends_with_scope, "sleep 99 & echo up; exit 0");
	ck_assert_str_eq(traced(), "up 1");
}
END_TEST

static void *
daemon_body(void *arg)
{
	struct flow_process *p;

	harness_pipe(out);
	need(start(arg, 200, true, &p, NULL) == 0);
	flow_suspend();
	return NULL;
}

START_TEST(b166_a_daemon_that_exits_fails_its_owner_with_its_status)
{
	run_flow_real(daemon_body, "exit 7");
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_int_eq(harness_err.code, -ECHILD);
	ck_assert_ptr_nonnull(strstr(harness_err.text, "status 7"));
	run_flow_real(daemon_body, "kill -9 $$");
	ck_assert_ptr_nonnull(strstr(harness_err.text, "signal 9"));
}
END_TEST

static void *
wait_body(void *arg)
{
	struct flow_process *p;
	struct err err = { 0 };
	int status = 0;

	harness_pipe(out);
	need(start("exit 3", 200, false, &p, NULL) == 0);
	need(flow_process_wait(p, CLOCK_NEVER, &status) == 0);
	note("%d", WEXITSTATUS(status));
	need(flow_process_wait(p, CLOCK_NEVER, &status) == 0);
	note("%d", WEXITSTATUS(status));
	const char *argv[] = { "/no/such/program", NULL };
	const struct flow_process_spec spec = { .argv = argv,
		.fds = { -1, -1, -1 } };
	note("%d", flow_process_start(&spec, &p, &err) == -ENOENT);
	note("%s", err.text);
	return NULL;
}

START_TEST(a_status_can_be_awaited_and_a_failed_start_is_said)
{
	run_flow_real(wait_body, NULL);
	ck_assert_str_eq(traced(), "3 3 1 cannot start /no/such/program");
}
END_TEST

/* ---- 13. intervals; 155 tokens ---- */

static void *
ticks(void *arg)
{
	flow_interval_auto struct flow_interval i = { .period_ms = 0 };

	flow_interval_start(&i, 10);
	for (int n = 0; n < 5; n++) {
		const int tick = (int)flow_interval_next(&i);
		note("%d@%d", tick, (int)clock_now_ms());
		if (n == 0)
			flow_sleep(35);
	}
	return NULL;
}

START_TEST(b153_ticks_are_kept_while_the_consumer_is_busy)
{
	run_flow(ticks, NULL);
	ck_assert_str_eq(traced(), "1@1010 2@1045 3@1045 4@1045 5@1050");
}
END_TEST

static struct flow_token *token;

static void *
token_owner(void *arg)
{
	need(flow_token_new(&token) == 0);
	note("%d", flow_token_is_set(token));
	if (arg)
		flow_fail(-EIO, "x");
	return NULL;
}

static int
token_end(void *arg, struct err *err)
{
	flow_token_unref(&token);
	return 0;
}

static void *
tokens(void *arg)
{
	ENSURE(token_end, NULL);
	for (int fails = 0; fails < 2; fails++) {
		(void)scope_call(
		    token_owner, fails ? "fails" : NULL, NULL, NULL);
		need(token != NULL);
		note("%d", flow_token_is_set(token));
		note("%d", flow_wait_fd(flow_token_fd(token), LOOP_READ,
			       CLOCK_NEVER) == LOOP_READ);
		flow_token_unref(&token);
	}
	return NULL;
}

START_TEST(b155_a_token_fires_when_its_scope_ends_by_any_path)
{
	run_flow(tokens, NULL);
	ck_assert_str_eq(traced(), "0 1 1 0 1 1");
}
END_TEST

/* ---- 11. back pressure ---- */

static struct queue queue;

static void *
producer(void *arg)
{
	static const char *const items[] = { "1", "2", "3" };

	for (int i = 0; i < 3; i++) {
		need(queue_put(&queue, (void *)items[i], CLOCK_NEVER) == 0);
		note("put%s", items[i]);
	}
	return NULL;
}

static void *
queue_back_pressure(void *arg)
{
	struct task *t task_auto = NULL;
	void *item;

	harness_queue(&queue, 1);
	SPAWN(producer, NULL, &t);
	for (int i = 0; i < 3; i++) {
		flow_sleep(1);
		need(queue_next(&queue, CLOCK_NEVER, &item) == 0);
		note("got%s", (char *)item);
	}
	need(task_await(t, NULL, NULL) == 0);
	need(queue_put(&queue, "x", CLOCK_NEVER) == 0);
	note("%d", queue_put(&queue, "y", clock_deadline_ms(1)) == -ETIMEDOUT);
	queue_close(&queue, NULL);
	note("%d", queue_put(&queue, "y", CLOCK_NEVER) == -EPIPE);
	return NULL;
}

START_TEST(a_producer_waits_while_the_queue_is_full)
{
	run_flow(queue_back_pressure, NULL);
	ck_assert_str_eq(traced(), "put1 got1 put2 got2 put3 got3 1 1");
}
END_TEST

static void *
late_producer(void *arg)
{
	note("%d", queue_put(&queue, "y", CLOCK_NEVER) == -EPIPE);
	return NULL;
}

static void *
queue_closed_while_full(void *arg)
{
	struct task *t task_auto = NULL;
	void *item = NULL;

	harness_queue(&queue, 1);
	need(queue_add(&queue, "x") == 0);
	SPAWN(late_producer, NULL, NULL);
	SPAWN(late_producer, NULL, &t);
	flow_sleep(1);
	queue_close(&queue, NULL);
	need(task_await(t, NULL, NULL) == 0);
	need(queue_next(&queue, 0, &item) == 0);
	note("%s", (char *)item);
	return NULL;
}

START_TEST(b132_a_close_tells_producers_that_wait_for_room)
{
	run_flow(queue_closed_while_full, NULL);
	ck_assert_str_eq(traced(), "1 1 x");
}
END_TEST

static void *
putter(void *arg)
{
	need(queue_put(&queue, arg, CLOCK_NEVER) == 0);
	note("put%s", (char *)arg);
	return NULL;
}

static void *
room_passes_on(void *arg)
{
	struct task *first task_auto = NULL;
	void *item = NULL;

	harness_queue(&queue, 1);
	need(queue_add(&queue, "0") == 0);
	SPAWN(putter, "1", &first);
	SPAWN(putter, "2", NULL);
	flow_sleep(1);
	need(queue_next(&queue, 0, &item) == 0);
	task_halt_soon(first);
	flow_sleep(1);
	need(queue_next(&queue, 0, &item) == 0);
	note("%s", (char *)item);
	return NULL;
}

START_TEST(b129_room_that_a_halted_producer_was_given_goes_to_the_next)
{
	run_flow(room_passes_on, NULL);
	ck_assert_str_eq(traced(), "put2 2");
}
END_TEST

static struct flow_signal channel;

static void *
channel_listener(void *arg)
{
	flow_subscription_auto struct flow_subscription sub = { 0 };
	void *v;

	need(flow_signal_join(&channel, &sub, 1, FLOW_SIGNAL_WAIT) == 0);
	while (flow_signal_next(&sub, CLOCK_NEVER, &v) == 0) {
		note("got%s", (char *)v);
		flow_sleep(5);
	}
	return NULL;
}

static void *
channel_back_pressure(void *arg)
{
	struct task *t task_auto = NULL;

	flow_signal_init(&channel);
	SPAWN(channel_listener, NULL, &t);
	flow_sleep(1);
	need(flow_signal_put(&channel, "1", CLOCK_NEVER) == 0);
	need(flow_signal_put(&channel, "2", CLOCK_NEVER) == 0);
	note("%d", flow_signal_send(&channel, "x") == -EAGAIN);
	note("%d",
	    flow_signal_put(&channel, "x", clock_deadline_ms(1)) == -ETIMEDOUT);
	need(flow_signal_put(&channel, "3", CLOCK_NEVER) == 0);
	note("@%d", (int)clock_now_ms());
	flow_signal_close(&channel, NULL);
	note("%d", flow_signal_put(&channel, "x", CLOCK_NEVER) == -EPIPE);
	need(task_await(t, NULL, NULL) == 0);
	return NULL;
}

START_TEST(b136_b144_a_sender_waits_for_a_subscriber_that_wants_it)
{
	run_flow(channel_back_pressure, NULL);
	ck_assert_str_eq(traced(), "got1 1 1 got2 @1006 1 got3");
}
END_TEST

static void *
slow_listener(void *arg)
{
	flow_subscription_auto struct flow_subscription sub = { 0 };

	need(flow_signal_join(&channel, &sub, 1, FLOW_SIGNAL_WAIT) == 0);
	flow_sleep(5);
	return NULL;
}

static void *
listener_leaves(void *arg)
{
	flow_signal_init(&channel);
	SPAWN(slow_listener, NULL, NULL);
	flow_sleep(1);
	need(flow_signal_put(&channel, "1", CLOCK_NEVER) == 0);
	need(flow_signal_put(&channel, "2", CLOCK_NEVER) == 0);
	note("@%d", (int)clock_now_ms());
	return NULL;
}

START_TEST(b139_a_sender_waits_no_longer_for_a_subscriber_that_left)
{
	run_flow(listener_leaves, NULL);
	ck_assert_str_eq(traced(), "@1005");
}
END_TEST

#define MANY 100

static void *
unbounded(void *arg)
{
	flow_subscription_auto struct flow_subscription sub = { 0 };
	void *v = NULL;
	int rc;
	intptr_t n = 0;

	harness_queue(&queue, QUEUE_UNBOUNDED);
	flow_signal_init(&channel);
	need(flow_signal_join(
		 &channel, &sub, QUEUE_UNBOUNDED, FLOW_SIGNAL_WAIT) == 0);
	for (intptr_t i = 0; i < MANY; i++) {
		need(queue_add(&queue, (void *)i) == 0);
		need(flow_signal_send(&channel, (void *)i) == 0);
		if (i % 3 == 0) {
			need(queue_next(&queue, 0, &v) == 0);
			need(v == (void *)n++);
		}
	}
	for (; n < MANY; n++)
		need(queue_next(&queue, 0, &v) == 0 && v == (void *)n);
	for (n = 0; (rc = flow_signal_next(&sub, 0, &v)) == 0; n++)
		must(v == (void *)n);
	need(rc == -ETIMEDOUT);
	note("%d", (int)n);
	return NULL;
}

START_TEST(b136_unbounded_must_be_said_and_loses_nothing)
{
	run_flow(unbounded, NULL);
	ck_assert_str_eq(traced(), "100");
}
END_TEST

static void *
once_sender(void *arg)
{
	flow_sleep(1);
	note("%d", TAILQ_EMPTY(&channel.subscriptions));
	need(flow_signal_send(&channel, "event") == 0);
	return NULL;
}

static void *
once(void *arg)
{
	void *v = NULL;

	flow_signal_init(&channel);
	SPAWN(once_sender, NULL, NULL);
	need(flow_signal_once(&channel, CLOCK_NEVER, &v) == 0);
	note("%s", (char *)v);
	note("%d", TAILQ_EMPTY(&channel.subscriptions));
	return NULL;
}

START_TEST(b154_once_listens_until_the_event_only)
{
	run_flow(once, NULL);
	ck_assert_str_eq(traced(), "0 event 1");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_process");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(c, b165_a_child_is_told_to_end_and_reaped_with_its_scope);
	HARNESS_ADD(c, b165_a_child_that_ignores_it_is_killed_with_its_group);
	HARNESS_ADD(c, b165_what_outlives_the_leader_of_its_group_is_killed);
	HARNESS_ADD(
	    c, b166_a_daemon_that_exits_fails_its_owner_with_its_status);
	HARNESS_ADD(c, a_status_can_be_awaited_and_a_failed_start_is_said);
	HARNESS_ADD(c, b153_ticks_are_kept_while_the_consumer_is_busy);
	HARNESS_ADD(c, b155_a_token_fires_when_its_scope_ends_by_any_path);
	HARNESS_ADD(c, a_producer_waits_while_the_queue_is_full);
	HARNESS_ADD(
	    c, b129_room_that_a_halted_producer_was_given_goes_to_the_next);
	HARNESS_ADD(
	    c, b139_a_sender_waits_no_longer_for_a_subscriber_that_left);
	HARNESS_ADD(c, b136_unbounded_must_be_said_and_loses_nothing);
	HARNESS_ADD(c, b132_a_close_tells_producers_that_wait_for_room);
	HARNESS_ADD(c, b136_b144_a_sender_waits_for_a_subscriber_that_wants_it);
	HARNESS_ADD(c, b154_once_listens_until_the_event_only);
	return harness_main(s, c);
}
