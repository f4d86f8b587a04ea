/* SPDX-License-Identifier: MIT */
/*
 * Chapter 12 of the behaviours of common/flow: context values. Numbers of the
 * behaviours stand in the names.
 */
#include "common/flow/context.h"
#include "common/flow/resource.h"
#include "common/flow/sleep.h"
#include "common/flow/wait.h"
#include "tests/unit/flow_harness.h"

/* Open a resource whose body is given; 0 or its error. */
static int
open_resource(task_body_fn *body, void *arg, void **value_r, struct err *err)
{
	const struct task_spec spec = SPEC(body, arg);

	return resource_open(&spec, value_r, err);
}

static const struct flow_context colour = { .name = "colour" };
static const struct flow_context size_ = {
	.name = "size", .initial = "default", .has_initial = true
};

static void *
read_context(void *arg)
{
	void *v = "none";

	if (!flow_context_find(&colour, &v))
		v = "none";
	note("%s%s", (char *)arg, (char *)v);
	return NULL;
}

static void *
read_late(void *arg)
{
	flow_sleep(5);
	return read_context(arg);
}

static void *
b147_child(void *arg)
{
	need(flow_context_set(&colour, "red") == 0);
	SPAWN(read_late, "grandchild=", NULL);
	flow_sleep(10);
	return NULL;
}

static void *
b147(void *arg)
{
	void *v = NULL;

	need(flow_context_find(&size_, &v));
	note("%s", (char *)v);
	read_context("unset=");
	SPAWN(read_late, "early=", NULL);
	SPAWN(b147_child, NULL, NULL);
	flow_sleep(1);
	read_context("parent=");
	need(flow_context_set(&colour, "blue") == 0);
	flow_sleep(20);
	return NULL;
}

START_TEST(b146_b147_b149_a_value_is_seen_below_not_above_nor_beside)
{
	run_flow(b147, NULL);
	ck_assert_str_eq(traced(),
	    "default unset=none parent=none early=blue grandchild=red");
}
END_TEST

static void *
with_fails(void *arg)
{
	read_context("in=");
	flow_fail(-EIO, "x");
}

static void *
b148_scope(void *arg)
{
	flow_context_with(&colour, "inner", with_fails, NULL);
	return NULL;
}

static void *
b148(void *arg)
{
	need(flow_context_set(&colour, "outer") == 0);
	flow_context_with(&colour, "inner", read_context, "in=");
	read_context("out=");
	note("%d", scope_call(b148_scope, NULL, NULL, NULL) == -EIO);
	read_context("out=");
	return NULL;
}

START_TEST(b75_b148_with_restores_also_after_an_error)
{
	run_flow(b148, NULL);
	ck_assert_str_eq(traced(), "in=inner out=outer in=inner 1 out=outer");
}
END_TEST

static int
read_at_end(void *arg, struct err *err)
{
	void *v = "none";

	(void)flow_context_find(arg, &v);
	note("%s", (char *)v);
	return 0;
}

/* What a finaliser sees after the call that had a value was unwound. */
static void *
b148_unwound(void *arg)
{
	ENSURE(read_at_end, (void *)&colour);
	ENSURE(read_at_end, (void *)&size_);
	if (arg)
		need(flow_context_set(&colour, arg) == 0);
	flow_context_with(&size_, "inner", with_fails, NULL);
	return NULL;
}

static void *
b148_colour_unwound(void *arg)
{
	ENSURE(read_at_end, (void *)&colour);
	flow_context_with(&colour, "inner", with_fails, NULL);
	return NULL;
}

START_TEST(b148_with_restores_before_the_finalisers_of_its_scope)
{
	run_flow(b148_unwound, "outer");
	ck_assert_str_eq(traced(), "in=outer default outer");
	run_flow(b148_colour_unwound, NULL);
	ck_assert_str_eq(traced(), "in=inner none");
}
END_TEST

static void *
b150(void *arg)
{
	flow_context_expect(&colour);
	return NULL;
}

START_TEST(b150_expecting_an_unset_context_names_it)
{
	run_flow(b150, NULL);
	ck_assert_int_eq(harness_err.code, -ENOKEY);
	ck_assert_ptr_nonnull(strstr(harness_err.text, "colour"));
}
END_TEST

static void *
resource_sets(void *arg)
{
	need(flow_context_set(&colour, "hidden") == 0);
	resource_provide(NULL);
}

static void *
b99(void *arg)
{
	void *v;

	need(open_resource(resource_sets, NULL, &v, NULL) == 0);
	read_context("acquirer=");
	return NULL;
}

START_TEST(b99_context_set_in_a_resource_is_hidden_from_the_acquirer)
{
	run_flow(b99, NULL);
	ck_assert_str_eq(traced(), "acquirer=none");
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("flow_context");
	TCase *const c = tcase_create("behaviours");

	HARNESS_ADD(
	    c, b146_b147_b149_a_value_is_seen_below_not_above_nor_beside);
	HARNESS_ADD(c, b75_b148_with_restores_also_after_an_error);
	HARNESS_ADD(c, b148_with_restores_before_the_finalisers_of_its_scope);
	HARNESS_ADD(c, b150_expecting_an_unset_context_names_it);
	HARNESS_ADD(
	    c, b99_context_set_in_a_resource_is_hidden_from_the_acquirer);
	return harness_main(s, c);
}
