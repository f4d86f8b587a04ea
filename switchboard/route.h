/* SPDX-License-Identifier: MIT */
/*
 * route: which backend serves a host. One entry a host; it asks poold once,
 * however many exchanges wait, keeps the answer, and forgets it when the
 * backend is gone. poold is named by function pointers, so that a test can
 * play it. Runs of backends are known by generation, never by pointer.
 */
#ifndef SWITCHBOARD_ROUTE_H
#define SWITCHBOARD_ROUTE_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/ipc/proto.h"

#include "switchboard/upstream.h"

enum route_state {
	ROUTE_UNKNOWN, /* no backend is known */
	ROUTE_ASKED,   /* poold was asked, or will be when it has answered */
	ROUTE_READY,   /* a backend is known */
};

/* What a waiting exchange is told. */
enum route_event {
	ROUTE_EVENT_STARTING, /* send to it, it will read later; wait on */
	ROUTE_EVENT_READY,    /* go on */
	ROUTE_EVENT_FAILED,   /* answer with status and text */
	ROUTE_EVENT_GONE,     /* the backend has ended; text says how */
};

/* All *borrowed* for the call. */
struct route_news {
	enum route_event event;
	unsigned status;        /* FAILED */
	unsigned retry_after_s; /* FAILED, 0: none */
	const char *text;       /* FAILED, GONE; may be "" */
};

enum route_wait_kind {
	ROUTE_WAIT_NONE,
	ROUTE_WAIT_BACKEND, /* for READY or FAILED */
	ROUTE_WAIT_GONE,    /* for the end of a generation */
};

struct route;

/* Embedded in an exchange: one wait at a time. */
struct route_wait {
	TAILQ_ENTRY(route_wait) link;
	enum route_wait_kind kind;
	struct route *route;
	uint64_t seq;        /* those of later calls are not told */
	uint64_t generation; /* whose end is awaited */
	void (*on_news)(const struct route_news *news, void *arg);
	void *arg;
};

/* Owned by the table; lives while it is ready, asked or held. */
struct route {
	uint32_t magic;
	enum route_state state;
	RB_ENTRY(route) link;
	char host[PROTO_HOST_BYTES];
	char socket[PROTO_PATH_BYTES];
	uint64_t ask;                  /* its last one */
	RB_ENTRY(route) by_ask;        /* ASKED, and not is_queued */
	RB_ENTRY(route) by_generation; /* that is not 0 */
	TAILQ_ENTRY(route) turn;       /* while is_queued */
	bool is_queued;                /* ASKED, but poold has not been told */
	bool is_starting;         /* ASKED, and its socket listens already */
	uint64_t generation;      /* the one that is ready, else the last one */
	uint64_t dead_generation; /* found dead; 0: none */
	int64_t started_wall_ms;
	int32_t pid;
	bool has_answered;   /* this generation gave a response byte */
	bool is_awaited;     /* poold waits until nobody holds it */
	unsigned n_held;     /* exchanges */
	unsigned n_waiting;  /* of them: for a backend */
	int64_t ended_at_ms; /* when it was held last */
	uint64_t gone_generation;
	char gone_text[PROTO_TEXT_BYTES];
	TAILQ_HEAD(, route_wait) waits;
	struct upstream_pool pool;
};

/* How poold is told; all are called with the table's arg. */
struct route_poold {
	int (*ask)(const struct proto_route_ask *ask, void *arg);
	void (*released)(const struct proto_released *released, void *arg);
	void (*held)(const struct proto_held *held, void *arg);
	void *arg;
};

/* Start with an empty table. poold is *borrowed* until route_close. */
void route_open(const struct route_poold *poold);

/* Free the table; nothing may be held. */
void route_close(void);

/*
 * Say how many backends poold runs at most. So many asks, each of which may
 * take as long as a start, and LIMIT_ASKS more, which are refused at once, may
 * be under way; all others wait here for their turn. So what clients ask for
 * never fills the channel.
 */
void route_allow_asks(unsigned max_backends);

/*
 * Hold the route of a host (lower case, no port), made if there is none.
 * Returns it, *borrowed* until route_unhold, or NULL: no memory, or the name
 * is too long.
 */
struct route *route_hold(const char *host);

/* Let go of *route and set it to NULL; NULL is allowed. */
void route_unhold(struct route **route);

/*
 * Wait for a backend and ask poold if nobody has. on_news is called once,
 * from the loop, and before that for STARTING, unless the route is_starting
 * already. Returns 0, -ENOBUFS (too many wait), or -errno: poold cannot
 * be asked.
 */
int route_wait(struct route *route, struct route_wait *wait,
    void (*on_news)(const struct route_news *news, void *arg), void *arg);

/*
 * Wait for the end of a generation. Returns 1 when it is known already
 * (route->gone_text), else 0 and on_news is called.
 */
int route_wait_gone(struct route *route, uint64_t generation,
    struct route_wait *wait,
    void (*on_news)(const struct route_news *news, void *arg), void *arg);

/* Wait no more; not waiting: nothing. */
void route_wait_cancel(struct route_wait *wait);

/*
 * A backend was found dead: forget it, so that the next wait asks for another
 * one. Nothing when the route knows a later one by now.
 */
void route_dead(struct route *route, uint64_t generation);

/*
 * Tell all that wait for a backend that there will be none. Not those that sent
 * to one which starts: it may do what they asked for.
 */
void route_fail_all(const struct route_news *news);

/* Whether there is a socket to connect to. */
bool route_is_open(const struct route *route);

/* Messages of poold. Those about what is not known are dropped. */
void route_on_starting(const struct proto_route_ready *starting);
void route_on_ready(const struct proto_route_ready *ready);
void route_on_failed(const struct proto_route_failed *failed, const char *text);
void route_on_gone(const struct proto_route_gone *gone, const char *text);
void route_on_release_ask(const struct proto_release_ask *ask);

/* Call fn for each route whose backend serves, in the order of names. */
void route_each(void (*fn)(const struct route *route, void *arg), void *arg);

#endif
