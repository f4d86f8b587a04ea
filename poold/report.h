/* SPDX-License-Identifier: MIT */
/*
 * report: carries events to the switchboard while somebody there reads them: a
 * task that takes the next event when the switchboard gave credit for it.
 */
#ifndef POOLD_REPORT_H
#define POOLD_REPORT_H

#include <stdint.h>

#include "common/flow/task.h"
#include "common/flow/wait.h"

#include "poold/board.h"
#include "poold/context.h"

/* Embedded in its owner. */
struct report {
	struct context *context;
	struct board *board;
	struct task *task; /* NULL: nobody reads */
	uint32_t n_credit;
	struct waitq changed;
};

/* Nobody reads yet. context and board are *borrowed*. */
void report_init(
    struct report *report, struct context *context, struct board *board);

/* The switchboard wants events, or no more. Never waits. */
void report_watch(struct report *report, const struct proto_watch *watch);

/* Stop: the switchboard is gone. Nothing is running: nothing. Never waits. */
void report_stop(struct report *report);

/*
 * The stream was closed: wait until the switchboard has it all, or
 * deadline_ms, or hurry. Waits.
 */
void report_end(struct report *report, int64_t deadline_ms);

/* Wake who waits in report_end: hurry was asked for. Never waits. */
void report_hurry(struct report *report);

#endif
