/* SPDX-License-Identifier: MIT */
/*
 * wait: parking and waking. A wait ends in one of four ways: woken, deadline,
 * interrupted before it began, interrupted while parked. The interrupted ones
 * leave the list and unwind; nothing else in this room may park.
 */
#include "common/flow/wait.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/flow/core.h"
#include "common/flow/here.h"
#include "common/loop/loop.h"

const char *flow_here_file;
int flow_here_line;
struct flow_probe flow_probe;

void
waitq_init(struct waitq *q)
{
	TAILQ_INIT(&q->waiters);
}

bool
waitq_is_empty(const struct waitq *q)
{
	return TAILQ_EMPTY(&q->waiters);
}

/* Take w out of its list, if it stands in one. */
static void
waiter_leave(struct waiter *w)
{
	if (w->queue)
		TAILQ_REMOVE(&w->queue->waiters, w, link);
	w->queue = NULL;
}

void
waiter_wake(struct waiter *w, int status, void *value)
{
	waiter_leave(w);
	w->status = status;
	w->value = value;
	w->is_woken = true;
	run_ready(w->task);
}

static void
waiter_on_deadline(void *arg)
{
	struct waiter *const w = arg;

	if (!w->is_woken)
		waiter_wake(w, -ETIMEDOUT, NULL);
}

/* Park the running task on w until it is ready again. */
static void
waiter_park(struct waiter *w, const char *what)
{
	struct task *const t = w->task;

	t->waiter = w;
	t->waits_for = what;
	t->here_file = flow_here_file;
	t->here_line = flow_here_line;
	t->parked_ms = loop_now_ms();
	flow_here_file = NULL;
	t->phase = TASK_WAITING;
	run_park();
	t->waiter = NULL;
	t->waits_for = NULL;
}

/* The same, until the deadline at most. */
static void
waiter_park_until(struct waiter *w, const char *what, int64_t deadline_ms)
{
	struct loop_timer timer;

	loop_timer_init(&timer, waiter_on_deadline, w);
	loop_timer_set(&timer, deadline_ms);
	waiter_park(w, what);
	loop_timer_clear(&timer);
}

int
waiter_wait(
    struct waiter *w, struct waitq *q, const char *what, int64_t deadline_ms)
{
	struct task *const t = task_self();

	must(t != NULL);
	if (t->unwind.is_active)
		return -ECANCELED;
	if (flow_probe.on_suspend)
		flow_probe.on_suspend(t);
	if (task_is_interrupted(t))
		unwind_start(&t->unwind);
	if (deadline_ms == 0)
		return -ETIMEDOUT;
	w->task = t;
	w->queue = q;
	w->is_woken = false;
	w->value = NULL;
	TAILQ_INSERT_TAIL(&q->waiters, w, link);
	if (deadline_ms == CLOCK_NEVER)
		waiter_park(w, what);
	else
		waiter_park_until(w, what, deadline_ms);
	waiter_leave(w);
	if (!task_is_interrupted(t))
		return w->status;
	if (w->is_woken && w->on_lost)
		w->on_lost(w);
	unwind_start(&t->unwind);
}

int
waitq_wait(struct waitq *q, const char *what, int64_t deadline_ms)
{
	struct waiter w = { .on_lost = NULL };

	return waiter_wait(&w, q, what, deadline_ms);
}

struct waiter *
waitq_wake_one(struct waitq *q, int status, void *value)
{
	struct waiter *const w = TAILQ_FIRST(&q->waiters);

	if (w)
		waiter_wake(w, status, value);
	return w;
}

unsigned
waitq_wake_all(struct waitq *q, int status)
{
	unsigned n = 0;

	while (waitq_wake_one(q, status, NULL))
		n++;
	return n;
}

int
flow_suspend(void)
{
	struct waitq nothing;

	must(task_self() != NULL);
	if (task_self()->shield)
		return -EDEADLK;
	waitq_init(&nothing);
	return waitq_wait(&nothing, "nothing, for ever", CLOCK_NEVER);
}
