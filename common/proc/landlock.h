/* SPDX-License-Identifier: MIT */
/*
 * landlock: which files a process may open, by Landlock's system calls as they
 * are (glibc has none, and headers lag behind kernels). It governs opening and
 * changing names, never connecting to a path socket, nor descriptors that are
 * open already. Source: Documentation/userspace-api/landlock.rst.
 */
#ifndef PROC_LANDLOCK_H
#define PROC_LANDLOCK_H

#include <stdbool.h>
#include <time.h>

/* The newest version that is made use of. */
#define LANDLOCK_ABI 6

#define LANDLOCK_N_ETC 2 /* folders of files that may be replaced */

/*
 * A ruleset in stock: what any program needs of the system is in it, no network
 * is. Its owner closes fd.
 */
struct landlock_base {
	int fd; /* -1: none */
	/* When names there changed last, as seen before files were put in. */
	struct timespec etc[LANDLOCK_N_ETC];
};

/* What a process may open; *borrowed* by landlock_enter for the call. */
struct landlock_rules {
	/* Begun before, so that little is left to do; NULL or without: not. */
	const struct landlock_base *base;
	/* Files and folders to read and run; NULL at the end, or NULL. */
	const char *const *read;
	/* The same to change as well. */
	const char *const *write;
	/* What any program needs of the system: libraries, names, time. */
	bool has_system;
	/* TCP to anywhere; without it none at all (from version 4 on). */
	bool has_network;
};

/* Which version of Landlock the kernel has; 0: none. */
int landlock_abi(void);

/*
 * Begin a ruleset for one process to come. *base_r is *new* and without a
 * descriptor if there is no Landlock. Returns 0 or -errno.
 */
int landlock_begin(struct landlock_base *base_r);

/*
 * Let this process, and all that it starts, open what rules list and nothing
 * else; neither signal, trace nor reach by an abstract socket any process that
 * is not confined with it (signals and sockets from version 6 on). A path that
 * cannot be reached is left out. No new privileges must have been set.
 * Async-signal-safe. Returns 0, also without Landlock, or -errno.
 */
int landlock_enter(const struct landlock_rules *rules);

#endif
