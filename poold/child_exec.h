/* SPDX-License-Identifier: MIT */
/* child_exec: the way of a child from the fork to its program. */
#ifndef POOLD_CHILD_EXEC_H
#define POOLD_CHILD_EXEC_H

#include "poold/heritage.h"

/*
 * Become what h says and run its program. To be called in the child, with all
 * signals blocked. If a step fails, it is written to h->report_fd and the
 * child exits with status 127. Async-signal-safe.
 */
void child_exec(const struct heritage *h) __attribute__((noreturn));

#endif
