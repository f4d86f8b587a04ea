/* SPDX-License-Identifier: MIT */
/*
 * bytes: a borrowed run of bytes (slice) and a bounded buffer (buf) that is
 * filled at its tail and taken from its head. No I/O.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

/* Borrowed bytes; valid as long as what they point into. Not NUL-ended. */
struct slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal. */
#define SLICE(lit) ((struct slice){ (lit), sizeof(lit) - 1 })

/* A slice of a NUL-ended string. */
struct slice slice_of(const char *s);

/* Whether both hold the same bytes. */
bool slice_eq(struct slice a, struct slice b);

/* The same without regard to ASCII case. */
bool slice_caseeq(struct slice a, struct slice b);

/* s without SP and HTAB at both ends (OWS, RFC 9110 5.6.3). */
struct slice slice_trim(struct slice s);

/*
 * s without the beginning of a UTF-8 character whose rest was cut off. What
 * never was UTF-8 stays as it is.
 */
struct slice slice_whole(struct slice s);

/*
 * Bytes of the UTF-8 character that s begins with; 0 if it begins with none.
 * Source: RFC 3629 4 (no overlong forms, no surrogates, none above U+10FFFF)
 */
size_t slice_char(struct slice s);

/*
 * Copy s into dst as a NUL-ended string. Returns 0, or -ENAMETOOLONG when it
 * does not fit (then dst is "").
 */
int slice_copy(struct slice s, char *dst, size_t dst_bytes);

/*
 * A bounded byte buffer: storage is data[0..cap), content data[head..tail).
 * Embedded in its owner; the storage is allocated by buf_reserve and freed by
 * buf_fini, or lent by buf_init_static and never freed.
 */
struct buf {
	char *data;
	size_t head;
	size_t tail;
	size_t size; /* of the storage now; 0 when there is none */
	size_t cap;  /* the storage never grows beyond this */
	bool is_static;
};

/* An empty buffer without storage that may grow to cap bytes. */
void buf_init(struct buf *b, size_t cap);

/* An empty buffer over lent storage (*borrowed* until buf_fini). */
void buf_init_static(struct buf *b, void *storage, size_t size);

/* Free the storage. The buffer stays usable as an empty one. */
void buf_fini(struct buf *b);

/* Free the storage if there is no content: idle owners hold no memory. */
void buf_trim(struct buf *b);

/* The content, borrowed until the next change of the buffer. */
struct slice buf_content(const struct buf *b);

/* Bytes of content. */
size_t buf_len(const struct buf *b);

/* Bytes that can still be added before cap is reached. */
size_t buf_room(const struct buf *b);

/*
 * Make room for n more bytes behind the tail, moving content to the front or
 * growing as needed. Returns a pointer to that room (commit what you wrote
 * with buf_commit), or NULL: no room under cap (buf_room tells), or no memory.
 */
char *buf_reserve(struct buf *b, size_t n);

/* Count n bytes written behind the tail as content. */
void buf_commit(struct buf *b, size_t n);

/* Append n bytes. Returns 0, -ENOBUFS (over cap) or -ENOMEM; all or nothing. */
int buf_add(struct buf *b, const void *p, size_t n);

/* Append a slice; as buf_add. */
int buf_add_slice(struct buf *b, struct slice s);

/* Append formatted text (at most 1 KiB); as buf_add. */
int buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Drop n bytes of content from the head; n must not exceed the content. */
void buf_consume(struct buf *b, size_t n);

/* Drop all content, keep the storage. */
void buf_reset(struct buf *b);

#endif
