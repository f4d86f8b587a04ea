/* SPDX-License-Identifier: MIT */
/* test_backend_registry: limits, linger, and the end of all sessions. */
#include "common/base/log.h"
#include "common/flow/sleep.h"

#include "tests/unit/session_script.h"

/* ---- tools ----------------------------------------------------------- */

static json_t *
parks(struct hl_ctx *ctx, json_t *args)
{
	hl_sleep(ctx, INT64_C(30) * 24 * 3600 * 1000);
	return hl_text("woke");
}

static json_t *
quick(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("quick");
}

static json_t *
large(struct hl_ctx *ctx, json_t *args)
{
	for (int i = 0; i < 200; i++)
		hl_log(ctx, HL_INFO, "%*d", 8000, i);
	return hl_text("large");
}

static void
clean_slowly(void *arg)
{
	flow_sleep(300);
	note("cleaned");
}

static json_t *
slow_end(struct hl_ctx *ctx, json_t *args)
{
	hl_ensure(ctx, clean_slowly, NULL);
	hl_sleep(ctx, 1000000);
	return hl_text("woke");
}

#define TOOL(fn_)                                                \
	static const struct hl_tool fn_##_tool = { .name = #fn_, \
		.description = "test",                           \
		.input_schema = "{\"type\": \"object\"}",        \
		.fn = fn_ }

TOOL(parks);
TOOL(quick);
TOOL(large);
TOOL(slow_end);
HL_TOOLS(&parks_tool, &quick_tool, &large_tool, &slow_end_tool);

static void
on_busy(unsigned n, void *arg)
{
	note("busy=%u", n);
}

/* Run body with these limits and compare the trace. */
static void
expect(void (*body)(void), unsigned max, int64_t timeout_ms, const char *trace)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.object = &holdline_object;
	bench.spec = (struct registry_spec){ .max_sessions = max,
		.session_timeout_ms = timeout_ms,
		.linger_ms = 60000,
		.on_busy = on_busy };
	bench_run(body);
	ck_assert_str_eq(traced(), trace);
}

static void
exceed_sessions(void)
{
	struct session *a session_auto = bench_start("parks", NULL, NULL, NULL);
	struct session *b session_auto = bench_start("parks", NULL, NULL, NULL);
	struct session *c session_auto = bench_start("parks", NULL, NULL, NULL);

	must(!c);
	session_cancel(a, ENTRY_REASON_CLIENT, "room");
	must(session_wait_end(a, CLOCK_NEVER) == 0);
	c = bench_start("quick", NULL, NULL, NULL);
	must(session_wait_end(c, CLOCK_NEVER) == 0);
}

START_TEST(registry_refuses_more_than_max_sessions)
{
	expect(exceed_sessions, 2, CLOCK_NEVER,
	    "busy=1 [EBUSY max_sessions: 2 tools run or wait for an answer "
	    "already, try again later] 1:cancelled=client,room "
	    "1:result=quick 1:cancelled=shutting_down,shutting_down: the "
	    "server ended the tool busy=0");
}
END_TEST

static void
exceed_time(void)
{
	struct session *s session_auto = bench_start("parks", NULL, NULL, NULL);

	must(session_wait_end(s, clock_deadline_ms(86399999)) == -ETIMEDOUT);
	must(session_wait_end(s, clock_deadline_ms(2)) == 0);
}

START_TEST(registry_ends_a_session_that_reaches_session_timeout)
{
	expect(exceed_time, 2, 86400 * 1000,
	    "busy=1 1:cancelled=session_timeout,the tool was ended: "
	    "session_timeout is 86400 s busy=0");
}
END_TEST

static void
count_busy(void)
{
	bench_play("quick", NULL, NULL, NULL);
	struct session *a = bench_start("quick", NULL, NULL, NULL);
	struct session *b = bench_start("quick", NULL, NULL, NULL);
	note("live=%u", registry_n_live(bench.registry));
	must(session_wait_end(a, CLOCK_NEVER) == 0);
	must(session_wait_end(b, CLOCK_NEVER) == 0);
	session_unref(&a);
	session_unref(&b);
	note("ended=%u", registry_n_ended(bench.registry));
	flow_sleep(59999);
	note("ended=%u", registry_n_ended(bench.registry));
	flow_sleep(2);
	note("ended=%u", registry_n_ended(bench.registry));
}

START_TEST(registry_counts_what_could_not_come_back_and_lets_it_linger)
{
	expect(count_busy, 5, 86400 * 1000,
	    "busy=1 1:result=quick busy=0 busy=1 live=2 1:result=quick "
	    "1:result=quick busy=0 ended=3 ended=3 ended=0");
}
END_TEST

/* Many ended sessions: the oldest that nobody holds go first. */
static void
crowd(void)
{
	struct session *first = bench_start("quick", NULL, NULL, NULL);
	char second[RANDOM_ID_SIZE];
	char last[RANDOM_ID_SIZE];

	must(session_wait_end(first, CLOCK_NEVER) == 0);
	for (int i = 0; i < 6; i++) {
		struct session *s session_auto =
		    bench_start("quick", NULL, NULL, NULL);
		snprintf(i == 0 ? second : last, RANDOM_ID_SIZE, "%s",
		    session_id(s));
		must(session_wait_end(s, CLOCK_NEVER) == 0);
	}
	untrace();
	struct session *s = registry_find(bench.registry, second);
	note("second=%s", s ? "there" : "gone");
	session_unref(&s);
	s = registry_find(bench.registry, last);
	note("last=%s", s ? "there" : "gone");
	session_unref(&s);
	s = registry_find(bench.registry, session_id(first));
	note("first=%s", s ? "there" : "gone");
	session_unref(&s);
	note("ended=%u", registry_n_ended(bench.registry));
	session_unref(&first);
}

START_TEST(registry_keeps_at_most_max_sessions_ended_ones)
{
	expect(crowd, 3, CLOCK_NEVER,
	    "second=gone last=there first=there ended=3");
}
END_TEST

static void
crowd_of_large_ones(void)
{
	for (int i = 0; i < 60; i++) {
		struct session *s session_auto;
		const struct session_spec spec = { .tool = load_find(
						       bench.load, "large") };
		must(registry_start(bench.registry, &spec, &s, NULL) == 0);
		must(session_wait_end(s, CLOCK_NEVER) == 0);
	}
	untrace();
	const unsigned n = registry_n_ended(bench.registry);
	note("%s", n > 30 && n < 45 ? "bounded" : "not bounded");
}

START_TEST(registry_bounds_the_bytes_of_ended_sessions)
{
	expect(crowd_of_large_ones, 100, CLOCK_NEVER, "bounded");
}
END_TEST

static void
shut(void)
{
	struct session *s session_auto =
	    bench_start("slow_end", NULL, NULL, NULL);
	struct session *quick session_auto =
	    bench_start("quick", NULL, NULL, NULL);

	flow_sleep(10);
	note("%s",
	    registry_shut(bench.registry, clock_deadline_ms(100)) == -ETIMEDOUT
		? "not yet"
		: "at once");
	must(registry_shut(bench.registry, CLOCK_NEVER) == 0);
	struct session *late session_auto =
	    bench_start("quick", NULL, NULL, NULL);
	must(!late);
}

START_TEST(registry_shut_halts_all_waits_for_cleanups_and_starts_none)
{
	expect(shut, 5, CLOCK_NEVER,
	    "busy=1 1:result=quick not yet cleaned "
	    "1:cancelled=shutting_down,shutting_down: the server ended the "
	    "tool busy=0 [ESHUTDOWN shutting_down: this server is ending]");
}
END_TEST

/* ---- an owner that goes away ------------------------------------------ */

static struct session *orphan;

static void *
holds_too_long(void *arg)
{
	const struct registry_spec spec = { .keeper = bench_keeper(),
		.max_sessions = 1,
		.session_timeout_ms = CLOCK_NEVER,
		.linger_ms = 60000 };
	struct load *load = load_new();
	struct registry *r = registry_new(&spec);

	must(load_add(load, &holdline_object, "test", NULL) == 0);
	const struct session_spec what = { .tool = load_find(load, "quick") };
	must(registry_start(r, &what, &orphan, NULL) == 0);
	must(session_wait_end(orphan, CLOCK_NEVER) == 0);
	must(registry_shut(r, CLOCK_NEVER) == 0);
	registry_free(&r);
	note("%s", session_state_name(session_state(orphan)));
	session_unref(&orphan);
	flow_sleep(1);
	load_free(&load);
	return NULL;
}

START_TEST(registry_leaves_a_held_session_to_its_holder)
{
	log_init("test", LOG_LEVEL_ERROR);
	run_flow_plain(holds_too_long, NULL);
	ck_assert_str_eq(traced(), "completed");
}
END_TEST

/* The scope of the registry is halted with sessions in it. */
static void *
is_halted(void *arg)
{
	const struct registry_spec spec = { .keeper = bench_keeper(),
		.max_sessions = 1,
		.session_timeout_ms = CLOCK_NEVER,
		.linger_ms = 60000 };
	struct load *const load = arg;
	struct registry *const r = registry_new(&spec);
	const struct session_spec what = { .tool = load_find(load, "slow_end"),
		.on_entry = script_on_entry };

	bench.registry = r;
	must(registry_start(r, &what, &orphan, NULL) == 0);
	flow_suspend();
	return NULL;
}

static void *
halts_registry(void *arg)
{
	struct load *load = load_new();
	struct task *t task_auto = NULL;

	must(load_add(load, &holdline_object, "test", NULL) == 0);
	SPAWN(is_halted, load, &t);
	flow_sleep(10);
	must(task_halt(t, NULL) == 0);
	session_unref(&orphan);
	registry_free(&bench.registry);
	load_free(&load);
	return NULL;
}

START_TEST(registry_sessions_end_with_its_scope)
{
	log_init("test", LOG_LEVEL_ERROR);
	run_flow_plain(halts_registry, NULL);
	ck_assert_str_eq(
	    traced(), "cleaned 1:cancelled=none,the tool was halted");
}
END_TEST

static Suite *
registry_suite(void)
{
	Suite *const suite = suite_create("backend registry");
	TCase *const all = tcase_create("all");

	tcase_add_test(all, registry_refuses_more_than_max_sessions);
	tcase_add_test(
	    all, registry_ends_a_session_that_reaches_session_timeout);
	tcase_add_test(
	    all, registry_counts_what_could_not_come_back_and_lets_it_linger);
	tcase_add_test(all, registry_keeps_at_most_max_sessions_ended_ones);
	tcase_add_test(all, registry_bounds_the_bytes_of_ended_sessions);
	tcase_add_test(
	    all, registry_shut_halts_all_waits_for_cleanups_and_starts_none);
	tcase_add_test(all, registry_leaves_a_held_session_to_its_holder);
	tcase_add_test(all, registry_sessions_end_with_its_scope);
	suite_add_tcase(suite, all);
	return suite;
}

int
main(void)
{
	SRunner *const runner = srunner_create(registry_suite());

	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
