/* SPDX-License-Identifier: MIT */
/*
 * ctx: the life of what a tool is given, what it tells, its end and its
 * finalisers. What cannot be done ends the tool by unwinding.
 */
#include "backend/ctx.h"

#include <errno.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/task.h"

#include "backend/ctx_input.h"
#include "backend/result.h"

struct err *
ctx_err(void)
{
	static struct err err;

	return &err;
}

void
ctx_init(struct hl_ctx *ctx, struct session *session)
{
	*ctx = (struct hl_ctx){ .magic = CTX_MAGIC, .session = session };
	LIST_INIT(&ctx->teardowns);
	RB_INIT(&ctx->counts);
}

void
ctx_fini(struct hl_ctx *ctx)
{
	must_be(ctx, CTX_MAGIC);
	must(LIST_EMPTY(&ctx->teardowns));
	ctx_input_forget(ctx);
	json_decref(ctx->args);
	json_decref(ctx->result);
	json_decref(ctx->needs);
	ctx->magic = 0;
}

static json_t *
ctx_fetch_arguments(struct hl_ctx *ctx, const char *name, void *arg)
{
	return json_incref(session_args(ctx->session));
}

json_t *
ctx_arguments(struct hl_ctx *ctx)
{
	must(!ctx->args);
	ctx->args = ctx_input(
	    ctx, CTX_ARGUMENTS, "arguments", ctx_fetch_arguments, NULL);
	return ctx->args;
}

/* ---- telling --------------------------------------------------------- */

void
hl_progress(struct hl_ctx *ctx, double done, double total, const char *message)
{
	must_be(ctx, CTX_MAGIC);
	ctx_auto_text char *text = message ? ctx_format("%s", message) : NULL;

	session_progress(ctx->session, done, total, text);
}

void
hl_log(struct hl_ctx *ctx, enum hl_level level, const char *fmt, ...)
{
	va_list ap;

	must_be(ctx, CTX_MAGIC);
	va_start(ap, fmt);
	ctx_auto_text char *text = ctx_vformat(fmt, ap);
	va_end(ap);
	const int rc = session_log(
	    ctx->session, level > HL_EMERGENCY ? HL_EMERGENCY : level, text);
	if (rc == -ENOSPC)
		flow_fail(rc,
		    "the tool said too much: at most %d entries and %u bytes",
		    ENTRIES_MAX, ENTRIES_BYTES);
	if (rc < 0)
		ctx_no_memory();
}

/* ---- ending ---------------------------------------------------------- */

void
hl_fail(struct hl_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	must_be(ctx, CTX_MAGIC);
	va_start(ap, fmt);
	ctx_auto_text char *text = ctx_vformat(fmt, ap);
	va_end(ap);
	if (ctx->end == CTX_END_NONE && !ctx_is_teardown(ctx)) {
		ctx->result = ctx_got(result_text(text, true));
		ctx->end = CTX_END_RESULT;
	}
	flow_fail(-ECANCELED, "%s", text);
}

/* A finaliser of a tool. */
struct ctx_ensure {
	struct hl_ctx *ctx;
	void (*fn)(void *arg);
	void *arg;
};

static void *
ctx_call_ensure(void *arg)
{
	const struct ctx_ensure *const e = arg;

	e->fn(e->arg);
	return NULL;
}

/* Run one; whatever it does, the other finalisers and the backend go on. */
static int
ctx_run_ensure(void *arg, struct err *err)
{
	struct ctx_ensure *const e = arg;
	struct ctx_teardown mark = { .task = task_self() };

	LIST_INSERT_HEAD(&e->ctx->teardowns, &mark, link);
	if (scope_call(ctx_call_ensure, e, NULL, err) < 0)
		log_warn("session %s: a finaliser failed: %s",
		    session_id(e->ctx->session), err->text);
	LIST_REMOVE(&mark, link);
	mem_free(e);
	err_clear(err);
	return 0;
}

void
hl_ensure(struct hl_ctx *ctx, void (*fn)(void *arg), void *arg)
{
	must_be(ctx, CTX_MAGIC);
	struct ctx_ensure *const e = mem_alloc(sizeof(*e));
	if (e) {
		*e = (struct ctx_ensure){ ctx, fn, arg };
		if (scope_ensure(ctx_run_ensure, e) == 0)
			return;
		mem_free(e);
	}
	fn(arg);
	ctx_no_memory();
}
