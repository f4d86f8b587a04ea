/* SPDX-License-Identifier: MIT */
/* tools: list what can be called, with its arguments. */
#include "poold/ctl/tools.h"

#include <unistd.h>

#include "poold/ctl/argline.h"
#include "poold/ctl/screen.h"

static const char tools_help[] =
    "usage: holdline tools [options] URL\n"
    "\n"
    "List the tools of a server and what they take.\n"
    "\n"
    "  URL              http://HOST[:PORT][/PATH]; the path is /mcp unless\n"
    "                   given. localhost and *.localhost are this machine.\n"
    "\n"
    "options:\n"
    "  --json           print the raw list on stdout\n"
    "  --era 2025|2026  speak that revision of MCP only\n"
    "  --timeout TIME   give up after that time (30, 500ms, 2m)\n"
    "  --help           this text\n"
    "\n"
    "exit status: 0; 2 wrong use; 3 no connection, or not what MCP says.\n";

static void
tools_run(struct errand *e)
{
	json_auto_t *tools = talk_list(&e->talk);
	page_auto struct page p;
	json_t *tool;
	size_t i;

	page_init(&p, screen_has_colour(STDOUT_FILENO));
	if (e->is_json) {
		errand_print_json(tools);
		return;
	}
	json_array_foreach (tools, i, tool) {
		const char *const about =
		    json_string_value(json_object_get(tool, "description"));
		if (i)
			page_put(&p, "\n");
		if (about && about[0]) {
			page_clean_line(&p, about);
			page_put(&p, "\n");
		}
		argline_describe(&p, tool);
	}
	if (json_array_size(tools) == 0)
		page_put(&p, "(the server has no tools)\n");
	errand_print(&p);
}

const struct errand_command tools_command = {
	.name = "tools",
	.summary = "list the tools of a server and what they take",
	.help = tools_help,
	.min_words = 1,
	.max_words = 1,
	.run = tools_run,
};
