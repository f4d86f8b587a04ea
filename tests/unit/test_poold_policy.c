/* SPDX-License-Identifier: MIT */
/* What poold/policy.c decides, as tables. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "poold/policy.h"

#define EXIT(n) ((n) << 8)

struct run {
	const char *why;
	struct policy_run run;
	bool is_failure;
};

static const struct run runs[] = {
	{ "exit before ready", { POLICY_ITSELF, false, EXIT(1), 5, 10000 },
	    true },
	{ "exit 0 before ready", { POLICY_ITSELF, false, EXIT(0), 5, 10000 },
	    true },
	{ "killed before ready", { POLICY_ITSELF, false, SIGKILL, 5, 10000 },
	    true },
	{ "a refusal", { POLICY_REFUSAL, false, EXIT(1), 5, 10000 }, true },
	{ "too late", { POLICY_TIMEOUT, false, SIGKILL, 10001, 10000 }, true },
	{ "exit soon after ready", { POLICY_ITSELF, true, EXIT(3), 40, 10000 },
	    true },
	{ "crash soon after ready", { POLICY_ITSELF, true, SIGSEGV, 40, 10000 },
	    true },
	{ "kill -9 soon after ready",
	    { POLICY_ITSELF, true, SIGKILL, 40, 10000 }, false },
	{ "crash after a good run",
	    { POLICY_ITSELF, true, SIGSEGV, 10000, 10000 }, false },
	{ "idle", { POLICY_IDLE, true, EXIT(0), 400, 10000 }, false },
	{ "idle, exits badly", { POLICY_IDLE, true, EXIT(1), 400, 10000 },
	    false },
	{ "shutdown while starting",
	    { POLICY_SHUTDOWN, false, SIGTERM, 4, 10000 }, false },
	{ "found dead, was about to die",
	    { POLICY_CLAIM, true, EXIT(3), 4, 10000 }, true },
	{ "found dead, was not, exits well",
	    { POLICY_CLAIM, true, EXIT(143), 4, 10000 }, false },
	{ "found dead, was not, had to be killed",
	    { POLICY_CLAIM, true, SIGKILL, 4, 10000 }, false },
	{ "found dead, was not", { POLICY_CLAIM, true, SIGTERM, 4, 10000 },
	    false },
};

START_TEST(a_bad_start_is_told_from_a_good_run)
{
	ck_assert_msg(policy_is_failure(&runs[_i].run) == runs[_i].is_failure,
	    "%s", runs[_i].why);
}
END_TEST

START_TEST(the_back_off_doubles_up_to_a_minute)
{
	static const int64_t want[] = { 0, 0, 1000, 2000, 4000, 8000, 16000,
		32000, 60000, 60000 };

	for (unsigned n = 0; n < sizeof(want) / sizeof(want[0]); n++)
		ck_assert_int_eq(policy_backoff_ms(n), want[n]);
	ck_assert_int_eq(policy_backoff_ms(4000000000u), 60000);
}
END_TEST

struct ask {
	const char *why;
	struct policy_load load;
	enum policy_verdict verdict;
	uint32_t retry_after_s;
};

static const struct ask asks[] = {
	{ "the first ever", { .max_backends = 1 }, POLICY_ADMIT, 0 },
	{ "poold ends", { .is_ending = true, .max_backends = 9 }, POLICY_ENDING,
	    2 },
	{ "poold ends, though it runs",
	    { .is_ending = true, .has_process = true, .max_backends = 9 },
	    POLICY_ENDING, 2 },
	{ "no place", { .n_backends = 3, .max_backends = 3 }, POLICY_FULL, 2 },
	{ "no place, but it runs",
	    { .n_backends = 3, .max_backends = 3, .has_process = true },
	    POLICY_ADMIT, 0 },
	{ "the last place", { .n_backends = 2, .max_backends = 3 },
	    POLICY_ADMIT, 0 },
	{ "one host too many",
	    { .n_hosts = 2, .max_hosts = 2, .max_backends = 9 }, POLICY_HOSTS,
	    2 },
	{ "one of the hosts",
	    { .n_hosts = 2,
		.max_hosts = 2,
		.max_backends = 9,
		.has_slot = true },
	    POLICY_ADMIT, 0 },
	{ "a host without template", { .n_hosts = 9, .max_backends = 9 },
	    POLICY_ADMIT, 0 },
	{ "after one failure",
	    { .n_failures = 1,
		.retry_at_ms = 100,
		.now_ms = 100,
		.max_backends = 9 },
	    POLICY_ADMIT, 0 },
	{ "within the back-off",
	    { .n_failures = 3,
		.retry_at_ms = 2100,
		.now_ms = 100,
		.max_backends = 9 },
	    POLICY_BACKING_OFF, 2 },
	{ "within it, a bit more than a second",
	    { .n_failures = 3,
		.retry_at_ms = 1101,
		.now_ms = 100,
		.max_backends = 9 },
	    POLICY_BACKING_OFF, 2 },
	{ "near its end",
	    { .n_failures = 3,
		.retry_at_ms = 101,
		.now_ms = 100,
		.max_backends = 9 },
	    POLICY_BACKING_OFF, 1 },
	{ "after it",
	    { .n_failures = 3,
		.retry_at_ms = 2100,
		.now_ms = 2100,
		.max_backends = 9 },
	    POLICY_ADMIT, 0 },
	{ "failed often, runs now",
	    { .n_failures = 3,
		.retry_at_ms = 2100,
		.now_ms = 100,
		.has_process = true,
		.max_backends = 9 },
	    POLICY_ADMIT, 0 },
};

START_TEST(an_ask_is_admitted_or_refused_with_a_time)
{
	const struct ask *const ask = &asks[_i];
	const enum policy_verdict verdict = policy_admit(&ask->load);

	ck_assert_msg(verdict == ask->verdict, "%s: %d", ask->why, verdict);
	if (verdict == POLICY_ADMIT)
		return;
	const struct policy_refusal refusal =
	    policy_refuse(verdict, &ask->load);
	ck_assert_uint_eq(refusal.status, 503);
	ck_assert_msg(refusal.retry_after_s == ask->retry_after_s, "%s: %u",
	    ask->why, refusal.retry_after_s);
}
END_TEST

START_TEST(a_backend_with_sessions_is_not_asked_about)
{
	ck_assert_int_eq(policy_release_at_ms(0, 1000, 300), 1300);
	ck_assert_int_eq(policy_release_at_ms(1, 1000, 300), -1);
}
END_TEST

START_TEST(a_peer_cannot_put_the_next_question_out_of_range)
{
	ck_assert_int_eq(policy_ask_again_ms(0, 300000), 10);
	ck_assert_int_eq(policy_ask_again_ms(500, 300000), 500);
	ck_assert_int_eq(policy_ask_again_ms(UINT32_MAX, 300000), 300000);
}
END_TEST

START_TEST(an_ending_is_told_in_words)
{
	char text[64];

	ck_assert_str_eq(
	    policy_ending(EXIT(3), text, sizeof(text)), "exit status 3");
	ck_assert_str_eq(
	    policy_ending(SIGKILL, text, sizeof(text)), "signal 9 (Killed)");
	ck_assert_str_eq(policy_ending(SIGSEGV | 0x80, text, sizeof(text)),
	    "signal 11 (Segmentation fault), core dumped");
}
END_TEST

START_TEST(only_what_poold_wanted_is_expected)
{
	ck_assert(policy_is_expected(POLICY_IDLE));
	ck_assert(policy_is_expected(POLICY_SHUTDOWN));
	ck_assert(!policy_is_expected(POLICY_ITSELF));
	ck_assert(!policy_is_expected(POLICY_CLAIM));
	ck_assert(!policy_is_expected(POLICY_REFUSAL));
	ck_assert(!policy_is_expected(POLICY_TIMEOUT));
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_policy");
	TCase *const all = tcase_create("all");

	tcase_add_loop_test(all, a_bad_start_is_told_from_a_good_run, 0,
	    sizeof(runs) / sizeof(runs[0]));
	tcase_add_test(all, the_back_off_doubles_up_to_a_minute);
	tcase_add_loop_test(all, an_ask_is_admitted_or_refused_with_a_time, 0,
	    sizeof(asks) / sizeof(asks[0]));
	tcase_add_test(all, a_backend_with_sessions_is_not_asked_about);
	tcase_add_test(all, a_peer_cannot_put_the_next_question_out_of_range);
	tcase_add_test(all, an_ending_is_told_in_words);
	tcase_add_test(all, only_what_poold_wanted_is_expected);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
