/* SPDX-License-Identifier: MIT */
/*
 * fuzz_json_schema: JSON text from outside through all of common/json. An
 * input is a text, a NUL, another text: both are parsed; the first is a
 * schema and a form, the second a value, an answer, and what was typed.
 */
#include <errno.h>

#include "common/json/elicit.h"
#include "common/json/jsontext.h"
#include "common/json/schema.h"
#include "tests/fuzz/fuzz.h"

/* What a failure tells is one clean line with a place that is a string. */
static void
check_err(int code, const struct err *e)
{
	if (code == 0)
		return;
	fuzz_must(code < 0 && e->code == code && e->text[0]);
	for (const char *p = e->text; *p; p++)
		fuzz_must((unsigned char)*p >= 0x20 && *p != 0x7f);
	for (const char *p = e->place; *p; p++)
		fuzz_must((unsigned char)*p >= 0x20 && *p != 0x7f);
}

/* Parse text, from memory of exactly its size. Returns *new* or NULL. */
static json_t *
parse(struct slice text)
{
	char *const copy = fuzz_copy(text);
	struct err e = { 0 };
	json_t *value = NULL;
	const int r =
	    jsontext_load((struct slice){ copy, text.n }, NULL, &value, &e);

	check_err(r, &e);
	fuzz_must((r == 0) == (value != NULL));
	free(copy);
	return value;
}

static void
try_schema(json_t *doc, json_t *value)
{
	const struct schema_options options = {
		.assert_format = true,
		.steps = 50000,
	};
	struct schema *schema = NULL;
	struct err e = { 0 };
	int r = schema_new(doc, &options, &schema, &e);

	check_err(r, &e);
	if (r < 0)
		return;
	r = schema_check(schema, value, &e);
	check_err(r, &e);
	fuzz_must(schema_check(schema, value, NULL) == r);
	schema_free(&schema);
}

static void
try_form(json_t *form, json_t *answer, const char *typed)
{
	json_t *const properties = json_object_get(form, "properties");
	struct err e = { 0 };
	json_t *kept = NULL;
	int r = elicit_check_form(form, &e);
	char hint[64];

	check_err(r, &e);
	r = elicit_accept(form, answer, &kept, &e);
	check_err(r, &e);
	json_decref(kept);
	for (void *i = json_object_iter(properties); i;
	     i = json_object_iter_next(properties, i)) {
		json_t *const property = json_object_iter_value(i);

		elicit_hint(property, hint, sizeof(hint));
		r = elicit_coerce(property, typed, &kept, &e);
		check_err(r, &e);
		json_decref(kept);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *const text = (const char *)data;
	const size_t first = n ? strnlen(text, n) : 0;
	const size_t rest = first < n ? first + 1 : n;
	json_t *const doc = parse((struct slice){ text, first });
	json_t *const value = parse((struct slice){ text + rest, n - rest });
	char *const typed = strndup(n ? text + rest : "", n - rest);

	if (!typed)
		abort();
	if (doc && value)
		try_schema(doc, value);
	if (json_is_object(doc) && value)
		try_form(doc, value, typed);
	free(typed);
	json_decref(doc);
	json_decref(value);
	return 0;
}
