/* SPDX-License-Identifier: MIT */
/* limits: the same number as the soft and the hard limit, so that it stays. */
#include "common/proc/limits.h"

#include <errno.h>
#include <sys/resource.h>

static int
limits_set(__rlimit_resource_t resource, int64_t n)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return -errno;
	/* Without privileges a hard limit cannot be raised: it is met. */
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > (rlim_t)n)
		limit.rlim_max = (rlim_t)n;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

int
limits_apply(const struct limits *limits)
{
	const struct {
		__rlimit_resource_t resource;
		int64_t n;
	} rows[] = {
		{ RLIMIT_NPROC, limits->n_pids },
		{ RLIMIT_NOFILE, limits->n_files },
		{ RLIMIT_AS, limits->address_bytes },
	};
	int e = limits_set(RLIMIT_CORE, 0);

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]) && e == 0; i++)
		if (rows[i].n > 0)
			e = limits_set(rows[i].resource, rows[i].n);
	return e;
}
