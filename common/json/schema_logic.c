/* SPDX-License-Identifier: MIT */
/*
 * schema_logic: the keywords that apply other schemas to the same value, the
 * references among them. Rows of the table that schema_build reads and
 * schema_run walks.
 * Source: JSON Schema 2020-12 core 8.2.3, 8.2.4, 10.2
 */
#include <errno.h>

#include "common/json/said.h"
#include "common/json/schema_read.h"
#include "common/json/schema_run.h"

static int
reference_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	const char *const keyword = rule->keyword->names[0];

	if (!json_is_string(args[0]))
		return schema_build_fail(b, n, keyword, -EINVAL,
		    "must be a string, not %s", said_type(args[0]));
	return schema_build_add_link(b, n, rule, keyword[1] == 'd');
}

static int
reference_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	return schema_run_node(run, rule->u.node, value, marks);
}

/* The anchor of that name in a resource, NULL if there is none. */
static const struct schema_node *
anchor_find(const struct schema_resource *resource, const char *name)
{
	const struct schema_anchor *a;

	SLIST_FOREACH (a, &resource->anchors, next)
		if (!strcmp(a->name, name))
			return a->node;
	return NULL;
}

/* The outermost resource that we came through and that has the anchor. */
static int
dynamic_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const struct schema_node *node = rule->u.node;
	const struct schema_scope *s = rule->dynamic ? run->scope : NULL;

	for (; s; s = s->up) {
		const struct schema_node *const found =
		    anchor_find(s->resource, rule->dynamic);

		if (found)
			node = found;
		if (!jsonvalue_spend(&run->budget, 1))
			return schema_run_break(run, -EMSGSIZE);
	}
	return schema_run_node(run, node, value, marks);
}

static int
all_check(struct schema_run *run, const struct schema_rule *rule, json_t *value,
    struct schema_marks *marks)
{
	const struct schema_list *const list = rule->u.list;

	for (size_t i = 0; i < list->n; i++) {
		const int r =
		    schema_run_node(run, list->nodes[i], value, marks);

		if (r <= 0)
			return r;
	}
	return 1;
}

/*
 * Try a schema that need not fit: nothing is told, and what it evaluated
 * counts only if it fits.
 */
static int
logic_try(struct schema_run *run, const struct schema_node *node, json_t *value,
    struct schema_marks *marks)
{
	struct schema_marks mine = { 0 };
	int r = marks ? schema_run_marks_init(run, &mine, value) : 0;

	if (r < 0)
		return r;
	run->quiet++;
	r = schema_run_node(run, node, value, marks ? &mine : NULL);
	run->quiet--;
	if (r == 1)
		schema_run_merge(marks, &mine);
	schema_run_marks_fini(&mine);
	return r;
}

/* Which alternatives fit. */
struct tally {
	size_t n;       /* how many fit */
	size_t first;   /* index of the first that fits */
	size_t second;  /* index of the second */
	size_t nearest; /* none fits: the one that failed deepest */
	unsigned depth; /* where it failed */
};

/* Try alternatives until `enough` fit, or all. Returns 0 or -errno. */
static int
tally_take(struct schema_run *run, const struct schema_list *list,
    json_t *value, struct schema_marks *marks, size_t enough, struct tally *t)
{
	for (size_t i = 0; i < list->n && t->n < enough; i++) {
		const int r = logic_try(run, list->nodes[i], value, marks);

		if (r < 0)
			return r;
		if (r) {
			*(t->n ? &t->second : &t->first) = i;
			t->n++;
		} else if (!i || run->failed_depth > t->depth) {
			t->nearest = i;
			t->depth = run->failed_depth;
		}
	}
	return 0;
}

/* No alternative fits: tell why the nearest does not. */
static int
tally_fail(struct schema_run *run, const struct schema_list *list,
    json_t *value, const struct tally *t)
{
	run->failed_depth = t->depth;
	if (run->quiet || !run->err)
		return 0;
	const int r =
	    schema_run_node(run, list->nodes[t->nearest], value, NULL);

	if (r < 0)
		return r;
	if (list->n > 1)
		schema_run_add(
		    run, ", or fit another of %zu alternatives", list->n);
	return 0;
}

static int
any_check(struct schema_run *run, const struct schema_rule *rule, json_t *value,
    struct schema_marks *marks)
{
	struct tally t = { 0 };
	/* Where marks are kept, all that fit count. */
	const int e = tally_take(
	    run, rule->u.list, value, marks, marks ? SIZE_MAX : 1, &t);

	if (e < 0)
		return e;
	return t.n ? 1 : tally_fail(run, rule->u.list, value, &t);
}

static int
one_check(struct schema_run *run, const struct schema_rule *rule, json_t *value,
    struct schema_marks *marks)
{
	struct tally t = { 0 };
	const int e = tally_take(run, rule->u.list, value, marks, 2, &t);

	if (e < 0)
		return e;
	if (t.n == 1)
		return 1;
	if (!t.n)
		return tally_fail(run, rule->u.list, value, &t);
	return schema_run_fail(run,
	    "fits alternatives %zu and %zu of %zu, and must fit exactly one",
	    t.first + 1, t.second + 1, rule->u.list->n);
}

static int
not_check(struct schema_run *run, const struct schema_rule *rule, json_t *value,
    struct schema_marks *marks)
{
	run->quiet++;
	const int r = schema_run_node(run, rule->u.node, value, NULL);

	run->quiet--;
	if (r <= 0)
		return r < 0 ? r : 1;
	return schema_run_fail(run, "is of a form that is excluded here");
}

static int
branch_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	struct schema_branch *const branch =
	    schema_node_alloc(b->schema, sizeof(*branch));
	int e;

	if (!branch)
		return schema_build_nomem(b);
	rule->u.branch = branch;
	e = schema_read_node_of(b, n, "if", args[0], &branch->when);
	if (e == 0)
		e = schema_read_node_of(b, n, "then", args[1], &branch->then);
	if (e == 0)
		e = schema_read_node_of(
		    b, n, "else", args[2], &branch->otherwise);
	return e;
}

static int
branch_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const struct schema_branch *const branch = rule->u.branch;

	if (!branch->when)
		return 1;
	const int r = logic_try(run, branch->when, value, marks);
	if (r < 0)
		return r;
	const struct schema_node *const next =
	    r ? branch->then : branch->otherwise;
	return next ? schema_run_node(run, next, value, marks) : 1;
}

const struct schema_keyword schema_logic_rows[] = {
	/* Looked into for names and references, never applied by themselves. */
	{ { "$defs" }, SCHEMA_VOCABULARY_CORE, 0, schema_read_named, NULL },
	{ { "definitions" }, SCHEMA_VOCABULARY_CORE, 0, schema_read_named,
	    NULL },
	{ { "contentSchema" }, SCHEMA_VOCABULARY_CORE, 0, schema_read_node,
	    NULL },
	{ { "$ref" }, SCHEMA_VOCABULARY_CORE, SCHEMA_ON_ALL, reference_read,
	    reference_check },
	{ { "$dynamicRef" }, SCHEMA_VOCABULARY_CORE, SCHEMA_ON_ALL,
	    reference_read, dynamic_check },
	{ { "allOf" }, SCHEMA_VOCABULARY_APPLICATOR, SCHEMA_ON_ALL,
	    schema_read_list, all_check },
	{ { "anyOf" }, SCHEMA_VOCABULARY_APPLICATOR, SCHEMA_ON_ALL,
	    schema_read_list, any_check },
	{ { "oneOf" }, SCHEMA_VOCABULARY_APPLICATOR, SCHEMA_ON_ALL,
	    schema_read_list, one_check },
	{ { "not" }, SCHEMA_VOCABULARY_APPLICATOR, SCHEMA_ON_ALL,
	    schema_read_node, not_check },
	{ { "if", "then", "else" }, SCHEMA_VOCABULARY_APPLICATOR, SCHEMA_ON_ALL,
	    branch_read, branch_check },
	{ { NULL }, 0, 0, NULL, NULL },
};
