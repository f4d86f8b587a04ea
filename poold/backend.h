/* SPDX-License-Identifier: MIT */
/*
 * backend: one tenant that somebody asked for: a task that lives from the
 * first ask until there is nothing to remember. It waits for an event and does
 * what life.c says. Other code only posts events and adds asks.
 */
#ifndef POOLD_BACKEND_H
#define POOLD_BACKEND_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/flow/select.h"
#include "common/ipc/proto.h"

#include "poold/ask.h"
#include "poold/board.h"
#include "poold/context.h"
#include "poold/life.h"
#include "poold/policy.h"
#include "poold/stages.h"

struct process;

struct backend {
	RB_ENTRY(backend) link; /* of the owner: by host */
	struct context *context;
	struct board *board;
	const struct settings_tenant *tenant;
	size_t tenant_index;
	const char *host; /* in name */
	uint32_t number;
	void (*on_gone)(struct backend *backend, void *arg);
	void *arg;

	bool is_listed;   /* the owner knows it; on_gone ends that */
	struct seat seat; /* under max_backends */

	enum life_state state;
	uint32_t posted;      /* events that came, a bit each */
	int64_t due_at_ms;    /* when the time of this state is over */
	int64_t watch_at_ms;  /* when the watchdog looks */
	struct select select; /* what its task waits for */
	struct ask_list asks;

	/* This run. */
	struct process *process; /* NULL: none */
	int listen_fd; /* while it may end before it reads whose it is; or -1 */
	struct cgroup_leaf *leaf; /* of it; NULL: none */
	int64_t n_kills;          /* for memory, in its leaf, before it */
	struct turn turn;         /* while it starts */
	uint64_t generation;
	pid_t pid; /* also after the reap; 0: no process could be made */
	enum policy_cause cause;
	bool was_ready;
	int64_t started_ms;
	int64_t started_wall_ms;
	struct stages stages; /* of its start */
	uint32_t n_sessions;
	uint32_t ask_again_ms; /* what HELD said */
	int64_t let_go_ms;     /* what RELEASE_ASK said: idle for so long */
	bool is_evicted;       /* and why: its place is wanted */
	int64_t pinged_ms;     /* the watchdog's last question */
	int64_t ponged_ms;     /* and answer */

	/* Memory of failures. */
	unsigned n_failures; /* in a row */
	int64_t retry_at_ms;
	uint64_t mark; /* of the program that failed last */
	char *words;   /* the last one's; NULL: none */

	char name[]; /* "backend HOST" */
};

/*
 * Make a backend for host of a tenant. *new*, taken by backend_run_take;
 * on_gone(backend, arg) is called once, when it must not be used any more.
 * NULL without memory.
 */
struct backend *backend_new(struct context *context, struct board *board,
    size_t tenant_index, const char *host, uint32_t number,
    void (*on_gone)(struct backend *backend, void *arg), void *arg);

/*
 * Start its task in context->scope; *takes* the backend, also on failure.
 * Returns 0 or -errno. Never waits.
 */
int backend_run_take(struct backend *backend);

/* What the last run, or its failure, left to say; "": nothing. *borrowed*. */
const char *backend_words(const struct backend *backend);

/* Put that; cut to PROTO_TEXT_BYTES - 1, lost without memory. */
void backend_set_words(struct backend *backend, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Post an event to its task. Never waits. */
void backend_post(struct backend *backend, enum life_event event);

/*
 * The switchboard holds on to it and wants to be asked again after ms; is_busy:
 * it has an exchange there.
 */
void backend_held(struct backend *backend, uint32_t ask_again_ms, bool is_busy);

#endif
