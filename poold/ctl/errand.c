/* SPDX-License-Identifier: MIT */
/* errand: options, tasks, deadline, status. */
#include "poold/ctl/errand.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/flow/main.h"
#include "common/flow/sleep.h"
#include "common/json/jsontext.h"

#include "poold/ctl/quit.h"
#include "poold/ctl/screen.h"

#define ERRAND_TIMEOUT_MAX_S (366 * 86400)

enum errand_option {
	ERRAND_ANSWERS = 256,
	ERRAND_SAMPLE,
	ERRAND_ERA,
	ERRAND_JSON,
	ERRAND_TIMEOUT,
};

/* Those for questions come first: commands without questions skip them. */
static const struct option errand_options[] = {
	{ "answers", required_argument, NULL, ERRAND_ANSWERS },
	{ "sample-command", required_argument, NULL, ERRAND_SAMPLE },
	{ "era", required_argument, NULL, ERRAND_ERA },
	{ "json", no_argument, NULL, ERRAND_JSON },
	{ "timeout", required_argument, NULL, ERRAND_TIMEOUT },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

int64_t
errand_duration_ms(const char *text)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = { { "", 1000 }, { "s", 1000 }, { "ms", 1 }, { "m", 60000 },
		{ "h", 3600000 } };
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	const double n = strtod(text, &end);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		const double ms = n * units[i].ms;
		return ms >= 1 && ms <= ERRAND_TIMEOUT_MAX_S * 1000.0
		           ? (int64_t)ms
		           : -1;
	}
	return -1;
}

/* "see holdline call --help", after what was wrong. */
static int
errand_usage(const struct errand *e, const char *wrong)
{
	return quit_before(
	    QUIT_USAGE, "%s; see: holdline %s --help", wrong, e->command->name);
}

/* Take one option. Returns -1 to go on, else the exit status. */
static int
errand_take(struct errand *e, int option, const char *value)
{
	switch (option) {
	case ERRAND_ANSWERS:
		e->asker.answers_path = value;
		return -1;
	case ERRAND_SAMPLE:
		e->asker.sample_command = value;
		return -1;
	case ERRAND_JSON:
		e->is_json = true;
		return -1;
	case ERRAND_ERA:
		if (strcmp(value, "2025") == 0)
			e->era = TALK_ERA_2025;
		else if (strcmp(value, "2026") == 0)
			e->era = TALK_ERA_2026;
		else
			return errand_usage(e, "--era is 2025 or 2026");
		return -1;
	case ERRAND_TIMEOUT:
		e->timeout_ms = errand_duration_ms(value);
		if (e->timeout_ms < 0)
			return errand_usage(e,
			    "--timeout takes seconds, or a number with ms, "
			    "s, m or h");
		return -1;
	default:
		fputs(e->command->help, stdout);
		return 0;
	}
}

/* Read the options. Returns -1 to go on, else the exit status. */
static int
errand_parse(struct errand *e, int argc, char **argv)
{
	const struct option *const options =
	    e->command->has_answers ? errand_options : errand_options + 2;
	char wrong[160];
	int option;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) >= 0) {
		if (option == '?' || option == ':') {
			snprintf(wrong, sizeof(wrong), "%s %.100s",
			    option == '?' ? "there is no option"
					  : "a value is missing after",
			    argv[optind - 1]);
			return errand_usage(e, wrong);
		}
		const int status = errand_take(e, option, optarg);
		if (status >= 0)
			return status;
	}
	e->words = argv + optind;
	e->n_words = argc - optind;
	return -1;
}

/* Read the URL and count the words. Returns -1 to go on, else a status. */
static int
errand_words(struct errand *e)
{
	const struct errand_command *const c = e->command;
	struct err why;

	if (e->n_words < c->min_words)
		return errand_usage(e,
		    e->n_words == 0
			? "the address of the server is missing"
			: "the name of the tool is missing (holdline tools URL lists "
			  "them)");
	if (c->max_words >= 0 && e->n_words > c->max_words)
		return errand_usage(e, "there is a word too much");
	if (url_parse(e->words[0], &e->url, &why) < 0)
		return quit_before(QUIT_USAGE, "%s: %s", why.place, why.text);
	e->words++;
	e->n_words--;
	if (!e->asker.answers_path)
		return -1;
	if (answers_load(e->asker.answers_path, &e->asker.answers, &why) < 0)
		return quit_before(QUIT_USAGE, "%s", why.text);
	return -1;
}

/* Task: ends the program when the whole takes too long. */
static void *
errand_watch(void *arg)
{
	const struct errand *const e = arg;

	flow_sleep(e->timeout_ms);
	quit_with(QUIT_PEER, "no result within %.3g s (--timeout)",
	    (double)e->timeout_ms / 1000);
}

/* The errand itself, in a scope of its own. */
static void *
errand_do(void *arg)
{
	struct errand *const e = arg;

	talk_open(&e->talk, &e->url, e->era);
	e->command->run(e);
	return NULL;
}

/* Task: on a stack that schemas fit on. What fails has a status of ours. */
static void *
errand_body(void *arg)
{
	struct err why;

	if (scope_call(errand_do, arg, NULL, &why) < 0)
		quit_with(QUIT_PEER, "%s", why.text);
	return NULL;
}

/* The root task. */
static void *
errand_root(void *arg)
{
	struct errand *const e = arg;
	const struct task_spec watch = {
		.name = "timeout", .body = errand_watch, .arg = e
	};
	const struct task_spec body = { .name = "errand",
		.body = errand_body,
		.arg = e,
		.stack_bytes = FLOW_TOOL_STACK_BYTES };
	struct task *task task_auto = NULL;

	if ((e->timeout_ms != CLOCK_NEVER && task_spawn(&watch, NULL) < 0) ||
	    task_spawn(&body, &task) < 0)
		quit_with(QUIT_PEER, "out of memory");
	(void)task_await(task, NULL, NULL);
	return NULL;
}

/* A second Ctrl-C: the goodbyes to the server are not waited for. */
static void
errand_on_hurry(int signo)
{
	_exit(128 + signo);
}

int
errand_main(const struct errand_command *command, int argc, char **argv)
{
	struct errand e = { .command = command, .timeout_ms = CLOCK_NEVER };

	signal(SIGPIPE, SIG_IGN);
	int status = errand_parse(&e, argc, argv);
	if (status < 0)
		status = errand_words(&e);
	if (status >= 0) {
		answers_free(&e.asker.answers);
		return status;
	}
	status = flow_main(errand_root, &e, errand_on_hurry);
	if (flow_main_signal())
		screen_answered(false);
	answers_free(&e.asker.answers);
	return status ? status : e.status;
}

void
errand_print(const struct page *p)
{
	const int rc = p->rc < 0 ? p->rc : screen_result(p);

	if (rc < 0)
		quit_with(QUIT_PEER, "the result cannot be written: %s",
		    strerrordesc_np(-rc));
}

void
errand_print_json(const json_t *value)
{
	page_auto struct page p;
	char *const text = jsontext_dump(value, SIZE_MAX);

	page_init(&p, false);
	if (!text)
		quit_with(QUIT_PEER, "out of memory");
	page_put(&p, text);
	page_put(&p, "\n");
	mem_free(text);
	errand_print(&p);
}
