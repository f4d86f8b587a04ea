/* SPDX-License-Identifier: MIT */
/*
 * errand: what `holdline` is sent out to do: the frame that all subcommands
 * that talk to a server have in common. Options, the program's root task, the
 * deadline of the whole, and the exit status.
 */
#ifndef CTL_ERRAND_H
#define CTL_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

#include "poold/ctl/asker.h"
#include "poold/ctl/page.h"
#include "poold/ctl/talk.h"
#include "poold/ctl/url.h"

struct errand;

/* A subcommand: a row of the table in main.c. */
struct errand_command {
	const char *name;
	const char *summary; /* one line */
	const char *help;    /* the whole text of --help */
	bool has_answers;    /* --answers, --sample-command */
	int min_words;       /* words after the options */
	int max_words;       /* -1: any number */
	/* The body, a task: talk is open. */
	void (*run)(struct errand *e);
};

/* One run. Owned by main, outlives the tasks. */
struct errand {
	const struct errand_command *command;
	struct url url;
	enum talk_era era;
	bool is_json;
	int64_t timeout_ms; /* CLOCK_NEVER: none */
	char **words;       /* what follows the URL; borrowed from argv */
	int n_words;
	struct asker asker;
	struct talk talk;
	int status; /* what the program returns unless something ended it */
};

/*
 * Read the command line of a subcommand (argv[0] is its name), run it, and
 * return the exit status of the program.
 */
int errand_main(const struct errand_command *command, int argc, char **argv);

/* Read "30", "1.5s", "500ms" or "2m". Returns milliseconds, or -1. */
int64_t errand_duration_ms(const char *text);

/* Print a value as one line of JSON on stdout; ends the program if it can't. */
void errand_print_json(const json_t *value);

/* Print a page on stdout; ends the program if that cannot be done. */
void errand_print(const struct page *p);

#endif
