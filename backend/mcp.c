/* SPDX-License-Identifier: MIT */
#include "backend/mcp.h"

#include <errno.h>
#include <stdio.h>

#include "common/json/jsontext.h"

#include "backend/face_2025.h"
#include "backend/face_2026.h"
#include "backend/rpc.h"

#define MCP_PATH "/mcp"

#define mcp_buf_auto __attribute__((cleanup(buf_fini)))

static struct rpc_facts
mcp_facts(const struct backend *backend, const struct inbound *in)
{
	return (struct rpc_facts){
		.is_endpoint = slice_eq(in->path, SLICE(MCP_PATH)),
		.is_host_allowed = inbound_host_allowed(in, backend->host),
		.is_origin_allowed = inbound_origin_allowed(in, backend->host),
		.verb = in->verb,
		.is_json = in->is_json,
		.version = in->fields[INBOUND_VERSION],
	};
}

/* Send a refusal; the 404 of a wrong path is no JSON-RPC. */
static int
mcp_refuse(struct reply *reply, const struct rpc_verdict *v, const char *text)
{
	hl_auto json_t *body = v->code != 0
	                           ? rpc_error_take(v->id, v->code, text, NULL)
	                           : json_pack("{s:s}", "error", text);

	return body ? reply_json(reply, v->status, body) : -ENOMEM;
}

/* Refuse a request whose body was not read, and read it off if it is small. */
static int
mcp_refuse_unread(struct reply *reply, const struct rpc_verdict *v)
{
	const bool has_body = reply->in->frame.delim != HTTP_DELIM_NONE;
	int rc;

	if (has_body && reply->in->frame.expects_continue)
		reply->is_last = true;
	rc = mcp_refuse(reply, v, v->text);
	return rc == 0 && has_body ? wire_drain_body(reply->wire, reply->in)
	                           : rc;
}

/*
 * Read the body and parse it within limits. facts is completed; *body_r is
 * *new* or NULL. Returns 0, or -errno: close.
 */
static int
mcp_read(struct reply *reply, struct rpc_facts *facts, json_t **body_r,
    struct err *err_r)
{
	mcp_buf_auto struct buf text = { 0 };
	struct http_fault fault;
	int rc;

	buf_init(&text, BACKEND_BODY_BYTES);
	rc = wire_read_body(reply->wire, reply->in, &text, &fault);
	facts->is_body_read = true;
	facts->is_too_big = rc == -EMSGSIZE;
	reply->is_last = reply->is_last || rc != 0;
	if (rc == -EBADMSG)
		return err_set(err_r, 0, NULL, "%.190s", fault.text);
	if (rc != 0)
		return rc == -EMSGSIZE ? 0 : rc;
	rc = jsontext_load(buf_content(&text), NULL, body_r, err_r);
	buf_fini(&text);
	wire_forget_body(reply->wire);
	facts->body = *body_r;
	return rc == -ENOMEM ? rc : 0;
}

/* Hand a message to its face. */
static int
mcp_route(struct backend *backend, struct reply *reply,
    const struct rpc_verdict *v, json_t *body)
{
	switch (v->route) {
	case RPC_ROUTE_VERB:
		return face_2025_verb(backend, reply);
	case RPC_ROUTE_LEGACY:
		return face_2025_post(backend, reply, v->kind, body);
	case RPC_ROUTE_BATCH:
		return face_2025_batch(backend, reply, body);
	case RPC_ROUTE_MODERN:
		return face_2026_post(backend, reply, v->kind, body);
	case RPC_ROUTE_DROP:
		return reply_json(reply, 202, NULL);
	case RPC_ROUTE_REFUSE:
	case RPC_ROUTE_READ_BODY:
		break;
	}
	return -EINVAL;
}

/* For a client whose body finds no room; the connection closes. */
static const struct rpc_verdict mcp_busy = {
	.route = RPC_ROUTE_REFUSE,
	.status = 503,
	.code = RPC_INTERNAL_ERROR,
	.text = "too many large requests come at once: try again later",
};

/* Refuse a POST whose body was read. */
static int
mcp_refuse_read(
    struct reply *reply, const struct rpc_verdict *v, const struct err *err)
{
	char text[ERR_PLACE_BYTES + ERR_TEXT_BYTES + 32];

	if (v->code != RPC_PARSE_ERROR)
		return mcp_refuse(reply, v, v->text);
	snprintf(text, sizeof(text), "Parse error: %s%s%s", err->place,
	    err->place[0] ? ": " : "", err->text);
	return mcp_refuse(reply, v, text);
}

/*
 * Read and judge a POST whose head is all right. Returns 1 when it is to be
 * routed: *body_r is *new*, *v_r filled; 0 when it was refused; -errno: close.
 * Not inlined: what it needs would stand on the stack while the face answers,
 * and a client that waits for a person waits long.
 */
static int __attribute__((noinline)) mcp_take_post(struct reply *reply,
    struct rpc_facts *facts, json_t **body_r, struct rpc_verdict *v_r)
{
	struct err err = { 0 };
	const int rc = mcp_read(reply, facts, body_r, &err);

	if (rc == -EBUSY)
		return mcp_refuse(reply, &mcp_busy, mcp_busy.text);
	if (rc != 0)
		return rc;
	*v_r = rpc_classify(facts);
	return v_r->route == RPC_ROUTE_REFUSE
	           ? mcp_refuse_read(reply, v_r, &err)
	           : 1;
}

static int
mcp_post(struct backend *backend, struct reply *reply, struct rpc_facts *facts)
{
	hl_auto json_t *body = NULL;
	struct rpc_verdict v;
	const int rc = mcp_take_post(reply, facts, &body, &v);

	return rc == 1 ? mcp_route(backend, reply, &v, body) : rc;
}

int
mcp_serve(struct backend *backend, struct reply *reply)
{
	struct rpc_facts facts = mcp_facts(backend, reply->in);
	const struct rpc_verdict v = rpc_classify(&facts);
	int rc;

	if (v.route == RPC_ROUTE_READ_BODY)
		return mcp_post(backend, reply, &facts);
	if (v.route == RPC_ROUTE_REFUSE)
		return mcp_refuse_unread(reply, &v);
	rc = wire_drain_body(reply->wire, reply->in);
	return rc == 0 ? mcp_route(backend, reply, &v, NULL) : rc;
}
