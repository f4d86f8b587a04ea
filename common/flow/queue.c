/* SPDX-License-Identifier: MIT */
/*
 * queue: a ring of items. An item that wakes a consumer stays in the ring,
 * promised, until that consumer runs: if it is halted first the promise goes
 * to the next one, and nothing is lost or needs room.
 */
#include "common/flow/queue.h"

#include <errno.h>

#include "common/base/mem.h"
#include "common/base/must.h"

#define QUEUE_FIRST_PLACES 16 /* of an unbounded one */

int
queue_init(struct queue *q, size_t cap)
{
	must(cap > 0);
	*q = (struct queue){ .cap = cap };
	if (cap == QUEUE_UNBOUNDED) {
		q->is_unbounded = true;
		q->cap = cap = QUEUE_FIRST_PLACES;
	}
	waitq_init(&q->consumers);
	waitq_init(&q->producers);
	q->items = mem_zalloc(cap, sizeof(*q->items));
	return q->items ? 0 : -ENOMEM;
}

void
queue_fini(struct queue *q, void (*drop)(void *item))
{
	must(waitq_is_empty(&q->consumers) && !q->n_promised);
	for (; q->n; q->n--) {
		if (drop)
			drop(q->items[q->first]);
		q->first = (q->first + 1) % q->cap;
	}
	mem_free(q->items);
	q->items = NULL;
}

/* Wake a consumer for an item that nobody was promised yet. */
static void
queue_promise(struct queue *q)
{
	if (waitq_wake_one(&q->consumers, 0, q))
		q->n_promised++;
}

bool
queue_is_full(const struct queue *q)
{
	return q->n == q->cap && !q->is_unbounded;
}

/* Twice as many places; the oldest item moves to the first. */
static int
queue_grow(struct queue *q)
{
	void **const items = mem_zalloc(q->cap, 2 * sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < q->n; i++)
		items[i] = q->items[(q->first + i) % q->cap];
	mem_free(q->items);
	q->items = items;
	q->first = 0;
	q->cap *= 2;
	return 0;
}

int
queue_add(struct queue *q, void *item)
{
	if (q->is_closed)
		return -EPIPE;
	if (queue_is_full(q))
		return -ENOBUFS;
	if (q->n == q->cap && queue_grow(q) < 0)
		return -ENOMEM;
	q->items[(q->first + q->n++) % q->cap] = item;
	queue_promise(q);
	return 0;
}

/* A producer was woken for room but halted: the room is another's. */
static void
queue_on_room_lost(struct waiter *w)
{
	struct queue *const q = w->value;

	if (q)
		(void)waitq_wake_one(&q->producers, 0, q);
}

int
queue_put(struct queue *q, void *item, int64_t deadline_ms)
{
	int rc;

	while ((rc = queue_add(q, item)) == -ENOBUFS) {
		struct waiter w = { .on_lost = queue_on_room_lost };
		rc = waiter_wait(
		    &w, &q->producers, "room in a queue", deadline_ms);
		if (rc < 0)
			return rc;
	}
	return rc;
}

void
queue_close(struct queue *q, void *value)
{
	if (q->is_closed)
		return;
	q->is_closed = true;
	q->close_value = value;
	waitq_wake_all(&q->producers, -EPIPE);
	waitq_wake_all(&q->consumers, -EPIPE);
}

/* A consumer was woken but halted before it ran. */
static void
queue_on_lost(struct waiter *w)
{
	struct queue *const q = w->value;

	if (!q)
		return;
	q->n_promised--;
	queue_promise(q);
}

/* Take the oldest item. */
static void
queue_take(struct queue *q, void **item_r)
{
	must(q->n > 0);
	*item_r = q->items[q->first];
	q->first = (q->first + 1) % q->cap;
	q->n--;
	(void)waitq_wake_one(&q->producers, 0, q);
}

int
queue_next(struct queue *q, int64_t deadline_ms, void **item_r)
{
	struct waiter w = { .on_lost = queue_on_lost };

	if (q->n > q->n_promised) {
		queue_take(q, item_r);
		return 0;
	}
	if (q->is_closed) {
		*item_r = q->close_value;
		return -EPIPE;
	}
	const int rc = waiter_wait(&w, &q->consumers, "an item", deadline_ms);
	if (rc == -EPIPE)
		*item_r = q->close_value;
	if (rc < 0)
		return rc;
	q->n_promised--;
	queue_take(q, item_r);
	return 0;
}

int
queue_drop_oldest(struct queue *q, void **item_r)
{
	if (q->n <= q->n_promised)
		return -EBUSY;
	queue_take(q, item_r);
	return 0;
}
