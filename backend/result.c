/* SPDX-License-Identifier: MIT */
/* result: hl_text, hl_result, hl_error, and what is read out of values. */
#include "backend/result.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/mem.h"
#include "common/json/jsontext.h"

#include "backend/entries.h"
#include "backend/holdline.h"
#include "backend/value.h"

/* Replace, in place, each byte that is no character. */
static void
result_clean(char *text)
{
	struct slice rest = slice_of(text);

	for (size_t n; rest.n; rest = (struct slice){ rest.p + n, rest.n - n })
		if (!(n = slice_char(rest))) {
			text[rest.p - text] = '?';
			n = 1;
		}
}

char *
result_vformat(const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		n = 0;
	if ((unsigned)n > RESULT_TEXT_BYTES)
		n = RESULT_TEXT_BYTES;
	char *const text = mem_alloc((size_t)n + 1);
	if (text) {
		text[0] = '\0';
		vsnprintf(text, (size_t)n + 1, fmt, again);
		result_clean(text);
	}
	va_end(again);
	return text;
}

json_t *
result_text(const char *text, bool is_error)
{
	if (is_error)
		return json_pack("{s:[{s:s, s:s}], s:b}", "content", "type",
		    "text", "text", text, "isError", 1);
	return json_pack(
	    "{s:[{s:s, s:s}]}", "content", "type", "text", "text", text);
}

/* Format and wrap a text. */
static json_t *
result_vtext(bool is_error, const char *fmt, va_list ap)
{
	char *const text = result_vformat(fmt, ap);
	json_t *const result = text ? result_text(text, is_error) : NULL;

	mem_free(text);
	return result;
}

json_t *
hl_text(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_t *const result = result_vtext(false, fmt, ap);
	va_end(ap);
	return result;
}

json_t *
hl_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_t *const result = result_vtext(true, fmt, ap);
	va_end(ap);
	return result;
}

/* The result for a structured value (*takes*). */
static json_t *
result_structured_take(json_t *value)
{
	char *const text = json_is_object(value) && value_check(value) == 0
	                       ? jsontext_dump(value, ENTRIES_BYTES)
	                       : NULL;
	json_t *const result = text ? result_text(text, false) : NULL;

	mem_free(text);
	if (result &&
	    json_object_set(result, "structuredContent", value) == 0) {
		json_decref(value);
		return result;
	}
	json_decref(result);
	json_decref(value);
	return NULL;
}

json_t *
hl_result(const char *fmt, ...)
{
	json_error_t ignored;
	va_list ap;

	va_start(ap, fmt);
	json_t *const value = json_vpack_ex(&ignored, 0, fmt, ap);
	va_end(ap);
	return result_structured_take(value);
}

int
hl_accepted(const json_t *pick)
{
	return json_is_object(pick);
}

const char *
hl_action(const json_t *pick)
{
	return json_is_string(pick) ? json_string_value(pick) : "accept";
}

const char *
hl_said(const json_t *tip)
{
	json_t *const content = json_object_get(tip, "content");
	const json_t *block;
	size_t i;

	if (json_is_object(content)) {
		block = json_object_get(content, "text");
		return json_is_string(block) ? json_string_value(block) : "";
	}
	json_array_foreach (content, i, block) {
		block = json_object_get(block, "text");
		if (json_is_string(block))
			return json_string_value(block);
	}
	return "";
}

int
result_check(const json_t *value, struct err *err_r)
{
	json_t *const content = json_object_get(value, "content");
	const int64_t bytes = value ? value_bytes(value) : 0;
	json_t *block;
	size_t i;

	if (!value)
		return err_set(
		    err_r, -EINVAL, NULL, "the tool returned no result");
	if (bytes == -ENOMEM)
		return err_set(err_r, -ENOMEM, NULL, "out of memory");
	if (bytes < 0)
		return err_set(err_r, -EMSGSIZE, NULL,
		    "the tool's result is nested deeper than %d levels or has "
		    "too many values",
		    VALUE_DEPTH);
	if (bytes > ENTRIES_BYTES)
		return err_set(err_r, -EMSGSIZE, NULL,
		    "the tool's result is larger than %u bytes", ENTRIES_BYTES);
	if (!json_is_array(content))
		return err_set(err_r, -EINVAL, NULL,
		    "the tool returned something that is no result");
	json_array_foreach (content, i, block)
		if (!json_is_string(json_object_get(block, "type")))
			return err_set(err_r, -EINVAL, NULL,
			    "item %zu of the tool's content has no type", i);
	return 0;
}

bool
result_is_error(const json_t *value)
{
	return json_is_true(json_object_get(value, "isError"));
}
