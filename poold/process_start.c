/* SPDX-License-Identifier: MIT */
/*
 * process_start: from a spec to a process that is heard, and the end of that:
 * our ends are watched before the child exists, so that nothing it says is
 * missed and what can fail has failed before.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"

#include "poold/process_core.h"

static struct process *
process_new(const struct process_spec *spec)
{
	struct process *const process = mem_zalloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->magic = PROCESS_MAGIC;
	process->name = spec->name;
	process->select = spec->select;
	process->is_reaped = true;
	process->shares_group = spec->shares_group;
	process->pidfd = -1;
	cord_init(&process->cord);
	murmur_init(&process->murmur);
	return process;
}

/* Make channel and stderr and watch our ends; *takes* those out of fds. */
static int
process_open(struct process *process, const struct process_spec *spec,
    struct process_fds *fds)
{
	int e = process_fork_open(spec, fds);

	if (e == 0 && fds->err[0] >= 0)
		e = murmur_open_take(&process->murmur, fd_take(&fds->err[0]),
		    spec->select, process);
	if (e == 0 && fds->channel[0] >= 0)
		e = cord_open_take(&process->cord, fd_take(&fds->channel[0]),
		    spec->select, process);
	return e;
}

/* The child exists: from here on it is ours to reap. */
int
process_adopt_take(struct process *process, pid_t pid, int pidfd)
{
	must(process->is_reaped && process->pid == 0);
	process->pid = pid;
	process->is_reaped = false;
	process_know(process, pidfd == -ENOSYS);
	if (pidfd == -ENOSYS)
		return 0;
	if (pidfd < 0)
		return pidfd;
	process->pidfd = pidfd;
	return select_watch(
	    process->select, &process->end_io, pidfd, LOOP_READ, process);
}

/* Everything but the memory of the object. Returns 0 or -errno. */
static int
process_launch(struct process *process, const struct process_spec *spec,
    struct process_fds *fds)
{
	int pidfd, e;

	if ((e = process_open(process, spec, fds)) < 0 ||
	    (e = process_fork_open_rest(fds)) < 0 ||
	    (e = process_report_open_take(fd_take(&fds->report[0]),
		 &spec->heritage, spec->select, process, &process->report)) < 0)
		return e;
	const pid_t pid = process_fork(spec, fds, &pidfd);
	return pid < 0 ? (int)pid : process_adopt_take(process, pid, pidfd);
}

/* What became of making one. */
static int
process_made(int e, struct process **process, struct err *err_r)
{
	if (e == 0)
		return 0;
	process_free(process);
	return err_set(err_r, e, NULL, "no process could be made: %s",
	    strerrordesc_np(-e));
}

int
process_start(const struct process_spec *spec, struct process **process_r,
    struct err *err_r)
{
	struct process_fds fds = PROCESS_FDS_NONE;

	if (!(*process_r = process_new(spec)))
		return err_set(err_r, -ENOMEM, NULL, "no memory for a process");
	const int e = process_launch(*process_r, spec, &fds);
	process_fork_close(&fds);
	return process_made(e, process_r, err_r);
}

int
process_prepare(const struct process_spec *spec, struct process **process_r,
    int child_fds_r[2], struct err *err_r)
{
	struct process_fds fds = PROCESS_FDS_NONE;

	if (!(*process_r = process_new(spec)))
		return err_set(err_r, -ENOMEM, NULL, "no memory for a process");
	const int e = process_open(*process_r, spec, &fds);
	child_fds_r[0] = e < 0 ? -1 : fd_take(&fds.channel[1]);
	child_fds_r[1] = e < 0 ? -1 : fd_take(&fds.err[1]);
	process_fork_close(&fds);
	return process_made(e, process_r, err_r);
}

void
process_free(struct process **process)
{
	struct process *const p = *process;

	*process = NULL;
	if (!p)
		return;
	must_be(p, PROCESS_MAGIC);
	if (!p->is_reaped) {
		/* Its own zombie is an orphan's now: family.c reaps it. */
		if (!p->shares_group)
			kill(-p->pid, SIGKILL);
		kill(p->pid, SIGKILL);
		process_forget(p);
	}
	process_close(p);
	process_report_free(&p->report);
	murmur_fini(&p->murmur);
	p->magic = 0;
	mem_free(p);
}
