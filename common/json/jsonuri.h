/* SPDX-License-Identifier: MIT */
/*
 * jsonuri: identifiers of schemas: taken apart, checked, resolved against a
 * base. Text only: nothing is ever fetched. No allocation but the output's.
 * Source: RFC 3986
 */
#ifndef JSON_JSONURI_H
#define JSON_JSONURI_H

#include <stdbool.h>

#include "common/base/bytes.h"

#define JSONURI_BYTES 1024 /* of one identifier */

/* The parts of a reference, borrowed from it, without their delimiters. */
struct jsonuri {
	struct slice scheme;
	struct slice authority;
	struct slice path;
	struct slice query;
	struct slice fragment;
	bool has_scheme;
	bool has_authority;
	bool has_query;
	bool has_fragment;
};

/* Take text apart; any text has parts (RFC 3986 appendix B). */
struct jsonuri jsonuri_split(struct slice text);

/* Whether text is a URI, or with is_reference a URI or relative reference. */
bool jsonuri_is_valid(struct slice text, bool is_reference);

/*
 * Append to out the target of ref seen from base, without its fragment
 * (RFC 3986 5.2.2). Returns 0, -ENOBUFS (out is full) or -ENOMEM.
 */
int jsonuri_resolve(struct slice base, struct slice ref, struct buf *out);

/*
 * Write text with %XX decoded into out (at most n bytes with the NUL).
 * Returns 0, -EINVAL (a wrong %XX, or one for NUL) or -ENOBUFS.
 */
int jsonuri_decode(struct slice text, char *out, size_t n);

#endif
