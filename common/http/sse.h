/* SPDX-License-Identifier: MIT */
/*
 * sse: event streams, read and written (WHATWG HTML 9.2). The reader takes a
 * stream cut anywhere, keeps one event of bounded size, and gives out one
 * event a call.
 */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

#define HTTP_SSE_WORD_MAX 256 /* bytes of an event's type or id */

struct http_sse_event {
	struct slice type; /* "" stands for message */
	struct slice id;   /* reading: the last id that was seen, or "" */
	struct slice data; /* lines joined by LF */
	int64_t retry_ms; /* reading: the last value, or -1; writing: -1 none */
};

/* Embedded in its owner; all members are private. */
struct http_sse {
	uint8_t state;
	uint8_t field;
	bool has_cr;   /* the last byte was CR: a LF now belongs to it */
	bool is_given; /* data was given out; drop it at the next call */
	uint8_t bom_n; /* bytes of a byte order mark seen at the start */
	uint8_t name_n;
	char name[6];
	struct buf data; /* allocated by the reader up to its cap */
	size_t type_n, id_n, word_n;
	char type[HTTP_SSE_WORD_MAX], id[HTTP_SSE_WORD_MAX];
	char last_id[HTTP_SSE_WORD_MAX]; /* of the last event that ended */
	size_t last_id_n;
	char word[HTTP_SSE_WORD_MAX]; /* value of type, id, retry, unfinished */
	int64_t retry_ms;
};

/*
 * Start reading. max_bytes bounds the data of one event. Ended by
 * http_sse_fini.
 */
void http_sse_init(struct http_sse *sse, size_t max_bytes);

/* Free what the reader holds; an unfinished event is dropped, as it must. */
void http_sse_fini(struct http_sse *sse);

/*
 * Read some of a stream. *used_r: bytes of in that were taken.
 * Returns 1: *event_r is filled, borrowed until the next call on sse, and the
 * rest of in is still to be read; 0: all of in was taken; -EMSGSIZE: an event,
 * a type or an id over its bound; -ENOMEM.
 */
int http_sse_feed(struct http_sse *sse, struct slice in, size_t *used_r,
    struct http_sse_event *event_r);

/*
 * The id to send as Last-Event-ID: of the last event that was ended by its
 * empty line, with data or not. Borrowed until the next call on sse.
 */
struct slice http_sse_last_id(const struct http_sse *sse);

/* Bytes that http_sse_add writes for an event. */
size_t http_sse_size(const struct http_sse_event *event);

/*
 * Append an event, all or nothing: event, id, retry, each line of data.
 * Without data (p NULL) no data line is written; an empty slice with p set
 * gives one empty data line. Returns 0, -ENOBUFS, -ENOMEM, or -EINVAL: CR, LF
 * or NUL in type or id.
 */
int http_sse_add(struct buf *out, const struct http_sse_event *event);

/* The same as one chunk of the chunked coding. */
int http_sse_add_chunked(struct buf *out, const struct http_sse_event *event);

/* Append a comment line and a blank one (text without CR and LF, may be ""):
 * what keeps a silent stream alive. As http_sse_add. */
int http_sse_add_comment(struct buf *out, struct slice text);

#endif
