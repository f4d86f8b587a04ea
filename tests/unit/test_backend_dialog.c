/* SPDX-License-Identifier: MIT */
/* test_backend_dialog: what rounds remember of answers, and for how long. */
#include "backend/dialog.h"

#include "common/base/log.h"
#include "common/flow/sleep.h"
#include "common/json/jsontext.h"

#include "backend/face_2026.h"

#include "tests/unit/face_script.h"

static json_t *
at_once(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("done");
}

static const struct hl_tool quick = { .name = "quick",
	.description = "test",
	.input_schema = "{\"type\":\"object\"}",
	.fn = at_once };
static json_t *
ask_once(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *form = json_pack("{s:s, s:{s:{s:s}}}", "type", "object",
	    "properties", "v", "type", "string");
	hl_auto json_t *pick = hl_elicit(ctx, "it", "What?", form);

	return hl_text("%s", hl_action(pick));
}

static const struct hl_tool asking = { .name = "asking",
	.description = "test",
	.input_schema = "{\"type\":\"object\"}",
	.fn = ask_once };
HL_TOOLS(&quick, &asking);

/* Start a dialog of the tool. Held. */
static struct dialog *
dialog_of(struct dialogs *dialogs)
{
	const struct session_spec spec = { .tool =
					       load_find(bench.load, "quick") };
	struct dialog *dialog;

	must(dialog_start(dialogs, bench.registry, &spec, &dialog, NULL) == 0);
	return dialog;
}

/* ---- answers --------------------------------------------------------- */

/* What a round that asked a and b was answered with, and a retry brings. */
static const struct {
	const char *first;
	const char *second;
	bool is_same;
} retries[] = {
	{ "{\"a\":{\"x\":1,\"y\":2}}", "{\"a\":{\"y\":2,\"x\":1}}", true },
	{ "{\"a\":1}", "{\"a\":1,\"c\":\"not asked\"}", true },
	{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true },
	{ "{\"a\":1}", "{\"a\":1.0}", false },
	{ "{\"a\":1}", "{\"b\":1}", false },
	{ "{\"a\":1,\"b\":2}", "{\"a\":12}", false },
	{ "{\"a\":12}", "{\"a\":1,\"b\":2}", false },
	{ "{\"a\":null}", "{}", false },
	{ "{\"a\":\"1\"}", "{\"a\":1}", false },
	{ "{\"a\":[1,2]}", "{\"a\":[2,1]}", false },
	{ "{\"a\":1}", NULL, false },
	{ "{}", NULL, true },
};

static void
retry_all(void)
{
	struct dialogs *dialogs = dialogs_new(&bench.keeper);
	struct dialog *dialog = dialog_of(dialogs);
	hl_auto json_t *asked = parsed("{\"a\":{},\"b\":{}}");

	for (size_t i = 0; i < sizeof(retries) / sizeof(*retries); i++) {
		hl_auto json_t *first = parsed(retries[i].first);
		hl_auto json_t *second =
		    retries[i].second ? parsed(retries[i].second) : NULL;
		struct round *round = dialog_add_round(dialog, asked);

		must(dialog_is_same(round, second) == 1);
		must(dialog_set_answers(round, NULL) == 0);
		must(!round->is_answered);
		must(dialog_set_answers(round, first) == 0);
		if (dialog_is_same(round, first) != 1 ||
		    dialog_is_same(round, second) != retries[i].is_same)
			note("%s|%s", retries[i].first, retries[i].second);
		/* Nothing of it is kept. */
		if (first->refcount != 1)
			note("kept");
	}
	must(session_wait_end(dialog->session, CLOCK_NEVER) == 0);
	dialog_unref(&dialog);
	dialogs_free(&dialogs);
}

START_TEST(a_round_tells_a_repetition_without_its_answers)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.object = &holdline_object;
	bench_run(retry_all);
	ck_assert_str_eq(traced(), "");
}
END_TEST

/* ---- linger ---------------------------------------------------------- */

static void
linger(void)
{
	struct dialogs *dialogs = dialogs_new(&bench.keeper);
	struct dialog *early = dialog_of(dialogs), *late;

	must(session_wait_end(early->session, CLOCK_NEVER) == 0);
	dialog_unref(&early);
	flow_sleep(1000);
	late = dialog_of(dialogs);
	must(session_wait_end(late->session, CLOCK_NEVER) == 0);
	note("%u", dialogs_n(dialogs));
	flow_sleep(DIALOG_LINGER_MS - 500);
	note("%u", dialogs_n(dialogs));
	flow_sleep(1000);
	/* Held, but no longer in the table. */
	note("%u", dialogs_n(dialogs));
	dialog_unref(&late);
	note("%u", dialogs_n(dialogs));
	dialogs_free(&dialogs);
}

START_TEST(a_dialog_lingers_after_the_end_of_its_session)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.object = &holdline_object;
	bench_run(linger);
	ck_assert_str_eq(traced(), "2 1 1 0");
}
END_TEST

/* ---- a retry --------------------------------------------------------- */

#define FIELDS                                 \
	"Accept: application/json\r\n"         \
	"MCP-Protocol-Version: 2026-07-28\r\n" \
	"Mcp-Method: tools/call\r\n"           \
	"Mcp-Name: asking\r\n"

/* Call the tool. Returns *new* JSON; NULL: closed without an answer. */
static json_t *
call(struct backend *backend, const char *more, size_t refuse)
{
	hl_auto json_t *message = NULL;
	char text[1024];

	snprintf(text, sizeof(text),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
	    "\"params\":{\"name\":\"asking\",%s\"_meta\":{"
	    "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
	    "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"t\","
	    "\"version\":\"1\"},"
	    "\"io.modelcontextprotocol/clientCapabilities\":{"
	    "\"elicitation\":{}}}}}",
	    more);
	message = parsed(text);
	const char *const said =
	    post_to(face_2026_post, backend, FIELDS, message, refuse);
	return said[0] ? parsed(strstr(said, "\r\n\r\n") + 4) : NULL;
}

static size_t refused;

static void
retry_after_a_lost_reply(void)
{
	struct backend backend = { .host = "acme.localhost",
		.load = bench.load,
		.registry = bench.registry,
		.dialogs = dialogs_new(&bench.keeper) };
	char more[512];
	hl_auto json_t *asked = call(&backend, "", 0);
	const char *const state = json_string_value(
	    json_object_get(json_object_get(asked, "result"), "requestState"));

	must(state);
	snprintf(more, sizeof(more),
	    "\"requestState\":\"%s\",\"inputResponses\":{\"it\":"
	    "{\"action\":\"accept\",\"content\":{\"v\":\"x\"}}},",
	    state);
	hl_auto json_t *first = call(&backend, more, refused);
	hl_auto json_t *second = call(&backend, more, 0);
	/* The client learns what came of it, or why that is lost. */
	if (!second)
		note("silence");
	if (first && json_object_get(first, "result") &&
	    !json_equal(first, second))
		note("another answer");
	must(registry_shut(bench.registry, CLOCK_NEVER) == 0);
	dialogs_free(&backend.dialogs);
}

static void
call_without_memory(void)
{
	struct backend backend = { .host = "acme.localhost",
		.load = bench.load,
		.registry = bench.registry,
		.dialogs = dialogs_new(&bench.keeper) };
	hl_auto json_t *first = call(&backend, "", refused);
	hl_auto json_t *second = call(&backend, "", 0);

	if (!second ||
	    !json_object_get(json_object_get(second, "result"), "requestState"))
		note("no questions");
	must(registry_shut(bench.registry, CLOCK_NEVER) == 0);
	dialogs_free(&backend.dialogs);
}

START_TEST(a_call_that_found_no_memory_harms_no_other)
{
	log_init("test", LOG_LEVEL_ERROR);
	json_set_alloc_funcs(refusable_malloc, free);
	jsontext_init();
	bench.object = &holdline_object;
	refused = (size_t)_i;
	bench_run(call_without_memory);
	ck_assert_str_eq(traced(), "");
}
END_TEST

START_TEST(a_retry_is_answered_whatever_was_refused_before)
{
	log_init("test", LOG_LEVEL_ERROR);
	json_set_alloc_funcs(refusable_malloc, free);
	jsontext_init();
	bench.object = &holdline_object;
	refused = (size_t)_i;
	bench_run(retry_after_a_lost_reply);
	ck_assert_str_eq(traced(), "");
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("backend_dialog");
	TCase *const all = tcase_create("all");

	tcase_add_loop_test(
	    all, a_call_that_found_no_memory_harms_no_other, 0, 300);
	tcase_add_loop_test(
	    all, a_retry_is_answered_whatever_was_refused_before, 0, 300);
	tcase_add_test(all, a_round_tells_a_repetition_without_its_answers);
	tcase_add_test(all, a_dialog_lingers_after_the_end_of_its_session);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
