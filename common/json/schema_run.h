/* SPDX-License-Identifier: MIT */
/*
 * schema_run: one check of one value: what is left to spend, where in the
 * value we are, which resources we came through ($dynamicRef), which members
 * were looked at (unevaluated…), and what to tell. Lives on the stack of
 * schema_check. Each level is schema_run_node and one keyword's check: their
 * frames are kept small on purpose (SCHEMA_LEVEL_BYTES).
 */
#ifndef JSON_SCHEMA_RUN_H
#define JSON_SCHEMA_RUN_H

#include "common/json/schema_node.h"

/* A resource on the way from the root to here. */
struct schema_scope {
	const struct schema_scope *up;
	const struct schema_resource *resource;
};

/* Which members of one array or object were evaluated: a bit each. */
struct schema_marks {
	size_t n;
	uint64_t one;   /* the bits, if they are at most 64 */
	uint64_t *many; /* the bits otherwise, or NULL */
};

/* One check. */
struct schema_run {
	struct jsonvalue_budget budget;
	struct err *err; /* borrowed, may be NULL */
	const struct jsonpointer_at *at;
	const struct schema_scope *scope;
	unsigned level;
	unsigned levels;       /* at most so many */
	unsigned quiet;        /* > 0: a failure need not be told */
	unsigned depth;        /* of at */
	unsigned failed_depth; /* where the last failure was found */
};

/*
 * Check value against node and, if marks is not NULL, mark there which of its
 * members were evaluated. Returns 1, 0 (told) or -errno (told).
 */
int schema_run_node(struct schema_run *run, const struct schema_node *node,
    json_t *value, struct schema_marks *marks);

/* Tell what was expected of the value at run->at. Returns 0. */
int schema_run_fail(struct schema_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noinline));

/* Tell that the check cannot be finished. Returns code, a -errno. */
int schema_run_break(struct schema_run *run, int code);

/* Append to what was told last. */
void schema_run_add(struct schema_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noinline));

/* Begin marks for value. Returns 0 or -errno (told); end with marks_fini. */
int schema_run_marks_init(
    struct schema_run *run, struct schema_marks *m, const json_t *value);

/* Free what schema_run_marks_init made. */
void schema_run_marks_fini(struct schema_marks *m);

/* Note member i (in the order of iteration) as evaluated; m may be NULL. */
void schema_run_mark(struct schema_marks *m, size_t i);

/* Note every member as evaluated; m may be NULL. */
void schema_run_mark_all(struct schema_marks *m);

/* Whether member i was evaluated. */
bool schema_run_is_marked(const struct schema_marks *m, size_t i);

/* Note in `to` (may be NULL) what `from` has. */
void schema_run_merge(struct schema_marks *to, const struct schema_marks *from);

/*
 * Check a member of the value at run->at. Inline: a frame less on each level.
 * Returns as schema_run_node.
 */
static inline int
schema_run_member(struct schema_run *run, const struct schema_node *node,
    json_t *value, const char *name, size_t index)
{
	const struct jsonpointer_at at = { run->at, NULL, name, index };

	run->at = &at;
	run->depth++;
	const int r = schema_run_node(run, node, value, NULL);

	run->depth--;
	run->at = at.up;
	return r;
}

#endif
