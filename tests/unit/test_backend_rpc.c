/* SPDX-License-Identifier: MIT */
/*
 * rpc: the table of classification, row by row (MCP versioning; the rows are
 * numbered as in rpc.c), and the envelopes.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backend/rpc.h"

#define MODERN "2026-07-28"
#define META                                                      \
	"\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":" \
	"\"" MODERN "\"}"

/* What comes in; a zeroed row is a good POST head whose body is not read. */
struct row {
	const char *name;
	/* in */
	bool no_endpoint, bad_host, bad_origin, no_json, too_big;
	enum http_verb verb; /* HTTP_VERB_OTHER stands for POST here */
	const char *version; /* the header; NULL: absent */
	const char *body;    /* NULL: not read yet; "": no JSON */
	/* out */
	enum rpc_route route;
	enum rpc_kind kind;
	int status;
	int code;
	const char *id; /* as JSON; NULL: none */
};

#define REQ(rest)       "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\"" rest "}"
#define NOTE(rest)      "{\"jsonrpc\":\"2.0\",\"method\":\"m\"" rest "}"
#define REFUSED(st, co) .route = RPC_ROUTE_REFUSE, .status = (st), .code = (co)

static const struct row rows[] = {
	/* 0 */
	{ "another path", .no_endpoint = true, REFUSED(404, 0) },
	{ "another path before a bad origin", .no_endpoint = true,
	    .bad_origin = true, REFUSED(404, 0) },
	/* 1 */
	{ "a bad host", .bad_host = true, REFUSED(403, -32600) },
	{ "a bad origin", .bad_origin = true, REFUSED(403, -32600) },
	{ "a bad origin of a GET", .bad_origin = true, .verb = HTTP_VERB_GET,
	    REFUSED(403, -32600) },
	{ "a bad origin before the media type", .bad_origin = true,
	    .no_json = true, REFUSED(403, -32600) },
	/* 3 */
	{ "GET", .verb = HTTP_VERB_GET, .route = RPC_ROUTE_VERB },
	{ "DELETE", .verb = HTTP_VERB_DELETE, .route = RPC_ROUTE_VERB },
	/* 4 */
	{ "PUT", .verb = HTTP_VERB_PUT, REFUSED(405, -32000) },
	{ "HEAD", .verb = HTTP_VERB_HEAD, REFUSED(405, -32000) },
	{ "OPTIONS", .verb = HTTP_VERB_OPTIONS, REFUSED(405, -32000) },
	/* 5 */
	{ "text/plain", .no_json = true, REFUSED(415, -32000) },
	{ "a good head", .route = RPC_ROUTE_READ_BODY },
	/* 6 */
	{ "a body over the limit", .too_big = true, .body = "",
	    REFUSED(413, -32000) },
	/* 7 */
	{ "no JSON", .body = "", REFUSED(400, -32700) },
	/* 8 */
	{ "an empty batch", .body = "[]", REFUSED(400, -32600) },
	{ "a batch with a modern element",
	    .body = "[" REQ("") "," REQ(",\"params\":{" META "}") "]",
	    REFUSED(400, -32600) },
	{ "a batch under a header without batches", .version = "2025-11-25",
	    .body = "[" REQ("") "]", REFUSED(400, -32600) },
	{ "a batch under a modern header", .version = MODERN,
	    .body = "[" REQ("") "]", REFUSED(400, -32600) },
	{ "a batch under an unknown header", .version = "2030-01-01",
	    .body = "[" REQ("") "]", REFUSED(400, -32600) },
	/* 9 */
	{ "a batch without a header", .body = "[" REQ("") "]",
	    .route = RPC_ROUTE_BATCH },
	{ "a batch under the header that has them", .version = "2025-03-26",
	    .body = "[" REQ("") "]", .route = RPC_ROUTE_BATCH },
	/* 10 */
	{ "a string", .body = "\"x\"", REFUSED(400, -32600) },
	{ "no jsonrpc", .body = "{\"id\":7,\"method\":\"m\"}",
	    REFUSED(400, -32600), .id = "7" },
	{ "jsonrpc 1.0", .body = "{\"jsonrpc\":\"1.0\",\"method\":\"m\"}",
	    REFUSED(400, -32600) },
	{ "id null",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":null,"
		    "\"method\":\"m\"}",
	    REFUSED(400, -32600) },
	{ "id 1.5",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":1.5,"
		    "\"method\":\"m\"}",
	    REFUSED(400, -32600) },
	{ "id 1.0",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":1.0,"
		    "\"method\":\"m\"}",
	    REFUSED(400, -32600) },
	{ "id true",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":true,"
		    "\"method\":\"m\"}",
	    REFUSED(400, -32600) },
	{ "id {}",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":{},"
		    "\"method\":\"m\"}",
	    REFUSED(400, -32600) },
	{ "no method", .body = "{\"jsonrpc\":\"2.0\",\"id\":7}",
	    REFUSED(400, -32600), .id = "7" },
	{ "method 1",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":\"a\","
		    "\"method\":1}",
	    REFUSED(400, -32600), .id = "\"a\"" },
	{ "params []", .body = REQ(",\"params\":[]"), REFUSED(400, -32600),
	    .id = "7" },
	/* 11 */
	{ "a result under a modern header", .version = MODERN,
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}",
	    REFUSED(400, -32600), .id = "7" },
	{ "a result", .version = "2025-11-25",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}",
	    .route = RPC_ROUTE_LEGACY, .kind = RPC_KIND_ANSWER, .id = "7" },
	{ "an error without a header",
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":\"s\",\"error\":{}}",
	    .route = RPC_ROUTE_LEGACY, .kind = RPC_KIND_ANSWER, .id = "\"s\"" },
	/* 12 */
	{ "a claim without a header", .body = REQ(",\"params\":{" META "}"),
	    .route = RPC_ROUTE_MODERN, .kind = RPC_KIND_REQUEST, .id = "7" },
	{ "a claim under a legacy header", .version = "2025-11-25",
	    .body = REQ(",\"params\":{" META "}"), .route = RPC_ROUTE_MODERN,
	    .kind = RPC_KIND_REQUEST, .id = "7" },
	{ "a claim that is a number",
	    .body = REQ(",\"params\":{\"_meta\":{"
			"\"io.modelcontextprotocol/protocolVersion\":1}}"),
	    .route = RPC_ROUTE_MODERN, .kind = RPC_KIND_REQUEST, .id = "7" },
	{ "a notification with a claim", .body = NOTE(",\"params\":{" META "}"),
	    .route = RPC_ROUTE_MODERN, .kind = RPC_KIND_NOTIFICATION },
	/* 13 */
	{ "no claim under a modern header", .version = MODERN, .body = REQ(""),
	    REFUSED(400, -32602), .id = "7" },
	{ "initialize under a modern header", .version = MODERN,
	    .body = "{\"jsonrpc\":\"2.0\",\"id\":7,"
		    "\"method\":\"initialize\"}",
	    REFUSED(400, -32602), .id = "7" },
	{ "a notification without a claim under a modern header",
	    .version = MODERN, .body = NOTE(""), .route = RPC_ROUTE_DROP,
	    .kind = RPC_KIND_NOTIFICATION },
	/* 14 */
	{ "a request without a header", .body = REQ(""),
	    .route = RPC_ROUTE_LEGACY, .kind = RPC_KIND_REQUEST, .id = "7" },
	{ "a request under a legacy header", .version = "2025-06-18",
	    .body = REQ(""), .route = RPC_ROUTE_LEGACY,
	    .kind = RPC_KIND_REQUEST, .id = "7" },
	{ "a notification", .version = "2025-11-25", .body = NOTE(""),
	    .route = RPC_ROUTE_LEGACY, .kind = RPC_KIND_NOTIFICATION },
	{ "a request under an unknown header", .version = "2020-01-01",
	    .body = REQ(""), REFUSED(400, -32000), .id = "7" },
	{ "a request under an empty header", .version = "", .body = REQ(""),
	    REFUSED(400, -32000), .id = "7" },
	{ "a notification under an unknown header", .version = "2020-01-01",
	    .body = NOTE(""), REFUSED(400, -32000) },
};

#define N_ROWS (int)(sizeof(rows) / sizeof(rows[0]))

START_TEST(classify_follows_each_row_of_the_table)
{
	const struct row *r = &rows[_i];
	json_t *body =
	    r->body ? json_loads(r->body, JSON_DECODE_ANY, NULL) : NULL;
	const struct rpc_facts facts = {
		.is_endpoint = !r->no_endpoint,
		.is_host_allowed = !r->bad_host,
		.is_origin_allowed = !r->bad_origin,
		.verb = r->verb == HTTP_VERB_OTHER ? HTTP_VERB_POST : r->verb,
		.is_json = !r->no_json,
		.version = r->version ? slice_of(r->version)
		                      : (struct slice){ NULL, 0 },
		.is_body_read = r->body != NULL,
		.is_too_big = r->too_big,
		.body = body,
	};
	const struct rpc_verdict v = rpc_classify(&facts);
	char *id = v.id ? json_dumps(v.id, JSON_ENCODE_ANY) : NULL;

	ck_assert_msg(!r->body || !*r->body || body, "%s: test body", r->name);
	ck_assert_msg(v.route == r->route, "%s: route %d", r->name, v.route);
	ck_assert_msg(v.kind == r->kind, "%s: kind %d", r->name, v.kind);
	ck_assert_msg(
	    v.status == r->status, "%s: status %d", r->name, v.status);
	ck_assert_msg(v.code == r->code, "%s: code %d", r->name, v.code);
	ck_assert_msg(
	    id == NULL ? r->id == NULL : r->id && strcmp(id, r->id) == 0,
	    "%s: id %s", r->name, id ? id : "none");
	ck_assert_msg((v.route == RPC_ROUTE_REFUSE) == (v.text != NULL),
	    "%s: text", r->name);
	free(id);
	json_decref(body);
}
END_TEST

static void
is_text(json_t *envelope, const char *want)
{
	char *text = json_dumps(envelope, JSON_COMPACT);

	ck_assert_str_eq(text, want);
	free(text);
	json_decref(envelope);
}

START_TEST(envelopes_echo_the_id_as_it_came)
{
	json_t *number = json_integer(7), *string = json_string("7");

	is_text(rpc_result_take(number, json_object()),
	    "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}");
	is_text(rpc_result_take(string, json_object()),
	    "{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":{}}");
	is_text(rpc_error_take(string, -1, "no", json_true()),
	    "{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"error\":{\"code\":-1,"
	    "\"message\":\"no\",\"data\":true}}");
	json_decref(number);
	json_decref(string);
}
END_TEST

START_TEST(an_error_without_an_id_has_no_id)
{
	is_text(rpc_error_take(NULL, -32700, "no", NULL),
	    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,"
	    "\"message\":\"no\"}}");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("backend/rpc");
	TCase *t = tcase_create("rpc");
	SRunner *r;
	int n_failed;

	tcase_add_loop_test(
	    t, classify_follows_each_row_of_the_table, 0, N_ROWS);
	tcase_add_test(t, envelopes_echo_the_id_as_it_came);
	tcase_add_test(t, an_error_without_an_id_has_no_id);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	n_failed = srunner_ntests_failed(r);
	srunner_free(r);
	return n_failed > 0;
}
