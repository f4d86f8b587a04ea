/* SPDX-License-Identifier: MIT */
/*
 * test_backend_session_ask: what becomes of a tool's questions: answers of all
 * kinds, and clients that cannot be asked. Numbers are those of
 * flow-behaviours, chapter 14.
 */
#include "tests/unit/session_tools.h"

/* ---- tools ----------------------------------------------------------- */

static json_t *
sampler(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *tip = hl_sample(ctx, "A tip for %s?", "Oslo");

	return hl_text("tip: %s", hl_said(tip));
}

/* Two questions at once, from two branches of the tool. */
struct branch {
	struct hl_ctx *ctx;
	const char *key;
};

static void *
branch_body(void *arg)
{
	const struct branch *const b = arg;

	return ask_name(b->ctx, b->key);
}

static json_t *
both(struct hl_ctx *ctx, json_t *args)
{
	struct branch left = { ctx, "left" };
	struct branch right = { ctx, "right" };
	struct task *l task_auto = NULL;
	struct task *r task_auto = NULL;
	void *value;

	SPAWN(branch_body, &left, &l);
	SPAWN(branch_body, &right, &r);
	must(task_await(l, &value, NULL) == 0);
	hl_auto json_t *a = value;
	must(task_await(r, &value, NULL) == 0);
	hl_auto json_t *b = value;
	return hl_text("%s %s", name_in(a), name_in(b));
}

TOOL(chat);
TOOL(sampler);
TOOL(both);
HL_TOOLS(&chat_tool, &sampler_tool, &both_tool);

/* ---- answers --------------------------------------------------------- */

/* Ask both; answer in the given order. */
static void
answer_both(const char *first, const char *second)
{
	struct session *s session_auto =
	    bench_start("both", NULL, CAPS_ALL, NULL);

	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	note("open=%u", session_n_asks(s));
	answer(s, first, ACCEPT("first"));
	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	note("open=%u", session_n_asks(s));
	answer(s, second, ACCEPT("second"));
	must(session_wait_end(s, CLOCK_NEVER) == 0);
}

static void
answer_left_first(void)
{
	answer_both("left", "right");
}

static void
answer_right_first(void)
{
	answer_both("right", "left");
}

START_TEST(session_170_two_questions_can_be_answered_in_either_order)
{
	expect(answer_left_first,
	    "1:ask=left 2:ask=right open=2 3:answered=left open=1 "
	    "4:answered=right 5:result=first second");
	expect(answer_right_first,
	    "1:ask=left 2:ask=right open=2 3:answered=right open=1 "
	    "4:answered=left 5:result=second first");
}
END_TEST

static void
answer_wrongly(void)
{
	struct session *s session_auto =
	    bench_start("chat", NULL, CAPS_ALL, NULL);

	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	answer(s, "nobody", ACCEPT("Eve"));
	answer(s, "who#2", ACCEPT("Eve"));
	answer(s, "who", ACCEPT("Ada"));
	answer(s, "who", ACCEPT("Eve"));
	answer(s, "who", "!no");
	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	answer(s, "who", ACCEPT("Eve"));
	session_cancel(s, ENTRY_REASON_CLIENT, "enough");
	answer(s, "who#2", ACCEPT("Eve"));
	must(session_wait_end(s, CLOCK_NEVER) == 0);
	answer(s, "who#2", ACCEPT("Eve"));
}

START_TEST(session_171_wrong_second_and_late_answers_are_errors_to_the_caller)
{
	expect(answer_wrongly,
	    "1:progress=1/2 2:log=1,asking 3:ask=who "
	    "[ENOENT  nothing named \"nobody\" was asked] "
	    "[ENOENT  nothing named \"who#2\" was asked] "
	    "4:answered=who "
	    "[EALREADY  \"who\" was answered before] "
	    "[EALREADY  \"who\" was answered before] "
	    "5:ask=who#2 "
	    "[EALREADY  \"who\" was answered before] "
	    "[ESTALE  \"who#2\" wants no answer any more: the tool is being "
	    "halted] "
	    "freed 6:cancelled=client,enough "
	    "[ESTALE  \"who#2\" wants no answer any more: the tool has "
	    "ended]");
}
END_TEST

static const struct script_line refusing_script[] = {
	{ "who", "{\"action\": \"decline\"}" },
	{ "who#2", "{\"action\": \"cancel\", \"content\": {}}" },
	{ NULL, NULL },
};

static void
play_refusing(void)
{
	bench_play("chat", NULL, CAPS_ALL, refusing_script);
}

START_TEST(session_172_decline_and_cancel_are_values)
{
	expect(play_refusing,
	    "1:progress=1/2 2:log=1,asking 3:ask=who 4:answered=who "
	    "5:ask=who#2 6:answered=who#2 freed 7:result=decline and cancel");
}
END_TEST

/* Answers that do not fit, and where it says so. */
static const struct {
	const char *answer;
	const char *place;
} misfits[] = {
	{ "12345", "" },
	{ "null", "" },
	{ "[]", "" },
	{ "{}", "/action" },
	{ "{\"action\": 1}", "/action" },
	{ "{\"action\": \"maybe\"}", "/action" },
	{ "{\"action\": \"accept\"}", "/content" },
	{ "{\"action\": \"accept\", \"content\": []}", "/content" },
	{ "{\"action\": \"accept\", \"content\": {\"name\": 5}}",
	    "/content/name" },
	{ "{\"action\": \"accept\", \"content\": {\"name\": \"x\"}}",
	    "/content/name" },
	{ "{\"action\": \"accept\", \"content\": {\"other\": \"xx\"}}", NULL },
};

static void
answer_misfits(void)
{
	struct session *s session_auto =
	    bench_start("chat", NULL, CAPS_ALL, NULL);
	struct err err;

	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
		json_t *const value = parsed(misfits[i].answer);
		must(session_check_answer(s, "who", value, &err) == -EINVAL);
		must(session_answer(s, "who", value, &err) == -EINVAL);
		json_decref(value);
		if (misfits[i].place && strcmp(err.place, misfits[i].place))
			note("%zu at %s: %s", i, err.place, err.text);
		must(err.text[0] && session_n_asks(s) == 1);
	}
	answer(s, "who", ACCEPT("Ada"));
	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	answer(s, "who#2", ACCEPT("Bob"));
	must(session_wait_end(s, CLOCK_NEVER) == 0);
}

START_TEST(session_172_invalid_content_never_reaches_the_tool)
{
	expect(answer_misfits, CHAT_TRACE);
}
END_TEST

static void
sample_misfits(void)
{
	struct session *s session_auto =
	    bench_start("sampler", NULL, CAPS_ALL, NULL);

	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	note("%s", session_state_name(session_state(s)));
	answer(s, "sample", ACCEPT("Ada"));
	answer(s, "sample", "{\"role\": \"assistant\", \"content\": \"x\"}");
	answer(s, "sample",
	    "{\"role\": \"assistant\", \"content\": [{\"text\": \"x\"}]}");
	answer(s, "sample",
	    "{\"role\": \"assistant\", \"content\": [{\"type\": \"image\"}, "
	    "{\"type\": \"text\", \"text\": \"yes\"}]}");
	must(session_wait_end(s, CLOCK_NEVER) == 0);
}

START_TEST(session_takes_samples_with_one_block_or_several)
{
	expect(sample_misfits,
	    "1:ask=sample awaiting_sample "
	    "[EINVAL /role must be \"assistant\"] "
	    "[EINVAL /content must be a content block or an array of them] "
	    "[EINVAL /content item 0 is no content block] "
	    "2:answered=sample 3:result=tip: yes");
}
END_TEST

static const struct script_line failing_script[] = {
	{ "sample", "!the user said no" },
	{ NULL, NULL },
};

static void
play_failing(void)
{
	bench_play("sampler", NULL, CAPS_ALL, failing_script);
}

START_TEST(session_fails_when_the_client_answers_with_an_error)
{
	expect(play_failing,
	    "1:ask=sample 2:answered=sample 3:failed=the client could not "
	    "answer sample: the user said no");
}
END_TEST

static void
prefill(void)
{
	struct session *s;
	json_t *const args = json_object();
	struct session_spec spec = {
		.tool = load_find(bench.load, "chat"),
		.args = args,
		.can = can_of(CAPS_ALL),
		.answers = parsed(
		    "{\"who\": " ACCEPT("Pre") ", \"who#2\": 12345, \"x\": 1}"),
		.on_entry = script_on_entry,
		.on_entry_arg = (void *)chat_script,
	};

	must(registry_start(bench.registry, &spec, &s, NULL) == 0);
	json_decref(args);
	json_decref(spec.answers);
	must(session_wait_end(s, CLOCK_NEVER) == 0);
	session_unref(&s);
}

START_TEST(session_uses_an_answer_that_came_with_the_call_if_it_fits)
{
	expect(prefill,
	    "1:progress=1/2 2:log=1,asking 3:ask=who#2 4:answered=who#2 "
	    "freed 5:result=Pre and Bob");
}
END_TEST

/* ---- capabilities ---------------------------------------------------- */

static void
lack_elicitation(void)
{
	bench_play("chat", NULL, "{\"sampling\": {}}", chat_script);
	bench_play("chat", NULL, "{\"elicitation\": {\"url\": {}}}", NULL);
	bench_play("sampler", NULL, NULL, NULL);
}

START_TEST(session_ends_and_says_which_capability_is_missing)
{
	expect(lack_elicitation,
	    "1:progress=1/2 2:log=1,asking freed 3:failed=the tool chat needs "
	    "the client capability elicitation, which this client did not "
	    "declare{\"elicitation\":{}} "
	    "1:progress=1/2 2:log=1,asking freed 3:failed=the tool chat needs "
	    "the client capability elicitation, which this client did not "
	    "declare{\"elicitation\":{}} "
	    "1:failed=the tool sampler needs the client capability sampling, "
	    "which this client did not declare{\"sampling\":{}}");
}
END_TEST

static void
renew_capabilities(void)
{
	struct session *s session_auto = bench_start(
	    "chat", NULL, "{\"elicitation\": {\"form\": {}}}", NULL);

	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	session_set_can(s, 0);
	answer(s, "who", ACCEPT("Ada"));
	must(session_wait_end(s, CLOCK_NEVER) == 0);
}

START_TEST(session_asks_only_what_the_present_leg_declares)
{
	expect(renew_capabilities,
	    "1:progress=1/2 2:log=1,asking 3:ask=who 4:answered=who freed "
	    "5:failed=the tool chat needs the client capability elicitation, "
	    "which this client did not declare{\"elicitation\":{}}");
}
END_TEST

static Suite *
ask_suite(void)
{
	Suite *const suite = suite_create("backend session_ask");
	TCase *const all = tcase_create("all");

	tcase_add_test(
	    all, session_170_two_questions_can_be_answered_in_either_order);
	tcase_add_test(all,
	    session_171_wrong_second_and_late_answers_are_errors_to_the_caller);
	tcase_add_test(all, session_172_decline_and_cancel_are_values);
	tcase_add_test(all, session_172_invalid_content_never_reaches_the_tool);
	tcase_add_test(all, session_takes_samples_with_one_block_or_several);
	tcase_add_test(
	    all, session_fails_when_the_client_answers_with_an_error);
	tcase_add_test(
	    all, session_uses_an_answer_that_came_with_the_call_if_it_fits);
	tcase_add_test(all, session_ends_and_says_which_capability_is_missing);
	tcase_add_test(all, session_asks_only_what_the_present_leg_declares);
	suite_add_tcase(suite, all);
	return suite;
}

int
main(void)
{
	SRunner *const runner = srunner_create(ask_suite());

	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
