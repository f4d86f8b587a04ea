/* SPDX-License-Identifier: MIT */
/* outside: a deferred call of the loop, which runs on no task's stack. */
#include "common/flow/outside.h"

#include "common/base/clock.h"
#include "common/flow/wait.h"
#include "common/loop/loop.h"

struct outside_call {
	void (*fn)(void *arg);
	void *arg;
	struct loop_defer defer;
	struct waitq done;
};

static void
outside_on_turn(void *arg)
{
	struct outside_call *const call = arg;

	call->fn(call->arg);
	waitq_wake_all(&call->done, 0);
}

static void
outside_cancel(struct outside_call *call)
{
	loop_defer_cancel(&call->defer);
}

void
flow_outside(void (*fn)(void *arg), void *arg)
{
	__attribute__((cleanup(outside_cancel))) struct outside_call call = {
		.fn = fn,
		.arg = arg,
	};

	waitq_init(&call.done);
	loop_defer(&call.defer, outside_on_turn, &call);
	(void)waitq_wait(
	    &call.done, "a call on the program's stack", CLOCK_NEVER);
}
