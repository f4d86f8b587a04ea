/* SPDX-License-Identifier: MIT */
/*
 * queue: items in order, each to exactly one consumer, the one that waits
 * longest. Bounded: with cap items inside queue_add says -ENOBUFS and
 * queue_put waits. QUEUE_UNBOUNDED must be said to have it grow instead.
 * Embedded in its owner; items are pointers whose ownership moves with them.
 */
#ifndef FLOW_QUEUE_H
#define FLOW_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/flow/here.h"
#include "common/flow/wait.h"

#define QUEUE_UNBOUNDED SIZE_MAX

struct queue {
	struct waitq consumers;
	struct waitq producers; /* of queue_put, while it is full */
	void **items;           /* ring of cap places */
	size_t cap;             /* places that there are now */
	bool is_unbounded;
	size_t first;
	size_t n;
	size_t n_promised; /* to consumers that were woken, not run yet */
	bool is_closed;
	void *close_value;
};

/*
 * An empty queue for at most cap (> 0) items, or QUEUE_UNBOUNDED. Returns 0 or
 * -ENOMEM.
 */
int queue_init(struct queue *q, size_t cap);

/*
 * Free the places. Items still inside are passed to drop (may be NULL when
 * they need no end). Nobody may wait on it any more.
 */
void queue_fini(struct queue *q, void (*drop)(void *item));

/* Whether it has no room now; never, if it is unbounded. */
bool queue_is_full(const struct queue *q);

/*
 * Add an item (NULL is an item like any other). Returns 0, -ENOBUFS when it is
 * full, -ENOMEM when it cannot grow, -EPIPE when it is closed; on an error the
 * caller keeps the item. Never waits.
 */
int queue_add(struct queue *q, void *item);

/*
 * Add an item, waiting for room. Returns 0, -EPIPE when it is or gets closed,
 * -ETIMEDOUT, -ENOMEM; on an error, and when it is halted, the caller keeps the
 * item. Waits.
 */
int queue_put(struct queue *q, void *item, int64_t deadline_ms);

/*
 * No item will follow; consumers get the rest, then -EPIPE with value, again
 * and again. The first close counts. Never waits.
 */
void queue_close(struct queue *q, void *value);

/*
 * Take the next item. Returns 0 with *item_r, -EPIPE with the value of the
 * close in *item_r once it is closed and empty, or -ETIMEDOUT. A halted
 * consumer takes nothing. Waits.
 */
int queue_next(struct queue *q, int64_t deadline_ms, void **item_r);

/*
 * Take the oldest item away from the consumers, to make room. Returns 0 with
 * *item_r, or -EBUSY when every item is promised to a consumer that is about
 * to run. Never waits.
 */
int queue_drop_oldest(struct queue *q, void **item_r);

#ifndef FLOW_INSIDE
#define queue_next(...) (FLOW_HERE(), queue_next(__VA_ARGS__))
#define queue_put(...)  (FLOW_HERE(), queue_put(__VA_ARGS__))
#endif

#endif
