/* SPDX-License-Identifier: MIT */
/*
 * reap: a look of the keeper, for which SIGCHLD asks. The kernel shows only
 * the zombie that stands first, and not when it died; but when nobody died
 * for REAP_GRACE_MS, all that are left have been left alone for as long.
 *
 * The signal is caught and put into an eventfd, which the keeper hears. For a
 * signalfd it would have to be blocked, which whatever a tool runs inherits (by
 * posix_spawn, popen, system); a handler it does not.
 */
#include "backend/reap.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/sigstack.h"
#include "common/proc/pidfd.h"

#define REAP_MOST    1000 /* in one look; whoever forks on and on waits */
#define REAP_CALL_MS 10

/* Orphans become the main thread's; what another thread forked is not seen. */
#define REAP_WHAT (WEXITED | WNOHANG | __WNOTHREAD | __WALL)

static struct {
	int fd; /* what the signal is put into; -1: it is not caught */
	struct select_fd io;
	const struct registry *registry;
	struct keeper_duty duty;
	int64_t died_at_ms; /* the last of whom we know */
	pid_t pid;          /* the zombie that stands first; 0: none */
	int64_t since_ms;   /* when it was seen there */
	bool was_called;    /* its time is over, but for the last call */
} reap = { .fd = -1 };

/* The zombie that stands first, or 0. flags: WNOWAIT leaves it there. */
static pid_t
reap_first(int flags)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_ALL, 0, &info, REAP_WHAT | flags) < 0 ? 0 : info.si_pid;
}

/* All zombies are orphans. Returns when to look again. */
static int64_t
reap_all(int64_t now_ms)
{
	reap.pid = 0;
	for (int n = 0; n < REAP_MOST; n++)
		if (!reap_first(0))
			return CLOCK_NEVER;
	return now_ms + 1;
}

/* See which one stands first now. */
static void
reap_see(int64_t now_ms)
{
	const pid_t first = reap_first(WNOWAIT);

	if (first == reap.pid)
		return;
	reap.pid = first;
	reap.since_ms = now_ms;
	reap.was_called = false;
}

/* For the keeper: take what nobody waits for. */
static int64_t
reap_look(void *arg)
{
	const int64_t now_ms = clock_now_ms();
	int status;

	if (registry_n_live(reap.registry) == 0)
		return reap_all(now_ms);
	reap_see(now_ms);
	if (!reap.pid)
		return CLOCK_NEVER;
	const bool is_quiet = now_ms >= reap.died_at_ms + REAP_GRACE_MS;
	if (!is_quiet && now_ms < reap.since_ms + REAP_GRACE_MS)
		return reap.since_ms + REAP_GRACE_MS;
	/* This process may have stood still: tools first, which are due too. */
	if (!reap.was_called) {
		reap.was_called = true;
		return now_ms + REAP_CALL_MS;
	}
	if (is_quiet)
		return reap_all(now_ms);
	(void)pidfd_reap(reap.pid, &status);
	reap_see(now_ms);
	return now_ms + 1;
}

/* In the signal's handler. */
static void
reap_on_signal(int signo)
{
	const int e = errno;

	(void)eventfd_write(reap.fd, 1);
	errno = e;
}

/* Somebody died. */
static void
reap_note(void)
{
	reap.died_at_ms = clock_now_ms();
	keeper_at(&reap.duty, reap.died_at_ms);
}

/* For the keeper. */
static void
reap_hear(int events, void *arg)
{
	eventfd_t n;

	(void)eventfd_read(reap.fd, &n);
	reap_note();
}

/* Let the keeper hear of SIGCHLD. Returns 0 or -errno. */
static int
reap_listen(struct keeper *keeper)
{
	static struct keeper_ear ear = { .hear = reap_hear };

	reap.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (reap.fd < 0)
		return -errno;
	const int rc =
	    select_watch(&keeper->select, &reap.io, reap.fd, LOOP_READ, &ear);
	if (rc == 0)
		sigstack_catch(SIGCHLD, reap_on_signal);
	else
		fd_close(&reap.fd);
	return rc;
}

int
reap_start(struct keeper *keeper, const struct registry *registry)
{
	if (getpid() != 1)
		return 0;
	const int rc = reap_listen(keeper);
	if (rc < 0)
		return rc;
	reap.registry = registry;
	keeper_join(keeper, &reap.duty, reap_look, NULL);
	/* Who died before was not heard. */
	reap_note();
	return 0;
}

void
reap_stop(void)
{
	if (reap.fd < 0)
		return;
	signal(SIGCHLD, SIG_DFL);
	keeper_leave(&reap.duty);
	select_unwatch(&reap.io);
	fd_close(&reap.fd);
}
