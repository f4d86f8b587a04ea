/* SPDX-License-Identifier: MIT */
/*
 * filter: which system calls a process may make, by seccomp. A filter is
 * compiled at start (that allocates) and put on between fork and exec. The
 * only room that knows libseccomp.
 */
#ifndef PROC_FILTER_H
#define PROC_FILTER_H

#include <stdbool.h>

#include "common/base/err.h"

enum filter_kind {
	/* Any program: all but what reaches for the system or for others. */
	FILTER_COMMAND,
	/* Our backend: besides, no sockets but those that it was given. */
	FILTER_TOOLS,
	/* The switchboard: what it needs, and nothing else. */
	FILTER_BOARD,
	/*
	 * Who forks backends without network, and they themselves from birth:
	 * as FILTER_TOOLS, but for the call by which it forks.
	 */
	FILTER_ZYGOTE,
	/* What is left of FILTER_TOOLS then. */
	FILTER_AFTER_ZYGOTE,
	FILTER_N_KINDS,
};

struct filter;

/* Whether the kernel has filters. */
bool filter_is_there(void);

/*
 * Compile the filter of a kind, with sockets of the internet or without.
 * *filter_r is *new*, ended with filter_free. Start-up only. Returns 0,
 * -ENOMEM, -EINVAL (a call that this machine does not know) or -errno.
 */
int filter_new(enum filter_kind kind, bool has_network,
    struct filter **filter_r, struct err *err_r);

/* Free it and set it to NULL; NULL is allowed. */
void filter_free(struct filter **filter);

/*
 * Put it on, for this process and all that it starts, for good. No new
 * privileges must have been set. Async-signal-safe. Returns 0 or -errno.
 */
int filter_enter(const struct filter *filter);

#endif
