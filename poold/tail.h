/* SPDX-License-Identifier: MIT */
/*
 * tail: what a child writes to its stderr, as lines: copied while they come at
 * a bearable rate, counted when they do not, the last one that may say why the
 * child ended remembered for whoever asks. Pure: bytes and time in, lines out.
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
	char *last; /* what the last line said that says something; or NULL */
	int64_t at_ms;
	uint32_t milli_lines; /* thousandths of lines that may come */
	uint32_t n_dropped;   /* since the last line that was let through */
	uint16_t n;
	bool is_starved; /* there was no memory for the line */
};

/* What becomes of lines. */
struct tail_calls {
	/* Take a line. n_dropped lines before it were left out. */
	void (*on_line)(const char *line, unsigned n_dropped, void *arg);
	/* The part of a line that says why the child may end; NULL: none. */
	const char *(*quote)(const char *line, void *arg);
	void *arg;
};

/*
 * Take n bytes at now_ms; whole lines go to on_line, control bytes as '?'. A
 * line that there is no memory for is dropped.
 */
void tail_feed(struct tail *tail, const char *bytes, size_t n, int64_t now_ms,
    const struct tail_calls *calls);

/* No more bytes come: what is left is a line too. */
void
tail_end(struct tail *tail, int64_t now_ms, const struct tail_calls *calls);

/* What was quoted of the last line that something was quoted of, or "".
 * *borrowed* until more comes. */
const char *tail_last(const struct tail *tail);

/* Free it; it is empty then. */
void tail_fini(struct tail *tail);

#endif
