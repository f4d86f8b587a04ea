/* SPDX-License-Identifier: MIT */
/*
 * wait: the one way to wait. A task parks itself on a waiter, which stands in
 * at most one list of waiters; whoever makes the event wakes it. Everything
 * else in this room (latch, queue, sleep, …) is made of this.
 */
#ifndef FLOW_WAIT_H
#define FLOW_WAIT_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/flow/here.h"

struct task;
struct waiter;

/* Tasks that wait for the same event, oldest first. Embedded in its owner. */
TAILQ_HEAD(waitq_head, waiter);
struct waitq {
	struct waitq_head waiters;
};

/* One waiting task; lives on its stack. */
struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct waitq *queue; /* where it stands, NULL once it was woken */
	struct task *task;
	int status; /* what the wait returns */
	bool is_woken;
	void *value; /* handed over by whoever woke it */
	/*
	 * The task was woken but halted before it ran: give what it was
	 * handed to another. NULL when nothing can be lost.
	 */
	void (*on_lost)(struct waiter *w);
};

/* An empty queue of waiters. */
void waitq_init(struct waitq *q);

/*
 * Wait on q until woken, or until deadline_ms (absolute; CLOCK_NEVER for ever;
 * 0 not at all). what is a word for a person who asks what the task waits for
 * (*borrowed* meanwhile). Returns the status of the wake-up or -ETIMEDOUT.
 * A halted wait does not return. In a local cleanup (where nothing may wait)
 * it returns -ECANCELED at once. Waits.
 */
int waitq_wait(struct waitq *q, const char *what, int64_t deadline_ms);

/* The same with a waiter filled by the caller (on_lost); value comes back. */
int waiter_wait(
    struct waiter *w, struct waitq *q, const char *what, int64_t deadline_ms);

/* Wake the oldest waiter. Returns it (*borrowed* until it runs) or NULL. */
struct waiter *waitq_wake_one(struct waitq *q, int status, void *value);

/* Wake all waiters. Returns how many. */
unsigned waitq_wake_all(struct waitq *q, int status);

/* Whether nobody waits. */
bool waitq_is_empty(const struct waitq *q);

/*
 * Wait for nothing: until the task is halted. In teardown returns -EDEADLK at
 * once instead of hanging.
 */
int flow_suspend(void);

#ifndef FLOW_INSIDE
#define flow_suspend()   (FLOW_HERE(), flow_suspend())
#define waitq_wait(...)  (FLOW_HERE(), waitq_wait(__VA_ARGS__))
#define waiter_wait(...) (FLOW_HERE(), waiter_wait(__VA_ARGS__))
#endif

#endif
