/* SPDX-License-Identifier: MIT */
/*
 * spare: children of the zygote that are ready before anybody asks: in a
 * namespace and a leaf of their own, without a tenant. Any tenant with tools
 * may take one. One task keeps their number up.
 */
#ifndef POOLD_SPARE_H
#define POOLD_SPARE_H

#include <bsd/sys/queue.h>
#include <stdbool.h>

#include "common/flow/select.h"

#include "poold/again.h"
#include "poold/cgroup.h"
#include "poold/context.h"
#include "poold/process.h"
#include "poold/zygote_link.h"

struct spare;
TAILQ_HEAD(spare_list, spare);

/* Embedded in its owner. */
struct spares {
	struct context *context;
	struct zygote_link *zygote;
	struct spare_list ready;
	unsigned n;         /* ready ones */
	struct again again; /* those that end untaken are failures */
	int64_t fill_at_ms; /* not before: the last one starts, or ended */
	bool is_ending;
	bool is_over;         /* the task is done */
	struct select select; /* what the task waits for */
	struct waitq over;    /* those who wait for its end */
};

/* Fill *spares. */
void spares_init(
    struct spares *spares, struct context *context, struct zygote_link *zygote);

/* Spawn the task in the current scope. Returns 0 or -ENOMEM. */
int spares_run(struct spares *spares);

/*
 * Take a spare: its process is *new* and to be passed on at once, its leaf
 * (NULL: none) is the caller's to give back. NULL when none is ready. Never
 * waits.
 */
struct process *spares_take(struct spares *spares, struct cgroup_leaf **leaf_r);

/* Whether spares_take would find one. */
bool spares_is_ready(const struct spares *spares);

/* Kill all of them, and make no more. Waits for their reap, or deadline_ms. */
void spares_end(struct spares *spares, int64_t deadline_ms);

#endif
