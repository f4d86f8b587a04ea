/* SPDX-License-Identifier: MIT */
/*
 * process: fork, and four things to watch: the report pipe (closed by exec or
 * carrying the reason why there was none), the channel, stderr, the pidfd.
 * When the pidfd says that it ended, everything it said before is taken first,
 * its process group is killed while its pid is still its own, then it is
 * reaped.
 */
#include "poold/process.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/loop/loop.h"
#include "common/proc/pidfd.h"

#include "poold/child_exec.h"
#include "poold/tail.h"

#define PROCESS_MAGIC       0x70726f63u /* "proc" */
#define PROCESS_WORDS_BYTES 256
#define PROCESS_READ_BYTES  1024
#define PROCESS_READS_TURN  4  /* of stderr: 4 KiB a turn */
#define PROCESS_READS_LAST  64 /* after its end: what the pipe can hold */
#define PROCESS_LAST_MSGS   1024

struct process {
	uint32_t magic;
	RB_ENTRY(process) link;
	const char *name;
	const struct process_calls *calls;
	void *arg;
	pid_t pid;
	int pidfd; /* -1: the kernel has none */
	int report_fd;
	int stderr_fd;
	bool is_reaped;
	int status;
	struct channel *channel;
	struct loop_io end_io;
	struct loop_io report_io;
	struct loop_io stderr_io;
	char words[PROCESS_WORDS_BYTES]; /* why its program did not run */
	struct tail tail;
};

RB_HEAD(process_tree, process);
static struct process_tree processes = RB_INITIALIZER(&processes);

static int
process_cmp(struct process *a, struct process *b)
{
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

RB_GENERATE_INTERNAL(
    process_tree, process, link, process_cmp, static __attribute__((unused)))

bool
process_is_known(pid_t pid)
{
	struct process key = { .pid = pid };

	return RB_FIND(process_tree, &processes, &key) != NULL;
}

/* -------------------------------------------------------------- its stderr */

/* Whether a line is one of our own backend's log, with its own pid. */
static bool
process_is_own_line(const struct process *process, const char *line)
{
	char head[32];

	/* log.c puts "<6>" in front under the journal. */
	if (line[0] == '<' && line[1] && line[2] == '>')
		line += 3;
	snprintf(head, sizeof(head), "backend[%d] ", (int)process->pid);
	return strncmp(line, head, strlen(head)) == 0;
}

static void
process_on_line(const char *line, unsigned n_dropped, void *arg)
{
	struct process *const process = arg;
	char out[TAIL_LINE_BYTES + 1];

	if (n_dropped)
		log_warn("%s wrote too much: %u lines were dropped",
		    process->name, n_dropped);
	if (process->channel && process_is_own_line(process, line)) {
		const int n = snprintf(out, sizeof(out), "%s\n", line);
		(void)!write(STDERR_FILENO, out, (size_t)n);
		return;
	}
	log_info("%s says: %s", process->name, line);
}

static void
process_close_stderr(struct process *process)
{
	if (process->stderr_fd < 0)
		return;
	loop_io_stop(&process->stderr_io);
	fd_close(&process->stderr_fd);
	tail_end(&process->tail, clock_now_ms(), process_on_line, process);
}

/* Read stderr, at most n_reads times. */
static void
process_read_stderr(struct process *process, unsigned n_reads)
{
	char bytes[PROCESS_READ_BYTES];

	while (process->stderr_fd >= 0 && n_reads-- > 0) {
		const ssize_t n =
		    read(process->stderr_fd, bytes, sizeof(bytes));
		if (n > 0)
			tail_feed(&process->tail, bytes, (size_t)n,
			    clock_now_ms(), process_on_line, process);
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		else
			process_close_stderr(process);
	}
}

static void
process_on_stderr(unsigned events, void *arg)
{
	process_read_stderr(arg, PROCESS_READS_TURN);
}

/* -------------------------------------------------------------- its program */

static const char *
process_step_words(int step)
{
	static const char *const words[] = {
		[HERITAGE_FDS] = "cannot place descriptors for",
		[HERITAGE_LIMITS] = "cannot set the limits of",
		[HERITAGE_IDS] = "cannot give privileges up for",
		[HERITAGE_PARENT] = "has no parent any more:",
		[HERITAGE_FOLDER] = "cannot enter the state folder for",
		[HERITAGE_SANDBOX] = "cannot confine",
		[HERITAGE_EXEC] = "cannot run",
	};
	const size_t n = sizeof(words) / sizeof(words[0]);

	return step >= 0 && (size_t)step < n ? words[step] : "cannot start";
}

/*
 * The report pipe is closed (exec did it: the program runs) or carries the
 * reason. The path stands in words already, put there before the fork.
 */
static void
process_read_report(struct process *process)
{
	struct heritage_report report;
	char path[PROCESS_WORDS_BYTES];

	if (process->report_fd < 0)
		return;
	const ssize_t n = read(process->report_fd, &report, sizeof(report));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_io_stop(&process->report_io);
	fd_close(&process->report_fd);
	if (n != sizeof(report)) {
		process->words[0] = '\0';
		process->calls->on_runs(process->arg);
		return;
	}
	memcpy(path, process->words, sizeof(path));
	snprintf(process->words, sizeof(process->words), "%s %.180s: %s",
	    process_step_words(report.step), path,
	    strerrordesc_np(-report.e) ? strerrordesc_np(-report.e)
				       : "unknown error");
}

static void
process_on_report(unsigned events, void *arg)
{
	process_read_report(arg);
}

/* ------------------------------------------------------------------ its end */

/* It has ended: hear it out, end its group, reap it, tell. */
static void
process_finish(struct process *process)
{
	const int e = pidfd_is_over(process->pid);

	must(!process->is_reaped);
	if (!e)
		return;
	process_read_report(process);
	if (process->channel)
		channel_receive(process->channel, PROCESS_LAST_MSGS);
	process_read_stderr(process, PROCESS_READS_LAST);
	/* Its group has its number, which is its own until it is reaped. */
	kill(-process->pid, SIGKILL);
	must(pidfd_reap(process->pid, &process->status) == 1);
	process->is_reaped = true;
	RB_REMOVE(process_tree, &processes, process);
	if (process->pidfd >= 0)
		loop_io_stop(&process->end_io);
	fd_close(&process->pidfd);
	process_close_stderr(process);
	channel_close(&process->channel);
	process->calls->on_exit(process->arg);
}

static void
process_on_end(unsigned events, void *arg)
{
	process_finish(arg);
}

void
process_look(void)
{
	struct process *process, *next;

	for (process = RB_MIN(process_tree, &processes); process;
	     process = next) {
		next = RB_NEXT(process_tree, &processes, process);
		if (process->pidfd < 0)
			process_finish(process);
	}
}

/* ----------------------------------------------------------------- its start
 */

/* Descriptors made for a start; those of the parent outlive it. */
struct process_fds {
	int channel[2]; /* ours, the child's */
	int report[2];  /* ours, the child's */
	int err[2];     /* ours, the child's */
	int null;
};

static void
process_close_fds(struct process_fds *fds)
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

static int
process_make_fds(const struct process_spec *spec, struct process_fds *fds)
{
	int e = 0;

	*fds = (struct process_fds){ { -1, -1 }, { -1, -1 }, { -1, -1 }, -1 };
	fds->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fds->null < 0)
		return -errno;
	if (spec->has_channel)
		e = channel_pair(fds->channel);
	if (e == 0)
		e = process_pipe(fds->report);
	if (e == 0 && spec->has_own_stderr)
		e = process_pipe(fds->err);
	return e;
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
process_fork(const struct heritage *h)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	const pid_t pid = fork();
	if (pid == 0)
		child_exec(h);
	const int e = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? -e : pid;
}

/* Watch our ends; *takes* them out of fds. */
static int
process_watch(struct process *process, struct process_fds *fds)
{
	int e;

	process->report_fd = fd_take(&fds->report[0]);
	process->stderr_fd = fd_take(&fds->err[0]);
	loop_io_init(&process->report_io, process->report_fd, process_on_report,
	    process);
	if ((e = loop_io_watch(&process->report_io, LOOP_READ)) < 0)
		return e;
	if (process->stderr_fd >= 0) {
		loop_io_init(&process->stderr_io, process->stderr_fd,
		    process_on_stderr, process);
		if ((e = loop_io_watch(&process->stderr_io, LOOP_READ)) < 0)
			return e;
	}
	if (fds->channel[0] < 0)
		return 0;
	return channel_open_take(fd_take(&fds->channel[0]), process->name,
	    process->calls->on_msg, process->calls->on_lost, process->arg,
	    &process->channel);
}

/* The child exists: from here on it is ours to reap. */
static int
process_adopt(struct process *process, pid_t pid)
{
	process->pid = pid;
	process->is_reaped = false;
	RB_INSERT(process_tree, &processes, process);
	process->pidfd = pidfd_open_pid(pid);
	if (process->pidfd == -ENOSYS) {
		process->pidfd = -1;
		return 0;
	}
	if (process->pidfd < 0) {
		const int e = process->pidfd;
		process->pidfd = -1;
		return e;
	}
	loop_io_init(&process->end_io, process->pidfd, process_on_end, process);
	return loop_io_watch(&process->end_io, LOOP_READ);
}

static struct process *
process_new(const struct process_spec *spec)
{
	struct process *const process = mem_zalloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->magic = PROCESS_MAGIC;
	process->name = spec->name;
	process->calls = spec->calls;
	process->arg = spec->arg;
	process->is_reaped = true;
	process->pidfd = process->report_fd = process->stderr_fd = -1;
	snprintf(
	    process->words, sizeof(process->words), "%s", spec->heritage.path);
	return process;
}

/* Everything but the memory of the object. Returns 0 or -errno. */
static int
process_launch(struct process *process, const struct process_spec *spec,
    struct process_fds *fds)
{
	struct heritage h;
	pid_t pid;
	int e;

	if ((e = process_make_fds(spec, fds)) < 0 ||
	    (e = process_fill(spec, fds, &h)) < 0 ||
	    (e = process_watch(process, fds)) < 0)
		return e;
	if ((pid = process_fork(&h)) < 0)
		return (int)pid;
	return process_adopt(process, pid);
}

int
process_start(const struct process_spec *spec, struct process **process_r,
    struct err *err_r)
{
	struct process *process = process_new(spec);
	struct process_fds fds;
	int e;

	*process_r = NULL;
	if (!process)
		return err_set(err_r, -ENOMEM, NULL, "no memory for a process");
	e = process_launch(process, spec, &fds);
	process_close_fds(&fds);
	if (e < 0) {
		process_free(&process);
		return err_set(err_r, e, NULL, "no process could be made: %s",
		    strerrordesc_np(-e));
	}
	*process_r = process;
	return 0;
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
		kill(-p->pid, SIGKILL);
		kill(p->pid, SIGKILL);
		RB_REMOVE(process_tree, &processes, p);
	}
	if (p->pidfd >= 0)
		loop_io_stop(&p->end_io);
	fd_close(&p->pidfd);
	if (p->report_fd >= 0)
		loop_io_stop(&p->report_io);
	fd_close(&p->report_fd);
	process_close_stderr(p);
	channel_close(&p->channel);
	p->magic = 0;
	mem_free(p);
}

/* -------------------------------------------------------------------- asking
 */

void
process_signal(struct process *process, int signo)
{
	must_be(process, PROCESS_MAGIC);
	if (process->is_reaped)
		return;
	/* Not reaped, so the number is still its own. */
	if (process->pidfd >= 0)
		(void)pidfd_signal(process->pidfd, signo);
	else
		(void)kill(process->pid, signo);
}

bool
process_is_over(const struct process *process)
{
	must_be(process, PROCESS_MAGIC);
	return process->is_reaped || pidfd_is_over(process->pid);
}

pid_t
process_pid(const struct process *process)
{
	return process->pid;
}

int
process_status(const struct process *process)
{
	must(process->is_reaped);
	return process->status;
}

const char *
process_words(const struct process *process)
{
	return process->words[0] ? process->words : process->tail.last;
}

int
process_send(struct process *process, enum proto_type type, const void *payload,
    const char *text, int fd)
{
	must_be(process, PROCESS_MAGIC);
	if (!process->channel)
		return -EPIPE;
	return channel_send(process->channel, type, payload, text, fd);
}
