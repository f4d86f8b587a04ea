/* SPDX-License-Identifier: MIT */
/* overflow: a task that runs over its stack dies with a line that names it. */
#ifndef FLOW_OVERFLOW_H
#define FLOW_OVERFLOW_H

/* Watch for faults in guard pages of stacks; called by flow_open. */
void overflow_watch(void);

struct task;

/* A task's stack was found overrun: say so by its name, and abort. */
void overflow_abort(const struct task *t) __attribute__((noreturn));

/* Give the handler and its stack back; called by flow_close. */
void overflow_unwatch(void);

#endif
