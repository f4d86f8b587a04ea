/* SPDX-License-Identifier: MIT */
/*
 * fetch: one HTTP/1.1 request on a connection of its own, and its response
 * read as JSON messages: one document, or an event stream of them. Freeing it
 * closes the connection, which in some revisions of MCP is how a call is
 * cancelled. Everything that the peer sizes is bounded.
 * Source: MCP 2026-07-28 basic/transports/streamable-http
 */
#ifndef CTL_FETCH_H
#define CTL_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/err.h"
#include "common/http/sse.h"

#include "poold/ctl/url.h"

#define FETCH_MESSAGE_BYTES (16u << 20) /* of one message */
#define FETCH_TEXT_BYTES    (64u << 10) /* of a body that is no message */
#define FETCH_SESSION_SIZE  257

struct fetch;

/* Begin a request (url is *borrowed*). Returns *new* (fetch_free) or NULL. */
struct fetch *fetch_new(const struct url *url, struct slice method);

/* Close the connection and free; NULL is allowed. */
void fetch_free(struct fetch **f);

/* A local request that ends itself. */
#define fetch_auto __attribute__((cleanup(fetch_free)))

/* Add a field to the request; an error is told by fetch_send. */
void fetch_field(struct fetch *f, const char *name, const char *value);

/*
 * Connect, send the request with its body (empty: none), and read the head of
 * the response. Waits. Returns 0, -ECONNREFUSED and other errors of dial_open
 * when nothing was sent, -EPIPE when the peer closed without an answer,
 * -EBADMSG when what answers is not HTTP, -ETIMEDOUT, -EINVAL (a field that
 * cannot be sent); err_r->text is a sentence.
 */
int fetch_send(
    struct fetch *f, struct slice body, int64_t deadline_ms, struct err *err_r);

/* The status of the response. */
int fetch_status(const struct fetch *f);

/* Its Mcp-Session-Id, or "". Borrowed from f. */
const char *fetch_session(const struct fetch *f);

/* Seconds of its Retry-After, or -1. */
int fetch_retry_after_s(const struct fetch *f);

/* Whether the response is JSON or an event stream. */
bool fetch_has_messages(const struct fetch *f);

/*
 * Read the next message. *msg_r is *new*. Waits. Returns 0, -ENODATA at the
 * end, -EPIPE when the body was cut short, -EBADMSG (not JSON, bad framing),
 * -EMSGSIZE, -ETIMEDOUT, -ENOMEM; err_r->text is a sentence.
 */
int fetch_next(
    struct fetch *f, int64_t deadline_ms, json_t **msg_r, struct err *err_r);

/* Read the rest of the body as text; as fetch_next. Borrowed from f. */
int fetch_text(struct fetch *f, int64_t deadline_ms, struct slice *text_r,
    struct err *err_r);

/* The id of the last event that came, or ""; borrowed until fetch_next. */
const char *fetch_last_id(const struct fetch *f);

/* The last `retry` that came, or -1. */
int64_t fetch_retry_ms(const struct fetch *f);

#endif
