/* SPDX-License-Identifier: MIT */
/*
 * era2026: MCP 2026-07-28 as a client speaks it: every request stands alone;
 * a question is the result of a request, and its answer goes into the next
 * one. Closing the connection cancels.
 * Source: MCP 2026-07-28 basic/patterns/mrtr, basic/transports
 */
#ifndef CTL_ERA2026_H
#define CTL_ERA2026_H

#include <stdbool.h>

#include <jansson.h>

#include "poold/ctl/asker.h"
#include "poold/ctl/post.h"

#define ERA2026_VERSION "2026-07-28"

/*
 * Ask the server which revisions it speaks (server/discover). Returns true:
 * this one. Returns false when the server must be of an older era; why (NULL:
 * wants no reason) says how that was found out. Ends the program when there
 * is no server, or none that works. Waits.
 */
bool era2026_open(struct post *p, struct err *why);

/* One page of tools/list; *takes* params. *new* result. Waits. */
json_t *era2026_list(struct post *p, json_t *params);

/*
 * Call a tool (its element of tools/list) and answer what it asks. Returns
 * its *new* result. Waits.
 */
json_t *
era2026_call(struct post *p, struct asker *a, json_t *tool, json_t *args);

#endif
