/* SPDX-License-Identifier: MIT */
/*
 * screen: what the command writes. The result alone goes to stdout, all else
 * to stderr. On a terminal there are colours (unless NO_COLOR is set) and one
 * line of progress that is renewed in place; elsewhere plain lines. One a
 * process. Writing may block, as it does for any command in a pipe.
 */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <stdbool.h>

#include "poold/ctl/page.h"

/* Look at stdout, stderr and the environment. Call it first. */
void screen_open(void);

/* Whether text for fd (1 or 2) may have colours. */
bool screen_has_colour(int fd);

/* Write one line to stderr, above the prompt or the progress if any. */
void screen_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Write a page to stderr, above the prompt or the progress if any. */
void screen_note(const struct page *p);

/* Write a page to stdout. Returns 0 or -errno. */
int screen_result(const struct page *p);

/*
 * Show how far the call is: in place on a terminal, else a line. Nothing is
 * shown on a terminal while a prompt waits.
 */
void screen_progress(const char *text);

/*
 * Show a prompt on stderr, without a newline; it is shown again below
 * whatever is written meanwhile, until screen_answered.
 */
void screen_prompt(const char *text);

/* The prompt was answered by a typed line (is_line), or is given up. */
void screen_answered(bool is_line);

#endif
