/* SPDX-License-Identifier: MIT */
/* title: one prefix for all our processes. */
#include "common/proc/title.h"

#include <bsd/unistd.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TITLE_BYTES 320 /* a role and a host name */

static char *title_start; /* where argv[0] stood */
static char *title_nul;   /* and where it ended */
static char *title_env;   /* where the environment stood */
static char *title_end;   /* and ended */

void
title_init(int argc, char **argv, char **envp)
{
	title_start = argv[0];
	title_nul = argv[0] ? argv[0] + strlen(argv[0]) : NULL;
	title_env = title_end = envp[0];
	for (; *envp && *envp == title_end; envp++)
		title_end += strlen(*envp) + 1;
	setproctitle_init(argc, argv, environ);
}

void
title_set(const char *fmt, ...)
{
	char text[TITLE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* The minus keeps libbsd from putting the program's name in front. */
	setproctitle("-holdline: %s", text);
	/* libbsd marks the old end with a dot, which ps would show. */
	if (title_nul && title_start + strlen(title_start) < title_nul)
		*title_nul = '\0';
}

void
title_mark(const char *var)
{
	const size_t n = strlen(var) + 1;

	/* A NUL in front of it ends whatever a long title left there. */
	if (!title_env || (size_t)(title_end - title_env) <= n)
		return;
	memcpy(title_end - n, var, n);
	title_end[-(ptrdiff_t)n - 1] = '\0';
}
