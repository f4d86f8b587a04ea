/* SPDX-License-Identifier: MIT */
/*
 * value: JSON that a tool makes. jansson recurses on it, so its depth and
 * its size are bounded first; and it is copied whole or not at all
 * (json_deep_copy drops what it has no memory for without a word). Pure.
 */
#ifndef BACKEND_VALUE_H
#define BACKEND_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define VALUE_DEPTH  64      /* levels, as for JSON from outside */
#define VALUE_VALUES 1000000 /* in one, counted along all paths */

/* Whether value (*borrowed*) keeps both limits. Returns 0 or -EMSGSIZE. */
int value_check(const json_t *value);

/* Bytes of value as compact text, -EMSGSIZE as above, or -ENOMEM. */
int64_t value_bytes(const json_t *value);

/*
 * What jsontext_dump made a text of: what is kept for long is kept so, a tree
 * is some five times as large. *new*, or NULL without memory.
 */
json_t *value_of_text(const char *text);

/*
 * About how many bytes of memory value takes, or a little more; 0 for NULL.
 * It must be bounded in depth, as JSON from outside is.
 */
size_t value_memory(const json_t *value);

/*
 * Fold value (NULL: that there is none) into *digest, which begins with any
 * number: FNV-1a of its compact text, members in order of their names. For
 * telling a repetition, not for keeping somebody out. It must be bounded in
 * depth. Returns 0 or -ENOMEM.
 */
int value_digest(const json_t *value, uint64_t *digest);

/*
 * Copy a value that keeps the limits. Returns *new*, or NULL without memory
 * or beyond the limits.
 */
json_t *value_copy(const json_t *value);

#endif
