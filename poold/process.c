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

#include "poold/process_core.h"

#define PROCESS_MSGS_LAST 1024 /* of one that has ended */

RB_HEAD(process_tree, process);
static void (*process_reaped)(void);
static unsigned process_n_blind; /* ever made without a pidfd */
static struct process_tree processes = RB_INITIALIZER(&processes);

/*
 * The message that was taken last. Not on the stack of who takes it: a task
 * that waits keeps each page of its stack that was ever touched.
 */
static struct packet process_packet;

static int
process_cmp(struct process *a, struct process *b)
{
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

RB_GENERATE_INTERNAL(
    process_tree, process, link, process_cmp, static __attribute__((unused)))

void
process_know(struct process *process, bool is_blind)
{
	process_n_blind += is_blind;
	RB_INSERT(process_tree, &processes, process);
}

void
process_forget(struct process *process)
{
	RB_REMOVE(process_tree, &processes, process);
}

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
	    cord_next(&process->cord, &process_packet, &said_r->reason);

	said_r->packet = &process_packet;
	if (rc == 1)
		return PROCESS_SAYS;
	process->todo &= ~PROCESS_TODO_CHANNEL;
	return rc < 0 ? PROCESS_LOST : PROCESS_QUIET;
}

void
process_hang_up(struct process *process)
{
	must_be(process, PROCESS_MAGIC);
	cord_close(&process->cord);
	process->todo &= ~PROCESS_TODO_CHANNEL;
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
	process_forget(process);
}

void
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
	packet_fini(&process_packet);
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

/* ------------------------------------------------------------------- asking */

void
process_signal(struct process *process, int signo)
{
	must_be(process, PROCESS_MAGIC);
	if (process->is_reaped)
		return;
	/*
	 * Not reaped, so the number is still its own. A container may have
	 * pidfds and forbid to signal by them.
	 */
	if (process->pidfd < 0 || pidfd_signal(process->pidfd, signo) < 0)
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

bool
process_left_unread(const struct process *process)
{
	must(process->is_reaped);
	return process->cord.is_unread;
}

const char *
process_words(const struct process *process)
{
	const char *const words =
	    process->report ? process_report_words(process->report) : "";

	return words[0] ? words : tail_last(&process->murmur.tail);
}

void
process_add_room(struct process *process, unsigned n_messages)
{
	must_be(process, PROCESS_MAGIC);
	outbox_add_room(&process->cord.outbox, n_messages);
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
