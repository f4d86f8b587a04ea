/* SPDX-License-Identifier: MIT */
/* Questions as text, typed lines as values. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "poold/ctl/form.h"

#include "tests/unit/json_chaos.h"

#define NAME  "{'type':'string','minLength':2,'maxLength':4}"
#define COUNT "{'type':'integer','minimum':1,'maximum':9}"
#define DEEP  "{'type':'integer','minimum':1,'maximum':9,'default':3}"
#define SURE  "{'type':'boolean','default':true}"
#define ONE                                                       \
	"{'type':'string','title':'Cabin','description':'Where'," \
	"'oneOf':[{'const':'e','title':'Economy'},{'const':'b',"  \
	"'title':'Business'}],'default':'b'}"
#define MANY                                                     \
	"{'type':'array','maxItems':2,'items':{'type':'string'," \
	"'enum':['p','q','r']},'default':['p','r']}"
#define SOME                                                     \
	"{'type':'array','minItems':1,'items':{'type':'string'," \
	"'enum':['p','q','r']}}"
#define ODD "{'type':'object'}"

static const struct {
	const char *property;
	bool is_required;
	bool is_alone;
	const char *shown;
	const char *prompt;
} shows[] = {
	{ NAME, true, true, "", "k (text from 2 to 4 characters): " },
	{ NAME, false, true, "",
	    "k (text from 2 to 4 characters) (Enter leaves it out): " },
	{ DEEP, true, true, "", "k (a whole number from 1 to 9) [3]: " },
	{ SURE, true, true, "", "k (yes or no) [yes]: " },
	{ ONE, true, true, "Cabin: Where\n  1  Economy\n  2  Business\n",
	    "Choose 1-2 [2]: " },
	{ MANY, true, true, "  1  p\n  2  q\n  3  r\n",
	    "Choose any of 1-3, as in 1,2 [1,3]: " },
	{ SOME, true, false, "k\n  1  p\n  2  q\n  3  r\n",
	    "Choose any of 1-3, as in 1,2: " },
	{ ODD, true, true, "", "k (JSON): " },
	{ "{'type':'string','title':'A\\u001b[2J\\nb'}", true, true, "",
	    "A?[2J b (text): " },
	{ "{'type':'string','description':'what'}", true, true, "k: what\n",
	    "k (text): " },
};

START_TEST(form_shows_a_question_and_its_prompt)
{
	json_t *const property = chaos_json(shows[_i].property);
	const struct form_field f = { .name = "k",
		.property = property,
		.is_required = shows[_i].is_required,
		.is_alone = shows[_i].is_alone };
	struct page above, prompt;

	page_init(&above, false);
	page_init(&prompt, false);
	form_show(&above, &f);
	form_prompt(&prompt, &f);
	ck_assert_msg(slice_eq(page_text(&above), slice_of(shows[_i].shown)),
	    "%.*s", (int)page_text(&above).n, page_text(&above).p);
	ck_assert_msg(slice_eq(page_text(&prompt), slice_of(shows[_i].prompt)),
	    "%.*s", (int)page_text(&prompt).n, page_text(&prompt).p);
	page_fini(&above);
	page_fini(&prompt);
	json_decref(property);
}
END_TEST

static const struct {
	const char *property;
	const char *line;
	bool is_required;
	enum form_word word;
	const char *json; /* of the value, or part of the reason */
} reads[] = {
	{ NAME, "Ada", true, FORM_VALUE, "'Ada'" },
	{ NAME, "A", true, FORM_AGAIN, "2" },
	{ NAME, "d", true, FORM_DECLINE, NULL },
	{ NAME, " d ", true, FORM_DECLINE, NULL },
	{ NAME, "", true, FORM_AGAIN, "\"\" is an empty text" },
	{ NAME, "   ", true, FORM_AGAIN, "an answer is needed" },
	{ NAME, "", false, FORM_OMIT, NULL },
	{ NAME, "\"\"", true, FORM_AGAIN, "2" },
	{ "{'type':'string'}", "\"\"", true, FORM_VALUE, "''" },
	{ "{'type':'string'}", "\"d\"", true, FORM_VALUE, "'d'" },
	{ "{'type':'string'}", "D", true, FORM_VALUE, "'D'" },
	{ "{'type':'string','pattern':'^[0-9]+$'}", "x", true, FORM_AGAIN,
	    "must match" },
	{ COUNT, "7", true, FORM_VALUE, "7" },
	{ COUNT, " 7 ", true, FORM_VALUE, "7" },
	{ COUNT, "10", true, FORM_AGAIN, "at most 9" },
	{ COUNT, "seven", true, FORM_AGAIN, "" },
	{ COUNT, "", true, FORM_AGAIN, "an answer is needed" },
	{ DEEP, "", true, FORM_VALUE, "3" },
	{ DEEP, "", false, FORM_VALUE, "3" },
	{ SURE, "", true, FORM_VALUE, "true" },
	{ SURE, "no", true, FORM_VALUE, "false" },
	{ SURE, "hm", true, FORM_AGAIN, "" },
	{ ONE, "1", true, FORM_VALUE, "'e'" },
	{ ONE, "business", true, FORM_VALUE, "'b'" },
	{ ONE, "3", true, FORM_AGAIN, "" },
	{ ONE, "", true, FORM_VALUE, "'b'" },
	{ MANY, "1,2", true, FORM_VALUE, "['p','q']" },
	{ MANY, "1,2,3", true, FORM_AGAIN, "2" },
	{ MANY, "", true, FORM_VALUE, "['p','r']" },
	{ SOME, "", true, FORM_AGAIN, "" },
	{ SOME, "2", true, FORM_VALUE, "['q']" },
	{ ODD, "{\"a\":1}", true, FORM_VALUE, "{'a':1}" },
	{ ODD, "{", true, FORM_AGAIN, "" },
	{ "{'type':'integer','maximum':1,'default':5}", "", true, FORM_AGAIN,
	    "at most 1" },
};

START_TEST(form_reads_a_line)
{
	json_t *const property = chaos_json(reads[_i].property);
	const struct form_field f = { .name = "k",
		.property = property,
		.is_required = reads[_i].is_required,
		.may_decline = true };
	json_t *value;
	struct err err = { 0 };

	const enum form_word word = form_read(&f, reads[_i].line, &value, &err);
	ck_assert_msg(word == reads[_i].word, "\"%s\": %d (%s)", reads[_i].line,
	    (int)word, err.text);
	ck_assert_int_eq(value != NULL, word == FORM_VALUE);
	if (word == FORM_VALUE) {
		json_t *const want = chaos_json(reads[_i].json);
		ck_assert(json_equal(value, want));
		json_decref(want);
	}
	if (word == FORM_AGAIN) {
		ck_assert_str_ne(err.text, "");
		ck_assert_msg(
		    strstr(err.text, reads[_i].json) != NULL, "%s", err.text);
	}
	json_decref(value);
	json_decref(property);
}
END_TEST

START_TEST(form_takes_d_as_a_text_where_nothing_can_be_declined)
{
	json_t *const property = chaos_json("{'type':'string'}");
	const struct form_field f = { .name = "k", .property = property };
	json_t *value;
	struct err err;

	ck_assert_int_eq(form_read(&f, "d", &value, &err), FORM_VALUE);
	ck_assert_str_eq(json_string_value(value), "d");
	json_decref(value);
	json_decref(property);
}
END_TEST

START_TEST(form_cuts_long_defaults_between_characters)
{
	char text[400] = "{\"type\":\"string\",\"default\":\"a";
	struct page prompt;

	for (int i = 0; i < 60; i++)
		strcat(text, "\xc3\xa9");
	strcat(text, "\"}");
	json_t *const property = json_loads(text, 0, NULL);
	const struct form_field f = {
		.name = "k", .property = property, .is_required = true
	};
	page_init(&prompt, false);
	form_prompt(&prompt, &f);
	const struct slice s = page_text(&prompt);
	json_t *const valid = json_stringn(s.p, s.n);
	ck_assert_ptr_nonnull(valid);
	ck_assert_ptr_nonnull(strstr(json_string_value(valid), "...]: "));
	json_decref(valid);
	page_fini(&prompt);
	json_decref(property);
}
END_TEST

START_TEST(form_checks_whole_answers)
{
	json_t *const schema =
	    chaos_json("{'type':'object','required':['a'],"
		       "'properties':{'a':{'type':'integer'}}}");
	json_t *const content = chaos_json("{'a':'x'}");
	json_t *const broken = chaos_json("{'type':7}");
	struct err err;

	ck_assert_int_eq(form_check(schema, content, &err), -EINVAL);
	ck_assert_int_eq(strncmp(err.text, "a: ", 3), 0);
	json_object_set_new(content, "a", json_integer(1));
	ck_assert_int_eq(form_check(schema, content, &err), 0);
	ck_assert_int_eq(form_check(broken, content, &err), 0);
	ck_assert_int_eq(form_check(NULL, content, &err), 0);
	json_decref(schema);
	json_decref(content);
	json_decref(broken);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("ctl/form");
	TCase *const t = tcase_create("form");

	tcase_add_loop_test(t, form_shows_a_question_and_its_prompt, 0,
	    sizeof(shows) / sizeof(shows[0]));
	tcase_add_loop_test(
	    t, form_reads_a_line, 0, sizeof(reads) / sizeof(reads[0]));
	tcase_add_test(t, form_takes_d_as_a_text_where_nothing_can_be_declined);
	tcase_add_test(t, form_cuts_long_defaults_between_characters);
	tcase_add_test(t, form_checks_whole_answers);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n != 0;
}
