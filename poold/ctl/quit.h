/* SPDX-License-Identifier: MIT */
/*
 * quit: the one way to end the command early: a sentence for the person and
 * an exit status for the script. Everything that runs is torn down in order
 * (a call is cancelled at its server) before the process ends.
 */
#ifndef CTL_QUIT_H
#define CTL_QUIT_H

#include "poold/ctl/page.h"

/* The exit statuses of `holdline`. */
enum quit_status {
	QUIT_OK = 0,
	QUIT_TOOL = 1,  /* the tool itself says that it failed */
	QUIT_USAGE = 2, /* what the person gave is wrong or missing */
	QUIT_PEER = 3,  /* no connection, or not what the protocol says */
};

/*
 * End the program with a status and a sentence (without "holdline: " and
 * newline; text of peers is cleaned). For tasks. Does not return.
 */
void quit_with(enum quit_status status, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* The same with a whole page (a sentence and a list), already cleaned. */
void quit_with_page(enum quit_status status, const struct page *p)
    __attribute__((noreturn));

/*
 * Say the sentence and return status: for code that runs before the first
 * task, to be written as `return quit_before(...)`.
 */
int quit_before(enum quit_status status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
