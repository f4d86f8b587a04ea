/* SPDX-License-Identifier: MIT */
/* notify: forty lines of datagram instead of a library. */
#include "common/proc/notify.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"

static struct sockaddr_un notify_to;
static socklen_t notify_to_bytes; /* 0: nobody to tell */
static int64_t notify_every_ms;

/* WATCHDOG_USEC, if it is for us. */
static int64_t
notify_read_watchdog(void)
{
	const char *const usec = getenv("WATCHDOG_USEC");
	const char *const pid = getenv("WATCHDOG_PID");
	const char *fault;

	if (!usec || (pid && strtonum(pid, 1, INT32_MAX, &fault) != getpid()))
		return 0;
	const int64_t ms = strtonum(usec, 1, INT64_MAX, &fault) / 2000;
	return fault ? 0 : ms > 0 ? ms : 1;
}

int64_t
notify_watchdog_ms(void)
{
	return notify_to_bytes > 0 ? notify_every_ms : 0;
}

void
notify_take(void)
{
	const char *const name = getenv("NOTIFY_SOCKET");
	const size_t n = name ? strlen(name) : 0;

	notify_to_bytes = 0;
	if (n >= 2 && n < sizeof(notify_to.sun_path) &&
	    (name[0] == '/' || name[0] == '@')) {
		notify_to = (struct sockaddr_un){ .sun_family = AF_UNIX };
		memcpy(notify_to.sun_path, name, n);
		/* An abstract socket: the name begins with NUL, not '@'. */
		if (name[0] == '@')
			notify_to.sun_path[0] = '\0';
		notify_to_bytes =
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
				(name[0] == '/'));
	} else if (n > 0) {
		log_warn("NOTIFY_SOCKET=%s: not understood, not used", name);
	}
	notify_every_ms = notify_read_watchdog();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

int
notify_send(const char *lines)
{
	if (notify_to_bytes == 0)
		return 0;
	fd_auto int fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	const ssize_t n = sendto(fd, lines, strlen(lines), MSG_NOSIGNAL,
	    (struct sockaddr *)&notify_to, notify_to_bytes);
	return n < 0 ? -errno : 0;
}
