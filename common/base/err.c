/* SPDX-License-Identifier: MIT */
/* err: a reason for a human, in a fixed-size struct of the caller. */
#include "common/base/err.h"

#include <stdio.h>
#include <string.h>

int
err_vset(
    struct err *e, int code, const char *place, const char *fmt, va_list ap)
{
	if (!e)
		return code;
	e->code = code;
	snprintf(e->place, sizeof(e->place), "%s", place ? place : "");
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	return code;
}

int
err_set(struct err *e, int code, const char *place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(e, code, place, fmt, ap);
	va_end(ap);
	return code;
}

void
err_clear(struct err *e)
{
	if (!e)
		return;
	e->code = 0;
	e->place[0] = '\0';
	e->text[0] = '\0';
}
