/* SPDX-License-Identifier: MIT */
/*
 * face_2026: after the ladder a method is a row. A tools/call without a state
 * starts a session; one with a state is a retry: it is judged whole before
 * anything of it is delivered, so that a bad one changes nothing.
 */
#include "backend/face_2026.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/dialog.h"
#include "backend/face.h"
#include "backend/face_2026_ladder.h"
#include "backend/face_2026_leg.h"
#include "backend/notice.h"
#include "backend/value.h"

#define FACE_2026_TTL_MS 60000 /* the tools change only with a new process */

/* One request that has passed the ladder; on the stack. */
struct face_2026 {
	struct backend *backend;
	struct reply *reply;
	const json_t *request;
	json_t *params;
	unsigned can; /* what this client can be asked, in this request */
};

/* Send a result; *takes* it. */
static int
face_2026_result_take(struct face_2026 *f, json_t *result)
{
	hl_auto json_t *body = rpc_result_take(
	    rpc_id(f->request), face_2026_complete_take(result));

	return body ? reply_json(f->reply, 200, body) : -ENOMEM;
}

/* Send an error; data is *taken*. */
static int
face_2026_error_take(
    struct face_2026 *f, int status, int code, const char *text, json_t *data)
{
	hl_auto json_t *body =
	    rpc_error_take(rpc_id(f->request), code, text, data);

	return body ? reply_json(f->reply, status, body) : -ENOMEM;
}

/* Refuse a retry. reason is ours: the protocol defines none. */
static int
face_2026_refuse(struct face_2026 *f, const char *reason, const char *text)
{
	return face_2026_error_take(f, 200, RPC_INVALID_PARAMS, text,
	    json_pack("{s:s}", "reason", reason));
}

/* ---- server/discover, tools/list ------------------------------------- */

static int
face_2026_discover(struct face_2026 *f)
{
	return face_2026_result_take(f,
	    json_pack("{s:i, s:s, s:o, s:{s:{}, s:{}}}", "ttlMs",
		FACE_2026_TTL_MS, "cacheScope", "private", "supportedVersions",
		face_names(), "capabilities", "tools", "logging"));
}

static int
face_2026_tools_list(struct face_2026 *f)
{
	if (json_object_get(f->params, "cursor"))
		return face_2026_refuse(f, "unknown_cursor",
		    "Invalid params: this list has one page, no cursors");
	return face_2026_result_take(
	    f, json_pack("{s:i, s:s, s:o}", "ttlMs", FACE_2026_TTL_MS,
		   "cacheScope", "private", "tools",
		   notice_tools(f->backend->load, true)));
}

/* ---- tools/call, the first request ----------------------------------- */

static int
face_2026_start(struct face_2026 *f)
{
	struct session_spec spec = { .can = f->can,
		.answers = json_object_get(f->params, "inputResponses") };
	dialog_auto struct dialog *dialog = NULL;
	json_t *token;
	struct err err;
	int rc;

	spec.tool =
	    notice_call(f->backend->load, f->params, &spec.args, &token, &err);
	if (!spec.tool)
		return face_2026_error_take(
		    f, 200, RPC_INVALID_PARAMS, err.text, NULL);
	if (spec.answers && !json_is_object(spec.answers))
		return face_2026_refuse(f, "invalid_response",
		    "Invalid params: inputResponses must be an object");
	rc = dialog_start(
	    f->backend->dialogs, f->backend->registry, &spec, &dialog, &err);
	if (rc != 0)
		return face_2026_error_take(
		    f, 503, RPC_INTERNAL_ERROR, err.text, NULL);
	return face_2026_leg(f->reply, f->request, dialog, NULL);
}

/* ---- tools/call, a retry --------------------------------------------- */

static int
face_2026_refuse_lost(struct face_2026 *f, enum dialog_lost lost)
{
	if (lost == DIALOG_LOST_CONSUMED)
		return face_2026_refuse(f, "consumed_or_expired",
		    "Invalid or expired requestState: it was used up, or it "
		    "is older than is kept; call again without it");
	if (lost == DIALOG_LOST_STATE)
		return face_2026_refuse(f, "state_lost",
		    "Invalid requestState: it is of another run of this "
		    "server, or of another server; call again without it");
	return face_2026_refuse(f, "malformed",
	    "Invalid requestState: no state of this server looks so");
}

/* Whether a retry is for the call that the state was given for. */
static bool
face_2026_is_same_call(const struct face_2026 *f, const struct dialog *dialog)
{
	const char *name =
	    json_string_value(json_object_get(f->params, "name"));
	uint64_t args = 0;

	return name && strcmp(name, dialog->tool->hl->name) == 0 &&
	       value_digest(json_object_get(f->params, "arguments"), &args) ==
	           0 &&
	       args == dialog->args;
}

/* Send again what was told before; parked in a later round or ended. */
static int
face_2026_repeat(struct face_2026 *f, const struct round *round)
{
	const struct dialog_reply same = dialog_reply(round);
	hl_auto json_t *content = same.content;

	return content ? face_2026_send(f->reply, f->request, &same) : -ENOMEM;
}

/* The session ended while nobody was there; only its result is worth much. */
static int
face_2026_retry_late(struct face_2026 *f, struct round *round)
{
	struct dialog *dialog = round->dialog;
	int rc;

	switch (session_state(dialog->session)) {
	case SESSION_COMPLETED:
	case SESSION_FAILED:
		rc = dialog_set_answers(
		    round, json_object_get(f->params, "inputResponses"));
		return rc == 0
		           ? face_2026_leg(f->reply, f->request, dialog, round)
		           : rc;
	default:
		return face_2026_refuse(f, "expired",
		    "Invalid or expired requestState: the call was ended "
		    "before its answers came");
	}
}

/*
 * Collect from the answers those to open questions. *fit_r is *new*. Returns
 * 0, -EINVAL (*err_r: an answer is none), or -ENOMEM. Delivers nothing.
 */
static int
face_2026_collect(const struct session *session, json_t *answers,
    json_t **fit_r, struct err *err_r)
{
	const struct ask *ask = NULL;
	struct err why = { 0 };

	*fit_r = json_object();
	while ((ask = session_next_ask(session, ask))) {
		json_t *answer = json_object_get(answers, ask->name);
		int rc;

		if (!answer)
			continue;
		rc = session_check_answer(session, ask->name, answer, &why);
		if (rc == 0 && json_object_set(*fit_r, ask->name, answer) != 0)
			rc = -ENOMEM;
		if (rc != 0)
			return err_set(err_r, rc, NULL,
			    "Invalid params: inputResponses.%s%s: %s",
			    ask->name, why.place, why.text);
	}
	return *fit_r ? 0 : -ENOMEM;
}

/* What this client would be asked again but says it cannot be; or NULL. */
static const char *
face_2026_missing(
    const struct face_2026 *f, const struct session *s, const json_t *fit)
{
	const struct ask *ask = NULL;
	const char *missing;

	while ((ask = session_next_ask(s, ask))) {
		missing = ask_missing(ask->kind, f->can);
		if (missing && !json_object_get(fit, ask->name))
			return missing;
	}
	return NULL;
}

/* Deliver checked answers. Returns 0 or -errno. */
static int
face_2026_deliver(struct round *round, json_t *fit)
{
	struct session *session = round->dialog->session;
	const char *name;
	json_t *answer;
	struct err err;
	int rc = dialog_set_answers(round, fit);

	json_object_foreach (fit, name, answer) {
		if (rc != 0)
			break;
		rc = session_answer(session, name, answer, &err);
	}
	return rc;
}

/* A retry of the round that waits for one. */
static int
face_2026_retry_open(struct face_2026 *f, struct round *round)
{
	struct session *session = round->dialog->session;
	json_t *answers = json_object_get(f->params, "inputResponses");
	hl_auto json_t *fit = NULL;
	const char *missing;
	struct err err;
	int rc;

	if (!session)
		return face_2026_refuse_lost(f, DIALOG_LOST_CONSUMED);
	if (session_is_ended(session) ||
	    session_state(session) == SESSION_CANCELLING)
		return face_2026_retry_late(f, round);
	rc = face_2026_collect(session, answers, &fit, &err);
	if (rc == -EINVAL)
		return face_2026_refuse(f, "invalid_response", err.text);
	if (rc != 0)
		return rc;
	missing = face_2026_missing(f, session, fit);
	if (missing)
		return face_2026_error_take(f, 400, FACE_2026_CAPABILITY,
		    "Missing required client capability",
		    json_pack("{s:{s:{}}}", "requiredCapabilities", missing));
	if (json_object_size(fit) == 0 && session_n_asks(session) > 0) {
		struct dialog_reply same = { .status = 200 };
		hl_auto json_t *asked = dialog_asked(round);
		hl_auto json_t *content =
		    face_2026_input_required(asked, round->state);

		same.content = content;
		return content ? face_2026_send(f->reply, f->request, &same)
		               : -ENOMEM;
	}
	session_set_can(session, f->can);
	rc = face_2026_deliver(round, fit);
	return rc == 0
	           ? face_2026_leg(f->reply, f->request, round->dialog, round)
	           : rc;
}

static int
face_2026_retry(struct face_2026 *f, const json_t *state)
{
	const json_t *answers = json_object_get(f->params, "inputResponses");
	const struct slice id = { json_string_value(state),
		json_string_length(state) };
	enum dialog_lost lost = DIALOG_LOST_MALFORMED;
	dialog_auto struct dialog *dialog = NULL;
	struct round *round =
	    id.p ? dialog_find(f->backend->dialogs, id, &dialog, &lost) : NULL;

	if (!round)
		return face_2026_refuse_lost(f, lost);
	if (!face_2026_is_same_call(f, dialog))
		return face_2026_refuse(f, "request_mismatch",
		    "Invalid requestState: it was given for another call: "
		    "name and arguments must be those of the first request");
	if (answers && !json_is_object(answers))
		return face_2026_refuse(f, "invalid_response",
		    "Invalid params: inputResponses must be an object");
	const int is_same = dialog_is_same(round, answers);
	if (is_same < 0)
		return is_same;
	if (!is_same)
		return face_2026_refuse(f, "stale_round",
		    "Invalid requestState: it was answered before, and not "
		    "with these answers");
	if (round->reply_status)
		return face_2026_repeat(f, round);
	if (dialog->state == DIALOG_CANCELLED)
		return face_2026_refuse(f, "cancelled",
		    "Invalid or expired requestState: the call was cancelled "
		    "when its stream was closed");
	if (round->is_answered)
		return face_2026_leg(f->reply, f->request, dialog, round);
	return face_2026_retry_open(f, round);
}

static int
face_2026_tools_call(struct face_2026 *f)
{
	const json_t *state = json_object_get(f->params, "requestState");

	return state ? face_2026_retry(f, state) : face_2026_start(f);
}

/* ---- the face -------------------------------------------------------- */

/* The ladder lets only these through. */
static const struct face_2026_method {
	const char *name;
	int (*serve)(struct face_2026 *f);
} face_2026_methods[] = {
	{ "server/discover", face_2026_discover },
	{ "tools/list", face_2026_tools_list },
	{ "tools/call", face_2026_tools_call },
};

int
face_2026_post(struct backend *backend, struct reply *reply, enum rpc_kind kind,
    json_t *message)
{
	const size_t n =
	    sizeof(face_2026_methods) / sizeof(face_2026_methods[0]);
	json_t *params = rpc_params(message);
	const json_t *meta = json_object_get(params, "_meta");
	struct face_2026 f = { backend, reply, message, params,
		ask_can(json_object_get(meta, FACE_2026_CAPS)) };
	struct face_2026_fault fault;

	if (face_2026_climb(reply->in, kind, message, backend->load, &fault) !=
	    0)
		return face_2026_error_take(
		    &f, fault.status, fault.code, fault.text, fault.data);
	if (kind == RPC_KIND_NOTIFICATION)
		return reply_json(reply, 202, NULL);
	for (size_t i = 0; i < n; i++)
		if (strcmp(face_2026_methods[i].name, rpc_method(message)) == 0)
			return face_2026_methods[i].serve(&f);
	return -EINVAL;
}
