/* SPDX-License-Identifier: MIT */
#include "backend/reap.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/loop/loop.h"
#include "common/proc/pidfd.h"

#define REAP_GRACE_MS 2000 /* for whoever waits for its own child */

/* Orphans become the main thread's; what another thread forked is not seen. */
#define REAP_WHAT (WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD | __WALL)

static struct {
	bool is_on;
	struct loop_signal on_child;
	struct loop_timer due;
	pid_t pid; /* the zombie that is left alone until then; 0: none */
} reap;

/* The zombie that stands first, or 0. */
static pid_t
reap_first(void)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_ALL, 0, &info, REAP_WHAT) < 0)
		return 0;
	return info.si_pid;
}

/* Leave the first one alone for a while. */
static void
reap_look(void)
{
	const pid_t pid = reap_first();

	if (pid == reap.pid)
		return;
	reap.pid = pid;
	loop_timer_set(
	    &reap.due, pid ? clock_deadline_ms(REAP_GRACE_MS) : CLOCK_NEVER);
}

static void
reap_on_child(int signo, void *arg)
{
	if (!reap.pid)
		reap_look();
}

/* Nobody waited for it: it is an orphan. */
static void
reap_on_due(void *arg)
{
	int status;

	if (reap.pid && reap_first() == reap.pid)
		(void)pidfd_reap(reap.pid, &status);
	reap.pid = 0;
	reap_look();
}

int
reap_start(void)
{
	if (getpid() != 1)
		return 0;
	loop_timer_init(&reap.due, reap_on_due, NULL);
	const int rc =
	    loop_signal_start(&reap.on_child, SIGCHLD, reap_on_child, NULL);
	reap.is_on = rc == 0;
	return rc;
}

void
reap_stop(void)
{
	if (!reap.is_on)
		return;
	loop_timer_clear(&reap.due);
	loop_signal_stop(&reap.on_child);
	reap.is_on = false;
}
