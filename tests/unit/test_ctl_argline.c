/* SPDX-License-Identifier: MIT */
/* key=value on the command line, typed by a tool's schema. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/base/mem.h"
#include "poold/ctl/argline.h"

#include "tests/unit/json_chaos.h"

/* A tool with an argument of each kind, and none of a known kind. */
#define TOOL                                                          \
	"{'name':'t','inputSchema':{'type':'object','properties':{"   \
	"'s':{'type':'string','description':'a text','maxLength':5}," \
	"'i':{'type':'integer','minimum':0},'n':{'type':'number'},"   \
	"'b':{'type':'boolean'},'e':{'type':'string','enum':['x']},"  \
	"'l':{'type':'array','items':{'type':'integer'}},"            \
	"'m':{'type':'array','items':{'type':'string',"               \
	"'enum':['p','q']}},"                                         \
	"'o':{'type':'object'},'sn':{'type':['string','null']},"      \
	"'in':{'type':['null','integer']},'any':{}},"                 \
	"'required':['s']}}"

static const struct {
	const char *word;
	const char *key;
	const char *json; /* NULL: refused */
	const char *says;
} words[] = {
	{ "s=abc", "s", "'abc'", NULL },
	{ "s=12", "s", "'12'", NULL },
	{ "s=", "s", "''", NULL },
	{ "s=a=b", "s", "'a=b'", NULL },
	{ "s= d ", "s", "' d '", NULL },
	{ "s:=\"d\"", "s", "'d'", NULL },
	{ "i=7", "i", "7", NULL },
	{ "i=-7", "i", "-7", NULL },
	{ "n=1.5", "n", "1.5", NULL },
	{ "n=2e3", "n", "2000.0", NULL },
	{ "b=yes", "b", "true", NULL },
	{ "b=false", "b", "false", NULL },
	{ "e=x", "e", "'x'", NULL },
	{ "l=[1,2]", "l", "[1,2]", NULL },
	{ "m=p,q", "m", "['p','q']", NULL },
	{ "o={}", "o", "{}", NULL },
	{ "sn=5", "sn", "'5'", NULL },
	{ "sn:=null", "sn", "null", NULL },
	{ "in=5", "in", "5", NULL },
	{ "any=5", "any", "5", NULL },
	{ "any=five", "any", "'five'", NULL },
	{ "any={\"a\":1}", "any", "{'a':1}", NULL },
	{ "i=1.5", "i", NULL, "i: " },
	{ "i=", "i", NULL, "i: " },
	{ "n=x", "n", NULL, "n: " },
	{ "b=perhaps", "b", NULL, "b: " },
	{ "l=1", "l", "1", NULL },
	{ "l=[1", "l", NULL, "not JSON" },
	{ "o=a", "o", NULL, "not JSON" },
	{ "s:=a", "s", NULL, "not JSON" },
	{ "z=1", "z", NULL, "t takes no argument \"z\"" },
	{ "s", "s", NULL, "write key=value" },
	{ "=1", "", NULL, "write key=value" },
	{ ":=1", "", NULL, "write key=value" },
	{ "s=\xff", "s", NULL, "UTF-8" },
};

START_TEST(argline_types_a_word_by_the_schema)
{
	char *const list[] = { (char *)(uintptr_t)words[_i].word };
	json_t *const tool = chaos_json(TOOL);
	json_t *args;
	struct err err = { 0 };

	const int rc = argline_build(tool, list, 1, &args, &err);
	if (!words[_i].json) {
		ck_assert_int_eq(rc, -EINVAL);
		ck_assert_ptr_null(args);
		ck_assert_msg(strstr(err.text, words[_i].says) != NULL,
		    "%s: %s", words[_i].word, err.text);
	} else {
		ck_assert_msg(rc == 0, "%s: %s", words[_i].word, err.text);
		json_t *const want = chaos_json(words[_i].json);
		ck_assert(
		    json_equal(json_object_get(args, words[_i].key), want));
		json_decref(want);
	}
	json_decref(args);
	json_decref(tool);
}
END_TEST

START_TEST(argline_refuses_a_key_twice_and_a_long_one)
{
	char twice1[] = "s=a", twice2[] = "s:=1", longer[300];
	char *const twice[] = { twice1, twice2 };
	char *const one[] = { longer };
	json_t *const tool = chaos_json(TOOL);
	json_t *args;
	struct err err;

	ck_assert_int_eq(argline_build(tool, twice, 2, &args, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "given twice"));
	memset(longer, 'k', sizeof(longer));
	memcpy(longer + sizeof(longer) - 3, "=1", 3);
	ck_assert_int_eq(argline_build(tool, one, 1, &args, &err), -EINVAL);
	json_decref(tool);
}
END_TEST

/* What makes a schema take names that it does not list. */
static const struct {
	const char *more;
	bool is_open;
} opens[] = {
	{ "", false },
	{ ",\"additionalProperties\":false", false },
	{ ",\"additionalProperties\":true", true },
	{ ",\"additionalProperties\":{\"type\":\"integer\"}", true },
	{ ",\"allOf\":[{}]", true },
	{ ",\"$ref\":\"#/$defs/a\"", true },
	{ ",\"patternProperties\":{}", true },
};

START_TEST(argline_takes_unknown_keys_where_the_schema_says_so)
{
	char word[] = "free=1", text[200];
	char *const list[] = { word };
	json_t *args;
	struct page page;

	snprintf(text, sizeof(text),
	    "{\"name\":\"o\",\"inputSchema\":{\"type\":\"object\"%s}}",
	    opens[_i].more);
	json_t *const tool = json_loads(text, 0, NULL);
	ck_assert_int_eq(argline_build(tool, list, 1, &args, NULL),
	    opens[_i].is_open ? 0 : -EINVAL);
	page_init(&page, false);
	argline_describe(&page, tool);
	ck_assert(slice_eq(page_text(&page),
	    opens[_i].is_open ? SLICE("o does not say what it takes.\n")
			      : SLICE("o takes no arguments.\n")));
	page_fini(&page);
	json_decref(args);
	json_decref(tool);
}
END_TEST

START_TEST(argline_checks_all_arguments_against_the_schema)
{
	json_t *const tool = chaos_json(TOOL);
	json_t *const args = chaos_json("{'i':-1,'s':'ok'}");
	struct err err;

	ck_assert_int_eq(argline_check(tool, args, &err), -EINVAL);
	ck_assert_str_eq(err.text, "i: must be at least 0");
	json_object_set_new(args, "i", json_integer(0));
	ck_assert_int_eq(argline_check(tool, args, &err), 0);
	json_object_del(args, "s");
	ck_assert_int_eq(argline_check(tool, args, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "\"s\""));
	json_decref(args);
	json_decref(tool);
}
END_TEST

START_TEST(argline_leaves_a_schema_it_cannot_read_to_the_server)
{
	json_t *const tool = chaos_json(
	    "{'name':'t','inputSchema':{'type':'object','$ref':'http://x/'}}");
	json_t *const args = json_object();

	ck_assert_int_eq(argline_check(tool, args, NULL), 0);
	json_decref(args);
	json_decref(tool);
}
END_TEST

START_TEST(argline_tells_what_a_tool_takes)
{
	static const char *const said[] = { "t takes:\n", "  s    ", "a text\n",
		"a whole number", "object, may be left out\n",
		"JSON, may be left out\n" };
	json_t *const tool = chaos_json(TOOL);
	struct page page;

	page_init(&page, false);
	argline_describe(&page, tool);
	page_put(&page, "");
	ck_assert_int_eq(buf_add(&page.buf, "", 1), 0);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		ck_assert_msg(strstr(page_text(&page).p, said[i]) != NULL,
		    "%s in\n%s", said[i], page_text(&page).p);
	ck_assert_ptr_nonnull(strstr(page_text(&page).p, "a text"));
	ck_assert_ptr_null(strstr(page_text(&page).p, "\033"));
	page_fini(&page);
	json_decref(tool);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("ctl/argline");
	TCase *const t = tcase_create("argline");

	tcase_add_loop_test(t, argline_types_a_word_by_the_schema, 0,
	    sizeof(words) / sizeof(words[0]));
	tcase_add_test(t, argline_refuses_a_key_twice_and_a_long_one);
	tcase_add_loop_test(t,
	    argline_takes_unknown_keys_where_the_schema_says_so, 0,
	    sizeof(opens) / sizeof(opens[0]));
	tcase_add_test(t, argline_checks_all_arguments_against_the_schema);
	tcase_add_test(t, argline_leaves_a_schema_it_cannot_read_to_the_server);
	tcase_add_test(t, argline_tells_what_a_tool_takes);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n != 0;
}
