/* SPDX-License-Identifier: MIT */
/*
 * jsonpointer: where a value stands in a document: a chain of steps that
 * lives on the stack (or in nodes) while one walks down, written out when
 * there is something to report; and the reading of pointers.
 * Source: RFC 6901
 */
#ifndef JSON_JSONPOINTER_H
#define JSON_JSONPOINTER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"

/* A step down. Everything borrowed for as long as the step is in use. */
struct jsonpointer_at {
	const struct jsonpointer_at *up; /* NULL above the first step */
	const char *first;               /* a name, or NULL for none */
	const char *name;                /* a name, or NULL for the index */
	size_t index;                    /* JSONPOINTER_NO_INDEX for none */
};

#define JSONPOINTER_NO_INDEX ((size_t)-1)

/*
 * Write the pointer of at (NULL: the whole document, "") into buf of n bytes.
 * Where it does not fit, the end stays and "..." stands before it; control
 * bytes become '?'. Returns buf.
 */
char *jsonpointer_write(const struct jsonpointer_at *at, char *buf, size_t n);

/*
 * Take the next token of the pointer *rest, which is not empty, and unescape
 * it into token (n bytes). Returns 0, -EINVAL (no '/' before it, a wrong ~)
 * or -ENOBUFS.
 */
int jsonpointer_next(struct slice *rest, char *token, size_t n);

/* Read a token as an array index. Returns false if it is none. */
bool jsonpointer_index(const char *token, size_t *index_r);

#endif
