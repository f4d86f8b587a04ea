/* SPDX-License-Identifier: MIT */
/* Allocation: the gate that a test closes, and the count of what lives. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/mem.h"

START_TEST(the_nth_allocation_is_refused_once)
{
	mem_fail_at(2);
	void *const a = mem_alloc(1);
	void *const b = mem_zalloc(1, 1);
	void *const c = mem_strdup("c");
	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_null(b);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(mem_count(), 3);
	mem_fail_at(0);
	ck_assert_uint_eq(mem_count(), 0);
	mem_free(a);
	mem_free(c);
}
END_TEST

START_TEST(every_living_allocation_is_counted_once)
{
	const size_t before = mem_live();
	void *p[4] = { mem_alloc(0), mem_zalloc(3, 5), mem_strdup("x"),
		mem_realloc(NULL, 9) };

	ck_assert_uint_eq(mem_live(), before + 4);
	p[3] = mem_realloc(p[3], 9000);
	ck_assert_uint_eq(mem_live(), before + 4);
	mem_fail_at(1);
	ck_assert_ptr_null(mem_realloc(p[3], 90000));
	ck_assert_ptr_null(mem_zalloc(SIZE_MAX / 2, 8));
	mem_fail_at(0);
	ck_assert_uint_eq(mem_live(), before + 4);
	for (int i = 0; i < 4; i++)
		mem_free(p[i]);
	mem_free(NULL);
	ck_assert_uint_eq(mem_live(), before);
}
END_TEST

START_TEST(an_object_of_a_pool_counts_and_is_refused_like_an_allocation)
{
	const size_t before = mem_live();

	mem_fail_at(2);
	ck_assert(mem_pool_get());
	ck_assert(!mem_pool_get());
	ck_assert(mem_pool_get());
	ck_assert_uint_eq(mem_count(), 3);
	mem_fail_at(0);
	ck_assert_uint_eq(mem_live(), before + 2);
	mem_pool_put();
	mem_pool_put();
	ck_assert_uint_eq(mem_live(), before);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("base_mem");
	TCase *const c = tcase_create("all");
	SRunner *const r = srunner_create(s);

	tcase_add_test(c, the_nth_allocation_is_refused_once);
	tcase_add_test(c, every_living_allocation_is_counted_once);
	tcase_add_test(
	    c, an_object_of_a_pool_counts_and_is_refused_like_an_allocation);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
