/* SPDX-License-Identifier: MIT */
/*
 * face_2026: MCP 2026-07-28: each request stands for itself; a parked session
 * is handed to the client as a state that it brings back with its answers.
 * Disconnecting cancels what runs.
 * Source: MCP 2026-07-28
 */
#ifndef BACKEND_FACE_2026_H
#define BACKEND_FACE_2026_H

#include <jansson.h>

#include "backend/backend.h"
#include "backend/reply.h"
#include "backend/rpc.h"

/*
 * Serve a POST of one message (*borrowed*) that claims this revision. Returns
 * 0 when the reply was sent, or -errno: close. Waits.
 */
int face_2026_post(struct backend *backend, struct reply *reply,
    enum rpc_kind kind, json_t *message);

#endif
