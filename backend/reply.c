/* SPDX-License-Identifier: MIT */
/*
 * reply: heads are written on the stack, bodies are sent from the text
 * that was made of them; an event is framed once, in a buffer of its size.
 */
#include "backend/reply.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/http/chunk.h"
#include "common/http/sse.h"
#include "common/http/write.h"
#include "common/json/jsontext.h"

#define REPLY_HEAD_BYTES 512

static void
reply_free_text(char **text)
{
	mem_free(*text);
	*text = NULL;
}

#define reply_text_auto __attribute__((cleanup(reply_free_text)))
#define reply_buf_auto  __attribute__((cleanup(buf_fini)))

/* What all heads have; ended by the caller. */
static void
reply_head(
    struct reply *reply, struct http_writer *w, struct buf *out, int status)
{
	http_write_status(w, out, status, SLICE(""));
	if (reply->peer_id)
		http_write_known(
		    w, HTTP_NAME_MCP_SESSION_ID, slice_of(reply->peer_id));
	if (status == 405)
		http_write_field(w, SLICE("Allow"), SLICE("GET, POST, DELETE"));
	if (status == 503)
		http_write_field(w, SLICE("Retry-After"), SLICE("1"));
	if (reply->is_last)
		http_write_known(w, HTTP_NAME_CONNECTION, SLICE("close"));
}

int
reply_json(struct reply *reply, int status, json_t *body)
{
	char storage[REPLY_HEAD_BYTES];
	struct buf head;
	struct http_writer w;
	reply_text_auto char *text = NULL;
	size_t n = 0;
	int rc;

	must(reply->state == REPLY_OPEN);
	text = body ? jsontext_dump(body, SIZE_MAX) : NULL;
	if (body && !text)
		return -ENOMEM;
	n = text ? strlen(text) : 0;
	buf_init_static(&head, storage, sizeof(storage));
	reply_head(reply, &w, &head, status);
	if (text)
		http_write_known(
		    &w, HTTP_NAME_CONTENT_TYPE, SLICE("application/json"));
	if (status != 204)
		http_write_length(&w, n);
	rc = http_write_end(&w);
	if (rc != 0)
		return rc;
	reply->state = REPLY_ENDED;
	if (reply->in->verb == HTTP_VERB_HEAD)
		n = 0;
	return wire_send(reply->wire,
	    (struct slice[]){ buf_content(&head), { text, n } }, 2);
}

/* HTTP/1.0 knows no chunks: the stream ends with the connection. */
static bool
reply_is_chunked(const struct reply *reply)
{
	return reply->in->minor > 0;
}

int
reply_stream(struct reply *reply)
{
	char storage[REPLY_HEAD_BYTES];
	struct buf head;
	struct http_writer w;
	struct slice part;
	int rc;

	must(reply->state == REPLY_OPEN);
	if (!reply_is_chunked(reply))
		reply->is_last = true;
	buf_init_static(&head, storage, sizeof(storage));
	reply_head(reply, &w, &head, 200);
	http_write_known(
	    &w, HTTP_NAME_CONTENT_TYPE, SLICE("text/event-stream"));
	http_write_field(
	    &w, SLICE("Cache-Control"), SLICE("no-cache, no-transform"));
	http_write_field(&w, SLICE("X-Accel-Buffering"), SLICE("no"));
	if (reply_is_chunked(reply))
		http_write_chunked(&w);
	rc = http_write_end(&w);
	if (rc != 0)
		return rc;
	reply->state = REPLY_STREAM;
	part = buf_content(&head);
	return wire_send(reply->wire, &part, 1);
}

int
reply_event(
    struct reply *reply, const char *id, int64_t retry_ms, json_t *message)
{
	reply_text_auto char *text = NULL;
	reply_buf_auto struct buf out = { 0 };
	struct http_sse_event event = { .retry_ms = retry_ms };
	struct slice part;
	int rc;

	must(reply->state == REPLY_STREAM);
	text = message ? jsontext_dump(message, SIZE_MAX) : NULL;
	if (message && !text)
		return -ENOMEM;
	event.type = message ? SLICE("message") : SLICE("");
	event.id = id ? slice_of(id) : SLICE("");
	event.data = text ? slice_of(text) : SLICE("");
	buf_init(&out, http_chunk_size(http_sse_size(&event)));
	rc = reply_is_chunked(reply) ? http_sse_add_chunked(&out, &event)
	                             : http_sse_add(&out, &event);
	if (rc != 0)
		return rc;
	reply_free_text(&text);
	part = buf_content(&out);
	return wire_send(reply->wire, &part, 1);
}

int
reply_keepalive(struct reply *reply)
{
	struct slice part = reply_is_chunked(reply)
	                        ? SLICE("d\r\n: keepalive\n\n\r\n")
	                        : SLICE(": keepalive\n\n");

	must(reply->state == REPLY_STREAM);
	return wire_send(reply->wire, &part, 1);
}

int
reply_end(struct reply *reply)
{
	struct slice part = SLICE("0\r\n\r\n");

	must(reply->state == REPLY_STREAM);
	reply->state = REPLY_ENDED;
	if (!reply_is_chunked(reply))
		return 0;
	return wire_send(reply->wire, &part, 1);
}
