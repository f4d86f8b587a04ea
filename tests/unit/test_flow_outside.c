/* SPDX-License-Identifier: MIT */
/* Calls on the program's own stack: how deep they go, when they are made. */
#include <sys/mman.h>

#include "common/flow/outside.h"
#include "common/flow/sanitize.h"
#include "tests/unit/flow_bodies.h"

/* Far more than a task has. */
static void
go_deep(void *arg)
{
	char volatile bytes[1 << 20];

	for (size_t i = 0; i < sizeof(bytes); i += 4096)
		bytes[i] = 1;
	note("%s", (char *)arg);
}

static void *
body_outside(void *arg)
{
	noted(end, "end");

	flow_outside(go_deep, arg);
	note("after");
	return NULL;
}

START_TEST(a_call_has_the_stack_of_the_program)
{
	run_flow(body_outside, "call");
	ck_assert_str_eq(traced(), "call after end");
}
END_TEST

static void *
body_halt(void *arg)
{
	struct task *const caller = arg;

	need(task_halt(caller, NULL) == 0);
	note("halted");
	return NULL;
}

static void *
body_both(void *arg)
{
	struct task *caller task_auto = NULL;
	struct task *halter task_auto = NULL;

	SPAWN(body_outside, "call", &caller);
	SPAWN(body_halt, caller, &halter);
	need(task_await(halter, NULL, NULL) == 0);
	return NULL;
}

START_TEST(a_call_of_a_task_that_was_halted_is_not_made)
{
	run_flow(body_both, NULL);
	ck_assert_str_eq(traced(), "end halted");
}
END_TEST

#define REST_DEPTH (32 << 10)

static char *deep_page; /* which a call used */

static void
go_deep_once(void *arg)
{
	char volatile bytes[REST_DEPTH];

	for (size_t i = 0; i < sizeof(bytes); i += 4096)
		bytes[i] = 1;
	deep_page = (char *)((uintptr_t)bytes & ~(uintptr_t)4095);
}

static void
note_deep_page(void)
{
	unsigned char is_there;

	must(mincore(deep_page, 4096, &is_there) == 0);
	note(is_there & 1 ? "held" : "none");
}

static void *
body_rest(void *arg)
{
	flow_outside(go_deep_once, NULL);
	note_deep_page();
	flow_rest();
	note_deep_page();
	flow_outside(go_deep_once, NULL);
	note_deep_page();
	return NULL;
}

START_TEST(what_calls_used_of_the_program_s_stack_is_given_back_at_rest)
{
	run_flow(body_rest, NULL);
	ck_assert_str_eq(
	    traced(), SANITIZE_ADDRESS ? "held held held" : "held none held");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_outside");
	TCase *const c = tcase_create("all");

	HARNESS_ADD(c, a_call_has_the_stack_of_the_program);
	HARNESS_ADD(c, a_call_of_a_task_that_was_halted_is_not_made);
	HARNESS_ADD(
	    c, what_calls_used_of_the_program_s_stack_is_given_back_at_rest);
	return harness_main(s, c);
}
