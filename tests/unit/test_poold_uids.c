/* SPDX-License-Identifier: MIT */
/* What poold/uids.c promises: one id a tenant, none twice, late again. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "poold/uids.h"

START_TEST(only_ids_of_the_range_are_in_it)
{
	struct uids uids;

	ck_assert_int_eq(uids_init(&uids, 1000, 10), 0);
	ck_assert(!uids_has(&uids, 999));
	ck_assert(uids_has(&uids, 1000));
	ck_assert(uids_has(&uids, 1009));
	ck_assert(!uids_has(&uids, 1010));
	ck_assert(!uids_has(&uids, 0));
	uids_give(&uids, 5);
	uids_fini(&uids);
}
END_TEST

START_TEST(every_id_is_taken_once_and_then_there_are_none)
{
	struct uids uids;
	uid_t uid;

	ck_assert_int_eq(uids_init(&uids, 1000, 17), 0);
	ck_assert(uids_mark(&uids, 1003));
	ck_assert(!uids_mark(&uids, 1003));
	for (unsigned i = 0; i < 16; i++) {
		ck_assert_int_eq(uids_take(&uids, &uid), 0);
		ck_assert_uint_eq(uid, 1000 + i + (i >= 3));
	}
	ck_assert_int_eq(uids_take(&uids, &uid), -ENOSPC);
	uids_give(&uids, 1011);
	ck_assert_int_eq(uids_take(&uids, &uid), 0);
	ck_assert_uint_eq(uid, 1011);
	uids_fini(&uids);
}
END_TEST

START_TEST(one_that_was_given_back_comes_again_last)
{
	struct uids uids;
	uid_t uid;

	ck_assert_int_eq(uids_init(&uids, 7, 4), 0);
	ck_assert_int_eq(uids_take(&uids, &uid), 0);
	uids_give(&uids, uid);
	for (uid_t want = 8; want < 11; want++) {
		ck_assert_int_eq(uids_take(&uids, &uid), 0);
		ck_assert_uint_eq(uid, want);
	}
	ck_assert_int_eq(uids_take(&uids, &uid), 0);
	ck_assert_uint_eq(uid, 7);
	uids_fini(&uids);
}
END_TEST

START_TEST(an_empty_range_has_none)
{
	struct uids uids;
	uid_t uid;

	ck_assert_int_eq(uids_init(&uids, 1000, 0), 0);
	ck_assert(!uids_has(&uids, 1000));
	ck_assert_int_eq(uids_take(&uids, &uid), -ENOSPC);
	uids_fini(&uids);
	mem_fail_at(1);
	ck_assert_int_eq(uids_init(&uids, 1000, 5), -ENOMEM);
	mem_fail_at(0);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_uids");
	TCase *const all = tcase_create("all");

	tcase_add_test(all, only_ids_of_the_range_are_in_it);
	tcase_add_test(all, every_id_is_taken_once_and_then_there_are_none);
	tcase_add_test(all, one_that_was_given_back_comes_again_last);
	tcase_add_test(all, an_empty_range_has_none);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
