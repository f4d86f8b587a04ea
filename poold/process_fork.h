/* SPDX-License-Identifier: MIT */
/*
 * process_fork: the making of a child: what it inherits, the descriptors that
 * lead back to us, the fork. What it says and how it ends is process.c's.
 */
#ifndef POOLD_PROCESS_FORK_H
#define POOLD_PROCESS_FORK_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/flow/select.h"

#include "poold/env.h"
#include "poold/heritage.h"

/* What to start; *borrowed* for the call, name and select for ever. */
struct process_spec {
	const char *name; /* for the log: "backend acme.localhost" */
	/*
	 * path, argv, folder, ids, nofile, limits, sandbox, the life pipe and
	 * what comes after them are the caller's; the rest is filled by
	 * process_fork.
	 */
	struct heritage heritage;
	struct env *env;
	int listen_fd;         /* becomes descriptor 3 (LISTEN_FDS); -1: none */
	bool has_channel;      /* the next descriptor, PROTO_CHANNEL_ENV */
	bool has_own_stderr;   /* its stderr is read here, else it is poold's */
	bool shares_group;     /* others live in its group: it is not killed */
	bool is_spare;         /* of the zygote: nobody waits for it */
	struct select *select; /* of the task that hears it */
};

/* Descriptors made for a start, -1: none. */
struct process_fds {
	int channel[2]; /* ours, the child's */
	int report[2];  /* ours, the child's */
	int err[2];     /* ours, the child's */
	int null;
};

#define PROCESS_FDS_NONE                               \
	{                                              \
		{ -1, -1 }, { -1, -1 }, { -1, -1 }, -1 \
	}

/*
 * Make channel and stderr, as the spec says. Returns 0 or -errno; ended with
 * process_fork_close, also after an error.
 */
int process_fork_open(const struct process_spec *spec, struct process_fds *fds);

/* And what only a child of our own fork needs. Returns 0 or -errno. */
int process_fork_open_rest(struct process_fds *fds);

/* Close what was not taken. */
void process_fork_close(struct process_fds *fds);

/*
 * Fork, and run the program in the child. Returns its pid with *pidfd_r *new*
 * (-ENOSYS: the kernel has none), or -errno.
 */
pid_t process_fork(
    const struct process_spec *spec, struct process_fds *fds, int *pidfd_r);

#endif
