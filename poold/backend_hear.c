/* SPDX-License-Identifier: MIT */
/* backend_hear: each message has its event; what says nothing is logged. */
#include "poold/backend_hear.h"

#include <bsd/string.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#include "poold/backend.h"
#include "poold/backend_ask.h"

/* From now on it serves. */
static void
backend_hear_ready(struct backend *backend)
{
	backend->stages.ready_us = clock_now_us();
	backend_post(backend, LIFE_SERVES);
}

static void
backend_on_runs(void *arg)
{
	struct backend *const backend = arg;

	/* A command listens already: poold made its socket. */
	if (backend->tenant->command.n > 0)
		backend_hear_ready(backend);
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
	backend_ask_seat(backend);
}

void
backend_hear_pong(struct backend *backend)
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
		memcpy(&backend->stages.said, msg->payload,
		    sizeof(backend->stages.said));
		backend_hear_ready(backend);
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
		backend_hear_pong(backend);
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

const struct process_calls backend_hear_calls = {
	.on_runs = backend_on_runs,
	.on_msg = backend_on_msg,
	.on_lost = backend_on_lost,
	.on_exit = backend_on_exit,
};
