/* SPDX-License-Identifier: MIT */
/*
 * schema_link: where $ref and $dynamicRef lead. Never off this machine: into
 * the document, a registered one, or the meta-schema. Part of schema_build.
 * Source: JSON Schema 2020-12 core 8.2.3, 9.1, 9.2
 */
#include "common/json/schema_build.h"

#include <errno.h>
#include <string.h>

#include "common/json/jsonuri.h"
#include "common/json/said.h"

/* What is wrong with the reference of a link. */
static int
link_fail(const struct schema_build *b, const struct schema_link *link,
    int code, const char *why)
{
	const json_t *const arg = link->rule->arg;
	char said[SAID_BYTES];

	return schema_build_fail(b, link->node,
	    link->is_dynamic ? "$dynamicRef" : "$ref", code, "refers to %s, %s",
	    said_text(json_string_value(arg), json_string_length(arg), said),
	    why);
}

/* Load the registered or built-in document uri; its root in *node_r. */
static int
link_load(struct schema_build *b, const struct schema_link *link,
    const char *uri, const struct schema_node **node_r)
{
	struct schema_node *node = NULL;
	char *const name = schema_node_alloc(b->schema, strlen(uri) + 1);
	json_t *doc = NULL;

	if (schema_build_remote(b, uri, &doc) < 0)
		return -ENOMEM;
	if (!doc)
		return link_fail(b, link, -ENOENT,
		    "which is not known here, and nothing is fetched");
	if (schema_node_hold_doc_take(b->schema, doc) < 0 || !name)
		return schema_build_nomem(b);
	strcpy(name, uri);
	if (json_is_boolean(doc)) {
		*node_r =
		    json_is_true(doc) ? &schema_node_true : &schema_node_false;
		return 0;
	}
	const int e = schema_build_document(b, doc, name, name, &node);
	*node_r = node;
	return e < 0 ? e : schema_build_drain(b);
}

/* The node at, or made of, the value one token below. */
static int
link_step(struct schema_build *b, const struct schema_node **from,
    json_t **value, const char *token)
{
	char key[64];
	size_t index = 0;

	if (json_is_object(*value))
		*value = json_object_get(*value, token);
	else if (json_is_array(*value) && jsonpointer_index(token, &index))
		*value = json_array_get(*value, index);
	else
		*value = NULL;
	if (!*value)
		return -ENOENT;
	snprintf(key, sizeof(key), "@%p/%p", (const void *)*value,
	    (const void *)(*from)->resource);
	const struct schema_node *const node = schema_build_find(b, key);
	if (node)
		*from = node;
	return 0;
}

/* Follow the JSON pointer in b->fragment from a resource's root. */
static int
link_pointer(struct schema_build *b, const struct schema_link *link,
    const struct schema_node *root, const struct schema_node **node_r)
{
	struct slice rest = slice_of(b->fragment);
	const struct schema_node *from = root;
	json_t *value = root->doc;

	while (rest.n) {
		if (jsonpointer_next(&rest, b->token, sizeof(b->token)) < 0)
			return link_fail(
			    b, link, -EINVAL, "which is no JSON pointer");
		if (!value || link_step(b, &from, &value, b->token) < 0)
			return link_fail(
			    b, link, -ENOENT, "where there is nothing");
	}
	if (from->doc == value) {
		*node_r = from;
		return 0;
	}
	/* A place where no keyword looks for a schema: make it one. */
	char *const name =
	    schema_node_alloc(b->schema, strlen(b->fragment) + 1);
	if (!name)
		return schema_build_nomem(b);
	strcpy(name, b->fragment + 1);
	const int e = schema_build_node(b, from, value,
	    (struct schema_place){ name, NULL, JSONPOINTER_NO_INDEX }, node_r);
	return e < 0 ? e : schema_build_drain(b);
}

/* Find the anchor in b->fragment in the resource of root. */
static int
link_anchor(struct schema_build *b, const struct schema_link *link,
    const struct schema_node *root, const struct schema_node **node_r)
{
	const char *const uri = root->resource->uri;
	struct schema_anchor *a;
	struct buf text;

	buf_init(&text, 2 * JSONURI_BYTES);
	int e = buf_add_slice(&text, slice_of(uri));
	if (e == 0)
		e = buf_add(&text, "#", 1);
	if (e == 0)
		e = buf_add(&text, b->fragment, strlen(b->fragment) + 1);
	*node_r = e == 0 ? schema_build_find(b, buf_content(&text).p) : NULL;
	buf_fini(&text);
	if (e == -ENOMEM)
		return schema_build_nomem(b);
	if (!*node_r)
		return link_fail(b, link, -ENOENT, "where there is no anchor");
	if (!link->is_dynamic)
		return 0;
	/* Core 8.2.3.2: dynamic only if it leads to a $dynamicAnchor at first.
	 */
	SLIST_FOREACH (a, &(*node_r)->resource->anchors, next)
		if (!strcmp(a->name, b->fragment))
			link->rule->dynamic = a->name;
	return 0;
}

/* Find what uri (without fragment) names: a resource or a document. */
static int
link_root(struct schema_build *b, const struct schema_link *link,
    struct slice ref, const struct schema_node **root_r)
{
	struct buf uri;
	int e;

	buf_init(&uri, JSONURI_BYTES);
	e = jsonuri_resolve(slice_of(link->node->resource->uri), ref, &uri);
	if (e == 0)
		e = buf_add(&uri, "", 1);
	if (e == -ENOBUFS)
		e = link_fail(b, link, -EINVAL, "which is too long");
	else if (e < 0)
		e = schema_build_nomem(b);
	if (e == 0) {
		*root_r = schema_build_find(b, buf_content(&uri).p);
		if (!*root_r)
			e = link_load(b, link, buf_content(&uri).p, root_r);
	}
	buf_fini(&uri);
	return e;
}

/* Link one reference. */
static int
link_one(struct schema_build *b, const struct schema_link *link)
{
	const json_t *const arg = link->rule->arg;
	const struct slice ref = { json_string_value(arg),
		json_string_length(arg) };
	const struct jsonuri parts = jsonuri_split(ref);
	const struct schema_node *root = NULL;
	const struct schema_node *node = NULL;
	int e = link_root(b, link, ref, &root);

	if (e < 0)
		return e;
	if (jsonuri_decode(parts.fragment, b->fragment, sizeof(b->fragment)) <
	    0)
		return link_fail(b, link, -EINVAL, "which is no reference");
	if (!parts.fragment.n)
		node = root;
	else if (!root->doc)
		e = link_fail(b, link, -ENOENT, "where there is nothing");
	else if (b->fragment[0] == '/')
		e = link_pointer(b, link, root, &node);
	else
		e = link_anchor(b, link, root, &node);
	link->rule->u.node = node;
	return e;
}

int
schema_build_link(struct schema_build *b)
{
	struct schema_link *link;
	int e = schema_build_drain(b);

	while (e == 0 && (link = SLIST_FIRST(&b->links)) != NULL) {
		SLIST_REMOVE_HEAD(&b->links, next);
		e = link_one(b, link);
	}
	return e;
}
