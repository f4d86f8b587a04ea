/* SPDX-License-Identifier: MIT */
/* The event loop: timers, descriptors, deferred calls, the virtual clock. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/loop/loop.h"

static char trace[256];

static void
mark(void *arg)
{
	strcat(trace, arg);
}

static void
setup(void)
{
	trace[0] = '\0';
	loop_open();
}

static void
teardown(void)
{
	loop_close();
	clock_virtual_stop();
}

START_TEST(timers_fire_by_deadline_then_in_the_order_they_were_set)
{
	struct loop_timer t[4];

	clock_virtual_start(1);
	loop_timer_init(&t[0], mark, "d");
	loop_timer_init(&t[1], mark, "b");
	loop_timer_init(&t[2], mark, "c");
	loop_timer_init(&t[3], mark, "a");
	loop_timer_set(&t[0], 50);
	loop_timer_set(&t[1], 20);
	loop_timer_set(&t[2], 20);
	loop_timer_set(&t[3], 99);
	loop_timer_set(&t[3], 10);
	ck_assert(!loop_run());
	ck_assert_str_eq(trace, "abcd");
	ck_assert_int_eq(clock_now_ms(), 50);
	ck_assert(!loop_timer_is_set(&t[0]));
}
END_TEST

static struct loop_timer again;

static void
set_again(void *arg)
{
	strcat(trace, "x");
	if (strlen(trace) < 3)
		loop_timer_set(&again, clock_now_ms());
}

START_TEST(a_timer_set_by_a_timer_waits_for_the_next_turn)
{
	clock_virtual_start(1);
	loop_timer_init(&again, set_again, NULL);
	loop_timer_set(&again, 1);
	loop_turn(false);
	ck_assert_str_eq(trace, "x");
	loop_run();
	ck_assert_str_eq(trace, "xxx");
}
END_TEST

START_TEST(a_cleared_timer_never_fires)
{
	struct loop_timer t;

	clock_virtual_start(1);
	loop_timer_init(&t, mark, "x");
	loop_timer_set(&t, 5);
	loop_timer_clear(&t);
	loop_timer_clear(&t);
	loop_timer_set(&t, CLOCK_NEVER);
	ck_assert(!loop_run());
	ck_assert_str_eq(trace, "");
}
END_TEST

START_TEST(real_timers_wait_for_real_time)
{
	struct loop_timer t;
	const int64_t start = clock_now_ms();

	loop_timer_init(&t, mark, "x");
	loop_timer_set(&t, start + 20);
	ck_assert(!loop_run());
	ck_assert_str_eq(trace, "x");
	ck_assert_int_ge(clock_now_ms(), start + 20);
}
END_TEST

static int fds[2];
static struct loop_io io;

static void
on_ready(unsigned events, void *arg)
{
	char c;

	if (events & LOOP_WRITE) {
		strcat(trace, "w");
		loop_io_watch(&io, LOOP_READ);
		return;
	}
	must(read(fds[0], &c, 1) == 1);
	strcat(trace, "r");
	loop_stop();
}

START_TEST(a_descriptor_is_watched_until_it_is_stopped)
{
	must(pipe(fds) == 0);
	loop_io_init(&io, fds[0], on_ready, NULL);
	ck_assert_int_eq(loop_io_watch(&io, LOOP_READ), 0);
	ck_assert_int_eq(loop_io_watch(&io, LOOP_READ), 0);
	must(write(fds[1], "ab", 2) == 2);
	ck_assert(loop_run());
	ck_assert(loop_run());
	ck_assert_str_eq(trace, "rr");
	loop_io_stop(&io);
	loop_io_stop(&io);
	must(write(fds[1], "c", 1) == 1);
	ck_assert(!loop_run());
	ck_assert_str_eq(trace, "rr");
	ck_assert_int_eq(io.events, 0);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static int n_ready;

static void
count_ready(unsigned events, void *arg)
{
	n_ready++;
}

START_TEST(a_descriptor_that_stays_ready_does_not_hold_the_turn)
{
	struct loop_timer t;

	must(pipe(fds) == 0);
	must(write(fds[1], "a", 1) == 1);
	loop_io_init(&io, fds[0], count_ready, NULL);
	ck_assert_int_eq(loop_io_watch(&io, LOOP_READ), 0);
	loop_timer_init(&t, mark, "t");
	loop_timer_set(&t, clock_now_ms());
	ck_assert(loop_turn(true));
	ck_assert_str_eq(trace, "t");
	ck_assert(loop_turn(false));
	ck_assert_int_eq(n_ready, 2);
	loop_io_stop(&io);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_bad_descriptor_is_an_error_of_the_watch)
{
	struct loop_io bad;

	loop_io_init(&bad, 1 << 20, on_ready, NULL);
	ck_assert_int_eq(loop_io_watch(&bad, LOOP_READ), -EBADF);
	ck_assert_int_eq(bad.events, 0);
}
END_TEST

START_TEST(deferred_calls_run_once_before_the_loop_waits)
{
	struct loop_defer a = { .is_queued = false }, b = a, c = a;

	loop_defer(&a, mark, "a");
	loop_defer(&a, mark, "a");
	loop_defer(&b, mark, "b");
	loop_defer(&c, mark, "c");
	loop_defer_cancel(&b);
	loop_defer_cancel(&b);
	ck_assert(!loop_run());
	ck_assert_str_eq(trace, "ac");
}
END_TEST

static void
on_signal(int signo, void *arg)
{
	strcat(trace, "s");
	loop_stop();
}

START_TEST(a_signal_wakes_the_loop)
{
	struct loop_signal s;

	struct sigaction handled;

	ck_assert_int_eq(loop_signal_start(&s, SIGUSR1, on_signal, NULL), 0);
	ck_assert_int_eq(sigaction(SIGUSR1, NULL, &handled), 0);
	ck_assert(handled.sa_flags & SA_ONSTACK);
	raise(SIGUSR1);
	ck_assert(loop_run());
	ck_assert_str_eq(trace, "s");
	loop_signal_stop(&s);
	loop_signal_stop(&s);
}
END_TEST

static int hook_calls;

static bool
on_turn(void)
{
	strcat(trace, "h");
	return ++hook_calls < 3;
}

START_TEST(the_hook_is_called_until_it_has_nothing_more)
{
	loop_hook(on_turn);
	loop_turn(false);
	ck_assert_str_eq(trace, "hhh");
	loop_hook(NULL);
}
END_TEST

static struct loop_io seeded[2];
static bool stops_other;

static void
on_seeded(unsigned events, void *arg)
{
	struct loop_io *const mine = arg;

	strcat(trace, mine == &seeded[0] ? "0" : "1");
	loop_io_stop(mine);
	if (stops_other)
		loop_io_stop(&seeded[mine == &seeded[0]]);
}

/* Two ready descriptors and two equal deadlines under a seed. */
static void
run_seeded(uint64_t seed)
{
	struct loop_timer t[2];

	trace[0] = '\0';
	loop_seed(seed);
	for (int i = 0; i < 2; i++) {
		loop_timer_init(&t[i], mark, i ? "b" : "a");
		loop_timer_set(&t[i], 7);
		loop_io_init(&seeded[i], fds[1], on_seeded, &seeded[i]);
		must(loop_io_watch(&seeded[i], LOOP_WRITE) == 0);
	}
	ck_assert(!loop_run());
}

START_TEST(a_seed_permutes_ready_descriptors_and_equal_deadlines_only)
{
	char first[8];
	unsigned seen = 0;

	must(pipe(fds) == 0);
	clock_virtual_start(1);
	run_seeded(0);
	ck_assert_str_eq(trace + 2, "ab");
	for (uint64_t seed = 1; seed < 40; seed++) {
		run_seeded(seed);
		strcpy(first, trace);
		run_seeded(seed);
		ck_assert_str_eq(trace, first);
		seen |= 1u << (2 * (trace[0] == '1') + (trace[2] == 'b'));
		ck_assert_uint_eq(strspn(trace, "01"), 2);
		ck_assert_uint_eq(strspn(trace + 2, "ab"), 2);
	}
	ck_assert_uint_eq(seen, 15);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(a_descriptor_that_another_stopped_is_not_told_under_a_seed)
{
	must(pipe(fds) == 0);
	clock_virtual_start(1);
	stops_other = true;
	for (uint64_t seed = 0; seed < 8; seed++) {
		run_seeded(seed);
		ck_assert_uint_eq(strspn(trace, "01"), 1);
	}
	stops_other = false;
	close(fds[0]);
	close(fds[1]);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("loop_loop");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(
	    c, timers_fire_by_deadline_then_in_the_order_they_were_set);
	tcase_add_test(c, a_timer_set_by_a_timer_waits_for_the_next_turn);
	tcase_add_test(c, a_cleared_timer_never_fires);
	tcase_add_test(c, real_timers_wait_for_real_time);
	tcase_add_test(c, a_descriptor_is_watched_until_it_is_stopped);
	tcase_add_test(c, a_descriptor_that_stays_ready_does_not_hold_the_turn);
	tcase_add_test(c, a_bad_descriptor_is_an_error_of_the_watch);
	tcase_add_test(c, deferred_calls_run_once_before_the_loop_waits);
	tcase_add_test(c, a_signal_wakes_the_loop);
	tcase_add_test(c, the_hook_is_called_until_it_has_nothing_more);
	tcase_add_test(
	    c, a_seed_permutes_ready_descriptors_and_equal_deadlines_only);
	tcase_add_test(
	    c, a_descriptor_that_another_stopped_is_not_told_under_a_seed);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
