/* SPDX-License-Identifier: MIT */
/* Forms of MCP elicitation: what is one, what answers it, what people type. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "common/json/elicit.h"
#include "common/json/jsonformat.h"
#include "tests/unit/json_chaos.h"

/* One property of each kind; p in the tables is the property itself. */
#define NAME   "{'type':'string','minLength':2,'maxLength':4}"
#define MAIL   "{'type':'string','format':'email'}"
#define COUNT  "{'type':'integer','minimum':1,'maximum':9}"
#define SCORE  "{'type':'number','minimum':0.5}"
#define SURE   "{'type':'boolean'}"
#define PLAIN  "{'type':'string','enum':['red','green','2']}"
#define LEGACY "{'type':'string','enum':['r','g'],'enumNames':['Red','Green']}"
#define TITLED                                                       \
	"{'type':'string','oneOf':[{'const':'e','title':'Economy'}," \
	"{'const':'b','title':'Business, flat bed'}]}"
#define SOME                                                 \
	"{'type':'array','minItems':1,'maxItems':2,'items':" \
	"{'type':'string','enum':['a','b','c']}}"
#define MANY                                                                \
	"{'type':'array','items':{'anyOf':[{'const':'w','title':'Window'}," \
	"{'const':'x','title':'Extra, with legs'}]}}"

static const struct {
	const char *schema;
	const char *place; /* NULL: it is a form */
	const char *says;
} forms[] = {
	{ "{'type':'object','properties':{}}", NULL, NULL },
	{ "{'$schema':'x','type':'object','title':'t','description':'d',"
	  "'additionalProperties':false,'required':['a','j'],'properties':"
	  "{'a':" NAME ",'b':" MAIL ",'c':" COUNT ",'d':" SCORE ",'e':" SURE
	  ",'f':" PLAIN ",'g':" LEGACY ",'h':" TITLED ",'i':" SOME ",'j':" MANY
	  "}}",
	    NULL, NULL },
	{ "{'type':'object','properties':{'a':{'type':'string','title':'A',"
	  "'description':'x','default':'y'},'b':{'type':'boolean',"
	  "'default':true},'c':{'type':'integer','default':3},'d':"
	  "{'type':'array','items':{'type':'string','enum':['p']},"
	  "'default':['p']}}}",
	    NULL, NULL },
	{ "[]", "", "type object" },
	{ "{'properties':{}}", "", "type object" },
	{ "{'type':'object'}", "/properties", "an object" },
	{ "{'type':'object','properties':[]}", "/properties", "an object" },
	{ "{'type':'object','properties':{},'allOf':[]}", "", "\"allOf\"" },
	{ "{'type':'object','properties':{},'required':['a']}", "/required",
	    "\"a\"" },
	{ "{'type':'object','properties':{},'required':'a'}", "/required",
	    "array of strings" },
	{ "{'type':'object','properties':{'a/b':1}}", "/properties/a~1b",
	    "must be a string" },
	{ "{'type':'object','properties':{'a':{'type':'object',"
	  "'properties':{}}}}",
	    "/properties/a", "must be a string" },
	{ "{'type':'object','properties':{'a':{'type':'string',"
	  "'pattern':'x'}}}",
	    "/properties/a/pattern", "not allowed" },
	{ "{'type':'object','properties':{'a':{'type':'boolean',"
	  "'minimum':1}}}",
	    "/properties/a/minimum", "not allowed" },
	{ "{'type':'object','properties':{'a':{'type':'string',"
	  "'format':'ipv4'}}}",
	    "/properties/a/format", "email, uri, date or date-time" },
	{ "{'type':'object','properties':{'a':{'type':'string',"
	  "'minLength':-1}}}",
	    "/properties/a/minLength", "0 or more" },
	{ "{'type':'object','properties':{'a':{'type':'number',"
	  "'maximum':'1'}}}",
	    "/properties/a/maximum", "a number" },
	{ "{'type':'object','properties':{'a':{'type':'string','title':1}}}",
	    "/properties/a/title", "a string" },
	{ "{'type':'object','properties':{'a':{'type':'string','enum':[]}}}",
	    "/properties/a", "enum of strings" },
	{ "{'type':'object','properties':{'a':{'type':'string','enum':[1]}}}",
	    "/properties/a", "enum of strings" },
	{ "{'type':'object','properties':{'a':{'type':'string','enum':['x'],"
	  "'enumNames':['y','z']}}}",
	    "/properties/a/enumNames", "as many" },
	{ "{'type':'object','properties':{'a':{'type':'string','oneOf':"
	  "[{'const':'x'}]}}}",
	    "/properties/a", "a title" },
	{ "{'type':'object','properties':{'a':{'type':'array'}}}",
	    "/properties/a", "array of such" },
	{ "{'type':'object','properties':{'a':{'type':'array','items':"
	  "{'enum':['x']}}}}",
	    "/properties/a/items", "type string" },
	{ "{'type':'object','properties':{'a':{'type':'integer',"
	  "'default':1.5}}}",
	    "/properties/a/default", "whole number" },
	{ "{'type':'object','properties':{'a':{'type':'string','enum':['x'],"
	  "'default':'y'}}}",
	    "/properties/a/default", "must be \"x\"" },
};

START_TEST(a_form_is_told_from_other_schemas)
{
	json_t *const schema = chaos_json(forms[_i].schema);
	struct err e = { 0 };

	ck_assert_int_eq(
	    elicit_check_form(schema, &e), forms[_i].place ? -EINVAL : 0);
	ck_assert_str_eq(e.place, forms[_i].place ? forms[_i].place : "");
	ck_assert_msg(
	    !forms[_i].says || strstr(e.text, forms[_i].says), "%s", e.text);
	json_decref(schema);
}
END_TEST

static const struct {
	const char *property;
	const char *content; /* of {"p": …} */
	const char *kept;    /* NULL: refused */
	const char *place;
	const char *says;
} answers[] = {
	{ NAME, "{'p':'abc'}", "{'p':'abc'}", NULL, NULL },
	{ NAME, "{'p':'abc','q':1}", "{'p':'abc'}", NULL, NULL },
	{ NAME, "{'p':'a'}", NULL, "/p", "at least 2" },
	{ NAME, "{'p':'\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9'}",
	    "{'p':'\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9'}", NULL, NULL },
	{ NAME, "{'p':'abcde'}", NULL, "/p", "at most 4" },
	{ NAME, "{'p':5}", NULL, "/p", "a string, not an integer" },
	{ NAME, "{'p':null}", NULL, "/p", "not null" },
	{ NAME, "{}", NULL, "", "needs the property \"p\"" },
	{ NAME, "[]", NULL, "", "an object, not an array" },
	{ MAIL, "{'p':'jo@example.org'}", "{'p':'jo@example.org'}", NULL,
	    NULL },
	{ MAIL, "{'p':'jo'}", NULL, "/p", "e-mail" },
	{ COUNT, "{'p':9}", "{'p':9}", NULL, NULL },
	{ COUNT, "{'p':3.0}", "{'p':3}", NULL, NULL },
	{ COUNT, "{'p':3.5}", NULL, "/p", "whole" },
	{ COUNT, "{'p':0}", NULL, "/p", "at least 1" },
	{ COUNT, "{'p':10}", NULL, "/p", "at most 9" },
	{ COUNT, "{'p':'3'}", NULL, "/p", "a whole number, not a string" },
	{ SCORE, "{'p':1}", "{'p':1}", NULL, NULL },
	{ SCORE, "{'p':0.25}", NULL, "/p", "at least 0.5" },
	{ SURE, "{'p':false}", "{'p':false}", NULL, NULL },
	{ SURE, "{'p':'yes'}", NULL, "/p", "true or false" },
	{ PLAIN, "{'p':'red'}", "{'p':'red'}", NULL, NULL },
	{ PLAIN, "{'p':'Red'}", NULL, "/p",
	    "one of \"red\", \"green\" or \"2\"" },
	{ PLAIN, "{'p':1}", NULL, "/p", "one of" },
	{ LEGACY, "{'p':'Red'}", NULL, "/p", "\"r\" or \"g\"" },
	{ TITLED, "{'p':'b'}", "{'p':'b'}", NULL, NULL },
	{ SOME, "{'p':['a','c']}", "{'p':['a','c']}", NULL, NULL },
	{ SOME, "{'p':[]}", NULL, "/p", "at least 1" },
	{ SOME, "{'p':['a','b','c']}", NULL, "/p", "at most 2" },
	{ SOME, "{'p':['d']}", NULL, "/p", "one of" },
	{ SOME, "{'p':[1]}", NULL, "/p", "one of" },
	{ SOME, "{'p':'a'}", NULL, "/p", "an array of choices" },
	{ MANY, "{'p':[]}", "{'p':[]}", NULL, NULL },
};

START_TEST(answers_are_checked_and_only_what_was_asked_is_kept)
{
	json_t *const property = chaos_json(answers[_i].property);
	json_t *const schema = json_pack("{s:s, s:[s], s:{s:O}}", "type",
	    "object", "required", "p", "properties", "p", property);
	json_t *const content = chaos_json(answers[_i].content);
	json_t *kept = NULL;
	struct err e = { 0 };
	const int r = elicit_accept(schema, content, &kept, &e);

	ck_assert_int_eq(r, answers[_i].kept ? 0 : -EINVAL);
	if (answers[_i].kept) {
		json_t *const want = chaos_json(answers[_i].kept);

		ck_assert(json_equal(kept, want));
		json_decref(want);
	} else {
		ck_assert_ptr_null(kept);
		ck_assert_str_eq(e.place, answers[_i].place);
		ck_assert_msg(
		    strstr(e.text, answers[_i].says) != NULL, "%s", e.text);
	}
	json_decref(kept);
	json_decref(content);
	json_decref(schema);
	json_decref(property);
}
END_TEST

START_TEST(optional_properties_may_be_absent_and_extras_forbidden)
{
	json_t *const schema =
	    chaos_json("{'type':'object','properties':{'a':{'type':'string',"
		       "'default':'x'}},'additionalProperties':false}");
	json_t *const none = chaos_json("{}");
	json_t *const extra = chaos_json("{'z':1}");
	json_t *kept = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(elicit_accept(schema, none, &kept, &e), 0);
	ck_assert_int_eq(json_object_size(kept), 0);
	json_decref(kept);
	ck_assert_int_eq(elicit_accept(schema, extra, &kept, &e), -EINVAL);
	ck_assert_str_eq(e.place, "/z");
	ck_assert(!elicit_is_required(schema, "a"));
	json_decref(schema);
	json_decref(none);
	json_decref(extra);
}
END_TEST

static const struct {
	const char *property;
	const char *typed;
	const char *value; /* NULL: refused */
	const char *says;
} typed[] = {
	{ NAME, " a ", "' a '", NULL },
	{ NAME, "a", NULL, "at least 2" },
	{ "{'type':'string'}", "", "''", NULL },
	{ "{'type':'string'}", "\xff", NULL, "UTF-8" },
	{ MAIL, "jo", NULL, "e-mail" },
	{ COUNT, " 7 ", "7", NULL },
	{ COUNT, "7.0", "7", NULL },
	{ COUNT, "7.5", NULL, "whole number" },
	{ COUNT, "seven", NULL, "please type a whole number" },
	{ COUNT, "", NULL, "please type a whole number" },
	{ COUNT, "10", NULL, "at most 9" },
	{ COUNT, "1 2", NULL, "whole number" },
	{ COUNT, "true", NULL, "whole number" },
	{ COUNT, "99999999999999999999", NULL, "whole number" },
	{ SCORE, "2.5e1", "25.0", NULL },
	{ SCORE, "3", "3", NULL },
	{ SCORE, "nan", NULL, "please type a number" },
	{ SCORE, "0x10", NULL, "please type a number" },
	{ SURE, "YES", "true", NULL },
	{ SURE, "n", "false", NULL },
	{ SURE, " true ", "true", NULL },
	{ SURE, "maybe", NULL, "yes or no" },
	{ SURE, "", NULL, "yes or no" },
	{ PLAIN, "2", "'2'", NULL },
	{ PLAIN, "1", "'red'", NULL },
	{ PLAIN, "3", "'2'", NULL },
	{ PLAIN, "GREEN", "'green'", NULL },
	{ PLAIN, "4", NULL, "\"4\" is not one of the 3 choices" },
	{ PLAIN, "0", NULL, "3 choices" },
	{ PLAIN, "", NULL, "3 choices" },
	{ LEGACY, "green", "'g'", NULL },
	{ TITLED, "business, flat bed", "'b'", NULL },
	{ TITLED, "2", "'b'", NULL },
	{ TITLED, "e", "'e'", NULL },
	{ SOME, "a, 3", "['a','c']", NULL },
	{ SOME, "a,a,1", "['a']", NULL },
	{ SOME, "", NULL, "at least 1" },
	{ SOME, "a,b,c", NULL, "at most 2" },
	{ SOME, "a,,b", NULL, "\"\" is not one of the 3" },
	{ MANY, "", "[]", NULL },
	{ MANY, "extra, with legs", "['x']", NULL },
	{ MANY, "2,window", "['x','w']", NULL },
	{ "{'type':'null'}", "x", NULL, "no part of an elicitation" },
};

START_TEST(typed_text_becomes_the_value_that_is_meant)
{
	json_t *const property = chaos_json(typed[_i].property);
	json_t *value = NULL;
	struct err e = { 0 };
	const int r = elicit_coerce(property, typed[_i].typed, &value, &e);

	ck_assert_msg(r == (typed[_i].value ? 0 : -EINVAL), "%s", e.text);
	if (typed[_i].value) {
		json_t *const want = chaos_json(typed[_i].value);

		ck_assert(json_equal(value, want));
		json_decref(want);
	} else {
		ck_assert_ptr_null(value);
		ck_assert_msg(
		    strstr(e.text, typed[_i].says) != NULL, "%s", e.text);
	}
	json_decref(value);
	json_decref(property);
}
END_TEST

static const struct {
	const char *property;
	enum elicit_kind kind;
	const char *hint;
} kinds[] = {
	{ "{'type':'string'}", ELICIT_KIND_STRING, "text" },
	{ NAME, ELICIT_KIND_STRING, "text from 2 to 4 characters" },
	{ MAIL, ELICIT_KIND_STRING,
	    "an e-mail address such as jo@example.org" },
	{ COUNT, ELICIT_KIND_INTEGER, "a whole number from 1 to 9" },
	{ SCORE, ELICIT_KIND_NUMBER, "a number from 0.5" },
	{ "{'type':'number','maximum':1}", ELICIT_KIND_NUMBER,
	    "a number up to 1" },
	{ SURE, ELICIT_KIND_BOOLEAN, "yes or no" },
	{ PLAIN, ELICIT_KIND_ONE, "one of 3 choices" },
	{ LEGACY, ELICIT_KIND_ONE, "one of 2 choices" },
	{ TITLED, ELICIT_KIND_ONE, "one of 2 choices" },
	{ SOME, ELICIT_KIND_MANY,
	    "any of 3 choices, from 1 to 2 of them, separated by commas" },
	{ MANY, ELICIT_KIND_MANY, "any of 2 choices, separated by commas" },
	{ "{}", ELICIT_KIND_BAD, "nothing that can be typed" },
	{ "7", ELICIT_KIND_BAD, "nothing that can be typed" },
	{ "{'type':'string','enum':7}", ELICIT_KIND_BAD,
	    "nothing that can be typed" },
};

START_TEST(kinds_have_names_and_hints)
{
	json_t *const property = chaos_json(kinds[_i].property);
	char hint[120];
	char little[8];

	ck_assert_int_eq(elicit_kind(property), kinds[_i].kind);
	ck_assert_str_eq(
	    elicit_hint(property, hint, sizeof(hint)), kinds[_i].hint);
	elicit_hint(property, little, sizeof(little));
	ck_assert_int_eq(strncmp(little, hint, sizeof(little) - 1), 0);
	json_decref(property);
}
END_TEST

START_TEST(choices_have_values_and_titles)
{
	json_t *const legacy = chaos_json(LEGACY);
	json_t *const many = chaos_json(MANY);
	json_t *const plain = chaos_json(PLAIN);

	ck_assert_int_eq(elicit_n_choices(legacy), 2);
	ck_assert_str_eq(elicit_choice(legacy, 1).value, "g");
	ck_assert_str_eq(elicit_choice(legacy, 1).title, "Green");
	ck_assert_str_eq(elicit_choice(many, 0).value, "w");
	ck_assert_str_eq(elicit_choice(many, 0).title, "Window");
	ck_assert_str_eq(elicit_choice(plain, 2).title, "2");
	json_decref(legacy);
	json_decref(many);
	json_decref(plain);
}
END_TEST

/* MCP's formats on what the official suite does not list. */
static const struct {
	const char *format;
	const char *text;
	bool want;
} formats[] = {
	{ "hostname", "a.b-c.org", true },
	{ "hostname", "-a.org", false },
	{ "hostname", "a-.org", false },
	{ "hostname", "a..org", false },
	{ "hostname", "a.org.", false },
	{ "hostname", "", false },
	{ "email", "\"a\\\"b\"@x.org", true },
	{ "email", "\"a\\\"@x.org", false },
	{ "email", "a@b@c.org", false },
	{ "email", "a@[v1.x]", false },
	{ "uri", "http://[v1.fe]/", true },
	{ "uri", "http://[v.fe]/", false },
	{ "uri", "http://a:80x/", false },
	{ "date", "2026-02-30", false },
	{ "duration", "P1Y2D", false },
	{ "duration", "P2W", true },
};

START_TEST(formats_tell_good_from_bad)
{
	const struct jsonformat *const f = jsonformat_find(formats[_i].format);

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(f->fits(slice_of(formats[_i].text)), formats[_i].want);
	ck_assert_ptr_null(jsonformat_find("colour"));
}
END_TEST

START_TEST(each_allocation_may_fail)
{
	json_t *schema;
	json_t *content;
	json_t *property;
	int r = -ENOMEM;

	chaos_begin();
	schema = chaos_json("{'type':'object','properties':{'a':" COUNT
			    ",'b':" SOME ",'c':" NAME "}}");
	content = chaos_json("{'a':3.0,'b':['a'],'c':'abc'}");
	property = chaos_json(SOME);
	const long live = chaos_live;

	for (size_t n = 1; r < 0; n++) {
		json_t *kept = NULL;
		json_t *value = NULL;

		mem_fail_at(n);
		r = elicit_accept(schema, content, &kept, NULL);
		if (r == 0)
			r = elicit_coerce(property, "a,b", &value, NULL);
		mem_fail_at(0);
		ck_assert(r == 0 || r == -ENOMEM);
		json_decref(kept);
		json_decref(value);
		ck_assert_int_eq(chaos_live, live);
	}
	json_decref(schema);
	json_decref(content);
	json_decref(property);
}
END_TEST

#define ROWS(a) ((int)(sizeof(a) / sizeof(*(a))))

int
main(void)
{
	Suite *const s = suite_create("json/elicit");
	TCase *const t = tcase_create("elicit");

	tcase_add_loop_test(
	    t, a_form_is_told_from_other_schemas, 0, ROWS(forms));
	tcase_add_loop_test(t,
	    answers_are_checked_and_only_what_was_asked_is_kept, 0,
	    ROWS(answers));
	tcase_add_test(
	    t, optional_properties_may_be_absent_and_extras_forbidden);
	tcase_add_loop_test(
	    t, typed_text_becomes_the_value_that_is_meant, 0, ROWS(typed));
	tcase_add_loop_test(t, kinds_have_names_and_hints, 0, ROWS(kinds));
	tcase_add_test(t, choices_have_values_and_titles);
	tcase_add_loop_test(t, formats_tell_good_from_bad, 0, ROWS(formats));
	tcase_add_test(t, each_allocation_may_fail);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
