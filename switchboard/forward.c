/* SPDX-License-Identifier: MIT */
/* forward: a request on its way to a backend. */
#include "switchboard/forward.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/must.h"

#include "switchboard/block.h"
#include "switchboard/limits.h"
#include "switchboard/refuse.h"
#include "switchboard/retry.h"

static const struct forward_events *forward_hears;

static void forward_connect(struct exchange *x);
static void forward_refuse_gone(struct exchange *x, const char *how);
static void forward_on_gone(const struct route_news *news, void *arg);
static void
forward_mourn(struct exchange *x, uint64_t generation, int64_t patience_ms);

void
forward_open(const struct forward_events *events)
{
	forward_hears = events;
}

/*
 * The backend that the request was sent to while it started is ready. One that
 * was lost since may have read the request, so that is not sent again.
 */
static void
forward_on_started(struct exchange *x)
{
	if (x->state == EXCHANGE_MOURNING &&
	    route_wait_gone(
		x->route, x->wait.generation, &x->wait, forward_on_gone, x))
		forward_refuse_gone(x, x->route->gone_text);
}

/* poold answered, or is about to, or is ending. */
static void
forward_on_news(const struct route_news *news, void *arg)
{
	struct exchange *const x = arg;

	/* It answered: how that ends is seen at its connection. */
	if (x->state == EXCHANGE_ANSWERING || x->state == EXCHANGE_TUNNEL)
		return;
	if (news->event == ROUTE_EVENT_FAILED)
		refuse_later(x, fault_of_status(news->status), news->text,
		    news->retry_after_s);
	else if (x->state == EXCHANGE_WAITING)
		forward_connect(x);
	else if (news->event == ROUTE_EVENT_READY)
		forward_on_started(x);
}

bool
forward_awaits_start(const struct exchange *x)
{
	return x->wait.kind == ROUTE_WAIT_BACKEND;
}

/* Wait until poold names a backend. */
static void
forward_wait(struct exchange *x)
{
	int rc = 0;

	if (!forward_awaits_start(x))
		rc = route_wait(x->route, &x->wait, forward_on_news, x);
	if (rc < 0) {
		refuse(x, rc == -ENOBUFS ? FAULT_WAITING : FAULT_SHORT, NULL);
		return;
	}
	exchange_set_state(x, EXCHANGE_WAITING, "no backend");
	if (x->route->is_starting)
		forward_connect(x);
}

/* Use the upstream: everything is still to be sent. */
static void
forward_attach(struct exchange *x, struct upstream *up)
{
	x->upstream = up;
	upstream_attach(up, forward_hears->on_ready, forward_hears->on_due, x);
	x->unsent = buf_content(&x->head);
	if (x->early.data)
		block_move(&up->jack.out, &x->early);
	exchange_set_state(x, EXCHANGE_ASKING, "connected");
	forward_hears->on_connected(x);
}

static void
forward_on_pause_over(void *arg)
{
	struct exchange *const x = arg;

	/* Of a start that came meanwhile it shall hear, too. */
	if (x->route->state == ROUTE_READY ||
	    (forward_awaits_start(x) && x->route->is_starting))
		forward_connect(x);
	else
		forward_wait(x);
}

/*
 * connect(2) on a unix socket gives EAGAIN when the backlog is full, and no
 * event says when it no longer is.
 */
static void
forward_pause(struct exchange *x)
{
	const int64_t now = clock_now_ms();

	if (x->state != EXCHANGE_CONNECTING) {
		exchange_set_state(x, EXCHANGE_CONNECTING, "backlog full");
		x->pause_ms = LIMIT_QUEUE_FIRST_MS;
	}
	/* How long it may take to start is poold's to say. */
	if (!x->give_up_at_ms || forward_awaits_start(x))
		x->give_up_at_ms = now + LIMIT_QUEUE_MS;
	if (now >= x->give_up_at_ms) {
		refuse(x, FAULT_QUEUE, NULL);
		return;
	}
	loop_timer_init(&x->timer, forward_on_pause_over, x);
	loop_timer_set(&x->timer, now + x->pause_ms);
	x->pause_ms *= 2;
	if (x->pause_ms > LIMIT_QUEUE_PAUSE_MS)
		x->pause_ms = LIMIT_QUEUE_PAUSE_MS;
}

/* Nobody listens there: another run of the backend is needed. */
static void
forward_ask_again(struct exchange *x)
{
	x->n_asked++;
	route_dead(x->route, x->route->generation);
	forward_wait(x);
}

static void
forward_connect_failed(struct exchange *x, int error)
{
	const struct route *const route = x->route;

	switch (retry_after_connect(error, x->n_asked,
	    route->has_answered && !forward_awaits_start(x))) {
	case RETRY_CONNECT_PAUSE:
		forward_pause(x);
		return;
	case RETRY_CONNECT_ASK:
		forward_ask_again(x);
		return;
	case RETRY_CONNECT_MOURN:
		x->is_unreachable = true;
		forward_mourn(x, route->generation, LIMIT_DEATH_MS);
		return;
	case RETRY_CONNECT_SHORT:
		log_warn_err(error, "exchange %s: cannot connect", x->id);
		refuse(x, FAULT_SHORT, NULL);
		return;
	case RETRY_CONNECT_FAIL:
		log_warn_err(error, "exchange %s: cannot connect to %s", x->id,
		    route->socket);
		route_dead(x->route, route->generation);
		refuse(x, FAULT_BACKEND, "the backend cannot be reached");
		return;
	}
}

/* Take an idle connection, or make one. */
static void
forward_connect(struct exchange *x)
{
	struct upstream *up = NULL;

	must(route_is_open(x->route) && !x->upstream);
	if (!x->was_retried)
		up = upstream_take(&x->route->pool);
	if (!up) {
		const int rc =
		    upstream_connect(&x->route->pool, x->route->socket, &up);
		if (rc < 0) {
			forward_connect_failed(x, rc);
			return;
		}
	}
	forward_attach(x, up);
}

/* The request as it goes out. Returns 0 or -errno. */
static int
forward_compose(struct exchange *x, const struct http_request *req)
{
	char parent[HTTP_TRACE_PARENT_SIZE];
	const struct http_hop hop = {
		.client_ip = x->peer,
		.proto = SLICE("http"),
		.request_id = slice_of(x->id),
		.traceparent = slice_of(http_trace_parent(&req->head, parent)),
	};

	int rc = block_lend(&x->head);
	if (rc == 0)
		rc = http_proxy_request(&x->head, req, &hop);
	if (rc != -ENOBUFS)
		return rc;
	rc = block_grow(&x->head, LIMIT_REQUEST_BYTES);
	return rc < 0 ? rc : http_proxy_request(&x->head, req, &hop);
}

void
forward_start(struct exchange *x, const struct http_request *req)
{
	struct http_fault fault;

	if (relay_start(&x->request, HTTP_KIND_REQUEST, &req->frame,
		req->frame.delim, &fault) < 0) {
		refuse(x, fault_of_status((unsigned)fault.status), fault.text);
		return;
	}
	if (exchange_is_ending()) {
		refuse(x, FAULT_ENDING, NULL);
		return;
	}
	if (!req->host.n) {
		refuse(x, FAULT_UNKNOWN_HOST, "the request names no host");
		return;
	}
	x->route = route_hold(req->host.name);
	const int rc = x->route ? forward_compose(x, req) : -ENOMEM;
	if (rc < 0)
		refuse(x, rc == -ENOBUFS ? FAULT_FIELDS : FAULT_SHORT, NULL);
	else if (x->route->state == ROUTE_READY)
		forward_connect(x);
	else
		forward_wait(x);
}

int
forward_pump(struct exchange *x, struct http_fault *fault_r)
{
	struct jack *const to = &x->upstream->jack;
	struct buf *const from = &x->client->in;

	int rc = 0;
	while (rc == 0 && !to->is_broken) {
		rc = relay_pump(&x->request, from, &to->out, fault_r);
		if (rc < 0)
			return rc;
		rc = jack_write(to, &x->unsent);
		if (!relay_can_go_on(&x->request, from))
			break;
	}
	return 0;
}

/* Keep what was taken from the client but not written, and try again. */
static void
forward_retry(struct exchange *x)
{
	x->was_retried = true;
	exchange_note(x, "sent again, the backend had not read it");
	if (buf_len(&x->upstream->jack.out))
		block_move(&x->early, &x->upstream->jack.out);
	upstream_close(&x->upstream);
	if (x->route->state == ROUTE_READY)
		forward_connect(x);
	else
		forward_wait(x);
}

/* Answer 502 with poold's word on how the backend ended. */
static void
forward_refuse_gone(struct exchange *x, const char *how)
{
	char text[PROTO_TEXT_BYTES + 64];

	snprintf(text, sizeof(text), "the backend ended before it answered%s%s",
	    how[0] ? ": " : "", how);
	refuse(x, FAULT_BACKEND, text);
}

static void
forward_on_gone(const struct route_news *news, void *arg)
{
	struct exchange *const x = arg;

	forward_refuse_gone(x, news->text);
}

static void
forward_on_mourned(void *arg)
{
	struct exchange *const x = arg;

	/* It did not end, and yet nobody listens: poold shall end it. */
	if (x->is_unreachable)
		route_dead(x->route, x->wait.generation);
	refuse(x, FAULT_BACKEND,
	    x->is_unreachable
		? "the backend cannot be reached"
		: "the backend closed the connection before it answered");
}

/* poold will say why, if it died; patience_ms for that. */
static void
forward_mourn(struct exchange *x, uint64_t generation, int64_t patience_ms)
{
	upstream_close(&x->upstream);
	exchange_set_state(x, EXCHANGE_MOURNING, "lost");
	x->wait.generation = generation;
	/* The word on a start that failed is on its way already. */
	if (!forward_awaits_start(x) && route_wait_gone(x->route, generation,
					    &x->wait, forward_on_gone, x)) {
		forward_refuse_gone(x, x->route->gone_text);
		return;
	}
	loop_timer_init(&x->timer, forward_on_mourned, x);
	loop_timer_set(&x->timer, clock_now_ms() + patience_ms);
}

void
forward_lost(struct exchange *x, bool is_reset)
{
	const struct upstream *const up = x->upstream;
	const uint64_t n_written = upstream_n_written(up);
	const struct retry_lost lost = {
		.is_idempotent = x->is_idempotent,
		.is_written = n_written > 0,
		.is_body_written = n_written > buf_len(&x->head),
		.is_unread =
		    is_reset || up->jack.is_broken || upstream_n_unread(up) > 0,
		.was_retried = x->was_retried,
		.has_answered = x->route->has_answered ||
		                x->route->generation != up->generation,
	};

	must(x->state == EXCHANGE_ASKING);
	if (upstream_n_read(up) > 0) {
		refuse(x, FAULT_BACKEND,
		    "the backend closed the connection within the head of "
		    "its answer");
		return;
	}
	if (forward_awaits_start(x)) {
		forward_mourn(x, up->generation, LIMIT_DEATH_MS);
		return;
	}
	switch (retry_after_loss(&lost)) {
	case RETRY_FRESH:
		forward_retry(x);
		return;
	case RETRY_MOURN:
		forward_mourn(x, up->generation, LIMIT_DEATH_MS);
		return;
	case RETRY_FAIL:
		forward_mourn(x, up->generation, LIMIT_WORD_MS);
		return;
	}
}
