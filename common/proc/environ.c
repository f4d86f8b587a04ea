/* SPDX-License-Identifier: MIT */
/* environ: what is dropped is moved over, what is put goes into a new list. */
#include "common/proc/environ.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"

static char **environ_own; /* the list that was made last; owned */

static bool
environ_is(const char *var, const char *name, size_t n_name)
{
	return strncmp(var, name, n_name) == 0 && var[n_name] == '=';
}

void
environ_drop(const char *name)
{
	const size_t n_name = strlen(name);
	char **to = environ;

	for (char **from = environ; from && *from; from++)
		if (!environ_is(*from, name, n_name))
			*to++ = *from;
	if (to)
		*to = NULL;
}

static size_t
environ_count(char *const *vars)
{
	size_t n = 0;

	while (vars && vars[n])
		n++;
	return n;
}

int
environ_put(char *const *vars)
{
	const size_t n = environ_count(environ);
	char **const all =
	    mem_zalloc(n + environ_count(vars) + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	if (n > 0)
		memcpy(all, environ, n * sizeof(*all));
	for (; *vars; vars++) {
		const size_t n_name = strcspn(*vars, "=");
		char **at = all;
		while (*at && !environ_is(*at, *vars, n_name))
			at++;
		*at = *vars;
	}
	environ = all;
	mem_free(environ_own);
	environ_own = all;
	return 0;
}
