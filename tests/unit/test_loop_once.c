/* SPDX-License-Identifier: MIT */
/* What common/loop/once.c promises. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/loop/once.h"

#define N 200 /* more than one batch */

static int fds[N][2];
static struct loop_once onces[N];
static unsigned n_told, told[N];
static unsigned stops;   /* the first that is told stops the others */
static unsigned changes; /* it lets them watch for this instead */
static unsigned n_for_nothing;

static void
on_ready(unsigned events, void *arg)
{
	struct loop_once *const once = arg;

	n_told++;
	n_for_nothing += events == 0;
	told[once - onces] += events;
	for (unsigned i = 0; stops && i < N; i++)
		if (&onces[i] != once)
			loop_once_stop(&onces[i]);
	for (unsigned i = 0; changes && i < N; i++)
		if (&onces[i] != once)
			(void)loop_once_watch(&onces[i], changes);
	changes = 0;
}

static void
set_up(void)
{
	loop_open();
	n_told = stops = changes = n_for_nothing = 0;
	for (unsigned i = 0; i < N; i++) {
		told[i] = 0;
		ck_assert_int_eq(pipe(fds[i]), 0);
		loop_once_init(&onces[i], fds[i][0], on_ready, &onces[i]);
		ck_assert_int_eq(loop_once_watch(&onces[i], LOOP_READ), 0);
		ck_assert_int_eq(loop_once_watch(&onces[i], LOOP_READ), 0);
		ck_assert_int_eq(write(fds[i][1], "x", 1), 1);
	}
}

static void
turns(unsigned n)
{
	while (n-- > 0)
		loop_turn(false);
}

static void
tear_down(void)
{
	for (unsigned i = 0; i < N; i++) {
		loop_once_stop(&onces[i]);
		fd_close(&fds[i][0]);
		fd_close(&fds[i][1]);
	}
	/* Nothing is watched: there is nothing to wait for. */
	ck_assert(!loop_run());
	loop_close();
}

START_TEST(each_is_told_once_in_whatever_batches)
{
	set_up();
	loop_seed(_i ? 7 : 0);
	turns(10);
	ck_assert_uint_eq(n_told, N);
	for (unsigned i = 0; i < N; i++)
		ck_assert_uint_eq(told[i], LOOP_READ);
	ck_assert_int_eq(loop_once_arm(&onces[3]), 0);
	turns(2);
	ck_assert_uint_eq(n_told, N + 1);
	tear_down();
}
END_TEST

START_TEST(one_that_is_stopped_in_a_batch_is_not_told)
{
	set_up();
	stops = 1;
	turns(10);
	ck_assert_uint_eq(n_told, 1);
	tear_down();
}
END_TEST

START_TEST(one_that_changes_in_a_batch_is_told_what_it_watches_now)
{
	set_up();
	changes = LOOP_WRITE; /* which the reading end of a pipe never is */
	turns(10);
	ck_assert_uint_eq(n_told, 1);
	ck_assert_uint_eq(n_for_nothing, 0);
	ck_assert_int_eq(loop_once_watch(&onces[1], LOOP_READ), 0);
	ck_assert_int_eq(loop_once_watch(&onces[2], LOOP_READ), 0);
	turns(10);
	/* The one that was told first may be one of the two. */
	ck_assert_uint_ge(n_told, 2);
	ck_assert_uint_eq(n_for_nothing, 0);
	tear_down();
}
END_TEST

START_TEST(no_events_stop_and_others_are_told_again)
{
	set_up();
	turns(10);
	ck_assert_int_eq(loop_once_watch(&onces[0], 0), 0);
	ck_assert_int_eq(loop_once_watch(&onces[1], LOOP_READ | LOOP_WRITE), 0);
	turns(2);
	ck_assert_uint_eq(n_told, N + 1);
	ck_assert_uint_eq(told[0], LOOP_READ);
	ck_assert_uint_eq(told[1], 2 * LOOP_READ);
	tear_down();
}
END_TEST

START_TEST(without_a_descriptor_nothing_is_watched)
{
	struct loop_once once;

	loop_open();
	loop_once_init(&once, 9999, on_ready, &once);
	ck_assert_int_eq(loop_once_watch(&once, LOOP_READ), -EBADF);
	loop_once_stop(&once);
	ck_assert(!loop_run());
	loop_close();
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("loop_once");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	suite_add_tcase(s, c);
	tcase_add_loop_test(c, each_is_told_once_in_whatever_batches, 0, 2);
	tcase_add_test(c, one_that_is_stopped_in_a_batch_is_not_told);
	tcase_add_test(
	    c, one_that_changes_in_a_batch_is_told_what_it_watches_now);
	tcase_add_test(c, no_events_stop_and_others_are_told_again);
	tcase_add_test(c, without_a_descriptor_nothing_is_watched);
	srunner_run_all(r, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(r);
	srunner_free(r);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
