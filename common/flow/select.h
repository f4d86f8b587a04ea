/* SPDX-License-Identifier: MIT */
/*
 * select: one task waits for the first of several things, without a task for
 * each: descriptors, whatever others post, a deadline. A select is a set that
 * lives over many waits: a descriptor stands in it from select_watch to
 * select_unwatch, and what becomes ready while its task is elsewhere is kept.
 * Nothing is handed over, so a halted wait loses nothing.
 *
 * The order is fixed: what was posted first, then the descriptors, in the
 * order in which they became ready; one at a time. What is not read out is told
 * again, when its task waits next and others had their turn.
 */
#ifndef FLOW_SELECT_H
#define FLOW_SELECT_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/flow/here.h"
#include "common/flow/wait.h"
#include "common/loop/once.h"

TAILQ_HEAD(select_fds, select_fd);

/* What one task waits for; embedded in its owner. */
struct select {
	struct waitq task;
	struct select_fds ready; /* not told yet, oldest first */
	struct select_fds told;  /* to be armed when nothing is ready */
	bool is_posted;
};

/* One descriptor of it; embedded in its owner. Zeroed it is in none. */
struct select_fd {
	TAILQ_ENTRY(select_fd) link; /* while it is ready, or was told */
	struct select *select;       /* NULL: not watched */
	void *arg;                   /* the owner's */
	struct loop_once once;
	unsigned ready; /* events not told yet */
	bool is_told;   /* and not armed since */
};

/* An empty set. It needs no end but that of its descriptors. */
void select_init(struct select *select);

/*
 * Watch fd (*borrowed*) for events (LOOP_READ | LOOP_WRITE), to be told with
 * arg. What is ready already is told too. Returns 0 or -errno as
 * loop_once_watch. Never waits.
 */
int select_watch(struct select *select, struct select_fd *f, int fd,
    unsigned events, void *arg);

/*
 * Stop, and forget what was not told; before fd is closed, and before the
 * select ends. Not watched: nothing. Never waits.
 */
void select_unwatch(struct select_fd *f);

/* A local that stops with its frame. */
#define select_fd_auto __attribute__((cleanup(select_unwatch)))

/* Watch it for other events from now on. Returns 0 or -errno. Never waits. */
int select_change(struct select_fd *f, unsigned events);

/*
 * It is in another set from now on, with what was not told yet, and another
 * owner's. Never waits.
 */
void select_move(struct select_fd *f, struct select *select, void *arg);

/*
 * Something else has happened: what, the owner knows. Told once however often
 * it was said. Also from callbacks of the loop. Never waits.
 */
void select_post(struct select *select);

/*
 * Wait for the first thing. what is a word for a person, as in waitq_wait.
 * Returns 0: posted; the events (> 0) that *ready_r is ready for; -ETIMEDOUT
 * (deadline_ms: absolute, CLOCK_NEVER for ever, 0 not at all), only when there
 * is nothing to tell. Something to tell: returns at once, letting nobody else
 * run, and no halt in; so a task that posts to itself whatever it was told
 * gives others their turn by flow_sleep(0). One task at a time. Waits.
 */
int select_next(struct select *select, const char *what, int64_t deadline_ms,
    struct select_fd **ready_r);

#ifndef FLOW_INSIDE
#define select_next(...) (FLOW_HERE(), select_next(__VA_ARGS__))
#endif

#endif
