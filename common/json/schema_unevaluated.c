/* SPDX-License-Identifier: MIT */
/*
 * schema_unevaluated: what no other keyword looked at. Walked last, over the
 * marks that the others left (schema_run.h).
 * Source: JSON Schema 2020-12 core 11
 */
#include <errno.h>

#include "common/base/must.h"
#include "common/json/schema_read.h"
#include "common/json/schema_run.h"

static int
unevaluated_read(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	n->is_tracked = true;
	return schema_read_node(b, n, rule, args);
}

/* Check one member that nothing looked at. */
static inline int
unevaluated_one(struct schema_run *run, const struct schema_node *node,
    json_t *value, const char *name, size_t index)
{
	if (!jsonvalue_spend(&run->budget, 1))
		return schema_run_break(run, -EMSGSIZE);
	const int r = schema_run_member(run, node, value, name, index);

	if (r == 0 && node->is_false)
		schema_run_add(run, name ? ": this property is not known"
					 : ": there may be no more entries");
	return r;
}

static int
items_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	must(marks);
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (schema_run_is_marked(marks, i))
			continue;
		const int r = unevaluated_one(
		    run, rule->u.node, json_array_get(value, i), NULL, i);

		if (r <= 0)
			return r;
	}
	schema_run_mark_all(marks);
	return 1;
}

static int
properties_check(struct schema_run *run, const struct schema_rule *rule,
    json_t *value, struct schema_marks *marks)
{
	size_t ordinal = 0;

	must(marks);
	for (void *i = json_object_iter(value); i;
	     i = json_object_iter_next(value, i)) {
		if (schema_run_is_marked(marks, ordinal++))
			continue;
		const int r = unevaluated_one(run, rule->u.node,
		    json_object_iter_value(i), json_object_iter_key(i), 0);

		if (r <= 0)
			return r;
	}
	schema_run_mark_all(marks);
	return 1;
}

const struct schema_keyword schema_unevaluated_rows[] = {
	{ { "unevaluatedItems" }, SCHEMA_VOCABULARY_UNEVALUATED,
	    SCHEMA_ON_ARRAY, unevaluated_read, items_check },
	{ { "unevaluatedProperties" }, SCHEMA_VOCABULARY_UNEVALUATED,
	    SCHEMA_ON_OBJECT, unevaluated_read, properties_check },
	{ { NULL }, 0, 0, NULL, NULL },
};
