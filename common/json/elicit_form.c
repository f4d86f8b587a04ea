/* SPDX-License-Identifier: MIT */
/*
 * elicit_form: is a requestedSchema a form, and what is in it. Read next:
 * elicit_answer.c (values against it), elicit_typed.c (what people type).
 */
#include <errno.h>
#include <string.h>

#include "common/base/must.h"
#include "common/json/elicit.h"
#include "common/json/jsonpointer.h"
#include "common/json/jsonvalue.h"
#include "common/json/said.h"

/* What the argument of a keyword must be. */
enum form_arg {
	FORM_ARG_TEXT,   /* a string */
	FORM_ARG_TEXTS,  /* an array of strings */
	FORM_ARG_COUNT,  /* a whole number, 0 or more */
	FORM_ARG_NUMBER, /* a number */
	FORM_ARG_FORMAT, /* one of four names */
	FORM_ARG_ANY,    /* looked at elsewhere */
};

#define FORM_KIND(k) (1u << ELICIT_KIND_##k)
#define FORM_NUMBERS (FORM_KIND(NUMBER) | FORM_KIND(INTEGER))

/* The keywords of a property and the kinds that have them. */
static const struct {
	const char *name;
	unsigned kinds;
	enum form_arg arg;
} form_keywords[] = {
	{ "type", ~0u, FORM_ARG_TEXT },
	{ "title", ~0u, FORM_ARG_TEXT },
	{ "description", ~0u, FORM_ARG_TEXT },
	{ "default", ~0u, FORM_ARG_ANY },
	{ "minLength", FORM_KIND(STRING), FORM_ARG_COUNT },
	{ "maxLength", FORM_KIND(STRING), FORM_ARG_COUNT },
	{ "format", FORM_KIND(STRING), FORM_ARG_FORMAT },
	{ "minimum", FORM_NUMBERS, FORM_ARG_NUMBER },
	{ "maximum", FORM_NUMBERS, FORM_ARG_NUMBER },
	{ "enum", FORM_KIND(ONE), FORM_ARG_TEXTS },
	{ "enumNames", FORM_KIND(ONE), FORM_ARG_TEXTS },
	{ "oneOf", FORM_KIND(ONE), FORM_ARG_ANY },
	{ "items", FORM_KIND(MANY), FORM_ARG_ANY },
	{ "minItems", FORM_KIND(MANY), FORM_ARG_COUNT },
	{ "maxItems", FORM_KIND(MANY), FORM_ARG_COUNT },
};

#define FORM_N_KEYWORDS (sizeof(form_keywords) / sizeof(*form_keywords))

/* Report what is wrong at keyword (NULL: the whole) of a property. */
static int
form_fail(struct err *err_r, const char *property, const char *keyword,
    const char *what)
{
	const struct jsonpointer_at at = {
		.first = "properties",
		.name = property,
	};
	const struct jsonpointer_at below = {
		.up = &at,
		.name = keyword,
		.index = JSONPOINTER_NO_INDEX,
	};
	char place[ERR_PLACE_BYTES];

	return err_set(err_r, -EINVAL,
	    jsonpointer_write(&below, place, sizeof(place)), "%s", what);
}

/* Whether property says that it is of that type. */
static bool
form_is_type(const json_t *property, const char *type)
{
	const json_t *const said = json_object_get(property, "type");

	return json_is_string(said) && !strcmp(json_string_value(said), type);
}

/* Where the choices stand: an array of strings or of {const, title}. */
static const json_t *
form_choices(const json_t *property)
{
	const json_t *const items = json_object_get(property, "items");
	const json_t *list = json_object_get(property, "enum");

	if (!list)
		list = json_object_get(property, "oneOf");
	if (!list)
		list = json_object_get(items, "enum");
	if (!list)
		list = json_object_get(items, "anyOf");
	if (!list)
		list = json_object_get(items, "oneOf");
	return json_is_array(list) ? list : NULL;
}

/* Whether every entry is a choice that elicit_choice can tell. */
static bool
form_choices_are_good(const json_t *list)
{
	if (!json_array_size(list) || json_array_size(list) > ELICIT_CHOICES)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *const entry = json_array_get(list, i);

		if (!json_is_string(entry) &&
		    !json_is_string(json_object_get(entry, "const")))
			return false;
	}
	return true;
}

enum elicit_kind
elicit_kind(const json_t *property)
{
	const json_t *const list = form_choices(property);

	if (form_is_type(property, "boolean"))
		return ELICIT_KIND_BOOLEAN;
	if (form_is_type(property, "integer"))
		return ELICIT_KIND_INTEGER;
	if (form_is_type(property, "number"))
		return ELICIT_KIND_NUMBER;
	if (form_is_type(property, "string") && !list &&
	    !json_object_get(property, "enum") &&
	    !json_object_get(property, "oneOf"))
		return ELICIT_KIND_STRING;
	if (!form_choices_are_good(list))
		return ELICIT_KIND_BAD;
	if (form_is_type(property, "array"))
		return ELICIT_KIND_MANY;
	return form_is_type(property, "string") ? ELICIT_KIND_ONE
	                                        : ELICIT_KIND_BAD;
}

size_t
elicit_n_choices(const json_t *property)
{
	const enum elicit_kind kind = elicit_kind(property);

	if (kind != ELICIT_KIND_ONE && kind != ELICIT_KIND_MANY)
		return 0;
	return json_array_size(form_choices(property));
}

struct elicit_choice
elicit_choice(const json_t *property, size_t i)
{
	const json_t *const list = form_choices(property);
	const json_t *const entry = json_array_get(list, i);

	must(entry);
	const json_t *value = entry;
	const json_t *title =
	    json_array_get(json_object_get(property, "enumNames"), i);
	if (!json_is_string(entry)) {
		value = json_object_get(entry, "const");
		title = json_object_get(entry, "title");
	}
	const char *const said = json_string_value(value);
	must(said);
	return (struct elicit_choice){ said,
		json_is_string(title) ? json_string_value(title) : said };
}

bool
elicit_is_required(const json_t *schema, const char *name)
{
	const json_t *const list = json_object_get(schema, "required");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *const entry =
		    json_string_value(json_array_get(list, i));

		if (entry && !strcmp(entry, name))
			return true;
	}
	return false;
}

/* What is wrong with the argument of a keyword, NULL if nothing is. */
static const char *
form_arg_fault(enum form_arg want, const json_t *arg)
{
	static const char *const formats[] = { "email", "uri", "date",
		"date-time" };

	switch (want) {
	case FORM_ARG_TEXT:
		return json_is_string(arg) ? NULL : "must be a string";
	case FORM_ARG_TEXTS:
		for (size_t i = 0; i < json_array_size(arg); i++)
			if (!json_is_string(json_array_get(arg, i)))
				return "must be an array of strings";
		return json_is_array(arg) ? NULL
		                          : "must be an array of strings";
	case FORM_ARG_COUNT:
		return jsonvalue_is_whole(arg) && json_number_value(arg) >= 0
		           ? NULL
		           : "must be a whole number, 0 or more";
	case FORM_ARG_NUMBER:
		return json_is_number(arg) ? NULL : "must be a number";
	case FORM_ARG_FORMAT:
		for (size_t i = 0; i < 4 && json_is_string(arg); i++)
			if (!strcmp(json_string_value(arg), formats[i]))
				return NULL;
		return "must be email, uri, date or date-time";
	case FORM_ARG_ANY:
		break;
	}
	return NULL;
}

/* Check one keyword of a property of that kind. */
static int
form_check_keyword(const char *property, enum elicit_kind kind,
    const char *name, const json_t *arg, struct err *err_r)
{
	size_t i = 0;

	while (i < FORM_N_KEYWORDS && strcmp(form_keywords[i].name, name))
		i++;
	if (i == FORM_N_KEYWORDS || !(form_keywords[i].kinds & 1u << kind))
		return form_fail(err_r, property, name,
		    "is not allowed for such a property of an elicitation");
	const char *const fault = form_arg_fault(form_keywords[i].arg, arg);
	return fault ? form_fail(err_r, property, name, fault) : 0;
}

/* Check that each titled choice has a title and legacy names fit. */
static int
form_check_choices(
    const char *property, const json_t *schema, struct err *err_r)
{
	const json_t *const list = form_choices(schema);
	const json_t *const names = json_object_get(schema, "enumNames");
	const json_t *const items = json_object_get(schema, "items");

	if (names && json_array_size(names) != json_array_size(list))
		return form_fail(err_r, property, "enumNames",
		    "must have as many entries as enum");
	if (json_object_get(items, "enum") && !form_is_type(items, "string"))
		return form_fail(
		    err_r, property, "items", "must have the type string");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *const entry = json_array_get(list, i);

		if (json_is_object(entry) &&
		    !json_is_string(json_object_get(entry, "title")))
			return form_fail(err_r, property, NULL,
			    "must give each choice a const and a title, both "
			    "strings");
	}
	return 0;
}

/* Check one property. */
static int
form_check_property(const char *name, json_t *schema, struct err *err_r)
{
	const enum elicit_kind kind = elicit_kind(schema);
	json_t *const given = json_object_get(schema, "default");
	struct err why;
	int e = 0;

	if (kind == ELICIT_KIND_BAD)
		return form_fail(err_r, name, NULL,
		    "must be a string, number, integer, boolean, an enum of "
		    "strings, or an array of such an enum");
	for (void *i = json_object_iter(schema); i && e == 0;
	     i = json_object_iter_next(schema, i))
		e = form_check_keyword(name, kind, json_object_iter_key(i),
		    json_object_iter_value(i), err_r);
	if (e == 0)
		e = form_check_choices(name, schema, err_r);
	if (e == 0 && given && elicit_check_value(schema, given, &why) < 0)
		e = form_fail(err_r, name, "default", why.text);
	return e;
}

/* Check what stands beside `properties`. */
static int
form_check_top(json_t *schema, struct err *err_r)
{
	static const char *const known[] = { "$schema", "type", "properties",
		"required", "title", "description", "additionalProperties" };
	const size_t n = sizeof(known) / sizeof(*known);
	char said[SAID_BYTES];

	for (void *i = json_object_iter(schema); i;
	     i = json_object_iter_next(schema, i)) {
		const char *const key = json_object_iter_key(i);
		size_t k = 0;

		while (k < n && strcmp(known[k], key))
			k++;
		if (k == n)
			return err_set(err_r, -EINVAL, NULL,
			    "has %s, which is not allowed in an elicitation",
			    said_text(key, strlen(key), said));
	}
	return 0;
}

/* Check that `required` names properties that exist. */
static int
form_check_required(
    const json_t *required, const json_t *properties, struct err *err_r)
{
	char said[SAID_BYTES];

	if (!required)
		return 0;
	if (form_arg_fault(FORM_ARG_TEXTS, required))
		return err_set(
		    err_r, -EINVAL, "/required", "must be an array of strings");
	for (size_t i = 0; i < json_array_size(required); i++) {
		const json_t *const name = json_array_get(required, i);

		if (!json_object_get(properties, json_string_value(name)))
			return err_set(err_r, -EINVAL, "/required",
			    "names %s, which is not among the properties",
			    said_value(name, said));
	}
	return 0;
}

int
elicit_check_form(json_t *schema, struct err *err_r)
{
	json_t *const properties = json_object_get(schema, "properties");

	if (!form_is_type(schema, "object"))
		return err_set(err_r, -EINVAL, NULL,
		    "must be a schema of the type object");
	if (!json_is_object(properties))
		return err_set(err_r, -EINVAL, "/properties",
		    "must be an object of properties");
	if (json_object_size(properties) > ELICIT_PROPERTIES)
		return err_set(err_r, -EINVAL, "/properties",
		    "must not have more than %d entries", ELICIT_PROPERTIES);
	int e = form_check_top(schema, err_r);
	for (void *i = json_object_iter(properties); i && e == 0;
	     i = json_object_iter_next(properties, i))
		e = form_check_property(
		    json_object_iter_key(i), json_object_iter_value(i), err_r);
	if (e == 0)
		e = form_check_required(
		    json_object_get(schema, "required"), properties, err_r);
	return e;
}
