/* SPDX-License-Identifier: MIT */
/* sampler: a filter process, fed and read by two tasks, reaped by pidfd. */
#include "poold/ctl/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/flow/sleep.h"
#include "common/flow/task.h"

#define SAMPLER_READ_BYTES 4096
#define SAMPLER_KILL_MS    2000

/* One run; lives on the stack of sampler_run. */
struct sampler {
	const char *command;
	struct slice prompt;
	struct buf *out;
	pid_t pid; /* -1 when there is no child to reap */
	int pid_fd;
	int in_fd;  /* our end of its stdin */
	int out_fd; /* our end of its stdout */
	siginfo_t info;
	struct err *err_r;
};

/* Reap the child if it has ended. Returns whether it has. */
static bool
sampler_reap(struct sampler *s)
{
	memset(&s->info, 0, sizeof(s->info));
	if (waitid(P_PID, (id_t)s->pid, &s->info, WEXITED | WNOHANG) < 0 ||
	    s->info.si_pid == 0)
		return false;
	s->pid = -1;
	return true;
}

/* Finaliser: no process and no descriptor is left. */
static int
sampler_end(void *arg, struct err *err_r)
{
	struct sampler *const s = arg;

	fd_close(&s->in_fd);
	fd_close(&s->out_fd);
	if (s->pid > 0) {
		kill(-s->pid, SIGKILL);
		if (s->pid_fd >= 0)
			flow_wait_fd(s->pid_fd, LOOP_READ,
			    clock_deadline_ms(SAMPLER_KILL_MS));
		sampler_reap(s);
	}
	fd_close(&s->pid_fd);
	return 0;
}

/* What is done between fork and exec, as posix_spawn takes it. */
static int
sampler_exec(struct sampler *s, int in_fd, int out_fd)
{
	const char *const argv[] = { "sh", "-c", s->command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, pipes;

	sigemptyset(&none);
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
					    POSIX_SPAWN_SETSIGDEF |
					    POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attr, &pipes);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in_fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
	const int rc = -posix_spawn(&s->pid, "/bin/sh", &files, &attr,
	    (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (rc < 0)
		s->pid = -1;
	return rc;
}

/* Start the command. Returns 0 or -errno. */
static int
sampler_start(struct sampler *s)
{
	int to[2], from[2];

	if (pipe2(to, O_CLOEXEC) < 0)
		return -errno;
	fd_auto int theirs_in = to[0];
	s->in_fd = to[1];
	if (pipe2(from, O_CLOEXEC) < 0)
		return -errno;
	fd_auto int theirs_out = from[1];
	s->out_fd = from[0];
	int rc = fd_nonblock(s->in_fd);
	if (rc == 0)
		rc = fd_nonblock(s->out_fd);
	if (rc == 0)
		rc = sampler_exec(s, theirs_in, theirs_out);
	if (rc < 0)
		return rc;
	s->pid_fd = pidfd_open(s->pid, 0);
	return s->pid_fd < 0 ? -errno : 0;
}

/* Child task: write the prompt; a command that does not read is all right. */
static void *
sampler_feed(void *arg)
{
	struct sampler *const s = arg;

	while (s->prompt.n) {
		if (flow_wait_fd(s->in_fd, LOOP_WRITE, CLOCK_NEVER) < 0)
			break;
		const ssize_t n = write(s->in_fd, s->prompt.p, s->prompt.n);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			break;
		s->prompt.p += n;
		s->prompt.n -= (size_t)n;
	}
	fd_close(&s->in_fd);
	return NULL;
}

/* Read its stdout to the end. Returns 0 or -errno. */
static int
sampler_read(struct sampler *s)
{
	for (;;) {
		const int rc = flow_wait_fd(s->out_fd, LOOP_READ, CLOCK_NEVER);
		if (rc < 0)
			return rc;
		size_t room = buf_room(s->out);
		if (room == 0)
			return -EFBIG;
		if (room > SAMPLER_READ_BYTES)
			room = SAMPLER_READ_BYTES;
		char *const to = buf_reserve(s->out, room);
		if (!to)
			return -ENOMEM;
		const ssize_t n = read(s->out_fd, to, room);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		buf_commit(s->out, (size_t)n);
	}
}

/* Wait for its end and judge it. */
static int
sampler_judge(struct sampler *s)
{
	while (!sampler_reap(s)) {
		const int rc = flow_wait_fd(s->pid_fd, LOOP_READ, CLOCK_NEVER);
		if (rc < 0)
			return rc;
	}
	if (s->info.si_code != CLD_EXITED)
		return err_set(s->err_r, -ECHILD, NULL,
		    "it was ended by signal %d (%s)", s->info.si_status,
		    strsignal(s->info.si_status));
	if (s->info.si_status != 0)
		return err_set(s->err_r, -ECHILD, NULL,
		    "it ended with status %d", s->info.si_status);
	return 0;
}

/* The run, in a scope of its own. */
static void *
sampler_body(void *arg)
{
	struct sampler *const s = arg;
	const struct task_spec feed = {
		.name = "sample prompt", .body = sampler_feed, .arg = s
	};

	int rc = scope_ensure(sampler_end, s);
	if (rc < 0)
		flow_fail(rc, "out of memory");
	rc = sampler_start(s);
	if (rc < 0)
		flow_fail(rc, "it cannot be started: %s", strerrordesc_np(-rc));
	rc = task_spawn(&feed, NULL);
	if (rc == 0)
		rc = sampler_read(s);
	if (rc == -EFBIG)
		flow_fail(rc, "it says more than %zu bytes", s->out->cap);
	if (rc < 0)
		flow_fail(rc, "reading it: %s", strerrordesc_np(-rc));
	rc = sampler_judge(s);
	if (rc < 0)
		flow_fail(rc, "%s", s->err_r->text);
	return NULL;
}

int
sampler_run(const char *command, struct slice prompt, struct buf *out,
    struct err *err_r)
{
	struct sampler s = { .command = command,
		.prompt = prompt,
		.out = out,
		.pid = -1,
		.pid_fd = -1,
		.in_fd = -1,
		.out_fd = -1,
		.err_r = err_r };

	const int rc = scope_call(sampler_body, &s, NULL, err_r);
	const struct slice said = buf_content(out);
	size_t n = said.n;
	while (rc == 0 && n && said.p[n - 1] == '\n')
		n--;
	out->tail -= said.n - n;
	return rc;
}
