/* SPDX-License-Identifier: MIT */
/* pidfd: system calls that glibc 2.36 declares elsewhere or not at all. */
#include "common/proc/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int
pidfd_open_pid(pid_t pid)
{
	const long fd = syscall(SYS_pidfd_open, pid, 0u);

	/* The kernel sets O_CLOEXEC on it by itself. */
	return fd < 0 ? -errno : (int)fd;
}

int
pidfd_signal(int pidfd, int signo)
{
	const long r = syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0u);

	return r < 0 ? -errno : 0;
}

int
pidfd_reap(pid_t pid, int *status_r)
{
	pid_t got;

	do
		got = waitpid(pid, status_r, WNOHANG | __WALL);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got == pid;
}

bool
pidfd_is_over(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };
	const int what = WEXITED | WNOHANG | WNOWAIT | __WALL;

	return waitid(P_PID, (id_t)pid, &info, what) == 0 && info.si_pid == pid;
}
