/* SPDX-License-Identifier: MIT */
/*
 * env: the environment of a child: poold's own without what was said to poold
 * alone (NOTIFY_SOCKET, LISTEN_*, WATCHDOG_*, …), plus what this child is told.
 */
#ifndef POOLD_ENV_H
#define POOLD_ENV_H

#include <stddef.h>

#define ENV_SET_MAX 8 /* variables that env_set can add */

/* Embedded in the spawning function's storage; strings of poold *borrowed*. */
struct env {
	char **vars; /* NULL at the end; for execve */
	size_t n;
	size_t n_set;
	char *set[ENV_SET_MAX]; /* ours */
};

/* Begin with what a child may have of from. Returns 0 or -ENOMEM. */
int env_init(struct env *env, char *const *from);

/*
 * Set name to the formatted value, in place of an inherited one. Returns the
 * place of the value inside the environment (to be changed before exec), or
 * NULL without memory.
 */
char *env_set(struct env *env, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Free it. */
void env_fini(struct env *env);

#endif
