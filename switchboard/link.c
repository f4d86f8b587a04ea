/* SPDX-License-Identifier: MIT */
/* link: messages of poold, and the order of ending. */
#include "switchboard/link.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/must.h"
#include "common/ipc/channel.h"
#include "common/loop/loop.h"

#include "switchboard/admin.h"
#include "switchboard/client.h"
#include "switchboard/feed.h"
#include "switchboard/exchange.h"
#include "switchboard/limits.h"
#include "switchboard/listen.h"
#include "switchboard/route.h"

enum link_state {
	LINK_STARTING, /* gets its listening sockets */
	LINK_RUNNING,  /* accepts */
	LINK_DRAINING, /* accepts no more; exchanges end */
	LINK_DRAINED,  /* only streams are left, or the time is over */
	LINK_ENDED,    /* everything is closed, the loop stops */
	LINK_STATE_COUNT
};

static const char *const link_names[LINK_STATE_COUNT] = {
	[LINK_STARTING] = "starting",
	[LINK_RUNNING] = "running",
	[LINK_DRAINING] = "draining",
	[LINK_DRAINED] = "drained",
	[LINK_ENDED] = "ended",
};

static struct {
	enum link_state state;
	struct channel channel;
	struct loop_timer deadline; /* of draining */
	uint32_t drain_ms;
	bool is_own_end; /* a signal of ours: quit when drained */
} link_now = { .drain_ms = LIMIT_DRAIN_MS };

/* States only go forward, and may be skipped. */
static void
link_set_state(enum link_state next, const char *event)
{
	must(next > link_now.state && next < LINK_STATE_COUNT);
	log_info("switchboard: %s -> %s (%s)", link_names[link_now.state],
	    link_names[next], event);
	link_now.state = next;
}

/* A message that cannot be sent is a poold that does not work. */
static int
link_send(enum proto_type type, const void *payload, const char *text)
{
	const int rc = channel_send(&link_now.channel, type, payload, text);

	if (rc < 0)
		log_warn_err(rc, "poold: cannot send %s", proto_name(type));
	return rc;
}

static int
link_ask(const struct proto_route_ask *ask, void *arg)
{
	return link_send(PROTO_ROUTE_ASK, ask, NULL);
}

static void
link_released(const struct proto_released *released, void *arg)
{
	link_send(PROTO_RELEASED, released, NULL);
}

static void
link_held(const struct proto_held *held, void *arg)
{
	link_send(PROTO_HELD, held, NULL);
}

static void
link_watch(const struct proto_watch *watch)
{
	link_send(PROTO_WATCH, watch, NULL);
}

/* End everything that is left; the loop stops after this turn. */
static void
link_quit(const char *event)
{
	if (link_now.state == LINK_ENDED)
		return;
	link_set_state(LINK_ENDED, event);
	loop_timer_clear(&link_now.deadline);
	listen_stop();
	client_quit();
	admin_quit();
	loop_stop();
}

/* Only streams are left, or the time is over. */
static void
link_drained(const char *event)
{
	const struct proto_drained drained = { exchange_count() };

	if (link_now.state != LINK_DRAINING)
		return;
	link_set_state(LINK_DRAINED, event);
	loop_timer_clear(&link_now.deadline);
	link_send(PROTO_DRAINED, &drained, NULL);
	if (link_now.is_own_end)
		link_quit("signal");
}

static void
link_on_quiet(void)
{
	link_drained("quiet");
}

static void
link_on_deadline(void *arg)
{
	link_drained("deadline");
}

static void
link_drain(uint32_t drain_ms, const char *event)
{
	const struct route_news ending = { .event = ROUTE_EVENT_FAILED,
		.status = 503,
		.retry_after_s = 1,
		.text = "the service is shutting down" };

	if (link_now.state >= LINK_DRAINING)
		return;
	link_set_state(LINK_DRAINING, event);
	listen_stop();
	loop_timer_set(&link_now.deadline, clock_now_ms() + drain_ms);
	exchange_set_ending();
	route_fail_all(&ending);
	client_drain(link_on_quiet);
}

static void
link_on_listen(struct packet *msg)
{
	const struct proto_listen *const m = msg->payload;
	char address[sizeof(m->address)];
	int rc;

	strlcpy(address, m->address, sizeof(address));
	if (link_now.state > LINK_RUNNING)
		return;
	const int fd = fd_take(msg->fds);
	if (m->is_admin)
		rc = listen_add_take(
		    fd, address, admin_is_full, admin_start_take);
	else
		rc = listen_add_take(
		    fd, address, client_is_full, client_start_take);
	if (rc < 0)
		log_error_err(rc, "listen %s: cannot use it", address);
}

static void
link_on_start(struct packet *msg)
{
	const struct proto_start *const m = msg->payload;
	const struct proto_ready ready = { 0 };

	if (link_now.state != LINK_STARTING)
		return;
	link_now.drain_ms = m->drain_ms;
	route_allow_asks(m->max_backends);
	channel_add_room(
	    &link_now.channel, m->max_backends * PROTO_PER_BACKEND);
	link_set_state(LINK_RUNNING, "start");
	listen_start();
	link_send(PROTO_READY, &ready, NULL);
}

/* The text of a message, NUL-ended. */
static const char *
link_text(struct packet *msg)
{
	static char text[PROTO_TEXT_BYTES];

	if (slice_copy(msg->text, text, sizeof(text)) < 0)
		text[0] = '\0';
	return text;
}

static void
link_on_route_ready(struct packet *msg)
{
	route_on_ready(msg->payload);
}

static void
link_on_route_starting(struct packet *msg)
{
	route_on_starting(msg->payload);
}

static void
link_on_route_failed(struct packet *msg)
{
	route_on_failed(msg->payload, link_text(msg));
}

static void
link_on_route_gone(struct packet *msg)
{
	route_on_gone(msg->payload, link_text(msg));
}

static void
link_on_release_ask(struct packet *msg)
{
	route_on_release_ask(msg->payload);
}

static void
link_on_event(struct packet *msg)
{
	feed_on_event(msg->payload, link_text(msg));
}

static void
link_on_ping(struct packet *msg)
{
	const struct proto_pong pong = { 0 };

	link_send(PROTO_PONG, &pong, NULL);
}

static void
link_on_drain(struct packet *msg)
{
	const struct proto_drain *const m = msg->payload;

	link_drain(m->drain_ms, "drain");
}

static void
link_on_quit(struct packet *msg)
{
	link_quit("quit");
}

/* What poold may say. */
static const struct {
	enum proto_type type;
	void (*on_msg)(struct packet *msg);
} link_rows[] = {
	{ PROTO_LISTEN, link_on_listen },
	{ PROTO_START, link_on_start },
	{ PROTO_ROUTE_STARTING, link_on_route_starting },
	{ PROTO_ROUTE_READY, link_on_route_ready },
	{ PROTO_ROUTE_FAILED, link_on_route_failed },
	{ PROTO_ROUTE_GONE, link_on_route_gone },
	{ PROTO_RELEASE_ASK, link_on_release_ask },
	{ PROTO_EVENT, link_on_event },
	{ PROTO_PING, link_on_ping },
	{ PROTO_DRAIN, link_on_drain },
	{ PROTO_QUIT, link_on_quit },
};

static void
link_on_msg(struct packet *msg)
{
	for (size_t i = 0; i < sizeof(link_rows) / sizeof(link_rows[0]); i++)
		if (link_rows[i].type == msg->type) {
			link_rows[i].on_msg(msg);
			return;
		}
	log_warn("poold: dropped a message: %s", proto_name(msg->type));
}

/* Without poold nothing here is of use, and a new poold starts a new one. */
static void
link_on_closed(const char *reason)
{
	if (link_now.state == LINK_ENDED)
		return;
	log_error("poold: the channel is closed: %s", reason);
	_Exit(EXIT_FAILURE);
}

int
link_open_take(int fd)
{
	static const struct route_poold poold = {
		.ask = link_ask,
		.released = link_released,
		.held = link_held,
	};

	loop_timer_init(&link_now.deadline, link_on_deadline, NULL);
	route_open(&poold);
	feed_open(link_watch);
	return channel_open_take(
	    &link_now.channel, fd, "poold", link_on_msg, link_on_closed);
}

void
link_end(void)
{
	if (link_now.is_own_end) {
		link_quit("second signal");
		return;
	}
	link_now.is_own_end = true;
	if (link_now.state >= LINK_DRAINED)
		link_quit("signal");
	else
		link_drain(link_now.drain_ms, "signal");
}

void
link_close(void)
{
	channel_close(&link_now.channel);
}
