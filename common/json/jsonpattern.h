/* SPDX-License-Identifier: MIT */
/*
 * jsonpattern: the regular expressions of JSON Schema, which are those of
 * ECMA-262 with the u flag, run by PCRE2. What the two dialects write
 * differently is translated; what only PCRE2 knows is refused. The only file
 * that knows PCRE2. A match is charged to a budget, step by step, so that no
 * pattern and no text runs away; it neither recurses nor uses the stack.
 * Source: ECMA-262 22.2.1, JSON Schema 2020-12 core 6.4, pcre2api(3)
 */
#ifndef JSON_JSONPATTERN_H
#define JSON_JSONPATTERN_H

#include "common/base/bytes.h"
#include "common/base/err.h"
#include "common/json/jsonvalue.h"

#define JSONPATTERN_BYTES 4096 /* of one pattern */
#define JSONPATTERN_NEST  32   /* groups inside one another */

/* A compiled pattern: owned by the caller, immutable. */
struct jsonpattern;

/*
 * Compile a pattern. *pattern_r is *new* (jsonpattern_free), NULL on failure.
 * Returns 0, -EINVAL (err_r->text says what is wrong at which byte) or
 * -ENOMEM. err_r may be NULL.
 */
int jsonpattern_new(
    struct slice text, struct jsonpattern **pattern_r, struct err *err_r);

/* Free *pattern and set it to NULL; NULL is allowed. */
void jsonpattern_free(struct jsonpattern **pattern);

/*
 * Whether the pattern occurs in subject (UTF-8). Returns 1 or 0, -EMSGSIZE
 * when the budget or PCRE2's own limits are spent, -ENOMEM.
 */
int jsonpattern_match(const struct jsonpattern *pattern, struct slice subject,
    struct jsonvalue_budget *budget);

/* The pattern as it was written; borrowed from it. */
struct slice jsonpattern_text(const struct jsonpattern *pattern);

#endif
