/* SPDX-License-Identifier: MIT */
/*
 * overflow: a handler for SIGSEGV on a stack of its own. A fault in the guard
 * of the running task's stack is said by name (where a stack has none, run.c
 * finds out at the next park); every fault then takes its default course, with
 * a core dump where those are wanted. AddressSanitizer has a handler of its
 * own, which is left alone.
 */
#include "common/flow/overflow.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/core.h"
#include "common/flow/sanitize.h"

#define OVERFLOW_PAGE        4096
#define OVERFLOW_STACK_BYTES (16 * 1024) /* besides a signal's frame */

static void *overflow_stack; /* owned; NULL: nobody watches */
static struct sigaction overflow_before;

/* Only what is safe in a signal handler. */
static void
overflow_say(const struct task *t)
{
	static const char before[] = "flow: the task ";
	static const char after[] = " ran over the end of its stack\n";
	ssize_t n = write(STDERR_FILENO, before, sizeof(before) - 1);

	n += write(STDERR_FILENO, t->spec.name, strlen(t->spec.name));
	n += write(STDERR_FILENO, after, sizeof(after) - 1);
	(void)n;
}

static void
overflow_on_fault(int signo, siginfo_t *si, void *context)
{
	const struct task *const t = task_self();
	const char *const at = si->si_addr;

	if (t && at >= stack_base(t->stack) &&
	    at < stack_base(t->stack) + OVERFLOW_PAGE)
		overflow_say(t);
	/* SA_RESETHAND: the instruction faults again, by default. */
}

void
overflow_abort(const struct task *t)
{
	overflow_say(t);
	abort();
}

void
overflow_watch(void)
{
	struct sigaction action = { .sa_sigaction = overflow_on_fault,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };

	if (SANITIZE_ADDRESS)
		return;
	/* The frame is as large as the machine's registers are. */
	const long frame_bytes = sysconf(_SC_MINSIGSTKSZ);
	const size_t bytes =
	    OVERFLOW_STACK_BYTES + (frame_bytes > 0 ? (size_t)frame_bytes : 0);
	/* Without memory for it, such a fault is one like any other. */
	if (!(overflow_stack = mem_alloc(bytes)))
		return;
	const stack_t stack = { .ss_sp = overflow_stack, .ss_size = bytes };
	/* Other signals have their frames here, too: none on top of this. */
	sigfillset(&action.sa_mask);
	must(sigaltstack(&stack, NULL) == 0);
	must(sigaction(SIGSEGV, &action, &overflow_before) == 0);
}

void
overflow_unwatch(void)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	if (!overflow_stack)
		return;
	must(sigaction(SIGSEGV, &overflow_before, NULL) == 0);
	must(sigaltstack(&none, NULL) == 0);
	mem_free(overflow_stack);
	overflow_stack = NULL;
}
