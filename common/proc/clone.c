/* SPDX-License-Identifier: MIT */
/*
 * clone: clone3(2), which glibc 2.36 does not wrap; and clone(2) where the
 * filter of a container refuses it, whose flags such filters cannot read.
 */
#include "common/proc/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/must.h"

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

/*
 * Where glibc keeps the thread's id: fork has the kernel write the child's id
 * there, and so must we, or mutexes of the child know a stranger as owner. 0
 * where the kernel does not tell.
 */
static uint64_t
clone_tid_place(void)
{
	int *place = NULL;

	if (prctl(PR_GET_TID_ADDRESS, &place, 0, 0, 0) < 0)
		return 0;
	return (uint64_t)(uintptr_t)place;
}

/* The same by the older call, which knows no cgroup. */
static long
clone_by_flags(const struct clone_args *args)
{
	const unsigned long flags = args->flags | args->exit_signal;

	/* raw clone(2): the order of the last two is each machine's own */
#if defined(__x86_64__)
	return syscall(
	    SYS_clone, flags, 0ul, args->pidfd, args->child_tid, 0ul);
#else
	return syscall(
	    SYS_clone, flags, 0ul, args->pidfd, 0ul, args->child_tid);
#endif
}

/* Docker says ENOSYS, or, when it is older, EPERM, as to any call. */
static bool
clone_is_refused(long pid, const struct clone_spec *spec)
{
	return pid < 0 && (errno == ENOSYS || errno == EPERM) &&
	       spec->cgroup_fd < 0;
}

pid_t
clone_child(const struct clone_spec *spec, int *pidfd_r)
{
	const uint64_t tid = clone_tid_place();
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		/* A sibling's is that of its parent's other children. */
		.exit_signal = spec->is_sibling ? 0 : SIGCHLD,
	};

	*pidfd_r = -1;
	if (tid) {
		args.flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
		args.child_tid = tid;
	}
	if (spec->has_namespace)
		args.flags |= CLONE_NEWPID;
	if (spec->is_sibling)
		args.flags |= CLONE_PARENT;
	if (spec->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)spec->cgroup_fd;
	}
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (clone_is_refused(pid, spec))
		pid = clone_by_flags(&args);
	if (pid < 0)
		return -errno;
	/* Before Linux 5.2 the flag means nothing. */
	if (pid > 0)
		*pidfd_r = pidfd >= 0 ? pidfd : -ENOSYS;
	return (pid_t)pid;
}

bool
clone_is_readable(void)
{
	/* Too short a struct: EINVAL from the call itself. */
	return syscall(SYS_clone3, NULL, (size_t)0) < 0 &&
	       (errno == ENOSYS || errno == EPERM);
}

int
clone_try(const struct clone_spec *spec)
{
	int pidfd, status;

	must(!spec->is_sibling);
	const pid_t pid = clone_child(spec, &pidfd);
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return (int)pid;
	close(pidfd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}
