/* SPDX-License-Identifier: MIT */
/* What scan does with size: limits at their exact byte, each byte seen once. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/http/scan.h"

#define REQUEST  "GET / HTTP/1.1\r\nHost: a.b\r\n"
#define RESPONSE "HTTP/1.1 200 OK\r\n"

static char bytes[2 * HTTP_RESPONSE_MAX];

/*
 * Fill bytes with a start, a field X whose value makes the head n bytes long,
 * and the end. Returns the head with room behind it.
 */
static struct slice
head_of(const char *start, size_t n)
{
	const size_t first = strlen(start);

	memset(bytes, 'v', sizeof(bytes));
	memcpy(bytes, start, first);
	memcpy(bytes + first, "X: ", 3);
	memcpy(bytes + n - 4, "\r\n\r\n", 4);
	return (struct slice){ bytes, n };
}

/* Feed in steps; every byte that is given is taken at once. */
static int
feed(
    enum http_kind kind, struct slice in, size_t step, struct http_fault *fault)
{
	struct http_scan scan;
	size_t n = 0;
	size_t head_n = 0;
	int rc = 0;

	http_scan_init(&scan, kind);
	while (rc == 0 && n < in.n) {
		n = n + step < in.n ? n + step : in.n;
		rc = http_scan_feed(
		    &scan, (struct slice){ in.p, n }, &head_n, fault);
		if (rc == 0)
			ck_assert_uint_eq(scan.at, n);
	}
	if (rc == 1)
		ck_assert_uint_eq(head_n, scan.at);
	return rc;
}

static void
check_limit(
    enum http_kind kind, const char *start, size_t limit, int status, int error)
{
	const size_t steps[] = { 1, 1000, SIZE_MAX / 2 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct http_fault fault = { 0 };

		ck_assert_int_eq(
		    feed(kind, head_of(start, limit), steps[i], &fault), 1);
		ck_assert_int_eq(
		    feed(kind, head_of(start, limit + 1), steps[i], &fault),
		    error);
		ck_assert_int_eq(fault.status, status);
		ck_assert_uint_eq(fault.at, limit);
	}
}

START_TEST(scan_takes_a_request_of_16_kib_and_no_more)
{
	check_limit(
	    HTTP_KIND_REQUEST, REQUEST, HTTP_REQUEST_MAX, 431, -EMSGSIZE);
}
END_TEST

START_TEST(scan_takes_a_response_of_64_kib_and_no_more)
{
	check_limit(
	    HTTP_KIND_RESPONSE, RESPONSE, HTTP_RESPONSE_MAX, 502, -EBADMSG);
}
END_TEST

START_TEST(scan_refuses_a_full_buffer_without_an_end_at_once)
{
	struct http_fault fault;

	head_of(REQUEST, HTTP_REQUEST_MAX + 100);
	ck_assert_int_eq(
	    feed(HTTP_KIND_REQUEST, (struct slice){ bytes, HTTP_REQUEST_MAX },
		512, &fault),
	    -EMSGSIZE);
	ck_assert_int_eq(fault.status, 431);
}
END_TEST

/* A request whose target has n bytes. */
static struct slice
target_of(size_t n)
{
	const char end[] = " HTTP/1.1\r\nHost: a\r\n\r\n";

	memset(bytes, 'a', sizeof(bytes));
	memcpy(bytes, "GET /", 5);
	memcpy(bytes + 4 + n, end, sizeof(end) - 1);
	return (struct slice){ bytes, 4 + n + sizeof(end) - 1 };
}

START_TEST(scan_takes_a_target_of_8_kib_and_no_more)
{
	for (size_t step = 1; step < 20000; step *= 7) {
		struct http_fault fault = { 0 };

		ck_assert_int_eq(feed(HTTP_KIND_REQUEST,
				     target_of(HTTP_TARGET_MAX), step, &fault),
		    1);
		ck_assert_int_eq(
		    feed(HTTP_KIND_REQUEST, target_of(HTTP_TARGET_MAX + 1),
			step, &fault),
		    -EMSGSIZE);
		ck_assert_int_eq(fault.status, 414);
		ck_assert_uint_eq(fault.at, 4 + HTTP_TARGET_MAX);
	}
}
END_TEST

/* A head of n fields beyond the start. */
static struct slice
fields_of(const char *start, size_t n)
{
	size_t at = strlen(start);

	memcpy(bytes, start, at);
	for (size_t i = 0; i < n; i++, at += 6)
		memcpy(bytes + at, "X: 1\r\n", 6);
	memcpy(bytes + at, "\r\n", 2);
	return (struct slice){ bytes, at + 2 };
}

START_TEST(scan_takes_100_fields_and_no_more)
{
	for (size_t step = 1; step < 2000; step *= 5) {
		struct http_fault fault = { 0 };

		ck_assert_int_eq(feed(HTTP_KIND_REQUEST, fields_of(REQUEST, 99),
				     step, &fault),
		    1);
		ck_assert_int_eq(feed(HTTP_KIND_REQUEST,
				     fields_of(REQUEST, 100), step, &fault),
		    -EMSGSIZE);
		ck_assert_int_eq(fault.status, 431);
		ck_assert_int_eq(feed(HTTP_KIND_RESPONSE,
				     fields_of(RESPONSE, 100), step, &fault),
		    1);
		ck_assert_int_eq(feed(HTTP_KIND_RESPONSE,
				     fields_of(RESPONSE, 101), step, &fault),
		    -EBADMSG);
		ck_assert_int_eq(fault.status, 502);
	}
}
END_TEST

/* Each row is refused when its last byte has come, not before, not later. */
START_TEST(scan_refuses_at_the_first_wrong_byte)
{
	static const struct slice rows[] = {
		{ "(", 1 },
		{ "GET  ", 5 },
		{ "GET / HTTP/2", 12 },
		{ "GET / HTTP/1.1\n", 15 },
		{ "GET /#", 6 },
		{ "GET / HTTP/1.1\r\n ", 17 },
		{ "GET / HTTP/1.1\r\nA ", 18 },
		{ "GET / HTTP/1.1\r\nA:\n", 19 },
		{ "GET / HTTP/1.1\r\nHost:a\r\nHost:", 29 },
		{ "GET / HTTP/1.1\r\nContent-Length:1\r\nTransfer-Encoding:",
		    52 },
		{ "GET / HTTP/1.0\r\nTransfer-Encoding:", 34 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_fault fault;
		const struct slice before = { rows[i].p, rows[i].n - 1 };

		ck_assert_int_eq(feed(HTTP_KIND_REQUEST, before, 1, &fault), 0);
		ck_assert_int_eq(
		    feed(HTTP_KIND_REQUEST, rows[i], 1, &fault), -EBADMSG);
		ck_assert_uint_eq(fault.at, rows[i].n - 1);
	}
}
END_TEST

START_TEST(scan_is_idle_until_a_message_begins)
{
	struct http_scan scan;
	struct http_fault fault;
	size_t n;

	http_scan_init(&scan, HTTP_KIND_REQUEST);
	ck_assert(http_scan_is_idle(&scan));
	ck_assert_int_eq(http_scan_feed(&scan, SLICE("\r\n"), &n, &fault), 0);
	ck_assert(http_scan_is_idle(&scan));
	ck_assert_int_eq(http_scan_feed(&scan, SLICE("\r\nG"), &n, &fault), 0);
	ck_assert(!http_scan_is_idle(&scan));
	http_scan_init(&scan, HTTP_KIND_RESPONSE);
	ck_assert(http_scan_is_idle(&scan));
	ck_assert_int_eq(http_scan_feed(&scan, SLICE("H"), &n, &fault), 0);
	ck_assert(!http_scan_is_idle(&scan));
}
END_TEST

static Suite *
suite_scan(void)
{
	Suite *const s = suite_create("http_scan");
	TCase *const tc = tcase_create("scan");

	tcase_add_test(tc, scan_takes_a_request_of_16_kib_and_no_more);
	tcase_add_test(tc, scan_takes_a_response_of_64_kib_and_no_more);
	tcase_add_test(tc, scan_refuses_a_full_buffer_without_an_end_at_once);
	tcase_add_test(tc, scan_takes_a_target_of_8_kib_and_no_more);
	tcase_add_test(tc, scan_takes_100_fields_and_no_more);
	tcase_add_test(tc, scan_refuses_at_the_first_wrong_byte);
	tcase_add_test(tc, scan_is_idle_until_a_message_begins);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_scan());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
