/* SPDX-License-Identifier: MIT */
/* Variables taken out of the environment: those alone, all of that name. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

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
	tcase_add_test(tcase, without_an_environment_nothing_is_done);
	suite_add_tcase(suite, tcase);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int n = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
