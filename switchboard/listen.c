/* SPDX-License-Identifier: MIT */
/* listen: listening sockets. */
#include "switchboard/listen.h"

#include <bsd/string.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/must.h"
#include "common/loop/loop.h"

#include "switchboard/limits.h"

/* Static, for the life of the process. */
struct listen_socket {
	int fd;
	struct loop_io io;
	bool (*is_full)(void);
	listen_take_fn *take;
	char address[64];
};

static struct {
	struct listen_socket sockets[LIMIT_LISTENERS];
	unsigned n;
	bool is_started;
	bool is_short; /* said so once, until an accept goes well */
	struct loop_timer pause;
} listening;

/* Whether the error is of one connection and not of the socket. */
static bool
listen_is_transient(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO ||
	       error == EPERM || error == ENETDOWN || error == EHOSTUNREACH;
}

/* Descriptors or memory are short: leave the backlog alone for a while. */
static void
listen_pause(int error)
{
	if (!listening.is_short)
		log_warn_err(-error, "listen: cannot accept, pausing");
	listening.is_short = true;
	for (unsigned i = 0; i < listening.n; i++)
		loop_io_stop(&listening.sockets[i].io);
	loop_timer_set(
	    &listening.pause, clock_now_ms() + LIMIT_ACCEPT_PAUSE_MS);
}

/* Accept one. Returns false when there is none, or no room. */
static bool
listen_accept(struct listen_socket *s)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t sa_bytes = sizeof(sa);

	if (s->is_full && s->is_full()) {
		loop_io_stop(&s->io);
		return false;
	}
	const int fd = accept4(s->fd, (struct sockaddr *)&sa, &sa_bytes,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0 && errno == EAGAIN)
		return false;
	if (fd < 0 && listen_is_transient(errno))
		return true;
	if (fd < 0) {
		listen_pause(errno);
		return false;
	}
	listening.is_short = false;
	if (s->take(fd, &sa) < 0)
		listen_pause(ENOMEM);
	return true;
}

static void
listen_on_ready(unsigned events, void *arg)
{
	for (int i = 0; i < LIMIT_ACCEPTS; i++)
		if (!listen_accept(arg))
			break;
}

/*
 * Accepted sockets inherit these: what is written goes out at once, and a
 * client that vanished is noticed though nothing is written to it. A socket
 * that is not TCP has no such options.
 */
static void
listen_set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, LIMIT_PROBE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, LIMIT_PROBE_PAUSE_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, LIMIT_PROBES },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name,
		    &options[i].value, sizeof(options[i].value));
}

int
listen_add_take(
    int fd, const char *address, bool (*is_full)(void), listen_take_fn *take)
{
	fd_auto int owned = fd;

	if (listening.n == LIMIT_LISTENERS)
		return -ENOSPC;
	const int rc = fd_nonblock(owned);
	if (rc < 0)
		return rc;
	listen_set_options(owned);
	struct listen_socket *const s = &listening.sockets[listening.n++];
	*s = (struct listen_socket){ .is_full = is_full, .take = take };
	s->fd = fd_take(&owned);
	strlcpy(s->address, address, sizeof(s->address));
	loop_io_init(&s->io, s->fd, listen_on_ready, s);
	if (listening.is_started)
		listen_resume();
	return 0;
}

static void
listen_on_pause_over(void *arg)
{
	listen_resume();
}

void
listen_start(void)
{
	must(!listening.is_started);
	listening.is_started = true;
	loop_timer_init(&listening.pause, listen_on_pause_over, NULL);
	for (unsigned i = 0; i < listening.n; i++)
		log_info("listen %s: accepting", listening.sockets[i].address);
	listen_resume();
}

void
listen_resume(void)
{
	if (!listening.is_started || loop_timer_is_set(&listening.pause))
		return;
	for (unsigned i = 0; i < listening.n; i++) {
		const int rc =
		    loop_io_watch(&listening.sockets[i].io, LOOP_READ);
		if (rc < 0)
			log_error_err(rc, "listen %s: cannot watch",
			    listening.sockets[i].address);
	}
}

void
listen_stop(void)
{
	if (listening.is_started)
		loop_timer_clear(&listening.pause);
	for (unsigned i = 0; i < listening.n; i++) {
		loop_io_stop(&listening.sockets[i].io);
		fd_close(&listening.sockets[i].fd);
	}
	listening.n = 0;
	listening.is_started = false;
}
