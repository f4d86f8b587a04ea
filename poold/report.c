/* SPDX-License-Identifier: MIT */
/* report: one task, one event at a time. */
#include "poold/report.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#include "poold/events.h"

#define REPORT_CREDIT_MAX 65536 /* whatever the switchboard says */

void
report_init(struct report *report, struct context *context, struct board *board)
{
	*report = (struct report){ .context = context, .board = board };
	waitq_init(&report->changed);
}

/* Read until the stream ends or this reader is too slow. */
static int
report_read(struct report *report)
{
	events_reader_auto struct events_reader reader = { 0 };
	struct proto_event event;
	char text[PROTO_TEXT_BYTES];
	int e = events_join(&report->context->events, &reader);

	while (e == 0) {
		while (report->n_credit == 0)
			(void)waitq_wait(&report->changed,
			    "the switchboard to read events", CLOCK_NEVER);
		if ((e = events_next(&reader, &event, text)) < 0)
			break;
		report->n_credit--;
		(void)board_send(report->board, PROTO_EVENT, &event, text);
	}
	return e;
}

static void *
report_body(void *arg)
{
	struct report *const report = arg;
	int e;

	/* It is told by the gap in the ids of what it gets next. */
	while ((e = report_read(report)) == -ENOBUFS)
		log_warn("events: the switchboard reads too slowly, some are "
			 "lost to it");
	if (e == -ENOMEM)
		log_warn("events: no memory to report them");
	return NULL;
}

static void
report_dispose(void *arg)
{
	struct report *const report = arg;

	waitq_wake_all(&report->changed, 0);
}

void
report_watch(struct report *report, const struct proto_watch *watch)
{
	const struct task_spec spec = {
		.name = "report of events",
		.body = report_body,
		.arg = report,
		.dispose = report_dispose,
	};

	if (!watch->is_on) {
		report_stop(report);
		return;
	}
	report->n_credit =
	    watch->n_credit < REPORT_CREDIT_MAX - report->n_credit
		? report->n_credit + watch->n_credit
		: REPORT_CREDIT_MAX;
	waitq_wake_all(&report->changed, 0);
	if (report->task && task_outcome(report->task) == TASK_RUNNING)
		return;
	task_unref(&report->task);
	if (scope_run(report->context->scope, &spec, &report->task) < 0)
		log_warn("events: they cannot be reported now");
}

void
report_stop(struct report *report)
{
	report->n_credit = 0;
	if (report->task)
		task_halt_soon(report->task);
	task_unref(&report->task);
}

void
report_end(struct report *report, int64_t deadline_ms)
{
	while (report->task && task_outcome(report->task) == TASK_RUNNING &&
	       !report->context->is_hurried)
		if (waitq_wait(&report->changed, "the last events to be read",
			deadline_ms) == -ETIMEDOUT) {
			log_warn("events: the last ones were not read in time");
			break;
		}
	report_stop(report);
}

void
report_hurry(struct report *report)
{
	waitq_wake_all(&report->changed, 0);
}
