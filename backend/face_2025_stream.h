/* SPDX-License-Identifier: MIT */
/*
 * face_2025_stream: the streams of the legacy face: admitting the peer that a
 * request names, opening, following and resuming the stream of a session, the
 * stream that a GET opens, and DELETE.
 * Source: MCP 2025-11-25 basic/transports
 */
#ifndef BACKEND_FACE_2025_STREAM_H
#define BACKEND_FACE_2025_STREAM_H

#include <jansson.h>

#include "backend/backend.h"
#include "backend/peer.h"
#include "backend/reply.h"

/* Send an error of that HTTP status. Returns as reply_json. Waits. */
int face_2025_error(
    struct reply *reply, int status, json_t *id, int code, const char *text);

/*
 * Find the peer of a request: *peer_r is held for the caller. Returns 0, 1
 * when there is none and the client was told why, or -errno. Waits.
 */
int face_2025_admit(
    struct backend *backend, struct reply *reply, struct peer **peer_r);

/*
 * Open the stream of a session, with a priming event where the revision has
 * one. Returns as reply_json. Waits.
 */
int face_2025_open(struct reply *reply, const struct peer *peer,
    const struct session *session);

/*
 * Follow a session's log behind cursor to its end on an open stream, which
 * stays open. Returns as reply_json. Waits.
 */
int face_2025_follow(struct reply *reply, struct peer *peer,
    const struct peer_stream *stream, struct session *session, uint64_t cursor);

/*
 * Serve GET: with Last-Event-ID exactly the stream of that event goes on
 * behind it, without one a stream that says nothing by itself is opened.
 * Returns 0 or -errno: close. Waits.
 */
int face_2025_get(struct backend *backend, struct reply *reply);

/* Serve DELETE: the peer ends, its sessions are cancelled. As above. */
int face_2025_delete(struct backend *backend, struct reply *reply);

#endif
