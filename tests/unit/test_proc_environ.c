/* SPDX-License-Identifier: MIT */
/*
 * Variables taken out of the environment: those alone, all of that name; and
 * put in, in place of another one.
 */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/proc/environ.h"

/* Each: what there is, what is dropped, what is left; NULL ends a list. */
static const struct {
	char *vars[5];
	const char *name;
	const char *left[5];
} cases[] = {
	{ { "A=1", "B=2", "C=3" }, "B", { "A=1", "C=3" } },
	{ { "A=1", "B=2", "C=3" }, "C", { "A=1", "B=2" } },
	{ { "A=1", "B=2", "A=3" }, "A", { "B=2" } },
	{ { "A=1" }, "A", { NULL } },
	{ { "AB=1", "A", "BA=2", "A=" }, "A", { "AB=1", "A", "BA=2" } },
	{ { "B=A=1" }, "A", { "B=A=1" } },
	{ { NULL }, "A", { NULL } },
};

START_TEST(what_has_the_name_goes_and_the_rest_keeps_its_order)
{
	char **const before = environ;
	char *vars[5];
	size_t i = 0;

	for (; i < 5; i++)
		vars[i] = cases[_i].vars[i];
	environ = vars;
	environ_drop(cases[_i].name);
	environ = before; /* Check reads it too */
	for (i = 0; cases[_i].left[i]; i++)
		ck_assert_pstr_eq(vars[i], cases[_i].left[i]);
	ck_assert_ptr_null(vars[i]);
}
END_TEST

START_TEST(what_is_put_stands_where_its_name_stood_or_at_the_end)
{
	char *first[] = { "B=3", "D=4", NULL }, *second[] = { "D=5", NULL };
	char *old[] = { "A=1", "B=2", "BC=6", NULL };
	static const char *const want[] = { "A=1", "B=3", "BC=6", "D=5" };
	char **const before = environ;

	environ = old;
	const int e = environ_put(first), again = environ_put(second);
	char **const now = environ;
	environ = before;
	ck_assert_int_eq(e, 0);
	ck_assert_int_eq(again, 0);
	for (size_t i = 0; i < 4; i++)
		ck_assert_pstr_eq(now[i], want[i]);
	ck_assert_ptr_null(now[4]);
	/* The one before is as it was. */
	ck_assert_str_eq(old[1], "B=2");
}
END_TEST

START_TEST(without_memory_it_is_as_it_was)
{
	char *vars[] = { "A=1", NULL };
	char **const before = environ;

	mem_fail_at(1);
	const int e = environ_put(vars);
	mem_fail_at(0);
	const bool is_same = environ == before;
	environ = before;
	ck_assert_int_eq(e, -ENOMEM);
	ck_assert(is_same);
}
END_TEST

START_TEST(without_an_environment_nothing_is_done)
{
	char **const before = environ;

	environ = NULL;
	environ_drop("A");
	const bool is_left = environ != NULL;
	environ = before;
	ck_assert(!is_left);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("proc_environ");
	TCase *const tcase = tcase_create("all");

	tcase_add_loop_test(tcase,
	    what_has_the_name_goes_and_the_rest_keeps_its_order, 0,
	    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(
	    tcase, what_is_put_stands_where_its_name_stood_or_at_the_end);
	tcase_add_test(tcase, without_memory_it_is_as_it_was);
	tcase_add_test(tcase, without_an_environment_nothing_is_done);
	suite_add_tcase(suite, tcase);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int n = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
