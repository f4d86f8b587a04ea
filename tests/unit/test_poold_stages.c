/* SPDX-License-Identifier: MIT */
/* Where the time of a start went, also when a backend lies about it. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "poold/stages.h"

static const struct {
	const char *name;
	struct stages stages;
	const char *words;
} rows[] = {
	{ "tools", { 100, 103, 1000, { 403, 503, 703 } },
	    "asked_us=100 queue_us=3 fork_us=300 isolate_us=100 load_us=200 "
	    "ready_us=297" },
	{ "a program of its own, confined before it began",
	    { 100, 100, 1000, { 400, 400, 700 } },
	    "asked_us=100 queue_us=0 fork_us=300 isolate_us=0 load_us=300 "
	    "ready_us=300" },
	{ "a command says nothing", { 100, 103, 1000, { 0, 0, 0 } },
	    "asked_us=100 queue_us=3 start_us=897" },
	{ "times before the start and after the end",
	    { 100, 103, 1000, { -5, INT64_MIN, INT64_MAX } },
	    "asked_us=100 queue_us=3 fork_us=0 isolate_us=0 load_us=897 "
	    "ready_us=0" },
	{ "times in a wrong order", { 100, 103, 1000, { 900, 500, 300 } },
	    "asked_us=100 queue_us=3 fork_us=797 isolate_us=0 load_us=0 "
	    "ready_us=100" },
	{ "the longest words", { INT64_MAX, INT64_MAX, INT64_MAX, { 1, 1, 1 } },
	    "asked_us=9223372036854775807 queue_us=0 fork_us=0 isolate_us=0 "
	    "load_us=0 ready_us=0" },
};

START_TEST(stages_are_spans_that_follow_each_other)
{
	char words[STAGES_WORDS_BYTES];

	stages_words(&rows[_i].stages, words);
	ck_assert_msg(
	    strcmp(words, rows[_i].words) == 0, "%s: %s", rows[_i].name, words);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_stages");
	TCase *const tcase = tcase_create("stages");

	tcase_add_loop_test(tcase, stages_are_spans_that_follow_each_other, 0,
	    (int)(sizeof(rows) / sizeof(rows[0])));
	suite_add_tcase(suite, tcase);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
