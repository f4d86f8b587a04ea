/* SPDX-License-Identifier: MIT */
/*
 * The stream of events inside poold: order, bounds, the end. Under ASan a
 * reader that looked at an event which was replaced meanwhile would be seen.
 */
#include "tests/unit/flow_harness.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/flow/sleep.h"
#include "poold/events.h"

static struct events events;

static void
say(enum proto_event_kind kind, const char *host, const char *words)
{
	const struct events_said said = { .kind = kind,
		.host = host,
		.state = "ready",
		.cause = "itself",
		.words = words,
		.generation = 3,
		.pid = 12 };

	events_say(&events, &said);
}

static int
events_end(void *arg, struct err *err)
{
	events_fini(&events);
	return 0;
}

/* Read all; the ids of the first and last, and how it ended. */
static void *
reader_body(void *arg)
{
	events_reader_auto struct events_reader reader = { 0 };
	struct proto_event event;
	char text[PROTO_TEXT_BYTES];
	uint64_t first = 0, last = 0;
	int e;

	need(events_join(&events, &reader) == 0);
	while ((e = events_next(&reader, &event, text)) == 0) {
		need(last == 0 || event.id == last + 1);
		first = first ? first : event.id;
		last = event.id;
		if (arg)
			note("%s:%s:%s", events_kind_name(event.kind),
			    event.host, text);
	}
	note("%llu-%llu %d", (unsigned long long)first,
	    (unsigned long long)last, e);
	return NULL;
}

static void *
in_order(void *arg)
{
	struct task *t task_auto = NULL;

	events_init(&events);
	ENSURE(events_end, NULL);
	say(PROTO_EVENT_STARTED, "nobody", "");
	SPAWN(reader_body, "all", NULL);
	SPAWN(reader_body, NULL, &t);
	flow_sleep(1);
	say(PROTO_EVENT_STARTED, "a", "");
	say(PROTO_EVENT_READY, "a", "");
	flow_sleep(1);
	say(PROTO_EVENT_STOPPED, "a", "exit status 0");
	events_close(&events);
	say(PROTO_EVENT_ERROR, "late", "");
	need(task_await(t, NULL, NULL) == 0);
	return NULL;
}

START_TEST(each_reader_gets_what_follows_in_order_to_the_end)
{
	run_flow_plain(in_order, NULL);
	ck_assert_str_eq(traced(),
	    "started:a: ready:a: stopped:a:exit status 0 2-4 -32 2-4 -32");
}
END_TEST

static void *
as_much_as_it_holds(void *arg)
{
	struct task *t task_auto = NULL;

	events_init(&events);
	ENSURE(events_end, NULL);
	SPAWN(reader_body, NULL, &t);
	flow_sleep(1);
	for (int i = 0; i < EVENTS_CAP; i++)
		say(PROTO_EVENT_STOPPED, "a", "exit status 0");
	events_close(&events);
	need(task_await(t, NULL, NULL) == 0);
	return NULL;
}

START_TEST(a_burst_of_as_many_as_the_bound_is_lost_to_nobody)
{
	run_flow_plain(as_much_as_it_holds, NULL);
	ck_assert_str_eq(traced(), "1-1024 -32");
}
END_TEST

static void *
too_much(void *arg)
{
	struct task *t task_auto = NULL;

	events_init(&events);
	ENSURE(events_end, NULL);
	SPAWN(reader_body, NULL, &t);
	flow_sleep(1);
	for (int i = 0; i < 3 * EVENTS_KEPT; i++)
		say(PROTO_EVENT_STOPPED, "a", "exit status 0");
	need(task_await(t, NULL, NULL) == 0);
	return NULL;
}

START_TEST(a_reader_that_is_too_slow_is_closed_and_told)
{
	char want[32];

	snprintf(want, sizeof(want), "0-0 %d", -ENOBUFS);
	run_flow_plain(too_much, NULL);
	ck_assert_str_eq(traced(), want);
}
END_TEST

static void *
no_memory(void *arg)
{
	events_reader_auto struct events_reader reader = { 0 };
	struct proto_event event;
	char text[PROTO_TEXT_BYTES];

	events_init(&events);
	ENSURE(events_end, NULL);
	need(events_join(&events, &reader) == 0);
	say(PROTO_EVENT_STARTED, "a", "");
	mem_fail_at(1);
	say(PROTO_EVENT_READY, "a", "");
	say(PROTO_EVENT_STOPPED, "a", "");
	for (int i = 0; i < 2; i++) {
		need(events_next(&reader, &event, text) == 0);
		note("%llu", (unsigned long long)event.id);
	}
	return NULL;
}

START_TEST(without_memory_an_event_is_a_gap)
{
	run_flow_plain(no_memory, NULL);
	ck_assert_str_eq(traced(), "1 3");
}
END_TEST

START_TEST(every_kind_has_a_name)
{
	for (int kind = PROTO_EVENT_STARTED; kind <= PROTO_EVENT_BACKOFF;
	     kind++)
		ck_assert_ptr_nonnull(
		    events_kind_name((enum proto_event_kind)kind));
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("poold_events");
	TCase *const all = tcase_create("all");

	log_init("test", LOG_LEVEL_ERROR);
	tcase_add_test(all, each_reader_gets_what_follows_in_order_to_the_end);
	tcase_add_test(all, a_burst_of_as_many_as_the_bound_is_lost_to_nobody);
	tcase_add_test(all, a_reader_that_is_too_slow_is_closed_and_told);
	tcase_add_test(all, without_memory_an_event_is_a_gap);
	tcase_add_test(all, every_kind_has_a_name);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
