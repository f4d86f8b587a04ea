/* SPDX-License-Identifier: MIT */
/*
 * page: text for a person, put together before it is written. What a peer
 * sent is cleaned on the way in, so that it can neither move the cursor nor
 * forge a line. The first error sticks, so that callers need not check each
 * step; a page that ran out of memory shows what it has. No I/O.
 */
#ifndef CTL_PAGE_H
#define CTL_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"

#define PAGE_BYTES (64u << 20)

/* How a stretch of text looks; nothing of it is written without colours. */
enum page_look {
	PAGE_PLAIN, /* back to normal */
	PAGE_BOLD,  /* what is asked, names */
	PAGE_DIM,   /* help beside it */
	PAGE_RED,   /* what went wrong */
};

/* What stands in for a newline or tab that a peer sent. */
enum page_lines {
	PAGE_ONE_LINE,   /* a space */
	PAGE_MANY_LINES, /* itself */
};

/* Embedded in its owner; page_fini frees it. */
struct page {
	struct buf buf;
	int rc; /* 0 or the first -errno */
	bool has_colour;
};

/* An empty page. */
void page_init(struct page *p, bool has_colour);

/* Free it; also for a page that is all zero. */
void page_fini(struct page *p);

/* A local page that frees itself. */
#define page_auto __attribute__((cleanup(page_fini)))

/* Add text of ours. */
void page_put(struct page *p, const char *text);

/* Add formatted text of ours, at most 1 KiB; no peer's text of any length. */
void page_putf(struct page *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Add text from outside: control characters (C0, DEL, C1) and those that
 * turn the direction of writing become '?'.
 */
void page_clean(struct page *p, struct slice text, enum page_lines lines);

/* page_clean of a NUL-ended text, in one line. */
void page_clean_line(struct page *p, const char *text);

/* Change the look, if the page has colours. */
void page_look(struct page *p, enum page_look look);

/* Add n spaces. */
void page_pad(struct page *p, size_t n);

/* Start a new line unless at the start of one. */
void page_fresh_line(struct page *p);

/* What was put so far; borrowed until the page changes. */
struct slice page_text(const struct page *p);

/* Columns that text takes: its characters (code points). */
size_t page_columns(struct slice text);

#endif
