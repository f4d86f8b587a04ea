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
 *   life.c policy.c    what happens to a backend     (pure)
 *   tail.c env.c       lines of stderr, environments (pure)
 *   heritage.h         what a child inherits
 *   child_exec.c       between fork and exec
 *   process.c          one child: fork, channel, stderr, reap (callbacks)
 *   family.c           descendants that poold did not start
 *   program.c place.c listener.c   programs, folders, sockets
 *   context.h          what the tasks share
 *   board.c            the task of the switchboard
 *   backend.c          the task of a backend
 *   pool.c             asks to backends; the order of ending
 */
#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/flow/main.h"
#include "common/proc/notify.h"
#include "common/proc/title.h"

#include "poold/context.h"
#include "poold/family.h"
#include "poold/pool.h"
#include "poold/program.h"
#include "poold/settings.h"

static struct pool pool;

static int
main_usage(int status)
{
	fputs("usage: poold [-C] -c FILE\n"
	      "  -c FILE  the configuration\n"
	      "  -C       check it, print it with all defaults, do not start\n",
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

/* Descriptors for many children; they get the old limit back. */
static void
main_raise_limits(struct context *context)
{
	getrlimit(RLIMIT_NOFILE, &context->nofile);
	const struct rlimit most = { context->nofile.rlim_max,
		context->nofile.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &most) < 0)
		log_warn_err(-errno, "more descriptors are not to be had");
}

/* As whom children run. Without root that is said, once. */
static int
main_find_ids(struct context *context, struct err *err)
{
	if (geteuid() != 0) {
		log_info("not root: the switchboard and all backends run as "
			 "user %u; tenants are not isolated from each other",
		    geteuid());
		return 0;
	}
	context->has_ids = true;
	if (drop_find("holdline", &context->board_ids, NULL) < 0 &&
	    drop_find("nobody", &context->board_ids, err) < 0)
		return err->code;
	context->backend_ids = context->board_ids;
	log_info("the switchboard and all backends run as user %s; tenants "
		 "are not isolated from each other",
	    context->board_ids.user);
	return 0;
}

static int
main_open(struct context *context, struct err *err)
{
	const struct settings *const settings = context->settings;
	int e;

	main_raise_limits(context);
	if ((e = program_find("switchboard", &context->board_program, err)) ||
	    (e = program_find("backend", &context->backend_program, err)) ||
	    (e = main_find_ids(context, err)) ||
	    (e = place_open(&context->place, settings->pool.runtime_dir,
		 settings->pool.state_dir,
		 context->has_ids ? &context->board_ids : NULL, err)) ||
	    (e = listeners_open(&context->listeners, settings, err)))
		return e;
	if ((e = family_open()) < 0 || pipe2(context->life, O_CLOEXEC) < 0)
		return err_set(err, e ? e : -errno, NULL,
		    "the kernel lacks what poold needs");
	for (size_t i = 0; i < context->listeners.n; i++) {
		const struct listener *const l = &context->listeners.v[i];
		log_info("%s on http://%s", l->is_admin ? "admin" : "listening",
		    l->address);
	}
	return 0;
}

static void
main_close(struct context *context)
{
	listeners_close(&context->listeners);
	place_close(&context->place);
	fd_close(&context->life[0]);
	fd_close(&context->life[1]);
	mem_free(context->board_program);
	mem_free(context->backend_program);
}

static void
main_on_hurry(int signo)
{
	pool_hurry(&pool);
}

/* The end by a signal is an end as wanted. */
static int
main_status(int status)
{
	return status == 128 + SIGTERM ? 0 : status;
}

static int
main_run(const struct settings *settings)
{
	struct context context = { .settings = settings, .life = { -1, -1 } };
	struct err err;
	int status;

	signal(SIGPIPE, SIG_IGN);
	umask(022);
	notify_take();
	title_set("pool");
	closefrom(3 + (int)listeners_n_passed());
	if (main_open(&context, &err) < 0) {
		main_close(&context);
		return main_say(&err);
	}
	pool_init(&pool, &context);
	status = flow_main(pool_body, &pool, main_on_hurry);
	pool_fini(&pool);
	main_close(&context);
	return main_status(status);
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
