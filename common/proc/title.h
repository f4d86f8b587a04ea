/* SPDX-License-Identifier: MIT */
/* title: what ps shows: `holdline: ROLE` or `holdline: ROLE TENANT`. */
#ifndef PROC_TITLE_H
#define PROC_TITLE_H

/*
 * Prepare main's argv and environ for title_set; to be called first thing in
 * main, since libbsd moves both elsewhere. They are *borrowed* for ever.
 */
void title_init(int argc, char **argv, char **envp);

/* Show "holdline: " and the formatted text. */
void title_set(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Put var ("NAME=value") where /proc/PID/environ is read from, which the title
 * wiped: by it a process that did not exec, and what it forks, is known again.
 * To be called after the last title_set. Where there is no room: nothing.
 */
void title_mark(const char *var);

#endif
