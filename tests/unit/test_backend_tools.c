/* SPDX-License-Identifier: MIT */
/*
 * test_backend_tools: the tools of backend/tools as they are built, each way
 * through book_flight, a halt in each of its waits, and each allocation
 * refused once.
 */
#include <stdatomic.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/flow/sleep.h"
#include "common/json/jsontext.h"

#include "tests/unit/session_script.h"

#define FLIGHT "{\"city\": \"Oslo\", \"date\": \"2026-12-01\"}"
#define NUMBER(n) \
	"{\"action\": \"accept\", \"content\": {\"number\": \"" n "\"}}"
#define TIP                                                         \
	"{\"role\": \"assistant\", \"model\": \"m\", \"content\": " \
	"{\"type\": \"text\", \"text\": \"Bring a coat.\"}}"

static const char *played;
static const char *played_args;
static const struct script_line *played_script;

static void
play(void)
{
	bench_play(played, played_args, CAPS_ALL, played_script);
}

/* Run a built tool with a script and compare the trace. */
static void
expect(const char *object, const char *tool, const char *args,
    const struct script_line *script, const char *trace)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.file = built_tool(object);
	played = tool;
	played_args = args;
	played_script = script;
	bench_run(play);
	ck_assert_str_eq(traced(), trace);
}

/* ---- book_flight ------------------------------------------------------ */

static const struct script_line books[] = {
	{ "pickFlight", NUMBER("HL 230") },
	{ "pickSeat", NUMBER("11C") },
	{ "sample", TIP },
	{ NULL, NULL },
};

#define BOOKED                                                      \
	"{\"flight\":{\"number\":\"HL 230\"},\"seat\":{\"number\":" \
	"\"11C\"},\"tip\":\"Bring a coat.\"}"

START_TEST(book_flight_books)
{
	expect("book_flight.so", "book_flight", FLIGHT, books,
	    "1:ask=pickFlight 2:answered=pickFlight 3:ask=pickSeat "
	    "4:answered=pickSeat 5:ask=sample 6:answered=sample "
	    "7:result=" BOOKED);
}
END_TEST

static const struct script_line declines[] = {
	{ "pickFlight", "{\"action\": \"decline\"}" },
	{ NULL, NULL },
};

static const struct script_line cancels_seat[] = {
	{ "pickFlight", NUMBER("HL 244") },
	{ "pickSeat", "{\"action\": \"cancel\"}" },
	{ NULL, NULL },
};

START_TEST(book_flight_books_nothing_when_declined_or_cancelled)
{
	expect("book_flight.so", "book_flight", FLIGHT, declines,
	    "1:ask=pickFlight 2:answered=pickFlight 3:result=Nothing was "
	    "booked.");
	expect("book_flight.so", "book_flight", FLIGHT, cancels_seat,
	    "1:ask=pickFlight 2:answered=pickFlight 3:ask=pickSeat "
	    "4:answered=pickSeat 5:result=Nothing was booked.");
}
END_TEST

static const struct script_line picks_wrongly[] = {
	{ "pickFlight", NUMBER("HL 102") },
	{ NULL, NULL },
};

static void
pick_another_city(void)
{
	struct session *s session_auto =
	    bench_start("book_flight", FLIGHT, CAPS_ALL, picks_wrongly);

	must(session_wait_quiet(s, CLOCK_NEVER) == 0);
	session_cancel(s, ENTRY_REASON_CLIENT, "done");
	must(session_wait_end(s, CLOCK_NEVER) == 0);
}

START_TEST(book_flight_offers_only_flights_to_the_city)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.file = built_tool("book_flight.so");
	bench_run(pick_another_city);
	ck_assert_ptr_nonnull(strstr(traced(), "[EINVAL /content/number "));
	ck_assert_ptr_nonnull(strstr(traced(), "2:cancelled=client,done"));
}
END_TEST

START_TEST(book_flight_lists_the_cities_when_it_does_not_know_one)
{
	expect("book_flight.so", "book_flight",
	    "{\"city\": \"Atlantis\", \"date\": \"2026-12-01\"}", books,
	    "1:error=There are no flights to Atlantis. Known cities: Lisbon, "
	    "Oslo, Tokyo.");
}
END_TEST

/* ---- fixtures --------------------------------------------------------- */

static void
look_at_effects(void)
{
	static const struct script_line go[] = {
		{ "go",
		    "{\"action\": \"accept\", \"content\": {\"ok\": true}}" },
		{ NULL, NULL },
	};
	static const struct script_line stop[] = {
		{ "go", "{\"action\": \"decline\"}" },
		{ NULL, NULL },
	};
	bench_play("slow_effect", "{\"key\": \"k\", \"ms\": 5000}", NULL, NULL);
	struct session *s session_auto = bench_start(
	    "slow_effect", "{\"key\": \"k\", \"ms\": 5000}", NULL, NULL);
	flow_sleep(100);
	session_cancel(s, ENTRY_REASON_CLIENT, "stop");
	must(session_wait_end(s, CLOCK_NEVER) == 0);
	bench_play("read_effect", "{\"key\": \"k\"}", NULL, NULL);
	bench_play("count_effect", "{\"key\": \"c\"}", CAPS_ALL, go);
	bench_play("count_effect", "{\"key\": \"c\"}", CAPS_ALL, stop);
	bench_play("read_effect", "{\"key\": \"c\"}", NULL, NULL);
}

START_TEST(fixtures_count_what_ran_and_what_was_cleaned)
{
	log_init("test", LOG_LEVEL_ERROR);
	bench.file = built_tool("fixtures.so");
	bench_run(look_at_effects);
	ck_assert_str_eq(traced(),
	    "1:result=done 1:cancelled=client,stop "
	    "1:result={\"before\":2,\"after\":1,\"cleaned\":2} "
	    "1:ask=go 2:answered=go 3:result={\"before\":1,\"after\":1} "
	    "1:ask=go 2:answered=go 3:result=decline "
	    "1:result={\"before\":2,\"after\":1,\"cleaned\":0}");
}
END_TEST

static const struct script_line trip[] = {
	{ "destination",
	    "{\"action\": \"accept\", \"content\": {\"city\": \"Rome\"}}" },
	{ "budget", "{\"action\": \"accept\", \"content\": {\"amount\": 7}}" },
	{ "plan", TIP },
	{ NULL, NULL },
};

static const struct script_line no_budget[] = {
	{ "destination",
	    "{\"action\": \"accept\", \"content\": {\"city\": \"Rome\"}}" },
	{ "budget", "{\"action\": \"cancel\"}" },
	{ NULL, NULL },
};

static const struct script_line named[] = {
	{ "name",
	    "{\"action\": \"accept\", \"content\": {\"name\": \"Ada\"}}" },
	{ NULL, NULL },
};

START_TEST(fixtures_ask_sample_and_tell)
{
	expect("fixtures.so", "plan_trip", "{\"traveller\": \"Ada\"}", trip,
	    "1:ask=destination 2:answered=destination 3:ask=budget "
	    "4:answered=budget 5:ask=plan 6:answered=plan "
	    "7:result=Ada -> Rome (7): Bring a coat.");
	expect("fixtures.so", "plan_trip", "{\"traveller\": \"Ada\"}",
	    no_budget,
	    "1:ask=destination 2:answered=destination 3:ask=budget "
	    "4:answered=budget 5:error=no budget: cancel");
	expect("fixtures.so", "progress_then_elicit", NULL, named,
	    "1:progress=1/4 2:progress=2/4 3:ask=name 4:answered=name "
	    "5:progress=3/4 6:progress=4/4 7:result=hi Ada");
}
END_TEST

/* ---- memory ----------------------------------------------------------- */

static _Atomic long json_live;
static _Atomic long json_count;
static _Atomic long json_fail_at;

static void *
counted_malloc(size_t n)
{
	if (atomic_fetch_add(&json_count, 1) + 1 == json_fail_at)
		return NULL;
	void *const p = malloc(n);
	if (p)
		json_live++;
	return p;
}

static void
counted_free(void *p)
{
	if (p)
		json_live--;
	free(p);
}

/* Wait until steps that nobody waits for have dropped their values. */
static void
wait_for_json(long live)
{
	while (json_live != live)
		flow_sleep(1);
}

/* A step that goes on when the test lets it. */
static int gate[2];
static _Atomic int is_stepping;

static json_t *
wait_at_gate(json_t *args)
{
	char byte;

	is_stepping = 1;
	must(read(gate[0], &byte, 1) == 1);
	return json_string("through");
}

static json_t *
gated(struct hl_ctx *ctx, json_t *args)
{
	hl_auto json_t *through = hl_step(ctx, "gate", wait_at_gate, args);

	return hl_text("%s", json_string_value(through));
}

static const struct hl_tool gated_tool = { .name = "gated",
	.description = "test",
	.input_schema = "{\"type\": \"object\"}",
	.fn = gated };
HL_TOOLS(&gated_tool);

static void
halt_in_step(void)
{
	struct session *s session_auto = NULL;
	const struct session_spec spec = { .tool =
					       load_find(bench.load, "gated") };
	const long live = json_live;

	must(pipe(gate) == 0);
	must(registry_start(bench.registry, &spec, &s, NULL) == 0);
	while (!is_stepping)
		flow_sleep(1);
	session_cancel(s, ENTRY_REASON_CLIENT, "now");
	must(session_wait_end(s, CLOCK_NEVER) == 0);
	note("%s", session_state_name(session_state(s)));
	must(write(gate[1], "x", 1) == 1);
	wait_for_json(live);
	close(gate[0]);
	close(gate[1]);
}

START_TEST(step_that_nobody_waits_for_ends_alone_and_leaves_nothing)
{
	log_init("test", LOG_LEVEL_ERROR);
	json_set_alloc_funcs(counted_malloc, counted_free);
	jsontext_init();
	bench.object = &holdline_object;
	bench_run(halt_in_step);
	ck_assert_str_eq(traced(), "cancelled");
	ck_assert_int_eq(json_live, 0);
}
END_TEST

/* Cancel when the entry of this LSN is published. */
static uint64_t cancel_lsn; /* 0: never */

static void
cancel_at(struct session *s, const struct entry *e, void *arg)
{
	if (e->lsn == cancel_lsn)
		session_cancel(s, ENTRY_REASON_CLIENT, "now");
	else if (e->kind == ENTRY_ASK)
		answer(s, e->ask->name, script_find(books, e->ask->name));
}

/* When halt_once cancels: by cancel_at, or so many turns after the start. */
#define AT_ENTRY (-1)

/* Run book_flight once. */
static enum session_state
halt_once(int turns)
{
	struct session *s;
	json_t *const args = parsed(FLIGHT);
	const struct session_spec spec = {
		.tool = load_find(bench.load, "book_flight"),
		.args = args,
		.can = can_of(CAPS_ALL),
		.on_entry = cancel_at,
	};

	must(registry_start(bench.registry, &spec, &s, NULL) == 0);
	json_decref(args);
	for (int i = 0; i < turns; i++)
		flow_sleep(0);
	if (turns != AT_ENTRY)
		session_cancel(s, ENTRY_REASON_CLIENT, "now");
	must(session_wait_end(s, CLOCK_NEVER) == 0);
	const enum session_state state = session_state(s);
	session_unref(&s);
	flow_sleep(60001);
	return state;
}

static void
halt_everywhere(void)
{
	cancel_lsn = 0;
	must(halt_once(AT_ENTRY) == SESSION_COMPLETED);
	const long live = json_live;
	/* before it runs; then while its step is queued, runs, or is done */
	for (int turns = 0; turns < 4; turns++) {
		const enum session_state state = halt_once(turns);
		/* with a quick thread it may be over before */
		must(state == SESSION_CANCELLED ||
		     (turns && state == SESSION_COMPLETED));
		wait_for_json(live);
	}
	for (cancel_lsn = 1; cancel_lsn <= 6; cancel_lsn++) {
		must(halt_once(AT_ENTRY) == SESSION_CANCELLED);
		wait_for_json(live);
	}
	note("%s", registry_n_ended(bench.registry) ? "left" : "clean");
}

START_TEST(book_flight_halted_at_any_entry_leaves_nothing)
{
	log_init("test", LOG_LEVEL_ERROR);
	json_set_alloc_funcs(counted_malloc, counted_free);
	jsontext_init();
	bench.file = built_tool("book_flight.so");
	bench_run(halt_everywhere);
	ck_assert_str_eq(traced(), "clean");
	ck_assert_int_eq(json_live, 0);
}
END_TEST

/* Parsed once: the client does not run out of memory, the session does. */
static json_t *answers[3];
static json_t *chaos_args;

/* Answer; when memory was short the question stays open: answer again. */
static void
chaos_on_entry(struct session *s, const struct entry *e, void *arg)
{
	if (e->kind == ENTRY_RESULT)
		must(!strcmp(result_said(e->data), BOOKED));
	if (e->kind != ENTRY_ASK)
		return;
	for (size_t i = 0; i < 3; i++) {
		if (strcmp(books[i].name, e->ask->name))
			continue;
		struct err err;
		int rc = session_answer(s, e->ask->name, answers[i], &err);
		if (rc == -ENOMEM)
			rc = session_answer(s, e->ask->name, answers[i], &err);
		must(rc == 0);
	}
}

/* Run book_flight with memory as the test made it. */
static enum session_state
chaos_once(void)
{
	struct session *s;
	const struct session_spec spec = {
		.tool = load_find(bench.load, "book_flight"),
		.args = chaos_args,
		.can = ASK_CAN(ASK_ELICIT) | ASK_CAN(ASK_SAMPLE),
		.on_entry = chaos_on_entry,
	};

	if (registry_start(bench.registry, &spec, &s, NULL) < 0)
		return SESSION_FAILED;
	must(session_wait_end(s, CLOCK_NEVER) == 0);
	const enum session_state state = session_state(s);
	session_unref(&s);
	return state;
}

/* Refuse the n-th allocation for each n until a run needs no more. */
static void
chaos_all(bool is_json)
{
	unsigned n_failed = 0;
	unsigned n_coped = 0;

	for (long n = 1;; n++) {
		mem_fail_at(is_json ? 0 : (size_t)n);
		json_count = 0;
		json_fail_at = is_json ? n : 0;
		const enum session_state state = chaos_once();
		const bool is_past =
		    is_json ? json_count < n : mem_count() < (size_t)n;
		mem_fail_at(0);
		json_fail_at = 0;
		must(state == SESSION_FAILED || state == SESSION_COMPLETED);
		if (is_past) {
			must(state == SESSION_COMPLETED);
			break;
		}
		n_failed += state == SESSION_FAILED;
		n_coped += state == SESSION_COMPLETED;
		must(chaos_once() == SESSION_COMPLETED);
	}
	must(n_failed > 10);
	note("%s coped=%s", registry_n_live(bench.registry) ? "left" : "clean",
	    n_coped ? "some" : "none");
}

static void
chaos(void)
{
	for (size_t i = 0; i < 3; i++)
		answers[i] = parsed(books[i].answer);
	chaos_args = parsed(FLIGHT);
	must(chaos_once() == SESSION_COMPLETED);
	chaos_all(false);
	chaos_all(true);
	for (size_t i = 0; i < 3; i++)
		json_decref(answers[i]);
	json_decref(chaos_args);
}

START_TEST(book_flight_without_memory_fails_alone)
{
	log_init("test", LOG_LEVEL_ERROR);
	json_set_alloc_funcs(counted_malloc, counted_free);
	jsontext_init();
	bench.file = built_tool("book_flight.so");
	bench_run(chaos);
	ck_assert_str_eq(traced(), "clean coped=some clean coped=some");
	ck_assert_int_eq(json_live, 0);
}
END_TEST

static Suite *
tools_suite(void)
{
	Suite *const suite = suite_create("backend tools");
	TCase *const all = tcase_create("all");

	tcase_set_timeout(all, 120);
	tcase_add_test(all, book_flight_books);
	tcase_add_test(
	    all, book_flight_books_nothing_when_declined_or_cancelled);
	tcase_add_test(all, book_flight_offers_only_flights_to_the_city);
	tcase_add_test(
	    all, book_flight_lists_the_cities_when_it_does_not_know_one);
	tcase_add_test(all, fixtures_count_what_ran_and_what_was_cleaned);
	tcase_add_test(all, fixtures_ask_sample_and_tell);
	tcase_add_test(all, book_flight_halted_at_any_entry_leaves_nothing);
	tcase_add_test(
	    all, step_that_nobody_waits_for_ends_alone_and_leaves_nothing);
	tcase_add_test(all, book_flight_without_memory_fails_alone);
	suite_add_tcase(suite, all);
	return suite;
}

int
main(void)
{
	SRunner *const runner = srunner_create(tools_suite());

	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
