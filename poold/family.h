/* SPDX-License-Identifier: MIT */
/*
 * family: descendants that poold did not start itself. poold is a subreaper,
 * so whoever loses its parent (a double fork, a child of a killed backend)
 * becomes a child of poold: an orphan. Orphans are found, killed with all that
 * stands below them, and reaped, each by its pid.
 */
#ifndef POOLD_FAMILY_H
#define POOLD_FAMILY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Make this process the reaper of its descendants. Returns 0 or -errno. */
int family_open(void);

/*
 * Why orphans cannot be found here: /proc is not mounted, or shows another PID
 * namespace, whose numbers mean others; in words, or NULL. Then they are not
 * looked for.
 */
const char *family_blindness(void);

/*
 * Tell family which of our children are processes of process.c: these are no
 * orphans. To be called once.
 */
void family_know(bool (*is_known)(pid_t pid));

/*
 * Children in this session are no orphans, though nobody knows them yet: the
 * zygote forked them and will say so. 0: none.
 */
void family_leave_alone(pid_t sid);

/*
 * Kill everything below a child that lives still, as far as it can be seen;
 * not the child itself. Never waits.
 */
void family_kill_below(pid_t pid);

/* Reap orphans that have ended by themselves. Never waits. */
void family_reap(void);

/* Which orphans are meant: those of one run of a backend, or all. */
struct family_filter {
	bool is_all;
	uint64_t run; /* HERITAGE_RUN_ENV in their environment */
	pid_t sid;    /* or they are still in the session of the dead child */
	uid_t uid;    /* or they are this user's; 0: nobody's in particular */
};

/* How many orphans match now, zombies included. Never waits. */
unsigned family_count(const struct family_filter *filter);

/*
 * Kill the orphans that match, with everything below them, until none is
 * left. Returns how many had to be killed; *left_r (may be NULL) is how many
 * are there still at deadline_ms. Waits.
 */
unsigned family_end(
    const struct family_filter *filter, int64_t deadline_ms, unsigned *left_r);

#endif
