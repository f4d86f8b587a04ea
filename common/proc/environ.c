/* SPDX-License-Identifier: MIT */
/* environ: what stays moves up. */
#include "common/proc/environ.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

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
