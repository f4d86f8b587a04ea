/* SPDX-License-Identifier: MIT */
/* client: downstream connections. */
#include "switchboard/client.h"

#include <arpa/inet.h>
#include <bsd/sys/queue.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/base/random.h"
#include "common/http/read.h"

#include "switchboard/answer.h"
#include "switchboard/block.h"
#include "switchboard/drive.h"
#include "switchboard/fault.h"
#include "switchboard/limits.h"

#define CLIENT_MAGIC 0x636c6965u

enum client_state {
	CLIENT_IDLE,     /* between requests: no byte of the next one */
	CLIENT_HEAD,     /* a part of a head is there */
	CLIENT_BUSY,     /* an exchange drives the jack */
	CLIENT_FLUSHING, /* the exchange is over, its bytes are not all out */
	CLIENT_LINGER,   /* our side is ended; waits for the client's end */
	CLIENT_CLOSED,   /* freed at the next turn of the loop */
	CLIENT_STATE_COUNT
};

/* Owned by itself, freed from the loop after its jack was closed. */
struct client {
	uint32_t magic;
	enum client_state state;
	struct jack jack;
	struct http_scan scan;
	struct exchange *exchange; /* while BUSY */
	enum exchange_end end;     /* while FLUSHING: what comes then */
	int64_t at_ms;             /* deadline of HEAD and LINGER */
	bool is_running;           /* client_run is below on the stack */
	char ip[INET6_ADDRSTRLEN];
	TAILQ_ENTRY(client) link; /* in `idle` while IDLE, else in `busy` */
	struct loop_defer defer;
};

TAILQ_HEAD(client_list, client);

static struct {
	struct client_list idle; /* the one idle for longest comes first */
	struct client_list busy;
	unsigned n;
	unsigned n_max;
	bool is_full;
	void (*on_room)(void);
	void (*on_quiet)(void);
} clients;

/* The request being read: parsed and written on in one go. */
static struct http_request client_request_now;

#define CLIENT_BIT(state) (1u << (state))

static const struct {
	const char *name;
	unsigned next; /* the states that may follow */
} client_states[CLIENT_STATE_COUNT] = {
	[CLIENT_IDLE] = { "idle",
	    CLIENT_BIT(CLIENT_HEAD) | CLIENT_BIT(CLIENT_BUSY) |
		CLIENT_BIT(CLIENT_FLUSHING) | CLIENT_BIT(CLIENT_CLOSED) },
	[CLIENT_HEAD] = { "head", CLIENT_BIT(CLIENT_BUSY) |
				      CLIENT_BIT(CLIENT_FLUSHING) |
				      CLIENT_BIT(CLIENT_CLOSED) },
	[CLIENT_BUSY] = { "busy",
	    CLIENT_BIT(CLIENT_FLUSHING) | CLIENT_BIT(CLIENT_CLOSED) },
	[CLIENT_FLUSHING] = { "flushing", CLIENT_BIT(CLIENT_IDLE) |
					      CLIENT_BIT(CLIENT_LINGER) |
					      CLIENT_BIT(CLIENT_CLOSED) },
	[CLIENT_LINGER] = { "linger", CLIENT_BIT(CLIENT_CLOSED) },
	[CLIENT_CLOSED] = { "closed", 0 },
};

static void client_run(struct client *c);

static struct client_list *
client_list_of(enum client_state state)
{
	return state == CLIENT_IDLE ? &clients.idle : &clients.busy;
}

static void
client_tell_room(void)
{
	if (!clients.is_full || !clients.on_room)
		return;
	clients.is_full = false;
	clients.on_room();
}

/* The one place where a client changes its state. */
static void
client_set_state(struct client *c, enum client_state next, const char *event)
{
	must_be(c, CLIENT_MAGIC);
	must(client_states[c->state].next & CLIENT_BIT(next));
	log_debug("client %s: %s -> %s (%s)", c->ip,
	    client_states[c->state].name, client_states[next].name, event);
	TAILQ_REMOVE(client_list_of(c->state), c, link);
	c->state = next;
	if (next != CLIENT_CLOSED)
		TAILQ_INSERT_TAIL(client_list_of(next), c, link);
	/* An idle one can be closed for another, so it is room as well. */
	if (next == CLIENT_CLOSED || next == CLIENT_IDLE)
		client_tell_room();
}

void
client_open(unsigned n_max, void (*on_room)(void))
{
	TAILQ_INIT(&clients.idle);
	TAILQ_INIT(&clients.busy);
	clients.n_max = n_max;
	clients.on_room = on_room;
}

static void
client_on_free(void *arg)
{
	mem_free(arg);
}

/* Close it; reset: so that the client sees that something is missing. */
static void
client_close(struct client *c, bool is_reset, const char *event)
{
	must(!c->exchange);
	clients.n--;
	client_set_state(c, CLIENT_CLOSED, event);
	if (is_reset)
		jack_reset(&c->jack);
	else
		jack_close(&c->jack);
	loop_defer(&c->defer, client_on_free, c);
}

/* Watch and wait for what the state needs; BUSY is the exchange's. */
static void
client_settle(struct client *c)
{
	const int64_t stalled_at_ms = c->jack.stalled_at_ms;

	switch (c->state) {
	case CLIENT_IDLE:
	case CLIENT_HEAD:
	case CLIENT_LINGER:
		jack_watch(&c->jack, 1);
		jack_deadline(&c->jack, c->at_ms);
		return;
	case CLIENT_FLUSHING:
		jack_watch(&c->jack, LIMIT_READ_MIN);
		jack_deadline(&c->jack, stalled_at_ms
					    ? stalled_at_ms + LIMIT_STALL_MS
					    : CLOCK_NEVER);
		return;
	case CLIENT_BUSY:
	case CLIENT_CLOSED:
	case CLIENT_STATE_COUNT:
		return;
	}
}

/*
 * End our side and wait for the client's end: closing with unread input would
 * send a reset, and that can destroy the answer on its way (RFC 9112 9.6).
 */
static void
client_linger(struct client *c)
{
	client_set_state(c, CLIENT_LINGER, "answered");
	jack_shut(&c->jack);
	block_return(&c->jack.in);
	c->at_ms = clock_now_ms() + LIMIT_LINGER_MS;
}

/* All bytes of the last exchange are out. */
static void
client_flushed(struct client *c)
{
	block_trim(&c->jack.in);
	if (c->end == EXCHANGE_END_CUT || c->jack.is_eof) {
		client_close(c, false, "flushed");
	} else if (c->end == EXCHANGE_END_KEEP && !exchange_is_ending()) {
		client_set_state(c, CLIENT_IDLE, "next");
		c->at_ms = clock_now_ms() + LIMIT_IDLE_MS;
	} else {
		client_linger(c);
	}
}

/* Write what is left of the last exchange. */
static void
client_flush(struct client *c)
{
	const int rc = jack_write(&c->jack, NULL);

	if (rc == 0)
		client_flushed(c);
	else if (!c->jack.stalled_at_ms)
		client_close(c, false, "write failed");
}

/* Say that only streams are left, while draining. */
static void
client_tell_quiet(void)
{
	if (clients.on_quiet && exchange_draining_count() == 0)
		clients.on_quiet();
}

static void
client_on_end(enum exchange_end end, void *arg)
{
	struct client *const c = arg;

	must(c->state == CLIENT_BUSY);
	c->exchange = NULL;
	if (end == EXCHANGE_END_RESET || end == EXCHANGE_END_LEFT) {
		client_close(c, end == EXCHANGE_END_RESET, "exchange");
	} else {
		c->end = end;
		client_set_state(c, CLIENT_FLUSHING, "exchange");
		client_flush(c);
		client_run(c);
	}
	client_tell_quiet();
}

/* A head that is no request: answer and close. */
static void
client_refuse(struct client *c, enum fault fault, const char *text)
{
	char id[RANDOM_ID_SIZE];
	const struct fault_said said = {
		.fault = fault,
		.text = text,
		.request_id = random_id(id),
		.minor = 1,
	};
	size_t n_body;

	log_info("client %s: refused %s: %d %s", c->ip, id, fault_status(fault),
	    text ? text : fault_text(fault));
	block_return(&c->jack.in);
	if (block_lend(&c->jack.out) < 0 ||
	    fault_write(&c->jack.out, &said, &n_body) < 0) {
		client_close(c, false, "no memory");
		return;
	}
	c->end = EXCHANGE_END_CLOSE;
	client_set_state(c, CLIENT_FLUSHING, "refused");
	client_flush(c);
}

/* A whole head: an exchange starts. */
static void
client_begin(struct client *c, const struct http_request *req)
{
	const size_t n_head = req->head.n_bytes;

	client_set_state(c, CLIENT_BUSY, "head");
	/* The bytes stay where they are until the jack reads again. */
	buf_consume(&c->jack.in, n_head);
	struct exchange *const x =
	    drive_start(req, &c->jack, slice_of(c->ip), client_on_end, c);
	if (!x)
		client_refuse(c, FAULT_SHORT, NULL);
	else if (x->state != EXCHANGE_ENDED)
		c->exchange = x;
}

/* Read a head if there is one. Returns whether something happened. */
static bool
client_read_head(struct client *c)
{
	struct http_fault fault;
	struct http_request *const req = &client_request_now;

	const int rc =
	    http_read_request(&c->scan, buf_content(&c->jack.in), req, &fault);
	if (rc < 0) {
		client_refuse(
		    c, fault_of_status((unsigned)fault.status), fault.text);
		return true;
	}
	if (rc == 1) {
		client_begin(c, req);
		return true;
	}
	if (c->state == CLIENT_IDLE) {
		client_set_state(c, CLIENT_HEAD, "first byte");
		c->at_ms = clock_now_ms() + LIMIT_HEAD_MS;
	}
	return false;
}

/* Start on what is there, one exchange after the other. */
static void
client_run(struct client *c)
{
	bool is_more = true;

	if (c->is_running)
		return;
	c->is_running = true;
	while (is_more && (c->state == CLIENT_IDLE || c->state == CLIENT_HEAD))
		is_more = buf_len(&c->jack.in) && client_read_head(c);
	c->is_running = false;
	client_settle(c);
}

/* The exchange drives the jack: pass on what happened. */
static void
client_read_busy(struct client *c)
{
	const ssize_t n = jack_read(&c->jack);

	c->jack.read_at_ms = clock_now_ms();
	if (n > 0 || n == -EAGAIN || n == -ENOMEM)
		drive_client(c->exchange);
	else if (n == 0)
		drive_client_eof(c->exchange);
	else
		drive_client_lost(c->exchange);
}

/* Input while no exchange runs. Returns false when the client is gone. */
static bool
client_read_idle(struct client *c)
{
	const ssize_t n = c->state == CLIENT_LINGER ? jack_discard(&c->jack)
	                                            : jack_read(&c->jack);

	if (n > 0 || n == -EAGAIN)
		return true;
	return n == 0 && c->state == CLIENT_FLUSHING;
}

static void
client_on_ready(unsigned events, void *arg)
{
	struct client *const c = arg;

	must_be(c, CLIENT_MAGIC);
	must(c->state != CLIENT_CLOSED);
	if (c->state == CLIENT_BUSY && events & LOOP_READ) {
		client_read_busy(c);
		return;
	}
	if (c->state == CLIENT_BUSY) {
		drive_client(c->exchange);
		return;
	}
	if (events & LOOP_READ && !client_read_idle(c))
		client_close(c, false, "the client left");
	else if (events & LOOP_WRITE && c->state == CLIENT_FLUSHING)
		client_flush(c);
	client_run(c);
}

static void
client_on_due(void *arg)
{
	struct client *const c = arg;

	must_be(c, CLIENT_MAGIC);
	switch (c->state) {
	case CLIENT_BUSY:
		drive_client_due(c->exchange);
		return;
	case CLIENT_HEAD:
		client_refuse(c, FAULT_TIMEOUT, NULL);
		client_run(c);
		return;
	case CLIENT_FLUSHING:
		client_close(c, true, "the client takes nothing");
		return;
	default:
		client_close(c, false, "time is over");
		return;
	}
}

/* The peer's address as text; an IPv4 one inside IPv6 as IPv4. */
static void
client_address(const struct sockaddr_storage *sa, char ip[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in *const v4 = (const void *)sa;
	const struct sockaddr_in6 *const v6 = (const void *)sa;

	ip[0] = '\0';
	if (sa->ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, ip, INET6_ADDRSTRLEN);
	else if (sa->ss_family == AF_INET6 &&
		 IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(
		    AF_INET, &v6->sin6_addr.s6_addr[12], ip, INET6_ADDRSTRLEN);
	else if (sa->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, ip, INET6_ADDRSTRLEN);
}

/*
 * Whether nothing is waiting to be read. Closing would destroy a request that
 * has come meanwhile.
 */
static bool
client_is_silent(const struct client *c)
{
	char byte;

	return recv(c->jack.io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
}

/* One that has been idle for long and has nothing to say; NULL: none. */
static struct client *
client_find_silent(void)
{
	struct client *c;
	unsigned n = 0;

	TAILQ_FOREACH (c, &clients.idle, link) {
		if (++n > LIMIT_ACCEPTS)
			return NULL;
		if (client_is_silent(c))
			return c;
	}
	return NULL;
}

int
client_start_take(int fd, const struct sockaddr_storage *sa)
{
	struct client *const silent =
	    clients.n >= clients.n_max ? client_find_silent() : NULL;

	if (silent)
		client_close(silent, false, "room for another");
	struct client *const c = mem_zalloc(1, sizeof(*c));

	if (!c) {
		fd_close(&fd);
		return -ENOMEM;
	}
	c->magic = CLIENT_MAGIC;
	c->state = CLIENT_IDLE;
	client_address(sa, c->ip);
	http_scan_init(&c->scan, HTTP_KIND_REQUEST);
	jack_open_take(&c->jack, fd, client_on_ready, client_on_due, c);
	TAILQ_INSERT_TAIL(&clients.idle, c, link);
	clients.n++;
	c->at_ms = clock_now_ms() + LIMIT_IDLE_MS;
	client_settle(c);
	return 0;
}

bool
client_is_full(void)
{
	clients.is_full = clients.n >= clients.n_max && !client_find_silent();
	return clients.is_full;
}

void
client_drain(void (*on_quiet)(void))
{
	struct client *c, *next;

	exchange_set_ending();
	clients.on_room = NULL;
	clients.on_quiet = on_quiet;
	TAILQ_FOREACH_SAFE (c, &clients.idle, link, next) {
		if (client_is_silent(c))
			client_close(c, false, "drain");
	}
	client_tell_quiet();
}

void
client_quit(void)
{
	struct client *c;

	exchange_set_ending();
	clients.on_room = NULL;
	clients.on_quiet = NULL;
	while ((c = TAILQ_FIRST(&clients.idle)))
		client_close(c, false, "quit");
	while ((c = TAILQ_FIRST(&clients.busy))) {
		if (c->exchange)
			answer_quit(c->exchange);
		if (c->state != CLIENT_CLOSED) {
			jack_shut(&c->jack);
			client_close(c, false, "quit");
		}
	}
}
