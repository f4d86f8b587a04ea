/* SPDX-License-Identifier: MIT */
/* backend_judge: what poold knows of a run, put to policy.c. */
#include "poold/backend_judge.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/proc/cgroup_limits.h"

#include "poold/backend.h"
#include "poold/process.h"

void
backend_judge_cause(struct backend *backend, enum life_event event)
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

/* Whether this run failed and the kernel killed something of it for memory. */
static bool
backend_judge_is_hungry(const struct backend *backend)
{
	return process_status(backend->process) != 0 && backend->leaf &&
	       cgroup_limits_kills(cgroup_leaf_fd(backend->leaf)) >
	           backend->n_kills;
}

void
backend_judge_words(struct backend *backend)
{
	char ending[128];
	const char *const said = policy_is_expected(backend->cause)
	                             ? ""
	                             : process_words(backend->process);

	if (backend_words(backend)[0])
		return;
	policy_ending(process_status(backend->process),
	    backend_judge_is_hungry(backend), ending, sizeof(ending));
	backend_set_words(
	    backend, "%s%s%.400s", ending, said[0] ? ": " : "", said);
}

struct policy_pace
backend_judge_pace(const struct backend *backend)
{
	const struct settings *const settings = backend->context->settings;

	return (struct policy_pace){
		.first_ms = settings->pool.backoff_ms,
		.most_ms = settings->pool.max_backoff_ms,
		.n_held = (uint32_t)settings->pool.max_failures,
	};
}

enum life_event
backend_judge_end(const struct backend *backend)
{
	const struct policy_run run = {
		.cause = backend->cause,
		.was_ready = backend->was_ready,
		.was_blank = backend->listen_fd >= 0 &&
		             process_left_unread(backend->process),
		.has_no_memory = backend_judge_is_hungry(backend),
		.wait_status = process_status(backend->process),
		.ran_ms = clock_now_ms() - backend->started_ms,
		.start_timeout_ms =
		    backend->context->settings->pool.start_timeout_ms,
	};

	if (backend->context->is_ending && backend->state != LIFE_STARTING)
		return LIFE_ENDED;
	if (backend->state == LIFE_STARTING && policy_is_nobodys(&run))
		return LIFE_UNTAKEN;
	const struct policy_pace pace = backend_judge_pace(backend);

	if (!policy_is_failure(&run))
		return LIFE_ENDED;
	return policy_is_held(&pace, backend->n_failures + 1) ? LIFE_FAILS_ON
	                                                      : LIFE_FAILS;
}
