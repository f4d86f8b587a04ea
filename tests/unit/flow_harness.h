/* SPDX-License-Identifier: MIT */
/*
 * flow_harness: runs a body as a top-level task under the virtual clock and
 * keeps a trace of what happened, in order, as words separated by spaces.
 * Bodies note; tests compare afterwards, never on a task's stack.
 */
#ifndef FLOW_HARNESS_H
#define FLOW_HARNESS_H

#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/flow/task.h"
#include "common/loop/loop.h"

static char harness_trace[4096];

/* Append a word to the trace. */
__attribute__((format(printf, 1, 2), unused)) static void
note(const char *fmt, ...)
{
	const size_t at = strlen(harness_trace);
	va_list ap;

	must(at < sizeof(harness_trace) - 64);
	va_start(ap, fmt);
	vsnprintf(harness_trace + at, sizeof(harness_trace) - at, fmt, ap);
	va_end(ap);
	strcat(harness_trace, " ");
}

/* A local that notes when it is cleaned up. */
__attribute__((unused)) static void
note_cleanup(const char **word)
{
	note("%s", *word);
}
#define noted __attribute__((cleanup(note_cleanup), unused)) const char *

/* Spawn a child of the current scope that must not fail. */
#define SPAWN(body_, arg_, task_r_)                                \
	must(task_spawn(                                           \
		 &(struct task_spec){                              \
		     .name = #body_, .body = body_, .arg = arg_ }, \
		 task_r_) == 0)

__attribute__((unused)) static enum task_outcome harness_outcome;
__attribute__((unused)) static struct err harness_err;

/* Run body(arg) to its end; the outcome is in harness_*. */
__attribute__((unused)) static void
run_flow(task_body_fn *body, void *arg)
{
	struct task *t;

	harness_trace[0] = '\0';
	err_clear(&harness_err);
	clock_virtual_start(1000);
	loop_open();
	flow_open();
	must(
	    flow_run(
		&(struct task_spec){ .name = "test", .body = body, .arg = arg },
		&t) == 0);
	while (task_outcome(t) == TASK_RUNNING)
		must(loop_turn(true) || task_outcome(t) != TASK_RUNNING);
	harness_outcome = task_outcome(t);
	task_error(t, 0, &harness_err);
	task_unref(&t);
	flow_close();
	loop_close();
	clock_virtual_stop();
}

/* The trace without its last space. */
__attribute__((unused)) static const char *
traced(void)
{
	const size_t n = strlen(harness_trace);

	if (n && harness_trace[n - 1] == ' ')
		harness_trace[n - 1] = '\0';
	return harness_trace;
}

#endif
