/* SPDX-License-Identifier: MIT */
/*
 * zygote_link: the zygote as a child of poold, and asking it for processes.
 * One task starts it, waits for its end and starts it again, like board.c. A
 * process that it forked is a child of poold: it is adopted when the zygote
 * tells of it, and waits until it is told its tenant.
 */
#ifndef POOLD_ZYGOTE_LINK_H
#define POOLD_ZYGOTE_LINK_H

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/flow/select.h"

#include "poold/again.h"
#include "poold/context.h"
#include "poold/process.h"

struct zygote_job;
TAILQ_HEAD(zygote_jobs, zygote_job);

/* Embedded in its owner. */
struct zygote_link {
	struct context *context;
	struct process *process; /* NULL: none */
	bool is_ready;
	bool is_over;     /* it was reaped */
	bool is_starting; /* it may become ready soon: worth waiting for */
	bool is_ending;   /* it shall not be started again */
	struct again again;
	uint64_t serial;         /* of the last job */
	struct zygote_jobs jobs; /* asked for, not answered */
	struct zygote_jobs left; /* answered, but nobody waits: to be reaped */
	struct select select;    /* what its task waits for */
	struct waitq changed;    /* those who wait for it */
};

/* Fill *link. */
void zygote_link_init(struct zygote_link *link, struct context *context);

/* Spawn its task in the current scope. Returns 0 or -ENOMEM. */
int zygote_link_run(struct zygote_link *link);

/*
 * Have a process forked. Of the spec name, select and heritage.has_namespace
 * and .cgroup_fd matter: it has a channel and a stderr. *process_r is *new*.
 * Returns 0 or -errno with *err_r (-EAGAIN: there is no zygote now, nor soon).
 * Waits, a second at most.
 */
int zygote_link_fork(struct zygote_link *link, const struct process_spec *spec,
    struct process **process_r, struct err *err_r);

/*
 * The same in two steps, with time in between for what the process will need.
 * *job_r is *new* and ended by zygote_job_leave, also after the second step.
 */
int zygote_link_ask(struct zygote_link *link, const struct process_spec *spec,
    struct zygote_job **job_r, struct err *err_r);
int zygote_link_await(
    struct zygote_job *job, struct process **process_r, struct err *err_r);

/* Nobody waits for it any more; what comes of it is killed. NULL: nothing. */
void zygote_job_leave(struct zygote_job **job);

#define zygote_job_auto __attribute__((cleanup(zygote_job_leave)))

/*
 * End it and wait until it was reaped, or the kernel does not let go of it;
 * SIGKILL at deadline_ms or in a hurry. Waits.
 */
void zygote_link_end(struct zygote_link *link, int64_t deadline_ms);

/* Wake who waits in zygote_link_end: hurry was asked for. Never waits. */
void zygote_link_hurry(struct zygote_link *link);

#endif
