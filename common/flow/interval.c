/* SPDX-License-Identifier: MIT */
/* interval: a timer that sets itself again, without drifting. */
#include "common/flow/interval.h"

#include "common/base/clock.h"
#include "common/base/must.h"

static void
interval_on_due(void *arg)
{
	struct flow_interval *const i = arg;
	const int64_t now = clock_now_ms();
	int64_t next = i->started_ms;

	i->n_ticked = (uint64_t)((now - i->started_ms) / i->period_ms);
	next += (int64_t)(i->n_ticked + 1) * i->period_ms;
	loop_timer_set(&i->timer, next);
	waitq_wake_all(&i->waiters, 0);
}

void
flow_interval_start(struct flow_interval *i, int64_t period_ms)
{
	must(period_ms > 0);
	*i = (struct flow_interval){ .period_ms = period_ms };
	i->started_ms = clock_now_ms();
	waitq_init(&i->waiters);
	loop_timer_init(&i->timer, interval_on_due, i);
	loop_timer_set(&i->timer, i->started_ms + period_ms);
}

void
flow_interval_stop(struct flow_interval *i)
{
	if (!i->period_ms)
		return;
	loop_timer_clear(&i->timer);
	i->period_ms = 0;
}

uint64_t
flow_interval_next(struct flow_interval *i)
{
	must(i->period_ms > 0);
	while (i->n_taken == i->n_ticked)
		(void)waitq_wait(&i->waiters, "a tick", CLOCK_NEVER);
	return ++i->n_taken;
}
