/* SPDX-License-Identifier: MIT */
/* The room common/base: slices, buffers, clock, errors, randomness. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/random.h"

START_TEST(slices_compare_and_trim)
{
	ck_assert(slice_eq(SLICE("ab"), slice_of("ab")));
	ck_assert(!slice_eq(SLICE("ab"), SLICE("abc")));
	ck_assert(!slice_eq(SLICE("ab"), SLICE("aB")));
	ck_assert(slice_caseeq(SLICE("ab"), SLICE("aB")));
	ck_assert(slice_eq(slice_trim(SLICE(" \t a b \t")), SLICE("a b")));
	ck_assert(slice_eq(slice_trim(SLICE(" \t ")), SLICE("")));
}
END_TEST

START_TEST(slice_copy_refuses_what_does_not_fit)
{
	char dst[4] = "xyz";

	ck_assert_int_eq(slice_copy(SLICE("abc"), dst, sizeof(dst)), 0);
	ck_assert_str_eq(dst, "abc");
	ck_assert_int_eq(
	    slice_copy(SLICE("abcd"), dst, sizeof(dst)), -ENAMETOOLONG);
	ck_assert_str_eq(dst, "");
}
END_TEST

START_TEST(a_buffer_grows_to_its_cap_and_not_beyond)
{
	struct buf b;
	char block[1000];

	memset(block, 'x', sizeof(block));
	buf_init(&b, 2500);
	ck_assert_int_eq(buf_add(&b, block, sizeof(block)), 0);
	ck_assert_int_eq(buf_add(&b, block, sizeof(block)), 0);
	ck_assert_int_eq(buf_add(&b, block, sizeof(block)), -ENOBUFS);
	ck_assert_uint_eq(buf_len(&b), 2000);
	ck_assert_uint_eq(buf_room(&b), 500);
	buf_consume(&b, 1999);
	ck_assert_int_eq(buf_add(&b, "abc", 3), 0);
	ck_assert(slice_eq(buf_content(&b), SLICE("xabc")));
	ck_assert_ptr_null(buf_reserve(&b, 2497));
	ck_assert_ptr_nonnull(buf_reserve(&b, 2496));
	ck_assert(slice_eq(buf_content(&b), SLICE("xabc")));
	buf_consume(&b, 4);
	buf_trim(&b);
	ck_assert_ptr_null(b.data);
	ck_assert_int_eq(buf_addf(&b, "%d-%s", 7, "x"), 0);
	ck_assert(slice_eq(buf_content(&b), SLICE("7-x")));
	buf_fini(&b);
}
END_TEST

START_TEST(a_buffer_without_memory_is_empty)
{
	struct buf b;

	buf_init(&b, 100);
	ck_assert_ptr_null(buf_content(&b).p);
	ck_assert_uint_eq(buf_content(&b).n, 0);
	buf_trim(&b);
	ck_assert_ptr_null(buf_content(&b).p);
	buf_fini(&b);
	ck_assert_uint_eq(buf_len(&b), 0);
}
END_TEST

START_TEST(a_buffer_without_memory_keeps_what_it_has)
{
	struct buf b;
	char block[4096] = "";

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(buf_add(&b, "keep", 4), 0);
	mem_fail_at(1);
	ck_assert_int_eq(buf_add(&b, block, sizeof(block)), -ENOMEM);
	mem_fail_at(0);
	ck_assert(slice_eq(buf_content(&b), SLICE("keep")));
	buf_fini(&b);
}
END_TEST

START_TEST(a_lent_buffer_never_grows)
{
	char storage[8];
	struct buf b;

	buf_init_static(&b, storage, sizeof(storage));
	ck_assert_int_eq(buf_add(&b, "12345678", 8), 0);
	ck_assert_int_eq(buf_add(&b, "9", 1), -ENOBUFS);
	buf_consume(&b, 7);
	ck_assert_int_eq(buf_add(&b, "abc", 3), 0);
	ck_assert(slice_eq(buf_content(&b), SLICE("8abc")));
	buf_fini(&b);
	ck_assert_ptr_eq(b.data, storage);
}
END_TEST

START_TEST(times_are_written_as_rfc_3339)
{
	char out[CLOCK_ISO_SIZE];

	ck_assert_str_eq(clock_iso(0, out), "1970-01-01T00:00:00.000Z");
	ck_assert_str_eq(
	    clock_iso(INT64_C(1795479129150), out), "2026-11-24T00:12:09.150Z");
}
END_TEST

START_TEST(the_virtual_clock_only_moves_forward)
{
	clock_virtual_start(100);
	ck_assert_int_eq(clock_deadline_ms(5), 105);
	ck_assert_int_eq(clock_deadline_ms(-1), CLOCK_NEVER);
	clock_virtual_set(50);
	ck_assert_int_eq(clock_now_ms(), 100);
	clock_virtual_set(200);
	ck_assert_int_eq(clock_now_ms(), 200);
	clock_virtual_stop();
	ck_assert(!clock_is_virtual());
}
END_TEST

START_TEST(an_error_keeps_place_and_text_and_truncates)
{
	struct err e;
	char longer[1000];

	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_int_eq(err_set(&e, -EINVAL, "f:3", "bad %s", "key"), -EINVAL);
	ck_assert_str_eq(e.place, "f:3");
	ck_assert_str_eq(e.text, "bad key");
	err_set(&e, -EIO, NULL, "%s", longer);
	ck_assert_str_eq(e.place, "");
	ck_assert_uint_eq(strlen(e.text), ERR_TEXT_BYTES - 1);
	ck_assert_int_eq(err_set(NULL, -EIO, NULL, "x"), -EIO);
	err_clear(&e);
	ck_assert_int_eq(e.code, 0);
}
END_TEST

/* 'x' n times, then a character of three bytes, in all of an err's rooms. */
START_TEST(an_error_is_never_cut_within_a_character)
{
	for (int n = ERR_TEXT_BYTES - 8; n <= ERR_TEXT_BYTES; n++) {
		char text[ERR_TEXT_BYTES + 8];
		struct err e;

		memset(text, 'x', (size_t)n);
		strcpy(text + n, "\xe2\x82\xac");
		const bool fits = n + 3 < ERR_TEXT_BYTES;
		const size_t want = fits                 ? (size_t)n + 3
		                    : n < ERR_TEXT_BYTES ? (size_t)n
		                                         : ERR_TEXT_BYTES - 1;
		const char *const place =
		    text + (ERR_TEXT_BYTES - ERR_PLACE_BYTES);

		err_set(&e, -EINVAL, place, "%s", text);
		ck_assert_uint_eq(strlen(e.text), want);
		ck_assert_uint_eq(
		    strlen(e.place), want - (ERR_TEXT_BYTES - ERR_PLACE_BYTES));
	}
}
END_TEST

START_TEST(whole_characters_are_told_from_broken_ones)
{
	static const struct {
		struct slice s;
		size_t n;
	} cases[] = {
		{ SLICE(""), 0 }, { SLICE("a"), 1 }, { SLICE("a\xc3\xa9"), 3 },
		{ SLICE("a\xc3"), 1 }, { SLICE("\xe2\x82\xac"), 3 },
		{ SLICE("\xe2\x82"), 0 }, { SLICE("ab\xe2"), 2 },
		{ SLICE("\xf0\x9f\x98\x80"), 4 }, { SLICE("x\xf0\x9f\x98"), 1 },
		{ SLICE("\x82\xac"), 2 }, /* never was one: left alone */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_uint_eq(slice_whole(cases[i].s).n, cases[i].n);
}
END_TEST

START_TEST(a_character_is_one_of_utf_8_or_none)
{
	static const struct {
		struct slice s;
		size_t n;
	} cases[] = {
		{ SLICE(""), 0 },
		{ SLICE("ab"), 1 },
		{ SLICE("\0"), 1 },
		{ SLICE("\xc3\xa9x"), 2 },
		{ SLICE("\xc3"), 0 },
		{ SLICE("\xc3x"), 0 },
		{ SLICE("\xc1\xbf"), 0 },
		{ SLICE("\xe0\x9f\xbf"), 0 },
		{ SLICE("\xe0\xa0\x80"), 3 },
		{ SLICE("\xed\x9f\xbf"), 3 },
		{ SLICE("\xed\xa0\x80"), 0 },
		{ SLICE("\xf0\x8f\xbf\xbf"), 0 },
		{ SLICE("\xf0\x90\x80\x80"), 4 },
		{ SLICE("\xf4\x8f\xbf\xbf"), 4 },
		{ SLICE("\xf4\x90\x80\x80"), 0 },
		{ SLICE("\xf5\x80\x80\x80"), 0 },
		{ SLICE("\x80"), 0 },
		{ SLICE("\xf0\x90\x80"), 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_uint_eq(slice_char(cases[i].s), cases[i].n);
}
END_TEST

START_TEST(identifiers_are_32_hex_digits_and_differ)
{
	char a[RANDOM_ID_SIZE], b[RANDOM_ID_SIZE], c[RANDOM_ID_SIZE];

	ck_assert_uint_eq(strspn(random_id(a), "0123456789abcdef"), 32);
	ck_assert_str_ne(random_id(b), a);
	random_seed(5);
	random_id(a);
	random_id(b);
	random_seed(5);
	ck_assert_str_eq(random_id(c), a);
	ck_assert_str_ne(a, b);
	random_seed(0);
}
END_TEST

START_TEST(a_descriptor_is_closed_once_by_its_owner)
{
	int fd = -1;

	errno = 7;
	fd_close(&fd);
	ck_assert_int_eq(errno, 7);
	fd = 1 << 20;
	ck_assert_int_eq(fd_take(&fd), 1 << 20);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fd_nonblock(1 << 20), -EBADF);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("base_bytes");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	tcase_add_test(c, slices_compare_and_trim);
	tcase_add_test(c, slice_copy_refuses_what_does_not_fit);
	tcase_add_test(c, a_buffer_grows_to_its_cap_and_not_beyond);
	tcase_add_test(c, a_buffer_without_memory_is_empty);
	tcase_add_test(c, a_buffer_without_memory_keeps_what_it_has);
	tcase_add_test(c, a_lent_buffer_never_grows);
	tcase_add_test(c, times_are_written_as_rfc_3339);
	tcase_add_test(c, the_virtual_clock_only_moves_forward);
	tcase_add_test(c, an_error_keeps_place_and_text_and_truncates);
	tcase_add_test(c, an_error_is_never_cut_within_a_character);
	tcase_add_test(c, whole_characters_are_told_from_broken_ones);
	tcase_add_test(c, a_character_is_one_of_utf_8_or_none);
	tcase_add_test(c, identifiers_are_32_hex_digits_and_differ);
	tcase_add_test(c, a_descriptor_is_closed_once_by_its_owner);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
