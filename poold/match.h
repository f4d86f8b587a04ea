/* SPDX-License-Identifier: MIT */
/*
 * match: which tenant a host name belongs to. An exact host comes before a
 * template "*.suffix", which matches one label in front of its suffix; each
 * such label is a tenant of its own. Pure; log n.
 */
#ifndef POOLD_MATCH_H
#define POOLD_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#define MATCH_HOST_MAX 253 /* RFC 1035 2.3.4 */

/* What is wrong with a host of the configuration, for a person; or NULL. */
const char *match_fault(const char *host);

/* Whether it is a name that a request may have: lower case, no template. */
bool match_is_host(const char *host);

/* One configured host and the place of its tenant in the list. */
struct match_entry {
	const char *host; /* *borrowed* */
	size_t index;
};

/* Sort entries by host, as match_find needs it. */
void match_sort(struct match_entry *entries, size_t n);

/* An entry whose host another one has too, or NULL. Entries are sorted. */
const struct match_entry *
match_duplicate(const struct match_entry *entries, size_t n);

/*
 * The entry for host (lower case), or NULL: unknown. Entries are sorted.
 */
const struct match_entry *
match_find(const struct match_entry *entries, size_t n, const char *host);

#endif
