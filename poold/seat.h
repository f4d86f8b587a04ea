/* SPDX-License-Identifier: MIT */
/*
 * seat: the places under max_backends: who has one, who waits for one in
 * order, and who is asked to give his up. Pure: time comes in, two calls go
 * out. What the switchboard knows better (how long a backend was idle) is
 * guessed from above and corrected by each of its answers, so the one that is
 * asked first is the least valuable one of all that could go.
 */
#ifndef POOLD_SEAT_H
#define POOLD_SEAT_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

enum seat_kind {
	SEAT_NONE,    /* no place, none wanted */
	SEAT_WAITING, /* for one */
	SEAT_TAKEN,   /* from the moment that a process is promised */
};

/* One backend's; embedded in it. Zeroed, with arg, it has none. */
struct seat {
	TAILQ_ENTRY(seat) link;
	enum seat_kind kind;
	bool is_idle;       /* ready, without sessions, not asked to go */
	bool is_busy;       /* the switchboard has an exchange on it */
	bool is_leaving;    /* its place becomes free without being asked */
	int64_t busy_at_ms; /* when it was last known to be busy */
	int64_t since_ms;   /* when it became ready, or began to wait */
	int64_t asked_ms;   /* how long it must have been idle to go */
	int64_t cost_ms;    /* what its last start took */
	void *arg;
};

TAILQ_HEAD(seat_list, seat);

/* Owned by the pool. */
struct seats {
	uint32_t max;
	uint32_t n_taken;
	uint32_t n_waiting;
	bool is_looking;
	int64_t wait_ms;          /* nobody waits longer than that */
	int64_t again_at_ms;      /* when to look again; CLOCK_NEVER: no need */
	struct seat_list waiting; /* oldest first */
	struct seat_list taken;
	/* A place is free and was given to this one. */
	void (*on_place)(struct seat *seat);
	/* Ask this one to go, if it was idle for asked_ms. */
	void (*on_wanted)(struct seat *seat);
};

/* max places, nobody there; who waits does so for wait_ms at most. */
void seats_init(struct seats *seats, uint32_t max, int64_t wait_ms,
    void (*on_place)(struct seat *seat), void (*on_wanted)(struct seat *seat));

/* Take a place; has one already: nothing. The caller asked policy_admit. */
void seat_take(struct seats *seats, struct seat *seat);

/* Wait for a place; has one or waits already: nothing. */
void seat_wait(struct seats *seats, struct seat *seat, int64_t now_ms);

/* It serves from now on; its start took cost_ms. */
void seat_serve(struct seat *seat, int64_t cost_ms, int64_t now_ms);

/* Leave the place, or the line. */
void seat_leave(struct seats *seats, struct seat *seat);

/* The switchboard had an exchange on it until idle_ms before now_ms. */
void
seat_note(struct seat *seat, bool is_busy, int64_t idle_ms, int64_t now_ms);

/*
 * Give free places to those who wait, then ask as many idle ones to go as
 * places are wanted still and may be taken by now (policy_claim). To be called
 * when anything here changed, and at again_at_ms.
 */
void seats_look(struct seats *seats, int64_t now_ms);

#endif
