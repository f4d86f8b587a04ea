/* SPDX-License-Identifier: MIT */
/* ctx_input: names, and the seam that a journal would stand in. */
#include "backend/ctx_input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/task.h"

#include "backend/result.h"

/* Elicitations and samples stand in one map on the wire: one prefix. */
static const char *const ctx_prefixes[] = {
	[CTX_ARGUMENTS] = "arguments",
	[CTX_ELICIT] = "ask",
	[CTX_SAMPLE] = "ask",
	[CTX_STEP] = "step",
	[CTX_SLEEP] = "sleep",
	[CTX_FD] = "fd",
	[CTX_NOW] = "now",
	[CTX_RANDOM] = "random",
};

/* How often a name was used with a prefix. */
struct ctx_count {
	RB_ENTRY(ctx_count) link;
	const char *prefix; /* a row of ctx_prefixes */
	long n;
	char key[];
};

static int
ctx_count_compare(const struct ctx_count *a, const struct ctx_count *b)
{
	const int order = strcmp(a->prefix, b->prefix);

	return order ? order : strcmp(a->key, b->key);
}

/* RB_GENERATE_STATIC of libbsd relies on a macro that glibc lacks. */
RB_GENERATE_INTERNAL(ctx_counts, ctx_count, link, ctx_count_compare,
    __attribute__((unused)) static)

void
ctx_free_text(char **text)
{
	mem_free(*text);
}

void
ctx_no_memory(void)
{
	flow_fail(-ENOMEM, "out of memory");
}

json_t *
ctx_got(json_t *value)
{
	if (!value)
		ctx_no_memory();
	return value;
}

char *
ctx_vformat(const char *fmt, va_list ap)
{
	char *const text = result_vformat(fmt, ap);

	if (!text)
		ctx_no_memory();
	return text;
}

char *
ctx_format(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *const text = result_vformat(fmt, ap);
	va_end(ap);
	if (!text)
		ctx_no_memory();
	return text;
}

bool
ctx_is_teardown(const struct hl_ctx *ctx)
{
	const struct ctx_teardown *t;

	LIST_FOREACH (t, &ctx->teardowns, link)
		if (t->task == task_self())
			return true;
	return false;
}

/* ---- the seam -------------------------------------------------------- */

/* The count of that name, made if it is new; ends the tool instead. */
static struct ctx_count *
ctx_count_of(struct hl_ctx *ctx, const char *prefix, const char *key)
{
	const size_t n_key = strlen(key) + 1;
	struct ctx_count *const made = mem_zalloc(1, sizeof(*made) + n_key);

	if (!made)
		ctx_no_memory();
	made->prefix = prefix;
	memcpy(made->key, key, n_key);
	struct ctx_count *const there =
	    RB_INSERT(ctx_counts, &ctx->counts, made);
	if (!there)
		return made;
	mem_free(made);
	return there;
}

/* Give an input its name: key, key#2, key#3, … for each prefix. */
static void
ctx_name(struct hl_ctx *ctx, enum ctx_input kind, const char *key,
    char name_r[ASK_NAME_BYTES])
{
	if (!ask_is_key(key))
		flow_fail(-EINVAL,
		    "a question or step must be named by 1 to %d characters of "
		    "A-Z a-z 0-9 _ . -",
		    ASK_KEY_MAX);
	const long n = ++ctx_count_of(ctx, ctx_prefixes[kind], key)->n;
	if (n == 1)
		snprintf(name_r, ASK_NAME_BYTES, "%s", key);
	else
		snprintf(name_r, ASK_NAME_BYTES, "%s#%ld", key, n);
}

/*
 * A journal records (kind, name, value) between the last two lines, before the
 * tool sees the value, and answers from its records instead of fetching when
 * it brings a session back.
 */
json_t *
ctx_input(struct hl_ctx *ctx, enum ctx_input kind, const char *key,
    ctx_fetch_fn *fetch, void *arg)
{
	char name[ASK_NAME_BYTES];

	must_be(ctx, CTX_MAGIC);
	ctx_name(ctx, kind, key, name);
	return ctx_got(fetch(ctx, name, arg));
}

void
ctx_input_forget(struct hl_ctx *ctx)
{
	struct ctx_count *count;

	while ((count = RB_ROOT(&ctx->counts))) {
		RB_REMOVE(ctx_counts, &ctx->counts, count);
		mem_free(count);
	}
}
