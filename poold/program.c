/* SPDX-License-Identifier: MIT */
/* program: places relative to /proc/self/exe, so that a tree can be moved. */
#include "poold/program.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"

static bool
program_is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_mode & 0111);
}

/* The real path of a program at path, *new* (xmem), or NULL. */
static char *
program_at(const char *path)
{
	char *const real = program_is_there(path) ? realpath(path, NULL) : NULL;
	char *const copy = real ? xmem_strdup(real) : NULL;

	free(real);
	return copy;
}

int
program_find(const char *name, char **path_r, struct err *err_r)
{
	static char path[PATH_MAX], here[PATH_MAX / 2];
	const ssize_t n = readlink("/proc/self/exe", here, sizeof(here) - 1);

	here[n > 0 ? n : 0] = '\0';
	char *const slash = strrchr(here, '/');
	if (slash)
		*slash = '\0';
	snprintf(path, sizeof(path), "%s/../%s/%s", here, name, name);
	if ((*path_r = program_at(path)))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", here, name);
	if ((*path_r = program_at(path)))
		return 0;
	snprintf(path, sizeof(path), "%s/../libexec/holdline/%s", here, name);
	if ((*path_r = program_at(path)))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", PROGRAM_LIBEXECDIR, name);
	if ((*path_r = program_at(path)))
		return 0;
	if (n < 0)
		return err_set(err_r, -ENOENT, name,
		    "there is no such program in %.60s, and without /proc "
		    "poold does not know where it stands itself",
		    PROGRAM_LIBEXECDIR);
	return err_set(err_r, -ENOENT, name,
	    "there is no such program near %.100s/poold, nor in %.60s", here,
	    PROGRAM_LIBEXECDIR);
}
