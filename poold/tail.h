/* SPDX-License-Identifier: MIT */
/*
 * tail: what a child writes to its stderr, as lines: copied while they come at
 * a bearable rate, counted when they do not, the last one remembered for
 * whoever asks why the child ended. Pure: bytes and time in, lines out.
 */
#ifndef POOLD_TAIL_H
#define POOLD_TAIL_H

#include <stddef.h>
#include <stdint.h>

#define TAIL_LINE_BYTES 512 /* longer lines come in pieces */
#define TAIL_LAST_BYTES 200
#define TAIL_PER_S      200 /* lines */
#define TAIL_BURST      400

/* Embedded in its owner; zeroed is empty. */
struct tail {
	char line[TAIL_LINE_BYTES];
	size_t n;
	char last[TAIL_LAST_BYTES]; /* the last line with something in it */
	int64_t milli_lines;        /* thousandths of lines that may come */
	int64_t at_ms;
	unsigned n_dropped; /* since the last line that was let through */
};

/* Take a line. n_dropped lines before it were left out. */
typedef void tail_line_fn(const char *line, unsigned n_dropped, void *arg);

/* Take n bytes at now_ms; whole lines go to on_line, control bytes as '?'. */
void tail_feed(struct tail *tail, const char *bytes, size_t n, int64_t now_ms,
    tail_line_fn *on_line, void *arg);

/* No more bytes come: what is left is a line too. */
void
tail_end(struct tail *tail, int64_t now_ms, tail_line_fn *on_line, void *arg);

#endif
