/* SPDX-License-Identifier: MIT */
/*
 * backend: its task, a loop of one event and one step. Only backend_step
 * changes the state; what it does then is backend_act.c's.
 */
#include "poold/backend.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/task.h"

#include "poold/backend_act.h"
#include "poold/backend_ask.h"
#include "poold/backend_hear.h"
#include "poold/backend_judge.h"
#include "poold/backend_tell.h"
#include "poold/process.h"

#define BACKEND_STACK FLOW_STACK_BYTES
#define BACKEND_NAME  "backend "

/* -------------------------------------------------------- what is noted */

const char *
backend_words(const struct backend *backend)
{
	return backend->words ? backend->words : "";
}

void
backend_set_words(struct backend *backend, const char *fmt, ...)
{
	char words[PROTO_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	mem_free(backend->words);
	backend->words = words[0] ? mem_strdup(words) : NULL;
}

void
backend_post(struct backend *backend, enum life_event event)
{
	backend->posted |= 1u << event;
	select_post(&backend->select);
}

void
backend_held(struct backend *backend, uint32_t ask_again_ms, bool is_busy)
{
	backend->ask_again_ms = ask_again_ms;
	seat_note(&backend->seat, is_busy,
	    is_busy ? 0 : backend->let_go_ms - ask_again_ms, clock_now_ms());
	backend_post(backend, LIFE_HELD);
}

/* ---------------------------------------------------- its task */

/* The one place where the state changes. */
static void
backend_step(struct backend *backend, enum life_event event)
{
	const enum life_state old = backend->state;
	const struct life_move move = life_move(old, event);

	must(move.action != LIFE_NEVER);
	if (move.next != old && move.next >= LIFE_STOPPING &&
	    move.next <= LIFE_KILLED)
		backend_judge_cause(backend, event);
	backend_act(backend, move.action);
	backend->state = move.next;
	if (move.next != old)
		backend_tell(backend, old, event);
}

/* Ask it, or see that it did not answer. Returns whether it stands still. */
static bool
backend_watch(struct backend *backend, int64_t now_ms)
{
	const struct proto_ping ping = { 0 };
	const struct policy_watch watch =
	    policy_watch(now_ms, backend->pinged_ms, backend->ponged_ms,
		backend->context->settings->pool.watchdog_ms);

	backend->watch_at_ms = watch.at_ms;
	if (watch.is_ping) {
		backend->pinged_ms = now_ms;
		(void)process_send(
		    backend->process, PROTO_PING, &ping, NULL, -1);
	}
	return watch.is_still;
}

/* The nearer of two deadlines. */
static int64_t
backend_earlier(int64_t a_ms, int64_t b_ms)
{
	if (a_ms == CLOCK_NEVER)
		return b_ms;
	return b_ms == CLOCK_NEVER || a_ms < b_ms ? a_ms : b_ms;
}

/* The nearest of all. */
static int64_t
backend_deadline_ms(const struct backend *backend)
{
	return backend_earlier(
	    backend_earlier(backend->due_at_ms, backend->watch_at_ms),
	    backend_ask_line_at_ms(backend));
}

/* What the clock says, if it says something: LIFE_N_EVENTS if not. */
static enum life_event
backend_clock_event(struct backend *backend)
{
	const int64_t now_ms = clock_now_ms();
	const int64_t line_at_ms = backend_ask_line_at_ms(backend);

	if (line_at_ms != CLOCK_NEVER && now_ms >= line_at_ms)
		backend_ask_line(backend->context);
	if (backend->due_at_ms != CLOCK_NEVER && now_ms >= backend->due_at_ms)
		return LIFE_DUE;
	if (backend->watch_at_ms != CLOCK_NEVER &&
	    now_ms >= backend->watch_at_ms && backend_watch(backend, now_ms))
		return LIFE_STILL;
	return LIFE_N_EVENTS;
}

/* Wait for what is new, of its process or posted. Returns 0 or -ETIMEDOUT. */
static int
backend_wait(struct backend *backend, int64_t deadline_ms)
{
	struct select_fd *ready;
	const int rc = select_next(
	    &backend->select, "an event of a backend", deadline_ms, &ready);

	if (rc > 0)
		(void)process_note(ready, rc);
	if (rc >= 0 && backend->process)
		backend_hear(backend);
	return rc < 0 ? rc : 0;
}

/* What was posted, in the order of the enum: LIFE_N_EVENTS if nothing was. */
static enum life_event
backend_posted_event(struct backend *backend)
{
	/* It ended: that it closed its channel says nothing more. */
	if (backend->posted & (1u << LIFE_ENDED))
		backend->posted &= ~(1u << LIFE_LOST);
	for (unsigned i = 0; i < LIFE_N_EVENTS; i++) {
		if (!(backend->posted & (1u << i)))
			continue;
		backend->posted &= ~(1u << i);
		return i == LIFE_ENDED ? backend_judge_end(backend)
		                       : (enum life_event)i;
	}
	return LIFE_N_EVENTS;
}

/* The next event: what was posted, or the time. */
static enum life_event
backend_next_event(struct backend *backend)
{
	enum life_event event;

	for (;;) {
		while (backend_wait(backend, 0) == 0)
			;
		if ((event = backend_posted_event(backend)) != LIFE_N_EVENTS ||
		    (event = backend_clock_event(backend)) != LIFE_N_EVENTS)
			return event;
		/* Events go deep; what is waited for is mostly far away. */
		if (backend->state != LIFE_STARTING &&
		    !backend->context->is_ending)
			flow_trim();
		(void)backend_wait(backend, backend_deadline_ms(backend));
	}
}

/* Be found no more: the task is about to end. */
static void
backend_leave(struct backend *backend)
{
	if (backend->is_listed)
		backend->on_gone(backend, backend->arg);
	backend->is_listed = false;
}

static void *
backend_body(void *arg)
{
	struct backend *const backend = arg;

	do {
		backend_step(backend, backend_next_event(backend));
		backend_ask_again(backend);
		backend_ask_seat(backend);
	} while (backend->state != LIFE_GONE || backend->asks.n > 0);
	backend_leave(backend);
	return NULL;
}

/* Its task is done, or was halted, or could not be started. */
static void
backend_dispose(void *arg)
{
	struct backend *const backend = arg;

	backend_leave(backend);
	seat_leave(&backend->context->seats, &backend->seat);
	backend_ask_line(backend->context);
	turn_end(&backend->context->turns, &backend->turn);
	(void)cgroup_kill(backend->leaf);
	process_free(&backend->process);
	fd_close(&backend->listen_fd);
	cgroup_give(&backend->context->cgroup, &backend->leaf);
	ask_drop(&backend->asks);
	if (backend->tenant->is_template)
		owners_forget(&backend->context->owners, backend->host);
	waitq_wake_all(&backend->context->changed, 0);
	mem_free(backend->words);
	mem_free(backend);
}

struct backend *
backend_new(struct context *context, struct board *board, size_t tenant_index,
    const char *host, uint32_t number,
    void (*on_gone)(struct backend *backend, void *arg), void *arg)
{
	const size_t n_name = sizeof(BACKEND_NAME) + strlen(host);
	struct backend *const backend =
	    mem_zalloc(1, sizeof(*backend) + n_name);

	if (!backend)
		return NULL;
	backend->context = context;
	backend->board = board;
	backend->tenant = &context->settings->tenants[tenant_index];
	backend->tenant_index = tenant_index;
	backend->number = number;
	backend->on_gone = on_gone;
	backend->arg = arg;
	backend->state = LIFE_GONE;
	backend->is_listed = true;
	backend->due_at_ms = backend->watch_at_ms = CLOCK_NEVER;
	backend->listen_fd = -1;
	backend->seat.arg = backend;
	snprintf(backend->name, n_name, BACKEND_NAME "%s", host);
	backend->host = backend->name + sizeof(BACKEND_NAME) - 1;
	select_init(&backend->select);
	ask_init(&backend->asks);
	return backend;
}

int
backend_run_take(struct backend *backend)
{
	const struct task_spec spec = {
		.name = "backend",
		.body = backend_body,
		.arg = backend,
		.dispose = backend_dispose,
		.stack_bytes = BACKEND_STACK,
	};

	return scope_run(backend->context->scope, &spec, NULL);
}
