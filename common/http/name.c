/* SPDX-License-Identifier: MIT */
/* name: the table of field names and what follows from it. */
#include "common/http/name.h"

#include <string.h>

#include "common/http/char.h"

/* No name of the table is longer; a longer one needs no second look. */
#define NAME_LONGEST 32

struct name_row {
	const char *text;
	size_t n;
	unsigned flags;
};

static const struct name_row names[HTTP_NAME_COUNT] = {
	[HTTP_NAME_OTHER] = { "", 0, 0 },
#define X(id, text, flags) \
	[HTTP_NAME_##id] = { text, sizeof(text) - 1, (flags) },
	HTTP_NAMES(X)
#undef X
};

enum http_name
http_name_find(struct slice name)
{
	if (!name.n)
		return HTTP_NAME_OTHER;
	const char first = http_char_lower(name.p[0]);
	int i = HTTP_NAME_OTHER + 1;

	/* Rows are ordered by length. */
	while (i < HTTP_NAME_COUNT && names[i].n < name.n)
		i++;
	for (; i < HTTP_NAME_COUNT && names[i].n == name.n; i++) {
		if (http_char_lower(names[i].text[0]) == first &&
		    slice_caseeq(name, http_name_text((enum http_name)i)))
			return (enum http_name)i;
	}
	return HTTP_NAME_OTHER;
}

unsigned
http_name_flags(enum http_name id)
{
	return names[id].flags;
}

struct slice
http_name_text(enum http_name id)
{
	return (struct slice){ names[id].text, names[id].n };
}

/* Whether name starts with a prefix in lower case, '_' counting as '-'. */
static bool
name_starts(struct slice name, struct slice prefix)
{
	if (name.n < prefix.n)
		return false;
	for (size_t i = 0; i < prefix.n; i++) {
		const char c = http_char_lower(name.p[i]);

		if ((c == '_' ? '-' : c) != prefix.p[i])
			return false;
	}
	return true;
}

bool
http_name_is_pinned(struct slice name)
{
	return name_starts(name, SLICE("mcp-")) ||
	       http_name_flags(http_name_find(name)) & HTTP_NAME_PINNED;
}

bool
http_name_is_forged(struct slice name)
{
	char dashed[NAME_LONGEST];

	if (name_starts(name, SLICE("holdline-")))
		return true;
	if (name.n > NAME_LONGEST || !name.n || !memchr(name.p, '_', name.n))
		return false;
	for (size_t i = 0; i < name.n; i++)
		dashed[i] = name.p[i] == '_' ? '-' : name.p[i];
	return http_name_find((struct slice){ dashed, name.n }) !=
	       HTTP_NAME_OTHER;
}
