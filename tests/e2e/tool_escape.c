/* SPDX-License-Identifier: MIT */
/*
 * tool_escape: a tenant's tool that tries to get at others. Attempts run as a
 * step, so on another thread than the backend's.
 */
#include <holdline.h>

#include "tests/e2e/escape.h"

static const char *
escape_text(const json_t *args, const char *key)
{
	const char *const text = json_string_value(json_object_get(args, key));

	return text ? text : "";
}

static json_t *
escape_step(json_t *args)
{
	long n = (long)json_integer_value(json_object_get(args, "n"));
	const int error =
	    escape_try(escape_text(args, "name"), escape_text(args, "text"),
		(long)json_integer_value(json_object_get(args, "number")), &n);

	return json_pack("{s:i, s:I}", "error", error, "n", (json_int_t)n);
}

static json_t *
escape_run(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *got = hl_step(ctx, "try", escape_step, args);

	return hl_result("O", got);
}

static const struct hl_tool escape = {
	.name = "escape",
	.description = "Makes one attempt; says which errno it got.",
	.input_schema = "{\"type\":\"object\",\"required\":[\"name\"]}",
	.fn = escape_run,
};

HL_TOOLS(&escape);
