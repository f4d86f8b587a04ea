/* SPDX-License-Identifier: MIT */
/* backend_ask: who waits for a backend, and its place under max_backends. */
#ifndef POOLD_BACKEND_ASK_H
#define POOLD_BACKEND_ASK_H

#include "poold/policy.h"
#include "poold/seat.h"

struct backend;
struct context;

/* What an ask for it is measured against. */
void backend_ask_load(const struct backend *backend, struct policy_load *load);

/* The part of it that concerns the places under max_backends. */
void
backend_ask_places(const struct context *context, struct policy_load *load);

/* The mark of what it runs. */
uint64_t backend_ask_mark(const struct backend *backend);

/* It failed and is asked for: if its program is another one, forget that. */
void backend_ask_look(struct backend *backend);

/*
 * Add an ask that was admitted (POLICY_ADMIT) or may wait (POLICY_WAIT). It is
 * answered by ROUTE_READY or ROUTE_FAILED, at once or later. Never waits.
 */
void backend_ask_add(struct backend *backend, uint64_t id,
    uint64_t dead_generation, enum policy_verdict verdict);

/* Let those who wait send to its socket already, which listens. */
void backend_ask_tell_starting(struct backend *backend);

/* Answer all who wait for a run other than the one they found dead. */
void backend_ask_answer(struct backend *backend);

/* Fail all who wait. */
void
backend_ask_fail(struct backend *backend, uint32_t status, const char *text);

/*
 * Refuse all who wait: poold ends. Not those who have sent to its socket while
 * it starts: it may do what they asked for, so they wait for its answer or for
 * its end.
 */
void backend_ask_refuse(struct backend *backend);

/*
 * Those who still wait though there is no process asked while the last run was
 * ending: let the next one start, if it may.
 */
void backend_ask_again(struct backend *backend);

/* Who waits for a place, and who gives one up: something changed. */
void backend_ask_line(struct context *context);

/*
 * When backend_ask_line is to be called though nothing changed, if this is the
 * one who waits longest: its task sees to it. Else CLOCK_NEVER.
 */
int64_t backend_ask_line_at_ms(const struct backend *backend);

/* What may be asked of its place, now that something changed. */
void backend_ask_seat(struct backend *backend);

/* What seats_init wants of the seats of backends. */
void backend_ask_on_place(struct seat *seat);
void backend_ask_on_wanted(struct seat *seat);

#endif
