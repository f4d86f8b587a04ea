/* SPDX-License-Identifier: MIT */
/* The chunked coding: verdicts by rows, random cuts, and exact room. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/http/chunk.h"

struct vector {
	int status;       /* 0: accepted */
	const char *text; /* the data, or part of the fault's text */
	struct slice in;
};

#define V(status, text, lit)                 \
	{                                    \
		status, text,                \
		{                            \
			lit, sizeof(lit) - 1 \
		}                            \
	}

#define X16  "xxxxxxxxxxxxxxxx"
#define X64  X16 X16 X16 X16
#define X255 X64 X64 X64 X16 X16 X16 "xxxxxxxxxxxxxxx"

static const struct vector vectors[] = {
	V(0, "", "0\r\n\r\n"),
	V(0, "", "0000000000000000\r\n\r\n"),
	V(0, "hello", "5\r\nhello\r\n0\r\n\r\n"),
	V(0, "hello", "0000000000000005\r\nhello\r\n0\r\n\r\n"),
	V(0, "hello world", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"),
	V(0, "0123456789", "A\r\n0123456789\r\n0\r\n\r\n"),
	V(0, "0123456789", "a\r\n0123456789\r\n0\r\n\r\n"),
	V(0, "a\r\n0\r\n", "6\r\na\r\n0\r\n\r\n0\r\n\r\n"),
	V(0, "a", "1;n=v;q=\"a b\"\r\na\r\n0;x\r\n\r\n"),
	V(0, "a", "1;" X255 "\r\na\r\n0\r\n\r\n"),
	V(0, "a", "1\r\na\r\n0\r\nTrailer: x\r\nEmpty:\r\n\r\n"),
	V(400, "more than 256 bytes", "1;x" X255 "\r\na\r\n0\r\n\r\n"),
	V(400, "more than 16 digits", "00000000000000005\r\nhello\r\n"),
	V(400, "more than 16 digits", "fffffffffffffffff\r\n"),
	V(400, "no hexadecimal", "\r\n"),
	V(400, "no hexadecimal", ";x\r\n"),
	V(400, "no hexadecimal", "+5\r\nhello\r\n"),
	V(400, "no hexadecimal", "-5\r\nhello\r\n"),
	V(400, "no hexadecimal", "0x5\r\nhello\r\n"),
	V(400, "no hexadecimal", " 5\r\nhello\r\n"),
	V(400, "no hexadecimal", "5 \r\nhello\r\n"),
	V(400, "no hexadecimal", "5\t;x\r\nhello\r\n"),
	V(400, "no hexadecimal", "5 ;x\r\nhello\r\n"),
	V(400, "no hexadecimal", "g\r\n"),
	V(400, "no hexadecimal", "5\nhello\r\n"),
	V(400, "no hexadecimal", "5\0\r\nhello\r\n"),
	V(400, "without CRLF", "5\r hello\r\n"),
	V(400, "without CRLF", "5\r\rhello\r\n"),
	V(400, "control byte in a chunk ext", "5;a\nb\r\nhello\r\n"),
	V(400, "without CRLF", "5;a\rb\r\nhello\r\n"),
	V(400, "control byte in a chunk ext", "5;a\0b\r\nhello\r\n"),
	V(400, "control byte in a chunk ext", "5;\x7f\r\nhello\r\n"),
	V(400, "without CRLF behind", "5\r\nhelloX\r\n"),
	V(400, "without CRLF behind", "5\r\nhello\n0\r\n\r\n"),
	V(400, "without CRLF behind", "5\r\nhello\r0\r\n\r\n"),
	V(400, "without CRLF behind", "5\r\nhello!!0\r\n\r\n"),
	V(400, "no hexadecimal", "5\r\nhello\r\n\r\n"),
	V(400, "starts with no name", "0\r\n X: 1\r\n\r\n"),
	V(400, "starts with no name", "0\r\n: 1\r\n\r\n"),
	V(400, "starts with no name", "0\r\n\n"),
	V(400, "starts with no name", "0\r\nA: 1\r\n b\r\n\r\n"),
	V(400, "a trailer's name", "0\r\nA : 1\r\n\r\n"),
	V(400, "a trailer's name", "0\r\nA\r\n\r\n"),
	V(400, "a trailer's name", "0\r\nA\xff: 1\r\n\r\n"),
	V(400, "in a trailer", "0\r\nA: 1\n\r\n"),
	V(400, "in a trailer", "0\r\nA: \0\r\n\r\n"),
	V(400, "CR without LF", "0\r\nA: 1\rB: 2\r\n\r\n"),
	V(400, "CR without LF", "0\r\n\rX"),
};

/* What came out of a feed. */
struct outcome {
	int rc;
	size_t used;
	size_t data_n;
	char data[4096];
	struct http_fault fault;
};

/* Feed pieces of 1..most bytes, each in memory of its own size. */
static void
feed(enum http_kind kind, struct slice in, size_t most, struct outcome *o)
{
	struct http_chunk chunk;

	memset(o, 0, sizeof(*o));
	http_chunk_init(&chunk, kind);
	while (o->rc == 0 && o->used < in.n) {
		const size_t step = 1 + (size_t)rand() % most;
		const size_t left = in.n - o->used;
		const size_t n = step < left ? step : left;
		char *const piece = malloc(n);
		struct slice data;
		size_t used = 0;

		memcpy(piece, in.p + o->used, n);
		o->rc = http_chunk_feed(&chunk, (struct slice){ piece, n },
		    &used, &data, &o->fault);
		if (o->rc >= 0) {
			ck_assert_uint_le(used, n);
			ck_assert(used > 0 || o->rc == 1);
			ck_assert(data.p >= piece);
			ck_assert(data.p + data.n <= piece + used);
			memcpy(o->data + o->data_n, data.p, data.n);
			o->data_n += data.n;
			o->used += used;
		}
		free(piece);
	}
}

static void
check_vector(const struct vector *v, size_t most)
{
	struct outcome o;

	feed(HTTP_KIND_REQUEST, v->in, most, &o);
	if (v->status == 0) {
		ck_assert_int_eq(o.rc, 1);
		ck_assert_uint_eq(o.used, v->in.n);
		ck_assert_uint_eq(o.data_n, strlen(v->text));
		ck_assert(memcmp(o.data, v->text, o.data_n) == 0);
		return;
	}
	ck_assert_msg(
	    o.rc == -EBADMSG, "<%.*s>: %d", (int)v->in.n, v->in.p, o.rc);
	ck_assert_int_eq(o.fault.status, v->status);
	ck_assert_msg(strstr(o.fault.text, v->text) != NULL, "<%s> has no <%s>",
	    o.fault.text, v->text);
	struct outcome whole;

	feed(HTTP_KIND_REQUEST, v->in, 1, &whole);
	ck_assert_str_eq(o.fault.text, whole.fault.text);
	feed(HTTP_KIND_RESPONSE, v->in, most, &o);
	ck_assert_int_eq(o.fault.status, 502);
}

START_TEST(chunk_judges_bodies_whole_and_cut)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		check_vector(&vectors[i], 4096);
		check_vector(&vectors[i], 1);
		for (int k = 0; k < 10; k++)
			check_vector(&vectors[i], 7);
	}
}
END_TEST

START_TEST(chunk_leaves_what_follows_the_body)
{
	struct http_chunk chunk;
	struct slice data;
	size_t used;

	http_chunk_init(&chunk, HTTP_KIND_REQUEST);
	ck_assert_int_eq(http_chunk_feed(&chunk, SLICE("0\r\n\r\nGET /"), &used,
			     &data, NULL),
	    1);
	ck_assert_uint_eq(used, 5);
	ck_assert_int_eq(
	    http_chunk_feed(&chunk, SLICE("GET /"), &used, &data, NULL), 1);
	ck_assert_uint_eq(used, 0);
}
END_TEST

START_TEST(chunk_takes_the_largest_size)
{
	struct http_chunk chunk;
	struct slice data;
	size_t used;

	http_chunk_init(&chunk, HTTP_KIND_REQUEST);
	ck_assert_int_eq(
	    http_chunk_feed(
		&chunk, SLICE("ffffffffffffffff\r\nabc"), &used, &data, NULL),
	    0);
	ck_assert_uint_eq(data.n, 3);
	ck_assert_uint_eq(http_chunk_left(&chunk), UINT64_MAX - 3);
}
END_TEST

/* Trailers of n bytes in lines of 100 (n a multiple), before the end. */
static int
feed_trailers(size_t n_lines, size_t line_bytes)
{
	struct http_chunk chunk;
	struct slice data;
	char line[1024];
	size_t used;
	int rc;

	memset(line, 'a', sizeof(line));
	line[1] = ':';
	memcpy(line + line_bytes - 2, "\r\n", 2);
	http_chunk_init(&chunk, HTTP_KIND_REQUEST);
	rc = http_chunk_feed(&chunk, SLICE("0\r\n"), &used, &data, NULL);
	for (size_t i = 0; rc == 0 && i < n_lines; i++)
		rc = http_chunk_feed(&chunk, (struct slice){ line, line_bytes },
		    &used, &data, NULL);
	if (rc == 0)
		rc = http_chunk_feed(&chunk, SLICE("\r\n"), &used, &data, NULL);
	return rc;
}

START_TEST(chunk_bounds_trailers)
{
	ck_assert_int_eq(feed_trailers(100, 8), 1);
	ck_assert_int_eq(feed_trailers(101, 8), -EBADMSG);
	/* 10 × 819 + 2 = 8192 */
	ck_assert_int_eq(feed_trailers(10, 819), 1);
	ck_assert_int_eq(feed_trailers(10, 820), -EBADMSG);
}
END_TEST

START_TEST(chunk_writes_what_it_reads)
{
	char text[2048];
	char storage[8192];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)rand();
	for (int round = 0; round < 300; round++) {
		struct buf out;
		struct outcome o;
		size_t at = 0;

		buf_init_static(&out, storage, sizeof(storage));
		while (at < sizeof(text)) {
			size_t n = (size_t)rand() % 300;

			n = n < sizeof(text) - at ? n : sizeof(text) - at;
			ck_assert_int_eq(http_chunk_add(&out,
					     (struct slice){ text + at, n }),
			    0);
			at += n;
		}
		ck_assert_int_eq(http_chunk_last(&out), 0);
		feed(HTTP_KIND_RESPONSE, buf_content(&out),
		    1 + (size_t)rand() % 50, &o);
		ck_assert_int_eq(o.rc, 1);
		ck_assert_uint_eq(o.data_n, sizeof(text));
		ck_assert_mem_eq(o.data, text, sizeof(text));
	}
}
END_TEST

/* For every room up to 70000: room says what fits, and one more does not. */
START_TEST(chunk_room_is_exact)
{
	static char storage[70000];
	static char text[70000];

	for (size_t size = 0; size < sizeof(storage); size++) {
		struct buf out;

		buf_init_static(&out, storage, size);
		const size_t room = http_chunk_room(&out);

		ck_assert(room == 0 || http_chunk_size(room) <= size);
		ck_assert_uint_gt(http_chunk_size(room + 1), size);
		if (size % 997 && size > 300 && (size < 4090 || size > 4120))
			continue;
		ck_assert_int_eq(
		    http_chunk_add(&out, (struct slice){ text, room + 1 }),
		    -ENOBUFS);
		ck_assert_uint_eq(buf_len(&out), 0);
		ck_assert_int_eq(
		    http_chunk_add(&out, (struct slice){ text, room }), 0);
		ck_assert_uint_eq(buf_len(&out), http_chunk_size(room));
	}
}
END_TEST

START_TEST(chunk_open_and_close_frame_data_of_the_caller)
{
	char storage[64];
	struct buf out;

	buf_init_static(&out, storage, sizeof(storage));
	ck_assert_int_eq(http_chunk_open(&out, 0x1a2), 0);
	ck_assert_int_eq(http_chunk_close(&out), 0);
	ck_assert_int_eq(http_chunk_last(&out), 0);
	ck_assert(slice_eq(buf_content(&out), SLICE("1a2\r\n\r\n0\r\n\r\n")));
	buf_init_static(&out, storage, 4);
	ck_assert_int_eq(http_chunk_open(&out, 0x1a2), -ENOBUFS);
	ck_assert_int_eq(http_chunk_last(&out), -ENOBUFS);
	ck_assert_uint_eq(buf_len(&out), 0);
}
END_TEST

START_TEST(chunk_without_memory_leaves_the_buffer_as_it_was)
{
	struct buf out;

	buf_init(&out, 4096);
	mem_fail_at(1);
	ck_assert_int_eq(http_chunk_add(&out, SLICE("abc")), -ENOMEM);
	ck_assert_uint_eq(buf_len(&out), 0);
	ck_assert_int_eq(http_chunk_add(&out, SLICE("abc")), 0);
	ck_assert(slice_eq(buf_content(&out), SLICE("3\r\nabc\r\n")));
	buf_fini(&out);
}
END_TEST

static Suite *
suite_chunk(void)
{
	Suite *const s = suite_create("http_chunk");
	TCase *const tc = tcase_create("chunk");

	tcase_add_test(tc, chunk_judges_bodies_whole_and_cut);
	tcase_add_test(tc, chunk_leaves_what_follows_the_body);
	tcase_add_test(tc, chunk_takes_the_largest_size);
	tcase_add_test(tc, chunk_bounds_trailers);
	tcase_add_test(tc, chunk_writes_what_it_reads);
	tcase_add_test(tc, chunk_room_is_exact);
	tcase_add_test(tc, chunk_open_and_close_frame_data_of_the_caller);
	tcase_add_test(tc, chunk_without_memory_leaves_the_buffer_as_it_was);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_chunk());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
