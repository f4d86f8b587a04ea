/* SPDX-License-Identifier: MIT */
/*
 * combine: members are muted children of a scope of their own. Each tells the
 * combination when it is done, in the order in which they end; the
 * combination decides, then leaves its scope, which tears down the rest.
 */
#include "common/flow/combine.h"

#include <errno.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/core.h"

struct combine;

/* One task of a combination. */
struct member {
	struct combine *combine;
	struct task_spec spec;
	struct task *task; /* *refs*; NULL: not started */
	bool is_done;
};

struct combine {
	const struct task_spec *specs;
	struct member *members; /* n, owned */
	size_t n;
	size_t n_started;
	size_t n_began; /* members whose body has begun */
	size_t n_done;
	struct member *first_done;
	struct member *first_failed;
	size_t winner; /* of a race */
	struct waitq changed;
	int64_t deadline_ms;
	void *(*decide)(struct combine *c); /* waits until it knows */
	int code; /* decided before the scope was left */
	struct err err;
	void **values_r;
	struct flow_settled *settled_r;
};

static void *
member_body(void *arg)
{
	const struct member *const m = arg;
	struct combine *const c = m->combine;

	if (++c->n_began == c->n)
		waitq_wake_all(&c->changed, 0);
	return m->spec.body(m->spec.arg);
}

/* A member is done, or was never run. */
static void
member_on_done(void *arg)
{
	struct member *const m = arg;
	struct combine *const c = m->combine;

	if (m->spec.dispose)
		m->spec.dispose(m->spec.arg);
	m->is_done = true;
	if (!m->task)
		return;
	c->n_done++;
	if (!c->first_done)
		c->first_done = m;
	if (!c->first_failed && task_outcome(m->task) != TASK_RETURNED)
		c->first_failed = m;
	waitq_wake_all(&c->changed, 0);
}

/* Wait until some member ends; -ETIMEDOUT. */
static int
combine_wait(struct combine *c)
{
	return waitq_wait(&c->changed, "one of several", c->deadline_ms);
}

/* Keep what a member that is done ended with. */
static int
member_result(const struct member *m, void **value_r, struct err *err_r)
{
	return task_await(m->task, value_r, err_r);
}

/* Start all members in order. */
static void
combine_start(struct combine *c)
{
	for (; c->n_started < c->n; c->n_started++) {
		struct member *const m = &c->members[c->n_started];
		const struct task_spec spec = { .name = m->spec.name,
			.body = member_body,
			.arg = m,
			.dispose = member_on_done,
			.stack_bytes = m->spec.stack_bytes };
		if (task_spawn_muted(&spec, &m->task) == 0)
			continue;
		c->n_started++;
		flow_fail(-ENOMEM, "no memory to start %s", m->spec.name);
	}
}

static void *
combine_body(void *arg)
{
	struct combine *const c = arg;

	combine_start(c);
	return c->decide(c);
}

/* Give back what the members hold; dispose of those never started. */
static void
combine_end(struct combine *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct member *const m = &c->members[i];
		if (i >= c->n_started && m->spec.dispose)
			m->spec.dispose(m->spec.arg);
		task_unref(&m->task);
	}
	mem_free(c->members);
}

/* Without memory for the members: end every argument. */
static int
combine_refuse(const struct task_spec *specs, size_t n, struct err *err_r)
{
	for (size_t i = 0; i < n; i++)
		if (specs[i].dispose)
			specs[i].dispose(specs[i].arg);
	return err_set(err_r, -ENOMEM, NULL, "out of memory");
}

/* For the cleanup of combine_run. */
static void
combine_leave(struct combine **c)
{
	combine_end(*c);
}

/* Run a combination to its end. *c is on the caller's stack. */
static int
combine_run(struct combine *c, void **value_r, struct err *err_r)
{
	c->members = mem_zalloc(c->n, sizeof(*c->members));
	if (!c->members)
		return combine_refuse(c->specs, c->n, err_r);
	for (size_t i = 0; i < c->n; i++)
		c->members[i] =
		    (struct member){ .combine = c, .spec = c->specs[i] };
	waitq_init(&c->changed);
	__attribute__((cleanup(combine_leave))) struct combine *mine = c;
	const int rc = scope_call(combine_body, mine, value_r, err_r);
	if (rc < 0)
		return rc;
	if (mine->code < 0 && err_r)
		*err_r = mine->err;
	return mine->code;
}

static void *
race_decide(struct combine *c)
{
	void *value = NULL;

	/* every contestant starts, also when the first ends without a wait */
	while (!c->first_done || c->n_began < c->n)
		(void)combine_wait(c);
	c->winner = (size_t)(c->first_done - c->members);
	c->code = member_result(c->first_done, &value, &c->err);
	for (size_t i = 0; i < c->n; i++)
		task_halt_soon(c->members[i].task);
	return value;
}

static void *
all_decide(struct combine *c)
{
	while (!c->first_failed && c->n_done < c->n)
		(void)combine_wait(c);
	if (c->first_failed) {
		c->code = member_result(c->first_failed, NULL, &c->err);
		return NULL;
	}
	for (size_t i = 0; c->values_r && i < c->n; i++)
		must(member_result(&c->members[i], &c->values_r[i], NULL) == 0);
	return NULL;
}

static void *
settle_decide(struct combine *c)
{
	while (c->n_done < c->n)
		(void)combine_wait(c);
	for (size_t i = 0; i < c->n; i++) {
		struct flow_settled *const s = &c->settled_r[i];
		*s = (struct flow_settled){ .value = NULL };
		s->code = member_result(&c->members[i], &s->value, &s->err);
	}
	return NULL;
}

static void *
timeout_decide(struct combine *c)
{
	void *value = NULL;

	while (!c->first_done)
		if (combine_wait(c) == -ETIMEDOUT) {
			c->code = err_set(&c->err, -ETIMEDOUT, c->specs[0].name,
			    "it took too long");
			return NULL;
		}
	c->code = member_result(c->first_done, &value, &c->err);
	return value;
}

int
flow_race(const struct task_spec *specs, size_t n, size_t *winner_r,
    void **value_r, struct err *err_r)
{
	struct combine c = { .specs = specs,
		.n = n,
		.decide = race_decide,
		.deadline_ms = CLOCK_NEVER };

	if (!n)
		return err_set(err_r, -EINVAL, NULL, "a race of nobody");
	const int rc = combine_run(&c, value_r, err_r);
	if (winner_r)
		*winner_r = c.winner;
	return rc;
}

int
flow_all(
    const struct task_spec *specs, size_t n, void **values_r, struct err *err_r)
{
	struct combine c = { .specs = specs,
		.n = n,
		.decide = all_decide,
		.deadline_ms = CLOCK_NEVER,
		.values_r = values_r };

	return n ? combine_run(&c, NULL, err_r) : 0;
}

int
flow_settle(const struct task_spec *specs, size_t n,
    struct flow_settled *settled_r, struct err *err_r)
{
	struct combine c = { .specs = specs,
		.n = n,
		.decide = settle_decide,
		.deadline_ms = CLOCK_NEVER,
		.settled_r = settled_r };

	return n ? combine_run(&c, NULL, err_r) : 0;
}

int
flow_timeout(const struct task_spec *spec, int64_t deadline_ms, void **value_r,
    struct err *err_r)
{
	struct combine c = { .specs = spec,
		.n = 1,
		.decide = timeout_decide,
		.deadline_ms = deadline_ms };

	return combine_run(&c, value_r, err_r);
}
