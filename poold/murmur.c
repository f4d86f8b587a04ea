/* SPDX-License-Identifier: MIT */
/* murmur: a pipe and tail.c. */
#include "poold/murmur.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"

#define MURMUR_READ_BYTES 1024
#define MURMUR_READS      4
#define MURMUR_READS_LAST 64

/* What was read last; not on a task's stack, as in process.c. */
static char murmur_bytes[MURMUR_READ_BYTES];

void
murmur_init(struct murmur *murmur)
{
	*murmur = (struct murmur){ .fd = -1 };
}

int
murmur_open_take(
    struct murmur *murmur, int fd, struct select *select, void *arg)
{
	murmur->fd = fd;
	return select_watch(select, &murmur->io, fd, LOOP_READ, arg);
}

/* Whether a text is a line of our own backend's log, with its own pid. */
static bool
murmur_is_own(const struct murmur_who *who, const char *text)
{
	char head[32];

	snprintf(head, sizeof(head), "backend[%d] ", (int)who->pid);
	return who->is_ours && strncmp(text, head, strlen(head)) == 0;
}

/* Of our own lines only those that tell of trouble. */
static const char *
murmur_quote(const char *line, void *arg)
{
	const char *text;
	const int level = log_level_of(line, &text);

	if (!murmur_is_own(arg, text))
		return line;
	return level <= LOG_LEVEL_WARN ? text : NULL;
}

static void
murmur_say_dropped(const struct murmur_who *who, unsigned n_dropped)
{
	if (n_dropped)
		log_warn("%s wrote too much: %u lines were dropped", who->name,
		    n_dropped);
}

/* A line of its own log goes into ours as it is. */
static void
murmur_pass(const char *line)
{
	static char whole[TAIL_LINE_BYTES + 2];
	const int n = snprintf(whole, sizeof(whole), "%s\n", line);

	log_pass(
	    whole, (size_t)n < sizeof(whole) ? (size_t)n : sizeof(whole) - 1);
}

static void
murmur_on_line(const char *line, unsigned n_dropped, void *arg)
{
	const struct murmur_who *const who = arg;
	const char *text;

	murmur_say_dropped(who, n_dropped);
	(void)log_level_of(line, &text);
	if (murmur_is_own(who, text))
		murmur_pass(line);
	else
		log_info("%s says: %s", who->name, line);
}

static struct tail_calls
murmur_calls(const struct murmur_who *who)
{
	return (struct tail_calls){ .on_line = murmur_on_line,
		.quote = murmur_quote,
		.arg = (void *)(uintptr_t)who };
}

void
murmur_close(struct murmur *murmur, const struct murmur_who *who)
{
	const struct tail_calls calls = murmur_calls(who);

	if (murmur->fd < 0)
		return;
	select_unwatch(&murmur->io);
	fd_close(&murmur->fd);
	tail_end(&murmur->tail, clock_now_ms(), &calls);
	murmur_say_dropped(who, murmur->tail.n_dropped);
}

void
murmur_read(struct murmur *murmur, const struct murmur_who *who, bool is_last)
{
	const struct tail_calls calls = murmur_calls(who);
	unsigned n_reads = is_last ? MURMUR_READS_LAST : MURMUR_READS;

	while (murmur->fd >= 0 && n_reads-- > 0) {
		const ssize_t n =
		    read(murmur->fd, murmur_bytes, sizeof(murmur_bytes));
		if (n > 0)
			tail_feed(&murmur->tail, murmur_bytes, (size_t)n,
			    clock_now_ms(), &calls);
		else if (n < 0 && errno == EAGAIN)
			return;
		else if (n == 0 || errno != EINTR)
			murmur_close(murmur, who);
	}
}

void
murmur_fini(struct murmur *murmur)
{
	tail_fini(&murmur->tail);
}
