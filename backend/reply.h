/* SPDX-License-Identifier: MIT */
/*
 * reply: the answer to one HTTP request: one JSON body, or a stream of events
 * that is open until it is ended. Knows no method of MCP.
 * Source: RFC 9110; WHATWG HTML 9.2; MCP 2026-07-28
 * basic/transports/streamable-http.
 */
#ifndef BACKEND_REPLY_H
#define BACKEND_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "backend/wire.h"

#define REPLY_KEEPALIVE_MS (15 * 1000) /* of a stream that says nothing */

enum reply_state {
	REPLY_OPEN,   /* nothing was sent */
	REPLY_STREAM, /* the head of a stream was sent */
	REPLY_ENDED,  /* nothing more belongs to it */
};

/* On the stack of the task that serves the request; needs no end. */
struct reply {
	struct wire *wire;        /* *borrowed* */
	const struct inbound *in; /* *borrowed* */
	enum reply_state state;
	bool is_last;        /* the connection closes behind it */
	const char *peer_id; /* to be sent as Mcp-Session-Id; NULL: none */
};

/*
 * Send the whole answer: status and body (*borrowed*; NULL: empty). Adds
 * Allow to a 405 and Retry-After to a 503. Returns 0, -EPIPE, -ETIMEDOUT,
 * -ENOMEM. Waits for a slow reader.
 */
int reply_json(struct reply *reply, int status, json_t *body);

/* Open the stream: send its head at once. As reply_json. */
int reply_stream(struct reply *reply);

/*
 * Send an event on the open stream: id (NULL: none), retry_ms (-1: none) and
 * message (*borrowed*; NULL: empty data, no type). As reply_json.
 */
int reply_event(
    struct reply *reply, const char *id, int64_t retry_ms, json_t *message);

/* Send a comment that keeps the stream alive. As reply_json. */
int reply_keepalive(struct reply *reply);

/* End the stream properly. As reply_json. */
int reply_end(struct reply *reply);

#endif
