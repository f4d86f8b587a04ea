/* SPDX-License-Identifier: MIT */
/* backend_ask: asks are answered, failed or refused; ask.c has the words. */
#include "poold/backend_ask.h"

#include <bsd/string.h>
#include <string.h>

#include "common/base/clock.h"

#include "poold/backend.h"
#include "poold/mark.h"
#include "poold/process.h"

void
backend_ask_load(const struct backend *backend, struct policy_load *load)
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
	backend_ask_places(context, load);
}

void
backend_ask_places(const struct context *context, struct policy_load *load)
{
	const struct settings *const settings = context->settings;

	load->n_backends = context->seats.n_taken;
	load->max_backends = context->seats.max;
	load->n_waiting = context->seats.n_waiting;
	load->max_waiting = settings->pool.queue_timeout_ms > 0
	                        ? (uint32_t)settings->pool.max_queue
	                        : 0;
}

void
backend_ask_line(struct context *context)
{
	struct seats *const seats = &context->seats;
	const struct seat *first;

	if (context->is_ending)
		return;
	seats_look(seats, clock_now_ms());
	first = TAILQ_FIRST(&seats->waiting);
	if (first && seats->again_at_ms != CLOCK_NEVER)
		select_post(&((struct backend *)first->arg)->select);
}

int64_t
backend_ask_line_at_ms(const struct backend *backend)
{
	const struct seats *const seats = &backend->context->seats;

	return TAILQ_FIRST(&seats->waiting) == &backend->seat
	           ? seats->again_at_ms
	           : CLOCK_NEVER;
}

void
backend_ask_seat(struct backend *backend)
{
	struct seat *const seat = &backend->seat;
	const enum life_state state = backend->state;

	seat->is_idle = state == LIFE_READY && backend->n_sessions == 0 &&
	                backend->asks.n == 0;
	seat->is_leaving =
	    (state >= LIFE_DRAINING && state <= LIFE_KILLED) ||
	    (state == LIFE_READY && backend->posted & (1u << LIFE_EVICT));
	backend_ask_line(backend->context);
}

void
backend_ask_on_place(struct seat *seat)
{
	backend_post(seat->arg, LIFE_ASK);
}

void
backend_ask_on_wanted(struct seat *seat)
{
	backend_post(seat->arg, LIFE_EVICT);
}

uint64_t
backend_ask_mark(const struct backend *backend)
{
	const struct settings_tenant *const tenant = backend->tenant;

	/* What follows a command's name are arguments, not files. */
	return tenant->command.n > 0
	           ? mark_of(tenant->command.v, 1)
	           : mark_of(tenant->tools.v, tenant->tools.n);
}

void
backend_ask_look(struct backend *backend)
{
	const bool is_sick =
	    backend->state == LIFE_BACKOFF || backend->state == LIFE_FAILED;

	if (is_sick && clock_now_ms() < backend->retry_at_ms &&
	    backend_ask_mark(backend) != backend->mark)
		backend_post(backend, LIFE_CHANGED);
}

void
backend_ask_refuse(struct backend *backend)
{
	struct policy_load load;

	if (backend->state == LIFE_STARTING)
		return;
	backend_ask_load(backend, &load);
	ask_refuse(&backend->asks, backend->board, POLICY_ENDING, &load, "");
}

void
backend_ask_add(struct backend *backend, uint64_t id, uint64_t dead_generation,
    enum policy_verdict verdict)
{
	struct seats *const seats = &backend->context->seats;

	if (ask_add(&backend->asks, id, dead_generation) < 0) {
		ask_fail_one(backend->board, id, 503, 1,
		    "too much is waiting for this backend");
		return;
	}
	if (backend->asks.n == 1)
		backend->stages.asked_us = clock_now_us();
	if (verdict == POLICY_WAIT) {
		seat_wait(seats, &backend->seat, clock_now_ms());
		backend_post(backend, LIFE_WAITS);
		backend_ask_line(backend->context);
		return;
	}
	seat_take(seats, &backend->seat);
	/* Found dead, but it lives: it is ended and started anew. */
	if (dead_generation != 0 && dead_generation == backend->generation &&
	    backend->process && !process_is_over(backend->process))
		backend_post(backend, LIFE_CLAIMED);
	backend_post(backend, LIFE_ASK);
}

/* What the switchboard needs to know of this run. */
static void
backend_ask_route(
    const struct backend *backend, struct proto_route_ready *ready_r)
{
	*ready_r = (struct proto_route_ready){
		.generation = backend->generation,
		.started_wall_ms = backend->started_wall_ms,
		.pid = (int32_t)process_pid(backend->process),
		.tenant = backend->number,
	};
	strlcpy(ready_r->host, backend->host, sizeof(ready_r->host));
	place_socket(
	    &backend->context->place, backend->number, ready_r->socket);
}

void
backend_ask_tell_starting(struct backend *backend)
{
	struct proto_route_ready starting;

	backend_ask_route(backend, &starting);
	ask_tell_starting(&backend->asks, backend->board, &starting);
}

void
backend_ask_answer(struct backend *backend)
{
	struct proto_route_ready ready;

	backend_ask_route(backend, &ready);
	ask_answer(&backend->asks, backend->board, &ready);
}

void
backend_ask_fail(struct backend *backend, uint32_t status, const char *text)
{
	ask_fail(&backend->asks, backend->board, status, text);
}

void
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
	backend_ask_load(backend, &load);
	const enum policy_verdict verdict = policy_admit(&load);
	if (verdict == POLICY_ADMIT) {
		seat_take(&backend->context->seats, &backend->seat);
		backend_post(backend, LIFE_ASK);
		return;
	}
	if (verdict == POLICY_WAIT) {
		seat_wait(
		    &backend->context->seats, &backend->seat, clock_now_ms());
		backend_post(backend, LIFE_WAITS);
		return;
	}
	ask_refuse(&backend->asks, backend->board, verdict, &load,
	    backend_words(backend));
}
