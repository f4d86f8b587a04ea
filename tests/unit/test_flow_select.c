/* SPDX-License-Identifier: MIT */
/* What common/flow/select.c promises: one task, the first of several things. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/flow/select.h"
#include "common/flow/sleep.h"
#include "tests/unit/flow_harness.h"

static int pipes[3][2];
static struct select set;

static void
open_pipes(void)
{
	for (int i = 0; i < 3; i++)
		harness_pipe(pipes[i]);
	select_init(&set);
}

/* Watch the read end of a pipe, told with its number. */
static void
watch(struct select_fd *f, intptr_t i)
{
	need(select_watch(&set, f, pipes[i][0], LOOP_READ, (void *)i) == 0);
}

static void
put(int i)
{
	need(write(pipes[i][1], "x", 1) == 1);
}

static void
get(int i)
{
	char c;

	need(read(pipes[i][0], &c, 1) == 1);
}

/* Wait, and note what came: a number, "post" or "late". */
static void
next(int64_t deadline_ms)
{
	struct select_fd *f;
	const int rc = select_next(&set, "a test", deadline_ms, &f);

	if (rc == -ETIMEDOUT)
		note("late");
	else if (rc == 0)
		note("post");
	else if (rc > 0)
		note("%d", (int)(intptr_t)f->arg);
}

/* -------------------------------------------------------------------- order */

static void *
in_order(void *arg)
{
	select_fd_auto struct select_fd a = { 0 }, b = { 0 }, c = { 0 };

	open_pipes();
	watch(&a, 0);
	watch(&b, 1);
	watch(&c, 2);
	put(2);
	flow_sleep(0);
	put(0);
	flow_sleep(0);
	put(1);
	flow_sleep(0);
	select_post(&set);
	select_post(&set);
	for (int i = 0; i < 5; i++)
		next(0);
	return NULL;
}

START_TEST(a_post_comes_first_then_descriptors_as_they_became_ready)
{
	run_flow(in_order, NULL);
	ck_assert_str_eq(traced(), "post 2 0 1 late");
}
END_TEST

/* ------------------------------------------------------------------ waiting */

static void *
writer(void *arg)
{
	flow_sleep(5);
	put(1);
	flow_sleep(5);
	select_post(&set);
	return NULL;
}

static void *
waits(void *arg)
{
	select_fd_auto struct select_fd a = { 0 }, b = { 0 };

	open_pipes();
	watch(&a, 0);
	watch(&b, 1);
	SPAWN(writer, NULL, NULL);
	next(clock_deadline_ms(1));
	next(CLOCK_NEVER);
	get(1);
	next(CLOCK_NEVER);
	next(clock_deadline_ms(1));
	return NULL;
}

START_TEST(it_waits_for_a_descriptor_a_post_or_its_deadline)
{
	run_flow(waits, NULL);
	ck_assert_str_eq(traced(), "late 1 post late");
}
END_TEST

static void
post_of_timer(void *arg)
{
	select_post(&set);
}

static void *
both_at_once(void *arg)
{
	struct loop_timer timer;

	select_init(&set);
	loop_timer_init(&timer, post_of_timer, NULL);
	loop_timer_set(&timer, clock_deadline_ms(5));
	next(clock_deadline_ms(5));
	next(0);
	loop_timer_clear(&timer);
	return NULL;
}

START_TEST(what_comes_with_the_deadline_is_told_once)
{
	run_flow_plain(both_at_once, NULL);
	ck_assert(
	    !strcmp(traced(), "post late") || !strcmp(traced(), "late post"));
}
END_TEST

/* ------------------------------------------------------------ kept, or again
 */

static void *
kept(void *arg)
{
	select_fd_auto struct select_fd a = { 0 }, b = { 0 };

	open_pipes();
	watch(&a, 0);
	watch(&b, 1);
	put(0);
	put(0);
	/* Its task is elsewhere, and the loop has nothing to do meanwhile. */
	flow_sleep(10);
	next(CLOCK_NEVER);
	get(0);
	put(1);
	flow_sleep(0);
	/* There is more in the first, but the second is ready before. */
	next(CLOCK_NEVER);
	get(1);
	next(CLOCK_NEVER);
	next(CLOCK_NEVER);
	get(0);
	next(clock_deadline_ms(10));
	return NULL;
}

START_TEST(what_is_not_read_out_is_told_again_after_others)
{
	run_flow(kept, NULL);
	ck_assert_str_eq(traced(), "0 1 0 0 late");
}
END_TEST

/* ----------------------------------------------------------- leaving, moving
 */

static void *
leaves(void *arg)
{
	select_fd_auto struct select_fd a = { 0 }, b = { 0 };

	open_pipes();
	watch(&a, 0);
	watch(&b, 1);
	put(0);
	put(1);
	flow_sleep(0);
	select_unwatch(&a);
	select_unwatch(&a);
	next(0);
	get(1);
	next(0);
	/* It may come back; what is there is told. */
	watch(&a, 0);
	next(CLOCK_NEVER);
	return NULL;
}

START_TEST(what_left_is_not_told_and_may_come_back)
{
	run_flow(leaves, NULL);
	ck_assert_str_eq(traced(), "1 late 0");
}
END_TEST

static void *
moves(void *arg)
{
	struct select other;
	struct select_fd *f;
	select_fd_auto struct select_fd a = { 0 };

	open_pipes();
	select_init(&other);
	watch(&a, 0);
	put(0);
	flow_sleep(0);
	select_move(&a, &other, "moved");
	next(0);
	if (select_next(&other, "a test", 0, &f) == LOOP_READ)
		note("%s", (char *)f->arg);
	get(0);
	put(0);
	if (select_next(&other, "a test", CLOCK_NEVER, &f) == LOOP_READ)
		note("%s", (char *)f->arg);
	return NULL;
}

START_TEST(what_is_moved_takes_along_what_was_not_told)
{
	run_flow(moves, NULL);
	ck_assert_str_eq(traced(), "late moved moved");
}
END_TEST

static void *
changes(void *arg)
{
	struct select_fd *f;
	select_fd_auto struct select_fd a = { 0 };

	open_pipes();
	need(select_watch(&set, &a, pipes[0][1], LOOP_READ, NULL) == 0);
	note("%d", select_next(&set, "a test", 0, &f) == -ETIMEDOUT);
	need(select_change(&a, LOOP_WRITE) == 0);
	note("%d", select_next(&set, "a test", CLOCK_NEVER, &f));
	note("%d", select_next(&set, "a test", 0, &f) == -ETIMEDOUT);
	/* What is not wanted any more is not told either. */
	flow_sleep(0);
	need(select_change(&a, LOOP_READ) == 0);
	next(0);
	return NULL;
}

START_TEST(the_events_wanted_may_change)
{
	run_flow(changes, NULL);
	ck_assert_str_eq(traced(), "1 2 1 late");
}
END_TEST

/* ------------------------------------------------------------------- refused
 */

static void *
refused(void *arg)
{
	struct select_fd f = { 0 };
	fd_auto int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	select_init(&set);
	note("%d", select_watch(&set, &f, 9999, LOOP_READ, NULL) == -EBADF);
	note("%d", select_watch(&set, &f, file, LOOP_READ, NULL) == -EPERM);
	select_unwatch(&f);
	next(0);
	return NULL;
}

START_TEST(what_cannot_be_watched_is_refused_and_leaves_nothing)
{
	run_flow(refused, NULL);
	ck_assert_str_eq(traced(), "1 1 late");
}
END_TEST

static void *
unarmed(void *arg)
{
	select_fd_auto struct select_fd a = { 0 };

	open_pipes();
	watch(&a, 0);
	put(0);
	next(CLOCK_NEVER);
	/* What the kernel knows no more it does not arm. */
	fd_close(&pipes[0][0]);
	next(0);
	next(clock_deadline_ms(10));
	select_unwatch(&a);
	next(0);
	return NULL;
}

START_TEST(what_the_kernel_will_not_say_is_told_all_the_same)
{
	run_flow_plain(unarmed, NULL);
	ck_assert_str_eq(traced(), "0 late 0 late");
}
END_TEST

/* ------------------------------------------------------------------ all gone
 */

static void *
closes(void *arg)
{
	select_fd_auto struct select_fd a = { 0 };

	open_pipes();
	watch(&a, 0);
	fd_close(&pipes[0][1]);
	/* Nobody reads it: it is told whenever its task waits, not between. */
	next(CLOCK_NEVER);
	flow_sleep(10);
	next(CLOCK_NEVER);
	select_unwatch(&a);
	next(clock_deadline_ms(1));
	return NULL;
}

START_TEST(a_peer_that_is_gone_is_told_until_it_is_unwatched)
{
	run_flow_plain(closes, NULL);
	ck_assert_str_eq(traced(), "0 0 late");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_select");
	TCase *const c = tcase_create("all");

	HARNESS_ADD(
	    c, a_post_comes_first_then_descriptors_as_they_became_ready);
	HARNESS_ADD(c, it_waits_for_a_descriptor_a_post_or_its_deadline);
	HARNESS_ADD(c, what_comes_with_the_deadline_is_told_once);
	HARNESS_ADD(c, what_is_not_read_out_is_told_again_after_others);
	HARNESS_ADD(c, what_left_is_not_told_and_may_come_back);
	HARNESS_ADD(c, what_is_moved_takes_along_what_was_not_told);
	HARNESS_ADD(c, the_events_wanted_may_change);
	HARNESS_ADD(c, what_cannot_be_watched_is_refused_and_leaves_nothing);
	HARNESS_ADD(c, what_the_kernel_will_not_say_is_told_all_the_same);
	HARNESS_ADD(c, a_peer_that_is_gone_is_told_until_it_is_unwatched);
	return harness_main(s, c);
}
