/* SPDX-License-Identifier: MIT */
/*
 * schema_scalar: the keywords that look at a value as a whole, at numbers and
 * at strings. Rows of the table that schema_build reads and schema_run walks.
 * Source: JSON Schema 2020-12 validation 6.1, 6.2, 6.3, 7
 */
#include <errno.h>
#include <string.h>

#include <sys/types.h>

#include "common/json/said.h"
#include "common/json/schema_read.h"
#include "common/json/schema_run.h"

/* The names of types; "number" includes the integers. */
static const struct {
	const char *name;
	const char *words;
	unsigned types;
} scalar_types[] = {
	{ "null", "null", 1u << JSON_NULL },
	{ "boolean", "a boolean", 1u << JSON_TRUE | 1u << JSON_FALSE },
	{ "object", "an object", 1u << JSON_OBJECT },
	{ "array", "an array", 1u << JSON_ARRAY },
	{ "number", "a number", SCHEMA_ON_NUMBER },
	{ "string", "a string", 1u << JSON_STRING },
	/* A real may be whole: looked at in type_check. */
	{ "integer", "an integer", 1u << JSON_INTEGER },
};

#define SCALAR_N_TYPES (sizeof(scalar_types) / sizeof(*scalar_types))

/* Read one name of a type into rule->u.types. */
static int
type_read_name(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, const json_t *name)
{
	for (size_t i = 0; i < SCALAR_N_TYPES && json_is_string(name); i++)
		if (!strcmp(scalar_types[i].name, json_string_value(name))) {
			rule->u.types |= scalar_types[i].types;
			return 0;
		}
	return schema_build_fail(b, n, "type", -EINVAL,
	    "must be null, boolean, object, array, number, string or integer, "
	    "or an array of these");
}

static int
type_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	if (!json_is_array(args[0]))
		return type_read_name(b, n, rule, args[0]);
	if (!json_array_size(args[0]))
		return type_read_name(b, n, rule, NULL);
	for (size_t i = 0; i < json_array_size(args[0]); i++) {
		const int e =
		    type_read_name(b, n, rule, json_array_get(args[0], i));

		if (e < 0)
			return e;
	}
	return 0;
}

static const char *
type_words(const json_t *name)
{
	for (size_t i = 0; i < SCALAR_N_TYPES; i++)
		if (!strcmp(scalar_types[i].name, json_string_value(name)))
			return scalar_types[i].words;
	return "";
}

static int __attribute__((noinline)) type_fail(
    struct schema_run *run, const struct schema_rule *rule, const json_t *value)
{
	struct said_list l = { .left = 1 };

	if (json_is_array(rule->arg)) {
		l.left = json_array_size(rule->arg);
		for (size_t i = 0; i < json_array_size(rule->arg); i++)
			said_list_add(
			    &l, type_words(json_array_get(rule->arg, i)));
	} else {
		said_list_add(&l, type_words(rule->arg));
	}
	return schema_run_fail(
	    run, "must be %s, not %s", l.text, said_type(value));
}

static int
type_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	if (rule->u.types & 1u << json_typeof(value))
		return 1;
	if (rule->u.types & 1u << JSON_INTEGER && jsonvalue_is_whole(value))
		return 1;
	return type_fail(run, rule, value);
}

static int
const_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const int r = jsonvalue_equal(rule->arg, value, &run->budget);
	char said[SAID_BYTES];

	if (r < 0)
		return schema_run_break(run, r);
	if (r)
		return 1;
	if (json_is_object(rule->arg) || json_is_array(rule->arg))
		return schema_run_fail(run, "must be exactly the %s asked for",
		    json_is_object(rule->arg) ? "object" : "array");
	return schema_run_fail(run, "must be %s", said_value(rule->arg, said));
}

static int
enum_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	if (json_is_array(args[0]))
		return 0;
	return schema_build_fail(b, n, "enum", -EINVAL,
	    "must be an array of values, not %s", said_type(args[0]));
}

static int __attribute__((noinline))
enum_fail(struct schema_run *run, const struct schema_rule *rule)
{
	struct said_list l = { .left = json_array_size(rule->arg) };
	char said[SAID_BYTES];

	for (size_t i = 0; i < json_array_size(rule->arg); i++)
		said_list_add(
		    &l, said_value(json_array_get(rule->arg, i), said));
	return schema_run_fail(run, "must be %s%s",
	    json_array_size(rule->arg) > 1 ? "one of " : "", l.text);
}

static int
enum_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	for (size_t i = 0; i < json_array_size(rule->arg); i++) {
		const int r = jsonvalue_equal(
		    json_array_get(rule->arg, i), value, &run->budget);

		if (r < 0)
			return schema_run_break(run, r);
		if (r)
			return 1;
	}
	return enum_fail(run, rule);
}

static int
multiple_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	if (json_is_number(args[0]) && json_number_value(args[0]) > 0)
		return 0;
	return schema_build_fail(
	    b, n, "multipleOf", -EINVAL, "must be a number above 0");
}

static int
multiple_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	char said[SAID_BYTES];

	if (jsonvalue_is_multiple(value, rule->arg))
		return 1;
	return schema_run_fail(
	    run, "must be a multiple of %s", said_value(rule->arg, said));
}

/* Tell which limit a number is beyond. */
static int __attribute__((noinline)) limit_fail(
    struct schema_run *run, const struct schema_rule *rule, const char *what)
{
	char said[SAID_BYTES];

	return schema_run_fail(
	    run, "must be %s %s", what, said_value(rule->arg, said));
}

static int
maximum_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	return jsonvalue_compare(value, rule->arg) <= 0
	           ? 1
	           : limit_fail(run, rule, "at most");
}

static int
exclusive_maximum_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	return jsonvalue_compare(value, rule->arg) < 0
	           ? 1
	           : limit_fail(run, rule, "below");
}

static int
minimum_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	return jsonvalue_compare(value, rule->arg) >= 0
	           ? 1
	           : limit_fail(run, rule, "at least");
}

static int
exclusive_minimum_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	return jsonvalue_compare(value, rule->arg) > 0
	           ? 1
	           : limit_fail(run, rule, "above");
}

/* The characters of a string, paid for; -errno when they cannot be. */
static ssize_t
string_length(struct schema_run *run, const json_t *value)
{
	if (!jsonvalue_spend(&run->budget, json_string_length(value) / 256))
		return schema_run_break(run, -EMSGSIZE);
	return (ssize_t)jsonvalue_length(value);
}

static int
max_length_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const ssize_t n = string_length(run, value);

	if (n < 0)
		return (int)n;
	if ((size_t)n <= rule->u.count)
		return 1;
	return schema_run_fail(run,
	    "must be at most %zu characters long, not %zd", rule->u.count, n);
}

static int
min_length_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const ssize_t n = string_length(run, value);

	if (n < 0)
		return (int)n;
	if ((size_t)n >= rule->u.count)
		return 1;
	if (rule->u.count == 1)
		return schema_run_fail(run, "must not be empty");
	return schema_run_fail(run,
	    "must be at least %zu characters long, not %zd", rule->u.count, n);
}

static int
pattern_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	struct jsonpattern *p = NULL;
	struct err why;

	if (!json_is_string(args[0]))
		return schema_build_fail(b, n, "pattern", -EINVAL,
		    "must be a regular expression, not %s", said_type(args[0]));
	const int e =
	    jsonpattern_new((struct slice){ json_string_value(args[0]),
				json_string_length(args[0]) },
		&p, &why);
	if (e < 0)
		return schema_build_fail(b, n, "pattern", e, "%s", why.text);
	rule->u.pattern = p;
	if (schema_node_hold_pattern_take(b->schema, p) < 0)
		return schema_build_nomem(b);
	return 0;
}

static int
pattern_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const struct slice text = { json_string_value(value),
		json_string_length(value) };
	const int r = jsonpattern_match(rule->u.pattern, text, &run->budget);
	char said[SAID_BYTES];

	if (r < 0)
		return schema_run_break(run, r);
	return r ? 1
	         : schema_run_fail(run, "must match the pattern %s",
		       said_value(rule->arg, said));
}

static int
format_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	if (!json_is_string(args[0]))
		return schema_build_fail(b, n, "format", -EINVAL,
		    "must be a string, not %s", said_type(args[0]));
	rule->u.format = jsonformat_find(json_string_value(args[0]));
	return 0;
}

static int
format_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const struct slice text = { json_string_value(value),
		json_string_length(value) };

	if (!rule->u.format)
		return 1;
	if (!jsonvalue_spend(&run->budget, text.n / 64))
		return schema_run_break(run, -EMSGSIZE);
	return rule->u.format->fits(text)
	           ? 1
	           : schema_run_fail(run, "must be %s", rule->u.format->words);
}

#define SCALAR_VALIDATES SCHEMA_VOCABULARY_VALIDATION

const struct schema_keyword schema_scalar_rows[] = {
	{ { "type" }, SCALAR_VALIDATES, SCHEMA_ON_ALL, type_read, type_check },
	{ { "const" }, SCALAR_VALIDATES, SCHEMA_ON_ALL, schema_read_any,
	    const_check },
	{ { "enum" }, SCALAR_VALIDATES, SCHEMA_ON_ALL, enum_read, enum_check },
	{ { "minimum" }, SCALAR_VALIDATES, SCHEMA_ON_NUMBER, schema_read_number,
	    minimum_check },
	{ { "exclusiveMinimum" }, SCALAR_VALIDATES, SCHEMA_ON_NUMBER,
	    schema_read_number, exclusive_minimum_check },
	{ { "maximum" }, SCALAR_VALIDATES, SCHEMA_ON_NUMBER, schema_read_number,
	    maximum_check },
	{ { "exclusiveMaximum" }, SCALAR_VALIDATES, SCHEMA_ON_NUMBER,
	    schema_read_number, exclusive_maximum_check },
	{ { "multipleOf" }, SCALAR_VALIDATES, SCHEMA_ON_NUMBER, multiple_read,
	    multiple_check },
	{ { "minLength" }, SCALAR_VALIDATES, SCHEMA_ON_STRING,
	    schema_read_count, min_length_check },
	{ { "maxLength" }, SCALAR_VALIDATES, SCHEMA_ON_STRING,
	    schema_read_count, max_length_check },
	{ { "format" }, SCHEMA_VOCABULARY_FORMAT, SCHEMA_ON_STRING, format_read,
	    format_check },
	{ { "pattern" }, SCALAR_VALIDATES, SCHEMA_ON_STRING, pattern_read,
	    pattern_check },
	{ { NULL }, 0, 0, NULL, NULL },
};
