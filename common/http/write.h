/* SPDX-License-Identifier: MIT */
/*
 * write: serialises heads into a buffer. A head is written whole or not at
 * all, and nothing that a caller passes can break out of its line.
 *
 *	struct http_writer w;
 *	http_write_status(&w, out, 200, SLICE(""));
 *	http_write_known(&w, HTTP_NAME_CONTENT_TYPE, SLICE("text/plain"));
 *	http_write_length(&w, body.n);
 *	int rc = http_write_end(&w);
 */
#ifndef HTTP_WRITE_H
#define HTTP_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/http/name.h"

/* A head being written; on the stack of whoever writes it. */
struct http_writer {
	struct buf *out; /* borrowed until http_write_end */
	size_t n_before; /* content of out before the head */
	int rc;          /* the first error, kept until the end */
};

/* Start a request head: METHOD TARGET HTTP/1.1. */
void http_write_request(struct http_writer *w, struct buf *out,
    struct slice method, struct slice target);

/*
 * Start a response head: HTTP/1.1 STATUS REASON; an empty reason stands for
 * the usual one.
 */
void http_write_status(
    struct http_writer *w, struct buf *out, int status, struct slice reason);

/* Add a field. A name that is no token or a value with controls: -EINVAL. */
void
http_write_field(struct http_writer *w, struct slice name, struct slice value);

/* Add a field of the table. */
void
http_write_known(struct http_writer *w, enum http_name id, struct slice value);

/* Add Content-Length. */
void http_write_length(struct http_writer *w, uint64_t n);

/* Add Transfer-Encoding: chunked. */
void http_write_chunked(struct http_writer *w);

/*
 * Add a field whose name and value come from a head that was scanned, or are
 * constants of ours: they are not checked again.
 */
void http_write_trusted(
    struct http_writer *w, struct slice name, struct slice value);

/*
 * End the head. Returns 0, or the first error of all calls since the start,
 * with out as it was before: -ENOBUFS (over its cap), -ENOMEM, -EINVAL.
 */
int http_write_end(struct http_writer *w);

/* The usual reason phrase of a status; "Unknown" if there is none. */
const char *http_write_reason(int status);

#endif
