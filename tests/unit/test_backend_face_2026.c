/* SPDX-License-Identifier: MIT */
/*
 * The ladder of the modern face, rung by rung: what comes in is a whole HTTP
 * request, so that the keeping of fields (inbound) is tested with it.
 */
#include "backend/face_2026_ladder.h"

#include "tests/unit/face_script.h"

static json_t *
nothing(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("nothing");
}

static const struct hl_tool plain = { .name = "plain",
	.description = "test",
	.input_schema = "{\"type\":\"object\"}",
	.fn = nothing };
static const struct hl_tool marked = { .name = "marked",
	.description = "test",
	.input_schema =
	    "{\"type\":\"object\",\"properties\":{"
	    "\"region\":{\"type\":\"string\",\"x-mcp-header\":\"Region\"},"
	    "\"n\":{\"type\":\"integer\",\"x-mcp-header\":\"N\"},"
	    "\"in\":{\"type\":\"object\",\"properties\":{"
	    "\"b\":{\"type\":\"boolean\",\"x-mcp-header\":\"Deep\"}}}}}",
	.fn = nothing };
HL_TOOLS(&plain, &marked);

#define V       "MCP-Protocol-Version: 2026-07-28\r\n"
#define LIST    V "Mcp-Method: tools/list\r\n"
#define CALL(n) V "Mcp-Method: tools/call\r\nMcp-Name: " n "\r\n"
#define CLAIM   "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\""
#define CAPS    "\"io.modelcontextprotocol/clientCapabilities\":{}"
#define META    "\"_meta\":{" CLAIM "," CAPS "}"
#define LISTS   "\"method\":\"tools/list\",\"params\":{" META "}"
#define CALLS(n, rest)                                                        \
	"\"method\":\"tools/call\",\"params\":{\"name\":\"" n "\"," META rest \
	"}"
#define ARGS(a) ",\"arguments\":{" a "}"
#define MARK(h) CALL("marked") "Mcp-Param-" h "\r\n"

static const struct rung {
	const char *fields;
	const char *message; /* without jsonrpc and id */
	int status;          /* 0: passes */
	int code;
	const char *text; /* part of what is said */
} rungs[] = {
	{ LIST, LISTS, 0, 0, NULL },
	{ CALL("plain"), CALLS("plain", ""), 0, 0, NULL },
	/* a */
	{ LIST,
	    "\"method\":\"tools/list\",\"params\":{\"_meta\":{"
	    "\"io.modelcontextprotocol/protocolVersion\":1," CAPS "}}",
	    400, -32602, "must be a string" },
	{ LIST, "\"method\":\"tools/list\",\"params\":{\"_meta\":{" CLAIM "}}",
	    400, -32602, "must be an object" },
	{ LIST,
	    "\"method\":\"tools/list\",\"params\":{\"_meta\":{" CLAIM ","
	    "\"io.modelcontextprotocol/clientCapabilities\":[]}}",
	    400, -32602, "must be an object" },
	/* b before c */
	{ "Mcp-Method: tools/list\r\n", LISTS, 400, -32020, "is missing" },
	{ "MCP-Protocol-Version: 2026-07-28\r\n" LIST, LISTS, 400, -32020,
	    "came twice" },
	{ "MCP-Protocol-Version: 2025-11-25\r\nMcp-Method: tools/list\r\n",
	    LISTS, 400, -32020, "\"2025-11-25\"" },
	{ LIST,
	    "\"method\":\"tools/list\",\"params\":{\"_meta\":{"
	    "\"io.modelcontextprotocol/protocolVersion\":\"v999.0.0\"," CAPS
	    "}}",
	    400, -32020, "\"v999.0.0\"" },
	/* c */
	{ "MCP-Protocol-Version: v999.0.0\r\nMcp-Method: tools/list\r\n",
	    "\"method\":\"tools/list\",\"params\":{\"_meta\":{"
	    "\"io.modelcontextprotocol/protocolVersion\":\"v999.0.0\"," CAPS
	    "}}",
	    400, -32022, "Unsupported" },
	{ "MCP-Protocol-Version: 2025-11-25\r\nMcp-Method: tools/list\r\n",
	    "\"method\":\"tools/list\",\"params\":{\"_meta\":{"
	    "\"io.modelcontextprotocol/protocolVersion\":\"2025-11-25\"," CAPS
	    "}}",
	    400, -32022, "Unsupported" },
	/* d */
	{ V, LISTS, 400, -32020, "Mcp-Method header is missing" },
	{ V "Mcp-Method: Tools/List\r\n", LISTS, 400, -32020, "Tools/List" },
	{ LIST "Mcp-Method: tools/list\r\n", LISTS, 400, -32020, "twice" },
	{ V "mcp-method: \t tools/list \t \r\n", LISTS, 0, 0, NULL },
	/* e */
	{ V "Mcp-Method: tools/call\r\n", CALLS("plain", ""), 400, -32020,
	    "Mcp-Name header is missing" },
	{ CALL("Plain"), CALLS("plain", ""), 400, -32020, "\"plain\"" },
	{ CALL("plain") "Mcp-Name: plain\r\n", CALLS("plain", ""), 400, -32020,
	    "twice" },
	{ CALL("\t plain \t"), CALLS("plain", ""), 0, 0, NULL },
	{ CALL("=?base64?cGxhaW4=?="), CALLS("plain", ""), 0, 0, NULL },
	{ CALL("=?base64?cGxhaW4?="), CALLS("plain", ""), 400, -32020, "" },
	{ CALL("=?base64?cGxh*W4=?="), CALLS("plain", ""), 400, -32020, "" },
	{ CALL("=?BASE64?cGxhaW4=?="), CALLS("plain", ""), 400, -32020, "" },
	{ CALL("pl\xe9in"), CALLS("plain", ""), 400, -32020, "\"pl?in\"" },
	{ CALL("\xc3\xa9"), CALLS("\xc3\xa9", ""), 400, -32020, "" },
	{ CALL("=?base64?w6k=?="), CALLS("\xc3\xa9", ""), 0, 0, NULL },
	{ CALL("plain"), "\"method\":\"tools/call\",\"params\":{" META "}", 400,
	    -32020, "" },
	{ V "Mcp-Method: prompts/get\r\n",
	    "\"method\":\"prompts/get\",\"params\":{\"name\":\"x\"," META "}",
	    400, -32020, "Mcp-Name" },
	/* f */
	{ CALL("marked"), CALLS("marked", ""), 0, 0, NULL },
	{ MARK("Region: eu"), CALLS("marked", ARGS("\"region\":\"eu\"")), 0, 0,
	    NULL },
	{ CALL("marked"), CALLS("marked", ARGS("\"region\":\"eu\"")), 400,
	    -32020, "Mcp-Param-Region header is missing" },
	{ MARK("Region: us"), CALLS("marked", ARGS("\"region\":\"eu\"")), 400,
	    -32020, "\"us\"" },
	{ MARK("Region: eu") "Mcp-Param-region: eu\r\n",
	    CALLS("marked", ARGS("\"region\":\"eu\"")), 400, -32020, "twice" },
	{ MARK("region: =?base64?ZXU=?="),
	    CALLS("marked", ARGS("\"region\":\"eu\"")), 0, 0, NULL },
	{ MARK("Region: =?base64?ZXU?="),
	    CALLS("marked", ARGS("\"region\":\"eu\"")), 400, -32020, "" },
	{ MARK("Region: =?base64?Z*U=?="),
	    CALLS("marked", ARGS("\"region\":\"eu\"")), 400, -32020, "" },
	{ MARK("Region: base64?ZXU="),
	    CALLS("marked", ARGS("\"region\":\"base64?ZXU=\"")), 0, 0, NULL },
	{ MARK("Region: eu"), CALLS("marked", ARGS("\"region\":null")), 400,
	    -32020, "" },
	{ MARK("N: 42"), CALLS("marked", ARGS("\"n\":42")), 0, 0, NULL },
	{ MARK("N: 42.0"), CALLS("marked", ARGS("\"n\":42")), 0, 0, NULL },
	{ MARK("N: 43"), CALLS("marked", ARGS("\"n\":42")), 400, -32020,
	    "\"43\"" },
	{ MARK("N: 0x2a"), CALLS("marked", ARGS("\"n\":42")), 400, -32020, "" },
	{ MARK("Deep: true"), CALLS("marked", ARGS("\"in\":{\"b\":true}")), 0,
	    0, NULL },
	{ MARK("Deep: false"), CALLS("marked", ARGS("\"in\":{\"b\":true}")),
	    400, -32020, "Mcp-Param-Deep" },
	/* g, after e and before what the params say */
	{ V "Mcp-Method: ping\r\n", "\"method\":\"ping\",\"params\":{" META "}",
	    404, -32601, "" },
	{ V "Mcp-Method: initialize\r\n",
	    "\"method\":\"initialize\",\"params\":{" META "}", 404, -32601,
	    "" },
	{ V "Mcp-Method: tasks/get\r\nMcp-Name: t\r\n",
	    "\"method\":\"tasks/get\",\"params\":{\"taskId\":\"t\"," META "}",
	    404, -32601, "" },
	{ V "Mcp-Method: tasks/result\r\n",
	    "\"method\":\"tasks/result\",\"params\":{" META "}", 404, -32601,
	    "" },
	/* h */
	{ LIST,
	    "\"method\":\"tools/list\",\"params\":{\"_meta\":{" CLAIM "," CAPS
	    ",\"io.modelcontextprotocol/logLevel\":\"loud\"}}",
	    400, -32602, "logLevel" },
	{ LIST,
	    "\"method\":\"tools/list\",\"params\":{\"_meta\":{" CLAIM "," CAPS
	    ",\"io.modelcontextprotocol/logLevel\":\"info\"}}",
	    0, 0, NULL },
};

static const struct rung *rung;

static void
climb_one(void)
{
	inbound_auto struct inbound in = { 0 };
	struct face_2026_fault fault = { 0 };
	char text[1024];
	json_t *message;
	int rc;

	keep_head(&in, rung->fields);
	must(slice_eq(in.path, SLICE("/mcp")));
	snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,%s}",
	    rung->message);
	message = parsed(text);
	rc =
	    face_2026_climb(&in, RPC_KIND_REQUEST, message, bench.load, &fault);
	note("%d %d %d", rc, fault.status, fault.code);
	if (rung->text && !strstr(fault.text, rung->text))
		note("[%s]", fault.text);
	if (fault.code == -32022)
		must(json_array_size(
			 json_object_get(fault.data, "supported")) == 4);
	face_2026_fault_fini(&fault);
	json_decref(message);
}

START_TEST(the_ladder_refuses_at_the_right_rung)
{
	char want[64];

	rung = &rungs[_i];
	bench.object = &holdline_object;
	bench_run(climb_one);
	snprintf(want, sizeof(want), "%d %d %d", rung->status ? -EINVAL : 0,
	    rung->status, rung->code);
	ck_assert_msg(strcmp(traced(), want) == 0, "rung %d: %s, want %s", _i,
	    traced(), want);
}
END_TEST

/* Who may call: Host, Origin, verdict on each for the tenant acme.localhost. */
static const struct {
	const char *fields;
	bool is_allowed;
} origins[] = {
	{ "", true },
	{ "Origin: http://acme.localhost\r\n", true },
	{ "Origin: https://ACME.localhost:8443\r\n", true },
	{ "Origin: http://localhost:3000\r\n", true },
	{ "Origin: http://127.0.0.1:3000\r\n", true },
	{ "Origin: http://[::1]:3000\r\n", true },
	{ "Origin: http://evil.example.com\r\n", false },
	{ "Origin: http://acme.localhost.evil.example.com\r\n", false },
	{ "Origin: http://evil.example.com@acme.localhost\r\n", false },
	{ "Origin: null\r\n", false },
	{ "Origin: \r\n", false },
	{ "Origin: http://\r\n", false },
	{ "Origin: ftp://acme.localhost\r\n", false },
	{ "Origin: http://acme.localhost\r\n"
	  "Origin: http://acme.localhost\r\n",
	    false },
};

START_TEST(an_origin_must_be_of_this_host_or_this_machine)
{
	struct inbound in;

	keep_head(&in, origins[_i].fields);
	ck_assert(inbound_host_allowed(&in, "acme.localhost"));
	ck_assert(!inbound_host_allowed(&in, "beta.localhost"));
	ck_assert_msg(inbound_origin_allowed(&in, "acme.localhost") ==
			  origins[_i].is_allowed,
	    "%s", origins[_i].fields);
	inbound_fini(&in);
}
END_TEST

/* What a client can read. */
static const struct {
	const char *fields;
	unsigned accepts;
	bool is_json;
} medias[] = {
	{ "", INBOUND_ACCEPT_JSON | INBOUND_ACCEPT_STREAM, false },
	{ "Accept: */*\r\n", INBOUND_ACCEPT_JSON | INBOUND_ACCEPT_STREAM,
	    false },
	{ "Accept: application/json;q=1, Text/Event-Stream\r\n"
	  "Content-Type: Application/JSON; charset=utf-8\r\n",
	    INBOUND_ACCEPT_JSON | INBOUND_ACCEPT_STREAM, true },
	{ "Accept: text/html\r\nAccept: application/json\r\n"
	  "Content-Type: application/jsonx\r\n",
	    INBOUND_ACCEPT_JSON, false },
	{ "Accept: text/event-stream\r\nContent-Type: text/plain\r\n",
	    INBOUND_ACCEPT_STREAM, false },
	{ "Accept: text/html\r\n", 0, false },
};

START_TEST(media_types_are_read_leniently)
{
	struct inbound in;

	keep_head(&in, medias[_i].fields);
	ck_assert_uint_eq(in.accepts, medias[_i].accepts);
	ck_assert_int_eq(in.is_json, medias[_i].is_json);
	inbound_fini(&in);
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof(table[0]))

int
main(void)
{
	Suite *const suite = suite_create("backend face_2026");
	TCase *const all = tcase_create("all");
	SRunner *runner;
	int n_failed;

	tcase_add_loop_test(
	    all, the_ladder_refuses_at_the_right_rung, 0, N(rungs));
	tcase_add_loop_test(
	    all, an_origin_must_be_of_this_host_or_this_machine, 0, N(origins));
	tcase_add_loop_test(all, media_types_are_read_leniently, 0, N(medias));
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
