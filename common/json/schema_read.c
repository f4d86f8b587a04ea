/* SPDX-License-Identifier: MIT */
/* schema_read: arguments of keywords. */
#include "common/json/schema_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/said.h"

int
schema_read_any(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	return 0;
}

int
schema_read_count_of(struct schema_build *b, const struct schema_node *n,
    const char *keyword, const json_t *arg, size_t *count_r)
{
	if (!jsonvalue_is_whole(arg) || json_number_value(arg) < 0)
		return schema_build_fail(b, n, keyword, -EINVAL,
		    "must be a whole number, 0 or more");
	/* Nothing is that long; 2^53 is exact as a double. */
	*count_r = json_number_value(arg) > 9007199254740992.0
	               ? SIZE_MAX
	               : (size_t)json_number_value(arg);
	return 0;
}

int
schema_read_count(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	return schema_read_count_of(
	    b, n, rule->keyword->names[0], args[0], &rule->u.count);
}

int
schema_read_number(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	if (json_is_number(args[0]))
		return 0;
	return schema_build_fail(b, n, rule->keyword->names[0], -EINVAL,
	    "must be a number, not %s", said_type(args[0]));
}

int
schema_read_node_of(struct schema_build *b, const struct schema_node *n,
    const char *keyword, json_t *arg, const struct schema_node **node_r)
{
	*node_r = NULL;
	if (!arg)
		return 0;
	return schema_build_node(b, n, arg,
	    (struct schema_place){ keyword, NULL, JSONPOINTER_NO_INDEX },
	    node_r);
}

int
schema_read_node(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	return schema_read_node_of(
	    b, n, rule->keyword->names[0], args[0], &rule->u.node);
}

int
schema_read_list_of(struct schema_build *b, const struct schema_node *n,
    const char *keyword, json_t *arg, const struct schema_list **list_r)
{
	const size_t size = json_array_size(arg);

	if (!size)
		return schema_build_fail(b, n, keyword, -EINVAL,
		    "must be an array of schemas, at least one");
	struct schema_list *const list = schema_node_alloc(
	    b->schema, sizeof(*list) + size * sizeof(list->nodes[0]));
	if (!list)
		return schema_build_nomem(b);
	list->n = size;
	*list_r = list;
	for (size_t i = 0; i < size; i++) {
		const int e = schema_build_node(b, n, json_array_get(arg, i),
		    (struct schema_place){ keyword, NULL, i }, &list->nodes[i]);

		if (e < 0)
			return e;
	}
	return 0;
}

int
schema_read_list(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	return schema_read_list_of(
	    b, n, rule->keyword->names[0], args[0], &rule->u.list);
}

static int
named_compare(const void *a, const void *b)
{
	const struct schema_name *const x = a;
	const struct schema_name *const y = b;

	return strcmp(x->name, y->name);
}

int
schema_read_named_of(struct schema_build *b, const struct schema_node *n,
    const char *keyword, json_t *arg, const struct schema_named **named_r)
{
	if (!json_is_object(arg))
		return schema_build_fail(b, n, keyword, -EINVAL,
		    "must be an object of schemas, not %s", said_type(arg));
	struct schema_named *const named = schema_node_alloc(b->schema,
	    sizeof(*named) + json_object_size(arg) * sizeof(named->rows[0]));
	if (!named)
		return schema_build_nomem(b);
	*named_r = named;
	for (void *i = json_object_iter(arg); i;
	     i = json_object_iter_next(arg, i)) {
		struct schema_name *const row = &named->rows[named->n++];

		row->name = json_object_iter_key(i);
		const int e = schema_build_node(b, n, json_object_iter_value(i),
		    (struct schema_place){ keyword, row->name, 0 }, &row->node);

		if (e < 0)
			return e;
	}
	qsort(named->rows, named->n, sizeof(named->rows[0]), named_compare);
	return 0;
}

int
schema_read_named(struct schema_build *b, struct schema_node *n,
    struct schema_rule *rule, json_t *const args[3])
{
	return schema_read_named_of(
	    b, n, rule->keyword->names[0], args[0], &rule->u.named);
}

int
schema_read_names(struct schema_build *b, const struct schema_node *n,
    const char *keyword, json_t *arg)
{
	struct jsonvalue_budget budget = { SCHEMA_STEPS };
	size_t first = 0;
	size_t second = 0;

	if (!json_is_array(arg))
		return schema_build_fail(b, n, keyword, -EINVAL,
		    "must be an array of names, not %s", said_type(arg));
	for (size_t i = 0; i < json_array_size(arg); i++)
		if (!json_is_string(json_array_get(arg, i)))
			return schema_build_fail(b, n, keyword, -EINVAL,
			    "must be an array of names; entry %zu is %s", i + 1,
			    said_type(json_array_get(arg, i)));
	const int r = jsonvalue_find_twins(arg, &budget, &first, &second);
	if (r == -ENOMEM)
		return schema_build_nomem(b);
	if (r)
		return schema_build_fail(
		    b, n, keyword, -EINVAL, "must not hold a name twice");
	return 0;
}
