/* SPDX-License-Identifier: MIT */
/* screen: stdout for the result, stderr for the person. */
#include "poold/ctl/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SCREEN_LINE_BYTES   1024
#define SCREEN_PROMPT_BYTES 512
#define SCREEN_COLUMNS      80

static bool screen_colours[3];
static bool screen_is_terminal; /* stderr */
static bool screen_has_progress;
static char screen_prompted[SCREEN_PROMPT_BYTES]; /* "" when none waits */

/*
 * A descriptor of the three that is closed would be given to a socket: put
 * something there that ends when read and fails when written.
 */
static void
screen_fill_gaps(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", O_RDONLY);
}

void
screen_open(void)
{
	screen_fill_gaps();
	const char *const no = getenv("NO_COLOR");
	const char *const term = getenv("TERM");
	const bool may = !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);

	screen_is_terminal = isatty(STDERR_FILENO) == 1;
	screen_colours[STDERR_FILENO] = may && screen_is_terminal;
	screen_colours[STDOUT_FILENO] = may && isatty(STDOUT_FILENO) == 1;
}

bool
screen_has_colour(int fd)
{
	return screen_colours[fd];
}

/* Write all of it. Returns 0 or -errno. */
static int
screen_write(int fd, struct slice s)
{
	while (s.n) {
		const ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s = (struct slice){ s.p + n, s.n - (size_t)n };
	}
	return 0;
}

/* The same to stderr, where a failure has nowhere to be told. */
static void
screen_err(const char *text)
{
	(void)screen_write(STDERR_FILENO, slice_of(text));
}

/* Leave what stands on the last line: erase progress, end a prompt's line. */
static void
screen_make_room(void)
{
	if (screen_has_progress)
		screen_err("\r\033[K");
	screen_has_progress = false;
	if (screen_prompted[0])
		screen_err(screen_is_terminal ? "\r\033[K" : "\n");
}

void
screen_note(const struct page *p)
{
	screen_make_room();
	(void)screen_write(STDERR_FILENO, page_text(p));
	screen_err(screen_prompted);
}

void
screen_say(const char *fmt, ...)
{
	char text[SCREEN_LINE_BYTES];
	struct page page;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	page_init(&page, screen_has_colour(STDERR_FILENO));
	page_clean_line(&page, text);
	page_put(&page, "\n");
	screen_note(&page);
	page_fini(&page);
}

int
screen_result(const struct page *p)
{
	screen_make_room();
	return screen_write(STDOUT_FILENO, page_text(p));
}

/* Columns of the terminal behind stderr. */
static size_t
screen_columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col < 20)
		return SCREEN_COLUMNS;
	return w.ws_col;
}

/* Cut text, in place, to columns: a line in place must not wrap. */
static void
screen_cut(char *text, size_t columns)
{
	size_t n = 0;

	for (; *text; text++) {
		n += ((unsigned char)*text & 0xc0) != 0x80;
		if (n > columns)
			break;
	}
	*text = '\0';
}

void
screen_progress(const char *text)
{
	char line[SCREEN_PROMPT_BYTES];

	if (!screen_is_terminal) {
		screen_say("%s", text);
		return;
	}
	if (screen_prompted[0])
		return;
	snprintf(line, sizeof(line), "%s", text);
	screen_cut(line, screen_columns() - 1);
	screen_make_room();
	struct page page;
	page_init(&page, screen_has_colour(STDERR_FILENO));
	page_look(&page, PAGE_DIM);
	page_clean_line(&page, line);
	page_look(&page, PAGE_PLAIN);
	(void)screen_write(STDERR_FILENO, page_text(&page));
	page_fini(&page);
	screen_has_progress = true;
}

void
screen_prompt(const char *text)
{
	screen_make_room();
	snprintf(screen_prompted, sizeof(screen_prompted), "%s", text);
	screen_err(screen_prompted);
}

void
screen_answered(bool is_line)
{
	if (screen_prompted[0] && !(is_line && screen_is_terminal))
		screen_err("\n");
	screen_prompted[0] = '\0';
}
