/* SPDX-License-Identifier: MIT */
/* schema_run: a level, a failure, and marks. */
#include "common/json/schema_run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/json/said.h"

/* Put the place of the value at hand into *run->err. */
static void __attribute__((noinline)) run_place(struct schema_run *run)
{
	jsonpointer_write(run->at, run->err->place, sizeof(run->err->place));
}

int
schema_run_fail(struct schema_run *run, const char *fmt, ...)
{
	va_list ap;

	run->failed_depth = run->depth;
	if (run->quiet || !run->err)
		return 0;
	va_start(ap, fmt);
	err_vset(run->err, -EINVAL, NULL, fmt, ap);
	va_end(ap);
	said_clean(run->err->text);
	run_place(run);
	return 0;
}

void
schema_run_add(struct schema_run *run, const char *fmt, ...)
{
	va_list ap;

	if (run->quiet || !run->err)
		return;
	char *const text = run->err->text;
	const size_t n = strlen(text);

	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(run->err->text) - n, fmt, ap);
	va_end(ap);
	said_clean(text);
}

int __attribute__((noinline)) schema_run_break(struct schema_run *run, int code)
{
	const char *text = "out of memory";

	if (code == -ELOOP)
		text = "is nested too deep to be checked, or its schema refers "
		       "to itself without end";
	else if (code == -EMSGSIZE)
		text = "takes too long to check against this schema";
	err_set(run->err, code, NULL, "%s", text);
	if (run->err)
		run_place(run);
	return code;
}

int
schema_run_marks_init(
    struct schema_run *run, struct schema_marks *m, const json_t *value)
{
	const size_t n = json_is_array(value) ? json_array_size(value)
	                                      : json_object_size(value);

	*m = (struct schema_marks){ .n = n };
	if (n <= 64)
		return 0;
	if (!jsonvalue_spend(&run->budget, n / 64))
		return schema_run_break(run, -EMSGSIZE);
	m->many = mem_zalloc((n + 63) / 64, sizeof(*m->many));
	return m->many ? 0 : schema_run_break(run, -ENOMEM);
}

void
schema_run_marks_fini(struct schema_marks *m)
{
	mem_free(m->many);
	m->many = NULL;
}

void
schema_run_mark(struct schema_marks *m, size_t i)
{
	if (!m)
		return;
	if (m->many)
		m->many[i / 64] |= UINT64_C(1) << i % 64;
	else
		m->one |= UINT64_C(1) << i % 64;
}

void
schema_run_mark_all(struct schema_marks *m)
{
	if (!m)
		return;
	if (m->many)
		memset(m->many, 0xff, (m->n + 63) / 64 * sizeof(*m->many));
	else
		m->one = UINT64_MAX;
}

bool
schema_run_is_marked(const struct schema_marks *m, size_t i)
{
	const uint64_t word = m->many ? m->many[i / 64] : m->one;

	return word >> i % 64 & 1;
}

void
schema_run_merge(struct schema_marks *to, const struct schema_marks *from)
{
	if (!to)
		return;
	to->one |= from->one;
	for (size_t i = 0; to->many && i < (to->n + 63) / 64; i++)
		to->many[i] |= from->many[i];
}

/* Check all rules of a node, one after the other, until one fails. */
static inline int __attribute__((always_inline))
run_rules(struct schema_run *run, const struct schema_node *node, json_t *value,
    struct schema_marks *marks)
{
	const unsigned type = 1u << json_typeof(value);

	for (size_t i = 0; i < node->n_rules; i++) {
		const struct schema_rule *const rule = &node->rules[i];

		if (!(rule->keyword->types & type))
			continue;
		if (!jsonvalue_spend(&run->budget, 1))
			return schema_run_break(run, -EMSGSIZE);
		const int r = rule->keyword->check(run, rule, value, marks);

		if (r <= 0)
			return r;
	}
	return 1;
}

/*
 * The same for a node that asks what was evaluated: it sees its own marks
 * only, and passes them on if it fits (core 11).
 */
static int __attribute__((noinline)) run_tracked(struct schema_run *run,
    const struct schema_node *node, json_t *value, struct schema_marks *marks)
{
	struct schema_marks mine;
	int r = schema_run_marks_init(run, &mine, value);

	if (r < 0)
		return r;
	r = run_rules(run, node, value, &mine);
	if (r == 1)
		schema_run_merge(marks, &mine);
	schema_run_marks_fini(&mine);
	return r;
}

int
schema_run_node(struct schema_run *run, const struct schema_node *node,
    json_t *value, struct schema_marks *marks)
{
	const struct schema_scope scope = { run->scope, node->resource };
	int r;

	if (node->is_false)
		return schema_run_fail(run, "is not allowed here");
	if (!node->n_rules)
		return 1;
	if (run->level == run->levels)
		return schema_run_break(run, -ELOOP);
	run->level++;
	if (!run->scope || run->scope->resource != node->resource)
		run->scope = &scope;
	if (node->is_tracked)
		r = run_tracked(run, node, value, marks);
	else
		r = run_rules(run, node, value, marks);
	run->scope = scope.up;
	run->level--;
	return r;
}
