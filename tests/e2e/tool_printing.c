/* SPDX-License-Identifier: MIT */
/*
 * tool_printing: a tool that uses stdio and has something to do when its
 * process ends, as libraries have.
 */
#include <stdio.h>
#include <unistd.h>

#include <holdline.h>

static __attribute__((destructor)) void
printing_end(void)
{
	static const char text[] = "printing: its destructor ran\n";
	const ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)n;
}

static json_t *
printing_run(struct hl_ctx *ctx, json_t *args)
{
	printf("printing: what was printed\n");
	return hl_text("printed");
}

static const struct hl_tool printing = {
	.name = "printing",
	.description = "Prints a line.",
	.input_schema = "{\"type\":\"object\"}",
	.fn = printing_run,
};

HL_TOOLS(&printing);
