/* SPDX-License-Identifier: MIT */
/*
 * inbound: one HTTP request as this backend keeps it: a copy of its head with
 * the few fields that matter looked up, so that nothing points into a buffer
 * that moves while the exchange waits. Pure.
 */
#ifndef BACKEND_INBOUND_H
#define BACKEND_INBOUND_H

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/http/read.h"

/* Fields that the faces read. */
enum inbound_field {
	INBOUND_VERSION, /* MCP-Protocol-Version */
	INBOUND_PEER,    /* Mcp-Session-Id */
	INBOUND_METHOD,  /* Mcp-Method */
	INBOUND_NAME,    /* Mcp-Name */
	INBOUND_EVENT,   /* Last-Event-ID */
	INBOUND_FIELDS,
};

/* What a client says that it can read. */
#define INBOUND_ACCEPT_JSON   1u
#define INBOUND_ACCEPT_STREAM 2u

#define INBOUND_PARAMS_MAX 32

/* A field of the open family Mcp-Param-*. */
struct inbound_param {
	struct slice name; /* without Mcp-Param- */
	struct slice value;
};

/* Embedded in the exchange; ended by inbound_fini. */
struct inbound {
	char *text; /* copy of the head; all slices point into it */
	enum http_verb verb;
	int minor;
	struct http_frame frame;
	struct slice path; /* without the query */
	struct http_host host;
	struct slice origin; /* p NULL: absent */
	bool is_json;        /* the body's media type is application/json */
	unsigned accepts;    /* set of INBOUND_ACCEPT_*; all without Accept */
	/*
	 * p NULL: absent. A field that came twice has a value that equals
	 * nothing: none of them may be repeated.
	 */
	struct slice fields[INBOUND_FIELDS];
	struct inbound_param params[INBOUND_PARAMS_MAX];
	size_t n_params;
	bool has_too_many_params;
};

/*
 * Keep what matters of req, whose head stands at the start of bytes (both
 * *borrowed* for the call). in_r is ended with inbound_fini also after an
 * error. Returns 0 or -ENOMEM.
 */
int inbound_keep(
    struct inbound *in_r, const struct http_request *req, struct slice bytes);

/* Free what it holds; zeroed: nothing. */
void inbound_fini(struct inbound *in);

/* A local that ends itself. */
#define inbound_auto __attribute__((cleanup(inbound_fini)))

/* Whether the request is for host (lower case) or for this machine. */
bool inbound_host_allowed(const struct inbound *in, const char *host);

/*
 * Whether a page of that origin may call host: there is no origin, or it is
 * of the same host or of this machine (against DNS rebinding).
 * Source: MCP 2026-07-28 basic/transports/streamable-http, security warning.
 */
bool inbound_origin_allowed(const struct inbound *in, const char *host);

#endif
