/* SPDX-License-Identifier: MIT */
/*
 * schema: JSON Schema 2020-12 over jansson. A schema is compiled once and
 * checks many values. It never fetches anything: a reference must lead into
 * the document itself, a document that the caller registers, or the 2020-12
 * meta-schema, which is built in. Neither a hostile schema nor a hostile
 * value can burn CPU, memory or stack: subschemas, levels and steps are
 * bounded, regular expressions count as steps. Pure: no I/O, never waits.
 *
 * Stack: schema_check takes at most SCHEMA_LEVEL_BYTES for each level and
 * 10 KiB once, so with the default levels it fits a 64 KiB stack. schema_new
 * does not recurse; PCRE2 compiling a `pattern` takes at most 44 KiB.
 */
#ifndef JSON_SCHEMA_H
#define JSON_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/err.h"

#define SCHEMA_DIALECT     "https://json-schema.org/draft/2020-12/schema"
#define SCHEMA_SUBSCHEMAS  10000
#define SCHEMA_LEVELS      128
#define SCHEMA_LEVEL_BYTES 384 /* in a release build; a test measures it */
#define SCHEMA_STEPS       1000000

/* A compiled schema: owned by the caller, immutable, usable by many checks. */
struct schema;

/*
 * A document that references may lead to. schema_new *borrows* the text and
 * *refs* the document if one does.
 */
struct schema_remote {
	const char *uri; /* absolute, without fragment */
	json_t *doc;
};

/* How to compile; all zero is the default. Needed only during schema_new. */
struct schema_options {
	const struct schema_remote *remotes;
	size_t n_remotes;
	const char *base_uri; /* of a document without $id; NULL is none */
	bool assert_format;   /* `format` refuses; else it only annotates */
	size_t subschemas;    /* at most so many; 0 is SCHEMA_SUBSCHEMAS */
	unsigned levels;      /* of evaluation; 0 is SCHEMA_LEVELS */
	uint64_t steps;       /* of one check; 0 is SCHEMA_STEPS */
};

/*
 * Compile doc (*refs*: the schema keeps its own reference; do not change the
 * document afterwards). options may be NULL. *schema_r is *new*
 * (schema_free), NULL on failure.
 * Returns 0, or: -EINVAL a keyword has a wrong value, -ENOENT a reference
 * leads nowhere, -ENOTSUP `$schema` names another dialect, -EMSGSIZE too many
 * subschemas, -ENOMEM. err_r->place is a JSON pointer into doc (behind the
 * document's URI where it is not doc), err_r->text says what is wrong.
 * Source: JSON Schema 2020-12 core and validation
 */
int schema_new(json_t *doc, const struct schema_options *options,
    struct schema **schema_r, struct err *err_r);

/* Free *schema and set it to NULL; NULL is allowed. */
void schema_free(struct schema **schema);

/*
 * Check value (*borrowed* during the call, not changed) against schema.
 * Returns 0 when it fits, -EINVAL when it does not, and when that could not
 * be found out: -ELOOP (over `levels`: a schema or value nested too deep, or
 * a reference that goes round for ever), -EMSGSIZE (over `steps`), -ENOMEM.
 * err_r->place is the JSON pointer of the offending value ("" is the whole),
 * err_r->text says what was expected: "must be at least 3 characters long".
 */
int schema_check(const struct schema *schema, json_t *value, struct err *err_r);

#endif
