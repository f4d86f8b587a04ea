/* SPDX-License-Identifier: MIT */
/*
 * chunk: RFC 9112 7.1
 *	chunked-body = *chunk last-chunk trailer-section CRLF
 *	chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
 *	last-chunk = 1*"0" [ chunk-ext ] CRLF
 *	trailer-section = *( field-line CRLF )
 * Data is passed by in runs; only what frames it is looked at byte by byte.
 */
#include "common/http/chunk.h"

#include <errno.h>
#include <string.h>

#include "common/base/must.h"
#include "common/http/char.h"

#define CHUNK_CRLF_BYTES 2

enum chunk_state {
	CHUNK_SIZE,
	CHUNK_EXT,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_LINE, /* at the start of a trailer line or of the end */
	CHUNK_NAME,
	CHUNK_VALUE,
	CHUNK_VALUE_LF,
	CHUNK_END_LF,
	CHUNK_DONE,
};

/*
 * Each chunk_* step takes one byte and returns NULL, or what is wrong with
 * it.
 */
static const char *
chunk_size(struct http_chunk *c, char ch)
{
	if (http_char_is(ch, HTTP_CHAR_HEX)) {
		if (c->n_part == HTTP_CHUNK_DIGITS_MAX)
			return "a chunk size of more than 16 digits";
		c->n_part++;
		c->left = c->left << 4 | http_char_hex(ch);
		return NULL;
	}
	if (!c->n_part || (ch != ';' && ch != '\r'))
		return "a chunk size that is no hexadecimal number";
	c->state = ch == ';' ? CHUNK_EXT : CHUNK_SIZE_LF;
	c->n_part = 1;
	return NULL;
}

static const char *
chunk_ext(struct http_chunk *c, char ch)
{
	if (ch == '\r') {
		c->state = CHUNK_SIZE_LF;
		return NULL;
	}
	if (!http_char_is(ch, HTTP_CHAR_VALUE))
		return "a control byte in a chunk extension";
	if (c->n_part++ == HTTP_CHUNK_EXT_MAX)
		return "a chunk extension of more than 256 bytes";
	return NULL;
}

static const char *
chunk_size_lf(struct http_chunk *c, char ch)
{
	if (ch != '\n')
		return "a chunk size line without CRLF";
	c->state = c->left ? CHUNK_DATA : CHUNK_LINE;
	c->n_part = 0;
	return NULL;
}

static const char *
chunk_data_end(struct http_chunk *c, char ch)
{
	const bool is_cr = c->state == CHUNK_DATA_CR;

	if (ch != (is_cr ? '\r' : '\n'))
		return "chunk data without CRLF behind it";
	c->state = is_cr ? CHUNK_DATA_LF : CHUNK_SIZE;
	c->n_part = 0;
	return NULL;
}

/* The first byte of a trailer line, or the CR that ends the body. */
static const char *
chunk_line(struct http_chunk *c, char ch)
{
	if (ch == '\r') {
		c->state = CHUNK_END_LF;
		return NULL;
	}
	if (!http_char_is(ch, HTTP_CHAR_TOKEN))
		return "a trailer line that starts with no name";
	if (c->n_lines++ == HTTP_FIELDS_MAX)
		return "more than 100 trailers";
	c->state = CHUNK_NAME;
	return NULL;
}

static const char *
chunk_name(struct http_chunk *c, char ch)
{
	if (ch == ':')
		c->state = CHUNK_VALUE;
	else if (!http_char_is(ch, HTTP_CHAR_TOKEN))
		return "a byte that is not allowed in a trailer's name";
	return NULL;
}

static const char *
chunk_value(struct http_chunk *c, char ch)
{
	if (ch == '\r')
		c->state = CHUNK_VALUE_LF;
	else if (!http_char_is(ch, HTTP_CHAR_VALUE))
		return "a control byte in a trailer";
	return NULL;
}

static const char *
chunk_line_lf(struct http_chunk *c, char ch)
{
	if (ch != '\n')
		return "CR without LF in the trailers";
	c->state = c->state == CHUNK_END_LF ? CHUNK_DONE : CHUNK_LINE;
	return NULL;
}

static const char *(*const chunk_steps[])(struct http_chunk *c, char ch) = {
	[CHUNK_SIZE] = chunk_size,
	[CHUNK_EXT] = chunk_ext,
	[CHUNK_SIZE_LF] = chunk_size_lf,
	[CHUNK_DATA_CR] = chunk_data_end,
	[CHUNK_DATA_LF] = chunk_data_end,
	[CHUNK_LINE] = chunk_line,
	[CHUNK_NAME] = chunk_name,
	[CHUNK_VALUE] = chunk_value,
	[CHUNK_VALUE_LF] = chunk_line_lf,
	[CHUNK_END_LF] = chunk_line_lf,
};

static const char *
chunk_step(struct http_chunk *c, char ch)
{
	if (c->state >= CHUNK_LINE && ++c->n_part > HTTP_CHUNK_TRAILER_MAX)
		return "trailers of more than 8192 bytes";
	return chunk_steps[c->state](c, ch);
}

void
http_chunk_init(struct http_chunk *chunk, enum http_kind kind)
{
	*chunk = (struct http_chunk){ .kind = kind, .state = CHUNK_SIZE };
}

/* Take data of the current chunk off the start of in. */
static struct slice
chunk_take(struct http_chunk *c, struct slice in)
{
	const size_t n = c->left < in.n ? (size_t)c->left : in.n;

	c->left -= n;
	c->at += n;
	if (!c->left)
		c->state = CHUNK_DATA_CR;
	return (struct slice){ in.p, n };
}

int
http_chunk_feed(struct http_chunk *chunk, struct slice in, size_t *used_r,
    struct slice *data_r, struct http_fault *fault_r)
{
	size_t i = 0;

	*data_r = (struct slice){ in.p, 0 };
	for (; i < in.n && chunk->state != CHUNK_DONE; i++, chunk->at++) {
		if (chunk->state == CHUNK_DATA) {
			*data_r = chunk_take(
			    chunk, (struct slice){ in.p + i, in.n - i });
			i += data_r->n;
			break;
		}
		const char *const why = chunk_step(chunk, in.p[i]);

		if (why)
			return http_fault_set(fault_r,
			    chunk->kind == HTTP_KIND_REQUEST ? 400 : 502,
			    chunk->at, (struct slice){ NULL, 0 }, why);
	}
	*used_r = i;
	return chunk->state == CHUNK_DONE;
}

uint64_t
http_chunk_left(const struct http_chunk *chunk)
{
	return chunk->state == CHUNK_DATA ? chunk->left : 0;
}

/* Hex digits of n. */
static size_t
chunk_digits(size_t n)
{
	size_t digits = 1;

	while (n >>= 4)
		digits++;
	return digits;
}

size_t
http_chunk_size(size_t n)
{
	return n ? chunk_digits(n) + n + 2 * CHUNK_CRLF_BYTES : 0;
}

size_t
http_chunk_room(const struct buf *out)
{
	const size_t room = buf_room(out);

	for (size_t digits = 1; digits < HTTP_CHUNK_DIGITS_MAX; digits++) {
		const size_t over = digits + 2 * CHUNK_CRLF_BYTES;
		const size_t most = ((size_t)1 << 4 * digits) - 1;

		if (room <= over)
			return 0;
		if (room - over <= most)
			return room - over;
		/* One more digit may leave no more room than this one. */
		if (room - over - 1 <= most)
			return most;
	}
	return 0;
}

/* Write the size line at p, which has room. Returns its bytes. */
static size_t
chunk_put_line(char *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const size_t digits = chunk_digits(n);

	for (size_t i = digits; i-- > 0; n >>= 4)
		p[i] = hex[n & 15];
	p[digits] = '\r';
	p[digits + 1] = '\n';
	return digits + CHUNK_CRLF_BYTES;
}

int
http_chunk_add(struct buf *out, struct slice data)
{
	const size_t n = http_chunk_size(data.n);

	if (!n)
		return 0;
	if (n > buf_room(out))
		return -ENOBUFS;
	char *const p = buf_reserve(out, n);

	if (!p)
		return -ENOMEM;
	const size_t line = chunk_put_line(p, data.n);

	memcpy(p + line, data.p, data.n);
	memcpy(p + line + data.n, "\r\n", CHUNK_CRLF_BYTES);
	buf_commit(out, n);
	return 0;
}

int
http_chunk_open(struct buf *out, size_t n)
{
	char line[HTTP_CHUNK_DIGITS_MAX + CHUNK_CRLF_BYTES];

	must(n > 0);
	return buf_add(out, line, chunk_put_line(line, n));
}

int
http_chunk_close(struct buf *out)
{
	return buf_add(out, "\r\n", CHUNK_CRLF_BYTES);
}

int
http_chunk_last(struct buf *out)
{
	return buf_add_slice(out, SLICE("0\r\n\r\n"));
}
