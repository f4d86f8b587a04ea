/* SPDX-License-Identifier: MIT */
/*
 * schema: the life of a compiled schema. Where to read next: schema_build.c
 * (document to nodes), schema_link.c (references), schema_run.c (a check),
 * schema_scalar.c and its siblings (one table of keywords each).
 */
#include "common/json/schema.h"

#include <errno.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/json/schema_build.h"
#include "common/json/schema_node.h"
#include "common/json/schema_run.h"

static const struct schema_options schema_defaults;

/* Compile doc into b->schema, which is empty. */
static int
schema_compile(struct schema_build *b, json_t *doc)
{
	struct schema_node *root = NULL;
	const char *const base = b->options->base_uri;
	char *uri = schema_node_alloc(b->schema, base ? strlen(base) + 1 : 1);

	if (!uri)
		return schema_build_nomem(b);
	if (base)
		strcpy(uri, base);
	if (schema_node_hold_doc_take(b->schema, json_incref(doc)) < 0)
		return schema_build_nomem(b);
	const int e = schema_build_document(b, doc, uri, NULL, &root);
	if (e < 0)
		return e;
	b->schema->root = root;
	return schema_build_link(b);
}

/* The work of schema_new with the memory that it needs. */
static int
schema_compile_with(struct schema_build *b, struct schema *s, json_t *doc)
{
	const struct schema_options *const o = b->options;

	s->magic = SCHEMA_MAGIC;
	s->levels = o->levels ? o->levels : SCHEMA_LEVELS;
	s->steps = o->steps ? o->steps : SCHEMA_STEPS;
	SLIST_INIT(&s->blocks);
	SLIST_INIT(&s->held);
	SLIST_INIT(&b->links);
	b->schema = s;
	b->index = json_object();
	if (!b->index)
		return schema_build_nomem(b);
	/* true and false need no nodes of their own. */
	if (json_is_boolean(doc)) {
		s->root =
		    json_is_true(doc) ? &schema_node_true : &schema_node_false;
		return 0;
	}
	return schema_compile(b, doc);
}

int
schema_new(json_t *doc, const struct schema_options *options,
    struct schema **schema_r, struct err *err_r)
{
	struct schema_build *const b = mem_zalloc(1, sizeof(*b));
	struct schema *s = mem_zalloc(1, sizeof(*s));
	int e;

	*schema_r = NULL;
	if (b && s) {
		b->options = options ? options : &schema_defaults;
		b->err = err_r;
		e = schema_compile_with(b, s, doc);
		json_decref(b->index);
		mem_free(b->nodes);
	} else {
		e = err_set(err_r, -ENOMEM, NULL, "out of memory");
	}
	if (e < 0 && s && s->magic)
		schema_free(&s);
	else if (e < 0)
		mem_free(s);
	if (e == 0)
		*schema_r = s;
	mem_free(b);
	return e;
}

void
schema_free(struct schema **schema)
{
	struct schema *const s = *schema;
	struct schema_held *held;
	struct schema_block *block;

	if (!s)
		return;
	must_be(s, SCHEMA_MAGIC);
	SLIST_FOREACH (held, &s->held, next) {
		json_decref(held->doc);
		jsonpattern_free(&held->pattern);
	}
	while ((block = SLIST_FIRST(&s->blocks)) != NULL) {
		SLIST_REMOVE_HEAD(&s->blocks, next);
		mem_free(block);
	}
	s->magic = 0;
	mem_free(s);
	*schema = NULL;
}

int
schema_check(const struct schema *schema, json_t *value, struct err *err_r)
{
	must_be(schema, SCHEMA_MAGIC);
	struct schema_run run = {
		.budget = { schema->steps },
		.err = err_r,
		.levels = schema->levels,
	};
	const int r = schema_run_node(&run, schema->root, value, NULL);

	if (r == 1)
		return 0;
	return r == 0 ? -EINVAL : r;
}
