/* SPDX-License-Identifier: MIT */
/* backend_act: one function for each action of life.c, in its order. */
#include "poold/backend_act.h"

#include <signal.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/quantity.h"

#include "poold/backend.h"
#include "poold/backend_ask.h"
#include "poold/backend_bury.h"
#include "poold/backend_hear.h"
#include "poold/backend_judge.h"
#include "poold/backend_spawn.h"
#include "poold/family.h"
#include "poold/process.h"

#define BACKEND_RELEASE_MS 2000 /* the switchboard's time to answer */

static void
backend_set_due(struct backend *backend, int64_t in_ms)
{
	backend->due_at_ms = clock_now_ms() + in_ms;
}

static void
backend_do_keep(struct backend *backend)
{
}

/* Asks wait for a place, and no longer than that. */
static void
backend_do_queue(struct backend *backend)
{
	backend_set_due(
	    backend, backend->context->settings->pool.queue_timeout_ms);
}

static void
backend_do_no_place(struct backend *backend)
{
	struct policy_load load;

	seat_leave(&backend->context->seats, &backend->seat);
	backend->pid = 0; /* what is told of this concerns no run */
	backend_ask_load(backend, &load);
	ask_refuse(&backend->asks, backend->board, POLICY_FULL, &load, "");
	backend->due_at_ms = CLOCK_NEVER;
}

/* There is no process, and why. */
static void
backend_note_unborn(struct backend *backend, const struct err *err)
{
	backend_set_words(backend, "%s%s%s", err->place,
	    err->place[0] ? ": " : "", err->text);
	backend_post(backend, LIFE_UNBORN);
}

static void
backend_do_start(struct backend *backend)
{
	struct context *const context = backend->context;
	struct err err;

	backend->generation = ++context->generation;
	backend->pid = 0;
	backend->cause = POLICY_ITSELF;
	backend->was_ready = false;
	backend->is_evicted = false;
	backend->n_sessions = 0;
	backend->mark = backend_ask_mark(backend);
	backend->watch_at_ms = CLOCK_NEVER;
	backend_set_words(backend, "%s", "");
	backend->stages.said = (struct proto_ready){ 0 };
	turn_take(&context->turns, &backend->turn);
	backend->stages.began_us = clock_now_us();
	backend->started_ms = clock_now_ms();
	backend->started_wall_ms = clock_wall_ms();
	backend_set_due(backend, context->settings->pool.start_timeout_ms);
	if (backend_spawn(backend, &err) < 0)
		backend_note_unborn(backend, &err);
	else if (backend->tenant->command.n == 0)
		/* A command is ready in no time, or it cannot be run. */
		backend_ask_tell_starting(backend);
}

static void
backend_do_start_again(struct backend *backend)
{
	char ending[64];
	struct err err;

	policy_ending(
	    process_status(backend->process), false, ending, sizeof(ending));
	log_warn("%s: run without the zygote: its process ended before it was "
		 "told whose it is: %s",
	    backend->name, ending);
	if (backend_respawn(backend, &err) < 0)
		backend_note_unborn(backend, &err);
}

/* It became ready: what its start took, and from when it is watched. */
static void
backend_note_ready(struct backend *backend)
{
	const int64_t now_ms = clock_now_ms();

	backend->was_ready = true;
	fd_close(&backend->listen_fd);
	seat_serve(&backend->seat, now_ms - backend->started_ms, now_ms);
	backend->pinged_ms = backend->ponged_ms = now_ms;
	/* A command has no channel on which it could answer. */
	if (backend->tenant->command.n == 0)
		backend_hear_pong(backend);
}

static void
backend_do_serve(struct backend *backend)
{
	turn_end(&backend->context->turns, &backend->turn);
	if (!backend->was_ready)
		backend_note_ready(backend);
	seat_note(&backend->seat, false, 0, clock_now_ms());
	backend->due_at_ms = policy_release_at_ms(backend->n_sessions,
	    clock_now_ms(), backend->context->settings->pool.idle_timeout_ms);
	backend_ask_answer(backend);
}

static void
backend_do_resume(struct backend *backend)
{
	const int64_t idle_ms =
	    backend->context->settings->pool.idle_timeout_ms;

	/* Asked for its place it was asked early: its time is not over. */
	if (backend->is_evicted)
		backend->due_at_ms = policy_release_at_ms(
		    backend->n_sessions, backend->seat.busy_at_ms, idle_ms);
	else
		backend->due_at_ms =
		    policy_release_at_ms(backend->n_sessions, clock_now_ms(),
			policy_ask_again_ms(backend->ask_again_ms, idle_ms));
	backend->is_evicted = false;
	backend_ask_answer(backend);
}

static void
backend_do_answer(struct backend *backend)
{
	seat_note(&backend->seat, false, 0, clock_now_ms());
	backend_ask_answer(backend);
}

static void
backend_ask_release(struct backend *backend, int64_t idle_ms)
{
	const struct proto_release_ask ask = {
		.generation = backend->generation,
		.idle_ms =
		    idle_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)idle_ms,
	};

	/* Without a switchboard nobody answers: then it stays. */
	backend_set_due(backend, BACKEND_RELEASE_MS);
	backend->let_go_ms = ask.idle_ms;
	(void)board_send(backend->board, PROTO_RELEASE_ASK, &ask, NULL);
}

static void
backend_do_let_go(struct backend *backend)
{
	backend->is_evicted = false;
	backend_ask_release(
	    backend, backend->context->settings->pool.idle_timeout_ms);
}

static void
backend_do_yield(struct backend *backend)
{
	backend->is_evicted = true;
	backend_ask_release(backend, backend->seat.asked_ms);
}

static void
backend_do_expect_exit(struct backend *backend)
{
	backend_set_due(
	    backend, backend->context->settings->pool.stop_timeout_ms);
}

static void
backend_do_terminate(struct backend *backend)
{
	process_signal(backend->process, SIGTERM);
	/* One that was stopped must be able to hear it. */
	process_signal(backend->process, SIGCONT);
	backend_do_expect_exit(backend);
}

static void
backend_do_refuse(struct backend *backend)
{
	backend_ask_fail(backend, 502, backend_words(backend));
	backend_do_expect_exit(backend);
}

/*
 * With a namespace or a group all that it started goes in the same step.
 * Without, what stands below it now is killed first: afterwards nobody knows
 * whose it was.
 */
static void
backend_do_kill(struct backend *backend)
{
	if (!backend->context->has_namespaces && !backend->leaf)
		family_kill_below(process_pid(backend->process));
	if (!backend->context->has_namespaces)
		(void)cgroup_kill(backend->leaf);
	process_signal(backend->process, SIGKILL);
	backend_do_expect_exit(backend);
}

static void
backend_do_too_late(struct backend *backend)
{
	char time[QUANTITY_BYTES];

	quantity_duration(
	    backend->context->settings->pool.start_timeout_ms, time);
	backend_set_words(backend, "not ready within %s (start_timeout)", time);
	backend_do_kill(backend);
}

static void
backend_do_stall(struct backend *backend)
{
	const int64_t ms = backend->context->settings->pool.watchdog_ms;

	backend_set_words(backend,
	    "its event loop stood still for %lld %s (watchdog)",
	    (long long)(ms % 1000 ? ms : ms / 1000), ms % 1000 ? "ms" : "s");
	log_error("%s: %s, killed", backend->name, backend_words(backend));
	backend_do_kill(backend);
}

/* The kernel holds it (a dead disk, say): nobody shall wait for that. */
static void
backend_do_kill_again(struct backend *backend)
{
	log_error("%s: does not end, though it was killed", backend->name);
	backend_ask_fail(backend, 504, "its last run does not end");
	backend_do_kill(backend);
}

static void
backend_do_mourn(struct backend *backend)
{
	const unsigned n_failures = backend->n_failures + 1;
	const struct policy_pace pace = backend_judge_pace(backend);
	const int64_t pause_ms = policy_backoff_ms(&pace, n_failures);

	if (backend->cause == POLICY_TIMEOUT && !backend->was_ready)
		backend_ask_fail(backend, 504, backend_words(backend));
	backend_bury(backend);
	backend->n_failures = n_failures;
	backend->retry_at_ms = clock_now_ms() + pause_ms;
	/* Held as failed it waits for a probe, else for being forgotten. */
	backend_set_due(backend, policy_is_held(&pace, n_failures)
				     ? pause_ms
				     : pause_ms + POLICY_MEMORY_MS);
}

static void
backend_do_give_up(struct backend *backend)
{
	if (backend->process)
		backend_judge_words(backend);
	backend_ask_fail(backend, 502, backend_words(backend));
	backend_do_mourn(backend);
}

/* Nobody need ask: the failure fades like any other. */
static void
backend_do_probe(struct backend *backend)
{
	backend_set_due(backend, POLICY_MEMORY_MS);
}

static void
backend_do_forget(struct backend *backend)
{
	seat_leave(&backend->context->seats, &backend->seat);
	backend->n_failures = 0;
	backend->due_at_ms = CLOCK_NEVER;
}

static void (*const backend_do[LIFE_N_ACTIONS])(struct backend *) = {
	[LIFE_KEEP] = backend_do_keep,
	[LIFE_QUEUE] = backend_do_queue,
	[LIFE_NO_PLACE] = backend_do_no_place,
	[LIFE_START] = backend_do_start,
	[LIFE_START_AGAIN] = backend_do_start_again,
	[LIFE_SERVE] = backend_do_serve,
	[LIFE_RESUME] = backend_do_resume,
	[LIFE_ANSWER] = backend_do_answer,
	[LIFE_LET_GO] = backend_do_let_go,
	[LIFE_YIELD] = backend_do_yield,
	[LIFE_TERMINATE] = backend_do_terminate,
	[LIFE_EXPECT_EXIT] = backend_do_expect_exit,
	[LIFE_REFUSE] = backend_do_refuse,
	[LIFE_TOO_LATE] = backend_do_too_late,
	[LIFE_STALL] = backend_do_stall,
	[LIFE_KILL] = backend_do_kill,
	[LIFE_KILL_AGAIN] = backend_do_kill_again,
	[LIFE_BURY] = backend_bury,
	[LIFE_MOURN] = backend_do_mourn,
	[LIFE_GIVE_UP] = backend_do_give_up,
	[LIFE_PROBE] = backend_do_probe,
	[LIFE_FORGET] = backend_do_forget,
};

void
backend_act(struct backend *backend, enum life_action action)
{
	backend_do[action](backend);
}
