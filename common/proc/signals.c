/* SPDX-License-Identifier: MIT */
/*
 * signals: while SIGCHLD is ignored no child leaves a status, so who waits for
 * one waits for ever.
 */
#include "common/proc/signals.h"

#include <signal.h>
#include <stdbool.h>

void
signals_begin(void)
{
	struct sigaction hup;
	sigset_t ends;

	const bool is_nohup =
	    sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler == SIG_IGN;
	/* KILL, STOP and libc's own two refuse; that is well. */
	for (int signo = 1; signo < NSIG; signo++)
		if (signo != SIGHUP || !is_nohup)
			(void)signal(signo, SIG_DFL);
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_SETMASK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
}
