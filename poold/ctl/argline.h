/* SPDX-License-Identifier: MIT */
/*
 * argline: what stands on the command line, key=value, becomes the arguments
 * of a tool, typed by its inputSchema; and what a tool takes is told to a
 * person. Pure.
 *
 *	key=text     typed by the schema: text, a number, yes or no, JSON
 *	key:=json    JSON as it stands
 */
#ifndef CTL_ARGLINE_H
#define CTL_ARGLINE_H

#include <jansson.h>

#include "common/base/err.h"

#include "poold/ctl/page.h"

/*
 * Build the arguments of a tool (*borrowed*, an element of tools/list) out of
 * n words. *args_r is a *new* object. What is required but missing is not an
 * error here. Returns 0, -EINVAL (no key, a key twice, one that the tool does
 * not take, a value of the wrong type; err_r->text is a sentence) or -ENOMEM.
 */
int argline_build(json_t *tool, char *const *words, size_t n, json_t **args_r,
    struct err *err_r);

/*
 * Check whole arguments against the tool's inputSchema. A schema that cannot
 * be compiled checks nothing: the server will. Returns 0 or -EINVAL.
 */
int argline_check(json_t *tool, json_t *args, struct err *err_r);

/* The property of an argument in the tool's inputSchema, or NULL; borrowed. */
json_t *argline_property(const json_t *tool, const char *key);

/* Tell what a tool takes: one line an argument. */
void argline_describe(struct page *p, const json_t *tool);

#endif
