/* SPDX-License-Identifier: MIT */
/*
 * keeper: whatever falls due in this process (a session's time limit, what
 * lingered, an idle peer, a zombie), and what is heard of it (poold, the end of
 * a child), is looked after by one task, since a task each would be a stack
 * each. A duty says when it wants to be looked at next.
 */
#ifndef BACKEND_KEEPER_H
#define BACKEND_KEEPER_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/flow/select.h"

struct keeper;

/* One thing to look after. Embedded in its owner. */
struct keeper_duty {
	TAILQ_ENTRY(keeper_duty) link;
	struct keeper *keeper; /* NULL: it left, or never joined */
	/*
	 * Do what is due. Returns when to be called again, after now;
	 * CLOCK_NEVER: at the next keeper_at. Must not wait.
	 */
	int64_t (*look)(void *arg);
	void *arg;
	int64_t at_ms; /* of its next look */
};

TAILQ_HEAD(keeper_duties, keeper_duty);

/* Who hears of a descriptor. Embedded in its owner. */
struct keeper_ear {
	void (*hear)(int events, void *arg); /* must not wait */
	void *arg;
};

/* Embedded in its owner, which outlives keeper_run. */
struct keeper {
	struct keeper_duties duties;
	/*
	 * Posted: a nearer time, or the end. Who puts a descriptor in gives its
	 * keeper_ear as arg.
	 */
	struct select select;
	int64_t at_ms; /* until when keeper_run waits; INT64_MIN: it looks */
	bool is_over;
};

/* A keeper without duties and ears. */
void keeper_init(struct keeper *keeper);

/* Give it a duty (*borrowed* until keeper_leave), to be looked at never yet. */
void keeper_join(struct keeper *keeper, struct keeper_duty *duty,
    int64_t (*look)(void *arg), void *arg);

/* Take a duty away; away already or zeroed: nothing. Never from a look. */
void keeper_leave(struct keeper_duty *duty);

/* Look at it at at_ms, if it would be looked at later than that. */
void keeper_at(struct keeper_duty *duty, int64_t at_ms);

/* Look after all duties, and let ears hear, until keeper_stop. Waits. */
void keeper_run(struct keeper *keeper);

/* Let keeper_run return, also one that was not called yet. Never waits. */
void keeper_stop(struct keeper *keeper);

#endif
