/* SPDX-License-Identifier: MIT */
/* test_backend_value: texts and digests of values; what a client can do. */
#include "backend/value.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/json/jsontext.h"

#include "backend/ask.h"

#include "tests/unit/json_chaos.h"

static json_t *
parsed(const char *text)
{
	json_t *const value =
	    json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	ck_assert(value != NULL);
	return value;
}

/* ---- texts ----------------------------------------------------------- */

static const char *const texts[] = {
	"{}",
	"[]",
	"null",
	"\"\"",
	"-0.5",
	"12345678901234567",
	"{\"b\":1,\"a\":[true,null,{\"x\":\"\\u0000y\"}]}",
	"\"caf\xc3\xa9 \\\"\\n\"",
};

START_TEST(a_text_leads_back_to_its_value)
{
	json_t *const value = parsed(texts[_i]);
	char *const text = jsontext_dump(value, SIZE_MAX);
	json_t *const again = value_of_text(text);

	ck_assert_str_eq(text, texts[_i]);
	ck_assert(json_equal(again, value));
	json_decref(again);
	mem_free(text);
	json_decref(value);
}
END_TEST

/* Names longer than the first buffer of jansson's lexer. */
#define LONG                                                                  \
	"{\"a name that is long enough to make it grow\":{\"another of them," \
	" so that it grows again\":\"and a value that is long as well\"}}"

/* Whatever is refused: the value, or nothing; never another value. */
START_TEST(a_text_without_memory_leads_to_nothing)
{
	json_t *again;
	long n = 0;
	json_t *value;

	chaos_begin();
	value = parsed(LONG);
	do {
		mem_fail_at((size_t)++n);
		again = value_of_text(LONG);
		mem_fail_at(0);
		ck_assert(!again || json_equal(again, value));
		if (!again)
			continue;
		json_decref(again);
		break;
	} while (n < 1000);
	ck_assert_int_gt(n, 5);
	ck_assert_int_lt(n, 1000);
	for (long i = 1; i < n; i++) {
		mem_fail_at((size_t)i);
		char *const text = jsontext_dump(value, SIZE_MAX);
		mem_fail_at(0);
		ck_assert(!text || !strcmp(text, LONG));
		mem_free(text);
	}
	json_decref(value);
}
END_TEST

/* ---- capabilities ---------------------------------------------------- */

#define ELICIT ASK_CAN(ASK_ELICIT)
#define SAMPLE ASK_CAN(ASK_SAMPLE)

static const struct {
	const char *declared;
	unsigned can;
} clients[] = {
	{ "{}", 0 },
	{ "{\"elicitation\":{}}", ELICIT },
	{ "{\"elicitation\":{\"form\":{}}}", ELICIT },
	{ "{\"elicitation\":{\"url\":{}}}", 0 },
	{ "{\"elicitation\":{\"url\":{},\"form\":{}}}", ELICIT },
	{ "{\"elicitation\":true,\"sampling\":{}}", SAMPLE },
	{ "{\"sampling\":{\"tools\":{}},\"elicitation\":{}}", ELICIT | SAMPLE },
	{ "[]", 0 },
};

START_TEST(what_a_client_can_be_asked_is_what_it_declared)
{
	json_t *const declared = parsed(clients[_i].declared);
	const unsigned can = ask_can(declared);

	ck_assert_uint_eq(can, clients[_i].can);
	ck_assert_uint_eq(!ask_missing(ASK_ELICIT, can), (can & ELICIT) != 0);
	ck_assert_uint_eq(!ask_missing(ASK_SAMPLE, can), (can & SAMPLE) != 0);
	json_decref(declared);
}
END_TEST

START_TEST(without_capabilities_nothing_can_be_asked)
{
	ck_assert_uint_eq(ask_can(NULL), 0);
	ck_assert_str_eq(ask_missing(ASK_ELICIT, 0), "elicitation");
	ck_assert_str_eq(ask_missing(ASK_SAMPLE, 0), "sampling");
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof(table[0]))

int
main(void)
{
	Suite *const suite = suite_create("backend_value");
	TCase *const all = tcase_create("all");

	tcase_add_loop_test(all, a_text_leads_back_to_its_value, 0, N(texts));
	tcase_add_test(all, a_text_without_memory_leads_to_nothing);
	tcase_add_loop_test(
	    all, what_a_client_can_be_asked_is_what_it_declared, 0, N(clients));
	tcase_add_test(all, without_capabilities_nothing_can_be_asked);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
