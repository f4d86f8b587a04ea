/* SPDX-License-Identifier: MIT */
/*
 * tenant: the life of this backend: makes everything in order, says that it is
 * ready, waits for its end, and ends everything in order: tools first, then
 * the clients that wait for them are told, then connections close.
 */
#ifndef BACKEND_TENANT_H
#define BACKEND_TENANT_H

#include <stdint.h>

/* What this backend was started with; *borrowed* until the program ends. */
struct tenant_spec {
	const char *host;      /* lower case */
	const char *state_dir; /* where to work; NULL: where it is */
	int64_t session_timeout_ms;
	unsigned max_sessions;
	char **tools; /* files, NULL at the end */
};

/*
 * The root task. arg is a struct tenant_spec. Returns when poold is gone;
 * without poold it waits for a signal. Waits.
 */
void *tenant_run(void *arg);

/* A second signal came: clients are told no more. */
void tenant_hurry(int signo);

#endif
