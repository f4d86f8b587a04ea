/* SPDX-License-Identifier: MIT */
/*
 * The life of a backend: each pair of state and event is exactly one row, and
 * what the table promises as a whole is walked here.
 */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#include "poold/life.h"

/* The whole table again, as the design says it: action and next state. */
#define N LIFE_NEVER
#define K LIFE_KEEP
static const struct life_move wanted[LIFE_N_STATES][LIFE_N_EVENTS] = {
#define GO(action, next)                   \
	{                                  \
		LIFE_##action, LIFE_##next \
	}
	[LIFE_GONE] = {
		[LIFE_UNBORN] = { N, LIFE_GONE },
		[LIFE_SERVES] = { N, LIFE_GONE },
		[LIFE_REFUSES] = { N, LIFE_GONE },
		[LIFE_LOST] = { N, LIFE_GONE },
		[LIFE_STILL] = { K, LIFE_GONE },
		[LIFE_CLAIMED] = { K, LIFE_GONE },
		[LIFE_RELEASED] = { K, LIFE_GONE },
		[LIFE_HELD] = { K, LIFE_GONE },
		[LIFE_EVICT] = { K, LIFE_GONE },
		[LIFE_SHUTDOWN] = { K, LIFE_GONE },
		[LIFE_HURRY] = { K, LIFE_GONE },
		[LIFE_CHANGED] = { K, LIFE_GONE },
		[LIFE_ASK] = GO(START, STARTING),
		[LIFE_WAITS] = GO(QUEUE, QUEUED),
		[LIFE_DUE] = { N, LIFE_GONE },
		[LIFE_ENDED] = { N, LIFE_GONE },
		[LIFE_FAILS] = { N, LIFE_GONE },
		[LIFE_FAILS_ON] = { N, LIFE_GONE },
		[LIFE_UNTAKEN] = { N, LIFE_GONE },
	},
	[LIFE_QUEUED] = {
		[LIFE_UNBORN] = { N, LIFE_QUEUED },
		[LIFE_SERVES] = { N, LIFE_QUEUED },
		[LIFE_REFUSES] = { N, LIFE_QUEUED },
		[LIFE_LOST] = { N, LIFE_QUEUED },
		[LIFE_STILL] = { K, LIFE_QUEUED },
		[LIFE_CLAIMED] = { K, LIFE_QUEUED },
		[LIFE_RELEASED] = { K, LIFE_QUEUED },
		[LIFE_HELD] = { K, LIFE_QUEUED },
		[LIFE_EVICT] = { K, LIFE_QUEUED },
		[LIFE_SHUTDOWN] = GO(FORGET, GONE),
		[LIFE_HURRY] = GO(FORGET, GONE),
		[LIFE_CHANGED] = { K, LIFE_QUEUED },
		[LIFE_ASK] = GO(START, STARTING),
		[LIFE_WAITS] = { K, LIFE_QUEUED },
		[LIFE_DUE] = GO(NO_PLACE, GONE),
		[LIFE_ENDED] = { N, LIFE_QUEUED },
		[LIFE_FAILS] = { N, LIFE_QUEUED },
		[LIFE_FAILS_ON] = { N, LIFE_QUEUED },
		[LIFE_UNTAKEN] = { N, LIFE_QUEUED },
	},
	[LIFE_STARTING] = {
		[LIFE_UNBORN] = GO(GIVE_UP, BACKOFF),
		[LIFE_SERVES] = GO(SERVE, READY),
		[LIFE_REFUSES] = GO(REFUSE, STOPPING),
		[LIFE_LOST] = { K, LIFE_STARTING },
		[LIFE_STILL] = { K, LIFE_STARTING },
		[LIFE_CLAIMED] = { K, LIFE_STARTING },
		[LIFE_RELEASED] = { K, LIFE_STARTING },
		[LIFE_HELD] = { K, LIFE_STARTING },
		[LIFE_EVICT] = { K, LIFE_STARTING },
		[LIFE_SHUTDOWN] = GO(TERMINATE, STOPPING),
		[LIFE_HURRY] = GO(KILL, KILLED),
		[LIFE_CHANGED] = { K, LIFE_STARTING },
		[LIFE_ASK] = { K, LIFE_STARTING },
		[LIFE_WAITS] = { K, LIFE_STARTING },
		[LIFE_DUE] = GO(TOO_LATE, KILLED),
		[LIFE_ENDED] = { N, LIFE_STARTING },
		[LIFE_FAILS] = GO(GIVE_UP, BACKOFF),
		[LIFE_FAILS_ON] = GO(GIVE_UP, FAILED),
		[LIFE_UNTAKEN] = GO(START_AGAIN, STARTING),
	},
	[LIFE_READY] = {
		[LIFE_UNBORN] = { N, LIFE_READY },
		[LIFE_SERVES] = { K, LIFE_READY },
		[LIFE_REFUSES] = { K, LIFE_READY },
		[LIFE_LOST] = GO(EXPECT_EXIT, STOPPING),
		[LIFE_STILL] = GO(STALL, KILLED),
		[LIFE_CLAIMED] = GO(TERMINATE, STOPPING),
		[LIFE_RELEASED] = { K, LIFE_READY },
		[LIFE_HELD] = { K, LIFE_READY },
		[LIFE_EVICT] = GO(YIELD, DRAINING),
		[LIFE_SHUTDOWN] = GO(TERMINATE, STOPPING),
		[LIFE_HURRY] = GO(KILL, KILLED),
		[LIFE_CHANGED] = { K, LIFE_READY },
		[LIFE_ASK] = GO(ANSWER, READY),
		[LIFE_WAITS] = { K, LIFE_READY },
		[LIFE_DUE] = GO(LET_GO, DRAINING),
		[LIFE_ENDED] = GO(BURY, GONE),
		[LIFE_FAILS] = GO(MOURN, BACKOFF),
		[LIFE_FAILS_ON] = GO(MOURN, FAILED),
		[LIFE_UNTAKEN] = { N, LIFE_READY },
	},
	[LIFE_DRAINING] = {
		[LIFE_UNBORN] = { N, LIFE_DRAINING },
		[LIFE_SERVES] = { K, LIFE_DRAINING },
		[LIFE_REFUSES] = { K, LIFE_DRAINING },
		[LIFE_LOST] = GO(EXPECT_EXIT, STOPPING),
		[LIFE_STILL] = GO(STALL, KILLED),
		[LIFE_CLAIMED] = GO(TERMINATE, STOPPING),
		[LIFE_RELEASED] = GO(TERMINATE, STOPPING),
		[LIFE_HELD] = GO(RESUME, READY),
		[LIFE_EVICT] = { K, LIFE_DRAINING },
		[LIFE_SHUTDOWN] = GO(TERMINATE, STOPPING),
		[LIFE_HURRY] = GO(KILL, KILLED),
		[LIFE_CHANGED] = { K, LIFE_DRAINING },
		[LIFE_ASK] = { K, LIFE_DRAINING },
		[LIFE_WAITS] = { K, LIFE_DRAINING },
		[LIFE_DUE] = GO(SERVE, READY),
		[LIFE_ENDED] = GO(BURY, GONE),
		[LIFE_FAILS] = GO(MOURN, BACKOFF),
		[LIFE_FAILS_ON] = GO(MOURN, FAILED),
		[LIFE_UNTAKEN] = { N, LIFE_DRAINING },
	},
	[LIFE_STOPPING] = {
		[LIFE_UNBORN] = { N, LIFE_STOPPING },
		[LIFE_SERVES] = { K, LIFE_STOPPING },
		[LIFE_REFUSES] = { K, LIFE_STOPPING },
		[LIFE_LOST] = { K, LIFE_STOPPING },
		[LIFE_STILL] = { K, LIFE_STOPPING },
		[LIFE_CLAIMED] = { K, LIFE_STOPPING },
		[LIFE_RELEASED] = { K, LIFE_STOPPING },
		[LIFE_HELD] = { K, LIFE_STOPPING },
		[LIFE_EVICT] = { K, LIFE_STOPPING },
		[LIFE_SHUTDOWN] = { K, LIFE_STOPPING },
		[LIFE_HURRY] = GO(KILL, KILLED),
		[LIFE_CHANGED] = { K, LIFE_STOPPING },
		[LIFE_ASK] = { K, LIFE_STOPPING },
		[LIFE_WAITS] = { K, LIFE_STOPPING },
		[LIFE_DUE] = GO(KILL, KILLED),
		[LIFE_ENDED] = GO(BURY, GONE),
		[LIFE_FAILS] = GO(MOURN, BACKOFF),
		[LIFE_FAILS_ON] = GO(MOURN, FAILED),
		[LIFE_UNTAKEN] = { N, LIFE_STOPPING },
	},
	[LIFE_KILLED] = {
		[LIFE_UNBORN] = { N, LIFE_KILLED },
		[LIFE_SERVES] = { K, LIFE_KILLED },
		[LIFE_REFUSES] = { K, LIFE_KILLED },
		[LIFE_LOST] = { K, LIFE_KILLED },
		[LIFE_STILL] = { K, LIFE_KILLED },
		[LIFE_CLAIMED] = { K, LIFE_KILLED },
		[LIFE_RELEASED] = { K, LIFE_KILLED },
		[LIFE_HELD] = { K, LIFE_KILLED },
		[LIFE_EVICT] = { K, LIFE_KILLED },
		[LIFE_SHUTDOWN] = { K, LIFE_KILLED },
		[LIFE_HURRY] = { K, LIFE_KILLED },
		[LIFE_CHANGED] = { K, LIFE_KILLED },
		[LIFE_ASK] = { K, LIFE_KILLED },
		[LIFE_WAITS] = { K, LIFE_KILLED },
		[LIFE_DUE] = GO(KILL_AGAIN, KILLED),
		[LIFE_ENDED] = GO(BURY, GONE),
		[LIFE_FAILS] = GO(MOURN, BACKOFF),
		[LIFE_FAILS_ON] = GO(MOURN, FAILED),
		[LIFE_UNTAKEN] = { N, LIFE_KILLED },
	},
	[LIFE_BACKOFF] = {
		[LIFE_UNBORN] = { N, LIFE_BACKOFF },
		[LIFE_SERVES] = { N, LIFE_BACKOFF },
		[LIFE_REFUSES] = { N, LIFE_BACKOFF },
		[LIFE_LOST] = { N, LIFE_BACKOFF },
		[LIFE_STILL] = { K, LIFE_BACKOFF },
		[LIFE_CLAIMED] = { K, LIFE_BACKOFF },
		[LIFE_RELEASED] = { K, LIFE_BACKOFF },
		[LIFE_HELD] = { K, LIFE_BACKOFF },
		[LIFE_EVICT] = { K, LIFE_BACKOFF },
		[LIFE_SHUTDOWN] = GO(FORGET, GONE),
		[LIFE_HURRY] = GO(FORGET, GONE),
		[LIFE_CHANGED] = GO(FORGET, GONE),
		[LIFE_ASK] = GO(START, STARTING),
		[LIFE_WAITS] = GO(QUEUE, QUEUED),
		[LIFE_DUE] = GO(FORGET, GONE),
		[LIFE_ENDED] = { N, LIFE_BACKOFF },
		[LIFE_FAILS] = { N, LIFE_BACKOFF },
		[LIFE_FAILS_ON] = { N, LIFE_BACKOFF },
		[LIFE_UNTAKEN] = { N, LIFE_BACKOFF },
	},
	[LIFE_FAILED] = {
		[LIFE_UNBORN] = { N, LIFE_FAILED },
		[LIFE_SERVES] = { N, LIFE_FAILED },
		[LIFE_REFUSES] = { N, LIFE_FAILED },
		[LIFE_LOST] = { N, LIFE_FAILED },
		[LIFE_STILL] = { K, LIFE_FAILED },
		[LIFE_CLAIMED] = { K, LIFE_FAILED },
		[LIFE_RELEASED] = { K, LIFE_FAILED },
		[LIFE_HELD] = { K, LIFE_FAILED },
		[LIFE_EVICT] = { K, LIFE_FAILED },
		[LIFE_SHUTDOWN] = GO(FORGET, GONE),
		[LIFE_HURRY] = GO(FORGET, GONE),
		[LIFE_CHANGED] = GO(FORGET, GONE),
		[LIFE_ASK] = GO(START, STARTING),
		[LIFE_WAITS] = GO(QUEUE, QUEUED),
		[LIFE_DUE] = GO(PROBE, BACKOFF),
		[LIFE_ENDED] = { N, LIFE_FAILED },
		[LIFE_FAILS] = { N, LIFE_FAILED },
		[LIFE_FAILS_ON] = { N, LIFE_FAILED },
		[LIFE_UNTAKEN] = { N, LIFE_FAILED },
	},
#undef GO
};
#undef N
#undef K

START_TEST(each_pair_of_state_and_event_is_exactly_one_row)
{
	const enum life_state state = (enum life_state)(_i / LIFE_N_EVENTS);
	const enum life_event event = (enum life_event)(_i % LIFE_N_EVENTS);
	const struct life_move *const want = &wanted[state][event];

	ck_assert_msg(life_n_rows(state, event) == 1, "%s, %s: %u rows",
	    life_state_name(state), life_event_name(event),
	    life_n_rows(state, event));
	const struct life_move move = life_move(state, event);
	ck_assert_msg(move.action == want->action && move.next == want->next,
	    "%s, %s: action %d -> %s", life_state_name(state),
	    life_event_name(event), move.action, life_state_name(move.next));
}
END_TEST

START_TEST(every_state_with_a_process_comes_to_an_end)
{
	for (int s = LIFE_STARTING; s <= LIFE_KILLED; s++) {
		enum life_state state = (enum life_state)s;
		/* Only time passes: at last it is killed. */
		for (int i = 0; i < 4 && state != LIFE_KILLED; i++) {
			if (state == LIFE_DRAINING)
				state = life_move(state, LIFE_RELEASED).next;
			state = life_move(state, LIFE_DUE).next;
		}
		ck_assert_int_eq(state, LIFE_KILLED);
		const enum life_state dead =
		    life_move((enum life_state)s, LIFE_FAILS).next;
		ck_assert_int_eq(dead, LIFE_BACKOFF);
		ck_assert_int_eq(life_move(dead, LIFE_DUE).next, LIFE_GONE);
	}
}
END_TEST

START_TEST(a_tenant_that_fails_too_often_is_held_and_then_probed)
{
	for (int s = LIFE_STARTING; s <= LIFE_KILLED; s++) {
		const enum life_state held =
		    life_move((enum life_state)s, LIFE_FAILS_ON).next;
		ck_assert_int_eq(held, LIFE_FAILED);
	}
	/* Time alone starts nothing; an ask that may pass is the probe. */
	ck_assert_int_eq(life_move(LIFE_FAILED, LIFE_DUE).next, LIFE_BACKOFF);
	ck_assert_int_eq(life_move(LIFE_FAILED, LIFE_ASK).action, LIFE_START);
	ck_assert_int_eq(
	    life_move(LIFE_STARTING, LIFE_FAILS_ON).next, LIFE_FAILED);
	ck_assert_int_eq(life_move(LIFE_FAILED, LIFE_CHANGED).next, LIFE_GONE);
}
END_TEST

START_TEST(who_waits_for_a_place_has_no_process_and_no_endless_wait)
{
	ck_assert_int_eq(life_move(LIFE_QUEUED, LIFE_ASK).action, LIFE_START);
	ck_assert_int_eq(life_move(LIFE_QUEUED, LIFE_DUE).next, LIFE_GONE);
	for (int s = 0; s < LIFE_N_STATES; s++) {
		const enum life_state state = (enum life_state)s;
		const struct life_move move = life_move(state, LIFE_WAITS);
		const bool has_process = s >= LIFE_STARTING && s <= LIFE_KILLED;
		ck_assert_int_eq(move.next == LIFE_QUEUED, !has_process);
	}
}
END_TEST

START_TEST(only_a_ready_backend_is_asked_to_give_its_place_up)
{
	for (int s = 0; s < LIFE_N_STATES; s++)
		ck_assert_int_eq(
		    life_move((enum life_state)s, LIFE_EVICT).action ==
			LIFE_YIELD,
		    s == LIFE_READY);
}
END_TEST

START_TEST(hurry_leaves_nothing_but_the_reap)
{
	for (int s = 0; s < LIFE_N_STATES; s++) {
		const enum life_state next =
		    life_move((enum life_state)s, LIFE_HURRY).next;
		ck_assert(next == LIFE_KILLED || next == LIFE_GONE);
	}
}
END_TEST

START_TEST(no_state_but_ready_answers_an_ask)
{
	for (int s = 0; s < LIFE_N_STATES; s++) {
		const enum life_action action =
		    life_move((enum life_state)s, LIFE_ASK).action;
		ck_assert_int_eq(action == LIFE_ANSWER, s == LIFE_READY);
	}
}
END_TEST

START_TEST(every_state_and_event_has_a_name)
{
	for (int s = 0; s < LIFE_N_STATES; s++)
		ck_assert_ptr_nonnull(life_state_name((enum life_state)s));
	for (int e = 0; e < LIFE_N_EVENTS; e++)
		ck_assert_ptr_nonnull(life_event_name((enum life_event)e));
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_life");
	TCase *const all = tcase_create("all");

	tcase_add_loop_test(all,
	    each_pair_of_state_and_event_is_exactly_one_row, 0,
	    LIFE_N_STATES * LIFE_N_EVENTS);
	tcase_add_test(all, every_state_with_a_process_comes_to_an_end);
	tcase_add_test(
	    all, a_tenant_that_fails_too_often_is_held_and_then_probed);
	tcase_add_test(
	    all, who_waits_for_a_place_has_no_process_and_no_endless_wait);
	tcase_add_test(all, only_a_ready_backend_is_asked_to_give_its_place_up);
	tcase_add_test(all, hurry_leaves_nothing_but_the_reap);
	tcase_add_test(all, no_state_but_ready_answers_an_ask);
	tcase_add_test(all, every_state_and_event_has_a_name);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
