/* SPDX-License-Identifier: MIT */
/*
 * process: one child process of poold from its start to its reap: whether its
 * program could be run, its channel, its stderr, its end. Forked here, or
 * elsewhere and adopted. It has no task and no callbacks: the task of its owner
 * waits for it in a select, notes what is ready, and asks what is new.
 */
#ifndef POOLD_PROCESS_H
#define POOLD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/flow/select.h"
#include "common/ipc/packet.h"

#include "poold/process_fork.h"

struct process;

/* What is new of it. */
enum process_news {
	PROCESS_QUIET, /* nothing, until more is ready */
	PROCESS_RUNS,  /* its program runs now */
	PROCESS_SAYS,  /* a message */
	PROCESS_LOST,  /* its channel is over; it may live on */
	PROCESS_ENDED, /* it was reaped; nothing follows */
};

/* What belongs to it. */
struct process_said {
	/*
	 * PROCESS_SAYS: the message; *borrowed* until process_next is called
	 * for any process: nobody waits with it. Its descriptors are to be
	 * taken (fd_take) or closed with it.
	 */
	struct packet *packet;
	const char *reason; /* PROCESS_LOST: a word for the log */
};

/*
 * Start a program. *process_r is *new*, ended with process_free. The program's
 * own failure comes as an end with process_words. Returns 0 or -errno with
 * *err_r (no process, descriptor or memory to be had).
 */
int process_start(const struct process_spec *spec, struct process **process_r,
    struct err *err_r);

/*
 * The two halves of process_start, for a child that somebody else forks.
 * process_prepare makes channel and stderr; the child's ends of both come in
 * child_fds_r, *new*. What it says comes from here on.
 */
int process_prepare(const struct process_spec *spec, struct process **process_r,
    int child_fds_r[2], struct err *err_r);

/*
 * It exists: pid is our child, pidfd its own (*takes* it, also on failure).
 * Returns 0 or -errno.
 */
int process_adopt_take(struct process *process, pid_t pid, int pidfd);

/* Another task hears it from now on: name and select *borrowed* for ever. */
void process_pass_on(
    struct process *process, const char *name, struct select *select);

/*
 * A descriptor of some process is ready, as select_next said: it is noted.
 * Returns the process, *borrowed*, which has news now.
 */
struct process *process_note(struct select_fd *ready, int events);

/*
 * What is new, in this order: whether its program runs, what it says, its end;
 * its end when all that it said was told. To be called until it is
 * PROCESS_QUIET. Its stderr goes to the log on the way. Never waits.
 */
enum process_news
process_next(struct process *process, struct process_said *said_r);

/* Call fn each time that a process was reaped. To be called once. */
void process_on_reaped(void (*fn)(void));

/*
 * Free it and set it to NULL; NULL is allowed. A process that was not reaped
 * yet is killed with its group and reaped as an orphan later.
 */
void process_free(struct process **process);

/* It says what is not its to say: its channel is closed. */
void process_hang_up(struct process *process);

/* Send a signal to it; reaped already: nothing. */
void process_signal(struct process *process, int signo);

/* Whether it has ended, though it may not be reaped yet. */
bool process_is_over(const struct process *process);

/* Its pid, also after the reap. */
pid_t process_pid(const struct process *process);

/* Its wait status; only after PROCESS_ENDED. */
int process_status(const struct process *process);

/*
 * Whether it ended without having read all that it was sent; only after
 * PROCESS_ENDED.
 */
bool process_left_unread(const struct process *process);

/*
 * Why it ended, as far as it said: why its program could not be run, else the
 * last line that it wrote to its stderr; "" when there is neither.
 * *borrowed* until process_free.
 */
const char *process_words(const struct process *process);

/* Keep so many more messages for it while it does not read its channel. */
void process_add_room(struct process *process, unsigned n_messages);

/*
 * Send a message on its channel: what the kernel does not take is kept. Returns
 * as outbox_send; -EPIPE when there is no channel. Never waits.
 */
int process_send(struct process *process, enum proto_type type,
    const void *payload, const char *text, int fd);

/* The same with as many descriptors as the row carries. */
int process_send_fds(struct process *process, enum proto_type type,
    const void *payload, const int *fds, unsigned n_fds);

/* Whether pid is a process here that was not reaped. */
bool process_is_known(pid_t pid);

/*
 * SIGCHLD came: those whose end cannot be watched (a kernel without pidfds) may
 * have news.
 */
void process_look(void);

#endif
