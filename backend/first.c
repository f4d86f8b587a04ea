/* SPDX-License-Identifier: MIT */
#include "backend/first.h"

#include <bsd/stdlib.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/sigstack.h"

/* Where /proc tells: the number that is ours outside. */
static void
first_find_pid(void)
{
	char text[16] = "";

	if (readlink("/proc/self", text, sizeof(text) - 1) <= 0)
		return;
	log_set_pid((int)strtonum(text, 0, INT32_MAX, NULL));
}

/*
 * The kernel gives a first process no default action, so that abort(3) would
 * go on to its last resort and be reported as signal 11. This is what a shell
 * says of one that was aborted. In a child that a tool forked: as ever.
 */
static void
first_on_abort(int signo)
{
	if (getpid() == 1)
		_exit(128 + signo);
}

void
first_init(void)
{
	if (getpid() != 1)
		return;
	first_find_pid();
	sigstack_catch(SIGABRT, first_on_abort);
}
