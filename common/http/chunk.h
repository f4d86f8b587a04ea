/* SPDX-License-Identifier: MIT */
/*
 * chunk: the chunked coding (RFC 9112 7.1), both ways, without copying on the
 * way in. Trailers are checked, bounded and dropped. Allocates nothing.
 */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/http/fault.h"
#include "common/http/head.h"

#define HTTP_CHUNK_DIGITS_MAX  16
#define HTTP_CHUNK_EXT_MAX     256        /* bytes of one chunk extension */
#define HTTP_CHUNK_TRAILER_MAX (8 * 1024) /* bytes of all trailers */

/* Embedded in its owner; all members are private. */
struct http_chunk {
	enum http_kind kind;
	uint8_t state;
	uint64_t left;   /* data bytes to come in this chunk; its size so far */
	uint64_t at;     /* bytes taken, for the fault */
	unsigned n_part; /* bytes of the size, extension or trailers so far */
	unsigned n_lines;
};

/* Start on a new body; kind decides between 400 and 502 in faults. */
void http_chunk_init(struct http_chunk *chunk, enum http_kind kind);

/*
 * Decode some input: at most one run of data per call.
 * in: what has come, may be cut anywhere; *used_r: bytes of it that were
 * taken, the data included; *data_r: data inside in (perhaps empty), to be
 * passed on. While it returns 0 and bytes are left, call again with the rest.
 * At most in.n data bytes come out, so limit in to the room of the writer.
 * Returns 1: the body has ended, bytes after used_r belong to what follows;
 * 0: go on; -EBADMSG: refused (never write a last chunk then).
 */
int http_chunk_feed(struct http_chunk *chunk, struct slice in, size_t *used_r,
    struct slice *data_r, struct http_fault *fault_r);

/*
 * Data bytes of the current chunk that are still to come; 0 between chunks
 * and while a size is unfinished.
 */
uint64_t http_chunk_left(const struct http_chunk *chunk);

/* Bytes that n data bytes take as one chunk; 0 for none. */
size_t http_chunk_size(size_t n);

/* The most data bytes that fit into out as one chunk now. */
size_t http_chunk_room(const struct buf *out);

/*
 * Append data as one chunk, all or nothing; nothing for no data (it would be
 * the last chunk). Returns 0, -ENOBUFS or -ENOMEM.
 */
int http_chunk_add(struct buf *out, struct slice data);

/* Append only the line that opens a chunk of n > 0 bytes; as http_chunk_add. */
int http_chunk_open(struct buf *out, size_t n);

/* Append the CRLF that closes the chunk opened last; as http_chunk_add. */
int http_chunk_close(struct buf *out);

/* Append the last chunk without trailers (5 bytes); as http_chunk_add. */
int http_chunk_last(struct buf *out);

#endif
