/* SPDX-License-Identifier: MIT */
/* schema_build: nodes, their index, and the reading of keywords. */
#include "common/json/schema_build.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/json/said.h"
#include "common/json/schema_meta.h"

#define BUILD_KEY_BYTES 64

int
schema_build_fail(const struct schema_build *b, const struct schema_node *node,
    const char *keyword, int code, const char *fmt, ...)
{
	const struct jsonpointer_at at = { node ? &node->at : NULL, NULL,
		keyword, JSONPOINTER_NO_INDEX };
	char pointer[ERR_PLACE_BYTES];
	va_list ap;

	if (!b->err)
		return code;
	jsonpointer_write(&at, pointer, sizeof(pointer));
	va_start(ap, fmt);
	err_vset(b->err, code, pointer, fmt, ap);
	va_end(ap);
	if (node && node->origin)
		snprintf(b->err->place, sizeof(b->err->place), "%.60s#%.60s",
		    node->origin, pointer);
	said_clean(b->err->place);
	said_clean(b->err->text);
	return code;
}

int
schema_build_nomem(const struct schema_build *b)
{
	return err_set(b->err, -ENOMEM, NULL, "out of memory");
}

struct schema_node *
schema_build_find(const struct schema_build *b, const char *text)
{
	const json_t *const i = json_object_get(b->index, text);

	return i ? b->nodes[json_integer_value(i)] : NULL;
}

int
schema_build_remote(
    const struct schema_build *b, const char *uri, json_t **doc_r)
{
	bool is_known = false;

	for (size_t i = 0; i < b->options->n_remotes; i++)
		if (!strcmp(b->options->remotes[i].uri, uri)) {
			*doc_r = json_incref(b->options->remotes[i].doc);
			return 0;
		}
	*doc_r = schema_meta_load(uri, &is_known);
	return is_known && !*doc_r ? schema_build_nomem(b) : 0;
}

/* Make room for one more node. */
static int
build_grow(struct schema_build *b)
{
	const size_t max =
	    b->options->subschemas ? b->options->subschemas : SCHEMA_SUBSCHEMAS;

	if (b->n_nodes == max)
		return schema_build_fail(b, NULL, NULL, -EMSGSIZE,
		    "the schema has more than %zu subschemas", max);
	if (b->n_nodes < b->size_nodes)
		return 0;
	const size_t size = b->size_nodes ? 2 * b->size_nodes : 16;
	struct schema_node **const nodes =
	    mem_realloc(b->nodes, size * sizeof(*nodes));
	if (!nodes)
		return schema_build_nomem(b);
	b->nodes = nodes;
	b->size_nodes = size;
	return 0;
}

/* Make a node and put it on the work list. */
static int
build_add(struct schema_build *b, json_t *doc, struct schema_node **node_r)
{
	const int e = build_grow(b);

	if (e < 0)
		return e;
	struct schema_node *const n = schema_node_alloc(b->schema, sizeof(*n));
	if (!n)
		return schema_build_nomem(b);
	n->doc = doc;
	b->nodes[b->n_nodes++] = n;
	*node_r = n;
	return 0;
}

/*
 * The index's name for a place: one json_t may stand in several resources,
 * where references in it mean different things.
 */
static void
build_key(char key[BUILD_KEY_BYTES], const json_t *doc,
    const struct schema_resource *resource)
{
	snprintf(key, BUILD_KEY_BYTES, "@%p/%p", (const void *)doc,
	    (const void *)resource);
}

int
schema_build_node(struct schema_build *b, const struct schema_node *parent,
    json_t *doc, struct schema_place place, const struct schema_node **node_r)
{
	const struct jsonpointer_at at = { &parent->at, place.keyword,
		place.name, place.index };
	const struct schema_node there = { .at = at, .origin = parent->origin };
	char key[BUILD_KEY_BYTES];
	struct schema_node *n = NULL;

	if (json_is_boolean(doc)) {
		*node_r =
		    json_is_true(doc) ? &schema_node_true : &schema_node_false;
		return 0;
	}
	if (!json_is_object(doc))
		return schema_build_fail(b, &there, NULL, -EINVAL,
		    "must be a schema (an object, true or false), not %s",
		    said_type(doc));
	build_key(key, doc, parent->resource);
	*node_r = schema_build_find(b, key);
	if (*node_r)
		return 0;
	const int e = build_add(b, doc, &n);
	if (e < 0)
		return e;
	n->resource = parent->resource;
	n->at = at;
	n->origin = parent->origin;
	*node_r = n;
	if (json_object_set_new_nocheck(
		b->index, key, json_integer((json_int_t)b->n_nodes - 1)) < 0)
		return schema_build_nomem(b);
	return 0;
}

int
schema_build_document(struct schema_build *b, json_t *doc, const char *uri,
    const char *origin, struct schema_node **node_r)
{
	struct schema_node *n = NULL;

	if (!json_is_object(doc))
		return schema_build_fail(b, NULL, NULL, -EINVAL,
		    "must be a schema (an object, true or false), not %s",
		    said_type(doc));
	const int e = build_add(b, doc, &n);
	if (e < 0)
		return e;
	n->resource = schema_node_alloc(b->schema, sizeof(*n->resource));
	if (!n->resource)
		return schema_build_nomem(b);
	n->resource->uri = uri;
	n->resource->vocabularies =
	    SCHEMA_VOCABULARY_APPLICATOR | SCHEMA_VOCABULARY_UNEVALUATED |
	    SCHEMA_VOCABULARY_VALIDATION |
	    (b->options->assert_format ? SCHEMA_VOCABULARY_FORMAT : 0);
	SLIST_INIT(&n->resource->anchors);
	n->at.index = JSONPOINTER_NO_INDEX;
	n->origin = origin;
	n->is_root = true;
	*node_r = n;
	if (json_object_set_new_nocheck(
		b->index, uri, json_integer((json_int_t)b->n_nodes - 1)) < 0)
		return schema_build_nomem(b);
	return 0;
}

int
schema_build_add_link(struct schema_build *b, struct schema_node *node,
    struct schema_rule *rule, bool is_dynamic)
{
	struct schema_link *const link =
	    schema_node_alloc(b->schema, sizeof(*link));

	if (!link)
		return schema_build_nomem(b);
	*link = (struct schema_link){
		.node = node, .rule = rule, .is_dynamic = is_dynamic
	};
	SLIST_INSERT_HEAD(&b->links, link, next);
	return 0;
}

/* Read one row of the table if the node has any of its keywords. */
static int
build_row(struct schema_build *b, struct schema_node *n,
    const struct schema_keyword *row, struct schema_rule *rule, bool *has_r)
{
	json_t *args[3] = { NULL, NULL, NULL };

	*has_r = false;
	if (row->vocabulary && !(row->vocabulary & n->resource->vocabularies))
		return 0;
	for (size_t i = 0; i < 3 && row->names[i]; i++) {
		args[i] = json_object_get(n->doc, row->names[i]);
		*has_r |= args[i] != NULL;
	}
	if (!*has_r)
		return 0;
	*rule = (struct schema_rule){ .keyword = row, .arg = args[0] };
	return row->read(b, n, rule, args);
}

/* Read all keywords of a node; rules are never more than its members. */
static int
build_open(struct schema_build *b, struct schema_node *n)
{
	const size_t max = json_object_size(n->doc);
	int e = schema_build_identify(b, n);

	if (e < 0 || !max)
		return e;
	n->rules = schema_node_alloc(b->schema, max * sizeof(*n->rules));
	if (!n->rules)
		return schema_build_nomem(b);
	for (size_t g = 0; schema_keyword_groups[g]; g++) {
		const struct schema_keyword *row = schema_keyword_groups[g];

		for (; row->names[0]; row++) {
			bool has = false;

			if (n->n_rules == max)
				return 0;
			e = build_row(b, n, row, &n->rules[n->n_rules], &has);
			if (e < 0)
				return e;
			n->n_rules += has && row->check;
		}
	}
	return 0;
}

int
schema_build_drain(struct schema_build *b)
{
	while (b->next < b->n_nodes) {
		const int e = build_open(b, b->nodes[b->next++]);

		if (e < 0)
			return e;
	}
	return 0;
}
