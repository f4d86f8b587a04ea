/* SPDX-License-Identifier: MIT */
/* route: hosts, their backends, and who waits for them. */
#include "switchboard/route.h"

#include <bsd/string.h>
#include <errno.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"

#include "switchboard/limits.h"

#define ROUTE_MAGIC 0x726f7574u

RB_HEAD(route_tree, route);
RB_HEAD(route_asks, route);
RB_HEAD(route_runs, route);

static struct {
	const struct route_poold *poold;
	struct route_tree hosts;
	struct route_asks asks; /* told to poold, not answered */
	struct route_runs runs; /* those of a backend, the last one counts */
	uint64_t last_ask;
	uint64_t last_seq;
	unsigned n_asked; /* of asks */
	unsigned max_asked;
	TAILQ_HEAD(, route) queued; /* those whose turn will come */
} route_table;

static int
route_cmp(struct route *a, struct route *b)
{
	return strcmp(a->host, b->host);
}

static int
route_cmp_ask(struct route *a, struct route *b)
{
	return a->ask < b->ask ? -1 : a->ask > b->ask;
}

static int
route_cmp_run(struct route *a, struct route *b)
{
	return a->generation < b->generation ? -1
	                                     : a->generation > b->generation;
}

RB_GENERATE_INTERNAL(
    route_tree, route, link, route_cmp, static __attribute__((unused)))
RB_GENERATE_INTERNAL(
    route_asks, route, by_ask, route_cmp_ask, static __attribute__((unused)))
RB_GENERATE_INTERNAL(route_runs, route, by_generation, route_cmp_run,
    static __attribute__((unused)))

static const char *const route_names[] = {
	[ROUTE_UNKNOWN] = "unknown",
	[ROUTE_ASKED] = "asked",
	[ROUTE_READY] = "ready",
};

/* The one place where a route changes its state. */
static void
route_set_state(struct route *route, enum route_state next, const char *event)
{
	must_be(route, ROUTE_MAGIC);
	must(route->state != next);
	must(next != ROUTE_READY || route->state == ROUTE_ASKED);
	log_debug("route %s: %s -> %s (%s)", route->host,
	    route_names[route->state], route_names[next], event);
	route->state = next;
}

void
route_open(const struct route_poold *poold)
{
	must(poold && !route_table.poold);
	route_table.poold = poold;
	RB_INIT(&route_table.hosts);
	RB_INIT(&route_table.asks);
	RB_INIT(&route_table.runs);
	TAILQ_INIT(&route_table.queued);
	route_table.n_asked = 0;
	route_table.max_asked = LIMIT_ASKS;
}

void
route_allow_asks(unsigned max_backends)
{
	route_table.max_asked = LIMIT_ASKS + (max_backends < LIMIT_ASKS_BACKENDS
						     ? max_backends
						     : LIMIT_ASKS_BACKENDS);
}

/* Its turn has come, or is wanted no more. */
static void
route_unqueue(struct route *route)
{
	must(route->is_queued);
	TAILQ_REMOVE(&route_table.queued, route, turn);
	route->is_queued = false;
}

/* poold has answered its ask, or that is not awaited any more. */
static void
route_ask_over(struct route *route)
{
	must(route_table.n_asked > 0);
	route_table.n_asked--;
	RB_REMOVE(route_asks, &route_table.asks, route);
}

/* The run that it is, or was last, of; 0: none any more. */
static void
route_set_generation(struct route *route, uint64_t generation)
{
	if (route->generation)
		RB_REMOVE(route_runs, &route_table.runs, route);
	route->generation = generation;
	/* One that is another's already is a mistake of poold's. */
	if (generation && RB_INSERT(route_runs, &route_table.runs, route))
		route->generation = 0;
}

/* It is asked for no more: it was answered, or the answer is not wanted. */
static void
route_asked_no_more(struct route *route, const char *event)
{
	if (route->is_starting)
		upstream_pool_close(&route->pool);
	route->is_starting = false;
	if (route->is_queued) {
		route_unqueue(route);
	} else {
		route_ask_over(route);
	}
	route_set_state(route, ROUTE_UNKNOWN, event);
}

/* Free a route that says nothing and that nobody holds. */
static void
route_settle(struct route *route)
{
	if (route->n_held || route->state != ROUTE_UNKNOWN)
		return;
	must(TAILQ_EMPTY(&route->waits));
	upstream_pool_close(&route->pool);
	route_set_generation(route, 0);
	RB_REMOVE(route_tree, &route_table.hosts, route);
	route->magic = 0;
	mem_free(route);
}

void
route_close(void)
{
	struct route *route, *next;

	RB_FOREACH_SAFE (route, route_tree, &route_table.hosts, next) {
		must(route->n_held == 0);
		if (route->is_queued)
			route_unqueue(route);
		else if (route->state == ROUTE_ASKED)
			route_ask_over(route);
		route->state = ROUTE_UNKNOWN;
		route_settle(route);
	}
	route_table.poold = NULL;
}

struct route *
route_hold(const char *host)
{
	static struct route key;

	if (strlcpy(key.host, host, sizeof(key.host)) >= sizeof(key.host))
		return NULL;
	struct route *route = RB_FIND(route_tree, &route_table.hosts, &key);
	if (!route) {
		route = mem_zalloc(1, sizeof(*route));
		if (!route)
			return NULL;
		route->magic = ROUTE_MAGIC;
		strlcpy(route->host, host, sizeof(route->host));
		TAILQ_INIT(&route->waits);
		upstream_pool_init(&route->pool);
		RB_INSERT(route_tree, &route_table.hosts, route);
	}
	route->n_held++;
	return route;
}

/* Nobody holds it any more: tell poold, if it was refused meanwhile. */
static void
route_tell_free(struct route *route)
{
	const struct proto_held held = { .generation = route->generation };

	if (route->is_awaited && route->state == ROUTE_READY)
		route_table.poold->held(&held, route_table.poold->arg);
	route->is_awaited = false;
}

void
route_unhold(struct route **route_p)
{
	struct route *const route = *route_p;

	*route_p = NULL;
	if (!route)
		return;
	must_be(route, ROUTE_MAGIC);
	must(route->n_held > 0);
	if (--route->n_held == 0) {
		route->ended_at_ms = clock_now_ms();
		route_tell_free(route);
	}
	route_settle(route);
}

/* Ask poold which backend serves the host. */
static int
route_send_ask(struct route *route)
{
	struct proto_route_ask ask = {
		.ask = ++route_table.last_ask,
		.dead_generation = route->dead_generation,
	};

	strlcpy(ask.host, route->host, sizeof(ask.host));
	const int rc = route_table.poold->ask(&ask, route_table.poold->arg);
	if (rc < 0)
		return rc;
	route->ask = ask.ask;
	route_table.n_asked++;
	RB_INSERT(route_asks, &route_table.asks, route);
	return 0;
}

/* The same, now or in its turn. */
static int
route_ask(struct route *route)
{
	int rc = 0;

	if (route_table.n_asked < route_table.max_asked) {
		rc = route_send_ask(route);
	} else {
		TAILQ_INSERT_TAIL(&route_table.queued, route, turn);
		route->is_queued = true;
	}
	if (rc == 0)
		route_set_state(route, ROUTE_ASKED, "ask");
	return rc;
}

static void
route_enlist(struct route *route, struct route_wait *wait,
    enum route_wait_kind kind,
    void (*on_news)(const struct route_news *news, void *arg), void *arg)
{
	must(wait->kind == ROUTE_WAIT_NONE && route->n_held);
	wait->kind = kind;
	wait->route = route;
	wait->seq = ++route_table.last_seq;
	wait->on_news = on_news;
	wait->arg = arg;
	TAILQ_INSERT_TAIL(&route->waits, wait, link);
	route->n_waiting += kind == ROUTE_WAIT_BACKEND;
}

int
route_wait(struct route *route, struct route_wait *wait,
    void (*on_news)(const struct route_news *news, void *arg), void *arg)
{
	must_be(route, ROUTE_MAGIC);
	must(route->state != ROUTE_READY);
	if (route->n_waiting >= LIMIT_WAITING)
		return -ENOBUFS;
	if (route->state == ROUTE_UNKNOWN) {
		const int rc = route_ask(route);
		if (rc < 0)
			return rc;
	}
	route_enlist(route, wait, ROUTE_WAIT_BACKEND, on_news, arg);
	return 0;
}

int
route_wait_gone(struct route *route, uint64_t generation,
    struct route_wait *wait,
    void (*on_news)(const struct route_news *news, void *arg), void *arg)
{
	must_be(route, ROUTE_MAGIC);
	if (route->gone_generation == generation)
		return 1;
	wait->generation = generation;
	route_enlist(route, wait, ROUTE_WAIT_GONE, on_news, arg);
	return 0;
}

void
route_wait_cancel(struct route_wait *wait)
{
	if (wait->kind == ROUTE_WAIT_NONE)
		return;
	struct route *const route = wait->route;

	TAILQ_REMOVE(&route->waits, wait, link);
	route->n_waiting -= wait->kind == ROUTE_WAIT_BACKEND;
	wait->kind = ROUTE_WAIT_NONE;
	wait->route = NULL;
	if (route->is_queued && !route->n_waiting)
		route_asked_no_more(route, "nobody waits");
}

/* The first of those that wait for this and came no later than last_seq. */
static struct route_wait *
route_next(struct route *route, enum route_wait_kind kind, uint64_t generation,
    uint64_t last_seq)
{
	struct route_wait *wait;

	TAILQ_FOREACH (wait, &route->waits, link) {
		if (wait->seq > last_seq)
			return NULL;
		if (wait->kind == kind && (kind == ROUTE_WAIT_BACKEND ||
					      wait->generation == generation))
			return wait;
	}
	return NULL;
}

/* Tell those of a kind that wait now, as long as the state stays. */
static void
route_tell_each(struct route *route, enum route_wait_kind kind,
    uint64_t generation, const struct route_news *news)
{
	const uint64_t last_seq = route_table.last_seq;
	const enum route_state state = route->state;
	struct route_wait *wait;

	while (route->state == state &&
	       (wait = route_next(route, kind, generation, last_seq))) {
		route_wait_cancel(wait);
		wait->on_news(news, wait->arg);
	}
}

/*
 * Tell those that wait now. A callback may wait again, and may find the
 * backend dead: then the others go on waiting, for the next one.
 */
static void
route_tell(struct route *route, enum route_wait_kind kind, uint64_t generation,
    const struct route_news *news)
{
	const struct route_news none = {
		.event = ROUTE_EVENT_FAILED, .status = 503, .text = ""
	};

	route->n_held++;
	route_tell_each(route, kind, generation, news);
	if (route->state == ROUTE_UNKNOWN && route->n_waiting &&
	    route_ask(route) < 0)
		route_tell_each(route, ROUTE_WAIT_BACKEND, 0, &none);
	must(route->n_held > 0);
	route->n_held--;
	route_settle(route);
}

/* poold has answered an ask: those that wait for their turn may go on. */
static void
route_ask_next(void)
{
	const struct route_news none = {
		.event = ROUTE_EVENT_FAILED, .status = 503, .text = ""
	};
	struct route *route;

	while (route_table.n_asked < route_table.max_asked &&
	       (route = TAILQ_FIRST(&route_table.queued))) {
		must(route->state == ROUTE_ASKED && route->n_waiting);
		route_unqueue(route);
		if (route_send_ask(route) == 0)
			continue;
		route_set_state(route, ROUTE_UNKNOWN, "poold does not read");
		route_tell(route, ROUTE_WAIT_BACKEND, 0, &none);
	}
}

/* Forget the backend and its idle connections. */
static void
route_forget(struct route *route, const char *event)
{
	upstream_pool_close(&route->pool);
	route_set_state(route, ROUTE_UNKNOWN, event);
}

void
route_dead(struct route *route, uint64_t generation)
{
	must_be(route, ROUTE_MAGIC);
	if (route->state != ROUTE_READY || route->generation != generation)
		return;
	route->dead_generation = generation;
	route_forget(route, "found dead");
}

void
route_fail_all(const struct route_news *news)
{
	struct route *route, *next;

	RB_FOREACH_SAFE (route, route_tree, &route_table.hosts, next)
		if (route->state == ROUTE_ASKED && !route->is_starting) {
			route_asked_no_more(route, "ending");
			route_tell(route, ROUTE_WAIT_BACKEND, 0, news);
		}
}

/* The route that waits for the answer to an ask. */
static struct route *
route_by_ask(uint64_t ask)
{
	static struct route key;

	key.ask = ask;
	return RB_FIND(route_asks, &route_table.asks, &key);
}

/* The route whose backend is or was of a generation. */
static struct route *
route_by_generation(uint64_t generation)
{
	static struct route key;

	key.generation = generation;
	return generation ? RB_FIND(route_runs, &route_table.runs, &key) : NULL;
}

/* The run of a backend that poold names. */
static void
route_take_run(struct route *route, const struct proto_route_ready *ready)
{
	upstream_pool_close(&route->pool);
	route_set_generation(route, ready->generation);
	route->pid = ready->pid;
	route->started_wall_ms = ready->started_wall_ms;
	route->has_answered = false;
	route->dead_generation = 0;
	memcpy(route->socket, ready->socket, sizeof(route->socket));
	route->socket[sizeof(route->socket) - 1] = '\0';
	upstream_pool_open(&route->pool, ready->generation);
}

bool
route_is_open(const struct route *route)
{
	return route->state == ROUTE_READY || route->is_starting;
}

/* Those that wait go on waiting, each in its turn. */
static void
route_tell_starting(struct route *route)
{
	const struct route_news news = { .event = ROUTE_EVENT_STARTING };
	const uint64_t last_seq = route_table.last_seq;
	uint64_t told_seq = 0;
	struct route_wait *wait;

	route->n_held++;
	do {
		TAILQ_FOREACH (wait, &route->waits, link)
			if (wait->kind == ROUTE_WAIT_BACKEND &&
			    wait->seq > told_seq && wait->seq <= last_seq)
				break;
		if (!wait)
			break;
		told_seq = wait->seq;
		wait->on_news(&news, wait->arg);
	} while (route->is_starting);
	must(route->n_held > 0);
	route->n_held--;
	route_settle(route);
}

void
route_on_starting(const struct proto_route_ready *starting)
{
	struct route *const route = route_by_ask(starting->ask);

	if (!route || route->is_starting)
		return;
	route_take_run(route, starting);
	route->is_starting = true;
	route_tell_starting(route);
}

void
route_on_ready(const struct proto_route_ready *ready)
{
	struct route *const route = route_by_ask(ready->ask);
	const struct route_news news = { .event = ROUTE_EVENT_READY };

	if (!route) {
		log_debug("route: an answer to no ask: generation=%llu",
		    (unsigned long long)ready->generation);
		return;
	}
	/* Who sent to it while it started shall keep what it found out. */
	if (!route->is_starting || route->generation != ready->generation)
		route_take_run(route, ready);
	route->is_starting = false;
	route_ask_over(route);
	route_set_state(route, ROUTE_READY, "ready");
	route_tell(route, ROUTE_WAIT_BACKEND, 0, &news);
	route_ask_next();
}

void
route_on_failed(const struct proto_route_failed *failed, const char *text)
{
	struct route *const route = route_by_ask(failed->ask);
	const struct route_news news = {
		.event = ROUTE_EVENT_FAILED,
		.status = failed->status,
		.retry_after_s = failed->retry_after_s,
		.text = text,
	};

	if (!route)
		return;
	route_asked_no_more(route, "failed");
	route_tell(route, ROUTE_WAIT_BACKEND, 0, &news);
	route_ask_next();
}

void
route_on_gone(const struct proto_route_gone *gone, const char *text)
{
	struct route *const route = route_by_generation(gone->generation);
	const struct route_news news = { .event = ROUTE_EVENT_GONE,
		.text = text };

	if (!route)
		return;
	route->gone_generation = gone->generation;
	strlcpy(route->gone_text, text, sizeof(route->gone_text));
	if (route->state == ROUTE_READY)
		route_forget(route, "gone");
	route_tell(route, ROUTE_WAIT_GONE, gone->generation, &news);
}

/* How long poold should wait before it asks again; 0: let it go now. */
static uint32_t
route_busy_ms(const struct route *route, uint32_t idle_ms)
{
	const int64_t idle = clock_now_ms() - route->ended_at_ms;

	if (route->n_held || route->state == ROUTE_ASKED)
		return idle_ms ? idle_ms : 1;
	return idle >= idle_ms ? 0 : (uint32_t)(idle_ms - idle);
}

void
route_on_release_ask(const struct proto_release_ask *ask)
{
	struct route *const route = route_by_generation(ask->generation);
	const uint32_t busy_ms = route ? route_busy_ms(route, ask->idle_ms) : 0;
	void *const arg = route_table.poold->arg;

	if (busy_ms) {
		const struct proto_held held = { .generation = ask->generation,
			.ask_again_ms = busy_ms,
			.is_busy = route->n_held > 0 };

		route->is_awaited = held.is_busy;
		route_table.poold->held(&held, arg);
		return;
	}
	if (route && route->state == ROUTE_READY) {
		route_forget(route, "released");
		route_settle(route);
	}
	const struct proto_released released = { ask->generation };
	route_table.poold->released(&released, arg);
}

void
route_each(void (*fn)(const struct route *route, void *arg), void *arg)
{
	struct route *route;

	RB_FOREACH (route, route_tree, &route_table.hosts)
		if (route->state == ROUTE_READY ||
		    (route->is_starting && route->has_answered))
			fn(route, arg);
}
