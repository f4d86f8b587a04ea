/* SPDX-License-Identifier: MIT */
/*
 * switchboard: accepts HTTP/1.1, finds the backend of each Host through poold,
 * and proxies. Runs unprivileged under poold, and before it reads a byte gives
 * up files and all system calls that it does not need.
 * Everything from poold comes over the channel in HOLDLINE_CHANNEL.
 *
 *   limits.h    every bound and time      exchange.c  a request's record
 *   block.c     storage for buffers       refuse.c    ends it with an error
 *   jack.c      a socket and its buffers  forward.c   towards the backend
 *   fault.c     answers of our own        answer.c    from the backend
 *   retry.c     what may be repeated      drive.c     an exchange's events
 *   upstream.c  connections to backends   client.c    downstream connections
 *   route.c     hosts and who waits       listen.c    accepting
 *   relay.c     one direction of a body   admin.c     health, servers, events
 *   tunnel.c    an upgrade's two halves   feed.c      to those who read them
 *   link.c      poold, and the ending     confine.c   what is given up at start
 */
#include <bsd/stdlib.h>
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "common/base/log.h"
#include "common/ipc/proto.h"
#include "common/loop/loop.h"

#include "switchboard/admin.h"
#include "switchboard/block.h"
#include "switchboard/client.h"
#include "switchboard/confine.h"
#include "switchboard/drive.h"
#include "switchboard/limits.h"
#include "switchboard/listen.h"
#include "switchboard/link.h"
#include "switchboard/route.h"
#include "switchboard/upstream.h"

#define MAIN_SIGNALS 3

/* The descriptor of the channel, or -1 with a line in the log. */
static int
main_channel_fd(void)
{
	const char *const text = getenv(PROTO_CHANNEL_ENV);
	const char *wrong = NULL;

	if (!text) {
		log_error("start: %s is not set: the switchboard is started "
			  "by poold",
		    PROTO_CHANNEL_ENV);
		return -1;
	}
	const int fd = (int)strtonum(text, 0, INT_MAX, &wrong);
	if (wrong || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		log_error("start: %s=%s is no open descriptor",
		    PROTO_CHANNEL_ENV, text);
		return -1;
	}
	unsetenv(PROTO_CHANNEL_ENV);
	return fd;
}

/*
 * Use as many descriptors as we may. Returns how many clients that is enough
 * for: each may need an upstream too.
 */
static unsigned
main_client_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return LIMIT_FDS_RESERVED;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur >= 2 * LIMIT_CLIENTS + LIMIT_FDS_RESERVED)
		return LIMIT_CLIENTS;
	if (limit.rlim_cur <= 2 * LIMIT_FDS_RESERVED)
		return LIMIT_FDS_RESERVED / 2;
	return (unsigned)(limit.rlim_cur - LIMIT_FDS_RESERVED) / 2;
}

static void
main_on_signal(int signo, void *arg)
{
	link_end();
}

/* A person asks what it is doing. */
static void
main_on_ask(int signo, void *arg)
{
	exchange_dump();
}

static void
main_watch_signals(struct loop_signal signals[MAIN_SIGNALS])
{
	signal(SIGPIPE, SIG_IGN);
	if (loop_signal_start(&signals[0], SIGTERM, main_on_signal, NULL) < 0 ||
	    loop_signal_start(&signals[1], SIGINT, main_on_signal, NULL) < 0 ||
	    loop_signal_start(&signals[2], SIGUSR1, main_on_ask, NULL) < 0)
		log_warn("start: signals are not watched");
}

int
main(int argc, char **argv, char **envp)
{
	struct loop_signal signals[MAIN_SIGNALS] = { 0 };

	log_init("switchboard", LOG_LEVEL_INFO);
	const int fd = main_channel_fd();
	if (fd < 0)
		return EXIT_FAILURE;
	setproctitle_init(argc, argv, envp);
	setproctitle("-holdline: switchboard");
	loop_open();
	main_watch_signals(signals);
	const unsigned n_max = main_client_max();
	client_open(n_max, listen_resume);
	upstream_open(n_max);
	admin_open(listen_resume);
	drive_open();
	const int rc = link_open_take(fd);
	if (rc < 0) {
		log_error_err(rc, "start: no channel");
		return EXIT_FAILURE;
	}
	if (confine_enter() < 0)
		return EXIT_FAILURE;
	loop_run();
	link_close();
	for (int i = 0; i < MAIN_SIGNALS; i++)
		loop_signal_stop(&signals[i]);
	loop_turn(false); /* what was closed last is freed now */
	route_close();
	exchange_close();
	block_close();
	loop_close();
	return EXIT_SUCCESS;
}
