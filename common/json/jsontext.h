/* SPDX-License-Identifier: MIT */
/*
 * jsontext: JSON text from outside becomes a json_t, or an error that says
 * where; and back. A linear scan without recursion bounds depth, number of
 * values and token sizes *before* jansson, which recurses, sees a byte: a
 * megabyte of brackets costs an error and nothing else, on any stack. Follows
 * RFC 8259; stricter where it leaves a choice: no duplicate names, no invalid
 * UTF-8, no NUL in strings unless asked for. Runs in every process that reads
 * JSON.
 */
#ifndef JSON_JSONTEXT_H
#define JSON_JSONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/err.h"

#define JSONTEXT_DEPTH        64
#define JSONTEXT_VALUES       250000
#define JSONTEXT_STRING_BYTES (4u << 20)
#define JSONTEXT_NUMBER_BYTES 256 /* of one number; fixed */

/* What a text may cost. 0 in a field stands for the default above. */
struct jsontext_limits {
	size_t depth;        /* arrays and objects inside one another */
	size_t values;       /* strings, numbers, literals, containers, names */
	size_t string_bytes; /* of one string as written, without quotes */
	bool allow_nul;      /* accept \u0000 in strings (then use lengths) */
};

/*
 * Start-up, before any value is made: have jansson allocate through us, so that
 * a text that is read without memory is -ENOMEM and not another value.
 */
void jsontext_init(void);

/*
 * Scan text for what would cost too much; the grammar is left to jansson.
 * limits may be NULL (the defaults). Linear, no recursion, no allocation.
 * Returns 0, or -EMSGSIZE (a limit, which one is in err_r->text); err_r->place
 * is "line N column M", columns in bytes.
 */
int jsontext_check(
    struct slice text, const struct jsontext_limits *limits, struct err *err_r);

/*
 * Parse text within limits (NULL: the defaults). Any value may stand at the
 * top. *value_r is *new* (json_decref), NULL on failure.
 * Returns 0, -EMSGSIZE (a limit), -EBADMSG (not JSON, a name twice, invalid
 * UTF-8, an integer over 64 bits) or -ENOMEM; err_r as jsontext_check.
 * Source: RFC 8259
 */
int jsontext_load(struct slice text, const struct jsontext_limits *limits,
    json_t **value_r, struct err *err_r);

/*
 * Write value (*borrowed*, bounded in depth, any type) as compact text into
 * memory of ours, of at most bytes_max bytes: json_dumps leaves out names that
 * it has no memory for. Returns *new* text (mem_free), whole; or NULL: larger,
 * no memory, or no value.
 */
char *jsontext_dump(const json_t *value, size_t bytes_max);

/*
 * text, which may be no UTF-8, as a *new* string, which then says so. NULL
 * without memory.
 */
json_t *jsontext_string(const char *text);

#endif
