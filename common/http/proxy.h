/* SPDX-License-Identifier: MIT */
/*
 * proxy: writes a head that was read on to the other side, never as it came:
 * hop-by-hop fields and what Connection names are gone (RFC 9110 7.6.1),
 * exactly one field says how long the body is, and what only we may say is
 * said by us.
 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/bytes.h"
#include "common/http/frame.h"
#include "common/http/read.h"

/*
 * Bytes by which a head may grow on its way, hop->extra apart: an empty buffer
 * with a cap of HTTP_REQUEST_MAX (HTTP_RESPONSE_MAX) + HTTP_PROXY_ADDED bytes
 * takes any.
 */
#define HTTP_PROXY_ADDED 2048

struct http_pair {
	struct slice name;
	struct slice value;
};

/* What the switchboard adds to a request; all *borrowed* for the call. */
struct http_hop {
	struct slice client_ip; /* text: 192.0.2.1 or 2001:db8::1; "" unknown */
	struct slice proto;     /* of the client's connection: http, https */
	bool is_trusted;        /* keep the client's own Forwarded fields */
	struct slice request_id;  /* http_trace_id */
	struct slice traceparent; /* http_trace_parent */
	bool closes;              /* say Connection: close to the backend */
	const struct http_pair *extra; /* Holdline-* fields of ours, or NULL */
	size_t n_extra;
};

/*
 * Write a request towards a backend, as HTTP/1.1. The body goes on in
 * req->frame.delim. req->host.n must not be 0.
 * Added: Host, one of Content-Length and chunked (none if there is no body),
 * X-Forwarded-For, -Proto, -Host, Forwarded, X-Request-Id, traceparent,
 * Expect when the body waits for it, Connection and Upgrade for websocket.
 * tracestate goes on only with the client's own traceparent.
 * Returns 0, -ENOBUFS, -ENOMEM, or -EINVAL (a bad value in hop); out is as it
 * was before then.
 */
int http_proxy_request(struct buf *out, const struct http_request *req,
    const struct http_hop *hop);

/*
 * Decide how a response goes on to the client: delim (chunked for HTTP/1.1
 * when the length is not known, until close for HTTP/1.0) and persists (the
 * client's connection). Clear persists yourself when draining.
 */
struct http_frame http_proxy_plan(
    const struct http_response *res, const struct http_asked *asked);

/*
 * Write a response towards the client. plan: of http_proxy_plan; request_id:
 * sent as X-Request-Id in place of the backend's, none if empty. A 1xx other
 * than 101 is not written at all to an HTTP/1.0 client (RFC 9110 15.2).
 * Returns 0, -ENOBUFS, -ENOMEM, -EINVAL; out is as it was before then.
 */
int http_proxy_response(struct buf *out, const struct http_response *res,
    const struct http_frame *plan, const struct http_asked *asked,
    struct slice request_id);

#endif
