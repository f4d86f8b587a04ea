/* SPDX-License-Identifier: MIT */
/*
 * ctx_input: private to ctx*.c: the one way in which a tool gets something from
 * outside, and what all that a tool calls does when memory is short.
 */
#ifndef BACKEND_CTX_INPUT_H
#define BACKEND_CTX_INPUT_H

#include <stdarg.h>
#include <stdbool.h>

#include <jansson.h>

#include "backend/ctx.h"

#define CTX_MAGIC 0x686c6378u

/* What kind of input a tool gets; names are counted for each prefix. */
enum ctx_input {
	CTX_ARGUMENTS,
	CTX_ELICIT,
	CTX_SAMPLE,
	CTX_STEP,
	CTX_SLEEP,
	CTX_FD,
	CTX_NOW,
	CTX_RANDOM,
};

/* Gets an input from outside under its name. *new*; ends the tool instead. */
typedef json_t *ctx_fetch_fn(struct hl_ctx *ctx, const char *name, void *arg);

/*
 * Get an input: its name is key, key#2, … of its kind. *new*. Every input of a
 * tool comes through here, once, in the order in which the tool asks for it.
 */
json_t *ctx_input(struct hl_ctx *ctx, enum ctx_input kind, const char *key,
    ctx_fetch_fn *fetch, void *arg);

/* Forget which names were used; the tool has ended. */
void ctx_input_forget(struct hl_ctx *ctx);

/* Memory is short: this tool ends, nothing else does. */
void ctx_no_memory(void) __attribute__((noreturn));

/* value, or the end of the tool when there was no memory for it. */
json_t *ctx_got(json_t *value);

/* Format a text of the tool; ends the tool without memory. *new* (mem_free). */
char *ctx_vformat(const char *fmt, va_list ap);
char *ctx_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Free a text however the frame is left. */
void ctx_free_text(char **text);
#define ctx_auto_text __attribute__((cleanup(ctx_free_text)))

/* Whether the calling task runs a finaliser of the tool. */
bool ctx_is_teardown(const struct hl_ctx *ctx);

#endif
