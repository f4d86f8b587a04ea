/* SPDX-License-Identifier: MIT */
/*
 * context: values that a scope hands down to everything started in it. A value
 * is visible in the scope that set it and below, to tasks that exist already
 * and to later ones, not above and not beside.
 */
#ifndef FLOW_CONTEXT_H
#define FLOW_CONTEXT_H

#include <stdbool.h>

#include "common/flow/task.h"

/* A context is its address: a static const object. */
struct flow_context {
	const char *name;
	void *initial;    /* what is visible where nothing was set … */
	bool has_initial; /* … if there is such a value */
};

/*
 * Set the value in the current scope; the scope's end forgets it. The value
 * is *borrowed*: it must live as long as the scope. Returns 0 or -ENOMEM.
 * Never waits.
 */
int flow_context_set(const struct flow_context *c, void *value);

/* Find the value seen from the running task. Returns whether there is one. */
bool flow_context_find(const struct flow_context *c, void **value_r);

/* The value, or the task fails with an error that names the context. */
void *flow_context_expect(const struct flow_context *c);

/*
 * Call fn(arg) with the value set, and set back what was there before however
 * the call ends (return, error, halt). Returns what fn returned; fails the
 * task with -ENOMEM. Waits if fn does.
 */
void *flow_context_with(
    const struct flow_context *c, void *value, task_body_fn *fn, void *arg);

#endif
