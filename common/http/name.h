/* SPDX-License-Identifier: MIT */
/*
 * name: the field names that the room treats specially, as one table: what a
 * proxy does with each. A name that is not in it is HTTP_NAME_OTHER and
 * passes through as it is.
 */
#ifndef HTTP_NAME_H
#define HTTP_NAME_H

#include <stdbool.h>

#include "common/base/bytes.h"

/* What the table knows of a name: a set of these. */
enum http_name_flag {
	HTTP_NAME_HOP = 1,    /* hop by hop: never passed on (RFC 9110 7.6.1) */
	HTTP_NAME_PINNED = 2, /* Connection must not name it */
	HTTP_NAME_OURS = 4,   /* set by us towards a backend */
	HTTP_NAME_ONCE = 8,   /* a second field of this name is refused */
};

/* X(id, "Name", flags), ordered by length. */
#define HTTP_NAMES(X)                                                       \
	X(TE, "TE", HTTP_NAME_HOP)                                          \
	X(DATE, "Date", 0)                                                  \
	X(HOST, "Host", HTTP_NAME_PINNED | HTTP_NAME_OURS | HTTP_NAME_ONCE) \
	X(PROXY, "Proxy", HTTP_NAME_HOP)                                    \
	X(ACCEPT, "Accept", 0)                                              \
	X(COOKIE, "Cookie", HTTP_NAME_PINNED)                               \
	X(EXPECT, "Expect", HTTP_NAME_OURS)                                 \
	X(ORIGIN, "Origin", 0)                                              \
	X(TRAILER, "Trailer", HTTP_NAME_HOP)                                \
	X(UPGRADE, "Upgrade", HTTP_NAME_HOP)                                \
	X(FORWARDED, "Forwarded", HTTP_NAME_OURS)                           \
	X(CONNECTION, "Connection", HTTP_NAME_HOP)                          \
	X(KEEP_ALIVE, "Keep-Alive", HTTP_NAME_HOP)                          \
	X(TRACESTATE, "tracestate", 0)                                      \
	X(TRACEPARENT, "traceparent", HTTP_NAME_OURS)                       \
	X(CONTENT_TYPE, "Content-Type", 0)                                  \
	X(X_REQUEST_ID, "X-Request-Id", HTTP_NAME_OURS)                     \
	X(AUTHORIZATION, "Authorization", HTTP_NAME_PINNED)                 \
	X(LAST_EVENT_ID, "Last-Event-ID", 0)                                \
	X(CONTENT_LENGTH, "Content-Length",                                 \
	    HTTP_NAME_PINNED | HTTP_NAME_OURS | HTTP_NAME_ONCE)             \
	X(HTTP2_SETTINGS, "HTTP2-Settings", HTTP_NAME_HOP)                  \
	X(MCP_SESSION_ID, "Mcp-Session-Id", HTTP_NAME_PINNED)               \
	X(X_FORWARDED_FOR, "X-Forwarded-For", HTTP_NAME_OURS)               \
	X(PROXY_CONNECTION, "Proxy-Connection", HTTP_NAME_HOP)              \
	X(X_FORWARDED_HOST, "X-Forwarded-Host", HTTP_NAME_OURS)             \
	X(TRANSFER_ENCODING, "Transfer-Encoding",                           \
	    HTTP_NAME_HOP | HTTP_NAME_PINNED | HTTP_NAME_ONCE)              \
	X(X_FORWARDED_PROTO, "X-Forwarded-Proto", HTTP_NAME_OURS)           \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate", HTTP_NAME_HOP)          \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", HTTP_NAME_HOP)        \
	X(MCP_PROTOCOL_VERSION, "MCP-Protocol-Version", HTTP_NAME_PINNED)

enum http_name {
	HTTP_NAME_OTHER, /* not in the table */
#define X(id, text, flags) HTTP_NAME_##id,
	HTTP_NAMES(X)
#undef X
	    HTTP_NAME_COUNT
};

/* Find a name in the table, without regard to case. */
enum http_name http_name_find(struct slice name);

/* The flags of a name; 0 for HTTP_NAME_OTHER. */
unsigned http_name_flags(enum http_name id);

/* The usual spelling of a name of the table; borrowed for ever. */
struct slice http_name_text(enum http_name id);

/*
 * Whether a `Connection` field must not name this field: Host,
 * Content-Length, Transfer-Encoding, Authorization, Cookie, all of Mcp-*.
 */
bool http_name_is_pinned(struct slice name);

/*
 * Whether a client may not send this field to a backend at all: Holdline-* in
 * any spelling ('_' for '-', any case), and a name of the table that is
 * spelled with '_' (programs behind CGI or WSGI cannot tell them apart).
 */
bool http_name_is_forged(struct slice name);

#endif
