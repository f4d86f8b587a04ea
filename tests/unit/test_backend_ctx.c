/* SPDX-License-Identifier: MIT */
/* test_backend_ctx: what the calls of holdline.h do for a tool. */
#include <fcntl.h>

#include "common/base/log.h"
#include "common/flow/sleep.h"

#include "backend/result.h"

#include "tests/unit/session_script.h"

/* ---- tools ----------------------------------------------------------- */

static const char *answer_file; /* what a step saw of its arguments */

static json_t *
double_it(json_t *args)
{
	json_t *const n = json_object_get(args, "n");

	json_integer_set(n, 2 * json_integer_value(n));
	answer_file = "stepped";
	return json_incref(n);
}

static json_t *
refuse_it(json_t *args)
{
	return NULL;
}

static json_t *
stepper(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *twice = hl_step(ctx, "double", double_it, args);
	hl_auto json_t *again = hl_step(ctx, "double", double_it, args);

	return hl_text("%d %d of %d", (int)json_integer_value(twice),
	    (int)json_integer_value(again),
	    (int)json_integer_value(json_object_get(args, "n")));
}

static json_t *
failing_step(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *got = hl_step(ctx, "refuse", refuse_it, NULL);

	return hl_text("not reached");
}

static json_t *
clock_tool(struct hl_ctx *ctx, json_t *args)
{
	unsigned char a[40] = { 0 };
	unsigned char b[40] = { 0 };
	const int64_t before = hl_now(ctx);

	hl_sleep(ctx, 1500);
	hl_sleep(ctx, -5);
	hl_random(ctx, a, sizeof(a));
	hl_random(ctx, b, sizeof(b));
	return hl_text("%d %s", (int)(hl_now(ctx) - before),
	    memcmp(a, b, sizeof(a)) ? "differ" : "same");
}

static json_t *
big_random(struct hl_ctx *ctx, json_t *args)
{
	static unsigned char many[5000];

	hl_random(ctx, many, sizeof(many));
	return hl_text("not reached");
}

static json_t *
waits_for_fd(struct hl_ctx *ctx, json_t *args)
{
	int ends[2];

	must(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
	const int late = hl_wait_fd(ctx, ends[0], HL_READ, 200);
	const int room = hl_wait_fd(ctx, ends[1], HL_WRITE, -1);
	must(write(ends[1], "x", 1) == 1);
	const int ready = hl_wait_fd(ctx, ends[0], HL_READ, -1);
	close(ends[0]);
	close(ends[1]);
	const int bad = hl_wait_fd(ctx, ends[0], HL_READ, -1);
	return hl_text("%d %d %d %s %d", late, room, ready,
	    strerrorname_np(-bad), hl_wait_fd(ctx, 0, 0, -1));
}

static void
note_final(void *arg)
{
	note("%s", (const char *)arg);
}

static json_t *
ensures(struct hl_ctx *ctx, json_t *args)
{
	noted(word, "local");
	hl_ensure(ctx, note_final, "first");
	hl_ensure(ctx, note_final, "second");
	hl_fail(ctx, "broken at %s", "\xff\xc3x");
}

static struct hl_ctx *asking_ctx;

static void
ask_finally(void *arg)
{
	hl_auto json_t *form =
	    json_pack("{s:s, s:{}}", "type", "object", "properties");
	note("asking");
	hl_auto json_t *got = hl_elicit(asking_ctx, "late", "?", form);
	note("not reached");
}

static void
fail_finally(void *arg)
{
	hl_fail(asking_ctx, "in a finaliser");
}

static json_t *
bad_finaliser(struct hl_ctx *ctx, json_t *args)
{
	asking_ctx = ctx;
	hl_ensure(ctx, note_final, "last");
	hl_ensure(ctx, ask_finally, NULL);
	hl_ensure(ctx, fail_finally, NULL);
	return hl_text("fine");
}

static json_t *
floods_progress(struct hl_ctx *ctx, json_t *args)
{
	for (int i = 1; i <= 100000; i++)
		hl_progress(ctx, i, 100000, NULL);
	hl_progress(ctx, 5, 100000, "back");
	return hl_text("done");
}

static json_t *
floods_log(struct hl_ctx *ctx, json_t *args)
{
	for (int i = 0; i < 100000; i++)
		hl_log(ctx, HL_DEBUG, "%d", i);
	return hl_text("not reached");
}

static json_t *
floods_bytes(struct hl_ctx *ctx, json_t *args)
{
	for (int i = 0; i < 1000; i++)
		hl_log(ctx, HL_DEBUG, "%*d", 100000, i);
	return hl_text("not reached");
}

static json_t *
returns_nothing(struct hl_ctx *ctx, json_t *args)
{
	return hl_result("{s:o}", "x", NULL);
}

static json_t *
returns_nonsense(struct hl_ctx *ctx, json_t *args)
{
	return json_pack("{s:s}", "content", "x");
}

static json_t *
returns_depth(struct hl_ctx *ctx, json_t *args)
{
	json_t *v = json_object();

	for (int i = 0; i < 1000; i++)
		v = json_pack("{s:o}", "x", v);
	json_t *const result = hl_text("deep");
	json_object_set_new(result, "structuredContent", v);
	return result;
}

static json_t *
bad_form(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *form = json_pack("{s:s, s:{s:{s:s}}}", "type", "object",
	    "properties", "x", "type", "array");
	hl_auto json_t *got = hl_elicit(ctx, "key", "?", form);

	return hl_text("not reached");
}

static json_t *
no_form(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *got = hl_elicit(ctx, "key", "?", NULL);

	return hl_text("not reached");
}

static json_t *
bad_key(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *form =
	    json_pack("{s:s, s:{}}", "type", "object", "properties");
	hl_auto json_t *got = hl_elicit(ctx, "a#2", "?", form);

	return hl_text("not reached");
}

static json_t *
fails_flow(struct hl_ctx *ctx, json_t *args)
{
	noted(word, "local");
	flow_fail(-EIO, "the disk is gone");
}

static json_t *
breaks_promise(struct hl_ctx *ctx, json_t *args)
{
	return hl_result("{s:s}", "n", "x");
}

static json_t *
forgets_promise(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("x");
}

static json_t *
structured(struct hl_ctx *ctx, json_t *args)
{
	return hl_result("{s:i, s:O}", "n", 1, "args", args);
}

#define TOOL(fn_, output_)                                       \
	static const struct hl_tool fn_##_tool = { .name = #fn_, \
		.description = "test",                           \
		.input_schema = "{\"type\": \"object\"}",        \
		.output_schema = output_,                        \
		.fn = fn_ }

#define N_OUTPUT                                                     \
	"{\"type\": \"object\", \"properties\": {\"n\": {\"type\": " \
	"\"integer\"}}}"

TOOL(stepper, NULL);
TOOL(failing_step, NULL);
TOOL(clock_tool, NULL);
TOOL(big_random, NULL);
TOOL(waits_for_fd, NULL);
TOOL(ensures, NULL);
TOOL(bad_finaliser, NULL);
TOOL(floods_progress, NULL);
TOOL(floods_log, NULL);
TOOL(floods_bytes, NULL);
TOOL(returns_nothing, NULL);
TOOL(returns_nonsense, NULL);
TOOL(returns_depth, NULL);
TOOL(bad_form, NULL);
TOOL(no_form, NULL);
TOOL(bad_key, NULL);
TOOL(fails_flow, NULL);
TOOL(breaks_promise, N_OUTPUT);
TOOL(forgets_promise, N_OUTPUT);
TOOL(structured, N_OUTPUT);
HL_TOOLS(&stepper_tool, &failing_step_tool, &clock_tool_tool, &big_random_tool,
    &waits_for_fd_tool, &ensures_tool, &bad_finaliser_tool,
    &floods_progress_tool, &floods_log_tool, &floods_bytes_tool,
    &returns_nothing_tool, &returns_nonsense_tool, &returns_depth_tool,
    &bad_form_tool, &no_form_tool, &bad_key_tool, &fails_flow_tool,
    &breaks_promise_tool, &forgets_promise_tool, &structured_tool);

/* ---- one tool, one trace --------------------------------------------- */

static const struct {
	const char *tool;
	const char *trace;
} plays[] = {
	{ "stepper", "1:result=42 42 of 21" },
	{ "failing_step", "1:failed=step refuse failed" },
	{ "clock_tool", "1:result=1500 differ" },
	{ "big_random", "1:failed=hl_random: at most 4096 bytes at once" },
	{ "waits_for_fd", "1:result=0 2 1 EBADF -22" },
	{ "ensures", "local second first 1:error=broken at ??x" },
	{ "bad_finaliser", "asking last 1:result=fine" },
	{ "returns_nothing", "1:failed=the tool returned no result" },
	{ "returns_nonsense",
	    "1:failed=the tool returned something that is no result" },
	{ "returns_depth",
	    "1:failed=the tool's result is nested deeper than 64 levels or "
	    "has too many values" },
	{ "no_form",
	    "1:failed=the form of key is wrong at \"\": there is no form, or "
	    "it is too deep" },
	{ "bad_key",
	    "1:failed=a question or step must be named by 1 to 64 characters "
	    "of A-Z a-z 0-9 _ . -" },
	{ "fails_flow", "local 1:failed=the disk is gone" },
	{ "breaks_promise",
	    "1:failed=the tool's result does not fit its output schema at "
	    "\"/n\": must be an integer, not a string" },
	{ "forgets_promise",
	    "1:failed=the tool promises structured content and returned "
	    "none" },
	{ "structured", "1:result={\"n\":1,\"args\":{\"n\":21}}" },
};

static const char *played;

static void
play(void)
{
	bench_play(played, "{\"n\": 21}", CAPS_ALL, NULL);
}

/* Run a tool by its name and compare the trace. */
static void
expect(const char *tool, const char *trace)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.object = &holdline_object;
	played = tool;
	bench_run(play);
	ck_assert_str_eq(traced(), trace);
}

START_TEST(ctx_gives_a_tool_its_inputs_and_says_what_is_wrong)
{
	expect(plays[_i].tool, plays[_i].trace);
}
END_TEST

START_TEST(ctx_runs_a_step_on_a_copy_of_its_arguments)
{
	expect("stepper", "1:result=42 42 of 21");
	ck_assert_str_eq(answer_file, "stepped");
}
END_TEST

START_TEST(ctx_names_the_place_in_a_form_that_is_wrong)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.object = &holdline_object;
	played = "bad_form";
	bench_run(play);
	ck_assert_ptr_nonnull(strstr(traced(), "the form of key is wrong at "
					       "\"/properties/x"));
}
END_TEST

/* ---- floods ---------------------------------------------------------- */

static uint64_t flood_lsn;
static char flood_text[200];
static double flood_done;

static void
flood(void)
{
	struct session *s;
	uint64_t cursor = 0;
	const struct entry *e;
	const struct session_spec spec = { .tool =
					       load_find(bench.load, played) };

	must(registry_start(bench.registry, &spec, &s, NULL) == 0);
	while (session_next(s, &cursor, CLOCK_NEVER, &e) == 0) {
		flood_lsn = e->lsn;
		if (e->kind == ENTRY_PROGRESS)
			flood_done = e->done;
		if (e->text)
			snprintf(flood_text, sizeof(flood_text), "%s", e->text);
	}
	must(session_bytes(s) < ENTRIES_BYTES + 1024 * 1024);
	session_unref(&s);
}

START_TEST(ctx_tells_the_last_of_a_flood_of_progress)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.object = &holdline_object;
	played = "floods_progress";
	bench_run(flood);
	ck_assert_int_eq(flood_lsn, 1002);
	ck_assert(flood_done == 100000);
}
END_TEST

START_TEST(ctx_ends_a_tool_that_floods_its_log)
{
	static const char *const names[] = { "floods_log", "floods_bytes" };

	log_init("test", LOG_LEVEL_ERROR);
	bench.object = &holdline_object;
	played = names[_i];
	bench_run(flood);
	ck_assert_int_le(flood_lsn, ENTRIES_MAX);
	ck_assert_str_eq(flood_text, "the tool said too much: at most 16384 "
				     "entries and 4194304 bytes");
}
END_TEST

/* ---- values ---------------------------------------------------------- */

START_TEST(ctx_reads_what_a_model_said)
{
	static const struct {
		const char *tip;
		const char *said;
	} rows[] = {
		{ "{\"content\": {\"type\": \"text\", \"text\": \"a\"}}", "a" },
		{ "{\"content\": [{\"type\": \"image\"}, {\"text\": \"b\"}, "
		  "{\"text\": \"c\"}]}",
		    "b" },
		{ "{\"content\": []}", "" },
		{ "{\"content\": {\"type\": \"image\"}}", "" },
		{ "{}", "" },
		{ "\"x\"", "" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *const tip = parsed(rows[i].tip);
		ck_assert_str_eq(hl_said(tip), rows[i].said);
		json_decref(tip);
	}
	ck_assert_str_eq(hl_said(NULL), "");
}
END_TEST

START_TEST(ctx_makes_only_valid_utf8)
{
	static const struct {
		const char *raw;
		const char *clean;
	} rows[] = {
		{ "a\xc3\xa9z", "a\xc3\xa9z" },
		{ "\xe2\x82\xac\xf0\x9f\x98\x80",
		    "\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xc0\xaf", "??" },
		{ "\xed\xa0\x80", "???" },
		{ "\xf4\x90\x80\x80", "????" },
		{ "\xe2\x82", "??" },
		{ "\xf0\x80\x80\x80", "????" },
		{ "\xff", "?" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *const result = hl_text("%s", rows[i].raw);
		ck_assert_str_eq(result_said(result), rows[i].clean);
		json_decref(result);
	}
}
END_TEST

static Suite *
ctx_suite(void)
{
	Suite *const suite = suite_create("backend ctx");
	TCase *const all = tcase_create("all");

	tcase_add_loop_test(all,
	    ctx_gives_a_tool_its_inputs_and_says_what_is_wrong, 0,
	    sizeof(plays) / sizeof(plays[0]));
	tcase_add_test(all, ctx_runs_a_step_on_a_copy_of_its_arguments);
	tcase_add_test(all, ctx_names_the_place_in_a_form_that_is_wrong);
	tcase_add_test(all, ctx_tells_the_last_of_a_flood_of_progress);
	tcase_add_loop_test(all, ctx_ends_a_tool_that_floods_its_log, 0, 2);
	tcase_add_test(all, ctx_reads_what_a_model_said);
	tcase_add_test(all, ctx_makes_only_valid_utf8);
	suite_add_tcase(suite, all);
	return suite;
}

int
main(void)
{
	SRunner *const runner = srunner_create(ctx_suite());

	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
