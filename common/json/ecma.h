/* SPDX-License-Identifier: MIT */
/*
 * ecma: rewrites a regular expression of ECMA-262 (u flag) so that PCRE2
 * reads the same out of it. Pure text to text; knows no library.
 */
#ifndef JSON_ECMA_H
#define JSON_ECMA_H

#include "common/base/bytes.h"
#include "common/base/err.h"

/*
 * Append to out what PCRE2 must be given for the pattern text. What ECMA-262
 * has not (possessive quantifiers, verbs, recursion, \Q, …) is refused.
 * *least_r is the greatest n of all quantifiers {n}, {n,} and {n,m}.
 * Returns 0, -EINVAL (err_r->text says what is wrong at which byte), -ENOBUFS
 * (out is full) or -ENOMEM.
 */
int ecma_translate(
    struct slice text, struct buf *out, size_t *least_r, struct err *err_r);

#endif
