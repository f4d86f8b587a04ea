/* SPDX-License-Identifier: MIT */
/* log: lines to stderr, one write each; those that are lost are counted. */
#include "common/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/outlet.h"

#define LOG_LINE_BYTES 1024

static const char *log_program = "holdline";
static enum log_level log_most = LOG_LEVEL_INFO;
static bool log_to_journal;
static bool log_is_marked;
static int log_pid; /* 0: getpid */
static unsigned log_n_lost;

static const char log_priorities[] = { [LOG_LEVEL_ERROR] = '3',
	[LOG_LEVEL_WARN] = '4',
	[LOG_LEVEL_INFO] = '6',
	[LOG_LEVEL_DEBUG] = '7' };

void
log_init(const char *program, enum log_level most)
{
	log_program = program;
	log_most = most;
	log_to_journal = getenv("JOURNAL_STREAM") != NULL;
	log_is_marked = log_to_journal;
}

void
log_mark(void)
{
	log_is_marked = true;
}

int
log_level_of(const char *line, const char **text_r)
{
	*text_r = line;
	if (line[0] != '<' || !line[1] || line[2] != '>')
		return -1;
	const char *const at =
	    memchr(log_priorities, line[1], sizeof(log_priorities));
	if (!at)
		return -1;
	*text_r = line + 3;
	return (int)(at - log_priorities);
}

void
log_set_pid(int pid)
{
	log_pid = pid;
}

/* Replace control bytes, so that a line stays one line. */
static void
log_clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

/* The beginning of a line of ours. Returns its length. */
static size_t
log_head(char line[LOG_LINE_BYTES], enum log_level level)
{
	size_t at = 0;

	if (log_is_marked)
		at = (size_t)snprintf(
		    line, LOG_LINE_BYTES, "<%c>", log_priorities[level]);
	at += (size_t)snprintf(line + at, LOG_LINE_BYTES - at, "%s[%d] ",
	    log_program, log_pid ? log_pid : (int)getpid());
	return at;
}

/* Apart, since tasks keep what they touched of their stacks. */
static void __attribute__((noinline)) log_say_lost(void)
{
	char line[LOG_LINE_BYTES];
	size_t at = log_head(line, LOG_LEVEL_WARN);

	at += (size_t)snprintf(line + at, sizeof(line) - at,
	    "log: %u lines were lost: nobody read them\n", log_n_lost);
	if (outlet_write(line, at))
		log_n_lost = 0;
}

static void
log_put(const char *line, size_t n)
{
	if (log_n_lost > 0)
		log_say_lost();
	log_n_lost += !outlet_write(line, n);
}

static void
log_line(enum log_level level, int e, const char *fmt, va_list ap)
{
	char line[LOG_LINE_BYTES];

	if (level > log_most)
		return;
	size_t at = log_head(line, level);
	vsnprintf(line + at, sizeof(line) - at - 1, fmt, ap);
	at += strlen(line + at);
	if (e)
		snprintf(line + at, sizeof(line) - at - 1, ": %s",
		    strerrordesc_np(-e) ? strerrordesc_np(-e) : "unknown");
	log_clean(line);
	at = strlen(line);
	line[at++] = '\n';
	log_put(line, at);
}

void
log_pass(const char *line, size_t n)
{
	const char *text = line;

	if (n > 3 && !log_to_journal)
		(void)log_level_of(line, &text);
	log_put(text, n - (size_t)(text - line));
}

#define LOG_DEFINE(name, level)              \
	void name(const char *fmt, ...)      \
	{                                    \
		va_list ap;                  \
		va_start(ap, fmt);           \
		log_line(level, 0, fmt, ap); \
		va_end(ap);                  \
	}

#define LOG_DEFINE_ERR(name, level)            \
	void name(int e, const char *fmt, ...) \
	{                                      \
		va_list ap;                    \
		va_start(ap, fmt);             \
		log_line(level, e, fmt, ap);   \
		va_end(ap);                    \
	}

LOG_DEFINE(log_error, LOG_LEVEL_ERROR)
LOG_DEFINE(log_warn, LOG_LEVEL_WARN)
LOG_DEFINE(log_info, LOG_LEVEL_INFO)
LOG_DEFINE(log_debug, LOG_LEVEL_DEBUG)
LOG_DEFINE_ERR(log_error_err, LOG_LEVEL_ERROR)
LOG_DEFINE_ERR(log_warn_err, LOG_LEVEL_WARN)
