/* SPDX-License-Identifier: MIT */
/*
 * One direction of a body: every framing to every framing, in pieces of any
 * size, with a sink that is full most of the time.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

#include "switchboard/block.h"
#include "switchboard/limits.h"
#include "switchboard/relay.h"

#define DATA_BYTES 100000

static char data[DATA_BYTES];
static char wire_in[DATA_BYTES * 8];  /* data as it comes */
static char wire_out[DATA_BYTES * 8]; /* what came out, as it goes on */
static size_t n_in, n_out;
static struct buf src, dst;
static struct http_fault fault;

static void
setup(void)
{
	for (size_t i = 0; i < DATA_BYTES; i++)
		data[i] = (char)rand();
	block_init(&src);
	block_init(&dst);
	n_in = n_out = 0;
	mem_fail_at(0);
}

static void
teardown(void)
{
	mem_fail_at(0);
	block_return(&src);
	block_return(&dst);
	block_close();
}

/* Frame the data as chunks of 1 to most bytes. */
static void
frame_chunks(size_t most)
{
	for (size_t at = 0; at < DATA_BYTES;) {
		size_t n = 1 + (size_t)rand() % most;

		if (n > DATA_BYTES - at)
			n = DATA_BYTES - at;
		n_in += (size_t)sprintf(wire_in + n_in, "%zx;x=y\r\n", n);
		memcpy(wire_in + n_in, data + at, n);
		n_in += n;
		n_in += (size_t)sprintf(wire_in + n_in, "\r\n");
		at += n;
	}
	n_in += (size_t)sprintf(wire_in + n_in, "0\r\nX-Trailer: 1\r\n\r\n");
}

static void
frame_raw(void)
{
	memcpy(wire_in, data, DATA_BYTES);
	n_in = DATA_BYTES;
}

/* Take the chunks of wire_out apart in place; returns the data bytes. */
static size_t
unframe_chunks(void)
{
	size_t at = 0, n = 0;

	for (;;) {
		char *end;
		const size_t size = strtoul(wire_out + at, &end, 16);

		ck_assert(memcmp(end, "\r\n", 2) == 0);
		at = (size_t)(end - wire_out) + 2;
		if (!size)
			break;
		memmove(wire_out + n, wire_out + at, size);
		n += size;
		at += size;
		ck_assert(memcmp(wire_out + at, "\r\n", 2) == 0);
		at += 2;
	}
	ck_assert_uint_eq(at + 2, n_out);
	return n;
}

/* Put up to n bytes of wire_in into the source; returns how many. */
static size_t
come(size_t at, size_t n)
{
	ck_assert_int_eq(block_lend(&src), 0);
	if (n > n_in - at)
		n = n_in - at;
	if (n > buf_room(&src))
		n = buf_room(&src);
	ck_assert_int_eq(buf_add(&src, wire_in + at, n), 0);
	return n;
}

/* Let the sink's reader take up to n bytes. */
static void
go(size_t n)
{
	if (n > buf_len(&dst))
		n = buf_len(&dst);
	if (!n)
		return;
	memcpy(wire_out + n_out, buf_content(&dst).p, n);
	buf_consume(&dst, n);
	n_out += n;
}

/* Everything from wire_in to wire_out in pieces of up to most bytes. */
static void
run(struct relay *r, size_t most)
{
	size_t at = 0;
	int rc = 0;

	for (int turn = 0; rc == 0; turn++) {
		ck_assert_int_lt(turn, 10000000);
		at += come(at, 1 + (size_t)rand() % most);
		rc = relay_pump(r, &src, &dst, &fault);
		ck_assert_int_ge(rc, 0);
		ck_assert_uint_le(buf_len(&dst), LIMIT_BLOCK_BYTES);
		if (rc == 0 && at == n_in && !buf_len(&src))
			ck_assert_int_eq(relay_eof(r), 0);
		go((size_t)rand() % (2 * most));
	}
	go(buf_len(&dst));
	ck_assert_uint_eq(at, n_in);
	ck_assert_uint_eq(r->body.total, DATA_BYTES);
}

START_TEST(every_framing_passes_to_every_framing)
{
	static const struct {
		enum http_delim from, to;
	} rows[] = {
		{ HTTP_DELIM_LENGTH, HTTP_DELIM_LENGTH },
		{ HTTP_DELIM_CHUNKED, HTTP_DELIM_CHUNKED },
		{ HTTP_DELIM_CHUNKED, HTTP_DELIM_CLOSE },
		{ HTTP_DELIM_CLOSE, HTTP_DELIM_CHUNKED },
		{ HTTP_DELIM_CLOSE, HTTP_DELIM_CLOSE },
	};
	static const size_t pieces[] = { 3, 100, 5000, 40000 };
	const struct http_frame frame = { .delim = rows[_i % 5].from,
		.announced = rows[_i % 5].from,
		.length =
		    rows[_i % 5].from == HTTP_DELIM_LENGTH ? DATA_BYTES : 0 };
	const enum http_delim to = rows[_i % 5].to;
	struct relay r;

	if (frame.delim == HTTP_DELIM_CHUNKED)
		frame_chunks(pieces[_i / 5]);
	else
		frame_raw();
	ck_assert_int_eq(
	    relay_start(&r, HTTP_KIND_RESPONSE, &frame, to, &fault), 0);
	run(&r, pieces[_i / 5]);
	const size_t n = to == HTTP_DELIM_CHUNKED ? unframe_chunks() : n_out;
	ck_assert_uint_eq(n, DATA_BYTES);
	ck_assert(memcmp(wire_out, data, DATA_BYTES) == 0);
}
END_TEST

START_TEST(a_full_sink_stops_the_source)
{
	const struct http_frame frame = { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.length = DATA_BYTES };
	struct relay r;
	size_t at;

	frame_raw();
	ck_assert_int_eq(relay_start(&r, HTTP_KIND_REQUEST, &frame,
			     HTTP_DELIM_LENGTH, &fault),
	    0);
	at = come(0, DATA_BYTES);
	ck_assert_int_eq(relay_pump(&r, &src, &dst, &fault), 0);
	at += come(at, DATA_BYTES);
	ck_assert_int_eq(relay_pump(&r, &src, &dst, &fault), 0);
	/* Two blocks are full, and more goes into neither. */
	ck_assert_uint_eq(at, 2 * LIMIT_BLOCK_BYTES);
	ck_assert_uint_eq(come(at, DATA_BYTES), 0);
	ck_assert_uint_eq(block_room(&src), 0);
	ck_assert(relay_wants(&r) && relay_can_go_on(&r, &src));
	go(100);
	ck_assert_int_eq(relay_pump(&r, &src, &dst, &fault), 0);
	ck_assert_uint_eq(block_room(&src), 100);
}
END_TEST

START_TEST(a_body_of_no_bytes_is_done_at_once)
{
	static const enum http_delim delims[] = { HTTP_DELIM_NONE,
		HTTP_DELIM_LENGTH };

	for (int i = 0; i < 2; i++) {
		const struct http_frame frame = { .delim = delims[i],
			.announced = delims[i] };
		struct relay r;

		ck_assert_int_eq(relay_start(&r, HTTP_KIND_REQUEST, &frame,
				     delims[i], &fault),
		    0);
		ck_assert(relay_is_whole(&r) && !relay_wants(&r));
		ck_assert_int_eq(r.state, RELAY_DONE);
		/* What follows is not touched. */
		n_in = (size_t)sprintf(wire_in, "GET ");
		come(0, 4);
		ck_assert_int_eq(relay_pump(&r, &src, &dst, &fault), 1);
		ck_assert_uint_eq(buf_len(&src), 4);
		ck_assert_uint_eq(buf_len(&dst), 0);
		block_return(&src);
	}
}
END_TEST

START_TEST(what_follows_a_body_stays_in_the_source)
{
	const struct http_frame frame = { .delim = HTTP_DELIM_CHUNKED,
		.announced = HTTP_DELIM_CHUNKED };
	struct relay r;

	ck_assert_int_eq(relay_start(&r, HTTP_KIND_REQUEST, &frame,
			     HTTP_DELIM_CHUNKED, &fault),
	    0);
	n_in = (size_t)sprintf(wire_in, "1\r\nx\r\n0\r\n\r\nGET /");
	come(0, n_in);
	ck_assert_int_eq(relay_pump(&r, &src, &dst, &fault), 1);
	ck_assert(slice_eq(buf_content(&src), SLICE("GET /")));
	ck_assert(slice_eq(buf_content(&dst), SLICE("1\r\nx\r\n0\r\n\r\n")));
}
END_TEST

START_TEST(a_cut_body_is_an_error_and_gets_no_end)
{
	static const struct {
		enum http_delim delim;
		const char *in;
		const char *out;
	} rows[] = {
		{ HTTP_DELIM_LENGTH, "abc", "abc" },
		{ HTTP_DELIM_CHUNKED, "3\r\nabc\r\n", "3\r\nabc\r\n" },
		{ HTTP_DELIM_CHUNKED, "5\r\nabc", "3\r\nabc\r\n" },
		{ HTTP_DELIM_CHUNKED, "3\r\nabc\r\n0\r\n", "3\r\nabc\r\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct http_frame frame = { .delim = rows[i].delim,
			.announced = rows[i].delim,
			.length = rows[i].delim == HTTP_DELIM_LENGTH ? 4 : 0 };
		struct relay r;

		ck_assert_int_eq(relay_start(&r, HTTP_KIND_RESPONSE, &frame,
				     rows[i].delim, &fault),
		    0);
		n_in = (size_t)sprintf(wire_in, "%s", rows[i].in);
		come(0, n_in);
		ck_assert_int_eq(relay_pump(&r, &src, &dst, &fault), 0);
		ck_assert_int_eq(relay_eof(&r), -EPIPE);
		ck_assert(slice_eq(buf_content(&dst), slice_of(rows[i].out)));
		block_return(&src);
		block_return(&dst);
	}
}
END_TEST

START_TEST(a_bad_chunk_is_an_error_and_gets_no_end)
{
	const struct http_frame frame = { .delim = HTTP_DELIM_CHUNKED,
		.announced = HTTP_DELIM_CHUNKED };
	struct relay r;

	ck_assert_int_eq(relay_start(&r, HTTP_KIND_REQUEST, &frame,
			     HTTP_DELIM_CHUNKED, &fault),
	    0);
	n_in = (size_t)sprintf(wire_in, "1\r\nx\r\nzz\r\n");
	come(0, n_in);
	ck_assert_int_eq(relay_pump(&r, &src, &dst, &fault), -EBADMSG);
	ck_assert_int_eq(fault.status, 400);
	ck_assert(slice_eq(buf_content(&dst), SLICE("1\r\nx\r\n")));
}
END_TEST

START_TEST(short_memory_is_an_error_and_loses_nothing)
{
	const struct http_frame frame = { .delim = HTTP_DELIM_LENGTH,
		.announced = HTTP_DELIM_LENGTH,
		.length = 3 };
	struct relay r;

	ck_assert_int_eq(relay_start(&r, HTTP_KIND_REQUEST, &frame,
			     HTTP_DELIM_LENGTH, &fault),
	    0);
	n_in = (size_t)sprintf(wire_in, "abc");
	come(0, n_in);
	mem_fail_at(1);
	ck_assert_int_eq(relay_pump(&r, &src, &dst, &fault), -ENOMEM);
	ck_assert_int_eq(relay_pump(&r, &src, &dst, &fault), 1);
	ck_assert(slice_eq(buf_content(&dst), SLICE("abc")));
}
END_TEST

START_TEST(storage_is_lent_moved_grown_and_given_back)
{
	struct buf a, b;

	block_init(&a);
	block_init(&b);
	ck_assert_uint_eq(block_room(&a), LIMIT_BLOCK_BYTES);
	ck_assert_int_eq(block_lend(&a), 0);
	ck_assert_int_eq(buf_add_slice(&a, SLICE("0123456789")), 0);
	buf_consume(&a, 3);
	block_trim(&a); /* has content: nothing happens */
	ck_assert_int_eq(block_grow(&a, LIMIT_ANSWER_BYTES), 0);
	ck_assert_uint_eq(block_room(&a), LIMIT_ANSWER_BYTES - 7);
	ck_assert(slice_eq(buf_content(&a), SLICE("3456789")));
	block_move(&b, &a);
	ck_assert_ptr_null(a.data);
	block_cut(&b, 2);
	ck_assert(slice_eq(buf_content(&b), SLICE("34")));
	buf_consume(&b, 2);
	block_trim(&b);
	ck_assert_ptr_null(b.data);
	/* The block that was given back is the one that is lent next. */
	mem_fail_at(1);
	ck_assert_int_eq(block_lend(&b), 0);
	ck_assert_int_eq(block_grow(&b, LIMIT_ANSWER_BYTES), -ENOMEM);
	ck_assert_ptr_nonnull(b.data);
	block_return(&b);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("switchboard_relay");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_loop_test(c, every_framing_passes_to_every_framing, 0, 20);
	tcase_add_test(c, a_full_sink_stops_the_source);
	tcase_add_test(c, a_body_of_no_bytes_is_done_at_once);
	tcase_add_test(c, what_follows_a_body_stays_in_the_source);
	tcase_add_test(c, a_cut_body_is_an_error_and_gets_no_end);
	tcase_add_test(c, a_bad_chunk_is_an_error_and_gets_no_end);
	tcase_add_test(c, short_memory_is_an_error_and_loses_nothing);
	tcase_add_test(c, storage_is_lent_moved_grown_and_given_back);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
