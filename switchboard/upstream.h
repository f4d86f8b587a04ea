/* SPDX-License-Identifier: MIT */
/*
 * upstream: our connections to backends, and for each backend the idle ones
 * that can be used again. One belongs to an exchange (busy) or to its pool
 * (idle); a pool lives in a route and is as old as one run of its backend.
 * It knows no HTTP but the scan of the next response head.
 */
#ifndef SWITCHBOARD_UPSTREAM_H
#define SWITCHBOARD_UPSTREAM_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/http/scan.h"
#include "common/loop/loop.h"

#include "switchboard/jack.h"

struct upstream_pool;

enum upstream_state {
	UPSTREAM_BUSY,   /* an exchange uses it */
	UPSTREAM_IDLE,   /* in its pool: any event closes it */
	UPSTREAM_CLOSED, /* freed at the next turn of the loop */
};

/* Freed by upstream_close, from the loop. */
struct upstream {
	uint32_t magic;
	enum upstream_state state;
	struct jack jack;
	struct http_scan scan;
	uint64_t generation;     /* the run of the backend it leads to */
	uint64_t n_read_base;    /* jack.n_read when the exchange took it */
	uint64_t n_written_base; /* jack.n_written when the exchange took it */
	struct upstream_pool *pool; /* while idle */
	TAILQ_ENTRY(upstream) link; /* in its pool, while idle */
	TAILQ_ENTRY(upstream) turn; /* among all idle ones, oldest first */
	void (*on_ready)(unsigned events, void *arg); /* the exchange's */
	void (*on_due)(void *arg);
	void *arg;
	struct loop_defer defer;
};

/* Embedded in a route. */
struct upstream_pool {
	TAILQ_HEAD(, upstream) idle; /* the one used last comes first */
	unsigned n_idle;
	uint64_t generation; /* 0: closed, nothing is kept */
};

/*
 * Set how many connections there may be, busy ones and idle ones of all pools
 * together: beyond it the one that is idle for longest gives way.
 */
void upstream_open(unsigned n_max);

/* Make an empty closed pool. */
void upstream_pool_init(struct upstream_pool *pool);

/* Start to keep connections to this run of a backend. */
void upstream_pool_open(struct upstream_pool *pool, uint64_t generation);

/* Close all idle connections; busy ones are closed when they come back. */
void upstream_pool_close(struct upstream_pool *pool);

/*
 * Take the idle connection that was used last. Returns it, owned by the caller
 * until upstream_release or upstream_close, or NULL.
 */
struct upstream *upstream_take(struct upstream_pool *pool);

/*
 * Connect to a backend. *up_r is *new*, ended by upstream_release or
 * upstream_close. Returns 0; -EAGAIN: its backlog is full, try again;
 * -ECONNREFUSED, -ENOENT: nobody listens; another -errno.
 */
int upstream_connect(
    struct upstream_pool *pool, const char *path, struct upstream **up_r);

/* Let an exchange hear its events; both functions get arg. */
void upstream_attach(struct upstream *up,
    void (*on_ready)(unsigned events, void *arg), void (*on_due)(void *arg),
    void *arg);

/* Bytes of the present exchange that were written and that came. */
uint64_t upstream_n_written(const struct upstream *up);
uint64_t upstream_n_read(const struct upstream *up);

/* Bytes that were written and that the backend has not read. */
int upstream_n_unread(const struct upstream *up);

/* Give *up back to its pool, or close it when that does not want it. */
void upstream_release(struct upstream **up, struct upstream_pool *pool);

/* Close *up and set it to NULL; NULL is allowed. */
void upstream_close(struct upstream **up);

#endif
