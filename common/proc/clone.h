/* SPDX-License-Identifier: MIT */
/*
 * clone: fork with what fork cannot give: a pidfd from birth, a PID namespace,
 * a cgroup, another parent. A cgroup takes clone3 of Linux 5.7 or later: where
 * it is missing, or a container forbids it, that is -ENOSYS, -EINVAL, -E2BIG or
 * -EPERM.
 */
#ifndef PROC_CLONE_H
#define PROC_CLONE_H

#include <stdbool.h>
#include <sys/types.h>

struct clone_spec {
	bool has_namespace; /* first process of a PID namespace of its own */
	bool is_sibling;    /* a child of our parent, not of ours */
	int cgroup_fd;      /* folder of a v2 cgroup to start in; -1: ours */
};

/*
 * Fork. Handlers of pthread_atfork are not called, so the process must have
 * one thread. Returns 0 in the child; in the parent the pid as we see it, with
 * a *new* pidfd (O_CLOEXEC) in *pidfd_r, or -ENOSYS there where the kernel has
 * none; or -errno. Source: clone(2).
 */
pid_t clone_child(const struct clone_spec *spec, int *pidfd_r);

/*
 * Whether clone_child does with clone(2), since clone3 is refused. A filter
 * reads the flags of that, and may forbid namespaces.
 */
bool clone_is_readable(void);

/*
 * Whether clone_child can do that here and now: a child is made that exits at
 * once, and reaped; without is_sibling only. Returns 0 or -errno. Start-up
 * only.
 */
int clone_try(const struct clone_spec *spec);

#endif
