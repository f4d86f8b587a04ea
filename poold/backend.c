/* SPDX-License-Identifier: MIT */
/*
 * backend: the loop of its task, one function for each action of life.c, and
 * the callbacks that post events. Only backend_step changes the state.
 */
#include "poold/backend.h"

#include <bsd/string.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/sleep.h"
#include "common/flow/task.h"

#include "poold/backend_spawn.h"
#include "poold/family.h"
#include "poold/mark.h"
#include "poold/process.h"

#define BACKEND_RELEASE_MS  2000 /* the switchboard's time to answer */
#define BACKEND_LOOK_MAX_MS 20   /* between two looks into its group */
#define BACKEND_STACK       FLOW_STACK_BYTES

/* ---------------------------------------------------------------- its asks */

void
backend_load(const struct backend *backend, struct policy_load *load)
{
	const struct context *const context = backend->context;

	*load = (struct policy_load){
		.is_ending = context->is_ending,
		.has_slot = true,
		.has_process = backend->seat.kind == SEAT_TAKEN,
		.is_waiting = backend->seat.kind == SEAT_WAITING,
		.is_held = backend->state == LIFE_FAILED,
		.n_failures = backend->posted & (1u << LIFE_CHANGED)
		                  ? 0
		                  : backend->n_failures,
		.retry_at_ms = backend->retry_at_ms,
		.now_ms = clock_now_ms(),
	};
	backend_load_places(context, load);
}

void
backend_load_places(const struct context *context, struct policy_load *load)
{
	const struct settings *const settings = context->settings;

	load->n_backends = context->seats.n_taken;
	load->max_backends = context->seats.max;
	load->n_waiting = context->seats.n_waiting;
	load->max_waiting = settings->pool.queue_timeout_ms > 0
	                        ? (uint32_t)settings->pool.max_queue
	                        : 0;
}

/* What may be asked of its place, now that something changed. */
static void
backend_note_seat(struct backend *backend)
{
	struct seat *const seat = &backend->seat;
	const enum life_state state = backend->state;

	seat->is_idle = state == LIFE_READY && backend->n_sessions == 0 &&
	                backend->asks.n == 0;
	seat->is_leaving =
	    (state >= LIFE_DRAINING && state <= LIFE_KILLED) ||
	    (state == LIFE_READY && backend->posted & (1u << LIFE_EVICT));
	if (!backend->context->is_ending)
		seats_look(&backend->context->seats, clock_now_ms());
}

void
backend_on_place(struct seat *seat)
{
	backend_post(seat->arg, LIFE_ASK);
}

void
backend_on_wanted(struct seat *seat)
{
	backend_post(seat->arg, LIFE_EVICT);
}

/* The mark of what it runs. */
static uint64_t
backend_mark(const struct backend *backend)
{
	const struct settings_tenant *const tenant = backend->tenant;

	/* What follows a command's name are arguments, not files. */
	return tenant->command.n > 0
	           ? mark_of(tenant->command.v, 1)
	           : mark_of(tenant->tools.v, tenant->tools.n);
}

void
backend_look_for_change(struct backend *backend)
{
	const bool is_sick =
	    backend->state == LIFE_BACKOFF || backend->state == LIFE_FAILED;

	if (is_sick && clock_now_ms() < backend->retry_at_ms &&
	    backend_mark(backend) != backend->mark)
		backend_post(backend, LIFE_CHANGED);
}

void
backend_refuse_asks(struct backend *backend)
{
	struct policy_load load;

	backend_load(backend, &load);
	ask_refuse(&backend->asks, backend->board, POLICY_ENDING, &load, "");
}

void
backend_add_ask(struct backend *backend, uint64_t id, uint64_t dead_generation,
    enum policy_verdict verdict)
{
	struct seats *const seats = &backend->context->seats;

	if (ask_add(&backend->asks, id, dead_generation) < 0) {
		ask_fail_one(backend->board, id, 503, 1,
		    "too much is waiting for this backend");
		return;
	}
	if (verdict == POLICY_WAIT) {
		seat_wait(seats, &backend->seat);
		backend_post(backend, LIFE_WAITS);
		seats_look(seats, clock_now_ms());
		return;
	}
	seat_take(seats, &backend->seat);
	/* Found dead, but it lives: it is ended and started anew. */
	if (dead_generation != 0 && dead_generation == backend->generation &&
	    backend->process && !process_is_over(backend->process))
		backend_post(backend, LIFE_CLAIMED);
	backend_post(backend, LIFE_ASK);
}

/* Answer all who wait for a run other than the one they found dead. */
static void
backend_answer_asks(struct backend *backend)
{
	struct proto_route_ready ready = {
		.generation = backend->generation,
		.started_wall_ms = backend->started_wall_ms,
		.pid = (int32_t)process_pid(backend->process),
		.tenant = backend->number,
	};

	strlcpy(ready.host, backend->host, sizeof(ready.host));
	place_socket(&backend->context->place, backend->number, ready.socket);
	ask_answer(&backend->asks, backend->board, &ready);
}

/* Fail all who wait. */
static void
backend_fail_asks(struct backend *backend, uint32_t status, const char *text)
{
	ask_fail(&backend->asks, backend->board, status, text);
}

/* ------------------------------------------------- what it says: callbacks */

void
backend_post(struct backend *backend, enum life_event event)
{
	backend->posted |= 1u << event;
	waitq_wake_all(&backend->wake, 0);
}

void
backend_held(struct backend *backend, uint32_t ask_again_ms, bool is_busy)
{
	backend->ask_again_ms = ask_again_ms;
	seat_note(&backend->seat, is_busy,
	    is_busy ? 0 : backend->let_go_ms - ask_again_ms, clock_now_ms());
	backend_post(backend, LIFE_HELD);
}

static void
backend_on_runs(void *arg)
{
	struct backend *const backend = arg;

	/* A command listens already: poold made its socket. */
	if (backend->tenant->command.n > 0)
		backend_post(backend, LIFE_SERVES);
}

/* The number of its sessions decides whether it can be idle. */
static void
backend_on_sessions(struct backend *backend, uint32_t n_sessions)
{
	backend->n_sessions = n_sessions;
	if (backend->state != LIFE_READY)
		return;
	backend->due_at_ms = policy_release_at_ms(n_sessions, clock_now_ms(),
	    backend->context->settings->pool.idle_timeout_ms);
	/* Its task waits for the old time: let it look again. */
	waitq_wake_all(&backend->wake, 0);
	backend_note_seat(backend);
}

/* It answered the watchdog, which asks again later. */
static void
backend_on_pong(struct backend *backend)
{
	backend->ponged_ms = clock_now_ms();
	backend->watch_at_ms = policy_watch(backend->ponged_ms,
	    backend->pinged_ms, backend->ponged_ms,
	    backend->context->settings->pool.watchdog_ms)
	                           .at_ms;
	waitq_wake_all(&backend->wake, 0);
}

static void
backend_on_msg(const struct channel_msg *msg, void *arg)
{
	struct backend *const backend = arg;
	const struct proto_sessions *sessions;

	switch (msg->type) {
	case PROTO_READY:
		backend_post(backend, LIFE_SERVES);
		break;
	case PROTO_FAILED:
		if (slice_copy(
			msg->text, backend->words, sizeof(backend->words)) < 0)
			backend->words[0] = '\0';
		if (!backend->words[0])
			strlcpy(backend->words, "it cannot start",
			    sizeof(backend->words));
		backend_post(backend, LIFE_REFUSES);
		break;
	case PROTO_SESSIONS:
		sessions = msg->payload;
		backend_on_sessions(backend, sessions->n_sessions);
		break;
	case PROTO_PONG:
		backend_on_pong(backend);
		break;
	default:
		log_error("%s: sent %s, which is not its to send",
		    backend->name, proto_name(msg->type));
	}
}

static void
backend_on_lost(const char *reason, void *arg)
{
	struct backend *const backend = arg;

	log_debug("%s: channel: %s", backend->name, reason);
	backend_post(backend, LIFE_LOST);
}

static void
backend_on_exit(void *arg)
{
	/* Whether it is an end or a failure is decided when it is taken. */
	backend_post(arg, LIFE_ENDED);
}

static const struct process_calls backend_process_calls = {
	.on_runs = backend_on_runs,
	.on_msg = backend_on_msg,
	.on_lost = backend_on_lost,
	.on_exit = backend_on_exit,
};

/* -------------------------------------------------------- what life.c says */

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
	backend_load(backend, &load);
	ask_refuse(&backend->asks, backend->board, POLICY_FULL, &load, "");
	backend->due_at_ms = CLOCK_NEVER;
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
	backend->mark = backend_mark(backend);
	backend->watch_at_ms = CLOCK_NEVER;
	backend->words[0] = '\0';
	turn_take(&backend->turn);
	backend->started_ms = clock_now_ms();
	backend->started_wall_ms = clock_wall_ms();
	backend_set_due(backend, context->settings->pool.start_timeout_ms);
	if (backend_spawn(backend, &backend_process_calls, &err) == 0)
		return;
	snprintf(backend->words, sizeof(backend->words), "%s%s%s", err.place,
	    err.place[0] ? ": " : "", err.text);
	backend_post(backend, LIFE_UNBORN);
}

/* It became ready: what its start took, and from when it is watched. */
static void
backend_note_ready(struct backend *backend)
{
	const int64_t now_ms = clock_now_ms();

	backend->was_ready = true;
	backend->seat.cost_ms = now_ms - backend->started_ms;
	backend->pinged_ms = backend->ponged_ms = now_ms;
	/* A command has no channel on which it could answer. */
	if (backend->tenant->command.n == 0)
		backend_on_pong(backend);
}

static void
backend_do_serve(struct backend *backend)
{
	turn_end(&backend->turn);
	/* The start went deep; from here on it mostly waits. */
	flow_trim();
	if (!backend->was_ready)
		backend_note_ready(backend);
	seat_note(&backend->seat, false, 0, clock_now_ms());
	backend->due_at_ms = policy_release_at_ms(backend->n_sessions,
	    clock_now_ms(), backend->context->settings->pool.idle_timeout_ms);
	backend_answer_asks(backend);
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
	backend_answer_asks(backend);
}

static void
backend_do_answer(struct backend *backend)
{
	seat_note(&backend->seat, false, 0, clock_now_ms());
	backend_answer_asks(backend);
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
	backend_fail_asks(backend, 502, backend->words);
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
		cgroup_kill(backend->leaf);
	process_signal(backend->process, SIGKILL);
	backend_do_expect_exit(backend);
}

static void
backend_do_too_late(struct backend *backend)
{
	char time[BASE_CONFIG_TEXT_BYTES];

	base_config_duration(
	    backend->context->settings->pool.start_timeout_ms, time);
	snprintf(backend->words, sizeof(backend->words),
	    "not ready within %s (start_timeout)", time);
	backend_do_kill(backend);
}

static void
backend_do_stall(struct backend *backend)
{
	const int64_t ms = backend->context->settings->pool.watchdog_ms;

	snprintf(backend->words, sizeof(backend->words),
	    "its event loop stood still for %lld %s (watchdog)",
	    (long long)(ms % 1000 ? ms : ms / 1000), ms % 1000 ? "ms" : "s");
	log_error("%s: %s, killed", backend->name, backend->words);
	backend_do_kill(backend);
}

/* The kernel holds it (a dead disk, say): nobody shall wait for that. */
static void
backend_do_kill_again(struct backend *backend)
{
	log_error("%s: does not end, though it was killed", backend->name);
	backend_fail_asks(backend, 504, "its last run does not end");
	backend_do_kill(backend);
}

/*
 * How this run ended, into words. What the backend said itself comes first; an
 * end that poold wanted needs no last words.
 */
static void
backend_note_words(struct backend *backend)
{
	char ending[64];
	const char *const said = policy_is_expected(backend->cause)
	                             ? ""
	                             : process_words(backend->process);

	if (backend->words[0])
		return;
	policy_ending(process_status(backend->process), ending, sizeof(ending));
	snprintf(backend->words, sizeof(backend->words), "%s%s%.400s", ending,
	    said[0] ? ": " : "", said);
}

/* Kill all in its group until nobody is left in it. Returns whether so. */
static bool
backend_end_group(struct backend *backend, int64_t deadline_ms)
{
	int64_t pause_ms = 1;

	cgroup_kill(backend->leaf);
	while (
	    !cgroup_is_empty(backend->leaf) && clock_now_ms() < deadline_ms) {
		flow_sleep(pause_ms);
		pause_ms =
		    pause_ms < BACKEND_LOOK_MAX_MS ? 2 * pause_ms : pause_ms;
		cgroup_kill(backend->leaf);
	}
	return cgroup_is_empty(backend->leaf);
}

/* The same by session and environment. */
static void
backend_end_orphans(struct backend *backend, pid_t pid, int64_t deadline_ms)
{
	const struct family_filter filter = {
		.run = backend->generation,
		.sid = pid,
	};
	unsigned left;

	const unsigned n = family_end(&filter, deadline_ms, &left);
	if (n > 0)
		log_info("%s: %u processes that it left behind were killed",
		    backend->name, n);
	if (left > 0)
		log_error("%s: %u processes that it left behind do not end",
		    backend->name, left);
}

/*
 * End what the run left behind, before the next one may start. With a
 * namespace nothing is: its first process was reaped after all others.
 */
static void
backend_end_family(struct backend *backend, pid_t pid)
{
	struct context *const context = backend->context;
	const int64_t deadline_ms =
	    clock_deadline_ms(context->settings->pool.stop_timeout_ms);

	/* At the end of poold all orphans are ended together. */
	if (context->is_ending)
		cgroup_kill(backend->leaf);
	else if (backend->leaf && !backend_end_group(backend, deadline_ms))
		log_error(
		    "%s: what it left behind does not end", backend->name);
	if (!context->is_ending && !context->has_namespaces)
		backend_end_orphans(backend, pid, deadline_ms);
	cgroup_give(&context->cgroup, &backend->leaf);
}

static void
backend_do_bury(struct backend *backend)
{
	const struct proto_route_gone gone = {
		.generation = backend->generation,
		.is_expected = policy_is_expected(backend->cause),
	};

	turn_end(&backend->turn);
	backend->watch_at_ms = CLOCK_NEVER;
	if (backend->process) {
		const pid_t pid = process_pid(backend->process);
		backend->pid = pid;
		backend_note_words(backend);
		process_free(&backend->process);
		if (backend->was_ready)
			(void)board_send(backend->board, PROTO_ROUTE_GONE,
			    &gone, backend->words);
		backend_end_family(backend, pid);
	}
	seat_leave(&backend->context->seats, &backend->seat);
	backend->n_failures = 0;
	backend->due_at_ms = CLOCK_NEVER;
}

static struct policy_pace
backend_pace(const struct backend *backend)
{
	const struct settings *const settings = backend->context->settings;

	return (struct policy_pace){
		.first_ms = settings->pool.backoff_ms,
		.most_ms = settings->pool.max_backoff_ms,
		.n_held = (uint32_t)settings->pool.max_failures,
	};
}

static void
backend_do_mourn(struct backend *backend)
{
	const unsigned n_failures = backend->n_failures + 1;
	const struct policy_pace pace = backend_pace(backend);
	const int64_t pause_ms = policy_backoff_ms(&pace, n_failures);

	if (backend->cause == POLICY_TIMEOUT && !backend->was_ready)
		backend_fail_asks(backend, 504, backend->words);
	backend_do_bury(backend);
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
		backend_note_words(backend);
	backend_fail_asks(backend, 502, backend->words);
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
	[LIFE_BURY] = backend_do_bury,
	[LIFE_MOURN] = backend_do_mourn,
	[LIFE_GIVE_UP] = backend_do_give_up,
	[LIFE_PROBE] = backend_do_probe,
	[LIFE_FORGET] = backend_do_forget,
};

/* ----------------------------------------------------------------- its task */

/* Why a run ends is the first thing that made poold end it. */
static void
backend_note_cause(struct backend *backend, enum life_event event)
{
	enum policy_cause cause = POLICY_ITSELF;

	if (event == LIFE_RELEASED)
		cause = backend->is_evicted ? POLICY_EVICTED : POLICY_IDLE;
	else if (event == LIFE_STILL)
		cause = POLICY_STALL;
	else if (event == LIFE_SHUTDOWN || event == LIFE_HURRY)
		cause = POLICY_SHUTDOWN;
	else if (event == LIFE_CLAIMED)
		cause = POLICY_CLAIM;
	else if (event == LIFE_REFUSES)
		cause = POLICY_REFUSAL;
	else if (event == LIFE_DUE)
		cause = POLICY_TIMEOUT;
	if (backend->cause == POLICY_ITSELF)
		backend->cause = cause;
}

/* One line for each change of state. */
static void
backend_log(
    const struct backend *backend, enum life_state old, enum life_event event)
{
	const char *const from = life_state_name(old);
	const char *const to = life_state_name(backend->state);
	const char *const why = life_event_name(event);
	const unsigned long long generation = backend->generation;

	if (backend->state == LIFE_BACKOFF || backend->state == LIFE_FAILED)
		log_warn("%s: %s -> %s (%s): %s generation=%llu failures=%u",
		    backend->name, from, to, why, backend->words, generation,
		    backend->n_failures);
	else if (backend->state == LIFE_GONE && old >= LIFE_STARTING &&
		 old <= LIFE_KILLED)
		log_info("%s: %s -> %s (%s): %s generation=%llu", backend->name,
		    from, to, why, backend->words, generation);
	else
		log_info("%s: %s -> %s (%s) generation=%llu pid=%d",
		    backend->name, from, to, why, generation,
		    backend->process ? (int)process_pid(backend->process) : 0);
}

/* Say an event of it. */
static void
backend_say(const struct backend *backend, enum proto_event_kind kind,
    const char *cause, const char *words)
{
	const int64_t retry_ms = backend->retry_at_ms - clock_now_ms();
	const struct events_said said = {
		.kind = kind,
		.host = backend->host,
		.state = life_state_name(backend->state),
		.cause = cause,
		.words = words,
		.generation = backend->generation,
		.pid = backend->process ? process_pid(backend->process)
		                        : backend->pid,
		.n_failures = backend->n_failures,
		.retry_ms = backend->n_failures > 0 && retry_ms > 0
		                ? (uint32_t)retry_ms
		                : 0,
	};

	events_say(&backend->context->events, &said);
}

/* A run is over: reaped, with all that it left behind. */
static void
backend_tell_end(const struct backend *backend)
{
	const bool is_born = backend->pid != 0;
	const char *const cause =
	    is_born ? policy_cause_name(backend->cause) : "no process";

	if (!policy_is_expected(backend->cause) || !is_born)
		backend_say(backend, PROTO_EVENT_ERROR, cause, backend->words);
	if (is_born)
		backend_say(
		    backend, PROTO_EVENT_STOPPED, cause, backend->words);
	if (backend->state == LIFE_FAILED)
		backend_say(backend, PROTO_EVENT_FAILED, cause, backend->words);
	else if (backend->state == LIFE_BACKOFF)
		backend_say(
		    backend, PROTO_EVENT_BACKOFF, cause, backend->words);
}

/* What a change of state means to those who listen. */
static void
backend_tell(
    const struct backend *backend, enum life_state old, enum life_event event)
{
	const bool was_alive = old >= LIFE_STARTING && old <= LIFE_KILLED;

	switch (backend->state) {
	case LIFE_STARTING:
		if (backend->process)
			backend_say(backend, PROTO_EVENT_STARTED, "", "");
		break;
	case LIFE_READY:
		if (old == LIFE_STARTING)
			backend_say(backend, PROTO_EVENT_READY, "", "");
		break;
	case LIFE_STOPPING:
		if (event == LIFE_RELEASED && backend->is_evicted)
			backend_say(backend, PROTO_EVENT_EVICTED, "evicted",
			    "its place is wanted (max_backends)");
		break;
	case LIFE_GONE:
		if (old == LIFE_QUEUED && event == LIFE_DUE)
			backend_say(backend, PROTO_EVENT_ERROR, "no place",
			    "no place became free (max_backends)");
		/* fallthrough */
	case LIFE_BACKOFF:
	case LIFE_FAILED:
		if (was_alive)
			backend_tell_end(backend);
		break;
	default:
		break;
	}
}

/* The one place where the state changes. */
static void
backend_step(struct backend *backend, enum life_event event)
{
	const enum life_state old = backend->state;
	const struct life_move move = life_move(old, event);

	must(move.action != LIFE_NEVER);
	if (move.next != old && move.next >= LIFE_STOPPING &&
	    move.next <= LIFE_KILLED)
		backend_note_cause(backend, event);
	backend_do[move.action](backend);
	backend->state = move.next;
	if (move.next != old) {
		backend_log(backend, old, event);
		backend_tell(backend, old, event);
	}
}

/*
 * Whether the end that was posted is a failure. Nothing is remembered beyond
 * the end of poold, which waits until each backend is gone.
 */
static enum life_event
backend_judge(const struct backend *backend)
{
	const struct policy_run run = {
		.cause = backend->cause,
		.was_ready = backend->was_ready,
		.wait_status = process_status(backend->process),
		.ran_ms = clock_now_ms() - backend->started_ms,
		.start_timeout_ms =
		    backend->context->settings->pool.start_timeout_ms,
	};

	if (backend->context->is_ending && backend->state != LIFE_STARTING)
		return LIFE_ENDED;
	const struct policy_pace pace = backend_pace(backend);

	if (!policy_is_failure(&run))
		return LIFE_ENDED;
	return policy_is_held(&pace, backend->n_failures + 1) ? LIFE_FAILS_ON
	                                                      : LIFE_FAILS;
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

/* What the clock says, if it says something: LIFE_N_EVENTS if not. */
static enum life_event
backend_clock_event(struct backend *backend)
{
	const int64_t now_ms = clock_now_ms();

	if (backend->due_at_ms != CLOCK_NEVER && now_ms >= backend->due_at_ms)
		return LIFE_DUE;
	if (backend->watch_at_ms != CLOCK_NEVER &&
	    now_ms >= backend->watch_at_ms && backend_watch(backend, now_ms))
		return LIFE_STILL;
	return LIFE_N_EVENTS;
}

/* The next event: what was posted, in the order of the enum, or the time. */
static enum life_event
backend_next_event(struct backend *backend)
{
	for (;;) {
		/* It ended: that it closed its channel says nothing more. */
		if (backend->posted & (1u << LIFE_ENDED))
			backend->posted &= ~(1u << LIFE_LOST);
		for (unsigned i = 0; i < LIFE_N_EVENTS; i++) {
			if (!(backend->posted & (1u << i)))
				continue;
			backend->posted &= ~(1u << i);
			return i == LIFE_ENDED ? backend_judge(backend)
			                       : (enum life_event)i;
		}
		if (waitq_wait(&backend->wake, "an event of a backend",
			backend_earlier(backend->due_at_ms,
			    backend->watch_at_ms)) != -ETIMEDOUT ||
		    backend->posted)
			continue;
		const enum life_event event = backend_clock_event(backend);
		if (event != LIFE_N_EVENTS)
			return event;
	}
}

/*
 * Those who still wait though there is no process asked while the last run was
 * ending: let the next one start, if it may.
 */
static void
backend_ask_again(struct backend *backend)
{
	struct policy_load load;

	if (backend->process || (backend->posted & (1u << LIFE_UNBORN)) ||
	    backend->state == LIFE_QUEUED)
		return;
	backend->posted &= ~(1u << LIFE_ASK | 1u << LIFE_WAITS);
	seat_leave(&backend->context->seats, &backend->seat);
	if (backend->asks.n == 0)
		return;
	backend_load(backend, &load);
	const enum policy_verdict verdict = policy_admit(&load);
	if (verdict == POLICY_ADMIT) {
		seat_take(&backend->context->seats, &backend->seat);
		backend_post(backend, LIFE_ASK);
		return;
	}
	if (verdict == POLICY_WAIT) {
		seat_wait(&backend->context->seats, &backend->seat);
		backend_post(backend, LIFE_WAITS);
		return;
	}
	ask_refuse(
	    &backend->asks, backend->board, verdict, &load, backend->words);
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
		backend_note_seat(backend);
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
	if (!backend->context->is_ending)
		seats_look(&backend->context->seats, clock_now_ms());
	turn_end(&backend->turn);
	cgroup_kill(backend->leaf);
	process_free(&backend->process);
	cgroup_give(&backend->context->cgroup, &backend->leaf);
	ask_drop(&backend->asks);
	if (backend->tenant->is_template)
		owners_forget(&backend->context->owners, backend->host);
	waitq_wake_all(&backend->context->changed, 0);
	mem_free(backend);
}

struct backend *
backend_new(struct context *context, struct board *board, size_t tenant_index,
    const char *host, uint32_t number,
    void (*on_gone)(struct backend *backend, void *arg), void *arg)
{
	struct backend *const backend = mem_zalloc(1, sizeof(*backend));

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
	backend->seat.arg = backend;
	strlcpy(backend->host, host, sizeof(backend->host));
	snprintf(backend->name, sizeof(backend->name), "backend %s", host);
	waitq_init(&backend->wake);
	turn_init(&backend->turn, &context->turns);
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
