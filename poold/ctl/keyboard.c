/* SPDX-License-Identifier: MIT */
/* keyboard: lines of stdin for a task. */
#include "poold/ctl/keyboard.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/flow/sleep.h"

/* What was read and not given out yet, and the line given out last. */
static char keyboard_storage[KEYBOARD_LINE_MAX];
static struct buf keyboard_ahead;
static size_t keyboard_given;

bool
keyboard_is_terminal(void)
{
	return isatty(STDIN_FILENO) == 1;
}

/* Read what is there. Returns bytes (0 at the end) or -errno. Waits. */
static ssize_t
keyboard_fill(void)
{
	const size_t room = buf_room(&keyboard_ahead);
	char *const to = buf_reserve(&keyboard_ahead, room);

	for (;;) {
		const int rc =
		    flow_wait_fd(STDIN_FILENO, LOOP_READ, CLOCK_NEVER);
		if (rc < 0 && rc != -EPERM)
			return rc;
		const ssize_t n = read(STDIN_FILENO, to, room);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		buf_commit(&keyboard_ahead, (size_t)n);
		return n;
	}
}

/* Give out n bytes of what is there as a line; skip bytes follow it. */
static int
keyboard_give(size_t n, size_t skip, const char **line_r)
{
	char *const line = keyboard_ahead.data + keyboard_ahead.head;

	for (size_t i = 0; i < n; i++)
		if (line[i] == '\0')
			line[i] = '?';
	if (n && line[n - 1] == '\r')
		line[n - 1] = '\0';
	line[n] = '\0';
	keyboard_given = n + skip;
	*line_r = line;
	return 0;
}

int
keyboard_line(const char **line_r)
{
	if (!keyboard_ahead.data)
		buf_init_static(&keyboard_ahead, keyboard_storage,
		    sizeof(keyboard_storage));
	buf_consume(&keyboard_ahead, keyboard_given);
	keyboard_given = 0;
	for (;;) {
		const struct slice s = buf_content(&keyboard_ahead);
		const char *const end = memchr(s.p, '\n', s.n);
		if (end)
			return keyboard_give((size_t)(end - s.p), 1, line_r);
		if (buf_room(&keyboard_ahead) < 2)
			return -EMSGSIZE;
		const ssize_t n = keyboard_fill();
		if (n < 0)
			return (int)n;
		if (n == 0 && buf_len(&keyboard_ahead) == 0)
			return -EPIPE;
		if (n == 0)
			return keyboard_give(
			    buf_len(&keyboard_ahead), 0, line_r);
	}
}
