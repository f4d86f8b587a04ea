/* SPDX-License-Identifier: MIT */
/*
 * schema_node: what a schema is when it is compiled: nodes (subschemas) with
 * rules (keywords), in resources (what one $id names). Everything is owned
 * by struct schema and freed with it; nodes are immutable once linked.
 *
 *   schema ── blocks of memory ── nodes ── rules ── nodes …
 *      ├───── documents (json_t, one reference each)
 *      └───── patterns (PCRE2's memory)
 */
#ifndef JSON_SCHEMA_NODE_H
#define JSON_SCHEMA_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sys/queue.h>

#include <jansson.h>

#include "common/json/jsonformat.h"
#include "common/json/jsonpattern.h"
#include "common/json/jsonpointer.h"
#include "common/json/schema.h"

#define SCHEMA_MAGIC 0x5343484du

struct schema_node;
struct schema_run;
struct schema_rule;
struct schema_build;
struct schema_marks;

/* Vocabularies that a dialect can leave out; core is always there. */
enum schema_vocabulary {
	SCHEMA_VOCABULARY_CORE = 0,
	SCHEMA_VOCABULARY_APPLICATOR = 1,
	SCHEMA_VOCABULARY_UNEVALUATED = 2,
	SCHEMA_VOCABULARY_VALIDATION = 4,
	SCHEMA_VOCABULARY_FORMAT = 8, /* format as an assertion */
};

/* The types of values that a keyword looks at, as 1 << json_type. */
#define SCHEMA_ON_ALL    0xffu
#define SCHEMA_ON_OBJECT (1u << JSON_OBJECT)
#define SCHEMA_ON_ARRAY  (1u << JSON_ARRAY)
#define SCHEMA_ON_STRING (1u << JSON_STRING)
#define SCHEMA_ON_NUMBER (1u << JSON_INTEGER | 1u << JSON_REAL)

/*
 * A keyword, or up to three that mean something together: a row of a table.
 */
struct schema_keyword {
	const char *names[3];
	unsigned vocabulary;
	unsigned types;
	/*
	 * Read the arguments (NULL where a name is absent) into *rule. Returns
	 * 0 or -errno with the reason reported.
	 */
	int (*read)(struct schema_build *build, struct schema_node *node,
	    struct schema_rule *rule, json_t *const args[3]);
	/*
	 * Check a value of one of `types`. Returns 1, 0 (reported by
	 * schema_run_fail) or -errno (schema_run_break). NULL: nothing to
	 * check.
	 */
	int (*check)(struct schema_run *run, const struct schema_rule *rule,
	    json_t *value, struct schema_marks *marks);
};

/* Subschemas in order. */
struct schema_list {
	size_t n;
	const struct schema_node *nodes[];
};

/* Subschemas by name, sorted by strcmp. */
struct schema_named {
	size_t n;
	struct schema_name {
		const char *name; /* borrowed from the document */
		const struct schema_node *node;
	} rows[];
};

/* Subschemas by pattern. */
struct schema_patterned {
	size_t n;
	struct {
		struct jsonpattern *pattern; /* owned by the schema */
		const struct schema_node *node;
	} rows[];
};

/* properties, patternProperties, additionalProperties; each may be NULL. */
struct schema_members {
	const struct schema_named *named;
	const struct schema_patterned *patterned;
	const struct schema_node *rest;
};

/* Three subschemas; each may be NULL. */
struct schema_branch {
	const struct schema_node *when;
	const struct schema_node *then;
	const struct schema_node *otherwise;
};

/* prefixItems and items; each may be NULL. */
struct schema_items {
	const struct schema_list *prefix;
	const struct schema_node *rest;
};

/* contains, minContains, maxContains. */
struct schema_contains {
	const struct schema_node *node; /* NULL: the limits mean nothing */
	size_t min;
	size_t max;
};

/* A keyword of one subschema with its argument. */
struct schema_rule {
	const struct schema_keyword *keyword;
	json_t *arg; /* of the row's first name; borrowed from the document */
	union {
		size_t count;
		unsigned types;
		const struct schema_node *node;
		const struct jsonpattern *pattern;
		const struct jsonformat *format;
		const struct schema_list *list;
		const struct schema_named *named;
		const struct schema_members *members;
		const struct schema_branch *branch;
		const struct schema_items *items;
		const struct schema_contains *contains;
	} u;
	const char *dynamic; /* $dynamicRef: the anchor looked for, or NULL */
};

/* A $dynamicAnchor of a resource. */
struct schema_anchor {
	SLIST_ENTRY(schema_anchor) next;
	const char *name; /* borrowed from the document */
	const struct schema_node *node;
};

/* What one $id, or one document, names. */
struct schema_resource {
	const char *uri; /* canonical, without fragment; "" if it has none */
	unsigned vocabularies;
	SLIST_HEAD(, schema_anchor) anchors;
};

/* A subschema. */
struct schema_node {
	json_t *doc;                      /* borrowed */
	struct schema_resource *resource; /* NULL for true and false */
	struct jsonpointer_at at;
	const char *origin; /* URI of its document; NULL for the caller's */
	struct schema_rule *rules;
	size_t n_rules;
	bool is_false;   /* nothing fits */
	bool is_root;    /* of its document */
	bool is_tracked; /* has unevaluatedItems or unevaluatedProperties */
};

/* Memory that lives as long as the schema. */
struct schema_block {
	SLIST_ENTRY(schema_block) next;
	max_align_t data[];
};

/* Documents and patterns that must be released one by one. */
struct schema_held {
	SLIST_ENTRY(schema_held) next;
	json_t *doc;
	struct jsonpattern *pattern;
};

struct schema {
	uint32_t magic;
	const struct schema_node *root;
	unsigned levels;
	uint64_t steps;
	SLIST_HEAD(, schema_block) blocks;
	SLIST_HEAD(, schema_held) held;
};

/* The schemas true and false. */
extern const struct schema_node schema_node_true;
extern const struct schema_node schema_node_false;

/* Zeroed memory that lives as long as the schema, NULL if there is none. */
void *schema_node_alloc(struct schema *schema, size_t bytes);

/* Keep doc (*takes*) until the schema is freed. Returns 0 or -ENOMEM. */
int schema_node_hold_doc_take(struct schema *schema, json_t *doc);

/* Keep *pattern (*takes*) until the schema is freed. Returns 0 or -ENOMEM. */
int schema_node_hold_pattern_take(
    struct schema *schema, struct jsonpattern *pattern);

/*
 * The keywords in the order of evaluation: groups, ended by NULL, of rows,
 * ended by one without a name. What is unevaluated is known last.
 */
extern const struct schema_keyword *const schema_keyword_groups[];
extern const struct schema_keyword schema_scalar_rows[];
extern const struct schema_keyword schema_array_rows[];
extern const struct schema_keyword schema_object_rows[];
extern const struct schema_keyword schema_logic_rows[];
extern const struct schema_keyword schema_unevaluated_rows[];

#endif
