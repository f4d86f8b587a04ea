/* SPDX-License-Identifier: MIT */
/* What a lost backend means: all combinations of the facts, and each errno. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "switchboard/exchange.h"
#include "switchboard/retry.h"

START_TEST(nothing_is_sent_twice_but_what_is_harmless)
{
	const struct retry_lost lost = {
		.is_idempotent = _i & 2,
		.is_written = _i & 4,
		.is_body_written = _i & 8,
		.was_retried = _i & 16,
		.has_answered = _i & 32,
		.is_unread = _i & 1,
	};
	const enum retry verdict = retry_after_loss(&lost);

	if (verdict != RETRY_FRESH) {
		ck_assert_int_eq(
		    verdict, lost.has_answered ? RETRY_FAIL : RETRY_MOURN);
		/* Refusing to repeat needs a reason. */
		ck_assert(!lost.has_answered || lost.was_retried ||
			  lost.is_body_written ||
			  (lost.is_written &&
			      !(lost.is_idempotent && lost.is_unread)));
		return;
	}
	ck_assert(lost.has_answered);
	ck_assert(!lost.was_retried && !lost.is_body_written);
	if (lost.is_written)
		ck_assert(lost.is_idempotent && lost.is_unread);
}
END_TEST

START_TEST(a_failed_connect_has_five_meanings)
{
	static const struct {
		int error;
		unsigned n_asked;
		enum retry_connect verdict;
	} rows[] = {
		{ -EAGAIN, 0, RETRY_CONNECT_PAUSE },
		{ -EAGAIN, 1, RETRY_CONNECT_PAUSE },
		{ -ECONNREFUSED, 0, RETRY_CONNECT_ASK },
		{ -ECONNREFUSED, 1, RETRY_CONNECT_FAIL },
		{ -ENOENT, 0, RETRY_CONNECT_ASK },
		{ -ENOENT, 1, RETRY_CONNECT_FAIL },
		{ -ECONNRESET, 0, RETRY_CONNECT_ASK },
		{ -EMFILE, 0, RETRY_CONNECT_SHORT },
		{ -ENFILE, 1, RETRY_CONNECT_SHORT },
		{ -ENOMEM, 0, RETRY_CONNECT_SHORT },
		{ -EACCES, 0, RETRY_CONNECT_FAIL },
		{ -ENAMETOOLONG, 0, RETRY_CONNECT_FAIL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_int_eq(
		    retry_after_connect(rows[i].error, rows[i].n_asked, true),
		    rows[i].verdict);
	/* A run that never answered is a failed start. */
	ck_assert_int_eq(retry_after_connect(-ECONNREFUSED, 0, false),
	    RETRY_CONNECT_MOURN);
	ck_assert_int_eq(
	    retry_after_connect(-EAGAIN, 0, false), RETRY_CONNECT_PAUSE);
}
END_TEST

/* The whole table of moves, so that none is added by accident. */
START_TEST(an_exchange_moves_only_forward_or_to_another_backend)
{
	static const char *const moves[EXCHANGE_STATE_COUNT] = {
		/* to: new waiting connecting asking answering tunnel mourning
		 * ended */
		[EXCHANGE_NEW] = ".+++..++",
		[EXCHANGE_WAITING] = ".+++..++",
		[EXCHANGE_CONNECTING] = ".+.+..++",
		[EXCHANGE_ASKING] = ".+++++++",
		[EXCHANGE_ANSWERING] = ".......+",
		[EXCHANGE_TUNNEL] = ".......+",
		[EXCHANGE_MOURNING] = ".......+",
		[EXCHANGE_ENDED] = "........",
	};

	for (unsigned from = 0; from < EXCHANGE_STATE_COUNT; from++)
		for (unsigned to = 0; to < EXCHANGE_STATE_COUNT; to++)
			ck_assert_msg(exchange_may_move(from, to) ==
					  (moves[from][to] == '+'),
			    "%s -> %s", exchange_state_name(from),
			    exchange_state_name(to));
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("switchboard_retry");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	tcase_add_loop_test(
	    c, nothing_is_sent_twice_but_what_is_harmless, 0, 64);
	tcase_add_test(c, a_failed_connect_has_five_meanings);
	tcase_add_test(c, an_exchange_moves_only_forward_or_to_another_backend);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
