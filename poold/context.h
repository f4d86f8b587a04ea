/* SPDX-License-Identifier: MIT */
/*
 * context: what the tasks of poold share. Owned by main, filled at start,
 * *borrowed* by all; only the counters below change later.
 */
#ifndef POOLD_CONTEXT_H
#define POOLD_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "common/flow/task.h"
#include "common/flow/wait.h"
#include "common/proc/drop.h"
#include "common/proc/filter.h"

#include "poold/cgroup.h"
#include "poold/events.h"
#include "poold/listener.h"
#include "poold/owner.h"
#include "poold/place.h"
#include "poold/seat.h"
#include "poold/settings.h"
#include "poold/turn.h"

struct spares;
struct zygote_link;

struct context {
	const struct settings *settings;
	struct place place;
	struct listeners listeners;
	char *board_program;
	char *backend_program;
	bool has_ids; /* privileges are given up for children */
	struct drop_ids board_ids;
	struct owners owners; /* as whom tenants run; as root only */
	/* By kind, without and with network; NULL: the kernel has none. */
	struct filter *filters[FILTER_N_KINDS][2];
	struct cgroup cgroup;    /* where leaves are; none: zeroed */
	unsigned limits_lacking; /* of cgroup_limits: not to be had here */
	bool has_namespaces;     /* each backend gets a PID namespace */
	struct turns turns;      /* of backends to start */
	/* *borrowed* from the pool while that runs; NULL: none */
	struct zygote_link *zygote;
	struct spares *spares;
	int life[2];          /* read end for children, write end ours */
	struct rlimit nofile; /* as it was at start; children get it back */
	struct scope *scope;  /* where the tasks of children live */
	struct events events;
	uint64_t generation; /* of the last start of a backend */
	struct seats seats;  /* places for processes of backends */
	bool is_ending;
	bool is_hurried;
	bool has_killed;      /* not all ended by itself when poold ended */
	struct waitq changed; /* a backend is gone, or hurry was asked for */
};

/*
 * Raise limits, find programs and ids, make folders, groups, sockets and the
 * life pipe. Says on the log where it listens and what is not isolated. Returns
 * 0 or -errno with *err_r; ended with context_close, also after an error.
 */
int context_open(struct context *context, const struct settings *settings,
    struct err *err_r);

/* The filter for a tenant, or NULL where the kernel has none; *borrowed*. */
const struct filter *context_filter(
    const struct context *context, bool is_command, bool has_network);

/*
 * A process of ours was reaped: note it when poold ends and it was killed, by
 * whomever. Source: wait(2).
 */
void context_note_end(struct context *context, int wait_status);

/* Close and remove what context_open made. */
void context_close(struct context *context);

#endif
