/* SPDX-License-Identifier: MIT */
/*
 * signal: a fan-out of events. Each subscriber gets every value sent after it
 * subscribed, in order, through a bounded buffer of its own; without
 * subscribers a value is dropped. Values are plain pointers that sender and
 * subscribers agree on; the signal owns none.
 */
#ifndef FLOW_SIGNAL_H
#define FLOW_SIGNAL_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/flow/here.h"
#include "common/flow/queue.h"

/* What happens when a subscriber's buffer is full. */
enum flow_signal_policy {
	FLOW_SIGNAL_DROP_OLDEST, /* it loses its oldest value */
	FLOW_SIGNAL_CLOSE_SLOW,  /* its subscription ends with -ENOBUFS */
	FLOW_SIGNAL_WAIT,        /* the sender waits (flow_signal_put) */
};

/* One subscriber; embedded in it, also on its stack. */
struct flow_subscription {
	TAILQ_ENTRY(flow_subscription) link;
	/* One that subscribed later; only to be fetched, it may be gone. */
	const struct flow_subscription *ahead;
	struct flow_signal *signal; /* NULL once it ended */
	enum flow_signal_policy policy;
	struct queue values;
	int status; /* why it ended: 0 closed, -ENOBUFS too slow, -ENOMEM */
};

TAILQ_HEAD(flow_subscriptions, flow_subscription);
struct flow_signal {
	struct flow_subscriptions subscriptions;
	size_t n_waited_for;  /* of them those with FLOW_SIGNAL_WAIT */
	struct waitq senders; /* of flow_signal_put, while one is full */
	bool is_closed;
	void *close_value;
};

/* A signal without subscribers; embedded in its owner. */
void flow_signal_init(struct flow_signal *s);

/*
 * Send to every subscriber; closed: dropped. Returns 0, or -EAGAIN when a
 * subscriber for whom the sender must wait is full: then nothing was sent to
 * anybody. Never waits, also from callbacks.
 */
int flow_signal_send(struct flow_signal *s, void *value);

/*
 * The same from a task, waiting for the subscribers that want it: a channel
 * with back pressure. Returns 0, -EPIPE when it is closed, -ETIMEDOUT. Waits.
 */
int flow_signal_put(struct flow_signal *s, void *value, int64_t deadline_ms);

/*
 * End every subscription after what it has buffered; each then gets value
 * with -EPIPE. The first close counts. Never waits.
 */
void flow_signal_close(struct flow_signal *s, void *value);

/*
 * Subscribe with room for cap values (QUEUE_UNBOUNDED: for all; without memory
 * for one the subscription ends with -ENOMEM). *sub is *borrowed* until
 * flow_signal_leave. Returns 0 or -ENOMEM; on a closed signal it succeeds and
 * flow_signal_next says -EPIPE.
 */
int flow_signal_join(struct flow_signal *s, struct flow_subscription *sub,
    size_t cap, enum flow_signal_policy policy);

/* Unsubscribe; ended already or zeroed: nothing. */
void flow_signal_leave(struct flow_subscription *sub);

/* A local subscription that leaves by itself. */
#define flow_subscription_auto __attribute__((cleanup(flow_signal_leave)))

/*
 * The next value. Returns 0 with *value_r, -EPIPE with the close's value,
 * -ENOBUFS after what it had when it was too slow, -ETIMEDOUT. A loop over a
 * signal is `while (flow_signal_next(…) == 0)`. Waits.
 */
int flow_signal_next(
    struct flow_subscription *sub, int64_t deadline_ms, void **value_r);

/*
 * Wait for one value, subscribed only meanwhile. Returns as flow_signal_next,
 * or -ENOMEM. Waits.
 */
int
flow_signal_once(struct flow_signal *s, int64_t deadline_ms, void **value_r);

#ifndef FLOW_INSIDE
#define flow_signal_next(...) (FLOW_HERE(), flow_signal_next(__VA_ARGS__))
#define flow_signal_put(...)  (FLOW_HERE(), flow_signal_put(__VA_ARGS__))
#define flow_signal_once(...) (FLOW_HERE(), flow_signal_once(__VA_ARGS__))
#endif

#endif
