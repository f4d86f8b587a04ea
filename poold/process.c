/* SPDX-License-Identifier: MIT */
/*
 * process: fork, and four things to watch: the report pipe (closed by exec or
 * carrying the reason why there was none, or what child_init.c says about the
 * program below it), the channel, stderr, the pidfd.
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
#include "common/proc/clone.h"
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
	bool shares_group;
	bool has_init;
	bool has_status; /* child_init told that of the program below it */
	int status;
	struct channel *channel;
	struct loop_io end_io;
	struct loop_io report_io;
	struct loop_io stderr_io;
	char words[PROCESS_WORDS_BYTES]; /* why its program did not run */
	struct tail tail;
};

RB_HEAD(process_tree, process);
static void (*process_reaped)(void);
static unsigned process_n_blind; /* ever made without a pidfd */
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

void
process_on_reaped(void (*fn)(void))
{
	process_reaped = fn;
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
		[HERITAGE_FORK] = "cannot make a process for",
	};
	const size_t n = sizeof(words) / sizeof(words[0]);

	return step >= 0 && (size_t)step < n ? words[step] : "cannot start";
}

static void
process_close_report(struct process *process)
{
	if (process->report_fd < 0)
		return;
	loop_io_stop(&process->report_io);
	fd_close(&process->report_fd);
}

/* The program runs: the path in words is no reason for anything. */
static void
process_tell_runs(struct process *process)
{
	process->words[0] = '\0';
	process->calls->on_runs(process->arg);
}

/* One report. The path stands in words already, put there before the fork. */
static void
process_take_report(
    struct process *process, const struct heritage_report *report)
{
	char path[PROCESS_WORDS_BYTES];

	if (report->step == HERITAGE_RUNS) {
		process_tell_runs(process);
	} else if (report->step == HERITAGE_STATUS) {
		process->has_status = true;
		process->status = report->e;
	} else {
		memcpy(path, process->words, sizeof(path));
		snprintf(process->words, sizeof(process->words),
		    "%s %.180s: %s", process_step_words(report->step), path,
		    strerrordesc_np(-report->e) ? strerrordesc_np(-report->e)
						: "unknown error");
	}
}

/*
 * The report pipe is closed (exec did it: the program runs), or carries the
 * reason why it does not, or what child_init has to say.
 */
static void
process_read_report(struct process *process)
{
	struct heritage_report report;
	ssize_t n;

	if (process->report_fd < 0)
		return;
	while ((n = read(process->report_fd, &report, sizeof(report))) ==
	       sizeof(report)) {
		process_take_report(process, &report);
		if (process->has_init)
			continue;
		process_close_report(process);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	process_close_report(process);
	if (!process->has_init)
		process_tell_runs(process);
}

static void
process_on_report(unsigned events, void *arg)
{
	process_read_report(arg);
}

/* ------------------------------------------------------------------ its end */

/* Its number is free after this. */
static void
process_reap(struct process *process)
{
	int status;

	/* Its group has its number, which is its own until it is reaped. */
	if (!process->shares_group)
		kill(-process->pid, SIGKILL);
	must(pidfd_reap(process->pid, &status) == 1);
	if (!process->has_status)
		process->status = status;
	process->is_reaped = true;
	RB_REMOVE(process_tree, &processes, process);
}

/* It has ended: hear it out, end its group, reap it, tell. */
static void
process_finish(struct process *process)
{
	must(!process->is_reaped);
	if (!pidfd_is_over(process->pid))
		return;
	process_read_report(process);
	if (process->channel)
		channel_receive(process->channel, PROCESS_LAST_MSGS);
	process_read_stderr(process, PROCESS_READS_LAST);
	process_reap(process);
	if (process->pidfd >= 0)
		loop_io_stop(&process->end_io);
	fd_close(&process->pidfd);
	process_close_report(process);
	process_close_stderr(process);
	channel_close(&process->channel);
	process->calls->on_exit(process->arg);
	if (process_reaped)
		process_reaped();
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

	for (process = process_n_blind ? RB_MIN(process_tree, &processes)
	                               : NULL;
	     process; process = next) {
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
	if (spec->has_channel)
		e = channel_pair(fds->channel);
	if (e == 0 && spec->has_own_stderr)
		e = process_pipe(fds->err);
	return e;
}

/* What only a child of our own fork needs. */
static int
process_make_fork_fds(struct process_fds *fds)
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

/* Without clone3, and without need of it: a plain fork. */
static pid_t
process_fork_plain(const struct heritage *h, int *pidfd_r)
{
	const pid_t pid = fork();

	if (pid < 0)
		return -errno;
	*pidfd_r = pid > 0 ? pidfd_open_pid(pid) : -1;
	return pid;
}

/* Fork with all signals blocked: no handler of poold's runs in the child. */
static pid_t
process_fork(const struct heritage *h, int *pidfd_r)
{
	const struct clone_spec spec = {
		.has_namespace = h->has_namespace,
		.cgroup_fd = h->cgroup_fd,
	};
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = clone_child(&spec, pidfd_r);
	if (pid == -ENOSYS && !h->has_namespace && h->cgroup_fd < 0)
		pid = process_fork_plain(h, pidfd_r);
	if (pid == 0)
		child_exec(h);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* Its owner may change: so these stand between. */
static void
process_on_msg(const struct channel_msg *msg, void *arg)
{
	const struct process *const process = arg;

	process->calls->on_msg(msg, process->arg);
}

static void
process_on_lost(const char *reason, void *arg)
{
	const struct process *const process = arg;

	process->calls->on_lost(reason, process->arg);
}

/* Watch our ends; *takes* them out of fds. */
static int
process_watch(struct process *process, struct process_fds *fds)
{
	int e;

	process->stderr_fd = fd_take(&fds->err[0]);
	if (process->stderr_fd >= 0) {
		loop_io_init(&process->stderr_io, process->stderr_fd,
		    process_on_stderr, process);
		if ((e = loop_io_watch(&process->stderr_io, LOOP_READ)) < 0)
			return e;
	}
	if (fds->channel[0] < 0)
		return 0;
	return channel_open_take(fd_take(&fds->channel[0]), process->name,
	    process_on_msg, process_on_lost, process, &process->channel);
}

static int
process_watch_report(struct process *process, struct process_fds *fds)
{
	process->report_fd = fd_take(&fds->report[0]);
	loop_io_init(&process->report_io, process->report_fd, process_on_report,
	    process);
	return loop_io_watch(&process->report_io, LOOP_READ);
}

/* The child exists: from here on it is ours to reap. */
int
process_adopt_take(struct process *process, pid_t pid, int pidfd)
{
	must(process->is_reaped && process->pid == 0);
	process->pid = pid;
	process->is_reaped = false;
	RB_INSERT(process_tree, &processes, process);
	process_n_blind += pidfd == -ENOSYS;
	if (pidfd == -ENOSYS)
		return 0;
	if (pidfd < 0)
		return pidfd;
	process->pidfd = pidfd;
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
	process->shares_group = spec->shares_group;
	process->has_init = spec->heritage.has_init;
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
	int pidfd, e;

	if ((e = process_make_fds(spec, fds)) < 0 ||
	    (e = process_make_fork_fds(fds)) < 0 ||
	    (e = process_fill(spec, fds, &h)) < 0 ||
	    (e = process_watch(process, fds)) < 0 ||
	    (e = process_watch_report(process, fds)) < 0)
		return e;
	const pid_t pid = process_fork(&h, &pidfd);
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
	struct process_fds fds;

	if (!(*process_r = process_new(spec)))
		return err_set(err_r, -ENOMEM, NULL, "no memory for a process");
	const int e = process_launch(*process_r, spec, &fds);
	process_close_fds(&fds);
	return process_made(e, process_r, err_r);
}

int
process_prepare(const struct process_spec *spec, struct process **process_r,
    int child_fds_r[2], struct err *err_r)
{
	struct process_fds fds;
	int e;

	if (!(*process_r = process_new(spec)))
		return err_set(err_r, -ENOMEM, NULL, "no memory for a process");
	(*process_r)->words[0] = '\0';
	if ((e = process_make_fds(spec, &fds)) == 0)
		e = process_watch(*process_r, &fds);
	child_fds_r[0] = fd_take(&fds.channel[1]);
	child_fds_r[1] = fd_take(&fds.err[1]);
	process_close_fds(&fds);
	if (e < 0) {
		fd_close(&child_fds_r[0]);
		fd_close(&child_fds_r[1]);
	}
	return process_made(e, process_r, err_r);
}

void
process_pass_on(struct process *process, const char *name,
    const struct process_calls *calls, void *arg)
{
	must_be(process, PROCESS_MAGIC);
	process->name = name;
	process->calls = calls;
	process->arg = arg;
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

int
process_send_fds(struct process *process, enum proto_type type,
    const void *payload, const int *fds, unsigned n_fds)
{
	must_be(process, PROCESS_MAGIC);
	if (!process->channel)
		return -EPIPE;
	return channel_send_fds(
	    process->channel, type, payload, NULL, fds, n_fds);
}
