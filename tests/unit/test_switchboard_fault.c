/* SPDX-License-Identifier: MIT */
/* The answers of our own: statuses, fields, and JSON whatever the text is. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "switchboard/fault.h"

static char storage[16384];

/* Write one answer; returns it NUL-ended. */
static const char *
said(struct fault_said said, size_t *n_body_r)
{
	struct buf out;

	buf_init_static(&out, storage, sizeof(storage) - 1);
	ck_assert_int_eq(fault_write(&out, &said, n_body_r), 0);
	storage[out.tail] = '\0';
	return storage;
}

static const struct row {
	enum fault fault;
	const char *line;
	const char *field; /* that must be there, or NULL */
} rows[] = {
	{ FAULT_BAD_REQUEST, "HTTP/1.1 400 Bad Request\r\n", NULL },
	{ FAULT_UNKNOWN_HOST, "HTTP/1.1 404 Not Found\r\n", NULL },
	{ FAULT_NO_PATH, "HTTP/1.1 404 Not Found\r\n", NULL },
	{ FAULT_METHOD, "HTTP/1.1 405 ", "\r\nAllow: GET, HEAD\r\n" },
	{ FAULT_TIMEOUT, "HTTP/1.1 408 ", NULL },
	{ FAULT_TOO_LARGE, "HTTP/1.1 413 ", NULL },
	{ FAULT_TARGET, "HTTP/1.1 414 ", NULL },
	{ FAULT_EXPECT, "HTTP/1.1 417 ", NULL },
	{ FAULT_FIELDS, "HTTP/1.1 431 ", NULL },
	{ FAULT_NO_METHOD, "HTTP/1.1 501 ", NULL },
	{ FAULT_BACKEND, "HTTP/1.1 502 Bad Gateway\r\n", NULL },
	{ FAULT_START_FAILED, "HTTP/1.1 502 Bad Gateway\r\n", NULL },
	{ FAULT_UNAVAILABLE, "HTTP/1.1 503 ", "\r\nRetry-After: 1\r\n" },
	{ FAULT_START_SLOW, "HTTP/1.1 504 ", NULL },
	{ FAULT_BACKEND_STALLS, "HTTP/1.1 504 ", NULL },
	{ FAULT_WAITING, "HTTP/1.1 503 ", "\r\nRetry-After: 1\r\n" },
	{ FAULT_QUEUE, "HTTP/1.1 503 ", "\r\nRetry-After: 1\r\n" },
	{ FAULT_SHORT, "HTTP/1.1 503 ", "\r\nRetry-After: 1\r\n" },
	{ FAULT_READERS, "HTTP/1.1 503 ", "\r\nRetry-After: 5\r\n" },
	{ FAULT_ENDING, "HTTP/1.1 503 ", "\r\nRetry-After: 1\r\n" },
};

START_TEST(each_fault_has_its_answer)
{
	const struct row *const row = &rows[_i];
	size_t n_body;
	const char *const text = said(
	    (struct fault_said){
		.fault = row->fault, .request_id = "id-1", .minor = 1 },
	    &n_body);
	const char *const body = strstr(text, "\r\n\r\n") + 4;
	char length[64];

	ck_assert_int_eq(row->fault, _i);
	ck_assert(strncmp(text, row->line, strlen(row->line)) == 0);
	ck_assert(!row->field || strstr(text, row->field));
	ck_assert_uint_eq(strlen(body), n_body);
	snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", n_body);
	ck_assert_ptr_nonnull(strstr(text, length));
	ck_assert_ptr_nonnull(strstr(text, "\r\nConnection: close\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "\r\nX-Request-Id: id-1\r\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(body, fault_text(row->fault)));
	ck_assert_ptr_nonnull(strstr(body, "\",\"requestId\":\"id-1\"}\n"));
	ck_assert_uint_eq(strlen(strstr(body, "\"}\n")), 3);
}
END_TEST

START_TEST(any_text_gives_valid_json)
{
	size_t n_body;

	ck_assert_ptr_nonnull(
	    strstr(said((struct fault_said){ .fault = FAULT_START_FAILED,
			    .text = "say \"\\\" \n\x01\x7f\xff",
			    .request_id = "x",
			    .minor = 1 },
		       &n_body),
		"\"message\":\"say \\\"\\\\\\\" \\u000a\\u0001\\u007f?\","));
}
END_TEST

START_TEST(a_long_text_is_cut_within_the_message)
{
	static char longest[8000];
	size_t n_body;

	memset(longest, '\x01', sizeof(longest) - 1);
	const char *const text =
	    said((struct fault_said){ .fault = FAULT_BACKEND,
		     .text = longest,
		     .request_id = "x",
		     .minor = 1 },
		&n_body);
	ck_assert_uint_le(n_body, 4096);
	ck_assert_ptr_nonnull(strstr(text, "\\u0001\",\"requestId\":\"x\"}\n"));
}
END_TEST

START_TEST(the_connection_field_says_what_happens)
{
	static const struct {
		bool persists;
		int minor;
		const char *field;
	} cases[] = {
		{ false, 0, "\r\nConnection: close\r\n" },
		{ false, 1, "\r\nConnection: close\r\n" },
		{ true, 0, "\r\nConnection: keep-alive\r\n" },
		{ true, 1, NULL },
	};
	size_t n_body;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const text =
		    said((struct fault_said){ .fault = FAULT_UNKNOWN_HOST,
			     .request_id = "x",
			     .persists = cases[i].persists,
			     .minor = cases[i].minor },
			&n_body);

		if (cases[i].field)
			ck_assert_ptr_nonnull(strstr(text, cases[i].field));
		else
			ck_assert_ptr_null(strstr(text, "\r\nConnection:"));
	}
}
END_TEST

START_TEST(head_gets_the_length_and_no_body)
{
	size_t n_body;
	const char *const text =
	    said((struct fault_said){ .fault = FAULT_BACKEND,
		     .request_id = "x",
		     .is_head = true,
		     .retry_after_s = 9 },
		&n_body);

	ck_assert_uint_gt(n_body, 10);
	ck_assert_str_eq(strstr(text, "\r\n\r\n"), "\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(text, "\r\nRetry-After: 9\r\n"));
}
END_TEST

START_TEST(a_full_buffer_stays_as_it_was)
{
	char small[200];
	struct buf out;
	size_t n_body;
	const struct fault_said all = { .fault = FAULT_BACKEND,
		.request_id = "x" };

	buf_init_static(&out, small, sizeof(small));
	ck_assert_int_eq(buf_add_slice(&out, SLICE("abc")), 0);
	ck_assert_int_lt(fault_write(&out, &all, &n_body), 0);
	ck_assert(slice_eq(buf_content(&out), SLICE("abc")));
}
END_TEST

START_TEST(statuses_find_their_rows)
{
	static const unsigned statuses[] = { 400, 404, 413, 414, 417, 431, 501,
		502, 503, 504 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		ck_assert_uint_eq(
		    (unsigned)fault_status(fault_of_status(statuses[i])),
		    statuses[i]);
	ck_assert_int_eq(fault_of_status(0), FAULT_BACKEND);
	ck_assert_int_eq(fault_of_status(299), FAULT_BACKEND);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("switchboard_fault");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	tcase_add_loop_test(c, each_fault_has_its_answer, 0, FAULT_COUNT);
	tcase_add_test(c, any_text_gives_valid_json);
	tcase_add_test(c, a_long_text_is_cut_within_the_message);
	tcase_add_test(c, the_connection_field_says_what_happens);
	tcase_add_test(c, head_gets_the_length_and_no_body);
	tcase_add_test(c, a_full_buffer_stays_as_it_was);
	tcase_add_test(c, statuses_find_their_rows);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
