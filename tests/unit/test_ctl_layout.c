/* SPDX-License-Identifier: MIT */
/* Results as text, and the page that they stand on. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include "common/base/mem.h"
#include "poold/ctl/layout.h"

#include "tests/unit/json_chaos.h"

static const struct {
	const char *result;
	const char *shown;
} results[] = {
	{ "{'content':[{'type':'text','text':'a\\nb'}]}", "a\nb\n" },
	{ "{'content':[{'type':'text','text':'a\\n'},"
	  "{'type':'text','text':'b'}]}",
	    "a\nb\n" },
	{ "{'content':[]}", "(the tool returned nothing)\n" },
	{ "{}", "(the tool returned nothing)\n" },
	{ "{'structuredContent':{'seat':'14C','flight':{'no':7,'x':[]},"
	  "'tip':'t'}}",
	    "seat: 14C\nflight:\n  no: 7\n  x:  (none)\ntip:  t\n" },
	{ "{'structuredContent':{'a':[1,'b',true,null,0.1,{'k':2.5}]}}",
	    "a:\n  - 1\n  - b\n  - yes\n  - -\n  - 0.1\n  6.\n    k: 2.5\n" },
	{ "{'structuredContent':[{'a':1},{'a':2}]}",
	    "1.\n  a: 1\n2.\n  a: 2\n" },
	{ "{'structuredContent':7}", "7\n" },
	{ "{'content':[{'type':'text','text':'replaced'}],"
	  "'structuredContent':{'a':1}}",
	    NULL },
	{ "{'content':[{'type':'image','data':'xx','mimeType':'image/png'},"
	  "{'type':'resource','resource':{'uri':'u','text':'body'}},"
	  "{'type':'resource_link','name':'n','uri':'v'},{'x':1},3]}",
	    "[image image/png]\n[resource u]\nbody\n[resource_link n v]\n"
	    "[something]\n[something]\n" },
	{ "{'content':[{'type':'text','text':'a\\u001b[31mb\\u0007'}],"
	  "'structuredContent':{'k\\n':'v\\nw'}}",
	    "a?[31mb?\nk : v w\n" },
};

START_TEST(layout_shows_a_result)
{
	json_t *const result = chaos_json(results[_i].result);
	struct page page;

	if (!results[_i].shown) {
		/* The text repeats the structured content. */
		ck_assert_int_eq(
		    json_object_set_new(
			json_array_get(json_object_get(result, "content"), 0),
			"text", json_string("{\"a\": 1}")),
		    0);
	}
	page_init(&page, false);
	layout_result(&page, result);
	const char *const want =
	    results[_i].shown ? results[_i].shown : "a: 1\n";
	ck_assert_msg(slice_eq(page_text(&page), slice_of(want)), "%.*s",
	    (int)page_text(&page).n, page_text(&page).p);
	page_fini(&page);
	json_decref(result);
}
END_TEST

static const struct {
	const char *text;
	const char *many_lines;
	const char *one_line;
} texts[] = {
	{ "plain \xc3\xa9", "plain \xc3\xa9", "plain \xc3\xa9" },
	{ "a\nb\tc", "a\nb\tc", "a b c" },
	{ "a\r\nb", "a?\nb", "a? b" },
	{ "\033[2J\177", "?[2J?", "?[2J?" },
	{ "\xc2\x9b"
	  "1m\xc2\xa0",
	    "?1m\xc2\xa0", "?1m\xc2\xa0" },
	{ "\xe2\x80\xae"
	  "x\xe2\x81\xa6\xe2\x80\x93",
	    "?x?\xe2\x80\x93", "?x?\xe2\x80\x93" },
	{ "\xe2\x80", "\xe2\x80", "\xe2\x80" },
};

START_TEST(page_cleans_what_would_move_a_cursor)
{
	struct page page;

	page_init(&page, false);
	page_clean(&page, slice_of(texts[_i].text), PAGE_MANY_LINES);
	ck_assert(slice_eq(page_text(&page), slice_of(texts[_i].many_lines)));
	page_fini(&page);
	page_init(&page, false);
	page_clean_line(&page, texts[_i].text);
	ck_assert(slice_eq(page_text(&page), slice_of(texts[_i].one_line)));
	page_fini(&page);
}
END_TEST

START_TEST(page_has_looks_only_with_colours)
{
	struct page page;

	page_init(&page, true);
	page_look(&page, PAGE_BOLD);
	page_put(&page, "x");
	page_look(&page, PAGE_PLAIN);
	ck_assert(slice_eq(page_text(&page), SLICE("\033[1mx\033[0m")));
	page_fini(&page);
	page_init(&page, false);
	page_look(&page, PAGE_RED);
	page_fresh_line(&page);
	ck_assert_uint_eq(page_text(&page).n, 0);
	page_put(&page, "x");
	page_fresh_line(&page);
	page_fresh_line(&page);
	ck_assert(slice_eq(page_text(&page), SLICE("x\n")));
	page_fini(&page);
}
END_TEST

START_TEST(page_keeps_its_first_error)
{
	struct page page;

	page_init(&page, false);
	mem_fail_at(1);
	page_put(&page, "lost");
	mem_fail_at(0);
	page_put(&page, "also lost");
	ck_assert_int_eq(page.rc, -ENOMEM);
	ck_assert_uint_eq(page_text(&page).n, 0);
	page_fini(&page);
}
END_TEST

START_TEST(page_counts_columns_by_characters)
{
	ck_assert_uint_eq(page_columns(SLICE("a\xc3\xa9\xe2\x82\xac")), 3);
	ck_assert_uint_eq(page_columns(SLICE("")), 0);
}
END_TEST

int
main(void)
{
	Suite *const s = suite_create("ctl/layout");
	TCase *const t = tcase_create("layout");

	tcase_add_loop_test(
	    t, layout_shows_a_result, 0, sizeof(results) / sizeof(results[0]));
	tcase_add_loop_test(t, page_cleans_what_would_move_a_cursor, 0,
	    sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(t, page_has_looks_only_with_colours);
	tcase_add_test(t, page_keeps_its_first_error);
	tcase_add_test(t, page_counts_columns_by_characters);
	suite_add_tcase(s, t);
	SRunner *const r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	const int n = srunner_ntests_failed(r);
	srunner_free(r);
	return n != 0;
}
