/* SPDX-License-Identifier: MIT */
/*
 * turn: a count and a queue. A place that becomes free while somebody waits is
 * handed over and never free, so that nobody is overtaken.
 */
#include "poold/turn.h"

#include <limits.h>

#include "common/base/clock.h"

void
turns_init(struct turns *turns, unsigned max)
{
	*turns = (struct turns){ .max = max };
	waitq_init(&turns->next);
}

/* A place is free: it is the next one's, or nobody's. */
static void
turns_pass_on(struct turns *turns)
{
	if (!waitq_wake_one(&turns->next, 0, turns))
		turns->n--;
}

/* It was handed a place, but halted before it ran. */
static void
turns_on_lost(struct waiter *w)
{
	turns_pass_on(w->value);
}

void
turns_open(struct turns *turns)
{
	turns->max = UINT_MAX;
	while (waitq_wake_one(&turns->next, 0, turns))
		turns->n++;
}

static void
turn_on_over(void *arg)
{
	turn_end(arg);
}

void
turn_init(struct turn *turn, struct turns *turns)
{
	*turn = (struct turn){ .turns = turns };
	loop_timer_init(&turn->over, turn_on_over, turn);
}

void
turn_take(struct turn *turn)
{
	struct turns *const turns = turn->turns;
	struct waiter w = { .on_lost = turns_on_lost };

	turn_end(turn);
	if (turns->n < turns->max)
		turns->n++;
	else
		(void)waiter_wait(
		    &w, &turns->next, "its turn to start", CLOCK_NEVER);
	turn->is_taken = true;
	loop_timer_set(&turn->over, clock_deadline_ms(TURN_MAX_MS));
}

void
turn_end(struct turn *turn)
{
	if (!turn->is_taken)
		return;
	turn->is_taken = false;
	loop_timer_clear(&turn->over);
	turns_pass_on(turn->turns);
}
