/* SPDX-License-Identifier: MIT */
/* test_backend_dialog: what rounds remember of answers, and for how long. */
#include "backend/dialog.h"

#include "common/base/log.h"
#include "common/flow/sleep.h"

#include "tests/unit/session_script.h"

static json_t *
at_once(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("done");
}

static const struct hl_tool quick = { .name = "quick",
	.description = "test",
	.input_schema = "{\"type\":\"object\"}",
	.fn = at_once };
HL_TOOLS(&quick);

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

int
main(void)
{
	Suite *const suite = suite_create("backend_dialog");
	TCase *const all = tcase_create("all");

	tcase_add_test(all, a_round_tells_a_repetition_without_its_answers);
	tcase_add_test(all, a_dialog_lingers_after_the_end_of_its_session);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
