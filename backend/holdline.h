/* SPDX-License-Identifier: MIT */
/*
 * holdline: what a tool is written with. A tool is one function that runs
 * straight on; where it asks a person or a model something, it stops and goes
 * on when the answer is there, minutes or days later. It is a shared object:
 *
 *     cc -shared -fPIC $(pkg-config --cflags holdline) -o my.so my.c
 *
 * It needs no library: the backend that loads it has all of this.
 *
 * Memory: "borrowed" is used during the call only, "new" is yours: bind it to
 * an hl_auto local on the line where it is made. Every call marked "waits"
 * may never return: when the client cancels, or the tool fails, the stack is
 * unwound, hl_auto locals release themselves and finalisers (hl_ensure) run.
 * So nothing has to be checked after a wait, and no cleanup of a local may
 * itself call a function that waits. No call here returns NULL for want of
 * memory unless it says so: the tool is ended instead.
 *
 * All calls but those in a step function are made on the tool's own stack.
 *
 * A child process that the tool starts outside of a step is waited for within
 * two seconds of its death: after that its status may be gone, since this
 * process may have to take in what nobody waits for. In a step there is no
 * such limit.
 */
#ifndef HOLDLINE_H
#define HOLDLINE_H

#ifndef __EXCEPTIONS
#error \
    "a halted tool is unwound: compile with -fexceptions (pkg-config --cflags holdline)"
#endif

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* One run of a tool; valid until the tool returns. */
struct hl_ctx;

/* Release what a local holds. Not called by hand: see hl_auto. */
static inline void
hl_release(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}

/* `hl_auto json_t *x = …;` releases itself however the function is left. */
#define hl_auto __attribute__((cleanup(hl_release), unused))

/* ---- asking ---------------------------------------------------------- */

/*
 * Ask the person. key names the question within this run ([A-Za-z0-9_.-],
 * 1 to 64; asked again it becomes `key#2`); schema (*borrowed*) is the form:
 * an object of strings, numbers, booleans and choices. Returns *new*: the
 * content that the person sent, checked against the form; or, when the person
 * declined or dismissed the question, a value for which hl_accepted is false.
 * A client that cannot be asked ends the tool. Waits.
 * Source: MCP client/elicitation
 */
json_t *hl_elicit(
    struct hl_ctx *ctx, const char *key, const char *message, json_t *schema);

/* Whether the person answered: pick (*borrowed*) is the content then. */
int hl_accepted(const json_t *pick);

/* "accept", "decline" or "cancel"; valid as long as pick (*borrowed*). */
const char *hl_action(const json_t *pick);

/*
 * Ask the client's model; fmt is the prompt. Returns *new*: the model's
 * message {role, content, model, stopReason}. A client without a model, or
 * one that answers with an error, ends the tool. Waits.
 * Source: MCP client/sampling
 */
json_t *hl_sample(struct hl_ctx *ctx, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with a key of its own ("sample" above) and a limit of tokens. */
json_t *hl_sample_as(struct hl_ctx *ctx, const char *key, int max_tokens,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The first text in a model's message, "" if none; valid as long as tip. */
const char *hl_said(const json_t *tip);

/* ---- doing ----------------------------------------------------------- */

/*
 * A step: whatever blocks or acts on the world. Gets a copy of args of its
 * own (*borrowed*), returns *new*; NULL means that it failed. Runs on a helper
 * thread, where no signal is blocked, nor in what it starts: it touches nothing
 * of the tool, calls nothing of this header but hl_text, hl_result and
 * hl_error, and always returns.
 */
typedef json_t *hl_step_fn(json_t *args);

/*
 * Run fn on a deep copy of args (*borrowed*, may be NULL) and wait for it.
 * name as the key of hl_elicit. A halt does not wait for it: it runs to its
 * end alone and its value is dropped. Returns *new*; a step that returned
 * NULL ends the tool. Waits.
 */
json_t *
hl_step(struct hl_ctx *ctx, const char *name, hl_step_fn *fn, json_t *args);

/* Wait for ms milliseconds. Waits. */
void hl_sleep(struct hl_ctx *ctx, int64_t ms);

#define HL_READ  1u
#define HL_WRITE 2u

/*
 * Wait until fd (*borrowed*) is ready for one of events (HL_READ | HL_WRITE)
 * or timeout_ms have passed (-1: for ever). Returns the events that are ready
 * (> 0), 0 after the timeout, or -errno (EPERM for a plain file). Waits.
 */
int hl_wait_fd(struct hl_ctx *ctx, int fd, unsigned events, int64_t timeout_ms);

/* Milliseconds since 1970-01-01 UTC. */
int64_t hl_now(struct hl_ctx *ctx);

/* Fill n bytes (at most 4096) at buf with unguessable ones. */
void hl_random(struct hl_ctx *ctx, void *buf, size_t n);

/* ---- telling --------------------------------------------------------- */

/* How much a message matters (RFC 5424 6.2.1). */
enum hl_level {
	HL_DEBUG,
	HL_INFO,
	HL_NOTICE,
	HL_WARNING,
	HL_ERROR,
	HL_CRITICAL,
	HL_ALERT,
	HL_EMERGENCY,
};

/*
 * Say how far the tool is: done of total (0: not known) with a message (may
 * be NULL). Only growing values of done are told; of a flood, the last.
 */
void
hl_progress(struct hl_ctx *ctx, double done, double total, const char *message);

/* Tell the client something. A tool that floods it is ended. */
void hl_log(struct hl_ctx *ctx, enum hl_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- ending ---------------------------------------------------------- */

/* A result that is one text. Returns *new*, or NULL without memory. */
json_t *hl_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * A result made as json_pack makes it (`s:O` borrows, `s:o` takes): an object
 * as structuredContent, and the same as text. Returns *new*, or NULL when the
 * format and its values do not make one.
 */
json_t *hl_result(const char *fmt, ...);

/* A result that says what went wrong. *new*, or NULL without memory. */
json_t *hl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* End the tool from any depth with the result hl_error makes. */
void hl_fail(struct hl_ctx *ctx, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/*
 * Call fn(arg) when the tool ends, however it ends; last registered first.
 * fn may wait (hl_sleep, hl_wait_fd, hl_step), is not interrupted, and asks
 * nobody. It runs after the locals of the tool are gone: arg must not point
 * at one. Registered or not, fn is called exactly once.
 */
void hl_ensure(struct hl_ctx *ctx, void (*fn)(void *arg), void *arg);

/* ---- declaring ------------------------------------------------------- */

/* A tool. Takes its arguments (*borrowed*), returns a *new* result. */
typedef json_t *hl_tool_fn(struct hl_ctx *ctx, json_t *args);

/* What the backend knows of a tool; all of it lives as long as the object. */
struct hl_tool {
	const char *name;          /* [A-Za-z0-9_.-], 1 to 64 */
	const char *title;         /* for people; NULL: none */
	const char *description;   /* what it does, for people and models */
	const char *input_schema;  /* JSON Schema 2020-12 of the arguments */
	const char *output_schema; /* of structuredContent; NULL: none */
	hl_tool_fn *fn;
	size_t stack_bytes; /* 0: 256 KiB */
};

#define HL_ABI 1

/* What a loaded object shows; made by HL_TOOLS. */
struct hl_object {
	uint32_t abi;                       /* HL_ABI */
	uint32_t tool_bytes;                /* sizeof(struct hl_tool) */
	const struct hl_tool *const *tools; /* NULL ends it */
	/* Calls halt below a cleanup, which must count in *n_cleaned. */
	void (*self_test)(void (*halt)(void), int *n_cleaned);
};

#define HL_OBJECT_SYMBOL "holdline_object"

static inline void
hl_self_cleanup(int **n_cleaned)
{
	++**n_cleaned;
}

/* The loader halts in here: does this object run its cleanups then? */
static __attribute__((unused, noinline)) void
hl_self_test(void (*halt)(void), int *n_cleaned)
{
	__attribute__((unused, cleanup(hl_self_cleanup))) int *mine = n_cleaned;

	halt();
}

/*
 * `HL_TOOLS(&one, &two);` once in an object, at file level. The section of its
 * own keeps AddressSanitizer from taking the objects of a backend, which all
 * export this name, for one variable that is defined twice.
 */
#define HL_TOOLS(...)                                                          \
	static const struct hl_tool *const hl_tools[] = { __VA_ARGS__, NULL }; \
	extern const struct hl_object holdline_object                          \
	    __attribute__((visibility("default"), section("holdline")));       \
	const struct hl_object holdline_object = { HL_ABI,                     \
		sizeof(struct hl_tool), hl_tools, hl_self_test }

#endif
