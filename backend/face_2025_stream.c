/* SPDX-License-Identifier: MIT */
/*
 * face_2025_stream: the log of a session is the buffer of its stream. Whoever
 * follows it, and how often, is nothing to the session: leaving ends the
 * follower alone.
 */
#include "backend/face_2025_stream.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/flow/task.h"

#include "backend/face_2025_event.h"
#include "backend/rpc.h"

#define FACE_2025_RETRY_MS 500 /* after which a client comes back */

int
face_2025_error(
    struct reply *reply, int status, json_t *id, int code, const char *text)
{
	hl_auto json_t *body = rpc_error_take(id, code, text, NULL);

	return body ? reply_json(reply, status, body) : -ENOMEM;
}

int
face_2025_admit(
    struct backend *backend, struct reply *reply, struct peer **peer_r)
{
	const struct slice version = reply->in->fields[INBOUND_VERSION];
	const struct slice id = reply->in->fields[INBOUND_PEER];
	const struct face_revision *r = face_find(version);
	int rc;

	*peer_r = NULL;
	if (!id.p)
		rc = face_2025_error(reply, 400, NULL, RPC_PEER_ERROR,
		    "Bad Request: Mcp-Session-Id is missing; open with "
		    "initialize");
	else if (version.p && (!r || r->era != FACE_ERA_LEGACY))
		rc = face_2025_error(reply, 400, NULL, RPC_PEER_ERROR,
		    "Bad Request: MCP-Protocol-Version names no revision "
		    "that has sessions here");
	else if ((*peer_r = peer_find(backend->peers, id)))
		return 0;
	else
		rc = face_2025_error(reply, 404, NULL, RPC_PEER_UNKNOWN,
		    "Session not found: open with initialize");
	return rc == 0 ? 1 : rc;
}

int
face_2025_open(
    struct reply *reply, const struct peer *peer, const struct session *session)
{
	char id[FACE_2025_ID_SIZE];
	const int rc = reply_stream(reply);

	if (rc != 0 || !peer->revision->has_priming)
		return rc;
	return reply_event(reply, face_2025_id(session_id(session), 0, id),
	    FACE_2025_RETRY_MS, NULL);
}

/* Send an entry as an event, if it says anything. */
static int
face_2025_send(struct reply *reply, struct peer *peer,
    const struct peer_stream *stream, const struct entry *entry)
{
	char id[FACE_2025_ID_SIZE];
	hl_auto json_t *message = NULL;
	const int rc = face_2025_message(
	    entry, stream, peer->revision, peer->level, &message);

	if (rc != 0 || !message)
		return rc;
	face_2025_id(stream->session_id, entry->lsn, id);
	return reply_event(reply, id, -1, message);
}

/* Wait for news, with signs of life. Returns 0 or -errno. */
static int
face_2025_idle(struct reply *reply, const char *what)
{
	const int rc =
	    wire_wait(reply->wire, what, clock_deadline_ms(REPLY_KEEPALIVE_MS));

	return rc == -ETIMEDOUT ? reply_keepalive(reply) : rc;
}

int
face_2025_follow(struct reply *reply, struct peer *peer,
    const struct peer_stream *stream, struct session *session, uint64_t cursor)
{
	news_reader_auto struct news_reader reader = { 0 };

	news_follow(session_news(session), &reader, &reply->wire->news);
	for (;;) {
		const struct entry *entry = NULL;
		int rc = session_next(session, &cursor, 0, &entry);

		if (rc == -EPIPE)
			return 0;
		if (rc == -ETIMEDOUT)
			rc = face_2025_idle(
			    reply, "the next entry of a session");
		else if (rc == 0)
			rc = face_2025_send(reply, peer, stream, entry);
		if (rc != 0)
			return rc;
		/* A person takes time: give back what stack is not needed. */
		if (entry && entry->kind == ENTRY_ASK)
			flow_trim();
	}
}

/* A broken stream goes on behind the last event that the client saw. */
static int
face_2025_resume(struct backend *backend, struct reply *reply,
    struct peer *peer, struct slice last)
{
	session_auto struct session *session = NULL;
	peer_stream_auto struct peer_stream *stream = NULL;
	char sid[RANDOM_ID_SIZE];
	uint64_t lsn = 0;
	int rc;

	if (face_2025_parse_id(last, sid, &lsn) == 0)
		stream = peer_find_stream(peer, sid);
	if (stream)
		session = registry_find(backend->registry, sid);
	if (!session || lsn > session_lsn(session))
		return face_2025_error(reply, 400, NULL, RPC_PEER_ERROR,
		    "Bad Request: Last-Event-ID names no event of this "
		    "session, or one that is kept no more");
	rc = reply_stream(reply);
	if (rc == 0)
		rc = face_2025_follow(reply, peer, stream, session, lsn);
	return rc == 0 ? reply_end(reply) : rc;
}

static void
face_2025_leave(struct peer **peer)
{
	(*peer)->n_gets--;
}

/* A stream without a request: nothing but signs of life until the peer ends. */
static int
face_2025_listen(struct reply *reply, struct peer *peer)
{
	__attribute__((cleanup(face_2025_leave))) struct peer *counted = peer;
	news_reader_auto struct news_reader reader = { 0 };
	int rc;

	news_follow(&peer->ended, &reader, &reply->wire->news);
	counted->n_gets++;
	rc = reply_stream(reply);
	flow_trim();
	while (rc == 0 && !peer->is_ended)
		rc = face_2025_idle(reply, "the end of the peer");
	return rc == 0 ? reply_end(reply) : rc;
}

int
face_2025_get(struct backend *backend, struct reply *reply)
{
	const struct slice last = reply->in->fields[INBOUND_EVENT];
	peer_auto struct peer *peer = NULL;
	int rc;

	if (!(reply->in->accepts & INBOUND_ACCEPT_STREAM))
		return face_2025_error(reply, 406, NULL, RPC_PEER_ERROR,
		    "Not Acceptable: a GET is answered by text/event-stream");
	rc = face_2025_admit(backend, reply, &peer);
	if (rc != 0)
		return rc == 1 ? 0 : rc;
	if (!last.p && peer->n_gets >= PEER_GETS_MAX)
		return face_2025_error(reply, 409, NULL, RPC_PEER_ERROR,
		    "Conflict: this session has enough GET streams");
	wire_watch(reply->wire);
	rc = last.p ? face_2025_resume(backend, reply, peer, last)
	            : face_2025_listen(reply, peer);
	wire_unwatch(reply->wire);
	return rc;
}

int
face_2025_delete(struct backend *backend, struct reply *reply)
{
	peer_auto struct peer *peer = NULL;
	const int rc = face_2025_admit(backend, reply, &peer);

	if (rc != 0)
		return rc == 1 ? 0 : rc;
	peer_end(peer);
	return reply_json(reply, 204, NULL);
}
