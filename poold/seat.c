/* SPDX-License-Identifier: MIT */
/* seat: two lists, and whom to send away. */
#include "poold/seat.h"

#include <stddef.h>

#include "common/base/clock.h"

#include "poold/policy.h"

void
seats_init(struct seats *seats, uint32_t max, int64_t wait_ms,
    void (*on_place)(struct seat *seat), void (*on_wanted)(struct seat *seat))
{
	*seats = (struct seats){
		.max = max,
		.wait_ms = wait_ms,
		.again_at_ms = CLOCK_NEVER,
		.on_place = on_place,
		.on_wanted = on_wanted,
	};
	TAILQ_INIT(&seats->waiting);
	TAILQ_INIT(&seats->taken);
}

void
seat_leave(struct seats *seats, struct seat *seat)
{
	if (seat->kind == SEAT_WAITING) {
		TAILQ_REMOVE(&seats->waiting, seat, link);
		seats->n_waiting--;
	} else if (seat->kind == SEAT_TAKEN) {
		TAILQ_REMOVE(&seats->taken, seat, link);
		seats->n_taken--;
	}
	seat->kind = SEAT_NONE;
	seat->is_idle = seat->is_busy = seat->is_leaving = false;
}

void
seat_take(struct seats *seats, struct seat *seat)
{
	if (seat->kind == SEAT_TAKEN)
		return;
	seat_leave(seats, seat);
	seat->kind = SEAT_TAKEN;
	TAILQ_INSERT_TAIL(&seats->taken, seat, link);
	seats->n_taken++;
}

void
seat_wait(struct seats *seats, struct seat *seat, int64_t now_ms)
{
	if (seat->kind != SEAT_NONE)
		return;
	seat->kind = SEAT_WAITING;
	seat->since_ms = now_ms;
	TAILQ_INSERT_TAIL(&seats->waiting, seat, link);
	seats->n_waiting++;
}

void
seat_serve(struct seat *seat, int64_t cost_ms, int64_t now_ms)
{
	seat->cost_ms = cost_ms;
	seat->since_ms = now_ms;
}

void
seat_note(struct seat *seat, bool is_busy, int64_t idle_ms, int64_t now_ms)
{
	seat->is_busy = is_busy;
	seat->busy_at_ms = now_ms - (idle_ms > 0 ? idle_ms : 0);
}

/* How little it is worth; -1: it cannot go now. */
static int64_t
seat_score(const struct seat *seat, int64_t now_ms)
{
	if (!seat->is_idle || seat->is_busy || seat->is_leaving)
		return -1;
	return policy_score(now_ms - seat->busy_at_ms, seat->cost_ms);
}

/* What the one who waits longest, and there is one, holds against a seat. */
static struct policy_claim
seats_claim(const struct seats *seats, const struct seat *seat)
{
	return (struct policy_claim){
		.busy_at_ms = seat->busy_at_ms,
		.since_ms = seat->since_ms,
		.cost_ms = seat->cost_ms,
		.asked_at_ms = TAILQ_FIRST(&seats->waiting)->since_ms,
		.patience_ms = policy_patience_ms(
		    seats->wait_ms, seats->max, seats->n_waiting),
	};
}

/* Whether a seat may be taken by now; if not, when to look again. */
static bool
seats_may_take(struct seats *seats, const struct seat *seat, int64_t now_ms)
{
	const struct policy_claim claim = seats_claim(seats, seat);
	const int64_t at_ms = policy_claim_at_ms(&claim);

	if (at_ms <= now_ms)
		return true;
	if (seats->again_at_ms == CLOCK_NEVER || at_ms < seats->again_at_ms)
		seats->again_at_ms = at_ms;
	return false;
}

/* How long the best must have been idle in truth to be the best still. */
static int64_t
seats_asked_ms(const struct seats *seats, const struct seat *best,
    int64_t second, int64_t now_ms)
{
	const struct policy_claim claim = seats_claim(seats, best);
	const int64_t least_ms = policy_claim_idle_ms(&claim, now_ms);
	const int64_t idle_ms = now_ms - best->busy_at_ms;
	int64_t ms = second > 0 ? policy_idle_for(second, best->cost_ms) : 0;

	if (ms < least_ms)
		ms = least_ms;
	if (ms > idle_ms)
		ms = idle_ms > 0 ? idle_ms : 0;
	return ms;
}

/*
 * The one that may go first, and how long it must have been idle to be so
 * still; NULL: none can go.
 */
static struct seat *
seats_choose(struct seats *seats, int64_t now_ms)
{
	struct seat *seat, *best = NULL;
	int64_t best_score = -1, second = 0;

	TAILQ_FOREACH (seat, &seats->taken, link) {
		const int64_t score = seat_score(seat, now_ms);
		if (score < 0 || !seats_may_take(seats, seat, now_ms))
			continue;
		if (score > best_score) {
			second = best_score;
			best_score = score;
			best = seat;
		} else if (score > second) {
			second = score;
		}
	}
	if (best)
		best->asked_ms = seats_asked_ms(seats, best, second, now_ms);
	return best;
}

static uint32_t
seats_n_leaving(const struct seats *seats)
{
	const struct seat *seat;
	uint32_t n = 0;

	TAILQ_FOREACH (seat, &seats->taken, link)
		n += seat->is_leaving;
	return n;
}

void
seats_look(struct seats *seats, int64_t now_ms)
{
	struct seat *seat;

	/* The calls may change things here: the loop sees it. */
	if (seats->is_looking)
		return;
	seats->again_at_ms = CLOCK_NEVER;
	if (seats->n_waiting == 0)
		return;
	seats->is_looking = true;
	while (seats->n_taken < seats->max &&
	       (seat = TAILQ_FIRST(&seats->waiting))) {
		seat_take(seats, seat);
		seats->on_place(seat);
	}
	while (seats->n_waiting > seats_n_leaving(seats) &&
	       (seat = seats_choose(seats, now_ms))) {
		seat->is_leaving = true;
		seats->on_wanted(seat);
	}
	seats->is_looking = false;
}
