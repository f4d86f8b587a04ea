/* SPDX-License-Identifier: MIT */
/* answer: a response on its way to its client. */
#include "switchboard/answer.h"

#include <errno.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/http/body.h"

#include "switchboard/block.h"
#include "switchboard/forward.h"
#include "switchboard/limits.h"
#include "switchboard/refuse.h"
#include "switchboard/tunnel.h"

/* The response being read: parsed and written on in one go. */
static struct http_response answer_head_now;

static struct tunnel
answer_tunnel(struct exchange *x)
{
	return (struct tunnel){ .client = x->client,
		.backend = &x->upstream->jack,
		.up = &x->request,
		.down = &x->response };
}

/* Append the head for the client; a long one needs a larger buffer. */
static int
answer_write_head(struct exchange *x, const struct http_response *res,
    const struct http_frame *plan)
{
	struct buf *const out = &x->client->out;
	const struct slice id =
	    res->frame.is_interim ? SLICE("") : slice_of(x->id);

	int rc = block_lend(out);
	if (rc == 0)
		rc = http_proxy_response(out, res, plan, &x->asked, id);
	if (rc != -ENOBUFS)
		return rc;
	rc = block_grow(out, LIMIT_ANSWER_BYTES);
	return rc < 0 ? rc : http_proxy_response(out, res, plan, &x->asked, id);
}

/* What must be remembered of a final head. */
static void
answer_remember(struct exchange *x, const struct http_response *res)
{
	const struct slice stream = SLICE("text/event-stream");
	const struct slice type =
	    http_head_value(&res->head, HTTP_NAME_CONTENT_TYPE);

	x->status = res->head.status;
	x->is_bodiless = res->frame.delim == HTTP_DELIM_NONE;
	x->keeps_upstream = res->frame.persists;
	if (type.n >= stream.n && strncasecmp(type.p, stream.p, stream.n) == 0)
		exchange_set_stream(x);
}

/* 101: from here on bytes go both ways. */
static void
answer_upgrade(struct exchange *x)
{
	exchange_set_state(x, EXCHANGE_TUNNEL, "101");
	exchange_set_stream(x);
	const struct tunnel tunnel = answer_tunnel(x);
	tunnel_start(&tunnel);
}

/* A final head: write it on and start with the body. */
static int
answer_begin(struct exchange *x, const struct http_response *res,
    struct http_fault *fault_r)
{
	if (res->frame.upgrades && x->unsent.n)
		return http_fault_set(fault_r, 502, 0, SLICE(""),
		    "101 before the request was sent");
	x->plan = http_proxy_plan(res, &x->asked);
	/* The rest of a request that is answered early is never awaited. */
	if (exchange_is_ending() || !relay_is_whole(&x->request))
		x->plan.persists = false;
	x->final_at = x->client->n_written + buf_len(&x->client->out);
	int rc = answer_write_head(x, res, &x->plan);
	if (rc < 0)
		return rc;
	x->has_begun = true;
	answer_remember(x, res);
	rc = relay_start(&x->response, HTTP_KIND_RESPONSE, &res->frame,
	    x->plan.delim, fault_r);
	if (rc < 0)
		return rc;
	if (res->frame.upgrades)
		answer_upgrade(x);
	else
		exchange_set_state(x, EXCHANGE_ANSWERING, "head");
	return 0;
}

/* A 1xx before the final head. */
static int
answer_interim(struct exchange *x, const struct http_response *res)
{
	const struct http_frame plan = http_proxy_plan(res, &x->asked);

	/* The client's time for its body starts only now. */
	if (x->awaits_100)
		x->client->read_at_ms = clock_now_ms();
	x->awaits_100 = false;
	return answer_write_head(x, res, &plan);
}

/*
 * Read one head. Returns 1 when there was one (go on while ASKING), 0 when
 * more is needed, or -errno with *fault_r.
 */
static int
answer_read_head(struct exchange *x, struct http_fault *fault_r)
{
	struct http_response *const res = &answer_head_now;
	struct upstream *const up = x->upstream;
	struct buf *const in = &up->jack.in;

	if (!buf_len(in))
		return 0;
	int rc = http_read_response(
	    &up->scan, buf_content(in), &x->asked, res, fault_r);
	if (rc == 0 && !buf_room(in))
		return block_grow(in, HTTP_RESPONSE_MAX);
	if (rc <= 0)
		return rc;
	const size_t n_head = res->head.n_bytes;
	rc = res->frame.is_interim ? answer_interim(x, res)
	                           : answer_begin(x, res, fault_r);
	if (rc < 0)
		return rc;
	buf_consume(in, n_head);
	return 1;
}

/* Heads, as many as are there. Returns 0 or -errno. */
static int
answer_heads(struct exchange *x, struct http_fault *fault_r)
{
	int rc = 1;

	/* From the first byte of a response on, nothing is repeated. */
	if (x->head.data && upstream_n_read(x->upstream) > 0) {
		if (x->route->generation == x->upstream->generation)
			x->route->has_answered = true;
		if (!x->unsent.n)
			block_return(&x->head);
	}
	while (rc == 1 && x->state == EXCHANGE_ASKING)
		rc = answer_read_head(x, fault_r);
	return rc < 0 ? rc : 0;
}

/* The body and the client, as far as both go. Returns 1 done, 0, -errno. */
static int
answer_body(struct exchange *x, struct http_fault *fault_r)
{
	struct buf *const in = &x->upstream->jack.in;
	struct jack *const client = x->client;

	for (;;) {
		const int done =
		    relay_pump(&x->response, in, &client->out, fault_r);
		if (done < 0)
			return done;
		/* More than was announced: say so while it can be said. */
		if (done == 1 && buf_len(in) && !x->is_bodiless) {
			http_fault_set(fault_r, 502, 0, SLICE(""),
			    "more bytes than the answer announced");
			return -EBADMSG;
		}
		const int rc = jack_write(client, NULL);
		if (rc < 0 && !client->stalled_at_ms)
			return rc;
		if (rc < 0 || !relay_can_go_on(&x->response, in))
			return done;
	}
}

/* The response is whole: keep what can be kept. */
static void
answer_end(struct exchange *x)
{
	const bool is_asked = x->request.state == RELAY_DONE && !x->unsent.n &&
	                      !buf_len(&x->upstream->jack.out);
	const bool keeps =
	    is_asked && x->keeps_upstream && !buf_len(&x->upstream->jack.in);

	if (keeps)
		upstream_release(&x->upstream, &x->route->pool);
	const bool persists =
	    is_asked && x->plan.persists && !exchange_is_ending();
	exchange_end(x, persists ? EXCHANGE_END_KEEP : EXCHANGE_END_CLOSE);
}

/* Something went wrong: who broke it decides what is done. */
static void
answer_fail(struct exchange *x, int error, const struct http_fault *fault)
{
	if (x->client->is_broken) {
		exchange_note(x, "the client is gone");
		exchange_end(x, EXCHANGE_END_LEFT);
	} else if (error == -EBADMSG || error == -EMSGSIZE) {
		refuse(x, FAULT_BACKEND, fault->text);
	} else if (error == -ENOBUFS || error == -EINVAL) {
		refuse(x, FAULT_BACKEND, "the head of the answer is too long");
	} else {
		refuse(x, FAULT_SHORT, NULL);
	}
}

void
answer_pump(struct exchange *x)
{
	struct http_fault fault = { .status = 0 };

	int rc = answer_heads(x, &fault);
	if (rc == 0 && x->state == EXCHANGE_TUNNEL) {
		answer_pump_tunnel(x);
		return;
	}
	if (rc == 0 && x->state == EXCHANGE_ANSWERING)
		rc = answer_body(x, &fault);
	else if (rc == 0 && buf_len(&x->client->out)) {
		rc = jack_write(x->client, NULL); /* a 1xx */
		rc = rc < 0 && x->client->stalled_at_ms ? 0 : rc;
	}
	if (rc < 0)
		answer_fail(x, rc, &fault);
	else if (rc == 1)
		answer_end(x);
}

void
answer_eof(struct exchange *x, bool is_reset)
{
	if (x->state == EXCHANGE_ASKING) {
		forward_lost(x, is_reset);
		return;
	}
	must(x->state == EXCHANGE_ANSWERING);
	if (is_reset || relay_eof(&x->response) < 0)
		refuse(x, FAULT_BACKEND,
		    "the backend ended within the body of its answer");
	else
		answer_pump(x);
}

void
answer_pump_tunnel(struct exchange *x)
{
	const struct tunnel tunnel = answer_tunnel(x);
	const int rc = tunnel_pump(&tunnel);

	if (rc == 0)
		return;
	if (rc < 0)
		exchange_note(x, "one side was lost");
	exchange_end(x, rc < 0 ? EXCHANGE_END_RESET : EXCHANGE_END_CLOSE);
}

void
answer_quit(struct exchange *x)
{
	struct buf *const out = &x->client->out;

	exchange_note(x, "shutting down");
	if (x->state == EXCHANGE_TUNNEL) {
		exchange_end(x, EXCHANGE_END_CLOSE);
		return;
	}
	if (x->state != EXCHANGE_ANSWERING || !x->is_stream ||
	    x->response.state != RELAY_BODY) {
		refuse(x, FAULT_ENDING, NULL);
		return;
	}
	const bool is_framed = x->plan.delim == HTTP_DELIM_CHUNKED ||
	                       x->plan.delim == HTTP_DELIM_CLOSE;
	const bool is_whole = is_framed && block_lend(out) == 0 &&
	                      http_body_end(x->plan.delim, out) == 0;
	exchange_end(x, is_whole ? EXCHANGE_END_CLOSE : EXCHANGE_END_CUT);
}
