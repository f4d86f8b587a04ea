/* SPDX-License-Identifier: MIT */
/*
 * fault: an error on its way through the tree of tasks, with the errors that
 * it superseded, newest first, so that no error of a teardown is lost.
 */
#ifndef FLOW_FAULT_H
#define FLOW_FAULT_H

#include <stdbool.h>

#include "common/base/err.h"

struct fault {
	struct err err;
	struct fault *older; /* superseded or suppressed; owned */
};

/* Make a *new* fault; never NULL: without memory one that says so. */
struct fault *fault_new(const struct err *err);

/* Copy a fault and what it superseded. *new*, never NULL. */
struct fault *fault_copy(const struct fault *f);

/* Free *f and what it superseded; sets it to NULL. */
void fault_free(struct fault **f);

/* Put newer (*takes*) in front of *list: it is primary now. */
void fault_push_take(struct fault **list, struct fault *newer);

/* The nth error of a list (0: the primary one); false: there is none. */
bool fault_get(const struct fault *f, unsigned nth, struct err *err_r);

/* Put extra (*takes*) behind the primary of *list; empty: it is dropped. */
void fault_attach_take(struct fault **list, struct fault *extra);

#endif
