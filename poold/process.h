/* SPDX-License-Identifier: MIT */
/*
 * process: one child process of poold from its fork to its reap: what it
 * inherits, whether its program could be run, its channel, its stderr, its
 * end. Forked here, or elsewhere and adopted. Written in callbacks; they only
 * tell, the owner's task acts. So a process is never freed in a callback of
 * its own.
 */
#ifndef POOLD_PROCESS_H
#define POOLD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/ipc/channel.h"

#include "poold/env.h"
#include "poold/heritage.h"

struct process;

/* What the owner is told. All in callbacks of the loop. */
struct process_calls {
	/* The program runs now. */
	void (*on_runs)(void *arg);
	/* A message; as channel_open_take says. */
	void (*on_msg)(const struct channel_msg *msg, void *arg);
	/* The channel is over; the process may live on. */
	void (*on_lost)(const char *reason, void *arg);
	/* It was reaped; nothing follows. */
	void (*on_exit)(void *arg);
};

/* What to start; *borrowed* for the call, name and calls for ever. */
struct process_spec {
	const char *name; /* for the log: "backend acme.localhost" */
	/*
	 * path, argv, folder, ids, nofile, limits, sandbox, the life pipe and
	 * what comes after them are the caller's; the rest is filled by
	 * process_start.
	 */
	struct heritage heritage;
	struct env *env;
	int listen_fd;       /* becomes descriptor 3 (LISTEN_FDS); -1: none */
	bool has_channel;    /* the next descriptor, PROTO_CHANNEL_ENV */
	bool has_own_stderr; /* its stderr is read here, else it is poold's */
	bool shares_group;   /* others live in its group: it is not killed */
	bool is_spare;       /* of the zygote's: nobody waits for it */
	const struct process_calls *calls;
	void *arg;
};

/*
 * Fork and run a program. *process_r is *new*, ended with process_free. The
 * program's own failure comes as an exit with process_words. Returns 0 or
 * -errno with *err_r (no process, descriptor or memory to be had).
 */
int process_start(const struct process_spec *spec, struct process **process_r,
    struct err *err_r);

/*
 * The two halves of process_start, for a child that somebody else forks.
 * process_prepare makes channel and stderr; the child's ends of both come in
 * child_fds_r, *new*. What a process says is told from here on.
 */
int process_prepare(const struct process_spec *spec, struct process **process_r,
    int child_fds_r[2], struct err *err_r);

/*
 * It exists: pid is our child, pidfd its own (*takes* it, also on failure).
 * Returns 0 or -errno.
 */
int process_adopt_take(struct process *process, pid_t pid, int pidfd);

/* It is somebody else's now: name and calls *borrowed* for ever. */
void process_pass_on(struct process *process, const char *name,
    const struct process_calls *calls, void *arg);

/* Tell fn each time that a process was reaped. To be called once. */
void process_on_reaped(void (*fn)(void));

/*
 * Free it and set it to NULL; NULL is allowed. A process that was not reaped
 * yet is killed with its group and reaped as an orphan later.
 */
void process_free(struct process **process);

/* Send a signal to it; reaped already: nothing. */
void process_signal(struct process *process, int signo);

/* Whether it has ended, though it may not be reaped yet. */
bool process_is_over(const struct process *process);

/* Its pid, also after the reap. */
pid_t process_pid(const struct process *process);

/* Its wait status; only after on_exit. */
int process_status(const struct process *process);

/*
 * Why it ended, as far as it said: why its program could not be run, else the
 * last line that it wrote to its stderr; "" when there is neither.
 * *borrowed* until process_free.
 */
const char *process_words(const struct process *process);

/*
 * Send a message on its channel; as channel_send. -EPIPE when there is none.
 */
int process_send(struct process *process, enum proto_type type,
    const void *payload, const char *text, int fd);

/* The same with as many descriptors as the row carries. */
int process_send_fds(struct process *process, enum proto_type type,
    const void *payload, const int *fds, unsigned n_fds);

/* Whether pid is a process here that was not reaped. */
bool process_is_known(pid_t pid);

/*
 * SIGCHLD came: look at those whose end cannot be watched (a kernel without
 * pidfds).
 */
void process_look(void);

#endif
