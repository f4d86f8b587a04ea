/* SPDX-License-Identifier: MIT */
/*
 * schema: what people are told, what does not compile, what is bounded. What
 * fits and what does not is the official suite's business (test_json_suite).
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "common/json/schema.h"
#include "tests/unit/json_chaos.h"

/* gcc says it with a macro, clang with a feature. */
#if defined(__SANITIZE_ADDRESS__)
#define SCHEMA_TEST_IS_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SCHEMA_TEST_IS_SANITIZED
#endif
#endif

static const struct {
	const char *schema;
	const char *value;
	const char *place;
	const char *text; /* "" when it fits */
} told[] = {
	{ "{'type':'string'}", "1", "", "must be a string, not an integer" },
	{ "{'type':['string','null','array']}", "1.5", "",
	    "must be a string, null or an array, not a number" },
	{ "{'type':'integer'}", "3.0", "", "" },
	{ "{'type':'number'}", "3", "", "" },
	{ "{'properties':{'a':{'items':{'minLength':3}}}}",
	    "{'a':['abc','\xc3\xa9\xc3\xa9']}", "/a/1",
	    "must be at least 3 characters long, not 2" },
	{ "{'properties':{'a/b~':{'minLength':1}}}", "{'a/b~':''}", "/a~1b~0",
	    "must not be empty" },
	{ "{'maxLength':2}", "'abc'", "",
	    "must be at most 2 characters long, not 3" },
	{ "{'required':['a','b']}", "{'a':1}", "", "needs the property \"b\"" },
	{ "{'enum':['a',1,null]}", "'b'", "",
	    "must be one of \"a\", 1 or null" },
	{ "{'const':{'a':1}}", "{}", "",
	    "must be exactly the object asked for" },
	{ "{'const':5}", "6", "", "must be 5" },
	{ "{'minimum':1.5}", "1", "", "must be at least 1.5" },
	{ "{'exclusiveMaximum':9007199254740993}", "9007199254740993", "",
	    "must be below 9007199254740993" },
	{ "{'maximum':9007199254740992.0}", "9007199254740993", "",
	    "must be at most 9.00719925474099e+15" },
	{ "{'multipleOf':0.01}", "19.99", "", "" },
	{ "{'multipleOf':0.01}", "19.995", "", "must be a multiple of 0.01" },
	{ "{'pattern':'^[A-Z]{3}$'}", "'abc'", "",
	    "must match the pattern \"^[A-Z]{3}$\"" },
	{ "{'properties':{'a':true},'additionalProperties':false}", "{'b':1}",
	    "/b", "is not allowed here: this property is not known" },
	{ "{'allOf':[{'properties':{'a':true}}],"
	  "'unevaluatedProperties':false}",
	    "{'a':1,'b':1}", "/b",
	    "is not allowed here: this property is not known" },
	{ "{'prefixItems':[true],'unevaluatedItems':false}", "[1,2]", "/1",
	    "is not allowed here: there may be no more entries" },
	{ "{'propertyNames':{'maxLength':1}}", "{'ab':1}", "/ab",
	    "must be at most 1 characters long, not 2 (the name of this "
	    "property)" },
	{ "{'uniqueItems':true}", "[1,{'a':[1]},{'a':[1.0]}]", "",
	    "must have no entry twice; entries 2 and 3 are equal" },
	{ "{'contains':{'type':'null'},'minContains':2}", "[null,1]", "",
	    "must have at least 2 entries of the form asked for, not 1" },
	{ "{'dependentRequired':{'a':['b']}}", "{'a':1}", "",
	    "needs the property \"b\", since it has the property \"a\"" },
	{ "{'anyOf':[{'type':'string'},"
	  "{'properties':{'a':{'properties':{'b':{'type':'null'}}}}}]}",
	    "{'a':{'b':1}}", "/a/b",
	    "must be null, not an integer, or fit another of 2 alternatives" },
	{ "{'oneOf':[{'type':'integer'},{'minimum':0}]}", "1", "",
	    "fits alternatives 1 and 2 of 2, and must fit exactly one" },
	{ "{'not':{'type':'null'}}", "null", "",
	    "is of a form that is excluded here" },
	{ "false", "1", "", "is not allowed here" },
	{ "true", "1", "", "" },
	{ "{'format':'email'}", "'x'", "",
	    "must be an e-mail address such as jo@example.org" },
	{ "{'minProperties':1}", "{}", "",
	    "must have at least 1 properties, not 0" },
};

START_TEST(failures_are_told_in_words_with_their_place)
{
	json_t *const doc = chaos_json(told[_i].schema);
	json_t *const value = chaos_json(told[_i].value);
	const struct schema_options options = { .assert_format = true };
	struct schema *schema = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(schema_new(doc, &options, &schema, &e), 0);
	const int r = schema_check(schema, value, &e);

	ck_assert_int_eq(r, told[_i].text[0] ? -EINVAL : 0);
	ck_assert_str_eq(e.text, told[_i].text);
	ck_assert_str_eq(e.place, told[_i].place);
	ck_assert_int_eq(schema_check(schema, value, NULL), r);
	schema_free(&schema);
	ck_assert_ptr_null(schema);
	json_decref(doc);
	json_decref(value);
}
END_TEST

static const struct {
	const char *schema;
	int want;
	const char *place;
	const char *says;
} broken[] = {
	{ "17", -EINVAL, "", "must be a schema" },
	{ "{'type':'text'}", -EINVAL, "/type", "must be null" },
	{ "{'type':[]}", -EINVAL, "/type", "must be null" },
	{ "{'properties':{'a':{'minLength':-1}}}", -EINVAL,
	    "/properties/a/minLength", "0 or more" },
	{ "{'properties':{'a':5}}", -EINVAL, "/properties/a", "a schema" },
	{ "{'properties':[]}", -EINVAL, "/properties", "an object of" },
	{ "{'items':[{}]}", -EINVAL, "/items", "prefixItems" },
	{ "{'allOf':[]}", -EINVAL, "/allOf", "at least one" },
	{ "{'allOf':[true,7]}", -EINVAL, "/allOf/1", "a schema" },
	{ "{'required':'a'}", -EINVAL, "/required", "array of names" },
	{ "{'required':['a','a']}", -EINVAL, "/required", "twice" },
	{ "{'required':[1]}", -EINVAL, "/required", "entry 1" },
	{ "{'enum':1}", -EINVAL, "/enum", "array" },
	{ "{'multipleOf':0}", -EINVAL, "/multipleOf", "above 0" },
	{ "{'minimum':'1'}", -EINVAL, "/minimum", "a number" },
	{ "{'uniqueItems':1}", -EINVAL, "/uniqueItems", "true or false" },
	{ "{'pattern':'('}", -EINVAL, "/pattern", "regular expression" },
	{ "{'pattern':'(?R)'}", -EINVAL, "/pattern", "unknown kind" },
	{ "{'pattern':'(*UCP)a'}", -EINVAL, "/pattern", "byte 1" },
	{ "{'pattern':'a++'}", -EINVAL, "/pattern", "nothing to repeat" },
	{ "{'patternProperties':{'[':true}}", -EINVAL, "/patternProperties",
	    "regular" },
	{ "{'dependentRequired':{'a':1}}", -EINVAL, "/dependentRequired",
	    "array of names" },
	{ "{'$id':5}", -EINVAL, "/$id", "a string" },
	{ "{'$id':'a#b'}", -EINVAL, "/$id", "fragment" },
	{ "{'$anchor':'a/b'}", -EINVAL, "/$anchor", "a name" },
	{ "{'$defs':{'a':{'$anchor':'x'},'b':{'$anchor':'x'}}}", -EINVAL,
	    "/$defs/b/$anchor", "already" },
	{ "{'$ref':5}", -EINVAL, "/$ref", "a string" },
	{ "{'$ref':'#/$defs/a'}", -ENOENT, "/$ref", "nothing" },
	{ "{'$ref':'#a'}", -ENOENT, "/$ref", "no anchor" },
	{ "{'$ref':'#/%zz'}", -EINVAL, "/$ref", "no reference" },
	{ "{'$ref':'#/~2'}", -EINVAL, "/$ref", "no JSON pointer" },
	{ "{'const':5,'$ref':'#/const'}", -EINVAL, "/const", "a schema" },
	{ "{'properties':{'a':{'$ref':'http://example.org/x.json'}}}", -ENOENT,
	    "/properties/a/$ref", "nothing is fetched" },
	{ "{'$schema':'http://json-schema.org/draft-07/schema#'}", -ENOTSUP,
	    "/$schema", "draft-07" },
};

START_TEST(a_wrong_schema_does_not_compile)
{
	json_t *const doc = chaos_json(broken[_i].schema);
	struct schema *schema = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(schema_new(doc, NULL, &schema, &e), broken[_i].want);
	ck_assert_ptr_null(schema);
	ck_assert_int_eq(e.code, broken[_i].want);
	ck_assert_str_eq(e.place, broken[_i].place);
	ck_assert_msg(strstr(e.text, broken[_i].says) != NULL, "%s", e.text);
	json_decref(doc);
}
END_TEST

START_TEST(registered_documents_are_found_and_named_in_errors)
{
	json_t *const good = chaos_json("{'type':'integer'}");
	json_t *const bad = chaos_json("{'items':{'type':7}}");
	const struct schema_remote remotes[] = {
		{ "http://example.org/good", good },
		{ "http://example.org/dir/bad", bad },
	};
	const struct schema_options options = {
		.remotes = remotes,
		.n_remotes = 2,
		.base_uri = "http://example.org/dir/me",
	};
	json_t *doc = chaos_json("{'$ref':'../good'}");
	json_t *const value = chaos_json("'x'");
	struct schema *schema = NULL;
	struct err e = { 0 };

	ck_assert_int_eq(schema_new(doc, &options, &schema, &e), 0);
	json_decref(doc);
	ck_assert_int_eq(schema_check(schema, value, &e), -EINVAL);
	ck_assert_str_eq(e.text, "must be an integer, not a string");
	schema_free(&schema);
	doc = chaos_json("{'$ref':'bad'}");
	ck_assert_int_eq(schema_new(doc, &options, &schema, &e), -EINVAL);
	ck_assert_str_eq(e.place, "http://example.org/dir/bad#/items/type");
	json_decref(doc);
	json_decref(good);
	json_decref(bad);
	json_decref(value);
}
END_TEST

START_TEST(the_schema_keeps_its_document)
{
	json_t *const doc = chaos_json("{'enum':['a','b']}");
	json_t *const value = chaos_json("'b'");
	struct schema *schema = NULL;

	ck_assert_int_eq(schema_new(doc, NULL, &schema, NULL), 0);
	json_decref(doc);
	ck_assert_int_eq(schema_check(schema, value, NULL), 0);
	schema_free(&schema);
	schema_free(&schema);
	json_decref(value);
}
END_TEST

/* Subschemas that name themselves for ever, whatever the value. */
static const char *const endless[] = {
	"{'$ref':'#'}",
	"{'allOf':[{'$ref':'#'}]}",
	"{'anyOf':[{'$ref':'#'},{'$ref':'#'}]}",
	"{'oneOf':[{'$ref':'#'},{'$ref':'#'}]}",
	"{'not':{'$ref':'#'}}",
	"{'if':{'$ref':'#'},'then':{'$ref':'#'}}",
	"{'$ref':'#','unevaluatedProperties':false}",
	"{'anyOf':[{'$ref':'#'}],'unevaluatedProperties':false}",
	"{'dependentSchemas':{'a':{'$ref':'#'}}}",
	"{'$dynamicRef':'#x','$dynamicAnchor':'x'}",
	("{'$defs':{'a':{'$ref':'#/$defs/b'},'b':{'$ref':'#/$defs/a'}},"
	 "'$ref':'#/$defs/a'}"),
};

/* Schemas that go down with the value. */
static const char *const descending[] = {
	"{'properties':{'a':{'$ref':'#'}},'unevaluatedProperties':false}",
	("{'patternProperties':{'^a':{'$ref':'#'}},"
	 "'unevaluatedProperties':false}"),
	"{'anyOf':[{'additionalProperties':{'$ref':'#'}}]}",
	"{'unevaluatedProperties':{'$ref':'#'}}",
	"{'items':{'$ref':'#'},'unevaluatedItems':false}",
	"{'anyOf':[{'contains':{'$ref':'#'}}],'unevaluatedItems':true}",
};

/* One check on a painted stack. */
struct on_stack {
	struct schema *schema;
	json_t *value;
	struct err err;
	int result;
};

static void *
check_on_stack(void *arg)
{
	struct on_stack *const s = arg;

	s->result = schema_check(s->schema, s->value, &s->err);
	return NULL;
}

static void *
nothing_on_stack(void *arg)
{
	return NULL;
}

/* Run fn on a stack of 512 KiB. Returns the bytes that it touched. */
static size_t
stack_used(void *(*fn)(void *), void *arg)
{
	const size_t size = 512 << 10;
	unsigned char *const stack = aligned_alloc(4096, size);
	pthread_attr_t attr;
	pthread_t thread;
	size_t clean = 0;

	ck_assert_ptr_nonnull(stack);
	memset(stack, 0x5a, size);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, size);
	ck_assert_int_eq(pthread_create(&thread, &attr, fn, arg), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	while (clean < size && stack[clean] == 0x5a)
		clean++;
	free(stack);
	return size - clean;
}

/* Check value at the default levels; the stack must be as promised. */
static void
check_bounded(const char *schema, json_t *value, int want)
{
	json_t *const doc = chaos_json(schema);
	struct on_stack s = { .value = value };
	const size_t idle = stack_used(nothing_on_stack, NULL);

	ck_assert_int_eq(schema_new(doc, NULL, &s.schema, &s.err), 0);
	const size_t used = stack_used(check_on_stack, &s) - idle;

	ck_assert_msg(
	    s.result == want, "%s: %d %s", schema, s.result, s.err.text);
	if (want == -ELOOP)
		ck_assert_ptr_nonnull(strstr(s.err.text, "without end"));
#if defined(__OPTIMIZE__) && !defined(SCHEMA_TEST_IS_SANITIZED)
	ck_assert_msg(used <= SCHEMA_LEVELS * SCHEMA_LEVEL_BYTES + 10240,
	    "%s takes %zu bytes of stack", schema, used);
#else
	/* Larger frames: still what a tool's stack holds. */
	ck_assert_msg(
	    used <= 224 << 10, "%s takes %zu bytes of stack", schema, used);
#endif
	schema_free(&s.schema);
	json_decref(doc);
}

START_TEST(endless_references_end_within_the_stack)
{
	json_t *const value = chaos_json("{'a':1}");

	check_bounded(endless[_i], value, -ELOOP);
	json_decref(value);
}
END_TEST

START_TEST(deep_values_end_within_the_stack)
{
	const bool is_array = strstr(descending[_i], "tems") != NULL;
	json_t *value = is_array ? json_array() : json_object();

	for (int i = 0; i < 200; i++)
		value = is_array ? json_pack("[o]", value)
		                 : json_pack("{s:o}", "a", value);
	check_bounded(descending[_i], value, -ELOOP);
	json_decref(value);
}
END_TEST

START_TEST(what_jsontext_lets_through_is_not_too_deep)
{
	json_t *value = json_object();

	for (int i = 0; i < 63; i++)
		value = json_pack("{s:o}", "a", value);
	check_bounded("{'additionalProperties':{'$ref':'#'}}", value, 0);
	json_decref(value);
}
END_TEST

/* Schemas and values that would take for ever. */
static const struct {
	const char *schema;
	const char *value;
	size_t repeat; /* entries of an array of that value, 0: it alone */
} costly[] = {
	/* Many entries, each compared with many others. */
	{ "{'items':{'not':{'enum':[1,2,3,4,5,6,7,8,9,10]}}}", "0", 120000 },
	/* A pattern that goes back and forth. */
	{ "{'pattern':'^(a|a)*$'}", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'", 0 },
	{ "{'pattern':'^(a+)+$'}", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'", 0 },
	/* A dear schema for each of many cheap entries. */
	{ "{'items':{'not':{'pattern':'^(a+)+$'}}}", "'aaaaaaaaaaaaab'", 1000 },
};

START_TEST(a_check_ends_when_its_steps_are_spent)
{
	json_t *const doc = chaos_json(costly[_i].schema);
	json_t *const one = chaos_json(costly[_i].value);
	json_t *const many = json_array();
	struct schema *schema = NULL;
	struct err e = { 0 };

	for (size_t i = 0; i < costly[_i].repeat; i++)
		json_array_append(many, one);
	ck_assert_int_eq(schema_new(doc, NULL, &schema, &e), 0);
	ck_assert_int_eq(
	    schema_check(schema, costly[_i].repeat ? many : one, &e),
	    -EMSGSIZE);
	ck_assert_ptr_nonnull(strstr(e.text, "takes too long"));
	schema_free(&schema);
	json_decref(doc);
	json_decref(one);
	json_decref(many);
}
END_TEST

/* A doubling of references: 2^40 evaluations if nothing stopped it. */
START_TEST(exponential_references_are_stopped)
{
	json_t *const doc = json_object();
	json_t *const defs = json_object();
	json_t *const value = json_integer(1);
	struct schema *schema = NULL;
	char here[16];
	char there[32];

	for (int i = 0; i < 40; i++) {
		snprintf(here, sizeof(here), "d%d", i);
		snprintf(there, sizeof(there), "#/$defs/d%d", i + 1);
		json_object_set_new(defs, here,
		    json_pack("{s:[{s:s},{s:s}]}", "allOf", "$ref", there,
			"$ref", there));
	}
	json_object_set_new(defs, "d40", json_pack("{s:s}", "type", "integer"));
	json_object_set_new(doc, "$defs", defs);
	json_object_set_new(doc, "$ref", json_string("#/$defs/d0"));
	ck_assert_int_eq(schema_new(doc, NULL, &schema, NULL), 0);
	ck_assert_int_eq(schema_check(schema, value, NULL), -EMSGSIZE);
	schema_free(&schema);
	json_decref(doc);
	json_decref(value);
}
END_TEST

START_TEST(unique_items_of_many_entries_is_not_quadratic)
{
	json_t *const doc = chaos_json("{'uniqueItems':true}");
	json_t *const value = json_array();
	struct schema *schema = NULL;

	for (int i = 0; i < 100000; i++)
		json_array_append_new(value, json_integer(i));
	ck_assert_int_eq(schema_new(doc, NULL, &schema, NULL), 0);
	ck_assert_int_eq(schema_check(schema, value, NULL), 0);
	json_array_append_new(value, json_real(4711.0));
	ck_assert_int_eq(schema_check(schema, value, NULL), -EINVAL);
	schema_free(&schema);
	json_decref(doc);
	json_decref(value);
}
END_TEST

START_TEST(the_number_of_subschemas_is_bounded)
{
	json_t *const all = json_array();
	json_t *const doc = json_pack("{s:o}", "allOf", all);
	struct schema *schema = NULL;
	struct err e = { 0 };

	for (int i = 0; i < SCHEMA_SUBSCHEMAS - 1; i++)
		json_array_append_new(all, json_pack("{s:i}", "minimum", i));
	ck_assert_int_eq(schema_new(doc, NULL, &schema, &e), 0);
	schema_free(&schema);
	json_array_append_new(all, json_object());
	ck_assert_int_eq(schema_new(doc, NULL, &schema, &e), -EMSGSIZE);
	ck_assert_ptr_nonnull(strstr(e.text, "10000 subschemas"));
	json_decref(doc);
}
END_TEST

/* A document that shares a subtree 2^20 times costs it once a resource. */
START_TEST(shared_subtrees_are_compiled_once)
{
	json_t *doc = json_pack("{s:s}", "type", "integer");
	struct schema *schema = NULL;

	for (int i = 0; i < 20; i++)
		doc = json_pack("{s:[O,o]}", "allOf", doc, doc);
	const struct schema_options options = { .subschemas = 21 };
	ck_assert_int_eq(schema_new(doc, &options, &schema, NULL), 0);
	schema_free(&schema);
	json_decref(doc);
}
END_TEST

/* Most kinds of keyword, names, references, patterns: all that allocates. */
static const char chaos_schema[] =
    "{'$id':'http://example.org/a','$anchor':'top','$dynamicAnchor':'d',"
    "'$defs':{'x':{'$id':'x','type':'integer','$anchor':'y'}},"
    "'properties':{'a':{'$ref':'x#y'},'b':{'pattern':'^b+[.]$'},"
    "'c':{'$dynamicRef':'#d'},'u':{'uniqueItems':true}},"
    "'patternProperties':{'^p':{'enum':[1,2]}},"
    "'anyOf':[{'required':['a']},{'required':['b']}],"
    "'propertyNames':{'maxLength':70},"
    "'if':{'properties':{'a':true}},'then':{'dependentSchemas':{'a':true}},"
    "'unevaluatedProperties':{'type':'null'}}";

START_TEST(each_allocation_may_fail)
{
	json_t *value;
	json_t *doc;
	int r = -ENOMEM;
	char name[16];

	chaos_begin();
	doc = chaos_json(chaos_schema);
	value = chaos_json("{'a':1,'b':'bbb.','c':{'b':'b.'},'p':2,"
			   "'u':[1,2,[3]]}");
	for (int i = 0; i < 80; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		json_object_set_new(value, name, json_null());
	}
	const long live = chaos_live;

	for (size_t n = 1; r < 0; n++) {
		struct schema *schema = NULL;
		struct err e = { 0 };

		mem_fail_at(n);
		r = schema_new(doc, NULL, &schema, &e);
		if (r == 0)
			r = schema_check(schema, value, &e);
		mem_fail_at(0);
		ck_assert_msg(r == 0 || r == -ENOMEM, "%zu: %d %s %s", n, r,
		    e.place, e.text);
		schema_free(&schema);
		ck_assert_int_eq(chaos_live, live);
	}
	json_decref(doc);
	json_decref(value);
	ck_assert_int_eq(chaos_live, 0);
}
END_TEST

/* A reference to the meta-schema loads nine documents. */
START_TEST(the_metaschema_is_built_in_and_may_lack_memory)
{
	json_t *doc;
	json_t *good;
	json_t *bad;
	int r = -ENOMEM;

	chaos_begin();
	doc = json_pack("{s:s}", "$ref", SCHEMA_DIALECT);
	good = chaos_json(chaos_schema);
	bad = chaos_json("{'properties':{'a':{'items':{'type':'text'}}}}");
	const long live = chaos_live;

	for (size_t n = 1; r < 0; n += 1 + n / 16) {
		struct schema *schema = NULL;
		struct err e = { 0 };

		mem_fail_at(n);
		r = schema_new(doc, NULL, &schema, &e);
		mem_fail_at(0);
		if (r == 0) {
			ck_assert_int_eq(schema_check(schema, good, &e), 0);
			ck_assert_int_eq(
			    schema_check(schema, bad, &e), -EINVAL);
			ck_assert_str_eq(e.place, "/properties/a/items/type");
		}
		schema_free(&schema);
		ck_assert_int_eq(chaos_live, live);
	}
	json_decref(doc);
	json_decref(good);
	json_decref(bad);
	ck_assert_int_eq(chaos_live, 0);
}
END_TEST

#define ROWS(a) ((int)(sizeof(a) / sizeof(*(a))))

int
main(void)
{
	Suite *const s = suite_create("json/schema");
	TCase *const t = tcase_create("schema");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(
	    t, failures_are_told_in_words_with_their_place, 0, ROWS(told));
	tcase_add_loop_test(
	    t, a_wrong_schema_does_not_compile, 0, ROWS(broken));
	tcase_add_test(t, registered_documents_are_found_and_named_in_errors);
	tcase_add_test(t, the_schema_keeps_its_document);
	tcase_add_loop_test(
	    t, endless_references_end_within_the_stack, 0, ROWS(endless));
	tcase_add_loop_test(
	    t, deep_values_end_within_the_stack, 0, ROWS(descending));
	tcase_add_test(t, what_jsontext_lets_through_is_not_too_deep);
	tcase_add_loop_test(
	    t, a_check_ends_when_its_steps_are_spent, 0, ROWS(costly));
	tcase_add_test(t, exponential_references_are_stopped);
	tcase_add_test(t, unique_items_of_many_entries_is_not_quadratic);
	tcase_add_test(t, the_number_of_subschemas_is_bounded);
	tcase_add_test(t, shared_subtrees_are_compiled_once);
	tcase_add_test(t, each_allocation_may_fail);
	tcase_add_test(t, the_metaschema_is_built_in_and_may_lack_memory);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
