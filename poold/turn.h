/* SPDX-License-Identifier: MIT */
/*
 * turn: so many backends start at a time, the others in the order they came.
 * A turn is over when the backend is ready or gone, and at the latest after
 * TURN_MAX_MS, so that one that is slow to start delays the next by no more.
 */
#ifndef POOLD_TURN_H
#define POOLD_TURN_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/flow/wait.h"

#define TURN_MAX_MS 100

/* One start; embedded in who starts. Zeroed it has no turn. */
struct turn {
	TAILQ_ENTRY(turn) link;
	int64_t over_ms; /* at the latest; 0: it has none */
};

/* Embedded in its owner. */
struct turns {
	unsigned n;               /* taken now */
	unsigned max;             /* at a time */
	TAILQ_HEAD(, turn) taken; /* the first is over first */
	bool has_first;           /* somebody is the next */
	struct waitq first;       /* who that is: it minds the time */
	struct waitq line;        /* those behind it */
};

/* Fill *turns. */
void turns_init(struct turns *turns, unsigned max);

/* Let all who wait go on, one after the other: poold ends. */
void turns_open(struct turns *turns);

/* Wait for a turn, first come first served, and take it. Waits. */
void turn_take(struct turns *turns, struct turn *turn);

/* It is over; over already: nothing. Never waits. */
void turn_end(struct turns *turns, struct turn *turn);

#endif
