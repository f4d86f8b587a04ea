/* SPDX-License-Identifier: MIT */
/*
 * The legacy face: event ids that are derived from the log, entries as
 * messages of each revision, and peers that cannot see one another.
 */
#include "backend/face_2025_event.h"

#include "common/base/log.h"
#include "common/flow/sleep.h"

#include "backend/face_2025.h"

#include "tests/unit/face_script.h"

#define SID "0123456789abcdef0123456789abcdef"

/* ---- ids ------------------------------------------------------------- */

START_TEST(an_id_leads_back_to_its_event)
{
	const uint64_t lsns[] = { 0, 1, 9, 10, 16384, UINT64_MAX };
	char id[FACE_2025_ID_SIZE], sid[RANDOM_ID_SIZE];
	uint64_t lsn = 77;

	face_2025_id(SID, lsns[_i], id);
	ck_assert_int_eq(face_2025_parse_id(slice_of(id), sid, &lsn), 0);
	ck_assert_str_eq(sid, SID);
	ck_assert(lsn == lsns[_i]);
}
END_TEST

static const char *const bad_ids[] = {
	"",
	"_",
	"_1",
	SID,
	SID "_",
	SID "_x",
	SID "_1x",
	SID "_-1",
	SID "_+1",
	SID "_ 1",
	SID "_01",
	SID "_00",
	SID "_18446744073709551616",
	SID "_184467440737095516160",
	SID "0_1",
	"123_1",
};

START_TEST(an_id_has_one_spelling)
{
	char sid[RANDOM_ID_SIZE];
	uint64_t lsn;

	ck_assert_int_eq(
	    face_2025_parse_id(slice_of(bad_ids[_i]), sid, &lsn), -EINVAL);
}
END_TEST

/* ---- messages -------------------------------------------------------- */

static struct ask elicit = { .kind = ASK_ELICIT,
	.name = "seat",
	.params = (char[]){ "{\"message\":\"Seat?\"}" } };
static struct ask sample = { .kind = ASK_SAMPLE,
	.name = "tip",
	.params = (char[]){ "{\"maxTokens\":9}" } };

/* One entry of each kind, by its LSN. */
static struct entry log_of[] = {
	{ .lsn = 1,
	    .kind = ENTRY_PROGRESS,
	    .done = 1,
	    .total = 2.5,
	    .text = (char *)"half" },
	{ .lsn = 2,
	    .kind = ENTRY_LOG,
	    .level = HL_INFO,
	    .text = (char *)"hello" },
	{ .lsn = 3, .kind = ENTRY_ASK, .ask = &elicit },
	{ .lsn = 4, .kind = ENTRY_ANSWERED, .ask = &elicit },
	{ .lsn = 5, .kind = ENTRY_ASK, .ask = &sample },
	{ .lsn = 6, .kind = ENTRY_ANSWERED, .ask = &sample },
	{ .lsn = 7, .kind = ENTRY_RESULT },
	{ .lsn = 8, .kind = ENTRY_FAILED, .text = (char *)"no" },
	{ .lsn = 9,
	    .kind = ENTRY_CANCELLED,
	    .reason = ENTRY_REASON_CLIENT,
	    .text = (char *)"gone" },
	{ .lsn = 10,
	    .kind = ENTRY_CANCELLED,
	    .reason = ENTRY_REASON_SHUTDOWN,
	    .text = (char *)"the end" },
};

#define N_LOG (sizeof(log_of) / sizeof(log_of[0]))

#define RPC   "{\"jsonrpc\":\"2.0\","
#define RPC_7 RPC "\"id\":7,"
#define PROGRESS                                                     \
	RPC "\"method\":\"notifications/progress\",\"params\":"      \
	    "{\"progressToken\":\"t\",\"progress\":1,\"total\":2.5," \
	    "\"message\":\"half\"}}"
#define MESSAGE                                                \
	RPC "\"method\":\"notifications/message\",\"params\":" \
	    "{\"level\":\"info\",\"data\":\"hello\"}}"
#define ELICIT(mode)                                                  \
	RPC "\"id\":\"" SID "_3\",\"method\":\"elicitation/create\"," \
	    "\"params\":{" mode "\"message\":\"Seat?\"}}"
#define SAMPLE                                                            \
	RPC "\"id\":\"" SID "_5\",\"method\":\"sampling/createMessage\"," \
	    "\"params\":{\"maxTokens\":9}}"
#define RESULT(more) RPC_7 "\"result\":{\"content\":[]" more "}}"
#define FAILED                                                        \
	RPC_7 "\"result\":{\"content\":[{\"type\":\"text\",\"text\":" \
	      "\"no\"}],\"isError\":true}}"
#define SHUT                                                        \
	RPC_7 "\"error\":{\"code\":-32603,\"message\":\"the end\"," \
	      "\"data\":{\"reason\":\"shutting_down\"}}}"

/* What each revision says of the log, with a token and without, at a level. */
static const struct saying {
	const char *revision;
	const char *token;
	enum hl_level level;
	const char *says[N_LOG];
} sayings[] = {
	{ "2025-11-25", "\"t\"", HL_INFO,
	    { PROGRESS, MESSAGE, ELICIT("\"mode\":\"form\","), NULL, SAMPLE,
		NULL, RESULT(",\"structuredContent\":{}"), FAILED, NULL,
		SHUT } },
	{ "2025-06-18", NULL, HL_NOTICE,
	    { NULL, NULL, ELICIT(""), NULL, SAMPLE, NULL,
		RESULT(",\"structuredContent\":{}"), FAILED, NULL, SHUT } },
	{ "2025-03-26", "\"t\"", HL_DEBUG,
	    { PROGRESS, MESSAGE, ELICIT(""), NULL, SAMPLE, NULL, RESULT(""),
		FAILED, NULL, SHUT } },
};

START_TEST(each_entry_is_said_as_its_revision_says_it)
{
	const struct saying *saying = &sayings[_i];
	struct peer_stream stream = { .session_id = SID,
		.request_id = json_integer(7),
		.token = saying->token ? parsed(saying->token) : NULL };
	const struct face_revision *revision =
	    face_find(slice_of(saying->revision));

	log_of[6].data = parsed("{\"content\":[],\"structuredContent\":{}}");
	for (size_t i = 0; i < N_LOG; i++) {
		json_t *message;
		char *text;

		ck_assert_int_eq(face_2025_message(&log_of[i], &stream,
				     revision, saying->level, &message),
		    0);
		text = message ? json_dumps(message, JSON_COMPACT) : NULL;
		ck_assert_msg(text == NULL ? saying->says[i] == NULL
					   : saying->says[i] &&
						 !strcmp(text, saying->says[i]),
		    "%s entry %zu: %s", saying->revision, i + 1,
		    text ? text : "nothing");
		free(text);
		json_decref(message);
	}
	json_decref(log_of[6].data);
	json_decref(stream.request_id);
	json_decref(stream.token);
}
END_TEST

/* ---- peers ----------------------------------------------------------- */

static json_t *
wait_for_ever(struct hl_ctx *ctx, json_t *args)
{
	hl_sleep(ctx, 1000000000);
	return hl_text("woke up");
}

static json_t *
at_once(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("done");
}

#define OBJECT "{\"type\":\"object\"}"
static const struct hl_tool waits = { .name = "waits",
	.description = "test",
	.input_schema = OBJECT,
	.fn = wait_for_ever };
static const struct hl_tool quick = { .name = "quick",
	.description = "test",
	.input_schema = OBJECT,
	.fn = at_once };
HL_TOOLS(&waits, &quick);

static struct peers *
peers_of(unsigned max, int64_t idle_ms)
{
	struct peers *peers =
	    peers_new(bench.registry, &bench.keeper, max, idle_ms);

	must(peers);
	return peers;
}

/* A peer that is in the table and held by nobody; its id. */
static const char *
peer_of(struct peers *peers)
{
	static char ids[8][RANDOM_ID_SIZE];
	static int i;
	peer_auto struct peer *peer = NULL;
	const int rc = peer_new(peers, face_assumed(), 0, &peer);

	if (rc != 0)
		return rc == -EBUSY ? "busy" : "shut";
	i = (i + 1) % 8;
	memcpy(ids[i], peer->id, RANDOM_ID_SIZE);
	return ids[i];
}

static bool
is_known(struct peers *peers, const char *id)
{
	peer_auto struct peer *peer = peer_find(peers, slice_of(id));

	return peer != NULL;
}

/* Start a tool for a peer, as its request id. */
static void
call_of(struct peers *peers, const char *id, const char *tool, int request)
{
	peer_auto struct peer *peer = peer_find(peers, slice_of(id));
	session_auto struct session *s = bench_start(tool, NULL, NULL, NULL);
	peer_stream_auto struct peer_stream *stream = NULL;
	hl_auto json_t *request_id = json_integer(request);

	must(peer_add_stream(peer, session_id(s), request_id, NULL, &stream) ==
	     0);
}

static void
full_table(void)
{
	struct peers *peers = peers_of(2, CLOCK_NEVER);
	const char *a = peer_of(peers), *b = peer_of(peers);

	call_of(peers, a, "waits", 1);
	note("%d%d", is_known(peers, a), is_known(peers, b));
	/* a was used longer ago than b but has work; b goes. */
	(void)is_known(peers, b);
	const char *c = peer_of(peers);
	note("%d%d%d", is_known(peers, a), is_known(peers, b),
	    is_known(peers, c));
	call_of(peers, c, "waits", 1);
	note("%s", peer_of(peers));
	note("%u", peers_n(peers));
	peers_shut(peers);
	note("%s", peer_of(peers));
	peers_free(&peers);
}

START_TEST(a_full_table_forgets_the_peer_that_was_idle_longest)
{
	bench.object = &holdline_object;
	bench_run(full_table);
	ck_assert_str_eq(traced(),
	    "11 101 busy 2 shut "
	    "1:cancelled=shutting_down,shutting_down: the server ended the "
	    "tool "
	    "1:cancelled=shutting_down,shutting_down: the server ended the "
	    "tool");
}
END_TEST

static void
cancels(void)
{
	struct peers *peers = peers_of(9, CLOCK_NEVER);
	const char *a = peer_of(peers), *b = peer_of(peers);
	peer_auto struct peer *pa = peer_find(peers, slice_of(a));
	peer_auto struct peer *pb = peer_find(peers, slice_of(b));
	hl_auto json_t *one = json_integer(1);
	hl_auto json_t *text_one = json_string("1");

	call_of(peers, a, "waits", 1);
	call_of(peers, b, "waits", 1);
	call_of(peers, b, "waits", 2);
	note("%u", peer_cancel(pa, text_one, "no"));
	note("%u", peer_cancel(pa, one, "a's own"));
	flow_sleep(0);
	note("%u", registry_n_live(bench.registry));
	note("%u", peer_cancel(pa, one, "again"));
	peer_end(pb);
	flow_sleep(0);
	note("%u %d%d", registry_n_live(bench.registry), pb->is_ended,
	    is_known(peers, b));
	peer_end(pb);
	peers_shut(peers);
	peer_unref(&pa);
	peer_unref(&pb);
	peers_free(&peers);
}

START_TEST(a_peer_cancels_its_own_requests_and_no_other)
{
	bench.object = &holdline_object;
	bench_run(cancels);
	ck_assert_str_eq(traced(),
	    "0 1:cancelled=client,a's own 1 2 0 "
	    "1:cancelled=client,the client ended its session "
	    "1:cancelled=client,the client ended its session 0 10");
}
END_TEST

static void
idles(void)
{
	struct peers *peers = peers_of(9, 1000);
	const char *a = peer_of(peers), *b = peer_of(peers);
	const char *c = peer_of(peers);

	call_of(peers, b, "waits", 1);
	call_of(peers, c, "quick", 1);
	flow_sleep(900);
	note("%d%u", is_known(peers, a), peers_n(peers));
	flow_sleep(900);
	note("%u", peers_n(peers));
	flow_sleep(200);
	note("%u%d", peers_n(peers), is_known(peers, a));
	flow_sleep(5000);
	note("%u%d", peers_n(peers), is_known(peers, b));
	peers_free(&peers);
}

START_TEST(an_idle_peer_is_forgotten_one_with_work_is_not)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.object = &holdline_object;
	bench_run(idles);
	ck_assert_str_eq(traced(),
	    "1:result=done 13 2 10 11 1:cancelled=shutting_down,"
	    "shutting_down: the server ended the tool");
}
END_TEST

/* ---- memory ---------------------------------------------------------- */

/* Each allocation of a client's hello, then of its call, is refused once. */
static void
meet_without_memory(void)
{
	struct peers *peers = peers_of(9, CLOCK_NEVER);
	struct backend backend = { .host = "acme.localhost",
		.load = bench.load,
		.registry = bench.registry,
		.peers = peers };
	hl_auto json_t *hello = parsed(
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":"
	    "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{}}}");
	hl_auto json_t *call = parsed(
	    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":"
	    "{\"name\":\"quick\"}}");
	unsigned n_told = 0, n_done = 0;
	char fields[256];

	for (size_t n = 1; n <= 200; n++) {
		const char *said = post_to(face_2025_post, &backend,
		    "Accept: application/json, text/event-stream\r\n", hello,
		    n);
		if (strstr(said, "too many"))
			note("hello %zu: too many", n);
		n_told += strstr(said, "out of memory") != NULL;
	}
	snprintf(fields, sizeof(fields),
	    "Accept: application/json, text/event-stream\r\n"
	    "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: %s\r\n",
	    peer_of(peers));
	for (size_t n = 1; n <= 200; n++) {
		const char *said =
		    post_to(face_2025_post, &backend, fields, call, n);
		if (strstr(said, "too many"))
			note("call %zu: too many", n);
		n_told += strstr(said, "out of memory") != NULL;
		n_done += strstr(said, "\"done\"") != NULL;
	}
	note("%d%d", n_told > 2, n_done > 100);
	peers_shut(peers);
	peers_free(&peers);
}

START_TEST(without_memory_nothing_else_is_blamed)
{
	json_set_alloc_funcs(refusable_malloc, free);
	bench.object = &holdline_object;
	bench_run(meet_without_memory);
	ck_assert_str_eq(traced(), "11");
}
END_TEST

#define N(table) (int)(sizeof(table) / sizeof(table[0]))

int
main(void)
{
	Suite *const suite = suite_create("backend face_2025");
	TCase *const all = tcase_create("all");
	SRunner *runner;
	int n_failed;

	log_init("test", LOG_LEVEL_ERROR);
	tcase_add_loop_test(all, an_id_leads_back_to_its_event, 0, 6);
	tcase_add_loop_test(all, an_id_has_one_spelling, 0, N(bad_ids));
	tcase_add_loop_test(
	    all, each_entry_is_said_as_its_revision_says_it, 0, N(sayings));
	tcase_add_test(
	    all, a_full_table_forgets_the_peer_that_was_idle_longest);
	tcase_add_test(all, a_peer_cancels_its_own_requests_and_no_other);
	tcase_add_test(all, an_idle_peer_is_forgotten_one_with_work_is_not);
	tcase_add_test(all, without_memory_nothing_else_is_blamed);
	suite_add_tcase(suite, all);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
