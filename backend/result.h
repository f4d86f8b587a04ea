/* SPDX-License-Identifier: MIT */
/*
 * result: what a tool returns, as MCP's CallToolResult: {content, isError?,
 * structuredContent?}. Pure; the calls for tools are in holdline.h.
 * Source: MCP server/tools (Tool Result)
 */
#ifndef BACKEND_RESULT_H
#define BACKEND_RESULT_H

#include <stdarg.h>
#include <stdbool.h>

#include <jansson.h>

#include "common/base/err.h"

#define RESULT_TEXT_BYTES (1u << 20) /* of one formatted text */

/*
 * Format a text that is valid UTF-8 (bytes that are not become '?'), at most
 * RESULT_TEXT_BYTES long. *new* (mem_free), or NULL without memory.
 */
char *result_vformat(const char *fmt, va_list ap)
    __attribute__((format(printf, 1, 0)));

/* A result with one text and, if so, isError. *new*, or NULL. */
json_t *result_text(const char *text, bool is_error);

/*
 * Whether value (*borrowed*) is a result that can be sent: an object with an
 * array of typed blocks, not too deep, not over ENTRIES_BYTES. Returns 0,
 * -EINVAL or -EMSGSIZE with a sentence, or -ENOMEM.
 */
int result_check(const json_t *value, struct err *err_r);

/* Whether a result says that it is an error. */
bool result_is_error(const json_t *value);

#endif
