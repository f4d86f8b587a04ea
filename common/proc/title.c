/* SPDX-License-Identifier: MIT */
/* title: one prefix for all our processes. */
#include "common/proc/title.h"

#include <bsd/unistd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TITLE_BYTES 320 /* a role and a host name */

static char *title_start; /* where argv[0] stood */
static char *title_nul;   /* and where it ended */

void
title_init(int argc, char **argv, char **envp)
{
	title_start = argv[0];
	title_nul = argv[0] ? argv[0] + strlen(argv[0]) : NULL;
	setproctitle_init(argc, argv, envp);
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
