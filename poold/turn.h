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

#include "common/flow/wait.h"
#include "common/loop/loop.h"

#define TURN_MAX_MS 100

/* Embedded in its owner. */
struct turns {
	unsigned n;   /* taken now */
	unsigned max; /* at a time */
	struct waitq next;
};

/* One start; embedded in who starts. */
struct turn {
	struct turns *turns;
	bool is_taken;
	struct loop_timer over;
};

/* Fill *turns. */
void turns_init(struct turns *turns, unsigned max);

/* Let all who wait go on, in no order: poold ends. */
void turns_open(struct turns *turns);

/* Fill *turn. */
void turn_init(struct turn *turn, struct turns *turns);

/* Wait for a turn, first come first served, and take it. Waits. */
void turn_take(struct turn *turn);

/* It is over; over already: nothing. Never waits. */
void turn_end(struct turn *turn);

#endif
