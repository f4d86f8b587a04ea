/* SPDX-License-Identifier: MIT */
/* What poold/turn.c promises: at most so many, first come, first served. */
#include <check.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/flow/sleep.h"
#include "common/flow/task.h"

#include "poold/turn.h"
#include "tests/unit/flow_harness.h"

#define STARTS 6

static struct turns turns;
static struct turn starts[STARTS];
static unsigned order[STARTS];
static unsigned n_started, most;

static void
set_up(unsigned max)
{
	turns_init(&turns, max);
	n_started = most = 0;
	for (unsigned i = 0; i < STARTS; i++)
		starts[i] = (struct turn){ 0 };
}

static void *
start_body(void *arg)
{
	struct turn *const turn = arg;

	turn_take(&turns, turn);
	order[n_started++] = (unsigned)(turn - starts);
	most = turns.n > most ? turns.n : most;
	return NULL;
}

static void
start(unsigned i, struct task **task_r)
{
	const struct task_spec spec = {
		.name = "start", .body = start_body, .arg = &starts[i]
	};

	(void)task_spawn(&spec, task_r);
}

/* ------------------------------------------------------------------- bodies */

static unsigned seen_first, seen_after_one, seen_after_time;

static void *
in_order_body(void *arg)
{
	set_up(2);
	for (unsigned i = 0; i < STARTS; i++)
		start(i, NULL);
	flow_sleep(1);
	seen_first = n_started;
	turn_end(&turns, &starts[1]);
	turn_end(&turns, &starts[1]);
	flow_sleep(1);
	seen_after_one = n_started;
	/* Nobody says that it is ready: time does. */
	flow_sleep(2 * TURN_MAX_MS + 10);
	seen_after_time = n_started;
	for (unsigned i = 0; i < STARTS; i++)
		turn_end(&turns, &starts[i]);
	return NULL;
}

START_TEST(turns_are_taken_in_order_and_bounded)
{
	run_flow_plain(in_order_body, NULL);
	ck_assert_uint_eq(seen_first, 2);
	ck_assert_uint_eq(seen_after_one, 3);
	ck_assert_uint_eq(seen_after_time, STARTS);
	ck_assert_uint_eq(most, 2);
	for (unsigned i = 0; i < STARTS; i++)
		ck_assert_uint_eq(order[i], i);
	ck_assert_uint_eq(turns.n, 0);
}
END_TEST

static void *
halted_body(void *arg)
{
	struct task *second task_auto = NULL;

	set_up(1);
	start(0, NULL);
	start(1, &second);
	start(2, NULL);
	flow_sleep(1);
	/* It is handed the place and halted before it runs. */
	turn_end(&turns, &starts[0]);
	task_halt_soon(second);
	flow_sleep(1);
	turn_end(&turns, &starts[2]);
	return NULL;
}

START_TEST(a_turn_handed_to_one_that_is_halted_goes_on)
{
	run_flow_plain(halted_body, NULL);
	ck_assert_uint_eq(n_started, 2);
	ck_assert_uint_eq(order[1], 2);
	ck_assert_uint_eq(turns.n, 0);
}
END_TEST

static void *
opened_body(void *arg)
{
	set_up(1);
	for (unsigned i = 0; i < STARTS; i++)
		start(i, NULL);
	flow_sleep(1);
	turns_open(&turns);
	flow_sleep(1);
	for (unsigned i = 0; i < STARTS; i++)
		turn_end(&turns, &starts[i]);
	return NULL;
}

START_TEST(an_open_gate_lets_all_through)
{
	run_flow_plain(opened_body, NULL);
	ck_assert_uint_eq(n_started, STARTS);
	ck_assert_uint_eq(turns.n, 0);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("poold_turn");
	TCase *const c = tcase_create("all");

	HARNESS_ADD(c, turns_are_taken_in_order_and_bounded);
	HARNESS_ADD(c, a_turn_handed_to_one_that_is_halted_goes_on);
	HARNESS_ADD(c, an_open_gate_lets_all_through);
	return harness_main(s, c);
}
