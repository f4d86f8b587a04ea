/* SPDX-License-Identifier: MIT */
/*
 * Places under max_backends, against a switchboard that knows the truth: who
 * waits is served in order, and the least valuable idle one goes.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "poold/policy.h"
#include "poold/seat.h"

#define N 8

static struct seats seats;
static struct seat seat[N];
static int given[64], wanted[64];
static unsigned n_given, n_wanted;
static int64_t now_ms;

static int
index_of(const struct seat *s)
{
	return (int)(s - seat);
}

static void
on_place(struct seat *s)
{
	given[n_given++ % 64] = index_of(s);
}

static void
on_wanted(struct seat *s)
{
	wanted[n_wanted++ % 64] = index_of(s);
}

static void
setup(void)
{
	memset(seat, 0, sizeof(seat));
	n_given = n_wanted = 0;
	now_ms = 1000000;
	seats_init(&seats, 3, on_place, on_wanted);
}

/* Seat i is ready and was busy until idle_ms ago, as far as poold knows. */
static void
sit(int i, int64_t idle_ms, int64_t cost_ms)
{
	seat_take(&seats, &seat[i]);
	seat[i].is_idle = true;
	seat[i].cost_ms = cost_ms;
	seat_note(&seat[i], false, idle_ms, now_ms);
}

START_TEST(places_are_given_in_the_order_of_asking)
{
	for (int i = 0; i < 3; i++)
		seat_take(&seats, &seat[i]);
	for (int i = 3; i < 6; i++)
		seat_wait(&seats, &seat[i]);
	seat_wait(&seats, &seat[4]); /* again: it keeps its place in line */
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_given, 0);
	seat_leave(&seats, &seat[4]); /* it gave up */
	seat_leave(&seats, &seat[1]);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_given, 1);
	ck_assert_int_eq(given[0], 3);
	seat_leave(&seats, &seat[0]);
	seat_leave(&seats, &seat[2]);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_given, 2);
	ck_assert_int_eq(given[1], 5);
	ck_assert_uint_eq(seats.n_taken, 2);
	ck_assert_uint_eq(seats.n_waiting, 0);
}
END_TEST

START_TEST(nobody_is_asked_to_go_while_nobody_waits)
{
	for (int i = 0; i < 3; i++)
		sit(i, 1000, 1);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 0);
}
END_TEST

START_TEST(one_is_asked_for_each_place_that_is_wanted)
{
	for (int i = 0; i < 3; i++)
		sit(i, 1000 + i, 1);
	seat_wait(&seats, &seat[3]);
	seats_look(&seats, now_ms);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 1);
	ck_assert_int_eq(wanted[0], 2);
	seat_wait(&seats, &seat[4]);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 2);
	ck_assert_int_eq(wanted[1], 1);
}
END_TEST

START_TEST(one_that_ends_anyway_counts)
{
	for (int i = 0; i < 3; i++)
		sit(i, 1000, 1);
	seat[0].is_idle = false;
	seat[0].is_leaving = true;
	seat_wait(&seats, &seat[3]);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 0);
	/* It thought better of it. */
	seat[0].is_leaving = false;
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 1);
}
END_TEST

START_TEST(who_is_not_idle_is_never_asked)
{
	for (int i = 0; i < 3; i++)
		sit(i, 1000, 1);
	seat[0].is_idle = false;
	seat_note(&seat[1], true, 0, now_ms);
	seat[2].is_idle = false;
	seat_wait(&seats, &seat[3]);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 0);
	/* The switchboard says that its last exchange ended: at once. */
	seat_note(&seat[1], false, 0, now_ms);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 1);
	ck_assert_int_eq(wanted[0], 1);
	ck_assert_int_eq(seat[1].asked_ms, 0);
}
END_TEST

/* Play the switchboard until somebody goes. Returns who. */
static int
settle(const int64_t *idle_ms)
{
	unsigned answered = 0;

	for (int turns = 0; turns < 64; turns++) {
		seats_look(&seats, now_ms);
		if (answered == n_wanted)
			return -1;
		struct seat *const s = &seat[wanted[answered++ % 64]];
		const int64_t idle = idle_ms[index_of(s)];
		if (idle >= 0 && idle >= s->asked_ms)
			return index_of(s);
		s->is_leaving = false;
		seat_note(s, idle < 0, idle, now_ms);
	}
	ck_abort_msg("it never settles");
	return -1;
}

struct truth {
	const char *why;
	int64_t guess[3], idle[3], cost[3]; /* idle -1: busy */
	int goes;
};

static const struct truth truths[] = {
	{ "the guess is right", { 10, 20, 30 }, { 10, 20, 30 }, { 1, 1, 1 },
	    2 },
	{ "the oldest guess was used since", { 900, 20, 30 }, { 5, 20, 30 },
	    { 1, 1, 1 }, 2 },
	{ "all were", { 900, 800, 700 }, { 3, 9, 6 }, { 1, 1, 1 }, 1 },
	{ "one has an exchange", { 900, 800, 700 }, { -1, 2, 3 }, { 1, 1, 1 },
	    2 },
	{ "all have one", { 900, 800, 700 }, { -1, -1, -1 }, { 1, 1, 1 }, -1 },
	{ "the dear one stays longer", { 300, 200, 100 }, { 300, 200, 100 },
	    { 500, 500, 1 }, 2 },
	{ "but not for ever", { 90000, 20, 30 }, { 90000, 20, 30 },
	    { 500, 1, 1 }, 0 },
	{ "this very millisecond", { 0, 0, 0 }, { 0, -1, 0 }, { 1, 1, 1 }, 0 },
};

START_TEST(the_least_valuable_one_of_all_goes_in_truth)
{
	const struct truth *const t = &truths[_i];

	for (int i = 0; i < 3; i++)
		sit(i, t->guess[i], t->cost[i]);
	seat_wait(&seats, &seat[3]);
	const int goes = settle(t->idle);
	ck_assert_msg(goes == t->goes, "%s: %d goes", t->why, goes);
}
END_TEST

START_TEST(whatever_the_truth_no_better_one_stays)
{
	srand(7);
	for (int round = 0; round < 2000; round++) {
		int64_t idle[3];
		setup();
		for (int i = 0; i < 3; i++) {
			idle[i] = rand() % 4 ? rand() % 5000 : -1;
			/* What poold knows is never less than the truth. */
			sit(i, (idle[i] < 0 ? 0 : idle[i]) + rand() % 3000,
			    rand() % 900);
		}
		seat_wait(&seats, &seat[3]);
		const int goes = settle(idle);
		for (int i = 0; i < 3; i++) {
			if (idle[i] < 0)
				continue;
			ck_assert_int_ge(goes, 0);
			ck_assert_int_ge(
			    policy_score(idle[goes], seat[goes].cost_ms),
			    policy_score(idle[i], seat[i].cost_ms));
		}
	}
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_seat");
	TCase *const all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, places_are_given_in_the_order_of_asking);
	tcase_add_test(all, nobody_is_asked_to_go_while_nobody_waits);
	tcase_add_test(all, one_is_asked_for_each_place_that_is_wanted);
	tcase_add_test(all, one_that_ends_anyway_counts);
	tcase_add_test(all, who_is_not_idle_is_never_asked);
	tcase_add_loop_test(all, the_least_valuable_one_of_all_goes_in_truth, 0,
	    sizeof(truths) / sizeof(truths[0]));
	tcase_add_test(all, whatever_the_truth_no_better_one_stays);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
