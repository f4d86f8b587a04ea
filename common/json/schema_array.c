/* SPDX-License-Identifier: MIT */
/*
 * schema_array: the keywords of arrays. Rows of the table that schema_build
 * reads and schema_run walks.
 * Source: JSON Schema 2020-12 core 10.3.1, validation 6.4
 */
#include <errno.h>

#include "common/json/said.h"
#include "common/json/schema_read.h"
#include "common/json/schema_run.h"

static int
max_items_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	if (json_array_size(value) <= rule->u.count)
		return 1;
	return schema_run_fail(run, "must have at most %zu entries, not %zu",
	    rule->u.count, json_array_size(value));
}

static int
min_items_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	if (json_array_size(value) >= rule->u.count)
		return 1;
	return schema_run_fail(run, "must have at least %zu entries, not %zu",
	    rule->u.count, json_array_size(value));
}

static int
unique_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	if (json_is_boolean(args[0]))
		return 0;
	return schema_build_fail(b, n, "uniqueItems", -EINVAL,
	    "must be true or false, not %s", said_type(args[0]));
}

static int
unique_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	size_t first = 0;
	size_t second = 0;

	if (json_is_false(rule->arg))
		return 1;
	const int r =
	    jsonvalue_find_twins(value, &run->budget, &first, &second);
	if (r < 0)
		return schema_run_break(run, r);
	if (!r)
		return 1;
	return schema_run_fail(run,
	    "must have no entry twice; entries %zu and %zu are equal",
	    first + 1, second + 1);
}

static int
items_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	struct schema_items *const items =
	    schema_node_alloc(b->schema, sizeof(*items));

	if (!items)
		return schema_build_nomem(b);
	rule->u.items = items;
	if (json_is_array(args[1]))
		return schema_build_fail(b, n, "items", -EINVAL,
		    "must be a schema; a list of schemas is prefixItems");
	int e = 0;
	if (args[0])
		e = schema_read_list_of(
		    b, n, "prefixItems", args[0], &items->prefix);
	return e < 0
	           ? e
	           : schema_read_node_of(b, n, "items", args[1], &items->rest);
}

static int
items_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const struct schema_list *const prefix = rule->u.items->prefix;
	const struct schema_node *const rest = rule->u.items->rest;
	const size_t n_prefix = prefix ? prefix->n : 0;

	for (size_t i = 0; i < json_array_size(value); i++) {
		const struct schema_node *const node =
		    i < n_prefix ? prefix->nodes[i] : rest;

		if (!node)
			break;
		if (!jsonvalue_spend(&run->budget, 1))
			return schema_run_break(run, -EMSGSIZE);
		const int r = schema_run_member(
		    run, node, json_array_get(value, i), NULL, i);

		if (r <= 0)
			return r;
		schema_run_mark(marks, i);
	}
	return 1;
}

static int
contains_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	struct schema_contains *const c =
	    schema_node_alloc(b->schema, sizeof(*c));
	int e;

	if (!c)
		return schema_build_nomem(b);
	rule->u.contains = c;
	c->min = 1;
	c->max = SIZE_MAX;
	e = schema_read_node_of(b, n, "contains", args[0], &c->node);
	if (e == 0 && args[1])
		e = schema_read_count_of(b, n, "minContains", args[1], &c->min);
	if (e == 0 && args[2])
		e = schema_read_count_of(b, n, "maxContains", args[2], &c->max);
	/* Without the validation vocabulary the limits do not count. */
	if (!(n->resource->vocabularies & SCHEMA_VOCABULARY_VALIDATION)) {
		c->min = 1;
		c->max = SIZE_MAX;
	}
	return e;
}

static int __attribute__((noinline))
contains_fail(struct schema_run *run, const struct schema_contains *c, size_t n)
{
	if (n > c->max)
		return schema_run_fail(run,
		    "must have at most %zu entries of the form asked for, not "
		    "%zu",
		    c->max, n);
	return schema_run_fail(run,
	    "must have at least %zu %s of the form asked for, not %zu", c->min,
	    c->min == 1 ? "entry" : "entries", n);
}

static int
contains_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const struct schema_contains *const c = rule->u.contains;
	size_t n = 0;

	for (size_t i = 0; c->node && i < json_array_size(value); i++) {
		if (!jsonvalue_spend(&run->budget, 1))
			return schema_run_break(run, -EMSGSIZE);
		run->quiet++;
		const int r = schema_run_member(
		    run, c->node, json_array_get(value, i), NULL, i);

		run->quiet--;
		if (r < 0)
			return r;
		if (r)
			schema_run_mark(marks, i);
		n += (size_t)r;
	}
	if (!c->node || (n >= c->min && n <= c->max))
		return 1;
	return contains_fail(run, c, n);
}

const struct schema_keyword schema_array_rows[] = {
	{ { "maxItems" }, SCHEMA_VOCABULARY_VALIDATION, SCHEMA_ON_ARRAY,
	    schema_read_count, max_items_check },
	{ { "minItems" }, SCHEMA_VOCABULARY_VALIDATION, SCHEMA_ON_ARRAY,
	    schema_read_count, min_items_check },
	{ { "uniqueItems" }, SCHEMA_VOCABULARY_VALIDATION, SCHEMA_ON_ARRAY,
	    unique_read, unique_check },
	{ { "prefixItems", "items" }, SCHEMA_VOCABULARY_APPLICATOR,
	    SCHEMA_ON_ARRAY, items_read, items_check },
	{ { "contains", "minContains", "maxContains" },
	    SCHEMA_VOCABULARY_APPLICATOR, SCHEMA_ON_ARRAY, contains_read,
	    contains_check },
	{ { NULL }, 0, 0, NULL, NULL },
};
