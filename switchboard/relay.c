/* SPDX-License-Identifier: MIT */
/* relay: source buffer, decoder, encoder, sink buffer. */
#include "switchboard/relay.h"

#include <errno.h>

#include "common/base/must.h"

#include "switchboard/block.h"

/* All data is through; only the chunked coding writes something at the end. */
static void
relay_finish(struct relay *r)
{
	r->state = r->to == HTTP_DELIM_CHUNKED ? RELAY_END : RELAY_DONE;
}

int
relay_start(struct relay *r, enum http_kind kind, const struct http_frame *from,
    enum http_delim to, struct http_fault *fault_r)
{
	r->to = to;
	r->state = RELAY_BODY;
	const int rc =
	    http_body_init(&r->body, kind, from, HTTP_BODY_NO_MAX, fault_r);
	if (rc < 0)
		return rc;
	if (r->body.is_done)
		relay_finish(r);
	return 0;
}

/*
 * One run of data. Returns 1 to go on, 0 when input or room is missing, or
 * the decoder's error. At most as many bytes go in as can come out.
 */
static int
relay_step(struct relay *r, struct buf *src, struct buf *dst,
    struct http_fault *fault_r)
{
	struct slice in = buf_content(src);
	struct slice data = { NULL, 0 };
	size_t used = 0;

	if (!in.n)
		return 0;
	if (block_lend(dst) < 0)
		return -ENOMEM;
	const size_t room = http_body_room(r->to, dst);
	if (in.n > room)
		in.n = room;
	if (!in.n)
		return 0;
	int rc = http_body_feed(&r->body, in, &used, &data, fault_r);
	if (rc < 0)
		return rc;
	const bool is_end = rc == 1;
	rc = data.n ? http_body_add(r->to, dst, data) : 0;
	must(rc == 0);
	buf_consume(src, used);
	if (is_end)
		relay_finish(r);
	return used || is_end ? 1 : 0;
}

/* Write the end mark when there is room. */
static int
relay_close(struct relay *r, struct buf *dst)
{
	if (block_lend(dst) < 0)
		return -ENOMEM;
	const int rc = http_body_end(r->to, dst);
	if (rc == 0)
		r->state = RELAY_DONE;
	return rc == -ENOBUFS ? 0 : rc;
}

int
relay_pump(struct relay *r, struct buf *src, struct buf *dst,
    struct http_fault *fault_r)
{
	int rc = 1;

	while (rc == 1 && r->state == RELAY_BODY)
		rc = relay_step(r, src, dst, fault_r);
	if (rc >= 0 && r->state == RELAY_END)
		rc = relay_close(r, dst);
	if (rc < 0)
		return rc;
	return r->state == RELAY_DONE;
}

int
relay_eof(struct relay *r)
{
	if (r->state != RELAY_BODY)
		return 0;
	const int rc = http_body_eof(&r->body);
	if (rc == 0)
		relay_finish(r);
	return rc;
}

bool
relay_can_go_on(const struct relay *r, const struct buf *src)
{
	return r->state == RELAY_END ||
	       (r->state == RELAY_BODY && buf_len(src));
}

bool
relay_is_whole(const struct relay *r)
{
	return r->state != RELAY_BODY;
}

bool
relay_wants(const struct relay *r)
{
	return r->state == RELAY_BODY;
}
