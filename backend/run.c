/* SPDX-License-Identifier: MIT */
/*
 * run: arguments are checked, the tool is called, its result is checked. The
 * ways out: it returned (complete), it unwound itself (hl_fail, a missing
 * capability, an error), it was halted. Only the last does not come back to
 * run_body: the task is over when run_dispose sees that nothing was said yet.
 */
#include "backend/run.h"

#include <errno.h>

#include "common/base/log.h"
#include "common/base/mem.h"

#include "backend/ctx.h"
#include "backend/result.h"

/* One run; ends with its task. */
struct run {
	struct session *session;
	struct hl_ctx ctx;
	json_t *result; /* what the tool returned */
};

/* Arguments that do not fit: the result that says so, or NULL. */
static json_t *
run_refuse_arguments(const struct tool *tool, json_t *args)
{
	struct err *const err = ctx_err();
	const int rc = schema_check(tool->input, args, err);

	if (rc == 0)
		return NULL;
	if (rc == -ENOMEM)
		flow_fail(rc, "out of memory");
	json_t *const result =
	    err->place[0]
		? hl_error("Invalid arguments: %s %s.", err->place, err->text)
		: hl_error("Invalid arguments: the object %s.", err->text);
	if (!result)
		flow_fail(-ENOMEM, "out of memory");
	return result;
}

/* The tool, inside its boundary. */
static void *
run_tool(void *arg)
{
	struct run *const run = arg;
	const struct tool *const tool = session_tool(run->session);
	json_t *const args = ctx_arguments(&run->ctx);

	run->result = run_refuse_arguments(tool, args);
	if (!run->result)
		run->result = tool->hl->fn(&run->ctx, args);
	return NULL;
}

/* Does the result keep what the tool's output schema promises? */
static int
run_check_output(
    const struct tool *tool, const json_t *result, struct err *err_r)
{
	json_t *const value = json_object_get(result, "structuredContent");
	struct err why;

	if (!tool->output || result_is_error(result))
		return 0;
	if (!value)
		return err_set(err_r, -EINVAL, NULL,
		    "the tool promises structured content and returned none");
	const int rc = schema_check(tool->output, value, &why);
	if (rc == 0)
		return 0;
	return err_set(err_r, rc, NULL,
	    "the tool's result does not fit its output schema at \"%s\": %s",
	    why.place, why.text);
}

/*
 * The tool returned. Not inlined, nor is run_fail: what they need would stand
 * on the stack below the tool while it is parked.
 */
static void __attribute__((noinline)) run_complete(struct run *run)
{
	json_t *const result = run->result;
	struct err err;

	run->result = NULL;
	int rc = result_check(result, &err);
	if (rc == 0)
		rc = run_check_output(session_tool(run->session), result, &err);
	if (rc == 0) {
		session_complete_take(run->session, result);
		return;
	}
	json_decref(result);
	session_fail_take(run->session, err.text, NULL);
}

/* The tool was left by unwinding, not by a halt. */
static void __attribute__((noinline)) run_fail(struct run *run)
{
	struct hl_ctx *const ctx = &run->ctx;
	const struct err *const err = ctx_err();
	json_t *taken;

	switch (ctx->end) {
	case CTX_END_RESULT:
		taken = ctx->result;
		ctx->result = NULL;
		session_complete_take(run->session, taken);
		break;
	case CTX_END_NEEDS:
		taken = ctx->needs;
		ctx->needs = NULL;
		session_fail_take(run->session, err->text, taken);
		break;
	case CTX_END_NONE:
		log_warn("session %s: %s failed: %s at=%s",
		    session_id(run->session),
		    session_tool(run->session)->hl->name, err->text,
		    err->place);
		session_fail_take(run->session, err->text, NULL);
		break;
	}
}

static void *
run_body(void *arg)
{
	struct run *const run = arg;

	if (scope_call(run_tool, run, NULL, ctx_err()) == 0)
		run_complete(run);
	else
		run_fail(run);
	return NULL;
}

/* The task is over, or never ran. */
static void
run_dispose(void *arg)
{
	struct run *const run = arg;

	json_decref(run->result);
	ctx_fini(&run->ctx);
	if (session_has_task(run->session))
		session_halted(run->session);
	mem_free(run);
}

int
run_start(struct scope *scope, struct session *session)
{
	const size_t stack_bytes = session_tool(session)->hl->stack_bytes;
	struct run *const run = mem_zalloc(1, sizeof(*run));
	struct task *task;

	if (!run)
		return -ENOMEM;
	ctx_init(&run->ctx, session);
	run->session = session;
	const int rc = scope_run(scope,
	    &(struct task_spec){
		.name = session_tool(session)->hl->name,
		.body = run_body,
		.arg = run,
		.dispose = run_dispose,
		.stack_bytes =
		    stack_bytes ? stack_bytes : FLOW_TOOL_STACK_BYTES,
	    },
	    &task);
	if (rc == 0)
		session_set_task_take(session, task);
	return rc;
}
