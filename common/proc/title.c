/* SPDX-License-Identifier: MIT */
/* title: one prefix for all our processes. */
#include "common/proc/title.h"

#include <bsd/unistd.h>
#include <stdarg.h>
#include <stdio.h>

#define TITLE_BYTES 320 /* a role and a host name */

void
title_init(int argc, char **argv, char **envp)
{
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
}
