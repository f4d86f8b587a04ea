/* SPDX-License-Identifier: MIT */
/*
 * task: from spawn to end. A task ends once: when its body has ended and its
 * scope is torn down, or, if it never ran, when it is halted. Its failure goes
 * to the scope it belongs to, and to whoever awaits it.
 */
#include "common/flow/task.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/flow/core.h"
#include "common/flow/overflow.h"
#include "common/flow/work.h"

void
flow_open(void)
{
	scope_init(scope_root(), NULL, NULL);
	run_open();
	overflow_watch();
}

void
flow_close(void)
{
	must(TAILQ_EMPTY(&scope_root()->entries));
	overflow_unwatch();
	flow_work_close();
	run_close();
}

/* End the argument of a spec that will not run. */
static int
task_refuse(const struct task_spec *spec, int code)
{
	if (spec->dispose)
		spec->dispose(spec->arg);
	return code;
}

/* Make a task in parent; not queued yet. */
static int
task_new(
    struct scope *parent, const struct task_spec *spec, struct task **task_r)
{
	must_be(parent, SCOPE_MAGIC);
	must(spec->name && spec->body);
	if (run_reserve(parent->depth + 1) < 0)
		return task_refuse(spec, -ENOMEM);
	struct task *const t = run_new(spec->stack_bytes);
	if (!t)
		return task_refuse(spec, -ENOMEM);
	t->magic = TASK_MAGIC;
	t->refs = 1;
	t->spec = *spec;
	t->depth = parent->depth + 1;
	scope_init(&t->scope, parent, t);
	t->inner = &t->scope;
	waitq_init(&t->done);
	t->entry.child = t;
	TAILQ_INSERT_TAIL(&parent->entries, &t->entry, link);
	*task_r = t;
	return 0;
}

/* Hand out a reference if the caller wants one. */
static void
task_give(struct task *t, struct task **task_r)
{
	if (task_r)
		*task_r = task_ref(t);
}

int
flow_run(const struct task_spec *spec, struct task **task_r)
{
	struct task *t;

	must(!task_self());
	const int rc = task_new(scope_root(), spec, &t);
	if (rc < 0)
		return rc;
	task_give(t, task_r);
	run_enter(t);
	return 0;
}

int
scope_run(struct scope *s, const struct task_spec *spec, struct task **task_r)
{
	struct task *t;

	must_be(s, SCOPE_MAGIC);
	if (s->state == SCOPE_CLOSED ||
	    (s->state == SCOPE_CLOSING && s->owner != task_self()))
		return task_refuse(spec, -ECANCELED);
	const int rc = task_new(s, spec, &t);
	if (rc < 0)
		return rc;
	task_give(t, task_r);
	run_ready(t);
	return 0;
}

int
task_spawn(const struct task_spec *spec, struct task **task_r)
{
	return scope_run(scope_current(), spec, task_r);
}

int
task_spawn_muted(const struct task_spec *spec, struct task **task_r)
{
	const int rc = task_spawn(spec, task_r);

	if (rc == 0)
		(*task_r)->is_muted = true;
	return rc;
}

struct task *
task_ref(struct task *t)
{
	must_be(t, TASK_MAGIC);
	t->refs++;
	return t;
}

void
task_unref(struct task **tp)
{
	struct task *const t = *tp;

	*tp = NULL;
	if (!t)
		return;
	must_be(t, TASK_MAGIC);
	must(t->refs > 0);
	if (--t->refs)
		return;
	must(t->phase == TASK_DONE);
	fault_free(&t->fault);
	t->magic = 0;
	run_free(t);
}

void
task_bury(struct task *t)
{
	if (t->refs > 1)
		stack_over(t->stack);
	task_unref(&t);
}

/* What became of a task whose scope is closed. */
static void
task_settle(struct task *t)
{
	t->fault = t->scope.fault;
	t->has_torn = t->scope.has_torn;
	t->scope.fault = NULL;
	if (t->fault)
		t->outcome = TASK_FAILED;
	else
		t->outcome = t->is_halting ? TASK_HALTED : TASK_RETURNED;
}

/* The task is over: tell its owner, then those who wait for it. */
static void
task_finish(struct task *t)
{
	struct scope *const parent = t->scope.parent;

	task_settle(t);
	t->phase = TASK_DONE;
	fault_free(&t->caught);
	TAILQ_REMOVE(&parent->entries, &t->entry, link);
	if (t->spec.dispose)
		t->spec.dispose(t->spec.arg);
	if (t->outcome == TASK_FAILED && (!t->is_muted || t->has_torn))
		scope_child_failed(parent, t->fault, t->has_torn);
	waitq_wake_all(&t->done, 0);
}

void
task_live(struct task *t)
{
	if (!t->is_halting)
		unwind_guard(&t->unwind, t->spec.body, t->spec.arg, &t->value);
	struct fault *const raised = t->raised;
	t->raised = NULL;
	scope_close_take(&t->scope, raised);
	task_finish(t);
}

bool
task_must_unwind(const struct task *t)
{
	if (t->is_halting && !t->shield)
		return true;
	for (const struct scope *s = t->inner; s && s->owner == t;
	     s = s->parent)
		if (s->is_crashed && s->state == SCOPE_OPEN &&
		    t->shield <= s->shield)
			return true;
	return false;
}

void
task_interrupt(struct task *t)
{
	if (t->phase == TASK_WAITING && task_is_interrupted(t))
		run_ready(t);
}

/* A task that never ran and owns nothing ends where it stands. */
static void
task_end_unborn(struct task *t)
{
	run_remove(t);
	t->scope.state = SCOPE_CLOSED;
	task_finish(t);
	task_bury(t);
}

void
task_halt_soon(struct task *t)
{
	must_be(t, TASK_MAGIC);
	if (t->phase == TASK_DONE || t->is_halting)
		return;
	t->is_halting = true;
	if (t->phase == TASK_NEW && TAILQ_EMPTY(&t->scope.entries))
		task_end_unborn(t);
	else
		task_interrupt(t);
}

/* The task on the way from t that waits for the running task, or NULL. */
static struct task *
task_in_circle(struct task *t)
{
	for (; t; t = t->awaits)
		if (t == task_self() || t->awaits == task_self())
			return t;
	return NULL;
}

/* Break the wait of a task for the running one, which must go on. */
static void
task_break(struct task *t)
{
	if (t && t->phase == TASK_WAITING)
		waiter_wake(t->waiter, -EDEADLK, NULL);
}

/* Forget whom the task waited for, also when it is unwound. */
static void
task_awaits_nobody(struct task **self)
{
	(*self)->awaits = NULL;
}

int
task_join(struct task *t, bool must_end)
{
	struct task *const self = task_self();

	if (t->phase == TASK_DONE)
		return 0;
	if (must_end)
		task_break(task_in_circle(t));
	else if (self->shield && task_in_circle(t))
		return -EDEADLK;
	__attribute__((cleanup(task_awaits_nobody))) struct task *mine = self;
	mine->awaits = t;
	return waitq_wait(&t->done, "a task to end", CLOCK_NEVER);
}

int
task_await(struct task *t, void **value_r, struct err *err_r)
{
	struct task *keep task_auto = task_ref(t);

	must(task_self() != NULL);
	const int rc = task_join(keep, false);
	if (rc < 0)
		return err_set(err_r, rc, keep->spec.name,
		    rc == -EDEADLK ? "it waits for the task that would wait"
				   : "nothing may wait in a cleanup");
	if (keep->outcome == TASK_HALTED)
		return err_set(
		    err_r, -ECANCELED, keep->spec.name, "the task was halted");
	if (keep->outcome == TASK_FAILED) {
		if (err_r)
			*err_r = keep->fault->err;
		return keep->fault->err.code;
	}
	if (value_r)
		*value_r = keep->value;
	return 0;
}

int
task_halt(struct task *t, struct err *err_r)
{
	struct task *keep task_auto = task_ref(t);
	struct task *const self = task_self();

	must(self != NULL);
	task_halt_soon(keep);
	if (keep == self && !self->shield && !self->unwind.is_active)
		unwind_start(&self->unwind);
	const int rc = task_join(keep, false);
	if (rc < 0)
		return err_set(err_r, rc, keep->spec.name,
		    "it waits for the task that would wait");
	if (!keep->is_halting || !keep->has_torn)
		return 0;
	if (err_r)
		*err_r = keep->fault->err;
	return keep->fault->err.code;
}

enum task_outcome
task_outcome(const struct task *t)
{
	must_be(t, TASK_MAGIC);
	return t->outcome;
}

bool
task_error(const struct task *t, unsigned nth, struct err *err_r)
{
	must_be(t, TASK_MAGIC);
	return fault_get(t->fault, nth, err_r);
}

struct scope *
task_scope(struct task *t)
{
	must_be(t, TASK_MAGIC);
	return &t->scope;
}

const char *
task_name(const struct task *t)
{
	must_be(t, TASK_MAGIC);
	return t->spec.name;
}

void
flow_fail_at(const char *file, int line, int code, const char *fmt, ...)
{
	struct task *const t = task_self();
	char place[ERR_PLACE_BYTES];
	struct err err;
	va_list ap;

	must(t != NULL && code < 0);
	snprintf(place, sizeof(place), "%s:%d", file, line);
	va_start(ap, fmt);
	err_vset(&err, code, place, fmt, ap);
	va_end(ap);
	fault_push_take(&t->raised, fault_new(&err));
	unwind_start(&t->unwind);
}

void
flow_trim(void)
{
	struct task *const t = task_self();

	must(t != NULL);
	stack_trim(t->stack, __builtin_frame_address(0));
}

void
flow_rest(void)
{
	stack_cool();
	run_strip();
}

/* A write that stays: a frame without a cleanup is passed over. */
static void
task_sweep(struct unwind *volatile *unwind)
{
	*unwind = NULL;
}

static void *
task_unwind(void *arg)
{
	__attribute__((cleanup(task_sweep))) struct unwind *volatile unwind =
	    arg;

	unwind_start(unwind);
}

void
flow_warm(void)
{
	struct unwind unwind = { 0 };

	(void)unwind_guard(&unwind, task_unwind, &unwind, NULL);
}
