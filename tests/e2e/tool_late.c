/* SPDX-License-Identifier: MIT */
/*
 * tool_late: an object that is loaded when the test opens the pipe "go" in the
 * state folder, and that writes down each call as programs do: into a buffer,
 * which the C library writes out at the exit.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <holdline.h>

static FILE *late_file;

/* What a program may well use of its stack, and no task of ours has. */
static void
late_deep(void)
{
	char volatile bytes[1 << 20];

	for (size_t i = 0; i < sizeof(bytes); i += 4096)
		bytes[i] = 1;
}

static __attribute__((constructor)) void
late_load(void)
{
	late_deep();
	(void)!mkfifo("go", 0600);
	close(open("go", O_RDONLY));
}

static __attribute__((destructor)) void
late_leave(void)
{
	late_deep();
	if (late_file)
		fputs("left\n", late_file);
}

static json_t *
late_run(struct hl_ctx *ctx, json_t *args)
{
	if (!late_file)
		late_file = fopen("calls", "w");
	if (late_file)
		fputs("called\n", late_file);
	return hl_text(late_file ? "done" : "cannot write");
}

static const struct hl_tool late = {
	.name = "late",
	.description = "Writes that it was called.",
	.input_schema = "{\"type\":\"object\"}",
	.fn = late_run,
};

HL_TOOLS(&late);
