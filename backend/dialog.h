/* SPDX-License-Identifier: MIT */
/*
 * dialog: what the modern face remembers of a session between requests. Each
 * time the session is parked the client gets a state: 128 random bits that
 * name a round in this table and nothing else. A retry brings them back with
 * answers; the same retry again is told the same again. Bounded; never waits.
 *
 *	round 1 ── answers ──▶ reply: questions, state of round 2
 *	round 2 ── answers ──▶ reply: the result
 *
 * Source: MCP 2026-07-28 basic/patterns/mrtr
 */
#ifndef BACKEND_DIALOG_H
#define BACKEND_DIALOG_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/random.h"

#include "backend/keeper.h"
#include "backend/registry.h"

#define DIALOG_BOOT_BYTES  8 /* hex digits that name a run of the backend */
#define DIALOG_STATE_SIZE  (DIALOG_BOOT_BYTES + 1 + RANDOM_ID_SIZE)
#define DIALOG_ROUNDS_MAX  64    /* of one session; older ones are forgotten */
#define DIALOG_LINGER_MS   60000 /* after the end, for a lost last byte */
#define DIALOG_ENDED_MAX   10000
#define DIALOG_ENDED_BYTES (64u << 20)

struct dialogs;
struct dialog;

/* What a request is answered with. */
struct dialog_reply {
	int status;      /* HTTP */
	json_t *content; /* a result, or {code, message, data} of an error */
	bool is_error;
};

/*
 * One round. Owned by its dialog; *borrowed* until the next wait, or while
 * n_legs says that a leg is at work on it. Only dialog.c changes the rest.
 */
struct round {
	RB_ENTRY(round) by_id;
	TAILQ_ENTRY(round) link;
	struct dialog *dialog;
	char state[DIALOG_STATE_SIZE];
	char *asked;      /* inputRequests: what a retry may answer; as text */
	bool is_answered; /* a retry brought answers; else it waits for one */
	uint64_t answers; /* digest of what it delivered */
	uint64_t lsn;     /* of the session's log when the round began */
	/* What the retry was answered with: status 0: nothing yet. */
	int reply_status;
	bool is_reply_error;
	char *reply;     /* its content, as text */
	unsigned n_legs; /* of this round; the leg's to change */
};

TAILQ_HEAD(rounds, round);

enum dialog_state {
	DIALOG_OPEN,      /* the session lives, or its end is not told yet */
	DIALOG_TOLD,      /* a reply with the end of the session was made */
	DIALOG_CANCELLED, /* the client left a running leg */
};

/* Why a state names no round. */
enum dialog_lost {
	DIALOG_LOST_NOT,
	DIALOG_LOST_MALFORMED, /* we make no such states */
	DIALOG_LOST_CONSUMED,  /* it was of this run; used up or expired */
	DIALOG_LOST_STATE,     /* of another run: lost with it */
};

/* Counted: in the table while it lives and lingers, held by each leg. */
struct dialog {
	uint32_t magic;
	enum dialog_state state;
	struct session *session; /* NULL once its end was told */
	char session_id[RANDOM_ID_SIZE];
	const struct tool *tool;
	uint64_t args;   /* digest of what came, or of there being none */
	unsigned n_legs; /* requests that wait for this session now */
	/* Private to dialog.c. */
	struct dialogs *dialogs;
	TAILQ_ENTRY(dialog) by_end;
	struct rounds rounds; /* newest first */
	unsigned n_rounds;
	unsigned n_refs;
	bool is_ended;
	size_t bytes;
	int64_t ended_at_ms;
};

/*
 * The empty table; keeper is *borrowed* until dialogs_free. Returns *new*, or
 * NULL without memory.
 */
struct dialogs *dialogs_new(struct keeper *keeper);

/* Free *dialogs; all sessions have ended, no dialog is held. */
void dialogs_free(struct dialogs **dialogs);

/* How many there are, told and lingering ones included. */
unsigned dialogs_n(const struct dialogs *dialogs);

/*
 * Start a session (as registry_start, with spec's on_entry ours) and remember
 * it. *dialog_r is held for the caller (dialog_unref).
 */
int dialog_start(struct dialogs *dialogs, struct registry *registry,
    const struct session_spec *spec, struct dialog **dialog_r,
    struct err *err_r);

/* Let go of it; accepts NULL, sets *dialog to NULL. */
void dialog_unref(struct dialog **dialog);

/* A local that lets go by itself. */
#define dialog_auto __attribute__((cleanup(dialog_unref)))

/*
 * The round that a state names, with its dialog in *dialog_r held for the
 * caller (dialog_unref); or NULL, *dialog_r NULL, and *lost_r.
 */
struct round *dialog_find(struct dialogs *dialogs, struct slice state,
    struct dialog **dialog_r, enum dialog_lost *lost_r);

/*
 * Begin a round that waits for a retry; asked are its questions. *borrowed*
 * until the next wait; NULL without memory.
 */
struct round *dialog_add_round(struct dialog *dialog, const json_t *asked);

/* The questions of a round. *new*, or NULL without memory. */
json_t *dialog_asked(const struct round *round);

/*
 * Whether these answers (an object or NULL) are what round has been answered
 * with already, if it has been. What was not asked in it does not count.
 * Returns 1, 0 or -ENOMEM.
 */
int dialog_is_same(const struct round *round, const json_t *answers);

/*
 * A retry brought these answers (NULL: none) to round; only what tells them
 * from others is kept. Returns 0 or -ENOMEM.
 */
int dialog_set_answers(struct round *round, const json_t *answers);

/*
 * Keep what the retry of round is answered with, for whoever sends it again.
 * The first one stays. Returns 0 or -ENOMEM.
 */
int dialog_set_reply(struct round *round, const struct dialog_reply *reply);

/*
 * What the retry of round was answered with; content is *new*, or NULL without
 * memory. There must be one: reply_status.
 */
struct dialog_reply dialog_reply(const struct round *round);

/* The end of the session was told: let go of it, keep the replies a while. */
void dialog_told(struct dialog *dialog);

/*
 * The last leg left: cancel the session, if it still runs. One that has ended
 * can be told to who comes again.
 */
void dialog_cancel(struct dialog *dialog, const char *text);

#endif
