/* SPDX-License-Identifier: MIT */
/*
 * schema_id: what names a subschema: $id, $anchor, $dynamicAnchor, and in
 * which dialect it is written: $schema, $vocabulary. Part of schema_build.
 * Source: JSON Schema 2020-12 core 8.1, 8.2
 */
#include "common/json/schema_build.h"

#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/json/jsonuri.h"
#include "common/json/said.h"

#define ID_VOCABULARY "https://json-schema.org/draft/2020-12/vocab/"

/* What the vocabularies of a meta-schema stand for. */
static const struct {
	const char *uri;
	unsigned is;
} id_vocabularies[] = {
	{ ID_VOCABULARY "core", SCHEMA_VOCABULARY_CORE },
	{ ID_VOCABULARY "applicator", SCHEMA_VOCABULARY_APPLICATOR },
	{ ID_VOCABULARY "unevaluated", SCHEMA_VOCABULARY_UNEVALUATED },
	{ ID_VOCABULARY "validation", SCHEMA_VOCABULARY_VALIDATION },
	{ ID_VOCABULARY "format-assertion", SCHEMA_VOCABULARY_FORMAT },
	{ ID_VOCABULARY "format-annotation", 0 },
	{ ID_VOCABULARY "meta-data", 0 },
	{ ID_VOCABULARY "content", 0 },
};

/* Index node n, which stands at b->nodes[i], under text; once only. */
static int
id_index(struct schema_build *b, struct schema_node *n, const char *text,
    const char *keyword)
{
	const struct schema_node *const other = schema_build_find(b, text);
	char said[SAID_BYTES];
	json_int_t i = 0;

	if (other && other->doc == n->doc)
		return 0;
	if (other)
		return schema_build_fail(b, n, keyword, -EINVAL,
		    "names %s, which another subschema is named already",
		    said_text(text, strlen(text), said));
	/* A node is identified right after it was taken off the work list. */
	i = (json_int_t)b->next - 1;
	if (json_object_set_new_nocheck(b->index, text, json_integer(i)) < 0)
		return schema_build_nomem(b);
	return 0;
}

/* Read the text of a keyword. Returns 1, 0 if it is absent, or -EINVAL. */
static int
id_text(const struct schema_build *b, const struct schema_node *n,
    const char *keyword, struct slice *text_r)
{
	const json_t *const arg = json_object_get(n->doc, keyword);

	if (!arg)
		return 0;
	if (!json_is_string(arg))
		return schema_build_fail(b, n, keyword, -EINVAL,
		    "must be a string, not %s", said_type(arg));
	*text_r =
	    (struct slice){ json_string_value(arg), json_string_length(arg) };
	if (text_r->n >= JSONURI_BYTES ||
	    memchr(text_r->p, '\0', text_r->n) != NULL)
		return schema_build_fail(
		    b, n, keyword, -EINVAL, "is too long or holds a NUL");
	return 1;
}

/* Give the node a resource of its own, named uri, like the one it is in. */
static int
id_split(struct schema_build *b, struct schema_node *n, const char *uri)
{
	struct schema_resource *const r =
	    schema_node_alloc(b->schema, sizeof(*r));

	if (!r)
		return schema_build_nomem(b);
	r->uri = uri;
	r->vocabularies = n->resource->vocabularies;
	SLIST_INIT(&r->anchors);
	n->resource = r;
	return 0;
}

/* $id: begin a resource, or rename the one that the document began. */
static int
id_open(struct schema_build *b, struct schema_node *n)
{
	struct slice text = { NULL, 0 };
	struct buf out;
	int e = id_text(b, n, "$id", &text);

	if (e <= 0)
		return e;
	const struct jsonuri parts = jsonuri_split(text);
	if (parts.has_fragment && parts.fragment.n)
		return schema_build_fail(b, n, "$id", -EINVAL,
		    "must not have a fragment (use $anchor)");
	buf_init(&out, JSONURI_BYTES);
	e = jsonuri_resolve(slice_of(n->resource->uri), text, &out);
	char *uri = NULL;
	if (e == 0) {
		uri = schema_node_alloc(b->schema, buf_len(&out) + 1);
		if (uri && buf_len(&out))
			memcpy(uri, buf_content(&out).p, buf_len(&out));
	}
	buf_fini(&out);
	if (e == -ENOBUFS)
		return schema_build_fail(b, n, "$id", -EINVAL, "is too long");
	if (!uri)
		return schema_build_nomem(b);
	if (n->is_root)
		n->resource->uri = uri;
	else if ((e = id_split(b, n, uri)) < 0)
		return e;
	return id_index(b, n, uri, "$id");
}

/* The vocabularies of a meta-schema's document. */
static int
id_vocabulary(struct schema_build *b, struct schema_node *n, json_t *table)
{
	const size_t n_known =
	    sizeof(id_vocabularies) / sizeof(*id_vocabularies);
	unsigned is = 0;

	for (void *i = json_object_iter(table); i;
	     i = json_object_iter_next(table, i)) {
		const char *const uri = json_object_iter_key(i);
		size_t k = 0;

		while (k < n_known && strcmp(id_vocabularies[k].uri, uri))
			k++;
		if (k < n_known)
			is |= id_vocabularies[k].is;
		else if (json_is_true(json_object_iter_value(i)))
			return schema_build_fail(b, n, "$schema", -ENOTSUP,
			    "requires the vocabulary %.200s, which is not "
			    "known",
			    uri);
	}
	n->resource->vocabularies = is;
	return 0;
}

/* $schema: 2020-12, or a registered meta-schema made of its vocabularies. */
static int
id_dialect(struct schema_build *b, struct schema_node *n)
{
	struct slice text = { NULL, 0 };
	int e = id_text(b, n, "$schema", &text);
	char said[SAID_BYTES];

	if (e <= 0)
		return e;
	if (text.n && text.p[text.n - 1] == '#')
		text.n--;
	if (slice_eq(text, SLICE(SCHEMA_DIALECT)))
		return 0;
	char *const uri = mem_strndup(text.p, text.n);
	if (!uri)
		return schema_build_nomem(b);
	json_t *meta = NULL;
	e = schema_build_remote(b, uri, &meta);
	json_t *const table = json_object_get(meta, "$vocabulary");

	if (e == 0 && !meta)
		e = schema_build_fail(b, n, "$schema", -ENOTSUP,
		    "names the dialect %s; only JSON Schema 2020-12 is known",
		    said_text(text.p, text.n, said));
	else if (e == 0 && json_is_object(table))
		e = id_vocabulary(b, n, table);
	json_decref(meta);
	mem_free(uri);
	return e;
}

/* $anchor or $dynamicAnchor: another name, within the resource. */
static int
id_anchor(struct schema_build *b, struct schema_node *n, const char *keyword,
    bool is_dynamic)
{
	struct slice name = { NULL, 0 };
	int e = id_text(b, n, keyword, &name);

	if (e <= 0)
		return e;
	if (!name.n || memchr(name.p, '/', name.n) ||
	    memchr(name.p, '#', name.n))
		return schema_build_fail(
		    b, n, keyword, -EINVAL, "must be a name without / and #");
	const size_t bytes = strlen(n->resource->uri) + name.n + 2;
	char *const text = mem_alloc(bytes);
	if (!text)
		return schema_build_nomem(b);
	snprintf(text, bytes, "%s#%s", n->resource->uri, name.p);
	e = id_index(b, n, text, keyword);
	mem_free(text);
	if (e < 0 || !is_dynamic)
		return e;
	struct schema_anchor *const a =
	    schema_node_alloc(b->schema, sizeof(*a));
	if (!a)
		return schema_build_nomem(b);
	a->name = name.p;
	a->node = n;
	SLIST_INSERT_HEAD(&n->resource->anchors, a, next);
	return 0;
}

int
schema_build_identify(struct schema_build *b, struct schema_node *node)
{
	const struct schema_resource *const before = node->resource;
	int e = id_open(b, node);

	/* $schema counts at the root of a document or resource only. */
	if (e == 0 && (node->is_root || node->resource != before))
		e = id_dialect(b, node);
	if (e == 0)
		e = id_anchor(b, node, "$anchor", false);
	if (e == 0)
		e = id_anchor(b, node, "$dynamicAnchor", true);
	return e;
}
