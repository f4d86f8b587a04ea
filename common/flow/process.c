/* SPDX-License-Identifier: MIT */
/*
 * process: a resource whose task waits for the child's pidfd. While the scope
 * lives the task is parked there; when the scope ends a finaliser ends the
 * group and waits for the same descriptor.
 */
#include "common/flow/process.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/latch.h"
#include "common/flow/resource.h"
#include "common/flow/sleep.h"
#include "common/flow/task.h"

extern char **environ;

/*
 * Allocated, since the finaliser needs it after the stack of the resource's
 * body was unwound; the finaliser frees it.
 */
struct flow_process {
	int64_t stop_ms;
	bool is_daemon;
	pid_t pid;
	int pidfd;
	struct latch ended; /* status: 0; value: the wait status */
};

/* A new session, default signals, nothing blocked, the given descriptors. */
static int
process_spawn(const struct flow_process_spec *spec, pid_t *pid_r)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc = 0;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID |
					    POSIX_SPAWN_SETSIGMASK |
					    POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	for (int i = 0; i < 3 && !rc; i++)
		if (spec->fds[i] >= 0)
			rc = posix_spawn_file_actions_adddup2(
			    &files, spec->fds[i], i);
	if (!rc)
		rc = posix_spawnp(pid_r, spec->argv[0], &files, &attr,
		    (char *const *)spec->argv,
		    spec->envp ? (char *const *)spec->envp : environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -rc;
}

/*
 * Look whether the child has ended, without reaping it: its id, which is the
 * id of its group too, must not be another's before the group is gone.
 */
static bool
process_look(struct flow_process *p)
{
	siginfo_t si = { .si_pid = 0 };

	if (p->ended.is_set)
		return true;
	if (waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    si.si_pid != p->pid)
		return false;
	const int status = si.si_code == CLD_EXITED
	                       ? W_EXITCODE(si.si_status, 0)
	                       : si.si_status;
	latch_set(&p->ended, 0, (void *)(intptr_t)status);
	return true;
}

/* Wait for its end until the deadline; whether it has ended. */
static bool
process_await(struct flow_process *p, int64_t deadline_ms)
{
	while (!process_look(p))
		if (flow_wait_fd(p->pidfd, LOOP_READ, deadline_ms) ==
		    -ETIMEDOUT)
			return process_look(p);
	return true;
}

/* Kill what is left of its group, reap it, free it. */
static void
process_bury(struct flow_process *p)
{
	kill(-p->pid, SIGKILL);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
	fd_close(&p->pidfd);
	mem_free(p);
}

/* The finaliser: tell the group to end, and see to it that it does. */
static int
process_end(void *arg, struct err *err)
{
	struct flow_process *const p = arg;

	if (!process_look(p)) {
		kill(-p->pid, SIGTERM);
		kill(-p->pid, SIGCONT);
		if (!process_await(p, clock_deadline_ms(p->stop_ms)))
			kill(-p->pid, SIGKILL);
		(void)process_await(p, CLOCK_NEVER);
	}
	process_bury(p);
	return 0;
}

/* A daemon ended while it should live: its owner fails. */
static void *
process_watch(void *arg)
{
	struct flow_process *const p = arg;
	void *value = NULL;

	(void)process_await(p, CLOCK_NEVER);
	(void)latch_wait(&p->ended, "its end", CLOCK_NEVER, &value);
	const int status = (int)(intptr_t)value;
	if (!p->is_daemon)
		return NULL;
	if (WIFSIGNALED(status))
		flow_fail(-ECHILD, "process %d was ended by signal %d",
		    (int)p->pid, WTERMSIG(status));
	flow_fail(-ECHILD, "process %d exited with status %d", (int)p->pid,
	    WEXITSTATUS(status));
}

/* Start the child and register its end; the child, or no return. */
static struct flow_process *
process_open(const struct flow_process_spec *spec)
{
	struct flow_process *const p = mem_zalloc(1, sizeof(*p));

	if (!p)
		flow_fail(-ENOMEM, "no memory to start %s", spec->argv[0]);
	*p = (struct flow_process){ .stop_ms = spec->stop_ms,
		.is_daemon = spec->is_daemon };
	latch_init(&p->ended);
	const int rc = process_spawn(spec, &p->pid);
	if (rc < 0) {
		mem_free(p);
		flow_fail(rc, "cannot start %s", spec->argv[0]);
	}
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	const int code = p->pidfd < 0 ? -errno : -ENOMEM;
	if (p->pidfd < 0 || scope_ensure(process_end, p) < 0) {
		process_bury(p);
		flow_fail(code, "cannot watch %s", spec->argv[0]);
	}
	return p;
}

static void *
process_body(void *arg)
{
	const struct flow_process_spec *const spec = arg;
	struct flow_process *const p = process_open(spec);
	const struct task_spec watch = {
		.name = "process watch", .body = process_watch, .arg = p
	};

	if (task_spawn(&watch, NULL) < 0)
		flow_fail(-ENOMEM, "no memory to watch %s", spec->argv[0]);
	resource_provide(p);
}

int
flow_process_start(const struct flow_process_spec *spec,
    struct flow_process **process_r, struct err *err_r)
{
	void *p = NULL;
	const int rc = resource_open(
	    &(struct task_spec){
		.name = "process", .body = process_body, .arg = (void *)spec },
	    &p, err_r);

	if (rc == 0)
		*process_r = p;
	return rc;
}

int
flow_process_wait(struct flow_process *p, int64_t deadline_ms, int *status_r)
{
	void *value;
	const int rc =
	    latch_wait(&p->ended, "a process to end", deadline_ms, &value);

	if (rc == 0)
		*status_r = (int)(intptr_t)value;
	return rc;
}

pid_t
flow_process_pid(const struct flow_process *p)
{
	return p->pid;
}
