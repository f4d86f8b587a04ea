/* SPDX-License-Identifier: MIT */
/*
 * schema_build: from a document to nodes. A work list, no recursion: each
 * node that is made waits there until its keywords are read, which makes
 * more nodes. When the list is empty, references are linked; one may load a
 * registered document, which adds to the list, and so on until both are done.
 */
#ifndef JSON_SCHEMA_BUILD_H
#define JSON_SCHEMA_BUILD_H

#include "common/json/schema_node.h"

#define SCHEMA_BUILD_SCRATCH 4096

/* A reference that waits to be linked. */
struct schema_link {
	SLIST_ENTRY(schema_link) next;
	struct schema_node *node;
	struct schema_rule *rule;
	bool is_dynamic;
};

/* A schema while it is compiled. On the heap: it is large. */
struct schema_build {
	struct schema *schema;                /* what becomes of it */
	const struct schema_options *options; /* borrowed */
	struct err *err;                      /* borrowed, may be NULL */
	json_t *index;                        /* texts to indexes in nodes */
	struct schema_node **nodes;           /* n_nodes of size_nodes */
	size_t n_nodes;
	size_t size_nodes;
	size_t next; /* the first node whose keywords were not read */
	SLIST_HEAD(, schema_link) links;
	char fragment[SCHEMA_BUILD_SCRATCH];
	char token[SCHEMA_BUILD_SCRATCH];
};

/* Where a subschema stands below its parent. */
struct schema_place {
	const char *keyword; /* borrowed from the table or the document */
	const char *name;    /* NULL: index counts */
	size_t index;        /* JSONPOINTER_NO_INDEX for none */
};

/*
 * Make the node of a subschema; doc is *borrowed* from the parent's document.
 * Returns 0 or -errno, reported: -EINVAL not a schema, -EMSGSIZE, -ENOMEM.
 */
int schema_build_node(struct schema_build *b, const struct schema_node *parent,
    json_t *doc, struct schema_place place, const struct schema_node **node_r);

/*
 * Make the node of a document that is known as uri (*borrowed* until the
 * schema is freed; "" for none). Returns as schema_build_node.
 */
int schema_build_document(struct schema_build *b, json_t *doc, const char *uri,
    const char *origin, struct schema_node **node_r);

/* Read the keywords of all nodes that wait. Returns 0 or -errno, reported. */
int schema_build_drain(struct schema_build *b);

/* Link all references that wait. Returns 0 or -errno, reported. */
int schema_build_link(struct schema_build *b);

/* Note that rule of node is a reference to be linked. Returns 0 or -ENOMEM. */
int schema_build_add_link(struct schema_build *b, struct schema_node *node,
    struct schema_rule *rule, bool is_dynamic);

/* The node of that text in the index, NULL if there is none. */
struct schema_node *
schema_build_find(const struct schema_build *b, const char *text);

/*
 * Find a document by URI: registered or built in. *doc_r is a *new* reference,
 * NULL if there is no such document. Returns 0 or -ENOMEM, reported.
 */
int schema_build_remote(
    const struct schema_build *b, const char *uri, json_t **doc_r);

/*
 * Open the identity of a node: $id, $schema, $anchor, $dynamicAnchor.
 * Returns 0 or -errno, reported.
 */
int schema_build_identify(struct schema_build *b, struct schema_node *node);

/*
 * Report what is wrong with keyword (NULL: the whole) of a node. Returns code.
 */
int schema_build_fail(const struct schema_build *b,
    const struct schema_node *node, const char *keyword, int code,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Report -ENOMEM and return it. */
int schema_build_nomem(const struct schema_build *b);

#endif
