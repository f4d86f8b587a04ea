/* SPDX-License-Identifier: MIT */
/* process_fork: descriptors, environment, clone. */
#include "poold/process_fork.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/ipc/packet.h"
#include "common/proc/clone.h"

#include "poold/child_exec.h"

void
process_fork_close(struct process_fds *fds)
{
	for (int i = 0; i < 2; i++) {
		fd_close(&fds->channel[i]);
		fd_close(&fds->report[i]);
		fd_close(&fds->err[i]);
	}
	fd_close(&fds->null);
}

static int
process_pipe(int fds_r[2])
{
	/* Ours does not block; the child's end is a plain one. */
	if (pipe2(fds_r, O_CLOEXEC) < 0)
		return -errno;
	return fd_nonblock(fds_r[0]);
}

int
process_fork_open(const struct process_spec *spec, struct process_fds *fds)
{
	int e = 0;

	*fds = (struct process_fds){ { -1, -1 }, { -1, -1 }, { -1, -1 }, -1 };
	if (spec->has_channel)
		e = packet_pair(fds->channel);
	if (e == 0 && spec->has_own_stderr)
		e = process_pipe(fds->err);
	return e;
}

int
process_fork_open_rest(struct process_fds *fds)
{
	fds->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fds->null < 0)
		return -errno;
	return process_pipe(fds->report);
}

/* Say in the environment what stands at which descriptor. */
static int
process_fill(const struct process_spec *spec, const struct process_fds *fds,
    struct heritage *h)
{
	const int err_fd = spec->has_own_stderr ? fds->err[1] : STDERR_FILENO;
	int next = 3;

	*h = spec->heritage;
	h->listen_pid = NULL;
	h->fds[0] = fds->null;
	h->fds[1] = h->fds[2] = err_fd;
	h->fds[3] = h->fds[4] = -1;
	h->report_fd = fds->report[1];
	if (spec->listen_fd >= 0) {
		h->fds[next++] = spec->listen_fd;
		h->listen_pid = env_set(
		    spec->env, "LISTEN_PID", "%0*d", HERITAGE_PID_DIGITS, 0);
		if (!h->listen_pid || !env_set(spec->env, "LISTEN_FDS", "1"))
			return -ENOMEM;
	}
	if (spec->has_channel) {
		h->fds[next] = fds->channel[1];
		if (!env_set(spec->env, PROTO_CHANNEL_ENV, "%d", next))
			return -ENOMEM;
	}
	h->envp = spec->env->vars;
	return 0;
}

/* Fork with all signals blocked: no handler of poold's runs in the child. */
static pid_t
process_clone(const struct heritage *h, int *pidfd_r)
{
	const struct clone_spec spec = {
		.has_namespace = h->has_namespace,
		.cgroup_fd = h->cgroup_fd,
	};
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	const pid_t pid = clone_child(&spec, pidfd_r);
	if (pid == 0)
		child_exec(h);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

pid_t
process_fork(
    const struct process_spec *spec, struct process_fds *fds, int *pidfd_r)
{
	struct heritage h;
	const int e = process_fill(spec, fds, &h);

	return e < 0 ? e : process_clone(&h, pidfd_r);
}
