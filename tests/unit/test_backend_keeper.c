/* SPDX-License-Identifier: MIT */
/* test_backend_keeper: one task, many duties, each looked at in its time. */
#include <signal.h>

#include "common/flow/sleep.h"

#include "backend/keeper.h"

#include "tests/unit/flow_harness.h"

static struct keeper keeper;
static int64_t zero_ms;

static int
now(void)
{
	return (int)(clock_now_ms() - zero_ms);
}

/* A duty that is due again every_ms later; 0: it is not. */
struct duty {
	struct keeper_duty duty;
	const char *name;
	int64_t every_ms;
};

static int64_t
look(void *arg)
{
	const struct duty *const d = arg;

	note("%s@%d", d->name, now());
	return d->every_ms ? clock_now_ms() + d->every_ms : CLOCK_NEVER;
}

static void *
keep(void *arg)
{
	keeper_run(&keeper);
	note("over@%d", now());
	return NULL;
}

/* Begin at 0 with a keeper whose task runs. */
static void
begin(void)
{
	zero_ms = clock_now_ms();
	keeper_init(&keeper);
	SPAWN(keep, NULL, NULL);
	flow_sleep(0);
}

static void *
sooner(void *arg)
{
	struct duty a = { .name = "a" }, b = { .name = "b", .every_ms = 45 };

	begin();
	keeper_join(&keeper, &a.duty, look, &a);
	keeper_join(&keeper, &b.duty, look, &b);
	keeper_at(&a.duty, zero_ms + 100);
	keeper_at(&b.duty, zero_ms + 30);
	keeper_at(&b.duty, zero_ms + 200);
	keeper_at(&a.duty, CLOCK_NEVER);
	flow_sleep(50);
	keeper_at(&a.duty, zero_ms + 60);
	flow_sleep(100);
	keeper_leave(&b.duty);
	keeper_leave(&b.duty);
	keeper_at(&b.duty, zero_ms);
	keeper_at(&a.duty, zero_ms);
	flow_sleep(100);
	keeper_stop(&keeper);
	flow_sleep(1);
	keeper_leave(&a.duty);
	return NULL;
}

START_TEST(keeper_looks_when_the_nearest_thing_falls_due)
{
	run_flow_plain(sooner, NULL);
	ck_assert_str_eq(traced(), "b@30 a@60 b@75 b@120 a@150 over@250");
}
END_TEST

static int ends[2];

/* A byte: it is told; "!": that was the last one. */
static void
hear(int events, void *arg)
{
	char byte = '?';

	need(read(ends[0], &byte, 1) == 1);
	note("%c@%d", byte, now());
	if (byte == '!')
		keeper_stop(&keeper);
	else
		keeper_at(arg, zero_ms + 30);
}

static void *
heard(void *arg)
{
	struct duty a = { .name = "a" };
	struct keeper_ear ear = { hear, &a.duty };
	struct select_fd io = { 0 };

	begin();
	harness_pipe(ends);
	keeper_join(&keeper, &a.duty, look, &a);
	need(select_watch(&keeper.select, &io, ends[0], LOOP_READ, &ear) == 0);
	keeper_at(&a.duty, zero_ms + 100);
	flow_sleep(10);
	need(write(ends[1], "xy", 2) == 2);
	flow_sleep(50);
	need(write(ends[1], "!", 1) == 1);
	flow_sleep(50);
	keeper_leave(&a.duty);
	select_unwatch(&io);
	return NULL;
}

START_TEST(keeper_hears_while_nothing_falls_due)
{
	run_flow_plain(heard, NULL);
	ck_assert_str_eq(traced(), "x@10 y@10 a@30 !@60 over@60");
}
END_TEST

static void *
stopped(void *arg)
{
	zero_ms = clock_now_ms();
	keeper_init(&keeper);
	keeper_stop(&keeper);
	return keep(NULL);
}

START_TEST(keeper_that_was_stopped_before_it_runs_returns_at_once)
{
	run_flow_plain(stopped, NULL);
	ck_assert_str_eq(traced(), "over@0");
}
END_TEST

/* A look that takes a duty away, which the keeper stands on. */
static int64_t
look_and_leave(void *arg)
{
	keeper_leave(arg);
	return CLOCK_NEVER;
}

static void *
leaving(void *arg)
{
	struct keeper_duty duty = { 0 };

	begin();
	keeper_join(&keeper, &duty, look_and_leave, &duty);
	keeper_at(&duty, zero_ms + 1);
	flow_sleep(10);
	return NULL;
}

START_TEST(keeper_lets_no_duty_leave_in_a_look)
{
	run_flow_plain(leaving, NULL);
}
END_TEST

int
main(void)
{
	Suite *const suite = suite_create("backend_keeper");
	TCase *const all = tcase_create("all");

	tcase_add_test(all, keeper_looks_when_the_nearest_thing_falls_due);
	tcase_add_test(all, keeper_hears_while_nothing_falls_due);
	tcase_add_test(
	    all, keeper_that_was_stopped_before_it_runs_returns_at_once);
	tcase_add_test_raise_signal(
	    all, keeper_lets_no_duty_leave_in_a_look, SIGABRT);
	suite_add_tcase(suite, all);
	SRunner *const runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
