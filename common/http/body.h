/* SPDX-License-Identifier: MIT */
/*
 * body: reads a body of any framing as runs of data, and frames data on the
 * way out. A body's length is never padded nor cut: what does not match is an
 * error. Allocates nothing.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/http/chunk.h"
#include "common/http/fault.h"
#include "common/http/frame.h"

#define HTTP_BODY_NO_MAX UINT64_MAX

/* Embedded in its owner. */
struct http_body {
	enum http_kind kind;
	enum http_delim delim;
	bool is_done;       /* nothing more belongs to this body */
	uint64_t left;      /* with LENGTH: bytes to come */
	uint64_t total;     /* data bytes that came */
	uint64_t max_bytes; /* the most that may come */
	struct http_chunk chunk;
};

/*
 * Start on the body of a message. max_bytes: the most that is accepted, or
 * HTTP_BODY_NO_MAX. Returns 0, or -EMSGSIZE (413; 502 for a response) when
 * the announced length is over it already.
 */
int http_body_init(struct http_body *body, enum http_kind kind,
    const struct http_frame *frame, uint64_t max_bytes,
    struct http_fault *fault_r);

/*
 * Take some input; as http_chunk_feed for every framing: 1 the body has ended
 * (at once when there is none), 0 go on, -EBADMSG bad framing, -EMSGSIZE over
 * max_bytes. A body until close ends by http_body_eof.
 */
int http_body_feed(struct http_body *body, struct slice in, size_t *used_r,
    struct slice *data_r, struct http_fault *fault_r);

/*
 * The peer has closed. Returns 0 when the body is whole (then is_done), or
 * -EPIPE: it was cut short; abort what you have passed on.
 */
int http_body_eof(struct http_body *body);

/* The most data bytes that http_body_add can take now. */
size_t http_body_room(enum http_delim delim, const struct buf *out);

/*
 * Append data to out in a framing (LENGTH and CLOSE: as it is; NONE: only
 * empty data). All or nothing. Returns 0, -ENOBUFS or -ENOMEM.
 */
int http_body_add(enum http_delim delim, struct buf *out, struct slice data);

/* Append what ends a whole body (5 bytes if CHUNKED); as http_body_add. */
int http_body_end(enum http_delim delim, struct buf *out);

#endif
