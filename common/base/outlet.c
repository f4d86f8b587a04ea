/* SPDX-License-Identifier: MIT */
/*
 * outlet: stderr is shared with other processes, so it cannot be made
 * O_NONBLOCK; RWF_NOWAIT asks for one call (Linux 6.4 for pipes). Elsewhere
 * poll(2) says whether there is room, which another writer may take first.
 */
#include "common/base/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/clock.h"

#define OUTLET_PATIENCE_US INT64_C(1000000)
#define OUTLET_SHARE       10 /* one part of so many may be waited */

static int64_t outlet_patience_us = OUTLET_PATIENCE_US;
static int64_t outlet_waited_at_us; /* when that was counted last */
static bool outlet_is_torn;         /* what was lost last had begun */

/* Whether the kernel or a filter does not know that way to write. */
static bool
outlet_is_unknown(int e)
{
	return e == EOPNOTSUPP || e == ENOSYS || e == EPERM || e == EINVAL ||
	       e == ESPIPE;
}

/* What stderr is: asked once, it stays that. */
static enum {
	OUTLET_UNKNOWN,
	OUTLET_FILE, /* has room, or its disk has none: nobody is waited for */
	OUTLET_TERMINAL, /* may have room for a part: opened anew */
	OUTLET_OTHER,
} outlet_kind;

static int outlet_fd = STDERR_FILENO;
static pid_t outlet_pid; /* whose a descriptor besides that is */

/*
 * A terminal waits for room for the whole line once it began to take it; not
 * for us, who have it open once more, as nobody else has it. The switchboard's
 * filter refuses that: it has to wait for its part of a line.
 */
static void
outlet_look(void)
{
	struct stat st;

	outlet_kind = OUTLET_OTHER;
	outlet_fd = STDERR_FILENO;
	if (fstat(STDERR_FILENO, &st) < 0)
		return;
	if (S_ISREG(st.st_mode))
		outlet_kind = OUTLET_FILE;
	if (!S_ISCHR(st.st_mode) || !isatty(STDERR_FILENO))
		return;
	const int fd = open(
	    "/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	outlet_fd = fd;
	outlet_pid = getpid();
	outlet_kind = OUTLET_TERMINAL;
}

/* Write what can be written now. Returns how much, or -errno. */
static ssize_t
outlet_try(const char *bytes, size_t n)
{
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
	const struct iovec one = { (void *)(uintptr_t)bytes, n };

	/* A child has another stderr, and may have closed the rest. */
	if (outlet_kind == OUTLET_UNKNOWN ||
	    (outlet_kind == OUTLET_TERMINAL && outlet_pid != getpid()))
		outlet_look();
	const bool is_plain = outlet_kind != OUTLET_OTHER;
	ssize_t done = is_plain
	                   ? write(outlet_fd, bytes, n)
	                   : pwritev2(STDERR_FILENO, &one, 1, -1, RWF_NOWAIT);

	if (done < 0 && !is_plain && outlet_is_unknown(errno))
		done = poll(&room, 1, 0) == 0 ? (errno = EAGAIN, -1)
		                              : write(STDERR_FILENO, bytes, n);
	return done < 0 ? -errno : done;
}

/* Wait for room as long as is allowed. Returns false when it is not. */
static bool
outlet_wait(void)
{
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
	const int64_t before_us = clock_now_us();

	outlet_patience_us += (before_us - outlet_waited_at_us) / OUTLET_SHARE;
	if (outlet_patience_us > OUTLET_PATIENCE_US)
		outlet_patience_us = OUTLET_PATIENCE_US;
	const int timeout_ms = (int)(outlet_patience_us / 1000);
	const bool is_ready = timeout_ms > 0 && poll(&room, 1, timeout_ms) != 0;
	outlet_waited_at_us = clock_now_us();
	outlet_patience_us -= outlet_waited_at_us - before_us;
	return is_ready;
}

/* Write all, or begin to. Returns how much was written, or -errno. */
static ssize_t
outlet_put(const char *bytes, size_t n)
{
	size_t at = 0;

	while (at < n) {
		const ssize_t done = outlet_try(bytes + at, n - at);
		if (done > 0)
			at += (size_t)done;
		else if (done != -EINTR && done != -EAGAIN)
			return done;
		else if (done == -EAGAIN && !outlet_wait())
			return (ssize_t)at;
	}
	return (ssize_t)at;
}

bool
outlet_write(const char *line, size_t n)
{
	ssize_t done = outlet_is_torn ? outlet_put("\n", 1) : 1;

	if (done == 0)
		return false;
	outlet_is_torn = false;
	done = outlet_put(line, n);
	outlet_is_torn = done > 0 && done < (ssize_t)n;
	return done < 0 || done == (ssize_t)n;
}
