/* SPDX-License-Identifier: MIT */
/* context: values looked up through the tree of scopes at the time of use. */
#include "common/flow/context.h"

#include <errno.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/core.h"

/* The value that s itself holds for c, or NULL. */
static struct scope_value *
context_in(struct scope *s, const struct flow_context *c)
{
	struct scope_value *v = s->values;

	while (v && v->context != c)
		v = v->next;
	return v;
}

int
flow_context_set(const struct flow_context *c, void *value)
{
	struct scope *const s = scope_current();
	struct scope_value *v = context_in(s, c);

	if (!v) {
		v = mem_zalloc(1, sizeof(*v));
		if (!v)
			return -ENOMEM;
		v->context = c;
		v->next = s->values;
		s->values = v;
	}
	v->value = value;
	return 0;
}

bool
flow_context_find(const struct flow_context *c, void **value_r)
{
	for (struct scope *s = scope_current(); s; s = s->parent) {
		const struct scope_value *const v = context_in(s, c);
		if (!v)
			continue;
		*value_r = v->value;
		return true;
	}
	if (c->has_initial)
		*value_r = c->initial;
	return c->has_initial;
}

void *
flow_context_expect(const struct flow_context *c)
{
	void *value;

	if (!flow_context_find(c, &value))
		flow_fail(-ENOKEY, "the context %s is not set", c->name);
	return value;
}

/* What a scope held for a context before flow_context_with. */
struct context_saved {
	struct scope *scope;
	const struct flow_context *context;
	bool was_set;
	void *value;
};

/* Set it back, also when the stack is unwound. */
static void
context_restore(struct context_saved *saved)
{
	struct scope_value **at = &saved->scope->values;

	while (*at && (*at)->context != saved->context)
		at = &(*at)->next;
	if (!*at)
		return;
	if (saved->was_set) {
		(*at)->value = saved->value;
		return;
	}
	struct scope_value *const v = *at;
	*at = v->next;
	mem_free(v);
}

void *
flow_context_with(
    const struct flow_context *c, void *value, task_body_fn *fn, void *arg)
{
	struct scope *const s = scope_current();
	const struct scope_value *const before = context_in(s, c);
	__attribute__((
	    cleanup(context_restore), unused)) struct context_saved saved = {
		.scope = s,
		.context = c,
		.was_set = before != NULL,
		.value = before ? before->value : NULL,
	};

	if (flow_context_set(c, value) < 0)
		flow_fail(-ENOMEM, "no memory for the context %s", c->name);
	return fn(arg);
}
