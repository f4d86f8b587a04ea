/* SPDX-License-Identifier: MIT */
/*
 * tool_unsafe: a tool that is built without -fexceptions behind the back of
 * its header: loading it must fail. With TOOL_STRANGER: no tool at all.
 */
#ifdef TOOL_STRANGER

int tool_stranger;

#else
#include "backend/holdline.h"

static json_t *
unsafe(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("unsafe");
}

static const struct hl_tool tool = {
	.name = "unsafe",
	.description = "test",
	.input_schema = "{\"type\": \"object\"}",
	.fn = unsafe,
};

HL_TOOLS(&tool);
#endif
