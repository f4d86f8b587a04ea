/* SPDX-License-Identifier: MIT */
/*
 * era2025: MCP 2025-11-25 (and 2025-06-18, 2025-03-26) as a client speaks it:
 * a session, calls answered by event streams, questions as requests on the
 * stream and their answers as requests of ours. A stream that breaks is
 * resumed where it broke; a call is cancelled by saying so.
 * Source: MCP 2025-11-25 basic/lifecycle, basic/transports, basic/utilities
 */
#ifndef CTL_ERA2025_H
#define CTL_ERA2025_H

#include <jansson.h>

#include "poold/ctl/asker.h"
#include "poold/ctl/post.h"

/*
 * Begin a session (initialize). From now on the calling task's scope ends it,
 * whatever happens: cancels the call that runs, DELETEs the session. Ends the
 * program when that fails; why_older (NULL: nothing) is said then too. Waits.
 */
void era2025_open(struct post *p, const struct err *why_older);

/* One page of tools/list; *takes* params. *new* result. Waits. */
json_t *era2025_list(struct post *p, json_t *params);

/*
 * Call a tool and answer what it asks. Returns its *new* result. Waits.
 */
json_t *
era2025_call(struct post *p, struct asker *a, json_t *tool, json_t *args);

#endif
