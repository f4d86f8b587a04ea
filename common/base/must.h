/* SPDX-License-Identifier: MIT */
/*
 * must: assertions that stay on in release builds. They guard our own
 * invariants, never what a peer sent. Runs in every process.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stdint.h>

/* Abort with file, line and the condition when cond is false. */
#define must(cond) ((cond) ? (void)0 : must_fail(__FILE__, __LINE__, #cond))

/* Abort unless x is non-NULL and carries the magic of its type. */
#define must_be(x, want) must((x) && (x)->magic == (want))

/* Print the broken invariant to stderr and abort. Never returns. */
void must_fail(const char *file, int line, const char *what)
    __attribute__((noreturn, cold));

#endif
