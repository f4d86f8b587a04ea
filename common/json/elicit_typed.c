/* SPDX-License-Identifier: MIT */
/* elicit_typed: for forms in a terminal: what to type, and what it means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/json/elicit.h"
#include "common/json/jsonformat.h"
#include "common/json/jsonvalue.h"
#include "common/json/said.h"

#define TYPED_NUMBER_BYTES 64

/* Append formatted text to buf of n bytes. */
static void __attribute__((format(printf, 3, 4)))
hint_add(char *buf, size_t n, const char *fmt, ...)
{
	const size_t at = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + at, n - at, fmt, ap);
	va_end(ap);
}

/* Append " from 1 to 9", " from 1", " up to 9" or nothing, and unit. */
static void
hint_add_range(char *buf, size_t n, const json_t *property, const char *low,
    const char *high, const char *unit)
{
	const json_t *const min = json_object_get(property, low);
	const json_t *const max = json_object_get(property, high);
	char a[SAID_BYTES];
	char b[SAID_BYTES];

	if (json_is_number(min) && json_is_number(max))
		hint_add(buf, n, " from %s to %s%s", said_value(min, a),
		    said_value(max, b), unit);
	else if (json_is_number(min))
		hint_add(buf, n, " from %s%s", said_value(min, a), unit);
	else if (json_is_number(max))
		hint_add(buf, n, " up to %s%s", said_value(max, b), unit);
}

char *
elicit_hint(const json_t *property, char *buf, size_t n)
{
	const char *const format =
	    json_string_value(json_object_get(property, "format"));
	const struct jsonformat *const f =
	    format ? jsonformat_find(format) : NULL;

	snprintf(buf, n, "%s", "");
	switch (elicit_kind(property)) {
	case ELICIT_KIND_STRING:
		hint_add(buf, n, "%s", f ? f->words : "text");
		hint_add_range(
		    buf, n, property, "minLength", "maxLength", " characters");
		break;
	case ELICIT_KIND_NUMBER:
		hint_add(buf, n, "a number");
		hint_add_range(buf, n, property, "minimum", "maximum", "");
		break;
	case ELICIT_KIND_INTEGER:
		hint_add(buf, n, "a whole number");
		hint_add_range(buf, n, property, "minimum", "maximum", "");
		break;
	case ELICIT_KIND_BOOLEAN:
		hint_add(buf, n, "yes or no");
		break;
	case ELICIT_KIND_ONE:
		hint_add(
		    buf, n, "one of %zu choices", elicit_n_choices(property));
		break;
	case ELICIT_KIND_MANY:
		hint_add(
		    buf, n, "any of %zu choices,", elicit_n_choices(property));
		hint_add_range(
		    buf, n, property, "minItems", "maxItems", " of them,");
		hint_add(buf, n, " separated by commas");
		break;
	case ELICIT_KIND_BAD:
		hint_add(buf, n, "nothing that can be typed");
		break;
	}
	return buf;
}

static int
typed_boolean(struct slice text, json_t **value_r, struct err *err_r)
{
	static const struct {
		const char *word;
		bool is;
	} words[] = {
		{ "yes", true },
		{ "y", true },
		{ "true", true },
		{ "no", false },
		{ "n", false },
		{ "false", false },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (slice_caseeq(text, slice_of(words[i].word))) {
			*value_r = json_boolean(words[i].is);
			return 0;
		}
	return err_set(err_r, -EINVAL, NULL, "please answer yes or no");
}

/* A number as JSON writes it; nothing else is taken for one. */
static int
typed_number(
    struct slice text, bool is_whole, json_t **value_r, struct err *err_r)
{
	json_error_t why;
	json_t *const v =
	    text.n && text.n <= TYPED_NUMBER_BYTES
		? json_loadb(text.p, text.n, JSON_DECODE_ANY, &why)
		: NULL;

	if (text.n && !v && text.n <= TYPED_NUMBER_BYTES && !why.text[0])
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	if (!json_is_number(v) || (is_whole && !jsonvalue_is_whole(v))) {
		json_decref(v);
		return err_set(err_r, -EINVAL, NULL, "please type a %snumber",
		    is_whole ? "whole " : "");
	}
	*value_r = v;
	/* 3.0 for an integer is 3, as in elicit_accept. */
	if (is_whole && json_is_real(v) &&
	    json_real_value(v) >= -9007199254740992.0 &&
	    json_real_value(v) <= 9007199254740992.0) {
		*value_r = json_integer((json_int_t)json_real_value(v));
		json_decref(v);
	}
	return *value_r ? 0 : err_set(err_r, -ENOMEM, NULL, "out of memory");
}

/* The choice that is meant by number, counted from 1. */
static bool
typed_ordinal(struct slice text, size_t n, size_t *i_r)
{
	size_t number = 0;

	if (!text.n || text.n > 6)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		number = number * 10 + (size_t)(text.p[i] - '0');
	}
	*i_r = number - 1;
	return number >= 1 && number <= n;
}

/* Find the choice that text means: by value, title, number, in this order. */
static bool
typed_choice(const json_t *property, struct slice text, size_t *i_r)
{
	const size_t n = elicit_n_choices(property);

	for (*i_r = 0; *i_r < n; (*i_r)++)
		if (slice_eq(
			text, slice_of(elicit_choice(property, *i_r).value)))
			return true;
	for (*i_r = 0; *i_r < n; (*i_r)++) {
		const struct elicit_choice c = elicit_choice(property, *i_r);

		if (slice_caseeq(text, slice_of(c.title)) ||
		    slice_caseeq(text, slice_of(c.value)))
			return true;
	}
	return typed_ordinal(text, n, i_r);
}

static int
typed_unknown(const json_t *property, struct slice text, struct err *err_r)
{
	char said[SAID_BYTES];

	return err_set(err_r, -EINVAL, NULL,
	    "%s is not one of the %zu choices; type its number or its name",
	    said_text(text.p, text.n, said), elicit_n_choices(property));
}

static int
typed_one(const json_t *property, struct slice text, json_t **value_r,
    struct err *err_r)
{
	size_t i = 0;

	if (!typed_choice(property, text, &i))
		return typed_unknown(property, text, err_r);
	*value_r = json_string(elicit_choice(property, i).value);
	return *value_r ? 0 : err_set(err_r, -ENOMEM, NULL, "out of memory");
}

/* Whether array holds that string already. */
static bool
typed_has(const json_t *array, const char *text)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (!strcmp(json_string_value(json_array_get(array, i)), text))
			return true;
	return false;
}

/* Add what one piece of text means to an array, once. */
static int
typed_add(const json_t *property, struct slice piece, json_t *array,
    struct err *err_r)
{
	size_t i = 0;

	if (!typed_choice(property, piece, &i))
		return typed_unknown(property, piece, err_r);
	const char *const value = elicit_choice(property, i).value;
	if (typed_has(array, value))
		return 0;
	if (json_array_append_new(array, json_string(value)) < 0)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	return 0;
}

static int
typed_many(const json_t *property, struct slice text, json_t **value_r,
    struct err *err_r)
{
	json_t *const array = json_array();
	size_t whole = 0;
	int e = 0;

	if (!array)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	/* A choice may have a comma in its name. */
	if (text.n && typed_choice(property, text, &whole)) {
		e = typed_add(property, text, array, err_r);
		text.n = 0;
	}
	while (text.n && e == 0) {
		const char *const comma = memchr(text.p, ',', text.n);
		const size_t n = comma ? (size_t)(comma - text.p) : text.n;

		e = typed_add(property, slice_trim((struct slice){ text.p, n }),
		    array, err_r);
		text.p += comma ? n + 1 : n;
		text.n -= comma ? n + 1 : n;
	}
	if (e < 0)
		json_decref(array);
	else
		*value_r = array;
	return e;
}

/* Free text as it is; jansson has one NULL for two kinds of failure. */
static int
typed_text(const char *text, json_t **value_r, struct err *err_r)
{
	*value_r = json_string(text);
	if (*value_r)
		return 0;
	json_t *const unchecked = json_string_nocheck(text);
	const bool is_short = !unchecked;

	json_decref(unchecked);
	return is_short
	           ? err_set(err_r, -ENOMEM, NULL, "out of memory")
	           : err_set(err_r, -EINVAL, NULL, "please type text in UTF-8");
}

int
elicit_coerce(const json_t *property, const char *text, json_t **value_r,
    struct err *err_r)
{
	const struct slice trimmed = slice_trim(slice_of(text));
	const enum elicit_kind kind = elicit_kind(property);
	json_t *value = NULL;
	int e = 0;

	*value_r = NULL;
	switch (kind) {
	case ELICIT_KIND_BOOLEAN:
		e = typed_boolean(trimmed, &value, err_r);
		break;
	case ELICIT_KIND_NUMBER:
	case ELICIT_KIND_INTEGER:
		e = typed_number(
		    trimmed, kind == ELICIT_KIND_INTEGER, &value, err_r);
		break;
	case ELICIT_KIND_ONE:
		e = typed_one(property, trimmed, &value, err_r);
		break;
	case ELICIT_KIND_MANY:
		e = typed_many(property, trimmed, &value, err_r);
		break;
	case ELICIT_KIND_STRING:
	case ELICIT_KIND_BAD:
		e = typed_text(text, &value, err_r);
		break;
	}
	if (e == 0)
		e = elicit_check_value(property, value, err_r);
	if (e < 0)
		json_decref(value);
	else
		*value_r = value;
	return e;
}
