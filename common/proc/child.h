/* SPDX-License-Identifier: MIT */
/*
 * child: what a new process does to itself between fork and exec. Every call
 * here is async-signal-safe: no locks, no allocation, no stdio.
 */
#ifndef PROC_CHILD_H
#define PROC_CHILD_H

#include <sys/types.h>

/* Unblock every signal and give each its default action. */
void child_reset_signals(void);

/*
 * Let the kernel take us as any other when memory is short, though whoever
 * forked us is spared (oom_score_adj below 0, proc(5)). Without /proc nothing
 * is done.
 */
void child_be_mortal(void);

/*
 * Die by SIGKILL when the thread that forked us ends. To be called after the
 * last change of ids, since that clears the setting. parent_pid is the
 * parent's, as it saw itself; life_fd the read end of a pipe whose write end
 * only the parent holds (our copy is closed already): if it hung up, the
 * parent died before the setting took effect. The pid says the same earlier,
 * when a sibling between its fork and exec still holds a copy; in a namespace
 * of our own getppid is 0 and proves nothing.
 * Returns 0, -ESRCH when the parent is gone, or -errno.
 */
int child_die_with(pid_t parent_pid, int life_fd);

/* The same by another signal, for who has to end others first. */
int child_die_by(int signo, pid_t parent_pid, int life_fd);

/*
 * Put fds[i] at descriptor first + i for each i < n (n <= 16), without
 * O_CLOEXEC; -1 leaves that number alone. Sources are not closed (they are
 * O_CLOEXEC from birth) and may overlap the targets. Returns 0 or -errno.
 */
int child_place_fds(int first, const int *fds, unsigned n);

/*
 * Let no descriptor from `from` on survive exec, whoever opened it. Returns 0
 * or -errno (-ENOSYS before Linux 5.11: then O_CLOEXEC from birth must do).
 */
int child_cloexec_from(int from);

/*
 * Close every descriptor from `from` on: for a child that does not exec, which
 * O_CLOEXEC does not protect. Returns 0 or -errno (-ENOSYS before Linux 5.9).
 */
int child_close_from(int from);

#endif
