/* SPDX-License-Identifier: MIT */
#include "backend/face_2025_event.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/notice.h"
#include "backend/rpc.h"

char *
face_2025_id(const char *session_id, uint64_t lsn, char out[FACE_2025_ID_SIZE])
{
	snprintf(out, FACE_2025_ID_SIZE, "%s_%" PRIu64, session_id, lsn);
	return out;
}

int
face_2025_parse_id(
    struct slice id, char session_id_r[RANDOM_ID_SIZE], uint64_t *lsn_r)
{
	const char *mark = id.n ? memchr(id.p, '_', id.n) : NULL;
	char again[FACE_2025_ID_SIZE];
	uint64_t lsn = 0;

	if (!mark || mark - id.p != RANDOM_ID_SIZE - 1 ||
	    id.n >= FACE_2025_ID_SIZE)
		return -EINVAL;
	memcpy(session_id_r, id.p, RANDOM_ID_SIZE - 1);
	session_id_r[RANDOM_ID_SIZE - 1] = '\0';
	for (const char *p = mark + 1; p < id.p + id.n; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		lsn = lsn * 10 + (uint64_t)(*p - '0');
	}
	*lsn_r = lsn;
	/* One spelling only: no leading zero, no overflow, no empty number. */
	face_2025_id(session_id_r, lsn, again);
	return slice_eq(slice_of(again), id) ? 0 : -EINVAL;
}

/* A question is a request of ours; the client answers in a POST. */
static json_t *
face_2025_ask(const struct entry *entry, const struct peer_stream *stream,
    const struct face_revision *revision)
{
	char id[FACE_2025_ID_SIZE];

	return json_pack("{s:s, s:s, s:s, s:o}", "jsonrpc", "2.0", "id",
	    face_2025_id(stream->session_id, entry->lsn, id), "method",
	    ask_method(entry->ask->kind), "params",
	    notice_ask_params(entry->ask, revision->has_mode));
}

static json_t *
face_2025_result(const struct entry *entry, const struct peer_stream *stream,
    const struct face_revision *revision)
{
	json_t *result = json_copy(entry->data);

	if (result && !revision->has_structured)
		json_object_del(result, "structuredContent");
	return rpc_result_take(stream->request_id, result);
}

/* The session was ended by this side: say which limit, or what ends. */
static json_t *
face_2025_cancelled(const struct entry *entry, const struct peer_stream *stream)
{
	const char *reason = entry_reason_name(entry->reason);

	return rpc_error_take(stream->request_id, RPC_INTERNAL_ERROR,
	    entry->text ? entry->text : reason,
	    json_pack("{s:s}", "reason", reason));
}

int
face_2025_message(const struct entry *entry, const struct peer_stream *stream,
    const struct face_revision *revision, enum hl_level level,
    json_t **message_r)
{
	*message_r = NULL;
	switch (entry->kind) {
	case ENTRY_PROGRESS:
		if (!stream->token)
			return 0;
		*message_r = notice_progress(entry, stream->token);
		break;
	case ENTRY_LOG:
		if (entry->level < level)
			return 0;
		*message_r = notice_log(entry);
		break;
	case ENTRY_ASK:
		*message_r = face_2025_ask(entry, stream, revision);
		break;
	case ENTRY_ANSWERED:
		return 0;
	case ENTRY_RESULT:
		*message_r = face_2025_result(entry, stream, revision);
		break;
	case ENTRY_FAILED:
		*message_r = rpc_result_take(
		    stream->request_id, notice_error_result(entry->text));
		break;
	case ENTRY_CANCELLED:
		if (entry->reason == ENTRY_REASON_CLIENT)
			return 0;
		*message_r = face_2025_cancelled(entry, stream);
		break;
	}
	return *message_r ? 0 : -ENOMEM;
}
