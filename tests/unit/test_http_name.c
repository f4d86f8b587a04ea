/* SPDX-License-Identifier: MIT */
/* The tables of characters and field names, and looking fields up. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/char.h"
#include "common/http/head.h"
#include "common/http/name.h"

/* Written out from the RFCs, against the expressions in char.c. */
START_TEST(char_classes_are_those_of_the_rfcs)
{
	const char tchar[] = "!#$%&'*+-.^_`|~";
	const char regname[] = "-._~!$&'()*+,;=";

	for (int i = 0; i < 256; i++) {
		const char c = (char)i;
		const bool is_alnum =
		    i < 128 &&
		    strchr(
			"0123456789"
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
			i) &&
		    i;
		const bool is_vchar = i >= 0x21 && i <= 0x7e;

		ck_assert_int_eq(http_char_is(c, HTTP_CHAR_TOKEN),
		    is_alnum || (i && strchr(tchar, c)));
		ck_assert_int_eq(http_char_is(c, HTTP_CHAR_REGNAME),
		    is_alnum || (i && strchr(regname, c)));
		ck_assert_int_eq(http_char_is(c, HTTP_CHAR_VALUE),
		    is_vchar || c == ' ' || c == '\t' || i >= 0x80);
		ck_assert_int_eq(http_char_is(c, HTTP_CHAR_TARGET),
		    is_vchar && c != '#' && c != '\\');
		ck_assert_int_eq(http_char_is(c, HTTP_CHAR_DIGIT),
		    i && strchr("0123456789", c));
		ck_assert_int_eq(http_char_is(c, HTTP_CHAR_HEX),
		    i && strchr("0123456789abcdefABCDEF", c));
		ck_assert_int_eq(http_char_is(c, HTTP_CHAR_ID),
		    is_alnum || (i && strchr("._-", c)));
	}
}
END_TEST

START_TEST(char_hex_gives_values)
{
	const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++)
		ck_assert_uint_eq(http_char_hex(digits[i]), i);
	ck_assert_uint_eq(http_char_hex('A'), 10);
	ck_assert_uint_eq(http_char_hex('F'), 15);
}
END_TEST

START_TEST(name_table_is_ordered_and_finds_itself_in_any_case)
{
	size_t last = 0;

	for (int i = 1; i < HTTP_NAME_COUNT; i++) {
		const struct slice text = http_name_text((enum http_name)i);
		char upper[64];

		ck_assert_uint_ge(text.n, last);
		ck_assert_uint_le(text.n, 32);
		last = text.n;
		for (size_t k = 0; k < text.n; k++)
			upper[k] = text.p[k] >= 'a' && text.p[k] <= 'z'
			               ? (char)(text.p[k] - 32)
			               : text.p[k];
		ck_assert_int_eq(http_name_find(text), i);
		ck_assert_int_eq(
		    http_name_find((struct slice){ upper, text.n }), i);
	}
	ck_assert_int_eq(http_name_find(SLICE("")), HTTP_NAME_OTHER);
	ck_assert_int_eq(http_name_find(SLICE("Hos")), HTTP_NAME_OTHER);
	ck_assert_int_eq(http_name_find(SLICE("Hosts")), HTTP_NAME_OTHER);
	ck_assert_uint_eq(http_name_flags(HTTP_NAME_OTHER), 0);
}
END_TEST

START_TEST(name_says_what_connection_must_not_name)
{
	static const struct {
		const char *name;
		bool is_pinned;
	} rows[] = {
		{ "host", true },
		{ "Content-Length", true },
		{ "transfer-encoding", true },
		{ "AUTHORIZATION", true },
		{ "Cookie", true },
		{ "Mcp-Session-Id", true },
		{ "MCP-Protocol-Version", true },
		{ "mcp-x", true },
		{ "mcp_x", true },
		{ "mcp", false },
		{ "close", false },
		{ "keep-alive", false },
		{ "Expect", false },
		{ "X-Hop", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(http_name_is_pinned(slice_of(rows[i].name)) ==
				  rows[i].is_pinned,
		    "%s", rows[i].name);
}
END_TEST

START_TEST(name_says_what_a_client_must_not_send_on)
{
	static const struct {
		const char *name;
		bool is_forged;
	} rows[] = {
		{ "Holdline-Principal", true },
		{ "holdline_principal", true },
		{ "HOLDLINE_x-y", true },
		{ "Holdline-", true },
		{ "Content_Length", true },
		{ "X_Forwarded-For", true },
		{ "x_request_id", true },
		{ "Holdline", false },
		{ "X-Holdline-A", false },
		{ "Content-Length", false },
		{ "my_own_field", false },
		{ "a_23456789012345678901234567890123456789", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(http_name_is_forged(slice_of(rows[i].name)) ==
				  rows[i].is_forged,
		    "%s", rows[i].name);
}
END_TEST

/* A head that only has fields. */
static struct http_head head;

static void
head_add(const char *name, const char *value)
{
	const struct slice s = slice_of(name);

	head.fields[head.n_fields++] = (struct http_field){
		.name = s,
		.value = slice_of(value),
		.id = (uint8_t)http_name_find(s),
	};
}

START_TEST(head_finds_fields_and_tokens)
{
	head_add("Accept", "text/html, application/json;q=0.9");
	head_add("X-A", "1");
	head_add("accept", ",, text/event-stream ,");
	head_add("x-a", "2");
	ck_assert(
	    slice_eq(http_head_value_text(&head, SLICE("x-A")), SLICE("1")));
	ck_assert_ptr_eq(
	    http_head_find(&head, HTTP_NAME_ACCEPT), &head.fields[0]);
	ck_assert_ptr_null(http_head_find(&head, HTTP_NAME_HOST));
	ck_assert_ptr_null(http_head_value(&head, HTTP_NAME_HOST).p);
	ck_assert_ptr_null(http_head_value_text(&head, SLICE("X")).p);
	ck_assert(
	    http_head_has_token(&head, HTTP_NAME_ACCEPT, SLICE("TEXT/HTML")));
	ck_assert(http_head_has_token(
	    &head, HTTP_NAME_ACCEPT, SLICE("text/event-stream")));
	ck_assert(!http_head_has_token(
	    &head, HTTP_NAME_ACCEPT, SLICE("application/json")));
	ck_assert(!http_head_has_token(&head, HTTP_NAME_COOKIE, SLICE("a")));
}
END_TEST

START_TEST(head_next_walks_a_list)
{
	struct slice list = SLICE(" a ,, b\t,,c");
	struct slice item;
	char got[8] = "";

	while (http_head_next(&list, &item))
		strncat(got, item.p, item.n);
	ck_assert_str_eq(got, "abc");
	ck_assert(!http_head_next(&list, &item));
}
END_TEST

static Suite *
suite_name(void)
{
	Suite *const s = suite_create("http_name");
	TCase *const tc = tcase_create("name");

	tcase_add_test(tc, char_classes_are_those_of_the_rfcs);
	tcase_add_test(tc, char_hex_gives_values);
	tcase_add_test(tc, name_table_is_ordered_and_finds_itself_in_any_case);
	tcase_add_test(tc, name_says_what_connection_must_not_name);
	tcase_add_test(tc, name_says_what_a_client_must_not_send_on);
	tcase_add_test(tc, head_finds_fields_and_tokens);
	tcase_add_test(tc, head_next_walks_a_list);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_name());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
