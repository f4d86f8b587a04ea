/* SPDX-License-Identifier: MIT */
/* Values as JSON Schema sees them, places in them, words about them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/json/jsonpointer.h"
#include "common/json/jsonuri.h"
#include "common/json/jsonvalue.h"
#include "common/json/said.h"
#include "tests/unit/json_chaos.h"

static const struct {
	const char *a;
	const char *b;
	int want; /* sign of the order */
} orders[] = {
	{ "1", "1.0", 0 },
	{ "1", "1.5", -1 },
	{ "-1", "-1.5", 1 },
	{ "9007199254740993", "9007199254740992.0", 1 },
	{ "9223372036854775807", "9223372036854775808.0", -1 },
	{ "-9223372036854775808", "-9223372036854775808.0", 0 },
	{ "-9223372036854775808", "-1e300", 1 },
	{ "1e300", "2e300", -1 },
	{ "0", "-0.0", 0 },
	{ "-9223372036854775808", "9223372036854775807", -1 },
};

START_TEST(numbers_are_compared_exactly)
{
	json_t *const a = chaos_json(orders[_i].a);
	json_t *const b = chaos_json(orders[_i].b);

	ck_assert_int_eq(jsonvalue_compare(a, b), orders[_i].want);
	ck_assert_int_eq(jsonvalue_compare(b, a), -orders[_i].want);
	json_decref(a);
	json_decref(b);
}
END_TEST

static const struct {
	const char *a;
	const char *b;
	bool want;
} multiples[] = {
	{ "6", "3", true },
	{ "7", "3", false },
	{ "0", "3", true },
	{ "-6", "3", true },
	{ "4.5", "1.5", true },
	{ "0.0075", "0.0001", true },
	{ "0.00751", "0.0001", false },
	{ "1e308", "0.5", true },
	{ "1e308", "0.123456789", false },
	{ "19.99", "0.01", true },
	{ "100", "1e-8", true },
	{ "5", "10", false },
	{ "10", "2.5e1", false },
	{ "9223372036854775807", "7", true },
	{ "-9223372036854775808", "3", false },
	{ "5e-324", "5e-324", true },
	{ "1e22", "1e21", true },
};

START_TEST(multiples_are_those_of_decimals)
{
	json_t *const a = chaos_json(multiples[_i].a);
	json_t *const b = chaos_json(multiples[_i].b);

	ck_assert_int_eq(jsonvalue_is_multiple(a, b), multiples[_i].want);
	json_decref(a);
	json_decref(b);
}
END_TEST

static const struct {
	const char *a;
	const char *b;
	bool want;
} equals[] = {
	{ "1", "1.0", true },
	{ "1", "true", false },
	{ "0", "false", false },
	{ "null", "null", true },
	{ "'a'", "'a'", true },
	{ "'a\\u0000b'", "'a\\u0000c'", false },
	{ "[1,[2.0]]", "[1.0,[2]]", true },
	{ "[1,2]", "[2,1]", false },
	{ "{'a':1,'b':[]}", "{'b':[],'a':1.0}", true },
	{ "{'a':1}", "{'a':1,'b':1}", false },
	{ "{'a':1}", "{'b':1}", false },
	{ "[]", "{}", false },
};

START_TEST(equality_is_that_of_json_schema)
{
	json_t *const a = chaos_json(equals[_i].a);
	json_t *const b = chaos_json(equals[_i].b);
	json_t *const both = json_pack("[OO]", a, b);
	struct jsonvalue_budget budget = { 100 };
	size_t first = 0;
	size_t second = 0;

	ck_assert_int_eq(jsonvalue_equal(a, b, &budget), equals[_i].want);
	ck_assert_int_eq(jsonvalue_find_twins(both, &budget, &first, &second),
	    equals[_i].want);
	ck_assert_int_eq(second, equals[_i].want);
	json_decref(a);
	json_decref(b);
	json_decref(both);
}
END_TEST

START_TEST(comparing_is_bounded_in_depth_and_steps)
{
	struct jsonvalue_budget budget = { 1000 };
	json_t *a = json_array();
	json_t *b = json_array();
	size_t first;
	size_t second;

	for (int i = 0; i < 70; i++) {
		a = json_pack("[o]", a);
		b = json_pack("[o]", b);
	}
	json_t *const both = json_pack("[OO]", a, b);

	ck_assert_int_eq(jsonvalue_equal(a, b, &budget), -ELOOP);
	ck_assert_int_eq(
	    jsonvalue_find_twins(both, &budget, &first, &second), -ELOOP);
	budget.steps = 10;
	ck_assert_int_eq(jsonvalue_equal(a, b, &budget), -EMSGSIZE);
	ck_assert_int_eq(budget.steps, 0);
	ck_assert_int_eq(
	    jsonvalue_find_twins(both, &budget, &first, &second), -EMSGSIZE);
	budget.steps = 1000;
	mem_fail_at(1);
	ck_assert_int_eq(
	    jsonvalue_find_twins(both, &budget, &first, &second), -ENOMEM);
	mem_fail_at(0);
	json_decref(both);
	json_decref(a);
	json_decref(b);
}
END_TEST

START_TEST(pointers_are_written_escaped_and_keep_their_end)
{
	const struct jsonpointer_at a = { NULL, "p/r", "s~t", 0 };
	const struct jsonpointer_at b = { &a, NULL, NULL, 7 };
	const struct jsonpointer_at c = { &b, NULL, "x\ny\xc3\xa9", 0 };
	char big[64];
	char small[12];

	ck_assert_str_eq(jsonpointer_write(NULL, big, sizeof(big)), "");
	ck_assert_str_eq(jsonpointer_write(&c, big, sizeof(big)),
	    "/p~1r/s~0t/7/x?y\xc3\xa9");
	ck_assert_str_eq(
	    jsonpointer_write(&c, small, sizeof(small)), ".../7/x?y\xc3\xa9");
	ck_assert_str_eq(jsonpointer_write(&c, small, 9), "...x?y\xc3\xa9");
}
END_TEST

static const struct {
	const char *pointer;
	const char *tokens[3];
	int want; /* of the last */
} tokens[] = {
	{ "/a/b~1c/~0~01", { "a", "b/c", "~~1" }, 0 },
	{ "//a", { "", "a" }, 0 },
	{ "a", { NULL }, -EINVAL },
	{ "/~", { NULL }, -EINVAL },
	{ "/~2", { NULL }, -EINVAL },
	{ "/123456789", { NULL }, -ENOBUFS },
};

START_TEST(pointers_are_read_token_by_token)
{
	struct slice rest = slice_of(tokens[_i].pointer);
	char token[9];

	for (size_t i = 0; i < 3 && tokens[_i].tokens[i]; i++) {
		ck_assert_int_eq(
		    jsonpointer_next(&rest, token, sizeof(token)), 0);
		ck_assert_str_eq(token, tokens[_i].tokens[i]);
	}
	if (tokens[_i].want)
		ck_assert_int_eq(jsonpointer_next(&rest, token, sizeof(token)),
		    tokens[_i].want);
	else
		ck_assert_int_eq(rest.n, 0);
}
END_TEST

START_TEST(indexes_are_decimal_without_zeros_in_front)
{
	size_t i = 99;

	ck_assert(jsonpointer_index("0", &i) && i == 0);
	ck_assert(jsonpointer_index("120", &i) && i == 120);
	ck_assert(!jsonpointer_index("", &i));
	ck_assert(!jsonpointer_index("01", &i));
	ck_assert(!jsonpointer_index("-1", &i));
	ck_assert(!jsonpointer_index("1a", &i));
	ck_assert(!jsonpointer_index("1234567890", &i));
}
END_TEST

/* RFC 3986 5.4.1 and 5.4.2, without fragments; then what schemas do. */
static const struct {
	const char *base;
	const char *ref;
	const char *want;
} targets[] = {
	{ "http://a/b/c/d;p?q", "g:h", "g:h" },
	{ "http://a/b/c/d;p?q", "g", "http://a/b/c/g" },
	{ "http://a/b/c/d;p?q", "./g", "http://a/b/c/g" },
	{ "http://a/b/c/d;p?q", "g/", "http://a/b/c/g/" },
	{ "http://a/b/c/d;p?q", "/g", "http://a/g" },
	{ "http://a/b/c/d;p?q", "//g", "http://g" },
	{ "http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y" },
	{ "http://a/b/c/d;p?q", "g?y", "http://a/b/c/g?y" },
	{ "http://a/b/c/d;p?q", "#s", "http://a/b/c/d;p?q" },
	{ "http://a/b/c/d;p?q", ";x", "http://a/b/c/;x" },
	{ "http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q" },
	{ "http://a/b/c/d;p?q", ".", "http://a/b/c/" },
	{ "http://a/b/c/d;p?q", "./", "http://a/b/c/" },
	{ "http://a/b/c/d;p?q", "..", "http://a/b/" },
	{ "http://a/b/c/d;p?q", "../g", "http://a/b/g" },
	{ "http://a/b/c/d;p?q", "../..", "http://a/" },
	{ "http://a/b/c/d;p?q", "../../../../g", "http://a/g" },
	{ "http://a/b/c/d;p?q", "/./g", "http://a/g" },
	{ "http://a/b/c/d;p?q", "/../g", "http://a/g" },
	{ "http://a/b/c/d;p?q", "g.", "http://a/b/c/g." },
	{ "http://a/b/c/d;p?q", "..g", "http://a/b/c/..g" },
	{ "http://a/b/c/d;p?q", "./g/.", "http://a/b/c/g/" },
	{ "http://a/b/c/d;p?q", "g/../h", "http://a/b/c/h" },
	{ "http://a/b/c/d;p?q", "g;x=1/../y", "http://a/b/c/y" },
	{ "http://a", "g", "http://a/g" },
	{ "", "node", "node" },
	{ "", "#a", "" },
	{ "urn:uuid:deadbeef", "#/a", "urn:uuid:deadbeef" },
	{ "file:///c:/x/y.json", "#/a", "file:///c:/x/y.json" },
};

START_TEST(references_resolve_as_rfc_3986_lists)
{
	struct buf out;

	buf_init(&out, JSONURI_BYTES);
	ck_assert_int_eq(jsonuri_resolve(slice_of(targets[_i].base),
			     slice_of(targets[_i].ref), &out),
	    0);
	ck_assert_int_eq(buf_add(&out, "", 1), 0);
	ck_assert_str_eq(buf_content(&out).p, targets[_i].want);
	buf_fini(&out);
	buf_init(&out, 2);
	ck_assert_int_eq(jsonuri_resolve(slice_of("http://a/"),
			     slice_of(targets[_i].ref), &out),
	    -ENOBUFS);
	buf_fini(&out);
}
END_TEST

START_TEST(percent_codes_are_decoded_or_refused)
{
	char out[8];

	ck_assert_int_eq(
	    jsonuri_decode(SLICE("a%25%2Fb"), out, sizeof(out)), 0);
	ck_assert_str_eq(out, "a%/b");
	ck_assert_int_eq(
	    jsonuri_decode(SLICE("%2"), out, sizeof(out)), -EINVAL);
	ck_assert_int_eq(
	    jsonuri_decode(SLICE("%zz"), out, sizeof(out)), -EINVAL);
	ck_assert_int_eq(
	    jsonuri_decode(SLICE("%00"), out, sizeof(out)), -EINVAL);
	ck_assert_int_eq(
	    jsonuri_decode(SLICE("12345678"), out, sizeof(out)), -ENOBUFS);
}
END_TEST

START_TEST(words_of_peers_are_shown_short_and_clean)
{
	char buf[SAID_BYTES];
	char text[300];
	char cut[] = "ab\x1b\xc3";
	struct said_list l = { .left = 40 };

	ck_assert_str_eq(said_text("a\nb\x7f", 4, buf), "\"a?b?\"");
	memset(text, 'x', sizeof(text));
	memcpy(text + 56, "\xf0\x9f\x90\xb2", 4);
	said_text(text, sizeof(text), buf);
	ck_assert_ptr_nonnull(strstr(buf, "x...\""));
	ck_assert_int_lt(strlen(buf), SAID_BYTES);
	said_clean(cut);
	ck_assert_str_eq(cut, "ab?");
	for (int i = 0; i < 40; i++)
		said_list_add(&l, "\"a choice\"");
	ck_assert_int_lt(strlen(l.text), SAID_LIST_BYTES);
	ck_assert_str_eq(l.text + strlen(l.text) - 5, ", ...");
	l = (struct said_list){ .left = 3 };
	said_list_add(&l, "a");
	said_list_add(&l, "b");
	said_list_add(&l, "c");
	ck_assert_str_eq(l.text, "a, b or c");
}
END_TEST

#define ROWS(a) ((int)(sizeof(a) / sizeof(*(a))))

int
main(void)
{
	Suite *const s = suite_create("json/jsonvalue");
	TCase *const t = tcase_create("jsonvalue");

	tcase_add_loop_test(t, numbers_are_compared_exactly, 0, ROWS(orders));
	tcase_add_loop_test(
	    t, multiples_are_those_of_decimals, 0, ROWS(multiples));
	tcase_add_loop_test(
	    t, equality_is_that_of_json_schema, 0, ROWS(equals));
	tcase_add_test(t, comparing_is_bounded_in_depth_and_steps);
	tcase_add_test(t, pointers_are_written_escaped_and_keep_their_end);
	tcase_add_loop_test(
	    t, pointers_are_read_token_by_token, 0, ROWS(tokens));
	tcase_add_test(t, indexes_are_decimal_without_zeros_in_front);
	tcase_add_loop_test(
	    t, references_resolve_as_rfc_3986_lists, 0, ROWS(targets));
	tcase_add_test(t, percent_codes_are_decoded_or_refused);
	tcase_add_test(t, words_of_peers_are_shown_short_and_clean);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
