/* SPDX-License-Identifier: MIT */
/*
 * session_tools: for the suites of sessions: a tool that tells something and
 * asks for a name twice, what is said of it, and how a suite adds its own.
 */
#ifndef UNIT_SESSION_TOOLS_H
#define UNIT_SESSION_TOOLS_H

#include "common/base/log.h"

#include "tests/unit/session_script.h"

#define NAME_FORM                                                       \
	"{\"type\": \"object\", \"properties\": {\"name\": {\"type\": " \
	"\"string\", \"minLength\": 2}}, \"required\": [\"name\"]}"
#define ACCEPT(name) \
	"{\"action\": \"accept\", \"content\": {\"name\": \"" name "\"}}"

static void
note_freed(const char **word)
{
	note("%s", *word);
}
#define freed __attribute__((cleanup(note_freed), unused)) const char *

static const char *
name_in(const json_t *pick)
{
	return hl_accepted(pick)
	           ? json_string_value(json_object_get(pick, "name"))
	           : hl_action(pick);
}

static json_t *
ask_name(struct hl_ctx *ctx, const char *key)
{
	hl_auto json_t *form = json_loads(NAME_FORM, 0, NULL);

	return hl_elicit(ctx, key, "Your name?", form);
}

static json_t *
chat(struct hl_ctx *ctx, json_t *args)
{
	freed word = "freed";
	hl_progress(ctx, 1, 2, NULL);
	hl_log(ctx, HL_INFO, "asking");
	hl_auto json_t *who = ask_name(ctx, "who");
	hl_auto json_t *again = ask_name(ctx, "who");
	return hl_text("%s and %s", name_in(who), name_in(again));
}

#define TOOL(fn_)                                                         \
	static const struct hl_tool fn_##_tool = { .name = #fn_,          \
		.description = "test",                                    \
		.input_schema = "{\"type\": \"object\", \"properties\": " \
				"{\"n\": {\"type\": \"integer\"}}}",      \
		.fn = fn_ }

static const struct script_line chat_script[] = {
	{ "who", ACCEPT("Ada") },
	{ "who#2", ACCEPT("Bob") },
	{ NULL, NULL },
};

#define CHAT_TRACE                                                \
	"1:progress=1/2 2:log=1,asking 3:ask=who 4:answered=who " \
	"5:ask=who#2 6:answered=who#2 freed 7:result=Ada and Bob"

/* The suite's own, by HL_TOOLS. */
extern const struct hl_object holdline_object
    __attribute__((section("holdline")));

/* Run body with these tools and compare the trace. */
static void
expect(void (*body)(void), const char *trace)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.object = &holdline_object;
	bench_run(body);
	ck_assert_str_eq(traced(), trace);
}

#endif
