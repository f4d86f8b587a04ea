/* SPDX-License-Identifier: MIT */
/* test_poold_again: how starts that fail are spaced, on the virtual clock. */
#include "poold/again.h"

#include <check.h>
#include <stdlib.h>

#include "common/base/clock.h"

static struct again again;

static void
setup(void)
{
	clock_virtual_start(5000);
	again = (struct again){ 0 };
}

static void
teardown(void)
{
	clock_virtual_stop();
}

/* A start that fails after ms. Returns the pause before the next one. */
static int64_t
fail_after(int64_t ms)
{
	again_begin(&again);
	clock_virtual_set(clock_now_ms() + ms);
	again_fail(&again);
	return again_pause_ms(&again);
}

START_TEST(pauses_begin_after_the_second_failure_and_double_to_a_bound)
{
	static const int64_t want[] = { 0, 100, 200, 400, 800, 1600, 3200, 6400,
		10000, 10000 };

	ck_assert_int_eq(again_pause_ms(&again), 0);
	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ck_assert_int_eq(again_is_prompt(&again), i < 2);
		ck_assert_int_eq(fail_after(1), want[i]);
	}
}
END_TEST

START_TEST(a_pause_passes_with_time)
{
	fail_after(0);
	ck_assert_int_eq(fail_after(0), 100);
	clock_virtual_set(clock_now_ms() + 60);
	ck_assert_int_eq(again_pause_ms(&again), 40);
	clock_virtual_set(clock_now_ms() + 60);
	ck_assert_int_eq(again_pause_ms(&again), 0);
}
END_TEST

START_TEST(a_good_run_is_what_ends_a_row_of_failures)
{
	fail_after(0);
	fail_after(0);
	ck_assert_int_eq(fail_after(AGAIN_GOOD_MS - 1), 200);
	ck_assert_int_eq(fail_after(AGAIN_GOOD_MS), 0);
	ck_assert(again_is_prompt(&again));
	ck_assert_int_eq(fail_after(0), 100);
}
END_TEST

START_TEST(without_times_only_success_ends_it)
{
	again_fail(&again);
	clock_virtual_set(clock_now_ms() + 2 * AGAIN_GOOD_MS);
	again_fail(&again);
	ck_assert_int_eq(again_pause_ms(&again), 100);
	again_forget(&again);
	again_fail(&again);
	ck_assert_int_eq(again_pause_ms(&again), 0);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_again");
	TCase *const all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(
	    all, pauses_begin_after_the_second_failure_and_double_to_a_bound);
	tcase_add_test(all, a_pause_passes_with_time);
	tcase_add_test(all, a_good_run_is_what_ends_a_row_of_failures);
	tcase_add_test(all, without_times_only_success_ends_it);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
