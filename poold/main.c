/* SPDX-License-Identifier: MIT */
/*
 * poold: starts, supervises and ends every other process of holdline.
 *
 * Peers: the switchboard and tools backends (channels, common/ipc/proto.h), the
 * service manager (sd_notify), nobody on the network: it opens the listening
 * sockets and never reads from them. Runs as root (then children become
 * somebody else) or as anybody. Keeps: lock, listening sockets, a pipe that
 * shows children that poold lives, per child a pidfd, a channel, its stderr.
 *
 * Files, in reading order; each includes only files above it:
 *   match.c address.c  hosts and addresses          (pure)
 *   settings.c         the configuration             (pure)
 *   life.c policy.c seat.c stages.c   what happens to a backend   (pure)
 *   tail.c env.c       lines of stderr, environments (pure)
 *   uids.c mark.c      ids for tenants; what changed
 *   heritage.h         what a child inherits
 *   child_exec.c       between fork and exec
 *   child_init.c       above a foreign program
 *   process_fork.c process_report.c   making a child; whether it runs
 *   murmur.c           its stderr, as a task reads it
 *   process.c process_start.c   one child from its start to its reap
 *   family.c           descendants that poold did not start
 *   bequest.c          a folder becomes another user's
 *   program.c place.c owner.c listener.c   programs, folders, users, sockets
 *   cgroup.c turn.c    a leaf a run; so many start at a time
 *   events.c           what happens to backends: a log line and a stream
 *   context.c          what the tasks share: made at start
 *   board.c report.c   the switchboard, and events on their way to it
 *   zygote_link.c      the task of the zygote
 *   spare.c            its children that wait for a tenant
 *   ask.c              who waits for a backend, and the answers
 *   backend_confine.c  what a run may use up, open and call
 *   backend_spawn.c    folder, socket and process of a new run
 *   backend_hear.c     what its process says
 *   backend_ask.c      who waits for it; its place
 *   backend_judge.c    how a run ended
 *   backend_bury.c     nothing of it is left
 *   backend_act.c      what life.c says is to be done
 *   backend_tell.c     changes of state, to log and events
 *   backend.c          the task of a backend
 *   pool.c             asks to backends; the order of ending
 */
#include <bsd/unistd.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/flow/main.h"
#include "common/proc/notify.h"
#include "common/proc/signals.h"
#include "common/proc/title.h"

#include "poold/context.h"
#include "poold/pool.h"
#include "poold/settings.h"

#define MAIN_KILLED 3 /* exit status: it ended, but killed somebody */

static struct pool pool;

static int
main_usage(int status)
{
	fputs("usage: poold [-C] -c FILE\n"
	      "  -c FILE  the configuration\n"
	      "  -C       check it, print it with all defaults, do not start\n"
	      "exit status: 0 it ended by SIGTERM, 130 by SIGINT, 3 somebody\n"
	      "had to be killed for that; 1 an error, 2 this was misused\n",
	    status ? stderr : stdout);
	return status;
}

static int
main_say(const struct err *err)
{
	fprintf(stderr, "poold: %s%s%s\n", err->place,
	    err->place[0] ? ": " : "", err->text);
	return EXIT_FAILURE;
}

static void
main_on_hurry(int signo)
{
	pool_hurry(&pool);
}

/* The end by a signal is an end as wanted, unless not all went by itself. */
static int
main_status(int status, bool has_killed)
{
	if (has_killed && (status == 128 + SIGTERM || status == 128 + SIGINT))
		return MAIN_KILLED;
	return status == 128 + SIGTERM ? 0 : status;
}

/* Descriptors 0 to 2 must be taken, or a socket of ours becomes stderr. */
static void
main_take_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	fd_close(&fd);
}

static int
main_run(const struct settings *settings)
{
	struct context context;
	struct err err;
	int status;

	/* Before anything is logged: outlet.c may open a terminal anew. */
	closefrom(3 + (int)listeners_n_passed());
	signals_begin();
	umask(022);
	notify_take();
	title_set("pool");
	if (context_open(&context, settings, &err) < 0) {
		context_close(&context);
		return main_say(&err);
	}
	pool_init(&pool, &context);
	/* What reading the configuration took is the kernel's again. */
	malloc_trim(0);
	status = flow_main(pool_body, &pool, main_on_hurry);
	pool_fini(&pool);
	context_close(&context);
	return main_status(status, context.has_killed);
}

int
main(int argc, char **argv)
{
	const char *path = NULL;
	struct settings settings;
	struct err err;
	bool is_check = false;
	int option, status = EXIT_SUCCESS;

	title_init(argc, argv, environ);
	main_take_standard();
	log_init("poold", LOG_LEVEL_INFO);
	while ((option = getopt(argc, argv, "Cc:h")) != -1) {
		if (option == 'c')
			path = optarg;
		else if (option == 'C')
			is_check = true;
		else
			return main_usage(option == 'h' ? 0 : 2);
	}
	if (!path || optind != argc)
		return main_usage(2);
	if (settings_read(path, &settings, &err) < 0)
		status = main_say(&err);
	else if (is_check)
		settings_dump(&settings, stdout);
	else
		status = main_run(&settings);
	settings_fini(&settings);
	return status;
}
