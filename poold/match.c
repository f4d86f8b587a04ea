/* SPDX-License-Identifier: MIT */
/*
 * match: a sorted array, looked up twice: for the host itself, then with its
 * first label replaced by "*".
 */
#include "poold/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MATCH_LABEL_MAX 63 /* RFC 1035 2.3.4 */

/*
 * RFC 1123 2.1: labels of letters, digits and inner hyphens. The underscore is
 * taken too, since DNS and clients do. A host becomes a folder's name, so
 * nothing else may pass: no slash, no empty label, so neither "." nor "..".
 */
static bool
match_is_name(const char *s)
{
	size_t n_label = 0, n = 0;
	char last = '.';

	for (; *s; s++, n++) {
		const bool is_plain = (*s >= 'a' && *s <= 'z') ||
		                      (*s >= '0' && *s <= '9') || *s == '_';
		if (*s == '.') {
			if (n_label == 0 || last == '-')
				return false;
			n_label = 0;
		} else if (is_plain || (*s == '-' && n_label > 0)) {
			if (++n_label > MATCH_LABEL_MAX)
				return false;
		} else {
			return false;
		}
		last = *s;
	}
	return n_label > 0 && last != '-' && n <= MATCH_HOST_MAX;
}

bool
match_is_host(const char *host)
{
	return match_is_name(host);
}

const char *
match_fault(const char *host)
{
	const char *const name = strncmp(host, "*.", 2) == 0 ? host + 2 : host;

	if (strchr(name, '*'))
		return "a '*' may only stand for the whole first label";
	if (strchr(name, ':'))
		return "must be a name without a port";
	if (!match_is_name(name))
		return "must be labels of lower-case letters, digits, '-' and "
		       "'_' with dots between";
	return NULL;
}

static int
match_compare(const void *a, const void *b)
{
	const struct match_entry *const one = a, *const other = b;

	return strcmp(one->host, other->host);
}

void
match_sort(struct match_entry *entries, size_t n)
{
	if (n > 0)
		qsort(entries, n, sizeof(*entries), match_compare);
}

const struct match_entry *
match_duplicate(const struct match_entry *entries, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const struct match_entry *const a = &entries[i - 1];
		const struct match_entry *const b = &entries[i];
		/* qsort keeps no order among equals: tell the later one. */
		if (strcmp(a->host, b->host) == 0)
			return a->index > b->index ? a : b;
	}
	return NULL;
}

static const struct match_entry *
match_exact(const struct match_entry *entries, size_t n, const char *host)
{
	const struct match_entry key = { host, 0 };

	if (n == 0)
		return NULL;
	return bsearch(&key, entries, n, sizeof(key), match_compare);
}

const struct match_entry *
match_find(const struct match_entry *entries, size_t n, const char *host)
{
	char template[MATCH_HOST_MAX + 2];
	const struct match_entry *found;
	const char *dot;

	if (!match_is_host(host))
		return NULL;
	if ((found = match_exact(entries, n, host)))
		return found;
	if (!(dot = strchr(host, '.')))
		return NULL;
	snprintf(template, sizeof(template), "*%s", dot);
	return match_exact(entries, n, template);
}
