/* SPDX-License-Identifier: MIT */
/* JSON text from outside: limits before jansson, errors with a position. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "common/json/jsontext.h"
#include "tests/unit/json_chaos.h"

#define MEGABYTE (1u << 20)

static const struct {
	const char *text;
	int want;
	const char *place; /* NULL: not looked at */
	const char *says;
} load_cases[] = {
	{ "{\"a\":[1,2.5,\"x\",true,null]}", 0, NULL, NULL },
	{ "17", 0, NULL, NULL },
	{ " \"\\\"]\\\\\" ", 0, NULL, NULL },
	{ "\"\xc3\xa9\xf0\x9f\x90\xb2\"", 0, NULL, NULL },
	{ "", -EBADMSG, "line 1 column 0", "expected" },
	{ "{\"a\":1} x", -EBADMSG, "line 1 column 9", "end of file" },
	{ "[1,\n 2,,3]", -EBADMSG, "line 2 column 4", "unexpected" },
	{ "[1", -EBADMSG, NULL, "']' expected" },
	{ "]", -EBADMSG, NULL, NULL },
	{ "{\"a\":1,\"a\":2}", -EBADMSG, NULL, "duplicate" },
	{ "\"\xff\"", -EBADMSG, NULL, "decode" },
	{ "\"\xc3\"", -EBADMSG, NULL, "decode" },
	{ "\"\xed\xa0\x80\"", -EBADMSG, NULL, "decode" },
	{ "\"\\u0000\"", -EBADMSG, NULL, "0000" },
	{ "\"\\ud800\"", -EBADMSG, NULL, "Unicode" },
	{ "\"a\x01z\"", -EBADMSG, NULL, "control" },
	{ "12345678901234567890", -EBADMSG, NULL, "big" },
	{ "1e999", -EBADMSG, NULL, "overflow" },
	{ "\"unterminated", -EBADMSG, NULL, NULL },
	{ "\"\\", -EBADMSG, NULL, NULL },
	{ "nulL", -EBADMSG, NULL, NULL },
};

START_TEST(load_takes_json_and_nothing_else)
{
	struct err e = { 0 };
	json_t *v = NULL;
	const int r =
	    jsontext_load(slice_of(load_cases[_i].text), NULL, &v, &e);

	ck_assert_int_eq(r, load_cases[_i].want);
	ck_assert_int_eq(v != NULL, r == 0);
	ck_assert_int_eq(e.code, r);
	if (load_cases[_i].place)
		ck_assert_str_eq(e.place, load_cases[_i].place);
	if (load_cases[_i].says)
		ck_assert_ptr_nonnull(strstr(e.text, load_cases[_i].says));
	for (const char *p = e.text; *p; p++)
		ck_assert_int_ge((unsigned char)*p, 0x20);
	json_decref(v);
}
END_TEST

static const struct {
	const char *text;
	struct jsontext_limits max;
	int want;
	const char *place;
} limit_cases[] = {
	{ "[[[]]]", { .depth = 3 }, 0, NULL },
	{ "[[[[]]]]", { .depth = 3 }, -EMSGSIZE, "line 1 column 4" },
	{ "[[],[],[[]]]", { .depth = 3 }, 0, NULL },
	{ "[\n\"\xc3\xa9[[[\",[{\"a\":[]}]]", { .depth = 3 }, -EMSGSIZE,
	    "line 2 column 14" },
	{ "[\"[[[[\\\"[[[\"]", { .depth = 1 }, 0, NULL },
	{ "[1,2,3]", { .values = 4 }, 0, NULL },
	{ "[1,2,3,4]", { .values = 4 }, -EMSGSIZE, "line 1 column 8" },
	{ "{\"a\":true}", { .values = 3 }, 0, NULL },
	{ "{\"a\":true}", { .values = 2 }, -EMSGSIZE, NULL },
	{ "\"1234\"", { .string_bytes = 4 }, 0, NULL },
	{ "\"12345\"", { .string_bytes = 4 }, -EMSGSIZE, "line 1 column 1" },
	{ "\"123\\n\"", { .string_bytes = 4 }, -EMSGSIZE, NULL },
	{ "\"\\u0000\"", { .allow_nul = true }, 0, NULL },
};

START_TEST(limits_hold_to_the_byte)
{
	struct err e = { 0 };
	json_t *v = NULL;
	const int r = jsontext_load(
	    slice_of(limit_cases[_i].text), &limit_cases[_i].max, &v, &e);

	ck_assert_int_eq(r, limit_cases[_i].want);
	if (limit_cases[_i].place)
		ck_assert_str_eq(e.place, limit_cases[_i].place);
	json_decref(v);
}
END_TEST

START_TEST(default_depth_is_64)
{
	char text[131];
	struct err e = { 0 };
	json_t *v = NULL;

	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	ck_assert_int_eq(
	    jsontext_load((struct slice){ text, 128 }, NULL, &v, &e), 0);
	json_decref(v);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	ck_assert_int_eq(
	    jsontext_load((struct slice){ text, 130 }, NULL, &v, &e),
	    -EMSGSIZE);
	ck_assert_ptr_nonnull(strstr(e.text, "at most 64"));
}
END_TEST

/* What a megabyte of brackets costs, on a stack of 64 KiB. */
static void *
load_brackets(void *arg)
{
	struct slice *const text = arg;
	struct err e = { 0 };
	json_t *v = NULL;

	if (jsontext_load(*text, NULL, &v, &e) == -EMSGSIZE && !v)
		return NULL;
	return arg;
}

START_TEST(a_megabyte_of_brackets_costs_an_error)
{
	char *const text = malloc(MEGABYTE);
	pthread_attr_t attr;
	pthread_t thread;
	void *result = NULL;

	ck_assert_ptr_nonnull(text);
	memset(text, "[{"[_i], MEGABYTE);
	struct slice s = { text, MEGABYTE };
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	ck_assert_int_eq(pthread_create(&thread, &attr, load_brackets, &s), 0);
	pthread_join(thread, &result);
	pthread_attr_destroy(&attr);
	ck_assert_ptr_null(result);
	free(text);
}
END_TEST

START_TEST(huge_numbers_and_value_counts_are_refused)
{
	char *const text = malloc(MEGABYTE);
	struct err e = { 0 };
	json_t *v = NULL;

	ck_assert_ptr_nonnull(text);
	memset(text, '1', MEGABYTE);
	ck_assert_int_eq(
	    jsontext_load((struct slice){ text, MEGABYTE }, NULL, &v, &e),
	    -EMSGSIZE);
	ck_assert_ptr_nonnull(strstr(e.text, "digits"));
	for (size_t i = 0; i < MEGABYTE; i += 2)
		memcpy(text + i, i ? ",1" : "[1", 2);
	ck_assert_int_eq(
	    jsontext_load((struct slice){ text, MEGABYTE }, NULL, &v, &e),
	    -EMSGSIZE);
	ck_assert_ptr_nonnull(strstr(e.text, "values"));
	free(text);
}
END_TEST

START_TEST(every_prefix_and_every_byte_is_survived)
{
	static const char text[] =
	    "{\"a\":[1,-2.5e3,\"\\u00e9\\\"\xc3\xa9\"],\"b\":{\"c\":null}}";
	char copy[sizeof(text)];

	for (size_t n = 0; n < sizeof(text); n++) {
		json_t *v = NULL;
		const int r =
		    jsontext_load((struct slice){ text, n }, NULL, &v, NULL);

		ck_assert_int_eq(r, n == sizeof(text) - 1 ? 0 : -EBADMSG);
		json_decref(v);
	}
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		for (int c = 0; c < 256; c++) {
			json_t *v = NULL;

			memcpy(copy, text, sizeof(text));
			copy[i] = (char)c;
			const int r = jsontext_load(
			    (struct slice){ copy, sizeof(text) - 1 }, NULL, &v,
			    NULL);

			ck_assert_int_eq(r == 0, v != NULL);
			json_decref(v);
		}
}
END_TEST

/*
 * Strings, names and numbers whose last byte comes where a lexer's buffer of
 * 16, 32, 64 … bytes would have to grow, and one byte before and after.
 */
static const char *const scarce_cases[] = {
	"{\"a\":[1,2.5,\"x\",true,null],\"b\":{\"c\":\"d\"}}",
	"\"abcdefghijklm\"",
	"\"abcdefghijklmn\"",
	"\"abcdefghijklmno\"",
	"[\"abcdefghijklmnopqrstuvwxyzabcd\"]",
	"{\"abcdefghijklmn\":\"\\u00e9\\ud83d\\udc32 \\\"\\n\"}",
	"[12345678901234]",
	"[123456789012345]",
	"[1234567890123456,-1234567890123456789]",
	"[0.12345678901234567,1e-300]",
};

/* Read it with the n-th allocation refused; 0 or -ENOMEM, or it aborts. */
static int
load_scarce(struct slice text, const json_t *want, size_t n)
{
	const long before = chaos_live;
	struct err e = { 0 };
	json_t *v = NULL;

	mem_fail_at(n);
	const int r = jsontext_load(text, NULL, &v, &e);
	mem_fail_at(0);
	ck_assert(r == 0 || r == -ENOMEM);
	ck_assert_int_eq(e.code, r);
	ck_assert_int_eq(r == 0, json_equal(v, want));
	json_decref(v);
	ck_assert_int_eq(chaos_live, before);
	return r;
}

START_TEST(without_memory_there_is_no_value_and_no_other_one)
{
	const struct slice text = slice_of(scarce_cases[_i]);
	json_t *want;
	int status = 1;
	size_t n = 0;

	chaos_begin();
	ck_assert_int_eq(jsontext_load(text, NULL, &want, NULL), 0);
	while (status) {
		const pid_t pid = fork();
		n++;
		if (pid == 0) {
			/* jansson's assertion is no failure of this test. */
			signal(SIGABRT, SIG_DFL);
			fclose(stderr);
			_exit(load_scarce(text, want, n) ? 2 : 0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			ck_assert_int_ne(WEXITSTATUS(status), 1);
		else
			ck_assert(WTERMSIG(status) == SIGABRT &&
				  strpbrk(scarce_cases[_i], "0123456789"));
	}
	ck_assert_uint_gt(n, 1);
	json_decref(want);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("json/jsontext");
	TCase *const t = tcase_create("load");

	tcase_add_loop_test(t, load_takes_json_and_nothing_else, 0,
	    sizeof(load_cases) / sizeof(*load_cases));
	tcase_add_loop_test(t, limits_hold_to_the_byte, 0,
	    sizeof(limit_cases) / sizeof(*limit_cases));
	tcase_add_test(t, default_depth_is_64);
	tcase_add_loop_test(t, a_megabyte_of_brackets_costs_an_error, 0, 2);
	tcase_add_test(t, huge_numbers_and_value_counts_are_refused);
	tcase_add_test(t, every_prefix_and_every_byte_is_survived);
	tcase_add_loop_test(t,
	    without_memory_there_is_no_value_and_no_other_one, 0,
	    sizeof(scarce_cases) / sizeof(*scarce_cases));
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
