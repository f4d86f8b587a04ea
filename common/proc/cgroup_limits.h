/* SPDX-License-Identifier: MIT */
/*
 * cgroup_limits: what all processes of a tenant together may use, written into
 * the leaf of the cgroup v2 hierarchy that they live in. Source:
 * Documentation/admin-guide/cgroup-v2.rst.
 */
#ifndef PROC_CGROUP_LIMITS_H
#define PROC_CGROUP_LIMITS_H

#include <stdint.h>

/* 0 is no limit, and for the weight the kernel's own, 100. */
struct cgroup_limits {
	int64_t memory_high_bytes; /* past it: slowed down, reclaimed */
	int64_t memory_max_bytes;  /* past it: one of them is killed */
	int64_t n_pids;
	int64_t cpu_weight; /* 1 to 10000, a share among tenants */
};

/*
 * Write all of them, also those that lift an earlier limit: leaves are used
 * again. leaf_fd is the leaf's folder. What the kernel or the delegation lacks
 * (a controller that is not enabled here) becomes a bit in *lacks, for
 * cgroup_limits_name; what has its bit there already is not tried. Never waits.
 * Returns 0 or -errno, the first of those that could not be written though they
 * are there.
 */
int cgroup_limits_write(
    int leaf_fd, const struct cgroup_limits *limits, unsigned *lacks);

/*
 * How many processes the kernel killed in the leaf so far because its memory
 * was at memory.max (memory.events, oom_kill; those before a run of ours are in
 * it). 0 where there is no such controller. Never waits.
 */
int64_t cgroup_limits_kills(int leaf_fd);

/* The file of bit number i, "memory.max", or NULL: there are no more. */
const char *cgroup_limits_name(unsigned i);

#endif
