/* SPDX-License-Identifier: MIT */
/*
 * rpc: JSON-RPC 2.0 as MCP uses it: what a request is and which face it
 * belongs to (one pure function, whose table of rows is its unit test), and
 * the envelopes of answers. Knows no method and no date. Never waits.
 * Source: JSON-RPC 2.0; MCP 2026-07-28 basic/versioning, basic/transports.
 */
#ifndef BACKEND_RPC_H
#define BACKEND_RPC_H

#include <stdbool.h>

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/http/target.h"

#define RPC_PARSE_ERROR      (-32700)
#define RPC_INVALID_REQUEST  (-32600)
#define RPC_METHOD_NOT_FOUND (-32601)
#define RPC_INVALID_PARAMS   (-32602)
#define RPC_INTERNAL_ERROR   (-32603)
#define RPC_PEER_ERROR       (-32000) /* legacy: no or a bad peer, header */
#define RPC_PEER_UNKNOWN     (-32001) /* legacy: the peer has ended */

/* The key of a request's _meta that makes it a modern one. */
#define RPC_CLAIM "io.modelcontextprotocol/protocolVersion"

/* What came, as far as the classification needs it. */
struct rpc_facts {
	bool is_endpoint; /* the path is ours */
	bool is_host_allowed;
	bool is_origin_allowed; /* also when there is none */
	enum http_verb verb;
	bool is_json;         /* the media type of the body */
	struct slice version; /* MCP-Protocol-Version; p NULL: absent */
	bool is_body_read;    /* what follows is known */
	bool is_too_big;
	const json_t *body; /* *borrowed*; NULL: no JSON, or too costly */
};

enum rpc_route {
	RPC_ROUTE_REFUSE,    /* answer status, code, text */
	RPC_ROUTE_READ_BODY, /* all is well so far: read the body, ask again */
	RPC_ROUTE_VERB,      /* legacy: GET or DELETE */
	RPC_ROUTE_LEGACY,    /* one message for the legacy face */
	RPC_ROUTE_BATCH,     /* an array of messages for the legacy face */
	RPC_ROUTE_MODERN,    /* one message for the modern face */
	RPC_ROUTE_DROP,      /* 202, and nothing else */
};

enum rpc_kind {
	RPC_KIND_BAD,
	RPC_KIND_REQUEST,      /* has an id */
	RPC_KIND_NOTIFICATION, /* has none */
	RPC_KIND_ANSWER,       /* a result or an error to a request of ours */
};

/* What becomes of it. Text is static. */
struct rpc_verdict {
	enum rpc_route route;
	enum rpc_kind kind; /* of the message, when the route has one */
	int status;         /* REFUSE: HTTP status */
	int code;           /* REFUSE: JSON-RPC code, 0: no body */
	const char *text;   /* REFUSE: the message */
	json_t *id;         /* the readable id, *borrowed* from body, or NULL */
};

/* Decide which face a request belongs to, or how it is refused. Pure. */
struct rpc_verdict rpc_classify(const struct rpc_facts *facts);

/*
 * Judge one message on its own (*borrowed*). Returns its kind;
 * RPC_KIND_BAD with *text_r (static) saying what is wrong.
 */
enum rpc_kind rpc_kind(const json_t *message, const char **text_r);

/* The id of a message when it is one that may be echoed, else NULL. */
json_t *rpc_id(const json_t *message);

/* The method of a request or notification; "" when there is none. */
const char *rpc_method(const json_t *message);

/* The params of a message (*borrowed*), NULL when there are none. */
json_t *rpc_params(const json_t *message);

/*
 * The envelope of a result. id (*borrowed*); result (*takes*). Returns a *new*
 * object or NULL (no memory, or result NULL).
 */
json_t *rpc_result_take(json_t *id, json_t *result);

/*
 * The envelope of an error. id (*borrowed*, NULL: none); data (*takes*, NULL:
 * none). Returns a *new* object or NULL without memory.
 */
json_t *rpc_error_take(json_t *id, int code, const char *text, json_t *data);

#endif
