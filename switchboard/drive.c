/* SPDX-License-Identifier: MIT */
/* drive: events of an exchange, and what it waits for next. */
#include "switchboard/drive.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/must.h"

#include "switchboard/answer.h"
#include "switchboard/forward.h"
#include "switchboard/limits.h"
#include "switchboard/refuse.h"

/* The earlier of two deadlines, either of which may be CLOCK_NEVER. */
static int64_t
drive_earlier(int64_t a, int64_t b)
{
	if (a == CLOCK_NEVER || b == CLOCK_NEVER)
		return a == CLOCK_NEVER ? b : a;
	return a < b ? a : b;
}

static int64_t
drive_stall_deadline(const struct jack *w)
{
	return w->stalled_at_ms ? w->stalled_at_ms + LIMIT_STALL_MS
	                        : CLOCK_NEVER;
}

/* Whether the next move is the client's: bytes of its request's body. */
static bool
drive_awaits_body(const struct exchange *x)
{
	if (x->state != EXCHANGE_ASKING || !relay_wants(&x->request))
		return false;
	if (x->awaits_100 && !x->request.body.total)
		return false;
	return !x->upstream->jack.stalled_at_ms && !x->upstream->jack.is_broken;
}

static int64_t
drive_client_deadline(const struct exchange *x)
{
	const int64_t stall = drive_stall_deadline(x->client);

	if (!drive_awaits_body(x))
		return stall;
	return drive_earlier(stall, x->client->read_at_ms + LIMIT_BODY_MS);
}

/* One half of a tunnel has ended: the other must move. */
static void
drive_settle_tunnel(struct exchange *x)
{
	struct jack *const up = &x->upstream->jack;

	if (x->client->is_eof || up->is_eof)
		jack_deadline(up, drive_earlier(drive_stall_deadline(up),
				      clock_now_ms() + LIMIT_HALF_MS));
}

/* Watch what the exchange waits for now. */
static void
drive_settle(struct exchange *x)
{
	if (x->state == EXCHANGE_ENDED)
		return;
	jack_watch(x->client, LIMIT_READ_MIN);
	jack_deadline(x->client, drive_client_deadline(x));
	if (!x->upstream)
		return;
	struct jack *const up = &x->upstream->jack;
	jack_watch(up, x->state == EXCHANGE_ASKING ? 1 : LIMIT_READ_MIN);
	/* One that answers may leave the rest of a request unread. */
	jack_deadline(up, x->state == EXCHANGE_ANSWERING
			      ? CLOCK_NEVER
			      : drive_stall_deadline(up));
	if (x->state == EXCHANGE_TUNNEL)
		drive_settle_tunnel(x);
}

/* The client broke the body of its request. */
static void
drive_bad_body(struct exchange *x, int error, const struct http_fault *fault)
{
	if (error == -ENOMEM)
		refuse(x, FAULT_SHORT, NULL);
	else
		refuse(
		    x, fault_of_status((unsigned)fault->status), fault->text);
}

/* Move whatever can be moved, both ways. */
static void
drive_pump(struct exchange *x)
{
	struct http_fault fault = { .status = 400 };

	if (x->state == EXCHANGE_TUNNEL) {
		answer_pump_tunnel(x);
		return;
	}
	if (x->state != EXCHANGE_ASKING && x->state != EXCHANGE_ANSWERING)
		return;
	const int rc = forward_pump(x, &fault);
	if (rc < 0) {
		drive_bad_body(x, rc, &fault);
		return;
	}
	answer_pump(x);
}

static void
drive_on_connected(struct exchange *x)
{
	drive_pump(x);
	drive_settle(x);
}

/* The upstream has input. Returns false when it came to its end. */
static bool
drive_read_upstream(struct exchange *x, int *error_r)
{
	const ssize_t n = jack_read(&x->upstream->jack);

	*error_r = n < 0 ? (int)n : 0;
	return n > 0 || n == -EAGAIN;
}

/* All input was taken, and the backend has ended: so has its answer. */
static void
drive_eof(struct exchange *x)
{
	if (x->state == EXCHANGE_ANSWERING && x->upstream->jack.is_eof &&
	    !buf_len(&x->upstream->jack.in))
		answer_eof(x, false);
}

static void
drive_upstream_ended(struct exchange *x, int error)
{
	if (error == -ENOMEM) {
		refuse(x, FAULT_SHORT, NULL);
	} else if (x->state == EXCHANGE_TUNNEL && error) {
		exchange_note(x, "the backend was lost");
		exchange_end(x, EXCHANGE_END_RESET);
	} else if (x->state == EXCHANGE_TUNNEL) {
		answer_pump_tunnel(x);
	} else if (x->state == EXCHANGE_ANSWERING && !error) {
		/* A slow client takes the rest first. */
		answer_pump(x);
		drive_eof(x);
	} else {
		answer_eof(x, error != 0);
	}
}

static void
drive_on_upstream(unsigned events, void *arg)
{
	struct exchange *const x = arg;
	int error = 0;

	must(x->state != EXCHANGE_ENDED && x->upstream);
	if (events & LOOP_READ && !drive_read_upstream(x, &error))
		drive_upstream_ended(x, error);
	else
		drive_pump(x);
	drive_settle(x);
}

/* The upstream's deadline: it takes nothing, or half a tunnel is silent. */
static void
drive_on_upstream_due(void *arg)
{
	struct exchange *const x = arg;

	if (x->state == EXCHANGE_TUNNEL) {
		exchange_note(x, "one half was silent for too long");
		exchange_end(x, EXCHANGE_END_CLOSE);
	} else if (forward_awaits_start(x)) {
		/* It reads when it has started: poold minds that time. */
		x->upstream->jack.stalled_at_ms = clock_now_ms();
		drive_settle(x);
	} else {
		refuse(x, FAULT_BACKEND_STALLS, NULL);
	}
}

void
drive_open(void)
{
	static const struct forward_events events = {
		.on_ready = drive_on_upstream,
		.on_due = drive_on_upstream_due,
		.on_connected = drive_on_connected,
	};

	forward_open(&events);
}

struct exchange *
drive_start(const struct http_request *req, struct jack *client,
    struct slice peer, void (*on_end)(enum exchange_end end, void *arg),
    void *arg)
{
	struct exchange *const x = exchange_new(req, client, peer, on_end, arg);

	if (!x)
		return NULL;
	forward_start(x, req);
	drive_settle(x);
	return x;
}

void
drive_client(struct exchange *x)
{
	drive_pump(x);
	drive_eof(x);
	drive_settle(x);
}

void
drive_client_eof(struct exchange *x)
{
	if (x->state != EXCHANGE_TUNNEL) {
		drive_client_lost(x);
		return;
	}
	answer_pump_tunnel(x);
	drive_settle(x);
}

void
drive_client_lost(struct exchange *x)
{
	exchange_note(x, "the client left");
	exchange_end(x, EXCHANGE_END_LEFT);
}

void
drive_client_due(struct exchange *x)
{
	if (!x->client->stalled_at_ms && drive_awaits_body(x)) {
		refuse(x, FAULT_TIMEOUT, NULL);
		return;
	}
	exchange_note(x, "the client takes nothing");
	exchange_end(x, EXCHANGE_END_RESET);
}
