/* SPDX-License-Identifier: MIT */
/* backend_hear: each message has its event; what says nothing is logged. */
#include "poold/backend_hear.h"

#include <bsd/string.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#include "poold/backend.h"
#include "poold/backend_ask.h"
#include "poold/process.h"

/* From now on it serves. */
static void
backend_hear_ready(struct backend *backend)
{
	backend->stages.ready_us = clock_now_us();
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
}

static void
backend_on_packet(struct backend *backend, const struct packet *msg)
{
	const struct proto_sessions *sessions;
	char words[PROTO_TEXT_BYTES];

	switch (msg->type) {
	case PROTO_READY:
		memcpy(&backend->stages.said, msg->payload,
		    sizeof(backend->stages.said));
		backend_hear_ready(backend);
		break;
	case PROTO_FAILED:
		if (slice_copy(msg->text, words, sizeof(words)) < 0 ||
		    !words[0])
			strlcpy(words, "it cannot start", sizeof(words));
		backend_set_words(backend, "%s", words);
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
		process_hang_up(backend->process);
		backend_post(backend, LIFE_LOST);
	}
}

void
backend_hear(struct backend *backend)
{
	struct process_said said;

	for (;;) {
		switch (process_next(backend->process, &said)) {
		case PROCESS_RUNS:
			/* A command listens already: poold made its socket. */
			if (backend->tenant->command.n > 0)
				backend_hear_ready(backend);
			break;
		case PROCESS_SAYS:
			backend_on_packet(backend, said.packet);
			break;
		case PROCESS_LOST:
			log_debug(
			    "%s: channel: %s", backend->name, said.reason);
			backend_post(backend, LIFE_LOST);
			break;
		case PROCESS_ENDED:
			/* Whether that is a failure is decided when taken. */
			backend_post(backend, LIFE_ENDED);
			return;
		case PROCESS_QUIET:
			return;
		}
	}
}
