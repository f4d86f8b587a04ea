/* SPDX-License-Identifier: MIT */
/*
 * ask: one question that a session waits on: an elicitation or a sample. It
 * is made before anybody can see it, so that an answer can never come too
 * early, and kept until the session is freed, so that a late or second answer
 * is told apart from an unknown one. Decides what is an answer; sends nothing.
 * Source: MCP client/elicitation, client/sampling (all revisions)
 */
#ifndef BACKEND_ASK_H
#define BACKEND_ASK_H

#include <bsd/sys/queue.h>
#include <stdbool.h>

#include <jansson.h>

#include "common/base/err.h"
#include "common/flow/latch.h"

#define ASK_KEY_MAX    64 /* bytes of a key a tool gives */
#define ASK_NAME_BYTES 80 /* key, '#', ordinal, NUL */

/* Who is asked. */
enum ask_kind {
	ASK_ELICIT, /* the person; method elicitation/create */
	ASK_SAMPLE, /* the model; method sampling/createMessage */
};

enum ask_state {
	ASK_OPEN,      /* an answer is wanted */
	ASK_ANSWERED,  /* the tool has its answer, or the client's refusal */
	ASK_WITHDRAWN, /* the tool does not wait for it any more */
};

/*
 * A question. Owned by its session; *borrowed* by everybody else until the
 * session is let go of. kind, name and params never change.
 */
struct ask {
	TAILQ_ENTRY(ask) link; /* the session's */
	enum ask_kind kind;
	enum ask_state state;
	char name[ASK_NAME_BYTES]; /* unique in its session: `key`, `key#2` */
	/*
	 * The params of the request, the same in all revisions: {message,
	 * requestedSchema}, or {messages, maxTokens}; as compact text.
	 */
	char *params;
	struct latch latch; /* set once: 0, or -EREMOTEIO for a refusal */
	json_t *value;      /* what the tool gets, or the refusal as a string */
};

TAILQ_HEAD(ask_list, ask);

/* Whether key may name a question or a step: [A-Za-z0-9_.-], 1 to 64. */
bool ask_is_key(const char *key);

/*
 * Make an elicitation; schema is *borrowed*. *ask_r is *new*
 * (ask_free). Returns 0, -EINVAL (schema is not a form; err_r says where) or
 * -ENOMEM.
 */
int ask_new_elicit(const char *name, const char *message, json_t *schema,
    struct ask **ask_r, struct err *err_r);

/* Make a sample of one user message. Returns 0 or -ENOMEM. */
int ask_new_sample(const char *name, const char *prompt, int max_tokens,
    struct ask **ask_r, struct err *err_r);

/* Free *ask; NULL is allowed. Nobody may wait for it. */
void ask_free(struct ask **ask);

/*
 * Check an answer (*borrowed*): an ElicitResult {action, content} or a
 * CreateMessageResult. *value_r is *new*: what the tool gets. Changes nothing.
 * Returns 0, -EINVAL (err_r->place is a JSON pointer into answer) or -ENOMEM.
 */
int ask_check(
    const struct ask *ask, json_t *answer, json_t **value_r, struct err *err_r);

/* The bit of a kind in what a client can be asked. */
#define ASK_CAN(kind) (1u << (kind))

/*
 * What a client can be asked: its ClientCapabilities (NULL: none) as a set of
 * ASK_CAN, of which many sessions keep one.
 * Source: MCP 2026-07-28 client/elicitation 51-81 ({} means form)
 */
unsigned ask_can(const json_t *capabilities);

/*
 * The client capability that this kind needs if can lacks it: "elicitation" or
 * "sampling"; NULL when it is there.
 */
const char *ask_missing(enum ask_kind kind, unsigned can);

/* Its params as JSON. *new*, or NULL without memory. */
json_t *ask_params(const struct ask *ask);

/* The method of the request: "elicitation/create", "sampling/createMessage".
 */
const char *ask_method(enum ask_kind kind);

#endif
