/* SPDX-License-Identifier: MIT */
/*
 * Chapter 8 of the behaviours of common/flow: resources. Numbers of the
 * behaviours stand in the names.
 */
#include "common/base/mem.h"
#include "common/flow/resource.h"
#include "common/flow/sleep.h"
#include "common/flow/wait.h"
#include "tests/unit/flow_bodies.h"

/* Open a resource whose body is given; 0 or its error. */
static int
open_resource(task_body_fn *body, void *arg, void **value_r, struct err *err)
{
	const struct task_spec spec = SPEC(body, arg);

	return resource_open(&spec, value_r, err);
}

static void *
resource_simple(void *arg)
{
	noted(end, arg);

	ENSURE(note_slow_end, "fin");
	resource_provide("value");
}

static void *
b89_function(void *arg)
{
	void *v = NULL;

	need(open_resource(resource_simple, arg, &v, NULL) == 0);
	note("%s", (char *)v);
	return NULL;
}

static void *
b89(void *arg)
{
	b89_function("one");
	b89_function("two");
	note("still");
	flow_sleep(1);
	return NULL;
}

START_TEST(b89_b90_b96_a_resource_lives_until_the_scope_ends)
{
	run_flow(b89, NULL);
	ck_assert_str_eq(
	    traced(), "value value still two fin( fin) one fin( fin)");
}
END_TEST

static void *
resource_fails(void *arg)
{
	ENSURE(note_end, "undone");
	flow_fail(-EACCES, "no entry");
}

static void *
resource_child_fails(void *arg)
{
	SPAWN(resource_fails, NULL, NULL);
	flow_suspend();
	return NULL;
}

static void *
b91(void *arg)
{
	struct err err = { 0 };
	void *v;

	note("%d", open_resource(resource_fails, NULL, &v, &err) == -EACCES);
	note("%s", err.text);
	note("%d",
	    open_resource(resource_child_fails, NULL, &v, &err) == -EACCES);
	flow_sleep(1);
	note("on");
	return NULL;
}

START_TEST(b91_b92_an_error_before_providing_is_the_acquirers)
{
	run_flow(b91, NULL);
	ck_assert_str_eq(traced(), "undone 1 no entry undone 1 on");
	ck_assert_int_eq(harness_outcome, TASK_RETURNED);
}
END_TEST

static void *
fail_later(void *arg)
{
	flow_sleep(5);
	flow_fail(-EIO, "later");
}

static void *
resource_fails_later(void *arg)
{
	SPAWN(fail_later, NULL, NULL);
	resource_provide(NULL);
}

static void *
b93_body(void *arg)
{
	void *v;

	need(open_resource(resource_fails_later, NULL, &v, NULL) == 0);
	note("acquired");
	flow_suspend();
	return NULL;
}

START_TEST(b93_an_error_after_providing_fails_the_owner)
{
	run_flow(b93_body, NULL);
	ck_assert_str_eq(traced(), "acquired");
	ck_assert_int_eq(harness_outcome, TASK_FAILED);
	ck_assert_str_eq(harness_err.text, "later");
}
END_TEST

static void *
resource_slow_init(void *arg)
{
	ENSURE(note_end, "undone");
	flow_sleep(100);
	resource_provide(NULL);
}

static void *
b94_child(void *arg)
{
	void *v;

	open_resource(resource_slow_init, NULL, &v, NULL);
	note("not-reached");
	return NULL;
}

static void *
b94(void *arg)
{
	struct task *t task_auto = NULL;

	SPAWN(b94_child, NULL, &t);
	flow_sleep(1);
	need(task_halt(t, NULL) == 0);
	return NULL;
}

START_TEST(b94_a_halt_during_init_undoes_what_it_had_done)
{
	run_flow(b94, NULL);
	ck_assert_str_eq(traced(), "undone");
}
END_TEST

static void *
b95_child(void *arg)
{
	noted(end, "child");

	flow_suspend();
	return NULL;
}

static void *
resource_with_child(void *arg)
{
	SPAWN(b95_child, NULL, NULL);
	ENSURE(note_slow_end, "fin");
	flow_sleep(1);
	resource_provide(NULL);
}

static void *
b95(void *arg)
{
	void *v;

	need(open_resource(resource_with_child, NULL, &v, NULL) == 0);
	return NULL;
}

START_TEST(b95_a_resources_children_outlive_its_own_cleanup)
{
	run_flow(b95, NULL);
	ck_assert_str_eq(traced(), "fin( fin) child");
}
END_TEST

static void *
b97(void *arg)
{
	void *v;

	SPAWN(body_note, "sibling", NULL);
	need(open_resource(resource_simple, "end", &v, NULL) == 0);
	note("acquired");
	flow_sleep(1);
	return NULL;
}

START_TEST(b97_a_synchronous_init_lets_nobody_else_run)
{
	run_flow(b97, NULL);
	ck_assert_str_eq(traced(), "acquired sibling end fin( fin)");
}
END_TEST

static void *
b98(void *arg)
{
	struct err err = { 0 };
	void *v;

	note("%d", open_resource(body_note, "init", &v, &err) == -ENODATA);
	return NULL;
}

START_TEST(b98_a_resource_that_never_provides_is_an_error)
{
	run_flow(b98, NULL);
	ck_assert_str_eq(traced(), "init 1");
}
END_TEST

/* Every allocation of a combination refused once. */
static size_t chaos_at;

static void
dispose_count(void *arg)
{
	++*(int *)arg;
}

static void *
resource_careful(void *arg)
{
	if (scope_ensure(note_end, "fin") < 0)
		flow_fail(-ENOMEM, "no memory for a finaliser");
	resource_provide("value");
}

static void *
chaos_resource(void *arg)
{
	/* The resource, and with it its arg, outlives this frame. */
	static int n_disposed;
	void *v;

	n_disposed = 0;
	mem_fail_at(chaos_at);
	const int rc = resource_open(&(struct task_spec){ .name = "r",
					 .body = resource_careful,
					 .arg = &n_disposed,
					 .dispose = dispose_count },
	    &v, NULL);
	const bool was_reached = mem_count() >= chaos_at;
	mem_fail_at(0);
	need(!was_reached || rc == -ENOMEM || rc == 0);
	need(rc == 0 || n_disposed == 1);
	*(bool *)arg = was_reached;
	return NULL;
}

START_TEST(every_allocation_of_a_resource_may_fail)
{
	bool was_reached = true;

	for (chaos_at = 1; was_reached; chaos_at++)
		run_flow_plain(chaos_resource, &was_reached);
	ck_assert_uint_gt(chaos_at, 3);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_resource");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(c, b89_b90_b96_a_resource_lives_until_the_scope_ends);
	HARNESS_ADD(c, b91_b92_an_error_before_providing_is_the_acquirers);
	HARNESS_ADD(c, b93_an_error_after_providing_fails_the_owner);
	HARNESS_ADD(c, b94_a_halt_during_init_undoes_what_it_had_done);
	HARNESS_ADD(c, b95_a_resources_children_outlive_its_own_cleanup);
	HARNESS_ADD(c, b97_a_synchronous_init_lets_nobody_else_run);
	HARNESS_ADD(c, b98_a_resource_that_never_provides_is_an_error);
	HARNESS_ADD(c, every_allocation_of_a_resource_may_fail);
	return harness_main(s, c);
}
