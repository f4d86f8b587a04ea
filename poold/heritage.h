/* SPDX-License-Identifier: MIT */
/*
 * heritage: everything that a child of poold inherits, in one struct. What is
 * not listed here does not cross the fork: all other descriptors are O_CLOEXEC
 * from birth, the environment is the one given, the session is new.
 *
 * Descriptors, by role:
 *
 *	         switchboard  zygote    its child  backend   child_init
 *	0        /dev/null    the same  the same   the same  -
 *	1, 2     poold's      poold's   a pipe     a pipe    -
 *	3        channel      channel   socket     socket    -
 *	4        -            -         channel    channel,  -
 *	                                           tools'
 *	5        -            -         -          -         the report
 *
 * A program has another descriptor for the report until it runs.
 *
 * A child of the zygote gets what proto.h lists for SPAWN and ASSIGN, and
 * closes everything else that the zygote has: that is the zygote's channel.
 */
#ifndef POOLD_HERITAGE_H
#define POOLD_HERITAGE_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "common/ipc/proto.h"
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
	bool is_mortal;             /* its memory is not worth poold's */
	bool has_namespace;         /* first process of a PID namespace */
	bool has_init;              /* child_init.c stands above the program */
	const char *name;           /* for the title of that */
	int cgroup_fd;              /* to start in; -1: poold's */
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
	HERITAGE_FORK,
	HERITAGE_RUNS,   /* no failure: child_init's program runs */
	HERITAGE_STATUS, /* no failure: e is how child_init's program ended */
};

/*
 * What a child that could not run its program writes to report_fd, and what
 * child_init says about the program below it.
 */
struct heritage_report {
	int step; /* enum heritage_step */
	int e;    /* -errno, or a wait status */
};

#endif
