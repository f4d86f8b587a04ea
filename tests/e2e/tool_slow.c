/* SPDX-License-Identifier: MIT */
/*
 * tool_slow: a tool that runs for as long as it is told, for the tests of
 * ends and deaths. It says when it has begun, so that a test can wait for it.
 */
#include <holdline.h>

static json_t *
slow_run(struct hl_ctx *ctx, json_t *args)
{
	hl_progress(ctx, 1, 2, "begun");
	hl_sleep(ctx, json_integer_value(json_object_get(args, "ms")));
	return hl_text("done");
}

static const struct hl_tool slow = {
	.name = "slow",
	.description = "Runs for ms milliseconds.",
	.input_schema =
	    "{\"type\":\"object\",\"required\":[\"ms\"],\"properties\":"
	    "{\"ms\":{\"type\":\"integer\",\"minimum\":0}}}",
	.fn = slow_run,
};

HL_TOOLS(&slow);
