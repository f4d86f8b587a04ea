/* SPDX-License-Identifier: MIT */
/* elicit_answer: values against the properties of a form. */
#include <errno.h>
#include <string.h>

#include "common/base/must.h"
#include "common/json/elicit.h"
#include "common/json/jsonformat.h"
#include "common/json/jsonpointer.h"
#include "common/json/jsonvalue.h"
#include "common/json/said.h"

/* A limit of a property; false where it is absent or makes no sense. */
static bool
answer_limit(const json_t *property, const char *keyword, size_t *limit_r)
{
	const json_t *const arg = json_object_get(property, keyword);

	if (!json_is_number(arg) || !(json_number_value(arg) >= 0) ||
	    json_number_value(arg) > 9007199254740992.0)
		return false;
	*limit_r = (size_t)json_number_value(arg);
	return true;
}

static int
answer_wrong_type(const json_t *value, const char *want, struct err *err_r)
{
	return err_set(
	    err_r, -EINVAL, NULL, "must be %s, not %s", want, said_type(value));
}

static int
answer_check_string(
    const json_t *property, const json_t *value, struct err *err_r)
{
	const char *const format =
	    json_string_value(json_object_get(property, "format"));
	const struct jsonformat *const f =
	    format ? jsonformat_find(format) : NULL;
	const struct slice text = { json_string_value(value),
		json_string_length(value) };
	size_t limit = 0;

	if (!json_is_string(value))
		return answer_wrong_type(value, "a string", err_r);
	const size_t n = jsonvalue_length(value);
	if (answer_limit(property, "minLength", &limit) && n < limit) {
		if (limit == 1)
			return err_set(
			    err_r, -EINVAL, NULL, "must not be empty");
		return err_set(err_r, -EINVAL, NULL,
		    "must be at least %zu characters long, not %zu", limit, n);
	}
	if (answer_limit(property, "maxLength", &limit) && n > limit)
		return err_set(err_r, -EINVAL, NULL,
		    "must be at most %zu characters long, not %zu", limit, n);
	if (f && !f->fits(text))
		return err_set(err_r, -EINVAL, NULL, "must be %s", f->words);
	return 0;
}

static int
answer_check_number(const json_t *property, const json_t *value, bool is_whole,
    struct err *err_r)
{
	const json_t *const min = json_object_get(property, "minimum");
	const json_t *const max = json_object_get(property, "maximum");
	char said[SAID_BYTES];

	if (!json_is_number(value))
		return answer_wrong_type(
		    value, is_whole ? "a whole number" : "a number", err_r);
	if (is_whole && !jsonvalue_is_whole(value))
		return err_set(err_r, -EINVAL, NULL, "must be a whole number");
	if (json_is_number(min) && jsonvalue_compare(value, min) < 0)
		return err_set(err_r, -EINVAL, NULL, "must be at least %s",
		    said_value(min, said));
	if (json_is_number(max) && jsonvalue_compare(value, max) > 0)
		return err_set(err_r, -EINVAL, NULL, "must be at most %s",
		    said_value(max, said));
	return 0;
}

/* Whether value is among the choices of a property. */
static bool
answer_is_choice(const json_t *property, const json_t *value)
{
	const char *const text = json_string_value(value);
	const size_t n = elicit_n_choices(property);

	for (size_t i = 0; text && i < n; i++)
		if (!strcmp(elicit_choice(property, i).value, text))
			return true;
	return false;
}

static int
answer_not_choice(const json_t *property, struct err *err_r)
{
	struct said_list l = { .left = elicit_n_choices(property) };
	const size_t n = l.left;
	char said[SAID_BYTES];

	for (size_t i = 0; i < n; i++) {
		const char *const v = elicit_choice(property, i).value;

		said_list_add(&l, said_text(v, strlen(v), said));
	}
	return err_set(err_r, -EINVAL, NULL, "must be %s%s",
	    n > 1 ? "one of " : "", l.text);
}

static int
answer_check_many(
    const json_t *property, const json_t *value, struct err *err_r)
{
	const size_t n = json_array_size(value);
	size_t limit = 0;

	if (!json_is_array(value))
		return answer_wrong_type(value, "an array of choices", err_r);
	if (answer_limit(property, "minItems", &limit) && n < limit)
		return err_set(err_r, -EINVAL, NULL,
		    "must have at least %zu choices, not %zu", limit, n);
	if (answer_limit(property, "maxItems", &limit) && n > limit)
		return err_set(err_r, -EINVAL, NULL,
		    "must have at most %zu choices, not %zu", limit, n);
	/* An answer needs no choice more often than the form has it. */
	if (n > ELICIT_CHOICES)
		return err_set(err_r, -EINVAL, NULL,
		    "must have at most %d choices, not %zu", ELICIT_CHOICES, n);
	for (size_t i = 0; i < n; i++)
		if (!answer_is_choice(property, json_array_get(value, i)))
			return answer_not_choice(property, err_r);
	return 0;
}

int
elicit_check_value(const json_t *property, json_t *value, struct err *err_r)
{
	const enum elicit_kind kind = elicit_kind(property);

	switch (kind) {
	case ELICIT_KIND_STRING:
		return answer_check_string(property, value, err_r);
	case ELICIT_KIND_NUMBER:
	case ELICIT_KIND_INTEGER:
		return answer_check_number(
		    property, value, kind == ELICIT_KIND_INTEGER, err_r);
	case ELICIT_KIND_BOOLEAN:
		return json_is_boolean(value)
		           ? 0
		           : answer_wrong_type(value, "true or false", err_r);
	case ELICIT_KIND_ONE:
		return answer_is_choice(property, value)
		           ? 0
		           : answer_not_choice(property, err_r);
	case ELICIT_KIND_MANY:
		return answer_check_many(property, value, err_r);
	case ELICIT_KIND_BAD:
		break;
	}
	return err_set(err_r, -EINVAL, NULL,
	    "belongs to a property that is no part of an elicitation form");
}

/* A *new* reference to value, with 3.0 as 3 for an integer; NULL: no memory. */
static json_t *
answer_keep(const json_t *property, json_t *value)
{
	const double d = json_real_value(value);

	if (elicit_kind(property) == ELICIT_KIND_INTEGER &&
	    json_is_real(value) && d >= -9007199254740992.0 &&
	    d <= 9007199254740992.0)
		return json_integer((json_int_t)d);
	return json_incref(value);
}

/* Check one property of an answer and keep it. */
static int
answer_take_one(const char *name, const json_t *property, json_t *value,
    json_t *kept, struct err *err_r)
{
	const struct jsonpointer_at at = { .name = name };
	const int e = elicit_check_value(property, value, err_r);

	if (e < 0 && err_r)
		jsonpointer_write(&at, err_r->place, sizeof(err_r->place));
	if (e < 0)
		return e;
	if (json_object_set_new_nocheck(
		kept, name, answer_keep(property, value)) < 0)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	return 0;
}

/* Refuse names that the form does not have, if it says so. */
static int
answer_check_names(json_t *schema, json_t *content, struct err *err_r)
{
	const json_t *const properties = json_object_get(schema, "properties");
	char place[ERR_PLACE_BYTES];

	if (!json_is_false(json_object_get(schema, "additionalProperties")))
		return 0;
	for (void *i = json_object_iter(content); i;
	     i = json_object_iter_next(content, i)) {
		const struct jsonpointer_at at = {
			.name = json_object_iter_key(i),
		};

		if (!json_object_get(properties, at.name))
			return err_set(err_r, -EINVAL,
			    jsonpointer_write(&at, place, sizeof(place)),
			    "was not asked for");
	}
	return 0;
}

int
elicit_accept(
    json_t *schema, json_t *content, json_t **kept_r, struct err *err_r)
{
	json_t *const properties = json_object_get(schema, "properties");
	char said[SAID_BYTES];

	*kept_r = NULL;
	if (!json_is_object(content))
		return err_set(err_r, -EINVAL, NULL,
		    "the answer must be an object, not %s",
		    content ? said_type(content) : "missing");
	int e = answer_check_names(schema, content, err_r);
	if (e < 0)
		return e;
	json_t *const kept = json_object();
	if (!kept)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	for (void *i = json_object_iter(properties); i && e == 0;
	     i = json_object_iter_next(properties, i)) {
		const char *const name = json_object_iter_key(i);
		json_t *const value = json_object_get(content, name);

		if (value)
			e = answer_take_one(name, json_object_iter_value(i),
			    value, kept, err_r);
		else if (elicit_is_required(schema, name))
			e = err_set(err_r, -EINVAL, NULL,
			    "needs the property %s",
			    said_text(name, strlen(name), said));
	}
	if (e < 0)
		json_decref(kept);
	else
		*kept_r = kept;
	return e;
}
