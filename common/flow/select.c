/* SPDX-License-Identifier: MIT */
/* select: a list of what is ready, one of what was told, the one who waits. */
#include "common/flow/select.h"

#include <errno.h>
#include <stddef.h>

#include "common/base/must.h"

void
select_init(struct select *select)
{
	*select = (struct select){ .is_posted = false };
	waitq_init(&select->task);
	TAILQ_INIT(&select->ready);
	TAILQ_INIT(&select->told);
}

/* It stands in no list any more. Returns what it was ready for. */
static unsigned
select_remove(struct select_fd *f)
{
	const unsigned events = f->ready;

	if (events)
		TAILQ_REMOVE(&f->select->ready, f, link);
	else if (f->is_told)
		TAILQ_REMOVE(&f->select->told, f, link);
	f->ready = 0;
	f->is_told = false;
	return events;
}

/* It is ready for something: it stands in line once. */
static void
select_add(struct select_fd *f, unsigned events)
{
	if (f->is_told)
		(void)select_remove(f);
	if (!f->ready)
		TAILQ_INSERT_TAIL(&f->select->ready, f, link);
	f->ready |= events;
	waitq_wake_all(&f->select->task, 0);
}

/* It was told: it is armed when its task has nothing else to do. */
static void
select_put_told(struct select_fd *f)
{
	f->is_told = true;
	TAILQ_INSERT_TAIL(&f->select->told, f, link);
}

static void
select_on_ready(unsigned events, void *arg)
{
	select_add(arg, events);
}

int
select_watch(struct select *select, struct select_fd *f, int fd,
    unsigned events, void *arg)
{
	must(!f->select && events);
	*f = (struct select_fd){ .arg = arg };
	loop_once_init(&f->once, fd, select_on_ready, f);
	const int rc = loop_once_watch(&f->once, events);
	if (rc == 0)
		f->select = select;
	return rc;
}

void
select_unwatch(struct select_fd *f)
{
	if (!f->select)
		return;
	(void)select_remove(f);
	loop_once_stop(&f->once);
	f->select = NULL;
}

int
select_change(struct select_fd *f, unsigned events)
{
	must(f->select && events);
	if (f->ready && !(f->ready & events))
		(void)select_remove(f);
	f->ready &= events;
	return loop_once_watch(&f->once, events);
}

void
select_move(struct select_fd *f, struct select *select, void *arg)
{
	must(f->select != NULL);
	const bool is_told = f->is_told;
	const unsigned ready = select_remove(f);
	f->select = select;
	f->arg = arg;
	if (ready)
		select_add(f, ready);
	else if (is_told)
		select_put_told(f);
}

void
select_post(struct select *select)
{
	select->is_posted = true;
	waitq_wake_all(&select->task, 0);
}

/* Take what comes first. Returns whether there was something. */
static bool
select_take(struct select *select, int *events_r, struct select_fd **ready_r)
{
	struct select_fd *const f = TAILQ_FIRST(&select->ready);

	*ready_r = NULL;
	*events_r = 0;
	if (!select->is_posted && !f)
		return false;
	if (select->is_posted) {
		select->is_posted = false;
		return true;
	}
	*ready_r = f;
	*events_r = (int)select_remove(f);
	select_put_told(f);
	return true;
}

/* Its task has nothing to do: hear again of what was told. */
static void
select_arm(struct select *select)
{
	struct select_fd *f;

	while ((f = TAILQ_FIRST(&select->told))) {
		(void)select_remove(f);
		/* If the kernel will not say it, we do: nothing is lost. */
		if (loop_once_arm(&f->once) < 0)
			select_add(f, f->once.events);
	}
}

/*
 * Until when to wait: the loop is to turn, and no more, when something is ready
 * that the kernel would not say.
 */
static int64_t
select_until(const struct select *select, int64_t deadline_ms)
{
	return deadline_ms == 0 || TAILQ_EMPTY(&select->ready) ? deadline_ms
	                                                       : loop_now_ms();
}

int
select_next(struct select *select, const char *what, int64_t deadline_ms,
    struct select_fd **ready_r)
{
	int events;

	must(waitq_is_empty(&select->task));
	while (!select_take(select, &events, ready_r)) {
		select_arm(select);
		const int rc = waitq_wait(
		    &select->task, what, select_until(select, deadline_ms));
		/* A deadline may have come with something at once. */
		if (rc < 0 &&
		    (deadline_ms == 0 ||
			(!select->is_posted && TAILQ_EMPTY(&select->ready))))
			return rc;
	}
	return events;
}
