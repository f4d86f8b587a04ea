/* SPDX-License-Identifier: MIT */
/*
 * notice: what all faces say in the same words: tools, questions, progress
 * and log messages as JSON. Pure; every result is *new*, NULL without memory.
 * Source: MCP server/tools, basic/utilities/progress, server/utilities/logging
 */
#ifndef BACKEND_NOTICE_H
#define BACKEND_NOTICE_H

#include <stdbool.h>

#include <jansson.h>

#include "common/base/err.h"

#include "backend/entries.h"
#include "backend/load.h"

/*
 * The array of all tools in the order of configuration, schemas verbatim.
 * has_structured: the revision knows title and outputSchema.
 */
json_t *notice_tools(const struct load *load, bool has_structured);

/* notifications/progress for an entry; token (*borrowed*) is the client's. */
json_t *notice_progress(const struct entry *entry, json_t *token);

/* notifications/message for an entry. */
json_t *notice_log(const struct entry *entry);

/* The params of a question; has_mode: an elicitation says mode: form. */
json_t *notice_ask_params(const struct ask *ask, bool has_mode);

/* The level of that name, or -1. */
int notice_level(const char *name);

/* A CallToolResult that is an error with that text. */
json_t *notice_error_result(const char *text);

/*
 * What params (*borrowed*) of tools/call ask for. *token_r (may be NULL as a
 * result) and *args_r are *borrowed* from params; *args_r NULL: none given.
 * Returns the tool, or NULL with err_r->text for the client.
 */
const struct tool *notice_call(const struct load *load, json_t *params,
    json_t **args_r, json_t **token_r, struct err *err_r);

#endif
