/* SPDX-License-Identifier: MIT */
/* latch: a value that comes once, for every waiter, earlier or later. */
#include "common/flow/latch.h"

#include <stddef.h>

void
latch_init(struct latch *l)
{
	*l = (struct latch){ .is_set = false };
	waitq_init(&l->waiters);
}

bool
latch_set(struct latch *l, int status, void *value)
{
	if (l->is_set)
		return false;
	l->is_set = true;
	l->status = status;
	l->value = value;
	waitq_wake_all(&l->waiters, 0);
	return true;
}

int
latch_wait(
    struct latch *l, const char *what, int64_t deadline_ms, void **value_r)
{
	if (!l->is_set) {
		const int rc = waitq_wait(&l->waiters, what, deadline_ms);
		if (rc < 0)
			return rc;
	}
	if (value_r)
		*value_r = l->value;
	return l->status;
}
