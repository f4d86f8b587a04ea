/* SPDX-License-Identifier: MIT */
/*
 * holdline: the command for people. An ordinary program of whoever types it:
 * no privileges, talks HTTP to the address it is given, reads the terminal.
 * In reading order:
 *	page, screen, quit           text; where it goes; how the program ends
 *	url, argline, layout, form   words to values, values to text (pure)
 *	answers, keyboard, sampler   where answers come from
 *	asker                        one question, one answer
 *	dial, fetch, message, post   connection, HTTP, JSON-RPC
 *	era2026, era2025, talk       MCP in its two eras
 *	errand, call, tools          subcommands
 */
#include <stdio.h>
#include <string.h>

#include "common/json/jsontext.h"

#include "poold/ctl/call.h"
#include "poold/ctl/quit.h"
#include "poold/ctl/screen.h"
#include "poold/ctl/tools.h"

#define MAIN_COMMANDS (sizeof(main_commands) / sizeof(main_commands[0]))

/* The subcommands. */
static const struct errand_command *const main_commands[] = {
	&call_command,
	&tools_command,
};

static const struct errand_command *
main_find(const char *name)
{
	for (size_t i = 0; i < MAIN_COMMANDS; i++)
		if (strcmp(main_commands[i]->name, name) == 0)
			return main_commands[i];
	return NULL;
}

/* What `holdline` says by itself. */
static int
main_help(void)
{
	puts("holdline hosts tools that may stop in the middle and ask.\n"
	     "\n"
	     "usage: holdline COMMAND [...]\n"
	     "\n"
	     "commands:");
	for (size_t i = 0; i < MAIN_COMMANDS; i++)
		printf("  %-8s %s\n", main_commands[i]->name,
		    main_commands[i]->summary);
	puts("  help     this text, or that of a command: holdline help call\n"
	     "\n"
	     "start here:\n"
	     "  holdline tools http://acme.localhost:8080/mcp\n"
	     "  holdline call http://acme.localhost:8080/mcp book_flight");
	return QUIT_OK;
}

/* `holdline help [COMMAND]`. */
static int
main_help_for(const char *name)
{
	const struct errand_command *const c = name ? main_find(name) : NULL;

	if (name && !c)
		return quit_before(QUIT_USAGE,
		    "there is no command \"%s\"; see: holdline help", name);
	if (!c)
		return main_help();
	fputs(c->help, stdout);
	return QUIT_OK;
}

int
main(int argc, char **argv)
{
	const char *const word = argc > 1 ? argv[1] : "help";

	screen_open();
	jsontext_init();
	if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
		puts("holdline " HOLDLINE_VERSION);
		return QUIT_OK;
	}
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
	    strcmp(word, "-h") == 0)
		return main_help_for(argc > 2 ? argv[2] : NULL);
	const struct errand_command *const command = main_find(word);
	if (!command)
		return quit_before(QUIT_USAGE,
		    "there is no command \"%s\"; see: holdline help", word);
	return errand_main(command, argc - 1, argv + 1);
}
