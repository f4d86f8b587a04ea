/* SPDX-License-Identifier: MIT */
/*
 * Chapters 11 and 13 of the behaviours of common/flow as far as they exist
 * here: latch, queue, sleep, descriptors. The number of each behaviour stands
 * in the name of its test.
 */
#include <unistd.h>

#include "common/flow/latch.h"
#include "common/flow/queue.h"
#include "common/flow/sleep.h"
#include "tests/unit/flow_harness.h"

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
sleeper(void *arg)
{
	flow_sleep(1000);
	note("not-reached");
	return NULL;
}

static void *
b152(void *arg)
{
	struct task *t task_auto = NULL;

	SPAWN(sleeper, NULL, NULL);
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

int
main(void)
{
	Suite *const s = suite_create("flow_wait");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(
	    c, b124_b125_a_latch_keeps_its_first_value_for_later_waiters);
	HARNESS_ADD(c, latch_wait_ends_at_its_deadline);
	HARNESS_ADD(
	    c, b126_b127_b128_b129_b133_an_item_goes_to_the_oldest_consumer);
	HARNESS_ADD(c, b130_b131_b132_close_comes_after_the_items_and_stays);
	HARNESS_ADD(c, b151_sleep_0_lets_the_loop_turn_once);
	HARNESS_ADD(c, b152_after_a_halted_sleep_nothing_is_left_to_wait_for);
	HARNESS_ADD(c, wait_fd_waits_for_a_descriptor_or_its_deadline);
	return harness_main(s, c);
}
