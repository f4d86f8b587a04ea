/* SPDX-License-Identifier: MIT */
/* Random bytes: each new, also over the ends of the stock and after a fork. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/random.h"

#define N_IDS 200 /* more than the stock has, several times */

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, RANDOM_ID_SIZE);
}

START_TEST(no_identifier_comes_twice)
{
	static char ids[N_IDS][RANDOM_ID_SIZE];

	for (int i = 0; i < N_IDS; i++) {
		random_id(ids[i]);
		ck_assert_uint_eq(
		    strspn(ids[i], "0123456789abcdef"), RANDOM_ID_SIZE - 1);
	}
	qsort(ids, N_IDS, RANDOM_ID_SIZE, compare_ids);
	for (int i = 1; i < N_IDS; i++)
		ck_assert_str_ne(ids[i - 1], ids[i]);
}
END_TEST

/* Of each length around what is in stock: exactly n bytes, all of them. */
START_TEST(every_byte_asked_for_is_filled_and_none_besides)
{
	enum { MOST = 600, TRIES = 16 };

	for (size_t n = 0; n <= MOST; n += n < 70 ? 1 : 53) {
		unsigned char was_set[MOST + 1] = { 0 };
		for (int k = 0; k < TRIES; k++) {
			unsigned char bytes[MOST + 1] = { 0 };
			random_fill(bytes, n);
			for (size_t i = 0; i <= MOST; i++)
				was_set[i] |= bytes[i];
		}
		for (size_t i = 0; i <= MOST; i++)
			ck_assert_int_eq(was_set[i] != 0, i < n);
	}
}
END_TEST

/* Both have the same stock; the child must not use it. */
START_TEST(a_child_that_forgets_has_bytes_of_its_own)
{
	char own[RANDOM_ID_SIZE], childs[RANDOM_ID_SIZE];
	int ends[2], status;

	random_id(own);
	ck_assert_int_eq(pipe(ends), 0);
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		random_forget();
		random_id(childs);
		_exit(write(ends[1], childs, sizeof(childs)) != sizeof(childs));
	}
	random_id(own);
	ck_assert_int_eq(
	    (int)read(ends[0], childs, sizeof(childs)), sizeof(childs));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_str_ne(own, childs);
}
END_TEST

/* As a tool forks, which knows of no stock. */
START_TEST(fresh_bytes_are_a_child_s_own_without_a_word)
{
	unsigned char own[16], childs[16];
	char id[RANDOM_ID_SIZE];
	int ends[2], status;

	random_id(id);
	ck_assert_int_eq(pipe(ends), 0);
	const pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		random_fresh(childs, sizeof(childs));
		_exit(write(ends[1], childs, sizeof(childs)) != sizeof(childs));
	}
	random_fresh(own, sizeof(own));
	ck_assert_int_eq(
	    (int)read(ends[0], childs, sizeof(childs)), sizeof(childs));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_mem_ne(own, childs, sizeof(own));
}
END_TEST

START_TEST(a_seed_gives_the_same_bytes_again_until_it_ends)
{
	char first[RANDOM_ID_SIZE], again[RANDOM_ID_SIZE];

	random_seed(7);
	random_id(first);
	random_seed(7);
	random_id(again);
	ck_assert_str_eq(first, again);
	random_seed(0);
	ck_assert_str_ne(first, random_id(again));
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("base_random");
	TCase *const tcase = tcase_create("random");

	tcase_add_test(tcase, no_identifier_comes_twice);
	tcase_add_test(tcase, every_byte_asked_for_is_filled_and_none_besides);
	tcase_add_test(tcase, a_child_that_forgets_has_bytes_of_its_own);
	tcase_add_test(tcase, fresh_bytes_are_a_child_s_own_without_a_word);
	tcase_add_test(tcase, a_seed_gives_the_same_bytes_again_until_it_ends);
	suite_add_tcase(suite, tcase);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
