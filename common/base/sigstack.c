/* SPDX-License-Identifier: MIT */
/* sigstack: the one place where handlers are installed (overflow.c, too). */
#include "common/base/sigstack.h"

#include <signal.h>
#include <stddef.h>

#include "common/base/must.h"

void
sigstack_catch(int signo, void (*fn)(int signo))
{
	struct sigaction action = {
		.sa_handler = fn,
		.sa_flags = SA_ONSTACK | SA_RESTART | SA_NOCLDSTOP,
	};

	sigfillset(&action.sa_mask);
	must(sigaction(signo, &action, NULL) == 0);
}

void
sigstack_move(int signo)
{
	struct sigaction action;

	must(sigaction(signo, NULL, &action) == 0);
	action.sa_flags |= SA_ONSTACK;
	must(sigaction(signo, &action, NULL) == 0);
}
