/* SPDX-License-Identifier: MIT */
/* load: dlopen, checks, self-test, schemas. Runs once, at the start. */
#include "backend/load.h"

#include <bsd/sys/queue.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/must.h"
#include "common/flow/outside.h"
#include "common/flow/task.h"
#include "common/json/jsontext.h"

#include "backend/ask.h"

#define LOAD_STACK_MIN (64u * 1024)
#define LOAD_STACK_MAX (8u * 1024 * 1024)

struct load_place {
	TAILQ_ENTRY(load_place) link;
	struct tool tool;
	char *file; /* of the tool; ours */
};

TAILQ_HEAD(load_places, load_place);

struct load {
	struct load_places places;
	struct load_place **at;
	size_t n;
};

struct load *
load_new(void)
{
	struct load *const load = xmem_zalloc(1, sizeof(*load));

	/* Hashes are seeded before a step on another thread needs them. */
	json_object_seed(0);
	TAILQ_INIT(&load->places);
	return load;
}

static void
load_place_free(struct load_place *place)
{
	schema_free(&place->tool.input);
	schema_free(&place->tool.output);
	json_decref(place->tool.input_doc);
	json_decref(place->tool.output_doc);
	mem_free(place->file);
	mem_free(place);
}

void
load_free(struct load **loadp)
{
	struct load *const load = *loadp;
	struct load_place *place;

	*loadp = NULL;
	if (!load)
		return;
	while ((place = TAILQ_FIRST(&load->places))) {
		TAILQ_REMOVE(&load->places, place, link);
		load_place_free(place);
	}
	mem_free(load->at);
	mem_free(load);
}

size_t
load_n(const struct load *load)
{
	return load->n;
}

const struct tool *
load_at(const struct load *load, size_t i)
{
	must(i < load->n);
	return &load->at[i]->tool;
}

const struct tool *
load_find(const struct load *load, const char *name)
{
	const struct load_place *place;

	TAILQ_FOREACH (place, &load->places, link)
		if (!strcmp(place->tool.hl->name, name))
			return &place->tool;
	return NULL;
}

/* ---- the self-test --------------------------------------------------- */

/* One test of an object. */
struct load_test {
	const struct hl_object *object;
	int n_cleaned;
};

/* Called by the object: leave it by a halt. */
static void
load_halt(void)
{
	(void)task_halt(task_self(), NULL);
}

static void *
load_test_body(void *arg)
{
	struct load_test *const test = arg;

	test->object->self_test(load_halt, &test->n_cleaned);
	return NULL;
}

/*
 * Halt inside the object's code. An object that was built without
 * -fexceptions, or with tools that drop its tables, is unwound without
 * running its cleanups: it would leak at each cancelled call.
 */
static int
load_self_test(
    const struct hl_object *object, const char *file, struct err *err_r)
{
	struct load_test test = { .object = object };
	struct task *task task_auto = NULL;

	int rc = task_spawn(
	    &(struct task_spec){
		.name = "self-test", .body = load_test_body, .arg = &test },
	    &task);
	if (rc < 0)
		return err_set(err_r, rc, file, "out of memory");
	rc = task_await(task, NULL, NULL);
	if (rc == -ECANCELED && test.n_cleaned == 1)
		return 0;
	return err_set(err_r, -ENOEXEC, file,
	    "its code does not clean up when it is halted: compile it with "
	    "-fexceptions (pkg-config --cflags holdline)");
}

/* ---- one tool -------------------------------------------------------- */

/* What a failure is about: file and tool. */
struct load_where {
	const char *file;
	const char *tool;
};

/* Parse and compile one schema of a tool. */
static int
load_schema(const struct load_where *where, const char *which, const char *text,
    json_t **doc_r, struct schema **schema_r, struct err *err_r)
{
	struct err why;
	int rc = jsontext_load(slice_of(text), NULL, doc_r, &why);

	if (rc == 0 &&
	    strcmp("object",
		json_string_value(json_object_get(*doc_r, "type"))
		    ? json_string_value(json_object_get(*doc_r, "type"))
		    : ""))
		rc = err_set(&why, -EINVAL, "/type", "must be \"object\"");
	if (rc == 0)
		rc = schema_new(*doc_r, NULL, schema_r, &why);
	if (rc == 0)
		return 0;
	return err_set(err_r, rc == -ENOMEM ? rc : -EINVAL, where->file,
	    "tool %s: %s schema: %s%s%s", where->tool, which, why.place,
	    why.place[0] ? ": " : "", why.text);
}

/* What an object says about one of its tools. */
static int
load_check(const struct load *load, const struct hl_tool *hl, const char *file,
    struct err *err_r)
{
	if (!ask_is_key(hl->name))
		return err_set(err_r, -EINVAL, file,
		    "the name of tool number %zu is not 1 to %d characters "
		    "of A-Z a-z 0-9 _ . -",
		    load->n + 1, ASK_KEY_MAX);
	const struct tool *const other = load_find(load, hl->name);
	if (other)
		return err_set(err_r, -EEXIST, file,
		    "tool %s is defined in %s too", hl->name, other->file);
	if (load->n == LOAD_TOOLS)
		return err_set(
		    err_r, -E2BIG, file, "more than %d tools", LOAD_TOOLS);
	if (!hl->fn || !hl->description || !hl->input_schema)
		return err_set(err_r, -EINVAL, file,
		    "tool %s lacks its function, description or input schema",
		    hl->name);
	if (hl->stack_bytes && (hl->stack_bytes < LOAD_STACK_MIN ||
				   hl->stack_bytes > LOAD_STACK_MAX))
		return err_set(err_r, -EINVAL, file,
		    "tool %s: stack_bytes must be 0 or from %u to %u", hl->name,
		    LOAD_STACK_MIN, LOAD_STACK_MAX);
	return 0;
}

/* Put it behind the others in at. */
static void
load_append(struct load *load, struct load_place *place)
{
	struct load_place **const at =
	    xmem_zalloc(load->n + 1, sizeof(struct load_place *));

	if (load->n)
		memcpy(at, load->at, load->n * sizeof(struct load_place *));
	mem_free(load->at);
	load->at = at;
	load->at[load->n++] = place;
}

static int
load_tool(struct load *load, const struct hl_tool *hl, const char *file,
    struct err *err_r)
{
	const struct load_where where = { file, hl->name };
	int rc = load_check(load, hl, file, err_r);

	if (rc < 0)
		return rc;
	struct load_place *const place = xmem_zalloc(1, sizeof(*place));
	struct tool *const tool = &place->tool;
	place->file = xmem_strdup(file);
	tool->hl = hl;
	tool->file = place->file;
	rc = load_schema(&where, "input", hl->input_schema, &tool->input_doc,
	    &tool->input, err_r);
	if (rc == 0 && hl->output_schema)
		rc = load_schema(&where, "output", hl->output_schema,
		    &tool->output_doc, &tool->output, err_r);
	if (rc < 0) {
		load_place_free(place);
		return rc;
	}
	load_append(load, place);
	TAILQ_INSERT_TAIL(&load->places, place, link);
	return 0;
}

/* ---- one object ------------------------------------------------------ */

int
load_add(struct load *load, const struct hl_object *object, const char *file,
    struct err *err_r)
{
	if (object->abi != HL_ABI ||
	    object->tool_bytes != sizeof(struct hl_tool))
		return err_set(err_r, -EPROTO, file,
		    "it was built for another holdline (its ABI is %u, ours "
		    "is %u): compile it again",
		    object->abi, HL_ABI);
	int rc = load_self_test(object, file, err_r);
	for (size_t i = 0; rc == 0 && object->tools[i]; i++)
		rc = load_tool(load, object->tools[i], file, err_r);
	return rc;
}

struct load_opening {
	const char *file;
	void *handle;
};

/* Its constructors run, which know nothing of a task's small stack. */
static void
load_dlopen(void *arg)
{
	struct load_opening *const opening = arg;

	opening->handle = dlopen(opening->file, RTLD_NOW | RTLD_LOCAL);
}

int
load_open(struct load *load, const char *file, struct err *err_r)
{
	if (!strchr(file, '/'))
		return err_set(err_r, -ELIBACC, file,
		    "the path of a tool must contain a /");
	struct load_opening opening = { .file = file };
	flow_outside(load_dlopen, &opening);
	void *const handle = opening.handle;
	if (!handle)
		return err_set(
		    err_r, -ELIBACC, file, "cannot be loaded: %s", dlerror());
	const struct hl_object *const object = dlsym(handle, HL_OBJECT_SYMBOL);
	if (!object)
		return err_set(err_r, -ENOEXEC, file,
		    "it is no holdline tool: it has no HL_TOOLS");
	return load_add(load, object, file, err_r);
}
