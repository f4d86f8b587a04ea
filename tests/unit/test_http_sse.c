/* SPDX-License-Identifier: MIT */
/* Event streams cut anywhere give the same events (WHATWG HTML 9.2.6). */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/http/chunk.h"
#include "common/http/sse.h"

struct row {
	struct slice in;
	const char *want; /* [type|id|retry|data] for each event */
	const char *last_id;
};

#define R(lit, want, id)                           \
	{                                          \
		{ lit, sizeof(lit) - 1 }, want, id \
	}

static const struct row rows[] = {
	/* the examples of 9.2.6 */
	R("data: YHOO\ndata: +2\ndata: 10\n\n", "[||-1|YHOO\n+2\n10]", ""),
	R(": test stream\n\ndata: first event\nid: 1\n\n"
	  "data:second event\nid\n\ndata:  third event\n\n",
	    "[|1|-1|first event][||-1|second event][||-1| third event]", ""),
	R("data\n\ndata\ndata\n\ndata:", "[||-1|][||-1|\n]", ""),
	R("data:test\n\ndata: test\n\n", "[||-1|test][||-1|test]", ""),
	/* ends of lines */
	R("data: a\r\rdata: b\r\n\r\ndata: c\n\r\n", "[||-1|a][||-1|b][||-1|c]",
	    ""),
	R("data: a\r\ndata: b\r\n\r\n", "[||-1|a\nb]", ""),
	R("data: a\r\n\ndata: b\n\r", "[||-1|a][||-1|b]", ""),
	R("\r\n\n\rdata: a\n\n", "[||-1|a]", ""),
	/* byte order marks: one at the start is dropped */
	R("\xef\xbb\xbf"
	  "data: a\n\n",
	    "[||-1|a]", ""),
	R("\xef\xbb\xbf\xef\xbb\xbf"
	  "data: a\n\n",
	    "", ""),
	R("\xef\xbb"
	  "data: a\ndata: b\n\n",
	    "[||-1|b]", ""),
	R("\xef\xbb\xbf\n\ndata: b\n\n", "[||-1|b]", ""),
	/* fields */
	R("event: e\nid: 5\nretry: 250\ndata: x\n\ndata: y\n\n",
	    "[e|5|250|x][|5|250|y]", "5"),
	R("event: e\n\ndata: x\n\n", "[||-1|x]", ""),
	R("event: a\nevent: b\ndata: x\n\n", "[b||-1|x]", ""),
	R("Data: x\ndatax: y\ndat: z\n data: w\ndata : v\n\n", "", ""),
	R("unknownlongname: x\ndata: y\n\n", "[||-1|y]", ""),
	R("data:a:b: c\n\n", "[||-1|a:b: c]", ""),
	R(":data: x\n::\ndata: y\n\n", "[||-1|y]", ""),
	R("retry: 1x\nretry:\nretry: -1\nretry: 9999999999999999\n"
	  "data: y\n\n",
	    "[||-1|y]", ""),
	R("id: a\0b\ndata: x\n\n", "[||-1|x]", ""),
	R("id: a\ndata: x\n\nid: b\0\ndata: y\n\n", "[|a|-1|x][|a|-1|y]", "a"),
	R("data: a\0b\n\n", "[||-1|a0b]", ""),
	/* what is not ended is not an event, nor is its id one */
	R("data: x\n", "", ""),
	R("id: 1\ndata: x\n\nid: 2\ndata: y\n", "[|1|-1|x]", "1"),
	R("id: 1\n\n", "", "1"),
	R("id: 7\ndata:\n\n", "[|7|-1|]", "7"),
};

/* Append an event to a text. */
static void
print_event(char *text, size_t size, const struct http_sse_event *e)
{
	char data[256];
	const size_t n = strlen(text);

	memcpy(data, e->data.p, e->data.n);
	for (size_t i = 0; i < e->data.n; i++)
		data[i] = data[i] ? data[i] : '0';
	snprintf(text + n, size - n, "[%.*s|%.*s|%d|%.*s]", (int)e->type.n,
	    e->type.p, (int)e->id.n, e->id.p, (int)e->retry_ms, (int)e->data.n,
	    data);
}

/* Read a stream in pieces of 1..most bytes. Returns the last result. */
static int
feed(
    struct http_sse *sse, struct slice in, size_t most, char *text, size_t size)
{
	int rc = 0;

	text[0] = '\0';
	while (rc >= 0 && in.n) {
		const size_t step = 1 + (size_t)rand() % most;
		const size_t n = step < in.n ? step : in.n;
		char *const piece = malloc(n);
		struct slice left = { piece, n };

		memcpy(piece, in.p, n);
		in = (struct slice){ in.p + n, in.n - n };
		do {
			struct http_sse_event event;
			size_t used;

			rc = http_sse_feed(sse, left, &used, &event);
			if (rc == 1)
				print_event(text, size, &event);
			if (rc >= 0)
				left = (struct slice){ left.p + used,
					left.n - used };
		} while (rc == 1);
		ck_assert(rc < 0 || left.n == 0);
		free(piece);
	}
	return rc;
}

START_TEST(sse_reads_the_same_events_however_a_stream_is_cut)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t round = 0; round < 20; round++) {
			const size_t most = round == 0 ? 4096 : round;
			struct http_sse sse;
			char text[1024];

			http_sse_init(&sse, 64);
			ck_assert_int_eq(
			    feed(&sse, rows[i].in, most, text, sizeof(text)),
			    0);
			ck_assert_str_eq(text, rows[i].want);
			ck_assert(slice_eq(
			    http_sse_last_id(&sse), slice_of(rows[i].last_id)));
			http_sse_fini(&sse);
		}
	}
}
END_TEST

/* A stream of one event with n bytes in a field. */
static int
feed_long(const char *field, size_t n, size_t most)
{
	char in[2048];
	char text[1024];
	struct http_sse sse;
	const int at = snprintf(in, sizeof(in), "%s: ", field);

	memset(in + at, 'x', n);
	memcpy(in + (size_t)at + n, "\n\n", 2);
	http_sse_init(&sse, 100);
	const int rc = feed(&sse, (struct slice){ in, (size_t)at + n + 2 },
	    most, text, sizeof(text));

	http_sse_fini(&sse);
	return rc;
}

START_TEST(sse_bounds_an_event)
{
	for (size_t most = 1; most < 5000; most *= 3) {
		ck_assert_int_eq(feed_long("data", 100, most), 0);
		ck_assert_int_eq(feed_long("data", 101, most), -EMSGSIZE);
		ck_assert_int_eq(feed_long("id", 256, most), 0);
		ck_assert_int_eq(feed_long("id", 257, most), -EMSGSIZE);
		ck_assert_int_eq(feed_long("event", 257, most), -EMSGSIZE);
		ck_assert_int_eq(feed_long("", 1500, most), 0);
		ck_assert_int_eq(feed_long("other", 1500, most), 0);
	}
}
END_TEST

START_TEST(sse_says_when_memory_is_short)
{
	struct http_sse_event event;
	struct http_sse sse;
	size_t used;

	http_sse_init(&sse, 100);
	mem_fail_at(1);
	ck_assert_int_eq(
	    http_sse_feed(&sse, SLICE("data: x\n\n"), &used, &event), -ENOMEM);
	http_sse_fini(&sse);
}
END_TEST

START_TEST(sse_writes_events)
{
	static const struct {
		struct http_sse_event event;
		const char *want;
	} cases[] = {
		{ { .data = { "x", 1 }, .retry_ms = -1 }, "data: x\n\n" },
		{ { .data = { "", 0 }, .id = { "7", 1 }, .retry_ms = -1 },
		    "id: 7\ndata: \n\n" },
		{ { .id = { "7", 1 }, .retry_ms = -1 }, "id: 7\n\n" },
		{ { .type = { "e", 1 },
		      .id = { "7", 1 },
		      .retry_ms = 250,
		      .data = { "a\nb\r\nc\rd\n", 9 } },
		    "event: e\nid: 7\nretry: 250\ndata: a\ndata: b\n"
		    "data: c\ndata: d\ndata: \n\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char storage[256];
		struct buf out;
		const size_t n = http_sse_size(&cases[i].event);

		ck_assert_uint_eq(n, strlen(cases[i].want));
		buf_init_static(&out, storage, n - 1);
		ck_assert_int_eq(http_sse_add(&out, &cases[i].event), -ENOBUFS);
		buf_init_static(&out, storage, n);
		ck_assert_int_eq(http_sse_add(&out, &cases[i].event), 0);
		ck_assert(slice_eq(buf_content(&out), slice_of(cases[i].want)));
	}
}
END_TEST

START_TEST(sse_writes_an_event_as_one_chunk)
{
	const struct http_sse_event event = { .data = SLICE("x"),
		.retry_ms = -1 };
	char storage[64];
	struct buf out;

	for (size_t size = 0; size < 14; size++) {
		buf_init_static(&out, storage, size);
		ck_assert_int_eq(http_sse_add_chunked(&out, &event), -ENOBUFS);
		ck_assert_uint_eq(buf_len(&out), 0);
	}
	buf_init_static(&out, storage, 14);
	ck_assert_int_eq(http_sse_add_chunked(&out, &event), 0);
	ck_assert(slice_eq(buf_content(&out), SLICE("9\r\ndata: x\n\n\r\n")));
}
END_TEST

START_TEST(sse_refuses_ids_and_types_of_two_lines)
{
	static const struct slice bad[] = {
		{ "a\nb", 3 },
		{ "a\rb", 3 },
		{ "a\0b", 3 },
	};
	char storage[64];
	struct buf out;

	buf_init_static(&out, storage, sizeof(storage));
	for (size_t i = 0; i < 3; i++) {
		const struct http_sse_event id = { .id = bad[i] };
		const struct http_sse_event type = { .type = bad[i] };

		ck_assert_int_eq(http_sse_add(&out, &id), -EINVAL);
		ck_assert_int_eq(http_sse_add_chunked(&out, &type), -EINVAL);
		ck_assert_int_eq(http_sse_add_comment(&out, bad[i]), -EINVAL);
	}
	ck_assert_uint_eq(buf_len(&out), 0);
	ck_assert_int_eq(http_sse_add_comment(&out, SLICE("")), 0);
	ck_assert_int_eq(http_sse_add_comment(&out, SLICE(" hi")), 0);
	ck_assert(slice_eq(buf_content(&out), SLICE(":\n\n: hi\n\n")));
}
END_TEST

START_TEST(sse_without_memory_writes_nothing)
{
	const struct http_sse_event event = { .data = SLICE("x"),
		.retry_ms = -1 };
	struct buf out;

	buf_init(&out, 64);
	mem_fail_at(1);
	ck_assert_int_eq(http_sse_add(&out, &event), -ENOMEM);
	mem_fail_at(1);
	ck_assert_int_eq(http_sse_add_chunked(&out, &event), -ENOMEM);
	mem_fail_at(1);
	ck_assert_int_eq(http_sse_add_comment(&out, SLICE("")), -ENOMEM);
	ck_assert_uint_eq(buf_len(&out), 0);
	buf_fini(&out);
}
END_TEST

static Suite *
suite_sse(void)
{
	Suite *const s = suite_create("http_sse");
	TCase *const tc = tcase_create("sse");

	tcase_add_test(tc, sse_reads_the_same_events_however_a_stream_is_cut);
	tcase_add_test(tc, sse_bounds_an_event);
	tcase_add_test(tc, sse_says_when_memory_is_short);
	tcase_add_test(tc, sse_writes_events);
	tcase_add_test(tc, sse_writes_an_event_as_one_chunk);
	tcase_add_test(tc, sse_refuses_ids_and_types_of_two_lines);
	tcase_add_test(tc, sse_without_memory_writes_nothing);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_sse());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
