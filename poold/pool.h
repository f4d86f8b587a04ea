/* SPDX-License-Identifier: MIT */
/*
 * pool: the root of poold's tasks. It brings asks of the switchboard to
 * backends, and ends everything in order.
 */
#ifndef POOLD_POOL_H
#define POOLD_POOL_H

#include <bsd/sys/tree.h>
#include <stdint.h>

#include "poold/backend.h"
#include "poold/board.h"
#include "poold/context.h"
#include "poold/report.h"
#include "poold/spare.h"
#include "poold/zygote_link.h"

RB_HEAD(pool_tree, backend);

/* Owned by main. */
struct pool {
	struct context *context;
	struct board board;
	struct report report;
	struct zygote_link zygote;
	struct spares spares;
	struct pool_tree backends; /* by host */
	uint32_t *n_hosts;         /* of each tenant of the settings, now */
	uint32_t n_all;            /* backends in the tree */
	uint32_t next_number;      /* of the next tenant of a template */
};

/* Fill *pool; the context is *borrowed*. */
void pool_init(struct pool *pool, struct context *context);

/* Free what pool_init made. */
void pool_fini(struct pool *pool);

/*
 * The body of the root task (arg: struct pool): runs until it is halted, then
 * ends everything in order. Waits.
 */
void *pool_body(void *arg);

/* A second signal came: no deadline holds any more. Never waits. */
void pool_hurry(struct pool *pool);

#endif
