/* SPDX-License-Identifier: MIT */
/* dump: walks the tree of scopes; changes nothing. */
#include "common/flow/dump.h"

#include "common/base/clock.h"
#include "common/base/must.h"
#include "common/flow/core.h"

static const char *const dump_phases[] = {
	[TASK_NEW] = "new",
	[TASK_READY] = "ready",
	[TASK_ON_CPU] = "running",
	[TASK_WAITING] = "waiting",
	[TASK_DONE] = "done",
};

/* Bytes of the stack of a parked task that are in use. */
static size_t
dump_stack_bytes(const struct task *t)
{
	return (size_t)(stack_top(t->stack) - (const char *)t->sp);
}

static void
dump_task(FILE *out, const struct task *t, unsigned indent)
{
	fprintf(out, "%*s%s: %s", (int)indent * 2, "", t->spec.name,
	    dump_phases[t->phase]);
	if (t->is_halting)
		fputs(", halting", out);
	if (t->has_provided)
		fputs(", providing", out);
	if (t->shield)
		fputs(", shielded", out);
	if (t->waits_for)
		fprintf(out, " for %s since %lld ms", t->waits_for,
		    (long long)(clock_now_ms() - t->parked_ms));
	if (t->waits_for && t->here_file)
		fprintf(out, " at %s:%d", t->here_file, t->here_line);
	fprintf(out, ", stack %zu of %zu bytes", dump_stack_bytes(t),
	    stack_bytes(t->stack));
	fputc('\n', out);
}

static void dump_scope(FILE *out, const struct scope *s, unsigned indent);

/* The scopes on one stack, outermost first. */
static void
dump_scopes(
    FILE *out, const struct task *t, const struct scope *s, unsigned indent)
{
	if (s != &t->scope)
		dump_scopes(out, t, s->parent, indent);
	dump_scope(out, s, indent);
}

/* The children of one scope, in order of start. */
static void
dump_scope(FILE *out, const struct scope *s, unsigned indent)
{
	const struct scope_entry *e;

	TAILQ_FOREACH (e, &s->entries, link) {
		if (!e->child)
			continue;
		dump_task(out, e->child, indent);
		dump_scopes(out, e->child, e->child->inner, indent + 1);
	}
}

void
flow_dump(FILE *out)
{
	must(!task_self());
	dump_scope(out, scope_root(), 0);
	fflush(out);
}
