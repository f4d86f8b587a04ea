/* SPDX-License-Identifier: MIT */
/*
 * again: programs of ours that end unwanted are started again: at once after
 * the first failure, then after pauses, each twice as long as the last one,
 * until one ran well. Pure but for the clock.
 */
#ifndef POOLD_AGAIN_H
#define POOLD_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

#define AGAIN_FIRST_MS 100
#define AGAIN_MOST_MS  10000
#define AGAIN_GOOD_MS  10000 /* who ran so long has no earlier failures */

/* Embedded in its owner; zeroed is before the first start. */
struct again {
	unsigned n_failures; /* in a row */
	int64_t began_ms;    /* the last start; 0: starts are not timed */
	int64_t at_ms;       /* no start before; 0: there was no failure */
};

/* A start is tried now. */
void again_begin(struct again *again);

/* It failed, or what was started ended unwanted. */
void again_fail(struct again *again);

/* All is well: the next failure is the first. */
void again_forget(struct again *again);

/* How long the next start has to wait yet; 0: it need not. */
int64_t again_pause_ms(const struct again *again);

/* Whether one that failed now would be there again without a pause. */
bool again_is_prompt(const struct again *again);

#endif
