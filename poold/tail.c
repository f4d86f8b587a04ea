/* SPDX-License-Identifier: MIT */
/* tail: a line buffer and a token bucket. */
#include "poold/tail.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"

/* Whether one more line may pass at now_ms. */
static bool
tail_may(struct tail *tail, int64_t now_ms)
{
	const int64_t max = INT64_C(1000) * TAIL_BURST;
	int64_t may = max;

	if (tail->at_ms != 0)
		may = tail->milli_lines + (now_ms - tail->at_ms) * TAIL_PER_S;
	tail->at_ms = now_ms;
	tail->milli_lines = (uint32_t)(may > max ? max : may);
	if (tail->milli_lines < 1000)
		return false;
	tail->milli_lines -= 1000;
	return true;
}

/* Remember what may be quoted. */
static void
tail_remember(struct tail *tail, const char *words)
{
	char *const last =
	    words ? mem_strndup(words, strnlen(words, TAIL_LAST_BYTES - 1))
		  : NULL;

	if (!last)
		return;
	mem_free(tail->last);
	tail->last = last;
}

/* The line has ended, and so has its memory. */
static void
tail_line(struct tail *tail, int64_t now_ms, const struct tail_calls *calls)
{
	char *const line = tail->line;

	if (line)
		line[tail->n] = '\0';
	if (line && line[strspn(line, " \t")] != '\0') {
		tail_remember(tail, calls->quote(line, calls->arg));
		if (tail_may(tail, now_ms)) {
			calls->on_line(line, tail->n_dropped, calls->arg);
			tail->n_dropped = 0;
		} else {
			tail->n_dropped++;
		}
	}
	tail->n_dropped += tail->is_starved;
	tail->is_starved = false;
	tail->line = NULL;
	tail->n = 0;
	mem_free(line);
}

/* Add a byte to the line. */
static void
tail_add(struct tail *tail, unsigned char c)
{
	if (!tail->line && !(tail->line = mem_alloc(TAIL_LINE_BYTES))) {
		tail->is_starved = true;
		return;
	}
	tail->line[tail->n++] =
	    (c < 0x20 && c != '\t') || c == 0x7f ? '?' : (char)c;
}

void
tail_feed(struct tail *tail, const char *bytes, size_t n, int64_t now_ms,
    const struct tail_calls *calls)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)bytes[i];
		if (c == '\n' || tail->n == TAIL_LINE_BYTES - 1)
			tail_line(tail, now_ms, calls);
		if (c != '\n' && c != '\r')
			tail_add(tail, c);
	}
}

void
tail_end(struct tail *tail, int64_t now_ms, const struct tail_calls *calls)
{
	tail_line(tail, now_ms, calls);
}

const char *
tail_last(const struct tail *tail)
{
	return tail->last ? tail->last : "";
}

void
tail_fini(struct tail *tail)
{
	mem_free(tail->line);
	mem_free(tail->last);
	*tail = (struct tail){ 0 };
}
