/* SPDX-License-Identifier: MIT */
/* How messages are framed: one row each, all decisions compared. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/read.h"

static struct http_request req;
static struct http_response res;

struct request_row {
	const char *method;
	const char *version;
	const char *fields;
	struct http_frame want;
};

static const struct request_row requests[] = {
	{ "GET", "1.1", "", { .persists = true } },
	{ "GET", "1.1", "Connection: close\r\n", { 0 } },
	{ "GET", "1.1", "Connection: Keep-Alive, CLOSE\r\n", { 0 } },
	{ "GET", "1.1", "Connection: x\r\nConnection: close\r\n", { 0 } },
	{ "GET", "1.0", "", { 0 } },
	{ "GET", "1.0", "Connection: keep-alive\r\n", { .persists = true } },
	{ "POST", "1.1", "Content-Length: 0\r\n",
	    { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.persists = true } },
	{ "POST", "1.1", "Content-Length: 123456789012345678\r\n",
	    { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.length = 123456789012345678,
		.persists = true } },
	{ "POST", "1.1", "Transfer-Encoding: chunked\r\n",
	    { .delim = HTTP_DELIM_CHUNKED,
		.announced = HTTP_DELIM_CHUNKED,
		.persists = true } },
	{ "POST", "1.1", "Content-Length: 1\r\nExpect: 100-continue\r\n",
	    { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.length = 1,
		.persists = true,
		.expects_continue = true } },
	{ "POST", "1.0", "Content-Length: 1\r\nExpect: 100-continue\r\n",
	    { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.length = 1 } },
	{ "GET", "1.1", "Expect: 100-continue\r\n", { .persists = true } },
	{ "GET", "1.1",
	    "Connection: keep-alive, Upgrade\r\n"
	    "Upgrade: websocket\r\n",
	    { .persists = true, .upgrades = true } },
	{ "GET", "1.1", "Connection: upgrade\r\nUpgrade: h2c, websocket\r\n",
	    { .persists = true, .upgrades = true } },
	{ "GET", "1.1", "Upgrade: websocket\r\n", { .persists = true } },
	{ "GET", "1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n",
	    { 0 } },
	{ "POST", "1.1",
	    "Connection: upgrade\r\nUpgrade: h2c\r\n"
	    "Content-Length: 2\r\n",
	    { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.length = 2,
		.persists = true } },
};

static void
check_frame(const struct http_frame *got, const struct http_frame *want)
{
	ck_assert_int_eq(got->delim, want->delim);
	ck_assert_int_eq(got->announced, want->announced);
	ck_assert_uint_eq(got->length, want->length);
	ck_assert_int_eq(got->persists, want->persists);
	ck_assert_int_eq(got->expects_continue, want->expects_continue);
	ck_assert_int_eq(got->upgrades, want->upgrades);
	ck_assert_int_eq(got->is_interim, want->is_interim);
}

START_TEST(frame_decides_on_requests)
{
	const struct request_row *const row = &requests[_i];
	char text[512];
	struct http_scan scan;
	struct http_fault fault;
	const int n =
	    snprintf(text, sizeof(text), "%s / HTTP/%s\r\nHost: a\r\n%s\r\n",
		row->method, row->version, row->fields);

	http_scan_init(&scan, HTTP_KIND_REQUEST);
	ck_assert_int_eq(http_read_request(&scan,
			     (struct slice){ text, (size_t)n }, &req, &fault),
	    1);
	check_frame(&req.frame, &row->want);
	const struct http_asked asked = http_read_asked(&req);

	ck_assert_int_eq(asked.persists, row->want.persists);
	ck_assert_int_eq(asked.upgrades, row->want.upgrades);
	ck_assert_int_eq(asked.minor, row->version[2] - '0');
	ck_assert(!asked.is_head);
}
END_TEST

struct response_row {
	const char *start;
	const char *fields;
	struct http_asked asked;
	struct http_frame want;
};

static const struct response_row responses[] = {
	{ "HTTP/1.1 200 OK", "Content-Length: 7\r\n", { 0 },
	    { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.length = 7,
		.persists = true } },
	{ "HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", { 0 },
	    { .delim = HTTP_DELIM_CHUNKED,
		.announced = HTTP_DELIM_CHUNKED,
		.persists = true } },
	{ "HTTP/1.1 200 OK", "", { 0 },
	    { .delim = HTTP_DELIM_CLOSE, .announced = HTTP_DELIM_CLOSE } },
	{ "HTTP/1.1 200 OK", "Connection: close\r\nContent-Length: 0\r\n",
	    { 0 },
	    { .delim = HTTP_DELIM_LENGTH, .announced = HTTP_DELIM_LENGTH } },
	{ "HTTP/1.0 200 OK", "Content-Length: 0\r\n", { 0 },
	    { .delim = HTTP_DELIM_LENGTH, .announced = HTTP_DELIM_LENGTH } },
	{ "HTTP/1.0 200 OK", "Content-Length: 0\r\nConnection: keep-alive\r\n",
	    { 0 },
	    { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.persists = true } },
	{ "HTTP/1.1 200 OK", "Content-Length: 7\r\n", { .is_head = true },
	    { .announced = HTTP_DELIM_LENGTH, .length = 7, .persists = true } },
	{ "HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n",
	    { .is_head = true },
	    { .announced = HTTP_DELIM_CHUNKED, .persists = true } },
	{ "HTTP/1.1 200 OK", "", { .is_head = true }, { .persists = true } },
	{ "HTTP/1.1 304 X", "Content-Length: 7\r\n", { 0 },
	    { .announced = HTTP_DELIM_LENGTH, .length = 7, .persists = true } },
	{ "HTTP/1.1 304 X", "Transfer-Encoding: chunked\r\n", { 0 },
	    { .persists = true } },
	{ "HTTP/1.1 204 X", "", { 0 }, { .persists = true } },
	{ "HTTP/1.1 204 X", "Content-Length: 0\r\n", { 0 },
	    { .persists = true } },
	{ "HTTP/1.1 204 X", "Content-Length: 7\r\n", { 0 }, { 0 } },
	{ "HTTP/1.1 204 X", "Transfer-Encoding: chunked\r\n", { 0 }, { 0 } },
	{ "HTTP/1.1 100 X", "", { 0 },
	    { .persists = true, .is_interim = true } },
	{ "HTTP/1.1 103 X", "Content-Length: 0\r\n", { .is_head = true },
	    { .persists = true, .is_interim = true } },
	{ "HTTP/1.1 101 X", "Connection: upgrade\r\nUpgrade: websocket\r\n",
	    { .upgrades = true }, { .upgrades = true } },
	{ "HTTP/1.1 200 X", "Content-Length: 1\r\n", { .upgrades = true },
	    { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.length = 1,
		.persists = true } },
};

START_TEST(frame_decides_on_responses)
{
	const struct response_row *const row = &responses[_i];
	struct http_asked asked = row->asked;
	char text[512];
	struct http_scan scan;
	struct http_fault fault;
	const int n = snprintf(
	    text, sizeof(text), "%s\r\n%s\r\n", row->start, row->fields);

	http_scan_init(&scan, HTTP_KIND_RESPONSE);
	ck_assert_int_eq(
	    http_read_response(
		&scan, (struct slice){ text, (size_t)n }, &asked, &res, &fault),
	    1);
	check_frame(&res.frame, &row->want);
	ck_assert_int_eq(asked.n_interim, row->want.is_interim);
}
END_TEST

static Suite *
suite_frame(void)
{
	Suite *const s = suite_create("http_frame");
	TCase *const tc = tcase_create("frame");

	tcase_add_loop_test(tc, frame_decides_on_requests, 0,
	    sizeof(requests) / sizeof(requests[0]));
	tcase_add_loop_test(tc, frame_decides_on_responses, 0,
	    sizeof(responses) / sizeof(responses[0]));
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_frame());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
