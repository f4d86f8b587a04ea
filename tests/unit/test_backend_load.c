/* SPDX-License-Identifier: MIT */
/* test_backend_load: what is a tool, and what is said about what is none. */
#include "common/base/log.h"

#include "tests/unit/session_script.h"

#define OBJECT "{\"type\": \"object\"}"

static json_t *
nothing(struct hl_ctx *ctx, json_t *args)
{
	return hl_text("nothing");
}

static const struct hl_tool fine = { .name = "fine",
	.description = "test",
	.input_schema = OBJECT,
	.fn = nothing };
HL_TOOLS(&fine);

/* One tool that is wrong, and what is said. */
static const struct {
	struct hl_tool tool;
	int code;
	const char *text;
} wrong[] = {
	{ { "", NULL, "d", OBJECT, NULL, nothing, 0 }, -EINVAL,
	    "the name of tool number 2 is not 1 to 64 characters of A-Z a-z "
	    "0-9 _ . -" },
	{ { NULL, NULL, "d", OBJECT, NULL, nothing, 0 }, -EINVAL,
	    "the name of tool number 2 is not 1 to 64 characters of A-Z a-z "
	    "0-9 _ . -" },
	{ { "a b", NULL, "d", OBJECT, NULL, nothing, 0 }, -EINVAL,
	    "the name of tool number 2 is not 1 to 64 characters of A-Z a-z "
	    "0-9 _ . -" },
	{ { "a1234567890123456789012345678901234567890123456789012345678901234"
	    "",
	      NULL, "d", OBJECT, NULL, nothing, 0 },
	    -EINVAL,
	    "the name of tool number 2 is not 1 to 64 characters of A-Z a-z "
	    "0-9 _ . -" },
	{ { "fine", NULL, "d", OBJECT, NULL, nothing, 0 }, -EEXIST,
	    "tool fine is defined in first.so too" },
	{ { "x", NULL, "d", OBJECT, NULL, NULL, 0 }, -EINVAL,
	    "tool x lacks its function, description or input schema" },
	{ { "x", NULL, NULL, OBJECT, NULL, nothing, 0 }, -EINVAL,
	    "tool x lacks its function, description or input schema" },
	{ { "x", NULL, "d", NULL, NULL, nothing, 0 }, -EINVAL,
	    "tool x lacks its function, description or input schema" },
	{ { "x", NULL, "d", OBJECT, NULL, nothing, 100 }, -EINVAL,
	    "tool x: stack_bytes must be 0 or from 65536 to 8388608" },
	{ { "x", NULL, "d", "{]", NULL, nothing, 0 }, -EINVAL,
	    "tool x: input schema: line 1 column 2: " },
	{ { "x", NULL, "d", "{}", NULL, nothing, 0 }, -EINVAL,
	    "tool x: input schema: /type: must be \"object\"" },
	{ { "x", NULL, "d", "[]", NULL, nothing, 0 }, -EINVAL,
	    "tool x: input schema: /type: must be \"object\"" },
	{ { "x", NULL, "d",
	      "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": "
	      "\"text\"}}}",
	      NULL, nothing, 0 },
	    -EINVAL, "tool x: input schema: /properties/a/type: " },
	{ { "x", NULL, "d", "{\"type\": \"object\", \"$ref\": \"#/a\"}", NULL,
	      nothing, 0 },
	    -EINVAL, "tool x: input schema: " },
	{ { "x", NULL, "d", OBJECT, "{\"type\": \"string\"}", nothing, 0 },
	    -EINVAL, "tool x: output schema: /type: must be \"object\"" },
	{ { "x", NULL, "d", OBJECT, "{\"type\": \"object\", \"required\": 1}",
	      nothing, 0 },
	    -EINVAL, "tool x: output schema: /required: " },
};

static int code_got;
static struct err err_got;
static size_t n_got;
static size_t row;

static void *
load_wrong(void *arg)
{
	const struct hl_tool *const tools[] = { &wrong[row].tool, NULL };
	struct hl_object object = holdline_object;
	struct load *load = load_new();

	object.tools = tools;
	must(load_add(load, &holdline_object, "first.so", NULL) == 0);
	code_got = load_add(load, &object, "second.so", &err_got);
	n_got = load_n(load);
	load_free(&load);
	return NULL;
}

START_TEST(load_says_which_tool_of_which_file_is_wrong)
{
	row = (size_t)_i;
	run_flow_plain(load_wrong, NULL);
	ck_assert_int_eq(code_got, wrong[_i].code);
	ck_assert_str_eq(err_got.place, "second.so");
	ck_assert_msg(
	    !strncmp(err_got.text, wrong[_i].text, strlen(wrong[_i].text)),
	    "said: %s", err_got.text);
	ck_assert_int_eq(n_got, 1);
}
END_TEST

static void *
load_another_abi(void *arg)
{
	struct hl_object object = holdline_object;
	struct load *load = load_new();

	object.abi = HL_ABI + 1;
	code_got = load_add(load, &object, "new.so", &err_got);
	load_free(&load);
	return NULL;
}

START_TEST(load_refuses_another_abi)
{
	run_flow_plain(load_another_abi, NULL);
	ck_assert_int_eq(code_got, -EPROTO);
	ck_assert_str_eq(err_got.place, "new.so");
}
END_TEST

/* ---- files ------------------------------------------------------------ */

static const char *file;

static void *
load_file(void *arg)
{
	struct load *load = load_new();

	code_got = load_open(load, file, &err_got);
	n_got = load_n(load);
	if (n_got)
		note("%s", load_at(load, 0)->hl->name);
	note("%s", load_find(load, "book_flight") ? "found" : "not found");
	load_free(&load);
	return NULL;
}

START_TEST(load_opens_a_built_tool)
{
	file = built_tool("book_flight.so");
	run_flow_plain(load_file, NULL);
	ck_assert_msg(code_got == 0, "%s", err_got.text);
	ck_assert_str_eq(traced(), "book_flight found");
}
END_TEST

/* Files that are no tools, and the start of what is said. */
static const struct {
	const char *file; /* beside backend/tools of the build */
	int code;
	const char *text;
} files[] = {
	{ "missing.so", -ELIBACC, "cannot be loaded: " },
	{ "../../build.ninja", -ELIBACC, "cannot be loaded: " },
	{ "../../tests/unit/tool_stranger.so", -ENOEXEC,
	    "it is no holdline tool: it has no HL_TOOLS" },
	{ "../../tests/unit/tool_unsafe.so", -ENOEXEC,
	    "its code does not clean up when it is halted: compile it with "
	    "-fexceptions" },
};

START_TEST(load_refuses_a_file_that_is_no_safe_tool)
{
	file = built_tool(files[_i].file);
	run_flow_plain(load_file, NULL);
	ck_assert_int_eq(code_got, files[_i].code);
	ck_assert_str_eq(err_got.place, file);
	ck_assert_msg(
	    !strncmp(err_got.text, files[_i].text, strlen(files[_i].text)),
	    "said: %s", err_got.text);
	ck_assert_str_eq(traced(), "not found");
}
END_TEST

START_TEST(load_refuses_a_name_without_a_directory)
{
	file = "libc.so.6";
	run_flow_plain(load_file, NULL);
	ck_assert_int_eq(code_got, -ELIBACC);
	ck_assert_str_eq(err_got.text, "the path of a tool must contain a /");
}
END_TEST

static Suite *
load_suite(void)
{
	Suite *const suite = suite_create("backend load");
	TCase *const all = tcase_create("all");

	log_init("test", LOG_LEVEL_ERROR);
	tcase_add_loop_test(all, load_says_which_tool_of_which_file_is_wrong, 0,
	    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(all, load_refuses_another_abi);
	tcase_add_test(all, load_opens_a_built_tool);
	tcase_add_loop_test(all, load_refuses_a_file_that_is_no_safe_tool, 0,
	    sizeof(files) / sizeof(files[0]));
	tcase_add_test(all, load_refuses_a_name_without_a_directory);
	suite_add_tcase(suite, all);
	return suite;
}

int
main(void)
{
	SRunner *const runner = srunner_create(load_suite());

	srunner_run_all(runner, CK_NORMAL);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
