/* SPDX-License-Identifier: MIT */
/*
 * session_ask: the questions of a session: asked by its tool, which waits for
 * the answer, answered or refused by its faces, withdrawn when nobody waits.
 */
#include "backend/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/flow/sleep.h"
#include "common/json/said.h"

#include "backend/session_core.h"
#include "backend/value.h"

const struct ask *
session_next_ask(const struct session *s, const struct ask *after)
{
	const struct ask *a =
	    after ? TAILQ_NEXT(after, link) : TAILQ_FIRST(&s->asks);

	while (a && a->state != ASK_OPEN)
		a = TAILQ_NEXT(a, link);
	return a;
}

unsigned
session_n_asks(const struct session *s)
{
	must_be(s, SESSION_MAGIC);
	return s->n_open;
}

/* The question of that name; the newest are the likely ones. */
static struct ask *
session_ask_of(const struct session *s, const char *name)
{
	struct ask *a;

	TAILQ_FOREACH_REVERSE(a, &s->asks, ask_list, link)
	if (!strcmp(a->name, name))
		return a;
	return NULL;
}

const struct ask *
session_find_ask(const struct session *s, const char *name)
{
	must_be(s, SESSION_MAGIC);
	return session_ask_of(s, name);
}

/* Whether the question of that name wants an answer; *ask_r if so. */
static int
session_open_ask(const struct session *s, const char *name, struct ask **ask_r,
    struct err *err_r)
{
	struct ask *const a = session_ask_of(s, name);
	char said[SAID_BYTES];

	said_text(name, strlen(name), said);
	if (!a)
		return err_set(
		    err_r, -ENOENT, NULL, "nothing named %s was asked", said);
	if (a->state == ASK_ANSWERED)
		return err_set(
		    err_r, -EALREADY, NULL, "%s was answered before", said);
	if (a->state == ASK_WITHDRAWN || s->is_cancelling)
		return err_set(err_r, -ESTALE, NULL,
		    "%s wants no answer any more: the tool %s", said,
		    session_is_ended(s) ? "has ended" : "is being halted");
	*ask_r = a;
	return 0;
}

int
session_check_answer(const struct session *s, const char *name, json_t *answer,
    struct err *err_r)
{
	struct ask *ask;
	json_t *value;

	must_be(s, SESSION_MAGIC);
	int rc = session_open_ask(s, name, &ask, err_r);
	if (rc < 0)
		return rc;
	rc = ask_check(ask, answer, &value, err_r);
	json_decref(value);
	return rc;
}

/*
 * The question is answered with value (*takes*): log it, let the tool go on.
 * What fails changes nothing.
 */
static int
session_settle_take(struct session *s, struct ask *ask, int status,
    json_t *value, struct err *err_r)
{
	const int rc =
	    value ? entries_ask(&s->log, ENTRY_ANSWERED, ask, 0) : -ENOMEM;

	if (rc < 0) {
		json_decref(value);
		return err_set(err_r, rc, NULL, "the session has no room left");
	}
	ask->value = value;
	ask->state = ASK_ANSWERED;
	s->n_open--;
	latch_set(&ask->latch, status, NULL);
	session_publish(s);
	return 0;
}

int
session_answer(
    struct session *s, const char *name, json_t *answer, struct err *err_r)
{
	struct ask *ask;
	json_t *value;

	must_be(s, SESSION_MAGIC);
	int rc = session_open_ask(s, name, &ask, err_r);
	if (rc == 0)
		rc = ask_check(ask, answer, &value, err_r);
	return rc < 0 ? rc : session_settle_take(s, ask, 0, value, err_r);
}

int
session_refuse(
    struct session *s, const char *name, const char *text, struct err *err_r)
{
	char refusal[ERR_TEXT_BYTES];
	struct ask *ask;

	must_be(s, SESSION_MAGIC);
	const int rc = session_open_ask(s, name, &ask, err_r);
	if (rc < 0)
		return rc;
	snprintf(
	    refusal, sizeof(refusal), "%s", text ? text : "no reason given");
	said_clean(refusal);
	return session_settle_take(
	    s, ask, -EREMOTEIO, json_string(refusal), err_r);
}

void
session_set_can(struct session *s, unsigned can)
{
	must_be(s, SESSION_MAGIC);
	s->spec.can = can;
}

/* Log the question and tell everybody; afterwards it belongs to s. */
static int
session_ask_publish(struct session *s, struct ask *ask, struct err *err_r)
{
	const int rc =
	    entries_ask(&s->log, ENTRY_ASK, ask, strlen(ask->params));

	if (rc < 0)
		return err_set(err_r, rc, NULL, "%s: %s", ask->name,
		    rc == -ENOMEM ? "out of memory"
				  : "the tool asked or said too much");
	TAILQ_INSERT_TAIL(&s->asks, ask, link);
	s->n_open++;
	s->n_asked++;
	session_publish(s);
	return 0;
}

void
session_withdraw(struct session *s, struct ask *ask)
{
	if (ask->state != ASK_OPEN)
		return;
	ask->state = ASK_WITHDRAWN;
	s->n_open--;
}

/* One wait for an answer; ends with the frame that waits. */
struct session_waiting {
	struct session *session;
	struct ask *ask;
};

static void
session_waiting_end(struct session_waiting *w)
{
	session_withdraw(w->session, w->ask);
}

/* Wait for the answer of a published question. */
static int
session_ask_wait(
    struct session *s, struct ask *ask, json_t **value_r, struct err *err_r)
{
	__attribute__((cleanup(
	    session_waiting_end))) struct session_waiting w = { s, ask };

	if (!ask->latch.is_set)
		flow_trim();
	const int rc =
	    latch_wait(&w.ask->latch, w.ask->name, CLOCK_NEVER, NULL);
	if (rc == -EREMOTEIO)
		return err_set(
		    err_r, rc, NULL, "%s", json_string_value(ask->value));
	if (rc < 0)
		return err_set(
		    err_r, -ESTALE, NULL, "nothing can be asked now");
	*value_r = ask->value;
	ask->value = NULL;
	return 0;
}

/* An answer that came with the call, if one fits. */
static bool
session_answered_before(
    const struct session *s, const struct ask *ask, json_t **value_r)
{
	json_t *const answer = json_object_get(s->spec.answers, ask->name);

	return answer && ask_check(ask, answer, value_r, NULL) == 0;
}

/* Whether the question may be put to this client now. */
static int
session_may_ask(
    const struct session *s, const struct ask *ask, struct err *err_r)
{
	const char *const missing = ask_missing(ask->kind, s->spec.can);

	if (s->is_cancelling || session_is_ended(s))
		return err_set(err_r, -ESTALE, NULL,
		    "nothing can be asked while the tool ends");
	if (missing)
		return err_set(err_r, -ENOTSUP, missing,
		    "the tool %s needs the client capability %s, which this "
		    "client did not declare",
		    s->spec.tool->hl->name, missing);
	return 0;
}

int
session_ask_take(
    struct session *s, struct ask **askp, json_t **value_r, struct err *err_r)
{
	struct ask *ask = *askp;
	int rc;

	must_be(s, SESSION_MAGIC);
	*askp = NULL;
	*value_r = NULL;
	if (session_answered_before(s, ask, value_r)) {
		ask_free(&ask);
		return 0;
	}
	rc = session_may_ask(s, ask, err_r);
	if (rc == 0)
		rc = session_ask_publish(s, ask, err_r);
	if (rc < 0) {
		ask_free(&ask);
		return rc;
	}
	return session_ask_wait(s, ask, value_r, err_r);
}
