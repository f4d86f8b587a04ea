/* SPDX-License-Identifier: MIT */
/* signal: a fan-out to subscribers with a bounded queue each. */
#include "common/flow/signal.h"

#include <errno.h>

#include "common/base/must.h"

#define SIGNAL_AHEAD 4  /* so many before its turn a subscription is fetched */
#define SIGNAL_LINE  64 /* of the caches */

void
flow_signal_init(struct flow_signal *s)
{
	*s = (struct flow_signal){ .is_closed = false };
	TAILQ_INIT(&s->subscriptions);
	waitq_init(&s->senders);
}

/* End a subscription; what it has buffered stays readable. */
static void
flow_signal_end(struct flow_subscription *sub, int status, void *value)
{
	struct flow_signal *const s = sub->signal;

	TAILQ_REMOVE(&s->subscriptions, sub, link);
	s->n_waited_for -= sub->policy == FLOW_SIGNAL_WAIT;
	sub->signal = NULL;
	sub->status = status;
	queue_close(&sub->values, value);
	waitq_wake_all(&s->senders, 0);
}

/* Put a value into a full buffer as the subscriber chose. */
static void
flow_signal_overflow(struct flow_subscription *sub, void *value)
{
	void *oldest;

	if (sub->policy == FLOW_SIGNAL_CLOSE_SLOW) {
		flow_signal_end(sub, -ENOBUFS, NULL);
		return;
	}
	/* One subscriber has one consumer: at most one item is promised. With
	 * a single place it is that one, and the new value is dropped. */
	if (queue_drop_oldest(&sub->values, &oldest) < 0)
		return;
	must(queue_add(&sub->values, value) == 0);
}

/* Whether a subscriber wants the sender to wait now. */
static bool
flow_signal_must_wait(const struct flow_signal *s)
{
	const struct flow_subscription *sub;

	if (!s->n_waited_for)
		return false;
	TAILQ_FOREACH (sub, &s->subscriptions, link)
		if (sub->policy == FLOW_SIGNAL_WAIT &&
		    queue_is_full(&sub->values))
			return true;
	return false;
}

/*
 * The subscriptions lie on the stacks of many tasks: before one is sent to,
 * fetch what the next one needs, and a later one itself.
 */
static inline void
flow_signal_fetch(
    const struct flow_subscription *sub, const struct flow_subscription *next)
{
	__builtin_prefetch(TAILQ_FIRST(&next->values.consumers.waiters), 1);
	__builtin_prefetch(next->values.items, 1);
	if (!sub->ahead)
		return;
	__builtin_prefetch(sub->ahead, 1);
	__builtin_prefetch((const char *)sub->ahead + SIGNAL_LINE, 1);
}

int
flow_signal_send(struct flow_signal *s, void *value)
{
	struct flow_subscription *sub, *next;
	struct flow_subscription *passed[SIGNAL_AHEAD] = { NULL };
	size_t n = 0;

	if (flow_signal_must_wait(s))
		return -EAGAIN;
	TAILQ_FOREACH_SAFE (sub, &s->subscriptions, link, next) {
		if (next)
			flow_signal_fetch(sub, next);
		struct flow_subscription **const p =
		    &passed[n++ % SIGNAL_AHEAD];
		if (*p)
			(*p)->ahead = sub;
		*p = sub;
		const int rc = queue_add(&sub->values, value);
		if (rc == -ENOBUFS)
			flow_signal_overflow(sub, value);
		else if (rc < 0)
			flow_signal_end(sub, rc, NULL);
	}
	return 0;
}

int
flow_signal_put(struct flow_signal *s, void *value, int64_t deadline_ms)
{
	while (!s->is_closed && flow_signal_must_wait(s)) {
		const int rc = waitq_wait(
		    &s->senders, "room at a subscriber", deadline_ms);
		if (rc < 0)
			return rc;
	}
	return s->is_closed ? -EPIPE : flow_signal_send(s, value);
}

void
flow_signal_close(struct flow_signal *s, void *value)
{
	struct flow_subscription *sub;

	if (s->is_closed)
		return;
	s->is_closed = true;
	s->close_value = value;
	while ((sub = TAILQ_FIRST(&s->subscriptions)))
		flow_signal_end(sub, 0, value);
	waitq_wake_all(&s->senders, 0);
}

int
flow_signal_join(struct flow_signal *s, struct flow_subscription *sub,
    size_t cap, enum flow_signal_policy policy)
{
	*sub = (struct flow_subscription){ .policy = policy };
	if (queue_init(&sub->values, cap) < 0)
		return -ENOMEM;
	if (s->is_closed) {
		queue_close(&sub->values, s->close_value);
		return 0;
	}
	sub->signal = s;
	s->n_waited_for += policy == FLOW_SIGNAL_WAIT;
	TAILQ_INSERT_TAIL(&s->subscriptions, sub, link);
	return 0;
}

void
flow_signal_leave(struct flow_subscription *sub)
{
	if (!sub->values.items)
		return;
	if (sub->signal)
		flow_signal_end(sub, 0, NULL);
	queue_fini(&sub->values, NULL);
}

int
flow_signal_next(
    struct flow_subscription *sub, int64_t deadline_ms, void **value_r)
{
	const int rc = queue_next(&sub->values, deadline_ms, value_r);

	if (rc == 0 && sub->signal && sub->policy == FLOW_SIGNAL_WAIT)
		waitq_wake_all(&sub->signal->senders, 0);
	return rc == -EPIPE && sub->status ? sub->status : rc;
}

int
flow_signal_once(struct flow_signal *s, int64_t deadline_ms, void **value_r)
{
	flow_subscription_auto struct flow_subscription sub = { 0 };
	const int rc = flow_signal_join(s, &sub, 1, FLOW_SIGNAL_DROP_OLDEST);

	return rc < 0 ? rc : flow_signal_next(&sub, deadline_ms, value_r);
}
