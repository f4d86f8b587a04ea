/* SPDX-License-Identifier: MIT */
/*
 * limits: what a process may use up, by setrlimit(2). What a tenant as a whole
 * may use is its cgroup's (cgroup_limits.h), where there is one.
 */
#ifndef PROC_LIMITS_H
#define PROC_LIMITS_H

#include <stdint.h>

/* 0 leaves a limit as it is. */
struct limits {
	int64_t n_pids;        /* processes and threads of the whole user */
	int64_t n_files;       /* descriptors */
	int64_t address_bytes; /* address space of each process */
};

/*
 * Set them for this process and all that it starts, and let none of them write
 * a core file, which would hold what the tenant's clients said. To be called
 * before ids are given up: root is not counted. Async-signal-safe. Returns 0
 * or -errno.
 */
int limits_apply(const struct limits *limits);

#endif
