/* SPDX-License-Identifier: MIT */
/*
 * face_2025: MCP as it was until 2025-11-25: a client opens with initialize,
 * is a peer from then on, and every tool call is a stream of events that it
 * can come back to. Disconnecting is not cancelling.
 * Source: MCP 2025-11-25 (and 2025-06-18, 2025-03-26)
 */
#ifndef BACKEND_FACE_2025_H
#define BACKEND_FACE_2025_H

#include <jansson.h>

#include "backend/backend.h"
#include "backend/reply.h"
#include "backend/rpc.h"

/*
 * Serve a POST of one message (*borrowed*) of that kind. Returns 0 when the
 * reply was sent, or -errno: close. Waits.
 */
int face_2025_post(struct backend *backend, struct reply *reply,
    enum rpc_kind kind, json_t *message);

/* Serve a POST of an array of messages. As face_2025_post. */
int
face_2025_batch(struct backend *backend, struct reply *reply, json_t *messages);

/* Serve GET (a stream, new or resumed) and DELETE. As face_2025_post. */
int face_2025_verb(struct backend *backend, struct reply *reply);

#endif
