/* SPDX-License-Identifier: MIT */
#include "backend/tenant.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/flow/main.h"
#include "common/flow/outside.h"
#include "common/proc/environ.h"
#include "common/proc/sanitized.h"

#include "backend/backend.h"
#include "backend/birth.h"
#include "backend/dialog.h"
#include "backend/keeper.h"
#include "backend/peer.h"
#include "backend/poold_link.h"
#include "backend/reap.h"
#include "backend/rest.h"
#include "backend/serve.h"

#define TENANT_LISTEN_FD 3   /* sd_listen_fds(3) */
#define TENANT_SHUT_MS   250 /* for tools to clean up */
#define TENANT_DRAIN_MS  250 /* for clients to be told */

/* The one of this process. */
static struct tenant {
	const struct tenant_spec *spec;
	struct backend backend;
	struct serve *serve;
	struct poold_link *link;
	struct keeper keeper; /* the root task's work until the end */
} tenant_state;

/* The socket that poold listens on for us (sd_listen_fds(3)), or -1. */
static int
tenant_listen_fd(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	const bool is_ours =
	    fds && atoi(fds) >= 1 && (!pid || atoi(pid) == (int)getpid());
	int listens = 0;
	socklen_t n = sizeof(listens);

	environ_drop("LISTEN_PID");
	environ_drop("LISTEN_FDS");
	environ_drop("LISTEN_FDNAMES");
	if (!is_ours ||
	    getsockopt(TENANT_LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens,
		&n) != 0 ||
	    !listens)
		return -1;
	(void)fcntl(TENANT_LISTEN_FD, F_SETFD, FD_CLOEXEC);
	return TENANT_LISTEN_FD;
}

/* Give up: tell poold and whoever reads stderr. */
static void __attribute__((noreturn, format(printf, 1, 2)))
tenant_fail(const char *fmt, ...)
{
	char text[ERR_PLACE_BYTES + ERR_TEXT_BYTES + 64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	poold_link_failed(tenant_state.link, text);
	flow_exit(1, text);
}

static void
tenant_on_busy(unsigned n_sessions, void *arg)
{
	const struct tenant *t = arg;

	poold_link_sessions(t->link, n_sessions);
}

static void
tenant_exit(void *arg)
{
	exit(0);
}

/*
 * Nobody waits for anything: what is left of ours is memory and descriptors,
 * which the kernel takes back sooner than we do. Leaks are looked for at a
 * return. What tools have to do at an exit is done: buffers of stdio, say.
 */
static void
tenant_leave(const struct tenant *t)
{
	if (!SANITIZED_BUILD && flow_main_signal() == SIGTERM &&
	    registry_n_live(t->backend.registry) == 0 && t->serve &&
	    serve_is_idle(t->serve))
		flow_outside(tenant_exit, NULL);
}

/* The end, in order: tools, the clients that wait for them, connections. */
static int
tenant_shut(void *arg, struct err *err)
{
	struct tenant *t = arg;

	t->backend.is_draining = true;
	tenant_leave(t);
	log_info("backend %s: shutting_down", t->backend.host);
	if (registry_shut(
		t->backend.registry, clock_deadline_ms(TENANT_SHUT_MS)) != 0)
		log_warn("backend %s: tools still clean up", t->backend.host);
	peers_shut(t->backend.peers);
	if (t->serve)
		serve_drain(t->serve, clock_deadline_ms(TENANT_DRAIN_MS));
	return 0;
}

/* The last finaliser: no task is left that could use anything. */
static int
tenant_free(void *arg, struct err *err)
{
	struct tenant *t = arg;

	rest_stop();
	reap_stop();
	serve_free(&t->serve);
	peers_free(&t->backend.peers);
	dialogs_free(&t->backend.dialogs);
	registry_free(&t->backend.registry);
	load_free(&t->backend.load);
	poold_link_close(&t->link);
	return 0;
}

/* Load all tools, or say which one cannot be loaded and why. */
static void
tenant_load(struct tenant *t)
{
	struct err err;

	t->backend.load = load_new();
	for (char **file = t->spec->tools; *file; file++)
		if (load_open(t->backend.load, *file, &err) != 0)
			tenant_fail("backend: %s: %s", err.place, err.text);
	birth_mark(BIRTH_LOADED);
}

/* Make what sessions and faces need. Returns 0 or -ENOMEM. */
static int
tenant_furnish(struct tenant *t)
{
	struct backend *b = &t->backend;
	const struct registry_spec spec = {
		.keeper = &t->keeper,
		.max_sessions = t->spec->max_sessions,
		.session_timeout_ms = t->spec->session_timeout_ms,
		.linger_ms = REGISTRY_LINGER_MS,
		.on_busy = tenant_on_busy,
		.on_busy_arg = t,
	};

	b->registry = registry_new(&spec);
	b->dialogs = dialogs_new(&t->keeper);
	if (b->registry)
		b->peers = peers_new(b->registry, &t->keeper,
		    t->spec->max_sessions, t->spec->session_timeout_ms);
	return b->peers && b->dialogs ? 0 : -ENOMEM;
}

/*
 * Serve until poold is gone. In a scope of its own inside the one that
 * sessions and connections live in: its finaliser ends them in order before
 * that one would halt them all.
 */
static void *
tenant_serve(void *arg)
{
	struct tenant *t = arg;

	if (scope_ensure(tenant_shut, t) != 0)
		tenant_fail("backend: out of memory");
	log_info("backend %s: ready: tools=%zu", t->spec->host,
	    load_n(t->backend.load));
	poold_link_ready(t->link);
	rest_start(&t->keeper);
	keeper_run(&t->keeper);
	return NULL;
}

void *
tenant_run(void *arg)
{
	struct tenant *t = &tenant_state;
	const int fd = tenant_listen_fd();
	struct err err;

	t->spec = arg;
	t->backend.host = t->spec->host;
	keeper_init(&t->keeper);
	if (scope_ensure(tenant_free, t) != 0 ||
	    poold_link_open(&t->keeper, &t->link) != 0)
		tenant_fail("backend: the channel to poold cannot be opened");
	if (fd < 0)
		tenant_fail("backend: no listening socket in LISTEN_FDS");
	if (t->spec->state_dir && chdir(t->spec->state_dir) != 0)
		tenant_fail(
		    "backend: %s: cannot be entered", t->spec->state_dir);
	tenant_load(t);
	if (tenant_furnish(t) != 0 ||
	    reap_start(&t->keeper, t->backend.registry) != 0 ||
	    serve_start_take(&t->backend, fd, &t->serve) != 0)
		tenant_fail("backend: out of memory");
	if (scope_call(tenant_serve, t, NULL, &err) != 0)
		tenant_fail("backend: %s", err.text);
	return NULL;
}

void
tenant_hurry(int signo)
{
	if (tenant_state.serve)
		serve_hurry(tenant_state.serve);
}
