/* SPDX-License-Identifier: MIT */
/* entries: a growing array of pointers, so that entries never move. */
#include "backend/entries.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/must.h"

#include "backend/ask.h"

#define ENTRIES_ROOM_FIRST 8

/*
 * How fast progress may come. The first ENTRIES_FREE are told at once; after
 * that one in ENTRIES_STEP_MS, and the interval doubles with each further
 * ENTRIES_FREE: a day of progress stays under 12 000 entries.
 */
#define ENTRIES_FREE    1000
#define ENTRIES_STEP_MS INT64_C(100)

int
entries_init(struct entries *log)
{
	*log = (struct entries){ .room = ENTRIES_ROOM_FIRST };
	log->at = mem_zalloc(log->room, sizeof(struct entry *));
	log->last = mem_zalloc(1, sizeof(struct entry));
	if (log->at && log->last)
		return 0;
	entries_fini(log);
	return -ENOMEM;
}

/* Free an entry that is no terminal one. */
static void
entries_free(struct entry **entry)
{
	if (!*entry)
		return;
	mem_free((*entry)->text);
	mem_free(*entry);
	*entry = NULL;
}

/* Stands where a text should, when there is no memory for it. */
static char entries_no_memory[] = "out of memory";

/* Forget the text of the terminal entry. */
static void
entries_drop_end_text(struct entries *log)
{
	if (log->last->text != entries_no_memory)
		mem_free(log->last->text);
	log->last->text = NULL;
}

void
entries_fini(struct entries *log)
{
	if (log->is_ended)
		log->n--;
	for (size_t i = 0; i < log->n; i++)
		entries_free(&log->at[i]);
	entries_free(&log->held);
	if (log->last) {
		json_decref(log->last->data);
		entries_drop_end_text(log);
	}
	mem_free(log->last);
	mem_free(log->at);
	*log = (struct entries){ 0 };
}

/* A copy of text, cut behind a whole character. *new*, or NULL. */
static char *
entries_copy(const char *text)
{
	struct slice s = { text, strnlen(text, ENTRIES_TEXT_BYTES) };

	if (s.n == ENTRIES_TEXT_BYTES)
		s = slice_whole(s);
	return mem_strndup(s.p, s.n);
}

/* Make an entry with a copy of text (NULL: none). *new*, or NULL. */
static struct entry *
entries_make(enum entry_kind kind, const char *text)
{
	struct entry *e = mem_zalloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->kind = kind;
	if (text && !(e->text = entries_copy(text)))
		entries_free(&e);
	return e;
}

/* Make room for one more entry and the terminal one. */
static int
entries_grow(struct entries *log)
{
	if (log->n + 2 <= log->room)
		return 0;
	struct entry **const at =
	    mem_realloc(log->at, 2 * log->room * sizeof(struct entry *));
	if (!at)
		return -ENOMEM;
	log->at = at;
	log->room *= 2;
	return 0;
}

/* Number an entry and put it at the end; there is room for it. */
static void
entries_put(struct entries *log, struct entry *e)
{
	must(log->n < log->room);
	log->at[log->n++] = e;
	e->lsn = log->n;
	e->at_wall_ms = clock_wall_ms();
}

/* Append *e (*takes*) if the limits allow it. */
static int
entries_append_take(struct entries *log, struct entry **e, size_t bytes)
{
	int rc = -ENOMEM;

	must(!log->is_ended);
	if (*e) {
		bytes += sizeof(**e) + ((*e)->text ? strlen((*e)->text) : 0);
		rc = log->n + 1 >= ENTRIES_MAX ||
		             bytes > ENTRIES_BYTES - log->bytes
		         ? -ENOSPC
		         : entries_grow(log);
	}
	if (rc < 0) {
		entries_free(e);
		return rc;
	}
	entries_put(log, *e);
	log->bytes += bytes;
	*e = NULL;
	return 0;
}

/* Tell the progress that was held back, before something else is told. */
static void
entries_flush(struct entries *log)
{
	if (!log->held || entries_append_take(log, &log->held, 0) < 0)
		return;
	log->n_progress++;
	log->progress_at_ms = clock_now_ms();
}

/* Whether progress comes faster than it may be told now. */
static bool
entries_is_flood(const struct entries *log)
{
	if (log->n_progress < ENTRIES_FREE)
		return false;
	const unsigned doublings =
	    (unsigned)(log->n_progress / ENTRIES_FREE) - 1;
	return clock_now_ms() - log->progress_at_ms <
	       (ENTRIES_STEP_MS << (doublings < 32 ? doublings : 32));
}

void
entries_progress(
    struct entries *log, double done, double total, const char *text)
{
	if (!isfinite(done) || (log->has_done && done <= log->done))
		return;
	struct entry *const e = entries_make(ENTRY_PROGRESS, text);
	if (!e)
		return;
	e->done = done;
	e->total = isfinite(total) && total > 0 ? total : 0;
	log->done = done;
	log->has_done = true;
	entries_free(&log->held);
	log->held = e;
	if (!entries_is_flood(log))
		entries_flush(log);
}

int
entries_log(struct entries *log, enum hl_level level, const char *text)
{
	struct entry *e = entries_make(ENTRY_LOG, text);

	if (e)
		e->level = level;
	entries_flush(log);
	return entries_append_take(log, &e, 0);
}

int
entries_ask(struct entries *log, enum entry_kind kind, const struct ask *ask,
    size_t bytes)
{
	struct entry *e = entries_make(kind, NULL);

	if (e)
		e->ask = ask;
	entries_flush(log);
	return entries_append_take(log, &e, bytes);
}

void
entries_end_text(struct entries *log, const char *text)
{
	char *const copy =
	    mem_strndup(text, strnlen(text, ENTRIES_END_BYTES - 1));

	must(!log->is_ended);
	entries_drop_end_text(log);
	log->last->text = copy ? copy : entries_no_memory;
}

const struct entry *
entries_end_take(struct entries *log, enum entry_kind kind,
    enum entry_reason reason, const char *text, json_t *data)
{
	struct entry *const e = log->last;

	must(!log->is_ended);
	entries_flush(log);
	entries_free(&log->held);
	e->kind = kind;
	e->reason = reason;
	e->data = data;
	if (text)
		entries_end_text(log, text);
	if (kind == ENTRY_RESULT)
		entries_drop_end_text(log);
	entries_put(log, e);
	log->is_ended = true;
	return e;
}

bool
entries_is_ended(const struct entries *log)
{
	return log->is_ended;
}

const struct entry *
entries_after(const struct entries *log, uint64_t cursor)
{
	return cursor < log->n ? log->at[cursor] : NULL;
}

const char *
entry_kind_name(enum entry_kind kind)
{
	static const char *const names[] = {
		[ENTRY_PROGRESS] = "progress",
		[ENTRY_LOG] = "log",
		[ENTRY_ASK] = "ask",
		[ENTRY_ANSWERED] = "answered",
		[ENTRY_RESULT] = "result",
		[ENTRY_FAILED] = "failed",
		[ENTRY_CANCELLED] = "cancelled",
	};

	return names[kind];
}

const char *
entry_reason_name(enum entry_reason reason)
{
	static const char *const names[] = {
		[ENTRY_REASON_NONE] = "none",
		[ENTRY_REASON_CLIENT] = "client",
		[ENTRY_REASON_LIMIT] = "session_timeout",
		[ENTRY_REASON_SHUTDOWN] = "shutting_down",
	};

	return names[reason];
}
