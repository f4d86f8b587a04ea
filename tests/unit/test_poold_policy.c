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
	bool is_nobodys;
};

static const struct run runs[] = {
	{ "exit before ready",
	    { POLICY_ITSELF, false, false, false, EXIT(1), 5, 10000 }, true },
	{ "exit 0 before ready",
	    { POLICY_ITSELF, false, false, false, EXIT(0), 5, 10000 }, true },
	{ "killed before ready",
	    { POLICY_ITSELF, false, false, false, SIGKILL, 5, 10000 }, true },
	{ "killed before it knew whose it is",
	    { POLICY_ITSELF, false, true, false, SIGKILL, 5, 10000 }, true,
	    true },
	{ "killed for memory before it knew that",
	    { POLICY_ITSELF, false, true, true, SIGKILL, 5, 10000 }, true,
	    true },
	{ "never read whose it is, too late",
	    { POLICY_TIMEOUT, false, true, false, SIGKILL, 10001, 10000 }, true,
	    false },
	{ "shutdown before it knew whose it is",
	    { POLICY_SHUTDOWN, false, true, false, SIGTERM, 4, 10000 }, false,
	    false },
	{ "ready, and a ping was not read",
	    { POLICY_ITSELF, true, true, false, SIGSEGV, 40, 10000 }, true,
	    false },
	{ "a refusal",
	    { POLICY_REFUSAL, false, false, false, EXIT(1), 5, 10000 }, true },
	{ "too late",
	    { POLICY_TIMEOUT, false, false, false, SIGKILL, 10001, 10000 },
	    true },
	{ "exit soon after ready",
	    { POLICY_ITSELF, true, false, false, EXIT(3), 40, 10000 }, true },
	{ "crash soon after ready",
	    { POLICY_ITSELF, true, false, false, SIGSEGV, 40, 10000 }, true },
	{ "kill -9 soon after ready",
	    { POLICY_ITSELF, true, false, false, SIGKILL, 40, 10000 }, false },
	{ "crash after a good run",
	    { POLICY_ITSELF, true, false, false, SIGSEGV, 10000, 10000 },
	    false },
	{ "idle", { POLICY_IDLE, true, false, false, EXIT(0), 400, 10000 },
	    false },
	{ "idle, exits badly",
	    { POLICY_IDLE, true, false, false, EXIT(1), 400, 10000 }, false },
	{ "shutdown while starting",
	    { POLICY_SHUTDOWN, false, false, false, SIGTERM, 4, 10000 },
	    false },
	{ "killed for memory after a good run",
	    { POLICY_ITSELF, true, false, true, SIGKILL, 10000, 10000 }, true },
	{ "killed for memory while idle was wanted",
	    { POLICY_IDLE, true, false, true, SIGKILL, 10000, 10000 }, false },
	{ "stood still after a good run",
	    { POLICY_STALL, true, false, false, SIGKILL, 99999, 10000 }, true },
	{ "evicted", { POLICY_EVICTED, true, false, false, EXIT(0), 4, 10000 },
	    false },
	{ "found dead, was about to die",
	    { POLICY_CLAIM, true, false, false, EXIT(3), 4, 10000 }, true },
	{ "found dead, was not, exits well",
	    { POLICY_CLAIM, true, false, false, EXIT(143), 4, 10000 }, false },
	{ "found dead, was not, had to be killed",
	    { POLICY_CLAIM, true, false, false, SIGKILL, 4, 10000 }, false },
	{ "found dead, was not",
	    { POLICY_CLAIM, true, false, false, SIGTERM, 4, 10000 }, false },
};

START_TEST(a_bad_start_is_told_from_a_good_run)
{
	ck_assert_msg(policy_is_failure(&runs[_i].run) == runs[_i].is_failure,
	    "%s", runs[_i].why);
	ck_assert_msg(policy_is_nobodys(&runs[_i].run) == runs[_i].is_nobodys,
	    "%s", runs[_i].why);
}
END_TEST

static const struct policy_pace pace = { 1000, 60000, 6 };

START_TEST(the_back_off_doubles_up_to_its_bound)
{
	static const int64_t want[] = { 0, 0, 1000, 2000, 4000, 8000, 16000,
		32000, 60000, 60000 };
	static const struct policy_pace odd = { 500, 700, 1 };

	for (unsigned n = 0; n < sizeof(want) / sizeof(want[0]); n++)
		ck_assert_int_eq(policy_backoff_ms(&pace, n), want[n]);
	ck_assert_int_eq(policy_backoff_ms(&pace, 4000000000u), 60000);
	ck_assert_int_eq(policy_backoff_ms(&odd, 2), 500);
	ck_assert_int_eq(policy_backoff_ms(&odd, 3), 700);
}
END_TEST

START_TEST(so_many_failures_in_a_row_are_too_many)
{
	ck_assert(!policy_is_held(&pace, 0));
	ck_assert(!policy_is_held(&pace, 5));
	ck_assert(policy_is_held(&pace, 6));
	ck_assert(policy_is_held(&pace, 7));
}
END_TEST

struct watch {
	const char *why;
	int64_t now_ms, asked_ms, answered_ms, watchdog_ms;
	bool is_still, is_ping;
	int64_t at_ms;
};

static const struct watch watches[] = {
	{ "never", 900000, 1, 1, 0, false, false, -1 },
	{ "just ready", 100, 100, 100, 30000, false, false, 15100 },
	{ "half of it later", 15100, 100, 100, 30000, false, true, 45100 },
	{ "asked, no answer yet", 45099, 15100, 100, 30000, false, false,
	    45100 },
	{ "no answer", 45100, 15100, 100, 30000, true, false, 75100 },
	{ "answered", 15101, 15100, 15101, 30000, false, false, 30101 },
	{ "answered at once", 15100, 15100, 15100, 30000, false, false, 30100 },
	{ "the clock leapt, unasked", 9000000, 100, 100, 30000, false, true,
	    9030000 },
};

START_TEST(a_backend_that_does_not_answer_is_found_in_time)
{
	const struct watch *const w = &watches[_i];
	const struct policy_watch got = policy_watch(
	    w->now_ms, w->asked_ms, w->answered_ms, w->watchdog_ms);

	ck_assert_msg(got.is_still == w->is_still &&
			  got.is_ping == w->is_ping && got.at_ms == w->at_ms,
	    "%s: still %d, ping %d, at %lld", w->why, got.is_still, got.is_ping,
	    (long long)got.at_ms);
}
END_TEST

START_TEST(the_watchdog_bites_within_one_and_a_half_of_its_time)
{
	int64_t asked = 0, answered = 0, now = 0;

	for (int i = 0; i < 100; i++) {
		const struct policy_watch w =
		    policy_watch(now, asked, answered, 1000);
		ck_assert(!w.is_still);
		if (w.is_ping)
			answered = asked = now;
		now = w.at_ms > now ? w.at_ms : now + 1;
	}
	const int64_t last = answered;
	for (;;) {
		const struct policy_watch w =
		    policy_watch(now, asked, answered, 1000);
		if (w.is_still)
			break;
		if (w.is_ping)
			asked = now;
		now = w.at_ms > now ? w.at_ms : now + 1;
	}
	ck_assert_int_ge(now - asked, 1000);
	ck_assert_int_le(now - last, 2000);
}
END_TEST

START_TEST(the_longer_idle_and_the_quicker_back_the_sooner_it_goes)
{
	ck_assert_int_gt(policy_score(2000, 5), policy_score(1000, 5));
	ck_assert_int_gt(policy_score(1000, 5), policy_score(1000, 500));
	/* Ten times the cost wants about ten times the idle time. */
	ck_assert_int_gt(policy_score(11000, 990), policy_score(1000, 90));
	ck_assert_int_lt(policy_score(9000, 990), policy_score(1000, 90));
	ck_assert_int_eq(policy_score(0, 5), 0);
	ck_assert_int_eq(policy_score(-5, -5), 0);
	for (int64_t cost = 0; cost < 5000; cost += 7)
		for (int64_t score = 0; score < 50; score++) {
			const int64_t idle = policy_idle_for(score, cost);
			ck_assert_int_ge(policy_score(idle, cost), score);
			ck_assert_int_lt(
			    policy_score(idle - 1, cost), score ? score : 1);
		}
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
	{ "no place, one may wait",
	    { .n_backends = 3, .max_backends = 3, .max_waiting = 1 },
	    POLICY_WAIT, 0 },
	{ "no place, one waits already",
	    { .n_backends = 3,
		.max_backends = 3,
		.n_waiting = 1,
		.max_waiting = 1 },
	    POLICY_FULL, 2 },
	{ "it is the one that waits",
	    { .n_backends = 3,
		.max_backends = 3,
		.n_waiting = 1,
		.max_waiting = 1,
		.is_waiting = true },
	    POLICY_WAIT, 0 },
	{ "a place, but others wait for it",
	    { .n_backends = 2,
		.max_backends = 3,
		.n_waiting = 1,
		.max_waiting = 9 },
	    POLICY_WAIT, 0 },
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
	{ "held as failed",
	    { .n_failures = 6,
		.retry_at_ms = 60100,
		.now_ms = 100,
		.is_held = true,
		.max_backends = 9 },
	    POLICY_HELD, 60 },
	{ "held as failed, a probe is due",
	    { .n_failures = 6,
		.retry_at_ms = 60100,
		.now_ms = 60100,
		.is_held = true,
		.max_backends = 9 },
	    POLICY_ADMIT, 0 },
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
	if (verdict == POLICY_ADMIT || verdict == POLICY_WAIT)
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
	char text[128];

	ck_assert_str_eq(
	    policy_ending(EXIT(3), false, text, sizeof(text)), "exit status 3");
	ck_assert_str_eq(policy_ending(SIGKILL, false, text, sizeof(text)),
	    "signal 9 (Killed)");
	ck_assert_str_eq(
	    policy_ending(SIGSEGV | 0x80, false, text, sizeof(text)),
	    "signal 11 (Segmentation fault), core dumped");
	ck_assert_str_eq(policy_ending(SIGKILL, true, text, sizeof(text)),
	    "signal 9 (Killed), out of memory (memory_max)");
	ck_assert_str_eq(policy_ending(EXIT(1), true, text, sizeof(text)),
	    "exit status 1, a process of it ran out of memory (memory_max)");
}
END_TEST

START_TEST(what_was_killed_is_waited_for_however_short_stop_timeout_is)
{
	ck_assert_int_eq(policy_kill_ms(10), 3000);
	ck_assert_int_eq(policy_kill_ms(3000), 3000);
	ck_assert_int_eq(policy_kill_ms(60000), 60000);
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
	ck_assert(policy_is_expected(POLICY_EVICTED));
	ck_assert(!policy_is_expected(POLICY_STALL));
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_policy");
	TCase *const all = tcase_create("all");

	tcase_add_loop_test(all, a_bad_start_is_told_from_a_good_run, 0,
	    sizeof(runs) / sizeof(runs[0]));
	tcase_add_test(
	    all, what_was_killed_is_waited_for_however_short_stop_timeout_is);
	tcase_add_test(all, the_back_off_doubles_up_to_its_bound);
	tcase_add_test(all, so_many_failures_in_a_row_are_too_many);
	tcase_add_loop_test(all,
	    a_backend_that_does_not_answer_is_found_in_time, 0,
	    sizeof(watches) / sizeof(watches[0]));
	tcase_add_test(
	    all, the_watchdog_bites_within_one_and_a_half_of_its_time);
	tcase_add_test(
	    all, the_longer_idle_and_the_quicker_back_the_sooner_it_goes);
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
