/* SPDX-License-Identifier: MIT */
/* bytes: slices and bounded buffers. */
#include "common/base/bytes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/must.h"

#define BYTES_FORMAT_MAX 1024
#define BYTES_FIRST_SIZE 1024

struct slice
slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n) == 0);
}

bool
slice_caseeq(struct slice a, struct slice b)
{
	return a.n == b.n && (!a.n || strncasecmp(a.p, b.p, a.n) == 0);
}

struct slice
slice_trim(struct slice s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = (struct slice){ s.p + 1, s.n - 1 };
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

struct slice
slice_whole(struct slice s)
{
	size_t tail = 0;

	while (tail < s.n && tail < 3 &&
	       ((unsigned char)s.p[s.n - 1 - tail] >> 6) == 2)
		tail++;
	if (tail == s.n)
		return s;
	const unsigned char lead = (unsigned char)s.p[s.n - 1 - tail];
	const size_t want = lead >= 0xf0   ? 4
	                    : lead >= 0xe0 ? 3
	                    : lead >= 0xc0 ? 2
	                                   : 1;

	return (struct slice){ s.p, want > tail + 1 ? s.n - 1 - tail : s.n };
}

size_t
slice_char(struct slice s)
{
	const unsigned char *const p = (const unsigned char *)s.p;

	if (!s.n)
		return 0;
	if (p[0] < 0x80)
		return 1;
	const size_t n = p[0] < 0xc2   ? 0
	                 : p[0] < 0xe0 ? 2
	                 : p[0] < 0xf0 ? 3
	                 : p[0] < 0xf5 ? 4
	                               : 0;
	if (n > s.n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (p[i] >> 6 != 2)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

int
slice_copy(struct slice s, char *dst, size_t dst_bytes)
{
	must(dst_bytes > 0);
	dst[0] = '\0';
	if (s.n >= dst_bytes)
		return -ENAMETOOLONG;
	if (s.n)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return 0;
}

void
buf_init(struct buf *b, size_t cap)
{
	*b = (struct buf){ .cap = cap };
}

void
buf_init_static(struct buf *b, void *storage, size_t size)
{
	*b = (struct buf){
		.data = storage, .size = size, .cap = size, .is_static = true
	};
}

void
buf_fini(struct buf *b)
{
	if (!b->is_static) {
		mem_free(b->data);
		b->data = NULL;
		b->size = 0;
	}
	b->head = b->tail = 0;
}

void
buf_trim(struct buf *b)
{
	if (b->head == b->tail && !b->is_static)
		buf_fini(b);
}

struct slice
buf_content(const struct buf *b)
{
	/* Nothing may be added to NULL, not even 0: C11 6.5.6. */
	return (struct slice){ b->data ? b->data + b->head : NULL,
		b->tail - b->head };
}

size_t
buf_len(const struct buf *b)
{
	return b->tail - b->head;
}

size_t
buf_room(const struct buf *b)
{
	return b->cap - buf_len(b);
}

/* Grow the storage so that n bytes fit behind the tail; content at 0. */
static int
buf_grow(struct buf *b, size_t n)
{
	size_t size = b->size ? b->size : BYTES_FIRST_SIZE;

	while (size < b->tail + n)
		size *= 2;
	if (size > b->cap)
		size = b->cap;
	char *const data = mem_realloc(b->data, size);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->size = size;
	return 0;
}

char *
buf_reserve(struct buf *b, size_t n)
{
	if (n > buf_room(b))
		return NULL;
	if (b->size - b->tail >= n && b->data)
		return b->data + b->tail;
	if (b->head) {
		memmove(b->data, b->data + b->head, b->tail - b->head);
		b->tail -= b->head;
		b->head = 0;
	}
	if ((!b->data || b->size - b->tail < n) && buf_grow(b, n) < 0)
		return NULL;
	return b->data + b->tail;
}

void
buf_commit(struct buf *b, size_t n)
{
	must(n <= b->size - b->tail);
	b->tail += n;
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return 0;
	if (n > buf_room(b))
		return -ENOBUFS;
	char *const room = buf_reserve(b, n);
	if (!room)
		return -ENOMEM;
	memcpy(room, p, n);
	b->tail += n;
	return 0;
}

int
buf_add_slice(struct buf *b, struct slice s)
{
	return buf_add(b, s.p, s.n);
}

int
buf_addf(struct buf *b, const char *fmt, ...)
{
	char text[BYTES_FORMAT_MAX];
	va_list ap;

	va_start(ap, fmt);
	const int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	must(n >= 0 && n < (int)sizeof(text));
	return buf_add(b, text, (size_t)n);
}

void
buf_consume(struct buf *b, size_t n)
{
	must(n <= b->tail - b->head);
	b->head += n;
	if (b->head == b->tail)
		b->head = b->tail = 0;
}

void
buf_reset(struct buf *b)
{
	b->head = b->tail = 0;
}
