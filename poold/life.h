/* SPDX-License-Identifier: MIT */
/*
 * life: the life of a backend as a table of states and events. Pure: it says
 * what to do and what is next; backend_act.c does it. Every pair of state and
 * event is a row, also those that cannot happen.
 */
#ifndef POOLD_LIFE_H
#define POOLD_LIFE_H

enum life_state {
	LIFE_GONE,     /* no process, nothing to remember */
	LIFE_QUEUED,   /* no process; asks wait for a place (max_backends) */
	LIFE_STARTING, /* a process that is not ready; asks wait */
	LIFE_READY,    /* it answers */
	LIFE_DRAINING, /* the switchboard was asked to let go of it */
	LIFE_STOPPING, /* its end was asked for or is due; SIGKILL follows */
	LIFE_KILLED,   /* SIGKILL was sent; only the reap is left */
	LIFE_BACKOFF,  /* no process; failed, and its last words are kept */
	LIFE_FAILED,   /* the same, too often in a row: held until a probe */
	LIFE_N_STATES,
};

/*
 * What can happen, in the order in which events that came at once are taken:
 * what a process said before what became of it, its end last of all.
 */
enum life_event {
	LIFE_UNBORN,   /* no process could be made */
	LIFE_SERVES,   /* it said that it is ready, or its program runs */
	LIFE_REFUSES,  /* it said why it cannot start; it exits by itself */
	LIFE_LOST,     /* it closed its channel or broke the protocol */
	LIFE_STILL,    /* its event loop does not answer (watchdog) */
	LIFE_CLAIMED,  /* the switchboard found it dead */
	LIFE_RELEASED, /* the switchboard let go of it */
	LIFE_HELD,     /* the switchboard needs it still */
	LIFE_EVICT,    /* its place is wanted by another one */
	LIFE_SHUTDOWN, /* poold ends */
	LIFE_HURRY,    /* poold ends at once */
	LIFE_CHANGED,  /* its program is another one than the one that failed */
	LIFE_ASK,      /* somebody wants it, and may have it */
	LIFE_WAITS,    /* somebody wants it, and there is no place */
	LIFE_DUE,      /* the time of this state is over */
	LIFE_ENDED,    /* reaped, and that is no failure */
	LIFE_FAILS,    /* reaped, and it is one */
	LIFE_FAILS_ON, /* reaped, and it is one too many in a row */
	LIFE_UNTAKEN,  /* reaped, before it knew whose it was to be */
	LIFE_N_EVENTS,
};

/* What to do; backend_act.c has one function for each. */
enum life_action {
	LIFE_NEVER,       /* the pair cannot happen: our bug */
	LIFE_KEEP,        /* nothing */
	LIFE_QUEUE,       /* wait for a place, at most queue_timeout */
	LIFE_NO_PLACE,    /* refuse who waits: no place became free */
	LIFE_START,       /* make a process, time it by start_timeout */
	LIFE_START_AGAIN, /* make another one for this run, by exec */
	LIFE_SERVE,       /* answer who waits, time it by idle_timeout */
	LIFE_RESUME,      /* the same, timed by what the switchboard said */
	LIFE_ANSWER,      /* answer who waits */
	LIFE_LET_GO,      /* ask the switchboard to let go */
	LIFE_YIELD,       /* the same, however short it was idle */
	LIFE_TERMINATE,   /* SIGTERM, time it by stop_timeout */
	LIFE_EXPECT_EXIT, /* no signal, time it by stop_timeout */
	LIFE_REFUSE,      /* fail who waits, then as LIFE_EXPECT_EXIT */
	LIFE_TOO_LATE,    /* SIGKILL; who waits is told after the reap */
	LIFE_STALL,       /* SIGKILL; its last words say that it stood still */
	LIFE_KILL,        /* SIGKILL */
	LIFE_KILL_AGAIN,  /* SIGKILL; who waits is told now */
	LIFE_BURY,        /* tell the switchboard, end what it left behind */
	LIFE_MOURN,       /* bury it, remember the failure */
	LIFE_GIVE_UP,     /* fail who waits, then as LIFE_MOURN */
	LIFE_PROBE,       /* let the next ask have one start */
	LIFE_FORGET,      /* drop the memory of the failure */
	LIFE_N_ACTIONS,
};

struct life_move {
	enum life_action action;
	enum life_state next;
};

/* The move for a pair; it is always found. */
struct life_move life_move(enum life_state state, enum life_event event);

/* How many rows speak of a pair; the test says that it is always one. */
unsigned life_n_rows(enum life_state state, enum life_event event);

/* Names for the log. */
const char *life_state_name(enum life_state state);
const char *life_event_name(enum life_event event);

#endif
