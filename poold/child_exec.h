/* SPDX-License-Identifier: MIT */
/* child_exec: the way of a child from the fork to its program. */
#ifndef POOLD_CHILD_EXEC_H
#define POOLD_CHILD_EXEC_H

#include "poold/heritage.h"

#define CHILD_EXEC_STATUS 127 /* of a child that could not run its program */

/*
 * Become what h says and run its program. To be called in the child, with all
 * signals blocked. If a step fails, it is written to h->report_fd and the
 * child exits with status 127. Async-signal-safe.
 */
void child_exec(const struct heritage *h) __attribute__((noreturn));

/* The last steps: enter the folder, write the pid, run the program. */
void child_exec_run(const struct heritage *h, int report_fd)
    __attribute__((noreturn));

/* Report a failed step and exit. */
void child_exec_fail(int report_fd, enum heritage_step step, int e)
    __attribute__((noreturn));

#endif
