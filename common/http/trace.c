/* SPDX-License-Identifier: MIT */
/*
 * trace: W3C Trace Context 3.2
 *	traceparent = version "-" trace-id "-" parent-id "-" trace-flags
 *	version = 2HEXDIGLC, never ff; trace-id = 32HEXDIGLC and
 *	parent-id = 16HEXDIGLC, neither all zero; trace-flags = 2HEXDIGLC
 */
#include "common/http/trace.h"

#include <stdio.h>
#include <string.h>

#include "common/base/random.h"
#include "common/http/char.h"

#define TRACE_ID_MAX (HTTP_TRACE_ID_SIZE - 1)
#define TRACE_PARENT (HTTP_TRACE_PARENT_SIZE - 1)

/* Where the parts of a traceparent stand; each but the last has a '-'. */
static const struct {
	size_t at;
	size_t n;
	bool is_id; /* must not be all zero */
} trace_parts[] = {
	{ 0, 2, false },
	{ 3, 32, true },
	{ 36, 16, true },
	{ 53, 2, false },
};

bool
http_trace_is_id(struct slice s)
{
	return s.n <= TRACE_ID_MAX && http_char_all(s, HTTP_CHAR_ID);
}

/* Whether the bytes of one part are lower-case hex, and an id not zero. */
static bool
trace_part_is_valid(struct slice s, bool is_id)
{
	bool is_zero = true;

	for (size_t i = 0; i < s.n; i++) {
		if (!http_char_is(s.p[i], HTTP_CHAR_HEX) ||
		    s.p[i] != http_char_lower(s.p[i]))
			return false;
		is_zero &= s.p[i] == '0';
	}
	return !is_id || !is_zero;
}

/* Whether the first 55 bytes are a traceparent of any version but ff. */
static bool
trace_has_parent(struct slice s)
{
	if (s.n < TRACE_PARENT || memcmp(s.p, "ff", 2) == 0)
		return false;
	for (size_t i = 0; i < sizeof(trace_parts) / sizeof(trace_parts[0]);
	     i++) {
		const size_t end = trace_parts[i].at + trace_parts[i].n;
		const struct slice part = { s.p + trace_parts[i].at,
			trace_parts[i].n };

		if (!trace_part_is_valid(part, trace_parts[i].is_id))
			return false;
		if (end < TRACE_PARENT && s.p[end] != '-')
			return false;
	}
	return true;
}

bool
http_trace_is_parent(struct slice s)
{
	return s.n == TRACE_PARENT && trace_has_parent(s) &&
	       memcmp(s.p, "00", 2) == 0;
}

/* The value of a field that is there exactly once, else an empty slice. */
static struct slice
trace_only(const struct http_head *head, enum http_name id)
{
	struct slice value = { NULL, 0 };
	int n = 0;

	for (size_t i = 0; i < head->n_fields; i++) {
		if (head->fields[i].id != id)
			continue;
		value = head->fields[i].value;
		n++;
	}
	return n == 1 ? value : (struct slice){ NULL, 0 };
}

char *
http_trace_id(const struct http_head *head, char out[HTTP_TRACE_ID_SIZE])
{
	const struct slice theirs = trace_only(head, HTTP_NAME_X_REQUEST_ID);

	if (http_trace_is_id(theirs))
		slice_copy(theirs, out, HTTP_TRACE_ID_SIZE);
	else
		random_id(out);
	return out;
}

char *
http_trace_parent(
    const struct http_head *head, char out[HTTP_TRACE_PARENT_SIZE])
{
	const struct slice theirs = trace_only(head, HTTP_NAME_TRACEPARENT);
	char trace[RANDOM_ID_SIZE];
	char parent[RANDOM_ID_SIZE];

	/* A later version may have more behind a '-' (3.2.4). */
	if (http_trace_is_parent(theirs) ||
	    (trace_has_parent(theirs) && memcmp(theirs.p, "00", 2) != 0 &&
		(theirs.n == TRACE_PARENT || theirs.p[TRACE_PARENT] == '-'))) {
		memcpy(out, theirs.p, TRACE_PARENT);
		memcpy(out, "00", 2);
		out[TRACE_PARENT] = '\0';
		return out;
	}
	snprintf(out, HTTP_TRACE_PARENT_SIZE, "00-%s-%.16s-00",
	    random_id(trace), random_id(parent));
	return out;
}
