/* SPDX-License-Identifier: MIT */
/*
 * tool_pair: tools of shapes that the examples do not have, for the tests of
 * the faces: two questions at once, a flood, a header of its own.
 */
#include <string.h>

#include "common/flow/task.h"

#include "backend/holdline.h"

/* ---- pair: two branches that ask in the same turn --------------------- */

struct branch {
	struct hl_ctx *ctx;
	const char *key;
	json_t *got;
};

static void *
branch_run(void *arg)
{
	struct branch *b = arg;
	hl_auto json_t *form = json_pack("{s:s, s:{s:{s:s}}, s:[s]}", "type",
	    "object", "properties", "v", "type", "string", "required", "v");

	b->got = hl_elicit(b->ctx, b->key, b->key, form);
	return NULL;
}

static void
branch_fini(struct branch *b)
{
	json_decref(b->got);
}

#define branch_auto __attribute__((cleanup(branch_fini)))

static json_t *
pair(struct hl_ctx *ctx, json_t *args)
{
	branch_auto struct branch a = { ctx, "first", NULL };
	branch_auto struct branch b = { ctx, "second", NULL };
	task_auto struct task *ta = NULL;
	task_auto struct task *tb = NULL;
	const struct task_spec sa = {
		.name = "first", .body = branch_run, .arg = &a
	};
	const struct task_spec sb = {
		.name = "second", .body = branch_run, .arg = &b
	};

	if (task_spawn(&sa, &ta) != 0 || task_spawn(&sb, &tb) != 0)
		hl_fail(ctx, "no memory");
	task_await(ta, NULL, NULL);
	task_await(tb, NULL, NULL);
	return hl_text("%s & %s",
	    json_string_value(json_object_get(a.got, "v")),
	    json_string_value(json_object_get(b.got, "v")));
}

static const struct hl_tool pair_tool = {
	.name = "pair",
	.description = "Asks two questions at once.",
	.input_schema = "{\"type\":\"object\"}",
	.fn = pair,
};

/* ---- impatient: returns though a branch still asks -------------------- */

static json_t *
impatient(struct hl_ctx *ctx, json_t *args)
{
	branch_auto struct branch a = { ctx, "first", NULL };
	const struct task_spec sa = {
		.name = "first", .body = branch_run, .arg = &a
	};

	if (task_spawn(&sa, NULL) != 0)
		hl_fail(ctx, "no memory");
	hl_sleep(ctx, 50);
	return hl_text("did not wait");
}

static const struct hl_tool impatient_tool = {
	.name = "impatient",
	.description = "Asks, but does not wait for the answer.",
	.input_schema = "{\"type\":\"object\"}",
	.fn = impatient,
};

/* ---- quiz: n questions, one after the other --------------------------- */

static json_t *
quiz(struct hl_ctx *ctx, json_t *args)
{
	const json_int_t n = json_integer_value(json_object_get(args, "n"));
	struct branch q = { ctx, "q", NULL };

	for (json_int_t i = 0; i < n; i++) {
		branch_run(&q);
		branch_fini(&q);
	}
	return hl_text("asked %d", (int)n);
}

static const struct hl_tool quiz_tool = {
	.name = "quiz",
	.description = "Asks n questions.",
	.input_schema = "{\"type\":\"object\",\"required\":[\"n\"],"
			"\"properties\":{\"n\":{\"type\":\"integer\"}}}",
	.fn = quiz,
};

/* ---- flood: more than a socket holds, in messages --------------------- */

static json_t *
flood(struct hl_ctx *ctx, json_t *args)
{
	static char line[4001];
	const json_int_t n = json_integer_value(json_object_get(args, "n"));

	memset(line, 'x', sizeof(line) - 1);
	for (json_int_t i = 0; i < n; i++)
		hl_log(ctx, HL_INFO, "%d %s", (int)i, line);
	return hl_text("told %d", (int)n);
}

static const struct hl_tool flood_tool = {
	.name = "flood",
	.description = "Says n lines of 4000 letters.",
	.input_schema = "{\"type\":\"object\",\"required\":[\"n\"],"
			"\"properties\":{\"n\":{\"type\":\"integer\"}}}",
	.fn = flood,
};

/* ---- region: an argument that a header repeats ------------------------ */

static json_t *
region(struct hl_ctx *ctx, json_t *args)
{
	return hl_text(
	    "in %s", json_string_value(json_object_get(args, "region")));
}

static const struct hl_tool region_tool = {
	.name = "region",
	.description = "Says which region it was called for.",
	.input_schema =
	    "{\"type\":\"object\",\"required\":[\"region\"],\"properties\":"
	    "{\"region\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"}}}",
	.fn = region,
};

/* ---- euros: a form whose names are long, in characters of three bytes - */

static json_t *
euros(struct hl_ctx *ctx, json_t *args)
{
	const json_int_t shift =
	    json_integer_value(json_object_get(args, "shift"));
	const json_int_t n = json_integer_value(json_object_get(args, "n"));
	static char long_text[10000];
	char name[400];
	size_t at = (size_t)shift;

	memset(long_text, 'x', at);
	memset(name, 'x', at);
	for (json_int_t i = 0; i < n; i++, at += 3)
		memcpy(name + at, "\xe2\x82\xac", 3);
	name[at] = '\0';
	hl_auto json_t *form =
	    json_pack("{s:s, s:{s:{s:s, s:[s, s]}}}", "type", "object",
		"properties", name, "type", "string", "enum", name, "none");
	for (at = (size_t)shift; at + 3 < sizeof(long_text); at += 3)
		memcpy(long_text + at, name + shift, 3);
	hl_log(ctx, HL_INFO, "%s", long_text);
	hl_auto json_t *pick = hl_elicit(ctx, "pick", "Which?", form);
	return hl_text("picked");
}

static const struct hl_tool euros_tool = {
	.name = "euros",
	.description =
	    "Offers a choice with a long name: shift letters, n signs.",
	.input_schema =
	    "{\"type\":\"object\",\"required\":[\"shift\",\"n\"],\"properties\":"
	    "{\"shift\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":2},"
	    "\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100}}}",
	.fn = euros,
};

HL_TOOLS(&pair_tool, &impatient_tool, &quiz_tool, &flood_tool, &region_tool,
    &euros_tool);
