/* SPDX-License-Identifier: MIT */
/*
 * latch: a value that comes once. The first set wins; every waiter, earlier or
 * later, gets it. Embedded in its owner, which must outlive its waiters.
 */
#ifndef FLOW_LATCH_H
#define FLOW_LATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/flow/here.h"
#include "common/flow/wait.h"

struct latch {
	struct waitq waiters;
	bool is_set;
	int status;
	void *value;
};

/* An open latch. */
void latch_init(struct latch *l);

/*
 * Set it: waiters return status and see value (ownership is between the
 * setter and the readers). Returns whether this was the first set. Never
 * waits.
 */
bool latch_set(struct latch *l, int status, void *value);

/*
 * Wait until it is set. Returns its status, or -ETIMEDOUT; *value_r (may be
 * NULL) is its value. Set already: returns at once, letting nobody else run.
 */
int latch_wait(
    struct latch *l, const char *what, int64_t deadline_ms, void **value_r);

#ifndef FLOW_INSIDE
#define latch_wait(...) (FLOW_HERE(), latch_wait(__VA_ARGS__))
#endif

#endif
