/* SPDX-License-Identifier: MIT */
/* The file of --answers. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "common/base/mem.h"
#include "poold/ctl/answers.h"

static struct answers *
answers_of(const char *text)
{
	struct answers *a;
	struct err err;

	ck_assert_int_eq(answers_parse(slice_of(text), &a, &err), 0);
	return a;
}

/* A form that wants one text. */
static json_t *
form_of(const char *name)
{
	return json_pack("{s:s, s:{s:{s:s}}, s:[s]}", "type", "object",
	    "properties", name, "type", "string", "required", name);
}

START_TEST(answers_are_found_by_name_and_used_once)
{
	struct answers *a = answers_of("{\"x\":{\"v\":1},\"y\":\"decline\","
				       "\"z\":[{\"v\":2},\"cancel\"]}");

	json_t *const x = answers_take(a, "x", "m", NULL);
	ck_assert_int_eq(json_integer_value(json_object_get(x, "v")), 1);
	ck_assert_ptr_null(answers_take(a, "x", "m", NULL));
	ck_assert_str_eq(
	    json_string_value(answers_take(a, "y", "m", NULL)), "decline");
	json_t *const z = answers_take(a, "z", "m", NULL);
	ck_assert_int_eq(json_integer_value(json_object_get(z, "v")), 2);
	ck_assert_str_eq(
	    json_string_value(answers_take(a, "z", "m", NULL)), "cancel");
	ck_assert_ptr_null(answers_take(a, "z", "m", NULL));
	ck_assert_ptr_null(answers_take(a, "w", "m", NULL));
	answers_free(&a);
	ck_assert_ptr_null(a);
	answers_free(&a);
}
END_TEST

START_TEST(answers_without_names_come_in_order_if_they_fit)
{
	struct answers *a =
	    answers_of("{\"sample\":\"cancel\",\"one\":{\"p\":\"1\"},"
		       "\"Which q?\":{\"q\":\"3\"},\"two\":{\"q\":\"2\"},"
		       "\"three\":\"decline\",\"text\":\"no answer\"}");
	json_t *const p = form_of("p"), *const q = form_of("q");

	json_t *got = answers_take(a, NULL, "Which q?", q);
	ck_assert_str_eq(json_string_value(json_object_get(got, "q")), "3");
	got = answers_take(a, NULL, "other", q);
	ck_assert_str_eq(json_string_value(json_object_get(got, "q")), "2");
	got = answers_take(a, NULL, NULL, p);
	ck_assert_str_eq(json_string_value(json_object_get(got, "p")), "1");
	got = answers_take(a, NULL, "other", p);
	ck_assert_str_eq(json_string_value(got), "decline");
	ck_assert_ptr_null(answers_take(a, NULL, "other", p));
	json_decref(p);
	json_decref(q);
	answers_free(&a);
}
END_TEST

START_TEST(answers_for_samples_are_texts)
{
	struct answers *a =
	    answers_of("{\"sample\":\"s\",\"tip\":[\"1\",\"2\"],\"o\":{}}");

	ck_assert_str_eq(answers_sample(a, NULL), "s");
	ck_assert_str_eq(answers_sample(a, "none"), "s");
	ck_assert_str_eq(answers_sample(a, "tip"), "1");
	ck_assert_str_eq(answers_sample(a, "tip"), "2");
	ck_assert_ptr_null(answers_sample(a, "tip"));
	ck_assert_ptr_null(answers_sample(a, "o"));
	ck_assert_str_eq(answers_sample(a, NULL), "s");
	answers_free(&a);
	a = answers_of("{}");
	ck_assert_ptr_null(answers_sample(a, NULL));
	answers_free(&a);
}
END_TEST

static const struct {
	const char *text;
	const char *says;
} bad[] = {
	{ "", "" },
	{ "[]", "one JSON object" },
	{ "\"x\"", "one JSON object" },
	{ "{\"a\":1}", "\"a\" must be" },
	{ "{\"a\":null}", "\"a\" must be" },
	{ "{\"a\":[1]}", "\"a\" must be" },
	{ "{\"a\":[[]]}", "\"a\" must be" },
	{ "{\"a\":{},\"a\":{}}", "" },
	{ "{\"a\":{}", "" },
};

START_TEST(answers_say_what_is_wrong_with_a_file)
{
	struct answers *a;
	struct err err = { 0 };

	ck_assert_int_lt(answers_parse(slice_of(bad[_i].text), &a, &err), 0);
	ck_assert_ptr_null(a);
	ck_assert_str_ne(err.text, "");
	ck_assert_ptr_nonnull(strstr(err.text, bad[_i].says));
}
END_TEST

START_TEST(answers_name_a_file_that_cannot_be_read)
{
	struct answers *a;
	struct err err;

	ck_assert_int_eq(answers_load("/nowhere/a", &a, &err), -ENOENT);
	ck_assert_str_eq(err.text, "/nowhere/a: No such file or directory");
	ck_assert_int_eq(answers_load("/", &a, &err), -EISDIR);
	ck_assert_int_eq(answers_load("/dev/zero", &a, &err), -EFBIG);
}
END_TEST

START_TEST(answers_survive_want_of_memory)
{
	struct answers *a;
	struct err err;

	mem_fail_at(1);
	ck_assert_int_eq(answers_parse(SLICE("{}"), &a, &err), -ENOMEM);
	ck_assert_ptr_null(a);
	mem_fail_at(0);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("ctl/answers");
	TCase *const t = tcase_create("answers");

	tcase_add_test(t, answers_are_found_by_name_and_used_once);
	tcase_add_test(t, answers_without_names_come_in_order_if_they_fit);
	tcase_add_test(t, answers_for_samples_are_texts);
	tcase_add_loop_test(t, answers_say_what_is_wrong_with_a_file, 0,
	    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, answers_name_a_file_that_cannot_be_read);
	tcase_add_test(t, answers_survive_want_of_memory);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n != 0;
}
