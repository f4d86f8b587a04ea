/* SPDX-License-Identifier: MIT */
/*
 * face_2025_event: an entry of a session's log as an event of the stream that
 * the legacy face makes of it. Ids are derived from the log, so that replay
 * after a broken connection is a cursor and nothing is stored for it. Pure.
 * Source: MCP 2025-11-25 basic/transports (resumability), client/elicitation,
 * client/sampling
 */
#ifndef BACKEND_FACE_2025_EVENT_H
#define BACKEND_FACE_2025_EVENT_H

#include <stdint.h>

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/random.h"

#include "backend/entries.h"
#include "backend/face.h"
#include "backend/peer.h"

#define FACE_2025_ID_SIZE (RANDOM_ID_SIZE + 21) /* session, '_', LSN, NUL */

/*
 * The id of the event of that LSN (0: the priming event), which is also the
 * id of the request when the entry asks something: 128 unguessable bits, and
 * found again without a table. Returns out.
 */
char *
face_2025_id(const char *session_id, uint64_t lsn, char out[FACE_2025_ID_SIZE]);

/*
 * Take such an id apart. Returns 0 with *lsn_r and session_id_r, or -EINVAL
 * when face_2025_id does not make it.
 */
int face_2025_parse_id(
    struct slice id, char session_id_r[RANDOM_ID_SIZE], uint64_t *lsn_r);

/*
 * The message of an entry: *message_r is *new*, or NULL when this entry says
 * nothing to this client (no token, level too low, cancelled by itself).
 * level: the least that is told. Returns 0 or -ENOMEM.
 */
int face_2025_message(const struct entry *entry,
    const struct peer_stream *stream, const struct face_revision *revision,
    enum hl_level level, json_t **message_r);

#endif
