/* SPDX-License-Identifier: MIT */
/*
 * rehearse: the C library's own stub of a library is opened and closed again,
 * then a tool that nobody can call is tested and its schema compiled. What
 * fails here is no error: the start will say so, if it matters.
 */
#include "backend/rehearse.h"

#include <dlfcn.h>
#include <stddef.h>

#include "backend/load.h"

#define REHEARSE_LIBRARY "libdl.so.2" /* empty since glibc 2.34 */

static json_t *
rehearse_call(struct hl_ctx *ctx, json_t *args)
{
	return NULL;
}

static const struct hl_tool rehearse_tool = {
	.name = "rehearsal",
	.description = "Does nothing.",
	.fn = rehearse_call,
	.input_schema =
	    "{\"type\":\"object\",\"properties\":{"
	    "\"a\":{\"type\":\"string\",\"maxLength\":9,\"description\":\"b\"},"
	    "\"c\":{\"type\":\"integer\",\"minimum\":1}},"
	    "\"required\":[\"a\"],\"additionalProperties\":false}",
};

static const struct hl_tool *const rehearse_tools[] = { &rehearse_tool, NULL };

static const struct hl_object rehearse_object = {
	HL_ABI,
	sizeof(struct hl_tool),
	rehearse_tools,
	hl_self_test,
};

void
rehearse(bool (*is_wanted)(void))
{
	struct load *load;
	struct err err;

	if (is_wanted()) {
		void *const handle =
		    dlopen(REHEARSE_LIBRARY, RTLD_NOW | RTLD_LOCAL);
		if (handle)
			dlclose(handle);
	}
	if (!is_wanted())
		return;
	load = load_new();
	(void)load_add(load, &rehearse_object, "rehearsal", &err);
	load_free(&load);
}
