/* SPDX-License-Identifier: MIT */
/* signal: a fan-out to subscribers with a bounded queue each. */
#include "common/flow/signal.h"

#include <errno.h>

#include "common/base/must.h"

void
flow_signal_init(struct flow_signal *s)
{
	*s = (struct flow_signal){ .is_closed = false };
	TAILQ_INIT(&s->subscriptions);
}

/* End a subscription; what it has buffered stays readable. */
static void
flow_signal_end(struct flow_subscription *sub, int status)
{
	TAILQ_REMOVE(&sub->signal->subscriptions, sub, link);
	sub->signal = NULL;
	sub->status = status;
	queue_close(&sub->values);
}

/* Put a value into a full buffer as the subscriber chose. */
static void
flow_signal_overflow(struct flow_subscription *sub, void *value)
{
	void *oldest;

	if (sub->policy == FLOW_SIGNAL_CLOSE_SLOW) {
		flow_signal_end(sub, -ENOBUFS);
		return;
	}
	/* One subscriber has one consumer: at most one item is promised. With
	 * a single place it is that one, and the new value is dropped. */
	if (queue_drop_oldest(&sub->values, &oldest) < 0)
		return;
	must(queue_add(&sub->values, value) == 0);
}

void
flow_signal_send(struct flow_signal *s, void *value)
{
	struct flow_subscription *sub, *next;

	TAILQ_FOREACH_SAFE (sub, &s->subscriptions, link, next)
		if (queue_add(&sub->values, value) == -ENOBUFS)
			flow_signal_overflow(sub, value);
}

void
flow_signal_close(struct flow_signal *s)
{
	struct flow_subscription *sub;

	s->is_closed = true;
	while ((sub = TAILQ_FIRST(&s->subscriptions)))
		flow_signal_end(sub, 0);
}

int
flow_signal_join(struct flow_signal *s, struct flow_subscription *sub,
    size_t cap, enum flow_signal_policy policy)
{
	*sub = (struct flow_subscription){ .policy = policy };
	if (queue_init(&sub->values, cap) < 0)
		return -ENOMEM;
	if (s->is_closed) {
		queue_close(&sub->values);
		return 0;
	}
	sub->signal = s;
	TAILQ_INSERT_TAIL(&s->subscriptions, sub, link);
	return 0;
}

void
flow_signal_leave(struct flow_subscription *sub)
{
	if (!sub->values.items)
		return;
	if (sub->signal)
		flow_signal_end(sub, 0);
	queue_fini(&sub->values, NULL);
}

int
flow_signal_next(
    struct flow_subscription *sub, int64_t deadline_ms, void **value_r)
{
	const int rc = queue_next(&sub->values, deadline_ms, value_r);

	return rc == -EPIPE && sub->status ? sub->status : rc;
}
