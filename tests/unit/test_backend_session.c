/* SPDX-License-Identifier: MIT */
/*
 * test_backend_session: what readers and cancels see of one tool run. Numbers
 * are those of flow-behaviours, chapter 14.
 */
#include "common/flow/sleep.h"

#include "tests/unit/session_tools.h"

/* ---- tools ----------------------------------------------------------- */

static void
finalise_slowly(void *arg)
{
	note("cleaning");
	flow_sleep(500);
	note("cleaned");
}

static json_t *
stubborn(struct hl_ctx *ctx, json_t *args)
{
	freed word = "freed";
	hl_ensure(ctx, finalise_slowly, NULL);
	hl_sleep(ctx, 100000);
	return hl_text("not reached");
}

static json_t *
quick(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("quick");
}

TOOL(chat);
TOOL(stubborn);
TOOL(quick);
HL_TOOLS(&chat_tool, &stubborn_tool, &quick_tool);

/* ---- reading --------------------------------------------------------- */

static void
play_chat(void)
{
	bench_play("chat", NULL, CAPS_ALL, chat_script);
}

START_TEST(session_167_lsns_have_no_gap_and_one_terminal_entry_is_last)
{
	expect(play_chat, CHAT_TRACE);
}
END_TEST

START_TEST(session_169_an_answer_given_while_publishing_is_not_lost)
{
	expect(play_chat, CHAT_TRACE);
}
END_TEST

/* A reader from a cursor on: notes the LSNs it gets, and the end. */
struct reader {
	struct session *session;
	char got[128];
	uint64_t from;
};

static void *
reader_body(void *arg)
{
	struct reader *const r = arg;
	uint64_t cursor = r->from;
	const struct entry *e;
	int rc;

	while ((rc = session_next(r->session, &cursor, CLOCK_NEVER, &e)) == 0)
		snprintf(r->got + strlen(r->got),
		    sizeof(r->got) - strlen(r->got), "%d,", (int)e->lsn);
	snprintf(r->got + strlen(r->got), sizeof(r->got) - strlen(r->got), "%s",
	    strerrorname_np(-rc));
	return NULL;
}

/* Readers at 0, 2 and 3 start at different times of the run. */
static void
read_from_everywhere(void)
{
	static const struct script_line none[] = { { NULL, NULL } };
	struct session *s session_auto =
	    bench_start("chat", NULL, CAPS_ALL, none);
	struct reader readers[4] = { { .session = s }, { .session = s },
		{ .session = s, .from = 2 }, { .session = s, .from = 3 } };

	SPAWN(reader_body, &readers[0], NULL);
	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	SPAWN(reader_body, &readers[1], NULL);
	SPAWN(reader_body, &readers[2], NULL);
	SPAWN(reader_body, &readers[3], NULL);
	flow_sleep(1);
	answer(s, "who", ACCEPT("Ada"));
	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	answer(s, "who#2", ACCEPT("Bob"));
	must(session_wait_end(s, CLOCK_NEVER) == 0);
	flow_sleep(1);
	for (int i = 0; i < 4; i++)
		note("<%s>", readers[i].got);
}

START_TEST(session_168_each_reader_gets_all_after_its_cursor)
{
	expect(read_from_everywhere,
	    CHAT_TRACE " <1,2,3,4,5,6,7,EPIPE> <1,2,3,4,5,6,7,EPIPE> "
		       "<3,4,5,6,7,EPIPE> <4,5,6,7,EPIPE>");
}
END_TEST

static void
read_after_the_end(void)
{
	struct session *s session_auto =
	    bench_start("chat", NULL, CAPS_ALL, chat_script);
	struct reader late = { .session = s, .from = 5 };
	struct reader done = { .session = s, .from = 7 };
	struct reader wrong = { .session = s, .from = 8 };

	must(session_wait_end(s, CLOCK_NEVER) == 0);
	reader_body(&late);
	reader_body(&done);
	reader_body(&wrong);
	note("<%s> <%s> <%s>", late.got, done.got, wrong.got);
}

START_TEST(session_175_a_reader_after_the_end_gets_the_rest_and_then_the_end)
{
	expect(read_after_the_end, CHAT_TRACE " <6,7,EPIPE> <EPIPE> <EINVAL>");
}
END_TEST

static void
hold_and_find(void)
{
	struct session *s = bench_start("chat", NULL, CAPS_ALL, NULL);
	char id[RANDOM_ID_SIZE];

	snprintf(id, sizeof(id), "%s", session_id(s));
	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	session_unref(&s);
	flow_sleep(3600 * 1000);
	s = registry_find(bench.registry, id);
	note("%s", s ? session_state_name(session_state(s)) : "gone");
	session_cancel(s, ENTRY_REASON_CLIENT, NULL);
	must(session_wait_end(s, CLOCK_NEVER) == 0);
	flow_sleep(3600 * 1000);
	session_unref(&s);
	flow_sleep(59000);
	s = registry_find(bench.registry, id);
	note("%s", s ? session_state_name(session_state(s)) : "gone");
	session_unref(&s);
	flow_sleep(61000);
	note("%s", registry_find(bench.registry, id) ? "there" : "gone");
}

START_TEST(session_174_outlives_its_request_and_then_its_last_hold_by_linger)
{
	expect(hold_and_find,
	    "1:progress=1/2 2:log=1,asking 3:ask=who awaiting_elicit freed "
	    "4:cancelled=client,client cancelled gone");
}
END_TEST

/* ---- ends ------------------------------------------------------------ */

static void
cancel_slowly(void)
{
	struct session *s session_auto =
	    bench_start("stubborn", NULL, NULL, NULL);

	flow_sleep(10);
	session_cancel(s, ENTRY_REASON_CLIENT, "stop");
	session_cancel(s, ENTRY_REASON_LIMIT, "too late");
	note("%s", session_state_name(session_state(s)));
	must(session_wait_end(s, CLOCK_NEVER) == 0);
	session_cancel(s, ENTRY_REASON_LIMIT, "too late");
	note("%s", session_state_name(session_state(s)));
}

START_TEST(session_173_cancel_lets_cleanups_finish_and_is_for_good)
{
	expect(cancel_slowly,
	    "cancelling freed cleaning cleaned 1:cancelled=client,stop "
	    "cancelled");
}
END_TEST

static void
cancel_unborn(void)
{
	struct session *s session_auto = bench_start("quick", NULL, NULL, NULL);

	session_cancel(s, ENTRY_REASON_CLIENT, "never mind");
	note("%s", session_state_name(session_state(s)));
}

START_TEST(session_173_cancel_before_the_first_turn_never_runs_the_tool)
{
	expect(cancel_unborn, "1:cancelled=client,never mind cancelled");
}
END_TEST

static void
bad_arguments(void)
{
	bench_play("quick", "{\"n\": \"x\"}", NULL, NULL);
	bench_play("quick", "{\"n\": 1}", NULL, NULL);
}

START_TEST(session_answers_arguments_that_do_not_fit_with_their_pointer)
{
	expect(bad_arguments,
	    "1:error=Invalid arguments: /n must be an integer, not a "
	    "string. "
	    "1:result=quick");
}
END_TEST

static Suite *
session_suite(void)
{
	Suite *const suite = suite_create("backend session");
	TCase *const all = tcase_create("all");

	tcase_add_test(
	    all, session_167_lsns_have_no_gap_and_one_terminal_entry_is_last);
	tcase_add_test(all, session_168_each_reader_gets_all_after_its_cursor);
	tcase_add_test(
	    all, session_169_an_answer_given_while_publishing_is_not_lost);
	tcase_add_test(
	    all, session_173_cancel_lets_cleanups_finish_and_is_for_good);
	tcase_add_test(
	    all, session_173_cancel_before_the_first_turn_never_runs_the_tool);
	tcase_add_test(all,
	    session_174_outlives_its_request_and_then_its_last_hold_by_linger);
	tcase_add_test(all,
	    session_175_a_reader_after_the_end_gets_the_rest_and_then_the_end);
	tcase_add_test(
	    all, session_answers_arguments_that_do_not_fit_with_their_pointer);
	suite_add_tcase(suite, all);
	return suite;
}

int
main(void)
{
	SRunner *const runner = srunner_create(session_suite());

	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
