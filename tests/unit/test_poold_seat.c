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

#define N       8
#define WAIT_MS 4000
#define ENOUGH  1000 /* the score of one that was idle as long as its start */

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
	seats_init(&seats, 3, WAIT_MS, on_place, on_wanted);
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
		seat_wait(&seats, &seat[i], now_ms);
	seat_wait(
	    &seats, &seat[4], now_ms); /* again: it keeps its place in line */
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
	seat_wait(&seats, &seat[3], now_ms);
	seats_look(&seats, now_ms);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 1);
	ck_assert_int_eq(wanted[0], 2);
	seat_wait(&seats, &seat[4], now_ms);
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
	seat_wait(&seats, &seat[3], now_ms);
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
	seat_wait(&seats, &seat[3], now_ms);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 0);
	ck_assert_int_eq(seats.again_at_ms, -1);
	/* Its last exchange ended: a moment longer than a start takes. */
	seat_note(&seat[1], false, 0, now_ms);
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 0);
	ck_assert_int_eq(seats.again_at_ms, now_ms + 11);
	now_ms = seats.again_at_ms;
	seats_look(&seats, now_ms);
	ck_assert_uint_eq(n_wanted, 1);
	ck_assert_int_eq(wanted[0], 1);
	ck_assert_int_eq(seat[1].asked_ms, 11);
	ck_assert_int_eq(seats.again_at_ms, -1);
}
END_TEST

/* Play the switchboard until somebody goes, from from_ms on. Returns who. */
static int
settle(const int64_t *idle_ms, int64_t from_ms)
{
	unsigned answered = 0;

	for (int turns = 0; turns < 64; turns++) {
		seats_look(&seats, now_ms);
		if (answered == n_wanted && seats.again_at_ms < 0)
			return -1;
		if (answered == n_wanted) {
			ck_assert_int_gt(seats.again_at_ms, now_ms);
			now_ms = seats.again_at_ms;
			continue;
		}
		struct seat *const s = &seat[wanted[answered++ % 64]];
		const bool is_busy = idle_ms[index_of(s)] < 0;
		const int64_t idle = idle_ms[index_of(s)] + now_ms - from_ms;
		if (!is_busy && idle >= s->asked_ms)
			return index_of(s);
		s->is_leaving = false;
		seat_note(s, is_busy, idle, now_ms);
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
	seat_wait(&seats, &seat[3], now_ms);
	const int goes = settle(t->idle, now_ms);
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
		seat_wait(&seats, &seat[3], now_ms);
		const int64_t from_ms = now_ms;
		const int goes = settle(idle, from_ms);
		for (int i = 0; i < 3; i++) {
			if (idle[i] < 0)
				continue;
			ck_assert_int_ge(goes, 0);
			const int64_t later = now_ms - from_ms;
			const int64_t best = policy_score(
			    idle[goes] + later, seat[goes].cost_ms);
			const int64_t other =
			    policy_score(idle[i] + later, seat[i].cost_ms);
			/* A better one that stays was not idle long enough. */
			ck_assert(
			    best >= other || (best < ENOUGH && other < ENOUGH));
		}
	}
}
END_TEST

/*
 * Two tenants, one place, each asking again as soon as it was answered, which
 * takes 2 ms; a start takes cost_ms. How often each was started in a minute,
 * and how many answers it got.
 */
static void
alternate(int64_t cost_ms, unsigned starts[2], unsigned answers[2])
{
	const int64_t end_ms = now_ms + 60000;
	int here = 0;

	seats_init(&seats, 1, WAIT_MS, on_place, on_wanted);
	seat_take(&seats, &seat[0]);
	while (now_ms < end_ms) {
		struct seat *const s = &seat[here], *const other =
							&seat[1 - here];
		now_ms += cost_ms;
		starts[here]++;
		seat_serve(s, cost_ms, now_ms);
		seat_wait(&seats, other, now_ms - cost_ms);
		s->is_idle = true;
		const unsigned before = n_wanted;
		while (n_wanted == before) {
			now_ms += 2; /* busy, then idle for a moment */
			answers[here]++;
			seat_note(s, false, 0, now_ms);
			seats_look(&seats, now_ms);
			ck_assert_int_le(
			    now_ms - other->since_ms, WAIT_MS - cost_ms);
		}
		ck_assert_int_eq(s->asked_ms, 0);
		seat_leave(&seats, s);
		seats_look(&seats, now_ms);
		ck_assert_int_eq(other->kind, SEAT_TAKEN);
		here = 1 - here;
	}
}

START_TEST(two_that_alternate_spend_little_of_their_time_on_starts)
{
	static const int64_t costs[] = { 0, 1, 5, 40, 350, 900 };
	const int64_t cost_ms = costs[_i];
	unsigned starts[2] = { 0 }, answers[2] = { 0 };

	alternate(cost_ms, starts, answers);
	ck_assert_int_le(abs((int)starts[0] - (int)starts[1]), 1);
	/* Half of the time at the most, a fifth where it can be afforded. */
	const int64_t lost_ms = (starts[0] + starts[1]) * cost_ms;
	ck_assert_int_le(lost_ms, cost_ms <= 250 ? 12000 + cost_ms : 31000);
	ck_assert_int_le(
	    labs((long)answers[0] - (long)answers[1]), 8 * (cost_ms + 10));
}
END_TEST

START_TEST(a_long_line_is_served_in_time)
{
	/* 40 wait for 2 places, whose tenants are never idle for long. */
	ck_assert_int_eq(policy_patience_ms(WAIT_MS, 2, 1), WAIT_MS / 4);
	ck_assert_int_eq(policy_patience_ms(WAIT_MS, 2, 2), WAIT_MS / 4);
	ck_assert_int_eq(policy_patience_ms(WAIT_MS, 2, 40), WAIT_MS / 80);
	ck_assert_int_eq(policy_patience_ms(WAIT_MS, 2, 4000000000u), 0);
	ck_assert_int_eq(policy_patience_ms(0, 2, 1), 0);
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
	tcase_add_loop_test(
	    all, two_that_alternate_spend_little_of_their_time_on_starts, 0, 6);
	tcase_add_test(all, a_long_line_is_served_in_time);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
