/* SPDX-License-Identifier: MIT */
/* test_base_log: lines, their levels, and lines of others. */
#include "common/base/log.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char got[4096];
static int kept, pipe_fds[2];

/* From here on stderr is ours. */
static void
setup(void)
{
	unsetenv("JOURNAL_STREAM");
	log_set_pid(7);
	ck_assert_int_eq(pipe(pipe_fds), 0);
	kept = dup(STDERR_FILENO);
	dup2(pipe_fds[1], STDERR_FILENO);
}

/* What was written to it, as it was given back. */
static const char *
written(void)
{
	dup2(kept, STDERR_FILENO);
	close(pipe_fds[1]);
	const ssize_t n = read(pipe_fds[0], got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void
say_all(void)
{
	log_error("a");
	log_warn_err(-2, "b");
	log_info("c\nd");
	log_debug("e");
}

START_TEST(a_line_has_no_level_where_people_read_it)
{
	log_init("p", LOG_LEVEL_INFO);
	say_all();
	ck_assert_str_eq(
	    written(), "p[7] a\np[7] b: No such file or directory\np[7] c?d\n");
}
END_TEST

START_TEST(a_line_has_its_level_where_poold_or_the_journal_reads_it)
{
	if (_i)
		setenv("JOURNAL_STREAM", "8:1", 1);
	log_init("p", LOG_LEVEL_DEBUG);
	if (!_i)
		log_mark();
	say_all();
	ck_assert_str_eq(written(),
	    "<3>p[7] a\n<4>p[7] b: No such file or directory\n"
	    "<6>p[7] c?d\n<7>p[7] e\n");
}
END_TEST

static const struct {
	const char *line;
	int level;
	const char *text;
} lines[] = {
	{ "<3>x", LOG_LEVEL_ERROR, "x" },
	{ "<4>x", LOG_LEVEL_WARN, "x" },
	{ "<6>x", LOG_LEVEL_INFO, "x" },
	{ "<7>", LOG_LEVEL_DEBUG, "" },
	{ "<5>x", -1, "<5>x" },
	{ "<3x", -1, "<3x" },
	{ "<3", -1, "<3" },
	{ "<", -1, "<" },
	{ "", -1, "" },
	{ "x<3>", -1, "x<3>" },
};

START_TEST(a_line_of_another_program_is_passed_on_for_who_reads_it)
{
	const char *text;
	char whole[32], want[32];

	ck_assert_int_eq(
	    log_level_of(lines[_i / 2].line, &text), lines[_i / 2].level);
	ck_assert_str_eq(text, lines[_i / 2].text);
	if (_i % 2)
		setenv("JOURNAL_STREAM", "8:1", 1);
	log_init("p", LOG_LEVEL_INFO);
	snprintf(whole, sizeof(whole), "%s\n", lines[_i / 2].line);
	log_pass(whole, strlen(whole));
	snprintf(want, sizeof(want), "%s\n",
	    _i % 2 ? lines[_i / 2].line : lines[_i / 2].text);
	ck_assert_str_eq(written(), want);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("base_log");
	TCase *const all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_test(all, a_line_has_no_level_where_people_read_it);
	tcase_add_loop_test(all,
	    a_line_has_its_level_where_poold_or_the_journal_reads_it, 0, 2);
	tcase_add_loop_test(all,
	    a_line_of_another_program_is_passed_on_for_who_reads_it, 0,
	    2 * sizeof(lines) / sizeof(lines[0]));
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
