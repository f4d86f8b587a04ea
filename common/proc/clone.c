/* SPDX-License-Identifier: MIT */
/* clone: clone3(2), which glibc 2.36 does not wrap. */
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
	const long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		return -errno;
	if (pid > 0)
		*pidfd_r = pidfd;
	return (pid_t)pid;
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
