/* SPDX-License-Identifier: MIT */
/*
 * cgroup: a v2 hierarchy where poold may make groups, if there is one: a folder
 * of ours in the group that poold was started in, and in it a leaf for each
 * backend that runs. By its leaf everything that a backend started is found and
 * killed in one step, also by the poold after this one: the folder's name comes
 * from runtime_dir, and who lives in it has it locked. Limits take controllers,
 * and a group that gives those on holds no process itself: then poold, the
 * switchboard and the zygote live in a leaf of their own, `pool`. Without any
 * poold stays where it is, for a move in and out costs 20 ms each (an RCU grace
 * period).
 * Source: Linux Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef POOLD_CGROUP_H
#define POOLD_CGROUP_H

#include <bsd/sys/queue.h>
#include <stdbool.h>

#include "common/base/err.h"

/* A leaf; owned by its cgroup. */
struct cgroup_leaf {
	STAILQ_ENTRY(cgroup_leaf) link;
	unsigned number;
	int fd; /* its folder, while it is taken; else -1 */
	/*
	 * cgroup.kill was used: never taken again. Linux 6.18 kills whatever
	 * is cloned into such a group (tried), though nobody asked for it
	 * then: it compares the count of kills with that of the cloner's own
	 * group.
	 */
	bool is_killed;
};

STAILQ_HEAD(cgroup_leaves, cgroup_leaf);

/* Embedded in its owner; zeroed means that there are no groups. */
struct cgroup {
	char *base; /* the group that poold was started in */
	char *folder;
	bool is_open; /* folder is there: leaves can be taken */
	bool is_in;   /* poold is in folder/pool */
	int base_fd;  /* the folders, while is_open */
	int folder_fd;
	int leave_fd;          /* base/cgroup.procs, to get out */
	unsigned base_enabled; /* controllers that we enabled, as bits */
	unsigned folder_enabled;
	unsigned n;                /* leaves made so far */
	struct cgroup_leaves idle; /* empty, to be taken again */
	struct cgroup_leaves late; /* not empty when they were given back */
};

/*
 * Find a hierarchy, end what an earlier poold of this runtime_dir left in it,
 * and move this process into its leaf if it must be in one. Returns 0, or
 * -errno with *err_r saying why there are none; then the calls below do
 * nothing. Start-up only.
 */
int
cgroup_open(struct cgroup *cgroup, const char *runtime_dir, struct err *err_r);

/*
 * Kill what is left in the leaves, remove all folders that are empty then.
 * Waits up to a second without the loop: at the end only.
 */
void cgroup_close(struct cgroup *cgroup);

/* Take an empty leaf; NULL when there is none. *borrowed* until given back. */
struct cgroup_leaf *cgroup_take(struct cgroup *cgroup);

/* Give *leaf back and set it to NULL; NULL is allowed. */
void cgroup_give(struct cgroup *cgroup, struct cgroup_leaf **leaf);

/*
 * The same at the end of poold: a leaf that is empty is removed, another one is
 * emptied by cgroup_close.
 */
void cgroup_leave(struct cgroup *cgroup, struct cgroup_leaf **leaf);

/* The folder of a leaf, to start a process in; -1 for NULL. */
int cgroup_leaf_fd(const struct cgroup_leaf *leaf);

/*
 * Kill all in a leaf at once, if somebody is there. Returns whether; for NULL
 * nobody is. Never waits.
 */
bool cgroup_kill(struct cgroup_leaf *leaf);

/* Whether no process is in a leaf, zombies apart. NULL: true. */
bool cgroup_is_empty(const struct cgroup_leaf *leaf);

#endif
