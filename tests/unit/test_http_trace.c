/* SPDX-License-Identifier: MIT */
/* Ids of a request: the client's when valid, else made. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/random.h"
#include "common/http/trace.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"

static struct http_head head;

static void
head_set(enum http_name id, const char *a, const char *b)
{
	head.n_fields = 0;
	for (int i = 0; i < 2; i++) {
		const char *const value = i == 0 ? a : b;

		if (value)
			head.fields[head.n_fields++] = (struct http_field){
				.id = (uint8_t)id,
				.value = slice_of(value),
			};
	}
}

START_TEST(trace_keeps_a_valid_traceparent_and_makes_all_others)
{
	static const struct {
		const char *in;
		const char *out; /* NULL: made */
	} rows[] = {
		{ "00-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01" },
		{ "00-" TRACE "-" SPAN "-ff", "00-" TRACE "-" SPAN "-ff" },
		{ "01-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-01" },
		{ "cc-" TRACE "-" SPAN "-01-x", "00-" TRACE "-" SPAN "-01" },
		{ "cc-" TRACE "-" SPAN "-01x", NULL },
		{ "00-" TRACE "-" SPAN "-01-x", NULL },
		{ "ff-" TRACE "-" SPAN "-01", NULL },
		{ "00-" TRACE "-" SPAN "-0", NULL },
		{ "00-" TRACE "-" SPAN "-0g", NULL },
		{ "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", NULL },
		{ "00-00000000000000000000000000000000-" SPAN "-01", NULL },
		{ "00-" TRACE "-0000000000000000-01", NULL },
		{ "00_" TRACE "-" SPAN "-01", NULL },
		{ "00-" TRACE "_" SPAN "-01", NULL },
		{ "00-" TRACE "-" SPAN "_01", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[HTTP_TRACE_PARENT_SIZE];

		head_set(HTTP_NAME_TRACEPARENT, rows[i].in, NULL);
		http_trace_parent(&head, out);
		ck_assert(http_trace_is_parent(slice_of(out)));
		if (rows[i].out)
			ck_assert_str_eq(out, rows[i].out);
		else
			ck_assert_ptr_null(strstr(out, TRACE));
		ck_assert(
		    http_trace_is_parent(slice_of(rows[i].in)) ==
		    (rows[i].out && strcmp(rows[i].in, rows[i].out) == 0));
	}
}
END_TEST

START_TEST(trace_makes_ids_when_there_are_two)
{
	char out[HTTP_TRACE_PARENT_SIZE];
	char id[HTTP_TRACE_ID_SIZE];

	head_set(HTTP_NAME_TRACEPARENT, "00-" TRACE "-" SPAN "-01",
	    "00-" TRACE "-" SPAN "-01");
	ck_assert_ptr_null(strstr(http_trace_parent(&head, out), TRACE));
	head_set(HTTP_NAME_X_REQUEST_ID, "a", "a");
	ck_assert_uint_eq(strlen(http_trace_id(&head, id)), 32);
}
END_TEST

START_TEST(trace_keeps_a_valid_request_id_and_makes_all_others)
{
	char id[HTTP_TRACE_ID_SIZE];
	char longest[HTTP_TRACE_ID_SIZE + 1];

	memset(longest, 'x', sizeof(longest));
	longest[HTTP_TRACE_ID_SIZE] = '\0';
	head_set(HTTP_NAME_X_REQUEST_ID, longest, NULL);
	ck_assert_uint_eq(strlen(http_trace_id(&head, id)), 32);
	longest[HTTP_TRACE_ID_SIZE - 1] = '\0';
	head_set(HTTP_NAME_X_REQUEST_ID, longest, NULL);
	ck_assert_str_eq(http_trace_id(&head, id), longest);
	head_set(HTTP_NAME_X_REQUEST_ID, "aZ09._-", NULL);
	ck_assert_str_eq(http_trace_id(&head, id), "aZ09._-");
	head_set(HTTP_NAME_X_REQUEST_ID, "a b", NULL);
	ck_assert_uint_eq(strlen(http_trace_id(&head, id)), 32);
	head_set(HTTP_NAME_X_REQUEST_ID, NULL, NULL);
	ck_assert_uint_eq(strlen(http_trace_id(&head, id)), 32);
}
END_TEST

START_TEST(trace_makes_the_same_ids_from_the_same_seed)
{
	char a[HTTP_TRACE_PARENT_SIZE];
	char b[HTTP_TRACE_PARENT_SIZE];

	head_set(HTTP_NAME_TRACEPARENT, NULL, NULL);
	random_seed(7);
	http_trace_parent(&head, a);
	random_seed(7);
	http_trace_parent(&head, b);
	random_seed(0);
	ck_assert_str_eq(a, b);
	ck_assert_str_ne(a, http_trace_parent(&head, b));
}
END_TEST

static Suite *
suite_trace(void)
{
	Suite *const s = suite_create("http_trace");
	TCase *const tc = tcase_create("trace");

	tcase_add_test(
	    tc, trace_keeps_a_valid_traceparent_and_makes_all_others);
	tcase_add_test(tc, trace_makes_ids_when_there_are_two);
	tcase_add_test(tc, trace_keeps_a_valid_request_id_and_makes_all_others);
	tcase_add_test(tc, trace_makes_the_same_ids_from_the_same_seed);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_trace());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
