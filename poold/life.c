/* SPDX-License-Identifier: MIT */
/*
 * life: the rows.
 *
 *            ask            serves          due           released
 *     gone ──────► starting ──────► ready ──────► draining ──────► stopping
 *      ▲ ▲ │        ▲ │              │▲            │ held           │ due
 *      │ │ │ waits  │ │              │└────────────┘                ▼
 *      │ │ └► queued ─┘ fails        └── still ──────────────────► killed
 *      │ │   ask                                                     │
 *      │ └── due ── backoff ◄── fails ────────┬─ (all with a process) │
 *      │               ▲ due (a probe)        │                      │
 *      │             failed ◄── fails on ─────┘                      │
 *      └───────────────────────────── ended ─────────────────────────┘
 *
 * While it drains an ask is not answered: the switchboard may be letting go at
 * this moment, and its RELEASED would then end a backend that it uses again.
 */
#include "poold/life.h"

#include <stddef.h>

#include "common/base/must.h"

#define IN(state) (1u << LIFE_##state)
#define SAME      LIFE_N_STATES /* stay where you are */

#define ALIVE \
	(IN(STARTING) | IN(READY) | IN(DRAINING) | IN(STOPPING) | IN(KILLED))
#define SICK (IN(BACKOFF) | IN(FAILED))
#define DEAD (IN(GONE) | IN(QUEUED) | SICK)
#define ANY  (ALIVE | DEAD)

/* One event in a set of states. */
struct life_row {
	unsigned states;
	enum life_event event;
	enum life_action action;
	enum life_state next;
};

static const struct life_row life_rows[] = {
	{ IN(STARTING), LIFE_UNBORN, LIFE_GIVE_UP, LIFE_BACKOFF },
	{ ANY & ~IN(STARTING), LIFE_UNBORN, LIFE_NEVER, SAME },

	{ IN(STARTING), LIFE_SERVES, LIFE_SERVE, LIFE_READY },
	/* A backend may say it again, or too late: that changes nothing. */
	{ ALIVE & ~IN(STARTING), LIFE_SERVES, LIFE_KEEP, SAME },
	{ DEAD, LIFE_SERVES, LIFE_NEVER, SAME },

	{ IN(STARTING), LIFE_REFUSES, LIFE_REFUSE, LIFE_STOPPING },
	{ ALIVE & ~IN(STARTING), LIFE_REFUSES, LIFE_KEEP, SAME },
	{ DEAD, LIFE_REFUSES, LIFE_NEVER, SAME },

	/* A dying process closes its channel first: its end says more. */
	{ IN(READY) | IN(DRAINING), LIFE_LOST, LIFE_EXPECT_EXIT,
	    LIFE_STOPPING },
	{ ALIVE & ~(IN(READY) | IN(DRAINING)), LIFE_LOST, LIFE_KEEP, SAME },
	{ DEAD, LIFE_LOST, LIFE_NEVER, SAME },

	/* Who does not answer would not hear SIGTERM either. */
	{ IN(READY) | IN(DRAINING), LIFE_STILL, LIFE_STALL, LIFE_KILLED },
	{ ANY & ~(IN(READY) | IN(DRAINING)), LIFE_STILL, LIFE_KEEP, SAME },

	/* The switchboard speaks of what it knew; poold may know better. */
	{ IN(READY) | IN(DRAINING), LIFE_CLAIMED, LIFE_TERMINATE,
	    LIFE_STOPPING },
	{ ANY & ~(IN(READY) | IN(DRAINING)), LIFE_CLAIMED, LIFE_KEEP, SAME },
	{ IN(DRAINING), LIFE_RELEASED, LIFE_TERMINATE, LIFE_STOPPING },
	{ ANY & ~IN(DRAINING), LIFE_RELEASED, LIFE_KEEP, SAME },
	{ IN(DRAINING), LIFE_HELD, LIFE_RESUME, LIFE_READY },
	{ ANY & ~IN(DRAINING), LIFE_HELD, LIFE_KEEP, SAME },
	/* Anything else is on its way to give its place up, or needs it. */
	{ IN(READY), LIFE_EVICT, LIFE_YIELD, LIFE_DRAINING },
	{ ANY & ~IN(READY), LIFE_EVICT, LIFE_KEEP, SAME },

	{ IN(STARTING) | IN(READY) | IN(DRAINING), LIFE_SHUTDOWN,
	    LIFE_TERMINATE, LIFE_STOPPING },
	{ IN(STOPPING) | IN(KILLED) | IN(GONE), LIFE_SHUTDOWN, LIFE_KEEP,
	    SAME },
	{ IN(QUEUED) | SICK, LIFE_SHUTDOWN, LIFE_FORGET, LIFE_GONE },
	{ ALIVE & ~IN(KILLED), LIFE_HURRY, LIFE_KILL, LIFE_KILLED },
	{ IN(KILLED) | IN(GONE), LIFE_HURRY, LIFE_KEEP, SAME },
	{ IN(QUEUED) | SICK, LIFE_HURRY, LIFE_FORGET, LIFE_GONE },

	{ SICK, LIFE_CHANGED, LIFE_FORGET, LIFE_GONE },
	{ ANY & ~SICK, LIFE_CHANGED, LIFE_KEEP, SAME },
	{ DEAD, LIFE_ASK, LIFE_START, LIFE_STARTING },
	{ IN(READY), LIFE_ASK, LIFE_ANSWER, SAME },
	{ ALIVE & ~IN(READY), LIFE_ASK, LIFE_KEEP, SAME },
	{ DEAD & ~IN(QUEUED), LIFE_WAITS, LIFE_QUEUE, LIFE_QUEUED },
	/* One who waits already waits on; one who runs needs no place. */
	{ ALIVE | IN(QUEUED), LIFE_WAITS, LIFE_KEEP, SAME },

	{ IN(STARTING), LIFE_DUE, LIFE_TOO_LATE, LIFE_KILLED },
	{ IN(READY), LIFE_DUE, LIFE_LET_GO, LIFE_DRAINING },
	/* No answer: the switchboard is busy or was started anew. */
	{ IN(DRAINING), LIFE_DUE, LIFE_SERVE, LIFE_READY },
	{ IN(STOPPING), LIFE_DUE, LIFE_KILL, LIFE_KILLED },
	{ IN(KILLED), LIFE_DUE, LIFE_KILL_AGAIN, SAME },
	{ IN(BACKOFF), LIFE_DUE, LIFE_FORGET, LIFE_GONE },
	{ IN(FAILED), LIFE_DUE, LIFE_PROBE, LIFE_BACKOFF },
	{ IN(QUEUED), LIFE_DUE, LIFE_NO_PLACE, LIFE_GONE },
	{ IN(GONE), LIFE_DUE, LIFE_NEVER, SAME },

	/* An end before it was ready is a failure, or nobody's. */
	{ ALIVE & ~IN(STARTING), LIFE_ENDED, LIFE_BURY, LIFE_GONE },
	{ DEAD | IN(STARTING), LIFE_ENDED, LIFE_NEVER, SAME },
	{ IN(STARTING), LIFE_FAILS, LIFE_GIVE_UP, LIFE_BACKOFF },
	{ ALIVE & ~IN(STARTING), LIFE_FAILS, LIFE_MOURN, LIFE_BACKOFF },
	{ DEAD, LIFE_FAILS, LIFE_NEVER, SAME },
	{ IN(STARTING), LIFE_FAILS_ON, LIFE_GIVE_UP, LIFE_FAILED },
	{ ALIVE & ~IN(STARTING), LIFE_FAILS_ON, LIFE_MOURN, LIFE_FAILED },
	{ DEAD, LIFE_FAILS_ON, LIFE_NEVER, SAME },
	/* Once a run: what is run by exec is never told later whose it is. */
	{ IN(STARTING), LIFE_UNTAKEN, LIFE_START_AGAIN, SAME },
	{ ANY & ~IN(STARTING), LIFE_UNTAKEN, LIFE_NEVER, SAME },
};

#define LIFE_N_ROWS (sizeof(life_rows) / sizeof(life_rows[0]))

unsigned
life_n_rows(enum life_state state, enum life_event event)
{
	unsigned n = 0;

	for (size_t i = 0; i < LIFE_N_ROWS; i++)
		n += life_rows[i].event == event &&
		     (life_rows[i].states & (1u << state));
	return n;
}

struct life_move
life_move(enum life_state state, enum life_event event)
{
	for (size_t i = 0; i < LIFE_N_ROWS; i++) {
		const struct life_row *const row = &life_rows[i];
		if (row->event != event || !(row->states & (1u << state)))
			continue;
		return (struct life_move){ row->action,
			row->next == SAME ? state : row->next };
	}
	must(!"a pair without a row");
	return (struct life_move){ LIFE_NEVER, state };
}

const char *
life_state_name(enum life_state state)
{
	static const char *const names[LIFE_N_STATES] = {
		[LIFE_GONE] = "gone",
		[LIFE_QUEUED] = "queued",
		[LIFE_STARTING] = "starting",
		[LIFE_READY] = "ready",
		[LIFE_DRAINING] = "draining",
		[LIFE_STOPPING] = "stopping",
		[LIFE_KILLED] = "killed",
		[LIFE_BACKOFF] = "backoff",
		[LIFE_FAILED] = "failed",
	};

	must(state < LIFE_N_STATES);
	return names[state];
}

const char *
life_event_name(enum life_event event)
{
	static const char *const names[LIFE_N_EVENTS] = {
		[LIFE_UNBORN] = "no process",
		[LIFE_SERVES] = "ready",
		[LIFE_REFUSES] = "cannot start",
		[LIFE_LOST] = "channel lost",
		[LIFE_STILL] = "stands still",
		[LIFE_CLAIMED] = "found dead",
		[LIFE_RELEASED] = "released",
		[LIFE_HELD] = "held",
		[LIFE_EVICT] = "place wanted",
		[LIFE_SHUTDOWN] = "shutdown",
		[LIFE_HURRY] = "hurry",
		[LIFE_CHANGED] = "changed",
		[LIFE_ASK] = "asked for",
		[LIFE_WAITS] = "no place",
		[LIFE_DUE] = "time is over",
		[LIFE_ENDED] = "ended",
		[LIFE_FAILS] = "failed",
		[LIFE_FAILS_ON] = "failed too often",
		[LIFE_UNTAKEN] = "ended untold",
	};

	must(event < LIFE_N_EVENTS);
	return names[event];
}
