/* SPDX-License-Identifier: MIT */
/*
 * leave: notices that the peer of a socket went away while a task waits for
 * something else, and halts that task; what this means for a session is
 * decided by the cleanups on the task's stack. Written in callbacks.
 */
#ifndef BACKEND_LEAVE_H
#define BACKEND_LEAVE_H

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/loop/loop.h"

struct task;

/* Embedded in its owner; zeroed: not watching. */
struct leave {
	struct loop_io io;
	struct task *task; /* whom to halt; NULL: not watching */
	struct buf *ahead; /* where bytes go that come meanwhile */
	bool is_eof;       /* the peer will send no more */
	bool is_gone;      /* nor read any more */
};

/*
 * From now on halt task when the peer of fd leaves. What it sends meanwhile
 * is kept in ahead. A peer that only closed its sending side has not left (it
 * still reads); then, and when ahead is full, its leaving shows at the next
 * write. All *borrowed* until leave_stop. Without memory nothing is watched.
 */
void
leave_watch(struct leave *leave, int fd, struct buf *ahead, struct task *task);

/* Stop; not watching: nothing. */
void leave_stop(struct leave *leave);

#endif
