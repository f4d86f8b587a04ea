/* SPDX-License-Identifier: MIT */
/*
 * entries: the log of a session: append-only, numbered 1, 2, 3 … without a
 * gap (LSN), ended by exactly one terminal entry. Every reader has a cursor
 * of its own, which is just the LSN it read last. Bounded: progress that
 * comes too fast is held back (only the latest is kept, and appended before
 * the next other entry); more than ENTRIES_MAX entries or ENTRIES_BYTES bytes
 * of the rest is an error for the tool. Room for the terminal entry is
 * reserved from the start, so that a session can always end. No I/O, no waits.
 */
#ifndef BACKEND_ENTRIES_H
#define BACKEND_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "backend/holdline.h"

#define ENTRIES_MAX        16384
#define ENTRIES_BYTES      (4u << 20)
#define ENTRIES_TEXT_BYTES 8192 /* of one log message; longer ones are cut */
#define ENTRIES_END_BYTES  480  /* of the text of the terminal entry */

struct ask;

enum entry_kind {
	ENTRY_PROGRESS,  /* done, total, text (may be NULL) */
	ENTRY_LOG,       /* level, text */
	ENTRY_ASK,       /* ask: a question that wants an answer */
	ENTRY_ANSWERED,  /* ask: it was answered, the tool goes on */
	ENTRY_RESULT,    /* terminal; data is a CallToolResult */
	ENTRY_FAILED,    /* terminal; text; data: needed capabilities or NULL */
	ENTRY_CANCELLED, /* terminal; reason, text */
};

/* Who or what halted a session. */
enum entry_reason {
	ENTRY_REASON_NONE,     /* nobody */
	ENTRY_REASON_CLIENT,   /* the client cancelled or went away */
	ENTRY_REASON_LIMIT,    /* session_timeout */
	ENTRY_REASON_SHUTDOWN, /* the backend ends: `shutting_down` */
};

/*
 * One entry. Owned by the log, never changed; *borrowed* until the session is
 * let go of.
 */
struct entry {
	uint64_t lsn;
	int64_t at_wall_ms;
	enum entry_kind kind;
	enum entry_reason reason;
	enum hl_level level;
	double done;
	double total; /* 0: not known */
	const struct ask *ask;
	char *text;
	/*
	 * RESULT: the result, with isError when the tool says so. FAILED: a
	 * ClientCapabilities object with what the client lacks, else NULL.
	 */
	json_t *data;
};

/* The log; embedded in its session. Private to entries.c. */
struct entries {
	struct entry **at; /* at[lsn - 1] */
	size_t n;
	size_t room; /* of at, always more than n until the end is there */
	size_t bytes;
	struct entry *last; /* reserved for the end */
	struct entry *held; /* progress held back, NULL: none */
	bool is_ended;
	bool has_done;
	double done; /* the last progress told or held */
	size_t n_progress;
	int64_t progress_at_ms; /* when the last one was appended */
};

/* An empty log with room for its end. Returns 0 or -ENOMEM. */
int entries_init(struct entries *log);

/* Free all of it. */
void entries_fini(struct entries *log);

/*
 * Append progress; values that do not grow are dropped, of a flood the latest
 * is held back. Never an error: what cannot be stored is lost.
 */
void entries_progress(
    struct entries *log, double done, double total, const char *text);

/* Append a log message. Returns 0, -ENOSPC or -ENOMEM. */
int entries_log(struct entries *log, enum hl_level level, const char *text);

/*
 * Append ENTRY_ASK or ENTRY_ANSWERED, which counts bytes. ask is *borrowed* by
 * the log. Returns 0, -ENOSPC or -ENOMEM.
 */
int entries_ask(struct entries *log, enum entry_kind kind,
    const struct ask *ask, size_t bytes);

/*
 * Give the terminal entry that will come its text (copied, cut at
 * ENTRIES_END_BYTES; without memory: "out of memory").
 */
void entries_end_text(struct entries *log, const char *text);

/*
 * Append the terminal entry; the first wins, a second call is our bug. *takes*
 * data (may be NULL); text as entries_end_text, NULL: what that gave before.
 * Cannot fail.
 */
const struct entry *entries_end_take(struct entries *log, enum entry_kind kind,
    enum entry_reason reason, const char *text, json_t *data);

/* Whether the terminal entry is there. */
bool entries_is_ended(const struct entries *log);

/* The entry behind cursor, or NULL when there is none yet. */
const struct entry *entries_after(const struct entries *log, uint64_t cursor);

/* The name of a kind, for logs: "progress", "ask", … */
const char *entry_kind_name(enum entry_kind kind);

/* "none", "client", "session_timeout", "shutting_down". */
const char *entry_reason_name(enum entry_reason reason);

#endif
