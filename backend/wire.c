/* SPDX-License-Identifier: MIT */
/*
 * wire: written in tasks. What a head is parsed into is copied from before
 * anything waits; the input buffer never holds more than one head or one piece
 * of a body.
 */
#include "backend/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/sleep.h"
#include "common/flow/task.h"
#include "common/http/read.h"

#include "backend/rest.h"

#define WIRE_READ_BYTES  4096
#define WIRE_AHEAD_BYTES 1024
#define WIRE_PARTS_MAX   4

/* The memory of large bodies that are being read, of all connections. */
static size_t wire_shared_bytes;

void
wire_forget_body(struct wire *wire)
{
	must(wire_shared_bytes >= wire->n_shared);
	wire_shared_bytes -= wire->n_shared;
	wire->n_shared = 0;
}

/*
 * Put what out has grown on the account. One body is bounded by its cap, but
 * a client has as many connections as it likes.
 */
static int
wire_account(struct wire *wire, const struct buf *out)
{
	if (out->size <= WIRE_SMALL_BYTES)
		return 0;
	wire_shared_bytes += out->size - wire->n_shared;
	wire->n_shared = out->size;
	return wire_shared_bytes > WIRE_SHARED_BYTES ? -EBUSY : 0;
}

void
wire_init(struct wire *wire, int fd)
{
	memset(wire, 0, sizeof(*wire));
	wire->magic = WIRE_MAGIC;
	wire->fd = fd;
	buf_init(&wire->in, HTTP_REQUEST_MAX);
	select_init(&wire->news);
	http_scan_init(&wire->scan, HTTP_KIND_REQUEST);
}

void
wire_fini(struct wire *wire)
{
	must_be(wire, WIRE_MAGIC);
	select_unwatch(&wire->peer);
	wire_forget_body(wire);
	buf_fini(&wire->in);
	fd_close(&wire->fd);
}

bool
wire_has_more(const struct wire *wire)
{
	return buf_len(&wire->in) > 0;
}

/*
 * Read once, waiting until there is something. Returns bytes read, 0 at the
 * end, -ENOBUFS when the buffer is full, -ETIMEDOUT, another -errno.
 */
static int
wire_fill(struct wire *wire, int64_t deadline_ms)
{
	for (;;) {
		const size_t room = buf_room(&wire->in);
		const size_t want =
		    room < WIRE_READ_BYTES ? room : WIRE_READ_BYTES;
		char *p;
		ssize_t n;
		int rc;

		if (wire->is_eof)
			return 0;
		if (want == 0)
			return -ENOBUFS;
		p = buf_reserve(&wire->in, want);
		if (!p)
			return -ENOMEM;
		n = recv(wire->fd, p, want, MSG_DONTWAIT);
		if (n > 0) {
			buf_commit(&wire->in, (size_t)n);
			return (int)n;
		}
		if (n == 0)
			wire->is_eof = true;
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n == 0 || errno == EINTR)
			continue;
		buf_trim(&wire->in);
		rc = rest_wait_fd(wire->fd, LOOP_READ, deadline_ms);
		if (rc < 0)
			return rc;
	}
}

static void
wire_request_free(struct http_request **request)
{
	mem_free(*request);
}

/*
 * Try to take a head out of the buffer; as wire_read_head, 0: more needed. What
 * is parsed is too large for a task's stack, and copied before anything waits.
 */
static int
wire_take_head(
    struct wire *wire, struct inbound *in_r, struct http_fault *fault_r)
{
	const struct slice so_far = buf_content(&wire->in);

	if (!wire_has_more(wire))
		return 0;
	__attribute__((
	    cleanup(wire_request_free))) struct http_request *request =
	    mem_alloc(sizeof(*request));
	if (!request)
		return -ENOMEM;
	int rc = http_read_request(&wire->scan, so_far, request, fault_r);
	if (rc != 1)
		return rc;
	rc = inbound_keep(in_r, request, so_far);
	buf_consume(&wire->in, request->head.n_bytes);
	if (rc != 0)
		inbound_fini(in_r);
	return rc == 0 ? 1 : rc;
}

int
wire_read_head(
    struct wire *wire, struct inbound *in_r, struct http_fault *fault_r)
{
	int64_t deadline_ms = clock_deadline_ms(
	    wire_has_more(wire) ? WIRE_HEAD_MS : WIRE_IDLE_MS);
	bool has_begun = wire_has_more(wire);

	must_be(wire, WIRE_MAGIC);
	for (;;) {
		int rc = wire_take_head(wire, in_r, fault_r);

		if (rc != 0)
			return rc;
		rc = wire_fill(wire, deadline_ms);
		if (rc == 0)
			return http_scan_is_idle(&wire->scan) ? 0 : -EPIPE;
		if (rc == -ETIMEDOUT && !has_begun)
			return 0;
		if (rc < 0)
			return rc;
		if (!has_begun)
			deadline_ms = clock_deadline_ms(WIRE_HEAD_MS);
		has_begun = true;
	}
}

/*
 * Take what is buffered of the body into out (NULL: throw it away). Returns 1
 * at its end, 0 when more is needed, or as wire_read_body.
 */
static int
wire_take_body(struct wire *wire, struct buf *out, struct http_fault *fault_r)
{
	for (;;) {
		const struct slice in = buf_content(&wire->in);
		struct slice data = { NULL, 0 };
		size_t used = 0;
		const int rc =
		    http_body_feed(&wire->body, in, &used, &data, fault_r);
		int added = out && rc >= 0 ? buf_add_slice(out, data) : 0;

		if (out && added == 0)
			added = wire_account(wire, out);
		buf_consume(&wire->in, used);
		if (rc < 0)
			return rc;
		if (added != 0)
			return added == -ENOBUFS ? -EMSGSIZE : added;
		if (rc == 1)
			return 1;
		if (buf_len(&wire->in) == 0)
			return 0;
	}
}

/* Read the body that was begun. deadline_ms moves with each piece if moves. */
static int
wire_run_body(struct wire *wire, struct buf *out, int64_t wait_ms,
    bool deadline_moves, struct http_fault *fault_r)
{
	int64_t deadline_ms = clock_deadline_ms(wait_ms);

	for (;;) {
		int rc = wire_take_body(wire, out, fault_r);

		if (rc != 0)
			return rc == 1 ? 0 : rc;
		rc = wire_fill(wire, deadline_ms);
		if (rc == 0)
			return -EPIPE;
		if (rc < 0)
			return rc;
		if (deadline_moves)
			deadline_ms = clock_deadline_ms(wait_ms);
	}
}

int
wire_read_body(struct wire *wire, const struct inbound *in, struct buf *out,
    struct http_fault *fault_r)
{
	const struct slice go_on = SLICE("HTTP/1.1 100 Continue\r\n\r\n");
	int rc = http_body_init(
	    &wire->body, HTTP_KIND_REQUEST, &in->frame, out->cap, fault_r);

	if (rc != 0)
		return rc;
	if (in->frame.expects_continue && buf_len(&wire->in) == 0)
		rc = wire_send(wire, &go_on, 1);
	if (rc != 0)
		return rc;
	return wire_run_body(wire, out, WIRE_BODY_MS, true, fault_r);
}

int
wire_drain_body(struct wire *wire, const struct inbound *in)
{
	struct http_fault fault;

	if (in->frame.expects_continue && in->frame.delim != HTTP_DELIM_NONE)
		return -EPIPE;
	if (http_body_init(&wire->body, HTTP_KIND_REQUEST, &in->frame,
		WIRE_DRAIN_BYTES, &fault) != 0)
		return -EPIPE;
	return wire_run_body(wire, NULL, WIRE_DRAIN_MS, false, &fault);
}

/* Leave out what was sent. */
static size_t
wire_advance(struct iovec *iov, size_t n_iov, size_t n)
{
	size_t i = 0;

	while (i < n_iov && n >= iov[i].iov_len)
		n -= iov[i++].iov_len;
	if (i < n_iov) {
		iov[i].iov_base = (char *)iov[i].iov_base + n;
		iov[i].iov_len -= n;
	}
	memmove(iov, iov + i, (n_iov - i) * sizeof(*iov));
	return n_iov - i;
}

/* Send once; bytes sent, or wait for room: 0, -EPIPE, -ETIMEDOUT. */
static ssize_t
wire_push(struct wire *wire, struct iovec *iov, size_t n_iov)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = n_iov };
	const ssize_t n = sendmsg(wire->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	int rc;

	if (n >= 0)
		return n;
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -EPIPE;
	rc = flow_wait_fd(
	    wire->fd, LOOP_WRITE, clock_deadline_ms(WIRE_STALL_MS));
	return rc < 0 ? rc : 0;
}

int
wire_send(struct wire *wire, const struct slice *parts, size_t n_parts)
{
	struct iovec iov[WIRE_PARTS_MAX];
	size_t left = n_parts;

	must_be(wire, WIRE_MAGIC);
	must(n_parts <= WIRE_PARTS_MAX);
	for (size_t i = 0; i < n_parts; i++)
		iov[i] =
		    (struct iovec){ (void *)(uintptr_t)parts[i].p, parts[i].n };
	left = wire_advance(iov, left, 0);
	while (left > 0 && !wire->is_broken) {
		const ssize_t n = wire_push(wire, iov, left);

		wire->is_broken = n < 0;
		if (n < 0)
			return (int)n;
		left = wire_advance(iov, left, (size_t)n);
	}
	return wire->is_broken ? -EPIPE : 0;
}

/* ---- a client that leaves -------------------------------------------- */

/*
 * An end alone may be a half-close: on a unix socket POLLHUP tells that both
 * directions are closed.
 */
static bool
wire_is_closed(const struct wire *wire)
{
	struct pollfd p = { .fd = wire->fd };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/*
 * The client sent bytes, closed, or both. They are read ahead, since the end
 * of a stream shows only behind what was sent before it.
 */
static void
wire_read_ahead(struct wire *wire)
{
	const size_t room = buf_room(&wire->in);
	const size_t want = room < WIRE_AHEAD_BYTES ? room : WIRE_AHEAD_BYTES;
	char *const p = want > 0 ? buf_reserve(&wire->in, want) : NULL;

	if (!p) {
		select_unwatch(&wire->peer);
		return;
	}
	const ssize_t n = recv(wire->fd, p, want, MSG_DONTWAIT);
	if (n > 0) {
		buf_commit(&wire->in, (size_t)n);
		return;
	}
	const bool is_none = n < 0 && (errno == EAGAIN || errno == EINTR);
	buf_trim(&wire->in);
	if (is_none)
		return;
	wire->is_eof = true;
	wire->is_gone = n < 0 || wire_is_closed(wire);
	select_unwatch(&wire->peer);
}

void
wire_watch(struct wire *wire)
{
	must_be(wire, WIRE_MAGIC);
	buf_trim(&wire->in);
	if (!wire->is_eof)
		(void)select_watch(
		    &wire->news, &wire->peer, wire->fd, LOOP_READ, NULL);
}

void
wire_unwatch(struct wire *wire)
{
	select_unwatch(&wire->peer);
}

int
wire_wait(struct wire *wire, const char *what, int64_t deadline_ms)
{
	struct select_fd *ready;

	for (;;) {
		const int rc =
		    select_next(&wire->news, what, deadline_ms, &ready);

		if (rc <= 0)
			return rc;
		wire_read_ahead(wire);
		if (wire->is_gone)
			return -EPIPE;
	}
}
