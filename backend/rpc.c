/* SPDX-License-Identifier: MIT */
/*
 * rpc: the classification walks the rows of the table in order; the first
 * row that applies decides. The order matters: what is refused for its head
 * costs no body, what is no JSON says nothing of its revision.
 */
#include "backend/rpc.h"

#include "backend/face.h"

static struct rpc_verdict
rpc_refuse(int status, int code, const char *text, json_t *id)
{
	return (struct rpc_verdict){ .route = RPC_ROUTE_REFUSE,
		.status = status,
		.code = code,
		.text = text,
		.id = id };
}

/* JSON-RPC: an id that we may echo is a string or a whole number. */
static bool
rpc_id_is_good(const json_t *id)
{
	return json_is_string(id) || json_is_integer(id);
}

json_t *
rpc_id(const json_t *message)
{
	json_t *id = json_object_get(message, "id");

	return rpc_id_is_good(id) ? id : NULL;
}

const char *
rpc_method(const json_t *message)
{
	const char *method =
	    json_string_value(json_object_get(message, "method"));

	return method ? method : "";
}

json_t *
rpc_params(const json_t *message)
{
	return json_object_get(message, "params");
}

enum rpc_kind
rpc_kind(const json_t *message, const char **text_r)
{
	const json_t *id = json_object_get(message, "id");
	const json_t *method = json_object_get(message, "method");
	const json_t *params = json_object_get(message, "params");
	const char *version =
	    json_string_value(json_object_get(message, "jsonrpc"));

	*text_r = NULL;
	if (!json_is_object(message))
		*text_r = "Invalid Request: a message is a JSON object";
	else if (!version || !slice_eq(slice_of(version), SLICE("2.0")))
		*text_r = "Invalid Request: jsonrpc must be \"2.0\"";
	else if (!method && (json_object_get(message, "result") ||
				json_object_get(message, "error")))
		return RPC_KIND_ANSWER;
	else if (!method)
		*text_r = "Invalid Request: neither method, result nor error";
	else if (!json_is_string(method))
		*text_r = "Invalid Request: method must be a string";
	else if (id && !rpc_id_is_good(id))
		*text_r = "Invalid Request: id must be a string or an integer";
	else if (params && !json_is_object(params))
		*text_r = "Invalid Request: params must be an object";
	else
		return id ? RPC_KIND_REQUEST : RPC_KIND_NOTIFICATION;
	return RPC_KIND_BAD;
}

/* Whether a message says itself that it is modern. */
static bool
rpc_has_claim(const json_t *message)
{
	const json_t *meta = json_object_get(rpc_params(message), "_meta");

	return json_object_get(meta, RPC_CLAIM) != NULL;
}

/* The header names a revision that we speak and that has no peers. */
static bool
rpc_header_is_modern(const struct rpc_facts *f)
{
	const struct face_revision *r = face_find(f->version);

	return f->version.p && r && r->era == FACE_ERA_MODERN;
}

/* Rows 8 and 9: an array of messages. */
static struct rpc_verdict
rpc_classify_batch(const struct rpc_facts *f)
{
	const struct face_revision *r =
	    f->version.p ? face_find(f->version) : face_assumed();
	size_t i;
	json_t *message;

	if (json_array_size(f->body) == 0)
		return rpc_refuse(400, RPC_INVALID_REQUEST,
		    "Invalid Request: an empty batch", NULL);
	json_array_foreach (f->body, i, message) {
		if (rpc_has_claim(message))
			return rpc_refuse(400, RPC_INVALID_REQUEST,
			    "Invalid Request: this revision has no batches",
			    NULL);
	}
	if (!r || !r->has_batches)
		return rpc_refuse(400, RPC_INVALID_REQUEST,
		    "Invalid Request: this revision has no batches", NULL);
	return (struct rpc_verdict){ .route = RPC_ROUTE_BATCH };
}

/* Rows 11 to 14: one message of a kind that is right. */
static struct rpc_verdict
rpc_classify_message(const struct rpc_facts *f, enum rpc_kind kind)
{
	struct rpc_verdict v = {
		.route = RPC_ROUTE_LEGACY, .kind = kind, .id = rpc_id(f->body)
	};

	if (kind == RPC_KIND_ANSWER && rpc_header_is_modern(f))
		return rpc_refuse(400, RPC_INVALID_REQUEST,
		    "Invalid Request: this revision has no requests of the "
		    "server, hence no answers to them",
		    v.id);
	if (kind == RPC_KIND_ANSWER)
		return v;
	if (rpc_has_claim(f->body)) {
		v.route = RPC_ROUTE_MODERN;
		return v;
	}
	if (rpc_header_is_modern(f) && kind == RPC_KIND_REQUEST)
		return rpc_refuse(400, RPC_INVALID_PARAMS,
		    "Invalid params: _meta lacks " RPC_CLAIM, v.id);
	if (rpc_header_is_modern(f))
		v.route = RPC_ROUTE_DROP;
	else if (f->version.p && !face_find(f->version))
		return rpc_refuse(400, RPC_PEER_ERROR,
		    "Bad Request: MCP-Protocol-Version names no revision that "
		    "is spoken here",
		    v.id);
	return v;
}

/* Rows 5 to 14: a POST. */
static struct rpc_verdict
rpc_classify_post(const struct rpc_facts *f)
{
	const char *text;
	enum rpc_kind kind;

	if (!f->is_json)
		return rpc_refuse(415, RPC_PEER_ERROR,
		    "Unsupported Media Type: send application/json", NULL);
	if (!f->is_body_read)
		return (struct rpc_verdict){ .route = RPC_ROUTE_READ_BODY };
	if (f->is_too_big)
		return rpc_refuse(413, RPC_PEER_ERROR,
		    "Content Too Large: the body is over the limit", NULL);
	if (!f->body)
		return rpc_refuse(
		    400, RPC_PARSE_ERROR, "Parse error: no JSON", NULL);
	if (json_is_array(f->body))
		return rpc_classify_batch(f);
	kind = rpc_kind(f->body, &text);
	if (kind == RPC_KIND_BAD)
		return rpc_refuse(
		    400, RPC_INVALID_REQUEST, text, rpc_id(f->body));
	return rpc_classify_message(f, kind);
}

struct rpc_verdict
rpc_classify(const struct rpc_facts *f)
{
	if (!f->is_endpoint)
		return rpc_refuse(404, 0, "Not Found: MCP is at /mcp", NULL);
	if (!f->is_host_allowed || !f->is_origin_allowed)
		return rpc_refuse(403, RPC_INVALID_REQUEST,
		    f->is_host_allowed
			? "Forbidden: this Origin may not call this host"
			: "Forbidden: this host is not served here",
		    NULL);
	if (f->verb == HTTP_VERB_GET || f->verb == HTTP_VERB_DELETE)
		return (struct rpc_verdict){ .route = RPC_ROUTE_VERB };
	if (f->verb != HTTP_VERB_POST)
		return rpc_refuse(405, RPC_PEER_ERROR,
		    "Method Not Allowed: use POST, GET or DELETE", NULL);
	return rpc_classify_post(f);
}

json_t *
rpc_result_take(json_t *id, json_t *result)
{
	return json_pack(
	    "{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "result", result);
}

json_t *
rpc_error_take(json_t *id, int code, const char *text, json_t *data)
{
	json_t *error = json_pack("{s:i, s:s}", "code", code, "message", text);

	if (data && json_object_set_new(error, "data", data) != 0) {
		json_decref(error);
		return NULL;
	}
	if (!id)
		return json_pack(
		    "{s:s, s:o}", "jsonrpc", "2.0", "error", error);
	return json_pack(
	    "{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", id, "error", error);
}
