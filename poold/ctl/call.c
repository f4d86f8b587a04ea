/* SPDX-License-Identifier: MIT */
/* call: find the tool, type its arguments, call it, print what it returns. */
#include "poold/ctl/call.h"

#include <string.h>
#include <unistd.h>

#include "poold/ctl/argline.h"
#include "poold/ctl/layout.h"
#include "poold/ctl/quit.h"
#include "poold/ctl/screen.h"

static const char call_help[] =
    "usage: holdline call [options] URL TOOL [key=value ...]\n"
    "\n"
    "Call a tool, answer its questions in the terminal, print its result.\n"
    "\n"
    "  URL          http://HOST[:PORT][/PATH]; the path is /mcp unless given.\n"
    "               localhost and *.localhost are this machine.\n"
    "  TOOL         the name of a tool; `holdline tools URL` lists them\n"
    "  key=value    an argument, typed as the tool says: text, a number,\n"
    "               yes or no, JSON for lists and objects\n"
    "  key:=json    an argument as JSON\n"
    "               What is required and missing is asked for.\n"
    "\n"
    "options:\n"
    "  --answers FILE        answer questions from a JSON file, by their names:\n"
    "                        { \"pickFlight\": { \"flight\": \"NW 402\" },\n"
    "                          \"pickSeat\": \"decline\",\n"
    "                          \"sample\": \"Take an umbrella.\" }\n"
    "                        \"cancel\" is possible too, and a list answers a\n"
    "                        question that comes several times. What the file\n"
    "                        lacks is asked in the terminal, if there is one.\n"
    "  --sample-command CMD  answer samples by a shell command: the prompt is its\n"
    "                        input, its output is the answer\n"
    "  --json                print the raw result and nothing else on stdout\n"
    "  --era 2025|2026       speak that revision of MCP only (2025-11-25 or\n"
    "                        2026-07-28; the newer one is tried first)\n"
    "  --timeout TIME        give up after that time (30, 500ms, 2m)\n"
    "  --help                this text\n"
    "\n"
    "In a dialogue `d` declines and Ctrl-D cancels; Ctrl-C cancels the call.\n"
    "\n"
    "exit status: 0 a result; 1 the tool says that it failed; 2 wrong use, or\n"
    "an answer is missing; 3 no connection, or not what MCP says; 130 Ctrl-C.\n"
    "\n"
    "example:\n"
    "  holdline call http://acme.localhost:8080/mcp book_flight city=Oslo\n";

/* The tool does not exist: say which do. */
static void __attribute__((noreturn))
call_unknown(const char *name, const json_t *tools)
{
	page_auto struct page p;
	const json_t *tool;
	size_t i;

	page_init(&p, screen_has_colour(STDERR_FILENO));
	page_put(&p, "holdline: there is no tool \"");
	page_clean_line(&p, name);
	page_put(&p, json_array_size(tools) ? "\"; the tools are:\n"
					    : "\": the server has no tools\n");
	json_array_foreach ((json_t *)tools, i, tool) {
		page_put(&p, "  ");
		page_clean_line(
		    &p, json_string_value(json_object_get(tool, "name")));
		page_put(&p, "\n");
	}
	quit_with_page(QUIT_USAGE, &p);
}

/* The tool of that name, borrowed from tools. */
static json_t *
call_find(const char *name, const json_t *tools)
{
	json_t *tool;
	size_t i;

	json_array_foreach ((json_t *)tools, i, tool)
		if (strcmp(json_string_value(json_object_get(tool, "name")),
			name) == 0)
			return tool;
	call_unknown(name, tools);
}

/* The arguments are wrong: say why, and what the tool takes. */
static void __attribute__((noreturn))
call_wrong(const struct err *why, const json_t *tool)
{
	page_auto struct page p;

	page_init(&p, screen_has_colour(STDERR_FILENO));
	page_put(&p, "holdline: ");
	page_clean_line(&p, why->text);
	page_put(&p, "\n");
	argline_describe(&p, tool);
	quit_with_page(QUIT_USAGE, &p);
}

/* Print a result for a person. */
static void
call_print(const json_t *result, bool is_error)
{
	page_auto struct page p;

	page_init(&p, screen_has_colour(STDOUT_FILENO));
	if (is_error)
		page_look(&p, PAGE_RED);
	layout_result(&p, result);
	if (is_error)
		page_look(&p, PAGE_PLAIN);
	errand_print(&p);
}

static void
call_run(struct errand *e)
{
	json_auto_t *tools = talk_list(&e->talk);
	json_t *const tool = call_find(e->words[0], tools);
	json_auto_t *args = NULL;
	struct err why;

	if (argline_build(
		tool, e->words + 1, (size_t)e->n_words - 1, &args, &why) < 0)
		call_wrong(&why, tool);
	asker_arguments(&e->asker, tool, args);
	if (argline_check(tool, args, &why) < 0)
		call_wrong(&why, tool);
	json_auto_t *result = talk_call(&e->talk, &e->asker, tool, args);
	const bool is_error = json_is_true(json_object_get(result, "isError"));
	if (e->is_json)
		errand_print_json(result);
	else
		call_print(result, is_error);
	if (is_error) {
		screen_say("holdline: the tool says that it failed");
		e->status = QUIT_TOOL;
	}
}

const struct errand_command call_command = {
	.name = "call",
	.summary = "call a tool and answer its questions",
	.help = call_help,
	.has_answers = true,
	.min_words = 2,
	.max_words = -1,
	.run = call_run,
};
