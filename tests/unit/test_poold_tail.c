/* SPDX-License-Identifier: MIT */
/* What poold/tail.c makes of bytes, and poold/env.c of an environment. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "poold/env.h"
#include "poold/tail.h"

static char lines[4096];
static unsigned n_lines, n_dropped;

static void
on_line(const char *line, unsigned dropped, void *arg)
{
	n_lines++;
	n_dropped += dropped;
	if (strlen(lines) + strlen(line) + 2 > sizeof(lines))
		return;
	strcat(lines, line);
	strcat(lines, "|");
}

/* All is to be quoted but what stands in brackets, and that from the "!". */
static const char *
quote(const char *line, void *arg)
{
	const char *const bang = strchr(line, '!');

	return bang ? bang : line[0] == '[' ? NULL : line;
}

static const struct tail_calls calls = { .on_line = on_line, .quote = quote };

static void
setup(void)
{
	lines[0] = '\0';
	n_lines = n_dropped = 0;
}

struct text {
	const char *bytes;
	const char *lines;
	const char *last;
};

static const struct text texts[] = {
	{ "one\ntwo\n", "one|two|", "two" },
	{ "one\n\n  \n", "one|", "one" },
	{ "no end", "no end|", "no end" },
	{ "a\r\nb\r\n", "a|b|", "b" },
	{ "\x1b[31mred\x07\n", "?[31mred?|", "?[31mred?" },
	{ "tab\there\n", "tab\there|", "tab\there" },
	{ "\xc3\xa4\n", "\xc3\xa4|", "\xc3\xa4" },
	{ "why\n[news]\n", "why|[news]|", "why" },
	{ "why\n[12!bad]\n", "why|[12!bad]|", "!bad]" },
	{ "[news]\n", "[news]|", "" },
	{ "", "", "" },
};

START_TEST(bytes_become_lines_whole_and_byte_by_byte)
{
	const struct text *const t = &texts[_i];
	struct tail whole = { 0 }, bytes = { 0 };

	tail_feed(&whole, t->bytes, strlen(t->bytes), 1, &calls);
	tail_end(&whole, 1, &calls);
	ck_assert_str_eq(lines, t->lines);
	ck_assert_str_eq(tail_last(&whole), t->last);
	setup();
	for (size_t i = 0; i < strlen(t->bytes); i++)
		tail_feed(&bytes, t->bytes + i, 1, 1, &calls);
	tail_end(&bytes, 1, &calls);
	ck_assert_str_eq(lines, t->lines);
	ck_assert_str_eq(tail_last(&bytes), t->last);
	tail_fini(&whole);
	tail_fini(&bytes);
}
END_TEST

START_TEST(a_long_line_comes_in_pieces_of_which_none_is_lost)
{
	struct tail tail = { 0 };
	char line[2000];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	tail_feed(&tail, line, sizeof(line), 1, &calls);
	ck_assert_uint_eq(n_lines, 4);
	ck_assert_uint_eq(strlen(lines), sizeof(line) - 1 + 4);
	ck_assert_uint_lt(strlen(tail_last(&tail)), TAIL_LAST_BYTES);
	tail_fini(&tail);
}
END_TEST

START_TEST(too_many_lines_are_counted_and_the_last_is_kept)
{
	struct tail tail = { 0 };

	for (unsigned i = 0; i < 10 * TAIL_BURST; i++)
		tail_feed(&tail, "again\n", 6, 1000, &calls);
	ck_assert_uint_eq(n_lines, TAIL_BURST);
	tail_feed(&tail, "the last\n", 9, 1000, &calls);
	ck_assert_str_eq(tail_last(&tail), "the last");
	ck_assert_uint_eq(n_dropped, 0);
	/* A second later some may come again, with the count before them. */
	for (unsigned i = 0; i < 10 * TAIL_BURST; i++)
		tail_feed(&tail, "again\n", 6, 2000, &calls);
	ck_assert_uint_eq(n_lines, TAIL_BURST + TAIL_PER_S);
	ck_assert_uint_eq(n_dropped, 9 * TAIL_BURST + 1);
	tail_fini(&tail);
}
END_TEST

START_TEST(between_lines_only_the_last_one_is_held)
{
	struct tail tail = { 0 };
	const size_t before = mem_live();

	tail_feed(&tail, "one\ntwo", 7, 1, &calls);
	ck_assert_uint_eq(mem_live() - before, 2);
	tail_feed(&tail, "\n", 1, 1, &calls);
	ck_assert_uint_eq(mem_live() - before, 1);
	tail_fini(&tail);
	ck_assert_uint_eq(mem_live(), before);
}
END_TEST

START_TEST(a_line_without_memory_is_dropped_and_counted)
{
	struct tail tail = { 0 };

	mem_fail_at(1);
	tail_feed(&tail, "l", 1, 1, &calls);
	tail_feed(&tail, "\nnext\n", 6, 1, &calls);
	ck_assert_str_eq(lines, "next|");
	ck_assert_uint_eq(n_dropped, 1);
	tail_fini(&tail);
}
END_TEST

static const char *
value_of(const struct env *env, const char *name)
{
	const char *found = NULL;
	const size_t n = strlen(name);

	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->vars[i], name, n) != 0 ||
		    env->vars[i][n] != '=')
			continue;
		ck_assert_ptr_null(found); /* no name twice */
		found = env->vars[i] + n + 1;
	}
	return found;
}

START_TEST(what_was_said_to_poold_is_not_passed_on)
{
	char *const from[] = { "PATH=/bin", "NOTIFY_SOCKET=/x", "LISTEN_PID=1",
		"LISTEN_FDS=2", "LISTEN_FDNAMES=a", "WATCHDOG_PID=1",
		"WATCHDOG_USEC=2", "HOLDLINE_CHANNEL=9", "HOLDLINE_RUN=3",
		"CREDENTIALS_DIRECTORY=/c", "LISTENER=kept",
		"NOTIFY_SOCKET_X=kept", "LANG=C", NULL };
	struct env env;

	ck_assert_int_eq(env_init(&env, from), 0);
	ck_assert_uint_eq(env.n, 4);
	ck_assert_str_eq(value_of(&env, "PATH"), "/bin");
	ck_assert_str_eq(value_of(&env, "LISTENER"), "kept");
	ck_assert_str_eq(value_of(&env, "NOTIFY_SOCKET_X"), "kept");
	ck_assert_ptr_null(env.vars[env.n]);
	env_fini(&env);
	ck_assert_int_eq(env_init(&env, NULL), 0);
	ck_assert_uint_eq(env.n, 0);
	env_fini(&env);
}
END_TEST

START_TEST(a_set_variable_replaces_an_inherited_one)
{
	char *const from[] = { "HOME=/root", "TMPDIR=/tmp", NULL };
	struct env env;

	ck_assert_int_eq(env_init(&env, from), 0);
	char *const pid = env_set(&env, "LISTEN_PID", "%010d", 0);
	ck_assert_ptr_nonnull(env_set(&env, "TMPDIR", "/state/%s", "a.b"));
	ck_assert_str_eq(pid, "0000000000");
	strcpy(pid, "42");
	ck_assert_uint_eq(env.n, 3);
	ck_assert_str_eq(value_of(&env, "TMPDIR"), "/state/a.b");
	ck_assert_str_eq(value_of(&env, "LISTEN_PID"), "42");
	ck_assert_ptr_null(env.vars[3]);
	env_fini(&env);
}
END_TEST

START_TEST(without_memory_nothing_is_set)
{
	char *const from[] = { "A=1", NULL };
	struct env env;

	mem_fail_at(1);
	ck_assert_int_eq(env_init(&env, from), -ENOMEM);
	env_fini(&env);
	ck_assert_int_eq(env_init(&env, from), 0);
	mem_fail_at(1);
	ck_assert_ptr_null(env_set(&env, "B", "2"));
	ck_assert_uint_eq(env.n, 1);
	env_fini(&env);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_tail");
	TCase *const all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, NULL);
	tcase_add_loop_test(all, bytes_become_lines_whole_and_byte_by_byte, 0,
	    sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(all, a_long_line_comes_in_pieces_of_which_none_is_lost);
	tcase_add_test(all, too_many_lines_are_counted_and_the_last_is_kept);
	tcase_add_test(all, between_lines_only_the_last_one_is_held);
	tcase_add_test(all, a_line_without_memory_is_dropped_and_counted);
	tcase_add_test(all, what_was_said_to_poold_is_not_passed_on);
	tcase_add_test(all, a_set_variable_replaces_an_inherited_one);
	tcase_add_test(all, without_memory_nothing_is_set);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
