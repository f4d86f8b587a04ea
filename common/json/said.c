/* SPDX-License-Identifier: MIT */
/* said: peers' words for our messages. */
#include "common/json/said.h"

#include <stdio.h>
#include <string.h>

#include "common/base/bytes.h"

void
said_clean(char *text)
{
	const size_t n = slice_whole(slice_of(text)).n;

	text[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
}

char *
said_text(const char *s, size_t n, char buf[SAID_BYTES])
{
	const size_t room = SAID_BYTES - sizeof("\"...\"");
	const bool is_cut = n > room;
	char copy[SAID_BYTES];

	if (is_cut)
		n = slice_whole((struct slice){ s, room }).n;
	memcpy(copy, s, n);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)copy[i] < 0x20 || copy[i] == 0x7f)
			copy[i] = '?';
	snprintf(
	    buf, SAID_BYTES, "\"%.*s%s\"", (int)n, copy, is_cut ? "..." : "");
	return buf;
}

char *
said_value(const json_t *value, char buf[SAID_BYTES])
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return said_text(
		    json_string_value(value), json_string_length(value), buf);
	case JSON_INTEGER:
		snprintf(buf, SAID_BYTES, "%" JSON_INTEGER_FORMAT,
		    json_integer_value(value));
		return buf;
	case JSON_REAL:
		snprintf(buf, SAID_BYTES, "%.15g", json_real_value(value));
		return buf;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(buf, SAID_BYTES, "%s",
		    json_is_true(value) ? "true" : "false");
		return buf;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	snprintf(buf, SAID_BYTES, "%s", said_type(value));
	return buf;
}

void
said_list_add(struct said_list *l, const char *entry)
{
	if (l->is_full)
		return;
	if (l->n + strlen(entry) + sizeof(" or ...") > sizeof(l->text)) {
		l->is_full = true;
		entry = "...";
		l->left = 0;
	}
	const char *const after = l->left > 2    ? ", "
	                          : l->left == 2 ? " or "
	                                         : "";

	l->n += (size_t)snprintf(
	    l->text + l->n, sizeof(l->text) - l->n, "%s%s", entry, after);
	if (l->left)
		l->left--;
}

const char *
said_type(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",
		[JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a number",
		[JSON_TRUE] = "a boolean",
		[JSON_FALSE] = "a boolean",
		[JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}
