/* SPDX-License-Identifier: MIT */
/* flow_bodies: what they note is part of what the tests compare. */
#include "tests/unit/flow_bodies.h"

#include "common/flow/sleep.h"

void *
body_return(void *arg)
{
	return arg;
}

void *
body_sleep(void *arg)
{
	noted(end, "cleaned");

	note("started");
	flow_sleep(1000);
	note("slept");
	return arg;
}

void *
body_slow_end(void *arg)
{
	ENSURE(note_slow_end, arg);
	flow_suspend();
	return NULL;
}

void *
body_fail(void *arg)
{
	noted(end, "unwound");

	flow_fail(-EPERM, "%s", (const char *)arg);
}

void *
body_fail_later(void *arg)
{
	flow_sleep(5);
	flow_fail(-EPERM, "%s", (const char *)arg);
}

void *
body_note(void *arg)
{
	note("%s", (const char *)arg);
	return arg;
}

void *
body_suspend(void *arg)
{
	noted(end, arg);

	flow_suspend();
	note("not-reached");
	return NULL;
}

int
finalise_badly(void *arg, struct err *err)
{
	return err_set(err, -EIO, NULL, "%s is broken", (const char *)arg);
}

int
finalise_badly_aloud(void *arg, struct err *err)
{
	note("%s", (const char *)arg);
	return finalise_badly(arg, err);
}

void *
body_bad_end(void *arg)
{
	ENSURE(finalise_badly, arg);
	flow_suspend();
	return NULL;
}

void *
halt_arg(void *arg)
{
	need(task_halt(arg, NULL) == 0);
	note("halted");
	return NULL;
}

void
dispose_note(void *arg)
{
	note("disposed");
}
