/* SPDX-License-Identifier: MIT */
/*
 * session_script: runs tools with scripted answers, without HTTP. A test body
 * is a task with a load and a registry; what a session tells is noted in the
 * trace of flow_harness.h as LSN:kind=what.
 */
#ifndef SESSION_SCRIPT_H
#define SESSION_SCRIPT_H

#include <libgen.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/registry.h"
#include "backend/run.h"

#include "tests/unit/flow_harness.h"

/* What the client says to one question: JSON, or "!text" for an error. */
struct script_line {
	const char *name; /* NULL ends the script */
	const char *answer;
};

/* Everything a client is in these tests. */
#define CAPS_ALL "{\"elicitation\": {}, \"sampling\": {}}"

/* The bench: what a test body works with. */
static struct {
	struct keeper keeper;
	struct load *load;
	struct registry *registry;
	struct registry_spec spec;
	void (*body)(void);
	const struct hl_object *object;
	const char *file; /* NULL, or an object of the build to load */
} bench;

/* The path of a tool of this build: tests stand in tests/unit. */
__attribute__((unused)) static const char *
built_tool(const char *name)
{
	static char path[512];
	char exe[400];

	const ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	must(n > 0);
	exe[n] = '\0';
	snprintf(path, sizeof(path), "%s/../../backend/tools/%s", dirname(exe),
	    name);
	return path;
}

static void *
bench_keep(void *arg)
{
	keeper_run(&bench.keeper);
	return NULL;
}

/* Start the keeper in the current scope; it ends with that. */
__attribute__((unused)) static struct keeper *
bench_keeper(void)
{
	const struct task_spec spec = { .name = "keeper", .body = bench_keep };

	keeper_init(&bench.keeper);
	must(task_spawn(&spec, NULL) == 0);
	return &bench.keeper;
}

static void *
bench_main(void *arg)
{
	struct err err;

	bench.load = load_new();
	if (bench.object && load_add(bench.load, bench.object, "test", &err))
		must_fail(__FILE__, __LINE__, err.text);
	if (bench.file && load_open(bench.load, bench.file, &err))
		must_fail(__FILE__, __LINE__, err.text);
	bench.spec.keeper = bench_keeper();
	bench.registry = registry_new(&bench.spec);
	must(bench.registry);
	bench.body();
	must(registry_shut(bench.registry, CLOCK_NEVER) == 0);
	registry_free(&bench.registry);
	load_free(&bench.load);
	return NULL;
}

/* Run body as a task; afterwards traced() tells what happened. */
__attribute__((unused)) static void
bench_run(void (*body)(void))
{
	if (!bench.spec.max_sessions)
		bench.spec = (struct registry_spec){ .max_sessions = 100,
			.session_timeout_ms = CLOCK_NEVER,
			.linger_ms = 60000 };
	bench.body = body;
	run_flow_plain(bench_main, NULL);
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}

/* Parse JSON that stands in a test. */
static json_t *
parsed(const char *text)
{
	json_t *const value =
	    json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);

	must(value);
	return value;
}

/* The first text of a result. */
static const char *
result_said(const json_t *result)
{
	return json_string_value(json_object_get(
	    json_array_get(json_object_get(result, "content"), 0), "text"));
}

/* Note what an entry says. */
static void
note_entry(const struct entry *e)
{
	char *needs;

	switch (e->kind) {
	case ENTRY_PROGRESS:
		note("%d:progress=%g/%g%s%s", (int)e->lsn, e->done, e->total,
		    e->text ? "," : "", e->text ? e->text : "");
		return;
	case ENTRY_LOG:
		note("%d:log=%d,%.40s", (int)e->lsn, e->level, e->text);
		return;
	case ENTRY_ASK:
	case ENTRY_ANSWERED:
		note("%d:%s=%s", (int)e->lsn, entry_kind_name(e->kind),
		    e->ask->name);
		return;
	case ENTRY_RESULT:
		note("%d:%s=%s", (int)e->lsn,
		    json_object_get(e->data, "isError") ? "error" : "result",
		    result_said(e->data));
		return;
	case ENTRY_FAILED:
		needs = e->data ? json_dumps(e->data, JSON_COMPACT) : NULL;
		note(
		    "%d:failed=%s%s", (int)e->lsn, e->text, needs ? needs : "");
		free(needs);
		return;
	case ENTRY_CANCELLED:
		note("%d:cancelled=%s,%s", (int)e->lsn,
		    entry_reason_name(e->reason), e->text);
		return;
	}
}

/* Give one answer; note the error if it is not taken. Returns its code. */
__attribute__((unused)) static int
answer(struct session *s, const char *name, const char *text)
{
	struct err err = { 0 };
	int rc;

	if (text[0] == '!') {
		rc = session_refuse(s, name, text + 1, &err);
	} else {
		json_t *const value = parsed(text);
		rc = session_answer(s, name, value, &err);
		json_decref(value);
	}
	if (rc < 0)
		note("[%s %s %s]", strerrorname_np(-rc), err.place, err.text);
	return rc;
}

/* The script's answer for a question; NULL: it stays open. */
__attribute__((unused)) static const char *
script_find(const struct script_line *script, const char *name)
{
	for (; script && script->name; script++)
		if (!strcmp(script->name, name))
			return script->answer;
	return NULL;
}

/* Notes each entry and answers under the call that publishes a question. */
__attribute__((unused)) static void
script_on_entry(struct session *s, const struct entry *e, void *arg)
{
	note_entry(e);
	if (e->kind != ENTRY_ASK)
		return;
	const char *const text = script_find(arg, e->ask->name);
	if (text)
		answer(s, e->ask->name, text);
}

/* What a client with these capabilities (JSON or NULL) can be asked. */
static unsigned
can_of(const char *caps)
{
	hl_auto json_t *declared = caps ? parsed(caps) : NULL;

	return ask_can(declared);
}

/* Start a tool; NULL args is none; caps is JSON or NULL. Held. */
__attribute__((unused)) static struct session *
bench_start(const char *tool, const char *args, const char *caps,
    const struct script_line *script)
{
	struct session *s;
	struct err err;
	struct session_spec spec = {
		.tool = load_find(bench.load, tool),
		.args = args ? parsed(args) : NULL,
		.can = can_of(caps),
		.on_entry = script_on_entry,
		.on_entry_arg = (void *)script,
	};

	must(spec.tool);
	const int rc = registry_start(bench.registry, &spec, &s, &err);
	json_decref(spec.args);
	if (rc < 0)
		note("[%s %s]", strerrorname_np(-rc), err.text);
	return s;
}

/* Run a tool to its end. */
__attribute__((unused)) static void
bench_play(const char *tool, const char *args, const char *caps,
    const struct script_line *script)
{
	struct session *s session_auto = bench_start(tool, args, caps, script);

	must(session_wait_end(s, CLOCK_NEVER) == 0);
}

#endif
