/* SPDX-License-Identifier: MIT */
/*
 * pidfd: a process as a descriptor (Linux 5.3): it becomes readable when the
 * process has ended, and a signal sent through it can never hit another
 * process that got the same number.
 */
#ifndef PROC_PIDFD_H
#define PROC_PIDFD_H

#include <stdbool.h>
#include <sys/types.h>

/* Open pid. Returns a *new* descriptor (O_CLOEXEC) or -errno (-ENOSYS). */
int pidfd_open_pid(pid_t pid);

/* Send signo. Returns 0, -ESRCH when it is reaped already, or -errno. */
int pidfd_signal(int pidfd, int signo);

/*
 * Reap our child pid if it has ended, and only it. Returns 1 with its wait
 * status in *status_r (as wait(2) gives it), 0 while it lives, or -errno
 * (-ECHILD: not ours, or reaped already). Never waits.
 */
int pidfd_reap(pid_t pid, int *status_r);

/* Whether our child pid has ended and is not reaped yet. Never waits. */
bool pidfd_is_over(pid_t pid);

#endif
