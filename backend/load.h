/* SPDX-License-Identifier: MIT */
/*
 * load: the tools of this backend. Opens the configured shared objects, checks
 * what they show, compiles their schemas, and halts inside each object once
 * to see that its cleanups run. Every failure is a sentence that names the
 * file. Objects are never unloaded: a step that nobody waits for may still
 * run in one.
 */
#ifndef BACKEND_LOAD_H
#define BACKEND_LOAD_H

#include <stddef.h>

#include <jansson.h>

#include "common/base/err.h"
#include "common/json/schema.h"

#include "backend/holdline.h"

#define LOAD_TOOLS 1000 /* in one backend */

/* A tool that can be called. Owned by the load, immutable. */
struct tool {
	const struct hl_tool *hl; /* the object's */
	const char *file;
	json_t *input_doc;  /* its input schema as written: for tools/list */
	json_t *output_doc; /* NULL: none */
	struct schema *input;
	struct schema *output;
};

/* All tools of the backend, in the order of configuration. */
struct load;

/* No tools yet. Returns *new* (load_free); aborts without memory: start-up. */
struct load *load_new(void);

/* Free *load; NULL is allowed. No session may be left. */
void load_free(struct load **load);

/*
 * Open file, a path with a '/', and add its tools. To be called by a task.
 * Returns 0 or -errno: -ELIBACC it cannot be opened, -ENOEXEC not a holdline
 * object or its self-test failed, -EPROTO another ABI, -EINVAL a bad name or
 * schema, -EEXIST a name twice, -E2BIG too many tools; err_r->place is the
 * file, err_r->text says tool, place in the schema and what is wrong. After an
 * error the load may hold some of its tools: give up. Waits.
 */
int load_open(struct load *load, const char *file, struct err *err_r);

/* The same for an object that is linked in (tests). Waits. */
int load_add(struct load *load, const struct hl_object *object,
    const char *file, struct err *err_r);

/* How many tools there are. */
size_t load_n(const struct load *load);

/* Tool i, from 0, i < load_n. *borrowed* until load_free. */
const struct tool *load_at(const struct load *load, size_t i);

/* The tool of that name or NULL. *borrowed* until load_free. */
const struct tool *load_find(const struct load *load, const char *name);

#endif
