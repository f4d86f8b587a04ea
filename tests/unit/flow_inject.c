/* SPDX-License-Identifier: MIT */
/*
 * flow_inject: which interruptions a test is run with, and how each is made.
 *
 *   FLOW_INJECT=all         every point of every kind (the default)
 *   FLOW_INJECT=sample      a few of each kind, chosen by the seed
 *   FLOW_INJECT=none        plain runs only
 *   FLOW_INJECT=KIND:N      the N-th point of one kind
 *   FLOW_SEED=N             the seed of samples and of the loop
 *   FLOW_TEST=NAME          one test only
 */
#include <inttypes.h>

#include "common/base/mem.h"
#include "common/flow/core.h"
#include "tests/unit/flow_inner.h"

#define INJECT_SAMPLE 6

static const char *const inject_names[INJECT_KINDS] = {
	[INJECT_NOTHING] = "none",
	[INJECT_ROOT_AT_WAIT] = "root-at-wait",
	[INJECT_SELF_AT_WAIT] = "self-at-wait",
	[INJECT_SELF_PARKED] = "self-parked",
	[INJECT_ROOT_AT_RESUME] = "root-at-resume",
	[INJECT_SELF_AT_RESUME] = "self-at-resume",
	[INJECT_NO_MEMORY] = "no-memory",
};

static struct {
	struct injection *in;
	struct task *const *roots;
	unsigned n_suspends;
	unsigned n_resumes;
	struct task *parked; /* *refs*: to be halted in the next turn */
	struct loop_defer defer;
} inject;

/* Halt the first top; it must not return any more. */
static void
halt_root(void)
{
	struct task *const root = inject.roots[0];

	inject.in->has_fired = true;
	if (!root)
		return;
	inject.in->halted_root = task_outcome(root) == TASK_RUNNING;
	task_halt_soon(root);
}

static void
halt_self(struct task *t)
{
	inject.in->has_fired = true;
	if (t->has_provided)
		return;
	if (t == inject.roots[0])
		inject.in->halted_root = true;
	task_halt_soon(t);
}

static void
on_defer(void *arg)
{
	if (task_outcome(inject.parked) == TASK_RUNNING)
		halt_self(inject.parked);
	task_unref(&inject.parked);
}

static void
on_suspend(struct task *t)
{
	struct injection *const in = inject.in;

	if (++inject.n_suspends != in->n)
		return;
	if (in->kind == INJECT_ROOT_AT_WAIT) {
		halt_root();
	} else if (in->kind == INJECT_SELF_AT_WAIT) {
		halt_self(t);
	} else if (in->kind == INJECT_SELF_PARKED) {
		in->has_fired = true;
		inject.parked = task_ref(t);
		loop_defer(&inject.defer, on_defer, NULL);
	}
}

static void
on_resume(struct task *t)
{
	struct injection *const in = inject.in;

	if (++inject.n_resumes != in->n)
		return;
	if (in->kind == INJECT_ROOT_AT_RESUME)
		halt_root();
	else if (in->kind == INJECT_SELF_AT_RESUME)
		halt_self(t);
}

void
inject_begin(struct injection *in, struct task *const *roots)
{
	inject.in = in;
	inject.roots = roots;
	inject.n_suspends = inject.n_resumes = 0;
	flow_probe = (struct flow_probe){ on_suspend, on_resume };
}

void
inject_memory(const struct injection *in)
{
	mem_fail_at(in->kind == INJECT_NO_MEMORY ? in->n : 0);
}

bool
inject_has_fired(const struct injection *in)
{
	if (in->kind == INJECT_NO_MEMORY)
		return mem_count() >= in->n;
	return in->has_fired;
}

void
inject_end(struct injection *in, struct inject_points *points_r)
{
	const unsigned n_allocs = (unsigned)mem_count();

	in->has_fired = inject_has_fired(in);
	flow_probe = (struct flow_probe){ NULL, NULL };
	mem_fail_at(0);
	loop_defer_cancel(&inject.defer);
	task_unref(&inject.parked);
	for (int kind = 0; kind < INJECT_KINDS; kind++)
		points_r->n[kind] = inject.n_suspends;
	points_r->n[INJECT_NOTHING] = 0;
	points_r->n[INJECT_ROOT_AT_RESUME] = inject.n_resumes;
	points_r->n[INJECT_SELF_AT_RESUME] = inject.n_resumes;
	points_r->n[INJECT_NO_MEMORY] = n_allocs;
}

/* The seed that was given, or the usual one. */
static uint64_t
inject_seed(void)
{
	const char *const given = getenv("FLOW_SEED");

	return given ? strtoull(given, NULL, 10) : 1;
}

unsigned
inject_seeds(uint64_t seeds_r[4])
{
	seeds_r[0] = 0; /* the order of the kernel and of setting */
	for (unsigned i = 1; i < 4; i++)
		seeds_r[i] = inject_seed() + i - 1;
	return getenv("FLOW_SEED") ? 2 : 4;
}

void
inject_say(char *to, size_t bytes)
{
	const struct harness_run *const r = harness_present();
	const struct injection *const in = inject.in;

	if (in->kind)
		snprintf(to, bytes,
		    "again: FLOW_TEST=%s FLOW_INJECT=%s:%u FLOW_SEED=%" PRIu64
		    "\n",
		    r->test, inject_names[in->kind], in->n, r->seed);
	else
		snprintf(to, bytes,
		    "again: FLOW_TEST=%s FLOW_INJECT=none FLOW_SEED=%" PRIu64
		    "\n",
		    r->test, r->seed);
}

/* The next number of a sample (splitmix64). */
static uint64_t
sample_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number of its own for each seed, test and kind. */
static uint64_t
sample_start(const struct harness_run *r, enum inject_kind kind)
{
	uint64_t h = r->seed * INJECT_KINDS + kind;

	for (const char *s = r->test; *s; s++)
		h = h * 31 + (unsigned char)*s;
	return h;
}

static void
inject_one(struct harness_run *r, enum inject_kind kind, unsigned n)
{
	struct injection in = { .kind = kind, .n = n };
	struct inject_points points;

	harness_run_once(r, &in, &points);
}

/* n of n_points points: all, or as many as want, chosen by the seed. */
static void
inject_kind(struct harness_run *r, enum inject_kind kind, unsigned n_points,
    unsigned n_wanted)
{
	uint64_t state = sample_start(r, kind);

	if (n_points <= n_wanted)
		for (unsigned n = 1; n <= n_points; n++)
			inject_one(r, kind, n);
	else
		for (unsigned i = 0; i < n_wanted; i++)
			inject_one(r, kind,
			    1 + (unsigned)(sample_next(&state) % n_points));
}

/* KIND:N; false: it is none. */
static bool
inject_given(struct harness_run *r, const char *given)
{
	const char *const colon = strchr(given, ':');

	for (int kind = 1; colon && kind < INJECT_KINDS; kind++) {
		const size_t n = strlen(inject_names[kind]);
		if (n != (size_t)(colon - given) ||
		    strncmp(given, inject_names[kind], n) != 0)
			continue;
		inject_one(r, kind, (unsigned)strtoul(colon + 1, NULL, 10));
		return true;
	}
	return false;
}

void
inject_all(struct harness_run *r)
{
	const char *const asked = getenv("FLOW_INJECT");
	const char *const given = asked ? asked : "all";
	const bool samples = strcmp(given, "sample") == 0;
	struct injection nothing = { .kind = INJECT_NOTHING };
	struct inject_points points;

	r->seed = inject_seed();
	if (strcmp(given, "none") == 0 || inject_given(r, given))
		return;
	if (!samples && strcmp(given, "all") != 0)
		ck_abort_msg("FLOW_INJECT=%s is not known", given);
	harness_run_once(r, &nothing, &points);
	for (int kind = 1; kind < INJECT_KINDS; kind++) {
		const unsigned n = points.n[kind];
		inject_kind(r, kind, n, samples ? INJECT_SAMPLE : n);
	}
}
