/* SPDX-License-Identifier: MIT */
/*
 * must: the end of a process that broke one of its own invariants.
 * Writes without stdio, so that it works between fork and exec and with a
 * full heap.
 */
#include "common/base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
must_fail(const char *file, int line, const char *what)
{
	char msg[512];
	const int n = snprintf(msg, sizeof(msg),
	    "must: %s:%d: broken invariant: %s\n", file, line, what);
	const size_t len = n < (int)sizeof(msg) ? (size_t)n : sizeof(msg) - 1;

	if (write(STDERR_FILENO, msg, len) < 0)
		abort();
	abort();
}
