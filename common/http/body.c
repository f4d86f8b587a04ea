/* SPDX-License-Identifier: MIT */
/* body: one way to read and to write whatever framing a message has. */
#include "common/http/body.h"

#include <errno.h>

#include "common/base/must.h"

/* More than the caller takes: 413 to a client; a backend is at fault itself. */
static int
body_too_big(const struct http_body *b, struct http_fault *fault_r)
{
	http_fault_set(fault_r, b->kind == HTTP_KIND_REQUEST ? 413 : 502,
	    (size_t)b->max_bytes, (struct slice){ NULL, 0 },
	    "a body over the limit");
	return -EMSGSIZE;
}

int
http_body_init(struct http_body *body, enum http_kind kind,
    const struct http_frame *frame, uint64_t max_bytes,
    struct http_fault *fault_r)
{
	const bool has_length = frame->delim == HTTP_DELIM_LENGTH;

	*body = (struct http_body){
		.kind = kind,
		.delim = frame->delim,
		.left = has_length ? frame->length : 0,
		.max_bytes = max_bytes,
	};
	body->is_done =
	    frame->delim == HTTP_DELIM_NONE || (has_length && !body->left);
	http_chunk_init(&body->chunk, kind);
	return body->left > max_bytes ? body_too_big(body, fault_r) : 0;
}

static int
body_feed_plain(
    struct http_body *b, struct slice in, size_t *used_r, struct slice *data_r)
{
	const bool has_length = b->delim == HTTP_DELIM_LENGTH;
	const size_t n = has_length && b->left < in.n ? (size_t)b->left : in.n;

	if (has_length)
		b->left -= n;
	*used_r = n;
	*data_r = (struct slice){ in.p, n };
	return has_length && !b->left;
}

int
http_body_feed(struct http_body *body, struct slice in, size_t *used_r,
    struct slice *data_r, struct http_fault *fault_r)
{
	int rc;

	*used_r = 0;
	*data_r = (struct slice){ in.p, 0 };
	if (body->is_done)
		return 1;
	if (body->delim == HTTP_DELIM_CHUNKED)
		rc = http_chunk_feed(&body->chunk, in, used_r, data_r, fault_r);
	else
		rc = body_feed_plain(body, in, used_r, data_r);
	if (rc < 0)
		return rc;
	body->total += data_r->n;
	/* A chunk is refused by its size, before its data comes. */
	if (body->total > body->max_bytes ||
	    (body->delim == HTTP_DELIM_CHUNKED &&
		http_chunk_left(&body->chunk) > body->max_bytes - body->total))
		return body_too_big(body, fault_r);
	body->is_done = rc == 1;
	return rc;
}

int
http_body_eof(struct http_body *body)
{
	if (body->delim == HTTP_DELIM_CLOSE)
		body->is_done = true;
	return body->is_done ? 0 : -EPIPE;
}

size_t
http_body_room(enum http_delim delim, const struct buf *out)
{
	if (delim == HTTP_DELIM_NONE)
		return 0;
	return delim == HTTP_DELIM_CHUNKED ? http_chunk_room(out)
	                                   : buf_room(out);
}

int
http_body_add(enum http_delim delim, struct buf *out, struct slice data)
{
	must(delim != HTTP_DELIM_NONE || !data.n);
	return delim == HTTP_DELIM_CHUNKED ? http_chunk_add(out, data)
	                                   : buf_add_slice(out, data);
}

int
http_body_end(enum http_delim delim, struct buf *out)
{
	return delim == HTTP_DELIM_CHUNKED ? http_chunk_last(out) : 0;
}
