/* SPDX-License-Identifier: MIT */
/* Regular expressions: ECMA-262's meaning, PCRE2's hands, bounded cost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/json/ecma.h"
#include "common/json/jsonpattern.h"
#include "tests/unit/json_chaos.h"

static const struct {
	const char *pattern;
	const char *text;
	int want;
} match_cases[] = {
	{ "", "", 1 },
	{ "b", "abc", 1 },
	{ "^b", "abc", 0 },
	{ "^abc$", "abc\n", 0 },
	{ ".", "\n", 0 },
	{ ".", "\xe2\x80\xa8", 0 },
	{ "^.$", "\xf0\x9f\x90\xb2", 1 },
	{ "^\\ud83d\\udc32$", "\xf0\x9f\x90\xb2", 1 },
	{ "^\\u{1F432}$", "\xf0\x9f\x90\xb2", 1 },
	{ "^\\u00e9\\x41\\/\\0?$",
	    "\xc3\xa9"
	    "A/",
	    1 },
	{ "^\\d$", "\xd9\xa1", 0 },
	{ "^\\w$", "\xc3\xa9", 0 },
	{ "^\\s$", "\xc2\xa0", 1 },
	{ "^[\\s]$", "\xef\xbb\xbf", 1 },
	{ "^\\S$", "\xef\xbb\xbf", 0 },
	{ "^\\v$", "\v", 1 },
	{ "^\\v$", "\n", 0 },
	{ "^\\p{Letter}\\p{Lu}\\P{gc=Nd}$", "\xcf\x80Xa", 1 },
	{ "^[\\p{Uppercase_Letter}]$", "x", 0 },
	{ "^[[:alpha:]]$", "a", 0 },
	{ "^[[:a]+$", "[:a", 1 },
	{ "a[]b", "ab", 0 },
	{ "^[^]$", "\n", 1 },
	{ "(?<n>a)\\k<n>", "aa", 1 },
	{ "(?=b)a|(?<=a)b(?!c)", "abd", 1 },
	{ "^(?:a|b){2,3}?$", "aba", 1 },
	{ "^(a)?\\1b$", "b", 1 },
	{ "a{,2}", "a{,2}", 1 },
};

START_TEST(patterns_mean_what_ecma_262_says)
{
	struct jsonvalue_budget budget = { 10000 };
	struct jsonpattern *p = NULL;
	struct err e = { 0 };

	ck_assert_msg(
	    jsonpattern_new(slice_of(match_cases[_i].pattern), &p, &e) == 0,
	    "%s: %s", match_cases[_i].pattern, e.text);
	ck_assert_msg(jsonpattern_match(p, slice_of(match_cases[_i].text),
			  &budget) == match_cases[_i].want,
	    "%s", match_cases[_i].pattern);
	ck_assert(
	    slice_eq(jsonpattern_text(p), slice_of(match_cases[_i].pattern)));
	jsonpattern_free(&p);
	ck_assert_ptr_null(p);
}
END_TEST

static const struct {
	const char *pattern;
	const char *says;
} refused[] = {
	{ "a++", "nothing to repeat at byte 3" },
	{ "a?+", "nothing to repeat" },
	{ "a{2}+", "nothing to repeat" },
	{ "a**", "nothing to repeat" },
	{ "(*UTF)a", "nothing to repeat at byte 1" },
	{ "(?R)", "unknown kind" },
	{ "(?>a)", "unknown kind" },
	{ "(?i)a", "unknown kind" },
	{ "(?C1)a", "unknown kind" },
	{ "(?P<n>a)", "unknown kind" },
	{ "\\Qa\\E", "does not exist" },
	{ "\\Z", "does not exist" },
	{ "\\", "without what" },
	{ "\\u12", "wrong \\u" },
	{ "\\u{110000}", "wrong \\u{}" },
	{ "\\xg0", "wrong \\x" },
	{ "\\p", "wrong \\p{}" },
	{ "\\p{NoSuchThing}", "cannot be used" },
	{ "[b-a]", "cannot be used" },
	{ "[a", "cannot be used" },
	{ "(", "cannot be used" },
	{ "a{70000}", "cannot be used" },
};

START_TEST(what_ecma_262_has_not_is_refused)
{
	struct jsonpattern *p = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(
	    jsonpattern_new(slice_of(refused[_i].pattern), &p, &e), -EINVAL);
	ck_assert_ptr_null(p);
	ck_assert_msg(strstr(e.text, refused[_i].says) != NULL, "%s: %s",
	    refused[_i].pattern, e.text);
}
END_TEST

START_TEST(length_and_nesting_are_bounded)
{
	char text[JSONPATTERN_BYTES + 2];
	struct jsonpattern *p = NULL;

	memset(text, 'a', sizeof(text));
	ck_assert_int_eq(
	    jsonpattern_new(
		(struct slice){ text, JSONPATTERN_BYTES }, &p, NULL),
	    0);
	jsonpattern_free(&p);
	ck_assert_int_eq(
	    jsonpattern_new(
		(struct slice){ text, JSONPATTERN_BYTES + 1 }, &p, NULL),
	    -EINVAL);
	/* Every byte grows to a class of 25. */
	memset(text, '.', sizeof(text));
	ck_assert_int_eq(
	    jsonpattern_new(
		(struct slice){ text, JSONPATTERN_BYTES }, &p, NULL),
	    -EINVAL);
	memset(text, '(', JSONPATTERN_NEST + 1);
	memset(text + JSONPATTERN_NEST + 1, ')', JSONPATTERN_NEST + 1);
	ck_assert_int_eq(
	    jsonpattern_new(
		(struct slice){ text, 2 * JSONPATTERN_NEST + 2 }, &p, NULL),
	    -EINVAL);
	ck_assert_int_eq(
	    jsonpattern_new(
		(struct slice){ text + 1, 2 * JSONPATTERN_NEST }, &p, NULL),
	    0);
	jsonpattern_free(&p);
}
END_TEST

/* Each would run for minutes or longer over this text if it were let. */
static const char *const costly[] = {
	"^(a+)+$",
	"^(a|aa)+$",
	"(.*)(.*)(.*)(.*)x|y",
	"a*[bc]",
	"^(a*)\\1c|d",
	"(?:(?!a{500}b).)*$",
	"\\s+$",
};

START_TEST(a_match_ends_when_the_budget_is_spent)
{
	const size_t n = 1 << 20;
	char *const text = malloc(n);
	struct jsonvalue_budget budget = { 200000 };
	struct jsonpattern *p = NULL;

	ck_assert_ptr_nonnull(text);
	memset(text, 'a', n);
	text[n - 1] = '!';
	ck_assert_int_eq(jsonpattern_new(slice_of(costly[_i]), &p, NULL), 0);
	ck_assert_int_eq(
	    jsonpattern_match(p, (struct slice){ text, n }, &budget),
	    -EMSGSIZE);
	jsonpattern_free(&p);
	free(text);
}
END_TEST

START_TEST(plain_patterns_are_cheap_on_long_text)
{
	const size_t n = 1 << 20;
	char *const text = malloc(n);
	struct jsonvalue_budget budget = { 100000 };
	struct jsonpattern *p = NULL;

	ck_assert_ptr_nonnull(text);
	memset(text, 'a', n);
	ck_assert_int_eq(jsonpattern_new(SLICE("^[a-z]+$"), &p, NULL), 0);
	ck_assert_int_eq(
	    jsonpattern_match(p, (struct slice){ text, n }, &budget), 1);
	jsonpattern_free(&p);
	ck_assert_int_eq(jsonpattern_new(SLICE("[0-9]{3}"), &p, NULL), 0);
	ck_assert_int_eq(
	    jsonpattern_match(p, (struct slice){ text, n }, &budget), 0);
	jsonpattern_free(&p);
	free(text);
}
END_TEST

START_TEST(text_that_is_not_utf8_matches_nothing)
{
	struct jsonvalue_budget budget = { 100 };
	struct jsonpattern *p = NULL;

	ck_assert_int_eq(jsonpattern_new(SLICE(""), &p, NULL), 0);
	ck_assert_int_eq(jsonpattern_match(p, SLICE("a\xff"), &budget), 0);
	jsonpattern_free(&p);
}
END_TEST

/* Every short string over what has a meaning: no crash, no invalid code. */
START_TEST(every_short_pattern_is_survived)
{
	static const char letters[] = "a\\[](){}?*+^$.|-:<=u1,";
	const size_t n = sizeof(letters) - 1;

	for (size_t i = 0; i < n * n * n * n; i++) {
		const char text[] = { letters[i % n], letters[i / n % n],
			letters[i / n / n % n], letters[i / n / n / n] };
		struct buf out;
		size_t least = 0;

		buf_init(&out, 1024);
		const int e = ecma_translate(
		    (struct slice){ text, sizeof(text) }, &out, &least, NULL);

		ck_assert(e == 0 || e == -EINVAL);
		buf_fini(&out);
		if (i % 37)
			continue;
		struct jsonvalue_budget budget = { 1000 };
		struct jsonpattern *p = NULL;

		if (jsonpattern_new(
			(struct slice){ text, sizeof(text) }, &p, NULL) == 0)
			ck_assert_int_ge(
			    jsonpattern_match(p, SLICE("aa(b)"), &budget), 0);
		jsonpattern_free(&p);
	}
}
END_TEST

START_TEST(each_allocation_may_fail)
{
	int r = -ENOMEM;

	for (size_t n = 1; r < 0; n++) {
		struct jsonvalue_budget budget = { 10000 };
		struct jsonpattern *p = NULL;

		mem_fail_at(n);
		r = jsonpattern_new(SLICE("^([a-z]+\\s?)*x$"), &p, NULL);
		if (r == 0)
			r = jsonpattern_match(p, SLICE("abc def x"), &budget);
		mem_fail_at(0);
		ck_assert(r == 1 || r == -ENOMEM);
		jsonpattern_free(&p);
	}
}
END_TEST

#define ROWS(a) ((int)(sizeof(a) / sizeof(*(a))))

int
main(void)
{
	Suite *const s = suite_create("json/jsonpattern");
	TCase *const t = tcase_create("jsonpattern");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(
	    t, patterns_mean_what_ecma_262_says, 0, ROWS(match_cases));
	tcase_add_loop_test(
	    t, what_ecma_262_has_not_is_refused, 0, ROWS(refused));
	tcase_add_test(t, length_and_nesting_are_bounded);
	tcase_add_loop_test(
	    t, a_match_ends_when_the_budget_is_spent, 0, ROWS(costly));
	tcase_add_test(t, plain_patterns_are_cheap_on_long_text);
	tcase_add_test(t, text_that_is_not_utf8_matches_nothing);
	tcase_add_test(t, every_short_pattern_is_survived);
	tcase_add_test(t, each_allocation_may_fail);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
