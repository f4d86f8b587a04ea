/* SPDX-License-Identifier: MIT */
/*
 * process: a child process that belongs to a scope. It leads a session of its
 * own; when the scope ends its whole process group is told to end (SIGTERM),
 * killed after a deadline, and reaped. (poold, whose children are the product,
 * has its own supervision; this is for tools and small programs.)
 */
#ifndef FLOW_PROCESS_H
#define FLOW_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/flow/here.h"

struct flow_process;

/* What to run. Strings are *borrowed* during the call. */
struct flow_process_spec {
	const char *const *argv; /* NULL-ended; argv[0] is looked up in PATH */
	const char *const *envp; /* NULL: this process's environment */
	int fds[3];      /* stdin, stdout, stderr: *borrowed*; -1: kept */
	int64_t stop_ms; /* from SIGTERM to SIGKILL */
	/*
	 * It should live as long as the scope: if it exits earlier the scope's
	 * owner fails with an error that tells its status.
	 */
	bool is_daemon;
};

/*
 * Start a child in the current scope. *process_r is *borrowed* until the
 * scope ends. Returns 0, or the -errno of starting it (ENOENT, EACCES,
 * EAGAIN, ENOMEM …) with *err_r (may be NULL). Waits.
 */
int flow_process_start(const struct flow_process_spec *spec,
    struct flow_process **process_r, struct err *err_r);

/*
 * Wait until it has ended. Returns 0 with the status of wait(2) in *status_r,
 * or -ETIMEDOUT; again and again. Waits.
 */
int
flow_process_wait(struct flow_process *p, int64_t deadline_ms, int *status_r);

/* Its process id; after its end the number may be another's. */
pid_t flow_process_pid(const struct flow_process *p);

#ifndef FLOW_INSIDE
#define flow_process_start(...) (FLOW_HERE(), flow_process_start(__VA_ARGS__))
#define flow_process_wait(...)  (FLOW_HERE(), flow_process_wait(__VA_ARGS__))
#endif

#endif
