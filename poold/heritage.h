/* SPDX-License-Identifier: MIT */
/*
 * heritage: everything that a child of poold inherits, in one struct. What is
 * not listed here does not cross the fork: all other descriptors are O_CLOEXEC
 * from birth, the environment is the one given, the session is new.
 */
#ifndef POOLD_HERITAGE_H
#define POOLD_HERITAGE_H

#include <sys/resource.h>
#include <sys/types.h>

#include "common/proc/drop.h"
#include "common/proc/limits.h"
#include "common/proc/sandbox.h"

#define HERITAGE_N_FDS 5 /* stdin, stdout, stderr, 3, 4 */

/* Room for a pid in "LISTEN_PID=", filled after the fork. */
#define HERITAGE_PID_DIGITS 10

/*
 * In every backend's environment: the generation of its run. By it poold knows
 * orphans of this run again. Programs may use it too.
 */
#define HERITAGE_RUN_ENV "HOLDLINE_RUN"

/* Prepared by the parent, read by the child; *borrowed* from the parent. */
struct heritage {
	const char *path; /* of the program, absolute */
	char *const *argv;
	char *const *envp;
	char *listen_pid;           /* digits inside envp, or NULL */
	const char *folder;         /* to work in; NULL: poold's */
	const struct drop_ids *ids; /* to become; NULL: poold's */
	int fds[HERITAGE_N_FDS];    /* what stands at 0 to 4; -1: nothing */
	int report_fd;              /* for the reason when this fails */
	int life_fd;                /* hangs up when poold dies */
	int life_write_fd;          /* poold's end of it, to be closed */
	pid_t parent_pid;           /* poold's */
	struct rlimit nofile;       /* as poold found it */
	struct limits limits;       /* what is set below that */
	struct sandbox sandbox;     /* put on last */
};

/* The steps of a child before its program runs, for the report. */
enum heritage_step {
	HERITAGE_FDS,
	HERITAGE_LIMITS,
	HERITAGE_IDS,
	HERITAGE_PARENT,
	HERITAGE_FOLDER,
	HERITAGE_SANDBOX,
	HERITAGE_EXEC,
};

/* What a child that could not run its program writes to report_fd. */
struct heritage_report {
	int step; /* enum heritage_step */
	int e;    /* -errno */
};

#endif
