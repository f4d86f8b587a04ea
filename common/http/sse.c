/* SPDX-License-Identifier: MIT */
/*
 * sse: WHATWG HTML 9.2.5, 9.2.6
 *	stream = [ bom ] *event
 *	event = *( comment / field ) end-of-line
 *	field = 1*name-char [ ":" [ SP ] *any-char ] end-of-line
 *	end-of-line = CR LF / CR / LF
 * A value of data goes straight into the event; the others wait in word until
 * their line ends. UTF-8 is not decoded: what reads the data does that.
 */
#include "common/http/sse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/http/char.h"
#include "common/http/chunk.h"

#define SSE_BOM          "\xef\xbb\xbf"
#define SSE_RETRY_DIGITS 15
#define SSE_RETRY_BYTES  32

enum sse_state {
	SSE_START, /* a byte order mark may come */
	SSE_NAME,  /* at or in the name of a field */
	SSE_SPACE, /* behind the colon: one space is dropped */
	SSE_VALUE,
};

enum sse_field {
	SSE_IGNORED, /* comments and names that are not known */
	SSE_DATA,
	SSE_TYPE,
	SSE_ID,
	SSE_RETRY,
};

static const struct {
	struct slice name;
	enum sse_field field;
} sse_fields[] = {
	{ { "data", 4 }, SSE_DATA },
	{ { "event", 5 }, SSE_TYPE },
	{ { "id", 2 }, SSE_ID },
	{ { "retry", 5 }, SSE_RETRY },
};

void
http_sse_init(struct http_sse *sse, size_t max_bytes)
{
	memset(sse, 0, sizeof(*sse));
	sse->retry_ms = -1;
	sse->state = SSE_START;
	/* One byte more for the LF behind the last line. */
	buf_init(&sse->data, max_bytes + 1);
}

void
http_sse_fini(struct http_sse *sse)
{
	buf_fini(&sse->data);
}

/* buf_add with the error that a reader of events knows. */
static int
sse_add_data(struct http_sse *sse, struct slice s)
{
	const int rc = buf_add_slice(&sse->data, s);

	return rc == -ENOBUFS ? -EMSGSIZE : rc;
}

/* Take a run of bytes of a value. */
static int
sse_value(struct http_sse *sse, struct slice s)
{
	if (sse->field == SSE_IGNORED)
		return 0;
	if (sse->field == SSE_DATA)
		return sse_add_data(sse, s);
	if (s.n > sizeof(sse->word) - sse->word_n)
		return -EMSGSIZE;
	memcpy(sse->word + sse->word_n, s.p, s.n);
	sse->word_n += s.n;
	return 0;
}

/* A name has ended: which field is it, and start its value. */
static void
sse_begin(struct http_sse *sse)
{
	const struct slice name = { sse->name, sse->name_n };

	sse->field = SSE_IGNORED;
	sse->word_n = 0;
	for (size_t i = 0; i < sizeof(sse_fields) / sizeof(sse_fields[0]);
	     i++) {
		if (slice_eq(name, sse_fields[i].name))
			sse->field = sse_fields[i].field;
	}
}

/* A value of only digits sets the time; others are ignored. */
static void
sse_set_retry(struct http_sse *sse)
{
	const struct slice word = { sse->word, sse->word_n };
	int64_t ms = 0;

	if (!http_char_all(word, HTTP_CHAR_DIGIT) || word.n > SSE_RETRY_DIGITS)
		return;
	for (size_t i = 0; i < word.n; i++)
		ms = ms * 10 + (word.p[i] - '0');
	sse->retry_ms = ms;
}

/* The line of a field has ended. */
static int
sse_end_field(struct http_sse *sse)
{
	switch ((enum sse_field)sse->field) {
	case SSE_IGNORED:
		break;
	case SSE_DATA:
		return sse_add_data(sse, SLICE("\n"));
	case SSE_TYPE:
		memcpy(sse->type, sse->word, sse->word_n);
		sse->type_n = sse->word_n;
		break;
	case SSE_ID:
		if (memchr(sse->word, '\0', sse->word_n))
			break;
		memcpy(sse->id, sse->word, sse->word_n);
		sse->id_n = sse->word_n;
		break;
	case SSE_RETRY:
		sse_set_retry(sse);
		break;
	}
	return 0;
}

/* An empty line: give the event out if it has data. */
static int
sse_dispatch(struct http_sse *sse, struct http_sse_event *event_r)
{
	struct slice data = buf_content(&sse->data);

	memcpy(sse->last_id, sse->id, sse->id_n);
	sse->last_id_n = sse->id_n;
	if (!data.n) {
		sse->type_n = 0;
		return 0;
	}
	data.n--; /* the LF behind the last line */
	*event_r = (struct http_sse_event){
		.type = { sse->type, sse->type_n },
		.id = { sse->id, sse->id_n },
		.data = data,
		.retry_ms = sse->retry_ms,
	};
	sse->is_given = true;
	return 1;
}

/* A line has ended. Returns 1 when an event is given out. */
static int
sse_end_line(struct http_sse *sse, struct http_sse_event *event_r)
{
	int rc;

	if (sse->state == SSE_NAME && sse->name_n == 0)
		return sse_dispatch(sse, event_r);
	if (sse->state == SSE_NAME)
		sse_begin(sse); /* a name without a colon has an empty value */
	rc = sse_end_field(sse);
	sse->state = SSE_NAME;
	sse->name_n = 0;
	return rc;
}

/* Take bytes of a name, up to and with its colon. Returns how many. */
static size_t
sse_name(struct http_sse *sse, struct slice s)
{
	const char *const colon = memchr(s.p, ':', s.n);
	const size_t n = colon ? (size_t)(colon - s.p) : s.n;
	const size_t room = sizeof(sse->name) - sse->name_n;
	const size_t kept = n < room ? n : room;

	/* A name that fills the room is none that is known. */
	memcpy(sse->name + sse->name_n, s.p, kept);
	sse->name_n = (uint8_t)(sse->name_n + kept);
	if (!colon)
		return n;
	sse_begin(sse);
	sse->state = SSE_SPACE;
	return n + 1;
}

/* Take a run of bytes without CR and LF. */
static int
sse_run(struct http_sse *sse, struct slice s)
{
	size_t i = 0;

	if (s.n && sse->state == SSE_NAME)
		i = sse_name(sse, s);
	if (i < s.n && sse->state == SSE_SPACE) {
		i += s.p[i] == ' ';
		sse->state = SSE_VALUE;
	}
	return sse_value(sse, (struct slice){ s.p + i, s.n - i });
}

/* Drop a byte order mark; what only began like one is a name. */
static size_t
sse_start(struct http_sse *sse, struct slice in)
{
	size_t i = 0;

	while (i < in.n && sse->bom_n < 3 && in.p[i] == SSE_BOM[sse->bom_n]) {
		i++;
		sse->bom_n++;
	}
	if (i == in.n && sse->bom_n < 3)
		return i;
	if (sse->bom_n < 3) {
		memcpy(sse->name, SSE_BOM, sse->bom_n);
		sse->name_n = sse->bom_n;
	}
	sse->state = SSE_NAME;
	return i;
}

/* The bytes before the next CR or LF. */
static size_t
sse_line_bytes(struct slice in)
{
	const char *const lf = memchr(in.p, '\n', in.n);
	const size_t n = lf ? (size_t)(lf - in.p) : in.n;
	const char *const cr = memchr(in.p, '\r', n);

	return cr ? (size_t)(cr - in.p) : n;
}

/* Take a run and its end of line. Returns as http_sse_feed; *i_r moves on. */
static int
sse_step(struct http_sse *sse, struct slice in, size_t *i_r,
    struct http_sse_event *event_r)
{
	struct slice rest = { in.p + *i_r, in.n - *i_r };

	if (sse->has_cr && rest.p[0] == '\n') {
		sse->has_cr = false;
		*i_r += 1;
		return 0;
	}
	sse->has_cr = false;
	const size_t n = sse_line_bytes(rest);
	const int rc = sse_run(sse, (struct slice){ rest.p, n });

	*i_r += n;
	if (rc < 0 || n == rest.n)
		return rc;
	sse->has_cr = rest.p[n] == '\r';
	*i_r += 1;
	return sse_end_line(sse, event_r);
}

int
http_sse_feed(struct http_sse *sse, struct slice in, size_t *used_r,
    struct http_sse_event *event_r)
{
	size_t i = 0;
	int rc = 0;

	if (sse->is_given) {
		buf_reset(&sse->data);
		sse->type_n = 0;
		sse->is_given = false;
	}
	if (sse->state == SSE_START)
		i = sse_start(sse, in);
	while (rc == 0 && i < in.n)
		rc = sse_step(sse, in, &i, event_r);
	*used_r = i;
	return rc;
}

struct slice
http_sse_last_id(const struct http_sse *sse)
{
	return (struct slice){ sse->last_id, sse->last_id_n };
}

/* Whether a type or an id stays on its line. */
static bool
sse_is_word(struct slice s)
{
	return !s.n || (!memchr(s.p, '\n', s.n) && !memchr(s.p, '\r', s.n) &&
			   !memchr(s.p, '\0', s.n));
}

/* Where a run of text is put, or only counted when p is NULL. */
struct sse_out {
	char *p;
	size_t n;
};

static void
sse_put(struct sse_out *o, struct slice s)
{
	if (o->p && s.n)
		memcpy(o->p + o->n, s.p, s.n);
	o->n += s.n;
}

static void
sse_put_line(struct sse_out *o, struct slice name, struct slice value)
{
	sse_put(o, name);
	sse_put(o, SLICE(": "));
	sse_put(o, value);
	sse_put(o, SLICE("\n"));
}

/* One data line for each line of data, however its lines end. */
static void
sse_put_data(struct sse_out *o, struct slice data)
{
	for (;;) {
		const size_t n = data.n ? sse_line_bytes(data) : 0;

		sse_put_line(o, SLICE("data"), (struct slice){ data.p, n });
		if (n == data.n)
			return;
		const bool is_crlf = data.p[n] == '\r' && n + 1 < data.n &&
		                     data.p[n + 1] == '\n';
		const size_t used = n + 1 + is_crlf;

		data = (struct slice){ data.p + used, data.n - used };
	}
}

static void
sse_put_event(struct sse_out *o, const struct http_sse_event *e)
{
	if (e->type.n)
		sse_put_line(o, SLICE("event"), e->type);
	if (e->id.n)
		sse_put_line(o, SLICE("id"), e->id);
	if (e->retry_ms >= 0) {
		char digits[SSE_RETRY_BYTES];
		const int n = snprintf(
		    digits, sizeof(digits), "%lld", (long long)e->retry_ms);

		sse_put_line(
		    o, SLICE("retry"), (struct slice){ digits, (size_t)n });
	}
	if (e->data.p)
		sse_put_data(o, e->data);
	sse_put(o, SLICE("\n"));
}

size_t
http_sse_size(const struct http_sse_event *event)
{
	struct sse_out o = { NULL, 0 };

	sse_put_event(&o, event);
	return o.n;
}

/* Make room for all; -EINVAL when the event cannot be written at all. */
static int
sse_reserve(struct buf *out, const struct http_sse_event *event, size_t n)
{
	if (!sse_is_word(event->type) || !sse_is_word(event->id))
		return -EINVAL;
	if (n > buf_room(out))
		return -ENOBUFS;
	return buf_reserve(out, n) ? 0 : -ENOMEM;
}

/* Put the event into room that is there. */
static void
sse_commit(struct buf *out, const struct http_sse_event *event, size_t n)
{
	struct sse_out o = { buf_reserve(out, n), 0 };

	sse_put_event(&o, event);
	buf_commit(out, o.n);
}

int
http_sse_add(struct buf *out, const struct http_sse_event *event)
{
	const size_t n = http_sse_size(event);
	const int rc = sse_reserve(out, event, n);

	if (rc == 0)
		sse_commit(out, event, n);
	return rc;
}

int
http_sse_add_chunked(struct buf *out, const struct http_sse_event *event)
{
	const size_t n = http_sse_size(event);
	const int rc = sse_reserve(out, event, http_chunk_size(n));

	if (rc < 0)
		return rc;
	/* None of these can fail: the room is there. */
	http_chunk_open(out, n);
	sse_commit(out, event, n);
	return http_chunk_close(out);
}

int
http_sse_add_comment(struct buf *out, struct slice text)
{
	if (!sse_is_word(text))
		return -EINVAL;
	const size_t n = text.n + 3;

	if (n > buf_room(out))
		return -ENOBUFS;
	struct sse_out o = { buf_reserve(out, n), 0 };

	if (!o.p)
		return -ENOMEM;
	sse_put(&o, SLICE(":"));
	sse_put(&o, text);
	sse_put(&o, SLICE("\n\n"));
	buf_commit(out, o.n);
	return 0;
}
