/* SPDX-License-Identifier: MIT */
/*
 * tail: what a child writes to its stderr, as lines: copied while they come at
 * a bearable rate, counted when they do not, the last one remembered for
 * whoever asks why the child ended. Pure: bytes and time in, lines out.
 */
#ifndef POOLD_TAIL_H
#define POOLD_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAIL_LINE_BYTES 512 /* longer lines come in pieces */
#define TAIL_LAST_BYTES 200
#define TAIL_PER_S      200 /* lines */
#define TAIL_BURST      400

/*
 * Embedded in its owner; zeroed is empty, ended with tail_fini. Most children
 * say little, and there are many: memory is had while there is text.
 */
struct tail {
	char *line; /* that has no end yet; NULL: none */
	char *last; /* the last line with something in it; NULL: none */
	int64_t at_ms;
	uint32_t milli_lines; /* thousandths of lines that may come */
	uint32_t n_dropped;   /* since the last line that was let through */
	uint16_t n;
	bool is_starved; /* there was no memory for the line */
};

/* Take a line. n_dropped lines before it were left out. */
typedef void tail_line_fn(const char *line, unsigned n_dropped, void *arg);

/*
 * Take n bytes at now_ms; whole lines go to on_line, control bytes as '?'. A
 * line that there is no memory for is dropped.
 */
void tail_feed(struct tail *tail, const char *bytes, size_t n, int64_t now_ms,
    tail_line_fn *on_line, void *arg);

/* No more bytes come: what is left is a line too. */
void
tail_end(struct tail *tail, int64_t now_ms, tail_line_fn *on_line, void *arg);

/* The last line with something in it, or "". *borrowed* until more comes. */
const char *tail_last(const struct tail *tail);

/* Free it; it is empty then. */
void tail_fini(struct tail *tail);

#endif
