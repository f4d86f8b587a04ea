/* SPDX-License-Identifier: MIT */
/*
 * face_2026_leg: all legs of one round read the same log with cursors of
 * their own; the first one that comes to the end of the round makes its reply,
 * the others send the same. The HTTP status is committed late: by the first
 * notification, the keepalive deadline, or the reply.
 */
#include "backend/face_2026_leg.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/must.h"

#include "backend/face.h"
#include "backend/face_2026_ladder.h"
#include "backend/notice.h"
#include "backend/rpc.h"

/* One request; on the stack, ended by leg_fini however that is left. */
struct leg {
	struct reply *reply;
	const json_t *request;
	struct dialog *dialog;   /* held by the caller */
	struct session *session; /* held */
	struct round *round;
	json_t *token; /* this request's own, or NULL */
	int level;     /* the least that is told, -1: nothing */
	uint64_t cursor;
	struct news_reader reader; /* of the session's news */
	bool is_told; /* the client got its reply, or can get it again */
};

#define leg_auto __attribute__((cleanup(leg_fini)))

static void
leg_init(struct leg *leg, struct reply *reply, const json_t *request,
    struct dialog *dialog, struct round *round)
{
	const json_t *meta = json_object_get(rpc_params(request), "_meta");

	*leg = (struct leg){ .reply = reply,
		.request = request,
		.dialog = dialog,
		.session = session_ref(dialog->session),
		.round = round,
		.token = json_object_get(meta, "progressToken"),
		.level = notice_level(
		    json_string_value(json_object_get(meta, FACE_2026_LEVEL))),
		.cursor = round ? round->lsn : 0 };
	news_follow(
	    session_news(leg->session), &leg->reader, &reply->wire->news);
	dialog->n_legs++;
	if (round)
		round->n_legs++;
}

static void
leg_fini(struct leg *leg)
{
	news_leave(&leg->reader);
	leg->dialog->n_legs--;
	if (leg->round)
		leg->round->n_legs--;
	if (!leg->is_told && leg->dialog->n_legs == 0)
		dialog_cancel(
		    leg->dialog, "the client closed the stream of its call");
	session_unref(&leg->session);
}

/* ---- contents -------------------------------------------------------- */

json_t *
face_2026_complete_take(json_t *result)
{
	json_t *all = json_pack("{s:s}", "resultType", "complete");
	json_t *meta = json_copy(json_object_get(result, "_meta"));
	bool is_whole;

	if (!meta)
		meta = json_object();
	is_whole = all && result &&
	           json_object_update_missing(all, result) == 0 &&
	           json_object_set_new(
		       meta, FACE_2026_INFO, face_server_info()) == 0 &&
	           json_object_set(all, "_meta", meta) == 0;
	json_decref(meta);
	json_decref(result);
	if (!is_whole) {
		json_decref(all);
		return NULL;
	}
	return all;
}

json_t *
face_2026_input_required(json_t *asked, const char *state)
{
	return json_pack("{s:s, s:O, s:s, s:{s:o}}", "resultType",
	    "input_required", "inputRequests", asked, "requestState", state,
	    "_meta", FACE_2026_INFO, face_server_info());
}

json_t *
face_2026_reason(int code, const char *reason, const char *text)
{
	return json_pack("{s:i, s:s, s:{s:s}}", "code", code, "message", text,
	    "data", "reason", reason);
}

/* All open questions: {name: {method, params}}. *new*, or NULL. */
static json_t *
leg_questions(const struct session *session)
{
	const struct ask *ask = NULL;
	json_t *asked = json_object();

	while ((ask = session_next_ask(session, ask)))
		if (json_object_set_new(asked, ask->name,
			json_pack("{s:s, s:o}", "method", ask_method(ask->kind),
			    "params", notice_ask_params(ask, true))) != 0) {
			json_decref(asked);
			return NULL;
		}
	return asked;
}

/* The client lacks what the tool needs. */
static json_t *
leg_lacking(const struct entry *entry)
{
	char text[ERR_PLACE_BYTES + ERR_TEXT_BYTES + 64];

	snprintf(text, sizeof(text), "Missing required client capability: %s",
	    entry->text ? entry->text : "");
	return json_pack("{s:i, s:s, s:{s:O}}", "code", FACE_2026_CAPABILITY,
	    "message", text, "data", "requiredCapabilities", entry->data);
}

static json_t *
leg_cancelled(const struct entry *entry)
{
	const char *reason = entry_reason_name(entry->reason);

	return face_2026_reason(
	    RPC_INTERNAL_ERROR, reason, entry->text ? entry->text : reason);
}

/* What the end of a session is for this face; content NULL: no memory. */
static struct dialog_reply
leg_ending(const struct entry *entry)
{
	struct dialog_reply r = { .status = 200 };

	if (entry->kind == ENTRY_RESULT) {
		r.content = face_2026_complete_take(json_copy(entry->data));
	} else if (entry->kind == ENTRY_CANCELLED) {
		r.is_error = true;
		r.content = leg_cancelled(entry);
	} else if (entry->data) {
		r.status = 400;
		r.is_error = true;
		r.content = leg_lacking(entry);
	} else {
		r.content =
		    face_2026_complete_take(notice_error_result(entry->text));
	}
	return r;
}

/* ---- sending --------------------------------------------------------- */

int
face_2026_send(
    struct reply *reply, const json_t *request, const struct dialog_reply *what)
{
	hl_auto json_t *body = json_pack("{s:s, s:O, s:O}", "jsonrpc", "2.0",
	    "id", rpc_id(request), what->is_error ? "error" : "result",
	    what->content);
	int rc;

	if (!body)
		return -ENOMEM;
	if (reply->state != REPLY_STREAM)
		return reply_json(reply, what->status, body);
	rc = reply_event(reply, NULL, -1, body);
	return rc == 0 ? reply_end(reply) : rc;
}

/*
 * The round has come to its end, and with is_end the session: keep its reply,
 * then send it. *takes* what's content. A first request has no state yet that
 * could bring its client back, so there only what was sent is told. For what
 * could not be kept the client may come again.
 */
static int
leg_tell_take(struct leg *leg, struct dialog_reply *what, bool is_end)
{
	hl_auto json_t *content = what->content;
	int rc;

	if (!content)
		return -ENOMEM;
	if (leg->round) {
		rc = dialog_set_reply(leg->round, what);
		if (rc != 0)
			return rc;
		leg->is_told = true;
	}
	if (is_end)
		dialog_told(leg->dialog);
	rc = face_2026_send(leg->reply, leg->request, what);
	if (rc == 0)
		leg->is_told = true;
	return rc;
}

/* Parked: hand the questions to the client. */
static int
leg_park(struct leg *leg)
{
	hl_auto json_t *asked = leg_questions(leg->session);
	struct round *next =
	    asked ? dialog_add_round(leg->dialog, asked) : NULL;
	struct dialog_reply what = { .status = 200 };

	if (!next)
		return -ENOMEM;
	what.content = face_2026_input_required(asked, next->state);
	return leg_tell_take(leg, &what, false);
}

/* Ended: tell how. */
static int
leg_end(struct leg *leg, const struct entry *entry)
{
	struct dialog_reply what = leg_ending(entry);

	return leg_tell_take(leg, &what, true);
}

/* Open the stream if this client can read one. Returns 0, 1 if not, -errno. */
static int
leg_open(struct leg *leg)
{
	if (leg->reply->state == REPLY_STREAM)
		return 0;
	if (!(leg->reply->in->accepts & INBOUND_ACCEPT_STREAM))
		return 1;
	return reply_stream(leg->reply);
}

static int
leg_keepalive(struct leg *leg)
{
	const int rc = leg_open(leg);

	if (rc != 0)
		return rc == 1 ? 0 : rc;
	return reply_keepalive(leg->reply);
}

/* Tell an entry that is not the last one, if this client wants to hear it. */
static int
leg_notify(struct leg *leg, const struct entry *entry)
{
	const bool is_progress = entry->kind == ENTRY_PROGRESS && leg->token;
	const bool is_log = entry->kind == ENTRY_LOG && leg->level >= 0 &&
	                    (int)entry->level >= leg->level;
	hl_auto json_t *message = NULL;
	int rc;

	if (!is_progress && !is_log)
		return 0;
	message = is_progress ? notice_progress(entry, leg->token)
	                      : notice_log(entry);
	if (!message)
		return -ENOMEM;
	rc = leg_open(leg);
	if (rc != 0)
		return rc == 1 ? 0 : rc;
	return reply_event(leg->reply, NULL, -1, message);
}

/* ---- following ------------------------------------------------------- */

static bool
leg_is_parked(const struct leg *leg)
{
	return session_n_asks(leg->session) > 0 &&
	       !session_is_ended(leg->session);
}

/*
 * Take the next entry. Returns 0 go on, 1 replied, -ETIMEDOUT: there is none
 * now, another -errno.
 */
static int
leg_take(struct leg *leg)
{
	const struct entry *entry;
	int rc = session_next(leg->session, &leg->cursor, 0, &entry);

	if (rc != 0)
		return rc;
	if (entry->kind != ENTRY_RESULT && entry->kind != ENTRY_FAILED &&
	    entry->kind != ENTRY_CANCELLED)
		return leg_notify(leg, entry);
	rc = leg_end(leg, entry);
	return rc == 0 ? 1 : rc;
}

/*
 * Questions are open: wait until all that could run has run, tell what it
 * said, and park if there still are questions. Returns as leg_take.
 */
static int
leg_settle(struct leg *leg)
{
	int rc = session_wait_quiet(leg->session, 0);

	/* There is no question any more. */
	if (rc == -ETIMEDOUT)
		return 0;
	while (rc == 0)
		rc = leg_take(leg);
	if (rc != -ETIMEDOUT)
		return rc;
	if (!leg_is_parked(leg) || (leg->round && leg->round->reply_status))
		return 0;
	rc = leg_park(leg);
	return rc == 0 ? 1 : rc;
}

/* Wait for news, with signs of life. As leg_take. */
static int
leg_wait(struct leg *leg)
{
	const int rc =
	    wire_wait(leg->reply->wire, "the next entry of a session",
		clock_deadline_ms(REPLY_KEEPALIVE_MS));

	return rc == -ETIMEDOUT ? leg_keepalive(leg) : rc;
}

/* Another leg of the same round was quicker: send what it sent. */
static int
leg_repeat(struct leg *leg)
{
	const struct dialog_reply same = dialog_reply(leg->round);
	hl_auto json_t *content = same.content;
	int rc;

	leg->is_told = true;
	rc =
	    content ? face_2026_send(leg->reply, leg->request, &same) : -ENOMEM;
	return rc == 0 ? 1 : rc;
}

/* One step of a leg; as leg_take. */
static int
leg_step(struct leg *leg)
{
	if (leg->round && leg->round->reply_status)
		return leg_repeat(leg);
	if (leg_is_parked(leg))
		return leg_settle(leg);
	const int rc = leg_take(leg);
	return rc == -ETIMEDOUT ? leg_wait(leg) : rc;
}

int
face_2026_leg(struct reply *reply, const json_t *request, struct dialog *dialog,
    struct round *round)
{
	leg_auto struct leg leg = { 0 };
	int rc = 0;

	leg_init(&leg, reply, request, dialog, round);
	wire_watch(reply->wire);
	while (rc == 0)
		rc = leg_step(&leg);
	wire_unwatch(reply->wire);
	return rc == 1 ? 0 : rc;
}
