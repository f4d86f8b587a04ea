/* SPDX-License-Identifier: MIT */
/* quit: a sentence and a status. */
#include "poold/ctl/quit.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/flow/main.h"

#include "poold/ctl/screen.h"

#define QUIT_TEXT_BYTES 1000

/* Say "holdline: SENTENCE" on stderr. */
static void
quit_say(const char *fmt, va_list ap)
{
	char text[QUIT_TEXT_BYTES];

	vsnprintf(text, sizeof(text), fmt, ap);
	screen_answered(false);
	screen_say("holdline: %s", text);
}

void
quit_with(enum quit_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	quit_say(fmt, ap);
	va_end(ap);
	flow_exit((int)status, NULL);
}

void
quit_with_page(enum quit_status status, const struct page *p)
{
	screen_answered(false);
	screen_note(p);
	flow_exit((int)status, NULL);
}

int
quit_before(enum quit_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	quit_say(fmt, ap);
	va_end(ap);
	return (int)status;
}
