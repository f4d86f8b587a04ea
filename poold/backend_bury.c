/* SPDX-License-Identifier: MIT */
/* backend_bury: first its process, then what that left behind. */
#include "poold/backend_bury.h"

#include "common/base/clock.h"
#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/flow/sleep.h"

#include "poold/backend.h"
#include "poold/backend_judge.h"
#include "poold/family.h"
#include "poold/policy.h"
#include "poold/process.h"

#define BACKEND_LOOK_MAX_MS 20 /* between two looks into its group */

/* Kill all in its group until nobody is left in it. Returns whether so. */
static bool
backend_end_group(struct backend *backend, int64_t deadline_ms)
{
	int64_t pause_ms = 1;

	(void)cgroup_kill(backend->leaf);
	while (
	    !cgroup_is_empty(backend->leaf) && clock_now_ms() < deadline_ms) {
		flow_sleep(pause_ms);
		pause_ms =
		    pause_ms < BACKEND_LOOK_MAX_MS ? 2 * pause_ms : pause_ms;
		(void)cgroup_kill(backend->leaf);
	}
	return cgroup_is_empty(backend->leaf);
}

/* The same by session, environment, and user where it has one of its own. */
static void
backend_end_orphans(struct backend *backend, pid_t pid, int64_t deadline_ms)
{
	const struct family_filter filter = {
		.run = backend->generation,
		.sid = pid,
		.uid = owners_uid(&backend->context->owners, backend->host),
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
	const int64_t deadline_ms = clock_deadline_ms(
	    policy_kill_ms(context->settings->pool.stop_timeout_ms));

	/* At the end of poold all orphans are ended together. */
	if (context->is_ending && !context->has_namespaces)
		context->has_killed |= cgroup_kill(backend->leaf);
	else if (context->is_ending)
		cgroup_leave(&context->cgroup, &backend->leaf);
	else if (backend->leaf && !backend_end_group(backend, deadline_ms))
		log_error(
		    "%s: what it left behind does not end", backend->name);
	if (!context->is_ending && !context->has_namespaces)
		backend_end_orphans(backend, pid, deadline_ms);
	cgroup_give(&context->cgroup, &backend->leaf);
}

void
backend_bury(struct backend *backend)
{
	const struct proto_route_gone gone = {
		.generation = backend->generation,
		.is_expected = policy_is_expected(backend->cause),
	};

	turn_end(&backend->context->turns, &backend->turn);
	fd_close(&backend->listen_fd);
	backend->watch_at_ms = CLOCK_NEVER;
	if (backend->process) {
		const pid_t pid = process_pid(backend->process);
		backend->pid = pid;
		backend_judge_words(backend);
		context_note_end(
		    backend->context, process_status(backend->process));
		process_free(&backend->process);
		if (backend->was_ready)
			(void)board_send(backend->board, PROTO_ROUTE_GONE,
			    &gone, backend_words(backend));
		backend_end_family(backend, pid);
	}
	seat_leave(&backend->context->seats, &backend->seat);
	backend->n_failures = 0;
	backend->due_at_ms = CLOCK_NEVER;
}
