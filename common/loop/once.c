/* SPDX-License-Identifier: MIT */
/*
 * once: one epoll below that of libevent. What it reports is kept in a batch
 * while it is told, so that one that is stopped meanwhile can be crossed out.
 * It exists while anything is watched.
 */
#include "common/loop/once.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "common/base/fd.h"
#include "common/base/must.h"

#define ONCE_BATCH 64

static struct {
	int fd;
	unsigned n; /* watched */
	struct loop_io io;
	struct epoll_event batch[ONCE_BATCH];
	int n_batch;
} onces = { .fd = -1 };

/* Tests only: what nothing promises is permuted. */
static void
once_shuffle(void)
{
	for (int i = onces.n_batch - 1; i > 0; i--) {
		const int j = (int)(loop_random() % (unsigned)(i + 1));
		const struct epoll_event other = onces.batch[j];
		onces.batch[j] = onces.batch[i];
		onces.batch[i] = other;
	}
}

static void
once_tell(struct epoll_event *said)
{
	struct loop_once *const once = said->data.ptr;
	unsigned events = 0;

	said->data.ptr = NULL;
	if (!once)
		return;
	if (said->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		events |= LOOP_READ;
	if (said->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		events |= LOOP_WRITE;
	/* Never none: what the kernel adds to those wanted stands for both. */
	once->on_ready(events & once->events, once->arg);
}

static void
once_on_ready(unsigned events, void *arg)
{
	/* What fails here, or does not fit, is reported again. */
	onces.n_batch = epoll_wait(onces.fd, onces.batch, ONCE_BATCH, 0);
	if (loop_is_seeded())
		once_shuffle();
	for (int i = 0; i < onces.n_batch; i++)
		once_tell(&onces.batch[i]);
	onces.n_batch = 0;
}

/* The first one: make the epoll. */
static int
once_open(void)
{
	int e;

	onces.fd = epoll_create1(EPOLL_CLOEXEC);
	if (onces.fd < 0)
		return -errno;
	loop_io_init(&onces.io, onces.fd, once_on_ready, NULL);
	if ((e = loop_io_watch(&onces.io, LOOP_READ)) < 0)
		fd_close(&onces.fd);
	return e;
}

static void
once_close(void)
{
	loop_io_stop(&onces.io);
	fd_close(&onces.fd);
}

static int
once_control(struct loop_once *once, int what, unsigned events)
{
	struct epoll_event want = {
		.events = EPOLLONESHOT,
		.data = { .ptr = once },
	};

	if (events & LOOP_READ)
		want.events |= EPOLLIN | EPOLLRDHUP;
	if (events & LOOP_WRITE)
		want.events |= EPOLLOUT;
	return epoll_ctl(onces.fd, what, once->fd, &want) < 0 ? -errno : 0;
}

void
loop_once_init(struct loop_once *once, int fd,
    void (*on_ready)(unsigned events, void *arg), void *arg)
{
	*once =
	    (struct loop_once){ .on_ready = on_ready, .arg = arg, .fd = fd };
}

/* What was reported of it and is not told yet does not count any more. */
static void
once_cross_out(const struct loop_once *once)
{
	for (int i = 0; i < onces.n_batch; i++)
		if (onces.batch[i].data.ptr == once)
			onces.batch[i].data.ptr = NULL;
}

int
loop_once_watch(struct loop_once *once, unsigned events)
{
	const bool is_new = once->events == 0;
	int e;

	if (events == 0)
		loop_once_stop(once);
	if (events == once->events)
		return 0;
	if (onces.n == 0 && (e = once_open()) < 0)
		return e;
	e = once_control(once, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, events);
	if (e == 0) {
		/* The kernel says it again, if it still holds. */
		once_cross_out(once);
		onces.n += is_new;
		once->events = events;
	} else if (onces.n == 0) {
		once_close();
	}
	return e;
}

int
loop_once_arm(struct loop_once *once)
{
	must(once->events != 0);
	return once_control(once, EPOLL_CTL_MOD, once->events);
}

void
loop_once_stop(struct loop_once *once)
{
	if (once->events == 0)
		return;
	once->events = 0;
	once_cross_out(once);
	(void)epoll_ctl(onces.fd, EPOLL_CTL_DEL, once->fd, NULL);
	if (--onces.n == 0)
		once_close();
}
