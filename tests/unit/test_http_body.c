/* SPDX-License-Identifier: MIT */
/* Bodies of every framing, their limits, and bodies that are cut short. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/body.h"

struct row {
	enum http_delim delim;
	uint64_t length;
	uint64_t max_bytes;
	const char *in;
	int rc; /* when all of in was fed */
	const char *data;
	size_t n_rest; /* bytes that belong to what follows */
	int eof;       /* what http_body_eof says then */
};

#define NO_MAX HTTP_BODY_NO_MAX

static const struct row rows[] = {
	{ HTTP_DELIM_NONE, 0, NO_MAX, "GET", 1, "", 3, 0 },
	{ HTTP_DELIM_NONE, 0, 0, "GET", 1, "", 3, 0 },
	{ HTTP_DELIM_LENGTH, 0, 0, "GET", 1, "", 3, 0 },
	{ HTTP_DELIM_LENGTH, 5, 5, "helloGET", 1, "hello", 3, 0 },
	{ HTTP_DELIM_LENGTH, 5, NO_MAX, "hell", 0, "hell", 0, -EPIPE },
	{ HTTP_DELIM_LENGTH, 5, NO_MAX, "", 0, "", 0, -EPIPE },
	{ HTTP_DELIM_CLOSE, 0, NO_MAX, "hello", 0, "hello", 0, 0 },
	{ HTTP_DELIM_CLOSE, 0, NO_MAX, "", 0, "", 0, 0 },
	{ HTTP_DELIM_CLOSE, 0, 5, "hello", 0, "hello", 0, 0 },
	{ HTTP_DELIM_CLOSE, 0, 4, "hello", -EMSGSIZE, NULL, 0, 0 },
	{ HTTP_DELIM_CHUNKED, 0, 5, "5\r\nhello\r\n0\r\n\r\nGET", 1, "hello", 3,
	    0 },
	{ HTTP_DELIM_CHUNKED, 0, 4, "5\r\nhello\r\n0\r\n\r\n", -EMSGSIZE, NULL,
	    0, 0 },
	{ HTTP_DELIM_CHUNKED, 0, 5, "3\r\nhel\r\n3\r\nlo!\r\n", -EMSGSIZE, NULL,
	    0, 0 },
	{ HTTP_DELIM_CHUNKED, 0, 5, "ffffffffffffffff\r\n", -EMSGSIZE, NULL, 0,
	    0 },
	{ HTTP_DELIM_CHUNKED, 0, NO_MAX, "ffffffffffffffff\r\nx", 0, "x", 0,
	    -EPIPE },
	{ HTTP_DELIM_CHUNKED, 0, NO_MAX, "5\r\nhello\r\n0\r\n", 0, "hello", 0,
	    -EPIPE },
	{ HTTP_DELIM_CHUNKED, 0, NO_MAX, "5\r\nhelloX", -EBADMSG, NULL, 0, 0 },
};

/* Feed a row in steps; all data is kept. */
static int
feed(const struct row *row, size_t step, struct http_body *body, char *data,
    size_t *rest_r)
{
	const struct http_frame frame = { .delim = row->delim,
		.length = row->length };
	struct http_fault fault;
	struct slice in = slice_of(row->in);
	size_t data_n = 0;
	int rc = http_body_init(
	    body, HTTP_KIND_REQUEST, &frame, row->max_bytes, &fault);

	ck_assert_int_eq(rc, 0);
	do {
		const size_t n = step < in.n ? step : in.n;
		struct slice run;
		size_t used;

		rc = http_body_feed(
		    body, (struct slice){ in.p, n }, &used, &run, &fault);
		if (rc < 0) {
			ck_assert_int_eq(
			    fault.status, rc == -EMSGSIZE ? 413 : 400);
			break;
		}
		memcpy(data + data_n, run.p, run.n);
		data_n += run.n;
		in = (struct slice){ in.p + used, in.n - used };
	} while (rc == 0 && in.n);
	data[data_n] = '\0';
	*rest_r = in.n;
	return rc;
}

START_TEST(body_reads_every_framing)
{
	const struct row *const row = &rows[_i];

	for (size_t step = 1; step <= 64; step++) {
		struct http_body body;
		char data[64];
		size_t rest;

		ck_assert_int_eq(feed(row, step, &body, data, &rest), row->rc);
		if (row->rc < 0)
			continue;
		ck_assert_str_eq(data, row->data);
		ck_assert_uint_eq(rest, row->n_rest);
		ck_assert_uint_eq(body.total, strlen(row->data));
		ck_assert_int_eq(body.is_done, row->rc == 1);
		ck_assert_int_eq(http_body_eof(&body), row->eof);
		ck_assert_int_eq(body.is_done, row->eof == 0);
	}
}
END_TEST

START_TEST(body_refuses_a_length_over_the_limit_before_it_comes)
{
	const struct http_frame frame = { .delim = HTTP_DELIM_LENGTH,
		.length = 6 };
	struct http_body body;
	struct http_fault fault;

	ck_assert_int_eq(
	    http_body_init(&body, HTTP_KIND_REQUEST, &frame, 5, &fault),
	    -EMSGSIZE);
	ck_assert_int_eq(fault.status, 413);
	ck_assert_int_eq(
	    http_body_init(&body, HTTP_KIND_RESPONSE, &frame, 5, &fault),
	    -EMSGSIZE);
	ck_assert_int_eq(fault.status, 502);
	ck_assert_int_eq(
	    http_body_init(&body, HTTP_KIND_REQUEST, &frame, 6, &fault), 0);
}
END_TEST

START_TEST(body_frames_data_on_the_way_out)
{
	static const struct {
		enum http_delim delim;
		const char *text;
		size_t room; /* of 64 bytes, before anything is written */
	} cases[] = {
		{ HTTP_DELIM_LENGTH, "hello", 64 },
		{ HTTP_DELIM_CLOSE, "hello", 64 },
		{ HTTP_DELIM_CHUNKED, "5\r\nhello\r\n0\r\n\r\n", 58 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char storage[64];
		struct buf out;

		buf_init_static(&out, storage, sizeof(storage));
		ck_assert_uint_eq(
		    http_body_room(cases[i].delim, &out), cases[i].room);
		ck_assert_int_eq(
		    http_body_add(cases[i].delim, &out, SLICE("hello")), 0);
		ck_assert_int_eq(http_body_end(cases[i].delim, &out), 0);
		ck_assert(slice_eq(buf_content(&out), slice_of(cases[i].text)));
	}
}
END_TEST

START_TEST(body_that_does_not_exist_has_no_room)
{
	char storage[64];
	struct buf out;

	buf_init_static(&out, storage, sizeof(storage));
	ck_assert_uint_eq(http_body_room(HTTP_DELIM_NONE, &out), 0);
	ck_assert_int_eq(http_body_add(HTTP_DELIM_NONE, &out, SLICE("")), 0);
	ck_assert_int_eq(http_body_end(HTTP_DELIM_NONE, &out), 0);
	ck_assert_uint_eq(buf_len(&out), 0);
}
END_TEST

static Suite *
suite_body(void)
{
	Suite *const s = suite_create("http_body");
	TCase *const tc = tcase_create("body");

	tcase_add_loop_test(
	    tc, body_reads_every_framing, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(
	    tc, body_refuses_a_length_over_the_limit_before_it_comes);
	tcase_add_test(tc, body_frames_data_on_the_way_out);
	tcase_add_test(tc, body_that_does_not_exist_has_no_room);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_body());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
