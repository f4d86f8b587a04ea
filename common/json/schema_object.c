/* SPDX-License-Identifier: MIT */
/*
 * schema_object: the keywords of objects. Rows of the table that schema_build
 * reads and schema_run walks. The members of a value are walked once, in
 * their order, and each is looked up in the schema: so that a member has an
 * ordinal, which is what schema_marks keeps.
 * Source: JSON Schema 2020-12 core 10.2.2.4, 10.3.2, validation 6.5
 */
#include <errno.h>
#include <string.h>

#include "common/json/said.h"
#include "common/json/schema_read.h"
#include "common/json/schema_run.h"

static int
max_properties_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	if (json_object_size(value) <= rule->u.count)
		return 1;
	return schema_run_fail(run, "must have at most %zu properties, not %zu",
	    rule->u.count, json_object_size(value));
}

static int
min_properties_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	if (json_object_size(value) >= rule->u.count)
		return 1;
	return schema_run_fail(run,
	    "must have at least %zu properties, not %zu", rule->u.count,
	    json_object_size(value));
}

static int
required_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	return schema_read_names(b, n, "required", args[0]);
}

/* The first of names that value lacks: 0 found none, 1 *name_r, or -errno. */
static int
required_missing(struct schema_run *run, const json_t *names,
    const json_t *value, const json_t **name_r)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		*name_r = json_array_get(names, i);
		if (!jsonvalue_spend(&run->budget, 1))
			return schema_run_break(run, -EMSGSIZE);
		if (!json_object_get(value, json_string_value(*name_r)))
			return 1;
	}
	return 0;
}

static int
required_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const json_t *name = NULL;
	const int r = required_missing(run, rule->arg, value, &name);
	char said[SAID_BYTES];

	if (r <= 0)
		return r < 0 ? r : 1;
	return schema_run_fail(
	    run, "needs the property %s", said_value(name, said));
}

static int
dependent_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	json_t *const table = args[0];

	if (!json_is_object(table))
		return schema_build_fail(b, n, "dependentRequired", -EINVAL,
		    "must be an object, not %s", said_type(table));
	for (void *i = json_object_iter(table); i;
	     i = json_object_iter_next(table, i)) {
		const int e = schema_read_names(
		    b, n, "dependentRequired", json_object_iter_value(i));

		if (e < 0)
			return e;
	}
	return 0;
}

/* One property that needs others. */
static int __attribute__((noinline)) dependent_one(struct schema_run *run,
    const char *key, const json_t *names, const json_t *value)
{
	const json_t *name = NULL;
	char said[SAID_BYTES];
	char because[SAID_BYTES];

	if (!jsonvalue_spend(&run->budget, 1))
		return schema_run_break(run, -EMSGSIZE);
	if (!json_object_get(value, key))
		return 1;
	const int r = required_missing(run, names, value, &name);
	if (r <= 0)
		return r < 0 ? r : 1;
	return schema_run_fail(run,
	    "needs the property %s, since it has the property %s",
	    said_value(name, said), said_text(key, strlen(key), because));
}

static int
dependent_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	json_t *const table = rule->arg;

	for (void *i = json_object_iter(table); i;
	     i = json_object_iter_next(table, i)) {
		const int r = dependent_one(run, json_object_iter_key(i),
		    json_object_iter_value(i), value);

		if (r <= 0)
			return r;
	}
	return 1;
}

static int
dependent_schemas_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	const struct schema_named *const named = rule->u.named;

	for (size_t i = 0; i < named->n; i++) {
		if (!jsonvalue_spend(&run->budget, 1))
			return schema_run_break(run, -EMSGSIZE);
		if (!json_object_get(value, named->rows[i].name))
			continue;
		const int r =
		    schema_run_node(run, named->rows[i].node, value, marks);

		if (r <= 0)
			return r;
	}
	return 1;
}

/* Compile the key of a member of patternProperties into its row. */
static int
patterned_read_key(struct schema_build *b, struct schema_node *n,
    const char *key, struct jsonpattern **pattern_r)
{
	struct err why;
	const int e = jsonpattern_new(slice_of(key), pattern_r, &why);

	if (e < 0)
		return schema_build_fail(
		    b, n, "patternProperties", e, "%s", why.text);
	if (schema_node_hold_pattern_take(b->schema, *pattern_r) < 0)
		return schema_build_nomem(b);
	return 0;
}

static int
patterned_read(struct schema_build *b, struct schema_node *n, json_t *arg,
    const struct schema_patterned **patterned_r)
{
	if (!json_is_object(arg))
		return schema_build_fail(b, n, "patternProperties", -EINVAL,
		    "must be an object of schemas, not %s", said_type(arg));
	struct schema_patterned *const p = schema_node_alloc(
	    b->schema, sizeof(*p) + json_object_size(arg) * sizeof(p->rows[0]));
	if (!p)
		return schema_build_nomem(b);
	*patterned_r = p;
	for (void *i = json_object_iter(arg); i;
	     i = json_object_iter_next(arg, i)) {
		const char *const key = json_object_iter_key(i);
		int e = patterned_read_key(b, n, key, &p->rows[p->n].pattern);

		if (e == 0)
			e = schema_build_node(b, n, json_object_iter_value(i),
			    (struct schema_place){
				"patternProperties", key, 0 },
			    &p->rows[p->n].node);
		if (e < 0)
			return e;
		p->n++;
	}
	return 0;
}

static int
members_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	struct schema_members *const m =
	    schema_node_alloc(b->schema, sizeof(*m));
	int e = 0;

	if (!m)
		return schema_build_nomem(b);
	rule->u.members = m;
	if (args[0])
		e = schema_read_named_of(
		    b, n, "properties", args[0], &m->named);
	if (e == 0 && args[1])
		e = patterned_read(b, n, args[1], &m->patterned);
	return e < 0 ? e
	             : schema_read_node_of(
			   b, n, "additionalProperties", args[2], &m->rest);
}

/* The subschema of that name, NULL if there is none. */
static const struct schema_node *
named_find(const struct schema_named *named, const char *key)
{
	size_t low = 0;
	size_t high = named ? named->n : 0;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(key, named->rows[middle].name);

		if (order == 0)
			return named->rows[middle].node;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Check a member that no name and no pattern covers. */
static inline int
member_rest(struct schema_run *run, const struct schema_node *rest,
    json_t *value, const char *key)
{
	const int r = schema_run_member(run, rest, value, key, 0);

	/* Said in a better way than "is not allowed here". */
	if (r == 0 && rest->is_false)
		schema_run_add(run, ": this property is not known");
	return r;
}

/*
 * Check one member against all that covers it. *is_covered_r says whether
 * anything did.
 */
static int
member_check(struct schema_run *run, const struct schema_members *m,
    json_t *value, const char *key, bool *is_covered_r)
{
	const struct schema_node *node = named_find(m->named, key);
	const size_t n = m->patterned ? m->patterned->n : 0;
	int r;

	*is_covered_r = node != NULL;
	if (node && (r = schema_run_member(run, node, value, key, 0)) <= 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		r = jsonpattern_match(
		    m->patterned->rows[i].pattern, slice_of(key), &run->budget);
		if (r < 0)
			return schema_run_break(run, r);
		if (!r)
			continue;
		*is_covered_r = true;
		node = m->patterned->rows[i].node;
		r = schema_run_member(run, node, value, key, 0);
		if (r <= 0)
			return r;
	}
	if (*is_covered_r || !m->rest)
		return 1;
	*is_covered_r = true;
	return member_rest(run, m->rest, value, key);
}

static int
members_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	size_t ordinal = 0;

	for (void *i = json_object_iter(value); i;
	     i = json_object_iter_next(value, i)) {
		bool is_covered = false;

		if (!jsonvalue_spend(&run->budget, 1))
			return schema_run_break(run, -EMSGSIZE);
		const int r = member_check(run, rule->u.members,
		    json_object_iter_value(i), json_object_iter_key(i),
		    &is_covered);

		if (r <= 0)
			return r;
		if (is_covered)
			schema_run_mark(marks, ordinal);
		ordinal++;
	}
	return 1;
}

/* Check the name of one member as a value. */
static int
name_check(
    struct schema_run *run, const struct schema_node *node, const char *key)
{
	json_t *const name = json_string_nocheck(key);

	if (!name)
		return schema_run_break(run, -ENOMEM);
	const int r = schema_run_member(run, node, name, key, 0);

	json_decref(name);
	if (r == 0)
		schema_run_add(run, " (the name of this property)");
	return r;
}

static int
names_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	for (void *i = json_object_iter(value); i;
	     i = json_object_iter_next(value, i)) {
		if (!jsonvalue_spend(&run->budget, 1))
			return schema_run_break(run, -EMSGSIZE);
		const int r =
		    name_check(run, rule->u.node, json_object_iter_key(i));

		if (r <= 0)
			return r;
	}
	return 1;
}

const struct schema_keyword schema_object_rows[] = {
	{ { "required" }, SCHEMA_VOCABULARY_VALIDATION, SCHEMA_ON_OBJECT,
	    required_read, required_check },
	{ { "dependentRequired" }, SCHEMA_VOCABULARY_VALIDATION,
	    SCHEMA_ON_OBJECT, dependent_read, dependent_check },
	{ { "maxProperties" }, SCHEMA_VOCABULARY_VALIDATION, SCHEMA_ON_OBJECT,
	    schema_read_count, max_properties_check },
	{ { "minProperties" }, SCHEMA_VOCABULARY_VALIDATION, SCHEMA_ON_OBJECT,
	    schema_read_count, min_properties_check },
	{ { "propertyNames" }, SCHEMA_VOCABULARY_APPLICATOR, SCHEMA_ON_OBJECT,
	    schema_read_node, names_check },
	{ { "properties", "patternProperties", "additionalProperties" },
	    SCHEMA_VOCABULARY_APPLICATOR, SCHEMA_ON_OBJECT, members_read,
	    members_check },
	{ { "dependentSchemas" }, SCHEMA_VOCABULARY_APPLICATOR,
	    SCHEMA_ON_OBJECT, schema_read_named, dependent_schemas_check },
	{ { NULL }, 0, 0, NULL, NULL },
};
