/* SPDX-License-Identifier: MIT */
/*
 * scope: what a task started and must end: children and finalisers in one
 * list, torn down in reverse order, one at a time, each awaited, shielded from
 * halts. Errors of a teardown supersede older ones and keep them attached.
 */
#include <errno.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/core.h"
#include "common/flow/here.h"

static struct scope root_scope;

struct scope *
scope_root(void)
{
	return &root_scope;
}

void
scope_init(struct scope *s, struct scope *parent, struct task *owner)
{
	*s = (struct scope){
		.magic = SCOPE_MAGIC,
		.state = SCOPE_OPEN,
		.parent = parent,
		.owner = owner,
		.depth = parent ? parent->depth + 1 : 0,
		.shield = owner ? owner->shield : 0,
	};
	TAILQ_INIT(&s->entries);
}

/* Keeps a scope open until it is halted. */
static void *
scope_keep(void *arg)
{
	(void)flow_suspend();
	return NULL;
}

int
scope_open(struct scope *parent, const char *name, struct task **keeper_r)
{
	const struct task_spec keeper = { .name = name, .body = scope_keep };

	return scope_run(parent ? parent : &root_scope, &keeper, keeper_r);
}

struct scope *
scope_current(void)
{
	must(task_self() != NULL);
	return task_self()->inner;
}

int
scope_ensure(scope_finaliser_fn *fn, void *arg)
{
	struct scope *const s = scope_current();
	struct scope_entry *const e = mem_zalloc(1, sizeof(*e));

	must(s->state != SCOPE_CLOSED);
	if (!e)
		return -ENOMEM;
	e->fn = fn;
	e->arg = arg;
	TAILQ_INSERT_TAIL(&s->entries, e, link);
	return 0;
}

/* A finaliser and its outcome, for the guard. */
struct scope_finaliser {
	const struct scope_entry *entry;
	struct err err;
	int rc;
};

static void *
scope_call_finaliser(void *arg)
{
	struct scope_finaliser *const f = arg;

	f->rc = f->entry->fn(f->entry->arg, &f->err);
	return NULL;
}

/* Run one finaliser behind a boundary; an error becomes the primary one. */
static void
scope_run_finaliser(struct scope *s, struct scope_entry *e)
{
	struct task *const t = s->owner;
	struct scope_finaliser f = { .entry = e };

	if (!unwind_guard(&t->unwind, scope_call_finaliser, &f, NULL)) {
		must(t->raised);
		fault_push_take(&s->fault, t->raised);
		t->raised = NULL;
		s->has_torn = true;
	} else if (f.rc < 0) {
		if (!f.err.code)
			err_set(&f.err, f.rc, NULL, "a finaliser failed");
		fault_push_take(&s->fault, fault_new(&f.err));
		s->has_torn = true;
	}
	mem_free(e);
}

/* Halt a child and wait for its end; its errors come by scope_child_failed. */
static void
scope_end_child(struct task *child)
{
	struct task *keep task_auto = task_ref(child);

	FLOW_HERE();
	task_halt_soon(keep);
	if (keep->phase != TASK_DONE)
		must(task_join(keep, true) == 0);
}

/* Forget the context values that were set in s. */
static void
scope_drop_values(struct scope *s)
{
	while (s->values) {
		struct scope_value *const v = s->values;
		s->values = v->next;
		mem_free(v);
	}
}

void
scope_close_take(struct scope *s, struct fault *raised)
{
	struct task *const t = s->owner;
	struct scope_entry *e;

	must_be(s, SCOPE_MAGIC);
	must(s->state == SCOPE_OPEN);
	s->state = SCOPE_CLOSING;
	if (s->is_crashed)
		t->n_crashed--;
	if (raised)
		fault_push_take(&s->fault, raised);
	t->shield++;
	while ((e = TAILQ_LAST(&s->entries, scope_entries))) {
		if (e->child) {
			scope_end_child(e->child);
			must(TAILQ_LAST(&s->entries, scope_entries) != e);
		} else {
			TAILQ_REMOVE(&s->entries, e, link);
			scope_run_finaliser(s, e);
		}
	}
	t->shield--;
	s->state = SCOPE_CLOSED;
	scope_drop_values(s);
}

void
scope_child_failed(struct scope *s, const struct fault *f, bool was_torn)
{
	must_be(s, SCOPE_MAGIC);
	if (!s->owner)
		return;
	struct fault *const mine = fault_copy(f);
	if (s->state == SCOPE_OPEN && !s->is_crashed) {
		s->is_crashed = true;
		s->owner->n_crashed++;
		fault_push_take(&s->fault, mine);
		task_interrupt(s->owner);
		return;
	}
	/* In teardown: errors of teardowns count, others only attach when the
	 * owner is being halted anyway. */
	if (s->state == SCOPE_CLOSING && (was_torn || !s->owner->is_halting)) {
		fault_push_take(&s->fault, mine);
		s->has_torn = true;
	} else {
		fault_attach_take(&s->fault, mine);
	}
}

/* Give back what a scope_call left, report, go on unwinding if it must. */
static int
scope_leave(struct scope *s, struct err *err_r)
{
	struct task *const t = s->owner;
	const int code = s->fault ? s->fault->err.code : 0;

	t->inner = s->parent;
	if (s->fault && err_r)
		*err_r = s->fault->err;
	fault_free(&t->caught);
	t->caught = s->fault;
	s->fault = NULL;
	if (task_is_interrupted(t))
		unwind_start(&t->unwind);
	return code;
}

int
scope_call(task_body_fn *fn, void *arg, void **value_r, struct err *err_r)
{
	struct task *const t = task_self();
	struct scope s;

	must(t != NULL);
	if (t->unwind.is_active)
		return -ECANCELED;
	scope_init(&s, t->inner, t);
	t->inner = &s;
	unwind_guard(&t->unwind, fn, arg, value_r);
	struct fault *const raised = t->raised;
	t->raised = NULL;
	scope_close_take(&s, raised);
	return scope_leave(&s, err_r);
}

bool
scope_error(unsigned nth, struct err *err_r)
{
	must(task_self() != NULL);
	return fault_get(task_self()->caught, nth, err_r);
}

/* Leave a shield however the shielded call ended. */
static void
flow_unshield(struct task **t)
{
	(*t)->shield--;
}

void *
flow_shield(task_body_fn *fn, void *arg)
{
	struct task *const t = task_self();

	must(t != NULL);
	void *value;
	{
		__attribute__((cleanup(flow_unshield))) struct task *mine = t;
		mine->shield++;
		value = fn(arg);
	}
	if (!t->unwind.is_active && task_is_interrupted(t))
		unwind_start(&t->unwind);
	return value;
}
