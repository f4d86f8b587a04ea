/* SPDX-License-Identifier: MIT */
/*
 * session: a log and who waits; its questions are session_ask.c's. Entries are
 * published (on_entry, readers woken) right after they were appended; whoever
 * is called there may answer or cancel at once.
 */
#include "backend/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/sleep.h"
#include "common/json/said.h"

#include "backend/session_core.h"

int
session_new(const struct session_spec *spec, void (*on_change)(void *arg),
    void *arg, struct session **s_r)
{
	struct session *s = mem_zalloc(1, sizeof(*s));

	*s_r = NULL;
	if (!s)
		return -ENOMEM;
	s->spec = *spec;
	s->spec.args = spec->args ? json_incref(spec->args) : json_object();
	if (!s->spec.args || entries_init(&s->log) < 0) {
		json_decref(s->spec.args);
		mem_free(s);
		return -ENOMEM;
	}
	s->magic = SESSION_MAGIC;
	random_id(s->id);
	json_incref(s->spec.answers);
	s->on_change = on_change;
	s->on_change_arg = arg;
	waitq_init(&s->readers);
	news_init(&s->news);
	TAILQ_INIT(&s->asks);
	*s_r = s;
	return 0;
}

/* Drop what only a running tool needs. */
static void
session_drop(struct session *s)
{
	json_decref(s->spec.args);
	json_decref(s->spec.answers);
	s->spec.args = NULL;
	s->spec.answers = NULL;
	task_unref(&s->task);
}

void
session_free(struct session **sp)
{
	struct session *const s = *sp;
	struct ask *ask;

	*sp = NULL;
	if (!s)
		return;
	must_be(s, SESSION_MAGIC);
	must(!s->n_holds && !s->task && waitq_is_empty(&s->readers));
	session_drop(s);
	entries_fini(&s->log);
	while ((ask = TAILQ_FIRST(&s->asks))) {
		TAILQ_REMOVE(&s->asks, ask, link);
		ask_free(&ask);
	}
	s->magic = 0;
	mem_free(s);
}

const char *
session_id(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return s->id;
}

const struct tool *
session_tool(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return s->spec.tool;
}

json_t *
session_args(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return s->spec.args;
}

bool
session_is_ended(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return entries_is_ended(&s->log);
}

uint64_t
session_lsn(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return s->log.n;
}

size_t
session_bytes(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return sizeof(*s) + s->log.bytes + s->log.room * sizeof(void *);
}

unsigned
session_n_holds(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return s->n_holds;
}

/* How an ended session ended. */
static enum session_state
session_end_state(const struct session *s)
{
	switch (s->log.last->kind) {
	case ENTRY_RESULT:
		return SESSION_COMPLETED;
	case ENTRY_CANCELLED:
		return SESSION_CANCELLED;
	default:
		return SESSION_FAILED;
	}
}

enum session_state
session_state(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	if (session_is_ended(s))
		return session_end_state(s);
	if (s->is_cancelling)
		return SESSION_CANCELLING;
	for (const struct ask *a = session_next_ask(s, NULL); a;
	     a = session_next_ask(s, a))
		if (a->kind == ASK_ELICIT)
			return SESSION_AWAITING_ELICIT;
	return s->n_open ? SESSION_AWAITING_SAMPLE : SESSION_RUNNING;
}

const char *
session_state_name(enum session_state state)
{
	static const char *const names[] = {
		[SESSION_RUNNING] = "running",
		[SESSION_AWAITING_ELICIT] = "awaiting_elicit",
		[SESSION_AWAITING_SAMPLE] = "awaiting_sample",
		[SESSION_CANCELLING] = "cancelling",
		[SESSION_COMPLETED] = "completed",
		[SESSION_FAILED] = "failed",
		[SESSION_CANCELLED] = "cancelled",
	};

	return names[state];
}

struct session *
session_ref(struct session *s)
{
	must_be(s, SESSION_MAGIC);
	s->n_holds++;
	return s;
}

void
session_unref(struct session **sp)
{
	struct session *const s = *sp;

	*sp = NULL;
	if (!s)
		return;
	must_be(s, SESSION_MAGIC);
	must(s->n_holds > 0);
	if (!--s->n_holds)
		s->on_change(s->on_change_arg);
}

/* ---- reading --------------------------------------------------------- */

int
session_next(struct session *s, uint64_t *cursor, int64_t deadline_ms,
    const struct entry **entry_r)
{
	must_be(s, SESSION_MAGIC);
	for (;;) {
		const struct entry *const e = entries_after(&s->log, *cursor);
		if (e) {
			*cursor = e->lsn;
			*entry_r = e;
			return 0;
		}
		if (*cursor > s->log.n)
			return -EINVAL;
		if (session_is_ended(s))
			return -EPIPE;
		const int rc = waitq_wait(
		    &s->readers, "the next entry of a session", deadline_ms);
		if (rc < 0)
			return rc;
	}
}

struct news *
session_news(struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return &s->news;
}

int
session_wait_end(struct session *s, int64_t deadline_ms)
{
	must_be(s, SESSION_MAGIC);
	while (!session_is_ended(s)) {
		const int rc = waitq_wait(
		    &s->readers, "the end of a session", deadline_ms);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
session_wait_quiet(struct session *s, int64_t deadline_ms)
{
	must_be(s, SESSION_MAGIC);
	while (!session_is_ended(s)) {
		if (s->n_open) {
			const uint64_t n_asked = s->n_asked;
			flow_sleep(0);
			if (session_is_ended(s) ||
			    (s->n_open && s->n_asked == n_asked))
				return 0;
			continue;
		}
		const int rc = waitq_wait(
		    &s->readers, "questions of a session", deadline_ms);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void
session_publish(struct session *s)
{
	while (s->n_told < s->log.n) {
		const struct entry *const e = s->log.at[s->n_told++];
		if (s->spec.on_entry)
			s->spec.on_entry(s, e, s->spec.on_entry_arg);
	}
	waitq_wake_all(&s->readers, 0);
	news_tell(&s->news);
}

/* ---- telling --------------------------------------------------------- */

void
session_progress(struct session *s, double done, double total, const char *text)
{
	must_be(s, SESSION_MAGIC);
	if (session_is_ended(s))
		return;
	entries_progress(&s->log, done, total, text);
	session_publish(s);
}

int
session_log(struct session *s, enum hl_level level, const char *text)
{
	must_be(s, SESSION_MAGIC);
	if (session_is_ended(s))
		return 0;
	const int rc = entries_log(&s->log, level, text);
	session_publish(s);
	return rc;
}

/* ---- ending ---------------------------------------------------------- */

void
session_set_task_take(struct session *s, struct task *task)
{
	must_be(s, SESSION_MAGIC);
	must(!s->task);
	s->task = task;
}

bool
session_has_task(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return s->task != NULL;
}

void
session_cancel(struct session *s, enum entry_reason reason, const char *text)
{
	char said[ENTRIES_END_BYTES];

	must_be(s, SESSION_MAGIC);
	if (session_is_ended(s) || s->is_cancelling)
		return;
	s->is_cancelling = true;
	s->reason = reason;
	snprintf(
	    said, sizeof(said), "%s", text ? text : entry_reason_name(reason));
	said_clean(said);
	entries_end_text(&s->log, said);
	if (s->task)
		task_halt_soon(s->task);
}

/* The end, once: nobody is asked any more, everybody is told. */
static void
session_end_take(struct session *s, enum entry_kind kind,
    enum entry_reason reason, const char *text, json_t *data)
{
	struct ask *ask;

	must_be(s, SESSION_MAGIC);
	if (session_is_ended(s)) {
		json_decref(data);
		return;
	}
	TAILQ_FOREACH (ask, &s->asks, link)
		session_withdraw(s, ask);
	(void)entries_end_take(&s->log, kind, reason, text, data);
	session_publish(s);
	session_drop(s);
	s->on_change(s->on_change_arg);
}

void
session_complete_take(struct session *s, json_t *result)
{
	session_end_take(s, ENTRY_RESULT, ENTRY_REASON_NONE, NULL, result);
}

void
session_fail_take(struct session *s, const char *text, json_t *needs)
{
	session_end_take(s, ENTRY_FAILED, ENTRY_REASON_NONE, text, needs);
}

void
session_halted(struct session *s)
{
	session_end_take(s, ENTRY_CANCELLED, s->reason,
	    s->is_cancelling ? NULL : "the tool was halted", NULL);
}
