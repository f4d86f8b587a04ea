/* SPDX-License-Identifier: MIT */
/* Heads are written whole or not at all, and nothing breaks out of a line. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/http/write.h"

static const char response[] = "HTTP/1.1 200 OK\r\n"
			       "Content-Type: text/plain\r\n"
			       "X-A: b\r\n"
			       "Content-Length: 18446744073709551615\r\n"
			       "\r\n";

static int
write_response(struct buf *out)
{
	struct http_writer w;

	http_write_status(&w, out, 200, SLICE(""));
	http_write_known(&w, HTTP_NAME_CONTENT_TYPE, SLICE("text/plain"));
	http_write_field(&w, SLICE("X-A"), SLICE("b"));
	http_write_length(&w, UINT64_MAX);
	return http_write_end(&w);
}

START_TEST(write_puts_a_response_head_behind_what_is_there)
{
	struct buf out;

	buf_init(&out, 4096);
	buf_add(&out, "before", 6);
	buf_consume(&out, 2);
	ck_assert_int_eq(write_response(&out), 0);
	ck_assert(
	    slice_eq((struct slice){ buf_content(&out).p, 4 }, SLICE("fore")));
	buf_consume(&out, 4);
	ck_assert(slice_eq(buf_content(&out), slice_of(response)));
	buf_fini(&out);
}
END_TEST

START_TEST(write_puts_request_heads)
{
	static const struct {
		const char *target;
		const char *text;
	} rows[] = {
		{ "/a?b", "POST /a?b HTTP/1.1\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n" },
		{ "", "POST / HTTP/1.1\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n" },
		{ "?b", "POST /?b HTTP/1.1\r\n"
			"Transfer-Encoding: chunked\r\n\r\n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char storage[256];
		struct http_writer w;
		struct buf out;

		buf_init_static(&out, storage, sizeof(storage));
		http_write_request(
		    &w, &out, SLICE("POST"), slice_of(rows[i].target));
		http_write_chunked(&w);
		ck_assert_int_eq(http_write_end(&w), 0);
		ck_assert(slice_eq(buf_content(&out), slice_of(rows[i].text)));
	}
}
END_TEST

/* For every room that is too small, nothing is left behind. */
START_TEST(write_without_room_leaves_the_buffer_as_it_was)
{
	char storage[512];

	for (size_t size = 4; size <= sizeof(response) - 1 + 4; size++) {
		struct buf out;
		const bool fits = size == sizeof(response) - 1 + 4;

		buf_init_static(&out, storage, size);
		buf_add(&out, "kept", 4);
		ck_assert_int_eq(write_response(&out), fits ? 0 : -ENOBUFS);
		ck_assert_uint_eq(buf_len(&out), fits ? size : 4);
		ck_assert(memcmp(buf_content(&out).p, "kept", 4) == 0);
	}
}
END_TEST

START_TEST(write_without_memory_leaves_the_buffer_as_it_was)
{
	struct buf out;

	buf_init(&out, 1 << 16);
	mem_fail_at(1);
	ck_assert_int_eq(write_response(&out), -ENOMEM);
	ck_assert_uint_eq(buf_len(&out), 0);
	mem_fail_at(0);
	ck_assert_int_eq(write_response(&out), 0);
	buf_fini(&out);
}
END_TEST

START_TEST(write_refuses_what_would_leave_its_line)
{
	static const struct {
		struct slice method, target, name, value;
	} rows[] = {
		{ { "G T", 3 }, { "/", 1 }, { "A", 1 }, { "b", 1 } },
		{ { "", 0 }, { "/", 1 }, { "A", 1 }, { "b", 1 } },
		{ { "GET", 3 }, { "/ b", 3 }, { "A", 1 }, { "b", 1 } },
		{ { "GET", 3 }, { "/\r\n", 3 }, { "A", 1 }, { "b", 1 } },
		{ { "GET", 3 }, { "/", 1 }, { "A:", 2 }, { "b", 1 } },
		{ { "GET", 3 }, { "/", 1 }, { "", 0 }, { "b", 1 } },
		{ { "GET", 3 }, { "/", 1 }, { "A", 1 }, { "b\r\nC: d", 7 } },
		{ { "GET", 3 }, { "/", 1 }, { "A", 1 }, { "b\nC: d", 6 } },
		{ { "GET", 3 }, { "/", 1 }, { "A", 1 }, { "b\0", 2 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char storage[256];
		struct http_writer w;
		struct buf out;

		buf_init_static(&out, storage, sizeof(storage));
		http_write_request(&w, &out, rows[i].method, rows[i].target);
		http_write_field(&w, rows[i].name, rows[i].value);
		ck_assert_int_eq(http_write_end(&w), -EINVAL);
		ck_assert_uint_eq(buf_len(&out), 0);
	}
}
END_TEST

START_TEST(write_refuses_a_reason_with_controls)
{
	char storage[256];
	struct http_writer w;
	struct buf out;

	buf_init_static(&out, storage, sizeof(storage));
	http_write_status(&w, &out, 200, SLICE("O\r\nK"));
	ck_assert_int_eq(http_write_end(&w), -EINVAL);
	ck_assert_uint_eq(buf_len(&out), 0);
}
END_TEST

START_TEST(write_knows_the_usual_reasons)
{
	ck_assert_str_eq(http_write_reason(200), "OK");
	ck_assert_str_eq(
	    http_write_reason(431), "Request Header Fields Too Large");
	ck_assert_str_eq(http_write_reason(299), "Unknown");
	ck_assert_str_eq(http_write_reason(-1), "Unknown");
	ck_assert_str_eq(http_write_reason(512), "Unknown");
}
END_TEST

static Suite *
suite_write(void)
{
	Suite *const s = suite_create("http_write");
	TCase *const tc = tcase_create("write");

	tcase_add_test(tc, write_puts_a_response_head_behind_what_is_there);
	tcase_add_test(tc, write_puts_request_heads);
	tcase_add_test(tc, write_without_room_leaves_the_buffer_as_it_was);
	tcase_add_test(tc, write_without_memory_leaves_the_buffer_as_it_was);
	tcase_add_test(tc, write_refuses_what_would_leave_its_line);
	tcase_add_test(tc, write_refuses_a_reason_with_controls);
	tcase_add_test(tc, write_knows_the_usual_reasons);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *const sr = srunner_create(suite_write());

	srunner_run_all(sr, CK_ENV);
	const int n_failed = srunner_ntests_failed(sr);

	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
