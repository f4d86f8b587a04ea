/* SPDX-License-Identifier: MIT */
/*
 * test_backend_plug: what malloc does in a process whose heap was plugged. Each
 * try is a child, since the heap of a process is plugged once. Sanitized builds
 * have another malloc, which is left alone.
 */
#include "backend/plug.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/proc/sanitized.h"
#include "tests/unit/in_child.h"

#define PAGE   4096
#define GRAIN  16
#define PIECES 512
#define ROUNDS 20000

/* Of the piece that stands last before the heap is plugged. */
static size_t pad_bytes, last_bytes;

/* Where malloc takes from when nothing else is free. */
static void *
piece_of(size_t n)
{
	void *volatile p = malloc(n);

	if (p)
		memset(p, 0x5a, n);
	return p;
}

static int
free_what_stood_last(void)
{
	void *const pad = piece_of(pad_bytes);
	void *const last = piece_of(last_bytes);

	plug_heap();
	free(last);
	void *const next = piece_of(last_bytes + PAGE);
	free(next);
	free(pad);
	return 0;
}

static int
grow_what_stood_last(void)
{
	void *const pad = piece_of(pad_bytes);
	char *last = piece_of(last_bytes);

	plug_heap();
	last = realloc(last, last_bytes + 64);
	for (size_t i = 0; i < last_bytes; i++)
		if (last[i] != 0x5a)
			return 1;
	free(last);
	free(pad);
	return 0;
}

START_TEST(what_stood_last_is_freed_and_grown_wherever_it_stands)
{
	static const size_t sizes[] = { 24, 1000, 1100, 5000, 40000 };

	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++)
		for (size_t at = 0; at < PAGE; at += 8 * GRAIN) {
			pad_bytes = 24 + at;
			last_bytes = sizes[k];
			ck_assert_int_eq(in_child(free_what_stood_last), 0);
			ck_assert_int_eq(in_child(grow_what_stood_last), 0);
		}
}
END_TEST

/* One step of a sequence that is the same each time. */
static size_t
next_number(void)
{
	static uint64_t state = 1;

	state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (size_t)(state >> 33);
}

static bool
is_filled(const unsigned char *p, size_t n, unsigned char with)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != with)
			return false;
	return true;
}

/* Take and free pieces of all sizes in no order; each keeps what it holds. */
static int
take_and_free(void)
{
	static struct {
		unsigned char *p;
		size_t n;
	} pieces[PIECES];

	for (size_t i = 0; i < PIECES; i++)
		pieces[i].p = malloc(pieces[i].n = next_number() % 3000);
	for (size_t i = 0; i < PIECES; i++)
		memset(pieces[i].p, (int)(i & 255), pieces[i].n);
	for (size_t i = 0; i < PIECES; i += 3) {
		free(pieces[i].p);
		pieces[i].p = NULL;
	}
	plug_heap();
	for (size_t round = 0; round < ROUNDS; round++) {
		const size_t i = next_number() % PIECES;
		const unsigned shift = (unsigned)(next_number() % 18);
		if (pieces[i].p &&
		    !is_filled(pieces[i].p, pieces[i].n, i & 255))
			return 1;
		free(pieces[i].p);
		pieces[i].n = next_number() % ((size_t)1 << shift);
		pieces[i].p = malloc(pieces[i].n);
		if (!pieces[i].p)
			return 2;
		memset(pieces[i].p, (int)(i & 255), pieces[i].n);
	}
	return 0;
}

START_TEST(pieces_that_are_taken_later_share_no_memory)
{
	ck_assert_int_eq(in_child(take_and_free), 0);
}
END_TEST

#if !SANITIZED_BUILD
/* What was free below the end is used up. */
static int
take_from_the_end(void)
{
	char *holes[64];

	for (size_t i = 0; i < 64; i++)
		holes[i] = piece_of(24 + 100 * i);
	const uintptr_t last = (uintptr_t)piece_of(2000);
	for (size_t i = 0; i < 64; i += 2)
		free(holes[i]);
	plug_heap();
	for (size_t n = 24; n < 60000; n += n / 8)
		if ((uintptr_t)piece_of(n) < last)
			return 1;
	return 0;
}

START_TEST(what_is_taken_later_comes_from_the_end)
{
	ck_assert_int_eq(in_child(take_from_the_end), 0);
}
END_TEST
#endif

int
main(void)
{
	Suite *const suite = suite_create("backend_plug");
	TCase *const all = tcase_create("all");

	tcase_add_test(
	    all, what_stood_last_is_freed_and_grown_wherever_it_stands);
	tcase_add_test(all, pieces_that_are_taken_later_share_no_memory);
#if !SANITIZED_BUILD
	tcase_add_test(all, what_is_taken_later_comes_from_the_end);
#endif
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
