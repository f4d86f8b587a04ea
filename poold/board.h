/* SPDX-License-Identifier: MIT */
/*
 * board: the switchboard as a child of poold: one task that starts it, hands
 * it the listening sockets, waits for its end and starts it again.
 */
#ifndef POOLD_BOARD_H
#define POOLD_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/flow/select.h"
#include "common/ipc/packet.h"

#include "poold/again.h"
#include "poold/context.h"

struct process;

/* What the owner is told, in callbacks or by the board's task. */
struct board_calls {
	void (*on_ask)(const struct proto_route_ask *ask, void *arg);
	void (*on_released)(uint64_t generation, void *arg);
	void (*on_held)(const struct proto_held *held, void *arg);
	/* It wants to hear of events, or no more. */
	void (*on_watch)(const struct proto_watch *watch, void *arg);
	/* It is ready (is_first: for the first time). */
	void (*on_ready)(bool is_first, void *arg);
	/* It ended: what it asked needs no answer any more. */
	void (*on_lost)(void *arg);
};

/* Embedded in its owner. */
struct board {
	struct context *context;
	const struct board_calls *calls;
	void *arg;
	struct process *process; /* NULL: none */
	bool is_ready;           /* it said so */
	bool is_over;            /* it was reaped */
	bool is_drained;
	bool is_ending; /* it shall not be started again */
	bool was_ready; /* once, ever */
	struct again again;
	/* Its watchdog: when it was asked, answered, and is looked at next. */
	int64_t pinged_ms;
	int64_t ponged_ms;
	int64_t watch_at_ms;
	char refusal[PROTO_TEXT_BYTES];
	struct select select; /* what its task waits for */
	struct waitq changed; /* those who wait for it */
};

/* Fill *board. */
void board_init(struct board *board, struct context *context,
    const struct board_calls *calls, void *arg);

/* Spawn its task in the current scope. Returns 0 or -ENOMEM. */
int board_run(struct board *board);

/* Whether there is a switchboard that routes. */
bool board_is_ready(const struct board *board);

/* Send it a message; -EPIPE when there is none that is ready. Never waits. */
int board_send(struct board *board, enum proto_type type, const void *payload,
    const char *text);

/*
 * Begin its end: no new start; accept nothing more, finish what runs. Waits
 * until it said so, ended, deadline_ms, or hurry.
 */
void board_drain(struct board *board, int64_t deadline_ms);

/*
 * End it: QUIT, and SIGKILL at deadline_ms or in a hurry. Waits until it was
 * reaped, or the kernel does not let go of it.
 */
void board_quit(struct board *board, int64_t deadline_ms);

/* Wake whoever waits in here: hurry was asked for. Never waits. */
void board_hurry(struct board *board);

#endif
