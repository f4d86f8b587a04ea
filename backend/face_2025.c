/* SPDX-License-Identifier: MIT */
/*
 * face_2025: methods are rows of a table; a tool call starts a session and
 * follows its log; answers come in other POSTs and find their question by its
 * id.
 */
#include "backend/face_2025.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/json/said.h"

#include "backend/face.h"
#include "backend/face_2025_event.h"
#include "backend/face_2025_stream.h"
#include "backend/notice.h"
#include "backend/peer.h"

#define FACE_2025_BATCH_MAX 64

/* What serving messages of a peer needs; on the stack. */
struct face_2025 {
	struct backend *backend;
	struct peer *peer;
};

/* The methods that are answered at once: *new* envelopes, or NULL. */

/* ping answers {} and nothing else. */
static json_t *
face_2025_ping(struct face_2025 *f, const json_t *message)
{
	return rpc_result_take(rpc_id(message), json_object());
}

static json_t *
face_2025_set_level(struct face_2025 *f, const json_t *message)
{
	const int level = notice_level(
	    json_string_value(json_object_get(rpc_params(message), "level")));

	if (level < 0)
		return rpc_error_take(rpc_id(message), RPC_INVALID_PARAMS,
		    "Invalid params: level must be one of debug, info, "
		    "notice, warning, error, critical, alert, emergency",
		    NULL);
	f->peer->level = (enum hl_level)level;
	return rpc_result_take(rpc_id(message), json_object());
}

static json_t *
face_2025_tools_list(struct face_2025 *f, const json_t *message)
{
	if (json_object_get(rpc_params(message), "cursor"))
		return rpc_error_take(rpc_id(message), RPC_INVALID_PARAMS,
		    "Invalid params: this list has one page, no cursors", NULL);
	return rpc_result_take(
	    rpc_id(message), json_pack("{s:o}", "tools",
				 notice_tools(f->backend->load,
				     f->peer->revision->has_structured)));
}

static const struct face_2025_method {
	const char *name;
	json_t *(*answer)(struct face_2025 *f, const json_t *message);
} face_2025_methods[] = {
	{ "ping", face_2025_ping },
	{ "logging/setLevel", face_2025_set_level },
	{ "tools/list", face_2025_tools_list },
};

#define FACE_2025_CALL "tools/call"
#define FACE_2025_OPEN "initialize"

static json_t *
face_2025_answer_now(struct face_2025 *f, const json_t *message)
{
	const size_t n =
	    sizeof(face_2025_methods) / sizeof(face_2025_methods[0]);

	for (size_t i = 0; i < n; i++)
		if (strcmp(face_2025_methods[i].name, rpc_method(message)) == 0)
			return face_2025_methods[i].answer(f, message);
	return rpc_error_take(
	    rpc_id(message), RPC_METHOD_NOT_FOUND, "Method not found", NULL);
}

/* Why a peer or a call of one cannot be: there are enough, or rc says it. */
static const char *
face_2025_why(int rc, const char *enough)
{
	if (rc == -EBUSY)
		return enough;
	return rc == -ESHUTDOWN ? "shutting_down: this server is ending"
	                        : "out of memory";
}

/* What this client can be asked, in its revision. */
static unsigned
face_2025_can(const json_t *declared, const struct face_revision *revision)
{
	const unsigned can = ask_can(declared);

	return revision->has_elicitation ? can : can & ~ASK_CAN(ASK_ELICIT);
}

/* Lifecycle: the version asked for, else our newest that has peers. */
static const struct face_revision *
face_2025_negotiate(const char *asked)
{
	const struct face_revision *r = face_find(slice_of(asked));

	return r && r->era == FACE_ERA_LEGACY ? r
	                                      : face_newest(FACE_ERA_LEGACY);
}

static int
face_2025_initialize(
    struct backend *backend, struct reply *reply, const json_t *message)
{
	json_t *params = rpc_params(message);
	json_t *declared = json_object_get(params, "capabilities");
	const char *asked =
	    json_string_value(json_object_get(params, "protocolVersion"));
	const struct face_revision *revision;
	hl_auto json_t *body = NULL;
	peer_auto struct peer *peer = NULL;
	int rc;

	if (!asked || (declared && !json_is_object(declared)))
		return face_2025_error(reply, 200, rpc_id(message),
		    RPC_INVALID_PARAMS,
		    "Invalid params: initialize needs protocolVersion (a "
		    "string) and capabilities (an object)");
	revision = face_2025_negotiate(asked);
	rc = peer_new(
	    backend->peers, revision, face_2025_can(declared, revision), &peer);
	if (rc != 0)
		return face_2025_error(reply, 503, rpc_id(message),
		    RPC_INTERNAL_ERROR,
		    face_2025_why(rc, "too many clients: try again later"));
	body = rpc_result_take(rpc_id(message),
	    json_pack("{s:s, s:{s:{}, s:{}}, s:o}", "protocolVersion",
		revision->name, "capabilities", "tools", "logging",
		"serverInfo", face_server_info()));
	reply->peer_id = peer->id;
	rc = body ? reply_json(reply, 200, body) : -ENOMEM;
	reply->peer_id = NULL;
	return rc;
}

/* ---- tool calls ------------------------------------------------------ */

/* A tool call that runs; ended by face_2025_call_fini. */
struct face_2025_call {
	struct session *session;
	struct peer_stream *stream;
};

static void
face_2025_call_fini(struct face_2025_call *call)
{
	peer_stream_unref(&call->stream);
	session_unref(&call->session);
}

/*
 * Start a tool call. Returns NULL when it runs, else the *new* envelope of
 * an error; both NULL without memory.
 */
static json_t *
face_2025_start(
    struct face_2025 *f, const json_t *message, struct face_2025_call *call_r)
{
	struct session_spec spec = { .can = f->peer->can };
	json_t *token;
	struct err err;
	int rc;

	spec.tool = notice_call(
	    f->backend->load, rpc_params(message), &spec.args, &token, &err);
	if (!spec.tool)
		return rpc_error_take(
		    rpc_id(message), RPC_INVALID_PARAMS, err.text, NULL);
	rc =
	    registry_start(f->backend->registry, &spec, &call_r->session, &err);
	if (rc != 0)
		return rpc_error_take(
		    rpc_id(message), RPC_INTERNAL_ERROR, err.text, NULL);
	rc = peer_add_stream(f->peer, session_id(call_r->session),
	    rpc_id(message), token, &call_r->stream);
	if (rc == 0)
		return NULL;
	session_cancel(call_r->session, ENTRY_REASON_CLIENT, "not started");
	session_unref(&call_r->session);
	return rpc_error_take(rpc_id(message), RPC_INTERNAL_ERROR,
	    face_2025_why(rc, "too many tool calls of one client"), NULL);
}

static int
face_2025_tools_call(
    struct face_2025 *f, struct reply *reply, const json_t *message)
{
	__attribute__((
	    cleanup(face_2025_call_fini))) struct face_2025_call call = { 0 };
	hl_auto json_t *error = face_2025_start(f, message, &call);
	int rc;

	if (error)
		return reply_json(reply, 200, error);
	if (!call.session)
		return -ENOMEM;
	rc = face_2025_open(reply, f->peer, call.session);
	if (rc != 0)
		return rc;
	wire_watch(reply->wire);
	rc = face_2025_follow(reply, f->peer, call.stream, call.session, 0);
	wire_unwatch(reply->wire);
	return rc == 0 ? reply_end(reply) : rc;
}

/* ---- what a client says ---------------------------------------------- */

/* A notification: only that of a cancelled request means anything to us. */
static void
face_2025_notified(struct peer *peer, const json_t *message)
{
	const json_t *params = rpc_params(message);
	const json_t *id = json_object_get(params, "requestId");
	const char *reason =
	    json_string_value(json_object_get(params, "reason"));
	char said[SAID_BYTES];

	if (strcmp(rpc_method(message), "notifications/cancelled") != 0 || !id)
		return;
	if (reason)
		said_text(reason, strlen(reason), said);
	peer_cancel(
	    peer, id, reason ? said : "the client cancelled the request");
}

/* The text of an error that a client answered with. */
static const char *
face_2025_refusal(const json_t *message)
{
	const char *text = json_string_value(
	    json_object_get(json_object_get(message, "error"), "message"));

	return text ? text : "the client answered with an error";
}

/*
 * The question that an answer's id names, of a session of this peer.
 * *session_r is held for the caller. Returns its name, *borrowed* while the
 * session is held, or NULL.
 */
static const char *
face_2025_question(
    struct face_2025 *f, const json_t *message, struct session **session_r)
{
	const json_t *id = json_object_get(message, "id");
	peer_stream_auto struct peer_stream *stream = NULL;
	const struct entry *entry;
	char sid[RANDOM_ID_SIZE];
	struct slice text;
	uint64_t lsn = 0;

	if (!json_is_string(id))
		return NULL;
	text = (struct slice){ json_string_value(id), json_string_length(id) };
	if (face_2025_parse_id(text, sid, &lsn) != 0 || lsn == 0)
		return NULL;
	stream = peer_find_stream(f->peer, sid);
	if (!stream)
		return NULL;
	*session_r = registry_find(f->backend->registry, sid);
	lsn--;
	if (!*session_r || lsn >= session_lsn(*session_r) ||
	    session_next(*session_r, &lsn, 0, &entry) != 0 ||
	    entry->kind != ENTRY_ASK)
		return NULL;
	return entry->ask->name;
}

/*
 * Deliver an answer. What is unknown, late or another peer's is ignored.
 * Returns 0, -ENOMEM, or -EINVAL when it is none to this question, which
 * stays open; *err_r says what is wrong.
 */
static int
face_2025_answered(
    struct face_2025 *f, const json_t *message, struct err *err_r)
{
	json_t *result = json_object_get(message, "result");
	session_auto struct session *s = NULL;
	const char *name = face_2025_question(f, message, &s);
	int rc;

	if (!name)
		return 0;
	rc = result
	         ? session_answer(s, name, result, err_r)
	         : session_refuse(s, name, face_2025_refusal(message), err_r);
	return rc == -EINVAL || rc == -ENOMEM ? rc : 0;
}

static int
face_2025_answer(
    struct face_2025 *f, struct reply *reply, const json_t *message)
{
	char text[ERR_PLACE_BYTES + ERR_TEXT_BYTES + 32];
	struct err err;
	const int rc = face_2025_answered(f, message, &err);

	if (rc == 0)
		return reply_json(reply, 202, NULL);
	if (rc != -EINVAL)
		return rc;
	snprintf(text, sizeof(text), "Invalid params: result%s: %s", err.place,
	    err.text);
	return face_2025_error(
	    reply, 400, rpc_id(message), RPC_INVALID_PARAMS, text);
}

int
face_2025_post(struct backend *backend, struct reply *reply, enum rpc_kind kind,
    json_t *message)
{
	peer_auto struct peer *peer = NULL;
	struct face_2025 f = { backend, NULL };
	hl_auto json_t *body = NULL;
	int rc;

	if (kind == RPC_KIND_REQUEST &&
	    strcmp(rpc_method(message), FACE_2025_OPEN) == 0)
		return face_2025_initialize(backend, reply, message);
	rc = face_2025_admit(backend, reply, &peer);
	if (rc != 0)
		return rc == 1 ? 0 : rc;
	f.peer = peer;
	if (kind == RPC_KIND_ANSWER)
		return face_2025_answer(&f, reply, message);
	if (kind == RPC_KIND_NOTIFICATION) {
		face_2025_notified(peer, message);
		return reply_json(reply, 202, NULL);
	}
	if (strcmp(rpc_method(message), FACE_2025_CALL) == 0)
		return face_2025_tools_call(&f, reply, message);
	body = face_2025_answer_now(&f, message);
	return body ? reply_json(reply, 200, body) : -ENOMEM;
}

/* ---- batches --------------------------------------------------------- */

/* Several messages in one body: what they came to. */
struct face_2025_batch {
	json_t *answers; /* envelopes that are ready */
	size_t n_calls;
	struct face_2025_call calls[FACE_2025_BATCH_MAX];
};

static void
face_2025_batch_fini(struct face_2025_batch *batch)
{
	json_decref(batch->answers);
	for (size_t i = 0; i < batch->n_calls; i++)
		face_2025_call_fini(&batch->calls[i]);
}

/* A request of a batch. Returns the *new* envelope; NULL: a call runs. */
static json_t *
face_2025_batch_request(
    struct face_2025 *f, const json_t *message, struct face_2025_batch *batch)
{
	json_t *error;

	if (strcmp(rpc_method(message), FACE_2025_OPEN) == 0)
		return rpc_error_take(rpc_id(message), RPC_INVALID_REQUEST,
		    "Invalid Request: initialize stands alone", NULL);
	if (strcmp(rpc_method(message), FACE_2025_CALL) != 0)
		return face_2025_answer_now(f, message);
	error = face_2025_start(f, message, &batch->calls[batch->n_calls]);
	if (!error && batch->calls[batch->n_calls].session)
		batch->n_calls++;
	return error;
}

/* Take one message of a batch. Returns 0 or -ENOMEM. */
static int
face_2025_batch_take(
    struct face_2025 *f, const json_t *message, struct face_2025_batch *batch)
{
	const size_t n_calls = batch->n_calls;
	const char *text;
	struct err err;
	json_t *answer = NULL;

	switch (rpc_kind(message, &text)) {
	case RPC_KIND_BAD:
		answer = rpc_error_take(
		    rpc_id(message), RPC_INVALID_REQUEST, text, NULL);
		break;
	case RPC_KIND_REQUEST:
		answer = face_2025_batch_request(f, message, batch);
		break;
	case RPC_KIND_NOTIFICATION:
		face_2025_notified(f->peer, message);
		return 0;
	case RPC_KIND_ANSWER:
		return face_2025_answered(f, message, &err) == -ENOMEM ? -ENOMEM
		                                                       : 0;
	}
	if (batch->n_calls > n_calls)
		return 0;
	return json_array_append_new(batch->answers, answer) == 0 ? 0 : -ENOMEM;
}

/* Everything on one stream: what is ready first, then call after call. */
static int
face_2025_batch_stream(
    struct face_2025 *f, struct reply *reply, struct face_2025_batch *batch)
{
	int rc = reply_stream(reply);

	for (size_t i = 0; rc == 0 && i < json_array_size(batch->answers); i++)
		rc = reply_event(
		    reply, NULL, -1, json_array_get(batch->answers, i));
	wire_watch(reply->wire);
	for (size_t i = 0; rc == 0 && i < batch->n_calls; i++)
		rc = face_2025_follow(reply, f->peer, batch->calls[i].stream,
		    batch->calls[i].session, 0);
	wire_unwatch(reply->wire);
	return rc == 0 ? reply_end(reply) : rc;
}

int
face_2025_batch(struct backend *backend, struct reply *reply, json_t *messages)
{
	__attribute__((
	    cleanup(face_2025_batch_fini))) struct face_2025_batch batch = {
		.answers = json_array()
	};
	peer_auto struct peer *peer = NULL;
	struct face_2025 f = { backend, NULL };
	int rc = face_2025_admit(backend, reply, &peer);

	if (rc != 0)
		return rc == 1 ? 0 : rc;
	f.peer = peer;
	if (!peer->revision->has_batches ||
	    json_array_size(messages) > FACE_2025_BATCH_MAX)
		return face_2025_error(reply, 400, NULL, RPC_INVALID_REQUEST,
		    "Invalid Request: no batches in this session's revision, "
		    "or one of more than 64 messages");
	for (size_t i = 0; rc == 0 && i < json_array_size(messages); i++)
		rc = face_2025_batch_take(
		    &f, json_array_get(messages, i), &batch);
	if (rc != 0)
		return rc;
	if (batch.n_calls > 0)
		return face_2025_batch_stream(&f, reply, &batch);
	if (json_array_size(batch.answers) == 0)
		return reply_json(reply, 202, NULL);
	return reply_json(reply, 200, batch.answers);
}

int
face_2025_verb(struct backend *backend, struct reply *reply)
{
	return reply->in->verb == HTTP_VERB_GET
	           ? face_2025_get(backend, reply)
	           : face_2025_delete(backend, reply);
}
