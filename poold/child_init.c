/* SPDX-License-Identifier: MIT */
/*
 * child_init: never executes, so it is a copy of poold that keeps one
 * descriptor, the report, and waits for signals. All are blocked and taken one
 * by one: a blocked signal is delivered to the first process of a namespace
 * though it has no handler. It cannot be traced by the tenant, whose user it
 * is.
 */
#include "poold/child_init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/proc/child.h"
#include "common/proc/title.h"

#include "poold/child_exec.h"

#define CHILD_INIT_PATH 64

/* Its descriptors beside the program's 0 to 4. */
enum { CHILD_INIT_REPORT = HERITAGE_N_FDS, CHILD_INIT_LIFE };

struct child_init {
	const struct heritage *h;
	int report_fd;
	pid_t pid; /* of the program */
	bool has_ended;
	int status; /* of the program */
};

static void
child_tell(const struct child_init *init, enum heritage_step step, int e)
{
	const struct heritage_report report = { (int)step, e };

	(void)!write(init->report_fd, &report, sizeof(report));
}

/* ---------------------------------------------------------------- the program
 */

/* Below: its parent's death is its own, then as any child. */
static void __attribute__((noreturn))
child_below(const struct heritage *h, int report_fd, pid_t parent)
{
	child_reset_signals();
	/* It is no group of init's, which forwards to it alone. */
	setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    getppid() != parent)
		child_exec_fail(report_fd, HERITAGE_PARENT, -ESRCH);
	child_exec_run(h, report_fd);
}

/* Run it and wait until it runs: exec closes the pipe that would say why not.
 */
static void
child_start(struct child_init *init)
{
	const pid_t me = getpid();
	struct heritage_report report;
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		child_exec_fail(init->report_fd, HERITAGE_FORK, -errno);
	init->pid = fork();
	if (init->pid == 0)
		child_below(init->h, pipe_fds[1], me);
	if (init->pid < 0)
		child_exec_fail(init->report_fd, HERITAGE_FORK, -errno);
	close(pipe_fds[1]);
	/* Now, so that a dead program's socket refuses and its pipe ends. */
	for (int fd = 0; fd < HERITAGE_N_FDS; fd++)
		close(fd);
	const ssize_t n = read(pipe_fds[0], &report, sizeof(report));
	close(pipe_fds[0]);
	if (n == sizeof(report))
		child_exec_fail(init->report_fd, report.step, report.e);
	child_tell(init, HERITAGE_RUNS, 0);
}

/* -------------------------------------------------------------------- its end
 */

static void
child_reap(struct child_init *init)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
		if (pid == init->pid) {
			init->has_ended = true;
			init->status = status;
		}
}

/* Without a namespace: kill the children that there are. */
static void
child_kill_children(void)
{
	char path[CHILD_INIT_PATH];
	FILE *file;
	int pid;

	snprintf(
	    path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	if (!(file = fopen(path, "re")))
		return;
	while (fscanf(file, "%d", &pid) == 1) {
		/* Its group first: that is one step for whatever forks. */
		const pid_t group = getpgid(pid);
		if (group > 1 && group != getpgrp())
			kill(-group, SIGKILL);
		kill(pid, SIGKILL);
	}
	fclose(file);
}

/* Kill all that is left until nothing is. */
static void
child_sweep(const struct child_init *init)
{
	int status;

	for (;;) {
		if (init->h->has_namespace)
			kill(-1, SIGKILL);
		else
			child_kill_children();
		/* Who died left its children to us: go round. */
		if (waitpid(-1, &status, __WALL) < 0 && errno == ECHILD)
			return;
	}
}

static void __attribute__((noreturn)) child_finish(struct child_init *init)
{
	const int status = init->status;

	child_sweep(init);
	child_tell(init, HERITAGE_STATUS, status);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* ------------------------------------------------------------------ its watch
 */

/* Pass on what poold, or anybody, sent. */
static void
child_forward(struct child_init *init, int signo)
{
	if (signo == CHILD_INIT_ORPHANED && !init->h->has_namespace) {
		child_sweep(init);
		_exit(CHILD_EXEC_STATUS);
	}
	if (signo != SIGCHLD)
		kill(init->pid, signo);
}

/*
 * Close all of poold's but what the program gets, the report and the life
 * pipe: O_CLOEXEC does nothing for a process that never executes.
 */
static void
child_keep_fds(int report_fd, int life_fd)
{
	int e = 0;

	if (dup3(report_fd, CHILD_INIT_REPORT, O_CLOEXEC) < 0 ||
	    dup3(life_fd, CHILD_INIT_LIFE, O_CLOEXEC) < 0)
		e = -errno;
	if (e == 0)
		e = child_close_from(CHILD_INIT_LIFE + 1);
	if (e < 0)
		child_exec_fail(report_fd, HERITAGE_FDS, e);
}

void
child_init(const struct heritage *h, int report_fd, int life_fd)
{
	struct child_init init = { .h = h, .report_fd = CHILD_INIT_REPORT };
	const int signo = h->has_namespace ? SIGKILL : CHILD_INIT_ORPHANED;
	sigset_t all;
	int e;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (!h->has_namespace)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	child_keep_fds(report_fd, life_fd);
	if ((e = child_die_by(signo, h->parent_pid, CHILD_INIT_LIFE)) < 0)
		child_exec_fail(CHILD_INIT_REPORT, HERITAGE_PARENT, e);
	close(CHILD_INIT_LIFE);
	child_start(&init);
	title_set("init of %s", h->name);
	while (!init.has_ended) {
		const int got = sigwaitinfo(&all, NULL);
		if (got > 0)
			child_forward(&init, got);
		child_reap(&init);
	}
	child_finish(&init);
}
