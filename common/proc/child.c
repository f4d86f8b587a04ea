/* SPDX-License-Identifier: MIT */
/* child: bare system calls between fork and exec. */
#include "common/proc/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/must.h"

#define CHILD_FDS_MAX  16
#define CHILD_FDS_HIGH 32 /* above every target of child_place_fds */

void
child_reset_signals(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* KILL, STOP and libc's own two refuse; that is well. */
	for (int signo = 1; signo < NSIG; signo++)
		sigaction(signo, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
child_be_mortal(void)
{
	char sign = 0;
	const int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (read(fd, &sign, 1) == 1 && sign == '-')
		(void)!pwrite(fd, "0", 1, 0);
	close(fd);
}

int
child_die_by(int signo, pid_t parent_pid, int life_fd)
{
	struct pollfd life = { .fd = life_fd, .events = 0 };

	if (prctl(PR_SET_PDEATHSIG, signo, 0, 0, 0) < 0)
		return -errno;
	const pid_t now = getppid();
	if (now != 0 && now != parent_pid)
		return -ESRCH;
	if (poll(&life, 1, 0) < 0)
		return -errno;
	return life.revents & (POLLHUP | POLLERR | POLLNVAL) ? -ESRCH : 0;
}

int
child_die_with(pid_t parent_pid, int life_fd)
{
	return child_die_by(SIGKILL, parent_pid, life_fd);
}

int
child_place_fds(int first, const int *fds, unsigned n)
{
	int high[CHILD_FDS_MAX];

	must(n <= CHILD_FDS_MAX && first >= 0 &&
	     first + (int)n <= CHILD_FDS_HIGH);
	for (unsigned i = 0; i < n; i++) {
		high[i] = -1;
		if (fds[i] < 0)
			continue;
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, CHILD_FDS_HIGH);
		if (high[i] < 0)
			return -errno;
	}
	for (unsigned i = 0; i < n; i++)
		if (high[i] >= 0 && dup2(high[i], first + (int)i) < 0)
			return -errno;
	return 0;
}

int
child_cloexec_from(int from)
{
	const long r = syscall(SYS_close_range, (unsigned)from, UINT_MAX,
	    (unsigned)CLOSE_RANGE_CLOEXEC);

	return r < 0 ? -errno : 0;
}

int
child_close_from(int from)
{
	const long r = syscall(SYS_close_range, (unsigned)from, UINT_MAX, 0u);

	return r < 0 ? -errno : 0;
}
