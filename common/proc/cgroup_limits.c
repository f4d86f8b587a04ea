/* SPDX-License-Identifier: MIT */
/* cgroup_limits: one short write a file, one short read. */
#include "common/proc/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/must.h"

#define CGROUP_LIMITS_OFFSET(field) offsetof(struct cgroup_limits, field)

struct cgroup_limits_row {
	const char *file;
	size_t offset;
	const char *none; /* what is written for 0 */
};

static const struct cgroup_limits_row cgroup_limits_rows[] = {
	{ "memory.high", CGROUP_LIMITS_OFFSET(memory_high_bytes), "max" },
	{ "memory.max", CGROUP_LIMITS_OFFSET(memory_max_bytes), "max" },
	{ "pids.max", CGROUP_LIMITS_OFFSET(n_pids), "max" },
	{ "cpu.weight", CGROUP_LIMITS_OFFSET(cpu_weight), "100" },
};

#define CGROUP_LIMITS_N \
	(sizeof(cgroup_limits_rows) / sizeof(cgroup_limits_rows[0]))

const char *
cgroup_limits_name(unsigned i)
{
	return i < CGROUP_LIMITS_N ? cgroup_limits_rows[i].file : NULL;
}

/* Returns 0, -ENOENT (no such controller here) or -errno. */
static int
cgroup_limits_put(int leaf_fd, const char *file, const char *text)
{
	fd_auto int fd = openat(leaf_fd, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int
cgroup_limits_write(
    int leaf_fd, const struct cgroup_limits *limits, unsigned *lacks)
{
	int first = 0;

	for (unsigned i = 0; i < CGROUP_LIMITS_N; i++) {
		const struct cgroup_limits_row *const row =
		    &cgroup_limits_rows[i];
		char text[24];
		int64_t value;
		if (*lacks & (1u << i))
			continue;
		memcpy(
		    &value, (const char *)limits + row->offset, sizeof(value));
		must(value >= 0);
		snprintf(text, sizeof(text), "%lld", (long long)value);
		const int e = cgroup_limits_put(
		    leaf_fd, row->file, value ? text : row->none);
		if (e == -ENOENT)
			*lacks |= 1u << i;
		else if (e < 0 && first == 0)
			first = e;
	}
	return first;
}

int64_t
cgroup_limits_kills(int leaf_fd)
{
	static const char key[] = "oom_kill ";
	char text[512], *rest = text, *line;
	fd_auto int fd = openat(leaf_fd, "memory.events", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			return strtoll(line + sizeof(key) - 1, NULL, 10);
	return 0;
}
