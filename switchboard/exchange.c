/* SPDX-License-Identifier: MIT */
/* exchange: the record of one request and its response. */
#include "switchboard/exchange.h"

#include <bsd/string.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"

#include "switchboard/block.h"
#include "switchboard/limits.h"

#define EXCHANGE_MAGIC      0x65786368u
#define EXCHANGE_LINE_BYTES 1024

TAILQ_HEAD(exchange_list, exchange);

static struct {
	struct exchange_list dead; /* ended in this turn */
	struct exchange_list kept; /* free */
	unsigned n_kept;
	struct exchange_list running;
	unsigned n_running;
	unsigned n_streams;
	bool is_open;
	bool is_ending;
	struct loop_defer sweep;
} exchanges;

#define EXCHANGE_BIT(state) (1u << (state))

/* The states that may follow each state. */
static const struct {
	const char *name;
	unsigned next;
} exchange_states[EXCHANGE_STATE_COUNT] = {
	[EXCHANGE_NEW] = { "new",
	    EXCHANGE_BIT(EXCHANGE_WAITING) | EXCHANGE_BIT(EXCHANGE_CONNECTING) |
		EXCHANGE_BIT(EXCHANGE_ASKING) |
		EXCHANGE_BIT(EXCHANGE_MOURNING) |
		EXCHANGE_BIT(EXCHANGE_ENDED) },
	[EXCHANGE_WAITING] = { "waiting",
	    EXCHANGE_BIT(EXCHANGE_WAITING) | EXCHANGE_BIT(EXCHANGE_CONNECTING) |
		EXCHANGE_BIT(EXCHANGE_ASKING) |
		EXCHANGE_BIT(EXCHANGE_MOURNING) |
		EXCHANGE_BIT(EXCHANGE_ENDED) },
	[EXCHANGE_CONNECTING] = { "connecting",
	    EXCHANGE_BIT(EXCHANGE_WAITING) | EXCHANGE_BIT(EXCHANGE_ASKING) |
		EXCHANGE_BIT(EXCHANGE_MOURNING) |
		EXCHANGE_BIT(EXCHANGE_ENDED) },
	[EXCHANGE_ASKING] = { "asking", EXCHANGE_BIT(EXCHANGE_ASKING) |
					    EXCHANGE_BIT(EXCHANGE_WAITING) |
					    EXCHANGE_BIT(EXCHANGE_CONNECTING) |
					    EXCHANGE_BIT(EXCHANGE_ANSWERING) |
					    EXCHANGE_BIT(EXCHANGE_TUNNEL) |
					    EXCHANGE_BIT(EXCHANGE_MOURNING) |
					    EXCHANGE_BIT(EXCHANGE_ENDED) },
	[EXCHANGE_ANSWERING] = { "answering", EXCHANGE_BIT(EXCHANGE_ENDED) },
	[EXCHANGE_TUNNEL] = { "tunnel", EXCHANGE_BIT(EXCHANGE_ENDED) },
	[EXCHANGE_MOURNING] = { "mourning", EXCHANGE_BIT(EXCHANGE_ENDED) },
	[EXCHANGE_ENDED] = { "ended", 0 },
};

bool
exchange_may_move(enum exchange_state from, enum exchange_state to)
{
	must(from < EXCHANGE_STATE_COUNT && to < EXCHANGE_STATE_COUNT);
	return exchange_states[from].next & EXCHANGE_BIT(to);
}

const char *
exchange_state_name(enum exchange_state state)
{
	must(state < EXCHANGE_STATE_COUNT);
	return exchange_states[state].name;
}

void
exchange_set_state(
    struct exchange *x, enum exchange_state next, const char *event)
{
	must_be(x, EXCHANGE_MAGIC);
	must(exchange_may_move(x->state, next));
	log_debug("exchange %s: %s -> %s (%s)", x->id,
	    exchange_states[x->state].name, exchange_states[next].name, event);
	x->state = next;
}

/* Free what ended in the last turn, or keep it for the next. */
static void
exchange_on_sweep(void *arg)
{
	struct exchange *x;

	while ((x = TAILQ_FIRST(&exchanges.dead))) {
		TAILQ_REMOVE(&exchanges.dead, x, link);
		x->magic = 0;
		if (exchanges.n_kept >= LIMIT_EXCHANGES_KEPT) {
			mem_free(x);
			continue;
		}
		TAILQ_INSERT_HEAD(&exchanges.kept, x, link);
		exchanges.n_kept++;
	}
}

static struct exchange *
exchange_alloc(void)
{
	if (!exchanges.is_open) {
		TAILQ_INIT(&exchanges.dead);
		TAILQ_INIT(&exchanges.kept);
		TAILQ_INIT(&exchanges.running);
		exchanges.is_open = true;
	}
	struct exchange *const x = TAILQ_FIRST(&exchanges.kept);
	if (!x)
		return mem_zalloc(1, sizeof(*x));
	TAILQ_REMOVE(&exchanges.kept, x, link);
	exchanges.n_kept--;
	memset(x, 0, sizeof(*x));
	return x;
}

/* Copy as much as fits; this is for the log only. */
static void
exchange_copy(struct slice s, char *dst, size_t dst_bytes)
{
	const size_t n = s.n < dst_bytes ? s.n : dst_bytes - 1;

	if (n)
		memcpy(dst, s.p, n);
	dst[n] = '\0';
}

/* The path without its query, which may hold secrets. */
static struct slice
exchange_path(const struct http_request *req)
{
	const struct slice path = req->head.parts.path;
	const char *const query = path.n ? memchr(path.p, '?', path.n) : NULL;

	return (
	    struct slice){ path.p, query ? (size_t)(query - path.p) : path.n };
}

/* RFC 9110 9.2.2. */
static bool
exchange_verb_is_idempotent(enum http_verb verb)
{
	switch (verb) {
	case HTTP_VERB_GET:
	case HTTP_VERB_HEAD:
	case HTTP_VERB_OPTIONS:
	case HTTP_VERB_TRACE:
	case HTTP_VERB_PUT:
	case HTTP_VERB_DELETE:
		return true;
	default:
		return false;
	}
}

static void
exchange_on_nothing(void *arg)
{
}

struct exchange *
exchange_new(const struct http_request *req, struct jack *client,
    struct slice peer, void (*on_end)(enum exchange_end end, void *arg),
    void *arg)
{
	struct exchange *const x = exchange_alloc();

	if (!x)
		return NULL;
	x->magic = EXCHANGE_MAGIC;
	x->client = client;
	x->peer = peer;
	x->on_end = on_end;
	x->arg = arg;
	x->asked = http_read_asked(req);
	x->awaits_100 = req->frame.expects_continue;
	x->is_idempotent = exchange_verb_is_idempotent(req->head.verb);
	x->started_ms = clock_now_ms();
	x->final_at = client->n_written;
	client->read_at_ms = x->started_ms;
	block_init(&x->head);
	block_init(&x->early);
	loop_timer_init(&x->timer, exchange_on_nothing, x);
	http_trace_id(&req->head, x->id);
	exchange_copy(req->head.method, x->method, sizeof(x->method));
	exchange_copy(exchange_path(req), x->path, sizeof(x->path));
	TAILQ_INSERT_TAIL(&exchanges.running, x, link);
	exchanges.n_running++;
	return x;
}

void
exchange_note(struct exchange *x, const char *text)
{
	if (!x->note[0])
		strlcpy(x->note, text, sizeof(x->note));
}

/* Append a name and a decimal number to a line of the log. */
static void
exchange_add_number(struct buf *line, struct slice name, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	buf_add_slice(line, name);
	buf_add(line, digits + at, sizeof(digits) - at);
}

static void
exchange_add_text(struct buf *line, const char *before, const char *text)
{
	buf_add_slice(line, slice_of(before));
	buf_add_slice(line, slice_of(text));
}

/*
 * One line an exchange. It is put together by hand: printf was a twentieth of
 * the time of a request.
 */
static void
exchange_log(const struct exchange *x)
{
	const uint64_t n_out = x->n_own ? x->n_own : x->response.body.total;
	const int64_t ms = clock_now_ms() - x->started_ms;
	char storage[EXCHANGE_LINE_BYTES];
	struct buf line;

	buf_init_static(&line, storage, sizeof(storage));
	exchange_add_text(&line, "exchange ", x->id);
	exchange_add_text(&line, ": ", x->method);
	exchange_add_text(&line, " ", x->route ? x->route->host : "-");
	exchange_add_text(&line, " ", x->path);
	exchange_add_number(&line, SLICE(": "), (uint64_t)x->status);
	exchange_add_number(&line, SLICE(" bytes_in="), x->request.body.total);
	exchange_add_number(&line, SLICE(" bytes_out="), n_out);
	exchange_add_number(&line, SLICE(" ms="), (uint64_t)ms);
	if (x->note[0])
		exchange_add_text(&line, " reason=", x->note);
	log_info("%.*s", (int)line.tail, storage);
}

void
exchange_end(struct exchange *x, enum exchange_end end)
{
	exchange_set_state(x, EXCHANGE_ENDED, "end");
	route_wait_cancel(&x->wait);
	loop_timer_clear(&x->timer);
	upstream_close(&x->upstream);
	block_return(&x->head);
	block_return(&x->early);
	exchange_log(x);
	route_unhold(&x->route);
	TAILQ_REMOVE(&exchanges.running, x, link);
	exchanges.n_running--;
	exchanges.n_streams -= x->is_stream;
	TAILQ_INSERT_TAIL(&exchanges.dead, x, link);
	loop_defer(&exchanges.sweep, exchange_on_sweep, NULL);
	x->client = NULL;
	x->on_end(end, x->arg);
}

void
exchange_dump(void)
{
	const int64_t now = clock_now_ms();
	const struct exchange *x;

	log_info("exchanges: %u under way, %u of them streams",
	    exchanges.n_running, exchanges.n_streams);
	if (!exchanges.n_running)
		return;
	TAILQ_FOREACH (x, &exchanges.running, link)
		log_info("exchange %s: %s: %s %s %s bytes_in=%llu "
			 "bytes_out=%llu ms=%lld",
		    x->id, exchange_state_name(x->state), x->method,
		    x->route ? x->route->host : "-", x->path,
		    (unsigned long long)x->request.body.total,
		    (unsigned long long)x->response.body.total,
		    (long long)(now - x->started_ms));
}

unsigned
exchange_count(void)
{
	return exchanges.n_running;
}

unsigned
exchange_draining_count(void)
{
	return exchanges.n_running - exchanges.n_streams;
}

void
exchange_set_stream(struct exchange *x)
{
	exchanges.n_streams += !x->is_stream;
	x->is_stream = true;
}

void
exchange_set_ending(void)
{
	exchanges.is_ending = true;
}

bool
exchange_is_ending(void)
{
	return exchanges.is_ending;
}

void
exchange_close(void)
{
	struct exchange *x;

	must(exchanges.n_running == 0);
	if (!exchanges.is_open)
		return;
	loop_defer_cancel(&exchanges.sweep);
	exchange_on_sweep(NULL);
	while ((x = TAILQ_FIRST(&exchanges.kept))) {
		TAILQ_REMOVE(&exchanges.kept, x, link);
		mem_free(x);
	}
	exchanges.n_kept = 0;
	exchanges.is_open = false;
	exchanges.is_ending = false;
}
