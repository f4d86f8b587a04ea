/* SPDX-License-Identifier: MIT */
/* schema_node: what the compiled form is made of, and what frees it. */
#include "common/json/schema_node.h"

#include <errno.h>

#include "common/base/mem.h"

const struct schema_node schema_node_true = {
	.at = { .index = JSONPOINTER_NO_INDEX },
};

const struct schema_node schema_node_false = {
	.at = { .index = JSONPOINTER_NO_INDEX },
	.is_false = true,
};

const struct schema_keyword *const schema_keyword_groups[] = {
	schema_scalar_rows,
	schema_array_rows,
	schema_object_rows,
	schema_logic_rows,
	schema_unevaluated_rows,
	NULL,
};

void *
schema_node_alloc(struct schema *schema, size_t bytes)
{
	struct schema_block *const block =
	    mem_zalloc(1, sizeof(*block) + bytes);

	if (!block)
		return NULL;
	SLIST_INSERT_HEAD(&schema->blocks, block, next);
	return block->data;
}

/* Hold either of both until the schema is freed. */
static int
node_hold_take(struct schema *schema, json_t *doc, struct jsonpattern *pattern)
{
	struct schema_held *const held =
	    schema_node_alloc(schema, sizeof(*held));

	if (!held) {
		json_decref(doc);
		jsonpattern_free(&pattern);
		return -ENOMEM;
	}
	held->doc = doc;
	held->pattern = pattern;
	SLIST_INSERT_HEAD(&schema->held, held, next);
	return 0;
}

int
schema_node_hold_doc_take(struct schema *schema, json_t *doc)
{
	return node_hold_take(schema, doc, NULL);
}

int
schema_node_hold_pattern_take(
    struct schema *schema, struct jsonpattern *pattern)
{
	return node_hold_take(schema, NULL, pattern);
}
