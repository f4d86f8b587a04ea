/* SPDX-License-Identifier: MIT */
/* backend_confine: what one run of a backend is confined to. */
#ifndef POOLD_BACKEND_CONFINE_H
#define POOLD_BACKEND_CONFINE_H

#include "common/proc/landlock.h"
#include "common/proc/limits.h"
#include "common/proc/sandbox.h"

#include "poold/backend.h"

/* Embedded in the spawning function's storage; paths *borrowed*. */
struct backend_confine {
	struct drop_ids ids;
	bool has_ids; /* else poold's own */
	struct limits limits;
	struct sandbox sandbox;
	struct landlock_rules files;
	const char **paths; /* those to read, then those to change */
};

/*
 * Find out as whom the backend runs, and see to its folder's owner. Returns 0
 * or -errno with *err_r; ended with backend_confine_fini, also after an error.
 */
int backend_confine_init(struct backend_confine *confine,
    struct backend *backend, struct err *err_r);

/*
 * Fill in what it may use up, open and call. folder is its state folder,
 * program what is run; both *borrowed* until backend_confine_fini. Returns 0
 * or -ENOMEM.
 */
int backend_confine_fill(struct backend_confine *confine,
    const struct backend *backend, const char *folder, const char *program);

/* Free it. */
void backend_confine_fini(struct backend_confine *confine);

#endif
