/* SPDX-License-Identifier: MIT */
/*
 * board: the task reads from top to bottom as the switchboard lives: start,
 * ready, end, pause; while it waits it hears what the switchboard says.
 */
#include "poold/board.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/must.h"
#include "common/flow/main.h"
#include "common/flow/task.h"

#include "poold/family.h"
#include "poold/policy.h"
#include "poold/process.h"

#define BOARD_STILL_MIN_MS 5000
#define BOARD_READY_MS     10000 /* start_timeout is for tenants */

void
board_init(struct board *board, struct context *context,
    const struct board_calls *calls, void *arg)
{
	*board =
	    (struct board){ .context = context, .calls = calls, .arg = arg };
	select_init(&board->select);
	waitq_init(&board->changed);
}

/* Something changed: for its task, and for those who wait for it. */
static void
board_change(struct board *board)
{
	select_post(&board->select);
	waitq_wake_all(&board->changed, 0);
}

bool
board_is_ready(const struct board *board)
{
	return board->process && board->is_ready && !board->is_over;
}

int
board_send(struct board *board, enum proto_type type, const void *payload,
    const char *text)
{
	if (!board_is_ready(board))
		return -EPIPE;
	const int e = process_send(board->process, type, payload, text, -1);
	if (e == -ENOBUFS) {
		/* It stopped reading: a new one is worth more. */
		log_error("switchboard: does not read its channel, killed");
		process_signal(board->process, SIGKILL);
	} else if (e < 0 && e != -EPIPE) {
		log_error_err(e, "switchboard: %s is lost", proto_name(type));
	}
	return e;
}

/* ------------------------------------------------------------ what it says */

/* It said what one of ours never says: that is the last of this one. */
static void
board_distrust(struct board *board, const char *what)
{
	log_error("switchboard: sent %s, which it must not, killed", what);
	process_hang_up(board->process);
	process_signal(board->process, SIGKILL);
}

/* Never so short that a busy machine is taken for one that stands still. */
static int64_t
board_watchdog_ms(const struct board *board)
{
	const int64_t ms = board->context->settings->pool.watchdog_ms;

	return ms > 0 && ms < BOARD_STILL_MIN_MS ? BOARD_STILL_MIN_MS : ms;
}

static void
board_hear_pong(struct board *board)
{
	board->ponged_ms = clock_now_ms();
	board->watch_at_ms = policy_watch(board->ponged_ms, board->pinged_ms,
	    board->ponged_ms, board_watchdog_ms(board))
	                         .at_ms;
}

static void
board_on_ask(struct board *board, const struct proto_route_ask *ask)
{
	if (memchr(ask->host, '\0', sizeof(ask->host)))
		board->calls->on_ask(ask, board->arg);
	else
		board_distrust(board, "a host without an end");
}

static void
board_on_packet(struct board *board, const struct packet *msg)
{
	const struct proto_held *held;
	const struct proto_released *released;

	switch (msg->type) {
	case PROTO_READY:
		board->is_ready = true;
		break;
	case PROTO_FAILED:
		if (slice_copy(
			msg->text, board->refusal, sizeof(board->refusal)) < 0)
			strcpy(board->refusal, "it said why at great length");
		break;
	case PROTO_ROUTE_ASK:
		board_on_ask(board, msg->payload);
		return;
	case PROTO_RELEASED:
		released = msg->payload;
		board->calls->on_released(released->generation, board->arg);
		return;
	case PROTO_HELD:
		held = msg->payload;
		board->calls->on_held(held, board->arg);
		return;
	case PROTO_WATCH:
		board->calls->on_watch(msg->payload, board->arg);
		return;
	case PROTO_PONG:
		board_hear_pong(board);
		return;
	case PROTO_DRAINED:
		board->is_drained = true;
		break;
	default:
		board_distrust(board, proto_name(msg->type));
		return;
	}
	waitq_wake_all(&board->changed, 0);
}

static void
board_on_lost(struct board *board, const char *reason)
{
	if (!process_is_over(board->process) &&
	    strcmp(reason, "closed by the peer") != 0) {
		log_error("switchboard: channel: %s, killed", reason);
		process_signal(board->process, SIGKILL);
	}
}

static void
board_hear(struct board *board)
{
	struct process_said said;

	for (;;) {
		switch (process_next(board->process, &said)) {
		case PROCESS_RUNS:
			log_debug("switchboard[%d]: its program runs",
			    (int)process_pid(board->process));
			break;
		case PROCESS_SAYS:
			board_on_packet(board, said.packet);
			break;
		case PROCESS_LOST:
			board_on_lost(board, said.reason);
			break;
		case PROCESS_ENDED:
			board->is_over = true;
			waitq_wake_all(&board->changed, 0);
			return;
		case PROCESS_QUIET:
			return;
		}
	}
}

/* Wait for news of it. Returns 0 or -ETIMEDOUT. */
static int
board_wait(struct board *board, const char *what, int64_t deadline_ms)
{
	struct select_fd *ready;
	const int rc = select_next(&board->select, what, deadline_ms, &ready);

	if (rc > 0)
		(void)process_note(ready, rc);
	if (rc >= 0 && board->process && !board->is_over)
		board_hear(board);
	return rc < 0 ? rc : 0;
}

/* ----------------------------------------------------------- its life: a task
 */

/* Everything it needs to know before it may accept. */
static int
board_introduce(struct board *board)
{
	const struct context *const context = board->context;
	const struct settings *const settings = context->settings;
	const struct proto_start start = {
		.max_backends = (uint32_t)settings->pool.max_backends,
		.drain_ms = (uint32_t)settings->pool.drain_timeout_ms,
	};
	int e = 0;

	process_add_room(
	    board->process, start.max_backends * PROTO_PER_BACKEND);
	for (size_t i = 0; i < context->listeners.n && e == 0; i++) {
		const struct listener *const l = &context->listeners.v[i];
		struct proto_listen listen = { .is_admin = l->is_admin };
		memcpy(listen.address, l->address, sizeof(listen.address));
		e = process_send(
		    board->process, PROTO_LISTEN, &listen, NULL, l->fd);
	}
	if (e == 0)
		e = process_send(board->process, PROTO_START, &start, NULL, -1);
	return e;
}

static int
board_start(struct board *board, struct err *err_r)
{
	struct context *const context = board->context;
	char *argv[] = { (char *)"switchboard", NULL };
	struct env env;
	struct process_spec spec = {
		.name = "switchboard",
		.heritage = { .path = context->board_program,
		    .argv = argv,
		    .ids = context->has_ids ? &context->board_ids : NULL,
		    .life_fd = context->life[0],
		    .life_write_fd = context->life[1],
		    .parent_pid = getpid(),
		    .nofile = context->nofile,
		    .cgroup_fd = -1 },
		.env = &env,
		.listen_fd = -1,
		.has_channel = true,
		.select = &board->select,
	};
	int e;

	board->is_ready = board->is_over = board->is_drained = false;
	board->refusal[0] = '\0';
	again_begin(&board->again);
	if ((e = env_init(&env, environ)) < 0)
		return err_set(err_r, e, NULL, "no memory");
	e = process_start(&spec, &board->process, err_r);
	env_fini(&env);
	if (e < 0)
		return e;
	log_info(
	    "switchboard: started pid=%d", (int)process_pid(board->process));
	if (board_introduce(board) < 0)
		process_signal(board->process, SIGKILL);
	return 0;
}

/* Wait until it is ready or over; kill it when it is neither in time. */
static void
board_await_ready(struct board *board)
{
	const int64_t deadline_ms = clock_deadline_ms(BOARD_READY_MS);

	while (!board->is_ready && !board->is_over)
		if (board_wait(board, "the switchboard's readiness",
			deadline_ms) == -ETIMEDOUT)
			break;
	if (board->is_over)
		return;
	if (!board->is_ready) {
		log_error("switchboard: not ready in time, killed");
		process_signal(board->process, SIGKILL);
		return;
	}
	log_info("switchboard: ready pid=%d", (int)process_pid(board->process));
	const bool is_first = !board->was_ready;
	board->was_ready = true;
	board->calls->on_ready(is_first, board->arg);
}

/* Ask it whether its loop turns, or see that it did not answer. */
static void
board_watch(struct board *board)
{
	const struct proto_ping ping = { 0 };
	const int64_t now_ms = clock_now_ms();
	const struct policy_watch watch = policy_watch(now_ms, board->pinged_ms,
	    board->ponged_ms, board_watchdog_ms(board));

	board->watch_at_ms = watch.at_ms;
	if (watch.is_ping) {
		board->pinged_ms = now_ms;
		(void)board_send(board, PROTO_PING, &ping, NULL);
	}
	if (!watch.is_still)
		return;
	log_error("switchboard: its event loop stood still for %lld s "
		  "(watchdog), killed",
	    (long long)board_watchdog_ms(board) / 1000);
	process_signal(board->process, SIGKILL);
	board->watch_at_ms = CLOCK_NEVER;
}

/* Until it is reaped. At the end of poold other deadlines are set. */
static void
board_attend(struct board *board)
{
	static const char what[] = "the switchboard's end";

	board->watch_at_ms = CLOCK_NEVER;
	board->pinged_ms = 0;
	if (board->is_ready)
		board_hear_pong(board);
	while (!board->is_over) {
		if (board_wait(board, what,
			board->is_ending ? CLOCK_NEVER : board->watch_at_ms) ==
		    0)
			continue;
		/* What it said meanwhile is heard before it is judged. */
		while (!board->is_over && board_wait(board, what, 0) == 0)
			;
		if (!board->is_over)
			board_watch(board);
	}
}

/* Why it ended, in words; of the run that is over now. */
static char *
board_words(const struct board *board, char *out, size_t out_bytes)
{
	char ending[64];
	const char *words = board->refusal;

	if (!words[0])
		words = process_words(board->process);
	policy_ending(
	    process_status(board->process), false, ending, sizeof(ending));
	snprintf(out, out_bytes, "%s%s%s", ending, words[0] ? ": " : "", words);
	return out;
}

/* It was reaped: say so, forget it, count. */
static void
board_bury(struct board *board)
{
	char words[PROTO_TEXT_BYTES + 80];

	board_words(board, words, sizeof(words));
	if (board->is_ending)
		log_info("switchboard: ended: %s", words);
	else
		log_error("switchboard: ended: %s", words);
	context_note_end(board->context, process_status(board->process));
	again_fail(&board->again);
	const struct family_filter filter = {
		.sid = process_pid(board->process),
	};
	process_free(&board->process);
	board->calls->on_lost(board->arg);
	/* It makes no processes; if it was taken over, somebody did. */
	if (!board->is_ending)
		(void)family_end(&filter,
		    clock_deadline_ms(policy_kill_ms(
			board->context->settings->pool.stop_timeout_ms)),
		    NULL);
	/* A service that never worked is a bad installation, not bad luck. */
	if (!board->was_ready && !board->is_ending)
		flow_exit(1, "poold: the switchboard cannot start");
}

/* After the first failure at once, then longer each time. */
static void
board_pause(struct board *board)
{
	const int64_t pause_ms = again_pause_ms(&board->again);

	if (pause_ms == 0)
		return;
	log_info("switchboard: started again in %lld ms", (long long)pause_ms);
	while (!board->is_ending && again_pause_ms(&board->again) > 0)
		(void)board_wait(
		    board, "the switchboard's next start", board->again.at_ms);
}

static void *
board_body(void *arg)
{
	struct board *const board = arg;
	struct err err;

	while (!board->is_ending) {
		if (board_start(board, &err) < 0) {
			log_error("switchboard: %s", err.text);
			again_fail(&board->again);
			board_pause(board);
			continue;
		}
		board_await_ready(board);
		board_attend(board);
		board_bury(board);
		waitq_wake_all(&board->changed, 0);
		if (!board->is_ending)
			board_pause(board);
	}
	return NULL;
}

static void
board_dispose(void *arg)
{
	struct board *const board = arg;

	process_free(&board->process);
}

int
board_run(struct board *board)
{
	const struct task_spec spec = {
		.name = "switchboard",
		.body = board_body,
		.arg = board,
		.dispose = board_dispose,
	};

	return task_spawn(&spec, NULL);
}

/* -------------------------------------------------------------- its ordered
 * end */

void
board_hurry(struct board *board)
{
	board_change(board);
}

void
board_drain(struct board *board, int64_t deadline_ms)
{
	const struct proto_drain drain = {
		.drain_ms =
		    (uint32_t)board->context->settings->pool.drain_timeout_ms,
	};

	board->is_ending = true;
	board_change(board);
	if (board_send(board, PROTO_DRAIN, &drain, NULL) < 0)
		return;
	while (board_is_ready(board) && !board->is_drained &&
	       !board->context->is_hurried)
		if (waitq_wait(&board->changed, "the switchboard's draining",
			deadline_ms) == -ETIMEDOUT) {
			log_warn("switchboard: not drained in time");
			return;
		}
}

/* It was not gone in time: the next harder step. Returns whether there is one.
 */
static bool
board_press(struct board *board, int64_t *deadline_ms, bool *is_killed)
{
	if (*is_killed) {
		log_error("switchboard: does not end, though it was killed");
		board->context->has_killed = true;
		return false;
	}
	log_warn("switchboard: killed");
	process_signal(board->process, SIGKILL);
	*is_killed = true;
	*deadline_ms = clock_deadline_ms(
	    policy_kill_ms(board->context->settings->pool.stop_timeout_ms));
	return true;
}

void
board_quit(struct board *board, int64_t deadline_ms)
{
	const struct proto_quit quit = { 0 };
	bool is_killed = false;

	board->is_ending = true;
	board_change(board);
	if (board->process && board_send(board, PROTO_QUIT, &quit, NULL) < 0)
		process_signal(board->process, SIGTERM);
	while (board->process) {
		if (board->context->is_hurried && !is_killed)
			deadline_ms = 0;
		const int e = waitq_wait(
		    &board->changed, "the switchboard's end", deadline_ms);
		if (e == -ETIMEDOUT && board->process &&
		    !board_press(board, &deadline_ms, &is_killed))
			return;
	}
}
