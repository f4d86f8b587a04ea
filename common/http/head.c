/* SPDX-License-Identifier: MIT */
/* head: looking things up in a parsed head. */
#include "common/http/head.h"

#include <string.h>

const struct http_field *
http_head_find(const struct http_head *head, enum http_name id)
{
	for (size_t i = 0; i < head->n_fields; i++) {
		if (head->fields[i].id == id)
			return &head->fields[i];
	}
	return NULL;
}

const struct http_field *
http_head_find_text(const struct http_head *head, struct slice name)
{
	for (size_t i = 0; i < head->n_fields; i++) {
		if (slice_caseeq(head->fields[i].name, name))
			return &head->fields[i];
	}
	return NULL;
}

struct slice
http_head_value(const struct http_head *head, enum http_name id)
{
	const struct http_field *const field = http_head_find(head, id);

	return field ? field->value : (struct slice){ NULL, 0 };
}

struct slice
http_head_value_text(const struct http_head *head, struct slice name)
{
	const struct http_field *const field = http_head_find_text(head, name);

	return field ? field->value : (struct slice){ NULL, 0 };
}

bool
http_head_next(struct slice *list_r, struct slice *item_r)
{
	while (list_r->n) {
		const char *const comma = memchr(list_r->p, ',', list_r->n);
		const size_t n =
		    comma ? (size_t)(comma - list_r->p) : list_r->n;
		const size_t used = comma ? n + 1 : n;

		*item_r = slice_trim((struct slice){ list_r->p, n });
		*list_r = (struct slice){ list_r->p + used, list_r->n - used };
		if (item_r->n)
			return true;
	}
	return false;
}

bool
http_head_has_token(
    const struct http_head *head, enum http_name id, struct slice token)
{
	for (size_t i = 0; i < head->n_fields; i++) {
		struct slice list = head->fields[i].value;
		struct slice item;

		if (head->fields[i].id != id)
			continue;
		while (http_head_next(&list, &item)) {
			if (slice_caseeq(item, token))
				return true;
		}
	}
	return false;
}
