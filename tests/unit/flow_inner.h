/* SPDX-License-Identifier: MIT */
/* flow_inner: what flow_harness.c and flow_inject.c share. */
#ifndef FLOW_INNER_H
#define FLOW_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/flow_harness.h"

/* Where and what is injected. The names stand in flow_inject.c. */
enum inject_kind {
	INJECT_NOTHING,
	INJECT_ROOT_AT_WAIT,   /* halt the top as a task begins to wait */
	INJECT_SELF_AT_WAIT,   /* halt that very task there */
	INJECT_SELF_PARKED,    /* halt it once it is parked */
	INJECT_ROOT_AT_RESUME, /* halt the top as a task is to go on */
	INJECT_SELF_AT_RESUME, /* halt that very task, which was woken */
	INJECT_NO_MEMORY,      /* refuse an allocation */
	INJECT_KINDS,
};

/* One injection: the n-th point (from 1) of a kind. */
struct injection {
	enum inject_kind kind;
	unsigned n;
	bool has_fired;
	bool halted_root; /* while it was not done */
};

/* Points of each kind that one run has. */
struct inject_points {
	unsigned n[INJECT_KINDS];
};

/* What to run, and under which seed. */
struct harness_run {
	char test[128];
	enum harness_mode mode;
	task_body_fn *body;
	void *arg;
	task_body_fn *halter; /* NULL: one top-level task */
	uint64_t seed;        /* of the loop */
};

/* flow_harness.c */

/*
 * Run once, with or without (kind INJECT_NOTHING) an injection, and check
 * what must hold after any run; *points_r are those it had.
 */
void harness_run_once(const struct harness_run *r, struct injection *in,
    struct inject_points *points_r);

/* The present run, for those who report; NULL between runs. */
const struct harness_run *harness_present(void);

/* flow_inject.c */

/* Run with every injection that FLOW_INJECT asks for. */
void inject_all(struct harness_run *r);

/* The seeds under which a plain run must give the same trace. */
unsigned inject_seeds(uint64_t seeds_r[4]);

/* Watch the points of the run that begins; roots[0] is the first top. */
void inject_begin(struct injection *in, struct task *const *roots);

/* Let refusals begin: called when flow is open. */
void inject_memory(const struct injection *in);

/* Whether the run has met its injection by now. */
bool inject_has_fired(const struct injection *in);

/* The run is over: count, and forget what was not injected yet. */
void inject_end(struct injection *in, struct inject_points *points_r);

/* Print how this very run can be had again. */
void inject_say(char *to, size_t bytes);

#endif
