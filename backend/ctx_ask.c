/* SPDX-License-Identifier: MIT */
/* ctx_ask: what a tool asks people and models. */
#include <errno.h>

#include "common/flow/task.h"

#include "backend/ctx_input.h"
#include "backend/value.h"

#define CTX_SAMPLE_TOKENS 1000

/* What goes into a question. */
struct ctx_question {
	const char *text;
	json_t *schema;
	int max_tokens;
};

/* A capability is missing: the tool ends, and the face learns which. */
static void __attribute__((noreturn)) ctx_needs(struct hl_ctx *ctx)
{
	json_t *const needs = json_pack("{s:{}}", ctx_err()->place);

	if (!needs)
		ctx_no_memory();
	if (ctx->end == CTX_END_NONE) {
		ctx->end = CTX_END_NEEDS;
		ctx->needs = needs;
	} else {
		json_decref(needs);
	}
	flow_fail(-ENOTSUP, "%s", ctx_err()->text);
}

/* Ask what *ask says (*takes*), or end the tool. */
static json_t *
ctx_ask_take(struct hl_ctx *ctx, struct ask *ask, const char *name)
{
	json_t *value;

	const int rc = session_ask_take(ctx->session, &ask, &value, ctx_err());
	if (rc == -ENOTSUP)
		ctx_needs(ctx);
	if (rc == -EREMOTEIO)
		flow_fail(rc, "the client could not answer %s: %s", name,
		    ctx_err()->text);
	if (rc < 0)
		flow_fail(rc, "%s", ctx_err()->text);
	return value;
}

/* Whether anybody can be asked here at all. */
static void
ctx_may_ask(const struct hl_ctx *ctx, const char *name)
{
	if (ctx_is_teardown(ctx))
		flow_fail(-ESTALE,
		    "%s: nothing can be asked while the tool ends", name);
}

static json_t *
ctx_fetch_elicit(struct hl_ctx *ctx, const char *name, void *arg)
{
	const struct ctx_question *const q = arg;
	struct err *const err = ctx_err();
	struct ask *ask;

	ctx_may_ask(ctx, name);
	const int rc = q->schema && value_check(q->schema) == 0
	                   ? ask_new_elicit(name, q->text, q->schema, &ask, err)
	                   : err_set(err, -EINVAL, "",
				 "there is no form, or it is too deep");
	if (rc == -ENOMEM)
		ctx_no_memory();
	if (rc < 0)
		flow_fail(rc, "the form of %s is wrong at \"%s\": %s", name,
		    err->place, err->text);
	return ctx_ask_take(ctx, ask, name);
}

static json_t *
ctx_fetch_sample(struct hl_ctx *ctx, const char *name, void *arg)
{
	const struct ctx_question *const q = arg;
	struct ask *ask;

	ctx_may_ask(ctx, name);
	if (ask_new_sample(name, q->text, q->max_tokens, &ask, NULL) < 0)
		ctx_no_memory();
	return ctx_ask_take(ctx, ask, name);
}

json_t *
hl_elicit(
    struct hl_ctx *ctx, const char *key, const char *message, json_t *schema)
{
	ctx_auto_text char *text = ctx_format("%s", message ? message : "");
	struct ctx_question q = { .text = text, .schema = schema };

	return ctx_input(ctx, CTX_ELICIT, key, ctx_fetch_elicit, &q);
}

/* Sample with a prompt that is formatted (*takes*). */
static json_t *
ctx_sample_take(
    struct hl_ctx *ctx, const char *key, int max_tokens, char *prompt)
{
	ctx_auto_text char *text = prompt;
	struct ctx_question q = { .text = text, .max_tokens = max_tokens };

	return ctx_input(ctx, CTX_SAMPLE, key, ctx_fetch_sample, &q);
}

json_t *
hl_sample(struct hl_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *const prompt = ctx_vformat(fmt, ap);
	va_end(ap);
	return ctx_sample_take(ctx, "sample", CTX_SAMPLE_TOKENS, prompt);
}

json_t *
hl_sample_as(
    struct hl_ctx *ctx, const char *key, int max_tokens, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *const prompt = ctx_vformat(fmt, ap);
	va_end(ap);
	return ctx_sample_take(ctx, key, max_tokens, prompt);
}
