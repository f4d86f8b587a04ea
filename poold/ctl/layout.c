/* SPDX-License-Identifier: MIT */
/* layout: content blocks and JSON values as text in columns. */
#include "poold/ctl/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/jsontext.h"

#define LAYOUT_KEY_COLUMNS 28 /* longer keys do not widen the column */

/* A number as short as it can be written without losing anything. */
static void
layout_real(struct page *p, double d)
{
	char text[40];

	snprintf(text, sizeof(text), "%.15g", d);
	if (strtod(text, NULL) != d)
		snprintf(text, sizeof(text), "%.17g", d);
	page_put(p, text);
}

/* A value that fits one line. */
static void
layout_scalar(struct page *p, const json_t *value)
{
	if (json_is_string(value))
		page_clean(p,
		    (struct slice){
			json_string_value(value), json_string_length(value) },
		    PAGE_ONE_LINE);
	else if (json_is_integer(value))
		page_putf(
		    p, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		layout_real(p, json_real_value(value));
	else if (json_is_boolean(value))
		page_put(p, json_is_true(value) ? "yes" : "no");
	else if (json_is_null(value))
		page_put(p, "-");
	else
		page_put(p, json_is_array(value) ? "(none)" : "(empty)");
}

/* Whether a value takes lines of its own. */
static bool
layout_is_block(const json_t *value)
{
	return json_object_size(value) > 0 || json_array_size(value) > 0;
}

/* The column that the values of an object start in. */
static size_t
layout_key_columns(json_t *object)
{
	const char *key;
	json_t *value;
	size_t columns = 0;

	json_object_foreach (object, key, value) {
		const size_t n = page_columns(slice_of(key));
		if (n > columns && n <= LAYOUT_KEY_COLUMNS &&
		    !layout_is_block(value))
			columns = n;
	}
	return columns;
}

static void
layout_key(struct page *p, const char *key)
{
	page_look(p, PAGE_BOLD);
	page_clean_line(p, key);
	page_look(p, PAGE_PLAIN);
	page_put(p, ":");
}

static void
layout_object(struct page *p, json_t *object, size_t indent)
{
	const size_t columns = layout_key_columns(object);
	const char *key;
	json_t *value;

	json_object_foreach (object, key, value) {
		const size_t n = page_columns(slice_of(key));
		page_pad(p, indent);
		layout_key(p, key);
		if (layout_is_block(value)) {
			page_put(p, "\n");
			layout_value(p, value, indent + 2);
			continue;
		}
		page_pad(p, n < columns ? columns - n + 1 : 1);
		layout_scalar(p, value);
		page_put(p, "\n");
	}
}

static void
layout_array(struct page *p, const json_t *array, size_t indent)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *const item = json_array_get(array, i);
		page_pad(p, indent);
		if (layout_is_block(item)) {
			page_putf(p, "%zu.\n", i + 1);
			layout_value(p, item, indent + 2);
			continue;
		}
		page_put(p, "- ");
		layout_scalar(p, item);
		page_put(p, "\n");
	}
}

void
layout_value(struct page *p, const json_t *value, size_t indent)
{
	if (json_object_size(value) > 0) {
		layout_object(p, (json_t *)value, indent);
		return;
	}
	if (json_array_size(value) > 0) {
		layout_array(p, value, indent);
		return;
	}
	page_pad(p, indent);
	layout_scalar(p, value);
	page_put(p, "\n");
}

/* Whether a text is the structured content once more. */
static bool
layout_is_repeated(const json_t *text, const json_t *structured)
{
	json_t *value = NULL;

	if (!structured ||
	    jsontext_load((struct slice){ json_string_value(text),
			      json_string_length(text) },
		NULL, &value, NULL) < 0)
		return false;
	const bool is_same = json_equal(value, structured);
	json_decref(value);
	return is_same;
}

/* Text of a block or of an embedded resource, on lines of its own. */
static void
layout_text(struct page *p, const json_t *text)
{
	page_clean(p,
	    (struct slice){ json_string_value(text), json_string_length(text) },
	    PAGE_MANY_LINES);
	page_fresh_line(p);
}

/* What a block holds that cannot be shown: "[image image/png: name]". */
static void
layout_named(struct page *p, const char *what, const json_t *block)
{
	static const char *const keys[] = { "mimeType", "name", "uri" };

	page_put(p, "[");
	page_clean_line(p, what);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *const said =
		    json_string_value(json_object_get(block, keys[i]));
		if (!said)
			continue;
		page_put(p, " ");
		page_clean_line(p, said);
	}
	page_put(p, "]\n");
}

static void
layout_block(struct page *p, const json_t *block, const json_t *structured)
{
	const char *type = json_string_value(json_object_get(block, "type"));
	const json_t *const text = json_object_get(block, "text");
	const json_t *const resource = json_object_get(block, "resource");

	if (!type)
		type = "something";
	if (strcmp(type, "text") == 0 && json_is_string(text)) {
		if (!layout_is_repeated(text, structured))
			layout_text(p, text);
	} else if (json_is_object(resource)) {
		layout_named(p, type, resource);
		if (json_is_string(json_object_get(resource, "text")))
			layout_text(p, json_object_get(resource, "text"));
	} else {
		layout_named(p, type, block);
	}
}

void
layout_result(struct page *p, const json_t *result)
{
	const json_t *const content = json_object_get(result, "content");
	const json_t *const structured =
	    json_object_get(result, "structuredContent");

	for (size_t i = 0; i < json_array_size(content); i++)
		layout_block(p, json_array_get(content, i), structured);
	if (structured)
		layout_value(p, structured, 0);
	if (page_text(p).n == 0)
		page_put(p, "(the tool returned nothing)\n");
}
