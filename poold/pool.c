/* SPDX-License-Identifier: MIT */
/*
 * pool: asks in, ends out. The order of ending is one function, pool_end. It
 * is a finaliser of an inner scope, so that it runs before the tasks of the
 * children, which live in the outer one, would be halted: they do its work.
 */
#include "poold/pool.h"

#include <bsd/string.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/main.h"
#include "common/flow/select.h"
#include "common/flow/task.h"
#include "common/proc/notify.h"

#include "poold/backend_ask.h"
#include "poold/family.h"
#include "poold/match.h"
#include "poold/policy.h"
#include "poold/process.h"

#define POOL_DRAIN_SLACK_MS 50 /* for the switchboard's word to arrive */
#define POOL_END_AT_ONCE    64 /* backends that were told and have not ended */
#define POOL_END_TURN_MS    5  /* without an end: as many more are told */

static int
pool_cmp(struct backend *a, struct backend *b)
{
	return strcmp(a->host, b->host);
}

RB_GENERATE_INTERNAL(
    pool_tree, backend, link, pool_cmp, static __attribute__((unused)))

/* ---------------------------------------------------------------- backends */

static struct backend *
pool_find(struct pool *pool, const char *host)
{
	struct backend key = { .host = host };

	return RB_FIND(pool_tree, &pool->backends, &key);
}

static struct backend *
pool_find_generation(struct pool *pool, uint64_t generation)
{
	struct backend *backend;

	RB_FOREACH (backend, pool_tree, &pool->backends)
		if (backend->generation == generation)
			return backend;
	return NULL;
}

static void
pool_on_gone(struct backend *backend, void *arg)
{
	struct pool *const pool = arg;

	RB_REMOVE(pool_tree, &pool->backends, backend);
	pool->n_hosts[backend->tenant_index]--;
	pool->n_all--;
}

/* Make a backend for a host that is admitted. Returns NULL without memory. */
static struct backend *
pool_add(struct pool *pool, size_t tenant_index, const char *host)
{
	const struct settings *const settings = pool->context->settings;
	const bool is_template = settings->tenants[tenant_index].is_template;
	const uint32_t number =
	    is_template ? pool->next_number++ : (uint32_t)tenant_index + 1;
	struct backend *const backend = backend_new(pool->context, &pool->board,
	    tenant_index, host, number, pool_on_gone, pool);

	if (!backend)
		return NULL;
	RB_INSERT(pool_tree, &pool->backends, backend);
	pool->n_hosts[tenant_index]++;
	pool->n_all++;
	return backend_run_take(backend) == 0 ? backend : NULL;
}

/* ------------------------------------------------ what the switchboard says */

/* An ask for a tenant: admit it and pass it on, or refuse it. */
static void
pool_route(struct pool *pool, const struct proto_route_ask *ask,
    const struct match_entry *match)
{
	const struct settings *const settings = pool->context->settings;
	struct backend *backend = pool_find(pool, ask->host);
	struct policy_load load;

	if (backend) {
		backend_ask_look(backend);
		backend_ask_load(backend, &load);
	} else {
		load = (struct policy_load){
			.is_ending = pool->context->is_ending,
			.n_hosts = pool->n_hosts[match->index],
			.max_hosts =
			    (uint32_t)settings->tenants[match->index].max_hosts,
		};
		backend_ask_places(pool->context, &load);
	}
	const enum policy_verdict verdict = policy_admit(&load);
	if (verdict != POLICY_ADMIT && verdict != POLICY_WAIT) {
		ask_refuse_one(&pool->board, ask->ask, verdict, &load,
		    backend ? backend_words(backend) : "");
		return;
	}
	if (!backend)
		backend = pool_add(pool, match->index, ask->host);
	if (backend)
		backend_ask_add(
		    backend, ask->ask, ask->dead_generation, verdict);
	else
		ask_fail_one(&pool->board, ask->ask, 503, 1, "out of memory");
}

static void
pool_on_ask(const struct proto_route_ask *ask, void *arg)
{
	struct pool *const pool = arg;
	const struct settings *const settings = pool->context->settings;
	const struct match_entry *const match =
	    match_find(settings->hosts, settings->n_tenants, ask->host);

	if (match)
		pool_route(pool, ask, match);
	else
		ask_fail_one(
		    &pool->board, ask->ask, 404, 0, "no tenant has this host");
}

static void
pool_on_released(uint64_t generation, void *arg)
{
	struct pool *const pool = arg;
	struct backend *const backend = pool_find_generation(pool, generation);

	if (!backend)
		return;
	/* A session began meanwhile: the switchboard will ask again. */
	if (backend->n_sessions > 0)
		backend_held(backend, UINT32_MAX, false);
	else
		backend_post(backend, LIFE_RELEASED);
}

static void
pool_on_held(const struct proto_held *held, void *arg)
{
	struct pool *const pool = arg;
	struct backend *const backend =
	    pool_find_generation(pool, held->generation);

	if (backend)
		backend_held(backend, held->ask_again_ms, held->is_busy != 0);
}

static void
pool_on_watch(const struct proto_watch *watch, void *arg)
{
	struct pool *const pool = arg;

	report_watch(&pool->report, watch);
}

static void
pool_on_ready(bool is_first, void *arg)
{
	if (!is_first)
		return;
	log_info("ready");
	const int e = notify_send("READY=1\nSTATUS=Answering");
	if (e < 0)
		log_warn_err(e, "the service manager cannot be told");
}

/* The switchboard died: its asks went with it, and so did what it held. */
static void
pool_on_lost(void *arg)
{
	struct pool *const pool = arg;
	struct backend *backend;

	report_stop(&pool->report);
	RB_FOREACH (backend, pool_tree, &pool->backends) {
		ask_drop(&backend->asks);
		backend_held(backend, UINT32_MAX, false);
	}
	family_reap();
}

static const struct board_calls pool_board_calls = {
	.on_ask = pool_on_ask,
	.on_released = pool_on_released,
	.on_held = pool_on_held,
	.on_watch = pool_on_watch,
	.on_ready = pool_on_ready,
	.on_lost = pool_on_lost,
};

/* Say that the loop runs, when it is time. Returns when it is next. */
static int64_t
pool_feed_watchdog(int64_t at_ms)
{
	if (at_ms == CLOCK_NEVER || clock_now_ms() < at_ms)
		return at_ms;
	(void)notify_send("WATCHDOG=1");
	return clock_deadline_ms(notify_watchdog_ms());
}

/*
 * A child ended: one that nobody else waits for is reaped here. A task, for
 * 4.1 KiB in all, and no callback: SIGCHLD is read like anything else. The
 * service manager's watchdog is fed here, too.
 */
static void *
pool_mind_children(void *arg)
{
	struct signalfd_siginfo info;
	struct select select;
	struct select_fd *ready;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	fd_auto int fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	select_fd_auto struct select_fd io = { 0 };
	select_init(&select);
	const int e =
	    fd < 0 ? -errno : select_watch(&select, &io, fd, LOOP_READ, NULL);
	if (e < 0)
		flow_fail(e, "SIGCHLD cannot be watched");
	const int64_t every_ms = notify_watchdog_ms();
	int64_t feed_at_ms =
	    every_ms ? clock_deadline_ms(every_ms) : CLOCK_NEVER;
	for (;;) {
		(void)select_next(
		    &select, "the end of a child", feed_at_ms, &ready);
		feed_at_ms = pool_feed_watchdog(feed_at_ms);
		while (read(fd, &info, sizeof(info)) > 0)
			;
		process_look();
		family_reap();
	}
	return NULL;
}

static int
pool_run_children(void)
{
	const struct task_spec spec = {
		.name = "children",
		.body = pool_mind_children,
	};

	return task_spawn(&spec, NULL);
}

/* ------------------------------------------------------ the order of ending */

static void
pool_post_all(struct pool *pool, enum life_event event)
{
	struct backend *backend;

	RB_FOREACH (backend, pool_tree, &pool->backends)
		backend_post(backend, event);
}

/* The first backend behind a host, which may be gone by now. */
static struct backend *
pool_next(struct pool *pool, const char *host)
{
	struct backend key = { .host = host };
	struct backend *const backend =
	    RB_NFIND(pool_tree, &pool->backends, &key);

	return backend && strcmp(backend->host, host) == 0
	           ? RB_NEXT(pool_tree, &pool->backends, backend)
	           : backend;
}

/*
 * Tell all backends to end, so many at a time: a thousand that end at once
 * stand before poold in the scheduler's line, and those that ended wait to be
 * reaped. One that takes its time delays the others by POOL_END_TURN_MS.
 */
static void
pool_tell_backends(struct pool *pool)
{
	struct context *const context = pool->context;
	char host[PROTO_HOST_BYTES] = "";
	struct backend *backend;
	unsigned room = POOL_END_AT_ONCE;

	while (!context->is_hurried && (backend = pool_next(pool, host))) {
		(void)strlcpy(host, backend->host, sizeof(host));
		backend_post(backend, LIFE_SHUTDOWN);
		if (--room > 0)
			continue;
		const unsigned left = pool->n_all;
		(void)waitq_wait(&context->changed, "a backend's end",
		    clock_deadline_ms(POOL_END_TURN_MS));
		room =
		    pool->n_all < left ? left - pool->n_all : POOL_END_AT_ONCE;
	}
}

/* SIGTERM for all backends, and SIGKILL after stop_timeout. */
static void
pool_end_backends(struct pool *pool)
{
	struct context *const context = pool->context;
	const int64_t stop_ms = context->settings->pool.stop_timeout_ms;

	pool_tell_backends(pool);
	if (context->is_hurried)
		pool_post_all(pool, LIFE_HURRY);
	/* Each ends itself in time; this is for one that the kernel keeps. */
	const int64_t deadline_ms =
	    clock_deadline_ms(stop_ms + policy_kill_ms(stop_ms));
	while (pool->n_all > 0)
		if (waitq_wait(&context->changed, "the backends' end",
			deadline_ms) == -ETIMEDOUT) {
			log_error("%u backends do not end", pool->n_all);
			context->has_killed = true;
			return;
		}
}

/* Whatever was started by whatever we started. */
static void
pool_end_family(struct pool *pool)
{
	const struct family_filter filter = { .is_all = true };
	unsigned left;
	const unsigned n = family_end(&filter,
	    clock_deadline_ms(
		policy_kill_ms(pool->context->settings->pool.stop_timeout_ms)),
	    &left);

	if (n > 0)
		log_info("%u processes that were left behind were killed", n);
	pool->context->has_killed |= n > 0;
	if (left > 0)
		log_error("%u processes do not end", left);
}

static void
pool_end_zygote(struct pool *pool)
{
	const int64_t stop_ms = pool->context->settings->pool.stop_timeout_ms;

	spares_end(&pool->spares, clock_deadline_ms(policy_kill_ms(stop_ms)));
	zygote_link_end(&pool->zygote, clock_deadline_ms(stop_ms));
}

/*
 * What is left is to remove folders and groups, without tasks and without
 * handlers: a third signal must not end us in the middle of it.
 */
static void
pool_end_signals(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
}

static int
pool_end(void *arg, struct err *err)
{
	struct pool *const pool = arg;
	struct context *const context = pool->context;
	const struct settings *const settings = context->settings;
	struct backend *backend;

	context->is_ending = true;
	turns_open(&context->turns);
	log_info("ending: %u backends", context->seats.n_taken);
	(void)notify_send("STOPPING=1\nSTATUS=Ending");
	/* Ours too: what nobody accepts must be refused, not left to hang. */
	listeners_close(&context->listeners);
	RB_FOREACH (backend, pool_tree, &pool->backends)
		backend_ask_refuse(backend);
	board_drain(&pool->board,
	    clock_deadline_ms(
		settings->pool.drain_timeout_ms + POOL_DRAIN_SLACK_MS));
	pool_end_backends(pool);
	if (context->zygote)
		pool_end_zygote(pool);
	/* Everything has happened: what is told must arrive before QUIT. */
	events_close(&context->events);
	report_end(
	    &pool->report, clock_deadline_ms(settings->pool.stop_timeout_ms));
	board_quit(
	    &pool->board, clock_deadline_ms(settings->pool.stop_timeout_ms));
	pool_end_family(pool);
	pool_end_signals();
	log_info("ended%s",
	    context->has_killed ? ": somebody had to be killed" : "");
	return 0;
}

void
pool_hurry(struct pool *pool)
{
	if (!pool->context->is_ending || pool->context->is_hurried)
		return;
	log_warn("hurry: everything is killed");
	pool->context->is_hurried = true;
	board_hurry(&pool->board);
	report_hurry(&pool->report);
	zygote_link_hurry(&pool->zygote);
	pool_post_all(pool, LIFE_HURRY);
	waitq_wake_all(&pool->context->changed, 0);
}

/* ----------------------------------------------------------------- its life */

/* Live until halted. The finaliser is what matters. */
static void *
pool_live(void *arg)
{
	if (scope_ensure(pool_end, arg) < 0)
		flow_fail(-ENOMEM, "no memory");
	(void)flow_suspend();
	return NULL;
}

/* If any tenant is to have it. */
static int
pool_run_zygote(struct pool *pool)
{
	struct context *const context = pool->context;

	if (!settings_needs_zygote(context->settings))
		return 0;
	context->zygote = &pool->zygote;
	context->spares = &pool->spares;
	return zygote_link_run(&pool->zygote) == 0 &&
	               spares_run(&pool->spares) == 0
	           ? 0
	           : -ENOMEM;
}

void *
pool_body(void *arg)
{
	struct pool *const pool = arg;
	struct err err;

	pool->context->scope = scope_current();
	if (pool_run_children() < 0 || board_run(&pool->board) < 0 ||
	    pool_run_zygote(pool) < 0)
		flow_fail(-ENOMEM, "no memory");
	if (scope_call(pool_live, pool, NULL, &err) < 0)
		flow_fail(err.code, "%s", err.text);
	return NULL;
}

void
pool_init(struct pool *pool, struct context *context)
{
	*pool = (struct pool){ .context = context };
	RB_INIT(&pool->backends);
	pool->n_hosts =
	    xmem_zalloc(context->settings->n_tenants + 1, sizeof(uint32_t));
	pool->next_number = (uint32_t)context->settings->n_tenants + 1;
	waitq_init(&context->changed);
	seats_init(&context->seats,
	    (uint32_t)context->settings->pool.max_backends,
	    context->settings->pool.queue_timeout_ms, backend_ask_on_place,
	    backend_ask_on_wanted);
	events_init(&context->events);
	report_init(&pool->report, context, &pool->board);
	board_init(&pool->board, context, &pool_board_calls, pool);
	zygote_link_init(&pool->zygote, context);
	spares_init(&pool->spares, context, &pool->zygote);
	family_know(process_is_known);
	process_on_reaped(family_reap);
}

void
pool_fini(struct pool *pool)
{
	must(RB_EMPTY(&pool->backends));
	task_unref(&pool->report.task);
	events_fini(&pool->context->events);
	mem_free(pool->n_hosts);
}
