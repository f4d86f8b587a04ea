/* SPDX-License-Identifier: MIT */
/*
 * process_report: the pipe by which a child of our own fork says what became
 * of its program: closed by exec it runs; else why it does not, or what
 * child_init.c says about the program below it.
 */
#ifndef POOLD_PROCESS_REPORT_H
#define POOLD_PROCESS_REPORT_H

#include <stdbool.h>

#include "common/flow/select.h"

#include "poold/heritage.h"

struct process_report;

/* What was read. */
enum process_report_kind {
	PROCESS_REPORT_NONE,   /* nothing for now, or for ever */
	PROCESS_REPORT_RUNS,   /* the program runs */
	PROCESS_REPORT_STATUS, /* it ended below child_init, with this status */
};

/*
 * Watch our end of the pipe (*takes* fd, also on failure) of a child that
 * inherits *h, told with arg. *report_r is *new*. Returns 0 or -errno.
 */
int process_report_open_take(int fd, const struct heritage *h,
    struct select *select, void *arg, struct process_report **report_r);

/* Read on. status_r: of PROCESS_REPORT_STATUS. Never waits. */
enum process_report_kind
process_report_read(struct process_report *report, int *status_r);

/* Whether nothing more can come of it, and it has no words. */
bool process_report_is_spent(const struct process_report *report);

/* Why the program does not run; "" when it does. *borrowed*. */
const char *process_report_words(const struct process_report *report);

/* Read no more; the words stay. */
void process_report_close(struct process_report *report);

/* Free it and set it to NULL; NULL is allowed. */
void process_report_free(struct process_report **report);

#endif
