/* SPDX-License-Identifier: MIT */
/*
 * post: sends a JSON-RPC message by POST and waits for what answers it; what
 * both revisions of the protocol have in common. Ends the program with a
 * sentence where the caller cannot go on.
 */
#ifndef CTL_POST_H
#define CTL_POST_H

#include <jansson.h>

#include "common/base/err.h"

#include "poold/ctl/fetch.h"
#include "poold/ctl/url.h"

#define POST_MS 30000 /* for the answer to anything but a tool's call */

/* One conversation with a server. Owned by whoever calls. */
struct post {
	const struct url *url; /* *borrowed* */
	char version[16];      /* MCP-Protocol-Version; "": not sent */
	char session[FETCH_SESSION_SIZE]; /* Mcp-Session-Id; "": none */
	json_int_t last_id;               /* of our requests */
	json_int_t calling; /* id of the tool's call that runs, else 0 */
};

/* What came back. Ended by post_reply_fini. */
struct post_reply {
	int status;     /* of HTTP */
	json_t *result; /* of JSON-RPC; or */
	json_t *error;  /* of JSON-RPC; or neither */
	struct err why; /* for neither: a sentence */
};

/* Free what it holds; also one that is all zero. */
void post_reply_fini(struct post_reply *reply);

#define post_reply_auto __attribute__((cleanup(post_reply_fini)))

/* The id of our next request. */
json_int_t post_next_id(struct post *p);

/*
 * Begin a request: method with the fields that each request has. Returns
 * *new* (fetch_free); ends the program without memory.
 */
struct fetch *post_fetch(const struct post *p, const char *method);

/*
 * POST a message (*borrowed*; NULL counts as out of memory) with further
 * fields (an object of texts, *borrowed*, may be NULL). *f_r is *new*
 * (fetch_free), NULL on failure. Returns as fetch_send. Waits.
 */
int post_send(const struct post *p, json_t *message, json_t *fields,
    int64_t deadline_ms, struct fetch **f_r, struct err *err_r);

/*
 * Fill *reply from a response that is no success: a JSON-RPC error if its
 * body is one, else a sentence. Waits.
 */
void
post_refusal(struct fetch *f, int64_t deadline_ms, struct post_reply *reply);

/*
 * Wait for the answer to request id; other messages are shown. Returns 0 with
 * *reply filled (also when the server refused), or -errno with reply->why
 * when the connection ended or broke before an answer.
 */
int post_await(struct fetch *f, json_int_t id, int64_t deadline_ms,
    struct post_reply *reply);

/* post_send and post_await; -errno with reply->why when either fails. */
int post_ask(const struct post *p, json_t *message, json_t *fields,
    int64_t deadline_ms, struct post_reply *reply);

/* Put an answer into a reply. message is *borrowed*. */
void post_take(struct post_reply *reply, const json_t *message);

/*
 * End the program unless there is a result: what names what was tried. rc and
 * reply as of post_ask. Returns the result, borrowed from reply.
 */
json_t *post_must(
    const struct post *p, int rc, const char *what, struct post_reply *reply);

#endif
