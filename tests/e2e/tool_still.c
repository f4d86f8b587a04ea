/* SPDX-License-Identifier: MIT */
/*
 * tool_still: a tool that blocks the event loop of its backend for ever, which
 * a tool must not do; for the watchdog's test.
 */
#include <unistd.h>

#include <holdline.h>

static json_t *
still_run(struct hl_ctx *ctx, json_t *args)
{
	for (;;)
		pause();
	return hl_text("never");
}

static const struct hl_tool still = {
	.name = "still",
	.description = "Never returns, and never waits.",
	.input_schema = "{\"type\":\"object\"}",
	.fn = still_run,
};

HL_TOOLS(&still);
