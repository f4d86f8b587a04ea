/* SPDX-License-Identifier: MIT */
/*
 * sandbox: the last thing that a process does to itself before it runs what is
 * not trusted: files, then system calls, in that order, since the filter need
 * not let Landlock's own calls through. Prepared by the parent.
 */
#ifndef PROC_SANDBOX_H
#define PROC_SANDBOX_H

#include <stddef.h>

#include "common/proc/filter.h"
#include "common/proc/landlock.h"

/* *borrowed* from the parent: what stands here must be there in the child. */
struct sandbox {
	const struct landlock_rules *files; /* NULL: any file */
	const struct filter *filter;        /* NULL: any system call */
};

/*
 * Confine this process and all that it starts, for good. No new privileges
 * must have been set, ids given up, the folder entered. Async-signal-safe.
 * Returns 0 or -errno. What the kernel lacks is passed over: it was said at
 * start (sandbox_lack).
 */
int sandbox_enter(const struct sandbox *sandbox);

/*
 * What this kernel lacks, a sentence each, by name: number i of them, or NULL
 * when there are no more. abi is landlock_abi(), has_filters
 * filter_is_there().
 */
const char *sandbox_lack(int abi, bool has_filters, size_t i);

#endif
