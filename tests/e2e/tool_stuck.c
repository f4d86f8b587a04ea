/* SPDX-License-Identifier: MIT */
/*
 * tool_stuck: an object whose loading never ends, so that its backend never
 * becomes ready and the requests for it are held.
 */
#include <unistd.h>

#include <holdline.h>

static __attribute__((constructor)) void
stuck_load(void)
{
	for (;;)
		pause();
}

static json_t *
stuck_run(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("never");
}

static const struct hl_tool stuck = {
	.name = "stuck",
	.description = "Is never loaded.",
	.input_schema = "{\"type\":\"object\"}",
	.fn = stuck_run,
};

HL_TOOLS(&stuck);
