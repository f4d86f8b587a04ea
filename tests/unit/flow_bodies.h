/* SPDX-License-Identifier: MIT */
/* flow_bodies: tasks that more than one suite of the flow tests starts. */
#ifndef FLOW_BODIES_H
#define FLOW_BODIES_H

#include "tests/unit/flow_harness.h"

/* Return arg. */
void *body_return(void *arg);

/* Sleep a second: "started", "slept", "cleaned". */
void *body_sleep(void *arg);

/* Wait for nothing; the teardown takes 10 ms: "arg(", "arg)". */
void *body_slow_end(void *arg);

/* Fail with -EPERM and the text arg; note "unwound". */
void *body_fail(void *arg);

/* The same after 5 ms, without a note. */
void *body_fail_later(void *arg);

/* Note the word arg, and return it. */
void *body_note(void *arg);

/* Wait for nothing: "arg" when it is unwound. */
void *body_suspend(void *arg);

/* The same without a note; a finaliser fails: finalise_badly(arg). */
void *body_bad_end(void *arg);

/* A finaliser: fail with -EIO, "arg is broken". */
int finalise_badly(void *arg, struct err *err);

/* The same, and note the word arg before. */
int finalise_badly_aloud(void *arg, struct err *err);

/* Halt the task arg; note "halted". */
void *halt_arg(void *arg);

/* Note "disposed"; the dispose of a spec. */
void dispose_note(void *arg);

#endif
