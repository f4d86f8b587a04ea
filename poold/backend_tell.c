/* SPDX-License-Identifier: MIT */
/* backend_tell: one line and at most three events for a change of state. */
#include "poold/backend_tell.h"

#include "common/base/clock.h"
#include "common/base/log.h"

#include "poold/backend.h"
#include "poold/process.h"

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
		    backend->name, from, to, why, backend_words(backend),
		    generation, backend->n_failures);
	else if (backend->state == LIFE_GONE && old >= LIFE_STARTING &&
		 old <= LIFE_KILLED)
		log_info("%s: %s -> %s (%s): %s generation=%llu", backend->name,
		    from, to, why, backend_words(backend), generation);
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

/* It serves: and what its start took. */
static void
backend_tell_ready(const struct backend *backend)
{
	char words[STAGES_WORDS_BYTES];

	stages_words(&backend->stages, words);
	backend_say(backend, PROTO_EVENT_READY, "", words);
}

/* A run is over: reaped, with all that it left behind. */
static void
backend_tell_end(const struct backend *backend)
{
	const bool is_born = backend->pid != 0;
	const char *const cause =
	    is_born ? policy_cause_name(backend->cause) : "no process";

	if (!policy_is_expected(backend->cause) || !is_born)
		backend_say(
		    backend, PROTO_EVENT_ERROR, cause, backend_words(backend));
	if (is_born)
		backend_say(backend, PROTO_EVENT_STOPPED, cause,
		    backend_words(backend));
	if (backend->state == LIFE_FAILED)
		backend_say(
		    backend, PROTO_EVENT_FAILED, cause, backend_words(backend));
	else if (backend->state == LIFE_BACKOFF)
		backend_say(backend, PROTO_EVENT_BACKOFF, cause,
		    backend_words(backend));
}

void
backend_tell(
    const struct backend *backend, enum life_state old, enum life_event event)
{
	const bool was_alive = old >= LIFE_STARTING && old <= LIFE_KILLED;

	backend_log(backend, old, event);
	switch (backend->state) {
	case LIFE_STARTING:
		if (backend->process)
			backend_say(backend, PROTO_EVENT_STARTED, "", "");
		break;
	case LIFE_READY:
		if (old == LIFE_STARTING)
			backend_tell_ready(backend);
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
