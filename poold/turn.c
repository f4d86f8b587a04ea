/* SPDX-License-Identifier: MIT */
/*
 * turn: those who wait stand in a line of tasks; the first of them waits for a
 * turn that is given back, or for the time at which the oldest one is over. So
 * time is minded only while somebody waits, and by one.
 */
#include "poold/turn.h"

#include <limits.h>

#include "common/base/clock.h"

void
turns_init(struct turns *turns, unsigned max)
{
	*turns = (struct turns){ .max = max };
	TAILQ_INIT(&turns->taken);
	waitq_init(&turns->first);
	waitq_init(&turns->line);
}

/* The first got its turn, or was halted: the next one is the first. */
static void
turns_pass_on(struct turns **turns)
{
	if (!waitq_wake_one(&(*turns)->line, 0, *turns))
		(*turns)->has_first = false;
}

#define turns_auto __attribute__((cleanup(turns_pass_on)))

/* It was to be the first, but halted before it ran. */
static void
turns_on_lost(struct waiter *w)
{
	struct turns *turns = w->value;

	turns_pass_on(&turns);
}

/* Wait until nobody stands before the caller. */
static void
turns_be_first(struct turns *turns)
{
	struct waiter w = { .on_lost = turns_on_lost };

	if (turns->has_first)
		(void)waiter_wait(
		    &w, &turns->line, "its turn to start", CLOCK_NEVER);
	turns->has_first = true;
}

/* Whether there is one to be had: those whose time is over are. */
static bool
turns_has_room(struct turns *turns)
{
	struct turn *turn;

	while (turns->n >= turns->max && (turn = TAILQ_FIRST(&turns->taken)) &&
	       turn->over_ms <= clock_now_ms())
		turn_end(turns, turn);
	return turns->n < turns->max;
}

void
turns_open(struct turns *turns)
{
	turns->max = UINT_MAX;
	waitq_wake_all(&turns->first, 0);
}

void
turn_take(struct turns *turns, struct turn *turn)
{
	turn_end(turns, turn);
	turns_be_first(turns);
	struct turns *mine turns_auto = turns;
	while (!turns_has_room(mine))
		(void)waitq_wait(&mine->first, "its turn to start",
		    TAILQ_FIRST(&mine->taken)->over_ms);
	turn->over_ms = clock_deadline_ms(TURN_MAX_MS);
	TAILQ_INSERT_TAIL(&turns->taken, turn, link);
	turns->n++;
}

void
turn_end(struct turns *turns, struct turn *turn)
{
	if (turn->over_ms == 0)
		return;
	TAILQ_REMOVE(&turns->taken, turn, link);
	turn->over_ms = 0;
	turns->n--;
	waitq_wake_all(&turns->first, 0);
}
