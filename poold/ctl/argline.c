/* SPDX-License-Identifier: MIT */
/* argline: key=value and key:=json, typed by a JSON Schema. */
#include "poold/ctl/argline.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/json/elicit.h"
#include "common/json/jsontext.h"
#include "common/json/schema.h"

#define ARGLINE_HINT_BYTES  160
#define ARGLINE_KEY_COLUMNS 24

/* One word, taken apart; all pointers into the word. */
struct argline_word {
	struct slice key;
	const char *value;
	bool is_json; /* it was := */
};

json_t *
argline_property(const json_t *tool, const char *key)
{
	return json_object_get(
	    json_object_get(json_object_get(tool, "inputSchema"), "properties"),
	    key);
}

/* Split a word at its first '='. Returns 0 or -EINVAL. */
static int
argline_split(const char *text, struct argline_word *word_r, struct err *err_r)
{
	const char *const eq = strchr(text, '=');
	size_t n = eq ? (size_t)(eq - text) : 0;

	if (eq && n && eq[-1] == ':')
		n--;
	if (!n)
		return err_set(err_r, -EINVAL, NULL,
		    "\"%.100s\" is no argument: write key=value", text);
	*word_r = (struct argline_word){ { text, n }, eq + 1, text[n] == ':' };
	return 0;
}

/*
 * Whether a schema takes names that its properties do not list, and says so.
 * JSON Schema lets any name pass; a person rather made a mistake.
 */
static bool
argline_is_open(const json_t *schema)
{
	static const char *const wider[] = { "$ref", "allOf", "anyOf", "oneOf",
		"patternProperties" };
	const json_t *const more =
	    json_object_get(schema, "additionalProperties");

	if (more && !json_is_false(more))
		return true;
	for (size_t i = 0; i < sizeof(wider) / sizeof(wider[0]); i++)
		if (json_object_get(schema, wider[i]))
			return true;
	return false;
}

/* Whether a property may be of a type. */
static bool
argline_is_type(const json_t *property, const char *type)
{
	const json_t *const said = json_object_get(property, "type");
	const json_t *each;
	size_t i;

	if (json_is_string(said))
		return strcmp(json_string_value(said), type) == 0;
	json_array_foreach ((json_t *)said, i, each)
		if (json_is_string(each) &&
		    strcmp(json_string_value(each), type) == 0)
			return true;
	return false;
}

/* The value as JSON text. Returns 0, -EINVAL or -ENOMEM. */
static int
argline_json(
    const char *key, const char *text, json_t **value_r, struct err *err_r)
{
	struct err why;

	const int rc = jsontext_load(slice_of(text), NULL, value_r, &why);
	if (rc == 0 || rc == -ENOMEM)
		return rc;
	return err_set(err_r, -EINVAL, NULL, "%.60s: this is not JSON (%s: %s)",
	    key, why.place, why.text);
}

/* Numbers and yes/no, as elicitation reads them. */
static int
argline_plain(const char *key, const char *type, const char *text,
    json_t **value_r, struct err *err_r)
{
	struct err why;
	json_t *const property = json_pack("{s:s}", "type", type);

	if (!property)
		return -ENOMEM;
	const int rc = elicit_coerce(property, text, value_r, &why);
	json_decref(property);
	if (rc == -EINVAL)
		err_set(err_r, rc, NULL, "%.60s: %s", key, why.text);
	return rc;
}

/* Text, which must be UTF-8. */
static int
argline_string(
    const char *key, const char *text, json_t **value_r, struct err *err_r)
{
	*value_r = json_string(text);
	if (*value_r)
		return 0;
	return err_set(
	    err_r, -EINVAL, NULL, "%.60s: the value is not UTF-8", key);
}

/* A value of the property's type out of text; property may be NULL. */
static int
argline_value(const json_t *property, const char *key, const char *text,
    json_t **value_r, struct err *err_r)
{
	static const char *const plain[] = { "boolean", "integer", "number" };

	if (argline_is_type(property, "string"))
		return argline_string(key, text, value_r, err_r);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (argline_is_type(property, plain[i]))
			return argline_plain(
			    key, plain[i], text, value_r, err_r);
	if (elicit_kind(property) == ELICIT_KIND_MANY && text[0] != '[')
		return elicit_coerce(property, text, value_r, err_r);
	if (argline_is_type(property, "array") ||
	    argline_is_type(property, "object"))
		return argline_json(key, text, value_r, err_r);
	if (argline_json(key, text, value_r, NULL) == 0)
		return 0;
	return argline_string(key, text, value_r, err_r);
}

/* One word into args. Returns 0, -EINVAL or -ENOMEM. */
static int
argline_add(json_t *tool, json_t *args, const char *text, struct err *err_r)
{
	const json_t *const schema = json_object_get(tool, "inputSchema");
	const char *const name =
	    json_string_value(json_object_get(tool, "name"));
	struct argline_word word = { 0 };
	char key[ERR_PLACE_BYTES];
	json_t *value = NULL;

	int rc = argline_split(text, &word, err_r);
	if (rc < 0)
		return rc;
	if (slice_copy(word.key, key, sizeof(key)) < 0)
		return err_set(err_r, -EINVAL, NULL,
		    "\"%.40s...\": no argument has so long a name", text);
	if (json_object_get(args, key))
		return err_set(err_r, -EINVAL, NULL, "%s is given twice", key);
	const json_t *const property = argline_property(tool, key);
	if (!property && !argline_is_open(schema))
		return err_set(err_r, -EINVAL, NULL,
		    "%.60s takes no argument \"%s\"", name, key);
	rc = word.is_json
	         ? argline_json(key, word.value, &value, err_r)
	         : argline_value(property, key, word.value, &value, err_r);
	if (rc == 0 && json_object_set_new(args, key, value) < 0)
		rc = err_set(err_r, -EINVAL, NULL,
		    "the name of an argument is not UTF-8");
	return rc;
}

int
argline_check(json_t *tool, json_t *args, struct err *err_r)
{
	json_t *const doc = json_object_get(tool, "inputSchema");
	struct schema *schema = NULL;
	struct err why;

	if (!doc || schema_new(doc, NULL, &schema, NULL) < 0)
		return 0;
	const int rc = schema_check(schema, args, &why);
	schema_free(&schema);
	if (rc != -EINVAL)
		return 0;
	if (why.place[0] == '/')
		return err_set(
		    err_r, rc, NULL, "%s: %s", why.place + 1, why.text);
	return err_set(err_r, rc, NULL, "the arguments %s", why.text);
}

int
argline_build(json_t *tool, char *const *words, size_t n, json_t **args_r,
    struct err *err_r)
{
	json_t *args = json_object();
	int rc = args ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = argline_add(tool, args, words[i], err_r);
	if (rc < 0) {
		json_decref(args);
		args = NULL;
		if (rc == -ENOMEM)
			err_set(err_r, rc, NULL, "out of memory");
	}
	*args_r = args;
	return rc;
}

/* What a property takes, in a few words. */
static void
argline_hint(struct page *p, const json_t *property)
{
	char hint[ARGLINE_HINT_BYTES];
	const json_t *const type = json_object_get(property, "type");

	if (elicit_kind(property) != ELICIT_KIND_BAD)
		page_clean_line(p, elicit_hint(property, hint, sizeof(hint)));
	else if (json_is_string(type))
		page_clean_line(p, json_string_value(type));
	else
		page_put(p, "JSON");
}

/* The widest name in columns, so that what follows stands in one column. */
static size_t
argline_width(json_t *properties)
{
	const char *key;
	json_t *property;
	size_t width = 0;

	json_object_foreach (properties, key, property) {
		const size_t columns = page_columns(slice_of(key));
		if (columns > width && columns <= ARGLINE_KEY_COLUMNS)
			width = columns;
	}
	return width;
}

/* What follows a name: what it takes, what it is. */
static void
argline_describe_one(struct page *p, const json_t *property, bool is_required)
{
	const char *const about =
	    json_string_value(json_object_get(property, "description"));

	argline_hint(p, property);
	if (!is_required)
		page_put(p, ", may be left out");
	if (about && about[0]) {
		page_look(p, PAGE_DIM);
		page_put(p, "  ");
		page_clean_line(p, about);
		page_look(p, PAGE_PLAIN);
	}
	page_put(p, "\n");
}

/* One line for each property. */
static void
argline_describe_all(struct page *p, const json_t *schema, json_t *properties)
{
	const size_t width = argline_width(properties);
	const char *key;
	json_t *property;

	json_object_foreach (properties, key, property) {
		const size_t columns = page_columns(slice_of(key));
		page_put(p, "  ");
		page_look(p, PAGE_BOLD);
		page_clean_line(p, key);
		page_look(p, PAGE_PLAIN);
		page_pad(p, (columns < width ? width - columns : 0) + 2);
		argline_describe_one(
		    p, property, elicit_is_required(schema, key));
	}
}

void
argline_describe(struct page *p, const json_t *tool)
{
	const json_t *const schema = json_object_get(tool, "inputSchema");
	json_t *const properties = json_object_get(schema, "properties");

	page_look(p, PAGE_BOLD);
	page_clean_line(p, json_string_value(json_object_get(tool, "name")));
	page_look(p, PAGE_PLAIN);
	if (json_object_size(properties) > 0) {
		page_put(p, " takes:\n");
		argline_describe_all(p, schema, properties);
	} else {
		page_put(p, argline_is_open(schema)
				? " does not say what it takes.\n"
				: " takes no arguments.\n");
	}
}
