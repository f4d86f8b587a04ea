/* SPDX-License-Identifier: MIT */
/*
 * face_2026_leg: one request of a tool call in the modern face, the first or
 * a retry: it follows the session until that is parked or ended, telling
 * progress on the way, and answers. The client leaving meanwhile cancels the
 * session, unless the same retry waits in another request too.
 * Source: MCP 2026-07-28 basic/patterns/mrtr, streamable-http (cancellation)
 */
#ifndef BACKEND_FACE_2026_LEG_H
#define BACKEND_FACE_2026_LEG_H

#include <jansson.h>

#include "backend/dialog.h"
#include "backend/reply.h"

/*
 * Follow dialog's session and answer request (*borrowed*, with its params).
 * dialog is held by the caller. round: what this retry has answered; NULL for
 * the first request. Returns 0 when the reply was sent, or -errno: close.
 * Waits.
 */
int face_2026_leg(struct reply *reply, const json_t *request,
    struct dialog *dialog, struct round *round);

/*
 * Answer a request with a reply that is there. Returns as face_2026_leg.
 */
int face_2026_send(struct reply *reply, const json_t *request,
    const struct dialog_reply *what);

/*
 * The content of an `input_required` result of that state and those questions
 * (*refs*). *new*, NULL without memory.
 */
json_t *face_2026_input_required(json_t *asked, const char *state);

/* Add resultType and serverInfo to a result; *takes*, *new*, NULL: no memory.
 */
json_t *face_2026_complete_take(json_t *result);

/* The error content {code, message, data: {reason}}; *new*, or NULL. */
json_t *face_2026_reason(int code, const char *reason, const char *text);

#endif
