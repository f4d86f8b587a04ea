/* SPDX-License-Identifier: MIT */
/* page: text for a person, cleaned, with an error that sticks. */
#include "poold/ctl/page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PAGE_FORMAT_BYTES 1024

void
page_init(struct page *p, bool has_colour)
{
	*p = (struct page){ .has_colour = has_colour };
	buf_init(&p->buf, PAGE_BYTES);
}

void
page_fini(struct page *p)
{
	buf_fini(&p->buf);
}

/* Add bytes as they are. */
static void
page_add(struct page *p, const char *s, size_t n)
{
	if (p->rc == 0)
		p->rc = buf_add(&p->buf, s, n);
}

void
page_put(struct page *p, const char *text)
{
	page_add(p, text, strlen(text));
}

void
page_putf(struct page *p, const char *fmt, ...)
{
	char text[PAGE_FORMAT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	page_put(p, text);
}

/*
 * Bytes at the start of s (not empty) that make one character which must not
 * be written: C0 and DEL (one byte), C1 (U+0080 to 9F), and U+200E, 200F,
 * 2028 to 202E, 2066 to 2069, which turn lines round. 0 when it may be.
 */
static size_t
page_bad(struct slice s)
{
	const unsigned char *const c = (const unsigned char *)s.p;

	if (c[0] < 0x20 || c[0] == 0x7f)
		return 1;
	if (s.n >= 2 && c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
		return 2;
	if (s.n < 3 || c[0] != 0xe2)
		return 0;
	if (c[1] == 0x80 &&
	    (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae)))
		return 3;
	return c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9 ? 3 : 0;
}

void
page_clean(struct page *p, struct slice text, enum page_lines lines)
{
	size_t from = 0, at = 0;

	while (at < text.n) {
		const size_t bad =
		    page_bad((struct slice){ text.p + at, text.n - at });
		if (!bad) {
			at++;
			continue;
		}
		page_add(p, text.p + from, at - from);
		const char c = text.p[at];
		if (c != '\n' && c != '\t')
			page_put(p, "?");
		else
			page_add(p, lines == PAGE_MANY_LINES ? &c : " ", 1);
		at += bad;
		from = at;
	}
	page_add(p, text.p + from, at - from);
}

void
page_clean_line(struct page *p, const char *text)
{
	page_clean(p, slice_of(text), PAGE_ONE_LINE);
}

void
page_look(struct page *p, enum page_look look)
{
	static const char *const code[] = {
		[PAGE_PLAIN] = "\033[0m",
		[PAGE_BOLD] = "\033[1m",
		[PAGE_DIM] = "\033[2m",
		[PAGE_RED] = "\033[31m",
	};

	if (p->has_colour)
		page_put(p, code[look]);
}

void
page_pad(struct page *p, size_t n)
{
	for (; n; n--)
		page_add(p, " ", 1);
}

void
page_fresh_line(struct page *p)
{
	const struct slice s = page_text(p);

	if (s.n && s.p[s.n - 1] != '\n')
		page_put(p, "\n");
}

struct slice
page_text(const struct page *p)
{
	return buf_content(&p->buf);
}

size_t
page_columns(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	return n;
}
