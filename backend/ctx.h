/* SPDX-License-Identifier: MIT */
/*
 * ctx: a session as its tool sees it. Implements the calls of holdline.h that
 * wait or tell. Everything a tool learns from outside passes through one
 * function, ctx_input, with its kind, its name and its ordinal: that is where a
 * journal stands when there is one. Never includes a face.
 */
#ifndef BACKEND_CTX_H
#define BACKEND_CTX_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdint.h>

#include "backend/session.h"

/* How a tool ended itself; nothing of it if it returned. */
enum ctx_end {
	CTX_END_NONE,
	CTX_END_RESULT, /* hl_fail: result */
	CTX_END_NEEDS,  /* a capability is missing: needs */
};

/* A finaliser that runs now: its task may ask nobody. */
struct ctx_teardown {
	LIST_ENTRY(ctx_teardown) link;
	const struct task *task;
};

LIST_HEAD(ctx_teardowns, ctx_teardown);

RB_HEAD(ctx_counts, ctx_count);

/* Embedded in the run of the tool, which outlives all its tasks. */
struct hl_ctx {
	uint32_t magic;
	struct session *session;  /* borrowed: it outlives its run */
	struct ctx_counts counts; /* how often each name was used */
	json_t *args;
	struct ctx_teardowns teardowns;
	enum ctx_end end;
	json_t *result;
	json_t *needs;
};

/*
 * Scratch of all tools: filled and read without a wait in between. On the
 * stack a parked tool would need a second page for it.
 */
struct err *ctx_err(void);

/* Fill *ctx for a session. */
void ctx_init(struct hl_ctx *ctx, struct session *session);

/* Free what ctx holds. */
void ctx_fini(struct hl_ctx *ctx);

/* The tool's arguments, the first of its inputs. *borrowed*. May fail it. */
json_t *ctx_arguments(struct hl_ctx *ctx);

#endif
