/* SPDX-License-Identifier: MIT */
/* tail: a line buffer and a token bucket. */
#include "poold/tail.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <string.h>

/* Whether one more line may pass at now_ms. */
static bool
tail_may(struct tail *tail, int64_t now_ms)
{
	const int64_t max = INT64_C(1000) * TAIL_BURST;

	if (tail->at_ms == 0)
		tail->milli_lines = max;
	else
		tail->milli_lines += (now_ms - tail->at_ms) * TAIL_PER_S;
	tail->at_ms = now_ms;
	if (tail->milli_lines > max)
		tail->milli_lines = max;
	if (tail->milli_lines < 1000)
		return false;
	tail->milli_lines -= 1000;
	return true;
}

static void
tail_line(struct tail *tail, int64_t now_ms, tail_line_fn *on_line, void *arg)
{
	tail->line[tail->n] = '\0';
	tail->n = 0;
	if (tail->line[strspn(tail->line, " \t")] == '\0')
		return;
	strlcpy(tail->last, tail->line, sizeof(tail->last));
	if (!tail_may(tail, now_ms)) {
		tail->n_dropped++;
		return;
	}
	on_line(tail->line, tail->n_dropped, arg);
	tail->n_dropped = 0;
}

void
tail_feed(struct tail *tail, const char *bytes, size_t n, int64_t now_ms,
    tail_line_fn *on_line, void *arg)
{
	for (size_t i = 0; i < n; i++) {
		const unsigned char c = (unsigned char)bytes[i];
		if (c == '\n' || tail->n == sizeof(tail->line) - 1)
			tail_line(tail, now_ms, on_line, arg);
		if (c == '\n' || c == '\r')
			continue;
		tail->line[tail->n++] =
		    (c < 0x20 && c != '\t') || c == 0x7f ? '?' : (char)c;
	}
}

void
tail_end(struct tail *tail, int64_t now_ms, tail_line_fn *on_line, void *arg)
{
	if (tail->n > 0)
		tail_line(tail, now_ms, on_line, arg);
}
