/* SPDX-License-Identifier: MIT */
/*
 * process: four things that a child may say: by the report pipe (whether its
 * program runs), by its channel, on stderr, and, by its pidfd, that it ended.
 * Then everything it said before is taken first, its process group is killed
 * while its pid is still its own, and it is reaped.
 */
#include "poold/process.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/proc/pidfd.h"

#include "poold/murmur.h"
#include "poold/process_report.h"
#include "poold/cord.h"

#define PROCESS_MAGIC     0x70726f63u /* "proc" */
#define PROCESS_MSGS_LAST 1024        /* of one that has ended */

/* What is to be read of it, a bit each. */
enum process_todo {
	PROCESS_TODO_REPORT = 1,
	PROCESS_TODO_CHANNEL = 2,
	PROCESS_TODO_STDERR = 4,
	PROCESS_TODO_END = 8,
	PROCESS_TODO_ALL = 15,
};

/* There is one a backend, for hours: nothing stands here without need. */
struct process {
	uint32_t magic;
	pid_t pid;
	RB_ENTRY(process) link;
	const char *name;
	struct select *select;         /* of the task that hears it */
	struct process_report *report; /* while it may have something to say */
	int pidfd;                     /* -1: the kernel has none */
	int status;
	uint8_t todo;
	bool is_reaped;
	bool shares_group;
	bool has_status; /* child_init told that of the program below it */
	struct select_fd end_io;
	struct cord cord;
	struct murmur murmur;
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

/* ------------------------------------------------------------ what it says */

static struct murmur_who
process_who(const struct process *process)
{
	return (struct murmur_who){
		.name = process->name,
		.pid = process->pid,
		.is_ours = process->cord.fd >= 0,
	};
}

static void
process_hear_stderr(struct process *process)
{
	const struct murmur_who who = process_who(process);

	process->todo &= ~PROCESS_TODO_STDERR;
	murmur_read(&process->murmur, &who, process->todo & PROCESS_TODO_END);
}

static enum process_news
process_hear_report(struct process *process)
{
	enum process_report_kind kind = PROCESS_REPORT_NONE;

	do {
		if (process->report)
			kind = process_report_read(
			    process->report, &process->status);
		if (kind == PROCESS_REPORT_STATUS)
			process->has_status = true;
	} while (kind == PROCESS_REPORT_STATUS);
	if (process->report && process_report_is_spent(process->report))
		process_report_free(&process->report);
	if (kind == PROCESS_REPORT_RUNS)
		return PROCESS_RUNS;
	process->todo &= ~PROCESS_TODO_REPORT;
	return PROCESS_QUIET;
}

static enum process_news
process_hear_channel(struct process *process, struct process_said *said_r)
{
	const int rc =
	    cord_next(&process->cord, &said_r->packet, &said_r->reason);

	if (rc == 1)
		return PROCESS_SAYS;
	process->todo &= ~PROCESS_TODO_CHANNEL;
	return rc < 0 ? PROCESS_LOST : PROCESS_QUIET;
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

/* Nothing more is heard of it. */
static void
process_close(struct process *process)
{
	const struct murmur_who who = process_who(process);

	select_unwatch(&process->end_io);
	fd_close(&process->pidfd);
	if (process->report)
		process_report_close(process->report);
	murmur_close(&process->murmur, &who);
	cord_close(&process->cord);
	process->todo = 0;
}

/* It has ended, and was heard out. */
static enum process_news
process_finish(struct process *process)
{
	process->todo &= ~PROCESS_TODO_END;
	if (process->is_reaped || !pidfd_is_over(process->pid))
		return PROCESS_QUIET;
	process_reap(process);
	process_close(process);
	if (process_reaped)
		process_reaped();
	return PROCESS_ENDED;
}

/* All that it said is to be taken, and then its end. */
static void
process_note_end(struct process *process)
{
	process->todo = PROCESS_TODO_ALL;
	cord_allow(&process->cord, PROCESS_MSGS_LAST);
}

void
process_look(void)
{
	struct process *process;

	if (process_n_blind == 0)
		return;
	RB_FOREACH (process, process_tree, &processes)
		if (process->pidfd < 0 && pidfd_is_over(process->pid)) {
			process_note_end(process);
			select_post(process->select);
		}
}

struct process *
process_note(struct select_fd *ready, int events)
{
	struct process *const process = ready->arg;

	must_be(process, PROCESS_MAGIC);
	if (ready == &process->end_io) {
		process_note_end(process);
	} else if (ready == &process->cord.io) {
		cord_note(&process->cord, events);
		process->todo |= PROCESS_TODO_CHANNEL;
	} else if (ready == &process->murmur.io) {
		process->todo |= PROCESS_TODO_STDERR;
	} else {
		process->todo |= PROCESS_TODO_REPORT;
	}
	return process;
}

enum process_news
process_next(struct process *process, struct process_said *said_r)
{
	enum process_news news = PROCESS_QUIET;

	must_be(process, PROCESS_MAGIC);
	cord_done();
	if (process->todo & PROCESS_TODO_REPORT)
		news = process_hear_report(process);
	if (news == PROCESS_QUIET && process->todo & PROCESS_TODO_CHANNEL)
		news = process_hear_channel(process, said_r);
	if (news != PROCESS_QUIET)
		return news;
	if (process->todo & PROCESS_TODO_STDERR)
		process_hear_stderr(process);
	return process->todo & PROCESS_TODO_END ? process_finish(process)
	                                        : PROCESS_QUIET;
}

/* ---------------------------------------------------------------- its start */

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
	RB_INSERT(process_tree, &processes, process);
	process_n_blind += pidfd == -ENOSYS;
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
process_pass_on(
    struct process *process, const char *name, struct select *select)
{
	struct select_fd *const ios[] = { &process->end_io, &process->cord.io,
		&process->murmur.io };

	must_be(process, PROCESS_MAGIC);
	must(!process->report);
	process->name = name;
	process->select = select;
	for (unsigned i = 0; i < sizeof(ios) / sizeof(ios[0]); i++)
		if (ios[i]->select)
			select_move(ios[i], select, process);
	if (process->todo)
		select_post(select);
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
	process_close(p);
	process_report_free(&p->report);
	murmur_fini(&p->murmur);
	p->magic = 0;
	mem_free(p);
}

/* ------------------------------------------------------------------- asking */

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
	const char *const words =
	    process->report ? process_report_words(process->report) : "";

	return words[0] ? words : tail_last(&process->murmur.tail);
}

int
process_send(struct process *process, enum proto_type type, const void *payload,
    const char *text, int fd)
{
	must_be(process, PROCESS_MAGIC);
	return cord_send(&process->cord, type, payload, text, &fd, fd >= 0);
}

int
process_send_fds(struct process *process, enum proto_type type,
    const void *payload, const int *fds, unsigned n_fds)
{
	must_be(process, PROCESS_MAGIC);
	return cord_send(&process->cord, type, payload, NULL, fds, n_fds);
}
