/* SPDX-License-Identifier: MIT */
/* fetch: a small HTTP client for tasks, on common/http. */
#include "poold/ctl/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/sleep.h"
#include "common/http/body.h"
#include "common/http/read.h"
#include "common/http/write.h"
#include "common/json/jsontext.h"

#include "poold/ctl/dial.h"

#define FETCH_MAGIC      0x66657463u
#define FETCH_OUT_BYTES  (64u << 10) /* the head of a request */
#define FETCH_READ_BYTES (16u << 10)

/* How the body is read. */
enum fetch_kind {
	FETCH_OTHER, /* text for a person, at best */
	FETCH_JSON,  /* one document */
	FETCH_SSE,   /* an event stream */
};

struct fetch {
	unsigned magic;
	const struct url *url;
	int fd;
	struct buf out;
	struct http_writer writer;
	struct buf in;  /* the head of the response, then pieces of its body */
	size_t n_taken; /* of in: given out, dropped at the next read */
	struct http_scan scan;
	struct http_asked asked;
	struct http_response res; /* its slices are dead after the head */
	struct http_body body;
	enum fetch_kind kind;
	bool is_given; /* the one JSON document */
	int status;
	int retry_after_s;
	char session[FETCH_SESSION_SIZE];
	struct buf text;     /* a whole body that is no stream */
	struct http_sse sse; /* with FETCH_SSE */
	struct slice unread; /* of in: data that sse has not taken yet */
	char last_id[HTTP_SSE_WORD_MAX + 1];
	int64_t retry_ms;
};

struct fetch *
fetch_new(const struct url *url, struct slice method)
{
	struct fetch *const f = mem_zalloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->magic = FETCH_MAGIC;
	f->url = url;
	f->fd = -1;
	f->retry_after_s = -1;
	f->retry_ms = -1;
	f->asked = (struct http_asked){ .minor = 1 };
	buf_init(&f->out, FETCH_OUT_BYTES);
	buf_init(&f->in, HTTP_RESPONSE_MAX);
	buf_init(&f->text, FETCH_MESSAGE_BYTES);
	http_scan_init(&f->scan, HTTP_KIND_RESPONSE);
	http_sse_init(&f->sse, FETCH_MESSAGE_BYTES);
	http_write_request(&f->writer, &f->out, method, slice_of(url->path));
	fetch_field(f, "Host", url->field);
	fetch_field(f, "Connection", "close");
	return f;
}

void
fetch_free(struct fetch **f)
{
	if (!*f)
		return;
	must_be(*f, FETCH_MAGIC);
	fd_close(&(*f)->fd);
	buf_fini(&(*f)->out);
	buf_fini(&(*f)->in);
	buf_fini(&(*f)->text);
	http_sse_fini(&(*f)->sse);
	mem_free(*f);
	*f = NULL;
}

void
fetch_field(struct fetch *f, const char *name, const char *value)
{
	http_write_field(&f->writer, slice_of(name), slice_of(value));
}

/* Say that the connection failed underway. */
static int
fetch_broken(const struct fetch *f, int rc, struct err *err_r)
{
	if (rc == -ETIMEDOUT)
		return err_set(err_r, rc, NULL, "%s does not answer in time",
		    f->url->field);
	if (rc == -EPIPE || rc == -ECONNRESET)
		return err_set(err_r, -EPIPE, NULL,
		    "%s closed the connection without an answer",
		    f->url->field);
	return err_set(err_r, rc, NULL, "talking to %s: %s", f->url->field,
	    strerrordesc_np(-rc));
}

/* Write s. A peer that answers before it took all is read all the same. */
static int
fetch_write(struct fetch *f, struct slice s, int64_t deadline_ms)
{
	while (s.n) {
		const ssize_t n = send(f->fd, s.p, s.n, MSG_NOSIGNAL);
		if (n >= 0) {
			s = (struct slice){ s.p + n, s.n - (size_t)n };
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		const int rc = flow_wait_fd(f->fd, LOOP_WRITE, deadline_ms);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Read some bytes behind f->in. Returns their number, 0 at EOF, -errno. */
static ssize_t
fetch_read(struct fetch *f, int64_t deadline_ms)
{
	size_t room = buf_room(&f->in);

	if (room > FETCH_READ_BYTES)
		room = FETCH_READ_BYTES;
	must(room > 0);
	char *const to = buf_reserve(&f->in, room);
	if (!to)
		return -ENOMEM;
	for (;;) {
		const ssize_t n = read(f->fd, to, room);
		if (n >= 0) {
			buf_commit(&f->in, (size_t)n);
			return n;
		}
		if (errno == ECONNRESET)
			return -EPIPE;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		const int rc = flow_wait_fd(f->fd, LOOP_READ, deadline_ms);
		if (rc < 0)
			return rc;
	}
}

/* Whether a Content-Type names a media type, whatever its parameters. */
static bool
fetch_is_type(struct slice value, struct slice type)
{
	if (value.n < type.n)
		return false;
	const struct slice begin = { value.p, type.n };
	if (!slice_caseeq(begin, type))
		return false;
	return value.n == type.n || value.p[type.n] == ';' ||
	       value.p[type.n] == ' ';
}

/* Keep of the head what is asked for later. Returns 0 or -errno. */
static int
fetch_keep(struct fetch *f, struct err *err_r)
{
	const struct http_head *const head = &f->res.head;
	const struct slice type = http_head_value(head, HTTP_NAME_CONTENT_TYPE);
	struct http_fault fault;
	char seconds[12];
	const char *bad;

	f->status = head->status;
	if (fetch_is_type(type, SLICE("application/json")))
		f->kind = FETCH_JSON;
	else if (fetch_is_type(type, SLICE("text/event-stream")))
		f->kind = FETCH_SSE;
	const struct slice session =
	    http_head_value(head, HTTP_NAME_MCP_SESSION_ID);
	if (slice_copy(session, f->session, sizeof(f->session)) < 0)
		return err_set(err_r, -EBADMSG, NULL,
		    "%s gave a session id of over %d bytes", f->url->field,
		    FETCH_SESSION_SIZE - 1);
	if (slice_copy(http_head_value_text(head, SLICE("Retry-After")),
		seconds, sizeof(seconds)) == 0) {
		const long long n = strtonum(seconds, 0, 86400, &bad);
		f->retry_after_s = bad ? -1 : (int)n;
	}
	if (http_body_init(&f->body, HTTP_KIND_RESPONSE, &f->res.frame,
		f->kind == FETCH_SSE ? HTTP_BODY_NO_MAX : FETCH_MESSAGE_BYTES,
		&fault) < 0)
		return err_set(err_r, -EMSGSIZE, NULL,
		    "the answer of %s is too long: %s", f->url->field,
		    fault.text);
	return 0;
}

/* Read the head of the response, and the 1xx before it. */
static int
fetch_head(struct fetch *f, int64_t deadline_ms, struct err *err_r)
{
	struct http_fault fault;

	for (;;) {
		const int rc = http_read_response(
		    &f->scan, buf_content(&f->in), &f->asked, &f->res, &fault);
		if (rc < 0)
			return err_set(err_r, -EBADMSG, NULL,
			    "what answers at %s does not speak HTTP as it "
			    "should: %s",
			    f->url->field, fault.text);
		if (rc == 1 && !f->res.frame.is_interim)
			break;
		if (rc == 1) {
			buf_consume(&f->in, f->res.head.n_bytes);
			continue;
		}
		const ssize_t n = fetch_read(f, deadline_ms);
		if (n <= 0)
			return fetch_broken(f, n ? (int)n : -EPIPE, err_r);
	}
	const int rc = fetch_keep(f, err_r);
	f->n_taken = f->res.head.n_bytes;
	return rc;
}

int
fetch_send(
    struct fetch *f, struct slice body, int64_t deadline_ms, struct err *err_r)
{
	must_be(f, FETCH_MAGIC);
	if (body.n)
		http_write_length(&f->writer, body.n);
	int rc = http_write_end(&f->writer);
	if (rc < 0)
		return err_set(err_r, rc, NULL,
		    "the request cannot be written: %s", strerrordesc_np(-rc));
	rc = dial_open(f->url, deadline_ms, &f->fd, err_r);
	if (rc < 0)
		return rc;
	rc = fetch_write(f, buf_content(&f->out), deadline_ms);
	if (rc == 0)
		rc = fetch_write(f, body, deadline_ms);
	if (rc < 0)
		return fetch_broken(f, rc, err_r);
	return fetch_head(f, deadline_ms, err_r);
}

int
fetch_status(const struct fetch *f)
{
	return f->status;
}

const char *
fetch_session(const struct fetch *f)
{
	return f->session;
}

int
fetch_retry_after_s(const struct fetch *f)
{
	return f->retry_after_s;
}

bool
fetch_has_messages(const struct fetch *f)
{
	return f->kind != FETCH_OTHER;
}

/* Say why the body cannot be read on. */
static int
fetch_cut(const struct fetch *f, int rc, struct err *err_r)
{
	if (rc == -ETIMEDOUT)
		return fetch_broken(f, rc, err_r);
	if (rc == -EPIPE)
		return err_set(err_r, rc, NULL,
		    "the connection to %s broke in the middle of its answer",
		    f->url->field);
	return err_set(err_r, rc, NULL, "reading the answer of %s: %s",
	    f->url->field, strerrordesc_np(-rc));
}

/*
 * The next run of body bytes, borrowed until the next call. Returns 1, 0 at
 * the end, -errno.
 */
static int
fetch_data(struct fetch *f, int64_t deadline_ms, struct slice *data_r,
    struct err *err_r)
{
	struct http_fault fault;
	size_t used;

	for (;;) {
		buf_consume(&f->in, f->n_taken);
		f->n_taken = 0;
		const int rc = http_body_feed(
		    &f->body, buf_content(&f->in), &used, data_r, &fault);
		if (rc < 0)
			return err_set(err_r, rc, NULL,
			    "the answer of %s is not framed as it should: %s",
			    f->url->field, fault.text);
		f->n_taken = used;
		if (data_r->n)
			return 1;
		if (rc == 1)
			return 0;
		if (used)
			continue;
		const ssize_t n = fetch_read(f, deadline_ms);
		if (n == 0 && http_body_eof(&f->body) == 0)
			return 0;
		if (n <= 0)
			return fetch_cut(f, n ? (int)n : -EPIPE, err_r);
	}
}

/* Read the whole body into f->text, at most max bytes (then it is cut). */
static int
fetch_whole(struct fetch *f, size_t max, int64_t deadline_ms, struct err *err_r)
{
	struct slice data;
	int rc;

	while ((rc = fetch_data(f, deadline_ms, &data, err_r)) > 0) {
		const size_t room = max - buf_len(&f->text);
		if (data.n > room)
			data.n = room;
		if (buf_add_slice(&f->text, data) < 0)
			return err_set(err_r, -ENOMEM, NULL, "out of memory");
		if (buf_len(&f->text) == max)
			return 0;
	}
	return rc;
}

int
fetch_text(struct fetch *f, int64_t deadline_ms, struct slice *text_r,
    struct err *err_r)
{
	must_be(f, FETCH_MAGIC);
	const int rc = fetch_whole(f, FETCH_TEXT_BYTES, deadline_ms, err_r);
	*text_r = buf_content(&f->text);
	return rc;
}

/* A message out of its text. */
static int
fetch_parse(
    const struct fetch *f, struct slice text, json_t **msg_r, struct err *err_r)
{
	struct err why;

	const int rc = jsontext_load(text, NULL, msg_r, &why);
	if (rc == 0)
		return 0;
	return err_set(err_r, rc, NULL, "%s sent what is not JSON: %s: %s",
	    f->url->field, why.place, why.text);
}

/* The next event with data, as a message; others only leave their id. */
static int
fetch_event(
    struct fetch *f, int64_t deadline_ms, json_t **msg_r, struct err *err_r)
{
	struct http_sse_event event;
	size_t used;
	int rc;

	for (;;) {
		rc = http_sse_feed(&f->sse, f->unread, &used, &event);
		if (rc < 0)
			return err_set(err_r, rc, NULL,
			    "the event stream of %s cannot be read: %s",
			    f->url->field, strerrordesc_np(-rc));
		f->unread.p += used;
		f->unread.n -= used;
		if (rc == 0) {
			rc = fetch_data(f, deadline_ms, &f->unread, err_r);
			if (rc <= 0)
				return rc < 0 ? rc : -ENODATA;
			continue;
		}
		(void)slice_copy(event.id, f->last_id, sizeof(f->last_id));
		if (event.retry_ms >= 0)
			f->retry_ms = event.retry_ms;
		if (event.data.n &&
		    (!event.type.n || slice_eq(event.type, SLICE("message"))))
			return fetch_parse(f, event.data, msg_r, err_r);
	}
}

int
fetch_next(
    struct fetch *f, int64_t deadline_ms, json_t **msg_r, struct err *err_r)
{
	must_be(f, FETCH_MAGIC);
	*msg_r = NULL;
	if (f->kind == FETCH_SSE)
		return fetch_event(f, deadline_ms, msg_r, err_r);
	if (f->is_given)
		return -ENODATA;
	f->is_given = true;
	const int rc = fetch_whole(f, FETCH_MESSAGE_BYTES, deadline_ms, err_r);
	if (rc < 0)
		return rc;
	if (buf_len(&f->text) == 0)
		return -ENODATA;
	return fetch_parse(f, buf_content(&f->text), msg_r, err_r);
}

const char *
fetch_last_id(const struct fetch *f)
{
	return f->last_id;
}

int64_t
fetch_retry_ms(const struct fetch *f)
{
	return f->retry_ms;
}
