/* SPDX-License-Identifier: MIT */
/*
 * mcp: the endpoint /mcp. Gathers the facts of a request, has it classified,
 * reads its body and hands it to its face. What is refused here is the same
 * in all revisions.
 */
#ifndef BACKEND_MCP_H
#define BACKEND_MCP_H

#include "backend/backend.h"
#include "backend/reply.h"

/*
 * Serve one request whose head was read. reply->is_last says whether the
 * connection closes behind it. Returns 0 when the connection can be used
 * again, or -errno: close it. Waits.
 */
int mcp_serve(struct backend *backend, struct reply *reply);

#endif
