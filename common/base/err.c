/* SPDX-License-Identifier: MIT */
/* err: a reason for a human, in a fixed-size struct of the caller. */
#include "common/base/err.h"

#include <stdio.h>
#include <string.h>

#include "common/base/bytes.h"

/*
 * A text of n bytes was put into buf. If it was cut, cut it before the last
 * character: half of one is no UTF-8, and JSON would take none of the text.
 */
static void
err_cut(char *buf, size_t size, int n)
{
	if (n >= (int)size)
		buf[slice_whole((struct slice){ buf, size - 1 }).n] = '\0';
}

int
err_vset(
    struct err *e, int code, const char *place, const char *fmt, va_list ap)
{
	if (!e)
		return code;
	e->code = code;
	err_cut(e->place, sizeof(e->place),
	    snprintf(e->place, sizeof(e->place), "%s", place ? place : ""));
	err_cut(e->text, sizeof(e->text),
	    vsnprintf(e->text, sizeof(e->text), fmt, ap));
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
