/* SPDX-License-Identifier: MIT */
/*
 * parked: a program for gdb to look at. Two tasks wait, one of them
 * below calls of its own, one was started and has not run; then it aborts.
 */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/flow/latch.h"
#include "common/flow/task.h"
#include "common/flow/wait.h"
#include "common/loop/loop.h"

static struct latch answer;

__attribute__((noinline)) static int
ask_person(int question)
{
	int rc;

	rc = latch_wait(&answer, "an answer", CLOCK_NEVER, NULL); /* here */
	return rc + question;
}

__attribute__((noinline)) static int
book_flight(int seats)
{
	return ask_person(seats + 1) * 2;
}

static void *
child(void *arg)
{
	return book_flight(41) ? arg : NULL;
}

static void *
late(void *arg)
{
	return arg;
}

/* Where a callback of the loop may start tasks. */
static struct scope *scope;

static void *
inner(void *arg)
{
	scope = scope_current();
	must(task_spawn(&(struct task_spec){ .name = "child", .body = child },
		 NULL) == 0);
	flow_suspend();
	return NULL;
}

static void *
top(void *arg)
{
	(void)scope_call(inner, NULL, NULL, NULL);
	return NULL;
}

int
main(void)
{
	latch_init(&answer);
	loop_open();
	flow_open();
	must(flow_run(
		 &(struct task_spec){ .name = "top", .body = top }, NULL) == 0);
	(void)loop_turn(false);
	must(scope_run(scope,
		 &(struct task_spec){ .name = "late", .body = late },
		 NULL) == 0);
	abort();
}
